package sms

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// Kept is the gateway without a line out: messages stay NEW, which is what they
// are, and are listed until somebody has handed them over by other means.
type Kept struct {
	desk
	handing                  sync.Mutex // one after another: claim, look, settle
	sent, delivered, refused atomic.Uint64
}

// NewKept makes a Kept.
func NewKept(l Ledger) *Kept { return &Kept{desk: desk{ledger: l}} }

// Wake implements Gateway: there is nothing to do.
func (k *Kept) Wake(int64) {}

// Carries implements Gateway. Somebody at a phone can hand over a text message;
// WhatsApp messages go through the provider or not at all.
func (k *Kept) Carries(channel string, _ int) bool { return channel == ticket.ProtocolSMS }

// Run implements Gateway: there is nothing to do.
func (k *Kept) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Stats implements Gateway.
func (k *Kept) Stats() Stats {
	return Stats{Sent: k.sent.Load(), Delivered: k.delivered.Load(), Refused: k.refused.Load()}
}

// Waiting lists messages that wait to be handed over, up to limit, by ticket.
func (k *Kept) Waiting(limit int) ([]Text, error) {
	ids, err := k.named()
	if err != nil {
		return nil, err
	}
	out := []Text{}
	for _, id := range ids {
		texts, err := k.unsent(id)
		if err != nil {
			return nil, err
		}
		if out = append(out, texts...); len(out) >= limit {
			return out[:limit], nil
		}
	}
	return out, nil
}

// HandOver says what became of a message: SENT, DELIVERED or INVALID_NUMBER. by
// names the credential that says so.
func (k *Kept) HandOver(ctx context.Context, by string, id int64, seq uint64, status string) error {
	count := map[string]*atomic.Uint64{
		ticket.TextSent: &k.sent, ticket.TextDelivered: &k.delivered, ticket.TextInvalidNumber: &k.refused,
	}[status]
	if count == nil {
		return wire.FieldError("status", "status is SENT, DELIVERED or INVALID_NUMBER")
	}
	k.handing.Lock()
	defer k.handing.Unlock()
	moved, err := k.advance(ctx, by, id, seq, status)
	if err != nil {
		return err
	}
	if !moved {
		return wire.Errorf(wire.Conflict, "there is no such message, or it has got that far already")
	}
	count.Add(1)
	if err := k.claim(ctx, id); err != nil {
		return err
	}
	left, err := k.unsent(id)
	if err != nil || len(left) > 0 {
		return err
	}
	return k.settle(ctx, id)
}

var _ Gateway = (*Kept)(nil)
