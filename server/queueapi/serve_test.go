package queueapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops/limit"
)

func TestKeys(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name string
		q    req
		code int
	}{
		{"header", req{path: "/v1/locations"}, 200},
		{"query", req{path: "/v1/locations?rest-api-key=" + adminKey, key: "none"}, 200},
		{"header before query", req{path: "/v1/locations?rest-api-key=wrong"}, 200},
		{"none", req{path: "/v1/locations", key: "none"}, 401},
		{"wrong", req{path: "/v1/locations", key: "wrong"}, 401},
		{"wrong in the query", req{path: "/v1/locations?rest-api-key=wrong", key: "none"}, 401},
		{"a staff session", req{path: "/v1/locations", key: "staff"}, 401},
	} {
		c.q.method = "GET"
		got := r.want(c.code, c.q)
		if c.code == 401 && (got.json["statusCode"] != 401.0 || got.json["message"] != "Please authenticate" || got.json["developerMessage"] == nil) {
			t.Errorf("%s: %s", c.name, got.body)
		}
	}
}

// Every operation but pairing wants a key, and says so before anything else.
func TestEveryOperationWantsAKey(t *testing.T) {
	r := newRig(t, withFakes(&fakes{}))
	for _, table := range allRoutes() {
		for _, op := range table {
			path := strings.NewReplacer(":id", "1", ":field", fieldID(1), ":code", "4711").Replace(op.path)
			got := r.send(req{method: op.method, path: path, key: "none"})
			if (got.code == 401) == op.open {
				t.Errorf("%s %s without a key: %d", op.method, path, got.code)
			}
			if got := r.send(req{method: op.method, path: path + "/", key: "none"}); (got.code == 401) == op.open {
				t.Errorf("%s %s/ without a key: %d", op.method, path, got.code)
			}
		}
	}
}

// A key sees and changes what is in its locations; the rest is not there for it.
func TestKeysAreKeptToTheirLocations(t *testing.T) {
	r := stage(t)
	before := r.offsets()
	for _, c := range []struct {
		key, line string
		code      int
	}{
		{secondKey, `GET /v1/tickets/1`, 404},
		{secondKey, `POST /v1/tickets/1/call`, 404},
		{secondKey, `POST /v1/tickets/1/labels/add value=a`, 404},
		{secondKey, `POST /v1/lines/1/ticket`, 404},
		{secondKey, `v2 POST /tickets {"lineId":1,"firstName":"Ida"}`, 404},
		{secondKey, `POST /v1/tickets/call lines=1`, 404},
		{secondKey, `GET /v1/tickets/search?location=1`, 404},
		{secondKey, `GET /v1/tickets/search?line=1`, 404},
		{secondKey, `GET /v1/locations/1`, 404},
		{secondKey, `GET /v1/lines/1`, 404},
		{secondKey, `POST /v1/lines/1/enable`, 404},
		{secondKey, `GET /v1/users/2`, 404},
		{secondKey, `GET /v1/tv/1`, 404},
		{secondKey, `v2 POST /v1/tickets/7/fields/` + fieldID(1) + ` {"value":"a"}`, 404},
		{secondKey, `v2 PATCH /input-fields/` + fieldID(1) + ` {"title":"a"}`, 404},
		{secondKey, `v2 POST /locations {"name":"A","latitude":59,"longitude":24,"address":"B","country":"EE"}`, 403},
		{secondKey, `POST /v1/users email=a@b.ee&firstName=A&lastName=B&roles=[{"type":"ADMIN"}]`, 403},
		{secondKey, `DELETE /v1/users/4`, 403},
		{clerkKey, `POST /v1/lines/1 name=Mine`, 403},
		{clerkKey, `POST /v1/locations/1/lines name=Mine`, 403},
		{clerkKey, `v2 PATCH /locations/1 {"name":"Mine"}`, 403},
		{clerkKey, `v2 PUT /locations/1/opening-hours/exceptions []`, 403},
		{clerkKey, `POST /v1/tv/1 name=Mine`, 403},
		{clerkKey, `DELETE /v1/tv/1`, 403},
		{clerkKey, `POST /v1/users/3/desk desk=1`, 403},
		{clerkKey, `POST /v1/users/3/lines [1]`, 403},
		{clerkKey, `POST /v1/users/2/roles type=ADMIN`, 403},
		{deviceKey, `POST /v1/webhooks url=https://hooks.example.com`, 403},
		{clerkKey, `POST /v1/webhooks url=https://hooks.example.com`, 403},
		{clerkKey, `DELETE /v1/webhooks/44444444-4444-4444-8444-444444444444`, 403},
		{deviceKey, `GET /v1/lines/4`, 404},
	} {
		q := parseLine(c.line)
		q.key = c.key
		if got := r.send(q); got.code != c.code {
			t.Errorf("%s: %s: %d, want %d: %s", c.key, c.line, got.code, c.code, got.body)
		}
	}
	if now := r.offsets(); now != before {
		t.Errorf("something changed: %s, before %s", now, before)
	}
	if got := r.send(req{method: "GET", path: "/v1/tickets/search", key: secondKey}); len(got.json["data"].([]any)) != 1 {
		t.Errorf("%s", got.body)
	}
	if got := r.send(req{method: "GET", path: "/v1/locations", key: secondKey}); len(got.json["data"].([]any)) != 1 {
		t.Errorf("%s", got.body)
	}
	if got := r.send(req{method: "POST", path: "/v1/users/2/desk", body: "desk=1", key: clerkKey}); got.code != 200 {
		t.Errorf("a clerk's key chooses for the clerk: %s", got.body)
	}
}

