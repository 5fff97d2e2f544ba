package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// Directory is the journal of users and locations.
const Directory = 0

// Publisher is what the ledger needs of the hub.
type Publisher interface {
	Wants(key hub.Key) bool
	Publish(key hub.Key, p hub.Publication)
}

// Options are the bounds of a Ledger.
type Options struct {
	// Clock gives every event its time.
	Clock func() time.Time
	// GroupMax is how many commands one commit carries at most: more would only
	// make those at the front wait longer.
	GroupMax int
	// GroupBytes bounds a commit, because a store's transaction is bounded.
	GroupBytes int
	// Queue is how many commands may wait before new ones are refused.
	Queue int
	// SnapshotEvery is after how many events a location's state is stored, so
	// that opening replays at most about that many.
	SnapshotEvery uint64
	// Effects makes what has to be written in the same instant as an event:
	// deliveries to other systems. May be nil.
	Effects Effects
	// Observe is told of every commit, for metrics. May be nil.
	Observe func(Commit)
	// Commanded is told of every command that was answered: nil, or why it was
	// refused. It must not block. May be nil.
	Commanded func(name string, err error, took time.Duration)
	// Published is told of every event once it is durable and seen, in journal
	// order within a location. It must be quick and must not block: it runs in the
	// publisher, with the location locked. May be nil.
	Published func(Notice)
	Log       zerolog.Logger
}

// Notice is one event as it is seen.
type Notice struct {
	Location int
	Event    ticket.Event
	// State is the view right after the event; it must not be kept or changed.
	State *ticket.State
	// Ticket, User and Place are what the event changed, as they were before; nil
	// when it changed none or made it. They may be kept, but not changed.
	Ticket *ticket.Ticket
	User   *ticket.User
	Place  *ticket.Location
}

// Effects turns events into documents of the same commit, so that what has to
// reach another system is never forgotten and never sent for what did not happen.
type Effects interface {
	// Effects is called by the committer, in journal order, with the state right
	// after the event. It must be quick, and must not keep or change s.
	Effects(s *ticket.State, e ticket.Event) []store.Doc
	// Committed is called after a commit that wrote such documents. It must not
	// block.
	Committed()
	// Abandoned is called when documents were made but surely not written.
	Abandoned()
}

// Commit is what one group commit did.
type Commit struct {
	Commands, Events int
	Took             time.Duration
}

func (o *Options) defaults() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.GroupMax == 0 {
		o.GroupMax = 256
	}
	if o.GroupBytes == 0 {
		o.GroupBytes = 1 << 20
	}
	if o.Queue == 0 {
		o.Queue = 4096
	}
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = 5000
	}
}

// Request is one command with everything a decision needs.
type Request struct {
	// Location is where it happens; Directory for users and locations. For a
	// command on a ticket it may be 0: the ticket says.
	Location int
	Command  ticket.Command
	Actor    ticket.Actor
	// Key makes a retry harmless for 24 hours; "" for none. The caller scopes it
	// by credential.
	Key string
	// Print tells what is asked from anything else under the same key; "" is the
	// command itself. A door gives it that makes different commands of one request.
	Print string
	// Docs are written in the same instant (credentials of what is created).
	Docs []store.Doc
}

// Result is what a command did.
type Result struct {
	Location int
	// Offset is that of the command's last event in Location's journal, or the
	// journal's head when there was nothing to do.
	Offset uint64
	// Ticket is the command's ticket as it was right after; nil for commands
	// that are about none.
	Ticket *ticket.Ticket
	// Events are what happened; empty when everything was as asked already, and
	// when the result was remembered from an earlier try.
	Events []ticket.Event
	// Unchanged says that everything was as asked already, whether this is the
	// first answer or the remembered one.
	Unchanged bool
	// Again says that this is a remembered result.
	Again bool
}

// location is one journal and its two folds.
type location struct {
	id   int
	spec *ticket.State // committer only

	mu    sync.RWMutex // protects view and epoch
	view  *ticket.State
	epoch string

	snapshotAt uint64 // publisher only: offset of the last snapshot begun

	storing sync.Mutex // protects stored, and orders snapshot writes
	stored  uint64     // offset of the snapshot on disk
}

// Ledger decides, appends and publishes. Open it, Run it, stop Run's context.
type Ledger struct {
	o     Options
	pace  pace // committer only
	store store.Store
	hub   Publisher
	queue chan *pending

	mu        sync.RWMutex // protects locations and closed
	locations map[int]*location
	closed    bool

	// places has the location of every live ticket: commands are about these, and
	// the store need not be asked.
	places sync.Map // of int64 to int

	ids       ticket.IDs // committer only
	committed chan batch
	snapshots sync.WaitGroup
}

// Open folds every journal of st. It starts nothing.
func Open(st store.Store, h Publisher, o Options) (*Ledger, error) {
	o.defaults()
	l := &Ledger{
		o: o, store: st, hub: h, queue: make(chan *pending, o.Queue),
		locations: map[int]*location{}, committed: make(chan batch, 4),
	}
	if err := l.load(); err != nil {
		return nil, err
	}
	return l, nil
}

// ErrUnknownOutcome ends Run: a commit failed in a way that leaves open whether
// it happened. The process must stop; opening the store again finds out.
var ErrUnknownOutcome = errors.New("ledger: outcome of a commit is unknown")

// Do carries out a command and returns when it is durable. Errors are
// *wire.Error. When ctx ends first the command may still happen.
func (l *Ledger) Do(ctx context.Context, r Request) (Result, error) {
	if r.Location == 0 {
		if on, ok := r.Command.(ticket.OnTicket); ok {
			loc, err := l.Locate(on.TicketID())
			if err != nil {
				return Result{}, err
			}
			r.Location = loc
		}
	}
	if l.o.Commanded != nil && r.Command != nil {
		began := l.o.Clock()
		res, err := l.do(ctx, r)
		l.o.Commanded(r.Command.Name(), err, l.o.Clock().Sub(began))
		return res, err
	}
	return l.do(ctx, r)
}

