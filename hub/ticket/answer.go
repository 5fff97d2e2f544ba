package ticket

import (
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// What a visitor says to a call, or to waiting.
const (
	AnswerOnMyWay  = "onMyWay"
	AnswerNeedTime = "needTime"
	// AnswerCancel takes the answer back; it is never kept.
	AnswerCancel = "cancelAnswer"
)

// The minutes that somebody may ask for.
const (
	defaultMinutes = 5
	maxMinutes     = 30
)

// Reply is what the visitor has answered. It says nothing about the person, so it
// is a fact. With needTime the ticket keeps its place, and callNext passes it
// over, until Until.
type Reply struct {
	Kind  string    `json:"kind,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Answer is the visitor's word to the clerk.
type Answer struct {
	Ref
	Answer  string `json:"answer"`
	Minutes int    `json:"minutes"` // of needTime; 0: five
}

// Name implements Command.
func (Answer) Name() string { return "ticket.answer" }

func (c Answer) decide(s *State, env Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), New, Called)
	if err != nil {
		return nil, err
	}
	r, old := &Reply{Kind: c.Answer, At: env.Now}, t.Place.Answer
	switch c.Answer {
	case AnswerOnMyWay:
		if old != nil && old.Kind == c.Answer {
			return nil, nil
		}
	case AnswerNeedTime:
		minutes := c.Minutes
		if minutes == 0 {
			minutes = defaultMinutes
		}
		if minutes < 1 || minutes > maxMinutes {
			return nil, wire.FieldError("minutes", "minutes is 1 to %d", maxMinutes)
		}
		r.Until = env.Now.Add(time.Duration(minutes) * time.Minute)
	case AnswerCancel:
		if old == nil {
			return nil, nil
		}
		r = &Reply{}
	default:
		return nil, wire.FieldError("answer", "answer is onMyWay, needTime or cancelAnswer")
	}
	if c.Minutes != 0 && c.Answer != AnswerNeedTime {
		return nil, wire.FieldError("minutes", "minutes goes with needTime")
	}
	return []Event{{Type: EventChanged, Ticket: t.ID, Facts: Facts{Language: t.Language, Answer: r}}}, nil
}

// holds reports whether the visitor has asked for time that is not over.
func (p *Place) holds(now time.Time) bool {
	return p.Answer != nil && p.Answer.Until.After(now)
}

// answered folds what an event says about the answer: a new one, or that what
// was answered is past.
func (p *Place) answered(e Event) {
	switch e.Type {
	case EventCalled, EventServed, EventNoShow, EventCancelled, EventReturned, EventForwarded, EventErased:
		p.Answer = nil
	case EventChanged:
		if r := e.Facts.Answer; r != nil {
			p.Answer = r
			if r.Kind == "" {
				p.Answer = nil
			}
		}
	}
}

// AnswerView is an answer as everybody may know it who may know the ticket.
type AnswerView struct {
	Kind  string `json:"kind"`
	At    string `json:"at"`
	Until string `json:"until,omitempty"`
}

func (p *Place) answerView() *AnswerView {
	if p.Answer == nil {
		return nil
	}
	return &AnswerView{p.Answer.Kind, wire.Time(p.Answer.At), stamp(p.Answer.Until)}
}
