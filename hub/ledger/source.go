package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// threadLength is how many of the newest transactions a ticket's snapshot holds.
const threadLength = 100

// Snapshot implements hub.Source.
func (l *Ledger) Snapshot(key hub.Key) (hub.Snapshot, error) {
	if key.Channel.Kind == wire.TicketChannel {
		return l.ticketSnapshot(key)
	}
	id, err := l.channelLocation(key.Channel)
	if err != nil {
		return hub.Snapshot{}, err
	}
	loc := l.location(id)
	if loc == nil {
		return hub.Snapshot{}, noChannel(key.Channel)
	}
	loc.mu.RLock()
	defer loc.mu.RUnlock()
	if !loc.exists() {
		return hub.Snapshot{}, noChannel(key.Channel)
	}
	s := hub.Snapshot{Epoch: loc.epoch}
	var body any
	switch key.Channel.Kind {
	case wire.BoardChannel:
		s.Offset, body = loc.view.BoardOffset, loc.view.BoardSnapshot()
	case wire.ConsoleChannel:
		s.Offset, body = loc.view.Offset, loc.view.ConsoleSnapshot()
	case wire.DisplayChannel:
		d := loc.view.Displays[int(key.Channel.ID)]
		s.Offset, body = d.Offset, ticket.DisplayPush{Display: d, Removed: d.Removed}
	}
	if s.Data, err = json.Marshal(body); err != nil {
		return hub.Snapshot{}, fmt.Errorf("encode snapshot of %s: %w", key.Channel, err)
	}
	return s, nil
}

// Head implements hub.Source.
func (l *Ledger) Head(key hub.Key) (wire.Position, error) {
	if key.Channel.Kind == wire.TicketChannel {
		t, epoch, err := l.newest(key.Channel.ID)
		if err != nil {
			return wire.Position{}, err
		}
		return wire.Position{Epoch: epoch, Offset: ticketOffset(t, key.Audience)}, nil
	}
	id, err := l.channelLocation(key.Channel)
	if err != nil {
		return wire.Position{}, err
	}
	loc := l.location(id)
	if loc == nil {
		return wire.Position{}, noChannel(key.Channel)
	}
	loc.mu.RLock()
	defer loc.mu.RUnlock()
	if !loc.exists() {
		return wire.Position{}, noChannel(key.Channel)
	}
	p := wire.Position{Epoch: loc.epoch}
	switch key.Channel.Kind {
	case wire.BoardChannel:
		p.Offset = loc.view.BoardOffset
	case wire.ConsoleChannel:
		p.Offset = loc.view.Offset
	case wire.DisplayChannel:
		p.Offset = loc.view.Displays[int(key.Channel.ID)].Offset
	}
	return p, nil
}

func noChannel(ch wire.Channel) error {
	e := wire.Errorf(wire.NotFound, "there is no channel %s", ch)
	e.Field = "channel"
	return e
}

// channelLocation is the location that a board, console or display belongs to.
func (l *Ledger) channelLocation(ch wire.Channel) (int, error) {
	if ch.ID > 1<<31 {
		return 0, noChannel(ch)
	}
	if ch.Kind != wire.DisplayChannel {
		return int(ch.ID), nil
	}
	return l.DisplayLocation(int(ch.ID))
}

// DisplayLocation is the location of a screen.
func (l *Ledger) DisplayLocation(id int) (int, error) {
	for _, j := range l.journals() {
		found := false
		l.View(j, func(s *ticket.State) { found = s.Displays[id] != nil })
		if found {
			return j, nil
		}
	}
	return 0, wire.Errorf(wire.NotFound, "Display with id %d not found", id)
}

// LineLocation is the location of a line.
func (l *Ledger) LineLocation(id int) (int, error) {
	for _, j := range l.journals() {
		found := false
		l.View(j, func(s *ticket.State) { found = s.Lines[id] != nil && !s.Lines[id].Removed })
		if found {
			return j, nil
		}
	}
	e := wire.Errorf(wire.NotFound, "Line with id %d not found", id)
	e.Field = "line"
	return 0, e
}

// newest is a ticket as readers may see it: the view's version while it is live,
// else the stored one.
func (l *Ledger) newest(id int64) (*ticket.Ticket, string, error) {
	stored, err := l.Ticket(id)
	if err != nil {
		return nil, "", err
	}
	loc := l.location(stored.Location)
	if loc == nil {
		return nil, "", wire.Errorf(wire.NotFound, "Ticket with id %d not found", id)
	}
	loc.mu.RLock()
	defer loc.mu.RUnlock()
	if live := loc.view.Tickets[id]; live != nil {
		return live, loc.epoch, nil
	}
	return stored, loc.epoch, nil
}

func ticketOffset(t *ticket.Ticket, audience hub.Audience) uint64 {
	if audience == hub.Visitor {
		return t.VisitorOffset
	}
	return t.Offset
}

func (l *Ledger) ticketSnapshot(key hub.Key) (hub.Snapshot, error) {
	t, epoch, err := l.newest(key.Channel.ID)
	if err != nil {
		return hub.Snapshot{}, err
	}
	// The thread is read after the ticket, so it may be newer. That is harmless:
	// the push that follows replaces entries by their number.
	thread, err := l.Transactions(t.ID, 0, threadLength, true)
	if err != nil {
		return hub.Snapshot{}, err
	}
	var body any
	l.View(t.Location, func(s *ticket.State) {
		if key.Audience == hub.Visitor {
			body = visitorSnapshot(s, t, thread)
		} else {
			body = staffSnapshot(s, t, thread)
		}
	})
	data, err := json.Marshal(body)
	if err != nil {
		return hub.Snapshot{}, fmt.Errorf("encode snapshot of %s: %w", key.Channel, err)
	}
	return hub.Snapshot{Epoch: epoch, Offset: ticketOffset(t, key.Audience), Data: data}, nil
}

func staffSnapshot(s *ticket.State, t *ticket.Ticket, newestFirst []ticket.Transaction) ticket.TicketSnapshot {
	out := ticket.TicketSnapshot{Ticket: s.StaffTicket(t), Transactions: []ticket.TransactionView{}}
	for i := len(newestFirst) - 1; i >= 0; i-- {
		out.Transactions = append(out.Transactions, t.TransactionView(&newestFirst[i]))
	}
	return out
}

func visitorSnapshot(s *ticket.State, t *ticket.Ticket, newestFirst []ticket.Transaction) ticket.VisitorSnapshot {
	out := ticket.VisitorSnapshot{Ticket: s.VisitorTicket(t), Transactions: []ticket.VisitorTransaction{}}
	for i := len(newestFirst) - 1; i >= 0; i-- {
		if x, ok := t.VisitorTransaction(&newestFirst[i]); ok {
			out.Transactions = append(out.Transactions, x)
		}
	}
	return out
}

var _ hub.Source = (*Ledger)(nil)
