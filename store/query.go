package store

import (
	"cmp"
	"slices"
	"time"
)

// Match reports whether a ticket meets every filter of the query.
func (q Query) Match(location int, ix Index) bool {
	return slices.Contains(q.Locations, location) &&
		(len(q.Lines) == 0 || slices.Contains(q.Lines, ix.Line)) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, ix.Status)) &&
		(q.Caller == 0 || q.Caller == ix.Caller) &&
		within(ix.Created, q.MinCreated, q.MaxCreated) &&
		within(ix.Called, q.MinCalled, q.MaxCalled)
}

func within(t, low, high time.Time) bool {
	if low.IsZero() && high.IsZero() {
		return true
	}
	return !t.IsZero() && (low.IsZero() || !t.Before(low)) && (high.IsZero() || !t.After(high))
}

// Compare says which of two tickets comes first in the query's order.
func (q Query) Compare(a int64, ax Index, b int64, bx Index) int {
	c := q.sortKey(ax).Compare(q.sortKey(bx))
	if c == 0 {
		c = cmp.Compare(a, b)
	}
	if q.Descending {
		return -c
	}
	return c
}

// sortKey is the time that the query sorts by, zero when it sorts by id.
func (q Query) sortKey(ix Index) time.Time {
	switch q.Order {
	case ByCreated:
		return ix.Created
	case ByCalled:
		return ix.Called
	case ByServed:
		return ix.Served
	}
	return time.Time{}
}
