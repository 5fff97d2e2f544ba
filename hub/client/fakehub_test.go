package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipeListener serves HTTP over net.Pipe, so that a whole exchange runs inside
// a synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fakeHub is a hub that a test plays by hand, link by link.
type fakeHub struct {
	t      *testing.T
	links  chan *fakeLink
	client *http.Client
	// before, when set, may answer the handshake itself and report true.
	before func(http.ResponseWriter, *http.Request) bool
}

func newFakeHub(t *testing.T) *fakeHub {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	h := &fakeHub{t: t, links: make(chan *fakeLink)}
	transport := &http.Transport{DialContext: l.dial}
	h.client = &http.Client{Transport: transport}
	srv := &http.Server{Handler: http.HandlerFunc(h.serve)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		transport.CloseIdleConnections()
		<-done
	})
	return h
}

func (h *fakeHub) serve(w http.ResponseWriter, r *http.Request) {
	if h.before != nil && h.before(w, r) {
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return
	}
	l := &fakeLink{
		t: h.t, conn: conn, header: r.Header,
		asked: make(chan wire.Request, 100), ended: make(chan struct{}),
	}
	go l.read()
	select {
	case h.links <- l:
		<-l.ended
	case <-l.ended:
	}
	conn.CloseNow()
}

// fakeLink is the hub's end of one socket.
type fakeLink struct {
	t      *testing.T
	conn   *websocket.Conn
	header http.Header
	asked  chan wire.Request // every request but pings
	ended  chan struct{}
	err    error // why it ended, after ended
	muted  atomic.Bool
}

// mute makes the hub silent: it reads on and says nothing.
func (l *fakeLink) mute() { l.muted.Store(true) }

func (l *fakeLink) read() {
	defer close(l.ended)
	for {
		_, frame, err := l.conn.Read(context.Background())
		if err != nil {
			l.err = err
			return
		}
		r, werr := wire.Decode(frame)
		if werr != nil {
			l.t.Errorf("the client sent %s: %v", frame, werr)
			return
		}
		if r.Ping != nil {
			l.send(string(wire.Reply(r.ID, nil)))
			continue
		}
		l.asked <- r
	}
}

func (l *fakeLink) send(frame string) {
	if l.muted.Load() {
		return
	}
	// A failure shows as the frame missing on the other side.
	_ = l.conn.Write(context.Background(), websocket.MessageText, []byte(frame))
}

// expect is the next request, which must have this verb.
func (l *fakeLink) expect(verb string) wire.Request {
	l.t.Helper()
	select {
	case r := <-l.asked:
		if r.Verb() != verb {
			l.t.Fatalf("the client sent %s, want %s", r.Verb(), verb)
		}
		return r
	case <-l.ended:
		l.t.Fatalf("the link ended (%v), want %s", l.err, verb)
	case <-time.After(time.Minute):
		l.t.Fatalf("no %s within a minute", verb)
	}
	panic("unreachable")
}

func (l *fakeLink) reply(id int64, format string, args ...any) {
	l.send(`{"id":` + strconv.FormatInt(id, 10) + `,"reply":` + fmt.Sprintf(format, args...) + `}`)
}

func (l *fakeLink) fail(id int64, e *wire.Error) { l.send(string(wire.Failure(id, e))) }

func (l *fakeLink) push(kind string, offset, prev uint64) {
	p := wire.Push{Type: kind, Channel: "board:1", Offset: offset, Prev: prev, Time: time.Now(), Data: json.RawMessage(`{}`)}
	l.send(string(p.AppendJSON(nil)))
}

// snapshot answers a subscribe to board:1.
func (l *fakeLink) snapshot(id int64, epoch string, offset uint64) {
	l.reply(id, `{"channel":"board:1","epoch":%q,"offset":%d,"recovered":false,"snapshot":{"at":%d}}`, epoch, offset, offset)
}

func (l *fakeLink) recovered(id int64, epoch string, offset uint64) {
	l.reply(id, `{"channel":"board:1","epoch":%q,"offset":%d,"recovered":true}`, epoch, offset)
}

