package session

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/rs/zerolog"
)

// Options make a Server. Hub and Gate are needed.
type Options struct {
	Hub  *hub.Hub
	Gate Gate
	// Limits are used as given; start from DefaultLimits.
	Limits Limits
	// Clock is also what the deadlines of the operating system are told by, so
	// it must be the machine's, or a test bubble's. Default time.Now.
	Clock func() time.Time
	// ClientIP tells where a request comes from, behind proxies that are
	// trusted to say so. Default: the peer's address.
	ClientIP func(*http.Request) string
	// Subscribed is told of every subscription, once its reply is on the way; nil:
	// nobody wants to know. It must not block.
	Subscribed func(id auth.Identity, ch wire.Channel)
	Log        zerolog.Logger
}

// Server holds every session of the node.
type Server struct {
	o       Options
	wheel   *wheel
	names   atomic.Uint64
	buffers sync.Pool
	turns   turns

	mu       sync.Mutex // protects the rest
	sessions map[*session]struct{}
	// holders has the connected sessions of a credential.
	holders       map[string][]*session
	strangers     strangers
	draining      bool
	empty         chan struct{} // closed when draining and the last session ended
	revocations   uint64
	refused       uint64
	rateLimited   atomic.Uint64
	closedByLimit atomic.Uint64
}

// New makes a Server. Nobody is timed out before Run.
func New(o Options) *Server {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.ClientIP == nil {
		o.ClientIP = peerIP
	}
	s := &Server{
		o: o, wheel: newWheel(o.Clock()),
		sessions:  make(map[*session]struct{}),
		holders:   make(map[string][]*session),
		strangers: strangers{limit: o.Limits.Pending, perAddress: o.Limits.PendingPerIP, from: make(map[string]int)},
		empty:     make(chan struct{}),
	}
	s.buffers.New = func() any { return newReadBuffer() }
	return s
}

func peerIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Run turns the wheel until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(wheelTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, due := range s.wheel.due(s.o.Clock()) {
				due.wake()
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// admit lets a new socket in, or says why not. stranger is its address if it
// has not proved who it is; then it may take a moment.
func (s *Server) admit(ctx context.Context, n *session, stranger string) error {
	if stranger != "" {
		if err := s.place(ctx, stranger); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.stranger = stranger
	if s.draining {
		s.acquaint(n)
		return &wire.Error{Code: wire.Unavailable, Message: "this node is stopping", RetryAfter: 1}
	}
	n.name = "s-" + strconv.FormatUint(s.names.Add(1), 10)
	s.sessions[n] = struct{}{}
	return nil
}

// acquaint stops counting n as a stranger. Called with s.mu held.
func (s *Server) acquaint(n *session) {
	if n.stranger == "" {
		return
	}
	s.strangers.leave(n.stranger)
	n.stranger = ""
}

// verdict is what became of a session that proved who it is.
type verdict int

const (
	welcome   verdict = iota
	crowded           // too many sockets of this credential
	outdated          // a credential was revoked meanwhile: check again
	tooLateNo         // the node drains
)

// enroll enters n under its credential. seen is the count of revocations
// before the credential was checked.
func (s *Server) enroll(n *session, seen uint64) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := n.identity
	switch {
	case s.draining:
		return tooLateNo
	case s.revocations != seen:
		return outdated
	case len(s.holders[id.Credential]) >= s.o.Limits.Sockets[id.Kind]:
		return crowded
	}
	s.acquaint(n)
	s.holders[id.Credential] = append(s.holders[id.Credential], n)
	n.enrolled = true
	return welcome
}

// leave forgets n.
func (s *Server) leave(n *session) {
	s.wheel.remove(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acquaint(n)
	delete(s.sessions, n)
	if n.enrolled {
		c := n.identity.Credential
		held := s.holders[c]
		if i := slices.Index(held, n); i >= 0 {
			held = slices.Delete(held, i, i+1)
		}
		if s.holders[c] = held; len(held) == 0 {
			delete(s.holders, c)
		}
	}
	if len(s.sessions) > 0 {
		return
	}
	s.turns.dismiss()
	if s.draining {
		s.closeEmpty()
	}
}

func (s *Server) closeEmpty() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// Disconnect closes the sockets of a credential, or of one grant of it, and
// returns how many there were. Whatever made it necessary must be in force at
// the Gate already: a socket that connects meanwhile is checked again.
func (s *Server) Disconnect(name string, code wire.CloseCode) int {
	s.mu.Lock()
	s.revocations++
	var held []*session
	for n := range s.sessions {
		if n.enrolled && (n.identity.Credential == name || n.identity.Grant == name) {
			held = append(held, n)
		}
	}
	s.mu.Unlock()
	for _, n := range held {
		n.out.Close(code)
	}
	return len(held)
}

// Revoke is Disconnect for a credential that is not accepted any more.
func (s *Server) Revoke(name string) int { return s.Disconnect(name, wire.CloseRevoked) }

func (s *Server) seen() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revocations
}

// Drain refuses new sockets, closes the open ones at random moments of the
// window, so that their clients do not come to the next node in one wave, and
// waits for them to end. When ctx ends first, the rest is cut.
func (s *Server) Drain(ctx context.Context, window time.Duration) error {
	s.mu.Lock()
	s.draining = true
	s.strangers.dismiss()
	open := s.attached()
	if len(s.sessions) == 0 {
		s.closeEmpty()
	}
	s.mu.Unlock()
	rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	moments := make([]time.Duration, len(open))
	for i := range moments {
		moments[i] = time.Duration(rand.Int64N(int64(window) + 1))
	}
	slices.Sort(moments)

	began := s.o.Clock()
	wait := time.NewTimer(0)
	defer wait.Stop()
	for i, n := range open {
		wait.Reset(moments[i] - s.o.Clock().Sub(began))
		select {
		case <-wait.C:
			n.out.Close(wire.CloseDrain)
		case <-ctx.Done():
			return s.cut(ctx)
		}
	}
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
		return s.cut(ctx)
	}
}

// cut ends what would not end by itself.
func (s *Server) cut(ctx context.Context) error {
	s.mu.Lock()
	left, waiting := s.attached(), len(s.sessions) > 0
	s.mu.Unlock()
	for _, n := range left {
		n.out.Fail()
		if n.link != nil {
			n.link.Close(0) // it may be waiting for the answer to a close frame
		}
	}
	if waiting {
		<-s.empty
	}
	return context.Cause(ctx)
}

// attached lists the sessions that have a connection; mu is held.
func (s *Server) attached() []*session {
	out := make([]*session, 0, len(s.sessions))
	for n := range s.sessions { // a map's order is random, but not evenly so
		if n.out != nil {
			out = append(out, n)
		}
	}
	return out
}

// Stats are the server's numbers, for metrics.
type Stats struct {
	// Sessions counts open sockets and event streams, Strangers those of them
	// that have not proved who they are, Waiting those that wait to be among
	// these and are no sockets yet.
	Sessions, Strangers, Waiting int
	// Kinds counts connected sessions by kind of identity.
	Kinds map[auth.Kind]int
	// Refused counts handshakes over the limits, RateLimited refused requests,
	// ClosedByLimit sessions that were closed for breaking a limit.
	Refused, RateLimited, ClosedByLimit uint64
}

// Stats reads the server's numbers.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Sessions: len(s.sessions), Strangers: s.strangers.all, Waiting: len(s.strangers.waiting), Kinds: make(map[auth.Kind]int),
		Refused: s.refused, RateLimited: s.rateLimited.Load(), ClosedByLimit: s.closedByLimit.Load(),
	}
	for _, held := range s.holders {
		for _, n := range held {
			st.Kinds[n.identity.Kind]++
		}
	}
	return st
}
