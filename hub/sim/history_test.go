package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store/memlog"
)

// The histories: many at once on one location, and afterwards the question
// whether some order of them explains every answer.

const (
	historyClients = 16
	historyEach    = 12
	checkWithin    = 20 * time.Second
)

// recorder plays clients against a ledger and keeps what they asked and heard.
type recorder struct {
	ledger *ledger.Ledger
	place  place
	seed   uint64
	clock  atomic.Int64 // orders beginnings and ends

	mu      sync.Mutex // protects the rest
	history []porcupine.Operation
	ids     []int64
	next    int
}

// client asks a number of questions, one after another.
func (r *recorder) client(n int) {
	rng := newRand(r.seed, n)
	for range historyEach {
		q := r.think(rng, n)
		r.ask(n, q)
		if q.name != "look" && chance(rng, 0.2) {
			r.ask(n, q) // once more, with the same key
		}
		if chance(rng, 0.5) {
			r.ask(n, question{location: r.place.id, name: "look", line: pick(rng, r.place.lines), n: -1})
		}
	}
}

func (r *recorder) think(rng *rand.Rand, n int) question {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	q := question{location: r.place.id, n: r.next, user: r.place.users[n], keep: chance(rng, 0.5), line: pick(rng, r.place.lines)}
	q.lines = r.place.lines[:1+rng.IntN(len(r.place.lines))]
	q.position = pick(rng, []string{ticket.PositionFirst, ticket.PositionLast})
	q.name = pick(rng, []string{"create", "create", "callNext", "callNext", "call", "serve", "cancel", "return"})
	if len(r.ids) == 0 {
		q.name = "create"
	} else {
		q.ticket = pick(rng, r.ids[max(0, len(r.ids)-8):])
	}
	return q
}

func (r *recorder) ask(n int, q question) {
	op := porcupine.Operation{ClientId: n, Input: q, Call: r.clock.Add(1)}
	var out reply
	if q.name == "look" {
		r.ledger.View(q.location, func(s *ticket.State) {
			for _, t := range s.WaitingIn(q.line) {
				out.queue = append(out.queue, t.ID)
			}
		})
	} else {
		res, err := r.ledger.Do(context.Background(), ledger.Request{
			Location: q.location, Command: q.command(r.place.desks[0]), Key: fmt.Sprint("k", q.n),
			Actor: ticket.Actor{Kind: ticket.ActorStaff, User: q.user},
		})
		switch {
		case err != nil:
			out.code = wire.CodeOf(err)
		case res.Ticket != nil:
			out.id, out.offset, out.after = res.Ticket.ID, res.Offset, res.Offset-uint64(len(res.Events))
		}
	}
	op.Output, op.Return = out, r.clock.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, op)
	if q.name == "create" && out.code == "" {
		r.ids = append(r.ids, out.id)
	}
}

// record plays one history on one location.
func record(t *testing.T, seed uint64) (history []porcupine.Operation, head uint64) {
	rng := newRand(seed, 500)
	d := &disk{Log: memlog.New(memlog.Options{Clock: time.Now})}
	l, stop := start(t, d, lonely{}, ledger.Options{Clock: time.Now, GroupMax: pick(rng, []int{1, 4, 256})})
	h := build(t, l, 1, 1+rng.IntN(2), 1, historyClients, 0)
	// From here on a commit takes time, so that those who ask meet in it.
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	latency := newRand(seed, 501)
	l.View(1, func(s *ticket.State) { head = s.Offset })
	d.latency = func() time.Duration { return between(latency, time.Microsecond, 3*time.Millisecond) }
	l, stop = start(t, d, lonely{}, ledger.Options{Clock: time.Now, GroupMax: pick(rng, []int{1, 4, 256})})
	r := &recorder{ledger: l, place: h.locations[0], seed: seed}
	var wg sync.WaitGroup
	for n := range historyClients {
		wg.Go(func() { r.client(n) })
	}
	wg.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	return r.history, head
}

func TestHistoriesAreLinearizable(t *testing.T) {
	for _, seed := range seeds(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			var history []porcupine.Operation
			var head uint64
			synctest.Test(t, func(t *testing.T) { history, head = record(t, seed) })
			began := time.Now()
			result, info := porcupine.CheckOperationsVerbose(roomModel(head), history, checkWithin)
			if result == porcupine.Ok {
				t.Logf("%d operations in order after %v", len(history), time.Since(began))
				return
			}
			t.Errorf("seed %d: %d operations are %s after %v; play it again with -sim.seed %d", seed, len(history), result, time.Since(began), seed)
			file := t.ArtifactDir() + "/history.html"
			if err := porcupine.VisualizePath(roomModel(head), info, file); err == nil {
				t.Logf("picture in %s (kept with -artifacts)", file)
			}
		})
	}
}
