package sim

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// node is one life of the process.
type node struct {
	disk   *disk
	ledger *ledger.Ledger
	hub    *hub.Hub
	stop   func()
	ended  chan error

	mu    sync.Mutex // protects links
	links map[*link]*hub.Outbox
	down  bool
}

// join notes a connection; on a node that is going down it is cut at once.
func (n *node) join(l *link, out *hub.Outbox) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links[l] = out
	if n.down {
		out.Fail()
	}
}

// await is the running node; nil when the world is over.
func (w *world) await() *node {
	for {
		w.mu.Lock()
		n, up := w.node, w.up
		w.mu.Unlock()
		if n != nil && !w.over() {
			return n
		}
		select {
		case <-up:
		case <-w.end:
			return nil
		}
	}
}

// boot opens the journal and serves it.
func (w *world) boot(mischief bool) *node {
	d := &disk{Log: w.log}
	latency := newRand(w.rng.Uint64(), 1)
	d.latency = func() time.Duration { return between(latency, 100*time.Microsecond, w.set.pace/2) }
	if mischief {
		d.fault = store.NewFault(store.FaultRule{
			Prefix: store.PrefixRecord, Nth: 2 + w.rng.IntN(60), Mode: store.FailEither, Seed: w.rng.Uint64(),
		})
		d.met = func(m store.FaultMode) {
			w.count(map[store.FaultMode]string{store.FailBefore: "failed before", store.FailAfter: "failed after"}[m])
		}
		if chance(w.rng, 0.3) {
			full := newRand(w.rng.Uint64(), 2)
			d.full = func() bool {
				yes := chance(full, 0.1)
				if yes {
					w.count("disk full")
				}
				return yes
			}
		}
	}
	n := &node{disk: d, hub: hub.New(nil, w.set.hub), ended: make(chan error, 1), links: map[*link]*hub.Outbox{}}
	var err error
	if n.ledger, err = ledger.Open(d, n.hub, w.set.ledger); err != nil {
		w.t.Fatalf("seed %d: open: %v", w.seed, err)
	}
	n.hub.SetSource(n.ledger)
	ctx, cancel := context.WithCancel(context.Background())
	hubCtx, cancelHub := context.WithCancel(context.Background())
	hubEnded := make(chan error, 1)
	go func() { n.ended <- n.ledger.Run(ctx) }()
	go func() { hubEnded <- n.hub.Run(hubCtx) }()
	n.stop = func() {
		cancel()
		cancelHub()
		<-hubEnded
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.node = n
	close(w.up)
	return n
}

// supervise keeps a node running until told to stop, and then leaves none.
func (w *world) supervise(stop <-chan struct{}) {
	mischief := true
	for {
		n := w.boot(mischief)
		orderly, last := true, false
		var err error
		select {
		case err = <-n.ended: // the fault was met
			if !errors.Is(err, ledger.ErrUnknownOutcome) || n.disk.fault.Fired() != 1 {
				w.fail("the ledger ended with %v after %d faults", err, n.disk.fault.Fired())
			}
			w.count("fault")
			orderly = false
			w.takeDown(n, orderly)
		case orderly = <-w.restart:
			if !orderly {
				w.count("kill")
				n.disk.kill()
			} else {
				w.count("orderly restart")
			}
			w.takeDown(n, orderly)
			<-n.ended
		case <-stop:
			last = true
			w.takeDown(n, true)
			if err := <-n.ended; err != nil {
				w.fail("the last node ended with %v", err)
			}
		}
		if last {
			return
		}
		mischief = !w.calm() // when all is to come to rest, nothing fails any more
		rest(between(w.rng, time.Millisecond, 100*time.Millisecond))
	}
}

// takeDown cuts the links of a node and stops it.
func (w *world) takeDown(n *node, orderly bool) {
	w.mu.Lock()
	w.node, w.up = nil, make(chan struct{})
	w.mu.Unlock()
	n.mu.Lock()
	n.down = true
	for l, out := range n.links {
		if orderly {
			l.allow(-1)
			out.Close(wire.CloseDrain)
		} else {
			out.Fail()
		}
	}
	n.mu.Unlock()
	n.stop()
}
