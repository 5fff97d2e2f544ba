package outbox

import (
	"context"
	"time"

	"github.com/nowserving/nowserving/store"
)

// ByHand is why a target is disabled that somebody has disabled.
const ByHand = "by hand"

// Disable ends deliveries to a target until Enable; what waits for it is
// forgotten. It is durable on return.
func (o *Outbox) Disable(ctx context.Context, id, why string) error {
	return o.retire(ctx, id, func(t *target) (*retirement, error) {
		if t.disabled(o) {
			return nil, nil
		}
		after := &target{Target: t.Target, sealed: t.sealed}
		after.Disabled, after.DisabledAt = why, o.o.Clock().UTC()
		d, err := after.doc(false)
		change := func() { t.Disabled, t.DisabledAt = after.Disabled, after.DisabledAt }
		return &retirement{what: "disabled", why: why, doc: d, change: change, purge: purge{id: id}}, err
	})
}

// Remove ends a target's deliveries and forgets what waits; it is durable on return.
func (o *Outbox) Remove(ctx context.Context, id string) error {
	return o.remove(ctx, id, func(*Target) bool { return true })
}

func (o *Outbox) remove(ctx context.Context, id string, allowed func(*Target) bool) error {
	return o.retire(ctx, id, func(t *target) (*retirement, error) {
		if !allowed(&t.Target) {
			return nil, noTarget(id)
		}
		d, err := t.doc(true)
		change := func() { delete(o.targets, id) }
		return &retirement{what: "removed", doc: d, change: change, purge: purge{id: id, registration: true}}, err
	})
}

// retirement is how deliveries to a target end.
type retirement struct {
	what, why string    // for the log; why may be ""
	doc       store.Doc // makes it durable
	change    func()    // makes it so in memory; Outbox.mu is held
	purge     purge     // takes away what is left
}

// retire ends deliveries to a target: first on disk, then in memory, then what is
// under way, and what waits goes after that. decide is called with registering
// held; nil is that there is nothing to do.
func (o *Outbox) retire(ctx context.Context, id string, decide func(*target) (*retirement, error)) error {
	if err := acquire(ctx, o.registering); err != nil {
		return err
	}
	defer release(o.registering)
	t := o.target(id)
	if t == nil {
		return noTarget(id)
	}
	r, err := decide(t)
	if r == nil || err != nil {
		return err
	}
	if err := o.ledger().PutDocs(ctx, r.doc); err != nil {
		return err
	}
	o.mu.Lock()
	r.change()
	o.activate()
	stop := t.stop
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
	t.hangUp()
	line := o.o.Log.Info().Str("target", id)
	if r.why != "" {
		line = line.Str("reason", r.why)
	}
	line.Msg("deliveries " + r.what)
	o.keeper.add(r.purge)
	return nil
}

// RetryNow makes the deliveries of a target that wait for their next attempt be
// tried at once.
func (o *Outbox) RetryNow(id string) error {
	t := o.target(id)
	if t == nil {
		return noTarget(id)
	}
	t.mu.Lock()
	for _, list := range [][]*item{t.aside, t.ready} {
		for _, it := range list {
			it.Next = time.Time{}
		}
	}
	t.mu.Unlock()
	t.stir()
	return nil
}
