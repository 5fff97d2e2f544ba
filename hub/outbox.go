package hub

import (
	"sync"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// chunkSize is how much one waiting write carries: the write deadline is
	// for each of these, so a reader must take 16 KiB in 10 s.
	chunkSize = 16 << 10
	// maxQueued bounds the replies that wait for a client that does not read
	// them; one more closes the session. A single larger reply is let through.
	maxQueued = 128 << 10
	// ephemeralRoom is how much may be waiting for an ephemeral push to be
	// queued behind it and not dropped.
	ephemeralRoom = 4 << 10
)

// Transport is how an Outbox reaches its client. Its methods are called by one
// goroutine at a time, except Close, which may interrupt Write.
type Transport interface {
	// TryWrite writes what fits without waiting; n < len(p) without an error
	// means that the rest would wait.
	TryWrite(p []byte) (n int, err error)
	// Write writes all of p, or fails after its deadline.
	Write(p []byte) (n int, err error)
	// Close ends the connection, at once or when the client has answered the
	// close frame that was the last thing written. It is called once, must not
	// wait, and must not call the Outbox. 0 means that writing failed.
	Close(code wire.CloseCode)
}

// Outbox is the sending side of one connection. Whole frames go out in the
// order: rest of a cut frame, replies and control frames, publications. It
// owns a goroutine only while it is behind.
type Outbox struct {
	hub *Hub
	t   Transport

	mu       sync.Mutex // protects the rest
	behind   bool       // drain is running and is the only one to write
	closing  bool       // nothing more is queued
	finished bool       // Transport.Close was called
	reason   wire.CloseCode
	leftover []byte        // the rest of a frame that was cut, or of a large reply
	queue    [][]byte      // replies and control frames; a piece may be shared
	queued   int           // bytes in queue
	dirty    []*subscriber // have publications to read from their ring
	subs     []*subscriber
}

// NewOutbox makes the sending side of one connection.
func (h *Hub) NewOutbox(t Transport) *Outbox { return &Outbox{hub: h, t: t} }

// Send queues one text frame (a reply, an error). The payload is kept, not
// copied.
func (o *Outbox) Send(payload []byte) {
	o.raw(wire.NewFrame(payload).Ready())
}

// WriteControl queues a control frame of the WebSocket library. raw is copied.
// A close frame is the last thing that is written.
func (o *Outbox) WriteControl(raw []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return
	}
	o.enqueue(append([]byte(nil), raw...))
	if code, ok := closeCode(raw); ok && !o.closing {
		o.closing, o.reason, o.dirty = true, code, nil
	}
	o.pump()
}

// Heartbeat queues an empty ping frame, which transports without control
// frames write in their own form.
func (o *Outbox) Heartbeat() { o.raw(heartbeat[:]) }

func (o *Outbox) raw(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return
	}
	o.enqueue(frame)
	o.pump()
}

// Close queues a close frame behind the replies that are queued, and then
// closes the transport. Publications that were not written yet are left out.
func (o *Outbox) Close(code wire.CloseCode) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut(code)
	o.pump()
}

// Fail ends everything at once: the connection is broken.
func (o *Outbox) Fail() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail()
}

// Writing reports whether something that was queued before the end is still
// being written.
func (o *Outbox) Writing() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.behind && !o.finished
}

// Has reports whether out is subscribed to ch.
func (o *Outbox) Has(ch wire.Channel) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.subs {
		if s.channel.key.Channel == ch {
			return true
		}
	}
	return false
}

// Closing reports whether the end was decided: nothing more will be queued.
func (o *Outbox) Closing() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

// shut lets a close frame be the last thing written.
func (o *Outbox) shut(code wire.CloseCode) {
	if o.closing {
		return
	}
	if code == wire.CloseSlow {
		o.hub.stats.slow.Add(1)
	}
	o.hub.o.Meter.Disconnected(wire.CloseReason(code))
	o.closing, o.reason, o.dirty = true, code, nil
	o.queue = append(o.queue, closeFrame(code))
}

func (o *Outbox) fail() {
	o.closing = true
	o.dirty, o.queue, o.leftover = nil, nil, nil
	o.finish(0)
}

func (o *Outbox) finish(code wire.CloseCode) {
	if !o.finished {
		o.finished = true
		o.t.Close(code)
	}
}

// enqueue adds a frame, in one or more pieces, to what goes out before
// publications. A client that leaves too much unread is told so behind it.
func (o *Outbox) enqueue(pieces ...[]byte) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}
	if o.behind && o.queued > 0 && o.queued+size > maxQueued {
		o.shut(wire.CloseSlow)
		return
	}
	o.queue = append(o.queue, pieces...)
	o.queued += size
}

