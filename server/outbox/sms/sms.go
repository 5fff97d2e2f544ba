// Package sms brings text messages to visitors' phones, and their answers back.
//
// A message is in its ticket's thread with status NEW, and a document of kind
// Docs names the ticket, both written in one commit by whoever sends it. So a
// gateway that is away, or a process that is killed, loses nothing. A gateway
// moves the document to its own kind before it looks at the thread: a message
// that is written meanwhile names the ticket again.
//
// There are two gateways. [Kept] has no line out: messages stay NEW and are
// listed until somebody hands them over. [Sender] gives them to a provider that
// speaks the form of the best-known SMS API.
//
// Statuses only go forward: NEW, SENT (the provider has it), DELIVERED (the
// phone has it) or INVALID_NUMBER (it will never arrive). Delivery is at least
// once: a crash between the provider's answer and its note sends again.
package sms

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// The kinds of document.
const (
	// Docs names tickets with unsent messages; the key is the ticket's id. The
	// doors write it together with the message.
	Docs = "outbox.sms"
	// workDocs are those that a gateway has taken up.
	workDocs = "sms.work"
	// sentDocs hold what the provider called a message: {id} says which it was.
	sentDocs = "sms.sent"
)

// Ledger is what gateways need of the ledger.
type Ledger interface {
	Do(ctx context.Context, r ledger.Request) (ledger.Result, error)
	PutDocs(ctx context.Context, docs ...store.Doc) error
	Docs(kind string) iter.Seq2[store.Doc, error]
	Ticket(id int64) (*ticket.Ticket, error)
	Transactions(id int64, seq uint64, limit int, newestFirst bool) ([]ticket.Transaction, error)
	View(location int, f func(*ticket.State)) bool
	Locations() []int
}

// Gateway brings text messages out.
type Gateway interface {
	// Wake says that a ticket has a new message. It does not block.
	Wake(ticket int64)
	// Run works until ctx ends.
	Run(ctx context.Context) error
	Stats() Stats
	Carrying
}

// Carrying says what a gateway brings out.
type Carrying interface {
	// Carries says whether messages of a conversation on a channel go out from a
	// location this way.
	Carries(channel string, location int) bool
}

// Stats count since the process began: messages handed over, arrived, refused
// for good, given up for their age, attempts that failed, and messages received.
type Stats struct {
	Sent, Delivered, Refused, Dropped, Failed, Received uint64
}

// Text is one outgoing message that is still NEW.
type Text struct {
	Ticket   int64  `json:"ticket"`
	Location int    `json:"location"`
	Channel  string `json:"channel"` // SMS or WhatsApp
	Seq      uint64 `json:"seq"`
	PublicID string `json:"publicId"`
	To       string `json:"to"` // in international form where it can be, else as entered
	Valid    bool   `json:"valid"`
	Body     string `json:"body"`
	// Files are the names of the files that go with it.
	Files []string  `json:"files,omitempty"`
	At    time.Time `json:"at"`

	attached []ticket.Attachment
}

// desk is what both gateways do with tickets and their threads.
type desk struct {
	ledger Ledger
	// advancing orders changes of statuses, so that they only go forward.
	advancing sync.Mutex
}

func ticketKey(id int64) string { return strconv.FormatInt(id, 10) }