// noAccess refuses everything and notes what was asked.
type noAccess struct{ asked map[string]bool }

func (n noAccess) Command(_ auth.Identity, name string, _ int, _ int64) error {
	n.asked[name] = true
	return wire.Errorf(wire.Forbidden, "no")
}

func (n noAccess) Admin(auth.Identity, int) error {
	n.asked["admin"] = true
	return wire.Errorf(wire.Forbidden, "no")
}

func TestEveryChangePassesTheAccessTable(t *testing.T) {
	r := stage(t)
	before, all := r.offsets(), map[string]bool{}
	for _, line := range []string{
		`POST /v1/lines/1/ticket firstName=Ida`, `v2 POST /tickets {"lineId":1,"firstName":"Ida"}`, `POST /v1/tickets/1/edit firstName=a`,
		`v2 PATCH /tickets/1 {"lastName":"a"}`, `POST /v1/tickets/1/call`, `POST /v1/tickets/call lines=1`, `POST /v1/tickets/2/recall`,
		`POST /v1/tickets/2/markserved`, `POST /v1/tickets/2/marknoshow`, `POST /v1/tickets/1/cancel user=2`,
		`POST /v1/tickets/2/returntoqueue user=2&position=LAST`, `POST /v1/tickets/2/forward line=1`, `POST /v1/tickets/1/labels/add value=a`,
		`POST /v1/tickets/1/labels/remove value=a`, `PUT /v1/tickets/1/labels {"labels":[]}`, `POST /v1/tickets/1/assign assigner=2&assignee=3`,
		`POST /v1/tickets/1/unassign`, `POST /v1/tickets/8/reorder`, `POST /v1/tickets/8/messages message=a`,
		`POST /v1/tickets/1/external provider=a&title=b&data={"fields":[]}`, `v2 POST /v1/tickets/1/fields/` + fieldID(1) + ` {"value":"a"}`,
		`v2 DELETE /v1/tickets/1/fields/` + fieldID(2), `v2 PATCH /v1/appointments/6 {"assigneeId":3}`, `v2 POST /v1/appointments/6/checkin`,
		`v2 POST /v1/appointments {"lineId":1,"firstName":"Ida","startTime":"2026-03-03T10:00:00Z","endTime":"2026-03-03T10:30:00Z","assigneeId":2}`,
		`POST /v1/lines/1 name=a`, `DELETE /v1/lines/3`, `POST /v1/locations/1/lines name=a`, `v2 PATCH /locations/1 {"name":"a"}`,
		`v2 PUT /locations/1/opening-hours/exceptions []`, `v2 PATCH /input-fields/` + fieldID(1) + ` {"title":"a"}`,
		`v2 POST /locations {"name":"A","latitude":59,"longitude":24,"address":"B","country":"EE"}`,
		`POST /v1/users email=a@b.ee&firstName=A&lastName=B&roles=[{"type":"ADMIN"}]`, `DELETE /v1/users/2`, `POST /v1/users/2/roles type=ADMIN`,
		`POST /v1/tv/1 name=a`, `DELETE /v1/tv/1`, `POST /v1/webhooks url=https://a.b.c`, `DELETE /v1/webhooks/1`,
	} {
		asked := noAccess{map[string]bool{}}
		r.api.Access = asked
		if got := r.send(parseLine(line)); got.code != 403 || len(asked.asked) != 1 {
			t.Errorf("%s: %d, asked for %v: %s", line, got.code, asked.asked, got.body)
		}
		maps.Copy(all, asked.asked)
	}
	if now := r.offsets(); now != before {
		t.Errorf("something changed: %s, before %s", now, before)
	}
	if len(all) < 17 {
		t.Errorf("only %d rights were asked for: %v", len(all), all)
	}
}

