package chatapi

import (
	"encoding/json"
	"sync/atomic"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/outbox"
)

// Teller says what other systems are told of a journal event. It is made before
// the API, because the outbox and the ledger are.
type Teller struct {
	api atomic.Pointer[API]
	// opening is what the running command has made of a conversation that begins
	// with it; the committer's alone.
	opening *opening
}

// opening collects a new conversation until its command is over: whoever is told
// of it is told of all of it at once.
type opening struct {
	ticket int64
	thread []ticket.Transaction
}

// NewTeller makes a Teller that says nothing yet.
func NewTeller() *Teller { return &Teller{} }

// Attach gives the Teller the API whose forms it writes.
func (w *Teller) Attach(a *API) { w.api.Store(a) }

// change is one change of the API's events; absent members are left out.
type change struct {
	Event       string                   `json:"_event"`
	TicketID    int64                    `json:"ticketId,omitempty"`
	Ticket      *ticket.ChatTicket       `json:"ticket,omitempty"`
	Transaction *ticket.ChatTransaction  `json:"transaction,omitempty"`
	State       ticket.ConversationState `json:"ticketState,omitempty"`
	OwnerID     string                   `json:"ownerId,omitempty"`
	OwnerName   string                   `json:"ownerUserName,omitempty"`
	Participant *ticket.ChatParticipant  `json:"participant,omitempty"`
	Surveys     []surveyAnswer           `json:"surveys,omitempty"`
	Document    *signedDocument          `json:"document,omitempty"`
	Unique      string                   `json:"uniqueArgument"`
}

type surveyAnswer struct {
	ID          int    `json:"id"`
	SurveyID    int    `json:"surveyId"`
	Title       string `json:"title"`
	Value       string `json:"value"`
	HeaderTitle string `json:"headerTitle"`
	IsDisabled  bool   `json:"isDisabled"`
	IsMandatory bool   `json:"isMandatory"`
	Type        string `json:"questionType"`
}

type signedDocument struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Fields []Field `json:"fields"`
}

// ChatEvents implements outbox.ChatEvents.
func (w *Teller) ChatEvents(s *ticket.State, e ticket.Event) []outbox.ChatEvent {
	a := w.api.Load()
	t := s.Tickets[e.Ticket]
	if a == nil || t == nil {
		return nil
	}
	var out []change
	if w.collect(t, e) {
		if e.Facts.More {
			return nil
		}
		out = w.begun(a, s)
	} else if c, ok := a.tell(s, t, e); ok {
		out = append(out, c)
	}
	events := make([]outbox.ChatEvent, 0, len(out))
	for _, c := range out {
		body, err := json.Marshal(&c)
		if err != nil { // unreachable: forms hold only what was decoded or checked
			a.Log.Error().Err(err).Str("event", c.Event).Msg("event not encodable")
			continue
		}
		events = append(events, outbox.ChatEvent{Name: c.Event, Ticket: e.Ticket, Change: body})
	}
	return events
}

// collect reports whether an event belongs to a conversation that begins with its
// command, and keeps what it adds.
func (w *Teller) collect(t *ticket.Ticket, e ticket.Event) bool {
	f := &e.Facts
	begins := e.Type == ticket.EventState && f.State == ticket.ConversationOpen && !f.Silent &&
		f.Kind == ticket.TransactionOpened && t.Conversation.StateAt.Equal(t.Conversation.OpenedAt) && f.Seq <= 1
	if begins {
		w.opening = &opening{ticket: t.ID}
	}
	if w.opening == nil || w.opening.ticket != t.ID {
		return false
	}
	if e.InThread() {
		w.opening.thread = append(w.opening.thread, e.Transaction())
	}
	return true
}

// begun tells of the conversation that has just begun, then of its messages.
func (w *Teller) begun(a *API, s *ticket.State) []change {
	o := w.opening
	w.opening = nil
	t := s.Tickets[o.ticket]
	view := a.viewAt(a.BaseURL)
	whole := s.ChatTicket(t, view)
	thread := make([]ticket.ChatTransaction, 0, len(o.thread))
	out := []change{{Event: "NEW_TICKET", TicketID: t.ID, Ticket: &whole, Unique: t.Private.UniqueArgument}}
	for i := range o.thread {
		x := t.ChatTransaction(&o.thread[i], view)
		thread = append([]ticket.ChatTransaction{x}, thread...) // newest first
		if o.thread[i].Type == ticket.TransactionMessage {
			out = append(out, change{Event: "NEW_MESSAGE", TicketID: t.ID, Transaction: &x, Unique: t.Private.UniqueArgument})
		}
	}
	whole.Transactions = &thread
	return out
}

// tell says what an event of a known conversation is called.
func (a *API) tell(s *ticket.State, t *ticket.Ticket, e ticket.Event) (change, bool) {
	f := &e.Facts
	c := change{TicketID: t.ID, Unique: t.Private.UniqueArgument}
	if f.Silent {
		return c, false
	}
	switch {
	case e.Type == ticket.EventState && f.Position == "owner":
		c.Event, c.OwnerID = "TICKET_OWNER_CHANGE", ticket.NoGUID
		if u := s.Users[f.User]; u != nil {
			c.OwnerID, c.OwnerName = u.GUID, u.Email
		}
	case e.Type == ticket.EventState && f.State != "":
		whole := s.ChatTicket(t, a.viewAt(a.BaseURL))
		c.Event, c.State, c.Ticket = "TICKET_STATE_CHANGE", f.State, &whole
	case e.Type == ticket.EventMessage && f.Kind == ticket.TransactionMessage:
		x := e.Transaction()
		shown := t.ChatTransaction(&x, a.viewAt(a.BaseURL))
		c.Event, c.Transaction = "NEW_MESSAGE", &shown
	case e.Type == ticket.EventMessage && (f.Kind == ticket.TransactionSurvey || f.Kind == ticket.TransactionSigned):
		return c.answered(t, e, a)
	default:
		return c, false
	}
	return c, true
}

// answered fills in what a customer has filled in.
func (c change) answered(t *ticket.Ticket, e ticket.Event, a *API) (change, bool) {
	var in struct {
		Survey          int `json:"surveyId"`
		Title, Document string
		DocumentID      string
		Answers         []asked
	}
	if e.Personal == nil || json.Unmarshal(e.Personal.Payload, &in) != nil {
		return c, false
	}
	if e.Facts.Kind == ticket.TransactionSigned {
		c.Event, c.Document = "DOCUMENT_SIGNED", &signedDocument{ID: in.DocumentID, Title: in.Title, Fields: []Field{}}
		for _, q := range in.Answers {
			c.Document.Fields = append(c.Document.Fields, Field{Type: q.Type, Name: q.Title, Value: q.Value})
		}
		return c, true
	}
	c.Event = "SURVEY_UPDATE"
	x := e.Transaction()
	from := t.ChatTransaction(&x, a.viewAt(a.BaseURL)).From
	c.Participant = &from
	for _, q := range in.Answers {
		c.Surveys = append(c.Surveys, surveyAnswer{
			ID: q.ID, SurveyID: in.Survey, Title: q.Title, Value: q.Value, HeaderTitle: in.Title, IsMandatory: q.Mandatory, Type: q.Type,
		})
	}
	return c, true
}

var _ outbox.ChatEvents = (*Teller)(nil)
