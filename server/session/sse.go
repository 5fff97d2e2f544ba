package session

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
)

// EventStream serves GET /sse?channel=..., for proxies that block WebSocket.
func (s *Server) EventStream() http.Handler { return http.HandlerFunc(s.stream) }

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	n := &session{srv: s, opened: s.o.Clock()}
	key, err := s.enter(n, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer s.leave(n)
	t := newStreamTransport(w, s.o.Limits.Write, s.o.Clock)
	defer t.end()
	s.attach(n, nil, s.o.Hub.NewOutbox(t))
	defer s.o.Hub.Drop(n.out)
	if v := s.enroll(n, n.seen); v != welcome {
		s.refuse(w, r, notWelcome(v))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps events until it has 4 KiB
	since := position(r.Header.Get("Last-Event-ID"))
	if since != nil {
		t.epoch = since.Epoch
	}
	if err := s.o.Hub.Subscribe(n.out, key, since, streamRequest); err != nil {
		s.refuse(w, r, err)
		return
	}
	n.settle(s.o.Clock())
	s.subscribed(n.identity, key.Channel)
	select {
	case <-r.Context().Done():
		n.out.Fail()
	case <-t.done:
	}
}

// streamRequest is the id of the subscribe reply that begins a stream.
const streamRequest = 1

// enter checks who asks for which channel.
func (s *Server) enter(n *session, r *http.Request) (hub.Key, error) {
	n.seen = s.seen()
	// A browser sends no Origin with a GET of its own site. A foreign page can
	// ask, with the cookie even, but not read: no answer here allows it to.
	if site := r.Header.Get("Sec-Fetch-Site"); r.Header.Get("Authorization") == "" &&
		(site == "cross-site" || r.Header.Get("Origin") != "" && !sameOrigin(r)) {
		return hub.Key{}, wire.Errorf(wire.Forbidden, "a page of another site may not use this session")
	}
	id, known, err := s.o.Gate.Handshake(r)
	if err != nil {
		return hub.Key{}, err
	}
	if !known {
		return hub.Key{}, wire.Errorf(wire.Unauthenticated, "a token is needed")
	}
	if e := id.Expires; !e.IsZero() && !n.opened.Before(e) {
		return hub.Key{}, wire.Errorf(wire.Unauthenticated, "the credential has run out")
	}
	ch, bad := wire.ParseChannel(r.URL.Query().Get("channel"))
	if bad != nil {
		return hub.Key{}, bad
	}
	audience, err := s.o.Gate.Channel(id, ch)
	if err != nil {
		return hub.Key{}, err
	}
	n.identity = id
	return hub.Key{Channel: ch, Audience: audience}, s.admit(r.Context(), n, "")
}

func notWelcome(v verdict) error {
	switch v {
	case crowded:
		return &wire.Error{Code: wire.RateLimited, Message: "too many sockets of this credential", RetryAfter: 5}
	case outdated:
		return &wire.Error{Code: wire.Unavailable, Message: "credentials are changing", RetryAfter: 1}
	default:
		return &wire.Error{Code: wire.Unavailable, Message: "this node is stopping", RetryAfter: 1}
	}
}

// position reads an event id, "epoch/offset". What is not one is as good as none.
func position(id string) *wire.Position {
	epoch, digits, ok := strings.Cut(id, "/")
	offset, err := strconv.ParseUint(digits, 10, 64)
	if !ok || epoch == "" || err != nil {
		return nil
	}
	return &wire.Position{Epoch: epoch, Offset: offset}
}
