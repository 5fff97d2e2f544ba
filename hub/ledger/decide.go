package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// maxEvent bounds one event's stored form, in bytes: a commit must be able to
// carry it several times over (event, ticket version, base).
const maxEvent = 256 << 10

// pending is a command on its way.
type pending struct {
	request Request
	print   string // of the command, when there is a key
	fresh   bool   // the key was not used before
	done    chan struct{}
	result  Result
	err     error

	steps  []step // what was decided, in order; the first is the request's own
	change store.Change
}

// step is one journal's part of a command.
type step struct {
	loc    *location
	offset uint64 // before its first event
	events []ticket.Event
}

func (p *pending) fail(err error) {
	p.err = err
	close(p.done)
}

// refuse notes a refusal, which is answered in its turn and changes nothing.
func (p *pending) refuse(err error) {
	p.err, p.result, p.steps, p.change = err, Result{}, nil, store.Change{}
}

// group is the commands of one commit, while it is put together.
type group struct {
	l       *Ledger
	now     time.Time
	tickets map[int64]*ticket.Ticket       // versions made by this group
	docs    map[int64][]byte               // the same, encoded
	keys    map[string]*pending            // keys used by this group
	entries map[entryID]ticket.Transaction // thread entries made by this group
	ids     ticket.IDs
	effects bool // some change carries documents of Options.Effects
}

// decide runs one command against the spec states. On an error nothing changed.
func (g *group) decide(p *pending) error {
	r := &p.request
	p.result.Location = r.Location
	if again, err := g.remembered(p); again || err != nil {
		return err
	}
	p.fresh = r.Key != ""
	p.change.Docs = r.Docs
	if r.Command == nil {
		return nil
	}
	if err := g.step(p, r.Location, r.Command); err != nil {
		return err
	}
	own := p.steps[0]
	p.result.Offset = own.loc.spec.Offset
	p.result.Events = own.events
	p.result.Unchanged = len(own.events) == 0
	p.result.Ticket = g.subject(r.Command, own)
	if err := g.follow(p); err != nil {
		return err
	}
	if r.Key == "" {
		return nil
	}
	if err := g.remember(p); err != nil {
		return &defect{err}
	}
	return nil
}

// subject is the ticket that the command's answer shows.
func (g *group) subject(c ticket.Command, s step) *ticket.Ticket {
	if on, ok := c.(ticket.OnTicket); ok {
		if t := g.tickets[on.TicketID()]; t != nil {
			return t
		}
		if t := s.loc.spec.Tickets[on.TicketID()]; t != nil {
			return t
		}
		t, err := g.l.Ticket(on.TicketID()) // not live and unchanged
		if err != nil {
			return nil
		}
		return t
	}
	// A create or a callNext: the last event is about its ticket.
	for _, e := range slices.Backward(s.events) {
		if e.Ticket != 0 {
			return g.tickets[e.Ticket]
		}
	}
	return nil
}

// step decides one command in one journal and folds it into its spec.
func (g *group) step(p *pending, journal int, c ticket.Command) error {
	loc := g.l.location(journal)
	if loc == nil {
		return wire.Errorf(wire.NotFound, "Location with id %d not found", journal)
	}
	s := loc.spec
	var base *ticket.Ticket
	if on, ok := c.(ticket.OnTicket); ok && s.Tickets[on.TicketID()] == nil {
		var err error
		if base, err = g.recall(on.TicketID(), journal); err != nil {
			return err
		}
		s.Put(base)
	}
	events, err := ticket.Decide(s, c, ticket.Env{Now: g.now, Actor: p.request.Actor, IDs: g.ids})
	if err == nil {
		err = g.restate(events)
	}
	if err == nil && base != nil {
		addBase(events, base)
	}
	var records []store.Record
	if err == nil {
		records, err = encode(events, journal, s.Offset)
	}
	if err != nil {
		if base != nil {
			s.Settle(base.ID)
		}
		return err
	}
	p.steps = append(p.steps, step{loc: loc, offset: s.Offset, events: events})
	p.change.Records = append(p.change.Records, records...)
	g.ids = g.ids.Advance(events)
	if base != nil && len(events) == 0 {
		s.Settle(base.ID)
		g.tickets[base.ID] = base
	}
	return g.fold(p, s, events)
}

