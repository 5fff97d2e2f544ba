package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/nowserving/nowserving/store"
)

// benchTickets is how many tickets the reading benchmarks have; set
// NOWSERVING_STORE_TICKETS=1000000 for the full size.
func benchTickets(b *testing.B) int {
	n := 100_000
	if v := os.Getenv("NOWSERVING_STORE_TICKETS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

func benchOptions(dir string) store.Options {
	o := options(dir)
	o.MemTableSize = 0
	return o
}

// history makes tickets as a branch of 20 clerks leaves them: nearly all served,
// the last hundred waiting.
func history(tb testing.TB, s store.Store, tickets int) {
	tb.Helper()
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	for n := 1; n <= tickets; {
		var group []store.Change
		for ; n <= tickets && len(group) < 256; n++ {
			c := change(1, uint64(n), int64(n))
			c.Result = nil
			ix := &c.Tickets[0].Index
			*ix = store.Index{Line: n%5 + 1, Status: "NEW", Created: start.Add(time.Duration(n) * time.Minute)}
			switch {
			case n > tickets-100:
				ix.Live = true
			case n%50 == 0:
				ix.Status = "CANCELLED_BY_CLERK"
			default:
				ix.Status, ix.Caller = "SERVED", n%20+1
				ix.Called = ix.Created.Add(5 * time.Minute)
				ix.Served = ix.Called.Add(time.Duration(n%7) * time.Minute)
			}
			group = append(group, c)
		}
		if err := s.Commit(group); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, benchOptions(b.TempDir()))
			group := make([]store.Change, size)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				for i := range group {
					n++
					group[i] = change(1, uint64(n), int64(n))
				}
				if err := s.Commit(group); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/change")
		})
	}
}

// BenchmarkCall commits what a call does: a live ticket changes its status.
func BenchmarkCall(b *testing.B) {
	const size = 64
	s := open(b, benchOptions(b.TempDir()))
	at := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	group := make([]store.Change, size)
	n := 0
	for b.Loop() {
		for i := range group {
			n++
			c := change(1, uint64(n), int64(i+1))
			ix := &c.Tickets[0].Index
			ix.Live, ix.Created = true, at
			if n/size%2 == 0 {
				ix.Status, ix.Called = "CALLED", at.Add(time.Duration(n)*time.Second)
			}
			group[i] = c
		}
		if err := s.Commit(group); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/change")
}

func BenchmarkSearch(b *testing.B) {
	tickets := benchTickets(b)
	s := open(b, benchOptions(b.TempDir()))
	history(b, s, tickets)
	middle := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(tickets/2) * time.Minute)
	for _, c := range []struct {
		name string
		q    store.Query
	}{
		{"newest", store.Query{Order: store.ByCreated, Descending: true}},
		{"newest by id", store.Query{Descending: true}},
		{"newest called", store.Query{Order: store.ByCalled, Descending: true}},
		{"newest served", store.Query{Order: store.ByCreated, Descending: true, Statuses: []string{"SERVED"}}},
		{"newest cancelled", store.Query{Order: store.ByCreated, Descending: true, Statuses: []string{"CANCELLED_BY_CLERK"}}},
		{"newest of a caller", store.Query{Order: store.ByCreated, Descending: true, Caller: 7}},
		{"waiting in a line", store.Query{Order: store.ByCreated, Statuses: []string{"NEW"}, Lines: []int{2}}},
		{"a day", store.Query{MinCreated: middle, MaxCreated: middle.Add(24 * time.Hour)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.q.Locations, c.q.Limit = []int{1}, 100
			for b.Loop() {
				found := 0
				for _, err := range s.Search(c.q) {
					if err != nil {
						b.Fatal(err)
					}
					found++
				}
				if found == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
	b.Run("count of a caller", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Count(store.Query{Locations: []int{1}, Caller: 7}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOpen opens a folder that a process left without closing it.
func BenchmarkOpen(b *testing.B) {
	left := b.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+left, childTickets+"="+strconv.Itoa(benchTickets(b)))
	if out, err := cmd.CombinedOutput(); err == nil {
		b.Fatalf("child ended by itself: %s", out)
	}
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		if err := os.CopyFS(dir, os.DirFS(left)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		s, err := store.Open(benchOptions(dir))
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		os.RemoveAll(dir)
		b.StartTimer()
	}
}
