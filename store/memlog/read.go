package memlog

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/nowserving/nowserving/store"
)

func isFull(err error) bool { return errors.Is(err, store.ErrFull) }

// read runs f under the lock unless the store is closed.
func (l *Log) read(f func()) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return store.ErrClosed
	}
	f()
	return nil
}

// each yields what list gathers under the lock. The lock is not held while the
// reader works, so the reader may call the store.
func each[T any](l *Log, list func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		var failed error
		if err := l.read(func() { all, failed = list() }); err != nil {
			failed = err
		}
		var zero T
		if failed != nil {
			yield(zero, failed)
			return
		}
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// Head is a location's journal end.
func (l *Log) Head(location int) (h store.Head, err error) {
	err = l.read(func() { h = l.head(location) })
	return h, err
}

// Locations lists the locations that have a journal.
func (l *Log) Locations() (out []int, err error) {
	err = l.read(func() {
		for location, j := range l.locations {
			if j.head.Offset > 0 {
				out = append(out, location)
			}
		}
	})
	slices.Sort(out)
	return out, err
}

// Records yields the journal from an offset on.
func (l *Log) Records(location int, from uint64) iter.Seq2[store.Record, error] {
	records := each(l, func() ([]store.Record, error) {
		j := l.locations[location]
		if j == nil || from > j.head.Offset {
			return nil, nil
		}
		return j.records[max(from, 1)-1:], nil
	})
	return func(yield func(store.Record, error) bool) {
		for r, err := range records {
			r.Facts, r.Personal = bytes.Clone(r.Facts), bytes.Clone(r.Personal)
			if !yield(r, err) {
				return
			}
		}
	}
}

// Ticket is the newest version of a ticket.
func (l *Log) Ticket(id int64) (v store.TicketVersion, err error) {
	found := false
	err = l.read(func() { v, found = l.tickets[id] })
	if err == nil && !found {
		err = store.ErrNotFound
	}
	v.Doc = bytes.Clone(v.Doc)
	return v, err
}

// Live yields the newest version of every live ticket of a location.
func (l *Log) Live(location int) iter.Seq2[store.TicketVersion, error] {
	return each(l, func() ([]store.TicketVersion, error) {
		return l.list(store.Query{}, func(v store.TicketVersion) bool {
			return v.Location == location && v.Index.Live
		}), nil
	})
}

// list copies the tickets that are wanted, in the query's order.
func (l *Log) list(q store.Query, want func(store.TicketVersion) bool) []store.TicketVersion {
	var out []store.TicketVersion
	for _, v := range l.tickets {
		if want(v) {
			v.Doc = bytes.Clone(v.Doc)
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b store.TicketVersion) int { return q.Compare(a.ID, a.Index, b.ID, b.Index) })
	return out
}

// Search yields matching tickets in the query's order.
func (l *Log) Search(q store.Query) iter.Seq2[store.TicketVersion, error] {
	return each(l, func() ([]store.TicketVersion, error) {
		if err := q.Check(); err != nil {
			return nil, err
		}
		out := l.list(q, func(v store.TicketVersion) bool { return q.Match(v.Location, v.Index) })
		if q.Limit > 0 && len(out) > q.Limit {
			out = out[:q.Limit]
		}
		return out, nil
	})
}

// Count counts what Search would yield without its limit.
func (l *Log) Count(q store.Query) (n int, err error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	err = l.read(func() {
		for _, v := range l.tickets {
			if q.Match(v.Location, v.Index) {
				n++
			}
		}
	})
	return n, err
}

// Entries yields entries of a ticket's conversation.
func (l *Log) Entries(ticket int64, seq uint64, limit int, newestFirst bool) iter.Seq2[store.Entry, error] {
	return each(l, func() ([]store.Entry, error) {
		var out []store.Entry
		seqs := slices.Sorted(maps.Keys(l.entries[ticket]))
		if newestFirst {
			slices.Reverse(seqs)
		}
		for _, n := range seqs {
			outside := n < seq
			if newestFirst {
				outside = seq != 0 && n > seq
			}
			if outside {
				continue
			}
			if limit > 0 && len(out) == limit {
				break
			}
			out = append(out, store.Entry{Ticket: ticket, Seq: n, Doc: bytes.Clone(l.entries[ticket][n])})
		}
		return out, nil
	})
}

// Result is what an idempotency key gave.
func (l *Log) Result(key string) (store.Result, error) {
	var r result
	found := false
	if err := l.read(func() { r, found = l.results[key] }); err != nil {
		return store.Result{}, err
	}
	if !found || l.opt.Clock().Sub(r.at) > store.ResultTTL {
		return store.Result{}, store.ErrNotFound
	}
	r.Value = bytes.Clone(r.Value)
	return r.Result, nil
}

// Doc is one document.
func (l *Log) Doc(kind, key string) (value []byte, err error) {
	found := false
	if err := l.read(func() { value, found = l.docs[kind][key] }); err != nil {
		return nil, err
	}
	if !found {
		return nil, store.ErrNotFound
	}
	return bytes.Clone(value), nil
}

// Docs yields the documents of a kind.
func (l *Log) Docs(kind string) iter.Seq2[store.Doc, error] {
	return each(l, func() ([]store.Doc, error) {
		var out []store.Doc
		for _, k := range slices.Sorted(maps.Keys(l.docs[kind])) {
			out = append(out, store.Doc{Kind: kind, Key: k, Value: bytes.Clone(l.docs[kind][k])})
		}
		return out, nil
	})
}

// PutSnapshot stores a location's folded state.
func (l *Log) PutSnapshot(location int, offset uint64, state []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil {
		return err
	}
	head := l.head(location)
	if location < 0 || offset < 1 || offset > head.Offset {
		return fmt.Errorf("%w: snapshot of location %d at %d, its journal ends at %d", store.ErrInvalid, location, offset, head.Offset)
	}
	j := l.locations[location]
	if offset < j.floor {
		return store.ErrStale
	}
	return l.faulty(store.SnapshotKeys(location), func() {
		j.snapshot, j.offset = bytes.Clone(state), offset
	})
}

// Snapshot is the last stored state.
func (l *Log) Snapshot(location int) (offset uint64, state []byte, err error) {
	err = l.read(func() {
		if j := l.locations[location]; j != nil {
			offset, state = j.offset, bytes.Clone(j.snapshot)
		}
	})
	return offset, state, err
}

// Ready says whether commits are taken now.
func (l *Log) Ready() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.ready()
}

// Close makes every later call fail.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return nil
}

var _ store.Store = (*Log)(nil)
