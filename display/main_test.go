package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/wire"
)

// patience bounds a wait of these tests, which run in real time.
const patience = 20 * time.Second

// tinyHub is a real HTTP server with just enough of a hub. Links and requests
// come out of channels, and the test answers by hand.
type tinyHub struct {
	t     *testing.T
	srv   *httptest.Server
	links chan *tinyLink
}

type tinyLink struct {
	t     *testing.T
	conn  *websocket.Conn
	asked chan wire.Request
}

func newTinyHub(t *testing.T) *tinyHub {
	h := &tinyHub{t: t, links: make(chan *tinyLink, 10)}
	h.srv = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(func() {
		h.srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return h
}

func (h *tinyHub) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	l := &tinyLink{t: h.t, conn: conn, asked: make(chan wire.Request, 100)}
	h.links <- l
	for {
		_, frame, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		q, werr := wire.Decode(frame)
		if werr != nil {
			h.t.Errorf("got %s: %v", frame, werr)
			return
		}
		switch {
		case q.Ping != nil:
			l.send(string(wire.Reply(q.ID, nil)))
		default:
			l.asked <- q
		}
	}
}

func (l *tinyLink) send(frame string) {
	_ = l.conn.Write(context.Background(), websocket.MessageText, []byte(frame))
}

func (l *tinyLink) expect(verb string) wire.Request {
	l.t.Helper()
	select {
	case q := <-l.asked:
		if q.Verb() != verb {
			l.t.Fatalf("got %s, want %s", q.Verb(), verb)
		}
		return q
	case <-time.After(patience):
		l.t.Fatalf("no %s", verb)
	}
	panic("unreachable")
}

// next is the next link with its connect answered, and its subscribe.
func (h *tinyHub) next() (*tinyLink, wire.Request) {
	h.t.Helper()
	select {
	case l := <-h.links:
		q := l.expect("connect")
		if q.Connect.Token != "secret" {
			h.t.Fatalf("connect %+v", *q.Connect)
		}
		l.send(fmt.Sprintf(`{"id":%d,"reply":{"session":"s-1","audience":"display","ping":5,"time":%q}}`, q.ID, wire.Time(time.Now())))
		return l, l.expect("subscribe")
	case <-time.After(patience):
		h.t.Fatal("no link")
	}
	panic("unreachable")
}

func (l *tinyLink) snapshot(q wire.Request) {
	l.send(fmt.Sprintf(`{"id":%d,"reply":{"channel":"board:1","epoch":"k1","offset":105,"recovered":false,"snapshot":`+
		`{"location":{"id":1,"name":"Main Street","timezone":"Europe/Tallinn"},"lines":[{"id":1,"name":"Passports","waiting":2}],`+
		`"desks":[{"id":3,"name":"3"}],"serving":[],"recent":[],"waiting":[]}}}`, q.ID))
}

func (l *tinyLink) call(kind string, offset uint64, recalls int) {
	now := wire.Time(time.Now())
	l.send(fmt.Sprintf(`{"push":%q,"channel":"board:1","offset":%d,"prev":%d,"time":%q,"data":{"ticket":{"key":"A-42.1","publicId":"A-42",`+
		`"status":"CALLED","line":1,"desk":3,"calledAt":%q,"recalls":%d,"order":"a"},"lines":[{"id":1,"name":"Passports","waiting":1}]}}`,
		kind, offset, offset-1, now, now, recalls))
}

// program runs the command in this process.
type program struct {
	t    *testing.T
	stop context.CancelFunc
	out  *bufio.Scanner
	code chan int
	err  *safeBuffer
}

// safeBuffer collects output and lets a test wait for a part of it.
type safeBuffer struct {
	mu   sync.Mutex // guards all below
	b    bytes.Buffer
	want string
	seen chan struct{}
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.b.Write(p)
	s.look()
	return n, err
}

func (s *safeBuffer) look() {
	if s.seen != nil && strings.Contains(s.b.String(), s.want) {
		close(s.seen)
		s.seen = nil
	}
}

func (s *safeBuffer) waitFor(t *testing.T, text string) {
	t.Helper()
	seen := make(chan struct{})
	s.mu.Lock()
	s.want, s.seen = text, seen
	s.look()
	s.mu.Unlock()
	select {
	case <-seen:
	case <-time.After(patience):
		t.Fatalf("%q is not in %q", text, s.String())
	}
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func startProgram(t *testing.T, h *tinyHub, args ...string) *program {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	p := &program{t: t, stop: cancel, out: bufio.NewScanner(r), code: make(chan int, 1), err: &safeBuffer{}}
	args = append([]string{"-server", h.srv.URL}, args...)
	go func() {
		p.code <- run(ctx, cancel, args, []string{envPrefix + "TOKEN=secret"}, streams{strings.NewReader(""), w, p.err})
		w.Close()
	}()
	t.Cleanup(cancel)
	return p
}

func (p *program) line(want string) line {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("the output ended, want %s; errors: %s", want, p.err)
	}
	var l line
	if err := json.Unmarshal(p.out.Bytes(), &l); err != nil {
		p.t.Fatal(err)
	}
	if l.Type != want {
		p.t.Fatalf("printed %s, want %s", p.out.Text(), want)
	}
	return l
}

func (p *program) exit(want int) {
	p.t.Helper()
	for p.out.Scan() {
	}
	if code := <-p.code; code != want {
		p.t.Fatalf("exit code %d, want %d; errors: %s", code, want, p.err)
	}
}

func TestJSONOverARealSocket(t *testing.T) {
	h := newTinyHub(t)
	p := startProgram(t, h, "-json")
	l, q := h.next()
	p.line("status")
	l.snapshot(q)
	if got := p.line("snapshot"); got.Offset != 105 || got.Epoch != "k1" || !strings.Contains(string(got.Board), "Main Street") {
		t.Errorf("snapshot %+v", got)
	}
	if got := p.line("status"); got.State != fresh {
		t.Errorf("status %+v", got)
	}
	l.expect("receipt")
	l.call("ticket.called", 106, 0)
	if got := p.line("call"); got.Ticket.PublicID != "A-42" || got.Desk != "3" || got.Offset != 106 || got.Late {
		t.Errorf("call %+v", got)
	}
	if r := l.expect("receipt").Receipt; *r != (wire.Receipt{Channel: "board:1", Offset: 106, Painted: true}) {
		t.Errorf("receipt %+v", *r)
	}

	l.conn.CloseNow()
	p.line("status")
	l, q = h.next()
	if s := q.Subscribe.Since; s == nil || *s != (wire.Position{Epoch: "k1", Offset: 106}) {
		t.Fatalf("subscribe since %v", s)
	}
	l.send(fmt.Sprintf(`{"id":%d,"reply":{"channel":"board:1","epoch":"k1","offset":107,"recovered":true}}`, q.ID))
	l.call("ticket.recalled", 107, 1)
	if got := p.line("recall"); got.Ticket.Recalls != 1 {
		t.Errorf("recall %+v", got)
	}
	p.stop()
	p.exit(exitOK)
	if strings.Contains(p.err.String(), "secret") {
		t.Errorf("the token is in the log: %s", p.err)
	}
}

func TestARevokedTokenEndsTheProgram(t *testing.T) {
	h := newTinyHub(t)
	p := startProgram(t, h, "-json")
	l, _ := h.next()
	_ = l.conn.Close(websocket.StatusCode(wire.CloseRevoked), "credential revoked")
	p.exit(exitFailed)
	if !strings.Contains(p.err.String(), "pair it again") || strings.Contains(p.err.String(), "secret") {
		t.Errorf("errors: %s", p.err)
	}
}

func TestUsage(t *testing.T) {
	var out, errs bytes.Buffer
	std := streams{strings.NewReader(""), &out, &errs}
	env := []string{envPrefix + "TOKEN=secret"}
	for want, args := range map[int][]string{exitOK: {"-help"}, exitUsage: {"-nonsense"}, exitFailed: {"-server", "http://127.0.0.1:1"}} {
		errs.Reset()
		if code := run(t.Context(), func() {}, args, env, std); code != want || errs.Len() == 0 {
			t.Errorf("%v: exit code %d, want %d; errors: %s", args, code, want, &errs)
		}
	}
	if out.Len() > 0 {
		t.Errorf("printed %q", &out)
	}
}

// TestBinary starts the real program with a painted screen, and ends it with
// the signal that a service manager sends.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	binary := filepath.Join(t.TempDir(), "display")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := newTinyHub(t)
	var out, errs safeBuffer
	cmd := exec.Command(binary, "-server", h.srv.URL, "-size", "80x24")
	cmd.Env = append(os.Environ(), envPrefix+"TOKEN=secret")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	l, q := h.next()
	l.snapshot(q)
	l.expect("receipt")
	out.waitFor(t, "Waiting: 2")
	if text := out.String(); strings.Contains(text, "\a") || !strings.HasPrefix(text, enterScreen) || !strings.Contains(text, "Main Street") {
		t.Errorf("the screen before the call is %q", text)
	}
	l.call("ticket.called", 106, 0)
	if r := l.expect("receipt").Receipt; r.Offset != 106 || !r.Painted {
		t.Errorf("receipt %+v", *r)
	}
	out.waitFor(t, "\a")
	if text := out.String(); !strings.Contains(text, "Waiting: 1") || !strings.Contains(text, "██") {
		t.Errorf("the call is not on the screen: %q", text)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v; errors: %s", err, &errs)
	}
	if text := out.String(); !strings.HasSuffix(text, leaveScreen) || strings.Count(text, "\a") != 1 {
		t.Errorf("the terminal was not restored, or rang more than once: %q", text)
	}
}
