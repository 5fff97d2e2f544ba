package ticket

import (
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// An appointment is a ticket with a slot instead of a place. It is made with
// ticket.created, moved with ticket.changed and ended with ticket.cancelled or
// ticket.noshow, each with the slot in its facts; check-in is ticket.returned,
// which brings it into the line and gives it a number of that day.

// maxAppointment bounds how long one takes.
const maxAppointment = 24 * time.Hour

// Schedule makes an appointment. Without an assignee, whoever works here and has
// time then gets it; the one with the fewest that day first.
type Schedule struct {
	Create
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Assignee int       `json:"assignee"`
}

// Reschedule changes an appointment's slot or who it is with.
type Reschedule struct {
	Ref
	Start    Opt[time.Time] `json:"start"`
	End      Opt[time.Time] `json:"end"`
	Assignee Opt[int]       `json:"assignee"`
}

// CheckIn puts an appointment's visitor, who has come, last into the line.
type CheckIn struct{ Ref }

// CancelAppointment ends an appointment that is not wanted any more.
type CancelAppointment struct{ Ref }

// MissAppointment ends an appointment that nobody came to.
type MissAppointment struct{ Ref }

// Name implements Command.
func (Schedule) Name() string { return "appointment.create" }

// Name implements Command.
func (Reschedule) Name() string { return "appointment.edit" }

// Name implements Command.
func (CheckIn) Name() string { return "appointment.checkIn" }

// Name implements Command.
func (CancelAppointment) Name() string { return "appointment.cancel" }

// Name implements Command.
func (MissAppointment) Name() string { return "appointment.noShow" }

func (c Schedule) decide(s *State, env Env) ([]Event, error) {
	e, line, err := c.visitor(s, env)
	if err != nil {
		return nil, err
	}
	slot, err := checkSlot(c.Start, c.End)
	if err != nil {
		return nil, err
	}
	if slot.Assignee = c.Assignee; slot.Assignee != 0 {
		if _, err = s.user("assignee", slot.Assignee); err != nil {
			return nil, err
		}
	} else if slot.Assignee = s.available(slot); slot.Assignee == 0 {
		return nil, &wire.Error{Code: wire.Conflict, Field: "startTime", Message: "nobody has time then"}
	}
	// Not a number of any day, because the day is yet to come: it must not be
	// mistaken for one that is called out.
	e.Facts.PublicID = line.Series + "-P" + itoa(e.Ticket)
	e.Facts.Day = s.Location.BusinessDay(env.Now)
	e.Facts.Order = env.Now.UnixMilli()
	e.Facts.Appointment = &slot
	return []Event{e}, nil
}

func checkSlot(start, end time.Time) (Appointment, error) {
	a := Appointment{Start: start.UTC().Truncate(time.Millisecond), End: end.UTC().Truncate(time.Millisecond)}
	switch {
	case start.IsZero():
		return a, wire.FieldError("startTime", "startTime is required")
	case end.IsZero():
		return a, wire.FieldError("endTime", "endTime is required")
	case !a.Start.Before(a.End) || a.End.Sub(a.Start) > maxAppointment:
		return a, wire.FieldError("endTime", "endTime is after startTime, by a day at most")
	}
	return a, nil
}

// available is who gets a slot: of those who have nothing else then, the one with
// the fewest appointments that day; 0 when nobody has time.
func (s *State) available(slot Appointment) int {
	day := s.Location.BusinessDay(slot.Start)
	load, taken := map[int]int{}, map[int]bool{}
	for _, t := range s.Tickets {
		a := t.Place.Appointment
		if a == nil || t.Place.Status != Scheduled {
			continue
		}
		if s.Location.BusinessDay(a.Start) == day {
			load[a.Assignee]++
		}
		if a.Start.Before(slot.End) && slot.Start.Before(a.End) {
			taken[a.Assignee] = true
		}
	}
	best := 0
	for _, u := range s.SortedUsers() { // by id, so the same one each time
		if !taken[u.ID] && (best == 0 || load[u.ID] < load[best]) {
			best = u.ID
		}
	}
	return best
}

func (c Reschedule) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), Scheduled)
	if err != nil {
		return nil, err
	}
	a := *t.Place.Appointment
	set(&a.Start, c.Start)
	set(&a.End, c.End)
	slot, err := checkSlot(a.Start, a.End)
	if err != nil {
		return nil, err
	}
	slot.Assignee = a.Assignee
	if c.Assignee.Set {
		if _, err = s.user("assignee", c.Assignee.Value); err != nil {
			return nil, err
		}
		slot.Assignee = c.Assignee.Value
	}
	if slot.Assignee == t.Place.Appointment.Assignee && slot.Start.Equal(t.Place.Appointment.Start) && slot.End.Equal(t.Place.Appointment.End) {
		return nil, nil
	}
	return []Event{{Type: EventChanged, Ticket: t.ID, Facts: Facts{Language: t.Language, Appointment: &slot}}}, nil
}

func (c CheckIn) decide(s *State, env Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), Scheduled)
	if err != nil {
		return nil, err
	}
	line, err := s.openLine(t.Place.Line)
	if err != nil {
		return nil, err
	}
	day, n := s.nextNumber(line.Series, env.Now)
	order := s.orderLast(line.ID, env.Now.UnixMilli())
	return []Event{{Type: EventReturned, Ticket: t.ID, Facts: Facts{
		Line: line.ID, Order: order, Position: PositionLast, Reason: "checkin", Quote: s.joining(line.ID, order, t.ID, env.Now),
		PublicID: number(line.Series, n), Number: n, Day: day,
	}}}, nil
}

func (c CancelAppointment) decide(s *State, env Env) ([]Event, error) {
	return s.endAppointment(c.Ref, EventCancelled, env)
}

func (c MissAppointment) decide(s *State, env Env) ([]Event, error) {
	return s.endAppointment(c.Ref, EventNoShow, env)
}

func (s *State) endAppointment(r Ref, typ Type, env Env) ([]Event, error) {
	t, err := s.placed(r.TicketID(), Scheduled)
	if err != nil {
		return nil, err
	}
	return []Event{{Type: typ, Ticket: t.ID, Facts: Facts{
		Line: t.Place.Line, User: env.Actor.User, Appointment: t.Place.Appointment,
	}}}, nil
}
