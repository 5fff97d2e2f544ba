//go:build unix

package torture

import (
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/testkit"
)

// pace is how far apart the changes come whose ways are measured.
const pace = 50 * time.Millisecond

// TestOneSlowReader puts readers of one byte a second beside a thousand screens (F11):
// each is let go within the time that a write may take, and every screen gets
// everything meanwhile, as soon as before.
func TestOneSlowReader(t *testing.T) {
	screens, waves, slow := rounds(50, 1000), rounds(1, 4), rounds(2, 5)
	o := order{Crowd: 2 * screens}
	if !long {
		o.Write = time.Second
	}
	v := newVictim(t, o)
	c := newCrowd(t)
	c.join(t, v.URL, v.DisplayToken, screens)
	limit := o.limits().Write
	var gone, without, with []time.Duration
	for wave := range waves {
		without = append(without, changes(t, v, c, rounds(10, 100), screens))
		began := time.Now()
		before := metric(t, v.URL, `nowserving_sessions{audience="staff"}`)
		var all []*socket
		var sips sync.WaitGroup
		for range slow {
			s := dawdler(t, v)
			sips.Go(s.sip)
			all = append(all, s)
		}
		fill(t, v, slow)
		stuck := time.Now()
		with = append(with, changes(t, v, c, rounds(10, 100), screens))
		testkit.Eventually(t, "the slow are let go", time.Minute, func() bool {
			return metric(t, v.URL, `nowserving_sessions{audience="staff"}`) <= before
		})
		gone = append(gone, time.Since(stuck))
		if n := v.behind(t); n != 0 {
			t.Errorf("%d are still written to", n)
		}
		t.Logf("wave %d: %d were stuck after %v, all gone %v later; p99 %v without, %v with them", wave, slow, stuck.Sub(began).Round(time.Millisecond),
			gone[wave].Round(time.Millisecond), without[wave].Round(time.Millisecond), with[wave].Round(time.Millisecond))
		for _, s := range all {
			s.conn.Close() // it would sip on for hours at what its own machine has
		}
		sips.Wait()
	}
	if m := median(gone); m > 2*limit+tardy*time.Second {
		t.Errorf("slow readers were let go after %v, a write may take %v", m, limit)
	}
	alone, beside := median(without), median(with)
	// Who waited for a slow reader would wait for as long as a write may take.
	if beside > 3*alone+limit/2 {
		t.Errorf("others waited %v beside slow readers, %v without", beside, alone)
	}
	proved(t, "%d slow readers beside %d screens that got all: gone after %v (goal %v); others' p99 %v, without them %v (goal 1.1 times)", waves*slow,
		screens, median(gone).Round(time.Millisecond), limit, beside.Round(time.Millisecond), alone.Round(time.Millisecond))
}

// changes makes tickets at an even pace and says what the p99 of their ways to all
// screens was. Each screen must get each change, and keep its link.
func changes(t *testing.T, v *victim, c *crowd, many, screens int) time.Duration {
	t.Helper()
	c.ask(t, wish{Do: "await", At: v.made(t)})
	c.ask(t, wish{Do: "tell"})
	tick := time.NewTicker(pace)
	defer tick.Stop()
	head := uint64(0)
	for range many {
		<-tick.C
		head = v.made(t)
	}
	said := c.ask(t, wish{Do: "await", At: head})
	if said.Fewest != many || said.Pushes != many*screens || said.Live != screens || len(said.Ends) > 0 || said.Snapshots > 0 {
		t.Fatalf("%d changes, %d screens: %+v", many, screens, said)
	}
	return said.P99
}

// dawdler is a console whose machine takes next to nothing in.
func dawdler(t *testing.T, v *victim) *socket {
	t.Helper()
	s, _, err := handshakeBy(net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		outer := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		if err == nil {
			err = outer
		}
		return err
	}}, v.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.conn.Close() })
	if r := s.ask(t, `"connect":{"token":"`+v.StaffToken+`"}`); r.Error != nil {
		t.Fatal(r.Error)
	}
	if r := s.ask(t, `"subscribe":{"channel":"console:1"}`); r.Error != nil {
		t.Fatal(r.Error)
	}
	_ = s.conn.SetDeadline(time.Time{})
	return s
}

