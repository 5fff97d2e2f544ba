package store

import (
	"errors"
	"iter"
	"math"
	"slices"

	badger "github.com/dgraph-io/badger/v4"
)

// probeLimit is how many index entries of the asked statuses are looked at
// before an order index is scanned instead: waiting tickets are few among all
// that ever were, served ones are everywhere.
const probeLimit = 2048

// hit is an index entry that matches.
type hit struct {
	id       int64
	location int
	index    Index
}

// Search yields matching tickets in the query's order.
func (s *Badger) Search(q Query) iter.Seq2[TicketVersion, error] {
	return func(yield func(TicketVersion, error) bool) {
		stopped := false
		err := s.view(func(txn *badger.Txn) error {
			return search(txn, q, func(h hit) (bool, error) {
				v, err := getTicket(txn, h.id)
				if errors.Is(err, ErrNotFound) || (err == nil && (v.Location != h.location || !sameIndex(v.Index, h.index))) {
					return false, corrupt(key{kind: 't', id: h.id}.append(nil), "is not what its index says")
				}
				if err != nil {
					return false, err
				}
				stopped = !yield(v, nil)
				return !stopped, nil
			})
		})
		if err != nil && !stopped {
			yield(TicketVersion{}, err)
		}
	}
}

// Count counts what Search would yield without its limit.
func (s *Badger) Count(q Query) (int, error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	n := 0
	err := s.view(func(txn *badger.Txn) error {
		scans, err := narrowest(txn, q)
		if err != nil {
			return err
		}
		for _, sc := range scans {
			err := sc.run(txn, q, func(hit) (bool, error) { n++; return true, nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// search finds the cheapest way to the query's answer and visits it in order.
func search(txn *badger.Txn, q Query, visit func(hit) (bool, error)) error {
	if err := q.Check(); err != nil {
		return err
	}
	visit = limited(q.Limit, visit)
	byID := q.Order == ByID || q.Order == ""
	bounded := q.boundsCreated() || q.boundsCalled()
	if len(q.Statuses) > 0 && (bounded || !byID) {
		hits, all, err := probe(txn, q)
		if err != nil {
			return err
		}
		if all {
			return visitSorted(q, hits, visit)
		}
	}
	inOrder := !bounded || (q.Order == ByCreated && q.boundsCreated()) || (q.Order == ByCalled && q.boundsCalled())
	if !inOrder {
		hits, err := collect(txn, q)
		if err != nil {
			return err
		}
		return visitSorted(q, hits, visit)
	}
	phases, err := ordered(txn, q)
	if err != nil {
		return err
	}
	for _, scans := range phases {
		more, err := merge(txn, q, scans, visit)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func limited(limit int, visit func(hit) (bool, error)) func(hit) (bool, error) {
	if limit <= 0 {
		return visit
	}
	n := 0
	return func(h hit) (bool, error) {
		more, err := visit(h)
		n++
		return more && n < limit, err
	}
}

func (q Query) boundsCreated() bool { return !q.MinCreated.IsZero() || !q.MaxCreated.IsZero() }
func (q Query) boundsCalled() bool  { return !q.MinCalled.IsZero() || !q.MaxCalled.IsZero() }

// probe looks at the tickets in the asked statuses; all says whether it got to
// the end before there were too many.
func probe(txn *badger.Txn, q Query) (hits []hit, all bool, err error) {
	scans, err := statusScans(txn, q)
	if err != nil {
		return nil, false, err
	}
	left := probeLimit
	for _, sc := range scans {
		sc.limit = left
		c := sc.open(txn, q)
		for c.next() {
			hits = append(hits, c.hit)
		}
		left -= c.seen
		err := c.close()
		if err != nil || left <= 0 {
			return nil, false, err
		}
	}
	return hits, true, nil
}

// collect gathers the matches of the narrowest index, no more than the limit
// needs.
func collect(txn *badger.Txn, q Query) ([]hit, error) {
	scans, err := narrowest(txn, q)
	if err != nil {
		return nil, err
	}
	var hits []hit
	for _, sc := range scans {
		err := sc.run(txn, q, func(h hit) (bool, error) {
			hits = append(hits, h)
			if q.Limit > 0 && len(hits) >= 2*q.Limit+1024 {
				sortHits(q, hits)
				hits = hits[:q.Limit]
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return hits, nil
}

func sortHits(q Query, hits []hit) {
	slices.SortFunc(hits, func(a, b hit) int { return q.Compare(a.id, a.index, b.id, b.index) })
}

func visitSorted(q Query, hits []hit, visit func(hit) (bool, error)) error {
	sortHits(q, hits)
	for _, h := range hits {
		if more, err := visit(h); err != nil || !more {
			return err
		}
	}
	return nil
}

// narrowest is the scans that pass over the fewest entries, in no useful order.
func narrowest(txn *badger.Txn, q Query) ([]scan, error) {
	switch {
	case q.boundsCreated():
		return timeScans('c', q), nil
	case q.boundsCalled():
		return timeScans('d', q), nil
	}
	return statusScans(txn, q)
}

// ordered is the scans that give the query's order when each phase is merged.
// Tickets without the time that is sorted by are in no index of it; they come
// by id, before the others or, descending, after them.
func ordered(txn *badger.Txn, q Query) ([][]scan, error) {
	switch q.Order {
	case ByCreated:
		return [][]scan{timeScans('c', q)}, nil
	case ByCalled, ByServed:
		kind := byte('d')
		if q.Order == ByServed {
			kind = 'v'
		}
		with := timeScans(kind, q)
		if q.boundsCalled() {
			return [][]scan{with}, nil // and those without are not asked for
		}
		without, err := statusScans(txn, q)
		for i := range without {
			without[i].without = q.Order
		}
		if q.Descending {
			return [][]scan{with, without}, err
		}
		return [][]scan{without, with}, err
	}
	scans, err := statusScans(txn, q)
	return [][]scan{scans}, err
}

// timeScans is one scan per location over an index by time, within the bounds.
func timeScans(kind byte, q Query) []scan {
	low, high := uint64(0), uint64(math.MaxUint64)
	switch {
	case kind == 'c' && q.boundsCreated():
		low, high = stamp(q.MinCreated), math.MaxUint64
		if !q.MaxCreated.IsZero() {
			high = stamp(q.MaxCreated)
		}
	case kind == 'd' && q.boundsCalled():
		low = stamp(q.MinCalled)
		if !q.MaxCalled.IsZero() {
			high = stamp(q.MaxCalled)
		}
	}
	var out []scan
	for _, location := range unique(q.Locations) {
		k := key{kind: kind, location: location, num: low}
		sc := scan{prefix: k.appendPrefix(nil, 1), low: k.appendPrefix(nil, 2)}
		k.num = high
		sc.high = k.appendPrefix(nil, 2)
		out = append(out, sc)
	}
	return out
}

// statusScans is one scan per location and status, each by id.
func statusScans(txn *badger.Txn, q Query) ([]scan, error) {
	var out []scan
	for _, location := range unique(q.Locations) {
		statuses := unique(q.Statuses)
		if len(statuses) == 0 {
			var err error
			if statuses, err = statusesOf(txn, location); err != nil {
				return nil, err
			}
		}
		for _, status := range statuses {
			if len(status) > maxText {
				continue
			}
			p := key{kind: 'n', location: location, name: status}.appendPrefix(nil, 2)
			out = append(out, scan{prefix: p, low: p, high: p})
		}
	}
	return out, nil
}

// statusesOf jumps from status to status through a location's index.
func statusesOf(txn *badger.Txn, location int) ([]string, error) {
	k := key{kind: 'n', location: location}
	it := txn.NewIterator(badger.IteratorOptions{Prefix: k.appendPrefix(nil, 1)})
	defer it.Close()
	var out []string
	for it.Rewind(); it.Valid(); {
		found, err := parseKey(it.Item().Key())
		if err != nil {
			return nil, corrupt(it.Item().Key(), err.Error())
		}
		out = append(out, found.name)
		found.id = math.MaxInt64
		it.Seek(append(found.append(nil), 0))
	}
	return out, nil
}

// unique drops repetitions: a query that names a location twice means it once.
func unique[T comparable](in []T) []T {
	var out []T
	for _, v := range in {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
