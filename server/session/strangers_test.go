package session

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/hub/wire"
)

// Who finds no place waits for one, and has it as soon as another says who he is.
func TestStrangersWaitForAPlace(t *testing.T) {
	inWorld(t, func(l *Limits) { l.Pending, l.PendingPerIP = 2, 2 }, func(w *world) {
		first, second := w.open(""), w.open("")
		late := w.opening(3)
		synctest.Wait()
		if got := arrived(late); len(got) != 0 {
			t.Fatalf("%d were let in beside two", len(got))
		}
		began := time.Now()
		first.ask(`{"id":1,"connect":{"token":"staff"}}`, `"reply"`)
		synctest.Wait()
		got := arrived(late)
		if len(got) != 1 || got[0].resp.StatusCode != http.StatusSwitchingProtocols || time.Since(began) != 0 {
			t.Fatalf("%d were let in after %v", len(got), time.Since(began))
		}
		_ = second.conn.Close() // who goes away makes room, too
		synctest.Wait()
		if got = append(got, arrived(late)...); len(got) != 2 {
			t.Fatalf("%d were let in", len(got))
		}
		time.Sleep(patience)
		synctest.Wait()
		if last := arrived(late); len(last) != 1 || last[0].resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the last one waits for ever")
		}
		got[0].ask(`{"id":1,"connect":{"token":"staff"}}`, `"reply"`) // its five seconds began when it was let in
		time.Sleep(DefaultLimits().Connect - patience - time.Second)
		got[1].ask(`{"id":1,"connect":{"token":"staff"}}`, `"reply"`)
	})
}

func TestTheWaitingRoomHasAnEnd(t *testing.T) {
	inWorld(t, func(l *Limits) { l.Pending, l.PendingPerIP = 2, 2 }, func(w *world) {
		for range 2 {
			w.open("")
		}
		late := w.opening(2*waitingRoom + 1)
		synctest.Wait()
		if got := arrived(late); len(got) != 1 || got[0].resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%d of %d were answered", len(got), 2*waitingRoom+1)
		}
		if s := w.srv.Stats(); s.Waiting != 2*waitingRoom || s.Refused != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhoWaitsIsToldThatTheNodeStops(t *testing.T) {
	inWorld(t, func(l *Limits) { l.Pending, l.PendingPerIP = 1, 1 }, func(w *world) {
		p := w.open("")
		late := w.opening(1)
		synctest.Wait()
		w.stop()
		p.closes(wire.CloseDrain)
		if got := arrived(late); len(got) != 1 || got[0].resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%d were answered", len(got))
		}
	})
}

func TestWhoGoesAwayDoesNotWait(t *testing.T) {
	inWorld(t, func(l *Limits) { l.Pending, l.PendingPerIP = 1, 1 }, func(w *world) {
		w.open("")
		client, server := net.Pipe()
		w.dial <- server
		_, _ = io.WriteString(client, "GET /ws HTTP/1.1\r\nHost: hub\r\n\r\n") // a pipe has no buffer: it was read
		synctest.Wait()
		if s := w.srv.Stats(); s.Waiting != 1 {
			t.Errorf("%+v", s)
		}
		_ = client.Close()
		synctest.Wait()
		if s := w.srv.Stats(); s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// opening opens sockets that may have to wait for the answer.
func (w *world) opening(count int) <-chan *peer {
	in := make(chan *peer, count)
	for range count {
		go func() { in <- w.open("") }()
	}
	return in
}

func arrived(in <-chan *peer) (all []*peer) {
	for {
		select {
		case p := <-in:
			all = append(all, p)
		default:
			return all
		}
	}
}

// No place stays empty while somebody may have it, and nobody gets one too many.
func TestPlacesOfStrangers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strangers{limit: rapid.IntRange(1, 6).Draw(t, "limit"), from: map[string]int{}}
		s.perAddress = rapid.IntRange(1, s.limit).Draw(t, "per address")
		var inside []string
		var waiting []*newcomer
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			address := fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "address"))
			switch do := rapid.IntRange(0, 2).Draw(t, "do"); {
			case do == 0 && s.enter(address):
				inside = append(inside, address)
			case do == 0:
				if n := s.queue(address); n != nil {
					waiting = append(waiting, n)
				}
			case do == 1 && len(inside) > 0:
				i := rapid.IntRange(0, len(inside)-1).Draw(t, "who")
				s.leave(inside[i])
				inside = slices.Delete(inside, i, i+1)
			case do == 2 && len(waiting) > 0:
				i := rapid.IntRange(0, len(waiting)-1).Draw(t, "who")
				if !s.giveUp(waiting[i]) {
					t.Fatal("who waits cannot give up")
				}
				waiting = slices.Delete(waiting, i, i+1)
			}
			waiting = slices.DeleteFunc(waiting, func(n *newcomer) bool {
				select {
				case <-n.in:
					inside = append(inside, n.address)
					return true
				default:
					return false
				}
			})
			settled(t, &s, inside, waiting)
		}
	})
}

func settled(t *rapid.T, s *strangers, inside []string, waiting []*newcomer) {
	if s.all != len(inside) || s.all > s.limit || !slices.Equal(s.waiting, waiting) {
		t.Fatalf("%d inside of %d, %d counted; %d wait, %d counted", len(inside), s.limit, s.all, len(waiting), len(s.waiting))
	}
	from := map[string]int{}
	for _, address := range inside {
		if from[address]++; from[address] > s.perAddress {
			t.Fatalf("%d from one address", from[address])
		}
	}
	for _, n := range waiting {
		if s.all < s.limit && from[n.address] < s.perAddress {
			t.Fatalf("%s waits in vain", n.address)
		}
	}
}
