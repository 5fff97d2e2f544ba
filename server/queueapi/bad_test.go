package queueapi

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// offsets are the heads of all journals: whatever changes anything moves one.
func (r *rig) offsets() string {
	var b strings.Builder
	for id := range 4 {
		r.View(id, func(s *ticket.State) { fmt.Fprintf(&b, "%d:%d ", id, s.Offset) })
	}
	return b.String()
}

// stage is a branch with tickets in every status: 1 NEW, 2 CALLED to user 2, 3
// SERVED, 4 NOSHOW, 5 CANCELLED_BY_CLERK, 6 SCHEDULED, all of line 1; 7 NEW in
// line 4 of the other branch; line 2 is disabled, line 3 archived; 8 NEW in line
// 1; input field f1 TEXT, mandatory, f2 SELECT, f9 of the other branch.
func stage(t testing.TB) *rig {
	r := newRig(t, withFakes(&fakes{}))
	for range 5 {
		r.create(1)
	}
	for _, line := range []string{
		`POST /v1/tickets/3/call user=3`, `POST /v1/tickets/3/markserved`, `POST /v1/tickets/4/call user=3`,
		`POST /v1/tickets/4/marknoshow`, `POST /v1/tickets/5/cancel user=2`,
		`v2 POST /v1/appointments {"lineId":1,"firstName":"Ida","startTime":"2026-03-03T10:00:00Z","endTime":"2026-03-03T10:30:00Z","assigneeId":2}`,
		`POST /v1/lines/4/ticket firstName=Far`, `POST /v1/tickets/2/call user=2&desk=1`, `POST /v1/lines/2/disable`,
		`POST /v1/lines/3/archive`, `POST /v1/lines/1/ticket firstName=Eve&phoneNumber=5551234`,
		fieldLine(1, 1, `"type":"TEXT","title":"Passport"`, true), fieldLine(2, 1, selectField, false), fieldLine(9, 2, `"type":"TEXT","title":"Far"`, false),
	} {
		if got := r.send(parseLine(line)); got.code >= 300 {
			t.Fatalf("%s: %d %s", line, got.code, got.body)
		}
	}
	return r
}

const (
	uuidOf      = "aaaaaaaa-0000-4000-8000-00000000000%d"
	option1     = "bbbbbbbb-0000-4000-8000-000000000001"
	option2     = "bbbbbbbb-0000-4000-8000-000000000002"
	selectField = `"type":"SELECT","title":"Needs","multiSelect":false,"options":[{"id":"` + option1 + `","title":"a"},{"id":"` + option2 + `","title":"b"}]`
)

func fieldID(n int) string { return fmt.Sprintf(uuidOf, n) }

func fieldLine(n, location int, members string, mandatory bool) string {
	flags := strings.Replace(allFlags, `"isMandatoryBeforeAdded":false`, fmt.Sprintf(`"isMandatoryBeforeAdded":%v`, mandatory), 1)
	return fmt.Sprintf(`v2 POST /input-fields {"id":"%s","location":{"id":%d},%s,%s,"visibleForLines":[]}`, fieldID(n), location, members, flags)
}

// wrong is one request that must be refused and change nothing.
type wrong struct {
	line  string
	code  int
	param string
}

