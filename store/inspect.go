package store

import (
	"context"
	"errors"
	"fmt"

	badger "github.com/dgraph-io/badger/v4"
)

// maxProblems ends an inspection: who has so many needs a backup, not a list.
const maxProblems = 100

// errEnough ends an inspection early.
var errEnough = errors.New("store: too many problems to go on")

// Inspect checks everything that Verify does and more, names all that is wrong
// and not only the first, and gives look a store that can be read for checks of
// its own; look may be nil. A problem is one line for people. Opening the folder
// finishes what a crash has left, exactly as a start would.
//
// The error says why the data could not be looked at; with problems it is nil.
func Inspect(ctx context.Context, o Options, look func(s Store, problem func(error)) error) (problems []error, err error) {
	s, err := open(o, false)
	if errors.Is(err, ErrCorrupt) {
		return []error{err}, nil // nothing more can be seen
	}
	if err != nil {
		return nil, err
	}
	i := &inspection{s: s, ctx: ctx}
	err = i.all(look)
	if errors.Is(err, errEnough) {
		i.problems, err = append(i.problems, err), nil
	}
	if closing := s.Close(); err == nil && closing != nil {
		err = closing
	}
	return i.problems, err
}

type inspection struct {
	s        *Badger
	ctx      context.Context
	problems []error
}

// found notes a problem. Any other error, and too many problems, end the inspection.
func (i *inspection) found(err error) error {
	switch {
	case err == nil:
		return i.ctx.Err()
	case !errors.Is(err, ErrCorrupt):
		return err
	}
	if i.problems = append(i.problems, err); len(i.problems) >= maxProblems {
		return errEnough
	}
	return nil
}

