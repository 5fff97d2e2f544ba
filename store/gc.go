package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	badger "github.com/dgraph-io/badger/v4"
)

const (
	// gcEvery is how often RunGC looks for what may go.
	gcEvery = 10 * time.Minute
	// verifyEvery is how often RunGC checks everything: bit rot is slow.
	verifyEvery = 24 * time.Hour
	// discardRatio: a value log file is rewritten when half of it is garbage.
	discardRatio = 0.5
	// purgeBatch results go in one transaction, so that commits hardly wait.
	purgeBatch = 500
)

// RunGC deletes what is no longer needed (old idempotency results, garbage in
// the value log) and verifies everything, some minutes after the start and then
// once a day. It blocks until ctx is done or the store is closed, and returns nil
// then; any other error is a failure after which the node must stop.
func (s *Badger) RunGC(ctx context.Context) error {
	tick := time.NewTicker(gcEvery)
	defer tick.Stop()
	var verified time.Time
	for {
		err := s.collectGarbage(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, ErrClosed):
			return nil
		case errors.Is(err, ErrFull):
			s.opt.Log.Warn().Err(err).Msg("no room to collect garbage")
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.gate.stop:
			return nil
		case <-tick.C:
		}
		if now := s.opt.Clock(); verified.IsZero() || now.Sub(verified) >= verifyEvery {
			verified = now
			if err := s.Verify(ctx); err != nil && !errors.Is(err, ErrClosed) && ctx.Err() == nil {
				return err
			}
		}
	}
}

func (s *Badger) collectGarbage(ctx context.Context) error {
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	if s.unchecked {
		if err := s.checkTables(); err != nil {
			return s.fail(err)
		}
		s.unchecked = false
	}
	if err := s.purgeResults(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := s.db.RunValueLogGC(discardRatio)
		if errors.Is(err, badger.ErrNoRewrite) || errors.Is(err, badger.ErrRejected) {
			return nil
		}
		if err != nil {
			return s.fail(fmt.Errorf("store: collect value log: %w", err))
		}
	}
	return nil
}

// purgeResults deletes idempotency results older than ResultTTL. What is old is
// decided once: a result that outlives its note under the ticket would be missed
// by the ticket's erasure.
func (s *Badger) purgeResults(ctx context.Context) error {
	oldest := stamp(s.opt.Clock().Add(-ResultTTL))
	for _, prefix := range []string{PrefixResult, PrefixTicketResult} {
		from := []byte(prefix)
		for from != nil && ctx.Err() == nil {
			err := s.write(func(b *batch) (err error) {
				from, err = b.purge([]byte(prefix), from, oldest)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// purge deletes old results from a key on and returns where to go on, or nil. It
// looks at no more than a few thousand, for commits wait meanwhile: a result
// that is written again at this moment must not be deleted.
func (b *batch) purge(prefix, from []byte, oldest uint64) (next []byte, err error) {
	var old [][]byte
	seen := 0
	err = scanFrom(b.txn, prefix, from, func(_ key, item *badger.Item) (bool, error) {
		next = item.KeyCopy(nil)
		if seen++; seen > 8*purgeBatch || len(old) >= purgeBatch {
			return false, nil
		}
		err := item.Value(func(v []byte) error {
			if len(v) < 8 {
				return corrupt(item.Key(), "is too short")
			}
			if binary.BigEndian.Uint64(v) < oldest {
				old = append(old, item.KeyCopy(nil))
			}
			return nil
		})
		next = nil
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if len(old) > 0 && b.s.opt.Fault != nil {
		b.keys = append(b.keys, []byte(MarkPurge))
	}
	for _, k := range old {
		if err := b.deleteBytes(k); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// flushKey is dropped by Collect; it is in no keyspace version.
const flushKey = "\x00flush"

// Collect makes erased bytes really go: it writes the memory tables out and
// merges all tables, so that deleted and replaced values are left behind and
// their files removed. Commits wait meanwhile, and so do reads for a moment; it
// takes as long as rewriting all data.
func (s *Badger) Collect() error {
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	// The engine flushes its memory only when it drops keys that exist.
	err := s.write(func(b *batch) error { return b.setBytes([]byte(flushKey), nil) })
	if err != nil {
		return err
	}
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if err := s.failure(); err != nil {
		return err
	}
	s.keeper.pause()
	defer s.keeper.resume()
	if err := s.db.DropPrefix([]byte(flushKey)); err != nil {
		return s.fail(fmt.Errorf("store: collect: %w", err))
	}
	s.opt.Fault.at(PointCollectDropped)
	// A read that begins and ends tells the engine that no one looks at older
	// versions any more.
	if err := s.db.View(func(*badger.Txn) error { return nil }); err != nil {
		return s.fail(fmt.Errorf("store: collect: %w", err))
	}
	if err := s.db.Flatten(1); err != nil {
		return fmt.Errorf("store: collect: %w", err)
	}
	s.opt.Fault.at(PointCollectFlattened)
	return nil
}
