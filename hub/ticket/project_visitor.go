package ticket

import (
	"encoding/json"

	"github.com/nowserving/nowserving/hub/wire"
)

// VisitorTicket is a ticket as its own visitor sees it: nothing about anybody
// else, and nothing that clerks keep among themselves (labels, external data,
// assignment, notes).
type VisitorTicket struct {
	ID           string               `json:"id"`
	PublicID     string               `json:"publicId,omitempty"`
	Status       Status               `json:"status,omitempty"`
	Line         *VisitorLine         `json:"line,omitempty"`
	Desk         *BoardDesk           `json:"desk,omitempty"`
	Position     int                  `json:"position,omitempty"` // 1 is next
	Wait         *WaitRange           `json:"wait,omitempty"`
	Created      string               `json:"created,omitempty"`
	CalledAt     string               `json:"calledAt,omitempty"`
	Recalls      int                  `json:"recalls,omitempty"`
	Answer       *AnswerView          `json:"answer,omitempty"`
	FirstName    string               `json:"firstName,omitempty"`
	LastName     string               `json:"lastName,omitempty"`
	PhoneNumber  string               `json:"phoneNumber,omitempty"`
	Email        string               `json:"email,omitempty"`
	LanguageCode string               `json:"languageCode"`
	Location     BoardLocation        `json:"location"`
	Conversation *VisitorConversation `json:"conversation,omitempty"`
	Erased       bool                 `json:"erased,omitempty"`
}

// VisitorLine is the visitor's line.
type VisitorLine struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// VisitorConversation is the conversation as the visitor may know it.
type VisitorConversation struct {
	State ConversationState `json:"state"`
	// Agent is the first name of who answers.
	Agent    string `json:"agent,omitempty"`
	ReadUpTo uint64 `json:"readUpTo"`
	// Position is its place among the conversations that nobody has taken yet.
	Position int `json:"position,omitempty"`
	// SeenUpTo is how far everybody who answers has read; a message's own status
	// is that of the moment it was sent.
	SeenUpTo uint64 `json:"seenUpTo,omitempty"`
}

// VisitorTransaction is a thread entry without what identifies staff accounts.
type VisitorTransaction struct {
	Seq         uint64       `json:"seq"`
	GUID        string       `json:"guidTransactionId"`
	DateTime    string       `json:"dateTime"`
	Type        string       `json:"type"`
	Text        string       `json:"text"`
	HTML        string       `json:"html"`
	Status      string       `json:"status"`
	FromType    string       `json:"fromType"` // Client, User or System
	FromName    string       `json:"fromName,omitempty"`
	Attachments []Attachment `json:"attachments"`
	ClientID    string       `json:"clientId,omitempty"`
	// Payload holds the quick replies and cards of a message.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// VisitorTicket projects a ticket for its visitor.
func (s *State) VisitorTicket(t *Ticket) VisitorTicket {
	p, n := &t.Place, &t.Private
	v := VisitorTicket{
		ID: itoa(t.ID), PublicID: p.PublicID, Status: p.Status, Created: stamp(p.CreatedAt),
		Answer: p.answerView(), FirstName: n.FirstName, LastName: n.LastName, PhoneNumber: n.PhoneNumber, Email: n.Email,
		LanguageCode: t.Language, Location: s.BoardLocation(), Erased: t.Erased,
	}
	if l := s.Lines[p.Line]; l != nil {
		v.Line = &VisitorLine{l.ID, l.Name}
	}
	switch p.Status {
	case New:
		v.Position = s.Position(t)
		v.Wait = s.Wait(p.Line, v.Position)
	case Called:
		v.CalledAt, v.Recalls = wire.Time(p.Call.At), p.Call.Recalls
		if d := s.Desks[p.Call.Desk]; d != nil {
			v.Desk = &BoardDesk{d.ID, d.Name}
		}
	}
	if c := &t.Conversation; c.State != "" {
		v.Conversation = &VisitorConversation{State: c.State, Position: s.TalkPosition(t)}
		if u := s.Users[c.Owner]; u != nil {
			v.Conversation.Agent = u.FirstName
		}
		if me := c.client(); me != nil {
			v.Conversation.ReadUpTo = me.ReadUpTo
			v.Conversation.SeenUpTo = c.seenByOthers(me.ID)
		}
	}
	return v
}

// VisitorTransaction projects a thread entry for the visitor; ok is false for
// what only staff may see.
func (t *Ticket) VisitorTransaction(x *Transaction) (VisitorTransaction, bool) {
	if x.StaffOnly() || x.Type == TransactionOwner {
		return VisitorTransaction{}, false
	}
	name := x.FromName.DisplayName
	if x.From.Type == ParticipantClient {
		name = x.FromName.Name
	}
	files := x.Attachments
	if files == nil {
		files = []Attachment{}
	}
	var payload json.RawMessage
	if x.Type == TransactionMessage { // of other kinds it is for other systems
		payload = x.Payload
	}
	return VisitorTransaction{
		Payload: payload,
		Seq:     x.Seq, GUID: x.GUID, DateTime: wire.Time(x.At), Type: x.Type, Text: x.Text, HTML: x.HTML,
		Status: t.Conversation.StatusOf(x), FromType: x.From.Type, FromName: name, Attachments: files, ClientID: x.ClientID,
	}, true
}
