package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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

// lasting reports whether a refusal belongs to its key: it told how things stood
// when the command was given. A malformed command may be given again, corrected,
// and what was refused for our own reasons may be tried again.
func lasting(err error) bool {
	switch wire.CodeOf(err) {
	case wire.Conflict, wire.Empty, wire.NotFound:
		return true
	}
	return false
}

// remembered is an idempotency key's stored result.
type remembered struct {
	Print    string         `json:"print"`
	Location int            `json:"location"`
	Offset   uint64         `json:"offset"`
	Ticket   *ticket.Ticket `json:"ticket,omitempty"`
	// Refused is set when the command was refused.
	Refused *wire.Error `json:"refused,omitempty"`
}

// fingerprint tells one command from another, so that a key that is used again
// for something else is noticed.
func fingerprint(c ticket.Command) string {
	if c == nil {
		return ""
	}
	body, err := json.Marshal(c)
	if err != nil {
		return c.Name()
	}
	sum := sha256.Sum256(append([]byte(c.Name()+"\x00"), body...))
	return hex.EncodeToString(sum[:8])
}

// group is the commands of one commit, while it is put together.
type group struct {
	l       *Ledger
	now     time.Time
	tickets map[int64]*ticket.Ticket       // versions made by this group
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

// remembered looks whether the command's key was used before.
func (g *group) remembered(p *pending) (bool, error) {
	key := p.request.Key
	if key == "" {
		return false, nil
	}
	var past remembered
	if first := g.keys[key]; first != nil { // in this very group
		past = first.memory()
	} else {
		stored, err := g.l.store.Result(key)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look up key: %w", err)
		}
		if len(stored.Value) == 0 {
			return g.forgotten(p, stored.Ticket)
		}
		if err := json.Unmarshal(stored.Value, &past); err != nil {
			return false, fmt.Errorf("decode remembered result: %w", err)
		}
	}
	if past.Print != p.print {
		return false, &wire.Error{Code: wire.Conflict, Field: "key", Message: "this key was used for another command"}
	}
	if past.Refused != nil {
		return false, past.Refused
	}
	p.result = Result{Location: past.Location, Offset: past.Offset, Ticket: past.Ticket, Again: true}
	return true, nil
}

// forgotten answers a key whose result was erased together with its ticket: what
// it gave is gone, but it must not happen again.
func (g *group) forgotten(p *pending, id int64) (bool, error) {
	t := g.tickets[id]
	if t == nil {
		var err error
		if t, err = g.l.Ticket(id); err != nil {
			return false, err
		}
	}
	p.result = Result{Location: t.Location, Offset: t.Offset, Ticket: t, Again: true}
	return true, nil
}

// memory is what a key remembers of a decided command.
func (p *pending) memory() remembered {
	m := remembered{Print: p.print, Location: p.result.Location, Offset: p.result.Offset, Ticket: p.result.Ticket}
	if p.err != nil {
		m.Refused = wire.AsError(p.err)
	}
	return m
}

func (g *group) remember(p *pending) error {
	value, err := json.Marshal(p.memory())
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	p.change.Result = &store.Result{Key: p.request.Key, Value: value}
	if p.result.Ticket != nil {
		p.change.Result.Ticket = p.result.Ticket.ID
	}
	g.keys[p.request.Key] = p
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
		g.tickets[id] = t
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
