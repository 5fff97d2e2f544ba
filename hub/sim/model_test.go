package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/nowserving/nowserving/hub/ticket"
)

// model is a location as a waiting room works, written without the domain's code.
type model struct {
	w     *world
	place place
	rooms map[int64]*guest
	given map[string]int64 // public ids by day
	asked map[string]*ask
}

type guest struct {
	status   ticket.Status
	line     int
	order    int64
	caller   int
	assigned int
	name     string
}

// auditModel replays a journal through the model, which knows what may follow what.
func (w *world) auditModel(p place, events []ticket.Event) {
	m := &model{w: w, place: p, rooms: map[int64]*guest{}, given: map[string]int64{}, asked: map[string]*ask{}}
	for _, a := range w.asks {
		m.asked[a.id] = a
	}
	for i, e := range events {
		if e.Ticket == 0 {
			continue
		}
		if err := m.step(e); err != nil {
			w.fail("location %d, offset %d, %s of ticket %d by %s: %v", p.id, i+1, e.Type, e.Ticket, e.Facts.Actor.Credential, err)
			return
		}
	}
	m.compare(events)
}

// follows lists the statuses that an event may follow; those of events that are
// not about the place are not in it.
func follows(t ticket.Type) []ticket.Status {
	switch t {
	case ticket.EventCalled, ticket.EventCancelled, ticket.EventReordered:
		return []ticket.Status{ticket.New}
	case ticket.EventRecalled, ticket.EventServed, ticket.EventNoShow, ticket.EventForwarded:
		return []ticket.Status{ticket.Called}
	case ticket.EventReturned:
		return []ticket.Status{ticket.Called, ticket.NoShow}
	case ticket.EventAssigned:
		return []ticket.Status{ticket.New, ticket.Called}
	}
	return nil
}

func (m *model) step(e ticket.Event) error {
	f := &e.Facts
	if e.Type == ticket.EventCreated {
		id := f.Day + "/" + f.PublicID
		if m.rooms[e.Ticket] != nil || m.given[id] != 0 {
			return fmt.Errorf("%s was given to %d already", id, m.given[id])
		}
		m.given[id] = e.Ticket
		m.rooms[e.Ticket] = &guest{status: ticket.New, line: f.Line, order: f.Order, name: nameIn(e, "")}
		return nil
	}
	g := m.rooms[e.Ticket]
	if g == nil {
		return fmt.Errorf("nobody has this ticket")
	}
	if from := follows(e.Type); from != nil && !slices.Contains(from, g.status) {
		return fmt.Errorf("it is %s", g.status)
	}
	switch e.Type {
	case ticket.EventCalled:
		if err := m.first(e, g); err != nil {
			return err
		}
		g.status, g.caller = ticket.Called, f.User
	case ticket.EventServed:
		g.status = ticket.Served
	case ticket.EventNoShow:
		g.status = ticket.NoShow
	case ticket.EventCancelled:
		g.status = ticket.Cancelled
	case ticket.EventReturned, ticket.EventForwarded:
		g.status, g.line, g.order = ticket.New, f.Line, f.Order
		return m.placed(e, g)
	case ticket.EventReordered:
		g.order = f.Order
	case ticket.EventAssigned:
		g.assigned = f.User
	case ticket.EventChanged:
		g.name = nameIn(e, g.name)
		if f.Line != 0 {
			if g.status != ticket.New {
				return fmt.Errorf("it is %s and went to line %d", g.status, f.Line)
			}
			g.line = f.Line
		}
	}
	return nil
}

// nameIn is the visitor's name after an event that may tell it.
func nameIn(e ticket.Event, before string) string {
	if e.Personal == nil || e.Personal.Private == nil {
		return before
	}
	return e.Personal.Private.FirstName
}

