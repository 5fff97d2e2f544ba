package hub

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// journal is a Source: the committed publications of channels. Committing and
// publishing are separate, as in the ledger.
type journal struct {
	mu        sync.Mutex
	epoch     string
	committed map[Key][]Publication
	published map[Key]int
	folds     int
	fail      error
	onFold    func()
}

func newJournal() *journal {
	return &journal{epoch: "e1", committed: map[Key][]Publication{}, published: map[Key]int{}}
}

// commit appends a publication at offset, which the hub is not told yet.
func (j *journal) commit(key Key, offset uint64, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.committed[key] = append(j.committed[key], Publication{
		Type: "ticket.called", Offset: offset, Prev: j.headLocked(key), Time: at,
		Data: []byte(fmt.Sprintf(`{"n":%d}`, offset)),
	})
}

func (j *journal) headLocked(key Key) uint64 {
	if c := j.committed[key]; len(c) > 0 {
		return c[len(c)-1].Offset
	}
	return 0
}

// publish tells the hub about what was committed and not published.
func (j *journal) publish(h *Hub, key Key) {
	for {
		j.mu.Lock()
		i := j.published[key]
		if i == len(j.committed[key]) {
			j.mu.Unlock()
			return
		}
		p := j.committed[key][i]
		j.published[key]++
		j.mu.Unlock()
		if h.Wants(key) {
			h.Publish(key, p)
		}
	}
}

func (j *journal) add(h *Hub, key Key, offset uint64) {
	j.commit(key, offset, h.o.Clock())
	j.publish(h, key)
}

func (j *journal) Snapshot(key Key) (Snapshot, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.folds++
	if j.onFold != nil {
		j.onFold()
	}
	if j.fail != nil {
		return Snapshot{}, j.fail
	}
	head := j.headLocked(key)
	return Snapshot{Epoch: j.epoch, Offset: head, Data: []byte(fmt.Sprintf(`{"n":%d}`, head))}, nil
}

func (j *journal) Head(key Key) (wire.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return wire.Position{Epoch: j.epoch, Offset: j.headLocked(key)}, j.fail
}

func (j *journal) head(key Key) wire.Position { p, _ := j.Head(key); return p }

// client is a Transport whose reading can be stopped, and what a client of the
// protocol makes of the bytes: it fails the test on anything that is not a
// contiguous run or a snapshot.
type client struct {
	t testing.TB

	mu     sync.Mutex
	wake   *sync.Cond
	room   int // bytes that fit without waiting; -1 is any number
	raw    []byte
	code   wire.CloseCode
	closed bool
	writes int

	pos   map[string]uint64 // per channel
	asked map[int64]uint64  // since, per request
	seen  map[string][]uint64
	data  map[string]string
	last  map[string]bool // recovered flag of the last subscribe reply
	all   []frame
}

type frame struct {
	op      byte
	payload []byte
}

var errClosed = errors.New("closed")

func newClient(t testing.TB) *client {
	c := &client{t: t, room: -1, pos: map[string]uint64{}, asked: map[int64]uint64{}, seen: map[string][]uint64{}, data: map[string]string{}, last: map[string]bool{}}
	c.wake = sync.NewCond(&c.mu)
	return c
}

func (c *client) TryWrite(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.take(p)
}

