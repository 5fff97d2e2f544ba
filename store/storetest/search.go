package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/store"
)

func testSearchOrder(t *testing.T, e *env) {
	at := func(minutes int) time.Time { return e.now.Add(time.Duration(minutes) * time.Minute) }
	for _, v := range []store.TicketVersion{
		ticket(1, 1, store.Index{Created: at(3)}),
		ticket(2, 1, store.Index{Created: at(1), Called: at(5)}),
		ticket(3, 2, store.Index{Created: at(2), Called: at(4), Served: at(9)}),
		ticket(4, 1, store.Index{Created: at(2), Called: at(5), Served: at(8)}),
		ticket(5, 2, store.Index{}),
	} {
		e.commit(t, store.Change{Tickets: []store.TicketVersion{v}})
	}
	for order, want := range map[store.Order][]int64{
		"":              {1, 2, 3, 4, 5},
		store.ByID:      {1, 2, 3, 4, 5},
		store.ByCreated: {5, 2, 3, 4, 1},
		store.ByCalled:  {1, 5, 3, 2, 4},
		store.ByServed:  {1, 2, 5, 4, 3},
	} {
		for _, locations := range [][]int{{1, 2}, {2, 1, 2}} {
			q := store.Query{Locations: locations, Order: order}
			if got := ids(gather(t, e.Search(q))); !slices.Equal(got, want) {
				t.Errorf("by %q: %v, want %v", order, got, want)
			}
			q.Descending = true
			down := slices.Clone(want)
			slices.Reverse(down)
			if got := ids(gather(t, e.Search(q))); !slices.Equal(got, down) {
				t.Errorf("by %q descending: %v, want %v", order, got, down)
			}
		}
	}
	// Bounds far outside what a store can hold are bounds like any other.
	far := store.Query{Locations: []int{1, 2}, Order: store.ByCreated,
		MinCreated: time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC), MaxCreated: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	if got := ids(gather(t, e.Search(far))); !slices.Equal(got, []int64{2, 3, 4, 1}) {
		t.Errorf("far bounds: %v", got)
	}
}

func testSearchStops(t *testing.T, e *env) {
	for id := range int64(5) {
		e.commit(t, store.Change{Tickets: []store.TicketVersion{ticket(id+1, 1, store.Index{Status: "NEW", Created: e.now})}})
	}
	for _, q := range []store.Query{
		{Locations: []int{1}},
		{Locations: []int{1}, Order: store.ByCreated},
		{Locations: []int{1}, Order: store.ByCalled},
		{Locations: []int{1}, Order: store.ByCreated, Statuses: []string{"NEW"}},
		{Locations: []int{1}, Order: store.ByID, MinCreated: e.now},
	} {
		seen := 0
		for v, err := range e.Search(q) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if got, err := e.Ticket(v.ID); err != nil || got.ID != v.ID { // reads meanwhile
				t.Fatalf("ticket is %+v, %v", got, err)
			}
			break
		}
		if seen != 1 {
			t.Errorf("%+v: saw %d", q, seen)
		}
	}
}

// The values a model test draws from: few, so that they meet.
var (
	modelStatuses  = []string{"", "NEW", "CALLED", "SERVED", "NOSHOW"}
	modelLocations = []int{1, 2, 258}
)

func drawTime(rt *rapid.T, label string) time.Time {
	n := rapid.IntRange(0, 12).Draw(rt, label)
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 11, 21, 10, n, 0, 0, time.UTC)
}

func drawTicket(rt *rapid.T) store.TicketVersion {
	ix := store.Index{
		Line:    rapid.IntRange(0, 3).Draw(rt, "line"),
		Status:  rapid.SampledFrom(modelStatuses).Draw(rt, "status"),
		Created: drawTime(rt, "created"),
		Called:  drawTime(rt, "called"),
		Served:  drawTime(rt, "served"),
		Caller:  rapid.IntRange(0, 2).Draw(rt, "caller"),
		Live:    rapid.Bool().Draw(rt, "live"),
	}
	v := ticket(rapid.Int64Range(1, 25).Draw(rt, "id"), rapid.SampledFrom(modelLocations).Draw(rt, "location"), ix)
	v.Doc = fmt.Appendf(nil, "%d", rapid.Byte().Draw(rt, "doc"))
	return v
}

