package queuegraph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/nowserving/nowserving/hub/ticket"
)

// ticketNode is a ticket as it was at one moment.
type ticketNode struct {
	w *world
	b *branch
	t *ticket.Ticket
}

func (n *ticketNode) ID() graphql.ID           { return graphql.ID(strconv.FormatInt(n.t.ID, 10)) }
func (n *ticketNode) PublicID() *string        { return text(n.t.Place.PublicID) }
func (n *ticketNode) Status() string           { return string(n.t.Place.Status) }
func (n *ticketNode) Line() (*lineNode, error) { return n.w.line(n.b, n.t.Place.Line) }
func (n *ticketNode) FirstName() *string       { return text(n.t.Private.FirstName) }
func (n *ticketNode) LastName() *string        { return text(n.t.Private.LastName) }
func (n *ticketNode) Email() *string           { return text(n.t.Private.Email) }
func (n *ticketNode) Language() *languageNode  { return languageOf(cmp.Or(n.t.Language, "en")) }
func (n *ticketNode) StatusSetAt() date        { at, _ := n.since(); return date{at} }
func (n *ticketNode) StatusSetBy() *userNode   { _, by := n.since(); return n.w.colleague(n.b, by) }

// PhoneNumber is a number in this API: its digits. What is too long for one is
// left out.
func (n *ticketNode) PhoneNumber() *long {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, n.t.Private.PhoneNumber)
	if v, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return ptr(long(v))
	}
	return nil
}

// since is when the status was reached, and by whom.
func (n *ticketNode) since() (at time.Time, by int) {
	p := &n.t.Place
	last := p.CreatedAt
	if k := len(p.Interactions); k > 0 && !p.Interactions[k-1].End.IsZero() {
		last, by = p.Interactions[k-1].End, p.Interactions[k-1].User
	}
	switch p.Status {
	case ticket.Called:
		return p.Call.At, p.Call.Caller
	case ticket.Served:
		return p.ServedAt, by
	case ticket.NoShow:
		return last, by
	case ticket.Cancelled, ticket.Unbooked:
		return p.CancelledAt, p.CancelledBy
	case ticket.New:
		if at := n.waitStarted(); !at.Equal(p.CreatedAt) {
			return at, by
		}
	}
	return p.CreatedAt, p.CreatedBy
}

// waitStarted is when the visitor last came into a line: with the ticket, or back
// from a desk, or at the check-in of an appointment.
func (n *ticketNode) waitStarted() time.Time {
	p := &n.t.Place
	at := p.CreatedAt
	if p.Appointment != nil && p.Moved {
		at = time.UnixMilli(p.Order) // a check-in goes to the end of the line
	}
	before := p.Interactions
	switch p.Status {
	case ticket.Called, ticket.Served, ticket.NoShow: // the last one ended this wait
		before = before[:max(len(before)-1, 0)]
	}
	if n := len(before); n > 0 && before[n-1].End.After(at) {
		at = before[n-1].End
	}
	return at
}

// WaitStartedAt is null for an appointment that has not checked in.
func (n *ticketNode) WaitStartedAt() *date {
	switch n.t.Place.Status {
	case ticket.Scheduled, ticket.Unbooked, ticket.Missed:
		return nil
	}
	return maybe(n.waitStarted())
}

// momentNode is when something happened, and who did it.
type momentNode struct {
	Date date
	User *userNode
}

// Created is when the place was taken.
func (n *ticketNode) Created() *momentNode {
	return &momentNode{date{n.t.Place.CreatedAt}, n.w.colleague(n.b, n.t.Place.CreatedBy)}
}

// Cancelled is null unless the ticket is.
func (n *ticketNode) Cancelled() *momentNode {
	if n.t.Place.CancelledAt.IsZero() {
		return nil
	}
	return &momentNode{date{n.t.Place.CancelledAt}, n.w.colleague(n.b, n.t.Place.CancelledBy)}
}

// Assignee is who the ticket is given to.
func (n *ticketNode) Assignee() *userNode {
	if n.t.Place.Assigned == nil {
		return nil
	}
	return n.w.colleague(n.b, n.t.Place.Assigned.Assignee)
}

// Caller is who called the ticket; null while it waits.
func (n *ticketNode) Caller() *userNode {
	if n.t.Place.Status == ticket.New {
		return nil
	}
	return n.w.colleague(n.b, n.t.Caller())
}

// labelNode is a label.
type labelNode struct{ Value, Color string }

// Labels are in the order they were given.
func (n *ticketNode) Labels() ([]*labelNode, error) {
	out := []*labelNode{}
	for _, l := range n.t.Labels {
		out = append(out, &labelNode{l, ticket.LabelColor(l)})
	}
	return out, n.w.spend(len(out))
}

// appointmentNode is a slot.
type appointmentNode struct {
	n *ticketNode
	a *ticket.Appointment
}

func (a *appointmentNode) StartTime() date     { return date{a.a.Start} }
func (a *appointmentNode) EndTime() date       { return date{a.a.End} }
func (a *appointmentNode) Assignee() *userNode { return a.n.w.colleague(a.n.b, a.a.Assignee) }

// Appointment stays after check-in.
func (n *ticketNode) Appointment() *appointmentNode {
	if n.t.Place.Appointment == nil {
		return nil
	}
	return &appointmentNode{n, n.t.Place.Appointment}
}

// externalNode is what another system attached.
type externalNode struct {
	Created         date
	Provider, Title string
	Data            *anyJSON
}

// External holds one record per provider.
func (n *ticketNode) External() ([]*externalNode, error) {
	out := []*externalNode{}
	for _, x := range n.t.Private.External {
		e := &externalNode{Created: date{x.At}, Provider: x.Provider, Title: x.Title}
		if len(x.Data) > 0 {
			e.Data = ptr(anyJSON(x.Data))
		}
		out = append(out, e)
	}
	return out, n.w.spend(len(out))
}

// ConnectedTickets are other visits of the same person, by phone number or
// e-mail, oldest first.
func (n *ticketNode) ConnectedTickets() (*[]*ticketNode, error) {
	others, err := n.w.visits()
	if err != nil {
		return nil, err
	}
	found := map[int64]*ticket.Ticket{}
	for _, key := range n.t.PersonKeys() {
		for _, t := range others[key] {
			if t.ID != n.t.ID {
				found[t.ID] = t
			}
		}
	}
	out, err := n.w.tickets(slices.Collect(func(yield func(*ticket.Ticket) bool) {
		for _, id := range keys(found) {
			if !yield(found[id]) {
				return
			}
		}
	}))
	return &out, err
}
