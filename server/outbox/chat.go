package outbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// ChatEvents renders journal events for the chat API. The committer calls it with
// the state right after the event: it must be quick, and must not keep or change s.
type ChatEvents interface {
	ChatEvents(s *ticket.State, e ticket.Event) []ChatEvent
}

// ChatEvent is one change as the chat API tells it.
type ChatEvent struct {
	// Name is its "_event"; targets choose events by it.
	Name string
	// Ticket is whose personal data Change may hold, 0 for nobody's: when the
	// ticket is erased, deliveries that wait are, too.
	Ticket int64
	// Change is the whole change object, "_event" included.
	Change json.RawMessage
}

// chatEnvelope is the chat API's event object. It has one change: receivers look
// at the first one only.
type chatEnvelope struct {
	Key       string            `json:"key"`
	DateTime  string            `json:"dateTime"`
	Changes   []json.RawMessage `json:"changes"`
	Handle    string            `json:"queueReceiptHandle"`
	MessageID string            `json:"queueMessageId"`
}

func envelope(department string, at time.Time, change []byte, handle, id string) []byte {
	return encode(chatEnvelope{strings.ToLower(department), wire.Time(at), []json.RawMessage{change}, handle, id})
}

// array is what webhooks are sent: an array, of one.
func array(event []byte) []byte {
	out := make([]byte, 0, len(event)+2)
	return append(append(append(out, '['), event...), ']')
}

// postedKey names a posted event: by its time in microseconds, or the next one that
// this process has not used, so that they sort as they were posted. The end tells
// it from one that an earlier process posted before a clock was set back.
func (o *Outbox) postedKey(at time.Time) string {
	for {
		last := o.lastPosted.Load()
		next := max(last+1, uint64(at.UnixMicro()))
		if o.lastPosted.CompareAndSwap(last, next) {
			return fmt.Sprintf("%s%013x%s", postedPrefix, next, strings.ToLower(rand.Text()[:keyWidth-len(postedPrefix)-13]))
		}
	}
}

// Post delivers a chat event that no journal event tells of (a user's status, the
// fate of a message without a ticket). It is durable on return. Posted events
// keep their order; that among them and journal events is not promised.
func (o *Outbox) Post(ctx context.Context, department string, c ChatEvent) error {
	m := message{event: c.Name, ticket: c.Ticket, at: o.o.Clock().UTC(), body: c.Change, department: department}
	if len(m.body) > maxBody {
		return wire.Errorf(wire.TooLarge, "the event has more than %d bytes", maxBody)
	}
	var docs []store.Doc
	var made []staged
	k := o.postedKey(m.at)
	for _, t := range *o.active.Load() {
		if t.Kind == QueueHook || !t.wants(0, m) {
			continue
		}
		it := t.item(k, m)
		it.aside = t.Kind != ChatPoll
		if it.aside && !t.roomAside() {
			o.count.dropped.Add(1)
			o.o.Log.Warn().Str("target", t.ID).Str("event", m.event).Msg("too many deliveries wait aside; dropped")
			continue
		}
		value, err := it.encode()
		if err != nil {
			return err
		}
		docs = append(docs, store.Doc{Kind: it.kind(t.ID), Key: it.key, Value: value})
		made = append(made, staged{t, it})
	}
	if len(docs) == 0 {
		return nil
	}
	if err := o.ledger().PutDocs(ctx, docs...); err != nil {
		return err
	}
	for _, s := range made {
		s.t.posted(s.it)
	}
	o.count.queued.Add(uint64(len(made)))
	return nil
}
