package ticket

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Evolve folds one event, which is the journal's next. It never fails: what was
// decided has happened. An event about a ticket that this fold does not know is
// passed over; only erased history can cause that, and such tickets are not live.
func Evolve(s *State, e Event) {
	s.Offset++
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
			Moved: f.Order != e.Time.UnixMilli(), CreatedAt: e.Time, CreatedBy: f.User,
		},
	}
	if e.Personal != nil && e.Personal.Private != nil {
		t.Private = *e.Personal.Private
	} // else it was erased, and the event that says so follows
	if f.Appointment != nil { // its number comes with its check-in
		t.Place.Status, t.Place.Appointment, t.Place.Moved = Scheduled, f.Appointment, false
	} else {
		s.takeNumber(f.PublicID, f.Day, f.Number)
	}
	s.Put(t)
}

func evolveTicket(s *State, t *Ticket, e Event) {
	f, p := &e.Facts, &t.Place
	switch e.Type {
	case EventCalled:
		p.Status = Called
		p.Call = &Call{At: e.Time, Caller: f.User, Desk: f.Desk}
		p.Interactions = append(slices.Clip(p.Interactions), Interaction{
			Start: e.Time, Line: p.Line, User: f.User, Desk: f.Desk,
		})
		s.Pace[p.Line] = s.Pace[p.Line].called(e.Time)
	case EventRecalled:
		c := *p.Call
		c.Recalls++
		p.Call = &c
	case EventServed:
		s.Pace[p.Line] = s.Pace[p.Line].served(e.Time.Sub(p.Call.At))
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
		if f.Number != 0 { // a check-in
			p.PublicID, p.Day = f.PublicID, f.Day
			s.takeNumber(f.PublicID, f.Day, f.Number)
		}
		p.endInteraction(e.Time)
		p.Status, p.Line, p.Order, p.Moved = New, f.Line, f.Order, true
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
		if e.Personal != nil && e.Personal.Private != nil {
			t.Private = *e.Personal.Private
		}
		t.Language = f.Language
		if f.Line != 0 {
			p.Line = f.Line
		}
		if f.Appointment != nil {
			p.Appointment = f.Appointment
		}
	case EventErased:
		t.Private, t.Erased = Private{}, true
	default:
		evolveTalk(t, e)
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
	s.Recent = slices.DeleteFunc(slices.Clone(s.Recent), func(r *Ticket) bool { return r.ID == t.ID })
	ended := t.Place.Status == Served || t.Place.Status == NoShow
	if !ended || t.Place.Call == nil || t.Erased {
		return
	}
	s.Recent = append(s.Recent, recentOf(t))
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
	return cmp.Or(b.CalledAt().Compare(a.CalledAt()), cmp.Compare(a.Key(), b.Key()))
}

func evolveTalk(t *Ticket, e Event) {
	f, c := &e.Facts, &t.Conversation
	if f.Seq > 0 {
		c.Seq = f.Seq
		c.LastActivity = e.Time
	}
	switch e.Type {
	case EventMessage:
		if f.Kind == TransactionMessage && f.Participant != nil {
			c.count(f.Participant, e.Time)
			c.read(f.Participant.ID, f.Seq)
		}
	case EventMessageStatus:
		if f.UpTo > 0 && f.Participant != nil {
			c.read(f.Participant.ID, f.UpTo)
		}
	case EventState:
		c.LastActivity = e.Time
		if f.Position == "owner" {
			c.Owner = f.User
			return
		}
		if f.State == ConversationOpen && c.OpenedAt.IsZero() {
			c.OpenedAt, c.Culture, c.Type, c.Protocol = e.Time, f.Culture, "Regular", ProtocolWeb
		}
		c.State, c.ClosedAt = f.State, time.Time{}
		if f.State == ConversationClosed {
			c.ClosedAt = e.Time
		}
	case EventParticipant:
		t.join(e)
	}
}

func (t *Ticket) join(e Event) {
	c, p := &t.Conversation, *e.Facts.Participant
	c.Participants = slices.Clone(c.Participants)
	if i := slices.IndexFunc(c.Participants, func(x Participant) bool { return x.ID == p.ID }); i >= 0 {
		c.Participants[i] = p
	} else {
		c.Participants = append(c.Participants, p)
	}
	if e.Personal != nil && e.Personal.Name != nil && !t.Erased {
		names := maps.Clone(t.Private.Names)
		if names == nil {
			names = map[int]ParticipantName{}
		}
		names[p.ID] = *e.Personal.Name
		t.Private.Names = names
	}
}

// read moves a participant's cursor; it never goes back.
func (c *Conversation) read(participant int, upTo uint64) {
	i := slices.IndexFunc(c.Participants, func(p Participant) bool { return p.ID == participant })
	if i < 0 || c.Participants[i].ReadUpTo >= upTo {
		return
	}
	c.Participants = slices.Clone(c.Participants)
	c.Participants[i].ReadUpTo = upTo
}

func (c *Conversation) count(from *Participant, at time.Time) {
	switch from.Type {
	case ParticipantClient:
		c.ClientMessages++
		c.LastClientAt = at
		if c.FirstClientAt.IsZero() {
			c.FirstClientAt = at
		}
	case ParticipantUser:
		c.StaffMessages++
		c.LastStaffAt = at
		if c.FirstStaffAt.IsZero() {
			c.FirstStaffAt, c.FirstStaff = at, from.User
		}
	}
}

func (s *State) evolveHouse(e Event) {
	f := &e.Facts
	switch {
	case f.LineDef != nil:
		s.Lines[f.LineDef.ID] = f.LineDef
	case f.DeskDef != nil:
		s.Desks[f.DeskDef.ID] = f.DeskDef
	case f.UserDef != nil:
		s.Users[f.UserDef.ID] = f.UserDef
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
