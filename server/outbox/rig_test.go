package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/outbox/egress"
	"github.com/nowserving/nowserving/server/outbox/seal"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is what a receiver got.
type request struct {
	at   time.Time
	url  string
	head http.Header
	body string
}

func (r request) event(t testing.TB) (typ string, data map[string]any) {
	t.Helper()
	var e struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Fatalf("body is %s: %v", r.body, err)
	}
	return e.Type, e.Data
}

// world is every receiver: it keeps what arrives and answers as it is told.
type world struct {
	mu     sync.Mutex
	got    []request
	answer func(r request, n int) (status int, err error) // n counts from 1; nil is 200
	hang   map[string]bool                                // urls that never answer
}

var errCut = errors.New("connection cut")

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	r := request{time.Now(), req.URL.String(), req.Header.Clone(), string(body)}
	w.got = append(w.got, r)
	n, answer, hang := len(w.got), w.answer, w.hang[r.url]
	w.mu.Unlock()
	if hang {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	status := http.StatusOK
	if answer != nil {
		if status, err = answer(r, n); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(nil)), Request: req}, nil
}

func (w *world) set(answer func(request, int) (int, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// hold makes a URL never answer, or answer again.
func (w *world) hold(url string, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hang[url] = on
}

// at is what one URL got.
func (w *world) at(url string) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.got), func(r request) bool { return r.url != url })
}

// types is what one URL was told, in order.
func (w *world) types(t testing.TB, url string) string {
	var out []string
	for _, r := range w.at(url) {
		typ, _ := r.event(t)
		out = append(out, typ)
	}
	return strings.Join(out, " ")
}

const (
	hook  = "https://one.example.com/hook?x=1"
	hook2 = "https://two.example.com/hook"
	dept  = "11111111-1111-4111-8111-111111111111"
)

// rig is a ledger with an outbox, on a store in memory. It lives in a synctest
// bubble, whose clock is everybody's.
type rig struct {
	*Outbox
	t      testing.TB
	store  *memlog.Log
	ledger *ledger.Ledger
	world  *world
	log    *bytes.Buffer
	stop   func()
	full   *atomic.Bool
}

func box(t testing.TB) *seal.Box {
	b, err := seal.New([32]byte{7}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open starts a node's part on a store that may have a past.
func open(t testing.TB, st *memlog.Log, w *world, full *atomic.Bool, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, store: st, world: w, log: &bytes.Buffer{}, full: full}
	opt := Options{
		Clock: time.Now, Box: box(t), Client: &http.Client{Transport: w}, Policy: egress.Policy{},
		Jitter: func() float64 { return 0.5 }, Log: zerolog.New(zerolog.SyncWriter(r.log)),
	}
	if change != nil {
		change(&opt)
	}
	var err error
	if r.Outbox, err = Open(st, opt); err != nil {
		t.Fatalf("open: %v", err)
	}
	if r.ledger, err = ledger.Open(st, testkit.Nobody{}, ledger.Options{Clock: time.Now, Effects: r.Outbox}); err != nil {
		t.Fatalf("open ledger: %v", err)
	}
	r.Attach(r.ledger)
	stopOutbox, stopLedger := testkit.Run(t, "outbox", r.Run), testkit.Run(t, "ledger", r.ledger.Run)
	r.stop = func() { stopOutbox(); stopLedger() }
	return r
}

// bubble runs f with a fresh rig: location 1 with lines 1 and 2, desk 1, user 1.
func bubble(t *testing.T, change func(*Options), f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		full := &atomic.Bool{}
		st := memlog.New(memlog.Options{Clock: time.Now, Ready: func() error {
			if full.Load() {
				return store.ErrFull
			}
			return nil
		}})
		r := open(t, st, &world{hang: map[string]bool{}}, full, change)
		defer func() { r.stop() }()
		r.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: dept, Name: "Main", Timezone: "UTC"}})
		r.do(1, ticket.PutLine{Line: ticket.Line{Name: "Passports"}})
		r.do(1, ticket.PutLine{Line: ticket.Line{Name: "Registry"}})
		r.do(1, ticket.PutDesk{Desk: ticket.Desk{Name: "1"}})
		r.do(ledger.Directory, ticket.PutUser{User: ticket.User{
			GUID: "u1", Email: "a@example.com", FirstName: "Ann", Roles: []ticket.Role{{ID: 1, Type: ticket.RoleAdmin}},
		}})
		f(r)
	})
}

// again drops the outbox as it is and opens another on the same store.
func (r *rig) again(change func(*Options)) *rig {
	r.t.Helper()
	r.stop()
	return open(r.t, r.store, r.world, r.full, change)
}

func (r *rig) do(location int, c ticket.Command) ledger.Result {
	r.t.Helper()
	res, err := r.try(location, c)
	if err != nil {
		r.t.Fatalf("%s: %v", c.Name(), err)
	}
	return res
}

func (r *rig) try(location int, c ticket.Command) (ledger.Result, error) {
	return r.ledger.Do(context.Background(), ledger.Request{
		Location: location, Command: c, Actor: ticket.Actor{Kind: ticket.ActorStaff, User: 1},
	})
}

// ticket makes a ticket and gives its reference.
func (r *rig) ticket(name string) ticket.Ref {
	r.t.Helper()
	res := r.do(1, ticket.Create{Line: 1, FirstName: name})
	return ticket.Ref{ID: ticket.TicketID(res.Ticket.ID)}
}

func (r *rig) register(reg Registration) (Target, string) {
	r.t.Helper()
	target, secret, err := r.Register(context.Background(), reg)
	if err != nil {
		r.t.Fatalf("register: %v", err)
	}
	return target, secret
}

func (r *rig) queueHook(url string) Target {
	r.t.Helper()
	target, _ := r.register(Registration{Kind: QueueHook, URL: url})
	return target
}

// waiting is what one target has in the store.
func (r *rig) docs(kind string) int {
	r.t.Helper()
	n := 0
	for _, err := range r.store.Docs(kind) {
		if err != nil {
			r.t.Fatal(err)
		}
		n++
	}
	return n
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "v" + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	return out
}

// visitors is whose tickets a URL was told of, in order.
func (r *rig) visitors(url string) string {
	r.t.Helper()
	var out []string
	for _, q := range r.world.at(url) {
		_, data := q.event(r.t)
		name, _ := data["firstName"].(string)
		out = append(out, name)
	}
	return strings.Join(out, " ")
}