func (l *Ledger) do(ctx context.Context, r Request) (Result, error) {
	p := &pending{request: r, done: make(chan struct{})}
	if r.Key != "" {
		if p.print = r.Print; p.print == "" {
			p.print = fingerprint(r.Command)
		}
	}
	if err := l.enqueue(p); err != nil {
		return Result{}, err
	}
	select {
	case <-p.done:
		return p.result, p.err
	case <-ctx.Done():
		return Result{}, wire.Errorf(wire.Unavailable, "the command is still under way; ask again with the same key")
	}
}

func (l *Ledger) enqueue(p *pending) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return &wire.Error{Code: wire.Unavailable, Message: "the node is stopping", RetryAfter: 1}
	}
	select {
	case l.queue <- p:
		return nil
	default:
		return &wire.Error{Code: wire.Unavailable, Message: "too many commands are waiting", RetryAfter: 1}
	}
}

// PutDocs writes documents that no event tells of. It is durable on return.
func (l *Ledger) PutDocs(ctx context.Context, docs ...store.Doc) error {
	_, err := l.Do(ctx, Request{Docs: docs})
	return err
}

// Doc reads one document.
func (l *Ledger) Doc(kind, key string) ([]byte, error) { return l.store.Doc(kind, key) }

// Docs yields the documents of a kind.
func (l *Ledger) Docs(kind string) iter.Seq2[store.Doc, error] { return l.store.Docs(kind) }

// TicketKeys reads documents that have a ticket's id for a key, as those of work
// that a ticket waits for, to the end. It gives the ids in their order.
func TicketKeys(docs iter.Seq2[store.Doc, error]) ([]int64, error) {
	var ids []int64
	for d, err := range docs {
		if err != nil {
			return nil, fmt.Errorf("read tickets: %w", err)
		}
		id, err := strconv.ParseInt(d.Key, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("document %s of ticket %q: %w", d.Kind, d.Key, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Locate says in which location a ticket is.
func (l *Ledger) Locate(id int64) (int, error) {
	if at, ok := l.places.Load(id); ok {
		return at.(int), nil
	}
	v, err := l.store.Ticket(id)
	if errors.Is(err, store.ErrNotFound) {
		return 0, wire.Errorf(wire.NotFound, "Ticket with id %d not found", id)
	}
	if err != nil {
		return 0, fmt.Errorf("locate ticket %d: %w", id, err)
	}
	return v.Location, nil
}

// View calls f with a location's durable state; f must not keep or change it.
// It reports false when there is no such location.
func (l *Ledger) View(id int, f func(*ticket.State)) bool {
	loc := l.location(id)
	if loc == nil {
		return false
	}
	loc.mu.RLock()
	defer loc.mu.RUnlock()
	if !loc.exists() {
		return false
	}
	f(loc.view)
	return true
}

// exists reports whether the location's making is durable; mu is held.
func (loc *location) exists() bool { return loc.id == Directory || loc.view.Location != nil }

// batch is a durable group on its way to the publisher.
type batch struct {
	group   []*pending
	barrier chan struct{} // closed when everything before it is published
}

// Ticket is the newest durable version of a ticket.
func (l *Ledger) Ticket(id int64) (*ticket.Ticket, error) {
	v, err := l.store.Ticket(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, wire.Errorf(wire.NotFound, "Ticket with id %d not found", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read ticket %d: %w", id, err)
	}
	return decodeTicket(v)
}

func decodeTicket(v store.TicketVersion) (*ticket.Ticket, error) {
	t := new(ticket.Ticket)
	if err := json.Unmarshal(v.Doc, t); err != nil {
		return nil, fmt.Errorf("decode ticket %d: %w", v.ID, err)
	}
	return t, nil
}

// Transactions reads a ticket's thread: up to limit entries from seq on, or
// from seq down when newestFirst.
func (l *Ledger) Transactions(id int64, seq uint64, limit int, newestFirst bool) ([]ticket.Transaction, error) {
	out := []ticket.Transaction{}
	for e, err := range l.store.Entries(id, seq, limit, newestFirst) {
		if err != nil {
			return nil, fmt.Errorf("read thread of ticket %d: %w", id, err)
		}
		var t ticket.Transaction
		if err := json.Unmarshal(e.Doc, &t); err != nil {
			return nil, fmt.Errorf("decode entry %d of ticket %d: %w", e.Seq, id, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// Entries yields a ticket's thread as it is stored, each the JSON of a
// ticket.Transaction; the parameters are those of Transactions.
func (l *Ledger) Entries(id int64, seq uint64, limit int, newestFirst bool) iter.Seq2[store.Entry, error] {
	return l.store.Entries(id, seq, limit, newestFirst)
}

// Search yields the tickets that a query matches, in its order.
func (l *Ledger) Search(q store.Query) ([]*ticket.Ticket, error) {
	out := []*ticket.Ticket{}
	for v, err := range l.store.Search(q) {
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		t, err := decodeTicket(v)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// Count counts what Search would yield without its limit.
func (l *Ledger) Count(q store.Query) (int, error) { return l.store.Count(q) }

// Locations lists the locations that exist, ascending.
func (l *Ledger) Locations() []int {
	var out []int
	l.View(Directory, func(s *ticket.State) {
		for id := range s.Locations {
			out = append(out, id)
		}
	})
	sortInts(out)
	return out
}

func (l *Ledger) location(id int) *location {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.locations[id]
}
