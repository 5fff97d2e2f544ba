package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	badger "github.com/dgraph-io/badger/v4"
)

// view reads in one transaction: all of a commit or nothing of it.
func (s *Badger) view(read func(txn *badger.Txn) error) error {
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	return s.db.View(read)
}

// corrupt names the key that cannot be trusted.
func corrupt(k []byte, what string) error {
	return fmt.Errorf("%w: %s: %s", ErrCorrupt, FormatKey(k), what)
}

// get hands a key's value to read, which must not keep it.
func get(txn *badger.Txn, k []byte, read func(value []byte) error) error {
	item, err := txn.Get(k)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("store: read %s: %w", FormatKey(k), err)
	}
	if err := item.Value(read); err != nil {
		if errors.Is(err, errValue) {
			return corrupt(k, "checksum does not match")
		}
		return fmt.Errorf("store: read %s: %w", FormatKey(k), err)
	}
	return nil
}

// scanKeys visits the keys with prefix, in order, until visit says stop.
func scanKeys(txn *badger.Txn, prefix []byte, visit func(k key, item *badger.Item) (bool, error)) error {
	return scanFrom(txn, prefix, prefix, visit)
}

func scanFrom(txn *badger.Txn, prefix, from []byte, visit func(k key, item *badger.Item) (bool, error)) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Seek(from); it.Valid(); it.Next() {
		item := it.Item()
		k, err := parseKey(item.Key())
		if err != nil {
			return corrupt(item.Key(), err.Error())
		}
		if more, err := visit(k, item); !more || err != nil {
			return err
		}
	}
	return nil
}

// Head is a location's journal end.
func (s *Badger) Head(location int) (Head, error) {
	var h headState
	err := s.view(func(txn *badger.Txn) (err error) {
		h, err = getHead(txn, location)
		return err
	})
	return h.Head, err
}

