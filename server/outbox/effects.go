package outbox

import (
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

const (
	// reserve is how many sequence numbers are noted as used at a time.
	reserve = 1024
	// maxBody bounds one delivery, in bytes. A commit carries it once per target,
	// and a commit that is too big would fail the command.
	maxBody = 256 << 10
	// maxStaged bounds what one event may add to its commit, in bytes.
	maxStaged = 1 << 20
)

// staging is the committer's: what it has made and not yet heard of.
type staging struct {
	next              uint64 // sequence number
	reserved, durable uint64 // numbers below are noted as used: in this commit, for certain
	items             []staged
	erased            []job
}

type staged struct {
	t  *target
	it *item
}

// message is a rendered event, before it has a target.
type message struct {
	event  string
	ticket int64
	at     time.Time
	body   []byte
	// department is whose it is, for chat events.
	department string
}

// Effects implements ledger.Effects: one document per target that wants the event.
func (o *Outbox) Effects(s *ticket.State, e ticket.Event) []store.Doc {
	targets := *o.active.Load()
	if len(targets) == 0 {
		return nil
	}
	first := key(o.staging.next + 1)
	var docs []store.Doc
	for _, m := range o.render(targets, s, e) {
		docs = o.stage(docs, targets, s.Journal, m)
	}
	if e.Type == ticket.EventErased {
		// What waits or was kept of this ticket holds what is being erased.
		job := erasure{ticket: e.Ticket, before: first}
		o.staging.erased = append(o.staging.erased, job)
		docs = append(docs, job.doc())
	}
	return docs
}

// render makes an event's messages, each once, and none that nobody waits for.
func (o *Outbox) render(targets []*target, s *ticket.State, e ticket.Event) []message {
	var out []message
	queue, chat := false, false
	for _, t := range targets {
		switch {
		case t.Kind == QueueHook:
			queue = true
		case s.Location != nil && strings.EqualFold(t.Department, s.Location.GUID):
			chat = true
		}
	}
	if queue {
		if m, ok := queueMessage(s, e); ok {
			out = append(out, m)
		}
	}
	if chat && o.o.Chat != nil && s.Journal != ledger.Directory {
		for _, c := range o.o.Chat.ChatEvents(s, e) {
			out = append(out, message{
				event: c.Name, ticket: c.Ticket, at: e.Time, body: c.Change, department: s.Location.GUID,
			})
		}
	}
	return out
}

func (o *Outbox) stage(docs []store.Doc, targets []*target, location int, m message) []store.Doc {
	g := &o.staging
	g.next++
	k, size := key(g.next), 0
	for _, t := range targets {
		if !t.wants(location, m) {
			continue
		}
		it := t.item(k, m)
		value, err := it.encode()
		size += len(value)
		if err != nil || len(it.body) > maxBody || size > maxStaged {
			o.count.dropped.Add(1)
			o.o.Log.Error().Err(err).Str("target", t.ID).Str("delivery", messageID(t.ID, k)).Int("size", len(it.body)).
				Msg("delivery is too large; dropped")
			continue
		}
		docs = append(docs, store.Doc{Kind: lineDocs(t.ID), Key: k, Value: value})
		g.items = append(g.items, staged{t, it})
	}
	if g.next >= g.reserved {
		g.reserved = g.next + reserve
		docs = append(docs, store.Doc{Kind: metaDocs, Key: seqKey, Value: strconv.AppendUint(nil, g.reserved, 10)})
	}
	return docs
}

// item is a message addressed to this target.
func (t *target) item(k string, m message) *item {
	it := &item{key: k, body: m.body, head: head{Event: m.event, Ticket: m.ticket, At: m.at}}
	if t.Kind != QueueHook {
		it.body = envelope(t.Department, m.at, m.body, handle(t.ID, k), messageID(t.ID, k))
		if t.Kind == ChatHook {
			it.body = array(it.body)
		}
	}
	return it
}

// Committed implements ledger.Effects: what was staged is durable, and goes to
// its deliverers.
func (o *Outbox) Committed() {
	g := &o.staging
	g.durable = g.reserved
	for _, s := range g.items {
		s.t.arrive(s.it)
	}
	o.count.queued.Add(uint64(len(g.items)))
	if len(g.erased) > 0 {
		o.keeper.add(g.erased...)
	}
	clear(g.items) // lets go of the bodies
	g.items, g.erased = g.items[:0], nil
}

// Abandoned implements ledger.Effects: what was staged never came to be. The
// numbers stay unused, which harms nobody.
func (o *Outbox) Abandoned() {
	g := &o.staging
	g.reserved = g.durable
	clear(g.items)
	g.items, g.erased = g.items[:0], nil
}

var _ ledger.Effects = (*Outbox)(nil)
