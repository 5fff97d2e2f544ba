package session

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

// The library's buffers: it reads frame headers and small requests through the
// first, and writes control frames, at most 127 bytes each, through the second.
// The http.Server's would hold 8 KiB per socket.
const (
	readBuffer  = 256
	writeBuffer = 128
)

// WebSocket serves GET /ws.
func (s *Server) WebSocket() http.Handler { return http.HandlerFunc(s.upgrade) }

func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	seen := s.seen()
	id, known, err := s.handshake(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	n := &session{srv: s, seen: seen}
	stranger := ""
	if !known {
		stranger = s.o.ClientIP(r)
	}
	if err := s.admit(r.Context(), n, stranger); err != nil {
		s.refuse(w, r, err)
		return
	}
	n.opened = s.o.Clock()
	hijacker := &hijacker{ResponseWriter: w, srv: s, session: n}
	ws, err := websocket.Accept(hijacker, r, &websocket.AcceptOptions{
		Subprotocols: []string{wire.Subprotocol},
		// The Origin rule is ours: see handshake.
		InsecureSkipVerify: true,
		// A compressor would hold 1.2 MB per socket.
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  n.pinged,
		OnPongReceived:  n.ponged,
	})
	if err != nil { // answered by the library
		s.leave(n)
		return
	}
	ws.SetReadLimit(s.o.Limits.Frame)
	n.request = r
	if known {
		n.proved = &id
	}
	s.wheel.add(n, n.opened.Add(s.o.Limits.Connect))
	if s.leaving() { // Drain may have looked before there was an Outbox
		n.out.Close(wire.CloseDrain)
	}
	go n.serve(ws)
}

// attach gives a session its connection. Until then Drain passes it over.
func (s *Server) attach(n *session, k *link, out *hub.Outbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.link, n.out = k, out
}

func (s *Server) leaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// handshake asks the Gate who is there. A cookie that comes with a foreign
// page's Origin, or with none (a browser always sends one), does not count: the
// page may still have a token.
func (s *Server) handshake(r *http.Request) (auth.Identity, bool, error) {
	if r.Header.Get("Authorization") == "" && !sameOrigin(r) {
		return auth.Identity{}, false, nil
	}
	return s.o.Gate.Handshake(r)
}

func sameOrigin(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// refuse answers before there is a socket.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	ops.WriteError(w, r.WithContext(s.o.Log.WithContext(r.Context())), err)
}

// hijacker hands the library our connection and small buffers.
type hijacker struct {
	http.ResponseWriter
	srv     *Server
	session *session
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // the http.Server's
		_ = conn.Close()
		return nil, nil, err
	}
	ahead, _ := rw.Reader.Peek(rw.Reader.Buffered()) // cannot fail: it is there
	k := newLink(conn, ahead, &h.srv.o.Limits, h.srv.o.Clock)
	k.out = h.srv.o.Hub.NewOutbox(k)
	h.srv.attach(h.session, k, k.out)
	c := libraryConn{k}
	return c, bufio.NewReadWriter(bufio.NewReaderSize(c, readBuffer), bufio.NewWriterSize(c, writeBuffer)), nil
}
