package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// Run commits and publishes until ctx ends, then finishes what was accepted and
// stores snapshots. It returns nil after an orderly stop; any error means that
// the process must stop.
func (l *Ledger) Run(ctx context.Context) error {
	published := make(chan struct{})
	go func() { // ends when committed is closed below
		defer close(published)
		for b := range l.committed {
			l.publish(b.group)
			if b.barrier != nil {
				close(b.barrier)
			}
		}
	}()
	err := l.commitLoop(ctx)
	l.stop(err)
	close(l.committed)
	<-published
	l.snapshots.Wait()
	if err == nil {
		l.storeSnapshots()
	}
	return err
}

func (l *Ledger) commitLoop(ctx context.Context) error {
	for {
		select {
		case first := <-l.queue:
			time.Sleep(l.pace.wait(time.Now())) // the machine's time: no business day is concerned
			group := l.gather(first)
			l.pace.took(time.Now(), len(group))
			if err := l.commit(group); err != nil {
				return err
			}
		case <-ctx.Done():
			l.mu.Lock()
			l.closed = true // from here on nothing enters the queue
			l.mu.Unlock()
			for {
				select {
				case first := <-l.queue:
					if err := l.commit(l.gather(first)); err != nil {
						return err
					}
				default:
					return nil
				}
			}
		}
	}
}

// stop refuses what still waits after the loop has ended.
func (l *Ledger) stop(err error) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	for {
		select {
		case p := <-l.queue:
			p.fail(&wire.Error{Code: wire.Unavailable, Message: "the node is stopping", RetryAfter: 1})
		default:
			if err != nil {
				l.o.Log.Error().Err(err).Msg("ledger stopped")
			}
			return
		}
	}
}

// gather takes what is waiting: while one group is being synced the next one
// collects by itself.
func (l *Ledger) gather(first *pending) []*pending {
	group := []*pending{first}
	for len(group) < l.o.GroupMax {
		select {
		case p := <-l.queue:
			group = append(group, p)
		default:
			return group
		}
	}
	return group
}

// commit decides and appends a group, in as many transactions as its size needs.
func (l *Ledger) commit(waiting []*pending) error {
	if err := l.store.Ready(); err != nil {
		for _, p := range waiting {
			p.fail(unavailable(err))
		}
		if !errors.Is(err, store.ErrFull) {
			return fmt.Errorf("ledger: the store takes no more: %w", err) // nor will it until it is opened again
		}
		return nil
	}
	g := l.newGroup()
	var group []*pending
	size := 0
	for i, p := range waiting {
		err := g.decide(p)
		var broken *defect
		if errors.As(err, &broken) {
			return l.broken(err, append(group, waiting[i:]...))
		}
		if err != nil {
			// A refusal tells of what others did before, so it is answered with
			// them: when that is durable, and to be seen by whoever looks.
			p.refuse(err)
			if p.fresh && lasting(err) {
				if err := g.remember(p); err != nil {
					return l.broken(&defect{err}, append(group, waiting[i:]...))
				}
			}
		}
		group = append(group, p)
		if size += store.Size(&p.change); size >= l.o.GroupBytes {
			if err := l.append(g, group); err != nil {
				l.failAll(waiting[i+1:])
				return err
			}
			g, group, size = l.newGroup(), nil, 0
		}
	}
	return l.append(g, group)
}

func (l *Ledger) newGroup() *group {
	return &group{
		l: l, now: l.o.Clock(), ids: l.ids,
		tickets: map[int64]*ticket.Ticket{}, docs: map[int64][]byte{}, keys: map[string]*pending{}, entries: map[entryID]ticket.Transaction{},
	}
}

// append makes a decided group durable and hands it to the publisher.
func (l *Ledger) append(g *group, group []*pending) error {
	if len(group) == 0 {
		return nil
	}
	changes := make([]store.Change, 0, len(group)+1)
	events := 0
	for _, p := range group {
		if !empty(&p.change) {
			changes = append(changes, p.change)
			events += len(p.change.Records)
		}
	}
	if g.ids != l.ids {
		doc, err := json.Marshal(g.ids)
		if err != nil {
			l.failAll(group)
			return &defect{err}
		}
		changes = append(changes, store.Change{Docs: []store.Doc{{Kind: idsKind, Key: idsKey, Value: doc}}})
	}
	if len(changes) > 0 {
		start := l.o.Clock()
		err := l.store.Commit(changes)
		if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrTooBig) { // surely nothing was done
			l.o.Log.Error().Err(err).Int("commands", len(group)).Msg("commit refused")
			for _, p := range group {
				p.fail(unavailable(err))
			}
			if g.effects {
				l.o.Effects.Abandoned()
			}
			l.rewind()
			return nil
		}
		if err != nil {
			l.failAll(group)
			return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
		if l.o.Observe != nil {
			l.o.Observe(Commit{Commands: len(group), Events: events, Took: l.o.Clock().Sub(start)})
		}
	}
	// The commit point is behind us.
	l.ids = g.ids
	if g.effects {
		l.o.Effects.Committed()
	}
	l.committed <- batch{group: group}
	return nil
}

// rewind takes every spec back to what is durable.
func (l *Ledger) rewind() {
	barrier := make(chan struct{})
	l.committed <- batch{barrier: barrier}
	<-barrier // the views have caught up, and nobody changes them but us
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, loc := range l.locations {
		if id != Directory && loc.view.Offset == 0 {
			delete(l.locations, id) // it never came to be
			continue
		}
		loc.spec = loc.view.Clone()
	}
}

// broken answers everybody that a defect of ours leaves without an answer.
func (l *Ledger) broken(err error, left []*pending) error {
	l.failAll(left)
	return err
}

func (l *Ledger) failAll(group []*pending) {
	for _, p := range group {
		p.fail(&wire.Error{
			Code: wire.Unavailable, RetryAfter: 1,
			Message: "it is not known whether this was done; ask again with the same key",
		})
	}
}

func unavailable(err error) error {
	e := &wire.Error{Code: wire.Unavailable, Message: "the node takes no changes now", RetryAfter: 5}
	if errors.Is(err, store.ErrFull) {
		e.Message = "the disk is nearly full; no changes are taken"
	}
	return e
}

func empty(c *store.Change) bool {
	return len(c.Records) == 0 && len(c.Tickets) == 0 && len(c.Entries) == 0 && len(c.Docs) == 0 &&
		len(c.Erase) == 0 && c.Result == nil
}

// journals lists the locations' journals, ascending, without the directory.
func (l *Ledger) journals() []int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var out []int
	for id := range l.locations {
		if id != Directory {
			out = append(out, id)
		}
	}
	sortInts(out)
	return out
}

// ensure makes sure that a location's journal exists, and says whether it is new.
func (l *Ledger) ensure(id int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locations[id] != nil {
		return false
	}
	l.locations[id] = &location{id: id, spec: ticket.NewState(id), view: ticket.NewState(id)}
	return true
}
