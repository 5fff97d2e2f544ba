package queueapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/hub/ticket"
)

// search asks for tickets with random filters, and counts them.
func (w *world) search() {
	p := url.Values{}
	location := w.pick("location", 0, 0, 1, 2)
	lines := rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 2, rapid.ID).Draw(w.rt, "lines")
	statuses := rapid.SliceOfNDistinct(rapid.SampledFrom(ticket.QueueStatuses()), 0, 3, rapid.ID).Draw(w.rt, "statuses")
	caller := w.pick("caller", 0, 0, 1, 2, 3)
	if location != 0 {
		p.Set("location", strconv.Itoa(location))
	}
	if len(lines) > 0 {
		p.Set("line", joinIDs(lines))
	}
	if len(statuses) > 0 {
		p.Set("status", strings.Join(statuses, ","))
	}
	if caller != 0 {
		p.Set("caller", strconv.Itoa(caller))
	}
	want := []any{}
	scope := w.text("scope", "", "MESSAGES", "INTERACTIONS")
	for _, t := range w.m.tickets {
		if (location == 0 || locationOf(t.line) == location) && (len(lines) == 0 || slices.Contains(lines, t.line)) &&
			(len(statuses) == 0 || slices.Contains(statuses, t.status)) && (caller == 0 || t.calledBy(caller)) {
			want = append(want, t.json(scope))
		}
	}
	method := w.text("method", "GET", "POST")
	w.last = method + " count " + p.Encode()
	w.same(w.r.want(200, req{method: method, path: "/v1/tickets/count?" + p.Encode()}), ok(map[string]any{"count": float64(len(want))}))
	if rapid.Bool().Draw(w.rt, "newest") {
		p.Set("order", "created DESC") // ids rise with time
		slices.Reverse(want)
	}
	if n := w.pick("limit", 0, 1, 3); n != 0 {
		p.Set("limit", strconv.Itoa(n))
		want = want[:min(n, len(want))]
	}
	if scope != "" {
		p.Set("responseScope", scope)
	}
	w.last = "search " + p.Encode()
	w.same(w.r.get("/v1/tickets/search?"+p.Encode()), ok(map[string]any{"data": want}))
}

// calledBy reports whether a user was the last to call a ticket that does not
// wait again.
func (t *modelTicket) calledBy(user int) bool {
	n := len(t.visits)
	return t.status != "NEW" && n > 0 && t.visits[n-1].user == user
}

// retry repeats a request of long ago: the first answer again, and nothing done.
func (w *world) retry() {
	if len(w.done) == 0 {
		return
	}
	old := rapid.SampledFrom(w.done).Draw(w.rt, "again")
	w.last = "again " + old.req.method + " " + old.req.path + " " + old.req.body
	before := w.r.offsets()
	got := w.r.send(old.req)
	w.did["retry"]++
	if string(got.body) != string(old.body) || w.r.offsets() != before {
		w.rt.Fatalf("%s: %d %s, first %s; %s, before %s", w.last, got.code, got.body, old.body, w.r.offsets(), before)
	}
}

// changes are requests on ticket %d that would be carried out, for some status.
func changes() []string {
	return []string{
		"GET /v1/tickets/%d", "POST /v1/tickets/%d/call user=2", "POST /v1/tickets/%d/recall", "POST /v1/tickets/%d/markserved",
		"POST /v1/tickets/%d/marknoshow", "POST /v1/tickets/%d/cancel user=2", "POST /v1/tickets/%d/returntoqueue user=2&position=LAST",
		"POST /v1/tickets/%d/forward line=1", "POST /v1/tickets/%d/reorder", "POST /v1/tickets/%d/assign assigner=2&assignee=2",
		"POST /v1/tickets/%d/unassign", "POST /v1/tickets/%d/edit firstName=Eve", "POST /v1/tickets/%d/labels/add value=a",
		"PUT /v1/tickets/%d/labels {\"labels\":[\"a\"]}", "POST /v1/tickets/%d/messages message=a", "GET /v1/tickets/%d/messages",
		"GET /v1/tickets/%d/estimated-time", "v2 PATCH /tickets/%d {\"firstName\":\"Eve\"}",
		"POST /v1/tickets/%d/external provider=a&title=b&data={\"fields\":[]}",
	}
}

// refused sends a request on a ticket that the key cannot know of.
func (w *world) refused(what, key string, id int) {
	q := parseLine(fmt.Sprintf(rapid.SampledFrom(changes()).Draw(w.rt, "change"), id))
	q.key = key
	w.last = what + " " + q.method + " " + q.path
	before := w.r.offsets()
	got := w.r.send(q)
	w.did[what]++
	if got.code != 404 || got.json["param"] != "id" || w.r.offsets() != before {
		w.rt.Fatalf("%s: %d %s; %s, before %s", w.last, got.code, got.body, w.r.offsets(), before)
	}
}

// foreign acts on a ticket with the key of the other branch.
func (w *world) foreign() {
	t := w.ticket()
	key := secondKey
	if locationOf(t.line) == 2 {
		key = clerkKey
	}
	w.refused("foreign", key, t.id)
}

func (w *world) unknown() {
	w.refused("unknown", adminKey, len(w.m.tickets)+w.pick("beyond", 1, 7, 1000))
}
