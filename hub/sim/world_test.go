package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store/memlog"
)

// What every visitor's names hold, to find them where they must not be.
const (
	firstSecret = "Xenia"
	lastSecret  = "Quux"
)

// world is a branch or two on nodes that crash, with clerks who retry and
// screens whose links break. A seed decides what is tried; how goroutines are
// interleaved is up to the scheduler, so a seed that failed may have to be
// played some times to fail again.
type world struct {
	t     testing.TB
	seed  uint64
	rng   *rand.Rand // the world's own
	set   settings
	log   *memlog.Log
	house house
	names map[int]string // by location

	restart chan bool     // asks for a restart; true for an orderly one
	end     chan struct{} // closed when everything was compared

	mu      sync.Mutex // protects the rest
	node    *node      // nil while there is none
	up      chan struct{}
	quiet   bool
	counts  map[string]int
	sent    map[hub.Key]map[uint64]frameprint
	asks    []*ask
	tickets map[int][]int64 // created, by location
	where   map[int64]int
	erased  map[int64]bool
	failed  bool
}

// settings are drawn from the seed.
type settings struct {
	hub             hub.Options
	ledger          ledger.Options
	pace            time.Duration
	clerks, screens int
	commands        int
}

func newWorld(t testing.TB, seed uint64) *world {
	rng := newRand(seed, 0)
	w := &world{
		t: t, seed: seed, rng: rng, log: memlog.New(memlog.Options{Clock: time.Now}),
		restart: make(chan bool), end: make(chan struct{}), up: make(chan struct{}), names: map[int]string{},
		counts: map[string]int{}, sent: map[hub.Key]map[uint64]frameprint{},
		tickets: map[int][]int64{}, where: map[int64]int{}, erased: map[int64]bool{},
	}
	w.set = settings{
		hub: hub.Options{
			Clock: time.Now, Workers: 1 + rng.IntN(3), HistoryFrames: pick(rng, []int{4, 16, 64, 1024}),
			SnapshotAge: pick(rng, []time.Duration{time.Nanosecond, 20 * time.Millisecond, 2 * time.Second}),
			Linger:      pick(rng, []time.Duration{time.Nanosecond, 5 * time.Minute}),
			HistoryAge:  pick(rng, []time.Duration{50 * time.Millisecond, 10 * time.Minute}),
		},
		ledger: ledger.Options{
			Clock: time.Now, GroupMax: pick(rng, []int{1, 3, 256}), GroupBytes: pick(rng, []int{4 << 10, 1 << 20}),
			Queue: pick(rng, []int{2, 4096}), SnapshotEvery: pick(rng, []uint64{5, 40, 5000}),
		},
		pace:   pick(rng, []time.Duration{2 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond, 400 * time.Millisecond}),
		clerks: 3 + rng.IntN(6), screens: 2 + rng.IntN(4), commands: 32,
	}
	return w
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failLocked(format, args...)
}

// failLocked reports the first failure; the rest follow from it.
func (w *world) failLocked(format string, args ...any) {
	if !w.failed {
		w.t.Errorf("seed %d: "+format, append([]any{w.seed}, args...)...)
	}
	w.failed = true
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

func (w *world) calm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet
}

func (w *world) over() bool {
	select {
	case <-w.end:
		return true
	default:
		return false
	}
}

// house is built on a node without faults, before anything else.
func (w *world) found() {
	l, stop := start(w.t, w.log, lonely{}, ledger.Options{Clock: time.Now})
	w.house = build(w.t, l, 1+w.rng.IntN(2), 1+w.rng.IntN(3), 3, 3, w.rng.IntN(3))
	for _, p := range w.house.locations {
		l.View(p.id, func(s *ticket.State) { w.names[p.id] = s.Location.Settings.Names })
		// A ticket to follow from the beginning.
		res, err := l.Do(context.Background(), ledger.Request{Location: p.id, Command: ticket.Create{Line: p.lines[0], FirstName: firstSecret},
			Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: setup}})
		if err != nil {
			w.t.Fatal(err)
		}
		w.created(p.id, res.Ticket.ID)
	}
	if err := stop(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) created(location int, id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.where[id] == 0 {
		w.tickets[location] = append(w.tickets[location], id)
		w.where[id] = location
	}
}

func (w *world) locate(id int64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.where[id]
}

func (w *world) newScreen(i int) *screen {
	s := &screen{w: w, name: fmt.Sprint("screen ", i), rng: newRand(w.seed, 100+i)}
	add := func(kind string, id int64, a hub.Audience) {
		s.feeds = append(s.feeds, &feed{
			key: hub.Key{Channel: wire.Channel{Kind: kind, ID: id}, Audience: a}, asked: map[int64]uint64{},
		})
	}
	p := w.house.locations[i%len(w.house.locations)]
	switch {
	case i%4 == 2:
		add(wire.ConsoleChannel, int64(p.id), hub.Staff)
		add(wire.BoardChannel, int64(p.id), hub.Display)
	case i%4 == 3:
		add(wire.TicketChannel, w.tickets[p.id][0], hub.Visitor)
	default:
		add(wire.BoardChannel, int64(p.id), hub.Display)
	}
	return s
}

// play is one seed, from the founding of the house to the last comparison.
func (w *world) play() {
	w.found()
	stop := make(chan struct{})
	var node, screens, clerks sync.WaitGroup
	node.Go(func() { w.supervise(stop) })
	var all []*screen
	for i := range w.set.screens {
		s := w.newScreen(i)
		all = append(all, s)
		screens.Go(s.live)
	}
	for i := range w.set.clerks {
		clerks.Go(func() { w.work(i) })
	}
	planned := make(chan struct{})
	node.Go(func() { w.plan(planned) })
	clerks.Wait()
	close(planned)
	w.mu.Lock()
	w.quiet = true
	w.mu.Unlock()
	// Screens come back and catch up; nothing is left to do for anybody then.
	rest(time.Second)
	synctest.Wait()
	if n := w.await(); n != nil && !w.failed {
		w.compare(n, all)
	}
	close(w.end)
	screens.Wait()
	close(stop)
	node.Wait()
	if !w.failed {
		w.audit()
	}
}

// plan restarts the node now and then while the clerks work.
func (w *world) plan(done <-chan struct{}) {
	rng := newRand(w.seed, 99)
	for {
		t := time.NewTimer(between(rng, 20*w.set.pace, 80*w.set.pace))
		select {
		case <-t.C:
			select {
			case w.restart <- chance(rng, 0.5):
			case <-done:
				return
			}
		case <-done:
			t.Stop()
			return
		}
	}
}

func TestWorld(t *testing.T) {
	var mu sync.Mutex
	counts := map[string]int{}
	all := seeds(*seedsFlag)
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range all {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, seed)
					w.play()
					if w.failed {
						t.Logf("play it again with -run TestWorld -sim.seed %d; settings %+v", seed, w.set)
					}
					mu.Lock()
					defer mu.Unlock()
					for what, n := range w.counts {
						counts[what] += n
					}
				})
			})
		}
	})
	t.Logf("%d seeds: %v", len(all), counts)
	if len(all) < 20 {
		return // a few seeds need not have met everything
	}
	for _, what := range []string{
		"fault", "failed before", "failed after", "kill", "orderly restart", "disk full", "recovered", "snapshot instead of recovery", "slow",
		"acknowledged", "refused", "unknown", "asked again", "asked twice at once", "remembered", "overtook", "boards compared", "consoles compared",
	} {
		if counts[what] == 0 {
			t.Errorf("no seed met %q: the test proves less than it says", what)
		}
	}
}
