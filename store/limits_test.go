package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/store"
)

// kinds makes the nth of every kind of thing, as small as it can be.
func kinds() map[string]func(n int) store.Change {
	return map[string]func(n int) store.Change{
		"records": func(n int) store.Change {
			return store.Change{Records: []store.Record{{Location: 1, Offset: uint64(n)}}}
		},
		"personal records": func(n int) store.Change {
			return store.Change{Records: []store.Record{{Location: 1, Offset: uint64(n), Ticket: 7, Personal: []byte("p")}}}
		},
		"entries": func(n int) store.Change {
			return store.Change{Entries: []store.Entry{{Ticket: 7, Seq: uint64(n)}}}
		},
		"big entries": func(n int) store.Change {
			return store.Change{Entries: []store.Entry{{Ticket: 7, Seq: uint64(n), Doc: bytes.Repeat([]byte("d"), 9000)}}}
		},
		"docs": func(n int) store.Change {
			return store.Change{Docs: []store.Doc{{Kind: "k", Key: fmt.Sprint(n), Value: []byte{}}}}
		},
		"tickets":        func(n int) store.Change { return moving(n, 0) },
		"moving tickets": func(n int) store.Change { return moving(n, 1) },
	}
}

// moving is a ticket in every index, at a place of its own for each later.
func moving(n int, later time.Duration) store.Change {
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC).Add(later)
	return store.Change{Tickets: []store.TicketVersion{{ID: int64(n), Location: 1, Index: store.Index{
		Status: strings.Repeat("S", (n+int(later))%40), Created: at, Called: at, Served: at, Live: true,
	}}}}
}

// TestSizeIsEnough commits as much as Size allows of every kind of thing alone:
// the engine must take it. One change with everything pays least beside the
// things themselves.
func TestSizeIsEnough(t *testing.T) {
	for name, nth := range kinds() {
		s := open(t, options(t.TempDir()))
		if name == "moving tickets" {
			for n := 1; n <= 400; n++ {
				if err := s.Commit([]store.Change{moving(n, 0)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		var all store.Change
		n := 0
		for n < 20_000 {
			next, more := nth(n+1), all
			more.Records = append(more.Records, next.Records...)
			more.Tickets = append(more.Tickets, next.Tickets...)
			more.Entries = append(more.Entries, next.Entries...)
			more.Docs = append(more.Docs, next.Docs...)
			if store.Size(&more) > s.MaxCommit() {
				break
			}
			all, n = more, n+1
		}
		if err := s.Commit([]store.Change{all}); err != nil {
			t.Errorf("%d %s: %v", n, name, err)
		}
		if n < 10 {
			t.Errorf("%s: a commit of only %d tests nothing", name, n)
		}
	}
}

// TestValueTooBig: a value that would go to the engine's value log is refused.
func TestValueTooBig(t *testing.T) {
	s := open(t, options(t.TempDir()))
	c := store.Change{Docs: []store.Doc{{Kind: "k", Key: "k", Value: make([]byte, small/4)}}}
	if err := s.Commit([]store.Change{c}); !errors.Is(err, store.ErrTooBig) {
		t.Errorf("error is %v", err)
	}
	fill(t, s, 1, 10)
}

// TestSearchDense searches statuses with more tickets than the planner looks at
// before it takes an index in order: the answers must be the same.
func TestSearchDense(t *testing.T) {
	const tickets = 3000
	s := open(t, benchOptions(t.TempDir()))
	history(t, s, tickets)
	all := make([]store.TicketVersion, 0, tickets)
	for v, err := range s.Search(store.Query{Locations: []int{1}}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if len(all) != tickets {
		t.Fatalf("found %d tickets", len(all))
	}
	for _, statuses := range [][]string{{"SERVED"}, {"NEW", "SERVED"}, {"CANCELLED_BY_CLERK", "SERVED"}, {"NEW", "CANCELLED_BY_CLERK"}, {"NONE"}} {
		for _, order := range []store.Order{store.ByID, store.ByCreated, store.ByCalled, store.ByServed} {
			for _, descending := range []bool{false, true} {
				q := store.Query{Locations: []int{1}, Statuses: statuses, Order: order, Descending: descending,
					MinCreated: all[tickets/2].Index.Created}
				for range 2 {
					compareSearch(t, s, all, q)
					q.MinCreated = time.Time{}
				}
			}
		}
	}
}

func compareSearch(t *testing.T, s *store.Badger, all []store.TicketVersion, q store.Query) {
	t.Helper()
	var want []int64
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b store.TicketVersion) int { return q.Compare(a.ID, a.Index, b.ID, b.Index) })
	for _, v := range sorted {
		if q.Match(v.Location, v.Index) {
			want = append(want, v.ID)
		}
	}
	if n, err := s.Count(q); err != nil || n != len(want) {
		t.Errorf("count of %+v is %d, %v, want %d", q, n, err, len(want))
	}
	q.Limit = 50
	var got []int64
	for v, err := range s.Search(q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v.ID)
	}
	if !slices.Equal(got, want[:min(len(want), q.Limit)]) {
		t.Errorf("%+v found %v, want %v", q, got, want[:min(len(want), q.Limit)])
	}
}

// TestSnapshotMeetsErasure erases while a large snapshot is being written: the
// snapshot must not survive, whoever is first.
func TestSnapshotMeetsErasure(t *testing.T) {
	s := open(t, options(t.TempDir()))
	fill(t, s, 1, 50)
	done := make(chan error, 1)
	go func() { done <- s.PutSnapshot(1, 50, make([]byte, 2<<20)) }()
	for store.CountKeys(t, s, store.PrefixChunk) == 0 {
		continue // it has not begun
	}
	c := change(1, 51, 51)
	c.Erase = []int64{20}
	if err := s.Commit([]store.Change{c}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil && !errors.Is(err, store.ErrStale) {
		t.Errorf("PutSnapshot: %v", err)
	}
	if n, _, err := s.Snapshot(1); n != 0 || err != nil {
		t.Errorf("snapshot is at %d, %v", n, err)
	}
	if err := s.PutSnapshot(1, 51, []byte("state")); err != nil {
		t.Error(err)
	}
	if n := store.CountKeys(t, s, store.PrefixChunk); n != 1 {
		t.Errorf("%d chunks are left", n)
	}
	verify(t, s, 51)
}
