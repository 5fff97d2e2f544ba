package outbox

import (
	"context"
	"slices"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// Listed is a target with how it is doing.
type Listed struct {
	Target
	// Headers are the names of the registration's own headers.
	Headers []string  `json:"headers,omitempty"`
	Waiting int       `json:"waiting"`
	Failing bool      `json:"failing,omitempty"`
	LastOK  time.Time `json:"lastOk,omitzero"`
	LastBad time.Time `json:"lastBad,omitzero"`
}

// Delivery is one delivery as administrators see it: without its body.
type Delivery struct {
	ID       string    `json:"id"`
	Event    string    `json:"event"`
	Ticket   int64     `json:"ticket,omitempty"`
	State    State     `json:"state"`
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts"`
	// Next is when a waiting one is tried again, zero for as soon as it can be.
	Next time.Time `json:"next,omitzero"`
	// Done and Reason tell of a past one's end.
	Done   time.Time `json:"done,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// List is every target, oldest first.
func (o *Outbox) List() []Listed {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]*target, 0, len(o.targets))
	for _, t := range o.targets {
		list = append(list, t)
	}
	sortTargets(list)
	out := make([]Listed, len(list))
	for i, t := range list {
		out[i] = Listed{Target: t.Target}
		for name := range t.Headers {
			out[i].Headers = append(out[i].Headers, name)
		}
		slices.Sort(out[i].Headers)
		t.mu.Lock()
		out[i].Waiting, out[i].Failing, out[i].LastOK, out[i].LastBad = t.waiting, t.failing, t.lastOK, t.lastBad
		t.mu.Unlock()
	}
	return out
}

// Deliveries are a target's next and last ones, newest first. Of those that wait
// only the first are listed.
func (o *Outbox) Deliveries(id string) ([]Delivery, error) {
	t := o.target(id)
	if t == nil {
		return nil, noTarget(id)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Delivery
	for _, list := range [][]*item{t.past, t.aside, t.ready} {
		for _, it := range list {
			d := Delivery{
				ID: messageID(t.ID, it.key), Event: it.Event, Ticket: it.Ticket, State: it.State, At: it.At,
				Attempts: it.Attempts, Next: it.Next, Done: it.Done, Reason: it.Reason,
			}
			if d.State == "" {
				d.State = Waiting
			} else {
				d.Next = time.Time{}
			}
			out = append(out, d)
		}
	}
	slices.Reverse(out)
	return out, nil
}

// Redeliver sends a dropped delivery again, with the id that it had; it is durable
// on return.
func (o *Outbox) Redeliver(ctx context.Context, id, delivery string) error {
	t := o.target(id)
	if t == nil {
		return noTarget(id)
	}
	if err := acquire(ctx, t.writing); err != nil {
		return err
	}
	defer release(t.writing)
	t.mu.Lock()
	i := slices.IndexFunc(t.past, func(it *item) bool { return messageID(t.ID, it.key) == delivery })
	var k string
	var state State
	if i >= 0 {
		k, state = t.past[i].key, t.past[i].State
	}
	room := len(t.aside) < maxAside
	t.mu.Unlock()
	switch {
	case i < 0:
		return wire.Errorf(wire.NotFound, "there is no past delivery of this id")
	case state != Dropped:
		return wire.Errorf(wire.Conflict, "this delivery has arrived; nothing of it is kept")
	case t.disabled(o):
		return wire.Errorf(wire.Conflict, "this webhook is disabled; enable it first")
	case !room:
		return &wire.Error{Code: wire.Unavailable, Message: "too many deliveries wait already", RetryAfter: 60}
	}
	value, err := o.read.Doc(pastDocs(t.ID), k)
	if err != nil {
		return err
	}
	old, err := decodeItem(store.Doc{Kind: pastDocs(t.ID), Key: k, Value: value})
	if err != nil {
		return err
	}
	again := &item{key: k, body: old.body, aside: true, head: head{
		Event: old.Event, Ticket: old.Ticket, At: old.At, Since: o.o.Clock().UTC(),
	}}
	if value, err = again.encode(); err != nil {
		return err
	}
	err = o.ledger().PutDocs(ctx,
		store.Doc{Kind: pastDocs(t.ID), Key: k}, store.Doc{Kind: asideDocs(t.ID), Key: k, Value: value})
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.past = without(t.past, func(it *item) bool { return it.key == k })
	t.mu.Unlock()
	t.posted(again)
	return nil
}

func (t *target) disabled(o *Outbox) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return t.Disabled != ""
}
