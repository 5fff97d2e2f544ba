package sim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

// inFlight is how many commands are under way at any moment of the benchmarks.
const inFlight = 256

// branches is how many locations they are for: no branch has 256 clerks.
const branches = 16

// drain is a screen that takes everything at once.
type drain struct{}

func (drain) TryWrite(p []byte) (int, error) { return len(p), nil }
func (drain) Write(p []byte) (int, error)    { return len(p), nil }
func (drain) Close(wire.CloseCode)           {}

// BenchmarkLedger measures durable commands: each visitor is created, called and
// served, b.N counts commands, and a board and a console look on.
func BenchmarkLedger(b *testing.B) {
	engines := map[string]func(b *testing.B) store.Store{
		"memlog": func(*testing.B) store.Store { return memlog.New(memlog.Options{Clock: time.Now}) },
		"badger": func(b *testing.B) store.Store {
			st, err := store.Open(store.Options{Dir: b.TempDir(), Clock: time.Now, Log: zerolog.Nop()})
			if err != nil {
				b.Fatal(err)
			}
			return st
		},
	}
	for _, engine := range []string{"memlog", "badger"} {
		for _, keyed := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/keyed=%v", engine, keyed), func(b *testing.B) { benchmark(b, engines[engine](b), keyed) })
		}
	}
}

func benchmark(b *testing.B, st store.Store, keyed bool) {
	h := hub.New(nil, hub.Options{Clock: time.Now})
	var commits, commands atomic.Int64
	l, stop := start(b, st, h, ledger.Options{Clock: time.Now, Observe: func(c ledger.Commit) {
		commits.Add(1)
		commands.Add(int64(c.Commands))
	}})
	h.SetSource(l)
	ctx, cancel := context.WithCancel(context.Background())
	hubEnded := make(chan error, 1)
	go func() { hubEnded <- h.Run(ctx) }()
	house := build(b, l, branches, 3, 8, inFlight/branches, 0)
	out := h.NewOutbox(drain{})
	for _, p := range house.locations {
		for kind, a := range map[string]hub.Audience{wire.BoardChannel: hub.Display, wire.ConsoleChannel: hub.Staff} {
			if err := h.Subscribe(out, hub.Key{Channel: wire.Channel{Kind: kind, ID: int64(p.id)}, Audience: a}, nil, 1); err != nil {
				b.Fatal(err)
			}
		}
	}
	commits.Store(0)
	commands.Store(0)
	b.ReportAllocs()
	b.ResetTimer()
	took := load(b, l, house.locations, keyed)
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "commands/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(commands.Load())/float64(max(commits.Load(), 1)), "commands/commit")
	if err := stop(); err != nil {
		b.Error(err)
	}
	h.Drop(out)
	cancel()
	<-hubEnded
	if err := st.Close(); err != nil {
		b.Error(err)
	}
}

// load keeps inFlight commands under way until b.N were answered, and says how
// long each took.
func load(b *testing.B, l *ledger.Ledger, places []place, keyed bool) []time.Duration {
	var left atomic.Int64
	left.Store(int64(b.N))
	all := make([][]time.Duration, inFlight)
	var wg sync.WaitGroup
	for n := range inFlight {
		wg.Go(func() {
			p, clerk := places[n%len(places)], n/len(places)
			actor := ticket.Actor{Kind: ticket.ActorStaff, User: p.users[clerk%len(p.users)]}
			do := func(c ticket.Command) (ledger.Result, bool) {
				if left.Add(-1) < 0 {
					return ledger.Result{}, false
				}
				r := ledger.Request{Location: p.id, Command: c, Actor: actor}
				if keyed {
					r.Key = fmt.Sprint(n, "-", len(all[n]))
				}
				began := time.Now()
				res, err := l.Do(context.Background(), r)
				if err != nil {
					b.Error(err)
					return res, false
				}
				all[n] = append(all[n], time.Since(began))
				return res, true
			}
			for {
				res, ok := do(ticket.Create{Line: p.lines[clerk%len(p.lines)], FirstName: "Ida", LastName: "Berg", Language: "en"})
				if !ok {
					return
				}
				if _, ok = do(ticket.CallTicket{Ref: ref(res.Ticket.ID), Desk: p.desks[clerk%len(p.desks)]}); !ok {
					return
				}
				if _, ok = do(ticket.Serve{Ref: ref(res.Ticket.ID)}); !ok {
					return
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(all...)
}

// BenchmarkDay plays a whole day of a branch with ten clerks.
func BenchmarkDay(b *testing.B) {
	for b.Loop() {
		clock := &simClock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
		l, stop := start(b, memlog.New(memlog.Options{Clock: clock.now}), lonely{}, ledger.Options{Clock: clock.now})
		o := branch(build(b, l, 1, 3, 10, 10, 0), clock.now)
		o.Days, o.Speed, o.Wait = 1, 1, clock.wait
		if _, err := Run(b.Context(), On(l), o); err != nil {
			b.Fatal(err)
		}
		if err := stop(); err != nil {
			b.Fatal(err)
		}
	}
}
