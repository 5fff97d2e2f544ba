package queueapi

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/hub/ticket"
)

// crowd is a branch where all kinds of things have happened, and every ticket of
// it as the domain has it.
func crowd(t testing.TB) (*rig, []*ticket.Ticket) {
	r := newRig(t)
	step := func(line string) {
		if got := r.send(parseLine(line)); got.code >= 500 {
			t.Fatalf("%s: %d %s", line, got.code, got.body)
		}
		r.clock.Add(7 * time.Second)
	}
	for i := range 60 {
		id, user := i+1, 2+i%2
		line := 1 + i%4
		step(fmt.Sprintf("POST /v1/lines/%d/ticket firstName=V%d", line, id))
		if line == 4 {
			user = 4
		}
		at := func(n int, what string) string { return fmt.Sprintf("POST /v1/tickets/%d/%s", n, what) }
		switch i % 9 {
		case 1, 2, 3, 4:
			step(at(id, fmt.Sprintf("call user=%d", user)))
		case 5:
			step(at(id, fmt.Sprintf("cancel user=%d", user)))
		}
		switch i % 9 {
		case 2:
			step(at(id, "markserved"))
		case 3:
			step(at(id, "marknoshow"))
		case 4:
			step(at(id, fmt.Sprintf("returntoqueue user=%d&position=LAST", user)))
		case 7: // called by nobody known
			step(at(id, "call"))
		case 8: // called twice: the last call counts
			step(at(id, "call user=1"))
			step(at(id, "returntoqueue user=1&position=FIRST"))
			step(at(id, fmt.Sprintf("call user=%d", user)))
		}
	}
	step(`v2 POST /v1/appointments {"lineId":1,"firstName":"Ida","startTime":"2026-03-03T10:00:00Z","endTime":"2026-03-03T10:30:00Z","assigneeId":2}`)
	var all []*ticket.Ticket
	for id := int64(1); id <= 61; id++ {
		x, err := r.Ticket(id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return r, all
}

// filters are what a search asks for, before they are written as a query.
type filters struct {
	location   int
	lines      []int
	statuses   []string
	caller     int
	minCreated time.Time
	maxCreated time.Time
	minCalled  time.Time
	maxCalled  time.Time
	limit      int
	order      string
	descending bool
}

// model answers a search the naive way.
func (f filters) model(all []*ticket.Ticket) []string {
	var fit []*ticket.Ticket
	for _, t := range all {
		p := t.Place
		statuses := f.statuses
		if len(statuses) == 0 {
			statuses = []string{"NEW", "CALLED", "SERVED", "NOSHOW", "CANCELLED_BY_CLERK"}
		}
		ok := slices.Contains(statuses, string(p.Status)) &&
			(f.location == 0 || t.Location == f.location) && (len(f.lines) == 0 || slices.Contains(f.lines, p.Line))
		if f.caller != 0 {
			n := len(p.Interactions)
			ok = ok && p.Status != ticket.New && n > 0 && p.Interactions[n-1].User == f.caller
		}
		between := func(at, low, high time.Time) bool {
			if low.IsZero() && high.IsZero() {
				return true
			}
			return !at.IsZero() && (low.IsZero() || !at.Before(low)) && (high.IsZero() || !at.After(high))
		}
		ok = ok && between(p.CreatedAt, f.minCreated, f.maxCreated) && between(t.CalledAt(), f.minCalled, f.maxCalled)
		if ok {
			fit = append(fit, t)
		}
	}
	slices.SortFunc(fit, func(a, b *ticket.Ticket) int {
		c := 0
		switch f.order {
		case "created":
			c = a.Place.CreatedAt.Compare(b.Place.CreatedAt)
		case "called":
			c = a.CalledAt().Compare(b.CalledAt())
		case "served":
			c = a.Place.ServedAt.Compare(b.Place.ServedAt)
		}
		c = cmp.Or(c, cmp.Compare(a.ID, b.ID))
		if f.descending {
			return -c
		}
		return c
	})
	ids := []string{}
	for _, t := range fit {
		ids = append(ids, strconv.FormatInt(t.ID, 10))
	}
	return ids
}

// query writes the filters in one of the ways that clients do.
func (f filters) query(rt *rapid.T) string {
	q := url.Values{}
	absent := rapid.SampledFrom([]string{"", "undefined", "null"}).Draw(rt, "absent")
	number := func(name string, n int) {
		if n != 0 {
			q.Set(name, strconv.Itoa(n))
		} else if absent != "" {
			q.Set(name, absent)
		}
	}
	number("location", f.location)
	number("caller", f.caller)
	number("limit", f.limit)
	for _, line := range f.lines {
		if rapid.Bool().Draw(rt, "repeat") || !q.Has("line") {
			q.Add("line", strconv.Itoa(line))
		} else {
			q.Set("line", strings.Join(append(q["line"], strconv.Itoa(line)), ","))
		}
	}
	if len(f.statuses) > 0 {
		q.Set("status", strings.Join(f.statuses, ","))
	}
	for name, at := range map[string]time.Time{
		"minCreated": f.minCreated, "maxCreated": f.maxCreated, "minCalled": f.minCalled, "maxCalled": f.maxCalled,
	} {
		switch {
		case at.IsZero():
		case at.Nanosecond() == 0 && rapid.Bool().Draw(rt, "seconds"):
			q.Set(name, strconv.FormatInt(at.Unix(), 10))
		case rapid.Bool().Draw(rt, "zone"):
			q.Set(name, at.In(time.FixedZone("", 2*3600)).Format("2006-01-02T15:04:05.000-07:00"))
		default:
			q.Set(name, at.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	}
	if f.order != "" {
		order := f.order
		if f.descending {
			order += " DESC"
		} else if rapid.Bool().Draw(rt, "asc") {
			order += " ASC"
		}
		q.Set("order", order)
	}
	return q.Encode()
}

func drawFilters(rt *rapid.T, all []*ticket.Ticket) filters {
	maybe := func(what string) bool { return rapid.IntRange(0, 2).Draw(rt, what) == 0 }
	f := filters{}
	if maybe("location?") {
		f.location = rapid.IntRange(1, 2).Draw(rt, "location")
	}
	if maybe("lines?") {
		f.lines = rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 1, 3, rapid.ID).Draw(rt, "lines")
	}
	if maybe("statuses?") {
		f.statuses = rapid.SliceOfNDistinct(rapid.SampledFrom(allStatuses()), 1, 4, rapid.ID).Draw(rt, "statuses")
	}
	if maybe("caller?") {
		f.caller = rapid.IntRange(1, 5).Draw(rt, "caller")
		if len(f.statuses) == 0 {
			f.statuses = []string{"CALLED", "SERVED", "NOSHOW"}
		}
	}
	bound := func(what string, of func(*ticket.Ticket) time.Time) time.Time {
		if !maybe(what) {
			return time.Time{}
		}
		at := of(rapid.SampledFrom(all).Draw(rt, what))
		if at.IsZero() {
			return at
		}
		at = at.Truncate(time.Millisecond)
		if rapid.Bool().Draw(rt, "whole") {
			at = at.Truncate(time.Second)
		}
		return at
	}
	created := func(t *ticket.Ticket) time.Time { return t.Place.CreatedAt }
	called := func(t *ticket.Ticket) time.Time { return t.CalledAt() }
	f.minCreated, f.maxCreated = bound("minCreated", created), bound("maxCreated", created)
	f.minCalled, f.maxCalled = bound("minCalled", called), bound("maxCalled", called)
	f.order = rapid.SampledFrom([]string{"", "id", "created", "called", "served", "number"}).Draw(rt, "order")
	f.descending = f.order != "" && rapid.Bool().Draw(rt, "descending")
	if maybe("limit?") {
		f.limit = rapid.IntRange(1, 10).Draw(rt, "limit")
	}
	return f
}

func TestSearchAndCountAgreeWithTheModel(t *testing.T) {
	r, all := crowd(t)
	hits, limited := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		f := drawFilters(rt, all)
		query := f.query(rt)
		want := f.model(all)
		if got := r.get("/v1/tickets/count?" + query).json["count"]; got != float64(len(want)) {
			rt.Fatalf("%s: count %v, want %d", query, got, len(want))
		}
		if f.limit != 0 && len(want) > f.limit {
			want = want[:f.limit]
			limited++
		}
		got := []string{}
		for _, x := range r.get("/v1/tickets/search?" + query).json["data"].([]any) {
			got = append(got, x.(map[string]any)["id"].(string))
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%s:\n got %v\nwant %v", query, got, want)
		}
		hits += len(got)
	})
	if hits == 0 || limited == 0 {
		t.Errorf("nothing was proved: %d hits, %d limited", hits, limited)
	}
}

func TestInstants(t *testing.T) {
	want := time.Date(2026, 3, 2, 8, 15, 4, 0, time.UTC)
	for _, s := range []string{
		"2026-03-02T08:15:04Z", "2026-03-02T08:15:04.000Z", "2026-03-02T10:15:04+02:00", "2026-03-02T10:15:04 02:00",
		"2026-03-02T10:15:04+0200", "2026-03-02T08:15:04", "1772439304", " 1772439304 ",
	} {
		if got, ok := parseInstant(s); !ok || !got.Equal(want) {
			t.Errorf("%q: %v %v", s, got, ok)
		}
	}
	if got, ok := parseInstant("2026-03-02"); !ok || !got.Equal(want.Truncate(24*time.Hour)) {
		t.Errorf("a date: %v %v", got, ok)
	}
	if got, ok := parseInstant("9999-12-31T23:59:59Z"); !ok || got != latest {
		t.Errorf("the end of time: %v %v", got, ok)
	}
	for _, s := range []string{"", "now", "2026-13-01", "2026-03-02T25:00:00Z", "1e9", "0001-01-01T00:00:00Z", "-99999999999", "12:00"} {
		if got, ok := parseInstant(s); ok {
			t.Errorf("%q passes for %v", s, got)
		}
	}
}
