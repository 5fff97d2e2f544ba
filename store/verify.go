package store

import (
	"context"
	"errors"
	"fmt"

	badger "github.com/dgraph-io/badger/v4"
)

const (
	// auditRecords is how many records of a journal opening checks at most: more
	// than the logs that a crash can leave hold, so few that it takes moments.
	auditRecords = 100_000
	// auditBytes is up to how large the tables are checked whole when opening;
	// above it RunGC does it first.
	auditBytes = 256 << 20
)

// audit loads the heads and checks that each is where its journal ends, that
// the records before it form a chain, and that no live ticket is missing.
func (s *Badger) audit() (err error) {
	defer func() {
		// The engine's answer to damaged tables, where it notices.
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	lsm, _ := s.db.Size()
	if s.unchecked = lsm > auditBytes; !s.unchecked {
		if err := s.checkTables(); err != nil {
			return err
		}
	}
	return s.db.View(func(txn *badger.Txn) error {
		err := scanHeads(txn, func(location int, h headState) error {
			s.heads[location] = h
			return nil
		})
		if err != nil {
			return err
		}
		for location, h := range s.heads {
			if err := auditLocation(txn, location, h); err != nil {
				return err
			}
		}
		return checkHeadless(txn, s.heads)
	})
}

func auditLocation(txn *badger.Txn, location int, h headState) error {
	m, err := getSnapshot(txn, location)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if m.offset > h.Offset {
		return corrupt(key{kind: 's', location: location}.append(nil), "is behind the journal's end")
	}
	from := max(m.offset, 1)
	if h.Offset > auditRecords {
		from = max(from, h.Offset-auditRecords)
	}
	if err := scanRecords(txn, location, from, false, func(Record) bool { return true }); err != nil {
		return err
	}
	return scanLive(txn, location, func(TicketVersion) bool { return true })
}

// checkHeadless finds journals whose head is missing: their first record is there.
func checkHeadless(txn *badger.Txn, heads map[int]headState) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(PrefixRecord)})
	defer it.Close()
	for it.Rewind(); it.Valid(); {
		k, err := parseKey(it.Item().Key())
		if err != nil {
			return corrupt(it.Item().Key(), err.Error())
		}
		if heads[k.location].Offset == 0 {
			return corrupt(it.Item().Key(), "has no head")
		}
		if k.location == maxLocation {
			break
		}
		it.Seek(key{kind: 'r', location: k.location + 1}.appendPrefix(nil, 1))
	}
	return nil
}

// checkTables reads every table whole: checksums of the engine's blocks.
func (s *Badger) checkTables() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: tables: %v", ErrCorrupt, p)
		}
	}()
	if err := s.db.VerifyChecksum(); err != nil {
		return fmt.Errorf("%w: tables: %w", ErrCorrupt, err)
	}
	return nil
}

// Verify checks all that Inspect does, except that the store is in use and it
// ends at the first damage it finds: it reads all data and stops commits then.
func (s *Badger) Verify(ctx context.Context) error {
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	i := &inspection{s: s, ctx: ctx, most: 1}
	err := i.tables()
	if err == nil {
		err = i.data()
	}
	if len(i.problems) > 0 {
		return s.fail(i.problems[0])
	}
	return err
}

func verifySnapshot(txn *badger.Txn, location int) error {
	m, err := getSnapshot(txn, location)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = readChunks(txn, location, m)
	}
	return err
}
