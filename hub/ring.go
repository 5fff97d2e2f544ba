package hub

import (
	"sort"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// entry is one kept frame of a channel.
type entry struct {
	offset, prev uint64
	at           time.Time // when it came to the hub, not when it happened
	frame        wire.Frame
}

// ring is a channel's history: contiguous, bounded in frames, bytes and age.
// Indexes count entries since the channel was made and never wrap, so that a
// shard's place survives trimming.
type ring struct {
	slots       []entry // length a power of two, index i at i & (len-1)
	first, next uint64  // kept are [first, next)
	bytes       int
	// floor is the lowest offset after which nothing is missing; head is the
	// offset of the newest publication that is known.
	floor, head uint64
}

type ringLimits struct {
	frames, bytes int
}

func (r *ring) len() int { return int(r.next - r.first) }

func (r *ring) at(i uint64) *entry { return &r.slots[i&uint64(len(r.slots)-1)] }

// start sets where an empty ring begins.
func (r *ring) start(offset uint64) { r.floor, r.head = offset, offset }

// push appends e, which must follow head; see channel.append.
func (r *ring) push(e entry, lim ringLimits) {
	if r.len() == len(r.slots) {
		r.grow()
	}
	*r.at(r.next) = e
	r.next++
	r.bytes += e.frame.Len()
	r.head = e.offset
	// The newest entry always stays: somebody is about to get it.
	for r.len() > 1 && (r.len() > lim.frames || r.bytes > lim.bytes) {
		r.drop()
	}
}

func (r *ring) grow() {
	slots := make([]entry, max(8, 2*len(r.slots)))
	for i := r.first; i < r.next; i++ {
		slots[i&uint64(len(slots)-1)] = *r.at(i)
	}
	r.slots = slots
}

func (r *ring) drop() {
	e := r.at(r.first)
	r.floor = e.offset
	r.bytes -= e.frame.Len()
	*e = entry{}
	r.first++
}

// trim drops what came before oldest.
func (r *ring) trim(oldest time.Time) {
	for r.len() > 0 && r.at(r.first).at.Before(oldest) {
		r.drop()
	}
	if r.len() == 0 && len(r.slots) > 64 {
		r.slots = nil // a quiet channel need not keep the room of a busy hour
	}
}

// reset forgets everything up to offset: what is missing before it is unknown.
func (r *ring) reset(offset uint64) {
	for r.len() > 0 {
		r.drop()
	}
	r.start(offset)
}

// covers reports whether everything after offset, up to head, is kept.
func (r *ring) covers(offset uint64) bool { return offset >= r.floor && offset <= r.head }

// after is the index of the first entry above offset.
func (r *ring) after(offset uint64) uint64 {
	if r.len() == 0 || offset >= r.head {
		return r.next
	}
	n := sort.Search(r.len(), func(i int) bool { return r.at(r.first+uint64(i)).offset > offset })
	return r.first + uint64(n)
}