func (c *client) take(p []byte) (int, error) {
	if c.closed {
		return 0, errClosed
	}
	c.writes++
	n := len(p)
	if c.room >= 0 {
		n = min(n, c.room)
		c.room -= n
	}
	c.raw = append(c.raw, p[:n]...)
	c.cut()
	return n, nil
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sent := 0; sent < len(p); {
		for c.room == 0 && !c.closed {
			c.wake.Wait()
		}
		n, err := c.take(p[sent:])
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

func (c *client) Close(code wire.CloseCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.t.Error("closed twice")
	}
	c.closed, c.code = true, code
	c.wake.Broadcast()
}

// allow lets n more bytes through, or any number.
func (c *client) allow(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room = n
	c.wake.Broadcast()
}

func (c *client) isClosed() (wire.CloseCode, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code, c.closed
}

// cut takes whole frames off raw.
func (c *client) cut() {
	for len(c.raw) >= 2 {
		size, head := int(c.raw[1]), 2
		switch {
		case size == 126 && len(c.raw) >= 4:
			size, head = int(binary.BigEndian.Uint16(c.raw[2:])), 4
		case size == 127 && len(c.raw) >= 10:
			size, head = int(binary.BigEndian.Uint64(c.raw[2:])), 10
		case size >= 126:
			return
		}
		if len(c.raw) < head+size {
			return
		}
		f := frame{op: c.raw[0] & 0xf, payload: append([]byte(nil), c.raw[head:head+size]...)}
		if op := c.raw[0]; op != 0x81 && op != 0x88 && op != 0x89 && op != 0x8a {
			c.t.Errorf("first byte %x: the bytes are not frames any more", op)
			return
		}
		c.raw = c.raw[head+size:]
		c.look(f)
	}
}

// look acts on one frame as a client does.
func (c *client) look(f frame) {
	defer c.wake.Broadcast()
	c.all = append(c.all, f)
	if f.op != 1 {
		return
	}
	var m struct {
		ID    int64
		Reply *struct {
			Channel, Epoch string
			Offset         uint64
			Recovered      bool
			Snapshot       json.RawMessage
		}
		Error        *wire.Error
		Push         string
		Channel      string
		Offset, Prev uint64
		Data         json.RawMessage
	}
	if err := json.Unmarshal(f.payload, &m); err != nil {
		c.t.Errorf("not JSON: %v: %.200s", err, f.payload)
		return
	}
	switch {
	case m.Reply != nil && m.Reply.Channel != "":
		ch := m.Reply.Channel
		c.last[ch] = m.Reply.Recovered
		if !m.Reply.Recovered {
			c.pos[ch] = m.Reply.Offset
			c.data[ch] = string(m.Reply.Snapshot)
			if want := fmt.Sprintf(`{"n":%d}`, m.Reply.Offset); c.data[ch] != want {
				c.t.Errorf("snapshot %s at %d", c.data[ch], m.Reply.Offset)
			}
			break
		}
		// What was on its way when the client asked again comes once more.
		c.pos[ch] = c.asked[m.ID]
		if m.Reply.Offset < c.pos[ch] {
			c.t.Errorf("%s: recovered to %d, behind %d", ch, m.Reply.Offset, c.pos[ch])
		}
	case m.Push != "" && m.Offset > 0:
		at := c.pos[m.Channel]
		if m.Offset <= at {
			c.t.Errorf("%s: duplicate of %d at %d", m.Channel, m.Offset, at)
		}
		if m.Prev > at {
			c.t.Errorf("%s: gap: %d follows %d, have %d", m.Channel, m.Offset, m.Prev, at)
		}
		c.pos[m.Channel] = m.Offset
		c.data[m.Channel] = string(m.Data)
		c.seen[m.Channel] = append(c.seen[m.Channel], m.Offset)
	}
}

func (c *client) at(ch string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pos[ch]
}

// subscribe asks with id for what comes after since.
func (c *client) subscribe(h *Hub, o *Outbox, key Key, since *wire.Position, id int64) error {
	if since != nil {
		c.mu.Lock()
		c.asked[id] = since.Offset
		c.mu.Unlock()
	}
	return h.Subscribe(o, key, since, id)
}

func (c *client) got() (frames []frame, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]frame(nil), c.all...), c.writes
}

func (c *client) recovered(ch string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[ch]
}

// start runs a hub until the test ends.
func start(t interface {
	testing.TB
}, src Source, o Options) (h *Hub, stop func()) {
	h = New(src, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return h, func() { cancel(); <-done }
}

var (
	board1   = Key{wire.Channel{Kind: wire.BoardChannel, ID: 1}, Display}
	console1 = Key{wire.Channel{Kind: wire.ConsoleChannel, ID: 1}, Staff}
	ticket7s = Key{wire.Channel{Kind: wire.TicketChannel, ID: 7}, Staff}
	ticket7v = Key{wire.Channel{Kind: wire.TicketChannel, ID: 7}, Visitor}
)
