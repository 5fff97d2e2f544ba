package outbox

import (
	"context"

	"github.com/nowserving/nowserving/store"
)

// settle notes an outcome, in the store and then in memory. Until that has
// worked nothing else is done for the target, so that what was delivered is not
// delivered again while the process lives. An error means that ctx ended.
func (o *Outbox) settle(ctx context.Context, t *target, it *item, body []byte, out outcome) error {
	if err := acquire(ctx, t.writing); err != nil {
		return err
	}
	defer release(t.writing)
	now := o.o.Clock().UTC()
	after := *it
	after.body = body
	if !out.skipped {
		after.Attempts++
	}
	t.mu.Lock()
	gone := t.isGone(it)
	if !out.skipped {
		t.failing = !out.ok
		if out.ok {
			t.lastOK = now
		} else {
			t.lastBad = now
		}
	}
	aside := 0
	for _, a := range t.aside {
		if a.Attempts > 0 {
			aside++
		}
	}
	room := len(t.aside) < maxAside && aside < steppedAside
	t.mu.Unlock()
	if !out.ok && !out.skipped {
		o.count.failed.Add(1)
	}
	if gone { // its document is being taken away; nothing may bring it back
		t.mu.Lock()
		t.leave(it)
		t.mu.Unlock()
		return nil
	}
	if !out.ok && !out.gone && !out.skipped {
		pause, more := t.policy.delay(after.Attempts, o.o.Jitter())
		after.Next = now.Add(pause)
		if more && after.Next.Sub(after.since()) <= t.policy.window {
			stepAside := !it.aside && t.policy.stepAside > 0 && after.Attempts >= t.policy.stepAside && room
			return o.later(ctx, t, it, &after, stepAside)
		}
	}
	return o.finish(ctx, t, it, &after, out)
}

// later notes when a delivery is tried again.
func (o *Outbox) later(ctx context.Context, t *target, it, after *item, stepAside bool) error {
	after.aside = it.aside || stepAside
	value, err := after.encode()
	if err != nil {
		return err
	}
	docs := []store.Doc{{Kind: after.kind(t.ID), Key: it.key, Value: value}}
	if stepAside {
		docs = append(docs, store.Doc{Kind: lineDocs(t.ID), Key: it.key})
	}
	if err := o.put(ctx, docs...); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if stepAside {
		t.leave(it)
		t.putAside(after)
		return nil
	}
	it.head = after.head
	return nil
}

// finish takes a delivery out of the queue and into the past. Of what was
// dropped the body is kept, so that it can be sent again.
func (o *Outbox) finish(ctx context.Context, t *target, it, after *item, out outcome) error {
	after.State, after.Done, after.Reason = Delivered, o.o.Clock().UTC(), out.reason
	if !out.ok {
		after.State = Dropped
	}
	kept := *after
	if out.ok {
		kept.body = nil
	}
	value, err := kept.encode()
	if err != nil {
		return err
	}
	docs := []store.Doc{
		{Kind: it.kind(t.ID), Key: it.key},
		{Kind: pastDocs(t.ID), Key: it.key, Value: value},
	}
	t.mu.Lock()
	var oldest string
	if len(t.past) >= keptPast {
		oldest = t.past[0].key
		docs = append(docs, store.Doc{Kind: pastDocs(t.ID), Key: oldest})
	}
	t.mu.Unlock()
	if err := o.put(ctx, docs...); err != nil {
		return err
	}
	kept.body = nil
	t.mu.Lock()
	if oldest != "" {
		t.past = t.past[1:]
	}
	t.past = append(t.past, &kept)
	t.leave(it)
	t.waiting--
	t.mu.Unlock()
	if out.ok {
		o.count.delivered.Add(1)
		return nil
	}
	o.count.dropped.Add(1)
	o.o.Log.Warn().Str("target", t.ID).Str("delivery", messageID(t.ID, it.key)).Str("event", it.Event).
		Int("attempts", after.Attempts).Str("reason", out.reason).Msg("delivery dropped")
	return nil
}
