//go:build unix

package torture

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/testkit"
)

// TestSlowReaders: many readers stop reading (F11, F12). Memory stays bounded, who
// works beside them notices nothing, and who reads again is right. How soon they are
// let go is for slow_test.go.
func TestSlowReaders(t *testing.T) {
	v := newVictim(t, order{})
	l := newLoad(t, v.URL, v.StaffToken, *seedFlag, 2)
	var stalled []*socket
	for range rounds(50, 200) {
		s := dial(t, v.URL, v.StaffToken)
		if r := s.ask(t, `"subscribe":{"channel":"console:1"}`); r.Error != nil {
			t.Fatal(r.Error)
		}
		stalled = append(stalled, s)
	}
	// Little enough that the store's engine need not merge anything, which takes it
	// tens of MiB for some seconds: what grows is ours.
	before, want := v.live(t), l.count()+300
	testkit.Eventually(t, "the load goes on beside stalled readers", time.Minute, func() bool { return l.count() >= want })
	grown := v.live(t) - before
	if grown > 4<<20+len(stalled)*64<<10 {
		t.Errorf("%d stalled readers took %d KiB", len(stalled), grown>>10)
	}
	want = l.count() + rounds(0, 4000)
	testkit.Eventually(t, "the load still goes on", 4*time.Minute, func() bool { return l.count() >= want })
	l.rest()
	v.works(t)
	head := l.newest()
	ended, current := 0, 0
	for _, s := range stalled { // they read again: contiguous, or a snapshot, or closed
		_ = s.conn.SetDeadline(time.Now().Add(socketLimit))
		s.send(t, `{"id":99,"subscribe":{"channel":"console:1"}}`)
		for {
			a, err := s.decoded()
			if err != nil {
				ended++
				break
			}
			if a.ID == 99 {
				current++
				break
			}
		}
		s.conn.Close()
	}
	l.stop()
	testkit.Eventually(t, "no socket is left of them", 2*time.Minute, func() bool { return v.descriptors() < 80 })
	proved(t, "at %d: %d readers came back current, %d had been closed; it took %d KiB", head, current, ended, grown>>10)
}

// TestStorm cuts many screens at one instant, again and again, and restarts the node
// under them (F13, F14): all are back, and each shows what a fresh one does. The
// numbers of thousands are for fleet_test.go.
func TestStorm(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	node := serve(t, order{Listen: addr, Data: data})
	d := readDemo(t, data)
	link := newProxy(t, d.URL, func(int) fate { return fate{} })
	pace := time.Duration(0)
	if long {
		pace = 2 * time.Second // each change goes to all of them
	}
	l := newPacedLoad(t, d.URL, d.StaffToken, *seedFlag, 2, pace)
	screens := boards(t, l, link.url(), d.StaffToken, fits(t, rounds(40, 500), 3))
	all := func(lost int) func() bool {
		return func() bool { return !slices.ContainsFunc(screens, func(s *screen) bool { return !s.back(lost) }) }
	}
	testkit.Eventually(t, "all screens", 3*time.Minute, all(0))
	for round := range rounds(3, 12) {
		switch round % 3 {
		case 0:
			link.calm() // which cuts what is there
		case 1:
			node.kill()
			node = serve(t, order{Listen: addr, Data: data})
		default:
			node.stop(t)
			node = serve(t, order{Listen: addr, Data: data})
		}
		began := time.Now()
		testkit.Eventually(t, "all screens are back", 3*time.Minute, all(round+1))
		t.Logf("round %d: all %d back after %v", round, len(screens), time.Since(began).Round(time.Millisecond))
	}
	l.rest()
	allAs(t, screens, freshScreen(t, l, d.URL, d.StaffToken))
	l.stop()
	link.close()
	node.stop(t)
	proved(t, "%d screens cut off %d times, by the link, a kill and a stop in turn", len(screens), rounds(3, 12))
}

// TestNothingLeaks lets clients come and go for long (F23): memory, goroutines and
// descriptors do not grow.
func TestNothingLeaks(t *testing.T) {
	v := newVictim(t, order{})
	span := 4 * time.Second
	if long {
		span = 10 * time.Minute
		if text := os.Getenv("SOAK"); text != "" {
			var err error
			if span, err = time.ParseDuration(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	var pause time.Duration
	if long {
		pause = 20 * time.Millisecond // 200 clients a second
	}
	churn := func(until time.Time) (n int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 4 {
			wg.Go(func() {
				for time.Now().Before(until) {
					s := dial(t, v.URL, v.StaffToken)
					s.ask(t, `"subscribe":{"channel":"console:1"}`)
					s.ask(t, `"subscribe":{"channel":"board:1"}`)
					s.conn.Close()
					time.Sleep(pause) // the pace, not a wait for anything
					mu.Lock()
					n++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return n
	}
	n := churn(time.Now().Add(span / 4)) // warm
	settle := func() (fds, held, mem int) {
		testkit.Eventually(t, "sockets are closed", time.Minute, func() bool { fds = v.descriptors(); return fds < 60 })
		return fds, v.settled(t), v.resident()
	}
	fds, held, mem := settle()
	routines := metric(t, v.URL, "go_goroutines")
	n += churn(time.Now().Add(span * 3 / 4))
	fdsAfter, heldAfter, memAfter := settle()
	testkit.Eventually(t, "goroutines end", time.Minute, func() bool { return metric(t, v.URL, "go_goroutines") <= routines+10 })
	proved(t, "%d clients in %v: descriptors %d to %d, alive %d to %d KiB, memory %d to %d MiB",
		n, span, fds, fdsAfter, held>>10, heldAfter>>10, mem>>20, memAfter>>20)
	if fdsAfter > fds+5 {
		t.Errorf("descriptors: %d, then %d", fds, fdsAfter)
	}
	if grown := heldAfter - held; grown > 2<<20 {
		t.Errorf("%d KiB more are held over %d clients", grown>>10, n)
	}
	if grown := memAfter - mem; grown > 24<<20 {
		t.Errorf("memory grew by %d MiB over %d clients", grown>>20, n)
	}
	v.good = dial(t, v.URL, v.StaffToken) // the other one has been silent for too long
	v.works(t)
}
