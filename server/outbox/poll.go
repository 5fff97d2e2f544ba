package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const (
	// PollMax is how many events one poll gives at most.
	PollMax = 100
	// PollWait is how long one poll may wait for events.
	PollWait = 20 * time.Second
	// Visibility is for how long an event that was given is not given again.
	Visibility = 30 * time.Second
	// pollBytes bounds one answer; one event is always given.
	pollBytes = 4 << 20
	// maxHidden bounds the memory of events that were given and not deleted.
	maxHidden = 10000
	// ackMax is how many receipts one call may hold.
	ackMax = 1000
)

// PollQuery is how to poll.
type PollQuery struct {
	// Delete takes what is given off the queue; otherwise it comes again after
	// Visibility unless it is acknowledged.
	Delete bool
	// Max is how many events to give, at most PollMax; 0 is PollMax.
	Max int
	// Wait is how long to wait for the first event, at most PollWait.
	Wait time.Duration
}

// Receipt names an event that was polled.
type Receipt struct {
	Handle    string `json:"queueReceiptHandle"`
	MessageID string `json:"queueMessageId"`
}

// polling is a department's polling target.
func (o *Outbox) polling(department string) (*target, error) {
	for _, t := range *o.active.Load() {
		if t.Kind == ChatPoll && strings.EqualFold(t.Department, department) {
			return t, nil
		}
	}
	return nil, wire.Errorf(wire.Conflict, "polling is not switched on for this department")
}

// Poll gives a department's events, oldest first, as a JSON array.
func (o *Outbox) Poll(ctx context.Context, department string, q PollQuery) (json.RawMessage, error) {
	if q.Max <= 0 || q.Max > PollMax {
		q.Max = PollMax
	}
	until := o.o.Clock().Add(min(q.Wait, PollWait))
	for {
		t, err := o.polling(department)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		news := t.news // taken before looking, so that nothing is missed
		t.mu.Unlock()
		found, err := o.fetch(ctx, t, q)
		if err != nil {
			return nil, err
		}
		left := until.Sub(o.o.Clock())
		if len(found) > 0 || left <= 0 {
			return join(found), nil
		}
		if !o.await(ctx, news, left) {
			return nil, ctx.Err()
		}
	}
}

// await waits for news, at most for d; it reports false when ctx ended.
func (o *Outbox) await(ctx context.Context, news <-chan struct{}, d time.Duration) bool {
	c, giveUp := o.o.Timer(d)
	defer giveUp()
	select {
	case <-news:
	case <-c:
	case <-ctx.Done():
		return false
	}
	return true
}

func join(items []*item) json.RawMessage {
	out := []byte{'['}
	for i, it := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, it.body...)
	}
	return append(out, ']')
}

// fetch takes what may be shown now.
func (o *Outbox) fetch(ctx context.Context, t *target, q PollQuery) ([]*item, error) {
	if err := acquire(ctx, t.writing); err != nil {
		return nil, err
	}
	defer release(t.writing)
	now := o.o.Clock()
	found, err := o.visible(t, now, q.Max)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if !q.Delete {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, it := range found {
			t.hidden[it.key] = now.Add(Visibility)
		}
		return found, nil
	}
	docs := make([]store.Doc, len(found))
	for i, it := range found {
		docs[i] = store.Doc{Kind: lineDocs(t.ID), Key: it.key}
	}
	if err := o.ledger().PutDocs(ctx, docs...); err != nil {
		return nil, err
	}
	o.taken(t, docs)
	return found, nil
}

// taken notes that documents of the line were deleted by the other side.
func (o *Outbox) taken(t *target, docs []store.Doc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range docs {
		delete(t.hidden, d.Key)
	}
	t.waiting -= len(docs)
	t.lastOK = o.o.Clock().UTC()
	o.count.delivered.Add(uint64(len(docs)))
}

func (o *Outbox) visible(t *target, now time.Time, most int) ([]*item, error) {
	t.mu.Lock()
	for k, until := range t.hidden {
		if !until.After(now) {
			delete(t.hidden, k)
		}
	}
	full := len(t.hidden) >= maxHidden
	t.mu.Unlock()
	if full {
		return nil, nil // they read and never delete: soon some can be shown again
	}
	var found []*item
	size := 0
	for d, err := range o.read.Docs(lineDocs(t.ID)) {
		if err != nil {
			return nil, fmt.Errorf("read line of target %s: %w", t.ID, err)
		}
		if len(found) == most || size > pollBytes {
			break
		}
		it, err := decodeItem(d)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		_, hidden := t.hidden[it.key]
		hidden = hidden || t.isGone(it)
		t.mu.Unlock()
		if !hidden {
			found = append(found, it)
			size += len(it.body)
		}
	}
	return found, nil
}

// Acknowledge takes events off a department's queue. Receipts of events that are
// not there are passed over: they were acknowledged before, or never ours.
func (o *Outbox) Acknowledge(ctx context.Context, department string, receipts []Receipt) error {
	if len(receipts) > ackMax {
		return wire.FieldError("events", "at most %d at a time", ackMax)
	}
	t, err := o.polling(department)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if r.Handle == "" || r.MessageID == "" {
			return wire.FieldError("queueReceiptHandle", "each event has its queueReceiptHandle and queueMessageId")
		}
	}
	if err := acquire(ctx, t.writing); err != nil {
		return err
	}
	defer release(t.writing)
	var docs []store.Doc
	seen := map[string]bool{}
	for _, r := range receipts {
		owner, k, ok := parseHandle(r.Handle)
		if !ok || owner != t.ID || r.MessageID != messageID(t.ID, k) || seen[k] {
			continue
		}
		seen[k] = true
		switch _, err := o.read.Doc(lineDocs(t.ID), k); {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return fmt.Errorf("read event: %w", err)
		default:
			docs = append(docs, store.Doc{Kind: lineDocs(t.ID), Key: k})
		}
	}
	if len(docs) == 0 {
		return nil
	}
	if err := o.ledger().PutDocs(ctx, docs...); err != nil {
		return err
	}
	o.taken(t, docs)
	return nil
}
