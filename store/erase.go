package store

import (
	"errors"

	badger "github.com/dgraph-io/badger/v4"
)

// erase takes a ticket's personal payload away, as far as it was written before
// this Change, in earlier commits or earlier in this one. It adds the locations
// that the ticket was in.
func (b *batch) erase(id int64, locations map[int]bool) error {
	if err := b.erasePersonal(id, locations); err != nil {
		return err
	}
	if err := b.eraseResults(id); err != nil {
		return err
	}
	entries, err := b.keysOf(key{kind: 'e', id: id}, 1)
	if err != nil {
		return err
	}
	for _, k := range entries {
		if err := b.delete(k); err != nil {
			return err
		}
	}
	old, err := b.state(id)
	if err != nil {
		return err
	}
	if old.there {
		locations[old.location] = true
		if err := b.moveIndex(id, old, ticketState{}); err != nil {
			return err
		}
		if err := b.delete(key{kind: 't', id: id}); err != nil {
			return err
		}
	}
	for location := range locations {
		if err := b.dropSnapshot(location); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) erasePersonal(id int64, locations map[int]bool) error {
	found, err := b.keysOf(key{kind: 'o', id: id}, 1)
	if err != nil {
		return err
	}
	for _, k := range found {
		locations[k.location] = true
		part := key{kind: 'r', location: k.location, num: k.num, part: partPersonal}
		// A mark and not a deletion: a payload that is merely missing is damage.
		if err := b.set(part, []byte{personalErased}); err != nil {
			return err
		}
		if err := b.delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) eraseResults(id int64) error {
	found, err := b.keysOf(key{kind: 'j', id: id}, 1)
	if err != nil {
		return err
	}
	for _, k := range found {
		if err := b.delete(k); err != nil {
			return err
		}
		r, err := getResult(b.txn, k.rest)
		if errors.Is(err, ErrNotFound) || (err == nil && r.ticket != id) {
			continue // the key was used again, for another ticket
		}
		if err != nil {
			return err
		}
		r.value = nil // that the key was used stays known: a retry must not happen again
		if err := b.set(key{kind: 'i', rest: k.rest}, appendResult(make([]byte, 0, 20), r)); err != nil {
			return err
		}
	}
	return nil
}

// dropSnapshot deletes a location's snapshot: it holds what was erased.
func (b *batch) dropSnapshot(location int) error {
	chunks, err := b.keysOf(key{kind: 'S', location: location}, 1)
	if err != nil {
		return err
	}
	for _, k := range append(chunks, key{kind: 's', location: location}) {
		if err := b.delete(k); err != nil {
			return err
		}
	}
	return nil
}

// keysOf lists the keys that agree with k in its first fields, the batch's own
// writes included.
func (b *batch) keysOf(k key, fields int) ([]key, error) {
	var out []key
	err := scanKeys(b.txn, k.appendPrefix(nil, fields), func(k key, _ *badger.Item) (bool, error) {
		out = append(out, k)
		return true, nil
	})
	return out, err
}
