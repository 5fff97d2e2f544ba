package store

import (
	"fmt"
	"iter"

	badger "github.com/dgraph-io/badger/v4"
)

// Records yields the journal from an offset on. It checks the chain as it goes:
// a record that does not follow is damage, and so is one that is missing.
func (s *Badger) Records(location int, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		err := s.view(func(txn *badger.Txn) error {
			return scanRecords(txn, location, from, true, func(r Record) bool { return yield(r, nil) })
		})
		if err != nil {
			yield(Record{}, err)
		}
	}
}

// scanRecords visits the records from an offset on and checks that they form a
// chain up to the head. Without personal the payloads are neither read nor
// checked.
func scanRecords(txn *badger.Txn, location int, from uint64, personal bool, visit func(Record) bool) error {
	head, err := getHead(txn, location)
	if err != nil {
		return err
	}
	from = max(from, 1)
	if from > head.Offset {
		return nil
	}
	j := journal{location: location, next: from, personal: personal, chain: newChain(), visit: visit}
	if from > 1 {
		j.next-- // for its hash
		j.skip = true
	}
	k := key{kind: 'r', location: location, num: j.next}
	err = scanFrom(txn, k.appendPrefix(nil, 1), k.append(nil), func(k key, item *badger.Item) (bool, error) {
		if k.num > head.Offset {
			return false, corrupt(item.Key(), fmt.Sprintf("is behind the head %d", head.Offset))
		}
		err := item.Value(func(v []byte) error { return j.take(k, v) })
		return !j.stopped, err
	})
	if err == nil && !j.stopped {
		err = j.flush()
	}
	if err != nil || j.stopped {
		return err
	}
	if j.next != head.Offset+1 || j.prev != head.Hash {
		return fmt.Errorf("%w: journal of location %d ends at %d, its head is %d or has another hash",
			ErrCorrupt, location, j.next-1, head.Offset)
	}
	return nil
}

// journal puts records together from their parts and follows the chain.
type journal struct {
	location int
	next     uint64 // the offset that must come
	prev     [hashSize]byte
	skip     bool // the first record is only there for its hash
	personal bool
	chain    *chain
	visit    func(Record) bool
	stopped  bool

	pending *Record // waits for its personal part
	digest  []byte
}

func (j *journal) take(k key, v []byte) error {
	if k.part == partPersonal {
		return j.takePersonal(k, v)
	}
	if err := j.flush(); err != nil || j.stopped {
		return err
	}
	if k.num != j.next {
		return corrupt(k.append(nil), fmt.Sprintf("comes where %d must", j.next))
	}
	st, err := readRecord(v)
	if err != nil {
		return corrupt(k.append(nil), err.Error())
	}
	first := j.skip
	if !first && j.chain.next(j.prev, j.location, k.num, st) != st.hash {
		return corrupt(k.append(nil), "does not follow the one before")
	}
	j.prev, j.skip = st.hash, false
	j.next++
	if first {
		return nil
	}
	r := st.record(j.location, k.num)
	j.pending, j.digest = &r, append(j.digest[:0], st.digest...)
	return nil
}

func (j *journal) takePersonal(k key, v []byte) error {
	if j.pending == nil || !j.personal {
		return nil // of the record that is only there for its hash
	}
	if k.num != j.pending.Offset || len(j.digest) == 0 {
		return corrupt(k.append(nil), "belongs to no record")
	}
	p, erased, err := readPersonal(v, j.digest)
	if err != nil {
		return corrupt(k.append(nil), err.Error())
	}
	j.pending.Personal, j.pending.Erased = p, erased
	j.digest = j.digest[:0]
	return nil
}

// flush hands out the record that waits.
func (j *journal) flush() error {
	r := j.pending
	if r == nil {
		return nil
	}
	j.pending = nil
	if len(j.digest) > 0 && j.personal {
		return corrupt(key{kind: 'r', location: j.location, num: r.Offset, part: partPersonal}.append(nil), "is missing")
	}
	j.stopped = !j.visit(*r)
	return nil
}
