package queuegraph

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops/limit"
)

// The bounds of sockets.
const (
	maxFrame     = 64 << 10 // inbound, in bytes (close 1009)
	maxSubs      = 100      // per socket, as at the vendor
	maxID        = 128      // bytes of a subscription's id
	maxSockets   = 20_000   // of the node
	maxSameKey   = 5000     // of one key: a fleet of screens shares one
	maxQueued    = 4096     // frames that wait to be written (close 1013)
	maxQueuedLen = 4 << 20  // the same in bytes
	writeWithin  = 10 * time.Second
	keepAlive    = 30 * time.Second
	pongWithin   = 20 * time.Second
)

// frameRate paces a client: after a break it sends all its starts at once. More
// is read later, which the client feels, and loses nothing.
func frameRate() limit.Rate { return limit.Rate{PerSecond: 50, Burst: 4 * maxSubs} }

// ending is why a socket ends. One without a code is cut: nobody is there.
type ending struct {
	code websocket.StatusCode
	text string
}

var (
	closeGone    = ending{}
	closeDrain   = ending{websocket.StatusGoingAway, "the node stops; come back"}
	closeRevoked = ending{websocket.StatusPolicyViolation, "the key is not valid any more"}
	closeSlow    = ending{websocket.StatusTryAgainLater, "too far behind; read again"}
	closeDefect  = ending{websocket.StatusInternalError, "something went wrong on our side"}
)

// socket is the server's side of one connection. Its goroutines (reader, writer,
// pinger, one per subscription) end when end was called.
type socket struct {
	g    *Graph
	ws   *websocket.Conn
	ctx  context.Context // ends the subscriptions
	stop context.CancelFunc
	id   atomic.Pointer[auth.Identity]
	rate *limit.Buckets
	work sync.WaitGroup

	once  sync.Once
	why   ending // written once, before done is closed
	done  chan struct{}
	doubt chan struct{} // somebody's rights have changed
	ready chan struct{} // there is something to write

	mu     sync.Mutex // protects the rest
	subs   map[string]*subscription
	queue  [][]byte
	queued int // bytes
}

// identity is whose socket it is, and what they may do now.
func (s *socket) identity() auth.Identity { return *s.id.Load() }

// end makes the socket close. It never blocks; the first reason counts.
func (s *socket) end(why ending) {
	s.once.Do(func() {
		s.why = why
		close(s.done)
	})
}

// upgrade is GET /graphql/subscription.
func (g *Graph) upgrade(w http.ResponseWriter, r *http.Request) {
	id, ok := identify(w, r, g.Keys.SocketKey, http.StatusForbidden)
	if !ok {
		return
	}
	s := &socket{
		g: g, done: make(chan struct{}), doubt: make(chan struct{}, 1), ready: make(chan struct{}, 1),
		subs: map[string]*subscription{}, rate: limit.New(frameRate(), 1, g.Clock),
	}
	s.id.Store(&id)
	if !g.enter(s) {
		// Before the upgrade: a client counts an accepted socket as a success and
		// comes back at once.
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "no more sockets are taken now", "")
		return
	}
	var err error
	s.ws, err = websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // any page may come: what counts is the key, which no browser adds by itself
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil { // answered by the library
		g.leave(s)
		return
	}
	s.ws.SetReadLimit(maxFrame)
	s.ctx, s.stop = context.WithCancel(context.Background())
	g.join(s)
	go s.run()
}

// enter takes a socket in, unless there are too many.
func (g *Graph) enter(s *socket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := s.identity().Credential
	if g.draining || g.open >= maxSockets || len(g.sockets[c]) >= maxSameKey {
		return false
	}
	g.open++
	g.ended.Add(1)
	return true
}

// join makes an open socket known to Recheck and Drain.
func (g *Graph) join(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := s.identity().Credential
	if g.sockets[c] == nil {
		g.sockets[c] = map[*socket]struct{}{}
	}
	g.sockets[c][s] = struct{}{}
	if g.draining { // began while this one was being opened
		s.end(closeDrain)
	}
}

func (g *Graph) leave(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := s.identity().Credential
	if delete(g.sockets[c], s); len(g.sockets[c]) == 0 {
		delete(g.sockets, c)
	}
	g.open--
	g.ended.Done()
}

// Sockets counts the open sockets.
func (g *Graph) Sockets() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// Recheck makes the sockets of a grant ask again what they may do. It is for
// Authenticator.OnRevoke and does not block. A temporary key's socket goes by the
// key that it stands for, whose credential and grant are one.
func (g *Graph) Recheck(grant string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.sockets[grant] {
		select {
		case s.doubt <- struct{}{}:
		default: // it is going to ask anyway
		}
	}
}

