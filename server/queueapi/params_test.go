package queueapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// sound is one request per documented operation that is carried out on the stage.
func sound() []string {
	text, pick := fieldID(1), fieldID(2)
	flags := allFlags + `,"visibleForLines":[]`
	who := `"firstName":"Ida","lastName":"Berg","phoneNumber":"5551234","email":"a@b.ee","languageCode":"en"`
	slot := `"startTime":"2026-03-04T10:00:00Z","endTime":"2026-03-04T10:30:00Z"`
	week := `{"mon":{},"tue":{},"wed":{},"thu":{},"fri":{},"sat":{},"sun":{"closed":true}}`
	return []string{
		`POST /v1/lines/1/ticket {"firstName":"Ida","lastName":"Berg","phoneNumber":"5551234","email":"a@b.ee","source":"NAME","extra":[]}`,
		`GET /v1/tickets/search?location=1&line=1&status=NEW&caller=2&minCreated=1&maxCreated=2&minCalled=1&maxCalled=2&limit=5&order=id&responseScope=MESSAGES`,
		`GET /v1/tickets/count?location=1&line=1&status=NEW&caller=2&minCreated=1&maxCreated=2&minCalled=1&maxCalled=2`,
		`POST /v1/tickets/count?location=1&line=1&status=NEW&caller=2&minCreated=1&maxCreated=2&minCalled=1&maxCalled=2`,
		`POST /v1/tickets/call {"lines":"1","user":2,"desk":1,"keepActiveTicketsOpen":true}`,
		`GET /v1/tickets/1?responseScope=MESSAGES`,
		`POST /v1/tickets/1/edit {"firstName":"Eve","lastName":"B","phoneNumber":"5551234","email":"a@b.ee","line":1,"extra":[],"user":2}`,
		`POST /v1/tickets/1/call {"user":2,"desk":1,"keepActiveTicketsOpen":false}`,
		`POST /v1/tickets/2/recall`, `POST /v1/tickets/2/markserved`, `POST /v1/tickets/2/marknoshow`,
		`POST /v1/tickets/1/cancel {"user":2}`,
		`POST /v1/tickets/2/returntoqueue?user=2&position=LAST`,
		`POST /v1/tickets/2/forward {"line":1,"user":2}`,
		`POST /v1/tickets/1/labels/add {"value":"a","user":2}`, `POST /v1/tickets/1/labels/remove {"value":"a","user":2}`,
		`PUT /v1/tickets/1/labels {"labels":["a"]}`,
		`POST /v1/tickets/1/assign {"assigner":2,"assignee":3}`, `POST /v1/tickets/1/unassign {"user":2}`,
		`POST /v1/tickets/1/reorder {"after":8}`,
		`GET /v1/tickets/1/estimated-time`, `GET /v1/tickets/8/messages`, `POST /v1/tickets/8/messages {"message":"a","user":2}`,
		`POST /v1/tickets/1/external {"provider":"a","title":"b","data":"{\"fields\":[]}"}`,
		`PUT /v1/tickets/1/external {"provider":"a","title":"b","data":"{\"fields\":[]}"}`,
		`v2 POST /v1/tickets/1/fields/` + text + ` {"value":"a"}`, `v2 DELETE /v1/tickets/1/fields/` + pick,
		`v2 POST /tickets {"lineId":1,` + who + `,"source":"NAME","fields":[{"inputFieldId":"` + text + `","value":"a"}],"labels":[{"value":"a"}]}`,
		`v2 PATCH /tickets/1 {` + who + `,"line":1}`,
		`GET /v1/locations`, `GET /v1/locations/1`, `GET /v1/locations/1/desks`, `GET /v1/locations/1/users`,
		`GET /v1/locations/1/input-fields`, `GET /v1/locations/1/lines`,
		`POST /v1/locations/1/lines {"name":"New","color":"TEAL"}`, `v2 POST /v1/locations/1/lines {"name":"New","color":"TEAL"}`,
		`v2 POST /locations {"name":"A","latitude":59,"longitude":24,"address":"B","country":"EE","languages":["en"],"lines":[{"name":"A","color":"TEAL"}],"inputFields":[{"id":"` +
			fieldID(3) + `","type":"FIRST_NAME",` + allFlags + `},{"id":"` + fieldID(4) + `","type":"LAST_NAME",` + allFlags + `}],"openingHours":{"regular":` + week + `}}`,
		`v2 PATCH /locations/1 {"name":"A","latitude":59.4,"longitude":24.7}`,
		`v2 PUT /locations/1/opening-hours ` + week,
		`v2 PUT /locations/1/opening-hours/exceptions [{"date":"2026-12-24","closed":true}]`,
		`v2 POST /locations/1/lines {"name":"New","color":"TEAL","disabled":true,"translations":[],"appointmentSettings":{"enabled":true,"duration":30}}`,
		`GET /v1/lines/1`, `POST /v1/lines/1 {"name":"New","color":"TEAL"}`, `DELETE /v1/lines/2`,
		`POST /v1/lines/2/enable`, `POST /v1/lines/3/disable`, `POST /v1/lines/1/archive`, `POST /v1/lines/3/unarchive`,
		`POST /v1/users {"email":"n@b.ee","firstName":"A","lastName":"B","roles":[{"type":"ADMIN"}]}`,
		`GET /v1/users/2`, `DELETE /v1/users/3`, `POST /v1/users/2/roles {"type":"MANAGER","location":1}`,
		`GET /v1/users/2/desk`, `POST /v1/users/2/desk {"desk":1}`, `DELETE /v1/users/2/desk`,
		`GET /v1/users/2/lines`, `POST /v1/users/2/lines [1]`,
		`GET /v1/tv/1`, `POST /v1/tv/1 {"name":"Hall"}`, `DELETE /v1/tv/1`, `POST /v1/tv/1/heartbeat {}`, `GET /v1/tv/1/emptystate?language=en`,
		`GET /code`, `GET /v1/code`, `GET /code/4711?secret=s3cret`, `GET /v1/code/4712?secret=s3cret`,
		`POST /v1/webhooks {"url":"https://hooks.example.com"}`, `DELETE /v1/webhooks/44444444-4444-4444-8444-444444444444`,
		`v2 POST /input-fields {"id":"` + fieldID(5) + `","location":{"id":1},"type":"SELECT","title":"T","visitorFacingTitle":"V","translations":[],"multiSelect":true,"options":[{"id":"` + option1 + `","title":"a"}],` + flags + `}`,
		`v2 PATCH /input-fields/` + text + ` {"title":"T","visitorFacingTitle":"V","translations":[],` + flags + `}`,
		`v2 POST /v1/appointments {"lineId":1,` + who + `,` + slot + `,"assigneeId":2,"labels":[],"fields":[]}`,
		`v2 POST /v1/appointments/auto-assign {"lineId":1,` + who + `,` + slot + `,"labels":[],"fields":[]}`,
		`v2 PATCH /v1/appointments/6 {` + slot + `,"assigneeId":3}`,
		`v2 POST /v1/appointments/6/cancel`, `v2 POST /v1/appointments/6/checkin`, `v2 POST /v1/appointments/6/marknoshow`,
	}
}

