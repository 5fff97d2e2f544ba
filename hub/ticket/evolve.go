package ticket

import (
	"cmp"
	"slices"
	"time"
)

// Evolve folds one event, which is the journal's next. It never fails: what was
// decided has happened. An event about a ticket that this fold does not know is
// passed over; only erased history can cause that, and such tickets are not live.
func Evolve(s *State, e Event) {
	s.Offset++
	s.Time = e.Time
	if Public(e) {
		s.BoardOffset = s.Offset
	}
	switch e.Type {
	case EventLine, EventDesk, EventUser, EventLocation, EventDisplay:
		s.evolveHouse(e)
		return
	case EventCreated:
		s.evolveCreated(e)
		return
	}
	if b := e.Facts.Base; b != nil {
		base := *b
		if e.Personal != nil && e.Personal.Base != nil {
			base.Private = *e.Personal.Base
		}
		s.Put(&base)
	}
	old := s.Tickets[e.Ticket]
	if old == nil {
		return
	}
	t := *old
	t.Offset = s.Offset
	if VisitorSees(e) {
		t.VisitorOffset = s.Offset
	}
	evolveTicket(s, &t, e)
	s.unindex(old)
	s.Tickets[t.ID] = &t
	s.index(&t)
	s.learn(&t, e)
	if Public(e) {
		s.remember(&t)
	}
}

// EvolveCommand folds the events of one command and then settles its tickets.
func EvolveCommand(s *State, events []Event) {
	for _, e := range events {
		Evolve(s, e)
	}
	for _, e := range events {
		if e.Ticket != 0 {
			s.Settle(e.Ticket)
		}
	}
}

func (s *State) evolveCreated(e Event) {
	f := &e.Facts
	t := &Ticket{
		ID: e.Ticket, Location: s.Journal, Created: s.Offset, Offset: s.Offset, VisitorOffset: s.Offset, Language: f.Language, Labels: f.Labels,
		Place: Place{
			Status: New, PublicID: f.PublicID, Day: f.Day, Source: f.Source, Line: f.Line, Order: f.Order,
			Moved: f.Order != e.Time.UnixMilli(), CreatedAt: e.Time, CreatedBy: f.User, Quote: f.Quote,
		},
	}
	if e.Personal != nil && e.Personal.Private != nil {
		t.Private = *e.Personal.Private
	} // else it was erased, and the event that says so follows
	if f.Unplaced {
		t.beginTalk(e)
		s.Put(t)
		return
	}
	if f.Appointment != nil { // its number comes with its check-in
		t.Place.Status, t.Place.Appointment, t.Place.Moved = Scheduled, f.Appointment, false
	} else {
		s.takeNumber(f.PublicID, f.Day, f.Number)
	}
	s.Put(t)
}

func evolveTicket(s *State, t *Ticket, e Event) {
	f, p := &e.Facts, &t.Place
	p.overtake(e)
	p.answered(e)
	switch e.Type {
	case EventCalled:
		p.Status = Called
		p.Call = &Call{At: e.Time, Caller: f.User, Desk: f.Desk}
		p.Interactions = append(slices.Clip(p.Interactions), Interaction{
			Start: e.Time, Line: p.Line, User: f.User, Desk: f.Desk,
		})
	case EventRecalled:
		c := *p.Call
		c.Recalls++
		p.Call = &c
	case EventServed:
		p.Status, p.ServedAt = Served, e.Time
		p.endInteraction(e.Time)
	case EventNoShow:
		p.Status = NoShow
		if f.Appointment != nil {
			p.Status = Missed
		}
		p.endInteraction(e.Time)
	case EventCancelled:
		p.Status, p.CancelledAt, p.CancelledBy = Cancelled, e.Time, f.User
		if f.Appointment != nil {
			p.Status = Unbooked
		}
	case EventReturned, EventForwarded:
		if f.Number != 0 { // a check-in, or a conversation that joins a line
			p.PublicID, p.Day, p.Source = f.PublicID, f.Day, cmp.Or(f.Source, p.Source)
			s.takeNumber(f.PublicID, f.Day, f.Number)
		}
		p.endInteraction(e.Time)
		p.Status, p.Line, p.Order, p.Moved, p.Quote = New, f.Line, f.Order, true, f.Quote
	case EventReordered:
		p.Order, p.Moved = f.Order, true
	case EventAssigned:
		p.Assigned = nil
		if f.User != 0 {
			p.Assigned = &Assignment{Assigner: f.Assigner, Assignee: f.User}
		}
	case EventLabelled:
		t.Labels = f.Labels
	case EventChanged:
		t.change(e)
		if f.Appointment != nil {
			p.Appointment = f.Appointment
		}
	case EventErased:
		t.Private, t.Erased = Private{}, true
	default:
		s.evolveTalk(t, e)
	}
	if f.Touch {
		t.Conversation.LastActivity = e.Time
	}
}

