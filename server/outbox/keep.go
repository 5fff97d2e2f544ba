package outbox

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nowserving/nowserving/store"
)

const (
	// keepEvery is how often polled events are looked through for expired ones.
	keepEvery = time.Hour
	// deleteBatch is how many documents one commit deletes at most.
	deleteBatch = 256
	keepRetry   = time.Minute
)

// keeper is the list of what has to be taken away.
type keeper struct {
	mu   sync.Mutex // protects jobs
	jobs []job
	wake chan struct{}
}

// job is something to take away; it can be done any number of times.
type job interface {
	do(ctx context.Context, o *Outbox) error
}

func (k *keeper) init() { k.wake = make(chan struct{}, 1) }

// add never waits. Jobs are few: one per erased ticket and per ended target.
func (k *keeper) add(jobs ...job) {
	k.mu.Lock()
	k.jobs = append(k.jobs, jobs...)
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *keeper) first() job {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.jobs) == 0 {
		return nil
	}
	return k.jobs[0]
}

func (k *keeper) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.jobs = k.jobs[1:]
}

// keep is the keeper's goroutine, until soft ends.
func (o *Outbox) keep(soft, hard context.Context) {
	next := o.o.Clock()
	for soft.Err() == nil {
		j := o.keeper.first()
		if j == nil && !o.o.Clock().Before(next) {
			next = o.o.Clock().Add(keepEvery)
			j = expiry{}
			o.keeper.add(j)
		}
		if j == nil {
			o.idle(soft, next.Sub(o.o.Clock()))
			continue
		}
		if err := j.do(hard, o); err != nil {
			if hard.Err() != nil {
				return
			}
			o.o.Log.Error().Err(err).Msg("outbox not cleaned; trying again")
			if !o.sleep(soft, keepRetry) {
				return
			}
			continue
		}
		o.keeper.done()
	}
}

func (o *Outbox) idle(ctx context.Context, wait time.Duration) {
	c, giveUp := o.o.Timer(wait)
	defer giveUp()
	select {
	case <-c:
	case <-o.keeper.wake:
	case <-ctx.Done():
	}
}

// erasure takes away what waits, or was kept, of an erased ticket. Its document
// was written together with the erasure.
type erasure struct {
	ticket int64
	before string // deliveries from this key on hold nothing personal any more
}

func (e erasure) doc() store.Doc {
	return store.Doc{Kind: eraseDocs, Key: strconv.FormatInt(e.ticket, 10), Value: []byte(e.before)}
}

func decodeErasure(d store.Doc) (erasure, error) {
	id, err := strconv.ParseInt(d.Key, 10, 64)
	if err != nil || len(d.Value) != keyWidth {
		return erasure{}, fmt.Errorf("document of erasure %s is damaged", d.Key)
	}
	return erasure{ticket: id, before: string(d.Value)}, nil
}

func (e erasure) do(ctx context.Context, o *Outbox) error {
	o.mu.Lock()
	targets := make([]*target, 0, len(o.targets))
	for _, t := range o.targets {
		targets = append(targets, t)
	}
	o.mu.Unlock()
	for _, t := range targets {
		if err := o.eraseFrom(ctx, t, e); err != nil {
			return err
		}
	}
	return o.put(ctx, store.Doc{Kind: eraseDocs, Key: e.doc().Key})
}

func (o *Outbox) eraseFrom(ctx context.Context, t *target, e erasure) error {
	t.mu.Lock()
	t.gone[e.ticket] = e.before
	kept := t.ready[:0]
	t.bytes = 0
	for _, it := range t.ready {
		if !t.isGone(it) {
			kept = append(kept, it)
			t.bytes += len(it.body)
		}
	}
	clear(t.ready[len(kept):])
	t.ready = kept
	t.mu.Unlock()
	if err := acquire(ctx, t.writing); err != nil {
		return err
	}
	defer release(t.writing)
	for _, kind := range []string{lineDocs(t.ID), asideDocs(t.ID), pastDocs(t.ID)} {
		n, err := o.deleteDocs(ctx, kind, func(it *item) bool {
			t.mu.Lock()
			defer t.mu.Unlock()
			return t.isGone(it) && !(kind == pastDocs(t.ID) && len(it.body) == 0)
		})
		if err != nil {
			return err
		}
		o.count.erased.Add(uint64(n))
		t.mu.Lock()
		if kind == pastDocs(t.ID) {
			t.past = without(t.past, func(it *item) bool { return it.State == Dropped && t.isGone(it) })
		} else {
			t.waiting -= n
			t.aside = without(t.aside, t.isGone)
		}
		t.mu.Unlock()
	}
	return nil
}