// sip reads a byte a second until the socket is closed.
func (s *socket) sip() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for one := make([]byte, 1); ; <-tick.C {
		if _, err := s.conn.Read(one); err != nil {
			return
		}
	}
}

// write writes ten long notes, which only consoles get.
func (v *victim) write(t *testing.T) {
	t.Helper()
	for range 10 {
		if err := v.good.note(t, strings.Repeat("x", 2000)); err != nil {
			t.Fatal(err)
		}
	}
}

// fill writes until so many sockets are behind.
func fill(t *testing.T, v *victim, many int) {
	t.Helper()
	testkit.Eventually(t, "the slow are behind", time.Minute, func() bool {
		v.write(t)
		return v.behind(t) >= many
	})
}

// TestStoppedClients stops the processes of clients (F12): their sockets are open, and
// nobody reads. With nothing to say to them they are found by their silence, otherwise
// by the write that waits; nothing is left of them.
func TestStoppedClients(t *testing.T) {
	processes, each := rounds(2, 10), 5
	o := order{Crowd: 1000}
	if !long {
		o.Write = time.Second
	}
	v := newVictim(t, o)
	fds, routines := v.descriptors(), metric(t, v.URL, "go_goroutines")
	var took [2]time.Duration
	for kind, busy := range []bool{false, true} {
		if !busy && !long {
			continue // two intervals of silence take their time
		}
		var all []*crowd
		for range processes {
			c := newCrowd(t)
			who := wish{Do: "join", URL: v.URL, Token: v.DisplayToken, Channel: "board:1", Clients: each}
			if busy {
				who.Token, who.Channel = v.StaffToken, "console:1"
			}
			c.ask(t, who)
			c.ask(t, wish{Do: "await"})
			all = append(all, c)
		}
		if n := v.sockets(t); n < processes*each+1 {
			t.Fatalf("only %d sockets are open", n)
		}
		for _, c := range all {
			c.signal(syscall.SIGSTOP)
		}
		took[kind] = found(t, v, busy)
		testkit.Eventually(t, "nothing is left of them", time.Minute, func() bool {
			return v.descriptors() <= fds+5 && metric(t, v.URL, "go_goroutines") <= routines+10 && v.behind(t) == 0
		})
		var wg sync.WaitGroup
		for _, c := range all {
			wg.Go(c.kill)
		}
		wg.Wait()
	}
	silence := 2 * 5 * time.Second                                     // two intervals of a display
	if m := silence + o.limits().Linger + 3*time.Second; took[0] > m { // a third interval is too late
		t.Errorf("clients that say nothing were found after %v, not %v", took[0], silence)
	}
	write := o.limits().Write
	if m := 2*write + 2*tardy*time.Second; took[1] > m {
		t.Errorf("clients that do not read were found after %v; a write may take %v", took[1], write)
	}
	proved(t, "%d processes of %d clients each, stopped: found after %v by their silence (0 s: not tried; goal %v, and 2 s to answer the close frame), and with something to read %v after the first was stuck",
		2*processes, each, took[0].Round(time.Millisecond), silence, took[1].Round(time.Millisecond))
}

// sockets is how many are open.
func (v *victim) sockets(t testing.TB) int { return metric(t, v.URL, "nowserving_sockets") }

// found waits until all clients but the good one are gone, and says how long that took
// since they were stuck. When they are busy, somebody writes until their windows are 0.
func found(t *testing.T, v *victim, busy bool) time.Duration {
	t.Helper()
	began, stuck := time.Now(), 0
	testkit.Eventually(t, "stopped clients are found", time.Minute, func() bool {
		v.works(t)
		if busy {
			v.write(t)
			n := v.behind(t)
			if stuck == 0 && n > 0 {
				began = time.Now()
			}
			stuck = max(stuck, n)
		}
		return v.sockets(t) <= 1
	})
	if busy && stuck == 0 {
		t.Error("no write waited: nothing was tested")
	}
	return time.Since(began)
}
