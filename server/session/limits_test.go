package session

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestTooManyUnreadableFrames(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		for range 9 {
			p.ask("{", `"id":0`)
		}
		p.ask(`{"id":2,"ping":{}}`, `"id":2`)
		p.ask("{", `"id":0`)
		p.closes(wire.CloseNotJSON)
	})
}

func TestFrameSize(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		head := `{"id":2,"ping":{},"x":"`
		p.ask(head+strings.Repeat("x", wire.MaxFrame-len(head)-2)+`"}`, `{"id":2,"reply":{}}`)
		p.ask(head+strings.Repeat("x", wire.MaxFrame-len(head)-1)+`"}`, "closed with 1009")
		time.Sleep(3 * time.Second)
		p.closes(1009)
		// The same in fragments, none of which is too large.
		p = w.connect("staff")
		part := []byte(strings.Repeat("x", 30000))
		_, _ = p.conn.Write(clientFrame(1, part))
		for range 3 {
			_, _ = p.conn.Write(clientFrame(0, part))
		}
		time.Sleep(3 * time.Second)
		p.closes(1009)
	})
}

func TestConnectLate(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.open("")
		time.Sleep(4900 * time.Millisecond)
		if !p.open() {
			t.Fatal("closed too early")
		}
		time.Sleep(700 * time.Millisecond)
		p.closes(wire.CloseConnectLate)
	})
}

func TestSilence(t *testing.T) {
	for token, c := range map[string]struct{ fine, late time.Duration }{
		"display": {9400 * time.Millisecond, 10 * time.Second},
		"staff":   {49400 * time.Millisecond, 50 * time.Second},
		"visitor": {49400 * time.Millisecond, 50 * time.Second},
	} {
		t.Run(token, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				p := w.connect(token)
				time.Sleep(c.fine)
				p.ask(`{"id":2,"ping":{}}`, `"id":2`) // any frame counts
				time.Sleep(c.fine)
				p.write(0x9, nil)
				synctest.Wait()
				time.Sleep(c.fine)
				p.write(0xa, nil)
				time.Sleep(c.fine)
				if !p.open() {
					t.Fatal("closed too early")
				}
				time.Sleep(c.late - c.fine)
				p.closes(wire.CloseIdle)
			})
		})
	}
}

// A client that is gone answers nothing, not even the close frame.
func TestHalfOpenIsFoundWithin60s(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		p.ask(`{"id":2,"subscribe":{"channel":"board:1"}}`, `"id":2`)
		resume := p.pause()
		p.mu.Lock()
		p.mute = true
		p.mu.Unlock()
		time.Sleep(60 * time.Second)
		synctest.Wait()
		if n := w.srv.Stats().Sessions; n != 0 && !w.allClosing() {
			t.Errorf("%d sessions", n)
		}
		time.Sleep(10 * time.Second) // the close frame could not be written
		synctest.Wait()
		if n := w.srv.Stats().Sessions; n != 0 || w.hub.Stats().Subscribers != 0 {
			t.Errorf("%d sessions, %d subscribers", n, w.hub.Stats().Subscribers)
		}
		resume()
	})
}

func (w *world) allClosing() bool {
	w.srv.mu.Lock()
	defer w.srv.mu.Unlock()
	for s := range w.srv.sessions {
		if !s.out.Closing() {
			return false
		}
	}
	return true
}

func TestExpiry(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("short")
		for range 8 {
			time.Sleep(10 * time.Second)
			p.ask(`{"id":2,"ping":{}}`, `"id":2`)
		}
		time.Sleep(9900 * time.Millisecond)
		if !p.open() {
			t.Fatal("closed too early")
		}
		time.Sleep(time.Second)
		p.closes(wire.CloseExpired)
		p = w.open("")
		p.ask(`{"id":1,"connect":{"token":"short"}}`, `"code":"unauthenticated"`)
		p.closes(wire.CloseExpired)
	})
}

