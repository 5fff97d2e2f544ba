package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nowserving/nowserving/store"
)

// long writes a conversation of n messages, of ticket 1, and a short one of ticket 2.
func long(t *testing.T, s *store.Badger, n int) {
	t.Helper()
	var group []store.Change
	for i := 1; i <= n; i++ {
		c := change(1, uint64(i), 1)
		if i == n {
			c = change(1, uint64(i), 2)
		}
		id := c.Records[0].Ticket
		c.Records[0].Personal = []byte(fmt.Sprint("SECRET of ", id))
		c.Entries = []store.Entry{{Ticket: id, Seq: uint64(i), Doc: []byte(fmt.Sprint("SECRET of ", id))}}
		c.Result = &store.Result{Key: fmt.Sprint("k", i), Ticket: id, Value: []byte(fmt.Sprint("SECRET of ", id))}
		if group = append(group, c); len(group) == 500 || i == n {
			if err := s.Commit(group); err != nil {
				t.Fatal(err)
			}
			group = nil
		}
	}
}

// left counts what is still there of a ticket: payloads, entries, results.
func left(t *testing.T, s store.Store, ticket int64, n int) (found int) {
	t.Helper()
	for r, err := range s.Records(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Ticket == ticket && len(r.Personal) > 0 {
			found++
		}
	}
	for _, err := range s.Entries(ticket, 0, 0, false) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	for i := 1; i <= n; i++ {
		r, err := s.Result(fmt.Sprint("k", i))
		if err != nil {
			t.Fatal(err) // the key must stay used
		}
		if r.Ticket == ticket && len(r.Value) > 0 {
			found++
		}
	}
	return found
}

// A conversation that one transaction could not erase is erased, and what comes
// after the erasure stays.
func TestEraseLongThread(t *testing.T) {
	const n = 10_001
	o := options(t.TempDir())
	o.MemTableSize = 0
	s := open(t, o)
	long(t, s, n)
	if got := left(t, s, 1, n); got != 3*(n-1) {
		t.Fatalf("%d things before the erasure", got)
	}
	after := change(1, n+1, 1)
	after.Result = nil
	after.Records[0].Personal = []byte("kept")
	after.Erase = []int64{1}
	after.Entries = []store.Entry{{Ticket: 1, Seq: n - 1, Doc: []byte("afterwards")}}
	if err := s.Commit([]store.Change{after}); err != nil {
		t.Fatal(err)
	}
	if got := left(t, s, 1, n); got != 2 { // the record and the entry of that very change
		t.Errorf("%d things after the erasure, want 2", got)
	}
	if got := left(t, s, 2, n); got != 3 {
		t.Errorf("the other ticket has %d things, want 3", got)
	}
	if err := s.Collect(); err != nil {
		t.Fatal(err)
	}
	if found := countInFiles(t, o.Dir, "SECRET of 1"); found != 0 {
		t.Errorf("the bytes are found %d times", found)
	}
	verify(t, s, n+1)
}

// An erasure that is cut short anywhere has happened wholly after the next opening,
// or not at all.
func TestEraseLongThreadIsResumed(t *testing.T) {
	const n = 4001
	for _, c := range []struct {
		rule store.FaultRule
		done bool
	}{
		{store.FaultRule{Prefix: store.PrefixErasing, Nth: 1, Mode: store.FailBefore}, false},
		{store.FaultRule{Prefix: store.PrefixErasing, Nth: 1, Mode: store.FailAfter}, true},
		{store.FaultRule{Prefix: store.PrefixResult, Nth: 10, Mode: store.FailBefore}, true},
		{store.FaultRule{Prefix: store.PrefixErasing, Nth: 2, Mode: store.FailBefore}, true},
		{store.FaultRule{Prefix: store.PrefixErasing, Nth: 2, Mode: store.FailAfter}, true},
	} {
		o := options(t.TempDir())
		o.MemTableSize = 0
		o.Fault = store.NewFault(c.rule)
		s := open(t, o)
		long(t, s, n)
		err := s.Commit([]store.Change{{Erase: []int64{1}}})
		if !errors.Is(err, store.ErrInjected) || o.Fault.Fired() != 1 {
			t.Fatalf("%+v: error is %v, fired %d", c.rule, err, o.Fault.Fired())
		}
		s.Close()
		o.Fault = nil
		s = open(t, o)
		want := 3 * (n - 1)
		if c.done {
			want = 0
		}
		if got := left(t, s, 1, n); got != want {
			t.Errorf("%+v: %d things, want %d", c.rule, got, want)
		}
		if got := left(t, s, 2, n); got != 3 {
			t.Errorf("%+v: the other ticket has %d things", c.rule, got)
		}
		verify(t, s, n)
		s.Close()
		verify(t, open(t, o), n) // nothing is left to do
	}
}
