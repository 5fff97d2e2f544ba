package session

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestConnectAndTalk(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.open("")
		if got := p.resp.Header.Get("Sec-WebSocket-Protocol"); got != wire.Subprotocol {
			t.Errorf("subprotocol %q", got)
		}
		if p.resp.Header.Get("Sec-WebSocket-Extensions") != "" {
			t.Error("an extension was agreed to")
		}
		p.ask(`{"id":1,"connect":{"token":"display","name":"lobby-tv/1.0"}}`,
			`{"id":1,"reply":{"session":"s-1","audience":"display","ping":5,"time":"2000-01-01T00:00:00.000Z"}}`)
		p.ask(`{"id":2,"subscribe":{"channel":"board:1"}}`,
			`{"id":2,"reply":{"channel":"board:1","epoch":"e1","offset":5,"recovered":false,"snapshot":{"n":5}}}`)
		w.publish(6, `{"n":6}`)
		if m := p.take(); !strings.Contains(m, `"push":"ticket.called","channel":"board:1","offset":6,"prev":5`) {
			t.Error(m)
		}
		p.ask(`{"id":3,"subscribe":{"channel":"board:1","since":{"epoch":"e1","offset":5}}}`, `"id":3`, `"offset":6,"recovered":true}`)
		if m := p.take(); !strings.Contains(m, `"offset":6`) {
			t.Error(m)
		}
		p.ask(`{"id":4,"unsubscribe":{"channel":"board:1"}}`, `{"id":4,"reply":{}}`)
		w.publish(7, `{}`)
		p.ask(`{"id":5,"ping":{}}`, `{"id":5,"reply":{}}`)
		p.ask(`{"id":6,"receipt":{"channel":"board:1","offset":6,"painted":true}}`, `{"id":6,"reply":{}}`)
		p.ask(`{"id":7,"command":{"name":"ticket.call","params":{"ticket":"17"}}}`, `{"id":7,"reply":{"offset":7,"ticket":{"id":"17"}}}`)
		if got := fmt.Sprint(w.gate.calls); got != `[receipt board:1 6 display:2 ticket.call {"ticket":"17"}]` {
			t.Error(got)
		}
		s := w.connect("staff")
		s.ask(`{"id":2,"connect":{}}`, `"code":"conflict"`)
		if s.ask(`{"id":3,"ping":{}}`); w.srv.Stats().Kinds["display"] != 1 || w.srv.Stats().Sessions != 2 {
			t.Errorf("%+v", w.srv.Stats())
		}
	})
}

// The WebSocket library leaves it to us what is UTF-8.
func TestNotUTF8(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		p.write(0x1, []byte("{\"id\":2,\"ping\":{},\"x\":\"\xff\"}"))
		p.closes(wire.CloseNotUTF8)
	})
}

func TestBadInput(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("visitor")
		p.ask(`hello`, `"id":0`, `"code":"bad_request"`, `"field":"frame"`)
		p.ask(`{"id":3,"dance":{}}`, `"id":3`, `"code":"bad_request"`)
		p.ask(`{"ping":{}}`, `"id":0`, `"field":"id"`)
		p.ask(`{"id":4,"subscribe":{"channel":"room:1"}}`, `"id":4`, `"field":"channel"`)
		p.ask(`{"id":4,"unsubscribe":{"channel":"room:1"}}`, `"id":4`, `"field":"channel"`)
		p.ask(`{"id":4,"receipt":{"channel":"room:1"}}`, `"id":4`, `"field":"channel"`)
		p.ask(`{"id":4,"signal":{"channel":"room:1"}}`, `"id":4`, `"field":"channel"`)
		p.ask(`{"id":5,"subscribe":{"channel":"ticket:404"}}`, `"id":5`, `"code":"not_found"`)
		p.ask(`{"id":6,"subscribe":{"channel":"ticket:18"}}`, `"id":6`, `"code":"forbidden"`)
		p.ask(`{"id":7,"command":{"name":"dance"}}`, `"id":7`, `"field":"name"`)
		p.ask(`{"id":8,"receipt":{"channel":"board:1"}}`, `"id":8`, `"code":"forbidden"`)
		p.ask(`{"id":9,"signal":{"channel":"ticket:17","name":"wave"}}`, `"id":9`, `"field":"name"`)
		p.ask(`{"id":10,"command":{"name":"broken"}}`, `"id":10`, `"code":"internal"`)
		p.ask(`{"id":11,"command":{"name":"panic"}}`, `"id":11`, `"code":"internal"`)
		p.ask(`{"id":12,"ping":{}}`, `{"id":12,"reply":{}}`)
		for _, m := range p.got {
			if strings.Contains(m, "badger") || strings.Contains(m, "defect") {
				t.Errorf("internal text was sent: %s", m)
			}
		}
	})
}