func (i *inspection) all(look func(Store, func(error)) error) error {
	if err := i.found(i.s.checkTables()); err != nil {
		return err
	}
	if len(i.problems) == 0 { // damaged data is left as it is
		if err := i.guarded(i.s.resumeErasures); err != nil {
			return err
		}
	}
	err := i.s.view(func(txn *badger.Txn) error {
		for _, part := range []func(*badger.Txn) error{i.journals, i.tickets, i.owners, i.values, i.results} {
			if err := i.guarded(func() error { return part(txn) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || look == nil {
		return err
	}
	enough := false
	return i.guarded(func() error {
		return look(i.s, func(e error) {
			if !enough {
				i.problems = append(i.problems, e)
				enough = len(i.problems) >= maxProblems
			}
		})
	})
}

// guarded turns the engine's panics over damaged tables into a problem.
func (i *inspection) guarded(part func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = i.found(fmt.Errorf("%w: %v", ErrCorrupt, p))
		}
	}()
	return i.found(part())
}

// journals checks each journal from its first record, its live tickets, and its
// snapshot, which must not be from before an erasure.
func (i *inspection) journals(txn *badger.Txn) error {
	heads := make(map[int]headState)
	err := i.found(scanHeads(txn, func(location int, h headState) error {
		heads[location] = h
		return nil
	}))
	if err != nil {
		return err
	}
	if err := i.found(checkHeadless(txn, heads)); err != nil {
		return err
	}
	for location, h := range heads {
		err := i.found(scanRecords(txn, location, 1, true, func(Record) bool { return i.ctx.Err() == nil }))
		if err == nil {
			err = i.found(scanLive(txn, location, func(TicketVersion) bool { return i.ctx.Err() == nil }))
		}
		if err == nil {
			err = i.found(verifySnapshot(txn, location))
		}
		if m, missing := getSnapshot(txn, location); err == nil && missing == nil && (m.offset < h.floor || m.offset > h.Offset) {
			err = i.found(corrupt(key{kind: 's', location: location}.append(nil),
				fmt.Sprintf("at %d, the last erasure was at %d and the journal ends at %d", m.offset, h.floor, h.Offset)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tickets checks every version, and the indexes in both directions.
func (i *inspection) tickets(txn *badger.Txn) error {
	want := make(map[string]bool) // index keys that some ticket has
	err := scanKeys(txn, []byte(PrefixTicket), func(k key, item *badger.Item) (bool, error) {
		var v TicketVersion
		err := item.Value(func(b []byte) (err error) {
			v, err = readTicket(k.id, b)
			return err
		})
		if err != nil {
			return true, i.found(corrupt(item.Key(), err.Error()))
		}
		st := ticketState{there: true, location: v.Location, index: v.Index}
		for _, ik := range st.indexKeys(k.id) {
			if ik.kind == 0 {
				continue
			}
			at := ik.append(nil)
			want[string(at)] = true
			if err := i.found(indexed(txn, ik, at, v.Index)); err != nil {
				return false, err
			}
		}
		return true, i.ctx.Err()
	})
	if err = i.found(err); err != nil {
		return err
	}
	for _, prefix := range []string{PrefixStatus, PrefixCreated, PrefixCalled, PrefixServed, PrefixLive} {
		err := scanKeys(txn, []byte(prefix), func(_ key, item *badger.Item) (bool, error) {
			if !want[string(item.Key())] {
				return true, i.found(corrupt(item.Key(), "is no ticket's"))
			}
			return true, i.ctx.Err()
		})
		if err = i.found(err); err != nil {
			return err
		}
	}
	return nil
}

// indexed says whether an index entry is there and says what the ticket says.
func indexed(txn *badger.Txn, k key, at []byte, want Index) error {
	err := get(txn, at, func(v []byte) error {
		if k.kind == 'l' {
			return nil
		}
		got, _, err := readIndex(v)
		if err == nil && !sameIndex(got, want) {
			err = errValue
		}
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return corrupt(at, "is missing")
	}
	return err
}

// owners checks that an erasure would find every personal payload: what has one
// is listed under its ticket, and what is listed has one.
func (i *inspection) owners(txn *badger.Txn) error {
	err := scanKeys(txn, []byte(PrefixRecord), func(k key, item *badger.Item) (bool, error) {
		if k.part != partPersonal {
			return true, i.ctx.Err()
		}
		there := false
		if err := item.Value(func(v []byte) error { there = len(v) > 0 && v[0] == personalThere; return nil }); err != nil {
			return false, err
		}
		return true, i.found(owned(txn, k, there))
	})
	if err = i.found(err); err != nil {
		return err
	}
	err = scanKeys(txn, []byte(PrefixPersonal), func(k key, item *badger.Item) (bool, error) {
		part := key{kind: 'r', location: k.location, num: k.num, part: partPersonal}.append(nil)
		err := get(txn, part, func(v []byte) error {
			if len(v) == 0 || v[0] != personalThere {
				return errValue
			}
			return nil
		})
		if err != nil {
			err = corrupt(item.Key(), "lists a payload that is not there")
		}
		return true, i.found(err)
	})
	return i.found(err)
}

func owned(txn *badger.Txn, k key, there bool) error {
	head := k
	head.part = partFacts
	var ticket int64
	err := get(txn, head.append(nil), func(v []byte) error {
		st, err := readRecord(v)
		if err == nil {
			ticket = st.record(k.location, k.num).Ticket
		}
		return err
	})
	if err != nil {
		return corrupt(k.append(nil), "belongs to no record")
	}
	if ticket == 0 {
		return nil
	}
	own := key{kind: 'o', id: ticket, location: k.location, num: k.num}.append(nil)
	_, err = txn.Get(own)
	switch listed := err == nil; {
	case there && !listed:
		return corrupt(k.append(nil), "would survive its ticket's erasure")
	case !there && listed:
		return corrupt(own, "lists what was erased")
	}
	return nil
}

// values checks the checksums of what is read whole.
func (i *inspection) values(txn *badger.Txn) error {
	for _, prefix := range []string{PrefixEntry, PrefixResult, PrefixDoc} {
		err := scanKeys(txn, []byte(prefix), func(_ key, item *badger.Item) (bool, error) {
			if err := item.Value(func(v []byte) error { _, err := unseal(v); return err }); err != nil {
				return true, i.found(corrupt(item.Key(), err.Error()))
			}
			return true, i.ctx.Err()
		})
		if err = i.found(err); err != nil {
			return err
		}
	}
	return nil
}

// results checks that an erasure would find every idempotency result of its
// ticket that has a value.
func (i *inspection) results(txn *badger.Txn) error {
	err := scanKeys(txn, []byte(PrefixResult), func(k key, item *badger.Item) (bool, error) {
		r, err := getResult(txn, k.rest)
		if err != nil {
			return true, i.ctx.Err() // values has told of it
		}
		own := key{kind: 'j', id: r.ticket, rest: k.rest}.append(nil)
		if _, err := txn.Get(own); err != nil && r.ticket != 0 && len(r.value) > 0 {
			return true, i.found(corrupt(item.Key(), "would survive its ticket's erasure"))
		}
		return true, i.ctx.Err()
	})
	return i.found(err)
}
