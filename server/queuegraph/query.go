package queuegraph

import (
	"context"
	"slices"
	"time"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/store"
)

// root resolves the fields of Query, and in subscribe.go those of Subscription.
type root struct{ g *Graph }

// worldKey is where a request's context has its world.
type worldKey struct{}

func worldOf(ctx context.Context) *world { return ctx.Value(worldKey{}).(*world) }

// Account implements Query.account.
func (*root) Account(ctx context.Context) *accountNode { return &accountNode{worldOf(ctx)} }

// Locations implements Query.locations.
func (*root) Locations(ctx context.Context) ([]*locationNode, error) {
	return worldOf(ctx).locationNodes()
}

type byID struct{ ID graphql.ID }

// Location implements Query.location.
func (*root) Location(ctx context.Context, args byID) (*locationNode, error) {
	w := worldOf(ctx)
	b, err := w.place("id", args.ID)
	if err != nil {
		return nil, err
	}
	return &locationNode{w, b}, nil
}

// place is a location by its id. One that exists and is not the key's is refused.
func (w *world) place(name string, id graphql.ID) (*branch, error) {
	n, err := readSmallID(name, id)
	if err != nil {
		return nil, err
	}
	if b := w.branch(n); b != nil {
		return b, nil
	}
	if w.g.Ledger.View(n, func(*ticket.State) {}) {
		return nil, wire.Errorf(wire.Forbidden, "location %d is not yours", n)
	}
	return nil, notFound("Location", n)
}

// InputField implements Query.inputField.
func (*root) InputField(ctx context.Context, args byID) (found *fieldNode, err error) {
	w := worldOf(ctx)
	w.each(func(b *branch) bool {
		if f := b.Field(string(args.ID)); f != nil {
			found = &fieldNode{w, b, f}
		}
		return found != nil
	})
	if found == nil {
		return nil, wire.Errorf(wire.NotFound, "there is no input field with this id")
	}
	return found, nil
}

