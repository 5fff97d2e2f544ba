package hub

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/rs/zerolog"
)

// Audience decides which projection of an event a subscriber gets.
type Audience string

// The audiences. Boards have one stream, Display; a ticket has one for staff
// and one for its visitor.
const (
	Display    Audience = "display"
	Staff      Audience = "staff"
	Visitor    Audience = "visitor"
	Integrator Audience = "integrator"
)

var audiences = [...]Audience{Display, Staff, Visitor, Integrator}

// Key names one stream of frames: a channel in one audience's projection.
type Key struct {
	Channel  wire.Channel
	Audience Audience
}

// Publication is one entry for a channel. Data is JSON in the audience's
// projection; Prev is the offset of the channel's previous publication.
type Publication struct {
	Type         string
	Offset, Prev uint64
	Time         time.Time
	Data         []byte
}

// Snapshot is a channel folded up to Offset, that of its newest publication.
type Snapshot struct {
	Epoch  string
	Offset uint64
	Data   []byte
}

// Source answers from committed state only. It must show an event before that
// event is published: a snapshot may be ahead of a ring, never behind it.
// Errors that are a *wire.Error reach the subscriber.
type Source interface {
	// Snapshot folds a channel; its Data is not changed afterwards.
	Snapshot(key Key) (Snapshot, error)
	// Head is the position of the channel's newest publication. It is cheap.
	Head(key Key) (wire.Position, error)
}

// Options are the bounds of a Hub. Zero fields take their default.
type Options struct {
	// Clock tells the age of history and snapshots. Default time.Now.
	Clock func() time.Time
	// HistoryFrames, HistoryBytes and HistoryAge bound a channel's ring: a
	// client that was away longer gets a snapshot, which by then is shorter.
	// Defaults 1024, 1 MiB, 10 minutes.
	HistoryFrames int
	HistoryBytes  int
	HistoryAge    time.Duration
	// Linger is how long a channel without subscribers keeps its ring, so that
	// the only screen of a branch can recover after a restart. Default 5 minutes.
	Linger time.Duration
	// SnapshotAge is how long an encoded snapshot may be handed to further
	// subscribers: a storm of returning screens folds once. Default 2 seconds.
	SnapshotAge time.Duration
	// Workers is how many goroutines write. Default GOMAXPROCS.
	Workers int
	// Meter is told what happens, for metrics. May be nil.
	Meter Meter
	Log   zerolog.Logger
}

// Meter counts what a hub does, by kind of channel. It is called with locks held
// and must not block.
type Meter interface {
	// Published is told of every publication that somebody reads, or lately read.
	Published(kind string)
	// Delivered is told how many publications were handed to subscribers that had
	// kept up, once per piece of work.
	Delivered(kind string, n int)
	// Subscribed is told how a subscription began: with what was missed, or else
	// with a snapshot.
	Subscribed(kind string, recovered bool)
	// Disconnected is told of every connection that is closed with a reason.
	Disconnected(reason string)
}

// unmetered is a Meter for nobody.
type unmetered struct{}

func (unmetered) Published(string)        {}
func (unmetered) Delivered(string, int)   {}
func (unmetered) Subscribed(string, bool) {}
func (unmetered) Disconnected(string)     {}

func (o *Options) setDefaults() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Meter == nil {
		o.Meter = unmetered{}
	}
	setDefault(&o.HistoryFrames, 1024)
	setDefault(&o.HistoryBytes, 1<<20)
	setDefault(&o.HistoryAge, 10*time.Minute)
	setDefault(&o.Linger, 5*time.Minute)
	setDefault(&o.SnapshotAge, 2*time.Second)
	setDefault(&o.Workers, runtime.GOMAXPROCS(0))
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// sweepEvery is how often rings are trimmed by age and idle channels dropped.
const sweepEvery = 15 * time.Second

// Hub is the registry of channels and the fan-out over them.
type Hub struct {
	o       Options
	source  atomic.Pointer[Source]
	queue   queue // shards with something to write
	buffers sync.Pool
	present presence
	stats   counters

	mu       sync.RWMutex // protects channels
	channels map[Key]*channel
}

// New makes a Hub; nothing is written before Run. src may be nil until
// SetSource.
func New(src Source, o Options) *Hub {
	o.setDefaults()
	h := &Hub{o: o, channels: make(map[Key]*channel)}
	h.queue.init()
	h.buffers.New = func() any {
		b := make([]byte, 0, chunkSize)
		return &b
	}
	h.present.members = make(map[int64]map[string]Member)
	if src != nil {
		h.SetSource(src)
	}
	return h
}

