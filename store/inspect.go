package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	badger "github.com/dgraph-io/badger/v4"
)

// maxProblems ends an inspection: who has so many needs a backup, not a list.
const maxProblems = 100

// errEnough ends an inspection early.
var errEnough = errors.New("store: too many problems to go on")

// Inspect checks everything: the engine's tables, every journal from its first
// record with the personal payloads, every snapshot, every ticket and its index
// entries, every document and idempotency result, and that an erasure would find
// all it has to. It names all that is wrong and not only the first, and gives look
// a store that can be read for checks of its own; look may be nil. A problem is
// one line for people. Erasures that a crash has cut short are finished first,
// exactly as a start would.
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
	i := &inspection{s: s, ctx: ctx, most: maxProblems}
	err = i.all(look)
	if errors.Is(err, errEnough) {
		i.problems, err = append(i.problems, err), nil
	}
	if closing := s.Close(); err == nil && closing != nil {
		err = closing
	}
	return i.problems, err
}

// inspection is a check of everything under way.
type inspection struct {
	s        *Badger
	ctx      context.Context
	most     int // as many problems end it
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
	if i.problems = append(i.problems, err); len(i.problems) >= i.most {
		return errEnough
	}
	return nil
}

func (i *inspection) all(look func(Store, func(error)) error) error {
	if err := i.tables(); err != nil {
		return err
	}
	if len(i.problems) == 0 { // damaged data is left as it is
		if err := i.guarded(i.s.resumeErasures); err != nil {
			return err
		}
	}
	if err := i.data(); err != nil || look == nil {
		return err
	}
	enough := false
	return i.guarded(func() error {
		return look(i.s, func(e error) {
			if !enough {
				i.problems = append(i.problems, e)
				enough = len(i.problems) >= i.most
			}
		})
	})
}

// tables reads the engine's tables.
func (i *inspection) tables() error { return i.found(i.s.checkTables()) }

