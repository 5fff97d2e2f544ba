package queuegraph

import (
	"context"
	"encoding/json"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// waiting is how many changes one subscription may be behind, before its socket is
// closed: its client reads everything again after it has come back. It holds what
// two full group commits publish at once.
const waiting = 1024

// subKey is where the context of a start frame has its subscription.
type subKey struct{}

// here is the argument of the fields about a location.
type here struct{ LocationID graphql.ID }

type onTicket struct{ TicketID graphql.ID }

type onTV struct{ TvID graphql.ID }

// listen makes the subscription of ctx wait for a topic. show makes the payloads
// of a change; it runs in the publisher, so it only puts nodes together.
func listen[T any](ctx context.Context, t topic, may func(auth.Identity) error, show func(w *world, m *moment) []T) (<-chan T, error) {
	s, ok := ctx.Value(subKey{}).(*subscription)
	if !ok {
		return nil, wire.Errorf(wire.Forbidden, "subscriptions are for the socket at %s", pathSocket)
	}
	out := make(chan T, waiting)
	g := s.socket.g
	err := s.open(&listener{topic: t, drained: func() { close(out) }, take: func(m *moment) {
		id := s.socket.identity()
		if !id.In(m.Location) { // of those that name no location, or moved meanwhile
			return
		}
		w := g.newWorld(id)
		w.branches[m.Location] = m.branch
		for _, payload := range show(w, m) {
			select {
			case out <- payload:
			default:
				s.socket.end(closeSlow)
				return
			}
		}
	}}, may)
	return out, err
}

// place checks that the key may watch a location, by the one access table.
func (g *Graph) place(id auth.Identity, location int) error {
	if !g.Ledger.View(location, func(*ticket.State) {}) || location == 0 {
		return notFound("Location", location)
	}
	return g.Access.Channel(id, wire.Channel{Kind: wire.ConsoleChannel, ID: int64(location)})
}

// inLocation is listen for the fields that name a location.
func inLocation[T any](ctx context.Context, field string, args here, show func(w *world, m *moment) []T) (<-chan T, error) {
	location, err := readSmallID("locationId", args.LocationID)
	if err != nil {
		return nil, err
	}
	g := worldOf(ctx).g
	may := func(id auth.Identity) error { return g.place(id, location) }
	return listen(ctx, topic{field, int64(location)}, may, show)
}

func (w *world) ticketAt(m *moment) *ticketNode { return &ticketNode{w, m.branch, m.now} }

func theTicket(w *world, m *moment) []*ticketNode { return []*ticketNode{w.ticketAt(m)} }

func theList(w *world, m *moment) [][]*ticketNode { return [][]*ticketNode{{w.ticketAt(m)}} }

func theLocation(w *world, m *moment) []*locationNode { return []*locationNode{{w, m.branch}} }

type ticketFeed = <-chan *ticketNode

// CreatedTickets implements Subscription.createdTickets. Without a location it
// tells of all of the key's; a device has to say which.
func (r *root) CreatedTickets(ctx context.Context, args struct{ LocationID *graphql.ID }) (ticketFeed, error) {
	if args.LocationID != nil {
		return inLocation(ctx, "createdTickets", here{*args.LocationID}, theTicket)
	}
	may := func(id auth.Identity) error {
		if id.Display != 0 {
			return invalid("locationId", "a device's key needs a locationId")
		}
		return nil
	}
	return listen(ctx, topic{"createdTickets", 0}, may, theTicket)
}

// CalledTickets implements Subscription.calledTickets.
func (r *root) CalledTickets(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "calledTickets", args, theTicket)
}

// ServedTickets implements Subscription.servedTickets.
func (r *root) ServedTickets(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "servedTickets", args, theTicket)
}

// ChangedTickets implements Subscription.changedTickets.
func (r *root) ChangedTickets(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "changedTickets", args, theTicket)
}

// CancelledTickets implements Subscription.cancelledTickets.
func (r *root) CancelledTickets(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "cancelledTickets", args, theTicket)
}

// RecalledTickets implements Subscription.recalledTickets.
func (r *root) RecalledTickets(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "recalledTickets", args, theTicket)
}

// ReorderedTickets implements Subscription.reorderedTickets.
func (r *root) ReorderedTickets(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "reorderedTickets", args, theTicket)
}

// MarkedAllTicketMessagesAsRead implements Subscription.markedAllTicketMessagesAsRead.
func (r *root) MarkedAllTicketMessagesAsRead(ctx context.Context, args here) (ticketFeed, error) {
	return inLocation(ctx, "markedAllTicketMessagesAsRead", args, theTicket)
}

// ReorderedTicketsList implements Subscription.reorderedTicketsList.
func (r *root) ReorderedTicketsList(ctx context.Context, args here) (<-chan []*ticketNode, error) {
	return inLocation(ctx, "reorderedTicketsList", args, theList)
}

// TvTickets implements Subscription.tvTickets.
func (r *root) TvTickets(ctx context.Context, args here) (<-chan []*ticketNode, error) {
	return inLocation(ctx, "tvTickets", args, theList)
}

// ChangedTicketFields implements Subscription.changedTicketFields: one payload
// for each value that has changed.
func (r *root) ChangedTicketFields(ctx context.Context, args here) (<-chan *changedValue, error) {
	return inLocation(ctx, "changedTicketFields", args, func(w *world, m *moment) []*changedValue {
		return changedValues(w.ticketAt(m), m.Ticket)
	})
}

// changedLabels is all the labels of a ticket, after one has changed.
type changedLabels struct{ Ticket *ticketNode }

// Labels are the ticket's.
func (c *changedLabels) Labels() ([]*labelNode, error) { return c.Ticket.Labels() }

