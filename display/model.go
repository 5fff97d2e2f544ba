package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/nowserving/nowserving/display/board"
)

const (
	// staleAfter and offlineAfter are how long what is shown may be unconfirmed
	// before the screen says so, and before it stops looking like the truth.
	staleAfter   = 15 * time.Second
	offlineAfter = 60 * time.Second
	// freshCall is how old a call may be and still be announced: calling
	// somebody who was called a minute ago sends them to a desk that moved on.
	freshCall = 30 * time.Second
)

// freshness is how far the screen can be believed.
type freshness string

const (
	fresh        freshness = "live"
	reconnecting freshness = "reconnecting"
	stale        freshness = "stale"
	offline      freshness = "offline"
)

// model is a moment of the screen.
type model struct {
	board board.Snapshot
	// loaded: there has been a snapshot.
	loaded bool
	// hero is the key of the ticket that was called or recalled last.
	hero string
	// desk, unless 0, makes the screen the sign of that desk.
	desk int64
	// lines are those that the screen shows; none: all.
	lines []int64
	// live is what the link says; current is when the board was last known to
	// be true; now is the time. All by this machine's clock.
	live         bool
	current, now time.Time
	// skew is how far the hub's clock, which the visitors see, is ahead.
	skew time.Duration
	zone *time.Location
	// text is the location's first language; the zero value is the fallback.
	text words
}

// words is what the screen says.
func (m model) words() words {
	if m.text.text == nil {
		return wordsOf(nil)
	}
	return m.text
}

func (m model) freshness() freshness {
	switch age := m.now.Sub(m.current); {
	case age >= offlineAfter:
		return offline
	case age >= staleAfter:
		return stale
	case !m.live:
		return reconnecting
	}
	return fresh
}

// clock is a time as the visitors' clock on the wall shows it.
func (m model) clock(t time.Time, layout string) string {
	t = t.Add(m.skew)
	if m.zone != nil {
		t = t.In(m.zone)
	}
	return t.Format(layout)
}

// deskName is what is written above a desk.
func (m model) deskName(id int64) string {
	for _, d := range m.board.Desks {
		if d.ID == id {
			return d.Name
		}
	}
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// heroTicket is the latest call as long as it is being served, else the newest
// other one.
func (m model) heroTicket() (board.Ticket, bool) {
	for _, t := range m.board.Serving {
		if t.Key == m.hero && m.shows(t) {
			return t, true
		}
	}
	for _, t := range m.board.Serving {
		if m.shows(t) {
			return t, true
		}
	}
	return board.Ticket{}, false
}

// shows reports whether a call concerns this screen.
func (m model) shows(t board.Ticket) bool {
	return (m.desk == 0 || t.Desk == m.desk) && m.showsLine(t.Line)
}

func (m model) showsLine(id int64) bool { return len(m.lines) == 0 || slices.Contains(m.lines, id) }

func (m model) waiting() int {
	n := 0
	for _, l := range m.board.Lines {
		if m.showsLine(l.ID) {
			n += l.Waiting
		}
	}
	return n
}