func drawQuery(rt *rapid.T) store.Query {
	return store.Query{
		Locations:  rapid.SliceOfN(rapid.SampledFrom(modelLocations), 1, 3).Draw(rt, "locations"),
		Lines:      rapid.SliceOfN(rapid.IntRange(0, 3), 0, 2).Draw(rt, "lines"),
		Statuses:   rapid.SliceOfN(rapid.SampledFrom(modelStatuses), 0, 3).Draw(rt, "statuses"),
		Caller:     rapid.IntRange(0, 2).Draw(rt, "caller"),
		MinCreated: drawBound(rt, "min created"), MaxCreated: drawBound(rt, "max created"),
		MinCalled: drawBound(rt, "min called"), MaxCalled: drawBound(rt, "max called"),
		Order:      rapid.SampledFrom([]store.Order{"", store.ByID, store.ByCreated, store.ByCalled, store.ByServed}).Draw(rt, "order"),
		Descending: rapid.Bool().Draw(rt, "descending"),
		Limit:      rapid.IntRange(0, 6).Draw(rt, "limit"),
	}
}

func drawBound(rt *rapid.T, label string) time.Time {
	if rapid.IntRange(0, 2).Draw(rt, "has "+label) > 0 {
		return time.Time{}
	}
	return drawTime(rt, label)
}

// testModel compares tickets and searches with a map and a sort.
func testModel(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		e := newEnv(runTB{t}, open)
		defer e.Close()
		model := make(map[int64]store.TicketVersion)
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				var changes []store.Change
				for range rapid.IntRange(1, 4).Draw(rt, "changes") {
					var c store.Change
					if rapid.IntRange(0, 4).Draw(rt, "erase") == 0 {
						id := rapid.Int64Range(1, 25).Draw(rt, "erased")
						c.Erase = []int64{id}
						delete(model, id)
					}
					for range rapid.IntRange(0, 3).Draw(rt, "tickets") {
						v := drawTicket(rt)
						c.Tickets = append(c.Tickets, v)
						model[v.ID] = v
					}
					changes = append(changes, c)
				}
				e.commit(rt, changes...)
			},
			"search": func(rt *rapid.T) { checkSearch(rt, e, model, drawQuery(rt)) },
			"live": func(rt *rapid.T) {
				location := rapid.SampledFrom(modelLocations).Draw(rt, "location")
				want := naive(model, func(v store.TicketVersion) bool { return v.Location == location && v.Index.Live })
				slices.SortFunc(want, func(a, b store.TicketVersion) int { return int(a.ID - b.ID) })
				wantTickets(rt, gather(rt, e.Live(location)), want)
			},
		})
	})
}

// runTB is the test for one run of a property, which closes its own store.
type runTB struct{ testing.TB }

// Cleanup does nothing.
func (runTB) Cleanup(func()) {}

func checkSearch(rt *rapid.T, e *env, model map[int64]store.TicketVersion, q store.Query) {
	want := naive(model, func(v store.TicketVersion) bool { return naiveMatch(q, v) })
	slices.SortFunc(want, func(a, b store.TicketVersion) int { return naiveCompare(q, a, b) })
	n, err := e.Count(q)
	if err != nil || n != len(want) {
		rt.Fatalf("count of %+v is %d, %v, want %d", q, n, err, len(want))
	}
	if q.Limit > 0 && len(want) > q.Limit {
		want = want[:q.Limit]
	}
	wantTickets(rt, gather(rt, e.Search(q)), want)
}

func naive(model map[int64]store.TicketVersion, want func(store.TicketVersion) bool) []store.TicketVersion {
	var out []store.TicketVersion
	for _, v := range model {
		if want(v) {
			out = append(out, v)
		}
	}
	return out
}

func naiveMatch(q store.Query, v store.TicketVersion) bool {
	ok := slices.Contains(q.Locations, v.Location)
	if len(q.Lines) > 0 {
		ok = ok && slices.Contains(q.Lines, v.Index.Line)
	}
	if len(q.Statuses) > 0 {
		ok = ok && slices.Contains(q.Statuses, v.Index.Status)
	}
	if q.Caller != 0 {
		ok = ok && q.Caller == v.Index.Caller
	}
	bound := func(t, low, high time.Time) {
		if !low.IsZero() {
			ok = ok && !t.IsZero() && t.UnixNano() >= low.UnixNano()
		}
		if !high.IsZero() {
			ok = ok && !t.IsZero() && t.UnixNano() <= high.UnixNano()
		}
	}
	bound(v.Index.Created, q.MinCreated, q.MaxCreated)
	bound(v.Index.Called, q.MinCalled, q.MaxCalled)
	return ok
}

func naiveCompare(q store.Query, a, b store.TicketVersion) int {
	pick := func(ix store.Index) time.Time {
		return map[store.Order]time.Time{store.ByCreated: ix.Created, store.ByCalled: ix.Called, store.ByServed: ix.Served}[q.Order]
	}
	c := pick(a.Index).Compare(pick(b.Index))
	if c == 0 {
		c = int(a.ID - b.ID)
	}
	if q.Descending {
		c = -c
	}
	return c
}