func TestRates(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		for range 39 {
			p.ask(`{"id":2,"ping":{}}`, `{"id":2,"reply":{}}`)
		}
		p.ask(`{"id":3,"ping":{}}`, `"id":3`, `"code":"rate_limited"`, `"retryAfter":1`)
		time.Sleep(time.Second)
		for range 20 {
			p.ask(`{"id":4,"ping":{}}`, `{"id":4,"reply":{}}`)
		}
		p.ask(`{"id":5,"ping":{}}`, `"code":"rate_limited"`)
		other := w.connect("staff") // has its own rate
		other.ask(`{"id":2,"ping":{}}`, `{"id":2,"reply":{}}`)
		time.Sleep(10 * time.Second)
		for range 40 + 100 {
			p.send(`{"id":6,"ping":{}}`)
		}
		if !p.open() {
			t.Fatal("closed too early")
		}
		p.send(`{"id":6,"ping":{}}`)
		p.closes(wire.CloseRateLimited)
	})
}

func TestPingFlood(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		for range 39 + 101 {
			p.write(0x9, []byte("x"))
		}
		p.closes(wire.CloseRateLimited)
		if p.pongs != 39 {
			t.Errorf("%d pongs", p.pongs)
		}
	})
}

func TestSubscriptionLimit(t *testing.T) {
	inWorld(t, func(l *Limits) { l.Subscriptions = 3 }, func(w *world) {
		p := w.connect("staff")
		for i := range 3 {
			p.ask(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"ticket:%d"}}`, i+1), `"recovered"`)
		}
		p.ask(`{"id":3,"subscribe":{"channel":"ticket:4"}}`, `"id":3`, `"code":"too_large"`)
		p.ask(`{"id":4,"subscribe":{"channel":"ticket:3"}}`, `"recovered"`)
		p.ask(`{"id":5,"unsubscribe":{"channel":"ticket:1"}}`, `"reply":{}`)
		p.ask(`{"id":6,"subscribe":{"channel":"ticket:4"}}`, `"recovered"`)
	})
}

func TestSocketsPerCredential(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		var open []*peer
		for range 5 {
			open = append(open, w.connect("visitor"))
		}
		p := w.open("")
		p.ask(`{"id":1,"connect":{"token":"visitor"}}`, `"code":"rate_limited"`, `"retryAfter"`)
		p.closes(wire.CloseTooManyConns)
		_ = open[0].conn.Close()
		synctest.Wait()
		w.connect("visitor")
		w.connect("staff")
	})
}

func TestStrangers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		var open []*peer
		for range 20 {
			open = append(open, w.open(""))
		}
		p := w.open("")
		body, _ := io.ReadAll(io.LimitReader(p.resp.Body, 200))
		if p.resp.StatusCode != 429 || p.resp.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), `"rate_limited"`) {
			t.Errorf("%d %s", p.resp.StatusCode, body)
		}
		_ = p.conn.Close()
		w.open("Authorization: Bearer staff\r\n") // not a stranger
		open[0].ask(`{"id":1,"connect":{"token":"staff"}}`, `"reply"`)
		w.open("")
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if s := w.srv.Stats(); s.Strangers != 0 || s.Sessions != 1 || s.Refused != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Unix(0, 0).Add(time.Hour)
	take := func() bool { _, ok := b.take(now, 2, 3); return ok }
	for i := range 3 {
		if !take() {
			t.Fatalf("refused %d of a burst of 3", i)
		}
	}
	if wait, ok := b.take(now, 2, 3); ok || wait != 500*time.Millisecond {
		t.Errorf("%v, wait %v", ok, wait)
	}
	now = now.Add(-time.Hour) // the clock leaps back: nothing is won or lost
	if take() {
		t.Error("a leap back gave a token")
	}
	now = now.Add(time.Hour + 500*time.Millisecond)
	if !take() || take() {
		t.Error("half a second is one token")
	}
}
