package ticket

import (
	"slices"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// The reasons that a clerk gives for letting somebody overtake others.
const (
	ReasonAppointment = "appointment"
	ReasonPriority    = "priority"
	ReasonReturned    = "returned"
	ReasonMistake     = "mistake"
	ReasonOther       = "other"
)

// The reasons that events have where nobody gave one.
const (
	reasonRoom      = "room"      // made place for another; overtakes nobody
	reasonReordered = "reordered" // moved by hand
	reasonPicked    = "picked"    // called although others wait longer
)

// Overtake tells why a ticket stands, or was called, before others who came
// earlier. It is no secret among clerks, and nothing personal.
type Overtake struct {
	Reason string    `json:"reason"`
	User   int       `json:"user,omitempty"`
	At     time.Time `json:"at"`
}

// checkReason takes one of the reasons above, or none: then it is otherwise.
func checkReason(given, otherwise string) (string, error) {
	if given == "" {
		return otherwise, nil
	}
	known := []string{ReasonAppointment, ReasonPriority, ReasonReturned, ReasonMistake, ReasonOther}
	if !slices.Contains(known, given) {
		return "", wire.FieldError("reason", "reason is appointment, priority, returned, mistake or other")
	}
	return given, nil
}

// overtake folds what an event says about the order: p is as it was before.
func (p *Place) overtake(e Event) {
	f := &e.Facts
	ahead := &Overtake{Reason: f.Reason, User: f.Actor.User, At: e.Time}
	switch e.Type {
	case EventCalled:
		if f.Reason != "" { // called in turn, it keeps what brought it to the front
			p.Overtook = ahead
		}
	case EventReordered:
		switch {
		case f.Reason == reasonRoom:
		case f.Order < p.Order:
			p.Overtook = ahead
		default:
			p.Overtook = nil
		}
	case EventReturned:
		p.Overtook = nil
		if f.Position == PositionFirst || f.Position == PositionMiddle {
			ahead.Reason = ReasonReturned
			p.Overtook = ahead
		}
	case EventForwarded:
		p.Overtook = nil
	}
}
