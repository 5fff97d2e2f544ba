package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if n, err := strconv.Atoi(os.Getenv(childTickets)); err == nil {
			leaveBehind(dir, n)
		}
		commitForEver(dir)
		return
	}
	// Badger panics on some damage while it opens, and leaves these two behind. A
	// process whose store does not open ends; a store that opened and was not
	// closed has more goroutines than these, so it is still noticed.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"),
		goleak.IgnoreTopFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"))
}

// small makes memory tables rotate during a test.
const small = 1 << 20

func options(dir string) store.Options {
	return store.Options{Dir: dir, Clock: time.Now, Log: zerolog.Nop(), MemTableSize: small, MinFree: 1}
}

func open(tb testing.TB, o store.Options) *store.Badger {
	tb.Helper()
	s, err := store.Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(tb testing.TB, clock func() time.Time) store.Store {
		o := options(tb.TempDir())
		o.Clock = clock
		s, err := store.Open(o)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	})
}

// change is what one command writes: a record, a ticket version, a result.
func change(location int, offset uint64, ticket int64) store.Change {
	at := time.Date(2026, 11, 21, 10, 0, 0, int(offset), time.UTC)
	return store.Change{
		Records: []store.Record{{
			Location: location, Offset: offset, Time: at, Type: "ticket.created", Ticket: ticket,
			Facts: bytes.Repeat([]byte("f"), 250), Personal: fmt.Appendf(nil, "SECRET of %d", ticket),
		}},
		Tickets: []store.TicketVersion{{
			ID: ticket, Location: location, Doc: bytes.Repeat([]byte("d"), 1000),
			Index: store.Index{Line: int(ticket % 5), Status: "NEW", Created: at, Live: ticket%10 == 0},
		}},
		Result: &store.Result{Key: fmt.Sprintf("key-%d", ticket), Ticket: ticket, Value: []byte("reply")},
	}
}

// fill commits tickets from..to of location 1, one record each, in groups.
func fill(tb testing.TB, s store.Store, from, to int) {
	tb.Helper()
	for n := from; n <= to; {
		var group []store.Change
		for ; n <= to && len(group) < 32; n++ {
			group = append(group, change(1, uint64(n), int64(n)))
		}
		if err := s.Commit(group); err != nil {
			tb.Fatal(err)
		}
	}
}

