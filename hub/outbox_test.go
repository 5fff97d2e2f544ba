package hub

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nowserving/nowserving/hub/wire"
)

// One subscriber that does not read keeps nobody else from anything, is held at
// a bounded cost, and goes on where it was when it reads again.
func TestStalledReaderDelaysNobody(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		stalled, _ := subscribe(t, h, board1, nil)
		synctest.Wait()
		stalled.allow(10) // ten bytes into the next frame
		others := make([]*client, 600)
		for i := range others {
			others[i], _ = subscribe(t, h, board1, nil)
		}
		for i := uint64(1); i <= 500; i++ {
			j.add(h, board1, i)
			if i%100 == 0 {
				synctest.Wait()
				for _, c := range others {
					if c.at("board:1") != i {
						t.Fatalf("at %d of %d", c.at("board:1"), i)
					}
				}
			}
		}
		if h.Stats().Behind != 1 || stalled.at("board:1") != 0 {
			t.Errorf("behind: %d; the stalled one is at %d", h.Stats().Behind, stalled.at("board:1"))
		}
		stalled.allow(-1)
		synctest.Wait()
		if stalled.at("board:1") != 500 || len(stalled.seen["board:1"]) != 500 || h.Stats().Behind != 0 {
			t.Errorf("at %d, %d seen, %d behind", stalled.at("board:1"), len(stalled.seen["board:1"]), h.Stats().Behind)
		}
	})
}

func TestFallenOffTheRingIsClosed(t *testing.T) {
	bubble(t, Options{HistoryFrames: 50}, func(t *testing.T, h *Hub, j *journal) {
		slow, _ := subscribe(t, h, board1, nil)
		synctest.Wait()
		slow.allow(10)
		for i := uint64(1); i <= 500; i++ {
			j.add(h, board1, i)
			synctest.Wait()
		}
		slow.allow(-1)
		synctest.Wait()
		frames, _ := slow.got()
		last := frames[len(frames)-1]
		if code, closed := slow.isClosed(); !closed || code != wire.CloseSlow || last.op != opClose {
			t.Errorf("closed %v with %d, last frame %x", closed, code, last.op)
		}
		if h.Stats().Slow != 1 {
			t.Error("not counted")
		}
	})
}

// What is held for a reader that does not read: at most a frame, and the
// bounded replies.
func TestStalledReaderIsBounded(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, o := subscribe(t, h, board1, nil)
		synctest.Wait()
		c.allow(0)
		for i := uint64(1); i <= 3000; i++ {
			j.add(h, board1, i)
			h.Emit(board1.Channel, "signal", bytes.Repeat([]byte{' '}, 500), nil)
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		o.mu.Lock()
		held := len(o.leftover) + o.queued
		o.mu.Unlock()
		if held > chunkSize+ephemeralRoom+1024 || o.Closing() {
			t.Errorf("%d bytes are held, closing %v", held, o.Closing())
		}
		for i := 0; i < 1000 && !o.Closing(); i++ {
			o.Send(make([]byte, 1000))
		}
		o.mu.Lock()
		held = len(o.leftover) + o.queued
		o.mu.Unlock()
		if !o.Closing() || held > maxQueued+chunkSize {
			t.Errorf("closing %v with %d bytes held", o.Closing(), held)
		}
		o.Fail()
		synctest.Wait()
		if code, closed := c.isClosed(); !closed || code != 0 {
			t.Errorf("closed %v with %d", closed, code)
		}
	})
}

// A burst is one write, not many.
func TestBurstIsCoalesced(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, _ := subscribe(t, h, board1, nil)
		synctest.Wait()
		_, before := c.got()
		ch := h.lookup(board1)
		ch.mu.Lock() // nobody is worked on before all is published
		sh := ch.shards[0]
		ch.mu.Unlock()
		sh.mu.Lock()
		for i := uint64(1); i <= 8; i++ {
			j.add(h, board1, i)
		}
		sh.mu.Unlock()
		synctest.Wait()
		if _, writes := c.got(); writes-before != 1 || c.at("board:1") != 8 {
			t.Errorf("%d writes, at %d", writes-before, c.at("board:1"))
		}
	})
}

