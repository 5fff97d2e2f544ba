// Package storetest is the contract of store.Store as tests. Every engine's own
// test is one call of Run.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/store"
)

// Open makes an empty store that tells the time by clock. Run closes it.
type Open func(tb testing.TB, clock func() time.Time) store.Store

// Run checks the whole contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, e *env)
	}{
		{"empty", testEmpty},
		{"journal", testJournal},
		{"out of order", testOutOfOrder},
		{"locations apart", testLocations},
		{"tickets", testTickets},
		{"entries", testEntries},
		{"docs", testDocs},
		{"results", testResults},
		{"snapshots", testSnapshots},
		{"large snapshot", testLargeSnapshot},
		{"erase", testErase},
		{"erase within a commit", testEraseWithin},
		{"erase drops snapshots", testEraseSnapshot},
		{"invalid", testInvalid},
		{"search order", testSearchOrder},
		{"search stops", testSearchStops},
		{"caller keeps its bytes", testOwnBytes},
		{"whole commits", testWholeCommits},
		{"close", testClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, newEnv(t, open))
		})
	}
	t.Run("search model", func(t *testing.T) { testModel(t, open) })
}

// failer is what the tests need of testing.T and of rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// env is a store with a clock that a test moves.
type env struct {
	store.Store
	mu  sync.Mutex // protects now
	now time.Time
}

func newEnv(tb testing.TB, open Open) *env {
	e := &env{now: time.Date(2026, 11, 21, 10, 42, 5, 120_000_001, time.UTC)}
	e.Store = open(tb, func() time.Time {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.now
	})
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return e
}

func (e *env) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

func (e *env) commit(tb failer, changes ...store.Change) {
	tb.Helper()
	if err := e.Commit(changes); err != nil {
		tb.Fatalf("commit: %v", err)
	}
}

// record is a record that has everything.
func record(location int, offset uint64, ticket int64) store.Record {
	return store.Record{
		Location: location, Offset: offset, Ticket: ticket, Type: "ticket.called",
		Time:  time.Date(2026, 11, 21, 10, 0, 0, int(offset), time.UTC),
		Facts: fmt.Appendf(nil, `{"desk":%d}`, offset), Personal: fmt.Appendf(nil, `{"name":"Ida %d"}`, offset),
	}
}

func ticket(id int64, location int, ix store.Index) store.TicketVersion {
	return store.TicketVersion{ID: id, Location: location, Index: ix, Doc: fmt.Appendf(nil, `{"id":%d,"status":%q}`, id, ix.Status)}
}

func gather[T any](tb failer, seq iter.Seq2[T, error]) []T {
	tb.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			tb.Fatalf("after %d: %v", len(out), err)
		}
		out = append(out, v)
	}
	return out
}

func ids(tickets []store.TicketVersion) []int64 {
	var out []int64
	for _, v := range tickets {
		out = append(out, v.ID)
	}
	return out
}

func sameRecord(a, b store.Record) bool {
	return a.Location == b.Location && a.Offset == b.Offset && a.Time.Equal(b.Time) && a.Type == b.Type &&
		a.Ticket == b.Ticket && a.Erased == b.Erased && bytes.Equal(a.Facts, b.Facts) && bytes.Equal(a.Personal, b.Personal)
}

func sameTicket(a, b store.TicketVersion) bool {
	x, y := a.Index, b.Index
	return a.ID == b.ID && a.Location == b.Location && bytes.Equal(a.Doc, b.Doc) &&
		x.Line == y.Line && x.Status == y.Status && x.Caller == y.Caller && x.Live == y.Live &&
		x.Created.Equal(y.Created) && x.Called.Equal(y.Called) && x.Served.Equal(y.Served)
}

func wantRecords(tb failer, got, want []store.Record) {
	tb.Helper()
	if !slices.EqualFunc(got, want, sameRecord) {
		tb.Fatalf("records are\n%+v\nwant\n%+v", got, want)
	}
}

func wantTickets(tb failer, got, want []store.TicketVersion) {
	tb.Helper()
	if !slices.EqualFunc(got, want, sameTicket) {
		tb.Fatalf("tickets are %v\n%+v\nwant %v\n%+v", ids(got), got, ids(want), want)
	}
}

func wantErr(tb failer, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Fatalf("error is %v, want %v", err, want)
	}
}

func wantHead(tb failer, e *env, location int, offset uint64) store.Head {
	tb.Helper()
	h, err := e.Head(location)
	if err != nil {
		tb.Fatal(err)
	}
	if h.Offset != offset {
		tb.Fatalf("head of location %d is %d, want %d", location, h.Offset, offset)
	}
	return h
}