// data reads what the tables hold, as of one moment.
func (i *inspection) data() error {
	return i.s.view(func(txn *badger.Txn) error {
		for _, part := range []func(*badger.Txn) error{i.journals, i.tickets, i.owners, i.values, i.results} {
			if err := i.guarded(func() error { return part(txn) }); err != nil {
				return err
			}
		}
		return nil
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

// tickets checks every version and its index entries, and that there are no others.
func (i *inspection) tickets(txn *badger.Txn) error {
	known := make(map[byte]int) // index entries that are some ticket's
	err := scanKeys(txn, []byte(PrefixTicket), func(k key, item *badger.Item) (bool, error) {
		var v TicketVersion
		err := item.Value(func(b []byte) (err error) {
			v, err = readTicket(k.id, b)
			return err
		})
		if err != nil {
			return true, i.found(corrupt(item.Key(), err.Error()))
		}
		for _, ik := range stateOf(&v).indexKeys(k.id) {
			if ik.kind == 0 {
				continue
			}
			there, err := indexed(txn, ik, v.Index)
			if there {
				known[ik.kind]++
			}
			if err := i.found(err); err != nil {
				return false, err
			}
		}
		return true, i.ctx.Err()
	})
	if err = i.found(err); err != nil {
		return err
	}
	for _, prefix := range []string{PrefixStatus, PrefixCreated, PrefixCalled, PrefixServed, PrefixLive} {
		err := i.others(txn, prefix, known[prefix[1]], "is no ticket's", func(k key) bool {
			v, err := getTicket(txn, k.id)
			if err != nil {
				return !errors.Is(err, ErrNotFound) // who it was cannot be read, and that was told
			}
			keys := stateOf(&v).indexKeys(k.id)
			return slices.Contains(keys[:], k)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stateOf says where a version's index entries are.
func stateOf(v *TicketVersion) ticketState {
	return ticketState{there: true, location: v.Location, index: v.Index}
}

// indexed says whether an index entry is there, and what is wrong when it is not
// or does not say what the ticket says.
func indexed(txn *badger.Txn, k key, want Index) (there bool, err error) {
	at := k.append(nil)
	var got Index
	err = get(txn, at, func(v []byte) (err error) {
		if k.kind != 'l' { // that one's key says everything
			got, _, err = readIndex(v)
		}
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return false, corrupt(at, "is missing")
	case err == nil && k.kind != 'l' && !sameIndex(got, want):
		err = corrupt(at, "does not say what its ticket says")
	}
	return true, err
}

// others checks that the known keys with a prefix are all there are. It counts
// them, for a list of all would not fit into memory beside the tickets of years,
// and looks at each only when there are more.
func (i *inspection) others(txn *badger.Txn, prefix string, known int, what string, belongs func(key) bool) error {
	n := 0
	err := scanKeys(txn, []byte(prefix), func(key, *badger.Item) (bool, error) {
		n++
		return true, i.ctx.Err()
	})
	if err == nil && n == known || err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	return i.found(scanKeys(txn, []byte(prefix), func(k key, item *badger.Item) (bool, error) {
		if !belongs(k) {
			return true, i.found(corrupt(item.Key(), what))
		}
		return true, i.ctx.Err()
	}))
}

// owners checks that an erasure would find every personal payload: what has one
// is listed under its ticket, and what is listed has one.
func (i *inspection) owners(txn *badger.Txn) error {
	known := 0 // payloads that are listed
	var facts key
	var ticket int64 // of the record with these facts
	err := scanKeys(txn, []byte(PrefixRecord), func(k key, item *badger.Item) (bool, error) {
		if k.part == partFacts { // comes right before the payload
			facts = k
			if err := item.Value(func(v []byte) (err error) { ticket, err = ticketOf(v); return err }); err != nil {
				facts = key{} // journals has told of it
			}
			return true, i.ctx.Err()
		}
		if facts.location != k.location || facts.num != k.num {
			return true, i.found(corrupt(item.Key(), "belongs to no record"))
		}
		there := false
		if err := item.Value(func(v []byte) error { there = isThere(v); return nil }); err != nil {
			return false, err
		}
		if !there || ticket == 0 {
			return true, i.ctx.Err()
		}
		if _, err := txn.Get(key{kind: 'o', id: ticket, location: k.location, num: k.num}.append(nil)); err != nil {
			return true, i.found(corrupt(item.Key(), "would survive its ticket's erasure"))
		}
		known++
		return true, i.ctx.Err()
	})
	if err = i.found(err); err != nil {
		return err
	}
	return i.others(txn, PrefixPersonal, known, "lists a payload that its ticket does not have", func(k key) bool {
		at := key{kind: 'r', location: k.location, num: k.num, part: partFacts}
		var ticket int64
		there := false
		err := get(txn, at.append(nil), func(v []byte) (err error) { ticket, err = ticketOf(v); return err })
		if err == nil {
			at.part = partPersonal
			err = get(txn, at.append(nil), func(v []byte) error { there = isThere(v); return nil })
		}
		return err == nil && there && ticket == k.id
	})
}

// ticketOf is the ticket of a stored record, 0 when it is no ticket's.
func ticketOf(v []byte) (int64, error) {
	r, err := readRecord(v)
	if err != nil {
		return 0, err
	}
	return r.ticket(), nil
}

// isThere says of a stored payload that it is not erased.
func isThere(v []byte) bool { return len(v) > 0 && v[0] == personalThere }

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
		// Damage is told of by values; what is too old is given to nobody and on its
		// way out.
		if err != nil || i.s.opt.Clock().Sub(r.at) > ResultTTL {
			return true, i.ctx.Err()
		}
		own := key{kind: 'j', id: r.ticket, rest: k.rest}.append(nil)
		if _, err := txn.Get(own); err != nil && r.ticket != 0 && len(r.value) > 0 {
			return true, i.found(corrupt(item.Key(), "would survive its ticket's erasure"))
		}
		return true, i.ctx.Err()
	})
	return i.found(err)
}
