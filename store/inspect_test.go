package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/store"
)

// indexed is a store whose 40 tickets have an entry in every index.
func indexed(t *testing.T) (*store.Badger, store.Options) {
	t.Helper()
	o := options(t.TempDir())
	s := open(t, o)
	var group []store.Change
	for n := 1; n <= 40; n++ {
		c := change(1, uint64(n), int64(n))
		ix := &c.Tickets[0].Index
		ix.Live, ix.Called, ix.Served = true, ix.Created.Add(time.Minute), ix.Created.Add(time.Hour)
		group = append(group, c)
	}
	if err := s.Commit(group); err != nil {
		t.Fatal(err)
	}
	return s, o
}

// of is the key that belongs to another ticket, and is otherwise the same.
func of(k []byte, ticket byte) []byte {
	k = bytes.Clone(k)
	k[len(k)-1] = ticket
	return k
}

// TestEveryIndexEntryIsChecked damages one index at a time, in ways that keep its
// number of entries as well as in ways that change it.
func TestEveryIndexEntryIsChecked(t *testing.T) {
	gone := func([]byte) []byte { return nil }
	nobodys := func(k []byte) []byte { return of(k, 200) }
	for name, spoil := range map[string]func(t *testing.T, s *store.Badger, keys [][]byte) (named [][]byte){
		"one too many, of a ticket that is not there": func(t *testing.T, s *store.Badger, keys [][]byte) [][]byte {
			store.Insert(t, s, nobodys(keys[4]), nil)
			return [][]byte{nobodys(keys[4])}
		},
		"one too many, of a ticket that is elsewhere": func(t *testing.T, s *store.Badger, keys [][]byte) [][]byte {
			stray := bytes.Clone(keys[4])
			stray[5] = 9 // another location
			store.Insert(t, s, stray, nil)
			return [][]byte{stray}
		},
		"one missing": func(t *testing.T, s *store.Badger, keys [][]byte) [][]byte {
			store.Overwrite(t, s, keys[7], gone)
			return [][]byte{keys[7]}
		},
		"one missing and one too many": func(t *testing.T, s *store.Badger, keys [][]byte) [][]byte {
			store.Overwrite(t, s, keys[7], gone)
			store.Insert(t, s, nobodys(keys[7]), nil)
			return [][]byte{keys[7], nobodys(keys[7])}
		},
	} {
		for _, prefix := range indexes() {
			t.Run(fmt.Sprintf("%s/%s", name, prefix[1:]), func(t *testing.T) {
				s, o := indexed(t)
				named := spoil(t, s, store.Keys(t, s, prefix))
				finds(t, s, o, named)
			})
		}
	}
}

func indexes() []string {
	return []string{store.PrefixStatus, store.PrefixCreated, store.PrefixCalled, store.PrefixServed, store.PrefixLive}
}

// TestWrongIndexValue gives an entry the value of another ticket: there are as many
// as before, and each can be read.
func TestWrongIndexValue(t *testing.T) {
	for _, prefix := range indexes()[:4] { // a live entry's key says everything
		s, o := indexed(t)
		keys := store.Keys(t, s, prefix)
		var other []byte
		store.Overwrite(t, s, keys[3], func(v []byte) []byte { other = bytes.Clone(v); return v })
		store.Overwrite(t, s, keys[8], func([]byte) []byte { return other })
		finds(t, s, o, keys[8:9])
	}
}

// finds checks that Verify finds damage and stops commits, and that Inspect names
// all of it and nothing else.
func finds(t *testing.T, s *store.Badger, o store.Options, named [][]byte) {
	t.Helper()
	err := s.Verify(t.Context())
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Verify says %v", err)
	}
	if err := s.Commit(nil); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a commit after damage was found gave %v", err)
	}
	s.Close()
	problems, err := store.Inspect(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprint(problems)
	for _, k := range named {
		if !strings.Contains(all, store.FormatKey(k)) {
			t.Errorf("%s: not named in %s", store.FormatKey(k), all)
		}
	}
	// The journal tells too of a live ticket that is missing or too much.
	if !strings.Contains(all, "live") && len(problems) != len(named) {
		t.Errorf("%d problems named, %d made: %s", len(problems), len(named), all)
	}
}

