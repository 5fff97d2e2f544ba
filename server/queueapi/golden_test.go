package queueapi

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fakes are the parts that the node brings.
type fakes struct {
	beats   []string
	revoked []int
	hooks   []string
	woken   []int64
	changed []int
}

func (f *fakes) Heartbeat(id int, meta json.RawMessage) {
	f.beats = append(f.beats, fmt.Sprintf("%d %s", id, meta))
}

func (f *fakes) Revoke(_ context.Context, _ string, id int) error {
	f.revoked = append(f.revoked, id)
	return nil
}

func (f *fakes) Wake(id int64) { f.woken = append(f.woken, id) }

func (f *fakes) Begin(context.Context) (string, string, error) { return "4711", "s3cret", nil }

func (f *fakes) Poll(_ context.Context, code, secret string) (Paired, error) {
	switch {
	case secret != "s3cret":
		return Paired{}, wire.Errorf(wire.NotFound, "there is no such code")
	case code == "4711":
		return Paired{}, nil
	}
	return Paired{Display: 1, Location: 1, Key: "ns_key_of_the_screen"}, nil
}

func (f *fakes) Create(_ context.Context, _ auth.Identity, url string) (string, string, error) {
	f.hooks = append(f.hooks, url)
	return "44444444-4444-4444-8444-444444444444", "hook-secret", nil
}

func (f *fakes) Delete(_ context.Context, _ auth.Identity, hook string) error {
	if hook != "44444444-4444-4444-8444-444444444444" {
		return wire.Errorf(wire.NotFound, "Webhook not found")
	}
	return nil
}

func withFakes(f *fakes) func(*Deps) {
	return func(d *Deps) {
		d.Gateway, d.Pairing, d.Screens, d.Webhooks = f, f, f, f
		d.UserChanged = func(user int) { f.changed = append(f.changed, user) }
	}
}

