//go:build unix

package torture

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
)

// Histories over sockets (F8): sixteen clients share tickets while the node is
// killed and their links break. They ask until they are answered, so what a
// history holds is one effect per question, at some moment between its first try
// and its answer. A ticket's own history is checked alone: a ticket is called by
// one clerk, served once, and not called again.

// asked is one question about one ticket.
type asked struct {
	ticket, name string
	by           int
}

// told is its answer: the code, or "" for success.
type told struct{ code wire.Code }

// ticketModel is a ticket as far as these questions go.
func ticketModel() porcupine.Model {
	type state struct{ status string }
	return porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			by := map[string][]porcupine.Operation{}
			for _, o := range all {
				by[o.Input.(asked).ticket] = append(by[o.Input.(asked).ticket], o)
			}
			var out [][]porcupine.Operation
			for _, h := range by {
				out = append(out, h)
			}
			return out
		},
		Init: func() any { return state{"NEW"} },
		Step: func(s, in, out any) (bool, any) {
			now, q, got := s.(state), in.(asked), out.(told)
			next, ok := map[string]string{
				"NEW ticket.call": "CALLED", "CALLED ticket.serve": "SERVED", "CALLED ticket.returnToQueue": "NEW",
				"NEW ticket.cancel": "CANCELLED",
			}[now.status+" "+q.name]
			if !ok {
				return got.code == wire.Conflict, now
			}
			return got.code == "", state{next}
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprint(in, " ", out.(told).code) },
	}
}

// recorder keeps a history.
type recorder struct {
	clock atomic.Int64
	mu    sync.Mutex // protects ops
	ops   []porcupine.Operation
}

func (r *recorder) ask(t testing.TB, l *load, c *client.Client, by int, q asked, key string) {
	began := r.clock.Add(1)
	params := fmt.Sprintf(`{"ticket":%q,"keepActive":true}`, q.ticket)
	switch q.name {
	case "ticket.serve", "ticket.cancel":
		params = fmt.Sprintf(`{"ticket":%q}`, q.ticket)
	case "ticket.returnToQueue":
		params = fmt.Sprintf(`{"ticket":%q,"position":"FIRST"}`, q.ticket)
	}
	for l.working.Err() == nil {
		_, err := c.Do(l.working, wire.Command{Name: q.name, Key: key, Params: json.RawMessage(params)})
		code := wire.Code("")
		if err != nil {
			code = wire.CodeOf(err)
		}
		switch code {
		case wire.RateLimited, wire.Unavailable:
			continue
		case "", wire.Conflict:
		default:
			t.Errorf("%s: %v", q.name, err)
		}
		r.mu.Lock()
		r.ops = append(r.ops, porcupine.Operation{ClientId: by, Input: q, Call: began, Output: told{code}, Return: r.clock.Add(1)})
		r.mu.Unlock()
		return
	}
}

