package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/server/outbox/egress"
	"github.com/nowserving/nowserving/server/outbox/seal"
	"github.com/nowserving/nowserving/store"
)

// Reader is the store as it is read before there is a ledger.
type Reader interface {
	Doc(kind, key string) ([]byte, error)
	Docs(kind string) iter.Seq2[store.Doc, error]
}

// Writer makes documents durable, all or none; a nil Value deletes. The ledger is one.
type Writer interface {
	PutDocs(ctx context.Context, docs ...store.Doc) error
}

// Options of an Outbox. Clock and Box are needed.
type Options struct {
	Clock func() time.Time
	// Timer gives a channel that is sent to after d, and a function that gives it
	// up; nil is a timer of package time.
	Timer func(d time.Duration) (<-chan time.Time, func() bool)
	// Jitter is in [0,1); nil is random.
	Jitter func() float64
	// Random draws ids and secrets; nil is the system's source.
	Random io.Reader
	// Box seals the targets' secrets.
	Box *seal.Box
	// Policy is where webhooks may go; Lookup resolves their hosts, nil is the
	// system's resolver.
	Policy egress.Policy
	Lookup egress.Lookup
	// Client replaces the client that Policy and Lookup make, in tests.
	Client *http.Client
	// Chat renders events for the chat API; nil while there is none.
	Chat ChatEvents
	// ChatSecret is what a department's webhooks are signed with, asked for at each
	// attempt, so that a new secret holds at once; "" while there is none. Nil:
	// each webhook has a secret of its own.
	ChatSecret func(department string) (string, error)
	// Grace is how long attempts that are under way may take at a stop; 0 is 5 s.
	Grace time.Duration
	Log   zerolog.Logger
}

