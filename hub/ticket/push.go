package ticket

// The data of pushes, per audience. Each carries whole objects, as they are
// right after the event.

// BoardPush is what a board is told of a public event.
type BoardPush struct {
	Ticket   *BoardTicket   `json:"ticket,omitempty"`
	Lines    []BoardLine    `json:"lines,omitempty"`
	Line     *BoardLine     `json:"line,omitempty"`
	Desk     *BoardDesk     `json:"desk,omitempty"`
	Location *BoardLocation `json:"location,omitempty"`
	Settings *Board         `json:"settings,omitempty"`
	Removed  bool           `json:"removed,omitempty"`
}

// ConsolePush is what consoles are told of an event.
type ConsolePush struct {
	Ticket      *StaffTicket     `json:"ticket,omitempty"`
	Transaction *TransactionView `json:"transaction,omitempty"`
	Lines       []BoardLine      `json:"lines,omitempty"`
	Line        *StaffLine       `json:"line,omitempty"`
	Desk        *BoardDesk       `json:"desk,omitempty"`
	User        *StaffUser       `json:"user,omitempty"`
	Display     *Display         `json:"display,omitempty"`
	Location    *BoardLocation   `json:"location,omitempty"`
	Settings    *Board           `json:"settings,omitempty"`
	Removed     bool             `json:"removed,omitempty"`
}

// VisitorPush is what the ticket's visitor is told.
type VisitorPush struct {
	Ticket      *VisitorTicket      `json:"ticket,omitempty"`
	Transaction *VisitorTransaction `json:"transaction,omitempty"`
}

// DisplayPush is what a screen is told about itself.
type DisplayPush struct {
	Display *Display `json:"display,omitempty"`
	Reload  bool     `json:"reload,omitempty"`
	Removed bool     `json:"removed,omitempty"`
}

// TicketSnapshot is a ticket channel's snapshot for staff.
type TicketSnapshot struct {
	Ticket       StaffTicket       `json:"ticket"`
	Transactions []TransactionView `json:"transactions"`
}

// VisitorSnapshot is a ticket channel's snapshot for its visitor.
type VisitorSnapshot struct {
	Ticket       VisitorTicket        `json:"ticket"`
	Transactions []VisitorTransaction `json:"transactions"`
}

// BoardPush projects an event for boards.
func (s *State) BoardPush(e Event) BoardPush {
	f := &e.Facts
	if t := s.Tickets[e.Ticket]; t != nil {
		b := s.BoardTicket(t)
		return BoardPush{Ticket: &b, Lines: s.affected(e)}
	}
	switch {
	case f.LineDef != nil:
		l := s.BoardLine(f.LineDef)
		return BoardPush{Line: &l, Removed: f.LineDef.Removed || f.LineDef.Archived}
	case f.DeskDef != nil:
		return BoardPush{Desk: &BoardDesk{f.DeskDef.ID, f.DeskDef.Name}, Removed: f.DeskDef.Removed}
	case f.LocationDef != nil:
		l := s.BoardLocation()
		return BoardPush{Location: &l, Settings: &s.Location.Settings}
	}
	return BoardPush{}
}

// affected are the lines whose figures an event may have changed.
func (s *State) affected(e Event) []BoardLine {
	var out []BoardLine
	t := s.Tickets[e.Ticket]
	for _, id := range []int{t.Place.Line, e.Facts.FromLine} {
		if l := s.Lines[id]; l != nil && !l.Removed && !l.Archived {
			out = append(out, s.BoardLine(l))
		}
	}
	return out
}

// ConsolePush projects an event for consoles.
func (s *State) ConsolePush(e Event) ConsolePush {
	f := &e.Facts
	if t := s.Tickets[e.Ticket]; t != nil {
		st := s.StaffTicket(t)
		p := ConsolePush{Ticket: &st, Lines: s.affected(e)}
		if e.InThread() {
			x := e.Transaction()
			view := t.TransactionView(&x)
			p.Transaction = &view
		}
		return p
	}
	switch {
	case f.LineDef != nil:
		l := s.StaffLine(f.LineDef)
		return ConsolePush{Line: &l, Removed: f.LineDef.Removed}
	case f.DeskDef != nil:
		return ConsolePush{Desk: &BoardDesk{f.DeskDef.ID, f.DeskDef.Name}, Removed: f.DeskDef.Removed}
	case f.UserDef != nil:
		u := f.UserDef.StaffUser()
		return ConsolePush{User: &u, Removed: f.UserDef.Removed}
	case f.DisplayDef != nil:
		return ConsolePush{Display: s.Displays[f.DisplayDef.ID], Removed: f.DisplayDef.Removed}
	case f.LocationDef != nil:
		l := s.BoardLocation()
		return ConsolePush{Location: &l, Settings: &s.Location.Settings}
	}
	return ConsolePush{}
}

// StaffPush projects an event for staff that follow one ticket.
func (s *State) StaffPush(e Event) ConsolePush {
	p := s.ConsolePush(e)
	p.Lines = nil
	return p
}

// VisitorPush projects an event for the ticket's visitor.
func (s *State) VisitorPush(e Event) VisitorPush {
	t := s.Tickets[e.Ticket]
	if t == nil {
		return VisitorPush{}
	}
	v := s.VisitorTicket(t)
	p := VisitorPush{Ticket: &v}
	if e.InThread() {
		x := e.Transaction()
		if view, ok := t.VisitorTransaction(&x); ok {
			p.Transaction = &view
		}
	}
	return p
}

// DisplayPush projects an event for a screen.
func (s *State) DisplayPush(e Event) DisplayPush {
	d := s.Displays[e.Facts.DisplayDef.ID]
	return DisplayPush{Display: d, Reload: e.Facts.Reload, Removed: d.Removed}
}