// recall fetches a ticket that is not live: from this group, else from disk.
func (g *group) recall(id int64, location int) (*ticket.Ticket, error) {
	t := g.tickets[id]
	if t == nil {
		var err error
		if t, err = g.l.Ticket(id); err != nil {
			return nil, err
		}
	}
	if t.Location != location {
		return nil, wire.Errorf(wire.NotFound, "Ticket with id %d not found", id)
	}
	return t, nil
}

func encode(events []ticket.Event, journal int, offset uint64) ([]store.Record, error) {
	records := make([]store.Record, len(events))
	for i := range events {
		e := &events[i]
		facts, personal, err := e.Encode()
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", e.Type, err)
		}
		if len(facts)+len(personal) > maxEvent {
			return nil, wire.Errorf(wire.TooLarge, "the ticket would hold too much data")
		}
		records[i] = store.Record{
			Location: journal, Offset: offset + uint64(i) + 1, Time: e.Time, Type: string(e.Type), Ticket: e.Ticket,
			Facts: facts, Personal: personal,
		}
	}
	return records, nil
}

// fold evolves the spec and notes what the store has to write. From here on an
// error would leave the spec ahead of the journal, so it is a defect of ours and
// ends the ledger.
func (g *group) fold(p *pending, s *ticket.State, events []ticket.Event) error {
	touched := make([]int64, 0, len(events))
	for _, e := range events {
		ticket.Evolve(s, e)
		if fx := g.l.o.Effects; fx != nil {
			docs := fx.Effects(s, e)
			p.change.Docs = append(slices.Clip(p.change.Docs), docs...)
			g.effects = g.effects || len(docs) > 0
		}
		if e.Ticket != 0 && !slices.Contains(touched, e.Ticket) {
			touched = append(touched, e.Ticket)
		}
		if e.Type == ticket.EventErased {
			p.change.Erase = append(p.change.Erase, e.Ticket)
		}
		if e.InThread() {
			entry := e.Transaction()
			doc, err := json.Marshal(&entry)
			if err != nil {
				return &defect{err}
			}
			g.entries[entryID{e.Ticket, entry.Seq}] = entry
			p.change.Entries = append(p.change.Entries, store.Entry{Ticket: e.Ticket, Seq: entry.Seq, Doc: doc})
		}
	}
	for _, id := range touched {
		t := s.Tickets[id]
		doc, err := json.Marshal(t)
		if err != nil {
			return &defect{err}
		}
		g.tickets[id], g.docs[id] = t, doc
		p.change.Tickets = append(p.change.Tickets, store.TicketVersion{
			ID: id, Location: t.Location, Doc: doc, Index: index(t),
		})
		s.Settle(id)
	}
	return nil
}

func index(t *ticket.Ticket) store.Index {
	return store.Index{
		Line: t.Place.Line, Status: string(t.Place.Status), Created: t.Place.CreatedAt, Called: t.CalledAt(),
		Served: t.Place.ServedAt, Caller: t.Caller(), Live: t.Live(),
	}
}

// defect is a broken invariant of ours.
type defect struct{ err error }

func (d *defect) Error() string { return "ledger: defect: " + d.err.Error() }
func (d *defect) Unwrap() error { return d.err }

// follow carries what the directory decided into the locations it concerns, in
// the same commit.
func (g *group) follow(p *pending) error {
	if p.request.Location != Directory {
		return nil
	}
	for _, e := range p.result.Events {
		switch {
		case e.Facts.LocationDef != nil:
			if err := g.followLocation(p, *e.Facts.LocationDef); err != nil {
				return &defect{err}
			}
		case e.Facts.UserDef != nil:
			for _, id := range g.l.journals() {
				if err := g.followUser(p, *e.Facts.UserDef, id); err != nil {
					return &defect{err}
				}
			}
		}
	}
	return nil
}

func (g *group) followLocation(p *pending, def ticket.Location) error {
	fresh := g.l.ensure(def.ID)
	if err := g.step(p, def.ID, ticket.PutLocation{Location: def}); err != nil {
		return err
	}
	if !fresh {
		return nil
	}
	for _, u := range g.l.location(Directory).spec.SortedUsers() {
		if err := g.followUser(p, *u, def.ID); err != nil {
			return err
		}
	}
	return nil
}

// followUser copies a user into a location's journal, or out of it when the
// user no longer works there.
func (g *group) followUser(p *pending, u ticket.User, journal int) error {
	known := g.l.location(journal).spec.Users[u.ID] != nil
	if !u.WorksIn(journal) {
		u.Removed = true
	}
	if u.Removed && !known {
		return nil
	}
	return g.step(p, journal, ticket.PutUser{User: u})
}