func ticketWrongs() []wrong {
	long := func(n int) string { return strings.Repeat("x", n) }
	return []wrong{
		{`POST /v1/lines/99/ticket`, 404, "id"},
		{`POST /v1/lines/abc/ticket`, 404, "id"},
		{`POST /v1/lines/2/ticket`, 409, "id"},
		{`POST /v1/lines/3/ticket`, 409, "id"},
		{`POST /v1/lines/1/ticket firstName=` + long(51), 400, "firstName"},
		{`POST /v1/lines/1/ticket lastName=` + long(51), 400, "lastName"},
		{`POST /v1/lines/1/ticket firstName=a%00b`, 400, "firstName"},
		{`POST /v1/lines/1/ticket firstName=%ff`, 400, "firstName"},
		{`POST /v1/lines/1/ticket firstName=a&firstName=b`, 400, "firstName"},
		{`POST /v1/lines/1/ticket email=nonsense`, 400, "email"},
		{`POST /v1/lines/1/ticket phoneNumber=call+me`, 400, "phoneNumber"},
		{`POST /v1/lines/1/ticket source=PHONE`, 400, "source"},
		{`POST /v1/lines/1/ticket extra={}`, 400, "extra"},
		{`POST /v1/lines/1/ticket extra=[`, 400, "extra"},
		{`POST /v1/lines/1/ticket extra=[{"value":"no+title"}]`, 400, "extra"},
		{`POST /v1/lines/1/ticket {"firstName":{}}`, 400, "firstName"},
		{`POST /v1/lines/1/ticket {"firstName"`, 400, "body"},
		{`POST /v1/lines/1/ticket %zz`, 400, "body"},
		{`POST /v1/lines/1/ticket?a=%zz`, 400, "query"},
		{`GET /v1/tickets/99`, 404, "id"},
		{`GET /v1/tickets/0`, 404, "id"},
		{`GET /v1/tickets/-1`, 404, "id"},
		{`GET /v1/tickets/99999999999999999999`, 404, "id"},
		{`GET /v1/tickets/1?responseScope=EVERYTHING`, 400, "responseScope"},
		{`POST /v1/tickets/99/edit firstName=a`, 404, "id"},
		{`POST /v1/tickets/1/edit firstName=` + long(51), 400, "firstName"},
		{`POST /v1/tickets/1/edit line=99`, 404, "line"},
		{`POST /v1/tickets/1/edit line=x`, 400, "line"},
		{`POST /v1/tickets/1/edit line=4`, 404, "line"},
		{`POST /v1/tickets/1/edit line=2`, 409, "line"},
		{`POST /v1/tickets/2/edit line=1&extra=7`, 400, "extra"},
		{`POST /v1/tickets/1/edit firstName=a&user=99`, 404, "user"},
		{`POST /v1/tickets/99/call`, 404, "id"},
		{`POST /v1/tickets/1/call user=99`, 404, "user"},
		{`POST /v1/tickets/1/call user=4`, 404, "user"},
		{`POST /v1/tickets/1/call user=two`, 400, "user"},
		{`POST /v1/tickets/1/call desk=99`, 404, "desk"},
		{`POST /v1/tickets/1/call desk=3`, 404, "desk"},
		{`POST /v1/tickets/1/call desk=1.5`, 400, "desk"},
		{`POST /v1/tickets/1/call keepActiveTicketsOpen=maybe`, 400, "keepActiveTicketsOpen"},
		{`POST /v1/tickets/call`, 400, "lines"},
		{`POST /v1/tickets/call lines=a`, 400, "lines"},
		{`POST /v1/tickets/call lines=99`, 404, "lines"},
		{`POST /v1/tickets/call lines=1,4`, 400, "lines"},
		{`POST /v1/tickets/call lines=1&user=99`, 404, "user"},
		{`POST /v1/tickets/1/cancel`, 400, "user"},
		{`POST /v1/tickets/1/cancel user=99`, 404, "user"},
		{`POST /v1/tickets/99/cancel`, 404, "id"},
		{`POST /v1/tickets/2/returntoqueue position=FIRST`, 400, "user"},
		{`POST /v1/tickets/2/returntoqueue user=2`, 400, "position"},
		{`POST /v1/tickets/2/returntoqueue user=2&position=SECOND`, 400, "position"},
		{`POST /v1/tickets/2/returntoqueue user=99&position=LAST`, 404, "user"},
		{`POST /v1/tickets/2/forward`, 400, "line"},
		{`POST /v1/tickets/2/forward line=99`, 404, "line"},
		{`POST /v1/tickets/2/forward line=4`, 404, "line"},
		{`POST /v1/tickets/2/forward line=2`, 409, "line"},
		{`POST /v1/tickets/2/forward line=3`, 409, "line"},
		{`POST /v1/tickets/2/forward line=1&user=99`, 404, "user"},
		{`POST /v1/tickets/1/labels/add`, 400, "value"},
		{`POST /v1/tickets/1/labels/add value=+`, 400, "value"},
		{`POST /v1/tickets/1/labels/add value=` + long(51), 400, "value"},
		{`POST /v1/tickets/1/labels/add value=a&user=99`, 404, "user"},
		{`POST /v1/tickets/99/labels/add value=a`, 404, "id"},
		{`POST /v1/tickets/1/labels/remove`, 400, "value"},
		{`PUT /v1/tickets/1/labels {}`, 400, "labels"},
		{`PUT /v1/tickets/1/labels {"labels":"a"}`, 400, "labels"},
		{`PUT /v1/tickets/1/labels {"labels":[1]}`, 400, "labels"},
		{`PUT /v1/tickets/1/labels {"labels":[""]}`, 400, "labels"},
		{`POST /v1/tickets/1/assign assigner=2`, 400, "assignee"},
		{`POST /v1/tickets/1/assign assignee=2`, 400, "assigner"},
		{`POST /v1/tickets/1/assign assigner=2&assignee=99`, 404, "assignee"},
		{`POST /v1/tickets/1/assign assigner=99&assignee=2`, 404, "assigner"},
		{`POST /v1/tickets/1/unassign user=99`, 404, "user"},
		{`POST /v1/tickets/1/reorder after=99`, 400, "after"},
		{`POST /v1/tickets/1/reorder after=1`, 400, "after"},
		{`POST /v1/tickets/1/reorder after=2`, 400, "after"},
		{`POST /v1/tickets/1/reorder after=7`, 400, "after"},
		{`POST /v1/tickets/1/reorder after=x`, 400, "after"},
		{`POST /v1/tickets/8/messages`, 400, "message"},
		{`POST /v1/tickets/8/messages message=` + long(1601), 400, "message"},
		{`POST /v1/tickets/8/messages message=a&user=99`, 404, "user"},
		{`POST /v1/tickets/1/messages message=a`, 400, "phoneNumber"},
		{`POST /v1/tickets/1/external`, 400, "provider"},
		{`POST /v1/tickets/1/external provider=a`, 400, "title"},
		{`POST /v1/tickets/1/external provider=` + long(101), 400, "provider"},
		{`POST /v1/tickets/1/external provider=a&title=` + long(101), 400, "title"},
		{`POST /v1/tickets/1/external provider=a&title=b`, 400, "data"},
		{`POST /v1/tickets/1/external provider=a&title=b&data={`, 400, "data"},
		{`POST /v1/tickets/1/external provider=a&title=b&data=[]`, 400, "data"},
		{`POST /v1/tickets/1/external provider=a&title=b&data={"fields":[{"type":"x"}]}`, 400, "data"},
		{`POST /v1/tickets/1/external provider=a&title=b&data={"fields":[{"type":"text","title":"` + long(33000) + `"}]}`, 400, "data"},
		{`GET /v1/tickets/2/estimated-time`, 409, ""},
	}
}

