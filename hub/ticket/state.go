package ticket

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// RecentCalls is how many ended calls a board remembers.
const RecentCalls = 12

// State is one location folded from its journal: settings, live tickets, and
// what decisions need to know of the past. It is not safe for concurrent use.
//
// Journal 0 is the directory: it holds users and locations, and no tickets.
type State struct {
	// Journal is the location's id, 0 for the directory.
	Journal int `json:"journal"`
	// Offset is that of the last folded event.
	Offset uint64 `json:"offset"`
	// Time is that of the last folded event: what is shown is as of then.
	Time     time.Time        `json:"time,omitzero"`
	Location *Location        `json:"location,omitempty"`
	Lines    map[int]*Line    `json:"lines,omitempty"`
	Desks    map[int]*Desk    `json:"desks,omitempty"`
	Users    map[int]*User    `json:"users,omitempty"`
	Displays map[int]*Display `json:"displays,omitempty"`
	// Locations is the directory's list, by id.
	Locations map[int]*Location `json:"locations,omitempty"`
	Tickets   map[int64]*Ticket `json:"tickets,omitempty"`

	// Day is the business day that Numbers count, by series: two lines that
	// share a letter share its numbers, so that no number is given twice.
	Day     string         `json:"day,omitempty"`
	Numbers map[string]int `json:"numbers,omitempty"`
	// Recent holds ended calls, newest call first.
	Recent []*Ticket `json:"recent,omitempty"`
	// BoardOffset is the offset of the last event that boards are shown.
	BoardOffset uint64 `json:"boardOffset,omitempty"`
	// Pace is what waiting is estimated from, by line.
	Pace map[int]*Pace `json:"pace,omitempty"`

	waiting map[int][]place // by line, in order
	called  []place         // CALLED tickets by the time of the call
	glance  *glance         // nil but in a Glance
	atDesks working         // users who work at a desk
	unowned []place         // open conversations that nobody has taken, by the time of opening
}

// place is a ticket's position in a list: that of a line, by Order, or that of
// the called ones, by the time of the call in milliseconds.
type place struct {
	order int64
	id    int64
}

func comparePlace(a, b place) int {
	return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.id, b.id))
}

// NewState is an empty journal's state.
func NewState(journal int) *State {
	s := &State{Journal: journal}
	s.init()
	return s
}

func (s *State) init() {
	if s.Lines == nil {
		s.Lines = map[int]*Line{}
	}
	if s.Desks == nil {
		s.Desks = map[int]*Desk{}
	}
	if s.Users == nil {
		s.Users = map[int]*User{}
	}
	if s.Displays == nil {
		s.Displays = map[int]*Display{}
	}
	if s.Locations == nil {
		s.Locations = map[int]*Location{}
	}
	if s.Tickets == nil {
		s.Tickets = map[int64]*Ticket{}
	}
	if s.Numbers == nil {
		s.Numbers = map[string]int{}
	}
	if s.Pace == nil {
		s.Pace = map[int]*Pace{}
	}
	s.waiting = map[int][]place{}
}

// Encode is the state's snapshot.
func (s *State) Encode() ([]byte, error) { return json.Marshal(s) }

