package store

import (
	"testing"
	"time"

	badger "github.com/dgraph-io/badger/v4"
)

// Eventually polls what the engine does in the background, until ok or a limit that
// only a defect reaches.
func Eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			tb.Fatalf("%s: not in time", what)
		}
	}
}

// CountKeys counts the keys with a prefix.
func CountKeys(tb testing.TB, s *Badger, prefix string) int {
	tb.Helper()
	n := 0
	err := s.view(func(txn *badger.Txn) error {
		return scanKeys(txn, []byte(prefix), func(key, *badger.Item) (bool, error) {
			n++
			return true, nil
		})
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// Overwrite changes a key's value behind the store's back; a nil value deletes it.
func Overwrite(tb testing.TB, s *Badger, k []byte, change func(value []byte) []byte) {
	tb.Helper()
	err := s.db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(k)
		if err != nil {
			return err
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		if v = change(v); v == nil {
			return txn.Delete(k)
		}
		return txn.Set(k, v)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Insert writes a key behind the store's back.
func Insert(tb testing.TB, s *Badger, k, value []byte) {
	tb.Helper()
	if err := s.db.Update(func(txn *badger.Txn) error { return txn.Set(k, value) }); err != nil {
		tb.Fatal(err)
	}
}

// Keys lists the keys with a prefix.
func Keys(tb testing.TB, s *Badger, prefix string) [][]byte {
	tb.Helper()
	var out [][]byte
	err := s.view(func(txn *badger.Txn) error {
		return scanKeys(txn, []byte(prefix), func(_ key, item *badger.Item) (bool, error) {
			out = append(out, item.KeyCopy(nil))
			return true, nil
		})
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