// Ticket implements Query.ticket.
func (*root) Ticket(ctx context.Context, args byID) (*ticketNode, error) {
	w := worldOf(ctx)
	id, err := readID("id", args.ID)
	if err != nil {
		return nil, err
	}
	if err := w.mayWatch(id); err != nil {
		return nil, err
	}
	t, err := w.g.Ledger.Ticket(id)
	if err != nil {
		return nil, err
	}
	out, err := w.tickets([]*ticket.Ticket{t})
	if err == nil && len(out) == 0 { // only a conversation
		err = notFound("Ticket", id)
	}
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// mayWatch asks the access table about a ticket. Whose it is, is not told.
func (w *world) mayWatch(id int64) error {
	err := w.g.Access.Channel(w.id, wire.Channel{Kind: wire.TicketChannel, ID: id})
	if wire.CodeOf(err) == wire.NotFound && err != nil {
		return notFound("Ticket", id)
	}
	return err
}

// tickets shows tickets that have a place and are in the key's locations.
func (w *world) tickets(in []*ticket.Ticket) ([]*ticketNode, error) {
	out := []*ticketNode{}
	for _, t := range in {
		if b := w.branch(t.Location); b != nil && t.Place.Status != ticket.Unplaced {
			out = append(out, &ticketNode{w, b, t})
		}
	}
	return out, w.spend(len(out))
}

// MyCalledTickets implements Query.myCalledTickets.
func (*root) MyCalledTickets(ctx context.Context) ([]*ticketNode, error) {
	w := worldOf(ctx)
	var found []*ticket.Ticket
	for _, id := range w.locations() {
		w.g.Ledger.View(id, func(s *ticket.State) {
			for _, t := range s.CalledTickets() {
				if w.id.User != 0 && t.Caller() == w.id.User {
					found = append(found, t)
				}
			}
		})
	}
	return w.tickets(found)
}

// Me implements Query.me.
func (*root) Me(ctx context.Context) *userNode {
	w := worldOf(ctx)
	return w.user(w.id.User)
}

// User implements Query.user.
func (*root) User(ctx context.Context, args byID) (*userNode, error) {
	id, err := readSmallID("id", args.ID)
	if err != nil {
		return nil, err
	}
	u := worldOf(ctx).user(id)
	if u == nil || u.u.Removed {
		return nil, notFound("User", id)
	}
	return u, nil
}

// Users implements Query.users: in the order of the ids, null for unknown ones.
func (r *root) Users(ctx context.Context, args struct{ IDs *[]graphql.ID }) (*[]*userNode, error) {
	w := worldOf(ctx)
	if args.IDs == nil {
		all, err := r.AllUsers(ctx, struct{ IncludeDeletedFrom *date }{})
		return &all, err
	}
	ids, err := readIDs("ids", args.IDs)
	out := []*userNode{}
	for _, id := range ids {
		u := w.user(id)
		if u != nil && u.u.Removed {
			u = nil
		}
		out = append(out, u)
	}
	if err == nil {
		err = w.spend(len(out))
	}
	return &out, err
}

// AllUsers implements Query.allUsers.
func (*root) AllUsers(ctx context.Context, args struct{ IncludeDeletedFrom *date }) ([]*userNode, error) {
	w := worldOf(ctx)
	out := []*userNode{}
	people := w.directory()
	for _, id := range keys(people) {
		u := people[id]
		if u.Removed && (args.IncludeDeletedFrom == nil || w.g.births.left(id).Before(args.IncludeDeletedFrom.Time)) {
			continue
		}
		if w.knows(u) {
			out = append(out, &userNode{w, u})
		}
	}
	return out, w.spend(len(out))
}

// TV implements Query.TV.
func (*root) TV(ctx context.Context, args byID) (*tvNode, error) {
	w := worldOf(ctx)
	id, err := readSmallID("id", args.ID)
	if err != nil {
		return nil, err
	}
	var found *tvNode
	w.each(func(b *branch) bool {
		if d := b.displays[id]; d != nil && !d.Removed {
			found = &tvNode{w, b, d}
		}
		return found != nil
	})
	if found == nil || w.id.Display != 0 && w.id.Display != id {
		return nil, notFound("TV", id)
	}
	return found, nil
}

// IPad implements Query.iPad: there are none.
func (*root) IPad(args byID) (*ipadNode, error) {
	id, err := readSmallID("id", args.ID)
	if err == nil {
		err = notFound("iPad", id)
	}
	return nil, err
}

// Line implements Query.line.
func (*root) Line(ctx context.Context, args byID) (*lineNode, error) {
	w := worldOf(ctx)
	id, err := readSmallID("id", args.ID)
	if err != nil {
		return nil, err
	}
	var found *lineNode
	w.each(func(b *branch) bool {
		if l := b.lines[id]; l != nil && !l.Removed {
			found = &lineNode{w, b, l}
		}
		return found != nil
	})
	if found == nil {
		return nil, notFound("Line", id)
	}
	return found, nil
}

// connectedWithin is how many of the newest tickets are looked through for other
// visits of the same person.
const connectedWithin = 5000

// visits are the key's newest tickets by who they belong to, read once per answer.
func (w *world) visits() (map[string][]*ticket.Ticket, error) {
	places := w.locations()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.others != nil || len(places) == 0 {
		return w.others, nil
	}
	found, err := w.g.Ledger.Search(store.Query{
		Locations: places, Statuses: slices.Concat(ticket.QueueStatuses(), ticket.ScheduledStatuses()), Descending: true, Limit: connectedWithin,
	})
	if err != nil {
		return nil, err
	}
	w.others = map[string][]*ticket.Ticket{}
	for _, t := range found {
		for _, k := range t.PersonKeys() {
			w.others[k] = append(w.others[k], t)
		}
	}
	return w.others, nil
}

// What resolvers ask of the rest of the house.
type (
	// Ledger knows the durable state.
	Ledger interface {
		View(location int, f func(*ticket.State)) bool
		Ticket(id int64) (*ticket.Ticket, error)
		Transactions(id int64, seq uint64, limit int, newestFirst bool) ([]ticket.Transaction, error)
		Search(q store.Query) ([]*ticket.Ticket, error)
		Locations() []int
		DisplayLocation(id int) (int, error)
	}
	// Keys says who holds a key.
	Keys interface {
		Token(key string) (auth.Identity, error)
		SocketKey(key string) (auth.Identity, error)
		ExchangeKey(key string) (string, time.Time, error)
		Recheck(id auth.Identity) (auth.Identity, error)
	}
	// Access decides every subscription.
	Access interface {
		Channel(id auth.Identity, ch wire.Channel) error
	}
)

var (
	_ Ledger = (*ledger.Ledger)(nil)
	_ Keys   = (*auth.Authenticator)(nil)
	_ Access = (*auth.Access)(nil)
)
