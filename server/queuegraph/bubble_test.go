package queuegraph

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// pipes is a listener whose connections are in memory, for bubbles.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipes) Close() error   { close(l.done); return nil }
func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// bubble runs f with a socket to a graph, on a clock that costs nothing.
func bubble(t *testing.T, f func(t *testing.T, r *rig, conn net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t)
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: r.graph}
		go func() { _ = server.Serve(l) }()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		_, err := fmt.Fprintf(ours, "GET %s?%s=%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", pathSocket, keyParam, r.admin)
		r.check(err)
		f(t, r, ours)
		_ = ours.Close()
		r.check(r.graph.Drain(context.Background()))
		r.check(server.Close())
	})
}

// serverFrame reads one unmasked frame: opcode and content.
func serverFrame(br *bufio.Reader) (byte, string, error) {
	var head [2]byte
	if _, err := br.Read(head[:1]); err != nil {
		return 0, "", err
	}
	if _, err := br.Read(head[1:]); err != nil {
		return 0, "", err
	}
	body := make([]byte, head[1])
	for n := 0; n < len(body); {
		k, err := br.Read(body[n:])
		if err != nil {
			return 0, "", err
		}
		n += k
	}
	return head[0] & 15, string(body), nil
}

// TestKeepAlive: every 30 s a frame that clients ignore and a ping that they
// answer; one who does not is gone 20 s later.
func TestKeepAlive(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, conn net.Conn) {
		br := bufio.NewReader(conn)
		resp, err := http.ReadResponse(br, nil)
		r.check(err)
		_ = resp.Body.Close()
		start := time.Now()
		ka, ping := 0, 0
		for {
			op, body, err := serverFrame(br)
			if err != nil {
				break
			}
			switch {
			case op == 1 && body == `{"type":"ka"}`:
				ka++
			case op == 9:
				if ping++; ping <= 2 { // answered twice, then silence
					pong := append([]byte{0x8a, 0x80 | byte(len(body)), 0, 0, 0, 0}, body...)
					if _, err := conn.Write(pong); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if ka != 3 || ping != 3 {
			t.Errorf("%d signs of life, %d pings", ka, ping)
		}
		if took := time.Since(start); took != 3*keepAlive+pongWithin {
			t.Errorf("a dead peer was found after %v", took)
		}
	})
}

// TestPace: a flood of frames is read more slowly, not refused.
func TestPace(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for range frameRate().Burst + 20 {
			if err := p.ws.Write(ctx, websocket.MessageText, []byte(`{"type":"ping"}`)); err != nil {
				return
			}
		}
	}()
	began := time.Now()
	for range frameRate().Burst + 20 {
		p.want(`{"type":"pong"}`)
	}
	// The test's clock stands still, so each frame over the burst waits in full.
	if took := time.Since(began); took < 20*time.Second/50 {
		t.Errorf("20 frames over the burst took %v", took)
	}
}

// FuzzFrames: whatever comes, the socket answers what it understands and lives on.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init","payload":null}`, startFrame("1", "subscription { createdTickets { id } }"), `{"id":"1","type":"stop","payload":null}`,
		startFrame("2", "{ me { id } __schema { types { name } } }"), `{"id":7,"type":"start","payload":{"query":"query($a:ID!){ticket(id:$a){id}}","variables":{"a":1}}}`,
		startFrame("3", "subscription { __typename }"), startFrame("4", "subscription @skip(if: true) { createdTickets @skip(if: true) { id } }"), `{"type":"ping"}`, `{}`, `[`, "",
	} {
		f.Add(seed)
	}
	r := bareRig(f)
	f.Fuzz(func(t *testing.T, b string) {
		id, err := r.auth.Token(r.admin)
		if err != nil {
			t.Fatal(err)
		}
		s := &socket{g: r.graph, done: make(chan struct{}), ready: make(chan struct{}, 1), subs: map[string]*subscription{}}
		s.id.Store(&id)
		s.ctx, s.stop = context.WithCancel(context.Background())
		s.handle([]byte(b))
		s.handle([]byte(`{"type":"ping"}`))
		pong := false
		for out, ok := s.next(); ok; out, ok = s.next() {
			pong = string(out) == `{"type":"pong"}`
			if !json.Valid(out) {
				t.Errorf("answered %q", out)
			}
		}
		if !pong {
			t.Error("did not live on")
		}
		for _, sub := range s.subs {
			sub.close()
		}
		s.stop()
		s.work.Wait()
		if len(r.graph.feed.listeners) != 0 {
			t.Error("a listener was left behind")
		}
	})
}