// TestHistoriesOverSockets records such histories, and has each checked.
func TestHistoriesOverSockets(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	node := serve(t, order{Listen: addr, Data: data})
	d := readDemo(t, data)
	link := newProxy(t, d.URL, badLinks(*seedFlag, 2500))
	l := newLoad(t, link.url(), d.StaffToken, *seedFlag, 0)
	var clients []*client.Client
	for range 16 {
		clients = append(clients, l.connect(link.url(), d.StaffToken, testkit.Quiet{}))
	}
	straight := l.connect(d.URL, d.StaffToken, testkit.Quiet{})
	rng := rand.New(rand.NewPCG(*seedFlag, 11))
	kills, overlaps := 0, 0
	for round := range rounds(3, 60) {
		var tickets []string
		for n := range 6 {
			id, ok := l.do(straight, fmt.Sprintf("h-%d-%d", round, n), "ticket.create", `{"line":1}`)
			if !ok {
				t.Fatal("no ticket")
			}
			tickets = append(tickets, id)
		}
		r := &recorder{}
		var wg sync.WaitGroup
		for by, c := range clients {
			mine := rand.New(rand.NewPCG(*seedFlag+uint64(round), uint64(by)))
			wg.Go(func() {
				for i := range 6 {
					q := asked{ticket: tickets[mine.IntN(len(tickets))], by: by}
					q.name = []string{"ticket.call", "ticket.call", "ticket.serve", "ticket.returnToQueue", "ticket.cancel"}[mine.IntN(5)]
					r.ask(t, l, c, by, q, fmt.Sprintf("h-%d-%d-%d", round, by, i))
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		if rng.IntN(2) == 0 || round == 0 { // killed in its middle
			testkit.Eventually(t, "some answers", time.Minute, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.ops) > 10 })
			node.kill()
			kills++
			node = serve(t, order{Listen: addr, Data: data})
		}
		select {
		case <-done:
		case <-time.After(2 * time.Minute):
			t.Fatal("the clients do not get done")
		}
		result, _ := porcupine.CheckOperationsVerbose(ticketModel(), r.ops, 30*time.Second)
		if result != porcupine.Ok {
			t.Errorf("seed %d, round %d: %d operations are %s: %v", *seedFlag, round, len(r.ops), result, r.ops)
		}
		overlaps += overlapping(r.ops)
	}
	if kills == 0 || overlaps == 0 {
		t.Errorf("%d kills, %d questions at the same time: nothing was tested", kills, overlaps)
	}
	proved(t, "%d kills, %d links, %d questions asked at the same time as another of their ticket", kills, link.seen(), overlaps)
	l.stop()
}

func overlapping(ops []porcupine.Operation) (n int) {
	for i, a := range ops {
		for _, b := range ops[:i] {
			if a.Input.(asked).ticket == b.Input.(asked).ticket && a.Call < b.Return && b.Call < a.Return {
				n++
				break
			}
		}
	}
	return n
}

// TestTheTicketModelSeesWhatIsWrong proves that the check can fail.
func TestTheTicketModelSeesWhatIsWrong(t *testing.T) {
	op := func(name string, code wire.Code, from, to int64) porcupine.Operation {
		return porcupine.Operation{Input: asked{ticket: "1", name: name}, Output: told{code}, Call: from, Return: to}
	}
	twice := []porcupine.Operation{op("ticket.call", "", 1, 4), op("ticket.call", "", 2, 3)}
	early := []porcupine.Operation{op("ticket.serve", "", 1, 2), op("ticket.call", "", 3, 4)}
	fine := []porcupine.Operation{op("ticket.call", "", 1, 4), op("ticket.call", wire.Conflict, 2, 3)}
	for name, h := range map[string][]porcupine.Operation{"called twice": twice, "served before it was called": early} {
		if porcupine.CheckOperations(ticketModel(), h) {
			t.Errorf("%s: not seen", name)
		}
	}
	if !porcupine.CheckOperations(ticketModel(), fine) {
		t.Error("a conflict is taken for wrong")
	}
}

// TestCraftedCursors asks to go on from positions that nobody was given (F10): the
// answer is a whole snapshot, or exactly what is missing, and never half of it.
func TestCraftedCursors(t *testing.T) {
	v := newVictim(t, order{})
	for range 5 {
		v.works(t)
	}
	first := v.good.ask(t, `"subscribe":{"channel":"console:1"}`)
	var at struct {
		Epoch  string
		Offset uint64
	}
	if err := json.Unmarshal(first.Reply, &at); err != nil || at.Epoch == "" {
		t.Fatalf("%s, %v", first.Reply, err)
	}
	s := dial(t, v.URL, v.StaffToken)
	rng := rand.New(rand.NewPCG(*seedFlag, 5))
	recovered := 0
	for n := range rounds(200, 5000) {
		epoch, offset := crafted(rng, n, at.Epoch, at.Offset)
		r := s.ask(t, fmt.Sprintf(`"subscribe":{"channel":"console:1","since":{"epoch":%q,"offset":%s}}`, epoch, offset))
		if r.Error != nil {
			if r.Error.Code != wire.BadRequest {
				t.Fatalf("%s/%s: %v", epoch, offset, r.Error)
			}
			continue
		}
		var reply struct {
			Epoch     string
			Offset    uint64
			Recovered bool
			Snapshot  json.RawMessage
		}
		if err := json.Unmarshal(r.Reply, &reply); err != nil {
			t.Fatal(err)
		}
		if reply.Recovered == (len(reply.Snapshot) > 0) || reply.Epoch != at.Epoch || reply.Offset < at.Offset {
			t.Fatalf("%s/%s is answered recovered %v, at %s/%d, with a snapshot of %d bytes",
				epoch, offset, reply.Recovered, reply.Epoch, reply.Offset, len(reply.Snapshot))
		}
		if reply.Recovered {
			recovered++
			if epoch != at.Epoch {
				t.Fatalf("recovered from epoch %q", epoch)
			}
			var from uint64
			_, _ = fmt.Sscan(offset, &from)
			for next := from + 1; next <= reply.Offset; next++ {
				p := s.push(t)
				if p.Offset != next {
					t.Fatalf("since %d: push %d comes where %d must", from, p.Offset, next)
				}
			}
		}
		s.ask(t, `"unsubscribe":{"channel":"console:1"}`)
	}
	if recovered == 0 {
		t.Error("nothing was recovered: nothing was tested")
	}
	proved(t, "%d crafted positions, %d of them good ones", rounds(200, 5000), recovered)
	v.works(t)
}

// crafted is a position that may be anything.
func crafted(rng *rand.Rand, n int, epoch string, head uint64) (string, string) {
	switch n % 6 {
	case 0:
		return fmt.Sprint("e", rng.Uint64()), fmt.Sprint(rng.Uint64N(head + 3))
	case 1:
		return epoch, fmt.Sprint(rng.Uint64())
	case 2:
		return epoch, []string{"-1", "1e99", "18446744073709551615", "18446744073709551616", `"5"`, "null", "1.5", "[]"}[rng.IntN(8)]
	case 3:
		return "", fmt.Sprint(rng.Uint64N(head + 3))
	}
	return epoch, fmt.Sprint(rng.Uint64N(head + 3))
}

// push reads the next push that has an offset.
func (s *socket) push(t testing.TB) answer {
	t.Helper()
	for {
		p, err := s.frame()
		if err != nil {
			t.Fatal(err)
		}
		var a answer
		if err := json.Unmarshal(p, &a); err != nil {
			t.Fatal(err)
		}
		if a.Push != "" && a.Offset > 0 {
			return a
		}
	}
}

// TestClockJumps starts the node with clocks that leap forth and back (F20): order is
// the journal's, whatever the clock says.
func TestClockJumps(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	node := serve(t, order{Listen: addr, Data: data})
	d := readDemo(t, data)
	l := newLoad(t, d.URL, d.StaffToken, *seedFlag, 4)
	watch := testkit.NewWatcher(t)
	if err := l.connect(d.URL, d.StaffToken, watch).Subscribe("console:1", nil); err != nil {
		t.Fatal(err)
	}
	jumps := []time.Duration{time.Hour, -time.Hour, 3 * time.Hour, 0}
	for n := range rounds(len(jumps), 20) {
		ahead := jumps[n%len(jumps)]
		want := l.count() + 20
		testkit.Eventually(t, "the load goes on", time.Minute, func() bool { return l.count() >= want })
		node.kill()
		l.check(data, ahead)
		node = serve(t, order{Listen: addr, Data: data, Ahead: ahead})
	}
	l.rest()
	testkit.Eventually(t, "the console's catching up", time.Minute, func() bool { return watch.At() >= l.newest() })
	l.stop()
	node.stop(t)
	l.check(data, 0)
	proved(t, "%d jumps of the clock under load", rounds(len(jumps), 20))
}
