package ticket

import (
	"slices"

	"github.com/nowserving/nowserving/hub/wire"
)

func (c Create) decide(s *State, env Env) ([]Event, error) {
	e, line, err := c.visitor(s, env)
	if err != nil {
		return nil, err
	}
	day, n := s.nextNumber(line.Series, env.Now)
	e.Facts.PublicID, e.Facts.Number, e.Facts.Day = number(line.Series, n), n, day
	e.Facts.Order = s.orderNew(line.ID, env.Now.UnixMilli())
	e.Facts.Quote = s.joining(line.ID, e.Facts.Order, e.Ticket, env.Now)
	return []Event{e}, nil
}

// visitor checks who comes and where to, and makes the event that still lacks a
// number and a place.
func (c Create) visitor(s *State, env Env) (e Event, line *Line, err error) {
	if line, err = s.openLine(c.Line); err != nil {
		return e, nil, err
	}
	private := Private{
		FirstName: c.FirstName, LastName: c.LastName, PhoneNumber: c.PhoneNumber, Email: c.Email, ShowName: c.ShowName,
	}
	if err = checkPerson(&private); err != nil {
		return e, nil, err
	}
	if private.Extra, err = checkExtra("extra", c.Extra); err != nil {
		return e, nil, err
	}
	labels, err := checkLabels("labels", c.Labels)
	if err != nil {
		return e, nil, err
	}
	language, err := checkLanguage(c.Language)
	if err != nil {
		return e, nil, err
	}
	source := c.Source
	switch source {
	case "":
		source = SourceManual
	case SourceManual, SourceName, SourceMicrosite:
	default:
		return e, nil, wire.FieldError("source", "source is MANUAL, NAME or MICROSITE")
	}
	return Event{
		Type: EventCreated, Ticket: env.IDs.Ticket,
		Facts:    Facts{Line: line.ID, Source: source, Language: language, Labels: labels, User: env.Actor.User},
		Personal: &Personal{Private: &private},
	}, line, nil
}

func (c CallTicket) decide(s *State, env Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), New)
	if err != nil {
		return nil, err
	}
	reason, err := checkReason(c.Reason, reasonPicked)
	if err != nil {
		return nil, err
	}
	events, err := s.call(t, c.Desk, c.User, c.KeepActive, env)
	if n := len(events); n > 0 && events[n-1].Facts.Reason != "" {
		events[n-1].Facts.Reason = reason
	}
	return events, err
}

func (c CallNext) decide(s *State, env Env) ([]Event, error) {
	if len(c.Lines) == 0 {
		return nil, wire.FieldError("lines", "at least one line")
	}
	caller, err := s.actingUser("user", c.User, env)
	if err != nil {
		return nil, err
	}
	var first *Ticket
	for _, id := range c.Lines {
		if _, err := s.line(id); err != nil {
			return nil, err
		}
		for _, p := range s.waiting[id] {
			t := s.Tickets[p.id]
			if s.keptFor(t, caller) || t.Place.holds(env.Now) {
				continue
			}
			if first == nil || comparePlace(p, first.waitingPlace()) < 0 {
				first = t
			}
			break
		}
	}
	if first == nil {
		return nil, wire.Errorf(wire.Empty, "nobody is waiting in these lines")
	}
	return s.call(first, c.Desk, c.User, c.KeepActive, env)
}

// keptFor reports whether t is assigned to somebody other than the caller. Who was
// removed comes for nobody, so their tickets are everybody's.
func (s *State) keptFor(t *Ticket, caller int) bool {
	a := t.Place.Assigned
	if a == nil || a.Assignee == caller {
		return false
	}
	u := s.Users[a.Assignee]
	return u != nil && !u.Removed
}

// call calls t, and before it serves what the caller still has open.
func (s *State) call(t *Ticket, desk, user int, keep bool, env Env) ([]Event, error) {
	caller, err := s.actingUser("user", user, env)
	if err != nil {
		return nil, err
	}
	if desk == 0 {
		desk = s.selectedDesk(caller)
	}
	if desk != 0 {
		if _, err := s.desk(desk); err != nil {
			return nil, err
		}
	} else if s.Location.DeskMandatory {
		return nil, wire.FieldError("desk", "choose a desk before calling")
	}
	var events []Event
	if !keep && caller != 0 {
		for _, p := range s.called {
			if s.Tickets[p.id].Caller() == caller {
				events = append(events, Event{Type: EventServed, Ticket: p.id, Facts: Facts{User: caller}})
			}
		}
	}
	return append(events, Event{Type: EventCalled, Ticket: t.ID, Facts: Facts{
		User: caller, Desk: desk, Line: t.Place.Line, PublicID: t.Place.PublicID, Reason: s.overtakes(t),
	}}), nil
}

// selectedDesk is the desk that a user works at; 0 when none was chosen, or when
// it was removed since.
func (s *State) selectedDesk(user int) int {
	u := s.Users[user]
	if u == nil {
		return 0
	}
	if d := s.Desks[u.Desk]; d == nil || d.Removed {
		return 0
	}
	return u.Desk
}

// overtakes says why t was called although others wait longer in its line.
func (s *State) overtakes(t *Ticket) string {
	list := s.waiting[t.Place.Line]
	if len(list) == 0 || list[0].id == t.ID {
		return ""
	}
	return reasonPicked
}

func (c Recall) decide(s *State, _ Env) ([]Event, error) {
	return s.onCalled(c.Ref, EventRecalled)
}

func (c Serve) decide(s *State, _ Env) ([]Event, error) {
	return s.onCalled(c.Ref, EventServed)
}

func (c MarkNoShow) decide(s *State, _ Env) ([]Event, error) {
	return s.onCalled(c.Ref, EventNoShow)
}

