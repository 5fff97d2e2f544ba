package hub

import (
	"github.com/nowserving/nowserving/hub/wire"
)

// maxTakes bounds how often a subscription asks for a snapshot that the ring
// has not moved past meanwhile.
const maxTakes = 8

// Subscribe answers request id with what out missed since its position, or
// with a snapshot, and from then on with every publication: no gap, no
// duplicate. An older subscription of the same channel is replaced. The error
// is for the caller to answer; then out is not subscribed.
//
// Subscribe, Unsubscribe and Drop of one Outbox are called by one goroutine.
func (h *Hub) Subscribe(out *Outbox, key Key, since *wire.Position, requestID int64) error {
	h.Unsubscribe(out, key.Channel)
	c, err := h.acquire(key)
	if err != nil {
		return err
	}
	s := &subscriber{channel: c, out: out, joining: true}
	c.place(s)
	if !out.add(s) {
		s.remove()
		return nil // closed meanwhile: nobody is there to be answered
	}
	if err := s.answer(since, requestID); err != nil {
		h.Unsubscribe(out, key.Channel)
		return err
	}
	return nil
}

func (s *subscriber) answer(since *wire.Position, id int64) error {
	if since != nil {
		if s.recover(*since, id) {
			return nil
		}
		if ahead, err := s.ahead(*since); err != nil || ahead {
			if err == nil {
				s.join(s.recovered(since.Epoch, since.Offset, id), nil, since.Offset, nil)
			}
			return err
		}
	}
	for range maxTakes {
		snap, err := s.channel.take()
		if err != nil {
			return err
		}
		if s.resume(snap, id) {
			return nil
		}
	}
	return wire.Errorf(wire.Unavailable, "the channel changes too fast to be shown")
}

// recover answers from the ring if it reaches back to since.
func (s *subscriber) recover(since wire.Position, id int64) bool {
	c := s.channel
	c.mu.Lock()
	c.ring.trim(c.hub.o.Clock().Add(-c.hub.o.HistoryAge))
	ok := since.Epoch == c.epoch && c.ring.covers(since.Offset)
	head := c.ring.head
	c.mu.Unlock()
	if !ok {
		return false
	}
	// What the ring loses from here on is noticed when it is read.
	s.join(s.recovered(since.Epoch, head, id), nil, since.Offset, nil)
	return true
}

func (s *subscriber) recovered(epoch string, head uint64, id int64) []byte {
	return wire.NewFrame(append(s.channel.appendReply(appendID(nil, id), epoch, head, true), "}}"...)).Ready()
}

// ahead reports whether since is what the ledger has committed and not yet
// published: the subscriber got it with a snapshot.
func (s *subscriber) ahead(since wire.Position) (bool, error) {
	c := s.channel
	c.mu.Lock()
	beyond := since.Epoch == c.epoch && since.Offset > c.ring.head
	c.mu.Unlock()
	if !beyond {
		return false, nil
	}
	src, err := c.hub.src()
	if err != nil {
		return false, err
	}
	head, err := src.Head(c.key)
	return err == nil && head == since, err
}

// resume answers with a snapshot, unless the ring has moved past it or
// something that it shows has changed.
func (s *subscriber) resume(snap *snapshot, id int64) bool {
	start := appendID(nil, id)
	head := append(appendHead(make([]byte, 0, 10+len(start)), len(start)+len(snap.tail)), start...)
	return s.join(head, snap.tail, snap.offset, func() bool {
		c := s.channel
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.follows(snap)
	})
}

// join writes the reply, in two pieces so that the second can be shared, and
// lets publications above offset follow it. still is asked when nothing can be
// written to s any more: an ephemeral push about what makes it false then comes
// after the reply, not before it.
func (s *subscriber) join(head, tail []byte, offset uint64, still func() bool) bool {
	o := s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || s.gone {
		return true // nobody is there to be answered
	}
	if still != nil && !still() {
		return false
	}
	s.offset, s.joining = offset, false
	o.hub.o.Meter.Subscribed(s.channel.key.Channel.Kind, tail == nil)
	if tail == nil {
		o.enqueue(head)
	} else {
		o.enqueue(head, tail)
	}
	o.markDirty(s)
	o.pump()
	return true
}

// Unsubscribe ends out's subscription of ch, if it has one. Nothing of that
// channel is written afterwards.
func (h *Hub) Unsubscribe(out *Outbox, ch wire.Channel) {
	if s := out.take(ch); s != nil {
		s.remove()
	}
}

// Drop ends all of out's subscriptions. Nothing is written to out afterwards
// but what was queued.
func (h *Hub) Drop(out *Outbox) {
	for _, s := range out.takeAll() {
		s.remove()
	}
}

// Subscriptions is how many channels out is subscribed to.
func (o *Outbox) Subscriptions() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.subs)
}

// add notes a subscription; false means that out is closed.
func (o *Outbox) add(s *subscriber) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return false
	}
	o.subs = append(o.subs, s)
	return true
}

func (o *Outbox) take(ch wire.Channel) *subscriber {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, s := range o.subs {
		if s.channel.key.Channel == ch {
			o.subs = append(o.subs[:i], o.subs[i+1:]...)
			s.gone = true
			return s
		}
	}
	return nil
}

func (o *Outbox) takeAll() []*subscriber {
	o.mu.Lock()
	defer o.mu.Unlock()
	subs := o.subs
	o.subs, o.dirty = nil, nil
	for _, s := range subs {
		s.gone = true
	}
	return subs
}
