package client

import (
	"github.com/nowserving/nowserving/hub/wire"
)

// subscription is the client's side of one channel. Client.mu guards it.
type subscription struct {
	channel string
	// pos is how far the channel is known; nil asks for a snapshot.
	pos *wire.Position
	// asked: a subscribe went out on this link. Until its answer, pushes belong
	// to the subscription that it replaces, and the answer makes up for them.
	asked, answered bool
	// request is the id of the latest subscribe; older answers do not count.
	request int64
	// target is the offset up to which the answer promised missed pushes.
	target uint64
	// gapAt is where the last gap was found: a second one at the same place
	// means that since does not help there.
	gapAt *wire.Position
	// resting: the hub asked to wait before subscribing again.
	resting bool
	tries   int
}

func newSubscription(channel string, since *wire.Position) *subscription {
	s := &subscription{channel: channel}
	s.restart(since)
	return s
}

// restart forgets the link's side: the next sync subscribes anew from since.
func (s *subscription) restart(since *wire.Position) {
	if since != nil {
		copied := *since
		since = &copied
	}
	s.pos = since
	s.asked, s.answered, s.resting = false, false, false
	s.request, s.target = 0, 0
}

// current reports whether everything up to the answer has been seen.
func (s *subscription) current() bool {
	return s.answered && s.pos != nil && s.pos.Offset >= s.target
}

// accept takes the answer to subscribe. It reports false when the answer does
// not fit what was asked, which only a defective hub sends.
func (s *subscription) accept(r wire.SubscribeReply) bool {
	s.tries = 0
	if r.Recovered {
		if s.pos == nil || s.pos.Epoch != r.Epoch || r.Offset < s.pos.Offset {
			return false
		}
	} else {
		s.pos = &wire.Position{Epoch: r.Epoch, Offset: r.Offset}
		s.gapAt = nil
	}
	s.answered, s.target = true, r.Offset
	return true
}

// next says what a push means for the subscription.
type next int

const (
	take      next = iota // the next publication
	drop                  // seen already, or of a subscription that was replaced
	subscribe             // something is missing before it
)

// advance judges a push and, when it is the next one, moves the position.
func (s *subscription) advance(p wire.Push) next {
	switch {
	case p.Offset == 0:
		return take // ephemeral: it has no place in the order
	case !s.answered || p.Offset <= s.pos.Offset:
		return drop
	case p.Prev > s.pos.Offset:
		s.gap()
		return subscribe
	}
	s.pos.Offset = p.Offset
	return take
}

// gap asks again from where the run ended, and for a snapshot when that was
// tried at this very place before.
func (s *subscription) gap() {
	here := *s.pos
	since := s.pos
	if s.gapAt != nil && *s.gapAt == here {
		since = nil
	}
	s.gapAt = &here
	s.restart(since)
}
