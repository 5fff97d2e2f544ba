package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	badger "github.com/dgraph-io/badger/v4"
)

// A ticket may hold more than one transaction can erase. The transaction of the
// erasure itself takes a first part and leaves a note of what else has to go; the
// rest follows in transactions of its own before Commit returns. Opening finishes
// what a crash in between has left, before anything is read.

// maxErased is how many keys one transaction erases: each takes two writes, and the
// engine bounds their number (about 25,000) as well as their bytes.
const maxErased = 4000

// remainder is what one erasure leaves to later transactions.
type remainder struct {
	id   int64
	keys []key
}

// note is up to where a ticket is erased: what is newer was written afterwards.
type note struct {
	seq     uint64         // of thread entries
	offsets map[int]uint64 // of personal records, by location
}

// eraseKeys erases what it may of a ticket's keys at once, and notes the rest.
func (b *batch) eraseKeys(id int64, keys []key) error {
	now := keys[:min(len(keys), maxErased-b.erasedKeys)]
	b.erasedKeys += len(now)
	for _, k := range now {
		if err := b.eraseKey(id, k); err != nil {
			return err
		}
	}
	if len(now) == len(keys) {
		return nil
	}
	b.rest = append(b.rest, remainder{id, keys[len(now):]})
	return b.set(key{kind: 'x', id: id}, noteOf(keys[len(now):]).append(nil))
}

// eraseKey takes one thing of a ticket away: a personal payload, a remembered
// result or a thread entry.
func (b *batch) eraseKey(id int64, k key) error {
	switch k.kind {
	case 'o':
		part := key{kind: 'r', location: k.location, num: k.num, part: partPersonal}
		// A mark and not a deletion: a payload that is merely missing is damage.
		if err := b.set(part, []byte{personalErased}); err != nil {
			return err
		}
	case 'j':
		if err := b.eraseResult(id, k.rest); err != nil {
			return err
		}
	}
	return b.delete(k)
}

// eraseResult takes a remembered result's value: that its key was used stays known.
func (b *batch) eraseResult(id int64, name string) error {
	r, err := getResult(b.txn, name)
	if errors.Is(err, ErrNotFound) || (err == nil && r.ticket != id) {
		return nil // the key was used again, for another ticket
	}
	if err != nil {
		return err
	}
	r.value = nil
	return b.set(key{kind: 'i', rest: name}, appendResult(make([]byte, 0, 20), r))
}

// finish erases what the commit of b has left over; changes are that commit's.
func (s *Badger) finish(b *batch, changes []Change) error {
	for _, r := range b.rest {
		written := map[uint64]bool{} // by the same commit, after the erasure
		for i := range changes {
			for _, e := range changes[i].Entries {
				written[e.Seq] = written[e.Seq] || e.Ticket == r.id
			}
		}
		for len(r.keys) > 0 {
			part := r.keys[:min(len(r.keys), maxErased)]
			r.keys = r.keys[len(part):]
			if err := s.eraseMore(r.id, part, len(r.keys) == 0, written); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseMore is one transaction of an erasure that is under way.
func (s *Badger) eraseMore(id int64, keys []key, last bool, keep map[uint64]bool) error {
	b := s.newBatch()
	defer b.txn.Discard()
	for _, k := range keys {
		if k.kind == 'e' && keep[k.num] {
			continue
		}
		if err := b.eraseKey(id, k); err != nil {
			return s.fail(err)
		}
	}
	if last {
		if err := b.delete(key{kind: 'x', id: id}); err != nil {
			return s.fail(err)
		}
	}
	return b.commit()
}

// resumeErasures finishes erasures that a crash has cut short.
func (s *Badger) resumeErasures() error {
	left := map[int64]note{}
	err := s.db.View(func(txn *badger.Txn) error {
		return scanKeys(txn, []byte(PrefixErasing), func(k key, item *badger.Item) (bool, error) {
			return true, item.Value(func(v []byte) error {
				n, err := readNote(v)
				if err != nil {
					return corrupt(item.Key(), err.Error())
				}
				left[k.id] = n
				return nil
			})
		})
	})
	for id, n := range left {
		if err == nil {
			err = s.resume(id, n)
		}
	}
	if err != nil {
		return fmt.Errorf("store: finish an erasure: %w", err)
	}
	return nil
}

func (s *Badger) resume(id int64, n note) error {
	b := s.newBatch()
	found, err := b.keysOfTicket(id)
	b.txn.Discard()
	if err != nil {
		return err
	}
	keys := found[:0]
	for _, k := range found {
		if k.kind == 'e' && k.num > n.seq || k.kind == 'o' && k.num > n.offsets[k.location] {
			continue // written after the erasure
		}
		keys = append(keys, k)
	}
	for first := true; first || len(keys) > 0; first = false {
		part := keys[:min(len(keys), maxErased)]
		keys = keys[len(part):]
		if err := s.eraseMore(id, part, len(keys) == 0, nil); err != nil {
			return err
		}
	}
	return nil
}

// keysOfTicket lists what an erasure takes one by one.
func (b *batch) keysOfTicket(id int64) ([]key, error) {
	var out []key
	for _, kind := range []byte{'o', 'j', 'e'} {
		found, err := b.keysOf(key{kind: kind, id: id}, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func noteOf(keys []key) note {
	n := note{offsets: map[int]uint64{}}
	for _, k := range keys {
		switch k.kind {
		case 'e':
			n.seq = max(n.seq, k.num)
		case 'o':
			n.offsets[k.location] = max(n.offsets[k.location], k.num)
		}
	}
	return n
}

func (n note) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, n.seq)
	for location, offset := range n.offsets {
		b = binary.BigEndian.AppendUint32(b, uint32(location))
		b = binary.BigEndian.AppendUint64(b, offset)
	}
	return seal(b)
}

func readNote(b []byte) (note, error) {
	b, err := unseal(b)
	if err != nil || len(b) < 8 || (len(b)-8)%12 != 0 {
		return note{}, errValue
	}
	n := note{seq: binary.BigEndian.Uint64(b), offsets: map[int]uint64{}}
	for b = b[8:]; len(b) > 0; b = b[12:] {
		n.offsets[int(binary.BigEndian.Uint32(b))] = binary.BigEndian.Uint64(b[4:])
	}
	return n, nil
}
