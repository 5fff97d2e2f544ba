package queuegraph

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"

	graphql "github.com/graph-gophers/graphql-go"
	qerrors "github.com/graph-gophers/graphql-go/errors"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// frame is what a client says.
type frame struct {
	ID      json.RawMessage `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// subscription is one start that is answered with a frame per change.
type subscription struct {
	socket   *socket
	id       string
	replaced *subscription // by this one; nil for none
	listener *listener
	may      func(auth.Identity) error
	halt     context.CancelFunc
	stopped  atomic.Bool   // the client wants no more of it
	done     chan struct{} // everything of it was queued
}

// open is called by the resolver of the subscription's field: it checks the key's
// right and puts the listener into the feed, in one step with taking the replaced
// one out.
func (sub *subscription) open(l *listener, may func(auth.Identity) error) error {
	if sub.listener != nil { // unreachable: the library lets an operation have one field
		return wire.Errorf(wire.BadRequest, "a subscription has one field")
	}
	if err := may(sub.socket.identity()); err != nil {
		return err
	}
	var old *listener
	if sub.replaced != nil {
		old = sub.replaced.listener
	}
	sub.may, sub.listener = may, l
	sub.socket.g.feed.swap(old, l)
	return nil
}

// close ends a subscription that is in the feed and that nobody wants any more.
func (sub *subscription) close() {
	sub.stopped.Store(true)
	sub.socket.g.feed.swap(sub.listener, nil)
	sub.halt()
}

// readFrame reads one frame. The id is text; a number is taken as its digits.
func readFrame(b []byte) (f frame, id string, ok bool) {
	if err := json.Unmarshal(b, &f); err != nil {
		return f, "", false
	}
	if len(f.ID) == 0 || bytes.Equal(f.ID, []byte("null")) {
		return f, "", true
	}
	if f.ID[0] != '"' {
		id = string(f.ID)
	} else if err := json.Unmarshal(f.ID, &id); err != nil {
		return f, "", false
	}
	return f, id, len(id) <= maxID
}

// handle answers one frame. What is not understood is passed over: clients of
// several years are out there, and none of them counts on more.
func (s *socket) handle(b []byte) {
	f, id, ok := readFrame(b)
	if !ok {
		return
	}
	switch f.Type {
	case "connection_init":
		s.push([]byte(`{"type":"connection_ack"}`))
	case "ping":
		s.push([]byte(`{"type":"pong"}`))
	case "start":
		s.start(id, f.Payload)
	case "stop":
		s.mu.Lock()
		sub := s.subs[id]
		s.mu.Unlock()
		if sub != nil {
			s.take(sub)
		}
	}
}

// start begins a subscription. One of the same id is replaced.
func (s *socket) start(id string, payload json.RawMessage) {
	q, err := readAsked(payload)
	if err != nil || id == "" {
		s.fail(id, []fault{newFault(typeBad, "start has an id, and a payload with a query")})
		return
	}
	s.mu.Lock()
	old := s.subs[id]
	crowded := old == nil && len(s.subs) >= maxSubs
	s.mu.Unlock()
	if crowded { // no errorType: the client tries again, when others may have ended
		s.fail(id, []fault{newFault("", "too many subscriptions on one socket")})
		return
	}
	ctx, halt := context.WithCancel(s.ctx)
	sub := &subscription{socket: s, id: id, replaced: old, halt: halt, done: make(chan struct{})}
	ctx = context.WithValue(ctx, worldKey{}, s.g.newWorld(s.identity()))
	answers, err := s.g.schema.Subscribe(context.WithValue(ctx, subKey{}, sub), q.Query, q.Operation, q.Variables)
	if err != nil { // unreachable: the schema has resolvers and subscriptions
		s.g.reporter(s.identity())(err)
		halt()
		return
	}
	if sub.listener == nil {
		s.answerOnce(sub, answers)
		return
	}
	sub.replaced = nil // holds no chain of them
	if !s.put(sub) {
		sub.close()
	}
	s.work.Go(func() { s.forward(sub, old, answers) })
	if err := sub.may(s.identity()); err != nil { // rights have changed meanwhile
		s.take(sub)
		s.fail(id, []fault{s.faultOf(err)})
	}
}

// answerOnce sends what is no subscription: an error, or the answer to a query.
func (s *socket) answerOnce(sub *subscription, answers <-chan any) {
	if sub.replaced != nil {
		s.take(sub.replaced)
	}
	defer sub.halt()
	for a := range answers {
		s.send(sub, a.(*graphql.Response))
		if len(a.(*graphql.Response).Errors) == 0 {
			s.push(encode(reply{ID: sub.id, Type: "complete"}))
		}
	}
}

// put enters a subscription, unless the socket has ended meanwhile.
func (s *socket) put(sub *subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subs == nil {
		return false
	}
	s.subs[sub.id] = sub
	return true
}

// take takes a subscription out, and ends it.
func (s *socket) take(sub *subscription) {
	s.mu.Lock()
	if s.subs[sub.id] == sub {
		delete(s.subs, sub.id)
	}
	s.mu.Unlock()
	sub.close()
}

// forward sends a subscription's answers. What its predecessor still has goes
// first, so that nothing that happened in between is lost or out of order.
func (s *socket) forward(sub, old *subscription, answers <-chan any) {
	defer close(sub.done)
	if old != nil {
		old.finish()
		<-old.done
		old.halt()
	}
	for a := range answers {
		s.send(sub, a.(*graphql.Response))
	}
}

// finish lets a subscription that is out of the feed send what it still has.
func (sub *subscription) finish() { sub.listener.drained() }

// send queues an answer.
func (s *socket) send(sub *subscription, r *graphql.Response) {
	if sub.stopped.Load() {
		return
	}
	if len(r.Errors) > 0 {
		s.fail(sub.id, faults(r.Errors, s.g.reporter(s.identity())))
		return
	}
	s.push(encode(reply{ID: sub.id, Type: "data", Payload: &payload{Data: r.Data}}))
}

// fail queues an error. Clients of different age look in different places.
func (s *socket) fail(id string, errs []fault) {
	s.push(encode(reply{ID: id, Type: "error", Payload: &payload{Data: json.RawMessage("null"), Errors: errs}, Errors: errs}))
}

func (s *socket) faultOf(err error) fault {
	return faults([]*qerrors.QueryError{{ResolverError: err}}, s.g.reporter(s.identity()))[0]
}

// reply is what we say about a subscription.
type reply struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Payload *payload `json:"payload,omitempty"`
	Errors  []fault  `json:"errors,omitempty"`
}

type payload struct {
	Data   json.RawMessage `json:"data"`
	Errors []fault         `json:"errors,omitempty"`
}
