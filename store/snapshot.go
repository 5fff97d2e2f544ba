package store

import (
	"bytes"
	"errors"
	"fmt"

	badger "github.com/dgraph-io/badger/v4"
)

// chunkSize is how much of a snapshot one transaction takes: enough to be few,
// so little that commits in between hardly wait.
const chunkSize = 256 << 10

// PutSnapshot stores a location's folded state. Large states take several
// transactions; the last one makes them current, so a crash in between leaves
// the snapshot before.
func (s *Badger) PutSnapshot(location int, offset uint64, state []byte) error {
	if location < 0 || location > maxLocation || offset < 1 {
		return fmt.Errorf("%w: snapshot of location %d at %d", ErrInvalid, location, offset)
	}
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	s.snapMu.Lock()
	defer s.snapMu.Unlock()

	var old snapshotMeta
	err := s.db.View(func(txn *badger.Txn) (err error) {
		old, err = getSnapshot(txn, location)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	size := min(chunkSize, s.MaxCommit()/2)
	m := snapshotMeta{offset: offset, generation: old.generation + 1, length: uint64(len(state))}
	erasures, err := s.snapshotAllowed(location, offset)
	if err != nil {
		return err
	}
	for at := 0; at < len(state); at += size {
		part := state[at:min(at+size, len(state))]
		k := key{kind: 'S', location: location, num: m.generation, part: m.chunks}
		if err := s.write(func(b *batch) error { return b.set(k, seal(fresh(part))) }); err != nil {
			return err
		}
		m.chunks++
	}
	return s.write(func(b *batch) error {
		if s.erasures[location] != erasures {
			return ErrStale // the chunks went with the erasure
		}
		return b.putSnapshot(location, m)
	})
}

// snapshotAllowed refuses a snapshot that no longer fits the journal, and tells
// the erasures so far.
func (s *Badger) snapshotAllowed(location int, offset uint64) (erasures uint64, err error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	h := s.heads[location]
	switch {
	case offset > h.Offset:
		return 0, fmt.Errorf("%w: snapshot of location %d at %d, its journal ends at %d", ErrInvalid, location, offset, h.Offset)
	case offset < h.floor:
		return 0, ErrStale
	}
	return s.erasures[location], nil
}

// putSnapshot makes a generation current and deletes the chunks of all others,
// those that a crash left among them.
func (b *batch) putSnapshot(location int, m snapshotMeta) error {
	chunks, err := b.keysOf(key{kind: 'S', location: location}, 1)
	if err != nil {
		return err
	}
	for _, k := range chunks {
		if k.num != m.generation || k.part >= m.chunks {
			if err := b.delete(k); err != nil {
				return err
			}
		}
	}
	return b.set(key{kind: 's', location: location}, appendSnapshot(nil, m))
}

// write is a transaction beside Commit's, under the same rules.
func (s *Badger) write(fill func(b *batch) error) error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if err := s.failure(); err != nil {
		return err
	}
	if err := s.checkSpace(); err != nil {
		return err
	}
	b := s.newBatch()
	defer b.txn.Discard()
	if err := fill(b); err != nil {
		return err
	}
	return b.commit()
}

// Snapshot is the last stored state.
func (s *Badger) Snapshot(location int) (offset uint64, state []byte, err error) {
	err = s.view(func(txn *badger.Txn) error {
		m, err := getSnapshot(txn, location)
		if err != nil {
			return err
		}
		offset = m.offset
		state, err = readChunks(txn, location, m)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	return offset, state, nil
}

func getSnapshot(txn *badger.Txn, location int) (m snapshotMeta, err error) {
	err = get(txn, key{kind: 's', location: location}.append(nil), func(v []byte) (err error) {
		m, err = readSnapshot(v)
		return err
	})
	return m, err
}

func readChunks(txn *badger.Txn, location int, m snapshotMeta) ([]byte, error) {
	var state bytes.Buffer
	for n := range m.chunks {
		k := key{kind: 'S', location: location, num: m.generation, part: n}.append(nil)
		err := get(txn, k, func(v []byte) error {
			part, err := unseal(v)
			state.Write(part)
			return err
		})
		if errors.Is(err, ErrNotFound) {
			err = corrupt(k, "is missing")
		}
		if err != nil {
			return nil, err
		}
	}
	if uint64(state.Len()) != m.length {
		return nil, corrupt(key{kind: 's', location: location}.append(nil), "is not as long as it says")
	}
	return state.Bytes(), nil
}
