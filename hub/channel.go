package hub

import (
	"errors"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// maxBatch bounds what one write to a caught-up subscriber carries.
const maxBatch = 64 << 10

// channel is one stream of frames with its history and its subscribers.
type channel struct {
	hub  *Hub
	key  Key
	name string

	once    sync.Once // guards open
	openErr error     // written by once only

	mu       sync.Mutex // protects the rest, and shard.pending and shard.count
	ring     ring
	epoch    string
	shards   []*shard // only ever appended to
	readers  int      // subscribers, and subscriptions under way
	quiet    time.Time
	gone     bool // left the registry; find the new one
	changes  uint64
	snapshot *snapshot
	folding  *folding
}

// ephemeral is a frame that is written to whoever is there, and not kept.
type ephemeral struct {
	frame  wire.Frame
	except *Outbox
}

func newChannel(h *Hub, key Key) *channel {
	return &channel{hub: h, key: key, name: key.Channel.String(), quiet: h.o.Clock()}
}

// errHead is what a channel's subscribers are told whose head was never read.
var errHead = errors.New("the channel's head was not read")

// open finds where the channel's history begins.
func (c *channel) open(src Source) {
	c.openErr = errHead // if src panics
	head, err := src.Head(c.key)
	if c.openErr = err; err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch = head.Epoch
	if c.ring.next == 0 { // otherwise the first publication has set the floor
		c.ring.start(head.Offset)
	}
}

// retain counts a reader in, unless the channel has left the registry.
func (c *channel) retain() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	c.readers++
	return true
}

func (c *channel) release() {
	now := c.hub.o.Clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readers--
	c.quiet = now
}

// retire marks the channel gone if nobody has read it since before.
func (c *channel) retire(before time.Time, force bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !force && (c.readers > 0 || c.quiet.After(before)) {
		return false
	}
	c.gone = true
	return true
}

// tidy drops what is too old to be served.
func (c *channel) tidy(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring.trim(now.Add(-c.hub.o.HistoryAge))
	if c.snapshot != nil && now.Sub(c.snapshot.at) >= c.hub.o.SnapshotAge {
		c.snapshot = nil
	}
}

func (c *channel) limits() ringLimits {
	return ringLimits{frames: c.hub.o.HistoryFrames, bytes: c.hub.o.HistoryBytes}
}

// append keeps e and returns the shards that have something to write.
func (c *channel) append(e entry) []*shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ring.next == 0 && c.ring.head == 0:
		c.ring.start(e.prev)
	case e.offset <= c.ring.head:
		return nil // the channel was opened at a head that is already past it
	case e.prev != c.ring.head:
		// A publication is missing: the publisher skipped one that we had to
		// have. Nobody may read across the hole.
		c.hub.o.Log.Error().Str("channel", c.name).Uint64("offset", e.offset).Uint64("prev", e.prev).
			Uint64("head", c.ring.head).Msg("publication does not follow the channel's head")
		c.ring.reset(e.prev)
	}
	c.ring.push(e, c.limits())
	return c.shards
}

// emit leaves an ephemeral frame with every shard.
func (c *channel) emit(e ephemeral) []*shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.shards {
		if len(s.pending) < maxEphemeral {
			s.pending = append(s.pending, e)
		}
	}
	return c.shards
}

// batch is a run of frames as one piece of memory, shared by a shard's subscribers.
type batch struct {
	data []byte
	// offsets and ends say, per frame, its offset and where it ends in data.
	offsets []uint64
	ends    []int
	prev    uint64 // of the first frame
	frames  []wire.Frame
}

func (b *batch) last() uint64 { return b.offsets[len(b.offsets)-1] }

// from is where the frames above offset begin.
func (b *batch) from(offset uint64) int {
	start := 0
	for i, o := range b.offsets {
		if o > offset {
			break
		}
		start = b.ends[i]
	}
	return start
}

// written translates how many bytes went out to the offset that the subscriber
// now has and the rest of the frame that was cut.
func (b *batch) written(n int, offset uint64) (uint64, []byte) {
	start := 0
	for i, end := range b.ends {
		if n >= end {
			offset = max(offset, b.offsets[i])
		} else {
			if n > start {
				return b.offsets[i], b.data[n:end]
			}
			break
		}
		start = end
	}
	return offset, nil
}

// read fills b with the frames from index next on and returns the index after
// them. b is empty when there are none.
func (c *channel) read(b *batch, next uint64) uint64 {
	b.offsets, b.ends, b.frames = b.offsets[:0], b.ends[:0], b.frames[:0]
	size := 0
	c.mu.Lock()
	next = max(next, c.ring.first)
	for ; next < c.ring.next; next++ {
		e := c.ring.at(next)
		if size > 0 && size+e.frame.Len() > maxBatch {
			break
		}
		if size == 0 {
			b.prev = e.prev
		}
		size += e.frame.Len()
		b.offsets = append(b.offsets, e.offset)
		b.ends = append(b.ends, size)
		b.frames = append(b.frames, e.frame)
	}
	c.mu.Unlock()
	b.join(size)
	return next
}

// join makes data: one frame is used as it is, several are copied once. The
// copy is not reused, since subscribers may keep the end of it.
func (b *batch) join(size int) {
	if len(b.frames) == 1 {
		b.data = b.frames[0].Ready()
	} else {
		b.data = make([]byte, 0, size)
		for _, f := range b.frames {
			b.data = append(b.data, f.Ready()...)
		}
	}
	clear(b.frames)
}

// following returns the first frame above offset. lost says that it is no
// longer kept.
func (c *channel) following(offset uint64) (e entry, ok, lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if offset < c.ring.floor {
		return entry{}, false, true
	}
	i := c.ring.after(offset)
	if i == c.ring.next {
		return entry{}, false, false
	}
	return *c.ring.at(i), true, false
}
