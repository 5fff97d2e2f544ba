package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// session is the server side of one socket, or of one event stream.
type session struct {
	srv    *Server
	out    *hub.Outbox
	link   *link // nil for event streams
	name   string
	opened time.Time

	// Reader's own.
	request    *http.Request  // the handshake, until connected
	proved     *auth.Identity // by the handshake, until connected
	seen       uint64         // revocations before that proof
	rate       bucket
	abuse      bucket
	unreadable int
	program    string  // what the client calls itself
	present    []int64 // locations whose presence it is in
	// turn is the request that is being answered. While it is, "reader's own"
	// means its goroutine's.
	turn sync.WaitGroup

	// identity is written by the reader before it is enrolled, and read by
	// others only after that.
	identity auth.Identity

	// heard and deadlines are in nanoseconds since the wheel's start; 0 is never.
	heard   atomic.Int64
	silence atomic.Int64 // 0 until connected
	expires atomic.Int64

	// Under Server.mu.
	stranger string
	enrolled bool

	slot int // under wheel.mu; 0 is none
}

// since is the time of the wheel.
func (s *session) since(t time.Time) int64 { return int64(t.Sub(s.srv.wheel.start)) }

func (s *session) hear() time.Time {
	now := s.srv.o.Clock()
	s.heard.Store(s.since(now))
	return now
}

// wake is called by the wheel when a deadline of s may have passed.
func (s *session) wake() {
	if s.out.Closing() {
		return // its end has deadlines of its own
	}
	now := s.since(s.srv.o.Clock())
	next, code := s.next(now)
	if code == wire.CloseExpired && s.renew() {
		next, code = s.next(now)
	}
	if code != 0 {
		s.srv.closedByLimit.Add(1)
		s.out.Close(code)
		return
	}
	if s.link == nil {
		s.out.Heartbeat()
	} else if silence := s.silence.Load(); silence != 0 && now >= s.heard.Load()+probe(silence) {
		// A browser throttles the timers of hidden pages, so a page may be late
		// with its own ping; to this one the browser itself answers.
		s.out.WriteControl(pingFrame())
	}
	s.srv.wheel.add(s, s.srv.wheel.start.Add(time.Duration(next)))
}

// pingFrame is a WebSocket ping without a payload.
func pingFrame() []byte { return []byte{0x89, 0} }

// renew asks whether the credential lives on: a browser's sign-in does while it
// is used.
func (s *session) renew() bool {
	id, err := s.srv.o.Gate.Recheck(s.identity)
	if err != nil {
		return false
	}
	expires := int64(0)
	if !id.Expires.IsZero() {
		expires = max(1, s.since(id.Expires))
	}
	later := expires == 0 || expires > s.expires.Load()
	s.expires.Store(expires)
	return later
}

// next says when to look again, or why the session ends now.
func (s *session) next(now int64) (int64, wire.CloseCode) {
	l := &s.srv.o.Limits
	silence := s.silence.Load()
	if silence == 0 {
		deadline := s.since(s.opened.Add(l.Connect))
		if now >= deadline {
			return 0, wire.CloseConnectLate
		}
		return deadline, 0
	}
	next := s.heard.Load() + silence
	if s.link == nil { // never heard; written to instead
		next = now + int64(l.Comment)
	}
	if now >= next {
		return 0, wire.CloseIdle
	}
	if probe := s.heard.Load() + probe(silence); s.link != nil && now < probe {
		next = min(next, probe)
	}
	if expires := s.expires.Load(); expires != 0 {
		if now >= expires {
			return 0, wire.CloseExpired
		}
		next = min(next, expires)
	}
	return next, 0
}

// settle makes the wheel go by the identity's deadlines.
func (s *session) settle(now time.Time) {
	if e := s.identity.Expires; !e.IsZero() {
		s.expires.Store(max(1, s.since(e)))
	}
	s.heard.Store(s.since(now))
	s.silence.Store(int64(s.srv.o.Limits.silence(s.identity.Kind)))
	next, _ := s.next(s.since(now))
	s.srv.wheel.add(s, s.srv.wheel.start.Add(time.Duration(next)))
}

// serve is the reader: it lives as long as the connection.
func (s *session) serve(ws *websocket.Conn) {
	err := s.read(ws)
	if !s.out.Closing() {
		s.out.Fail() // the link is broken
	}
	s.srv.o.Hub.Drop(s.out)
	s.absent()
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		// We are the ones who close, and the client may still be sending. What
		// it sends is read, until the deadline that link.Close has set, so that
		// the close frame reaches it.
		_, _ = io.Copy(io.Discard, s.link.conn)
	}
	_ = ws.CloseNow() // already closed is fine
	s.srv.leave(s)
}

func (s *session) read(ws *websocket.Conn) error {
	for {
		// No context: the wheel ends what takes too long, and a context would
		// cost a timer per frame.
		typ, r, err := ws.Reader(context.Background())
		if err != nil {
			return err
		}
		now := s.hear()
		if typ == websocket.MessageText && !s.out.Closing() {
			err = s.frame(r, now)
		} else {
			if !s.out.Closing() {
				s.breach(wire.CloseBinary)
			}
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			return err
		}
	}
}

// maxKeptBuffer is the largest read buffer that is kept for the next frame.
const maxKeptBuffer = 8 << 10

func newReadBuffer() *bytes.Buffer { return new(bytes.Buffer) }

// frame reads one text frame and acts on it. An error ends the connection.
func (s *session) frame(r io.Reader, now time.Time) error {
	buf := s.srv.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	_, err := buf.ReadFrom(r)
	switch {
	case err != nil:
	case utf8.Valid(buf.Bytes()):
		s.srv.turns.take(s, buf.Bytes(), now)
	default: // the library leaves this to us
		s.breach(wire.CloseNotUTF8)
	}
	if buf.Cap() <= maxKeptBuffer {
		s.srv.buffers.Put(buf)
	}
	return err
}

// breach closes the session for breaking a limit.
func (s *session) breach(code wire.CloseCode) {
	s.srv.closedByLimit.Add(1)
	s.out.Close(code)
}

// afford takes one request from the rate. When there is none left it says how
// long to wait, and closes a session that does not listen.
func (s *session) afford(now time.Time) (time.Duration, bool) {
	l := &s.srv.o.Limits
	wait, ok := s.rate.take(now, l.Rate, l.Burst)
	if ok {
		return 0, true
	}
	s.srv.rateLimited.Add(1)
	if _, ok := s.abuse.take(now, l.Rate, l.Abuse); !ok {
		s.breach(wire.CloseRateLimited)
	}
	return wait, false
}

// pinged is told of a WebSocket ping, and says whether to answer it.
func (s *session) pinged(context.Context, []byte) bool {
	_, ok := s.afford(s.hear())
	return ok
}

func (s *session) ponged(context.Context, []byte) { s.hear() }

// absent ends the session's presence.
func (s *session) absent() {
	for _, location := range s.present {
		s.srv.o.Hub.Leave(location, s.name)
	}
	s.present = nil
}

// join enters the session into the presence of a location, once.
func (s *session) join(location int64) {
	if slices.Contains(s.present, location) {
		return
	}
	s.present = append(s.present, location)
	s.srv.o.Hub.Join(location, hub.Member{
		Session: s.name, Name: s.program, Audience: hub.Audience(s.identity.Kind), Display: s.identity.Display, User: s.identity.User,
	})
}