// transcripts are conversations with the API, one golden file each. A line is
// "METHOD path body"; a leading "v2 " sends the version header and JSON.
var transcripts = map[string][]string{
	"tickets": {
		`v2 POST /tickets {"lineId":1,"firstName":"Ida","lastName":"Berg","phoneNumber":"+46701234567","email":"ida@example.com","languageCode":"sv","source":"NAME","labels":[{"value":"VIP"}]}`,
		`POST /v1/lines/1/ticket firstName=Bo&lastName=undefined&extra=[{"title":"Order","value":"Z-19"},{"title":"Map","value":"here","url":"https://example.com/?a=1%26b=2"}]`,
		`GET /v1/tickets/1`,
		`GET /v1/tickets/2/`,
		`POST /v1/tickets/1/call user=2&desk=1`,
		`POST /v1/tickets/1/recall`,
		`POST /v1/tickets/1/messages message=Your+turn&user=2`,
		`GET /v1/tickets/1/messages`,
		`GET /v1/tickets/1?responseScope=MESSAGES,INTERACTIONS,CONNECTED_TICKETS`,
		`POST /v1/tickets/1/returntoqueue?position=FIRST&user=2`,
		`POST /v1/tickets/1/assign assigner=2&assignee=3`,
		`GET /v1/tickets/1`,
		`POST /v1/tickets/1/unassign`,
		`POST /v1/tickets/call lines=1,2&user=3&desk=2`,
		`POST /v1/tickets/1/forward line=2&user=3`,
		`GET /v1/tickets/1`,
		`POST /v1/tickets/call lines=2&user=2`,
		`POST /v1/tickets/1/markserved`,
		`GET /v1/tickets/1?responseScope=INTERACTIONS`,
		`POST /v1/tickets/call lines=2&user=2`,
		`POST /v1/tickets/2/call user=2`,
		`POST /v1/tickets/2/marknoshow`,
		`GET /v1/tickets/2`,
		`POST /v1/lines/3/ticket phoneNumber=%2B46701234567`,
		`POST /v1/tickets/3/cancel user=2`,
		`GET /v1/tickets/3?responseScope=CONNECTED_TICKETS`,
		`GET /v1/tickets/search?order=created+DESC&limit=2`,
		`GET /v1/tickets/count`,
		`POST /v1/tickets/count?status=SERVED`,
	},
	"edits": {
		`POST /v1/lines/1/ticket firstName=Ida&email=ida%40example.com`,
		`POST /v1/lines/1/ticket firstName=Bo`,
		`POST /v1/tickets/1/edit lastName=Berg&email=null&extra=[{"title":"Order","value":7}]`,
		`v2 PATCH /tickets/1 {"phoneNumber":46701234567,"line":"2","languageCode":"et"}`,
		`v2 PATCH /tickets/1 {"lastName":null,"line":1}`,
		`POST /v1/tickets/1/labels/add value=VIP`,
		`POST /v1/tickets/1/labels/add value=VIP`,
		`POST /v1/tickets/1/labels/remove value=absent`,
		`PUT /v1/tickets/1/labels {"labels":["b","a"]}`,
		`POST /v1/tickets/1/reorder after=2`,
		`POST /v1/tickets/1/reorder`,
		`GET /v1/tickets/1/estimated-time`,
		`POST /v1/tickets/1/external provider=crm&title=CRM&data={"fields":[{"type":"text","title":"Plan","value":"gold"}]}`,
		`PUT /v1/tickets/1/external provider=crm&title=CRM&data={"fields":[]}`,
		`GET /v1/tickets/1`,
	},
	"house": {
		`GET /v1/locations/`,
		`GET /v1/locations/1/`,
		`GET /v1/locations/1/desks`,
		`GET /v1/locations/1/lines`,
		`GET /v1/locations/1/users`,
		`GET /v1/locations/1/input-fields`,
		`v2 POST /locations {"name":"Austin","latitude":30.27,"longitude":-97.74,"address":"1 Main St","country":"US","languages":["en","es"],"lines":[{"name":"Service","color":"TEAL"}],"openingHours":{"regular":{"mon":{"businessHours":[{"opens":{"hours":9,"minutes":0},"closes":{"hours":17,"minutes":30}}]},"tue":{},"wed":{},"thu":{},"fri":{},"sat":{"closed":true},"sun":{"closed":true}},"exceptions":[{"date":"2026-12-25","closed":true,"closedReason":"Christmas"}]}}`,
		`GET /v1/locations/3`,
		`GET /v1/locations/3/lines`,
		`GET /v1/locations/3/input-fields`,
		`v2 PATCH /locations/3 {"name":"Austin North"}`,
		`v2 PUT /locations/3/opening-hours {"mon":{},"tue":{},"wed":{},"thu":{},"fri":{},"sat":{},"sun":{"closed":true}}`,
		`v2 PUT /locations/3/opening-hours/exceptions []`,
		`v2 POST /locations/1/lines {"name":"Cards","color":"ROSE","translations":[{"languageCode":"et","name":"Kaardid"}],"appointmentSettings":{"enabled":true,"duration":30}}`,
		`v2 POST /v1/locations/1/lines {"name":"Permits","color":"BLUE","disabled":true}`,
		`POST /v1/locations/1/lines name=Forms&color=%23aabbcc`,
		`POST /v1/lines/8 name=Papers&color=MINT`,
		`GET /v1/lines/8/`,
		`POST /v1/lines/8/disable`,
		`POST /v1/lines/8/enable`,
		`POST /v1/lines/8/archive`,
		`POST /v1/lines/8/unarchive`,
		`DELETE /v1/lines/8`,
		`GET /v1/lines/8`,
	},
	"users": {
		`POST /v1/users/ email=new@example.com&firstName=New&lastName=Clerk&roles=[{"type":"CLERK","location":1}]`,
		`GET /v1/users/5`,
		`GET /v1/users/new@example.com`,
		`POST /v1/users/5/roles type=ADMINISTRATOR`,
		`GET /v1/users/2/desk`,
		`POST /v1/users/2/desk desk=1`,
		`GET /v1/users/2/desk`,
		`POST /v1/users/3/desk desk=1`,
		`GET /v1/users/2/desk`,
		`DELETE /v1/users/3/desk`,
		`POST /v1/users/2/lines [1,"3"]`,
		`GET /v1/users/2/lines`,
		`GET /v1/users/2`,
		`POST /v1/users/2/lines []`,
		`GET /v1/users/2/lines`,
		`DELETE /v1/users/5/`,
		`GET /v1/users/5`,
	},
	"screens": {
		`GET /v1/tv/1`,
		`POST /v1/tv/1 name=Hall`,
		`POST /v1/tv/1/heartbeat {"version":"1.2"}`,
		`GET /v1/tv/1/emptystate?language=et-EE`,
		`DELETE /v1/tv/1`,
		`GET /v1/tv/1`,
		`GET /code`,
		`GET /code/4711?secret=s3cret`,
		`GET /v1/code/4712?secret=s3cret`,
		`GET /code/4711?secret=guess`,
		`POST /v1/webhooks url=https://hooks.example.com/in`,
		`DELETE /v1/webhooks/44444444-4444-4444-8444-444444444444`,
		`DELETE /v1/webhooks/7`,
	},
	"fields": {
		`v2 POST /input-fields {"id":"aaaaaaaa-0000-4000-8000-000000000001","location":{"id":1},"type":"TEXT","title":"Passport number",` + allFlags + `,"visibleForLines":[]}`,
		`v2 POST /input-fields {"id":"aaaaaaaa-0000-4000-8000-000000000002","location":{"id":"1"},"type":"SELECT","title":"Needs","multiSelect":true,"options":[{"id":"bbbbbbbb-0000-4000-8000-000000000001","title":"Wheelchair","color":"RED"},{"id":"bbbbbbbb-0000-4000-8000-000000000002","title":"Interpreter"}],` + allFlags + `,"visibleForLines":[{"id":1}]}`,
		`v2 POST /input-fields {"id":"aaaaaaaa-0000-4000-8000-000000000002","location":{"id":2},"type":"TEXT","title":"Again",` + allFlags + `,"visibleForLines":[]}`,
		`v2 PATCH /input-fields/aaaaaaaa-0000-4000-8000-000000000002 {"title":"Help","options":[{"id":"bbbbbbbb-0000-4000-8000-000000000001"},{"id":"bbbbbbbb-0000-4000-8000-000000000003","title":"Stroller"}]}`,
		`v2 PATCH /input-fields/aaaaaaaa-0000-4000-8000-000000000001 {"multiSelect":true}`,
		`GET /v1/locations/1/input-fields`,
		`v2 POST /tickets {"lineId":1,"firstName":"Ida","fields":[{"inputFieldId":"aaaaaaaa-0000-4000-8000-000000000001","value":12345},{"inputFieldId":"aaaaaaaa-0000-4000-8000-000000000002","optionIds":["bbbbbbbb-0000-4000-8000-000000000001","bbbbbbbb-0000-4000-8000-000000000003"]}]}`,
		`GET /v1/tickets/1`,
		`v2 POST /v1/tickets/1/fields/aaaaaaaa-0000-4000-8000-000000000001 {"value":"K123"}`,
		`v2 DELETE /v1/tickets/1/fields/aaaaaaaa-0000-4000-8000-000000000002`,
		`GET /v1/tickets/1`,
	},
	"appointments": {
		`v2 POST /v1/appointments {"lineId":1,"firstName":"Ida","startTime":"2026-03-03T10:00:00Z","endTime":"2026-03-03T10:30:00Z","assigneeId":2}`,
		`v2 POST /v1/appointments/auto-assign {"lineId":1,"firstName":"Bo","startTime":"2026-03-03T10:15:00Z","endTime":"2026-03-03T10:45:00Z"}`,
		`GET /v1/tickets/1`,
		`GET /v1/tickets/search`,
		`GET /v1/tickets/count?status=SCHEDULED`,
		`v2 PATCH /v1/appointments/1 {"startTime":"2026-03-03T09:00:00Z"}`,
		`v2 POST /v1/appointments/1/checkin`,
		`GET /v1/tickets/1`,
		`v2 POST /v1/appointments/1/cancel`,
		`v2 POST /v1/appointments/2/cancel`,
		`GET /v1/tickets/2`,
	},
	"errors": {
		`GET /v1/tickets/99`,
		`v2 POST /tickets {"lineId":99,"firstName":"Ida"}`,
		`v2 POST /tickets {"lineId":1}`,
		`POST /tickets lineId=1`,
		`POST /v1/tickets/call`,
		`GET /v1/nowhere`,
		`PUT /v1/tickets/1`,
	},
}

