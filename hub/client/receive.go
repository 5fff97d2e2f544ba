package client

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// receive acts on one frame from the hub.
func (l *link) receive(frame []byte) error {
	now := l.c.cfg.Now()
	l.c.mu.Lock()
	l.c.heard = now
	l.c.mu.Unlock()
	in, err := decode(frame)
	if err != nil {
		return err
	}
	if in.Push != nil {
		l.pushed(*in.Push)
		return nil
	}
	if in.ID == 0 {
		return fmt.Errorf("%w: the hub could not read a frame: %w", errFrame, in.Error)
	}
	answer := l.waiting[in.ID]
	delete(l.waiting, in.ID)
	if answer == nil {
		return nil // a ping, signal or receipt, whose answer says nothing
	}
	return answer(in)
}

func (l *link) pushed(p wire.Push) {
	c := l.c
	c.mu.Lock()
	sub := c.subs[p.Channel]
	what := drop
	if sub != nil {
		what = sub.advance(p)
	}
	c.mu.Unlock()
	switch what {
	case take:
		c.cfg.Handler.Push(p)
		l.settle()
	case subscribe:
		l.sync()
	}
}

// subscribed takes the answer to a subscribe. An answer to a request that was
// replaced since, or for a channel that was given up, does not count.
func (l *link) subscribed(channel string, in inbound) error {
	c := l.c
	c.mu.Lock()
	sub := c.subs[channel]
	stale := sub == nil || sub.request != in.ID
	c.mu.Unlock()
	if stale {
		return nil
	}
	if in.Error != nil {
		l.refused(sub, in.Error)
		return nil
	}
	var r wire.SubscribeReply
	if err := json.Unmarshal(in.Reply, &r); err != nil || r.Channel != channel || r.Epoch == "" {
		return fmt.Errorf("%w: the answer to subscribe", errFrame)
	}
	if !r.Recovered && len(r.Snapshot) == 0 {
		return fmt.Errorf("%w: neither recovered nor a snapshot", errFrame)
	}
	c.mu.Lock()
	ok := sub.accept(r)
	c.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: recovered from a position that was not asked for", errFrame)
	}
	if !r.Recovered {
		c.cfg.Handler.Snapshot(channel, wire.Position{Epoch: r.Epoch, Offset: r.Offset}, r.Snapshot)
	}
	l.settle()
	return nil
}

// refused tries again later where the hub only asks for patience, and gives
// the channel up where it says no.
func (l *link) refused(sub *subscription, e *wire.Error) {
	c := l.c
	c.mu.Lock()
	switch e.Code {
	case wire.RateLimited, wire.Unavailable, wire.Internal:
		sub.asked, sub.resting = false, true
		wait := advice(e.RetryAfter) + backoff(sub.tries, c.cfg.Random())
		sub.tries++
		time.AfterFunc(wait, func() {
			c.mu.Lock()
			sub.resting = false
			c.poke()
			c.mu.Unlock()
		})
		c.mu.Unlock()
		return
	}
	delete(c.subs, sub.channel)
	c.mu.Unlock()
	c.cfg.Handler.Refused(sub.channel, e)
	l.settle()
}

// answered hands a command's answer to the caller that waits for it.
func (l *link) answered(k *call, in inbound) error {
	var r result
	if in.Error != nil {
		r.err = in.Error
	} else if err := json.Unmarshal(in.Reply, &r.reply); err != nil {
		return fmt.Errorf("%w: the answer to a command", errFrame)
	}
	l.c.forget(k)
	select {
	case k.done <- r:
	default: // unreachable: one request per link, and forgotten once answered
	}
	return nil
}