func (o *Options) defaults() error {
	if o.Clock == nil || o.Box == nil {
		return errors.New("outbox: Clock and Box are needed")
	}
	if o.Timer == nil {
		o.Timer = func(d time.Duration) (<-chan time.Time, func() bool) {
			t := time.NewTimer(d)
			return t.C, t.Stop
		}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Client == nil {
		o.Client = egress.Client(o.Policy, o.Lookup)
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	return nil
}

// Outbox keeps deliveries and brings them out. Open it, make it the ledger's
// Effects, Attach the ledger, Run it, stop Run's context.
type Outbox struct {
	o       Options
	read    Reader
	client  *http.Client
	staging staging // the committer's alone
	keeper  keeper
	count   counters

	lastPosted atomic.Uint64 // see postedKey

	// active are the targets that events are made for: never changed, only
	// replaced, under registering.
	active atomic.Pointer[[]*target]

	registering chan struct{} // a lock that gives up with its context: changes of registrations

	mu      sync.Mutex // protects the rest
	targets map[string]*target
	write   Writer
	soft    context.Context // of Run; nil while it is not running
	hard    context.Context
	wg      sync.WaitGroup
}

// counters count since the process began.
type counters struct {
	queued, delivered, failed, dropped, erased atomic.Uint64
}

// Stats are the outbox's figures. Attempts that failed are counted in Failed,
// deliveries given up in Dropped, those that an erasure took in Erased; Waiting
// and Targets are of now.
type Stats struct {
	Queued, Delivered, Failed, Dropped, Erased uint64
	Waiting, Targets, Failing                  int
}

// Open reads registrations and what still waits. It starts nothing.
func Open(st Reader, opt Options) (*Outbox, error) {
	if err := opt.defaults(); err != nil {
		return nil, err
	}
	o := &Outbox{
		o: opt, read: st, client: opt.Client, targets: map[string]*target{}, registering: make(chan struct{}, 1),
	}
	o.keeper.init()
	if err := o.load(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return o, nil
}

func (o *Outbox) load() error {
	seq, err := o.read.Doc(metaDocs, seqKey)
	if err == nil {
		o.staging.next, err = strconv.ParseUint(string(seq), 10, 64)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read sequence: %w", err)
	}
	o.staging.reserved, o.staging.durable = o.staging.next, o.staging.next
	for d, err := range o.read.Docs(targetDocs) {
		if err != nil {
			return fmt.Errorf("read targets: %w", err)
		}
		t, removed, err := o.decodeTarget(d)
		if err != nil {
			return err
		}
		if removed { // we stopped before everything of it was gone
			o.keeper.add(purge{id: t.ID, registration: true})
			continue
		}
		if err := t.load(o.read); err != nil {
			return err
		}
		o.targets[t.ID] = t
		if t.Disabled != "" {
			o.keeper.add(purge{id: t.ID})
		}
	}
	for d, err := range o.read.Docs(eraseDocs) {
		if err != nil {
			return fmt.Errorf("read erasures: %w", err)
		}
		job, err := decodeErasure(d)
		if err != nil {
			return err
		}
		for _, t := range o.targets {
			t.gone[job.ticket] = job.before
		}
		o.keeper.add(job)
	}
	o.activate()
	return nil
}

// activate sets the targets that events are made for.
func (o *Outbox) activate() {
	list := make([]*target, 0, len(o.targets))
	for _, t := range o.targets {
		if t.Disabled == "" {
			list = append(list, t)
		}
	}
	sortTargets(list)
	o.active.Store(&list)
}

// Attach gives the outbox the ledger that it writes through. It is called once,
// before Run and before anything is registered.
func (o *Outbox) Attach(w Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write = w
}

func (o *Outbox) ledger() Writer {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.write
}

// Run delivers until ctx ends, then lets attempts that are under way finish.
func (o *Outbox) Run(ctx context.Context) error {
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	o.mu.Lock()
	if o.write == nil || o.soft != nil {
		o.mu.Unlock()
		return errors.New("outbox: Run needs an attached ledger, and runs once at a time")
	}
	o.soft, o.hard = ctx, hard
	for _, t := range *o.active.Load() {
		o.startLocked(t)
	}
	o.wg.Go(func() { o.keep(ctx, hard) })
	o.mu.Unlock()

	<-ctx.Done()
	o.mu.Lock()
	o.soft = nil // no more are started
	o.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the goroutines that it waits for
		o.wg.Wait()
		close(ended)
	}()
	grace, giveUp := o.o.Timer(o.o.Grace)
	defer giveUp()
	select {
	case <-ended:
	case <-grace:
		kill()
		<-ended
	}
	o.client.CloseIdleConnections()
	return nil
}

// startLocked starts a target's deliverer, while Run runs; mu is held.
func (o *Outbox) startLocked(t *target) {
	if o.soft == nil || t.Kind == ChatPoll || t.stop != nil {
		return
	}
	var soft, hard context.Context
	var stopSoft, stopHard context.CancelFunc
	soft, stopSoft = context.WithCancel(o.soft)
	hard, stopHard = context.WithCancel(o.hard)
	ended := make(chan struct{})
	t.stop = func() { // takes away what is under way, too
		stopSoft()
		stopHard()
		<-ended
	}
	o.wg.Go(func() {
		defer close(ended)
		defer stopHard()
		defer stopSoft()
		o.deliver(soft, hard, t)
	})
}

// put makes documents durable, however long it takes: while the disk is full
// nothing else may happen to a delivery. It fails only when ctx ends.
func (o *Outbox) put(ctx context.Context, docs ...store.Doc) error {
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		err := o.ledger().PutDocs(ctx, docs...)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.o.Log.Warn().Err(err).Int("docs", len(docs)).Msg("outbox not written; trying again")
		if !o.sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

// sleep waits for d; it reports false when ctx ended first.
func (o *Outbox) sleep(ctx context.Context, d time.Duration) bool {
	c, giveUp := o.o.Timer(d)
	defer giveUp()
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// Stats are the figures of now.
func (o *Outbox) Stats() Stats {
	s := Stats{
		Queued: o.count.queued.Load(), Delivered: o.count.delivered.Load(), Failed: o.count.failed.Load(),
		Dropped: o.count.dropped.Load(), Erased: o.count.erased.Load(),
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.Targets = len(o.targets)
	for _, t := range o.targets {
		t.mu.Lock()
		s.Waiting += t.waiting
		if t.failing {
			s.Failing++
		}
		t.mu.Unlock()
	}
	return s
}

// acquire takes a lock that is a channel of one.
func acquire(ctx context.Context, lock chan struct{}) error {
	select {
	case lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func release(lock chan struct{}) { <-lock }
