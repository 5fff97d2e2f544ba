//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// openTickets is how many tickets the store has that is opened.
const openTickets = 1_000_000

// open is how long a node takes to be ready with the tickets of years.
func open(e *env) error {
	n, err := startNode(e.binary, e.folder("open"), 0)
	if err != nil {
		return err
	}
	n.stop()
	e.progress("making %d tickets", openTickets)
	cmd := exec.Command("/proc/self/exe", "fill", n.data, strconv.Itoa(openTickets))
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	var ready, memory []float64
	for range e.rounds {
		began := time.Now()
		if err := n.up(); err != nil {
			return err
		}
		ready = append(ready, time.Since(began).Seconds())
		memory = append(memory, float64(n.rss())/(1<<20))
		n.kill() // so that the next start has something to make good
	}
	e.row(row{what: "a store of 1,000,000 tickets ready, after a kill", unit: "s", ours: median(ready), goal: "2"})
	e.row(row{what: "memory then", unit: "MiB", ours: median(memory), goal: "300"})
	return nil
}

// nobody reads what the filling publishes.
type nobody struct{}

func (nobody) Wants(hub.Key) bool               { return false }
func (nobody) Publish(hub.Key, hub.Publication) {}

// fill is the process that makes the tickets, through the ledger like every other
// change: they come over a year and are cancelled.
func fill(data string, count int) error {
	var made atomic.Int64
	end := time.Now()
	first := end.Add(-365 * 24 * time.Hour)
	clock := func() time.Time { return first.Add(end.Sub(first) / time.Duration(count) * time.Duration(made.Load())) }
	st, err := store.Open(store.Options{Dir: filepath.Join(data, "store"), Clock: clock, Log: zerolog.Nop(), MinFree: 64 << 20})
	if err != nil {
		return err
	}
	defer st.Close()
	l, err := ledger.Open(st, nobody{}, ledger.Options{Clock: clock, Log: zerolog.Nop(), GroupMax: 1024, GroupBytes: st.MaxCommit() / 2})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	errs := make([]error, 1024)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for made.Add(1) <= int64(count) && errs[w] == nil {
				errs[w] = oneTicket(l, 1+w%3)
			}
		})
	}
	wg.Wait()
	stop()
	if err := <-ended; err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func oneTicket(l *ledger.Ledger, line int) error {
	actor := ticket.Actor{Kind: ticket.ActorSystem, Credential: "bench"}
	res, err := l.Do(context.Background(), ledger.Request{
		Location: 1, Actor: actor, Command: ticket.Create{Line: line, FirstName: "Ida", LastName: "Berg", Language: "en"},
	})
	if err != nil {
		return err
	}
	_, err = l.Do(context.Background(), ledger.Request{
		Location: 1, Actor: actor, Command: ticket.Cancel{Ref: ticket.Ref{ID: ticket.TicketID(res.Ticket.ID)}},
	})
	return err
}

// year is 300,000 tickets through the sockets: the last must be as quick as the first.
func year(e *env) error {
	const tickets, steps, parts = 300_000, 3, 10
	own, _, err := oursJournal(e)
	if err != nil {
		return err
	}
	defer func() { own.close(); own.p.stop() }()
	var p50, p99 []float64
	for part := range parts {
		took := make([][]float64, len(own.workers))
		errs := make([]error, len(own.workers))
		began, share := time.Now(), tickets*steps/parts/len(own.workers)
		var wg sync.WaitGroup
		for w, work := range own.workers {
			wg.Go(func() {
				for range share {
					began := time.Now()
					if errs[w] = work(); errs[w] != nil {
						return
					}
					took[w] = append(took[w], time.Since(began).Seconds()*1000)
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		all := slices.Concat(took...)
		slices.Sort(all)
		p50, p99 = append(p50, all[len(all)/2]), append(p99, all[len(all)*99/100])
		e.progress("tenth %d: %.0f changes a second, p50 %.1f ms, p99 %.1f ms, %.1f MiB", part+1,
			float64(len(all))/time.Since(began).Seconds(), p50[part], p99[part], float64(own.p.rss())/(1<<20))
	}
	e.row(row{what: "a year of 300,000 tickets, p50 of the last three tenths", unit: "ms", ours: median(p50[7:]), others: []other{{"of the first three", median(p50[:3])}}})
	e.row(row{what: "the same, p99", unit: "ms", ours: median(p99[7:]), others: []other{{"of the first three", median(p99[:3])}}})
	return nil
}
