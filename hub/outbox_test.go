package hub

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"pgregory.net/rapid"
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
		}
		synctest.Wait()
		o.mu.Lock()
		held := len(o.leftover) + o.queued
		o.mu.Unlock()
		if held > chunkSize+ephemeralRoom+1024 {
			t.Errorf("%d bytes are held", held)
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

// Whatever happens, every client has a contiguous run or a snapshot (client
// checks that) and ends at the head.
func TestFanoutProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, fanoutProperty) })
}

func fanoutProperty(t *rapid.T) {
	j := newJournal()
	tb := silent{t: t}
	h := New(j, Options{
		HistoryFrames: rapid.IntRange(1, 40).Draw(t, "frames"), Linger: time.Second,
		HistoryAge: time.Minute, SnapshotAge: time.Second, Workers: 2,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	defer func() { cancel(); <-done }()

	keys := []Key{board1, console1}
	next := map[Key]uint64{}
	type peer struct {
		c *client
		o *Outbox
		k Key
	}
	var peers []*peer
	id := int64(1)
	join := func(k Key, since *wire.Position) {
		p := &peer{c: newClient(tb), k: k}
		p.o = h.NewOutbox(p.c)
		if err := p.c.subscribe(h, p.o, k, since, 1); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	pick := func() *peer {
		if len(peers) == 0 {
			t.Skip("nobody is there")
		}
		return rapid.SampledFrom(peers).Draw(t, "peer")
	}
	key := func(t *rapid.T) Key { return rapid.SampledFrom(keys).Draw(t, "key") }
	t.Repeat(map[string]func(*rapid.T){
		"commit": func(t *rapid.T) {
			k := key(t)
			for range rapid.IntRange(1, 10).Draw(t, "n") {
				next[k] += uint64(rapid.IntRange(1, 3).Draw(t, "step"))
				j.commit(k, next[k], time.Now())
			}
		},
		"publish": func(t *rapid.T) { j.publish(h, key(t)) },
		"join":    func(t *rapid.T) { join(key(t), nil) },
		"resume": func(t *rapid.T) {
			k := key(t)
			join(k, &wire.Position{Epoch: "e1", Offset: rapid.Uint64Range(0, next[k]+1).Draw(t, "since")})
		},
		"again": func(*rapid.T) {
			p := pick()
			at := p.c.at(p.k.Channel.String())
			id++
			if p.o.Closing() {
				t.Skip("closed")
			}
			if err := p.c.subscribe(h, p.o, p.k, &wire.Position{Epoch: "e1", Offset: at}, id); err != nil {
				t.Fatal(err)
			}
		},
		"stall": func(t *rapid.T) { pick().c.allow(rapid.IntRange(0, 300).Draw(t, "room")) },
		"read":  func(*rapid.T) { pick().c.allow(-1) },
		"leave": func(*rapid.T) { h.Drop(pick().o) },
		"wait":  func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(0, 40).Draw(t, "s")) * time.Second) },
		"rest":  func(*rapid.T) { synctest.Wait() },
		"":      func(t *rapid.T) { tb.check(t) },
	})
	for _, k := range keys {
		j.publish(h, k)
	}
	for _, p := range peers {
		p.c.allow(-1)
	}
	synctest.Wait()
	tb.check(t)
	for i, p := range peers {
		name := p.k.Channel.String()
		if p.o.Subscriptions() > 0 && !p.o.Closing() && p.c.at(name) != next[p.k] {
			t.Fatalf("peer %d is at %d of %d", i, p.c.at(name), next[p.k])
		}
		if code, closed := p.c.isClosed(); closed && code != wire.CloseSlow {
			t.Fatalf("peer %d closed with %d", i, code)
		}
		h.Drop(p.o)
		p.o.Fail()
	}
	if s := h.Stats(); s.Subscribers != 0 {
		t.Fatalf("%d subscribers are left", s.Subscribers)
	}
	synctest.Wait()
}

// silent collects what clients find wrong in other goroutines.
type silent struct {
	testing.TB
	t  *rapid.T
	mu *sync.Mutex
}

func (s silent) Errorf(format string, args ...any) { s.t.Errorf(format, args...) }
func (s silent) Error(args ...any)                 { s.t.Error(args...) }
func (s silent) check(t *rapid.T) {
	if t.Failed() {
		t.FailNow()
	}
}

// The same with real goroutines, for the race detector: publishers, emitters,
// clients that come and go and stall.
func TestFanoutConcurrently(t *testing.T) {
	const (
		clients = 400
		events  = 1500
	)
	j := newJournal()
	h, stop := start(t, j, Options{HistoryFrames: events})
	defer stop()
	var wg sync.WaitGroup
	published := make(chan struct{})
	wg.Go(func() {
		defer close(published)
		for i := uint64(1); i <= events; i++ {
			j.add(h, board1, i)
			if i%50 == 0 {
				h.Emit(board1.Channel, "signal", nil, nil)
				h.Join(1, Member{Session: fmt.Sprint(i)})
			}
		}
	})
	all := make([]*client, clients)
	outs := make([]*Outbox, clients)
	for i := range clients {
		c := newClient(t)
		o := h.NewOutbox(c)
		all[i], outs[i] = c, o
		wg.Go(func() {
			name := board1.Channel.String()
			var since *wire.Position
			for n := range 1 + i%4 {
				if n > 0 {
					h.Unsubscribe(o, board1.Channel)
					since = &wire.Position{Epoch: "e1", Offset: c.at(name)}
				}
				if i%5 == 0 {
					c.allow(i)
				}
				if err := c.subscribe(h, o, board1, since, int64(n+1)); err != nil {
					t.Error(err)
				}
				o.Send([]byte(`{"id":9,"reply":{}}`))
				c.allow(-1)
			}
		})
	}
	wg.Wait()
	<-published
	for _, c := range all {
		c.mu.Lock()
		for c.pos["board:1"] != events && !c.closed && !t.Failed() {
			c.wake.Wait() // for every whole frame
		}
		if c.closed {
			t.Errorf("closed with %d", c.code)
		}
		c.mu.Unlock()
	}
	for _, o := range outs {
		h.Drop(o)
	}
}

// A client may be cut at every byte and must be able to go on.
func TestResumeAtEveryByte(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		whole, _ := subscribe(t, h, board1, nil)
		for i := uint64(1); i <= 5; i++ {
			j.add(h, board1, i)
		}
		synctest.Wait()
		frames, _ := whole.got()
		size := 0
		for _, f := range frames {
			size += len(f.payload) + 2
		}
		for cut := 0; cut < size; cut++ {
			c := newClient(t)
			c.room = cut
			o := h.NewOutbox(c)
			if err := c.subscribe(h, o, board1, &wire.Position{Epoch: "e1"}, 1); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			h.Drop(o)
			o.Fail()
			back, bo := subscribe(t, h, board1, &wire.Position{Epoch: "e1", Offset: c.at("board:1")})
			synctest.Wait()
			if got := len(c.seen["board:1"]) + len(back.seen["board:1"]); got != 5 || back.at("board:1") != 5 {
				t.Fatalf("cut at %d: %d publications in all, at %d", cut, got, back.at("board:1"))
			}
			h.Drop(bo)
		}
	})
}