// getHead is the zero state for a location that has none.
func getHead(txn *badger.Txn, location int) (h headState, err error) {
	err = get(txn, key{kind: 'h', location: location}.append(nil), func(v []byte) (err error) {
		h, err = readHead(v)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return headState{}, nil
	}
	return h, err
}

// Locations lists the locations that have a journal.
func (s *Badger) Locations() ([]int, error) {
	var out []int
	err := s.view(func(txn *badger.Txn) error {
		return scanHeads(txn, func(location int, h headState) error {
			if h.Offset > 0 {
				out = append(out, location)
			}
			return nil
		})
	})
	return out, err
}

func scanHeads(txn *badger.Txn, visit func(location int, h headState) error) error {
	return scanKeys(txn, []byte(PrefixHead), func(k key, item *badger.Item) (bool, error) {
		var h headState
		err := item.Value(func(v []byte) (err error) {
			h, err = readHead(v)
			return err
		})
		if err != nil {
			return false, corrupt(item.Key(), err.Error())
		}
		return true, visit(k.location, h)
	})
}

// Ticket is the newest version of a ticket.
func (s *Badger) Ticket(id int64) (TicketVersion, error) {
	var v TicketVersion
	err := s.view(func(txn *badger.Txn) (err error) {
		v, err = getTicket(txn, id)
		return err
	})
	return v, err
}

func getTicket(txn *badger.Txn, id int64) (v TicketVersion, err error) {
	err = get(txn, key{kind: 't', id: id}.append(nil), func(value []byte) (err error) {
		v, err = readTicket(id, bytes.Clone(value))
		return err
	})
	return v, err
}

// Live yields the newest version of every live ticket of a location.
func (s *Badger) Live(location int) iter.Seq2[TicketVersion, error] {
	return func(yield func(TicketVersion, error) bool) {
		err := s.view(func(txn *badger.Txn) error {
			return scanLive(txn, location, func(v TicketVersion) bool { return yield(v, nil) })
		})
		if err != nil {
			yield(TicketVersion{}, err)
		}
	}
}

// scanLive visits the live tickets and compares their number with what the head
// says: the ledger must not start on fewer than there are.
func scanLive(txn *badger.Txn, location int, visit func(TicketVersion) bool) error {
	h, err := getHead(txn, location)
	if err != nil {
		return err
	}
	prefix := key{kind: 'l', location: location}.appendPrefix(nil, 1)
	found, stopped := uint64(0), false
	err = scanKeys(txn, prefix, func(k key, item *badger.Item) (bool, error) {
		v, err := getTicket(txn, k.id)
		if errors.Is(err, ErrNotFound) || (err == nil && (v.Location != location || !v.Index.Live)) {
			return false, corrupt(item.Key(), "the ticket is not live there")
		}
		if err != nil {
			return false, err
		}
		found++
		stopped = !visit(v)
		return !stopped, nil
	})
	if err == nil && !stopped && found != h.live {
		err = corrupt(prefix, fmt.Sprintf("%d live tickets of %d", found, h.live))
	}
	return err
}

// Entries yields entries of a ticket's conversation.
func (s *Badger) Entries(ticket int64, seq uint64, limit int, newestFirst bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := s.view(func(txn *badger.Txn) error {
			return scanEntries(txn, ticket, seq, limit, newestFirst, yield)
		})
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

func scanEntries(txn *badger.Txn, ticket int64, seq uint64, limit int, newestFirst bool,
	yield func(Entry, error) bool) error {
	if newestFirst && seq == 0 {
		seq = 1<<64 - 1
	}
	k := key{kind: 'e', id: ticket, num: seq}
	it := txn.NewIterator(badger.IteratorOptions{Prefix: k.appendPrefix(nil, 1), Reverse: newestFirst})
	defer it.Close()
	n := 0
	for it.Seek(k.append(nil)); it.Valid() && (limit == 0 || n < limit); it.Next() {
		item := it.Item()
		k, err := parseKey(item.Key())
		if err != nil {
			return corrupt(item.Key(), err.Error())
		}
		e := Entry{Ticket: ticket, Seq: k.num}
		err = item.Value(func(v []byte) (err error) {
			e.Doc, err = unseal(bytes.Clone(v))
			return err
		})
		if err != nil {
			return corrupt(item.Key(), err.Error())
		}
		if n++; !yield(e, nil) {
			return nil
		}
	}
	return nil
}

// Result is what an idempotency key gave.
func (s *Badger) Result(k string) (Result, error) {
	var r storedResult
	err := s.view(func(txn *badger.Txn) (err error) {
		r, err = getResult(txn, k)
		return err
	})
	if err == nil && s.opt.Clock().Sub(r.at) > ResultTTL {
		err = ErrNotFound
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Key: k, Ticket: r.ticket, Value: r.value}, nil
}

func getResult(txn *badger.Txn, k string) (r storedResult, err error) {
	err = get(txn, key{kind: 'i', rest: k}.append(nil), func(v []byte) (err error) {
		r, err = readResult(bytes.Clone(v))
		return err
	})
	return r, err
}

// Doc is one document.
func (s *Badger) Doc(kind, k string) ([]byte, error) {
	if len(kind) > maxText {
		return nil, ErrNotFound
	}
	var out []byte
	err := s.view(func(txn *badger.Txn) error {
		return get(txn, key{kind: 'f', name: kind, rest: k}.append(nil), func(v []byte) (err error) {
			out, err = unseal(bytes.Clone(v))
			return err
		})
	})
	return out, err
}

// Docs yields the documents of a kind.
func (s *Badger) Docs(kind string) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		if len(kind) > maxText {
			return
		}
		prefix := key{kind: 'f', name: kind}.appendPrefix(nil, 1)
		err := s.view(func(txn *badger.Txn) error {
			return scanKeys(txn, prefix, func(k key, item *badger.Item) (bool, error) {
				d := Doc{Kind: kind, Key: k.rest}
				err := item.Value(func(v []byte) (err error) {
					d.Value, err = unseal(bytes.Clone(v))
					return err
				})
				if err != nil {
					return false, corrupt(item.Key(), err.Error())
				}
				return yield(d, nil), nil
			})
		})
		if err != nil {
			yield(Doc{}, err)
		}
	}
}
