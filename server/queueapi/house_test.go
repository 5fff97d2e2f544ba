package queueapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/testkit"
)

// What was made through the API is the same after a restart.
func TestEverythingSurvivesAReopening(t *testing.T) {
	r := stage(t)
	for _, line := range transcripts["house"] {
		if got := r.send(parseLine(line)); got.code >= 500 {
			t.Fatalf("%s: %s", line, got.body)
		}
	}
	again, err := ledger.Open(r.store, testkit.Nobody{}, ledger.Options{Clock: r.clock.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range append(r.Locations(), ledger.Directory) {
		var was, is []byte
		r.View(id, func(s *ticket.State) { was, _ = s.Encode() })
		again.View(id, func(s *ticket.State) { is, _ = s.Encode() })
		if string(was) != string(is) || len(is) == 0 {
			t.Errorf("journal %d:\n was %s\n  is %s", id, was, is)
		}
		if strings.Contains(string(is), `"setup"`) {
			t.Errorf("journal %d remembers how it began: %s", id, is)
		}
	}
}

func TestANewLocationHasEverythingAtOnce(t *testing.T) {
	r := newRig(t)
	got := r.want(201, req{method: "POST", path: "/locations", v2: true, body: `{"name":"Riga","latitude":56.9,"longitude":24.1,"address":"A","country":"LV"}`})
	if got.json["id"] != "3" {
		t.Fatalf("%s", got.body)
	}
	lines := r.get("/v1/locations/3/lines").json["data"].([]any)
	if len(lines) != 2 || lines[0].(map[string]any)["name"] != "Main Service" || lines[1].(map[string]any)["name"] != "Information" {
		t.Errorf("%v", lines)
	}
	r.form("/v1/lines/5/ticket", "firstName=a")
	if id := r.get("/v1/tickets/1").json["publicId"]; id != "A-1" {
		t.Errorf("%v", id)
	}
	users := r.get("/v1/locations/3/users").json["data"].([]any)
	if len(users) != 1 { // the owner works everywhere
		t.Errorf("%v", users)
	}
	r.View(3, func(s *ticket.State) {
		if s.Location.Timezone != "Europe/Riga" || s.Location.Hours != nil || len(s.Location.Fields) != 3 {
			t.Errorf("%+v", s.Location)
		}
	})
}

func TestTimezones(t *testing.T) {
	a := readAtlas()
	for _, c := range []struct {
		country   string
		lat, long float64
		want      string
	}{
		{"EE", 59.4, 24.7, "Europe/Tallinn"}, {"US", 30.27, -97.74, "America/Chicago"}, {"US", 33.45, -112.07, "America/Phoenix"},
		{"US", 21.3, -157.8, "Pacific/Honolulu"}, {"IN", 19.07, 72.87, "Asia/Kolkata"}, {"UA", 50.45, 30.5, "Europe/Kyiv"},
		{"AU", -31.9, 115.9, "Australia/Perth"}, {"FJ", -18.1, 178.4, "Pacific/Fiji"}, {"ZZ", 0, 0, ""},
	} {
		got := a.zone(c.country, c.lat, c.long)
		if got != c.want {
			t.Errorf("%s %v %v: %q, want %q", c.country, c.lat, c.long, got, c.want)
		}
	}
	known := 0
	for country, zones := range a.zones {
		for _, z := range zones {
			if _, err := time.LoadLocation(z.name); err == nil {
				known++
			}
			if z.lat < -90 || z.lat > 90 || z.long < -180 || z.long > 180 {
				t.Errorf("%s is at %v %v", z.name, z.lat, z.long)
			}
		}
		if a.country(country) == country {
			t.Errorf("%s has no name", country)
		}
	}
	if known < 400 {
		t.Errorf("%d zones", known)
	}
}

func TestHoursAreKept(t *testing.T) {
	r := newRig(t)
	r.want(200, parseLine(`v2 PUT /locations/1/opening-hours {"mon":{"businessHours":[{"opens":{"hours":9,"minutes":30},"closes":{"hours":17}},{"opens":{"hours":22},"closes":{"hours":2}}]},"tue":{},"wed":{},"thu":{},"fri":{},"sat":{"closed":true},"sun":{"closed":true}}`))
	r.want(200, parseLine(`v2 PUT /locations/1/opening-hours/exceptions [{"date":"2026-03-03","closed":true,"closedReason":" Holiday "},{"date":"2026-03-07","businessHours":[{"opens":{"hours":10},"closes":{"hours":24}}]}]`))
	zone, _ := time.LoadLocation("Europe/Tallinn")
	r.View(1, func(s *ticket.State) {
		for at, want := range map[string]bool{
			"2026-03-02 09:29": false, "2026-03-02 09:30": true, "2026-03-02 17:00": false, "2026-03-02 23:00": true,
			"2026-03-03 12:00": false, "2026-03-04 12:00": true, "2026-03-07 09:00": false, "2026-03-07 23:59": true, "2026-03-08 12:00": false,
		} {
			now, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Location.OpenAt(now); got != want {
				t.Errorf("%s: open %v", at, got)
			}
		}
		if s.Location.Hours.Exceptions[0].Reason != "Holiday" {
			t.Errorf("%+v", s.Location.Hours.Exceptions)
		}
	})
	r.want(200, parseLine(`v2 PUT /locations/1/opening-hours {"mon":{},"tue":{},"wed":{},"thu":{},"fri":{},"sat":{},"sun":{}}`))
	r.View(1, func(s *ticket.State) {
		if len(s.Location.Hours.Exceptions) != 2 {
			t.Error("a new week forgot the exceptions")
		}
	})
	r.want(200, parseLine(`v2 PUT /locations/1/opening-hours/exceptions []`))
	got := r.get("/v1/tv/1/emptystate").json
	if got["layout"] != "goodMorning" {
		t.Errorf("%v", got)
	}
	r.want(200, parseLine(`v2 PUT /locations/1/opening-hours/exceptions [{"date":"2026-03-02","closed":true}]`))
	if got := r.get("/v1/tv/1/emptystate?language=xx").json; got["layout"] != "closed" || got["message"] != "We are closed" {
		t.Errorf("%v", got)
	}
}

func TestCoordinatesMayMoveWithinTheZone(t *testing.T) {
	r := newRig(t)
	r.want(200, parseLine(`v2 PATCH /locations/2 {"latitude":42.36,"longitude":-71.05}`))
	got := r.want(400, parseLine(`v2 PATCH /locations/2 {"latitude":34.05,"longitude":-118.2}`))
	if got.json["code"] != codeTimezone {
		t.Errorf("%s", got.body)
	}
	if got := r.get("/v1/locations/2").json; got["latitude"] != 42.36 || got["longitude"] != -71.05 || got["name"] != "New York" {
		t.Errorf("%v", got)
	}
}

func TestArchivedLinesAreGoneFromTheListOnly(t *testing.T) {
	r := newRig(t)
	r.create(1)
	r.form("/v1/lines/1/archive", "")
	if got := r.get("/v1/locations/1/lines").json["data"].([]any); len(got) != 2 {
		t.Errorf("%v", got)
	}
	r.get("/v1/lines/1")
	r.form("/v1/tickets/1/call", "user=2") // those inside stay
	r.form("/v1/tickets/1/markserved", "")
	r.want(200, req{method: "DELETE", path: "/v1/lines/1"})
	r.want(404, req{method: "GET", path: "/v1/lines/1"})
	if got := r.get("/v1/tickets/search?line=1").json["data"].([]any); len(got) != 1 {
		t.Errorf("the past of a deleted line: %v", got)
	}
}

func TestColorsComeBackAsHex(t *testing.T) {
	r := newRig(t)
	for name := range colorNames() {
		r.form("/v1/lines/1", "color="+name)
		got := r.get("/v1/lines/1").json["color"].(string)
		if got != colorNames()[name] || !colorPattern.MatchString(got) {
			t.Errorf("%s is %s", name, got)
		}
	}
}

func TestAPersonHasOneDesk(t *testing.T) {
	f := &fakes{}
	r := newRig(t, withFakes(f))
	r.form("/v1/users/4/roles", "type=CLERK&location=1")
	r.form("/v1/users/4/desk", "desk=3")
	r.want(200, req{method: "POST", path: "/v1/users/4/lines", body: "[4]"})
	if got := r.get("/v1/users/4").json; got["selectedLocation"] != 2.0 || got["desk"] != 3.0 {
		t.Errorf("%v", got)
	}
	// A key of location 1 only: what it chooses there ends what was chosen elsewhere.
	r.want(200, req{method: "POST", path: "/v1/users/4/desk", body: "desk=1"})
	if got := r.get("/v1/users/4").json; got["selectedLocation"] != 1.0 || got["desk"] != 1.0 {
		t.Errorf("%v", got)
	}
	r.form("/v1/users/2/desk", "desk=1")
	if got := r.get("/v1/users/4/desk").json; got["selectedDeskId"] != nil {
		t.Errorf("two users at one desk: %v", got)
	}
	r.want(200, req{method: "POST", path: "/v1/users/4/lines", body: "[1,2]"})
	if got := fmt.Sprint(r.get("/v1/users/4/lines").json["selectedLines"]); got != "[1 2]" {
		t.Errorf("%v", got)
	}
	if fmt.Sprint(f.changed) != "[4]" {
		t.Errorf("told of %v", f.changed)
	}
	r.want(200, req{method: "DELETE", path: "/v1/users/2"})
	if got := r.get("/v1/locations/1/users").json["data"].([]any); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestScreensAreToldAbout(t *testing.T) {
	f := &fakes{}
	r := newRig(t, withFakes(f))
	r.want(200, req{method: "POST", path: "/v1/tv/1/heartbeat", body: `{"a":1}`, key: deviceKey})
	r.want(200, req{method: "POST", path: "/v1/tv/1/heartbeat", key: deviceKey})
	if fmt.Sprint(f.beats) != `[1 {"a":1} 1 {}]` {
		t.Errorf("%v", f.beats)
	}
	r.must(1, ticket.PutDisplay{Display: ticket.Display{Name: "Second"}})
	r.want(404, req{method: "POST", path: "/v1/tv/2/heartbeat", key: deviceKey})
	r.want(404, req{method: "GET", path: "/v1/tv/2", key: deviceKey})
	if got := r.get("/v1/tv/2").json; got["settings"] != nil || got["theme"] != "dark" || got["layout"] != "board" {
		t.Errorf("%v", got)
	}
	r.want(200, req{method: "DELETE", path: "/v1/tv/1"})
	if fmt.Sprint(f.revoked) != "[1]" {
		t.Errorf("revoked %v", f.revoked)
	}
}

func TestAppointmentsGoToWhoHasLeast(t *testing.T) {
	r := newRig(t)
	book := func(from, to string) int {
		body := fmt.Sprintf(`{"lineId":1,"firstName":"Ida","startTime":"2026-03-03T%sZ","endTime":"2026-03-03T%sZ"}`, from, to)
		got := r.send(req{method: "POST", path: "/v1/appointments/auto-assign", v2: true, body: body})
		if got.code != 201 {
			return -got.code
		}
		id, _ := parseID(got.json["id"].(string))
		x, err := r.Ticket(id)
		if err != nil {
			t.Fatal(err)
		}
		return x.Place.Appointment.Assignee
	}
	for i, c := range []struct {
		from, to string
		want     int
	}{
		{"10:00:00", "10:30:00", 1}, {"10:00:00", "10:30:00", 2}, {"10:15:00", "10:20:00", 3}, {"10:00:00", "11:00:00", -409},
		{"10:30:00", "11:00:00", 1}, {"12:00:00", "12:30:00", 2}, {"12:00:00", "12:30:00", 3}, {"12:30:00", "13:00:00", 1},
	} {
		if got := book(c.from, c.to); got != c.want {
			t.Errorf("%d: %d, want %d", i, got, c.want)
		}
	}
}

func TestCheckInGivesANumberAndTheLastPlace(t *testing.T) {
	r := newRig(t)
	r.want(201, parseLine(`v2 POST /v1/appointments {"lineId":1,"firstName":"Ida","startTime":"2026-03-03T10:00:00Z","endTime":"2026-03-03T10:30:00Z","assigneeId":2}`))
	r.create(1)
	r.want(200, parseLine(`v2 POST /v1/appointments/1/checkin`))
	if got := r.get("/v1/tickets/1").json; got["publicId"] != "A-2" || got["status"] != "NEW" {
		t.Errorf("%v", got)
	}
	if got := r.order(1); got != "2 1" {
		t.Errorf("%s", got)
	}
	r.form("/v1/tickets/1/call", "user=2")
	r.form("/v1/tickets/1/markserved", "")
	r.want(400, parseLine(`v2 POST /v1/appointments/1/marknoshow`))
}

func TestNamedFieldsAreMembersOfTheTicket(t *testing.T) {
	r := newRig(t)
	r.want(201, parseLine(fieldLine(1, 1, `"type":"EMAIL","isRequiredInAppointments":false`, false)))
	r.want(201, parseLine(fieldLine(2, 1, `"type":"NUMERIC","title":"Persons","constraints":{"min":1,"max":9,"scale":0}`, false)))
	r.want(201, parseLine(fieldLine(3, 1, `"type":"URL","title":"Site"`, false)))
	r.want(201, parseLine(fieldLine(4, 1, `"type":"DATE","title":"Born"`, false)))
	got := r.want(409, parseLine(fieldLine(5, 1, `"type":"EMAIL","isRequiredInAppointments":false`, false)))
	if got.json["code"] != codeField {
		t.Errorf("%s", got.body)
	}
	r.create(1)
	set := func(n int, value string) int {
		return r.send(parseLine(fmt.Sprintf(`v2 POST /v1/tickets/1/fields/%s {"value":%s}`, fieldID(n), value))).code
	}
	for _, c := range []struct {
		field int
		value string
		code  int
	}{
		{1, `"ida@example.com"`, 200}, {1, `"ida"`, 400}, {2, `3`, 200}, {2, `"3"`, 200}, {2, `10`, 400}, {2, `2.5`, 400}, {2, `"many"`, 400},
		{3, `"https://example.com"`, 200}, {3, `"javascript:alert(1)"`, 400}, {4, `"1990-02-28"`, 200}, {4, `"1990-02-30"`, 400}, {4, `null`, 400},
	} {
		if got := set(c.field, c.value); got != c.code {
			t.Errorf("field %d, %s: %d", c.field, c.value, got)
		}
	}
	ticket := r.get("/v1/tickets/1").json
	extra, _ := json.Marshal(ticket["extra"])
	want := `[{"title":"Persons","value":"3"},{"title":"Site","url":"https://example.com","value":"https://example.com"},{"title":"Born","value":"1990-02-28"}]`
	if ticket["email"] != "ida@example.com" || string(extra) != want {
		t.Errorf("%v %s", ticket["email"], extra)
	}
	r.want(200, parseLine(`v2 DELETE /v1/tickets/1/fields/`+fieldID(1)))
	if got := r.get("/v1/tickets/1").json; got["email"] != nil {
		t.Errorf("%v", got)
	}
}