func (s *State) onCalled(r Ref, typ Type) ([]Event, error) {
	t, err := s.placed(r.TicketID(), Called)
	if err != nil {
		return nil, err
	}
	return []Event{{Type: typ, Ticket: t.ID, Facts: Facts{
		PublicID: t.Place.PublicID, Line: t.Place.Line, Desk: t.Place.Call.Desk, User: t.Place.Call.Caller,
	}}}, nil
}

func (c Cancel) decide(s *State, env Env) ([]Event, error) {
	user, err := s.actingUser("user", c.User, env)
	if err != nil {
		return nil, err
	}
	t, err := s.placed(c.TicketID(), New)
	if err != nil {
		return nil, err
	}
	return []Event{{Type: EventCancelled, Ticket: t.ID, Facts: Facts{User: user, Line: t.Place.Line}}}, nil
}

func (c ReturnToQueue) decide(s *State, env Env) ([]Event, error) {
	user, err := s.actingUser("user", c.User, env)
	if err != nil {
		return nil, err
	}
	allowed := []Status{Called}
	if c.Undo {
		allowed = append(allowed, NoShow)
	}
	t, err := s.placed(c.TicketID(), allowed...)
	if err != nil {
		return nil, err
	}
	line, now := t.Place.Line, env.Now.UnixMilli()
	var order int64
	var moves []move
	switch c.Position {
	case PositionFirst:
		order = s.orderFirst(line, now)
	case PositionLast:
		order = s.orderLast(line, now)
	case PositionMiddle:
		if n := len(s.waiting[line]); n > 0 {
			order, moves = s.orderAfter(line, (n-1)/2, now)
		} else {
			order = now
		}
	default:
		return nil, wire.FieldError("position", "position is FIRST, MIDDLE or LAST")
	}
	events := s.moved(moves)
	return append(events, Event{Type: EventReturned, Ticket: t.ID, Facts: Facts{
		Line: line, Order: order, Position: c.Position, User: user,
	}}), nil
}

// orderLast is a key behind everybody who waits in the line now.
func (s *State) orderLast(line int, now int64) int64 {
	if list := s.waiting[line]; len(list) > 0 {
		return max(now, list[len(list)-1].order+1)
	}
	return now
}

// orderNew is a key for a new ticket: now, unless the clock went back. A tie is
// broken by the id, which is the highest yet.
func (s *State) orderNew(line int, now int64) int64 {
	if list := s.waiting[line]; len(list) > 0 {
		return max(now, list[len(list)-1].order)
	}
	return now
}

func (s *State) moved(moves []move) []Event {
	var events []Event
	for _, m := range moves {
		events = append(events, Event{Type: EventReordered, Ticket: m.id, Facts: Facts{
			Line: s.Tickets[m.id].Place.Line, Order: m.order, Reason: reasonRoom,
		}})
	}
	return events
}

func (c Forward) decide(s *State, env Env) ([]Event, error) {
	user, err := s.actingUser("user", c.User, env)
	if err != nil {
		return nil, err
	}
	t, err := s.placed(c.TicketID(), Called)
	if err != nil {
		return nil, err
	}
	line, err := s.openLine(c.Line)
	if err != nil {
		return nil, err
	}
	return []Event{{Type: EventForwarded, Ticket: t.ID, Facts: Facts{
		Line: line.ID, FromLine: t.Place.Line, Order: s.orderLast(line.ID, env.Now.UnixMilli()), User: user,
	}}}, nil
}

func (c Reorder) decide(s *State, env Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), New)
	if err != nil {
		return nil, err
	}
	reason, err := checkReason(c.Reason, reasonReordered)
	if err != nil {
		return nil, err
	}
	line, now := t.Place.Line, env.Now.UnixMilli()
	if c.After == 0 {
		if s.waiting[line][0].id == t.ID {
			return nil, nil
		}
		return s.reordered(t, s.orderFirst(line, now), nil, reason), nil
	}
	after := s.Tickets[int64(c.After)]
	if after == nil || after.ID == t.ID || after.Place.Status != New || after.Place.Line != line {
		return nil, wire.FieldError("after", "after names another ticket that waits in the same line")
	}
	i := s.Position(after) - 1
	list := s.waiting[line]
	if i+1 < len(list) && list[i+1].id == t.ID {
		return nil, nil // it stands there already
	}
	order, moves := s.orderAfter(line, i, now)
	return s.reordered(t, order, moves, reason), nil
}

func (s *State) reordered(t *Ticket, order int64, moves []move, reason string) []Event {
	// The ticket itself may be among those that would have to make room: it
	// leaves its old place anyway.
	moves = slices.DeleteFunc(moves, func(m move) bool { return m.id == t.ID })
	return append(s.moved(moves), Event{Type: EventReordered, Ticket: t.ID, Facts: Facts{
		Line: t.Place.Line, Order: order, Reason: reason,
	}})
}

func (c Assign) decide(s *State, env Env) ([]Event, error) {
	assigner, err := s.actingUser("assigner", c.Assigner, env)
	if err != nil {
		return nil, err
	}
	if c.User == 0 {
		return nil, wire.FieldError("user", "who gets the ticket?")
	}
	if _, err := s.user("user", c.User); err != nil {
		return nil, err
	}
	t, err := s.placed(c.TicketID(), New, Called)
	if err != nil {
		return nil, err
	}
	return []Event{{Type: EventAssigned, Ticket: t.ID, Facts: Facts{User: c.User, Assigner: assigner}}}, nil
}

func (c Unassign) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), New)
	if err != nil || t.Place.Assigned == nil {
		return nil, err
	}
	return []Event{{Type: EventAssigned, Ticket: t.ID}}, nil
}
