package board

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// Board is the state of one screen. The zero value is an empty board. It is
// not safe for concurrent use.
type Board struct {
	state  Snapshot
	loaded bool
}

// State is what is on the board. The caller must not change it, and must not
// keep it over the next Reset or Apply.
func (b *Board) State() Snapshot { return b.state }

// Reset replaces everything by a snapshot. It returns the calls that this
// board did not show before, oldest first: what a screen missed while its link
// was down. The first snapshot misses nothing, as nobody was watching yet.
func (b *Board) Reset(s Snapshot) (missed []Call) {
	before := b.state.Serving
	b.state = Snapshot{
		Location: s.Location,
		Lines:    distinct(s.Lines, lineID, compareLines),
		Desks:    distinct(s.Desks, deskID, compareDesks),
		Serving:  distinct(s.Serving, ticketKey, newestCall),
		Recent:   distinct(s.Recent, ticketKey, newestCall),
		Waiting:  distinct(s.Waiting, ticketKey, waitingOrder),
		Settings: s.Settings,
	}
	b.cutRecent()
	if b.loaded {
		missed = newCalls(before, b.state.Serving)
	}
	b.loaded = true
	return missed
}

// newCalls lists what after has and before had not: a ticket, or a recall.
func newCalls(before, after []Ticket) []Call {
	known := make(map[string]Ticket, len(before))
	for _, t := range before {
		known[t.Key] = t
	}
	var calls []Call
	for _, t := range slices.Backward(after) {
		old, was := known[t.Key]
		again := was && old.CalledAt == t.CalledAt
		if again && old.Recalls >= t.Recalls {
			continue
		}
		// A snapshot does not say when a recall was; the call is the earliest
		// that it can have been.
		at, err := time.Parse(time.RFC3339, t.CalledAt)
		if err != nil {
			continue
		}
		calls = append(calls, Call{Ticket: t, Recall: again, Time: at})
	}
	return calls
}

// pushData is the union of what board pushes carry.
type pushData struct {
	Ticket   *Ticket         `json:"ticket"`
	Lines    []Line          `json:"lines"`
	Line     *Line           `json:"line"`
	Desk     *Desk           `json:"desk"`
	Location *Location       `json:"location"`
	Settings json.RawMessage `json:"settings"`
	Removed  bool            `json:"removed"`
}

// Apply folds one publication and returns what has to be announced. An error
// means that the publication could not be read: the board is unchanged and no
// longer current, and its screen must ask for a snapshot.
func (b *Board) Apply(p wire.Push) ([]Call, error) {
	var d pushData
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return nil, fmt.Errorf("read the data of %s: %w", p.Type, err)
	}
	if d.Ticket != nil && d.Ticket.Key == "" {
		return nil, fmt.Errorf("read the data of %s: a ticket without a key", p.Type)
	}
	if d.Ticket != nil {
		b.place(*d.Ticket)
		for _, l := range d.Lines {
			b.refreshLine(l)
		}
	}
	if d.Line != nil {
		b.state.Lines = replace(b.state.Lines, *d.Line, d.Removed, lineID, compareLines)
	}
	if d.Desk != nil {
		b.state.Desks = replace(b.state.Desks, *d.Desk, d.Removed, deskID, compareDesks)
	}
	if d.Location != nil {
		b.state.Location = *d.Location
	}
	if d.Settings != nil {
		if names(d.Settings) != names(b.state.Settings) {
			b.forgetNames()
		}
		b.state.Settings = d.Settings
	}
	return announce(p, d.Ticket), nil
}

// names is the choice of what of a visitor's name is shown.
func names(settings json.RawMessage) string {
	var s struct {
		Names string `json:"names"`
	}
	_ = json.Unmarshal(settings, &s) // settings of another form make no choice
	return s.Names
}

// forgetNames takes names away that were shown under another choice; what may be
// shown under the new one comes with the tickets' next pushes.
func (b *Board) forgetNames() {
	for _, list := range [][]Ticket{b.state.Serving, b.state.Recent, b.state.Waiting} {
		for i := range list {
			list[i].Name = ""
		}
	}
}

func announce(p wire.Push, t *Ticket) []Call {
	if t == nil || t.Status != StatusCalled {
		return nil
	}
	switch p.Type {
	case "ticket.called", "ticket.recalled":
		return []Call{{Ticket: *t, Recall: p.Type == "ticket.recalled", Time: p.Time}}
	}
	return nil
}

// place takes the ticket off every list and puts it where its status
// belongs, which is nowhere for a status that a board does not know.
func (b *Board) place(t Ticket) {
	s := &b.state
	s.Serving = without(s.Serving, t.Key, ticketKey)
	s.Recent = without(s.Recent, t.Key, ticketKey)
	s.Waiting = without(s.Waiting, t.Key, ticketKey)
	switch t.Status {
	case StatusNew:
		s.Waiting = insert(s.Waiting, t, waitingOrder)
	case StatusCalled:
		s.Serving = insert(s.Serving, t, newestCall)
	case StatusServed, StatusNoShow:
		if t.CalledAt != "" {
			s.Recent = insert(s.Recent, t, newestCall)
			b.cutRecent()
		}
	}
}

func (b *Board) cutRecent() {
	if len(b.state.Recent) > MaxRecent {
		b.state.Recent = slices.Clip(b.state.Recent[:MaxRecent])
	}
}

// refreshLine replaces a line that the board has. The numbers of one that it
// has not are of no use: the line was removed, or line.changed brings it.
func (b *Board) refreshLine(l Line) {
	for i := range b.state.Lines {
		if b.state.Lines[i].ID == l.ID {
			b.state.Lines[i] = l
		}
	}
}

// newestCall orders by the time of the call, newest first, then by key.
func newestCall(a, b Ticket) int {
	return cmp.Or(strings.Compare(b.CalledAt, a.CalledAt), strings.Compare(a.Key, b.Key))
}

func waitingOrder(a, b Ticket) int {
	return cmp.Or(strings.Compare(a.Order, b.Order), strings.Compare(a.Key, b.Key))
}

func compareLines(a, b Line) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID)) }
func compareDesks(a, b Desk) int { return cmp.Compare(a.ID, b.ID) }
func ticketKey(t Ticket) string  { return t.Key }
func lineID(l Line) int64        { return l.ID }
func deskID(d Desk) int64        { return d.ID }

// distinct is a sorted copy that holds each id once, the last of them.
func distinct[T any, K comparable](in []T, id func(T) K, less func(a, b T) int) []T {
	seen := make(map[K]bool, len(in))
	out := make([]T, 0, len(in))
	for _, v := range slices.Backward(in) {
		if !seen[id(v)] {
			seen[id(v)] = true
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, less)
	return out
}

func without[T any, K comparable](in []T, gone K, id func(T) K) []T {
	return slices.DeleteFunc(in, func(v T) bool { return id(v) == gone })
}

func insert[T any](in []T, v T, less func(a, b T) int) []T {
	at, _ := slices.BinarySearchFunc(in, v, less)
	return slices.Insert(in, at, v)
}

func replace[T any, K comparable](in []T, v T, removed bool, id func(T) K, less func(a, b T) int) []T {
	in = without(in, id(v), id)
	if removed {
		return in
	}
	return insert(in, v, less)
}