// Every documented operation is carried out once, with every documented status of
// success.
func TestEveryDocumentedOperationWorks(t *testing.T) {
	c := contractOf(t)
	done := map[string]bool{}
	for _, line := range sound() {
		r := stage(t)
		q := parseLine(line)
		got := r.send(q)
		path, _, _ := strings.Cut(q.path, "?")
		at, op := c.operation(q.method, path)
		if op == nil || got.code >= 300 {
			t.Errorf("%s: %d %s", line, got.code, got.body)
			continue
		}
		done[fmt.Sprint(q.method, " ", at, " ", got.code)] = true
	}
	for path, item := range member(c.doc, "paths") {
		for method, op := range item.(object) {
			for status := range member(op.(object), "responses") {
				name := strings.ToUpper(method) + " " + path + " " + status
				if status < "300" && !done[name] {
					t.Errorf("%s: never seen", name)
				}
			}
		}
	}
}

// spoiled is a request with one thing wrong, and the parameter that is.
type spoiled struct {
	req   req
	param string
	what  string
}

// spoil makes every wrong request of an operation that its part of the document
// tells of, out of a sound one.
func (c *contract) spoil(q req) []spoiled {
	d := describer{c.doc, member(c.doc, "components")}
	path, query, _ := strings.Cut(q.path, "?")
	at, op := c.operation(q.method, path)
	var out []spoiled
	for _, p := range items(op, "parameters") {
		p := d.resolve(p.(object))
		name, schema := str(p, "name"), d.plain(member(p, "schema"))
		for what, v := range wrongTexts(schema, p["required"] == true) {
			x := spoiled{q, name, what}
			x.req.header = maps.Clone(q.header)
			switch str(p, "in") {
			case "path":
				if v == "" {
					continue
				}
				x.req.path = replaced(path, at, name, url.PathEscape(v))
			case "query":
				values, _ := url.ParseQuery(query)
				if values.Set(name, v); v == "" {
					values.Del(name)
				}
				x.req.path = path + "?" + values.Encode()
			default:
				x.req.header = map[string]string{name: v}
			}
			out = append(out, x)
		}
	}
	return append(out, c.spoilBody(q, op)...)
}

// replaced is a path with another value for one of its parameters.
func replaced(path, pattern, name, value string) string {
	parts := strings.Split(path, "/")
	parts[slices.Index(strings.Split(pattern, "/"), "{"+name+"}")] = value
	return strings.Join(parts, "/")
}