// TestListOfPayloads: an erasure goes by the list of a ticket's payloads, so a list
// that is as long as it should be but of somebody else's is damage.
func TestListOfPayloads(t *testing.T) {
	gone := func([]byte) []byte { return nil }
	erased := func([]byte) []byte { return []byte{0} }
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *store.Badger, list, records [][]byte)
		want  string
	}{
		"not listed": {func(t *testing.T, s *store.Badger, list, _ [][]byte) {
			store.Overwrite(t, s, list[5], gone)
		}, "would survive"},
		"listed under another ticket": {func(t *testing.T, s *store.Badger, list, _ [][]byte) {
			store.Overwrite(t, s, list[5], gone)
			stray := bytes.Clone(list[5])
			stray[9] = 200
			store.Insert(t, s, stray, nil)
		}, "lists a payload that its ticket does not have"},
		"listed twice": {func(t *testing.T, s *store.Badger, list, _ [][]byte) {
			stray := bytes.Clone(list[5])
			stray[9] = 7
			store.Insert(t, s, stray, nil)
		}, "lists a payload that its ticket does not have"},
		"listed and erased": {func(t *testing.T, s *store.Badger, _, records [][]byte) {
			store.Overwrite(t, s, records[11], erased)
		}, "lists a payload that its ticket does not have"},
		"of no record": {func(t *testing.T, s *store.Badger, _, records [][]byte) {
			store.Insert(t, s, append(bytes.Clone(records[0][:13]), 99, 1), []byte{0})
		}, "belongs to no record"},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := indexed(t)
			c.spoil(t, s, store.Keys(t, s, store.PrefixPersonal), store.Keys(t, s, store.PrefixRecord))
			if err := s.Verify(t.Context()); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("Verify says %v", err)
			}
			s.Close()
			problems, err := store.Inspect(t.Context(), o, nil)
			if err != nil || !strings.Contains(fmt.Sprint(problems), c.want) {
				t.Errorf("problems are %v, %v, want %q", problems, err, c.want)
			}
		})
	}
}

// TestVerifyLeavesErasuresAlone: what a commit in use has still to erase is not
// damage, and not Verify's to finish.
func TestVerifyLeavesErasuresAlone(t *testing.T) {
	const n = 4001
	o := options(t.TempDir())
	o.MemTableSize = 0
	o.Fault = store.NewFault(store.FaultRule{Prefix: store.PrefixErasing, Nth: 1, Mode: store.FailAfter})
	s := open(t, o)
	long(t, s, n)
	if err := s.Commit([]store.Change{{Erase: []int64{1}}}); !errors.Is(err, store.ErrInjected) {
		t.Fatalf("error is %v", err)
	}
	before := left(t, s, 1, n)
	if err := s.Verify(t.Context()); err != nil {
		t.Errorf("an erasure under way: %v", err)
	}
	if after := left(t, s, 1, n); after != before || after == 0 || store.CountKeys(t, s, store.PrefixErasing) != 1 {
		t.Errorf("%d things were left, now %d", before, after)
	}
	s.Close()
	o.Fault = nil
	problems, err := store.Inspect(t.Context(), o, func(s store.Store, _ func(error)) error {
		if after := left(t, s, 1, n); after != 0 {
			t.Errorf("%d things are left for an inspection to see", after)
		}
		return nil
	})
	if err != nil || len(problems) > 0 {
		t.Errorf("problems are %v, %v", problems, err)
	}
}

// TestPurgeDecidesOnce: results and their notes under tickets are purged in several
// transactions while the clock goes on, and the same ones go.
func TestPurgeDecidesOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var ticks atomic.Int64 // the store's clock goes on whenever it is looked at
		o := options(dir)
		begin := time.Now()
		o.Clock = func() time.Time { return begin.Add(time.Duration(ticks.Add(1)) * time.Second) }
		s, err := store.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		fill(t, s, 1, 1200)
		ticks.Add(24*3600 - ticks.Load()/2)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.RunGC(ctx) }()
		<-time.After(time.Minute)
		synctest.Wait()
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		results, notes := store.CountKeys(t, s, store.PrefixResult), store.CountKeys(t, s, store.PrefixTicketResult)
		if results != notes || results == 0 || results == 1200 {
			t.Errorf("%d results are left, and %d notes of them", results, notes)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestResultOnItsWayOut: a result that an erasure would miss is damage, until it is
// so old that it is given to nobody.
func TestResultOnItsWayOut(t *testing.T) {
	s, o := indexed(t)
	store.Overwrite(t, s, store.Keys(t, s, store.PrefixTicketResult)[3], func([]byte) []byte { return nil })
	s.Close()
	for after, want := range map[time.Duration]int{0: 1, store.ResultTTL - time.Hour: 1, store.ResultTTL + time.Hour: 0} {
		o.Clock = func() time.Time { return time.Now().Add(after) }
		if problems, err := store.Inspect(t.Context(), o, nil); err != nil || len(problems) != want {
			t.Errorf("after %v: problems are %v, %v, want %d", after, problems, err, want)
		}
	}
}