// verify checks everything, and how far the journal of location 1 goes.
func verify(tb testing.TB, s *store.Badger, want uint64) {
	tb.Helper()
	if err := s.Verify(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if h, err := s.Head(1); err != nil || h.Offset != want {
		tb.Fatalf("head is %+v, %v, want %d", h, err, want)
	}
}

func TestReopen(t *testing.T) {
	o := options(t.TempDir())
	s := open(t, o)
	fill(t, s, 1, 3000)
	before, err := s.Head(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	verify(t, s, 3000)
	if after, err := s.Head(1); err != nil || after != before {
		t.Errorf("head was %+v, is %+v, %v", before, after, err)
	}
	fill(t, s, 3001, 3100)
	verify(t, s, 3100)
}

func TestLocked(t *testing.T) {
	o := options(t.TempDir())
	s := open(t, o)
	_, err := store.Open(o)
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("error is %v", err)
	}
	fill(t, s, 1, 10)
	s.Close()
	verify(t, open(t, o), 10)
}

func TestFormat(t *testing.T) {
	o := options(t.TempDir())
	open(t, o).Close()
	path := filepath.Join(o.Dir, "FORMAT")
	for text, want := range map[string]error{
		"nowserving store 2\n": store.ErrNewer,
		"nowserving store x\n": store.ErrCorrupt,
		"":                     store.ErrCorrupt,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(o); !errors.Is(err, want) {
			t.Errorf("%q: error is %v", text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(o); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("without FORMAT: error is %v", err)
	}
}

func TestEmptyLogsAreRemoved(t *testing.T) {
	o := options(t.TempDir())
	s := open(t, o)
	fill(t, s, 1, 10)
	s.Close()
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify(t, open(t, o), 10)
}

func TestFull(t *testing.T) {
	o := options(t.TempDir())
	now, free := time.Unix(1e9, 0), uint64(1000)
	o.MinFree, o.Clock = 100, func() time.Time { return now }
	o.FreeSpace = func(string) (uint64, error) { return free, nil }
	s := open(t, o)
	fill(t, s, 1, 10)
	free = 99
	fill(t, s, 11, 20) // within the 100 ms that a look at the disk holds
	now = now.Add(time.Second)
	c := []store.Change{change(1, 21, 21)}
	for _, err := range []error{s.Commit(c), s.Ready(), s.PutSnapshot(1, 1, []byte("s"))} {
		if !errors.Is(err, store.ErrFull) {
			t.Errorf("error is %v", err)
		}
	}
	free = 100
	now = now.Add(time.Second)
	if err := s.Commit(c); err != nil {
		t.Errorf("after space came back: %v", err)
	}
	verify(t, s, 21)
	s.Close()
	free = 0
	if _, err := store.Open(o); !errors.Is(err, store.ErrFull) {
		t.Errorf("opening on a full disk: %v", err)
	}
	o.FreeSpace = func(string) (uint64, error) { return 0, errors.New("no such disk") }
	if _, err := store.Open(o); !errors.Is(err, store.ErrFull) {
		t.Errorf("opening when the space is not known: %v", err)
	}
}

func TestDefaultFloor(t *testing.T) {
	o := options(t.TempDir())
	o.MinFree, o.MemTableSize = 0, 0
	o.FreeSpace = func(string) (uint64, error) { return 512<<20 - 1, nil }
	if _, err := store.Open(o); !errors.Is(err, store.ErrFull) {
		t.Errorf("error is %v", err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		rule    store.FaultRule
		written uint64
	}{
		{store.FaultRule{Prefix: store.PrefixRecord, Nth: 2, Mode: store.FailBefore}, 1},
		{store.FaultRule{Prefix: store.PrefixHead, Nth: 2, Mode: store.FailAfter}, 2},
		{store.FaultRule{Prefix: store.PrefixTicket, Nth: 2, Mode: store.FailEither, Seed: 1}, 2},
		{store.FaultRule{Prefix: store.PrefixResult, Nth: 2, Mode: store.FailEither, Seed: 2}, 1},
	} {
		o := options(t.TempDir())
		o.Fault = store.NewFault(c.rule)
		s := open(t, o)
		fill(t, s, 1, 1)
		if o.Fault.Fired() != 0 {
			t.Errorf("%+v: fired too early", c.rule)
		}
		err := s.Commit([]store.Change{change(1, 2, 2)})
		if !errors.Is(err, store.ErrInjected) || o.Fault.Fired() != 1 {
			t.Errorf("%+v: error is %v, fired %d", c.rule, err, o.Fault.Fired())
		}
		for _, err := range []error{s.Commit(nil), s.Ready(), s.PutSnapshot(1, 1, nil), s.Collect()} {
			if !errors.Is(err, store.ErrInjected) {
				t.Errorf("%+v: later error is %v", c.rule, err)
			}
		}
		s.Close()
		o.Fault = nil
		verify(t, open(t, o), c.written)
	}
}

func TestTooBig(t *testing.T) {
	o := options(t.TempDir())
	s := open(t, o)
	var group []store.Change
	size := 0
	for n := 1; ; n++ {
		c := change(1, uint64(n), int64(n))
		if size += store.Size(&c); size > s.MaxCommit() {
			break
		}
		group = append(group, c)
	}
	if err := s.Commit(group); err != nil { // as much as Size allows
		t.Fatalf("%d changes: %v", len(group), err)
	}
	next := len(group) + 1
	group = group[:0]
	for n := next; n < next+500; n++ {
		group = append(group, change(1, uint64(n), int64(n)))
	}
	if err := s.Commit(group); !errors.Is(err, store.ErrTooBig) {
		t.Fatalf("error is %v", err)
	}
	verify(t, s, uint64(next-1))
	fill(t, s, next, next+499) // nothing was done, the store is well
	verify(t, s, uint64(next+499))
}

func TestCollectDropsErasedBytes(t *testing.T) {
	o := options(t.TempDir())
	s := open(t, o)
	fill(t, s, 1, 2000)
	if err := s.PutSnapshot(1, 2000, []byte("SECRET of 1500")); err != nil {
		t.Fatal(err)
	}
	if err := s.Collect(); err != nil {
		t.Fatal(err)
	}
	if n := countInFiles(t, o.Dir, "SECRET of 1500"); n == 0 {
		t.Fatal("the bytes are not found while they are there")
	}
	if err := s.Commit([]store.Change{{Erase: []int64{1500}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Collect(); err != nil {
		t.Fatal(err)
	}
	if n := countInFiles(t, o.Dir, "SECRET of 1500"); n != 0 {
		t.Errorf("the bytes are found %d times after Collect", n)
	}
	if n := countInFiles(t, o.Dir, "SECRET of 1501"); n == 0 {
		t.Error("another ticket's bytes are gone")
	}
	verify(t, s, 2000)
	fill(t, s, 2001, 2010)
	verify(t, s, 2010)
}

func countInFiles(t *testing.T, dir, text string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(b, []byte(text))
	}
	return n
}

func TestRunGCPurgesResults(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		// The engine wakes up every few milliseconds, so hours pass on the store's
		// clock alone.
		var later atomic.Int64
		o := options(dir)
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		s, err := store.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s, 1, 1200)
		done := make(chan error, 1)
		go func() { done <- s.RunGC(t.Context()) }()
		later.Store(int64(23 * time.Hour))
		<-time.After(11 * time.Minute)
		synctest.Wait()
		fill(t, s, 1201, 1210)
		if n := store.CountKeys(t, s, store.PrefixResult); n != 1210 {
			t.Errorf("%d results before a day is over", n)
		}
		later.Store(int64(25 * time.Hour))
		<-time.After(11 * time.Minute)
		synctest.Wait()
		for _, prefix := range []string{store.PrefixResult, store.PrefixTicketResult} {
			if n := store.CountKeys(t, s, prefix); n != 10 {
				t.Errorf("%d keys of %q after a day", n, prefix)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Errorf("RunGC: %v", err)
		}
	})
}

func TestSnapshotLeavesNoChunks(t *testing.T) {
	s := open(t, options(t.TempDir()))
	fill(t, s, 1, 5)
	for n := range uint64(4) {
		if err := s.PutSnapshot(1, n+1, make([]byte, 200<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if n := store.CountKeys(t, s, store.PrefixChunk); n < 2 || n > 4 {
		t.Errorf("%d chunks", n)
	}
	if err := s.Commit([]store.Change{{Erase: []int64{3}}}); err != nil {
		t.Fatal(err)
	}
	if n := store.CountKeys(t, s, store.PrefixChunk); n != 0 {
		t.Errorf("%d chunks after an erasure", n)
	}
}