// without is a list without those that match; the old list stays as it is.
func without(list []*item, match func(*item) bool) []*item {
	var out []*item
	for _, it := range list {
		if !match(it) {
			out = append(out, it)
		}
	}
	return out
}

// deleteDocs deletes the deliveries of a kind that match, and says how many.
func (o *Outbox) deleteDocs(ctx context.Context, kind string, match func(*item) bool) (int, error) {
	var found []store.Doc
	for d, err := range o.read.Docs(kind) {
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", kind, err)
		}
		it, err := decodeItem(d)
		if err != nil {
			return 0, err
		}
		if match(it) {
			found = append(found, store.Doc{Kind: kind, Key: d.Key})
		}
	}
	for rest := found; len(rest) > 0; {
		n := min(len(rest), deleteBatch)
		if err := o.put(ctx, rest[:n]...); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(found), nil
}

// purge takes away everything of a target that was removed, or what waits for one
// that was disabled.
type purge struct {
	id           string
	registration bool // it was removed
}

func (p purge) do(ctx context.Context, o *Outbox) error {
	if err := acquire(ctx, o.registering); err != nil {
		return err
	}
	defer release(o.registering)
	t := o.target(p.id)
	if t != nil && t.Disabled == "" {
		return nil // it was enabled again
	}
	if err := o.purge(ctx, p.id); err != nil {
		return err
	}
	if !p.registration {
		return nil
	}
	_, err := o.deleteDocs(ctx, pastDocs(p.id), func(*item) bool { return true })
	if err != nil {
		return err
	}
	return o.put(ctx, store.Doc{Kind: targetDocs, Key: p.id})
}

// purge drops what waits for a target that no events are made for any more;
// registering is held.
func (o *Outbox) purge(ctx context.Context, id string) error {
	// The committer may be about to write what it made before: whatever it does
	// before this answers is there to be seen.
	if err := o.put(ctx); err != nil {
		return err
	}
	for _, kind := range []string{lineDocs(id), asideDocs(id)} {
		n, err := o.deleteDocs(ctx, kind, func(*item) bool { return true })
		if err != nil {
			return err
		}
		o.count.dropped.Add(uint64(n))
	}
	if t := o.target(id); t != nil {
		t.mu.Lock()
		t.ready, t.aside, t.bytes, t.waiting = nil, nil, 0, 0
		t.mu.Unlock()
	}
	return nil
}

// expiry takes polled events away that nobody has fetched in time.
type expiry struct{}

func (expiry) do(ctx context.Context, o *Outbox) error {
	for _, t := range *o.active.Load() {
		if t.Kind != ChatPoll {
			continue
		}
		if err := o.expire(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbox) expire(ctx context.Context, t *target) error {
	if err := acquire(ctx, t.writing); err != nil {
		return err
	}
	defer release(t.writing)
	limit := o.o.Clock().Add(-t.policy.window)
	n, err := o.deleteDocs(ctx, lineDocs(t.ID), func(it *item) bool { return it.At.Before(limit) })
	if err != nil || n == 0 {
		return err
	}
	t.mu.Lock()
	t.waiting -= n
	t.mu.Unlock()
	o.count.dropped.Add(uint64(n))
	o.o.Log.Warn().Str("target", t.ID).Int("deliveries", n).Msg("events that nobody polled have expired")
	return nil
}
