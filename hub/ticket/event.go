package ticket

import (
	"encoding/json"
	"time"
)

// Type names an event; it is the push type on the wire and the record type in
// the journal, so a name is never reused.
type Type string

// The events.
const (
	EventCreated       Type = "ticket.created"
	EventCalled        Type = "ticket.called"
	EventRecalled      Type = "ticket.recalled"
	EventServed        Type = "ticket.served"
	EventNoShow        Type = "ticket.noshow"
	EventCancelled     Type = "ticket.cancelled"
	EventReturned      Type = "ticket.returned"
	EventForwarded     Type = "ticket.forwarded"
	EventReordered     Type = "ticket.reordered"
	EventAssigned      Type = "ticket.assigned"
	EventChanged       Type = "ticket.changed"
	EventLabelled      Type = "ticket.labelled"
	EventMessage       Type = "ticket.message"
	EventMessageStatus Type = "ticket.message_status"
	EventState         Type = "ticket.state"
	EventParticipant   Type = "ticket.participant"
	EventErased        Type = "ticket.erased"
	EventLine          Type = "line.changed"
	EventDesk          Type = "desk.changed"
	EventUser          Type = "user.changed"
	EventLocation      Type = "location.changed"
	EventDisplay       Type = "display.changed"
)

// Types lists every event type.
var Types = []Type{
	EventCreated, EventCalled, EventRecalled, EventServed, EventNoShow, EventCancelled, EventReturned,
	EventForwarded, EventReordered, EventAssigned, EventChanged, EventLabelled, EventMessage,
	EventMessageStatus, EventState, EventParticipant, EventErased, EventLine, EventDesk, EventUser,
	EventLocation, EventDisplay,
}

// Actor is who caused an event, as the journal keeps it.
type Actor struct {
	Kind string `json:"kind"` // staff, display, visitor, integrator, system
	// User is the member of the staff on whose behalf it happened, 0 for none.
	User int `json:"user,omitempty"`
	// Credential names the credential, never its secret.
	Credential string `json:"credential,omitempty"`
}

// The kinds of actor that the domain tells apart.
const (
	ActorStaff   = "staff"
	ActorVisitor = "visitor"
	ActorSystem  = "system"
)

// Event is something that happened. Facts stay in the journal for ever and hold
// nothing that identifies a visitor; Personal is taken out by an erasure.
type Event struct {
	Type     Type
	Ticket   int64
	Time     time.Time
	Facts    Facts
	Personal *Personal
}

// Facts are an event's lasting part; each event type uses the fields that its
// case in evolve.go reads.
type Facts struct {
	Actor Actor `json:"actor"`
	// More says that the same command has further events: a fold settles its
	// tickets only after the last one.
	More bool `json:"more,omitempty"`

	PublicID string `json:"publicId,omitempty"`
	Day      string `json:"day,omitempty"`
	Number   int    `json:"number,omitempty"`
	Source   string `json:"source,omitempty"`
	Language string `json:"language,omitempty"`
	Line     int    `json:"line,omitempty"`
	FromLine int    `json:"fromLine,omitempty"`
	Desk     int    `json:"desk,omitempty"`
	User     int    `json:"user,omitempty"`
	Assigner int    `json:"assigner,omitempty"`
	Position string `json:"position,omitempty"`
	// Order is the new key in the line, Unix milliseconds.
	Order int64 `json:"order,omitempty"`
	// Reason says why somebody overtook others.
	Reason string   `json:"reason,omitempty"`
	Labels []string `json:"labels,omitempty"`
	// Quote is the wait that the visitor was shown on joining a line; nil: unknown.
	Quote *Quote `json:"quote,omitempty"`
	// Answer is what the visitor says to the clerk; without a kind it is taken back.
	Answer *Reply `json:"answer,omitempty"`
	// Rating is the visitor's judgement of the visit, 1 to 5.
	Rating int `json:"rating,omitempty"`
	// Appointment is set where one is made or moved, and on its end, which the
	// type alone would not tell from a waiting ticket's.
	Appointment *Appointment `json:"appointment,omitempty"`

	State       ConversationState `json:"state,omitempty"`
	Culture     string            `json:"culture,omitempty"`
	Protocol    string            `json:"protocol,omitempty"`
	Seq         uint64            `json:"seq,omitempty"`
	Kind        string            `json:"kind,omitempty"` // transaction type
	GUID        string            `json:"guid,omitempty"`
	Status      string            `json:"status,omitempty"`
	Participant *Participant      `json:"participant,omitempty"`
	UpTo        uint64            `json:"upTo,omitempty"`
	ClientID    string            `json:"clientId,omitempty"`
	// Entry is the number of the thread entry that gets another status. EntryAt is
	// the entry's own time, where that is not the event's.
	Entry   uint64    `json:"entry,omitempty"`
	EntryAt time.Time `json:"entryAt,omitzero"`

	// Unplaced says that the ticket has no place in a line, so boards are not told.
	Unplaced bool `json:"unplaced,omitempty"`
	// Silent keeps other systems from being told of this one change.
	Silent bool `json:"silent,omitempty"`
	// Touch makes a change count as activity of the conversation.
	Touch bool `json:"touch,omitempty"`
	// Auto: a rule did it, nobody asked. Canned: a canned reply was used.
	Auto   bool `json:"auto,omitempty"`
	Canned bool `json:"canned,omitempty"`
	// Media is how many files an entry has; the files themselves are personal.
	Media     int    `json:"media,omitempty"`
	MovedTo   *Moved `json:"movedTo,omitempty"`
	MovedFrom *Moved `json:"movedFrom,omitempty"`

	LineDef     *Line     `json:"lineDef,omitempty"`
	DeskDef     *Desk     `json:"deskDef,omitempty"`
	UserDef     *User     `json:"userDef,omitempty"`
	LocationDef *Location `json:"locationDef,omitempty"`
	DisplayDef  *Display  `json:"displayDef,omitempty"`
	Reload      bool      `json:"reload,omitempty"`

	// Public says that a change shows on boards: another line, another shown name.
	Public bool `json:"public,omitempty"`

	// Base is the ticket as it was before this event, without Private, when it
	// was not live: so that a fold that never saw it can go on from here.
	Base *Ticket `json:"base,omitempty"`
}

