package outbox

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/outbox/egress"
	"github.com/nowserving/nowserving/server/outbox/seal"
	"github.com/nowserving/nowserving/server/outbox/sign"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

// node is a ledger and an outbox on disk, delivering over real sockets.
type node struct {
	store  *store.Badger
	ledger *ledger.Ledger
	out    *Outbox
	stop   func()
}

func start(t testing.TB, dir string) *node {
	t.Helper()
	n := &node{}
	var err error
	if n.store, err = store.Open(store.Options{Dir: filepath.Join(dir, "store"), Clock: time.Now}); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	n.out, err = Open(n.store, Options{Clock: time.Now, Box: keys, Policy: egress.Policy{AllowLoopback: true}})
	if err != nil {
		t.Fatal(err)
	}
	n.ledger, err = ledger.Open(n.store, testkit.Nobody{}, ledger.Options{
		Clock: time.Now, Effects: n.out, GroupBytes: n.store.MaxCommit() / 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	n.out.Attach(n.ledger)
	stopLedger, stopOutbox := testkit.Run(t, "ledger", n.ledger.Run), testkit.Run(t, "outbox", n.out.Run)
	n.stop = func() {
		stopOutbox()
		stopLedger()
		if err := n.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	return n
}

func (n *node) do(t testing.TB, location int, c ticket.Command) {
	t.Helper()
	_, err := n.ledger.Do(context.Background(), ledger.Request{
		Location: location, Command: c, Actor: ticket.Actor{Kind: ticket.ActorStaff},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The whole way on disk and over sockets, with a restart in between: signed, in
// order, each event at least once, and a redirect leads nowhere.
func TestOnDiskOverSockets(t *testing.T) {
	const events = 200
	got := make(chan *http.Request, 2*events)
	var mu sync.Mutex
	met := map[string]bool{} // ids, so that a redirected one is taken the second time
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Set("Body", string(body))
		mu.Lock()
		id := r.Header.Get(sign.HeaderID)
		redirect := !met[id] && len(met)%50 == 7
		met[id] = true
		mu.Unlock()
		if redirect {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
			return
		}
		got <- r
	}))
	defer receiver.Close()
	dir := t.TempDir()
	n := start(t, dir)
	n.do(t, ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: dept, Name: "Main", Timezone: "UTC"}})
	n.do(t, 1, ticket.PutLine{Line: ticket.Line{Name: "Passports"}})
	_, key, err := n.out.Register(context.Background(), Registration{Kind: QueueHook, URL: receiver.URL + "/hook"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if i == events/2 {
			n.stop()
			n = start(t, dir)
		}
		n.do(t, 1, ticket.Create{Line: 1, FirstName: strconv.Itoa(i)})
	}
	seen := map[string]bool{}
	for last := 0; len(seen) < events; {
		r := <-got
		body := []byte(r.Header.Get("Body"))
		if r.Header.Get(sign.HeaderQueue) != sign.Queue(key, receiver.URL+"/hook", body) {
			t.Fatalf("signature does not fit %s", body)
		}
		_, data := request{body: string(body)}.event(t)
		id, err := strconv.Atoi(data["id"].(string))
		if err != nil || id < last || id > last+1 {
			t.Fatalf("ticket %v after %d", data["id"], last)
		}
		last = id
		seen[r.Header.Get(sign.HeaderID)] = true
	}
	n.stop()
	if s := n.out.Stats(); s.Waiting != 0 || s.Failed == 0 {
		t.Errorf("figures are %+v", s)
	}
}

// BenchmarkDelivery is one event from its command to the note that it arrived, on
// disk and over loopback.
func BenchmarkDelivery(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	n := start(b, b.TempDir())
	defer n.stop()
	n.do(b, ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: dept, Name: "Main", Timezone: "UTC"}})
	n.do(b, 1, ticket.PutLine{Line: ticket.Line{Name: "Passports"}})
	if _, _, err := n.out.Register(context.Background(), Registration{Kind: QueueHook, URL: receiver.URL + "/hook"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n.do(b, 1, ticket.Create{Line: 1, FirstName: "Ida"})
		for n.out.Stats().Waiting > 0 {
			runtime.Gosched()
		}
	}
}

// BenchmarkEffects is what an event costs the committer, with one webhook.
func BenchmarkEffects(b *testing.B) {
	s := ticket.NewState(1)
	s.Put(&ticket.Ticket{ID: 9, Location: 1, Place: ticket.Place{Status: ticket.New}, Private: ticket.Private{FirstName: "Ida"}})
	o := &Outbox{}
	o.active.Store(&[]*target{newTarget(Target{ID: "x", Kind: QueueHook}, secrets{}, nil)})
	for b.Loop() {
		o.Effects(s, ticket.Event{Type: ticket.EventLabelled, Ticket: 9})
		o.Abandoned()
	}
}

// The secrets of a store are not readable with another key: that must be said at
// once, not at the first delivery.
func TestAnotherKeyIsNoticed(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.stop()
		other, err := seal.New([32]byte{9}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(r.store, Options{Clock: time.Now, Box: other}); err == nil {
			t.Error("it opens")
		}
	})
}
