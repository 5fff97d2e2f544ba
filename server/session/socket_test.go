package session

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// serveLoopback is a server on real sockets, with or without TLS.
func serveLoopback(t *testing.T, secure bool) (srv *Server, h *hub.Hub, dial func() *websocket.Conn) {
	h = hub.New(&board{}, hub.Options{HistoryFrames: 4096, HistoryBytes: 8 << 20})
	limits := DefaultLimits()
	limits.PendingPerIP, limits.Sockets = 1000, map[auth.Kind]int{auth.Display: 1000}
	srv = New(Options{Hub: h, Gate: openGate{}, Limits: limits})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.Run(ctx) })
	wg.Go(func() { _ = srv.Run(ctx) })
	web := httptest.NewUnstartedServer(srv.WebSocket())
	if secure {
		web.StartTLS()
	} else {
		web.Start()
	}
	t.Cleanup(func() {
		ended, stop := context.WithTimeout(ctx, 10*time.Second)
		defer stop()
		_ = srv.Drain(ended, 0)
		web.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		cancel()
		wg.Wait()
	})
	dial = func() *websocket.Conn {
		ws, _, err := websocket.Dial(t.Context(), web.URL+"/ws", &websocket.DialOptions{
			HTTPClient: web.Client(), Subprotocols: []string{wire.Subprotocol},
		})
		if err != nil {
			t.Fatal(err)
		}
		ws.SetReadLimit(1 << 20)
		for i, f := range []string{`{"id":1,"connect":{"token":"x"}}`, `{"id":2,"subscribe":{"channel":"board:1"}}`} {
			if err := ws.Write(t.Context(), websocket.MessageText, []byte(f)); err != nil {
				t.Fatal(err)
			}
			if _, m, err := ws.Read(t.Context()); err != nil || !strings.Contains(string(m), fmt.Sprintf(`{"id":%d,"reply"`, i+1)) {
				t.Fatalf("%s %v", m, err)
			}
		}
		return ws
	}
	return srv, h, dial
}

// Real sockets and another implementation of the protocol on the other side:
// everybody gets everything in order, while requests, pings and closes mix with
// publications.
func TestLoopback(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			const clients, last = 30, 300
			_, h, dial := serveLoopback(t, secure)
			var ready, done sync.WaitGroup
			ready.Add(clients)
			for i := range clients {
				done.Go(func() {
					ws := dial()
					defer func() { _ = ws.CloseNow() }()
					ready.Done()
					if i%3 == 0 {
						done.Go(func() {
							for n := range 20 {
								_ = ws.Ping(t.Context())
								_ = ws.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"ping":{}}`, n+3))
							}
						})
					}
					follow(t, ws, last)
					if i%2 == 0 {
						if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
							t.Error("close:", err)
						}
					}
				})
			}
			ready.Wait()
			for i := uint64(6); i <= last; i++ {
				publish(h, i, `{"x":"`+strings.Repeat("x", int(i))+`"}`)
			}
			done.Wait()
		})
	}
}

// follow reads until the publication at last, and fails on a gap.
func follow(t *testing.T, ws *websocket.Conn, last uint64) {
	at := uint64(5)
	for at < last {
		_, m, err := ws.Read(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		var p struct {
			Push         string
			Offset, Prev uint64
		}
		if err := json.Unmarshal(m, &p); err != nil {
			t.Errorf("%v: %.100s", err, m)
			return
		}
		if p.Push == "" {
			continue
		}
		if p.Prev != at || p.Offset <= at {
			t.Errorf("%d after %d, have %d", p.Offset, p.Prev, at)
			return
		}
		at = p.Offset
	}
}

// A socket that nobody reads fills its kernel buffers and then waits alone.
func TestStalledSocket(t *testing.T) {
	_, h, dial := serveLoopback(t, false)
	stalled := dial()
	defer func() { _ = stalled.CloseNow() }()
	reading := dial()
	defer func() { _ = reading.CloseNow() }()
	const last = 800
	go func() {
		for i := uint64(6); i <= last; i++ {
			publish(h, i, `"`+strings.Repeat("x", 3000)+`"`)
		}
	}()
	follow(t, reading, last)
	if n := h.Stats().Behind; n < 1 {
		t.Errorf("%d behind: the kernel took it all, the test shows nothing", n)
	}
	// It comes back before its write deadline and has missed nothing.
	follow(t, stalled, last)
}

// Whatever a client sends: what it gets are whole frames, answers are JSON,
// nothing follows a close frame (peer checks that), and nothing stays behind.
func FuzzSocket(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{1, 1, 5, 5, 1, 0, 3, 1, 4})
	f.Add([]byte("\x07\x81\x85\x00\x00\x00\x00hello"))
	f.Add([]byte{5, 2, 5, 0, 0, 0, 0, 6, 1, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		inWorld(t, nil, func(w *world) {
			p := w.connect("staff")
			p.send(`{"id":2,"subscribe":{"channel":"board:1"}}`)
			offset := uint64(5)
			for i, b := range in[:min(len(in), 200)] {
				switch b % 9 {
				case 0:
					p.send(`{"id":3,"ping":{}}`)
				case 1:
					p.write(0x9, []byte("ping"))
				case 2:
					p.write(0x2, []byte("binary"))
				case 3:
					p.send(`{"id":4,"command":{"name":"ticket.call"}}`)
				case 4:
					p.write(0x1, in[i:])
				case 5:
					offset++
					w.publish(offset, `{}`)
				case 6:
					p.write(0x8, []byte{3, 232})
				case 7:
					_, _ = p.conn.Write(in[i+1:])
				case 8:
					w.srv.Revoke("user:1")
				}
			}
			synctest.Wait()
			_ = p.conn.Close()
			synctest.Wait()
			if s := w.srv.Stats(); s.Sessions != 0 {
				t.Errorf("%d sessions are left", s.Sessions)
			}
		})
	})
}

// The library must not write anything but whole control frames by itself.
func TestLibraryMayNotWriteData(t *testing.T) {
	for name, raw := range map[string]string{
		"data":       "\x81\x02{}",
		"two frames": "\x8a\x00\x8a\x00",
		"part":       "\x8a\x05ab",
		"nothing":    "",
	} {
		if oneControlFrame([]byte(raw)) {
			t.Errorf("%s is taken for a control frame", name)
		}
	}
	if !oneControlFrame([]byte("\x8a\x02hi")) || !oneControlFrame([]byte("\x88\x02\x03\xe8")) {
		t.Error("a control frame is not taken for one")
	}
	client, server := net.Pipe()
	defer func() { _ = client.Close() }()
	limits := DefaultLimits()
	k := newLink(server, nil, &limits, time.Now)
	k.out = hub.New(&board{}, hub.Options{}).NewOutbox(k)
	if _, err := (libraryConn{k}).Write([]byte("\x81\x02{}")); err == nil || !k.out.Closing() {
		t.Error("data of the library was let through")
	}
}

// A deadline that is left behind fails the next write that never waits.
func TestWriteDeadlineIsCleared(t *testing.T) {
	client, server := net.Pipe()
	defer func() { _ = client.Close(); _ = server.Close() }()
	go func() { _, _ = client.Read(make([]byte, 10)) }()
	limits := DefaultLimits()
	conn := &deadlines{Conn: server}
	if _, err := newLink(conn, nil, &limits, time.Now).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if len(conn.set) != 2 || conn.set[0].IsZero() || !conn.set[1].IsZero() {
		t.Errorf("deadlines: %v", conn.set)
	}
}

type deadlines struct {
	net.Conn
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return d.Conn.SetWriteDeadline(t)
}