func TestRateLimit(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Rate = limit.Rate{} }) // the default
	get := func(key string) reply { return r.send(req{method: "GET", path: "/v1/locations", key: key}) }
	for i := range 40 {
		got := get(adminKey)
		if left := got.header.Get(leftHeader); got.code != 200 || left != fmt.Sprint(39-i) && i < 5 {
			t.Fatalf("request %d: %d, %s left", i, got.code, left)
		}
	}
	var got reply
	for range 5 { // the clock moves a little at every look
		got = get(adminKey)
	}
	if got.code != 429 || got.json["statusCode"] != 429.0 || got.header.Get("Retry-After") != "1" || got.header.Get(leftHeader) != "0" {
		t.Fatalf("%d %v %s", got.code, got.header, got.body)
	}
	if got := get(clerkKey); got.code != 200 {
		t.Errorf("another key waits for this one: %d", got.code)
	}
	r.clock.Add(time.Second)
	for i := range 10 {
		if got := get(adminKey); got.code != 200 {
			t.Fatalf("a second later, request %d: %d", i, got.code)
		}
	}
	for range 60 { // pairing has no key, so its address counts
		got = r.send(req{method: "GET", path: "/code", key: "none"})
	}
	if got.code != 429 {
		t.Errorf("pairing is not limited: %d", got.code)
	}
}

func TestRefusedRequestsDoNothing(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Rate = limit.Rate{PerSecond: 0.001, Burst: 1} })
	r.create(1)
	before := r.offsets()
	r.want(429, req{method: "POST", path: "/v1/lines/1/ticket"})
	if now := r.offsets(); now != before {
		t.Errorf("%s, before %s", now, before)
	}
}

func TestPathsNeverRedirect(t *testing.T) {
	r := newRig(t)
	r.want(200, req{method: "GET", path: "/v1/lines/1/"})
	r.want(200, req{method: "POST", path: "/v1/lines/1/ticket/", body: "firstName=a"})
	r.want(404, req{method: "GET", path: "/v1/locations//"})
	for _, path := range []string{"/v1/locations/", "/v1/locations", "/v1/lines/1/", "/v1/users/2/", "/V1/locations", "/v1//locations", "/v1/locations//", "/v1/./locations", "/v1", "/"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"} {
			if got := r.send(req{method: method, path: path}); got.code >= 300 && got.code < 400 {
				t.Errorf("%s %s: %d", method, path, got.code)
			}
		}
	}
}

func TestUnknownPathAndWrongMethod(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/v1/nothing", 404}, {"POST", "/v1/tickets/1/nothing", 404}, {"GET", "/v1/tickets", 404},
		{"DELETE", "/v1/tickets/1", 405}, {"POST", "/v1/tickets/1", 405}, {"POST", "/v1/tickets/search", 405},
		{"PUT", "/v1/tickets/1/call", 405}, {"GET", "/tickets", 405}, {"PATCH", "/v1/locations/1", 405},
	} {
		got := r.want(c.code, req{method: c.method, path: c.path})
		if got.json["statusCode"] != float64(c.code) || got.json["message"] == "" {
			t.Errorf("%s %s: %s", c.method, c.path, got.body)
		}
	}
}

