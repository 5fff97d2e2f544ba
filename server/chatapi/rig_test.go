package chatapi

import (
	"bytes"
	"context"
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
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/server/outbox/seal"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tokens gives out tokens of the tests: the e-mail is the token.
type tokens map[string]auth.Identity

func (k tokens) Chat(token string) (auth.Identity, error) {
	id, ok := k[token]
	if !ok {
		return auth.Identity{}, auth.ErrUnknown
	}
	return id, nil
}

func (k tokens) ExchangeChat(_ context.Context, key, secret, email string) (string, time.Time, error) {
	if _, ok := k[email]; !ok || !strings.EqualFold(key, department) || secret != "secret" {
		return "", time.Time{}, auth.ErrUnknown
	}
	return email, morning.Add(3 * time.Hour), nil
}

var morning = time.Date(2026, 3, 2, 8, 15, 4, 119e6, time.UTC)

const (
	department = "11111111-1111-4111-8111-111111111111"
	elsewhere  = "22222222-2222-4222-8222-222222222222"
	ann        = "ann@example.com" // administrator everywhere
	bob        = "bob@example.com" // clerk of the department, may only read
	cat        = "cat@example.com" // clerk of the other department
	dan        = "dan@example.com" // clerk of the department
	host       = "chat.example:8443"
)

// rig is the API on a ledger in memory with two departments.
type rig struct {
	*ledger.Ledger
	t     testing.TB
	api   *API
	clock *testkit.Clock
	store store.Store
	out   *outbox.Outbox
	dir   string
	deps  Deps
}

func newRig(t testing.TB, change ...func(*Deps)) *rig {
	t.Helper()
	clock := testkit.NewClock(morning, time.Millisecond)
	r := &rig{t: t, clock: clock, dir: t.TempDir(), store: memlog.New(memlog.Options{Clock: clock.Now})}
	r.start(clock.Now, change...)
	return r
}

// newDiskRig is the API as it is served: on a store on disk, by the real clock.
func newDiskRig(t testing.TB, change ...func(*Deps)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	st, err := store.Open(store.Options{Dir: t.TempDir(), Clock: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	r.store = st
	r.start(time.Now, change...)
	return r
}

// start opens everything on the rig's store, and makes its departments.
func (r *rig) start(now func() time.Time, change ...func(*Deps)) {
	t := r.t
	t.Helper()
	box, err := seal.New([32]byte{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	teller := NewTeller()
	if r.out, err = outbox.Open(r.store, outbox.Options{Clock: now, Box: box, Chat: teller, Log: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	effects := NewEffects(r.out)
	r.Ledger, err = ledger.Open(r.store, testkit.Nobody{}, ledger.Options{Clock: now, Log: zerolog.Nop(), Effects: effects})
	if err != nil {
		t.Fatal(err)
	}
	r.out.Attach(r.Ledger)
	t.Cleanup(testkit.Run(t, "ledger", r.Run))
	r.branch()
	id := func(user int, admin bool, location int) auth.Identity {
		return auth.Identity{Kind: auth.Integrator, Credential: "key:chat", User: user, Locations: []int{location}, Admin: admin}
	}
	r.deps = Deps{
		Ledger: r, Access: auth.NewAccess(testkit.Where{Ledger: r.Ledger}, nil, now), Clock: now, Log: zerolog.Nop(),
		Tokens: tokens{ann: id(1, true, 1), bob: id(2, false, 1), cat: id(3, false, 2), dan: id(4, false, 1)},
		Dir:    r.dir, Key: []byte("key"), Effects: effects, Events: r.out, BaseURL: "http://" + host,
		Rates: Rates{General: limit.Rate{PerSecond: 1, Burst: 1 << 20}},
	}
	for _, f := range change {
		f(&r.deps)
	}
	if r.api, err = New(r.deps); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.api.Close() })
	teller.Attach(r.api)
}

func (r *rig) branch() {
	for i, guid := range []string{department, elsewhere} {
		r.must(0, ticket.PutLocation{Location: ticket.Location{GUID: guid, Name: fmt.Sprint("Branch ", i), Timezone: "UTC"}})
		r.must(i+1, ticket.PutLine{Line: ticket.Line{Name: "Line"}})
		if _, _, err := r.out.Register(context.Background(), outbox.Registration{Kind: outbox.ChatPoll, Department: guid}); err != nil {
			r.t.Fatal(err)
		}
		r.doc(SettingsDoc(guid, testSettings()))
	}
	for i, email := range []string{ann, bob, cat, dan} {
		role := ticket.Role{ID: i + 1, Type: ticket.RoleClerk, Location: []int{0, 1, 2, 1}[i]}
		if i == 0 {
			role.Type = ticket.RoleAdmin
		}
		r.must(0, ticket.PutUser{User: ticket.User{
			GUID: fmt.Sprintf("33333333-3333-4333-8333-33333333333%d", i), Email: email, FirstName: strings.ToUpper(email[:1]) + email[1:3],
			LastName: "Smith", Roles: []ticket.Role{role},
		}})
	}
	r.doc(ProfileDoc(1, Profile{Status: "Online", Roles: []string{"SystemUser", "webChat", "EmailSession"}}))
	r.doc(ProfileDoc(2, Profile{Roles: []string{"ReadOnly"}}))
}

func testSettings() Settings {
	return Settings{
		Tags:      []Tag{{Name: "Info", Color: "#111111"}, {Name: "VIP"}, {Name: "Gone", IsDeleted: true}},
		Surveys:   []Survey{{ID: 1, Title: "How was it?", Questions: []Question{{ID: 1, Title: "Rate", Type: "Rating", Mandatory: true}, {ID: 2, Title: "Why?", Type: "Text"}}}},
		Templates: []Template{{ID: 20, Title: "Contract", Fields: []Field{{Type: "Text", Name: "Name"}}}},
		Senders:   []Sender{{Protocol: "SMS", From: "972526264195", Free: true}, {Protocol: "WhatsApp", From: "972524646214"}},
		Texts:     Texts{Introduction: "Hello!", ByeBye: "Bye!", Pending: "Still there?"},
		Idle:      map[string]Span{"Web": Span(time.Hour)},
		Alert:     Span(time.Hour), Expire: Span(2 * time.Hour), Snooze: Span(24 * time.Hour),
	}
}

// doc writes what SettingsDoc and ProfileDoc make.
func (r *rig) doc(d store.Doc, err error) {
	r.t.Helper()
	if err == nil {
		err = r.PutDocs(context.Background(), d)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) must(location int, c ticket.Command) ledger.Result {
	r.t.Helper()
	return testkit.Must(r.t, r, ticket.Actor{Kind: "system"}, location, c)
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   []byte
	json   any
}

func (a answer) at(path ...any) any {
	v := a.json
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p < len(l) {
				v = l[p]
			} else {
				v = nil
			}
		}
	}
	return v
}

// req is a request of a test; body may be a text or anything that JSON can say.
type req struct {
	method, path string
	body         any
	as           string // "" is ann, "none" nobody
	header       map[string]string
}

func (r *rig) send(q req) answer {
	r.t.Helper()
	var body []byte
	switch b := q.body.(type) {
	case nil:
	case string:
		body = []byte(b)
	case []byte:
		body = b
	default:
		body, _ = json.Marshal(b)
	}
	path := q.path
	if !strings.HasPrefix(path, "/") {
		path = Prefix + path
	}
	h := httptest.NewRequest(q.method, "http://"+host+path, bytes.NewReader(body))
	if q.as == "" {
		q.as = ann
	}
	if q.as != "none" {
		h.Header.Set("Authorization", "Bearer "+q.as)
	}
	for k, v := range q.header {
		h.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, h)
	out := answer{code: w.Code, header: w.Header()}
	out.body, _ = io.ReadAll(w.Body)
	if strings.HasPrefix(out.header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(out.body, &out.json); err != nil {
			r.t.Fatalf("%s %s answered what is not JSON: %q", q.method, q.path, out.body)
		}
	}
	return out
}

func (r *rig) want(code int, q req) answer {
	r.t.Helper()
	out := r.send(q)
	if out.code != code {
		r.t.Fatalf("%s %s %v: %d, want %d: %s", q.method, q.path, q.body, out.code, code, out.body)
	}
	return out
}

func (r *rig) get(path string) answer {
	r.t.Helper()
	return r.want(200, req{method: "GET", path: path})
}

func (r *rig) post(path string, body any) answer {
	r.t.Helper()
	return r.want(200, req{method: "POST", path: path, body: body})
}

func (r *rig) put(path string, body any) answer {
	r.t.Helper()
	return r.want(200, req{method: "PUT", path: path, body: body})
}

// open makes a web conversation and gives its number.
func (r *rig) open(identifier string) int {
	r.t.Helper()
	a := r.post("tickets/create", map[string]any{"participants": []any{
		map[string]any{"type": "Client", "protocolType": "Web", "identifier": identifier, "name": "Jack Bower"},
	}})
	return int(a.at("id").(float64))
}
