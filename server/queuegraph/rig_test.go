package queuegraph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
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

// people is the directory as auth asks for it.
type people struct{ *ledger.Ledger }

func (p people) User(id int) (out auth.User, ok bool) {
	p.View(ledger.Directory, func(s *ticket.State) {
		if u := s.Users[id]; u != nil && !u.Removed {
			out, ok = auth.User{ID: id, Email: u.Email, Everywhere: u.Everywhere(), Admin: u.Admin()}, true
		}
	})
	return out, ok
}
func (people) UserByEmail(string) (auth.User, bool) { return auth.User{}, false }

// rig is the API on a ledger in memory with two branches: location 1 with lines 1
// to 3 and desks 1 and 2, location 2 with line 4 and desk 3; users 1 (owner), 2 and
// 3 (clerks of location 1), 4 (clerk of location 2); screens 1 and 2 in location 1.
type rig struct {
	*ledger.Ledger
	t     testing.TB
	clock *testkit.Clock
	auth  *auth.Authenticator
	graph *Graph
	url   string
	log   *lockedBuffer
	// The keys: of the account, of clerk 2, of location 2, of screen 1.
	admin, clerk, second, device string
	grants                       map[string]string
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t testing.TB, change ...func(*Deps)) *rig {
	t.Helper()
	r := bareRig(t, change...)
	server := httptest.NewServer(r.graph)
	r.url = server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.graph.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return r
}

// bareRig is a rig without a listener.
func bareRig(t testing.TB, change ...func(*Deps)) *rig {
	t.Helper()
	r := &rig{t: t, clock: testkit.NewClock(time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC), 0), log: &lockedBuffer{}, grants: map[string]string{}}
	var graph atomic.Pointer[Graph]
	st := memlog.New(memlog.Options{Clock: r.clock.Now})
	var err error
	r.Ledger, err = ledger.Open(st, testkit.Nobody{}, ledger.Options{Clock: r.clock.Now, Log: zerolog.Nop(), Published: func(n ledger.Notice) {
		if g := graph.Load(); g != nil {
			g.Published(n)
		}
	}})
	r.check(err)
	t.Cleanup(testkit.Run(t, "ledger", r.Run))
	r.auth, err = auth.Open(auth.Options{Docs: r.Ledger, Directory: people{r.Ledger}, Now: r.clock.Now})
	r.check(err)
	r.branch()
	d := Deps{
		Ledger: r, Records: st.Records, Keys: r.auth, Access: auth.NewAccess(testkit.Where{Ledger: r.Ledger}, nil, r.clock.Now), Clock: r.clock.Now,
		Log: zerolog.New(r.log), Rate: limit.Rate{PerSecond: 10, Burst: 1 << 20},
		Online: func(_, display int) bool { return display == 1 }, Demo: func(location int) bool { return location == 2 },
	}
	for _, f := range change {
		f(&d)
	}
	r.graph, err = New(d)
	r.check(err)
	graph.Store(r.graph)
	r.auth.OnRevoke(r.graph.Recheck)
	r.admin = r.issue(auth.Spec{Type: auth.QueueKey, Name: "account", User: 1, Everywhere: true, Admin: true})
	r.clerk = r.issue(auth.Spec{Type: auth.QueueKey, Name: "clerk", User: 2, Locations: []int{1}})
	r.second = r.issue(auth.Spec{Type: auth.QueueKey, Name: "second", Locations: []int{2}})
	r.device = r.issue(auth.Spec{Type: auth.QueueKey, Name: "TV", Display: 1, Locations: []int{1}})
	return r
}

func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) issue(s auth.Spec) string {
	r.t.Helper()
	token, info, err := r.auth.Issue(context.Background(), "test", s)
	r.check(err)
	r.grants[token] = info.Grant
	return token
}

