package outbox

import (
	"context"
	"time"
)

// ByHand is why a target is disabled that somebody has disabled.
const ByHand = "by hand"

// Disable ends deliveries to a target until Enable; what waits for it is
// forgotten. It is durable on return.
func (o *Outbox) Disable(ctx context.Context, id, why string) error {
	if err := acquire(ctx, o.registering); err != nil {
		return err
	}
	defer release(o.registering)
	t := o.target(id)
	if t == nil {
		return noTarget(id)
	}
	if t.disabled(o) {
		return nil
	}
	after := &target{Target: t.Target, sealed: t.sealed}
	after.Disabled, after.DisabledAt = why, o.o.Clock().UTC()
	d, err := after.doc(false)
	if err != nil {
		return err
	}
	if err := o.ledger().PutDocs(ctx, d); err != nil {
		return err
	}
	o.mu.Lock()
	t.Disabled, t.DisabledAt = after.Disabled, after.DisabledAt
	o.activate()
	stop := t.stop
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
	t.hangUp()
	o.o.Log.Info().Str("target", id).Str("reason", why).Msg("deliveries disabled")
	o.keeper.add(purge{id: id})
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