func jsonWrongs() []wrong {
	long := strings.Repeat("x", 101)
	with := func(members string) string { return `v2 POST /tickets {"lineId":1,"firstName":"Ida",` + members + `}` }
	return []wrong{
		{`v2 POST /tickets`, 400, "lineId"},
		{`v2 POST /tickets []`, 400, "lineId"},
		{`v2 POST /tickets "x"`, 400, "body"},
		{`v2 POST /tickets lineId=1&firstName=Ida`, 400, "body"},
		{`v2 POST /tickets {"lineId":true,"firstName":"Ida"}`, 400, "lineId"},
		{`v2 POST /tickets {"lineId":"","firstName":"Ida"}`, 400, "lineId"},
		{`v2 POST /tickets {"lineId":99,"firstName":"Ida"}`, 404, "lineId"},
		{`v2 POST /tickets {"lineId":2,"firstName":"Ida"}`, 409, "lineId"},
		{`v2 POST /tickets {"lineId":3,"firstName":"Ida"}`, 409, "lineId"},
		{`v2 POST /tickets {"lineId":1}`, 400, "firstName"},
		{`v2 POST /tickets {"lineId":1,"firstName":null}`, 400, "firstName"},
		{`v2 POST /tickets {"lineId":1,"firstName":"I"}`, 400, "firstName"},
		{`v2 POST /tickets {"lineId":1,"firstName":["Ida"]}`, 400, "firstName"},
		{`v2 POST /tickets {"lineId":1,"firstName":"` + long + `"}`, 400, "firstName"},
		{with(`"lastName":"` + long + `"`), 400, "lastName"},
		{with(`"phoneNumber":"1234"`), 400, "phoneNumber"},
		{with(`"phoneNumber":"123-456"`), 400, "phoneNumber"},
		{with(`"phoneNumber":1.5e9`), 400, "phoneNumber"},
		{with(`"phoneNumber":true`), 400, "phoneNumber"},
		{with(`"email":"a b@c.de"`), 400, "email"},
		{with(`"email":"` + long + `@b.c"`), 400, "email"},
		{with(`"languageCode":"english"`), 400, "languageCode"},
		{with(`"languageCode":"xx"`), 404, "languageCode"},
		{with(`"source":"PRINTER"`), 400, "source"},
		{with(`"labels":[{}]`), 400, "labels"},
		{with(`"labels":[{"value":" "}]`), 400, "labels"},
		{with(`"labels":{"value":"a"}`), 400, "labels"},
		{with(`"fields":[{"inputFieldId":"` + fieldID(7) + `","value":"a"}]`), 404, "fields"},
		{with(`"fields":[{"inputFieldId":"` + fieldID(9) + `","value":"a"}]`), 404, "fields"},
		{with(`"fields":[{"inputFieldId":"` + fieldID(1) + `"}]`), 400, "fields"},
		{with(`"fields":[{"inputFieldId":"` + fieldID(1) + `","value":"` + strings.Repeat("x", 501) + `"}]`), 400, "fields"},
		{with(`"fields":[{"inputFieldId":"` + fieldID(2) + `","value":"a"}]`), 400, "optionIds"},
		{with(`"fields":[{"inputFieldId":"` + fieldID(1) + `","value":"a"},{"inputFieldId":"` + fieldID(1) + `","value":"b"}]`), 400, "fields"},
		{`v2 PATCH /tickets/99 {"firstName":"Ida"}`, 404, "id"},
		{`v2 PATCH /tickets/1 {"firstName":null}`, 400, "firstName"},
		{`v2 PATCH /tickets/1 {"firstName":"I"}`, 400, "firstName"},
		{`v2 PATCH /tickets/1 {"line":null}`, 400, "line"},
		{`v2 PATCH /tickets/1 {"line":99}`, 404, "line"},
		{`v2 PATCH /tickets/1 {"line":2}`, 409, "line"},
		{`v2 PATCH /tickets/1 {"languageCode":null}`, 400, "languageCode"},
		{`v2 POST /v1/tickets/1/fields/` + fieldID(1) + ` {}`, 400, "value"},
		{`v2 POST /v1/tickets/1/fields/` + fieldID(2) + ` {"optionIds":[]}`, 400, "optionIds"},
		{`v2 POST /v1/tickets/1/fields/` + fieldID(2) + ` {"optionIds":["` + fieldID(1) + `"]}`, 400, "optionIds"},
		{`v2 POST /v1/tickets/1/fields/` + fieldID(2) + ` {"optionIds":["` + option1 + `","` + option2 + `"]}`, 400, "optionIds"},
		{`v2 POST /v1/tickets/1/fields/` + fieldID(7) + ` {"value":"a"}`, 404, "fieldUuid"},
		{`v2 POST /v1/tickets/1/fields/` + fieldID(9) + ` {"value":"a"}`, 409, "fieldUuid"},
		{`v2 POST /v1/tickets/99/fields/` + fieldID(1) + ` {"value":"a"}`, 404, "id"},
		{`v2 DELETE /v1/tickets/1/fields/` + fieldID(1), 400, "fieldUuid"},
		{`POST /v1/tickets/1/fields/` + fieldID(1), 400, versionHeader},
	}
}

