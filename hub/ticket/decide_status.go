package ticket

import (
	"slices"

	"github.com/nowserving/nowserving/hub/wire"
)

// The statuses of a text message, in the words of the queue form.
// Source: queue ticket, "messages[].status".
const (
	TextNew           = "NEW"            // written; no gateway has taken it yet
	TextSent          = "SENT"           // a gateway has taken it
	TextDelivered     = "DELIVERED"      // it is on the visitor's phone
	TextInvalidNumber = "INVALID_NUMBER" // it will never arrive
)

// SetMessageStatus notes what became of a text message. Gateways give it; it has
// no form on the wire.
type SetMessageStatus struct {
	Ref
	Seq    uint64 `json:"seq"`
	Status string `json:"status"`
}

// Name implements Command.
func (SetMessageStatus) Name() string { return "message.status" }

func (c SetMessageStatus) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	if c.Seq < 1 || c.Seq > t.Conversation.Seq {
		return nil, wire.FieldError("seq", "seq is the number of a transaction, 1 to %d", t.Conversation.Seq)
	}
	if !slices.Contains([]string{TextNew, TextSent, TextDelivered, TextInvalidNumber}, c.Status) {
		return nil, wire.FieldError("status", "status is NEW, SENT, DELIVERED or INVALID_NUMBER")
	}
	return []Event{{Type: EventMessageStatus, Ticket: t.ID, Facts: Facts{Entry: c.Seq, Status: c.Status}}}, nil
}

// Restate completes an event that gives a thread entry another status with that
// entry: a State does not hold the thread, and who is told of the event is sent
// the whole entry. The status stays the event's.
func (e *Event) Restate(t *Transaction) {
	f, from := &e.Facts, t.From
	f.EntryAt, f.Kind, f.Protocol, f.GUID, f.ClientID, f.Participant = t.At, t.Type, t.Protocol, t.GUID, t.ClientID, &from
	var p Personal
	if e.Personal != nil {
		p = *e.Personal
	}
	name := t.FromName
	p.Name, p.Text, p.HTML, p.Attachments, p.Payload = &name, t.Text, t.HTML, t.Attachments, t.Payload
	e.Personal = &p
}

// InThread reports whether an event makes or rewrites a thread entry, which is
// then its Transaction.
func (e *Event) InThread() bool { return e.Facts.Seq > 0 || e.Facts.Entry > 0 }