func (o *Outbox) markDirty(s *subscriber) {
	if !s.dirty && !o.closing {
		s.dirty = true
		o.dirty = append(o.dirty, s)
	}
}

// pump writes what is waiting as far as that needs no waiting.
func (o *Outbox) pump() {
	if o.behind || o.finished {
		return
	}
	buf := o.hub.buffers.Get().(*[]byte)
	defer o.hub.buffers.Put(buf)
	for {
		chunk, borrowed := o.fill(*buf, 1<<30)
		if len(chunk) == 0 {
			break
		}
		n, err := o.t.TryWrite(chunk)
		if err != nil {
			o.fail()
			return
		}
		if n < len(chunk) {
			rest := chunk[n:]
			if borrowed {
				rest = append([]byte(nil), rest...)
			}
			o.putBack(rest)
			o.fallBehind()
			return
		}
	}
	if o.closing {
		o.finish(o.reason)
	}
}

// putBack returns what was not written to before what fill had left. Neither
// is copied: it may be the end of a large snapshot that many share.
func (o *Outbox) putBack(rest []byte) {
	if left := o.leftover; len(left) > 0 {
		o.queue = append([][]byte{left}, o.queue...)
		o.queued += len(left)
	}
	o.leftover = rest
}

func (o *Outbox) fallBehind() {
	o.behind = true
	o.hub.stats.behind.Add(1)
	go o.drain()
}

// drain writes the backlog with waiting writes. It ends when there is none, or
// when the transport fails or is closed.
func (o *Outbox) drain() {
	buf := o.hub.buffers.Get().(*[]byte)
	defer o.hub.buffers.Put(buf)
	defer o.hub.stats.behind.Add(-1)
	for {
		o.mu.Lock()
		chunk, _ := o.fill(*buf, chunkSize)
		if len(chunk) == 0 {
			o.behind = false
			if o.closing {
				o.finish(o.reason)
			}
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		if _, err := o.t.Write(chunk); err != nil {
			o.mu.Lock()
			o.behind = false
			o.fail()
			o.mu.Unlock()
			return
		}
	}
}

// fill takes what goes out next: one piece as it lies in memory, at most limit
// bytes of it, or several small ones joined in buf.
func (o *Outbox) fill(buf []byte, limit int) (chunk []byte, borrowed bool) {
	first := o.next()
	if len(first) >= chunkSize {
		if len(first) > limit {
			first, o.leftover = first[:limit], first[limit:]
		}
		return first, false
	}
	piece := o.next()
	if piece == nil {
		return first, false
	}
	buf = append(buf[:0], first...)
	for piece != nil {
		room := chunkSize - len(buf)
		if len(piece) >= room {
			buf = append(buf, piece[:room]...)
			o.leftover = piece[room:]
			break
		}
		buf = append(buf, piece...)
		piece = o.next()
	}
	return buf, true
}

// next takes the next whole piece.
func (o *Outbox) next() []byte {
	if p := o.leftover; len(p) > 0 {
		o.leftover = nil
		return p
	}
	if len(o.queue) > 0 {
		p := o.queue[0]
		o.queue[0] = nil
		o.queue = o.queue[1:]
		o.queued -= len(p)
		if len(o.queue) == 0 {
			o.queue, o.queued = nil, 0
		}
		return p
	}
	for len(o.dirty) > 0 {
		s := o.dirty[0]
		if !s.gone {
			e, ok, lost := s.channel.following(s.offset)
			if lost {
				o.shut(wire.CloseSlow)
				return o.next()
			}
			if ok {
				s.offset = e.offset
				return e.frame.Ready()
			}
		}
		s.dirty = false
		o.dirty = o.dirty[1:]
	}
	o.dirty = nil
	return nil
}

// deliver writes the frames of b that s has not had, unless it is behind; then
// it reads on from the ring when it gets there.
func (o *Outbox) deliver(s *subscriber, b *batch) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closing || s.gone || s.joining || s.offset >= b.last():
		return false
	case o.behind:
		o.markDirty(s)
		return false
	case s.offset < b.prev:
		o.shut(wire.CloseSlow)
		o.pump()
		return false
	}
	p := b.data[b.from(s.offset):]
	n, err := o.t.TryWrite(p)
	if err != nil {
		o.fail()
		return false
	}
	if n == len(p) {
		s.offset = b.last()
		return true
	}
	s.offset, o.leftover = b.written(len(b.data)-len(p)+n, s.offset)
	o.markDirty(s)
	o.fallBehind()
	return false
}

// offer writes an ephemeral frame, or drops it when much is waiting.
func (o *Outbox) offer(s *subscriber, f wire.Frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || s.gone || s.joining {
		return
	}
	if o.queued > ephemeralRoom {
		return
	}
	o.enqueue(f.Ready())
	o.pump()
}