// change folds an edit. Without its personal part it was erased since.
func (t *Ticket) change(e Event) {
	if e.Personal != nil && e.Personal.Private != nil {
		t.Private = *e.Personal.Private
	}
	t.Language = e.Facts.Language
	if e.Facts.Line != 0 {
		t.Place.Line, t.Place.Quote = e.Facts.Line, nil
	}
}

// endInteraction closes the running interaction, if there is one.
func (p *Place) endInteraction(at time.Time) {
	n := len(p.Interactions)
	if n == 0 || !p.Interactions[n-1].End.IsZero() {
		return
	}
	p.Interactions = slices.Clone(p.Interactions)
	p.Interactions[n-1].End = at
}

// remember keeps the board's list of ended calls.
func (s *State) remember(t *Ticket) {
	same := func(r *Ticket) bool { return r.ID == t.ID }
	if slices.ContainsFunc(s.Recent, same) {
		s.Recent = slices.DeleteFunc(slices.Clone(s.Recent), same)
	}
	ended := t.Place.Status == Served || t.Place.Status == NoShow
	if !ended || t.Place.Call == nil || t.Erased {
		return
	}
	s.Recent = append(slices.Clone(s.Recent), recentOf(t))
	slices.SortFunc(s.Recent, compareCalls)
	if len(s.Recent) > RecentCalls {
		s.Recent = s.Recent[:RecentCalls]
	}
}

// recentOf keeps of an ended ticket what a board shows, and nothing private: a
// name leaves the boards once its owner was served.
func recentOf(t *Ticket) *Ticket {
	return &Ticket{ID: t.ID, Location: t.Location, Created: t.Created, Offset: t.Offset, Place: Place{
		Status: t.Place.Status, PublicID: t.Place.PublicID, Day: t.Place.Day, Line: t.Place.Line,
		Order: t.Place.Order, Call: t.Place.Call,
	}}
}

// compareCalls puts the newest call first; ties go by board key, as on boards.
func compareCalls(a, b *Ticket) int {
	if c := b.CalledAt().Compare(a.CalledAt()); c != 0 {
		return c
	}
	return cmp.Compare(a.Key(), b.Key())
}

func (s *State) evolveHouse(e Event) {
	f := &e.Facts
	switch {
	case f.LineDef != nil:
		s.Lines[f.LineDef.ID] = f.LineDef
	case f.DeskDef != nil:
		s.Desks[f.DeskDef.ID] = f.DeskDef
		s.seatAll()
	case f.UserDef != nil:
		s.Users[f.UserDef.ID] = f.UserDef
		s.seat(f.UserDef)
	case f.DisplayDef != nil:
		d := *f.DisplayDef
		d.Offset = s.Offset
		s.Displays[d.ID] = &d
	case f.LocationDef != nil:
		l := f.LocationDef.resolved()
		if s.Journal == 0 {
			l.Setup = nil
			s.Locations[l.ID] = l
		} else {
			s.Location = l
		}
	}
}
