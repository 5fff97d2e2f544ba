package session

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// gate knows the tokens "staff", "display", "visitor", "key" and "short" (a
// visitor's, that runs out), and lets nobody into ticket:404.
type gate struct {
	mu      sync.Mutex
	revoked map[string]bool
	calls   []string
	began   time.Time
	onToken func()
	// recheck answers Recheck; nil means that nothing has changed.
	recheck func(auth.Identity) (auth.Identity, error)
}

var identities = map[string]auth.Identity{
	"staff":   {Kind: auth.Staff, Credential: "user:1", Grant: "grant:staff", User: 1, Locations: []int{1}},
	"display": {Kind: auth.Display, Credential: "display:2", Display: 2, Locations: []int{1}},
	"visitor": {Kind: auth.Visitor, Credential: "ticket:17", Ticket: 17, Locations: []int{1}},
	"key":     {Kind: auth.Integrator, Credential: "key:3f", Everywhere: true},
	"short":   {Kind: auth.Visitor, Credential: "ticket:18", Ticket: 18},
}

func (g *gate) Recheck(id auth.Identity) (auth.Identity, error) {
	if g.recheck != nil {
		return g.recheck(id)
	}
	return id, nil
}

func (g *gate) Token(_ context.Context, token string, r *http.Request) (auth.Identity, error) {
	if g.onToken != nil {
		g.onToken()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r == nil {
		return auth.Identity{}, errors.New("no handshake")
	}
	if token == "broken" {
		return auth.Identity{}, errors.New("store: disk on fire")
	}
	id, ok := identities[token]
	if !ok || g.revoked[id.Credential] {
		return auth.Identity{}, wire.Errorf(wire.Unauthenticated, "the token is not known")
	}
	if token == "short" {
		id.Expires = g.began.Add(90 * time.Second)
	}
	return id, nil
}

func (g *gate) Handshake(r *http.Request) (auth.Identity, bool, error) {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		c, err := r.Cookie("session")
		if err != nil {
			return auth.Identity{}, false, nil
		}
		token = c.Value
	}
	id, err := g.Token(r.Context(), token, r)
	return id, err == nil, err
}

func (g *gate) Channel(id auth.Identity, ch wire.Channel) (hub.Audience, error) {
	if ch.Kind == wire.TicketChannel && ch.ID == 404 {
		return "", wire.Errorf(wire.NotFound, "no such ticket")
	}
	if id.Kind == auth.Visitor && ch.ID != id.Ticket {
		return "", wire.Errorf(wire.Forbidden, "not your ticket")
	}
	switch {
	case ch.Kind == wire.BoardChannel:
		return hub.Display, nil
	case id.Kind == auth.Visitor:
		return hub.Visitor, nil
	}
	return hub.Staff, nil
}

func (g *gate) note(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, fmt.Sprintf(format, args...))
}

func (g *gate) Commands(_ context.Context, id auth.Identity, c wire.Command) (wire.CommandReply, error) {
	g.note("%s %s %s", id.Credential, c.Name, c.Params)
	switch c.Name {
	case "ticket.call":
		return wire.CommandReply{Offset: 7, Ticket: json.RawMessage(`{"id":"17"}`)}, nil
	case "panic":
		panic("defect")
	case "broken":
		return wire.CommandReply{}, errors.New("badger: secret path")
	}
	return wire.CommandReply{}, wire.FieldError("name", "is not a command")
}

func (g *gate) Receipt(id auth.Identity, r wire.Receipt) error {
	if id.Kind != auth.Display {
		return wire.Errorf(wire.Forbidden, "only a display gives receipts")
	}
	g.note("receipt %s %d", r.Channel, r.Offset)
	return nil
}

func (g *gate) Signal(_ auth.Identity, _ wire.Channel, name string) error {
	if name != "typing" {
		return wire.FieldError("name", "signals are typing")
	}
	return nil
}

func (g *gate) UserName(id auth.Identity) string {
	if id.User == 0 {
		return ""
	}
	return fmt.Sprintf("User %d", id.User)
}

