package ticket

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// QueueTicket is a ticket in the form of the queue API, for integrators. Absent
// means absent: it never holds a null. Source of every field: queue ticket.
type QueueTicket struct {
	ID           string         `json:"id"`
	PublicID     string         `json:"publicId"`
	Status       Status         `json:"status"`
	Source       string         `json:"source"`
	Line         int            `json:"line"`
	FirstName    string         `json:"firstName,omitempty"`
	LastName     string         `json:"lastName,omitempty"`
	PhoneNumber  string         `json:"phoneNumber,omitempty"`
	Email        string         `json:"email,omitempty"`
	LanguageCode string         `json:"languageCode"`
	OrderAfter   string         `json:"orderAfter,omitempty"`
	Created      QueueDate      `json:"created"`
	Called       *QueueCall     `json:"called,omitempty"`
	Served       *QueueDate     `json:"served,omitempty"`
	Cancelled    *QueueCancel   `json:"cancelled,omitempty"`
	Assigned     *Assignment    `json:"assigned,omitempty"`
	Extra        []QueueExtra   `json:"extra"`
	Labels       []QueueLabel   `json:"labels"`
	Interactions *[]QueueVisit  `json:"interactions,omitempty"`
	Messages     *[]QueueText   `json:"messages,omitempty"`
	Connected    *[]QueueTicket `json:"connectedTickets,omitempty"`
}

// QueueDate is an instant in the queue form.
type QueueDate struct {
	Date string `json:"date"`
}

// QueueCall is the running call.
type QueueCall struct {
	Date   string `json:"date"`
	Caller int    `json:"caller,omitempty"`
	Desk   int    `json:"desk,omitempty"`
}

// QueueCancel is a cancellation.
type QueueCancel struct {
	Date      string `json:"date"`
	Canceller int    `json:"canceller,omitempty"`
}

// QueueExtra is an additional data field.
type QueueExtra struct {
	Title string `json:"title"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
	Color string `json:"color,omitempty"`
}

// QueueLabel is a label with its colour, six hex digits.
type QueueLabel struct {
	Value string `json:"value"`
	Color string `json:"color"`
}

// QueueVisit is an interaction; the running one has no end.
type QueueVisit struct {
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
	Line  int    `json:"line"`
	User  int    `json:"user,omitempty"`
	Desk  int    `json:"desk,omitempty"`
}

// QueueText is a text message.
type QueueText struct {
	Created QueueDate `json:"created"`
	Body    string    `json:"body"`
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	UserID  int       `json:"userId,omitempty"`
}

// labelColors are dark enough to be read as text on white and as a block under white text.
var labelColors = [...]string{
	"8E44AD", "1C6EA4", "1E7B4F", "A93226", "9A5B00", "117A8B", "6C3483", "B03A6F", "3D5A80", "5B6B00", "7D3C2A", "2E4A9E",
}

// LabelColor is a label's colour: the same text has the same colour everywhere.
func LabelColor(text string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(text)))
	return labelColors[int(sum[0])%len(labelColors)]
}

// QueueTicket projects a ticket into the queue form, without the parts that are
// served only on request.
func (t *Ticket) QueueTicket() QueueTicket {
	p, v := &t.Place, &t.Private
	q := QueueTicket{
		ID: strconv.FormatInt(t.ID, 10), PublicID: p.PublicID, Status: p.Status, Source: p.Source, Line: p.Line,
		FirstName: v.FirstName, LastName: v.LastName, PhoneNumber: v.PhoneNumber, Email: v.Email,
		LanguageCode: t.Language, Created: QueueDate{wire.Time(p.CreatedAt)}, Assigned: p.Assigned,
		Extra: make([]QueueExtra, 0, len(v.Extra)), Labels: make([]QueueLabel, 0, len(t.Labels)),
	}
	if p.Moved {
		q.OrderAfter = wire.Time(time.UnixMilli(p.Order))
	}
	switch p.Status {
	case Called:
		q.Called = &QueueCall{Date: wire.Time(p.Call.At), Caller: p.Call.Caller, Desk: p.Call.Desk}
	case Served:
		q.Served = &QueueDate{wire.Time(p.ServedAt)}
	case Cancelled:
		q.Cancelled = &QueueCancel{Date: wire.Time(p.CancelledAt), Canceller: p.CancelledBy}
	}
	for _, x := range v.Extra {
		q.Extra = append(q.Extra, QueueExtra{Title: x.Title, Value: x.Value, URL: x.URL, Color: x.Color})
	}
	for _, l := range t.Labels {
		q.Labels = append(q.Labels, QueueLabel{Value: l, Color: LabelColor(l)})
	}
	return q
}

// Visits is the interactions part of the queue form, oldest first.
func (t *Ticket) Visits() []QueueVisit {
	out := make([]QueueVisit, 0, len(t.Place.Interactions))
	for _, i := range t.Place.Interactions {
		v := QueueVisit{Start: wire.Time(i.Start), Line: i.Line, User: i.User, Desk: i.Desk}
		if !i.End.IsZero() {
			v.End = wire.Time(i.End)
		}
		out = append(out, v)
	}
	return out
}

// QueueMessage projects an SMS transaction; ok is false for any other.
func QueueMessage(t *Transaction) (QueueText, bool) {
	if t.Protocol != ProtocolSMS || t.Type != TransactionMessage {
		return QueueText{}, false
	}
	q := QueueText{Created: QueueDate{wire.Time(t.At)}, Body: t.Text, Type: "OUTGOING", Status: t.Status, UserID: t.From.User}
	if t.From.Type == ParticipantClient {
		q.Type, q.Status = "INCOMING", "DELIVERED"
	}
	q.Status = strings.ToUpper(q.Status)
	if !slices.Contains([]string{"NEW", "SENT", "DELIVERED", "INVALID_NUMBER"}, q.Status) {
		q.Status = "DELIVERED"
	}
	return q, true
}
