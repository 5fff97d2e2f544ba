// Package memlog is the store in memory: the same contract as on disk, for
// tests and simulations. Nothing outlives the process.
package memlog

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nowserving/nowserving/store"
)

// Options of a store in memory. Only Clock is needed.
type Options struct {
	Clock func() time.Time // tells the age of idempotency results
	// NewEpoch names a new journal; nil numbers them.
	NewEpoch func() string
	// Ready is asked before every commit; nil means always ready. Return
	// store.ErrFull to act out a full disk.
	Ready func() error
	// Fault is nil except in tests of failed commits.
	Fault *store.Fault
}

// Log is the store in memory. Make one with New.
type Log struct {
	opt Options

	mu        sync.RWMutex // protects the rest; iterations work on a copy
	locations map[int]*journal
	tickets   map[int64]store.TicketVersion
	entries   map[int64]map[uint64][]byte
	docs      map[string]map[string][]byte
	results   map[string]result
	epochs    int
	failed    error
	closed    bool
}

// journal is one location.
type journal struct {
	head     store.Head
	records  []store.Record
	snapshot []byte
	offset   uint64 // of the snapshot
	floor    uint64 // head offset after the last erasure
}

type result struct {
	store.Result
	at time.Time
}

// New makes an empty store.
func New(o Options) *Log {
	return &Log{
		opt:       o,
		locations: make(map[int]*journal),
		tickets:   make(map[int64]store.TicketVersion),
		entries:   make(map[int64]map[uint64][]byte),
		docs:      make(map[string]map[string][]byte),
		results:   make(map[string]result),
	}
}

// Commit takes changes in one step.
func (l *Log) Commit(changes []store.Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil && !isFull(err) {
		return err
	}
	if err := store.Validate(changes); err != nil {
		return err
	}
	if err := l.checkOrder(changes); err != nil {
		return err
	}
	if err := l.ready(); err != nil {
		return err
	}
	var keys [][]byte
	for i := range changes {
		keys = append(keys, store.ChangeKeys(&changes[i])...)
	}
	return l.faulty(keys, func() {
		for i := range changes {
			l.apply(&changes[i])
		}
	})
}

// faulty does what a fault leaves of a commit.
func (l *Log) faulty(keys [][]byte, commit func()) error {
	mode := l.opt.Fault.Next(keys)
	if mode != store.FailBefore {
		commit()
	}
	if mode != store.NoFault {
		l.failed = store.ErrInjected
		return l.failed
	}
	return nil
}

func (l *Log) ready() error {
	switch {
	case l.closed:
		return store.ErrClosed
	case l.failed != nil:
		return fmt.Errorf("stopped by an earlier failure: %w", l.failed)
	case l.opt.Ready != nil:
		return l.opt.Ready()
	}
	return nil
}

func (l *Log) checkOrder(changes []store.Change) error {
	next := make(map[int]uint64)
	for i := range changes {
		for _, r := range changes[i].Records {
			head, ok := next[r.Location]
			if !ok {
				head = l.head(r.Location).Offset
			}
			if r.Offset != head+1 {
				return fmt.Errorf("%w: location %d is at %d, record has %d", store.ErrOutOfOrder, r.Location, head, r.Offset)
			}
			next[r.Location] = r.Offset
		}
	}
	return nil
}

func (l *Log) apply(c *store.Change) {
	erased := make(map[int]bool)
	for _, id := range c.Erase {
		l.erase(id, erased)
	}
	for _, r := range c.Records {
		j := l.journal(r.Location)
		if j.head.Offset == 0 {
			j.head.Epoch = l.newEpoch()
		}
		r.Time = utc(r.Time)
		r.Facts, r.Personal = kept(r.Facts), kept(r.Personal)
		j.records = append(j.records, r)
		j.head.Offset, j.head.Hash = r.Offset, store.Hashes(j.head.Hash, r)
	}
	for _, v := range c.Tickets {
		v.Doc = bytes.Clone(v.Doc)
		v.Index.Created, v.Index.Called, v.Index.Served = utc(v.Index.Created), utc(v.Index.Called), utc(v.Index.Served)
		l.tickets[v.ID] = v
	}
	for _, e := range c.Entries {
		if l.entries[e.Ticket] == nil {
			l.entries[e.Ticket] = make(map[uint64][]byte)
		}
		l.entries[e.Ticket][e.Seq] = bytes.Clone(e.Doc)
	}
	for _, d := range c.Docs {
		if l.docs[d.Kind] == nil {
			l.docs[d.Kind] = make(map[string][]byte)
		}
		if d.Value == nil {
			delete(l.docs[d.Kind], d.Key)
		} else {
			l.docs[d.Kind][d.Key] = bytes.Clone(d.Value)
		}
	}
	if r := c.Result; r != nil {
		l.results[r.Key] = result{store.Result{Key: r.Key, Ticket: r.Ticket, Value: bytes.Clone(r.Value)}, l.opt.Clock()}
	}
	for location := range erased {
		j := l.journal(location)
		j.floor = j.head.Offset
	}
}

// erase takes a ticket's personal payload away and adds its locations.
func (l *Log) erase(id int64, locations map[int]bool) {
	for location, j := range l.locations {
		// Iterations under way hold the old slice, so the records are replaced.
		var changed []store.Record
		for i := range j.records {
			if r := &j.records[i]; r.Ticket == id && r.Personal != nil {
				if changed == nil {
					changed = slices.Clone(j.records)
				}
				changed[i].Personal, changed[i].Erased = nil, true
			}
		}
		if changed != nil {
			j.records = changed
			locations[location] = true
		}
	}
	if v, ok := l.tickets[id]; ok {
		locations[v.Location] = true
		delete(l.tickets, id)
	}
	delete(l.entries, id)
	for k, r := range l.results {
		if r.Ticket == id { // that the key was used stays known
			r.Value = nil
			l.results[k] = r
		}
	}
	for location := range locations {
		j := l.journal(location)
		j.snapshot, j.offset = nil, 0
	}
}

func (l *Log) journal(location int) *journal {
	j := l.locations[location]
	if j == nil {
		j = &journal{}
		l.locations[location] = j
	}
	return j
}

func (l *Log) head(location int) store.Head {
	if j := l.locations[location]; j != nil {
		return j.head
	}
	return store.Head{}
}

func (l *Log) newEpoch() string {
	if l.opt.NewEpoch != nil {
		return l.opt.NewEpoch()
	}
	l.epochs++
	return "m" + strconv.Itoa(l.epochs)
}

// utc is t as a store on disk gives it back: no zone, no monotonic reading.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

// kept is a copy of p, nil when it is empty.
func kept(p []byte) []byte {
	if len(p) == 0 {
		return nil
	}
	return bytes.Clone(p)
}