// world is a server behind pipes, in a bubble.
type world struct {
	t     *testing.T
	gate  *gate
	board board
	hub   *hub.Hub
	srv   *Server
	dial  chan net.Conn
	stop  func()
}

// inWorld runs f with a server in a synctest bubble.
func inWorld(t *testing.T, tune func(*Limits), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tune)
		defer w.stop()
		f(w)
	})
}

// board is a Source whose channels all stand at 5 plus more.
type board struct{ more atomic.Uint64 }

func (b *board) Snapshot(hub.Key) (hub.Snapshot, error) {
	head := 5 + b.more.Load()
	return hub.Snapshot{Epoch: "e1", Offset: head, Data: fmt.Appendf(nil, `{"n":%d}`, head)}, nil
}

func (b *board) Head(hub.Key) (wire.Position, error) {
	return wire.Position{Epoch: "e1", Offset: 5 + b.more.Load()}, nil
}

func newWorld(t *testing.T, tune func(*Limits)) *world {
	w := &world{t: t, gate: &gate{revoked: map[string]bool{}, began: time.Now()}, dial: make(chan net.Conn)}
	w.hub = hub.New(&w.board, hub.Options{})
	limits := DefaultLimits()
	if tune != nil {
		tune(&limits)
	}
	w.srv = New(Options{Hub: w.hub, Gate: w.gate, Limits: limits})
	mux := http.NewServeMux()
	mux.Handle("GET /ws", w.srv.WebSocket())
	mux.Handle("GET /sse", w.srv.EventStream())
	web := &http.Server{Handler: mux}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.hub.Run(ctx) })
	wg.Go(func() { _ = w.srv.Run(ctx) })
	wg.Go(func() { _ = web.Serve(pipes{w.dial, ctx}) })
	w.stop = sync.OnceFunc(func() {
		ended, done := context.WithTimeout(ctx, time.Minute)
		defer done()
		if err := w.srv.Drain(ended, 0); err != nil {
			t.Error("drain:", err)
		}
		synctest.Wait()
		if s := w.srv.Stats(); s.Sessions != 0 || s.Strangers != 0 || len(s.Kinds) != 0 {
			t.Errorf("left behind: %+v", s)
		}
		if s := w.hub.Stats(); s.Subscribers != 0 || s.Behind != 0 || len(w.hub.Present(1)) != 0 {
			t.Errorf("left behind in the hub: %+v %v", s, w.hub.Present(1))
		}
		cancel() // ends Accept, which web.Close waits for
		_ = web.Close()
		wg.Wait()
	})
	return w
}

// pipes is a net.Listener of net.Pipe connections.
type pipes struct {
	dial chan net.Conn
	ctx  context.Context
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dial:
		return c, nil
	case <-p.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// open makes a socket; header lines end with \r\n.
func (w *world) open(header string) *peer {
	client, server := net.Pipe()
	w.dial <- server
	p := &peer{t: w.t, conn: client}
	go func() { // a pipe has no buffer
		fmt.Fprintf(client, "GET /ws HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Protocol: nowserving.v1\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", header)
	}()
	r := bufio.NewReader(client)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	p.resp = resp
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return p
	}
	go p.read(r)
	return p
}

func (w *world) connect(token string) *peer {
	p := w.open("")
	p.send(`{"id":1,"connect":{"token":"` + token + `","name":"test/1.0"}}`)
	if m := p.take(); !strings.Contains(m, `"reply":{"session":"s-`) {
		w.t.Fatalf("connect as %s: %s", token, m)
	}
	return p
}

// publish commits and publishes on board:1.
func (w *world) publish(offset uint64, data string) {
	w.board.more.Store(offset - 5)
	publish(w.hub, offset, data)
}

func publish(h *hub.Hub, offset uint64, data string) {
	key := hub.Key{Channel: wire.Channel{Kind: wire.BoardChannel, ID: 1}, Audience: hub.Display}
	h.Publish(key, hub.Publication{Type: "ticket.called", Offset: offset, Prev: offset - 1, Time: time.Now(), Data: []byte(data)})
}
