package queueapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeKeys knows the keys of the tests.
type fakeKeys map[string]auth.Identity

func (k fakeKeys) Token(key string) (auth.Identity, error) {
	id, ok := k[key]
	if !ok {
		return auth.Identity{}, auth.ErrUnknown
	}
	return id, nil
}

var morning = time.Date(2026, 3, 2, 8, 15, 4, 119e6, time.UTC)

// rig is the API on a ledger in memory with two branches: location 1 with lines
// 1 to 3 and desks 1 and 2, location 2 with line 4 and desk 3; users 1 (owner),
// 2 and 3 (clerks of location 1), 4 (clerk of location 2).
type rig struct {
	*ledger.Ledger
	t     testing.TB
	api   *API
	clock *testkit.Clock
	keys  fakeKeys
	deps  Deps
	store *memlog.Log
}

// The keys of the tests.
const (
	adminKey  = "key-of-the-account"
	clerkKey  = "key-of-clerk-two"
	secondKey = "key-of-location-two"
	deviceKey = "key-of-a-screen"
)

func newRig(t testing.TB, change ...func(*Deps)) *rig {
	t.Helper()
	r := &rig{t: t, clock: testkit.NewClock(morning, time.Millisecond)}
	var err error
	r.store = memlog.New(memlog.Options{Clock: r.clock.Now})
	r.Ledger, err = ledger.Open(r.store, testkit.Nobody{}, ledger.Options{Clock: r.clock.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatalf("open ledger: %v", err)
	}
	t.Cleanup(testkit.Run(t, "ledger", r.Run))
	r.keys = fakeKeys{
		adminKey:  {Kind: auth.Integrator, Credential: "key:admin", Everywhere: true, Admin: true},
		clerkKey:  {Kind: auth.Integrator, Credential: "key:clerk", User: 2, Locations: []int{1}},
		secondKey: {Kind: auth.Integrator, Credential: "key:second", Locations: []int{2}, Admin: true},
		deviceKey: {Kind: auth.Integrator, Credential: "display:1", Display: 1, Locations: []int{1}},
		"staff":   {Kind: auth.Staff, Credential: "user:2", User: 2, Locations: []int{1}},
	}
	r.deps = Deps{
		Ledger: r, Keys: r.keys, Access: auth.NewAccess(testkit.Where{Ledger: r.Ledger}, nil, r.clock.Now), Clock: r.clock.Now,
		Log: zerolog.Nop(), Random: strings.NewReader(strings.Repeat("random bytes ", 1000)),
		Rate: limit.Rate{PerSecond: 10, Burst: 1 << 20},
	}
	for _, f := range change {
		f(&r.deps)
	}
	r.api = New(r.deps)
	r.branch()
	return r
}

func (r *rig) branch() {
	r.must(0, ticket.PutLocation{Location: ticket.Location{
		GUID: "11111111-1111-4111-8111-111111111111", Name: "Tallinn", Timezone: "Europe/Tallinn", Address: "Viru 1",
		Country: "EE", Latitude: 59.437, Longitude: 24.7536, Languages: []string{"en", "et"},
	}})
	r.must(0, ticket.PutLocation{Location: ticket.Location{
		GUID: "22222222-2222-4222-8222-222222222222", Name: "New York", Timezone: "America/New_York", Country: "US",
		Latitude: 40.7, Longitude: -74,
	}})
	for i, name := range []string{"Passports", "Licences", "Information"} {
		r.must(1, ticket.PutLine{Line: ticket.Line{Name: name, Color: fmt.Sprintf("#11111%d", i)}})
	}
	r.must(2, ticket.PutLine{Line: ticket.Line{Name: "Elsewhere", Color: "#222222"}})
	for _, d := range []struct {
		location int
		name     string
	}{{1, "Desk 1"}, {1, "Desk 2"}, {2, "Desk 3"}} {
		r.must(d.location, ticket.PutDesk{Desk: ticket.Desk{Name: d.name}})
	}
	for _, u := range testkit.Staff() {
		r.must(0, u)
	}
	r.must(1, ticket.PutDisplay{Display: ticket.Display{Name: "Lobby", Lines: []int{1, 2}, Layout: "board", Theme: "dark"}})
}

func (r *rig) must(location int, c ticket.Command) ledger.Result {
	r.t.Helper()
	return testkit.Must(r.t, r, ticket.Actor{Kind: "system"}, location, c)
}

// reply is what came back.
type reply struct {
	code   int
	header http.Header
	body   []byte
	json   map[string]any
}

// req is a request of a test.
type req struct {
	method, path, body, key string
	header                  map[string]string
	v2                      bool
}

func (r *rig) send(q req) reply {
	r.t.Helper()
	h := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
	if q.key == "" {
		q.key = adminKey
	}
	if q.key != "none" {
		h.Header.Set(keyHeader, q.key)
	}
	if q.v2 {
		h.Header.Set(versionHeader, version)
		h.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.header {
		h.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, h)
	contractOf(r.t).answered(r.t, h, q.body, w)
	out := reply{code: w.Code, header: w.Header()}
	out.body, _ = io.ReadAll(w.Body)
	if len(out.body) > 0 {
		if err := json.Unmarshal(out.body, &out.json); err != nil {
			r.t.Fatalf("%s %s answered what is not a JSON object: %s", q.method, q.path, out.body)
		}
	}
	return out
}

// ok sends and wants a status.
func (r *rig) want(code int, q req) reply {
	r.t.Helper()
	out := r.send(q)
	if out.code != code {
		r.t.Fatalf("%s %s %s: %d, want %d: %s", q.method, q.path, q.body, out.code, code, out.body)
	}
	return out
}

// form posts a form with the account's key and wants 200.
func (r *rig) form(path, body string) reply {
	r.t.Helper()
	out := r.want(200, req{method: "POST", path: path, body: body, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	if out.json["statusCode"] != 200.0 {
		r.t.Fatalf("%s: no statusCode in %s", path, out.body)
	}
	return out
}

// create makes a ticket in a line and gives its id.
func (r *rig) create(line int) string {
	r.t.Helper()
	out := r.form(fmt.Sprintf("/v1/lines/%d/ticket", line), "firstName=Ida")
	return out.json["id"].(string)
}

func (r *rig) get(path string) reply {
	r.t.Helper()
	return r.want(200, req{method: "GET", path: path})
}

var (
	_ Ledger       = (*ledger.Ledger)(nil)
	_ Keys         = (*auth.Authenticator)(nil)
	_ Access       = (*auth.Access)(nil)
	_ auth.Locator = testkit.Where{}
)
