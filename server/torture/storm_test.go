//go:build unix

package torture

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/testkit"
)

// TestSlowReaders: many readers stop reading (F11, F12). Memory stays bounded, who
// works beside them notices nothing, and who reads again is right.
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
	before := v.resident()
	want := l.count() + rounds(300, 4000)
	testkit.Eventually(t, "the load goes on beside stalled readers", 4*time.Minute, func() bool { return l.count() >= want })
	if grown := v.resident() - before; grown > 96<<20 {
		t.Errorf("%d stalled readers took %d MiB", len(stalled), grown>>20)
	}
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
	t.Logf("at %d: %d readers came back current, %d had been closed", head, current, ended)
	l.stop()
	testkit.Eventually(t, "no socket is left of them", 2*time.Minute, func() bool { return v.descriptors() < 80 })
}

// TestStorm cuts many screens at one instant, again and again, and restarts the node
// under them (F13, F14): all are back and current.
func TestStorm(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	node := serve(t, order{Listen: addr, Data: data})
	d := readDemo(t, data)
	link := newProxy(t, d.URL, func(int) fate { return fate{} })
	l := newLoad(t, d.URL, d.StaffToken, *seedFlag, 2)
	var screens []*screen
	for range rounds(40, 400) {
		s := &screen{t: t}
		if err := l.connect(link.url(), d.StaffToken, s).Subscribe("board:1", nil); err != nil {
			t.Fatal(err)
		}
		screens = append(screens, s)
	}
	all := func() bool {
		for _, s := range screens {
			s.mu.Lock()
			live := s.live
			s.mu.Unlock()
			if !live {
				return false
			}
		}
		return true
	}
	testkit.Eventually(t, "all screens", time.Minute, all)
	for round := range rounds(4, 40) {
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
		testkit.Eventually(t, "all screens are back", time.Minute, all)
		t.Logf("round %d: all back after %v", round, time.Since(began).Round(time.Millisecond))
	}
	l.rest()
	fresh := &screen{t: t}
	if err := l.connect(d.URL, d.StaffToken, fresh).Subscribe("board:1", nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "a fresh screen", time.Minute, func() bool { fresh.mu.Lock(); defer fresh.mu.Unlock(); return fresh.resets > 0 })
	for _, s := range screens {
		testkit.Eventually(t, "a screen's catching up", time.Minute, func() bool { return s.shown() == fresh.shown() })
	}
	l.stop()
	link.close()
	node.stop(t)
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
	settle := func() (fds, mem int) {
		testkit.Eventually(t, "sockets are closed", time.Minute, func() bool { fds = v.descriptors(); return fds < 60 })
		return fds, v.resident()
	}
	fds, mem := settle()
	routines := metric(t, v.URL, "go_goroutines")
	n += churn(time.Now().Add(span * 3 / 4))
	fdsAfter, memAfter := settle()
	testkit.Eventually(t, "goroutines end", time.Minute, func() bool { return metric(t, v.URL, "go_goroutines") <= routines+10 })
	t.Logf("%d clients in %v: descriptors %d to %d, memory %d to %d MiB", n, span, fds, fdsAfter, mem>>20, memAfter>>20)
	if fdsAfter > fds+5 {
		t.Errorf("descriptors: %d, then %d", fds, fdsAfter)
	}
	if grown := memAfter - mem; grown > 24<<20 {
		t.Errorf("memory grew by %d MiB over %d clients", grown>>20, n)
	}
	v.works(t)
}
