//go:build unix

package torture

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/maintenance"
	"github.com/nowserving/nowserving/server/node"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

// ack is one answer that somebody got.
type ack struct {
	name   string
	offset uint64
	ticket string
}

// load is clerks who ask until they are answered, over every kill, and what they
// were answered.
type load struct {
	t   testing.TB
	url string

	// pace is how long a clerk waits between people; 0 is a crowd.
	pace time.Duration

	// turn is held for reading from a command's first try to its answer.
	turn sync.RWMutex

	mu     sync.Mutex // protects the rest
	acks   map[string]ack
	taken  map[uint64]string // offset to key
	names  map[string]string // ticket to the name that its visitor gave
	erased map[string]bool   // asked for; answered or not

	clients, workers sync.WaitGroup
	stopLoad, end    context.CancelFunc
	ctx, working     context.Context
}

// newLoad connects so many clerks and lets them work.
func newLoad(t testing.TB, url, token string, seed uint64, clerks int) *load {
	return newPacedLoad(t, url, token, seed, clerks, 0)
}

// newPacedLoad is newLoad with clerks who do not hurry.
func newPacedLoad(t testing.TB, url, token string, seed uint64, clerks int, pace time.Duration) *load {
	l := &load{t: t, url: url, pace: pace, acks: map[string]ack{}, taken: map[uint64]string{}, names: map[string]string{}, erased: map[string]bool{}}
	l.ctx, l.end = context.WithCancel(context.Background())
	l.working, l.stopLoad = context.WithCancel(l.ctx)
	t.Cleanup(l.stop)
	for n := range clerks {
		c := l.connect(url, token, testkit.Quiet{})
		l.workers.Go(func() { l.work(c, rand.New(rand.NewPCG(seed, uint64(n))), fmt.Sprintf("%d-%d", seed, n)) })
	}
	return l
}

func (l *load) connect(url, token string, h client.Handler) *client.Client {
	c, err := client.New(client.Config{
		URL: url, Token: client.Token(token), Handler: h, Now: time.Now,
		// Little of the jitter: a test has no fleet to spread.
		Random: func() float64 { return rand.Float64() / 200 },
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.clients.Go(func() { _ = c.Run(l.ctx) })
	return c
}

func (l *load) rest() { l.stopLoad(); l.workers.Wait() }
func (l *load) stop() { l.end(); l.workers.Wait(); l.clients.Wait() }

// mostOpen is how many tickets a clerk leaves unserved: a branch that only fills
// would make every snapshot larger than the one before.
const mostOpen = 5

// work is one clerk: people come, are called, served, write, and are forgotten.
func (l *load) work(c *client.Client, rng *rand.Rand, who string) {
	var left []string
	for i := 0; l.working.Err() == nil; i++ {
		if l.pace > 0 {
			time.Sleep(l.pace) // people come one by one; not a wait for anything
		}
		name := fmt.Sprintf("N-%s-%d", who, i)
		id, ok := l.do(c, name, "ticket.create", fmt.Sprintf(`{"line":1,"firstName":%q}`, name))
		if !ok {
			continue
		}
		l.mu.Lock()
		l.names[id] = name
		l.mu.Unlock()
		ref := fmt.Sprintf(`"ticket":%q`, id)
		l.do(c, name+"-call", "ticket.call", `{`+ref+`,"keepActive":true}`)
		if rng.IntN(2) == 0 {
			l.do(c, name+"-note", "note.add", `{`+ref+`,"text":"about `+name+`"}`)
		}
		if rng.IntN(2) == 0 {
			l.do(c, name+"-serve", "ticket.serve", `{`+ref+`}`)
		} else if left = append(left, id); len(left) > mostOpen {
			l.do(c, name+"-late", "ticket.serve", `{"ticket":"`+left[0]+`"}`)
			left = left[1:]
		}
		if rng.IntN(3) == 0 {
			l.mu.Lock()
			l.erased[id] = true
			l.mu.Unlock()
			l.do(c, name+"-erase", "ticket.erase", `{`+ref+`}`)
		}
	}
}

// do asks until there is an answer, and remembers it.
func (l *load) do(c *client.Client, key, name, params string) (string, bool) {
	cmd := wire.Command{Name: name, Key: key, Params: json.RawMessage(params)}
	l.turn.RLock()
	defer l.turn.RUnlock()
	reply, err := testkit.Ask(l.working, c, cmd, 20*time.Millisecond)
	if err != nil {
		if l.working.Err() == nil {
			l.t.Errorf("%s: %v", key, err)
		}
		return "", false
	}
	var tk struct{ ID string }
	if err := json.Unmarshal(reply.Ticket, &tk); err != nil && name != "ticket.erase" {
		l.t.Errorf("%s: %v", key, err)
	}
	l.answered(key, ack{name: name, offset: reply.Offset, ticket: tk.ID})
	return tk.ID, true
}

func (l *load) answered(key string, a ack) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.taken[a.offset]; other != "" && other != key {
		l.t.Errorf("offset %d was given to %s and to %s", a.offset, other, key)
	}
	l.taken[a.offset], l.acks[key] = key, a
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acks)
}

