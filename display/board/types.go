package board

import (
	"encoding/json"
	"time"
)

// The ticket states that have a place on a board.
const (
	StatusNew    = "NEW"
	StatusCalled = "CALLED"
	StatusServed = "SERVED"
	StatusNoShow = "NOSHOW"
)

// MaxRecent bounds the list of calls that ended: more fit on no screen.
const MaxRecent = 12

// Snapshot is the folded state of a board channel at one offset.
type Snapshot struct {
	Location Location `json:"location"`
	Lines    []Line   `json:"lines"`
	Desks    []Desk   `json:"desks"`
	// Serving holds tickets that are called, newest call first.
	Serving []Ticket `json:"serving"`
	// Recent holds calls that ended, newest call first, at most MaxRecent.
	Recent []Ticket `json:"recent"`
	// Waiting holds tickets in their order of waiting.
	Waiting []Ticket `json:"waiting"`
	// Settings are this fold's to carry and the screen's to understand.
	Settings json.RawMessage `json:"settings,omitempty"`
}

// Location is the branch that the board belongs to.
type Location struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Timezone  string   `json:"timezone,omitempty"`
	Languages []string `json:"languages,omitempty"`
}

// Line is one line of waiting people with its current numbers.
type Line struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Series  string `json:"series,omitempty"`
	Color   string `json:"color,omitempty"`
	Rank    int    `json:"rank,omitempty"` // its place among the others; 0 before anybody chose
	Waiting int    `json:"waiting"`
	Wait    *Wait  `json:"wait,omitempty"`
}

// Wait is a range of expected waiting, in minutes.
type Wait struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Desk is a place where people are answered.
type Desk struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Ticket is one ticket in the public projection. Key identifies it on a board:
// no internal id reaches one.
type Ticket struct {
	Key      string `json:"key"`
	PublicID string `json:"publicId"`
	Status   string `json:"status"`
	Line     int64  `json:"line"`
	Desk     int64  `json:"desk,omitempty"`
	// CalledAt is kept as written: the wire's form has a fixed width and is in
	// UTC, so it sorts as text, the same way in every language.
	CalledAt string `json:"calledAt,omitempty"`
	Recalls  int    `json:"recalls"`
	Order    string `json:"order,omitempty"`
	// Name is there only where the location chose to show names.
	Name string `json:"name,omitempty"`
	Wait *Wait  `json:"wait,omitempty"`
}

// Call is something to announce: a ticket was called, or called once more.
type Call struct {
	Ticket Ticket `json:"ticket"`
	Recall bool   `json:"recall"`
	// Time is when it happened by the hub's clock, so that a screen can stay
	// silent about calls that it learns of too late.
	Time time.Time `json:"time"`
}
