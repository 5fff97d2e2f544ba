package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// compare looks at everything when it has come to rest: what screens show is
// what a fresh subscriber would get.
func (w *world) compare(n *node, screens []*screen) {
	for _, s := range screens {
		for _, f := range s.feeds {
			fresh, err := n.ledger.Snapshot(f.key)
			if err != nil {
				w.fail("%s: snapshot of %s: %v", s.name, f.key.Channel, err)
				return
			}
			if !f.has || f.folded != fresh.Offset || f.chain != fresh.Offset {
				w.fail("%s: %s is at %d (%v), a fresh snapshot at %d", s.name, f.key.Channel, f.folded, f.has, fresh.Offset)
				return
			}
			switch f.key.Channel.Kind {
			case wire.BoardChannel:
				w.compareBoards(s, f, fresh.Data)
			default:
				w.compareTickets(s, f, fresh.Data)
			}
		}
	}
}

func (w *world) compareBoards(s *screen, f *feed, data []byte) {
	w.count("boards compared")
	var snap board.Snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		w.fail("snapshot: %v", err)
		return
	}
	var fresh board.Board
	fresh.Reset(snap)
	if got, want := onScreen(f.board.State()), onScreen(fresh.State()); got != want {
		w.fail("%s shows\n%s\na fresh one shows\n%s", s.name, got, want)
	}
}

// onScreen is a board as text, without the ranges of waiting: those of one line
// are told anew only when it changes.
func onScreen(s board.Snapshot) string {
	out := fmt.Sprintln(s.Location)
	for _, l := range s.Lines {
		out += fmt.Sprintln("line", l.ID, l.Name, l.Series, l.Color, l.Waiting)
	}
	out += fmt.Sprintln(s.Desks)
	for i, list := range [][]board.Ticket{s.Serving, s.Recent, s.Waiting} {
		for _, t := range list {
			t.Wait = nil
			out += fmt.Sprintf("%d %+v\n", i, t)
		}
	}
	return out
}

// compareTickets: every ticket that a fresh console has, this one has as it is.
func (w *world) compareTickets(s *screen, f *feed, data []byte) {
	w.count("consoles compared")
	var fresh map[string]json.RawMessage
	if f.key.Channel.Kind == wire.ConsoleChannel {
		fresh = consoleTickets(w, data)
	} else {
		var snap struct{ Ticket json.RawMessage }
		if err := json.Unmarshal(data, &snap); err != nil {
			w.fail("snapshot: %v", err)
		}
		fresh = map[string]json.RawMessage{"": snap.Ticket}
	}
	for id, want := range fresh {
		if got, want := core(f.tickets[id]), core(want); got != want {
			w.fail("%s: ticket %q of %s is\n%s\na fresh one is\n%s", s.name, id, f.key.Channel, got, want)
			return
		}
	}
}

// core is a ticket without what changes with its neighbours and not with itself.
func core(t json.RawMessage) string {
	var m map[string]any
	if err := json.Unmarshal(t, &m); err != nil {
		return err.Error()
	}
	delete(m, "wait")
	delete(m, "position")
	return asJSON(m)
}

// audit reads the journals when no node runs any more.
func (w *world) audit() {
	journals := map[int][]ticket.Event{}
	for _, p := range w.house.locations {
		journals[p.id] = w.read(p.id)
	}
	w.auditAsks(journals)
	w.auditPushes(journals)
	for _, p := range w.house.locations {
		if !w.failed {
			w.auditModel(p, journals[p.id])
		}
	}
	if !w.failed {
		w.auditFolds(journals)
	}
}

// read is a whole journal, which must have no hole.
func (w *world) read(location int) []ticket.Event {
	var out []ticket.Event
	for r, err := range w.log.Records(location, 1) {
		if err != nil || r.Offset != uint64(len(out))+1 {
			w.fail("journal %d: offset %d where %d follows (%v)", location, r.Offset, len(out)+1, err)
			return out
		}
		e, err := ticket.DecodeEvent(r.Type, r.Ticket, r.Time, r.Facts, r.Personal)
		if err != nil {
			w.fail("journal %d, offset %d: %v", location, r.Offset, err)
		}
		out = append(out, e)
	}
	return out
}

// span is what one command left in a journal: offsets from first to last.
type span struct {
	location    int
	first, last uint64
}

func spans(journals map[int][]ticket.Event) map[string][]span {
	out := map[string][]span{}
	for location, events := range journals {
		begin := uint64(1)
		for i, e := range events {
			if e.Facts.More {
				continue
			}
			id := e.Facts.Actor.Credential
			out[id] = append(out[id], span{location, begin, uint64(i) + 1})
			begin = uint64(i) + 2
		}
	}
	return out
}

