package store

import (
	badger "github.com/dgraph-io/badger/v4"
)

// erase takes a ticket's personal payload away, as far as it was written before
// this Change, in earlier commits or earlier in this one. It adds the locations
// that the ticket was in.
func (b *batch) erase(id int64, locations map[int]bool) error {
	if b.s.opt.Fault != nil {
		b.keys = append(b.keys, []byte(MarkErase))
	}
	found, err := b.keysOfTicket(id)
	if err != nil {
		return err
	}
	for _, k := range found {
		if k.kind == 'o' {
			locations[k.location] = true
		}
	}
	if err := b.eraseKeys(id, found); err != nil {
		return err
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
