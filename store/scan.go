package store

import (
	"bytes"
	"container/heap"

	badger "github.com/dgraph-io/badger/v4"
)

// scan is a run of index entries: the keys with prefix, whose start lies
// between low and high (inclusive, as far as they are long).
type scan struct {
	prefix    []byte
	low, high []byte
	without   Order // only tickets without this time
	limit     int   // entries looked at, 0 for all
}

// run visits the matches of the scan, ascending.
func (sc scan) run(txn *badger.Txn, q Query, visit func(hit) (bool, error)) error {
	q.Descending = false
	c := sc.open(txn, q)
	for c.next() {
		more, err := visit(c.hit)
		if err != nil {
			_ = c.close() // the visitor's error is the news
			return err
		}
		if !more {
			break
		}
	}
	return c.close()
}

// cursor is a scan under way.
type cursor struct {
	scan
	q    Query
	it   *badger.Iterator
	hit  hit
	seen int
	err  error
}

func (sc scan) open(txn *badger.Txn, q Query) *cursor {
	c := &cursor{scan: sc, q: q}
	c.it = txn.NewIterator(badger.IteratorOptions{Prefix: sc.prefix, Reverse: q.Descending})
	if q.Descending {
		// Behind every key that starts with high: nine bytes exceed any ticket id.
		c.it.Seek(append(bytes.Clone(sc.high), 255, 255, 255, 255, 255, 255, 255, 255, 255))
	} else {
		c.it.Seek(sc.low)
	}
	return c
}

func (c *cursor) close() error {
	c.it.Close()
	return c.err
}

// next moves to the next match.
func (c *cursor) next() bool {
	for ; c.it.Valid() && (c.limit == 0 || c.seen < c.limit); c.it.Next() {
		item := c.it.Item()
		if c.outside(item.Key()) {
			return false
		}
		c.seen++
		if err := c.read(item); err != nil {
			c.err = err
			return false
		}
		if c.q.Match(c.hit.location, c.hit.index) && c.isWithout() {
			c.it.Next()
			return true
		}
	}
	return false
}

// outside reports whether the scan has left its bounds.
func (c *cursor) outside(k []byte) bool {
	if c.q.Descending {
		return bytes.Compare(k, c.low) < 0
	}
	return bytes.Compare(k[:min(len(k), len(c.high))], c.high) > 0
}

func (c *cursor) read(item *badger.Item) error {
	k, err := parseKey(item.Key())
	if err != nil {
		return corrupt(item.Key(), err.Error())
	}
	c.hit.id, c.hit.location = k.id, k.location
	err = item.Value(func(v []byte) (err error) {
		c.hit.index, _, err = readIndex(v)
		return err
	})
	if err != nil {
		return corrupt(item.Key(), err.Error())
	}
	return nil
}

func (c *cursor) isWithout() bool {
	return c.without == "" || Query{Order: c.without}.sortKey(c.hit.index).IsZero()
}

// merge visits several scans as one, in the query's order. more is false when
// the visitor has had enough.
func merge(txn *badger.Txn, q Query, scans []scan, visit func(hit) (bool, error)) (more bool, err error) {
	m := merger{q: q}
	defer func() {
		for _, c := range m.cursors {
			c.it.Close()
		}
	}()
	for _, sc := range scans {
		c := sc.open(txn, q)
		if c.next() {
			m.cursors = append(m.cursors, c)
		} else if err := c.close(); err != nil {
			return false, err
		}
	}
	heap.Init(&m)
	for len(m.cursors) > 0 {
		c := m.cursors[0]
		if more, err := visit(c.hit); err != nil || !more {
			return false, err
		}
		if c.next() {
			heap.Fix(&m, 0)
			continue
		}
		heap.Pop(&m)
		if err := c.close(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// merger is a heap of cursors, the one with the next hit first.
type merger struct {
	q       Query
	cursors []*cursor
}

func (m *merger) Len() int { return len(m.cursors) }

func (m *merger) Less(i, j int) bool {
	a, b := &m.cursors[i].hit, &m.cursors[j].hit
	return m.q.Compare(a.id, a.index, b.id, b.index) < 0
}

func (m *merger) Swap(i, j int) { m.cursors[i], m.cursors[j] = m.cursors[j], m.cursors[i] }

func (m *merger) Push(any) {} // cursors are only taken away

func (m *merger) Pop() any {
	last := len(m.cursors) - 1
	c := m.cursors[last]
	m.cursors = m.cursors[:last]
	return c
}