// auditAsks: what was acknowledged is in the journal, once and whole; what was
// refused left nothing; the rest is there wholly or not at all.
func (w *world) auditAsks(journals map[int][]ticket.Event) {
	found := spans(journals)
	for _, a := range w.asks {
		in := found[a.id]
		delete(found, a.id)
		if on, ok := a.req.Command.(ticket.OnTicket); ok && w.erased[on.TicketID()] || a.res.Ticket != nil && w.erased[a.res.Ticket.ID] {
			continue // its key may have been forgotten between two tries
		}
		if len(in) > 1 {
			w.fail("%s %s happened %d times: %v", a.id, a.req.Command.Name(), len(in), in)
		}
		switch a.out {
		case refused:
			if len(in) > 0 {
				w.fail("%s %s was refused and is in the journal: %v", a.id, a.req.Command.Name(), in)
			}
		case acknowledged:
			n := len(a.res.Events)
			if n == 0 && (!a.res.Again || len(in) == 0) {
				continue // there was nothing to do
			}
			if len(in) != 1 || in[0].last != a.res.Offset || n > 0 && in[0].last-in[0].first+1 != uint64(n) {
				w.fail("%s %s was acknowledged at %d with %d events; in the journal: %v", a.id, a.req.Command.Name(), a.res.Offset, n, in)
			}
		}
	}
	for id, in := range found {
		if id != setup {
			w.fail("%q is in the journal and nobody asked for it: %v", id, in)
		}
	}
}

// auditPushes: what anybody was sent at an offset is what the journal has there.
func (w *world) auditPushes(journals map[int][]ticket.Event) {
	for key, pushes := range w.sent {
		location := int(key.Channel.ID)
		if key.Channel.Kind == wire.TicketChannel {
			location = w.locate(key.Channel.ID)
		}
		for offset, p := range pushes {
			if e := journals[location][offset-1]; string(e.Type) != p.typ {
				w.fail("%s: %d was sent as %s, the journal has %s", key.Channel, offset, p.typ, e.Type)
			}
		}
	}
}

// auditFolds: folding a journal from its beginning gives what a node has after
// opening from its snapshot, and what it has stored of each ticket.
func (w *world) auditFolds(journals map[int][]ticket.Event) {
	l, err := ledger.Open(w.log, lonely{}, ledger.Options{Clock: time.Now})
	if err != nil {
		w.fail("open: %v", err)
		return
	}
	for location, events := range journals {
		fold := ticket.NewState(location)
		for len(events) > 0 {
			n := slices.IndexFunc(events, func(e ticket.Event) bool { return !e.Facts.More }) + 1
			ticket.EvolveCommand(fold, events[:n])
			events = events[n:]
		}
		l.View(location, func(s *ticket.State) {
			if got, want := asJSON(s), asJSON(fold); got != want {
				w.fail("location %d folded from its snapshot:\n%s\nfrom the beginning:\n%s", location, got, want)
			}
			for id, t := range s.Tickets {
				if stored, err := l.Ticket(id); err != nil || asJSON(stored) != asJSON(t) {
					w.fail("ticket %d is stored as %s (%v), live it is %s", id, asJSON(stored), err, asJSON(t))
				}
			}
		})
	}
}

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
		m.rooms[e.Ticket] = &guest{status: ticket.New, line: f.Line, order: f.Order}
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
		if f.Line != 0 {
			if g.status != ticket.New {
				return fmt.Errorf("it is %s and went to line %d", g.status, f.Line)
			}
			g.line = f.Line
		}
	}
	return nil
}

// first: who is called by a callNext is the first whom the caller may call, and
// whoever else the caller had called was served before, unless kept.
func (m *model) first(e ticket.Event, g *guest) error {
	var lines []int
	keep := true
	if a := m.asked[e.Facts.Actor.Credential]; a != nil {
		switch c := a.req.Command.(type) {
		case ticket.CallNext:
			lines, keep = c.Lines, c.KeepActive
		case ticket.CallTicket:
			keep = c.KeepActive
		default:
			return fmt.Errorf("called by a %s", c.Name())
		}
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
		if t := s.Tickets[id]; t != nil && (t.Place.Status != g.status || t.Caller() != g.caller) {
			m.w.fail("ticket %d is %s by %d, in the model %s by %d", id, t.Place.Status, t.Caller(), g.status, g.caller)
		}
	}
}
