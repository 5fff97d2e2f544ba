//go:build unix

package torture

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
)

const (
	// stormMemory is what a node must get through a storm with.
	stormMemory, stormLimit = 512 << 20, "512MiB"
	// missed is how many changes everybody misses in a storm.
	missed = 20
	// tardy is how much slower than its goal a machine may be, on which others work
	// too, before a time counts as wrong.
	tardy = 10
)

// TestReconnectStorm breaks ten thousand links at one instant, lets their clients miss
// some changes, and then lets all of them come at once (F13). Each gets exactly what it
// missed, whoever works meanwhile is answered, and the node stays small.
func TestReconnectStorm(t *testing.T) {
	clients := fits(t, rounds(300, 10_000), 1)
	v := newVictim(t, order{Crowd: 2 * clients, Memory: stormLimit})
	c := newCrowd(t)
	c.join(t, v.URL, v.DisplayToken, clients)
	folds := metric(t, v.URL, "nowserving_hub_snapshots")
	worker := dial(t, v.URL, v.StaffToken)
	var back, p99 []time.Duration
	largest, refused := 0, 0
	for round := range rounds(3, 10) {
		c.ask(t, wish{Do: "tell"})
		c.ask(t, wish{Do: "cut"})
		testkit.Eventually(t, "the node notices", time.Minute, func() bool { return metric(t, v.URL, "nowserving_hub_subscribers") == 0 })
		head := uint64(0)
		for range missed {
			head = max(head, v.made(t))
		}
		stop := work(t, worker, v.resident)
		began := time.Now()
		c.ask(t, wish{Do: "free"})
		said := c.ask(t, wish{Do: "await", Lost: round + 1, At: head})
		done := stop()
		back, p99 = append(back, said.Back.Sub(began)), append(p99, done.p99())
		largest, refused = max(largest, done.most), refused+said.Refused
		t.Logf("round %d: %d back after %v, %d attempts refused; %d commands meanwhile, p50 %v, p99 %v, most %v; memory %d MiB", round, said.Live,
			back[round].Round(time.Millisecond), said.Refused, len(done.took), done.took[len(done.took)/2], p99[round], slices.Max(done.took), done.most>>20)
		if said.Live != clients || said.Pushes != clients*missed || said.Fewest != missed || said.Snapshots > 0 {
			t.Fatalf("round %d: %d of %d are back; %d pushes, at least %d each, and %d snapshots", round, said.Live, clients, said.Pushes, said.Fewest, said.Snapshots)
		}
	}
	if n := metric(t, v.URL, "nowserving_hub_snapshots") - folds; n > 0 {
		t.Errorf("%d snapshots were made for clients that could go on", n)
	}
	if largest > stormMemory {
		t.Errorf("the node grew to %d MiB", largest>>20)
	}
	if m := median(p99); m > tardy*250*time.Millisecond {
		t.Errorf("commands took %v in a storm", m)
	}
	proved(t, "%d storms of %d clients, each back after %d missed changes; median %v, commands' p99 %v (goal 250 ms), memory at most %d MiB, %d attempts refused",
		len(back), clients, missed, median(back).Round(time.Millisecond), median(p99).Round(time.Millisecond), largest>>20, refused)
}