// check looks at a data folder that nobody has open: every invariant, and that
// all that was answered is there, once.
func (l *load) check(data string, ahead time.Duration) (records int) {
	l.t.Helper()
	clock := func() time.Time { return time.Now().Add(ahead) }
	rep, err := maintenance.Verify(context.Background(), data, clock, zerolog.Nop())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, p := range rep.Problems {
		l.t.Errorf("after the crash: %v", p)
	}
	st, err := store.Open(store.Options{Dir: filepath.Join(data, "store"), Clock: clock, Log: zerolog.Nop(), MinFree: 1})
	if err != nil {
		l.t.Fatal(err)
	}
	defer st.Close()
	l.compare(st)
	return rep.Records
}

// compare holds the journal of location 1 against the answers.
func (l *load) compare(st *store.Badger) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	at := map[uint64]store.Record{}
	made := map[string]int{} // by visitor's name
	var last uint64
	for r, err := range st.Records(1, 1) {
		if err != nil {
			l.t.Fatal(err)
		}
		if r.Offset != last+1 {
			l.t.Fatalf("offset %d follows %d", r.Offset, last)
		}
		last, at[r.Offset] = r.Offset, r
		if r.Type == string(ticket.EventCreated) && !r.Erased {
			e, err := ticket.DecodeEvent(r.Type, r.Ticket, r.Time, r.Facts, r.Personal)
			if err != nil {
				l.t.Fatal(err)
			}
			made[firstName(e)]++
		}
	}
	for key, a := range l.acks {
		if r, there := at[a.offset]; !there || a.ticket != "" && fmt.Sprint(r.Ticket) != a.ticket {
			l.t.Errorf("%s was answered at %d for ticket %s; the journal has %q for ticket %d there", key, a.offset, a.ticket, r.Type, r.Ticket)
		}
		if a.name == "ticket.create" && made[key] != 1 && !l.erased[a.ticket] {
			l.t.Errorf("%s was answered and happened %d times", key, made[key])
		}
	}
	for name, n := range made {
		if strings.HasPrefix(name, "N-") && n > 1 {
			l.t.Errorf("%s happened %d times", name, n)
		}
	}
}

func firstName(e ticket.Event) string {
	if e.Personal == nil || e.Personal.Private == nil {
		return ""
	}
	return e.Personal.Private.FirstName
}

// receiver is where webhooks go: it keeps which tickets it heard of.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex // protects heard
	heard map[string]int
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{heard: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard[fmt.Sprint(ticketIn(body))]++
	}))
	t.Cleanup(r.Close)
	return r
}

// ticketIn finds the ticket's id in a webhook's body.
func ticketIn(body map[string]any) any {
	for _, k := range []string{"data", "ticket", "payload"} {
		if in, ok := body[k].(map[string]any); ok {
			return ticketIn(in)
		}
	}
	return body["id"]
}

// register asks for webhooks.
func (r *receiver) register(t testing.TB, d node.Demo) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, d.URL+"/v1/webhooks", strings.NewReader("url="+r.URL))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Qminder-REST-API-Key", d.QueueAPIKey)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		t.Fatalf("register webhooks: %s", res.Status)
	}
}

// missing lists acknowledged tickets that it never heard of, and that are not
// forgotten.
func (r *receiver) missing(l *load) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, a := range l.acks {
		if a.name == "ticket.create" && r.heard[a.ticket] == 0 && !l.erased[a.ticket] {
			out = append(out, key)
		}
	}
	return out
}