func (l *fakeLink) close(code wire.CloseCode) {
	_ = l.conn.Close(websocket.StatusCode(code), wire.CloseReason(code))
	<-l.ended
}

func (l *fakeLink) cut() {
	l.conn.CloseNow()
	<-l.ended
}

// next is the next link, with its connect answered.
func (h *fakeHub) next() *fakeLink {
	h.t.Helper()
	l, r := h.raw()
	l.reply(r.ID, `{"session":"s-1","audience":"display","ping":5,"time":%q}`, wire.Time(time.Now().Add(time.Hour)))
	return l
}

// raw is the next link with its connect not answered yet.
func (h *fakeHub) raw() (*fakeLink, wire.Request) {
	h.t.Helper()
	select {
	case l := <-h.links:
		return l, l.expect("connect")
	case <-time.After(time.Hour):
		h.t.Fatal("no link within an hour")
	}
	panic("unreachable")
}

// recorder writes down what the client tells, one short line each.
type recorder struct {
	events   chan string
	statuses chan Status
}

func newRecorder() *recorder {
	return &recorder{events: make(chan string, 1000), statuses: make(chan Status, 1000)}
}

func (r *recorder) Snapshot(channel string, at wire.Position, data json.RawMessage) {
	r.events <- fmt.Sprintf("snapshot %s %s/%d %s", channel, at.Epoch, at.Offset, data)
}

func (r *recorder) Push(p wire.Push) { r.events <- fmt.Sprintf("push %s %d", p.Type, p.Offset) }

func (r *recorder) Refused(channel string, e *wire.Error) {
	r.events <- "refused " + channel + " " + string(e.Code)
}

func (r *recorder) Status(s Status) {
	r.events <- string(s.State)
	r.statuses <- s
}

// all is what was recorded so far, once everything has come to rest.
func (r *recorder) all() string {
	synctest.Wait()
	var lines []string
	for {
		select {
		case e := <-r.events:
			lines = append(lines, e)
		default:
			return strings.Join(lines, "; ")
		}
	}
}

// bench is a running client with its hub and recorder.
type bench struct {
	*testing.T
	hub  *fakeHub
	rec  *recorder
	c    *Client
	stop context.CancelFunc
	done chan error
}

func inBubble(t *testing.T, change func(*Config, *fakeHub), test func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, hub: newFakeHub(t), rec: newRecorder(), done: make(chan error, 1)}
		cfg := Config{
			URL: "http://hub.test", Name: "test/1", Token: Token("secret"), HTTPClient: b.hub.client,
			Handler: b.rec, Now: time.Now, Random: func() float64 { return 0.5 },
		}
		if change != nil {
			change(&cfg, b.hub)
		}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		b.c = c
		ctx, cancel := context.WithCancel(t.Context())
		b.stop = cancel
		go func() { b.done <- c.Run(ctx) }()
		test(b)
		cancel()
		<-b.done
	})
}

// live subscribes to board:1 and brings the first link to offset 105 of k1.
func (b *bench) live() *fakeLink {
	b.Helper()
	if err := b.c.Subscribe("board:1", nil); err != nil {
		b.Fatal(err)
	}
	l := b.hub.next()
	r := l.expect("subscribe")
	if r.Subscribe.Since != nil {
		b.Fatalf("the first subscribe asks since %v", *r.Subscribe.Since)
	}
	l.snapshot(r.ID, "k1", 105)
	b.saw(`catchingUp; snapshot board:1 k1/105 {"at":105}; live`)
	return l
}

func (b *bench) saw(want string) {
	b.Helper()
	if got := b.rec.all(); got != want {
		b.Fatalf("the handler heard\n  %s\nwant\n  %s", got, want)
	}
}

// wantSince checks what a subscribe asks for; offset 0 means no since.
func (b *bench) wantSince(r wire.Request, epoch string, offset uint64) {
	b.Helper()
	got := r.Subscribe.Since
	switch {
	case offset == 0 && got != nil:
		b.Fatalf("subscribe since %v, want a snapshot", *got)
	case offset != 0 && (got == nil || *got != wire.Position{Epoch: epoch, Offset: offset}):
		b.Fatalf("subscribe since %v, want %s/%d", got, epoch, offset)
	}
}
