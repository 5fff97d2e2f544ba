package node

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

const (
	// positionsEvery is how often the places of a location's visitors are told at
	// most: one call moves everybody behind it.
	positionsEvery = time.Second
	// positionsTold is how often a place is told after subscribing: the first may
	// fall into the catching up, where what is passing is left out.
	positionsTold = 2
)

// positions tells visitors who watch their ticket how far they have come. Nothing
// of it is in the journal: somebody else's call changes a place without any event
// of one's own.
type positions struct {
	hub interface {
		Wants(key hub.Key) bool
		Emit(ch wire.Channel, typ string, data []byte, except *hub.Outbox, to ...hub.Audience)
	}
	ledger interface {
		View(location int, f func(*ticket.State)) bool
		Locate(ticket int64) (int, error)
	}
	clock func() time.Time
	wake  chan struct{}

	mu        sync.Mutex // protects the rest
	locations map[int]*lobby
}

// lobby is who watches in one location.
type lobby struct {
	tickets map[int64]*told
	dirty   bool
	next    time.Time // not before
}

// told is what one ticket's visitor was told.
type told struct {
	last ticket.VisitorPlace
	due  int // times that it is told even if it is the same
}

func newPositions(h *hub.Hub, l *ledger.Ledger, clock func() time.Time) *positions {
	return &positions{hub: h, ledger: l, clock: clock, wake: make(chan struct{}, 1), locations: map[int]*lobby{}}
}

// published notes that places of a location may have changed. It is called for
// every event, in the publisher.
func (p *positions) published(c ledger.Notice) {
	p.mu.Lock()
	l := p.locations[c.Location]
	fresh := l != nil && !l.dirty
	if fresh {
		l.dirty = true
	}
	p.mu.Unlock()
	if fresh {
		p.stir()
	}
}

// subscribed notes that a visitor watches their ticket.
func (p *positions) subscribed(id auth.Identity, ch wire.Channel) {
	if id.Kind != auth.Visitor || ch.Kind != wire.TicketChannel {
		return
	}
	location, err := p.ledger.Locate(ch.ID)
	if err != nil { // it was there a moment ago, and a place is only a hint
		return
	}
	p.mu.Lock()
	l := p.locations[location]
	if l == nil {
		l = &lobby{tickets: map[int64]*told{}}
		p.locations[location] = l
	}
	if l.tickets[ch.ID] == nil {
		l.tickets[ch.ID] = &told{}
	}
	l.tickets[ch.ID].due, l.dirty = positionsTold, true
	p.mu.Unlock()
	p.stir()
}

func (p *positions) stir() {
	select {
	case p.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// run tells places until ctx ends.
func (p *positions) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		timer.Reset(p.round())
	}
}

// round tells the places of every location whose time has come, and says how long
// nothing is due.
func (p *positions) round() time.Duration {
	now, wait := p.clock(), time.Hour
	var due []int
	p.mu.Lock()
	for id, l := range p.locations {
		switch {
		case !l.dirty:
		case now.Before(l.next):
			wait = min(wait, l.next.Sub(now))
		default:
			l.dirty, l.next = false, now.Add(positionsEvery)
			due = append(due, id)
		}
	}
	p.mu.Unlock()
	for _, id := range due {
		if p.tell(id) {
			wait = min(wait, positionsEvery)
		}
	}
	return wait
}

func visitorKey(id int64) hub.Key {
	return hub.Key{Channel: wire.Channel{Kind: wire.TicketChannel, ID: id}, Audience: hub.Visitor}
}

// tell looks at everybody who watches in a location, in one view of it, and tells
// whose place is another one. It says whether something is left to be told.
func (p *positions) tell(location int) (more bool) {
	p.mu.Lock()
	l := p.locations[location]
	ids := make([]int64, 0, len(l.tickets))
	for id := range l.tickets {
		if !p.hub.Wants(visitorKey(id)) { // nobody has read it for a while
			delete(l.tickets, id)
			continue
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		delete(p.locations, location)
	}
	p.mu.Unlock()
	now := make([]ticket.VisitorPlace, len(ids))
	p.ledger.View(location, func(s *ticket.State) {
		places := s.VisitorPlaces()
		for i, id := range ids {
			now[i] = places(id)
		}
	})
	for i, id := range ids {
		say, again := p.changed(l, id, now[i])
		more = more || again
		if !say {
			continue
		}
		data, err := json.Marshal(now[i])
		if err != nil { // unreachable: numbers
			continue
		}
		p.hub.Emit(visitorKey(id).Channel, "position", data, nil, hub.Visitor)
	}
	if more {
		p.mu.Lock()
		l.dirty = true
		p.mu.Unlock()
	}
	return more
}

// changed takes a place down, and says whether to tell it now, and once more.
func (p *positions) changed(l *lobby, id int64, now ticket.VisitorPlace) (say, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := l.tickets[id]
	if t == nil {
		return false, false
	}
	waits := now.Position > 0 || now.Conversation > 0
	say = !now.Equal(t.last) || t.due > 0 && waits
	t.last, t.due = now, max(0, t.due-1)
	return say, t.due > 0 && waits
}