func appointmentWrongs() []wrong {
	with := func(members string) string {
		return `v2 POST /v1/appointments {"lineId":1,"firstName":"Ida",` + members + `}`
	}
	start, end := `"startTime":"2026-03-04T10:00:00Z"`, `"endTime":"2026-03-04T11:00:00Z"`
	return []wrong{
		{`POST /v1/appointments`, 400, versionHeader},
		{with(start + `,` + end), 400, "assigneeId"},
		{with(end + `,"assigneeId":2`), 400, "startTime"},
		{with(start + `,"assigneeId":2`), 400, "endTime"},
		{with(start + `,` + end + `,"assigneeId":99`), 404, "assigneeId"},
		{with(start + `,"endTime":"2026-03-04T10:00:00Z","assigneeId":2`), 400, "endTime"},
		{with(start + `,"endTime":"2026-03-06T10:00:00Z","assigneeId":2`), 400, "endTime"},
		{with(`"startTime":"tomorrow",` + end + `,"assigneeId":2`), 400, "startTime"},
		{`v2 POST /v1/appointments {"lineId":2,"firstName":"Ida",` + start + `,` + end + `,"assigneeId":2}`, 409, "lineId"},
		{`v2 POST /v1/appointments/anything {}`, 405, ""},
		{`v2 PATCH /v1/appointments/6 {"startTime":"2026-03-03T12:00:00Z"}`, 400, "endTime"},
		{`v2 PATCH /v1/appointments/6 {"assigneeId":99}`, 404, "assigneeId"},
		{`v2 PATCH /v1/appointments/1 {"assigneeId":2}`, 400, "id"},
		{`v2 PATCH /v1/appointments/99 {"assigneeId":2}`, 404, "id"},
		{`v2 POST /v1/appointments/1/checkin`, 400, "id"},
		{`v2 POST /v1/appointments/3/cancel`, 400, "id"},
		{`v2 POST /v1/appointments/99/marknoshow`, 404, "id"},
	}
}

