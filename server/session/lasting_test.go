package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// A page in the background is late with its own pings; the browser itself
// answers the node's.
func TestSilentClientIsProbed(t *testing.T) {
	for token, late := range map[string]time.Duration{"staff": 30 * time.Second, "display": 6 * time.Second} {
		inWorld(t, nil, func(w *world) {
			p := w.connect(token)
			for range 4 {
				time.Sleep(late + wheelTick)
				synctest.Wait()
				if !p.probed() {
					t.Fatalf("%s: no ping after %v", token, late)
				}
				p.write(0xa, nil)
				synctest.Wait()
			}
			if !p.open() {
				t.Fatalf("%s: closed although it answers pings", token)
			}
		})
	}
}

// A sign-in that is used lives on, and so does its socket.
func TestExpiryIsAskedAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		var longer time.Time
		w.gate.mu.Lock()
		w.gate.recheck = func(id auth.Identity) (auth.Identity, error) {
			if longer.IsZero() {
				return id, nil
			}
			id.Expires = longer
			return id, nil
		}
		w.gate.mu.Unlock()
		longer = time.Now().Add(40 * time.Minute)
		p := w.connect("short")
		for range 80 {
			time.Sleep(20 * time.Second)
			p.write(0x9, nil)
		}
		if !p.open() {
			t.Fatal("closed although the credential lives on")
		}
		for range 60 {
			time.Sleep(20 * time.Second)
			p.write(0x9, nil)
		}
		p.closes(wire.CloseExpired)
	})
}

func TestDisconnectOfOneGrant(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		a, b := w.connect("staff"), w.connect("display")
		if n := w.srv.Disconnect("grant:staff", wire.CloseChanged); n != 1 {
			t.Fatalf("%d sockets", n)
		}
		a.closes(wire.CloseChanged)
		if !b.open() {
			t.Fatal("another grant's socket was closed")
		}
	})
}