func TestFragmentsArePutTogether(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		for i, part := range []string{`{"id":`, `2,"pi`, `ng":{}}`} {
			first := byte(0)
			if i == 0 {
				first = 1
			}
			if i == 2 {
				first |= 0x80
			}
			_, _ = p.conn.Write(clientFrame(first, []byte(part)))
			p.write(0x9, []byte("between"))
		}
		if m := p.take(); m != `{"id":2,"reply":{}}` {
			t.Error(m)
		}
		if p.pongs != 3 {
			t.Errorf("%d pongs", p.pongs)
		}
	})
}

func TestBinaryFrame(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		p.write(2, []byte(`{"id":2,"ping":{}}`))
		p.closes(wire.CloseBinary)
	})
}

func TestProtocolViolations(t *testing.T) {
	for name, raw := range map[string][]byte{
		"reserved bit":      clientFrame(0xc1, []byte("x")),
		"unknown opcode":    clientFrame(0x83, []byte("x")),
		"long ping":         clientFrame(0x89, make([]byte, 126)),
		"no mask":           {0x81, 1, 'x'},
		"lone continuation": clientFrame(0x80, []byte("x")),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				p := w.connect("staff")
				_, _ = p.conn.Write(raw)
				time.Sleep(3 * time.Second)
				synctest.Wait()
				p.mu.Lock()
				defer p.mu.Unlock()
				if !p.ended {
					t.Error("the connection is open")
				}
			})
		})
	}
}

func TestConnectFailures(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.open("")
		p.ask(`{"id":1,"ping":{}}`, `"id":1`, `"code":"unauthenticated"`)
		p.ask(`{"id":2,"connect":{"token":"broken"}}`, `"id":2`, `"code":"internal"`)
		p.ask(`{"id":3,"connect":{"token":"foreign"}}`, `"id":3`, `"code":"unauthenticated"`)
		p.closes(wire.CloseBadToken)
		p = w.open("")
		p.ask(`{"id":1,"connect":{}}`, `"code":"unauthenticated"`)
		p.closes(wire.CloseBadToken)
	})
}

func TestRevoke(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		a, b, other := w.connect("staff"), w.connect("staff"), w.connect("display")
		w.gate.mu.Lock()
		w.gate.revoked["user:1"] = true
		w.gate.mu.Unlock()
		began := time.Now()
		if n := w.srv.Revoke("user:1"); n != 2 {
			t.Errorf("%d sockets", n)
		}
		a.closes(wire.CloseRevoked)
		b.closes(wire.CloseRevoked)
		if d := time.Since(began); d > time.Second || !other.open() {
			t.Errorf("took %v; the other is open: %v", d, other.open())
		}
	})
}

