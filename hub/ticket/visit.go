package ticket

import (
	"encoding/json"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// What belongs to one visit, from the visitor's side.

// MaxMessage is how long a message may be, in characters.
const MaxMessage = maxMessage

// MaxMessageFiles is how many files of its sender a message may carry.
const MaxMessageFiles = 10

// KindKiosk is a Display's kind that lets visitors take a ticket; "" is a screen.
const KindKiosk = "kiosk"

// checkFiles checks that the door has found every file that the sender named.
func (c SendMessage) checkFiles() error {
	if len(c.Files) > MaxMessageFiles {
		return wire.FieldError("files", "a message has at most %d files", MaxMessageFiles)
	}
	if len(c.Files) > len(c.Attachments) {
		return wire.FieldError("files", "there is no such file")
	}
	return nil
}

// Rate is the visitor's judgement of a visit that is over. It is given once.
type Rate struct {
	Ref
	Rating int
	Text   string
}

// Name implements Command.
func (Rate) Name() string { return "conversation.rate" }

// The best rating, and how much may be said to it.
const (
	maxRating   = 5
	maxJudgment = 2000
)

// CanRate reports whether the visit is over, so that it may be judged.
func (t *Ticket) CanRate() bool {
	return !t.Erased && (t.Conversation.State == ConversationClosed || t.Place.Status == Served)
}

// ratingAnswer is one answer of a survey as other systems are told of it.
type ratingAnswer struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

func (c Rate) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.personal(c.TicketID())
	if err != nil {
		return nil, err
	}
	if c.Rating < 1 || c.Rating > maxRating {
		return nil, wire.FieldError("rating", "rating is 1 to %d", maxRating)
	}
	if err := prose("text", c.Text, maxJudgment); err != nil {
		return nil, err
	}
	switch {
	case t.Conversation.Rated != 0:
		return nil, wire.Errorf(wire.Conflict, "this visit was judged already")
	case !t.CanRate():
		return nil, wire.Errorf(wire.Conflict, "the visit is not over yet")
	}
	text := strings.TrimSpace(c.Text)
	answers := []ratingAnswer{{1, "Rating", "Rating", itoa(int64(c.Rating))}}
	if text != "" {
		answers = append(answers, ratingAnswer{2, "Text", "Text", text})
	}
	k := s.talk(t)
	from, name := k.visitor()
	payload, err := json.Marshal(struct {
		Participant int            `json:"participant"`
		Title       string         `json:"title"`
		Answers     []ratingAnswer `json:"answers"`
	}{from.ID, "Survey", answers})
	if err != nil {
		return nil, err
	}
	shown := itoa(int64(c.Rating)) + "/" + itoa(maxRating)
	if text != "" {
		shown += "\n" + text
	}
	k.entry(Event{Type: EventMessage, Facts: Facts{
		Kind: TransactionSurvey, Protocol: ProtocolUndefined, Participant: &from, Rating: c.Rating,
	}, Personal: &Personal{Text: shown, Payload: payload, Name: &name}})
	return k.events, nil
}

// visitor is the visitor's participant, who joins without opening anything.
func (k *talk) visitor() (Participant, ParticipantName) {
	if p := k.t.Conversation.client(); p != nil {
		return *p, k.t.Private.Names[p.ID]
	}
	v := &k.t.Private
	name := ParticipantName{Name: strings.TrimSpace(v.FirstName + " " + v.LastName)}
	return k.join(Participant{Type: ParticipantClient, Protocol: ProtocolWeb, Active: true}, name), name
}

// unowned reports whether the conversation waits for somebody to take it.
func (t *Ticket) unowned() bool {
	return t.Conversation.State == ConversationOpen && t.Conversation.Owner == 0
}

// unownedPlace is its position among those that wait.
func (t *Ticket) unownedPlace() place { return place{t.Conversation.StateAt.UnixMilli(), t.ID} }

// TalkPosition is an open conversation's place among those of the location that
// nobody has taken, from 1; 0 when somebody has, or when it is not open.
func (s *State) TalkPosition(t *Ticket) int {
	if !t.unowned() {
		return 0
	}
	i, found := find(s.unowned, t.unownedPlace())
	if !found {
		return 0
	}
	return i + 1
}

// VisitorPlace is how far a visitor has come; each member is absent when it does
// not apply any more.
type VisitorPlace struct {
	// Position is the place in the line, 1 is next.
	Position int        `json:"position,omitempty"`
	Wait     *WaitRange `json:"wait,omitempty"`
	// Conversation is the place among the conversations that nobody has taken.
	Conversation int `json:"conversation,omitempty"`
}

// Equal reports whether two places say the same.
func (p VisitorPlace) Equal(o VisitorPlace) bool {
	same := p.Wait == nil && o.Wait == nil || p.Wait != nil && o.Wait != nil && *p.Wait == *o.Wait
	return same && p.Position == o.Position && p.Conversation == o.Conversation
}

// VisitorPlaces tells the places of many tickets: each line is looked at once.
func (s *State) VisitorPlaces() func(ticket int64) VisitorPlace {
	wait := s.waits()
	return func(id int64) VisitorPlace {
		t := s.Tickets[id]
		if t == nil {
			return VisitorPlace{}
		}
		p := VisitorPlace{Position: s.Position(t), Conversation: s.TalkPosition(t)}
		if p.Position > 0 {
			p.Wait = wait(t.Place.Line, p.Position)
		}
		return p
	}
}

// reachable adds how a visitor can be reached.
func (p *Private) reachable(email, phone string) error {
	if email != "" {
		p.Email = email
	}
	if phone != "" {
		p.PhoneNumber = phone
	}
	if email == "" && phone == "" {
		return nil
	}
	return checkPerson(p)
}

// Closed refuses a visitor who comes outside the opening hours.
func Closed() error { return wire.Errorf(wire.Conflict, "the location is closed now") }