func (c *contract) spoilBody(q req, op object) []spoiled {
	d := describer{c.doc, member(c.doc, "components")}
	schema := d.plain(member(member(member(member(op, "requestBody"), "content"), "application/json"), "schema"))
	if either := items(schema, "anyOf"); len(either) > 0 {
		schema = d.plain(either[map[bool]int{true: 0, false: 1}[q.v2]].(object))
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(q.body), &members) != nil {
		return nil
	}
	var out []spoiled
	for name, p := range member(schema, "properties") {
		required := slices.Contains(items(schema, "required"), any(name))
		for what, v := range wrongValues(d, p.(object), required, q.v2) {
			changed := maps.Clone(members)
			if changed[name] = json.RawMessage(v); v == "" {
				delete(changed, name)
			}
			text, _ := json.Marshal(changed)
			x := spoiled{q, name, what}
			x.req.body = string(text)
			out = append(out, x)
		}
	}
	return out
}

// plain follows references to where something is said.
func (d describer) plain(s object) object {
	s = d.resolve(s)
	if all := items(s, "allOf"); len(all) == 1 && s["properties"] == nil {
		return d.plain(all[0].(object))
	}
	return s
}

// wrongTexts are values that a parameter's schema forbids; "" leaves it out.
func wrongTexts(s object, required bool) map[string]string {
	out := map[string]string{}
	if required {
		out["missing"] = ""
	}
	if s["type"] == "array" || s["enum"] != nil || s["const"] != nil || s["pattern"] != nil || s["type"] == "integer" || s["format"] == "uuid" {
		out["nonsense"], out["control"] = "no-such-thing", "a\x00b"
	}
	if kinds := items(s, "type"); s["type"] == "integer" || len(kinds) > 0 && kinds[0] == "integer" {
		out["zero"], out["negative"], out["huge"] = "0", "-1", strings.Repeat("9", 30)
		out["unknown"] = "987654"
	}
	if n, ok := s["maxLength"].(float64); ok {
		out["too long"] = strings.Repeat("x", int(n)+1)
	}
	return out
}

// wrongValues are JSON values that a member's schema forbids; "" leaves it out.
func wrongValues(d describer, s object, required, v2 bool) map[string]string {
	s = d.plain(s)
	out := map[string]string{}
	for what, v := range wrongTexts(s, required) {
		out[what] = v
		if v != "" {
			text, _ := json.Marshal(v)
			out[what] = string(text)
		}
	}
	if options := items(s, "anyOf"); len(options) > 0 {
		if last := d.plain(options[len(options)-1].(object)); last["type"] == "null" {
			return wrongValues(d, options[0].(object), required, v2)
		}
	}
	switch s["type"] {
	case "string":
		out["an object"], out["a list"] = `{"a":1}`, `["a"]`
	case "boolean":
		out["a text"], out["a number"] = `"maybe"`, `7`
	case "array":
		out["a text"], out["an object"], out["of lists"] = `"text"`, `{"a":1}`, `[[["a"]]]`
	case "object":
		out["a text"], out["a list"] = `"text"`, `[1]`
	case "number":
		out["a text"], out["an object"] = `"north"`, `{"a":1}`
		out["too large"] = `9999`
	}
	return out
}

// Every parameter that the document has, wrong in every way that it tells of: the
// envelope, the parameter named, and nothing changed.
func TestEveryWrongParameterIsRefusedByName(t *testing.T) {
	c := contractOf(t)
	r := stage(t)
	tried := 0
	for _, line := range sound() {
		for _, x := range c.spoil(parseLine(line)) {
			name := fmt.Sprintf("%s %.60s: %s %s", x.req.method, x.req.path, x.param, x.what)
			if tolerated(x) {
				continue
			}
			tried++
			before := r.offsets()
			got := r.send(x.req)
			param, _ := got.json["param"].(string)
			if got.code < 400 || got.code >= 500 || param != x.param {
				t.Errorf("%s: %d %.200s (body %.100s)", name, got.code, got.body, x.req.body)
			}
			if got.code != http.StatusUnauthorized && r.offsets() != before {
				t.Errorf("%s: something changed", name)
				r = stage(t)
			}
		}
	}
	if tried < 600 {
		t.Errorf("only %d wrong requests were made", tried)
	}
}

// tolerated are the wrong values that the API takes on purpose: a filter that
// matches nobody is no mistake, and a count passes over what is for searches.
func tolerated(x spoiled) bool {
	if strings.HasPrefix(x.req.path, "/v1/tickets/count") && slices.Contains([]string{"limit", "order", "responseScope"}, x.param) {
		return true
	}
	return x.param == "caller" && x.what == "unknown"
}