// A credential that is revoked while it is being checked does not get in.
func TestRevokeWhileConnecting(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		asked := 0
		w.gate.onToken = func() {
			if asked++; asked == 2 {
				w.gate.mu.Lock()
				w.gate.revoked["user:1"] = true
				w.gate.mu.Unlock()
			}
			if asked == 1 { // after the first look, before it is entered
				w.srv.Revoke("user:1")
			}
		}
		p := w.open("")
		p.ask(`{"id":1,"connect":{"token":"staff"}}`, `"code":"unauthenticated"`)
		p.closes(wire.CloseBadToken)
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestHandshakeIdentities(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for _, c := range []struct{ header, connect, want string }{
			{"Authorization: Bearer display\r\n", `{}`, `"audience":"display"`},
			{"Authorization: Bearer display\r\n", `{"token":"staff"}`, `"audience":"staff"`}, // the token counts first
			{"Cookie: session=staff\r\nOrigin: http://hub\r\n", `{}`, `"audience":"staff"`},
			{"Cookie: session=staff\r\nOrigin: https://HUB\r\n", `{}`, `"audience":"staff"`},
			{"Cookie: session=staff\r\nOrigin: http://evil\r\n", `{}`, `"unauthenticated"`},
			{"Cookie: session=staff\r\nOrigin: null\r\n", `{}`, `"unauthenticated"`},
			{"Cookie: session=staff\r\nOrigin: http://hub.evil\r\n", `{}`, `"unauthenticated"`},
			{"Cookie: session=staff\r\n", `{}`, `"unauthenticated"`},
			{"Cookie: session=staff\r\nOrigin: http://evil\r\n", `{"token":"visitor"}`, `"audience":"visitor"`},
			{"Authorization: Bearer key\r\nOrigin: http://elsewhere\r\n", `{}`, `"audience":"integrator"`},
		} {
			p := w.open(c.header)
			p.ask(`{"id":1,"connect":`+c.connect+`}`, c.want)
			_ = p.conn.Close()
		}
		p := w.open("Authorization: Bearer foreign\r\n")
		if p.resp.StatusCode != 401 {
			t.Errorf("status %d", p.resp.StatusCode)
		}
		_ = p.conn.Close()
	})
}

// Colleagues see who of them types; the visitor sees only that somebody does.
func TestStaffSignalsNameTheirSenderToStaffOnly(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		a, b, c := w.connect("staff"), w.connect("staff"), w.connect("visitor")
		for _, p := range []*peer{a, b, c} {
			p.ask(`{"id":2,"subscribe":{"channel":"ticket:17"}}`, `"id":2`)
		}
		a.ask(`{"id":3,"signal":{"channel":"ticket:17","name":"typing"}}`, `{"id":3,"reply":{}}`)
		if m := b.take(); !strings.Contains(m, `"data":{"name":"typing","session":"s-1","audience":"staff","user":1,"userName":"User 1"}`) {
			t.Error(m)
		}
		if m := c.take(); !strings.Contains(m, `"data":{"name":"typing","session":"s-1","audience":"staff"}`) {
			t.Error(m)
		}
		if m := a.take(); !strings.HasPrefix(m, "nothing") {
			t.Error(m)
		}
	})
}

func TestPresenceAndSignals(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		a := w.connect("staff")
		a.ask(`{"id":2,"subscribe":{"channel":"console:1"}}`, `"id":2`)
		a.ask(`{"id":3,"subscribe":{"channel":"ticket:17"}}`, `"id":3`)
		b := w.connect("visitor")
		w.connect("key") // neither a visitor nor a program is somebody at work here
		c := w.connect("display")
		if m := a.take(); !strings.Contains(m, `"push":"presence","channel":"console:1"`) ||
			!strings.Contains(m, `{"session":"s-4","name":"test/1.0","audience":"display","display":2,"online":true}`) {
			t.Error(m)
		}
		b.ask(`{"id":2,"subscribe":{"channel":"ticket:17"}}`, `"id":2`)
		b.ask(`{"id":3,"signal":{"channel":"ticket:17","name":"typing"}}`, `{"id":3,"reply":{}}`)
		if m := a.take(); !strings.Contains(m, `"push":"signal"`) ||
			!strings.Contains(m, `"data":{"name":"typing","session":"s-2","audience":"visitor"}`) {
			t.Error(m)
		}
		_ = b.conn.Close()
		_ = c.conn.Close()
		if m := a.take(); !strings.Contains(m, `"session":"s-4"`) || !strings.Contains(m, `"online":false`) {
			t.Error(m)
		}
		if m := a.take(); !strings.HasPrefix(m, "nothing") {
			t.Error(m)
		}
	})
}