// Drain refuses new sockets, sends the open ones away with a code that clients
// come back on, and waits for them to end. When ctx ends first, the rest is cut.
// Clients wait some seconds before they come back, each a little differently, so
// they may all go at once.
func (g *Graph) Drain(ctx context.Context) error {
	g.mu.Lock()
	g.draining = true
	var all []*socket
	for _, same := range g.sockets {
		for s := range same {
			all = append(all, s)
			s.end(closeDrain)
		}
	}
	g.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the last socket
		g.ended.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	for _, s := range all {
		_ = s.ws.CloseNow() // it may be closed already
	}
	<-ended
	return context.Cause(ctx)
}

// run is the socket's life.
func (s *socket) run() {
	defer s.g.leave(s)
	s.recheck() // the key may have been revoked since it was looked at
	s.work.Go(s.read)
	s.work.Go(s.write)
	s.work.Go(s.ping)
	<-s.done
	s.mu.Lock()
	subs := s.subs
	s.subs = nil // no more are taken
	s.mu.Unlock()
	for _, sub := range subs {
		sub.close()
	}
	s.stop()
	if s.why.code == 0 {
		_ = s.ws.CloseNow() // nobody is there to tell
	} else {
		_ = s.ws.Close(s.why.code, s.why.text) // gives up by itself when nobody answers
	}
	s.work.Wait()
}

// read takes frames until the connection ends.
func (s *socket) read() {
	defer s.end(closeGone)
	for {
		_, b, err := s.ws.Read(context.Background()) // a context would cut the connection, without a code
		if err != nil {
			return
		}
		if v := s.rate.Take(""); !v.OK {
			wait := time.NewTimer(v.RetryAfter)
			select {
			case <-wait.C:
			case <-s.done:
			}
			wait.Stop()
		}
		s.handleSafely(b)
	}
}

// handleSafely keeps a defect that some frame reaches from ending the node.
func (s *socket) handleSafely(b []byte) {
	defer func() {
		if p := recover(); p != nil {
			s.g.Log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("GraphQL frame panicked")
			s.end(closeDefect)
		}
	}()
	s.handle(b)
}

// push queues a frame. Who does not read what waits is sent away.
func (s *socket) push(b []byte) {
	s.mu.Lock()
	full := len(s.queue) >= maxQueued || len(s.queue) > 0 && s.queued+len(b) > maxQueuedLen
	if !full {
		s.queue = append(s.queue, b)
		s.queued += len(b)
	}
	s.mu.Unlock()
	if full {
		s.end(closeSlow)
		return
	}
	select {
	case s.ready <- struct{}{}:
	default: // the writer knows already
	}
}

func (s *socket) next() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, false
	}
	b := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.queued -= len(b)
	return b, true
}

// write sends what is queued, and signs of life.
func (s *socket) write() {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		for b, ok := s.next(); ok; b, ok = s.next() {
			ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
			err := s.ws.Write(ctx, websocket.MessageText, b)
			cancel()
			if err != nil {
				s.end(closeGone)
				return
			}
		}
		select {
		case <-s.ready:
		case <-tick.C:
			s.push([]byte(`{"type":"ka"}`))
			s.recheck() // keys run out
		case <-s.doubt:
			s.recheck()
		case <-s.done:
			return
		}
	}
}

// ping finds dead peers: a client that is there answers without knowing it.
func (s *socket) ping() {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.done:
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, pongWithin)
		err := s.ws.Ping(ctx)
		cancel()
		if err != nil {
			s.end(closeGone)
			return
		}
	}
}

// recheck asks again what the key may do, and takes subscriptions away that it
// may not have any more.
func (s *socket) recheck() {
	id, err := s.g.Keys.Recheck(auth.Identity{Grant: s.identity().Credential})
	if err != nil || id.Kind != auth.Integrator {
		s.end(closeRevoked)
		return
	}
	s.id.Store(&id)
	s.mu.Lock()
	var refused []*subscription
	errs := map[*subscription]error{}
	for _, sub := range s.subs {
		if err := sub.may(id); err != nil {
			refused, errs[sub] = append(refused, sub), err
		}
	}
	s.mu.Unlock()
	for _, sub := range refused {
		s.take(sub)
		s.fail(sub.id, []fault{s.faultOf(errs[sub])})
	}
}
