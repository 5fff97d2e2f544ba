package outbox

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
)

// The events of the queue API. Source: queue API, section 6.
const (
	queueTicketCreated   = "ticket_created"
	queueTicketCalled    = "ticket_called"
	queueTicketRecalled  = "ticket_recalled"
	queueTicketChanged   = "ticket_changed"
	queueTicketServed    = "ticket_served"
	queueTicketCancelled = "ticket_cancelled"
	queueLineChanged     = "line_changed"
	queueLocationCreated = "location_created"
	queueLocationChanged = "location_changed"
)

// queueEvent is what the queue API calls an event, "" for those it does not know.
// A ticket that waits again was created again, in its words. An erasure is a
// change: whoever keeps copies learns that nothing personal is left.
func queueEvent(t ticket.Type) string {
	switch t {
	case ticket.EventCreated, ticket.EventReturned, ticket.EventForwarded:
		return queueTicketCreated
	case ticket.EventCalled:
		return queueTicketCalled
	case ticket.EventRecalled:
		return queueTicketRecalled
	case ticket.EventServed:
		return queueTicketServed
	case ticket.EventCancelled:
		return queueTicketCancelled
	case ticket.EventChanged, ticket.EventLabelled, ticket.EventAssigned, ticket.EventReordered,
		ticket.EventNoShow, ticket.EventErased:
		return queueTicketChanged
	case ticket.EventLine:
		return queueLineChanged
	case ticket.EventLocation:
		return queueLocationChanged
	}
	return ""
}

// queueNamed is the data of events about lines and locations.
type queueNamed struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// queueMessage renders an event for the queue API; ok is false for what it is not
// told of. s is the state right after the event.
func queueMessage(s *ticket.State, e ticket.Event) (message, bool) {
	m := message{event: queueEvent(e.Type), ticket: e.Ticket, at: e.Time}
	var data any
	switch {
	// The directory's journal tells of the same locations a second time.
	case m.event == "" || s.Journal == ledger.Directory:
		return message{}, false
	case e.Type == ticket.EventLine:
		data = queueNamed{e.Facts.LineDef.ID, e.Facts.LineDef.Name}
	case e.Type == ticket.EventLocation:
		if s.Offset == 1 { // a location's journal begins with its making
			m.event = queueLocationCreated
		}
		data = queueNamed{e.Facts.LocationDef.ID, e.Facts.LocationDef.Name}
	default:
		t := s.Tickets[e.Ticket]
		if t == nil || t.Place.Status == ticket.Unplaced { // only a conversation: no ticket of the queue API
			return message{}, false
		}
		data = t.QueueTicket()
	}
	m.body = encode(struct {
		Type string `json:"type"`
		Data any    `json:"data"`
	}{m.event, data})
	return m, true
}

// encode is JSON on one line, with markup characters as they are: the reader is a
// program.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// unreachable: projections hold only what was decoded or checked
		return []byte("{}")
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// QueueWebhooks is the registrations as the queue API's door needs them. The door
// has checked that the identity may do this.
type QueueWebhooks struct{ Outbox *Outbox }

// Create registers a URL for every event of the locations that the identity acts in.
func (w QueueWebhooks) Create(ctx context.Context, id auth.Identity, url string) (hook, secret string, err error) {
	r := Registration{Kind: QueueHook, URL: url, Creator: id.Credential}
	if !id.Everywhere {
		r.Locations = append([]int{}, id.Locations...)
	}
	t, secret, err := w.Outbox.Register(ctx, r)
	return t.ID, secret, err
}

// Delete removes a webhook of the queue API.
func (w QueueWebhooks) Delete(ctx context.Context, id auth.Identity, hook string) error {
	return w.Outbox.remove(ctx, hook, func(t *Target) bool {
		if t.Kind != QueueHook {
			return false
		}
		if id.Everywhere {
			return true
		}
		// A key that sees less than the webhook must not know of it.
		for _, l := range t.Locations {
			if !id.In(l) {
				return false
			}
		}
		return t.Locations != nil
	})
}