func TestBadInputNamesTheFieldAndChangesNothing(t *testing.T) {
	r := stage(t)
	before := r.offsets()
	tables := [][]wrong{ticketWrongs(), jsonWrongs(), appointmentWrongs(), houseWrongs(), searchWrongs()}
	for _, table := range tables {
		for _, w := range table {
			q := parseLine(w.line)
			got := r.send(q)
			name := w.line[:min(len(w.line), 120)]
			if got.code != w.code {
				t.Errorf("%s: %d, want %d: %.200s", name, got.code, w.code, got.body)
				continue
			}
			param, _ := got.json["param"].(string)
			if param != w.param {
				t.Errorf("%s: param %q, want %q: %.200s", name, param, w.param, got.body)
			}
			message, _ := got.json["message"].(string)
			if w.code == 400 && !strings.Contains(squeezed(message), squeezed(w.param)) {
				t.Errorf("%s: the message does not name %s: %s", name, w.param, message)
			}
			if q.v2 && got.json["code"] == nil && w.code != 405 {
				t.Errorf("%s: no code in %s", name, got.body)
			}
			if now := r.offsets(); now != before {
				t.Fatalf("%s: something changed: %s, before %s", name, now, before)
			}
		}
	}
}

// Every status with every command that needs another one.
func TestWrongStatusIsAConflict(t *testing.T) {
	r := stage(t)
	before := r.offsets()
	for _, c := range []struct {
		op      string
		body    string
		allowed string // statuses by ticket id
	}{
		{"call", "", "1"}, {"recall", "", "2"}, {"markserved", "", "2"}, {"marknoshow", "", "2"}, {"cancel", "user=2", "1"},
		{"returntoqueue", "user=2&position=LAST", "2"}, {"forward", "line=1", "2"}, {"reorder", "", "1"}, {"unassign", "", "1"},
		{"assign", "assigner=2&assignee=3", "12"}, {"edit", "line=1&firstName=a", "123456"},
	} {
		for id := 1; id <= 6; id++ {
			if strings.Contains(c.allowed, fmt.Sprint(id)) {
				continue
			}
			path := fmt.Sprintf("/v1/tickets/%d/%s", id, c.op)
			got := r.want(409, req{method: "POST", path: path, body: c.body})
			if got.json["message"] == "" {
				t.Errorf("%s: no message", path)
			}
		}
	}
	if now := r.offsets(); now != before {
		t.Errorf("something changed: %s, before %s", now, before)
	}
}

func TestAnAnswerDoesNotRepeatLongInput(t *testing.T) {
	r := newRig(t)
	got := r.want(404, req{method: "GET", path: "/v1/tickets/" + strings.Repeat("9", 3000)})
	if len(got.body) > 200 {
		t.Errorf("%d bytes: %.100s", len(got.body), got.body)
	}
	got = r.want(404, req{method: "GET", path: "/v1/users/" + url.PathEscape(strings.Repeat("é", 500))})
	if len(got.body) > 200 {
		t.Errorf("%d bytes: %.100s", len(got.body), got.body)
	}
}
