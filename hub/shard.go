package hub

import (
	"sync"
	"sync/atomic"
)

const (
	// shardSize is how many subscribers one job writes to: at 5 µs a write a
	// job of 512 takes about 2.5 ms, which is what another channel may wait.
	shardSize = 512
	// maxEphemeral bounds the ephemeral frames waiting for a worker, per shard;
	// more are dropped, as ephemeral frames may be.
	maxEphemeral = 64
)

// shard is a part of a channel's subscribers that is written to together.
type shard struct {
	channel *channel
	queued  atomic.Bool // in the queue, or being worked on

	mu    sync.Mutex // protects next, subscribers and batch
	next  uint64     // index in the ring that the caught-up subscribers get next
	subs  []*subscriber
	batch batch

	// Under channel.mu.
	pending []ephemeral
	count   int
}

// subscriber is the hub's end of a subscription: who, of what, and how far.
type subscriber struct {
	channel *channel
	shard   *shard
	out     *Outbox
	index   int // in shard.subs, under shard.mu

	// Under Outbox.mu.
	offset  uint64 // had everything up to here
	joining bool   // the reply to subscribe was not written yet
	dirty   bool   // in Outbox.dirty
	gone    bool
}

// place puts s into a shard with room.
func (c *channel) place(s *subscriber) {
	c.mu.Lock()
	var sh *shard
	for _, have := range c.shards {
		if have.count < shardSize {
			sh = have
			break
		}
	}
	if sh == nil {
		sh = &shard{channel: c, next: c.ring.next}
		c.shards = append(c.shards, sh)
	}
	sh.count++
	c.mu.Unlock()

	s.shard = sh
	sh.mu.Lock()
	s.index = len(sh.subs)
	sh.subs = append(sh.subs, s)
	sh.mu.Unlock()
	c.hub.stats.subscribers.Add(1)
}

// remove takes s out of its shard and lets the channel go.
func (s *subscriber) remove() {
	sh := s.shard
	sh.mu.Lock()
	last := len(sh.subs) - 1
	moved := sh.subs[last]
	sh.subs[s.index], moved.index = moved, s.index
	sh.subs[last] = nil
	sh.subs = sh.subs[:last]
	if cap(sh.subs) > 64 && last < cap(sh.subs)/4 {
		sh.subs = append(make([]*subscriber, 0, 2*last+1), sh.subs...)
	}
	sh.mu.Unlock()

	c := s.channel
	c.mu.Lock()
	sh.count--
	c.mu.Unlock()
	c.release()
	c.hub.stats.subscribers.Add(-1)
}

// flush writes everything that the shard's subscribers have not had.
func (sh *shard) flush() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delivered := 0
	for {
		b := &sh.batch
		sh.next = sh.channel.read(b, sh.next)
		if len(b.offsets) == 0 {
			break
		}
		for _, s := range sh.subs {
			if s.out.deliver(s, b) {
				delivered += len(b.offsets)
			}
		}
		b.data = nil
	}
	for _, e := range sh.takePending() {
		for _, s := range sh.subs {
			if s.out != e.except {
				s.out.offer(s, e.frame)
			}
		}
	}
	if delivered > 0 {
		sh.channel.hub.stats.delivered.Add(uint64(delivered))
		sh.channel.hub.o.Meter.Delivered(sh.channel.key.Channel.Kind, delivered)
	}
}

func (sh *shard) takePending() []ephemeral {
	c := sh.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	p := sh.pending
	sh.pending = nil
	return p
}

// idle reports whether there is nothing to write.
func (sh *shard) idle() bool {
	sh.mu.Lock()
	next := sh.next
	sh.mu.Unlock()
	c := sh.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	return next >= c.ring.next && len(sh.pending) == 0
}

// queue is the list of shards with something to write. A shard is in it at
// most once, so it is bounded by the number of shards and pushing never waits.
type queue struct {
	mu     sync.Mutex // protects the rest
	ready  sync.Cond
	shards []*shard
	head   int
	closed bool
}

func (q *queue) init() { q.ready.L = &q.mu }

func (q *queue) push(s *shard) {
	if s.queued.Swap(true) {
		return // whoever works on it looks again before letting go
	}
	q.mu.Lock()
	q.shards = append(q.shards, s)
	q.mu.Unlock()
	q.ready.Signal()
}

// pop waits for a shard; nil means closed.
func (q *queue) pop() *shard {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.head == len(q.shards) && !q.closed {
		q.ready.Wait()
	}
	if q.closed {
		return nil
	}
	s := q.shards[q.head]
	q.shards[q.head] = nil
	q.head++
	if q.head == len(q.shards) {
		q.shards, q.head = q.shards[:0], 0
	}
	return s
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Broadcast()
}

// work writes shards until the queue is closed.
func (h *Hub) work() {
	for s := h.queue.pop(); s != nil; s = h.queue.pop() {
		s.flush()
		h.letGo(s)
	}
}

// letGo ends the work on a shard. What was published after flush looked, and
// before the flag fell, nobody has queued.
func (h *Hub) letGo(s *shard) {
	s.queued.Store(false)
	if !s.idle() {
		h.queue.push(s)
	}
}
