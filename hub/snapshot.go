package hub

import (
	"errors"
	"strconv"
	"time"
)

// snapshot is a subscribe reply without its id, encoded once and shared.
type snapshot struct {
	offset  uint64
	tail    []byte // `"reply":{...}}`
	at      time.Time
	changes uint64 // channel.changes before it was folded
}

// folding is a snapshot being made; everybody who needs it waits for done.
type folding struct {
	done chan struct{}
	err  error // before done is closed
}

// take returns a snapshot that shows everything that is committed now and can
// be followed from the ring. Many may ask at once: it is folded by one.
func (c *channel) take() (*snapshot, error) {
	src, err := c.hub.src()
	if err != nil {
		return nil, err
	}
	head, err := src.Head(c.key)
	if err != nil {
		return nil, err
	}
	for {
		now := c.hub.o.Clock()
		c.mu.Lock()
		if s := c.snapshot; s != nil && s.offset >= head.Offset && c.follows(s) && now.Sub(s.at) < c.hub.o.SnapshotAge {
			c.mu.Unlock()
			return s, nil
		}
		if f := c.folding; f != nil {
			c.mu.Unlock()
			<-f.done
			if f.err != nil {
				return nil, f.err
			}
			continue // unless it began before head was committed, it will do
		}
		f := &folding{done: make(chan struct{}), err: errFold}
		c.folding = f
		changes := c.changes
		c.mu.Unlock()
		return c.lead(f, src, now, changes)
	}
}

// errFold is what others are told when the one who folds does not return.
var errFold = errors.New("the snapshot was not made")

// lead folds for everybody who waits for f.
func (c *channel) lead(f *folding, src Source, now time.Time, changes uint64) (snap *snapshot, err error) {
	defer close(f.done)
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.folding = nil
		if snap != nil {
			c.snapshot = snap
		}
	}()
	snap, f.err = c.fold(src, now, changes)
	return snap, f.err
}

// follows reports whether s and then the ring give everything. Called with
// c.mu held.
func (c *channel) follows(s *snapshot) bool {
	return s.offset >= c.ring.floor && s.changes == c.changes
}

func (c *channel) fold(src Source, now time.Time, changes uint64) (*snapshot, error) {
	s, err := src.Snapshot(c.key)
	if err != nil {
		return nil, err
	}
	c.hub.stats.snapshots.Add(1)
	tail := make([]byte, 0, len(s.Data)+len(c.name)+len(s.Epoch)+96)
	tail = c.appendReply(tail, s.Epoch, s.Offset, false)
	tail = append(tail, `,"snapshot":`...)
	tail = append(tail, s.Data...)
	return &snapshot{offset: s.Offset, tail: append(tail, "}}"...), at: now, changes: changes}, nil
}

// appendReply appends a subscribe reply from "reply" up to its last common
// member. Names and epochs need no escaping: both are made by us.
func (c *channel) appendReply(b []byte, epoch string, offset uint64, recovered bool) []byte {
	b = append(b, `"reply":{"channel":"`...)
	b = append(b, c.name...)
	b = append(b, `","epoch":"`...)
	b = append(b, epoch...)
	b = append(b, `","offset":`...)
	b = strconv.AppendUint(b, offset, 10)
	b = append(b, `,"recovered":`...)
	return strconv.AppendBool(b, recovered)
}

// appendID appends the beginning of a reply frame's JSON.
func appendID(b []byte, id int64) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, id, 10)
	return append(b, ',')
}

// touch makes snapshots taken before now unusable: something that they show
// changed without a publication (presence).
func (h *Hub) touch(key Key) {
	if c := h.lookup(key); c != nil {
		c.mu.Lock()
		c.changes++
		c.mu.Unlock()
	}
}