// SetSource sets who is asked for snapshots. Ledger and hub need each other;
// this is how the second one gets to know the first.
func (h *Hub) SetSource(src Source) { h.source.Store(&src) }

func (h *Hub) src() (Source, error) {
	if p := h.source.Load(); p != nil {
		return *p, nil
	}
	return nil, wire.Errorf(wire.Unavailable, "the hub is starting")
}

// Run writes until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, h.queue.close)
	defer stop()
	var wg sync.WaitGroup
	for range h.o.Workers {
		wg.Go(h.work)
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.sweep()
		case <-ctx.Done():
			wg.Wait()
			return nil
		}
	}
}

// Wants reports whether anybody reads or lately read this stream. The
// publisher skips the projection otherwise.
func (h *Hub) Wants(key Key) bool { return h.lookup(key) != nil }

func (h *Hub) lookup(key Key) *channel {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.channels[key]
}

// Publish frames p once, appends it to the channel's ring and lets workers
// write it. It never waits for a reader. One goroutine per location calls it,
// in journal order.
func (h *Hub) Publish(key Key, p Publication) {
	c := h.lookup(key)
	if c == nil {
		return
	}
	push := wire.Push{Type: p.Type, Channel: c.name, Offset: p.Offset, Prev: p.Prev, Time: p.Time, Data: p.Data}
	shards := c.append(entry{offset: p.Offset, prev: p.Prev, at: h.o.Clock(), frame: h.frame(push)})
	h.stats.published.Add(1)
	h.o.Meter.Published(key.Channel.Kind)
	for _, s := range shards {
		h.queue.push(s)
	}
}

// frame encodes a push once, in a borrowed buffer that NewFrame copies from.
func (h *Hub) frame(p wire.Push) wire.Frame {
	buf := h.buffers.Get().(*[]byte)
	*buf = p.AppendJSON((*buf)[:0])
	f := wire.NewFrame(*buf)
	if cap(*buf) <= 4*chunkSize { // do not keep what one huge push needed
		h.buffers.Put(buf)
	}
	return f
}

// Emit hands an ephemeral push (no offset, never replayed) to whoever is
// subscribed and not behind, in every audience or in those given. except may be
// nil.
func (h *Hub) Emit(ch wire.Channel, typ string, data []byte, except *Outbox, to ...Audience) {
	if len(to) == 0 {
		to = audiences[:]
	}
	var frame wire.Frame
	for _, a := range to {
		c := h.lookup(Key{Channel: ch, Audience: a})
		if c == nil {
			continue
		}
		if frame.Len() == 0 {
			frame = h.frame(wire.Push{Type: typ, Channel: c.name, Time: h.o.Clock(), Data: data})
		}
		for _, s := range c.emit(ephemeral{frame: frame, except: except}) {
			h.queue.push(s)
		}
	}
}

// acquire returns the channel of key with one subscriber counted in, so that
// it is not swept away, and with its floor known.
func (h *Hub) acquire(key Key) (*channel, error) {
	src, err := h.src()
	if err != nil {
		return nil, err
	}
	for {
		c := h.lookup(key)
		if c == nil {
			h.mu.Lock()
			if c = h.channels[key]; c == nil {
				c = newChannel(h, key)
				h.channels[key] = c
			}
			h.mu.Unlock()
		}
		if !c.retain() {
			continue // swept in between
		}
		// Registered first, asked second: whatever is published from here on is
		// in the ring, and what was published before is in the head.
		c.once.Do(func() { c.open(src) })
		if c.openErr != nil {
			h.discard(c)
			c.release()
			return nil, c.openErr
		}
		return c, nil
	}
}

// discard forgets a channel whose head could not be read.
func (h *Hub) discard(c *channel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.retire(time.Time{}, true)
	if h.channels[c.key] == c {
		delete(h.channels, c.key)
	}
}

func (h *Hub) sweep() {
	now := h.o.Clock()
	h.mu.RLock()
	all := make([]*channel, 0, len(h.channels))
	for _, c := range h.channels {
		all = append(all, c)
	}
	h.mu.RUnlock()
	for _, c := range all {
		c.tidy(now)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, c := range h.channels {
		if c.retire(now.Add(-h.o.Linger), false) {
			delete(h.channels, key)
		}
	}
}