func TestClientCloses(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		p.mu.Lock()
		p.mute = true
		p.mu.Unlock()
		p.write(8, []byte{3, 232})
		p.closes(1000)
		if w.srv.Stats().Sessions != 0 {
			t.Error("the session is still there")
		}
	})
}

// A client that does not answer the close frame is cut after the linger.
func TestCloseIsNotAnswered(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		p.mu.Lock()
		p.mute = true
		p.mu.Unlock()
		w.srv.Revoke("user:1")
		for range 5 { // goes on talking instead
			p.send(`{"id":9,"ping":{}}`)
			time.Sleep(200 * time.Millisecond)
		}
		synctest.Wait()
		if w.srv.Stats().Sessions != 1 {
			t.Error("cut too early")
		}
		time.Sleep(1100 * time.Millisecond)
		p.closes(wire.CloseRevoked)
		if len(p.got) != 1 {
			t.Errorf("answered after the close frame: %v", p.got)
		}
	})
}

func TestSlowConsumer(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		slow, quick := w.connect("display"), w.connect("staff")
		for _, p := range []*peer{slow, quick} {
			p.ask(`{"id":2,"subscribe":{"channel":"board:1"}}`, `"id":2`)
		}
		resume := slow.pause()
		defer resume()
		for i := uint64(6); i < 2000; i++ {
			w.publish(i, `{"n":"`+strings.Repeat("x", 100)+`"}`)
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if len(quick.got) < 1995 {
			t.Errorf("the quick one has %d", len(quick.got))
		}
		if w.hub.Stats().Behind != 1 {
			t.Errorf("%d behind", w.hub.Stats().Behind)
		}
		time.Sleep(11 * time.Second) // no write went through
		synctest.Wait()
		if n := w.srv.Stats().Sessions; n != 1 || w.hub.Stats().Behind != 0 {
			t.Errorf("%d sessions, %d behind", n, w.hub.Stats().Behind)
		}
		if !quick.open() {
			t.Error("the quick one was closed")
		}
	})
}

func TestDrain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		var open []*peer
		for range 20 {
			open = append(open, w.connect("staff"))
		}
		stranger := w.open("")
		done := make(chan error, 1)
		began := time.Now()
		go func() { done <- w.srv.Drain(context.Background(), 4*time.Second) }()
		synctest.Wait()
		p := w.open("")
		if p.resp.StatusCode != 503 {
			t.Errorf("status %d while draining", p.resp.StatusCode)
		}
		_ = p.conn.Close()
		time.Sleep(2 * time.Second)
		ended := 0
		for _, p := range open {
			if !p.open() {
				ended++
			}
		}
		if ended == 0 || ended == len(open) {
			t.Errorf("%d of %d closed in half of the window", ended, len(open))
		}
		if err := <-done; err != nil || time.Since(began) > 4100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		for _, p := range append(open, stranger) {
			p.closes(wire.CloseDrain)
		}
	})
}

func TestDrainCutsWhoStays(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.connect("staff")
		p.mu.Lock()
		p.mute = true // does not answer the close frame
		p.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		if err := w.srv.Drain(ctx, 0); err == nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if w.srv.Stats().Sessions != 0 {
			t.Error("a session is left")
		}
	})
}

func TestTidyName(t *testing.T) {
	for in, want := range map[string]string{
		"lobby-tv/1.0":                "lobby-tv/1.0",
		"a\x00b\u202ec\n":             "abc",
		strings.Repeat("ä", 40):       strings.Repeat("ä", 32),
		"x" + strings.Repeat("ä", 40): "x" + strings.Repeat("ä", 31),
		"":                            "",
	} {
		if got := tidyName(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}