// ChangedTicketLabels implements Subscription.changedTicketLabels.
func (r *root) ChangedTicketLabels(ctx context.Context, args here) (<-chan *changedLabels, error) {
	return inLocation(ctx, "changedTicketLabels", args, func(w *world, m *moment) []*changedLabels {
		return []*changedLabels{{w.ticketAt(m)}}
	})
}

// aboutTicket is listen for the fields that name a ticket.
func aboutTicket[T any](ctx context.Context, field string, args onTicket, show func(w *world, m *moment) []T) (<-chan T, error) {
	number, err := readID("ticketId", args.TicketID)
	if err != nil {
		return nil, err
	}
	g := worldOf(ctx).g
	may := func(id auth.Identity) error { return g.newWorld(id).mayWatch(number) }
	return listen(ctx, topic{field, number}, may, show)
}

// TicketStateChanged implements Subscription.ticketStateChanged.
func (r *root) TicketStateChanged(ctx context.Context, args onTicket) (ticketFeed, error) {
	return aboutTicket(ctx, "ticketStateChanged", args, theTicket)
}

// AppointmentChanged implements Subscription.appointmentChanged.
func (r *root) AppointmentChanged(ctx context.Context, args onTicket) (<-chan *appointmentNode, error) {
	return aboutTicket(ctx, "appointmentChanged", args, func(w *world, m *moment) []*appointmentNode {
		return []*appointmentNode{w.ticketAt(m).Appointment()}
	})
}

// ChangedLocation implements Subscription.changedLocation.
func (r *root) ChangedLocation(ctx context.Context, args here) (<-chan *locationNode, error) {
	return inLocation(ctx, "changedLocation", args, theLocation)
}

// ChangedLocationLine implements Subscription.changedLocationLine.
func (r *root) ChangedLocationLine(ctx context.Context, args here) (<-chan *locationNode, error) {
	return inLocation(ctx, "changedLocationLine", args, theLocation)
}

// ChangedLines implements Subscription.changedLines; a deleted line is told too.
func (r *root) ChangedLines(ctx context.Context, args here) (<-chan *lineNode, error) {
	return inLocation(ctx, "changedLines", args, func(w *world, m *moment) []*lineNode {
		return []*lineNode{{w, m.branch, m.Event.Facts.LineDef}}
	})
}

// ChangedOpeningHours2 implements Subscription.changedOpeningHours2.
func (r *root) ChangedOpeningHours2(ctx context.Context, args here) (<-chan *hoursNode, error) {
	return inLocation(ctx, "changedOpeningHours2", args, func(_ *world, m *moment) []*hoursNode {
		return []*hoursNode{weekOf(m.branch.Location)}
	})
}

// ChangedInputFields implements Subscription.changedInputFields.
func (r *root) ChangedInputFields(ctx context.Context, args here) (<-chan *[]*fieldNode, error) {
	return inLocation(ctx, "changedInputFields", args, func(w *world, m *moment) []*[]*fieldNode {
		return []*[]*fieldNode{ptr(w.fieldNodes(m.branch))}
	})
}

// aboutTV is listen for the fields that name a screen. A screen's own key knows
// no other screen.
func aboutTV(ctx context.Context, field string, args onTV) (<-chan *tvNode, error) {
	tv, err := readSmallID("tvId", args.TvID)
	if err != nil {
		return nil, err
	}
	g := worldOf(ctx).g
	may := func(id auth.Identity) error {
		location, err := g.Ledger.DisplayLocation(tv)
		if err != nil || !id.In(location) || id.Display != 0 && id.Display != tv {
			return notFound("TV", tv)
		}
		return g.place(id, location)
	}
	return listen(ctx, topic{field, int64(tv)}, may, func(w *world, m *moment) []*tvNode {
		return []*tvNode{{w, m.branch, m.Event.Facts.DisplayDef}}
	})
}

// ChangedTV implements Subscription.changedTV.
func (r *root) ChangedTV(ctx context.Context, args onTV) (<-chan *tvNode, error) {
	return aboutTV(ctx, "changedTV", args)
}

// DeletedTV implements Subscription.deletedTV.
func (r *root) DeletedTV(ctx context.Context, args onTV) (<-chan *tvNode, error) {
	return aboutTV(ctx, "deletedTV", args)
}

func noIpads(*world, *moment) []*ipadNode { return nil }

// ChangedIpads implements Subscription.changedIpads: there are none.
func (r *root) ChangedIpads(ctx context.Context, args here) (<-chan *ipadNode, error) {
	return inLocation(ctx, "changedIpads", args, noIpads)
}

// DeletedIpads implements Subscription.deletedIpads: there are none.
func (r *root) DeletedIpads(ctx context.Context, args here) (<-chan *ipadNode, error) {
	return inLocation(ctx, "deletedIpads", args, noIpads)
}

// ChangedDeskSelection implements Subscription.changedDeskSelection: the desk that
// was left, and the one that was taken.
func (r *root) ChangedDeskSelection(ctx context.Context, args here) (<-chan *deskNode, error) {
	return inLocation(ctx, "changedDeskSelection", args, func(w *world, m *moment) []*deskNode {
		var out []*deskNode
		for _, id := range touchedDesks(m.Notice) {
			if d := m.branch.desks[id]; d != nil {
				out = append(out, &deskNode{w, m.branch, d})
			}
		}
		return out
	})
}

// ChangedDesks implements Subscription.changedDesks: all desks of the location.
func (r *root) ChangedDesks(ctx context.Context, args here) (<-chan []*deskNode, error) {
	return inLocation(ctx, "changedDesks", args, func(w *world, m *moment) [][]*deskNode {
		return [][]*deskNode{w.deskNodes(m.branch)}
	})
}

// sameFields compares lists of input fields by what is kept of them.
func sameFields(a, b []ticket.InputField) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