// made makes a ticket and says at which offset.
func (v *victim) made(t testing.TB) uint64 {
	t.Helper()
	_ = v.good.conn.SetDeadline(time.Now().Add(socketLimit))
	return offsetOf(t, v.good.ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`))
}

// worked is how a clerk fared, and how large the node was meanwhile.
type worked struct {
	took []time.Duration
	most int
}

func (w worked) p99() time.Duration { return w.took[len(w.took)*99/100] }

// work has a clerk write notes, which no screen shows, until stop.
func work(t *testing.T, s *socket, size func() int) (stop func() worked) {
	t.Helper()
	var ended atomic.Bool
	out := make(chan worked, 1)
	go func() {
		var w worked
		for last := false; !last; {
			last = ended.Load() // one more when it is over: there is always one
			began := time.Now()
			if err := s.note(t, "still here"); err != nil {
				t.Errorf("a note: %v", err)
			}
			w.took = append(w.took, time.Since(began))
			w.most = max(w.most, size())
			time.Sleep(5 * time.Millisecond) // the clerk's pace
		}
		slices.Sort(w.took)
		out <- w
	}()
	return func() worked { ended.Store(true); return <-out }
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// TestRestartUnderScreens stops and kills a node in turn under five thousand screens and
// clerks who work on (F14). A stop sends every screen away with the code to come back by,
// and they spread by themselves; nothing is lost, and all return.
func TestRestartUnderScreens(t *testing.T) {
	screens := fits(t, rounds(100, 5000), 1)
	data, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	// A link that has not been good for a ping counts as one that failed.
	o := order{Listen: addr, Data: data, Crowd: 2 * screens, Ping: 2 * time.Second}
	node := serve(t, o)
	d := readDemo(t, data)
	// Each change goes to all of them, who share the machine with the node.
	l := newPacedLoad(t, d.URL, d.StaffToken, *seedFlag, 2, time.Duration(rounds(50, 2000))*time.Millisecond)
	c := newCrowd(t)
	c.join(t, d.URL, d.DisplayToken, screens)
	var back [2][]time.Duration
	for round := range rounds(2, 10) {
		c.ask(t, wish{Do: "await", Steady: time.Duration(rounds(0, 1)) * o.Ping})
		before := l.count()
		kind := round % 2
		began := time.Now()
		if kind == 0 {
			node.stop(t)
		} else {
			node.kill()
		}
		gone := time.Since(began)
		node = serve(t, o)
		ready := time.Now()
		said := c.ask(t, wish{Do: "await", Lost: round + 1})
		back[kind] = append(back[kind], said.Back.Sub(ready))
		t.Logf("round %d: gone after %v; all %d back %v after the new one was ready; ends %v, waits %v to %v, %d attempts in vain", round, gone.Round(time.Millisecond),
			screens, back[kind][len(back[kind])-1].Round(time.Millisecond), said.Ends, said.Shortest, said.Longest, said.Refused)
		sentAway(t, said, screens, kind == 0)
		want := max(l.count(), before) + 4
		testkit.Eventually(t, "the clerks go on", time.Minute, func() bool { return l.count() >= want })
	}
	l.rest()
	said := c.ask(t, wish{Do: "await", At: freshScreen(t, l, d.URL, d.StaffToken).at()})
	if said.Live != screens {
		t.Errorf("%d of %d screens are current", said.Live, screens)
	}
	l.stop()
	node.stop(t)
	l.check(data, 0)
	for kind, name := range []string{"a stop", "a kill"} {
		m := median(back[kind])
		if m > tardy*10*time.Second {
			t.Errorf("after %s the screens were back after %v", name, m)
		}
		proved(t, "%d screens %d times after %s: median %v, longest %v (goal 10 s)", screens, len(back[kind]), name,
			m.Round(time.Millisecond), slices.Max(back[kind]).Round(time.Millisecond))
	}
	proved(t, "%d answers, all kept", l.count())
}

// sentAway checks how every screen was told to go.
func sentAway(t *testing.T, said tale, screens int, stopped bool) {
	t.Helper()
	code := 0
	if stopped {
		code = int(wire.CloseDrain)
	}
	if said.Ends[code] != screens || len(said.Ends) != 1 {
		t.Errorf("%d screens ended as %v, want all by %d", screens, said.Ends, code)
	}
	// The chance of a narrow spread is none: a hundred screens choose a moment each.
	if all := time.Duration(jitter() * float64(5*time.Second)); stopped && (said.Longest > all || said.Longest-said.Shortest < all/2) {
		t.Errorf("they return between %v and %v after it", said.Shortest, said.Longest)
	}
}

// offsetOf is where the journal has what was answered.
func offsetOf(t testing.TB, a answer) uint64 {
	t.Helper()
	if a.Error != nil {
		t.Fatal(a.Error)
	}
	var reply wire.CommandReply
	if err := json.Unmarshal(a.Reply, &reply); err != nil || reply.Offset == 0 {
		t.Fatalf("%s: %v", a.Reply, err)
	}
	return reply.Offset
}