// first: who is called by a callNext is the first whom the caller may call, and
// whoever else the caller had called was served before, unless kept.
func (m *model) first(e ticket.Event, g *guest) error {
	var lines []int
	keep, next := true, false
	if a := m.asked[e.Facts.Actor.Credential]; a != nil {
		switch c := a.req.Command.(type) {
		case ticket.CallNext:
			lines, keep, next = c.Lines, c.KeepActive, true
		case ticket.CallTicket:
			keep = c.KeepActive
		default:
			return fmt.Errorf("called by a %s", c.Name())
		}
	}
	if next && g.assigned != 0 && g.assigned != e.Facts.User {
		return fmt.Errorf("it is kept for user %d", g.assigned)
	}
	for id, other := range m.rooms {
		if !keep && other.status == ticket.Called && e.Facts.User != 0 && other.caller == e.Facts.User {
			return fmt.Errorf("ticket %d is still with user %d", id, other.caller)
		}
		if other.status != ticket.New || !slices.Contains(lines, other.line) || other.assigned != 0 && other.assigned != e.Facts.User {
			continue
		}
		if other.order < g.order || other.order == g.order && id < e.Ticket {
			return fmt.Errorf("ticket %d was before it", id)
		}
	}
	if len(m.queue(g.line)) > 0 && m.queue(g.line)[0] != e.Ticket {
		m.w.count("overtook")
	}
	return nil
}

// placed: who returns FIRST is first in line, who returns LAST is last.
func (m *model) placed(e ticket.Event, g *guest) error {
	q := m.queue(g.line)
	switch {
	case e.Facts.Position == ticket.PositionFirst && q[0] != e.Ticket:
		return fmt.Errorf("returned to the front and stands at %d", slices.Index(q, e.Ticket))
	case e.Facts.Position != ticket.PositionFirst && e.Facts.Position != ticket.PositionMiddle && q[len(q)-1] != e.Ticket:
		return fmt.Errorf("came last and stands at %d of %d", slices.Index(q, e.Ticket), len(q))
	}
	return nil
}

// queue lists who waits in a line, in order.
func (m *model) queue(line int) []int64 {
	var out []int64
	for _, id := range slices.Sorted(maps.Keys(m.rooms)) {
		if g := m.rooms[id]; g.status == ticket.New && g.line == line {
			out = append(out, id)
		}
	}
	slices.SortStableFunc(out, func(a, b int64) int { return int(m.rooms[a].order - m.rooms[b].order) })
	return out
}

// compare: the domain's fold has the same people in the same order.
func (m *model) compare(events []ticket.Event) {
	s := ticket.NewState(m.place.id)
	for _, e := range events {
		ticket.Evolve(s, e)
		if !e.Facts.More && e.Ticket != 0 {
			s.Settle(e.Ticket)
		}
	}
	for _, line := range m.place.lines {
		var got []int64
		for _, t := range s.WaitingIn(line) {
			got = append(got, t.ID)
		}
		if want := m.queue(line); !slices.Equal(got, want) {
			m.w.fail("line %d has %v, the model %v", line, got, want)
		}
	}
	for id, g := range m.rooms {
		m.compareStored(id, g)
	}
}

// compareStored: what is stored of a ticket, live or not, is what became of it.
func (m *model) compareStored(id int64, g *guest) {
	v, err := m.w.log.Ticket(id)
	var t ticket.Ticket
	if err == nil {
		err = json.Unmarshal(v.Doc, &t)
	}
	if err != nil {
		m.w.fail("stored ticket %d: %v", id, err)
		return
	}
	if t.Place.Status != g.status || t.Place.Line != g.line || t.Caller() != g.caller || v.Index.Status != string(g.status) {
		m.w.fail("ticket %d is stored as %s in line %d by %d, in the model %+v", id, t.Place.Status, t.Place.Line, t.Caller(), *g)
	}
	if !m.w.erased[id] && t.Private.FirstName != g.name {
		m.w.fail("ticket %d is stored for %q, in the model for %q", id, t.Private.FirstName, g.name)
	}
}