// named lists the tickets that documents name, ascending.
func (d *desk) named() ([]int64, error) {
	var out []int64
	for _, kind := range []string{Docs, workDocs} {
		for doc, err := range d.ledger.Docs(kind) {
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", kind, err)
			}
			id, err := strconv.ParseInt(doc.Key, 10, 64)
			if err != nil || id < 1 {
				return nil, fmt.Errorf("document %s %.40q names no ticket", kind, doc.Key)
			}
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// claim moves a ticket's document, so that what is written from now on names it anew.
func (d *desk) claim(ctx context.Context, id int64) error {
	return d.ledger.PutDocs(ctx,
		store.Doc{Kind: Docs, Key: ticketKey(id)},
		store.Doc{Kind: workDocs, Key: ticketKey(id), Value: []byte(`{"ticket":` + ticketKey(id) + `}`)})
}

// settle says that a claimed ticket has nothing left to send.
func (d *desk) settle(ctx context.Context, id int64) error {
	return d.ledger.PutDocs(ctx, store.Doc{Kind: workDocs, Key: ticketKey(id)})
}

// unsent are a ticket's outgoing messages with status NEW, oldest first.
func (d *desk) unsent(id int64) ([]Text, error) {
	t, err := d.ledger.Ticket(id)
	if wire.CodeOf(err) == wire.NotFound && err != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	thread, err := d.ledger.Transactions(id, 0, 0, false)
	if err != nil {
		return nil, err
	}
	to, valid := Normalise(t.Private.PhoneNumber, d.country(t.Location))
	if !valid {
		to = t.Private.PhoneNumber
	}
	var out []Text
	for i := range thread {
		x := &thread[i]
		if outgoing(x) && x.Status == ticket.TextNew {
			text := Text{
				Ticket: id, Location: t.Location, Channel: x.Protocol, Seq: x.Seq, PublicID: t.Place.PublicID, To: to, Valid: valid,
				Body: x.Text, At: x.At, attached: x.Attachments,
			}
			for _, a := range x.Attachments {
				text.Files = append(text.Files, a.OriginalFileName)
			}
			out = append(out, text)
		}
	}
	return out, nil
}

// outgoing tells what goes to a phone from what came, and from all the rest.
func outgoing(x *ticket.Transaction) bool {
	return (x.Protocol == ticket.ProtocolSMS || x.Protocol == ticket.ProtocolWhatsApp) &&
		x.Type == ticket.TransactionMessage && x.From.Type != ticket.ParticipantClient
}

// Outgoing sends what staff writes in a conversation on the gateway's channels to
// the customer's phone: the message is marked, and the documents go with it into
// one commit; then the gateway is to be woken. Elsewhere it changes nothing.
// Without a gateway text messages wait for one.
func Outgoing(g Carrying, t *ticket.Ticket, m *ticket.SendMessage) []store.Doc {
	channel := t.Conversation.Protocol
	if channel != ticket.ProtocolSMS && (g == nil || !g.Carries(channel, t.Location)) {
		return nil
	}
	m.Protocol, m.Status = channel, ticket.TextNew
	return []store.Doc{{Kind: Docs, Key: ticketKey(t.ID), Value: []byte(`{"ticket":` + ticketKey(t.ID) + `}`)}}
}

func (d *desk) country(location int) string {
	country := ""
	d.ledger.View(location, func(s *ticket.State) {
		if s.Location != nil {
			country = s.Location.Country
		}
	})
	return country
}

// rank orders statuses: a message never goes back.
func rank(status string) int {
	switch status {
	case ticket.TextDelivered, ticket.TextInvalidNumber:
		return 2
	case ticket.TextSent:
		return 1
	}
	return 0
}

// advance notes a message's new status, together with docs. It reports false when
// the message had got that far already, or is not there any more.
func (d *desk) advance(ctx context.Context, actor string, id int64, seq uint64, status string, docs ...store.Doc) (bool, error) {
	d.advancing.Lock()
	defer d.advancing.Unlock()
	thread, err := d.ledger.Transactions(id, seq, 1, false)
	if err != nil {
		return false, err
	}
	known := len(thread) > 0 && thread[0].Seq == seq && outgoing(&thread[0])
	if known && rank(thread[0].Status) < rank(status) {
		_, err := d.ledger.Do(ctx, ledger.Request{
			Command: ticket.SetMessageStatus{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Seq: seq, Status: status},
			Actor:   ticket.Actor{Kind: ticket.ActorSystem, Credential: actor}, Docs: docs,
		})
		if code := wire.CodeOf(err); err == nil || code != wire.Conflict && code != wire.NotFound {
			return err == nil, err
		}
		// It was erased in between.
	}
	if len(docs) == 0 {
		return false, nil
	}
	return false, d.ledger.PutDocs(ctx, docs...)
}
