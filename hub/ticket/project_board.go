package ticket

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/nowserving/nowserving/hub/wire"
)

// BoardTicket is a ticket as everybody in the lobby may see it. It has no id and
// nothing private; Name is there only where the location shows names and the
// visitor agreed.
type BoardTicket struct {
	Key      string     `json:"key"`
	PublicID string     `json:"publicId"`
	Status   Status     `json:"status"`
	Line     int        `json:"line"`
	Desk     int        `json:"desk,omitempty"`
	CalledAt string     `json:"calledAt,omitempty"`
	Recalls  int        `json:"recalls"`
	Order    string     `json:"order"`
	Name     string     `json:"name,omitempty"`
	Wait     *WaitRange `json:"wait,omitempty"`
}

// BoardLine is a line on a board.
type BoardLine struct {
	ID      int        `json:"id"`
	Name    string     `json:"name"`
	Series  string     `json:"series"`
	Color   string     `json:"color"`
	Rank    int        `json:"rank,omitempty"` // lines are shown by it, then by id
	Waiting int        `json:"waiting"`
	Wait    *WaitRange `json:"wait,omitempty"` // for somebody who joins now
}

// BoardDesk is a desk on a board.
type BoardDesk struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// BoardLocation is the location on a board.
type BoardLocation struct {
	ID        int      `json:"id"`
	Name      string   `json:"name"`
	Timezone  string   `json:"timezone"`
	Languages []string `json:"languages"`
	Hours     *Hours   `json:"hours,omitempty"` // absent: always open
}

// BoardSnapshot is a whole board.
type BoardSnapshot struct {
	Location BoardLocation `json:"location"`
	Lines    []BoardLine   `json:"lines"`
	Desks    []BoardDesk   `json:"desks"`
	Serving  []BoardTicket `json:"serving"`
	Recent   []BoardTicket `json:"recent"`
	Waiting  []BoardTicket `json:"waiting"`
	Settings Board         `json:"settings"`
}

// StatusErased is what a board is told of an erased ticket: to forget it.
const StatusErased Status = "ERASED"

// Key identifies the ticket on boards without giving its id away.
func (t *Ticket) Key() string { return t.Place.PublicID + "." + t.Place.Day }

// SortKey sorts a line's waiting tickets as text.
func (t *Ticket) SortKey() string { return fmt.Sprintf("%013d.%012d", t.Place.Order, t.Created) }

// shownName is what of the visitor's name a board may show.
func (b Board) shownName(p *Private) string {
	if !p.ShowName || b.Names == "none" || b.Names == "" {
		return ""
	}
	first := plain(p.FirstName)
	if b.Names == "initial" {
		for _, r := range plain(p.LastName) {
			return strings.TrimSpace(first + " " + string(unicode.ToUpper(r)) + ".")
		}
	}
	return first
}

// plain leaves out marks that turn the writing direction, which could disguise
// other text on the board, and control characters.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
}

// BoardTicket projects a ticket for boards.
func (s *State) BoardTicket(t *Ticket) BoardTicket { return s.boardTicket(t, s.Wait) }

func (s *State) boardTicket(t *Ticket, wait func(line, position int) *WaitRange) BoardTicket {
	b := BoardTicket{
		Key: t.Key(), PublicID: t.Place.PublicID, Status: t.Place.Status, Line: t.Place.Line, Order: t.SortKey(),
	}
	if t.Erased && t.Place.Status.Final() {
		b.Status = StatusErased
	}
	if c := t.Place.Call; c != nil && t.Place.Status != New {
		b.Desk, b.CalledAt, b.Recalls = c.Desk, wire.Time(c.At), c.Recalls
	}
	switch t.Place.Status {
	case New:
		b.Wait = wait(t.Place.Line, s.Position(t))
		b.Name = s.Location.Settings.shownName(&t.Private)
	case Called:
		b.Name = s.Location.Settings.shownName(&t.Private)
	}
	return b
}

// BoardLine projects a line for boards.
func (s *State) BoardLine(l *Line) BoardLine {
	n := s.Waiting(l.ID)
	return BoardLine{
		ID: l.ID, Name: l.Name, Series: l.Series, Color: l.Color, Rank: l.Rank, Waiting: n, Wait: s.Wait(l.ID, n+1),
	}
}

// public is what of the hours is for everybody; why a day is an exception may be
// nobody's business.
func (h *Hours) public() *Hours {
	if h == nil {
		return nil
	}
	out := *h
	out.Exceptions = slices.Clone(h.Exceptions)
	for i := range out.Exceptions {
		out.Exceptions[i].Reason = ""
	}
	return &out
}

// BoardLocation projects the location for boards.
func (s *State) BoardLocation() BoardLocation {
	l := s.Location
	return BoardLocation{ID: l.ID, Name: l.Name, Timezone: l.Timezone, Languages: l.Languages, Hours: l.Hours.public()}
}

// BoardSnapshot projects everything a board shows.
func (s *State) BoardSnapshot() BoardSnapshot {
	b := BoardSnapshot{
		Location: s.BoardLocation(), Settings: s.Location.Settings,
		Lines: []BoardLine{}, Desks: []BoardDesk{},
		Serving: []BoardTicket{}, Recent: []BoardTicket{}, Waiting: []BoardTicket{},
	}
	for _, l := range s.SortedLines() {
		if !l.Archived {
			b.Lines = append(b.Lines, s.BoardLine(l))
		}
	}
	for _, d := range s.SortedDesks() {
		b.Desks = append(b.Desks, BoardDesk{ID: d.ID, Name: d.Name})
	}
	called := s.CalledTickets()
	slices.SortFunc(called, compareCalls)
	for _, t := range called {
		b.Serving = append(b.Serving, s.BoardTicket(t))
	}
	for _, t := range s.Recent {
		b.Recent = append(b.Recent, s.BoardTicket(t))
	}
	wait := s.waits()
	for line := range s.waiting {
		for _, t := range s.WaitingIn(line) {
			b.Waiting = append(b.Waiting, s.boardTicket(t, wait))
		}
	}
	slices.SortFunc(b.Waiting, func(x, y BoardTicket) int { return strings.Compare(x.Order, y.Order) })
	return b
}