// DecodeState reads a snapshot. It refuses one that the rest of this package
// could not work with.
func DecodeState(b []byte) (*State, error) {
	s := &State{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.init()
	if s.Location != nil {
		s.Location = s.Location.resolved()
	}
	for id, l := range s.Locations {
		s.Locations[id] = l.resolved()
	}
	// Collected and sorted once: inserting one by one would be quadratic.
	for _, t := range s.Tickets {
		switch t.Place.Status {
		case New:
			s.waiting[t.Place.Line] = append(s.waiting[t.Place.Line], t.waitingPlace())
		case Called:
			s.called = append(s.called, t.calledPlace())
		}
		if t.unowned() {
			s.unowned = append(s.unowned, t.unownedPlace())
		}
	}
	s.seatAll()
	slices.SortFunc(s.unowned, comparePlace)
	for _, list := range s.waiting {
		slices.SortFunc(list, comparePlace)
	}
	slices.SortFunc(s.called, comparePlace)
	return s, nil
}

var errSnapshot = errors.New("ticket: snapshot is damaged")

// check looks for what would make a later step panic: a snapshot is read from
// disk, and damage there must be an error where it is found.
func (s *State) check() error {
	for _, bad := range []string{
		damaged("line", s.Lines, func(id int, l *Line) bool { return l.ID == id }),
		damaged("desk", s.Desks, func(id int, d *Desk) bool { return d.ID == id }),
		damaged("user", s.Users, func(id int, u *User) bool { return u.ID == id }),
		damaged("display", s.Displays, func(id int, d *Display) bool { return d.ID == id }),
		damaged("location", s.Locations, func(id int, l *Location) bool { return l.ID == id }),
		damaged("pace", s.Pace, func(int, *Pace) bool { return true }),
		damaged("ticket", s.Tickets, func(id int64, t *Ticket) bool {
			return t.ID == id && (t.Place.Status != Called || t.Place.Call != nil) &&
				(t.Place.Status != Scheduled || t.Place.Appointment != nil)
		}),
	} {
		if bad != "" {
			return fmt.Errorf("%w: %s", errSnapshot, bad)
		}
	}
	if slices.Contains(s.Recent, nil) {
		return fmt.Errorf("%w: recent call", errSnapshot)
	}
	if s.Location == nil && len(s.Tickets) > 0 {
		return fmt.Errorf("%w: tickets without a location", errSnapshot)
	}
	return nil
}

func damaged[K int | int64, V any](kind string, m map[K]*V, sound func(K, *V) bool) string {
	for id, v := range m {
		if v == nil || !sound(id, v) {
			return kind + " " + itoa(int64(id))
		}
	}
	return ""
}

// Clone is an independent copy; what both hold is immutable.
func (s *State) Clone() *State {
	c := *s
	c.glance = nil
	c.Lines, c.Desks, c.Users = maps.Clone(s.Lines), maps.Clone(s.Desks), maps.Clone(s.Users)
	c.Displays, c.Locations = maps.Clone(s.Displays), maps.Clone(s.Locations)
	c.Tickets, c.Numbers, c.Pace = maps.Clone(s.Tickets), maps.Clone(s.Numbers), maps.Clone(s.Pace)
	c.Recent, c.called, c.unowned = slices.Clone(s.Recent), slices.Clone(s.called), slices.Clone(s.unowned)
	c.atDesks = slices.Clone(s.atDesks)
	c.waiting = make(map[int][]place, len(s.waiting))
	for line, list := range s.waiting {
		c.waiting[line] = slices.Clone(list)
	}
	return &c
}

// Put adds a ticket that is not live, so that a command may be decided about it
// or an event folded onto it.
func (s *State) Put(t *Ticket) {
	if old := s.Tickets[t.ID]; old != nil {
		s.unindex(old)
	}
	s.Tickets[t.ID] = t
	s.index(t)
}

// Settle drops a ticket that is no longer live. It is called after every
// command, on every fold alike, so that folds of the same journal agree.
func (s *State) Settle(id int64) {
	if t := s.Tickets[id]; t != nil && !t.Live() {
		s.unindex(t)
		delete(s.Tickets, id)
	}
}

func (t *Ticket) waitingPlace() place { return place{t.Place.Order, t.ID} }

func (t *Ticket) calledPlace() place { return place{t.Place.Call.At.UnixMilli(), t.ID} }

func (s *State) index(t *Ticket) {
	switch t.Place.Status {
	case New:
		s.waiting[t.Place.Line] = inserted(s.waiting[t.Place.Line], t.waitingPlace())
	case Called:
		s.called = inserted(s.called, t.calledPlace())
	}
	if t.unowned() {
		s.unowned = inserted(s.unowned, t.unownedPlace())
	}
}

func (s *State) unindex(t *Ticket) {
	switch t.Place.Status {
	case New:
		s.waiting[t.Place.Line] = removed(s.waiting[t.Place.Line], t.waitingPlace())
	case Called:
		s.called = removed(s.called, t.calledPlace())
	}
	if t.unowned() {
		s.unowned = removed(s.unowned, t.unownedPlace())
	}
}

func find(list []place, p place) (int, bool) { return slices.BinarySearchFunc(list, p, comparePlace) }

func inserted(list []place, p place) []place {
	i, found := find(list, p)
	if found {
		return list
	}
	return slices.Insert(list, i, p)
}

func removed(list []place, p place) []place {
	i, found := find(list, p)
	if !found {
		return list
	}
	return slices.Delete(list, i, i+1)
}

// Waiting is how many wait in a line.
func (s *State) Waiting(line int) int { return len(s.waiting[line]) }

// WaitingIn yields a line's waiting tickets in order.
func (s *State) WaitingIn(line int) []*Ticket {
	out := make([]*Ticket, 0, len(s.waiting[line]))
	for _, p := range s.waiting[line] {
		out = append(out, s.Tickets[p.id])
	}
	return out
}

// CalledTickets lists the CALLED tickets, oldest call first.
func (s *State) CalledTickets() []*Ticket {
	out := make([]*Ticket, 0, len(s.called))
	for _, p := range s.called {
		out = append(out, s.Tickets[p.id])
	}
	return out
}

// Position is a waiting ticket's place in its line, from 1; 0 when it does not wait.
func (s *State) Position(t *Ticket) int {
	if t.Place.Status != New {
		return 0
	}
	i, found := slices.BinarySearchFunc(s.waiting[t.Place.Line], t.waitingPlace(), comparePlace)
	if !found {
		return 0
	}
	return i + 1
}

// SortedLines lists lines that were not removed, in the order that was chosen,
// else by id.
func (s *State) SortedLines() []*Line {
	lines := sorted(s.Lines, func(l *Line) bool { return !l.Removed })
	slices.SortStableFunc(lines, func(a, b *Line) int { return cmp.Compare(a.Rank, b.Rank) })
	return lines
}

// SortedDesks lists desks that were not removed, by id.
func (s *State) SortedDesks() []*Desk {
	return sorted(s.Desks, func(d *Desk) bool { return !d.Removed })
}

// SortedUsers lists users that were not removed, by id.
func (s *State) SortedUsers() []*User {
	return sorted(s.Users, func(u *User) bool { return !u.Removed })
}

// SortedDisplays lists displays that were not removed, by id.
func (s *State) SortedDisplays() []*Display {
	return sorted(s.Displays, func(d *Display) bool { return !d.Removed })
}

// SortedTickets lists the live tickets by id.
func (s *State) SortedTickets() []*Ticket {
	return sorted(s.Tickets, func(*Ticket) bool { return true })
}

func sorted[K cmp.Ordered, V any](m map[K]V, keep func(V) bool) []V {
	keys := make([]K, 0, len(m))
	for k, v := range m {
		if keep(v) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	out := make([]V, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}
