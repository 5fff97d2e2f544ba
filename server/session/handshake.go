package session

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
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
		s.refuse(w, err)
		return
	}
	n := &session{srv: s, seen: seen, opened: s.o.Clock()}
	stranger := ""
	if !known {
		stranger = s.o.ClientIP(r)
	}
	if err := s.admit(n, stranger); err != nil {
		s.refuse(w, err)
		return
	}
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
	go n.serve(ws)
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
func (s *Server) refuse(w http.ResponseWriter, err error) {
	e := wire.AsError(err)
	if e.Code == wire.Internal {
		s.o.Log.Error().Err(err).Msg("handshake failed")
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status(e.Code))
	_ = json.NewEncoder(w).Encode(map[string]*wire.Error{"error": e}) // the client has gone
}

func status(c wire.Code) int {
	switch c {
	case wire.BadRequest:
		return http.StatusBadRequest
	case wire.Unauthenticated:
		return http.StatusUnauthorized
	case wire.Forbidden:
		return http.StatusForbidden
	case wire.NotFound, wire.Empty:
		return http.StatusNotFound
	case wire.Conflict:
		return http.StatusConflict
	case wire.TooLarge:
		return http.StatusRequestEntityTooLarge
	case wire.RateLimited:
		return http.StatusTooManyRequests
	case wire.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
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
	h.session.link, h.session.out = k, k.out
	c := libraryConn{k}
	return c, bufio.NewReadWriter(bufio.NewReaderSize(c, readBuffer), bufio.NewWriterSize(c, writeBuffer)), nil
}
