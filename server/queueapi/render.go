package queueapi

import (
	"net/http"
	"slices"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// oneTicket is a ticket at the top level of an answer.
type oneTicket struct {
	StatusCode int `json:"statusCode"`
	ticket.QueueTicket
}

// list is the answer of every operation that lists.
type list[T any] struct {
	StatusCode int `json:"statusCode"`
	Data       []T `json:"data"`
}

func listed[T any](data []T) list[T] {
	if data == nil {
		data = []T{}
	}
	return list[T]{http.StatusOK, data}
}

// scopes are the parts of a ticket that are served on request only.
type scopes struct{ messages, interactions, connected bool }

func (c *call) scopes() scopes {
	words := c.words("responseScope", "MESSAGES", "INTERACTIONS", "CONNECTED_TICKETS")
	return scopes{
		messages:     slices.Contains(words, "MESSAGES"),
		interactions: slices.Contains(words, "INTERACTIONS"),
		connected:    slices.Contains(words, "CONNECTED_TICKETS"),
	}
}

// render shows tickets with the scopes that were asked for.
func (c *call) render(tickets []*ticket.Ticket, s scopes) ([]ticket.QueueTicket, error) {
	out := make([]ticket.QueueTicket, len(tickets))
	for i, t := range tickets {
		out[i] = t.QueueTicket()
		if s.interactions {
			visits := t.Visits()
			out[i].Interactions = &visits
		}
		if s.messages {
			texts, err := c.texts(t)
			if err != nil {
				return nil, err
			}
			out[i].Messages = &texts
		}
	}
	if s.connected {
		others, err := c.people()
		if err != nil {
			return nil, err
		}
		for i, t := range tickets {
			connected := others.of(t)
			out[i].Connected = &connected
		}
	}
	return out, nil
}

// texts are a ticket's text messages, oldest first.
func (c *call) texts(t *ticket.Ticket) ([]ticket.QueueText, error) {
	out := []ticket.QueueText{}
	if t.Conversation.Seq == 0 {
		return out, nil
	}
	thread, err := c.Ledger.Transactions(t.ID, 0, 0, false)
	if err != nil {
		return nil, err
	}
	for i := range thread {
		if m, ok := ticket.QueueMessage(&thread[i]); ok {
			out = append(out, m)
		}
	}
	return out, nil
}

// The bounds of connected tickets: how far back they are looked for, and how
// many are shown of one person.
const (
	connectedWithin = 20000
	connectedMost   = 100
)

// people finds tickets by who they belong to: same phone number or e-mail.
type people map[string][]*ticket.Ticket

// people reads the newest tickets of the key's locations.
func (c *call) people() (people, error) {
	found, err := c.Ledger.Search(store.Query{
		Locations: c.locations(), Statuses: allStatuses(), Descending: true, Limit: connectedWithin,
	})
	if err != nil {
		return nil, err
	}
	p := people{}
	for _, t := range found {
		for _, k := range t.PersonKeys() {
			p[k] = append(p[k], t)
		}
	}
	return p, nil
}

// of lists the other visits of a ticket's person, oldest first.
func (p people) of(t *ticket.Ticket) []ticket.QueueTicket {
	byID := map[int64]*ticket.Ticket{}
	for _, k := range t.PersonKeys() {
		for _, other := range p[k] {
			if other.ID != t.ID && len(byID) < connectedMost {
				byID[other.ID] = other
			}
		}
	}
	out := []ticket.QueueTicket{}
	for _, other := range byID {
		out = append(out, other.QueueTicket())
	}
	slices.SortFunc(out, func(a, b ticket.QueueTicket) int {
		x, _ := parseID(a.ID)
		y, _ := parseID(b.ID)
		return int(x - y)
	})
	return out
}