// Personal is what an erasure removes from an event.
type Personal struct {
	// Private replaces the ticket's private part (created, changed).
	Private *Private `json:"private,omitempty"`
	// Base is the private part that belongs to Facts.Base.
	Base *Private `json:"base,omitempty"`
	// Name identifies Facts.Participant.
	Name        *ParticipantName `json:"name,omitempty"`
	Text        string           `json:"text,omitempty"`
	HTML        string           `json:"html,omitempty"`
	Attachments []Attachment     `json:"attachments,omitempty"`
	Payload     json.RawMessage  `json:"payload,omitempty"`
}

// Transaction is the thread entry that an event makes, or rewrites.
func (e *Event) Transaction() Transaction {
	t := Transaction{
		Seq: e.Facts.Seq, GUID: e.Facts.GUID, At: e.Time, Type: e.Facts.Kind,
		Protocol: e.Facts.Protocol, Status: e.Facts.Status, ClientID: e.Facts.ClientID,
		From: Participant{Type: ParticipantSystem, Protocol: ProtocolUndefined, Active: true},
	}
	if e.Facts.Entry > 0 {
		t.Seq = e.Facts.Entry
	}
	if !e.Facts.EntryAt.IsZero() { // rewritten, or brought from elsewhere
		t.At = e.Facts.EntryAt
	}
	if e.Facts.Participant != nil {
		t.From = *e.Facts.Participant
	}
	if p := e.Personal; p != nil {
		t.Text, t.HTML, t.Attachments, t.Payload = p.Text, p.HTML, p.Attachments, p.Payload
		if p.Name != nil {
			t.FromName = *p.Name
		}
	}
	return t
}

// Encode is an event's stored form: its facts, and its personal part or nil.
func (e *Event) Encode() (facts, personal []byte, err error) {
	if facts, err = json.Marshal(&e.Facts); err != nil {
		return nil, nil, err
	}
	if e.Personal != nil {
		if personal, err = json.Marshal(e.Personal); err != nil {
			return nil, nil, err
		}
	}
	return facts, personal, nil
}

// DecodeEvent reads what Encode wrote; personal is nil when it was erased.
func DecodeEvent(typ string, ticket int64, at time.Time, facts, personal []byte) (Event, error) {
	e := Event{Type: Type(typ), Ticket: ticket, Time: at}
	if err := json.Unmarshal(facts, &e.Facts); err != nil {
		return Event{}, err
	}
	if len(personal) > 0 {
		e.Personal = new(Personal)
		if err := json.Unmarshal(personal, e.Personal); err != nil {
			return Event{}, err
		}
	}
	return e, nil
}
