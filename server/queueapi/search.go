package queueapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// The bounds of a search, in both forms of this API. Both vendor documents are
// satisfied by the larger one.
const (
	SearchLimit   = 20000
	SearchDefault = 1000
)

func allStatuses() []string { return append(ticket.QueueStatuses(), ticket.ScheduledStatuses()...) }

// locations are those of the key.
func (c *call) locations() []int {
	var out []int
	for _, id := range c.Ledger.Locations() {
		if c.id.In(id) {
			out = append(out, id)
		}
	}
	return out
}

// search is GET /v1/tickets/search.
func search(c *call) (any, error) {
	q, possible, err := c.query()
	if err != nil {
		return nil, err
	}
	q.Order, q.Descending = c.order()
	q.Limit = c.limit()
	s := c.scopes()
	if c.err != nil {
		return nil, c.err
	}
	if !possible {
		return listed[ticket.QueueTicket](nil), nil
	}
	found, err := c.Ledger.Search(q)
	if err != nil {
		return nil, err
	}
	shown, err := c.render(found, s)
	if err != nil {
		return nil, err
	}
	return listed(shown), nil
}

// count is GET or POST /v1/tickets/count. It ignores limit, order and scope.
func count(c *call) (any, error) {
	q, possible, err := c.query()
	if err != nil {
		return nil, err
	}
	out := struct {
		StatusCode int `json:"statusCode"`
		Count      int `json:"count"`
	}{StatusCode: http.StatusOK}
	if !possible {
		return out, nil
	}
	out.Count, err = c.Ledger.Count(q)
	return out, err
}

// query reads the filters. possible is false when they contradict each other,
// so that nothing can match.
func (c *call) query() (q store.Query, possible bool, err error) {
	location, lines := c.params.id("location"), c.ids("line")
	statuses := c.words("status", allStatuses()...)
	q = store.Query{
		Lines: lines, Caller: c.params.id("caller"),
		MinCreated: c.instant("minCreated"), MaxCreated: c.instant("maxCreated"),
		MinCalled: c.instant("minCalled"), MaxCalled: c.instant("maxCalled"),
	}
	if c.err != nil {
		return q, false, c.err
	}
	q.Locations = c.locations()
	if location != 0 {
		if !slices.Contains(q.Locations, location) {
			return q, false, notFound("location", fmt.Sprintf("Location with id %d not found", location))
		}
		q.Locations = []int{location}
	}
	for _, line := range lines {
		if _, err := c.lineLocation("line", line, true); err != nil {
			return q, false, err
		}
	}
	q.Statuses = callerStatuses(statuses, q.Caller)
	return q, len(q.Locations) > 0 && len(q.Statuses) > 0, nil
}

// callerStatuses are the statuses to look for. A ticket that waits is nobody's,
// even if it was called before and sent back.
func callerStatuses(asked []string, caller int) []string {
	switch {
	case caller == 0 && len(asked) == 0:
		return ticket.QueueStatuses()
	case caller == 0:
		return asked
	case len(asked) == 0:
		return []string{"CALLED", "SERVED", "NOSHOW"}
	}
	return slices.DeleteFunc(asked, func(s string) bool { return s == string(ticket.New) })
}

func (c *call) limit() int {
	if !c.has("limit") {
		return SearchDefault
	}
	n, ok := smallID(c.digits("limit"))
	if !ok || n > SearchLimit {
		c.params.fail(bad("limit", fmt.Sprintf("limit is a number from 1 to %d", SearchLimit)))
	}
	return n
}

// order reads "<key> [ASC|DESC]".
func (c *call) order() (store.Order, bool) {
	if !c.has("order") {
		return store.ByID, false
	}
	key, direction, _ := strings.Cut(c.text("order"), " ")
	by, ok := map[string]store.Order{
		"id": store.ByID, "number": store.ByID, "created": store.ByCreated, "called": store.ByCalled, "served": store.ByServed,
	}[key]
	if !ok || direction != "" && direction != "ASC" && direction != "DESC" {
		c.params.fail(bad("order", "order is id, created, called or served, then ASC or DESC"))
	}
	return by, direction == "DESC"
}