const allFlags = `"isMandatoryBeforeAdded":false,"isMandatoryBeforeServed":false,"isMandatoryInRemoteSignIn":false,"isVisibleInWaitingDrawer":true,"isVisibleInServingDrawer":true,"showInRemoteSignIn":false`

func parseLine(line string) req {
	var q req
	line, q.v2 = strings.CutPrefix(line, "v2 ")
	q.method, line, _ = strings.Cut(line, " ")
	q.path, q.body, _ = strings.Cut(line, " ")
	return q
}

// Every kind of answer, as it is sent. The files are the compatibility contract:
// read their diff.
func TestGolden(t *testing.T) {
	for name, lines := range transcripts {
		t.Run(name, func(t *testing.T) {
			f := &fakes{}
			r := newRig(t, withFakes(f))
			var out strings.Builder
			for _, line := range lines {
				line, wasV2 := strings.CutPrefix(line, "v2 ")
				q := parseLine(line)
				q.v2 = wasV2
				got := r.send(q)
				fmt.Fprintf(&out, "%s\n  %d %s\n", line, got.code, strings.TrimSpace(string(got.body)))
				checkForm(t, line, got)
			}
			compareGolden(t, "testdata/"+name+".txt", out.String())
		})
	}
}

func checkForm(t *testing.T, line string, got reply) {
	t.Helper()
	v1 := strings.Contains(line, " /v1/") && !strings.Contains(line, "appointments") && !strings.Contains(line, "/fields/")
	if v1 && got.code == 200 && got.json["statusCode"] != 200.0 {
		t.Errorf("%s: statusCode %v in the body", line, got.json["statusCode"])
	}
	if got.code >= 400 && got.json["statusCode"] != float64(got.code) {
		t.Errorf("%s: %d, but statusCode %v in the body", line, got.code, got.json["statusCode"])
	}
	if strings.Contains(string(got.body), "null") {
		t.Errorf("%s: a null in %s", line, got.body)
	}
	for _, date := range regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`).FindAllString(string(got.body), -1) {
		if len(date) != 26 || !strings.HasSuffix(date, `Z"`) {
			t.Errorf("%s: %s has not exactly three decimals", line, date)
		}
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run with -update", err)
	}
	if got != string(want) {
		gl, wl := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range gl {
			if i >= len(wl) || gl[i] != wl[i] {
				w := ""
				if i < len(wl) {
					w = wl[i]
				}
				t.Fatalf("%s:%d\n got %s\nwant %s", path, i+1, gl[i], w)
			}
		}
		t.Fatalf("%s: shorter than before", path)
	}
}

var (
	_ Screens  = (*fakes)(nil)
	_ Gateway  = (*fakes)(nil)
	_ Pairing  = (*fakes)(nil)
	_ Webhooks = (*fakes)(nil)
)