func TestOrderOfRepliesAndControl(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c := newClient(t)
		c.room = 3
		o := h.NewOutbox(c)
		o.Send([]byte(`{"id":1}`))
		o.WriteControl([]byte{final | 0xa, 2, 'h', 'i'})
		o.Send([]byte(`{"id":2,"x":"` + strings.Repeat("x", 40000) + `"}`))
		o.Heartbeat()
		o.Close(wire.CloseDrain)
		o.Close(wire.CloseSlow)
		o.Send([]byte(`{"id":3}`))
		o.WriteControl([]byte{final | 0xa, 0})
		if !o.Writing() || !o.Closing() {
			t.Error("nothing is being written")
		}
		for _, n := range []int{1, 5, 20000, 7, -1} {
			c.allow(n)
			synctest.Wait()
		}
		frames, _ := c.got()
		var got []string
		for _, f := range frames {
			got = append(got, fmt.Sprintf("%x:%d", f.op, len(f.payload)))
		}
		if s := strings.Join(got, " "); s != "1:8 a:2 1:40015 9:0 8:10" {
			t.Errorf("got %s", s)
		}
		if code, closed := c.isClosed(); !closed || code != wire.CloseDrain || o.Writing() {
			t.Errorf("closed %v with %d", closed, code)
		}
	})
}

// A close frame of the library ends the Outbox as one of ours does.
func TestLibraryClose(t *testing.T) {
	h := New(newJournal(), Options{})
	for raw, want := range map[string]wire.CloseCode{"\x88\x02\x03\xf1": 1009, "\x88\x00": 1005} {
		c := newClient(t)
		o := h.NewOutbox(c)
		o.WriteControl([]byte(raw))
		o.Send([]byte(`{"id":1}`))
		if code, closed := c.isClosed(); !closed || code != want || len(c.all) != 1 {
			t.Errorf("closed %v with %d after %d frames", closed, code, len(c.all))
		}
		if err := h.Subscribe(o, board1, nil, 1); err != nil || o.Subscriptions() != 0 {
			t.Errorf("subscribed a closed one: %v", err)
		}
	}
}

func TestBrokenTransport(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, o := subscribe(t, h, board1, nil)
		ok, _ := subscribe(t, h, board1, nil)
		synctest.Wait()
		c.mu.Lock()
		c.closed = true // as if the kernel said so; Close then says "twice"
		c.t = ignore{t}
		c.mu.Unlock()
		j.add(h, board1, 1)
		synctest.Wait()
		if !o.Closing() || ok.at("board:1") != 1 {
			t.Errorf("closing %v, the other is at %d", o.Closing(), ok.at("board:1"))
		}
		h.Drop(o)
		if h.Stats().Subscribers != 1 {
			t.Errorf("%d subscribers", h.Stats().Subscribers)
		}
	})
}

type ignore struct{ testing.TB }

func (ignore) Error(...any) {}

// What is published while a worker is finishing is not forgotten.
func TestNoLostWakeup(t *testing.T) {
	j := newJournal()
	h := New(j, Options{}) // nobody works
	c, o := subscribe(t, h, board1, nil)
	sh := h.lookup(board1).shards[0]
	for i, late := range []func(){
		func() { j.add(h, board1, 1) },
		func() { h.Emit(board1.Channel, "signal", nil, nil) },
		func() {},
	} {
		sh.queued.Store(true) // a worker has it
		sh.flush()
		late()
		h.letGo(sh)
		if queued := len(h.queue.shards) > h.queue.head; queued != (i < 2) {
			t.Errorf("%d: queued %v", i, queued)
		}
		if i < 2 {
			h.queue.pop().flush()
			sh.queued.Store(false)
		}
	}
	if frames, _ := c.got(); len(frames) != 3 {
		t.Errorf("%d frames", len(frames))
	}
	h.Drop(o)
}