func (r *rig) branch() {
	r.must(0, ticket.PutLocation{Location: ticket.Location{
		GUID: "11111111-1111-4111-8111-111111111111", Name: "Tallinn", Timezone: "Europe/Tallinn", Address: "Viru 1", Country: "EE",
		Latitude: 59.437, Longitude: 24.7536, Languages: []string{"en", "et"}, DeskMandatory: true,
		Hours: &ticket.Hours{
			Week:       [7]ticket.Day{{Spans: []ticket.Span{{Opens: 540, Closes: 1050}}}, 6: {Closed: true}},
			Exceptions: []ticket.Exception{{Date: "2026-12-24", Reason: "Holiday", Day: ticket.Day{Closed: true}}},
		},
		Fields: []ticket.InputField{
			{ID: "aaaaaaaa-0000-4000-8000-000000000001", Type: ticket.FieldFirstName},
			{ID: "aaaaaaaa-0000-4000-8000-000000000002", Type: ticket.FieldText, Title: "Order", Lines: []int{1}},
			{ID: "aaaaaaaa-0000-4000-8000-000000000003", Type: ticket.FieldSelect, Title: "Topic", MultiSelect: true, Options: []ticket.FieldOption{
				{ID: "bbbbbbbb-0000-4000-8000-000000000001", Title: "Loan", Color: "#112233"},
				{ID: "bbbbbbbb-0000-4000-8000-000000000002", Title: "Card"},
			}},
		},
	}})
	r.must(0, ticket.PutLocation{Location: ticket.Location{
		GUID: "22222222-2222-4222-8222-222222222222", Name: "New York", Timezone: "America/New_York", Country: "US", Languages: []string{"en"},
	}})
	for i, name := range []string{"Passports", "Licences", "Information"} {
		r.must(1, ticket.PutLine{Line: ticket.Line{Name: name, Color: fmt.Sprintf("#11111%d", i), Translations: map[string]string{"et": name + "id"}}})
	}
	r.must(2, ticket.PutLine{Line: ticket.Line{Name: "Elsewhere", Color: "#222222", Appointment: 30}})
	for i, location := range []int{1, 1, 2} {
		r.must(location, ticket.PutDesk{Desk: ticket.Desk{Name: fmt.Sprintf("Desk %d", i+1)}})
	}
	for _, u := range testkit.Staff() {
		r.must(0, u)
	}
	for _, name := range []string{"Lobby", "Corridor"} {
		r.must(1, ticket.PutDisplay{Display: ticket.Display{Name: name, Lines: []int{1, 2}}})
	}
}

// must carries a command out, a second after the last one.
func (r *rig) must(location int, c ticket.Command) ledger.Result {
	r.t.Helper()
	r.clock.Add(time.Second)
	return testkit.Must(r.t, r, ticket.Actor{Kind: "integrator", User: 2}, location, c)
}

func ref(id int64) ticket.Ref { return ticket.Ref{ID: ticket.TicketID(id)} }

// create makes a ticket in line 1.
func (r *rig) create(name string) int64 {
	r.t.Helper()
	return r.must(1, ticket.Create{Line: 1, FirstName: name, Language: "en", Source: ticket.SourceName}).Ticket.ID
}

// called makes a ticket and calls it to desk 1.
func (r *rig) called(name string) int64 {
	r.t.Helper()
	id := r.create(name)
	r.must(1, ticket.CallTicket{Ref: ref(id), Desk: 1, KeepActive: true})
	return id
}

// post sends a body to a path and gives status, header and body.
func (r *rig) post(path, key, body string) (int, http.Header, string) {
	r.t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if key != "" {
		req.Header.Set(keyHeader, key)
	}
	w := httptest.NewRecorder()
	r.graph.ServeHTTP(w, req)
	out, _ := io.ReadAll(w.Body)
	return w.Code, w.Header(), string(out)
}

// ask sends a query and gives the whole answer.
func (r *rig) ask(key, query string) string {
	r.t.Helper()
	body, _ := json.Marshal(map[string]string{"query": query})
	code, _, out := r.post(pathQuery, key, string(body))
	if code != http.StatusOK {
		r.t.Fatalf("%s: status %d: %s", query, code, out)
	}
	return out
}

// peer is a client on a socket.
type peer struct {
	t  testing.TB
	ws *websocket.Conn
}

const patience = 10 * time.Second

func (r *rig) dial(key string) *peer {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, r.url+pathSocket+"?"+keyParam+"="+key, nil)
	r.check(err)
	ws.SetReadLimit(1 << 20)
	r.t.Cleanup(func() { _ = ws.CloseNow() })
	return &peer{r.t, ws}
}

func (p *peer) send(frame string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.ws.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		p.t.Fatal(err)
	}
}

// read gives the next frame, or how the socket ended.
func (p *peer) read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := p.ws.Read(ctx)
	return string(b), err
}

func (p *peer) next() string {
	p.t.Helper()
	b, err := p.read()
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, want := range frames {
		if got := p.next(); got != want {
			p.t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// start subscribes, and waits until that is done: frames are answered in turn.
func (p *peer) start(id, query string) {
	p.t.Helper()
	p.send(startFrame(id, query))
	p.sync()
}

func (p *peer) sync() {
	p.t.Helper()
	p.send(`{"type":"ping"}`)
	p.want(`{"type":"pong"}`)
}

func startFrame(id, query string) string {
	b, _ := json.Marshal(map[string]any{"id": id, "type": "start", "payload": map[string]string{"query": query}})
	return string(b)
}

// closed waits for the socket's end, past other frames, and gives its code.
func (p *peer) closed() websocket.StatusCode {
	p.t.Helper()
	for {
		if _, err := p.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

var _ auth.Locator = testkit.Where{}
