package hub

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"pgregory.net/rapid"
)

// Whatever happens, every client has a contiguous run or a snapshot (client
// checks that) and ends at the head.
func TestFanoutProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, fanoutProperty) })
}

// crowd is a hub with clients in all states.
type crowd struct {
	tb    silent
	j     *journal
	h     *Hub
	next  map[Key]uint64
	id    int64
	peers []*member
}

type member struct {
	c *client
	o *Outbox
	k Key
}

func fanoutProperty(t *rapid.T) {
	j := newJournal()
	h := New(j, Options{
		HistoryFrames: rapid.IntRange(1, 40).Draw(t, "frames"), Linger: time.Second,
		HistoryAge: time.Minute, SnapshotAge: time.Second, Workers: 2,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	defer func() { cancel(); <-done }()
	w := &crowd{tb: silent{t: t}, j: j, h: h, next: map[Key]uint64{}}
	t.Repeat(w.actions())
	w.settle(t)
}

func (w *crowd) actions() map[string]func(*rapid.T) {
	key := func(t *rapid.T) Key { return rapid.SampledFrom([]Key{board1, console1}).Draw(t, "key") }
	return map[string]func(*rapid.T){
		"commit": func(t *rapid.T) {
			k := key(t)
			for range rapid.IntRange(1, 10).Draw(t, "n") {
				w.next[k] += uint64(rapid.IntRange(1, 3).Draw(t, "step"))
				w.j.commit(k, w.next[k], time.Now())
			}
		},
		"publish": func(t *rapid.T) { w.j.publish(w.h, key(t)) },
		"join":    func(t *rapid.T) { w.join(t, key(t), nil) },
		"resume": func(t *rapid.T) {
			k := key(t)
			w.join(t, k, &wire.Position{Epoch: "e1", Offset: rapid.Uint64Range(0, w.next[k]+1).Draw(t, "since")})
		},
		"again": func(t *rapid.T) {
			p := w.pick(t)
			if p.o.Closing() {
				t.Skip("closed")
			}
			w.id++
			since := &wire.Position{Epoch: "e1", Offset: p.c.at(p.k.Channel.String())}
			if err := p.c.subscribe(w.h, p.o, p.k, since, w.id); err != nil {
				t.Fatal(err)
			}
		},
		"stall": func(t *rapid.T) { w.pick(t).c.allow(rapid.IntRange(0, 300).Draw(t, "room")) },
		"read":  func(t *rapid.T) { w.pick(t).c.allow(-1) },
		"leave": func(t *rapid.T) { w.h.Drop(w.pick(t).o) },
		"wait":  func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(0, 40).Draw(t, "s")) * time.Second) },
		"rest":  func(*rapid.T) { synctest.Wait() },
		"":      func(t *rapid.T) { w.tb.check(t) },
	}
}

func (w *crowd) join(t *rapid.T, k Key, since *wire.Position) {
	p := &member{c: newClient(w.tb), k: k}
	p.o = w.h.NewOutbox(p.c)
	w.id++
	if err := p.c.subscribe(w.h, p.o, k, since, w.id); err != nil {
		t.Fatal(err)
	}
	w.peers = append(w.peers, p)
}

func (w *crowd) pick(t *rapid.T) *member {
	if len(w.peers) == 0 {
		t.Skip("nobody is there")
	}
	return w.peers[rapid.IntRange(0, len(w.peers)-1).Draw(t, "peer")]
}

// settle lets everybody read to the end and looks where they are.
func (w *crowd) settle(t *rapid.T) {
	for k := range w.next {
		w.j.publish(w.h, k)
	}
	for _, p := range w.peers {
		p.c.allow(-1)
	}
	synctest.Wait()
	w.tb.check(t)
	for i, p := range w.peers {
		if at := p.c.at(p.k.Channel.String()); p.o.Subscriptions() > 0 && !p.o.Closing() && at != w.next[p.k] {
			t.Fatalf("peer %d is at %d of %d", i, at, w.next[p.k])
		}
		if code, closed := p.c.isClosed(); closed && code != wire.CloseSlow {
			t.Fatalf("peer %d closed with %d", i, code)
		}
		w.h.Drop(p.o)
		p.o.Fail()
	}
	if s := w.h.Stats(); s.Subscribers != 0 {
		t.Fatalf("%d subscribers are left", s.Subscribers)
	}
	synctest.Wait()
}

// silent collects what clients find wrong in other goroutines.
type silent struct {
	testing.TB
	t *rapid.T
}

func (s silent) Errorf(format string, args ...any) { s.t.Errorf(format, args...) }

func (s silent) Error(args ...any) { s.t.Error(args...) }

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
	all, outs := make([]*client, clients), make([]*Outbox, clients)
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
