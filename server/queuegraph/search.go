package queuegraph

import (
	"context"
	"slices"
	"time"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/queueapi"
	"github.com/nowserving/nowserving/store"
)

// searchArgs are the arguments of Query.ticketSearch.
type searchArgs struct {
	LocationID                               graphql.ID
	Line                                     *[]graphql.ID
	Status                                   *[]string
	Creator                                  *[]graphql.ID
	MinCreated, MaxCreated, MinWaitStartedAt *date
	Limit, Offset                            *int32
	Order                                    *struct{ Field, Direction string }
	Appointment                              *struct {
		Start, End date
		Assignee   *[]graphql.ID
	}
}

// TicketSearch implements Query.ticketSearch.
func (*root) TicketSearch(ctx context.Context, args searchArgs) ([]*ticketNode, error) {
	w := worldOf(ctx)
	b, err := w.place("locationId", args.LocationID)
	if err != nil {
		return nil, err
	}
	limit, offset, err := args.page()
	if err != nil {
		return nil, err
	}
	q, err := args.query(b.ID)
	if err != nil {
		return nil, err
	}
	keep, err := args.filter(w)
	if err != nil {
		return nil, err
	}
	// What the store has no index for is looked at one by one, so everything up to
	// the bound has to be read.
	q.Limit = queueapi.SearchLimit
	if keep == nil {
		q.Limit = min(offset+limit, queueapi.SearchLimit)
	}
	found, err := w.g.Ledger.Search(q)
	if err != nil {
		return nil, err
	}
	if keep != nil {
		found = slices.DeleteFunc(found, func(t *ticket.Ticket) bool { return !keep(t) })
	}
	found = found[min(offset, len(found)):]
	return w.tickets(found[:min(limit, len(found))])
}

func (a *searchArgs) page() (limit, offset int, err error) {
	limit = queueapi.SearchDefault
	if a.Limit != nil {
		limit = int(*a.Limit)
	}
	if a.Offset != nil {
		offset = int(*a.Offset)
	}
	if limit < 1 || limit > queueapi.SearchLimit {
		return 0, 0, invalid("limit", "limit is 1 to %d", queueapi.SearchLimit)
	}
	if offset < 0 || offset > queueapi.SearchLimit {
		return 0, 0, invalid("offset", "offset is 0 to %d", queueapi.SearchLimit)
	}
	return limit, offset, nil
}

// query is the part that the store has an index for.
func (a *searchArgs) query(location int) (store.Query, error) {
	q := store.Query{Locations: []int{location}, Statuses: ticket.QueueStatuses(), MinCreated: given(a.MinCreated), MaxCreated: given(a.MaxCreated)}
	if a.Appointment != nil { // whatever has become of it
		q.Statuses = slices.Concat(q.Statuses, ticket.ScheduledStatuses())
	}
	if a.Status != nil {
		q.Statuses = *a.Status
	}
	if len(q.Statuses) == 0 {
		return q, invalid("status", "status is empty")
	}
	var err error
	if q.Lines, err = readIDs("line", a.Line); err != nil {
		return q, err
	}
	if a.Order != nil {
		q.Descending = a.Order.Direction == "DESCENDING"
		q.Order = map[string]store.Order{"ID": store.ByID, "CREATED": store.ByCreated, "END_TIME": store.ByServed}[a.Order.Field]
	}
	return q, nil
}

// filter is the rest; nil when there is none.
func (a *searchArgs) filter(w *world) (func(*ticket.Ticket) bool, error) {
	creators, err := readIDs("creator", a.Creator)
	if err != nil {
		return nil, err
	}
	var with []int
	if a.Appointment != nil {
		if with, err = readIDs("assignee", a.Appointment.Assignee); err != nil {
			return nil, err
		}
	}
	if len(creators) == 0 && a.Appointment == nil && a.MinWaitStartedAt == nil {
		return nil, nil
	}
	return func(t *ticket.Ticket) bool {
		if len(creators) > 0 && !slices.Contains(creators, t.Place.CreatedBy) {
			return false
		}
		if f := a.Appointment; f != nil {
			x := t.Place.Appointment
			if x == nil || x.Start.Before(f.Start.Time) || x.Start.After(f.End.Time) || len(with) > 0 && !slices.Contains(with, x.Assignee) {
				return false
			}
		}
		if a.MinWaitStartedAt != nil {
			since := (&ticketNode{t: t, w: w}).WaitStartedAt()
			return since != nil && !since.Before(a.MinWaitStartedAt.Time)
		}
		return true
	}, nil
}

func given(d *date) time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.Time
}