func TestBrowsersAreLetIn(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/v1/tickets/1/call", "/tickets", "/v1/nothing"} {
		got := r.want(200, req{method: "OPTIONS", path: path, key: "none", header: map[string]string{
			"Origin": "https://example.com", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": keyHeader,
		}})
		h := got.header
		if h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PATCH") ||
			!strings.Contains(h.Get("Access-Control-Allow-Headers"), keyHeader) || !strings.Contains(h.Get("Access-Control-Allow-Headers"), onceHeader) {
			t.Errorf("%s: %v", path, h)
		}
	}
	got := r.want(401, req{method: "GET", path: "/v1/locations", key: "none"})
	if got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Access-Control-Expose-Headers") == "" {
		t.Errorf("an error that a page cannot read: %v", got.header)
	}
}

func TestVersionHeader(t *testing.T) {
	r := newRig(t)
	body := `{"lineId":1,"firstName":"Ida"}`
	for _, v := range []string{"", "2019-01-01", "2020-09-01 "} {
		got := r.want(400, req{method: "POST", path: "/tickets", body: body, header: map[string]string{versionHeader: v}})
		if got.json["param"] != versionHeader {
			t.Errorf("%q: %s", v, got.body)
		}
	}
	// The same path makes a line in either form; the header tells which.
	if got := r.form("/v1/locations/1/lines", "name=Form"); got.json["id"] != 5.0 {
		t.Errorf("%s", got.body)
	}
	got := r.want(201, req{method: "POST", path: "/v1/locations/1/lines", body: `{"name":"JSON","color":"TEAL"}`, v2: true})
	if got.json["id"] != "6" {
		t.Errorf("%s", got.body)
	}
}

// broken is a ledger that fails with something that nobody outside should read.
type broken struct{ Ledger }

func (broken) Do(context.Context, ledger.Request) (ledger.Result, error) {
	return ledger.Result{}, errors.New("open /secret/path: key-of-the-account")
}

func TestInternalTextAndKeysStayInside(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(d *Deps) { d.Log = zerolog.New(&log) })
	r.create(1)
	r.api.Ledger = broken{r.Ledger}
	got := r.want(500, req{method: "POST", path: "/v1/tickets/1/recall?rest-api-key=" + adminKey, key: "none"})
	if strings.Contains(string(got.body), "secret") || got.json["message"] == "" || got.json["statusCode"] != 500.0 {
		t.Errorf("%s", got.body)
	}
	if !strings.Contains(log.String(), "/secret/path") || !strings.Contains(log.String(), "/v1/tickets/:id/recall") {
		t.Errorf("the cause is not in the log: %s", &log)
	}
	log.Reset()
	r.send(req{method: "GET", path: "/v1/users/person@example.com?rest-api-key=" + adminKey, key: "none"})
	r.send(req{method: "GET", path: "/v1/tickets/search?rest-api-key=wrong-key", key: "none"})
	if strings.Contains(log.String(), adminKey) || strings.Contains(log.String(), "wrong-key") || strings.Contains(log.String(), "person@") {
		t.Errorf("the log has what it must not: %s", &log)
	}
}

func TestBodyIsBounded(t *testing.T) {
	r := newRig(t)
	for _, body := range []string{"firstName=" + strings.Repeat("x", MaxBody), `{"a":"` + strings.Repeat("x", MaxBody) + `"}`} {
		got := r.want(413, req{method: "POST", path: "/v1/lines/1/ticket", body: body})
		if got.json["statusCode"] != 413.0 {
			t.Errorf("%s", got.body)
		}
	}
}

func TestWhatIsNotOfferedSaysSo(t *testing.T) {
	r := newRig(t)
	for _, line := range []string{"GET /code", "GET /code/1?secret=a", "POST /v1/webhooks url=https://a.b.c", "DELETE /v1/webhooks/1"} {
		got := r.want(404, parseLine(line))
		if !strings.Contains(fmt.Sprint(got.json["message"]), "not offer") {
			t.Errorf("%s: %s", line, got.body)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an API without a ledger was made")
		}
	}()
	New(Deps{})
}

var _ http.Handler = (*API)(nil)
