//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// fleet is a lobby network's return: the server is killed under 5,000 screens, and
// they all come back at the instant when it is there again.
func fleet(e *env) error {
	const screens = 5000
	v, err := watched(e, screens)
	if err != nil {
		return err
	}
	defer v.end()
	n := v.node
	var back, up, cost []float64
	folds := 0.0
	for range e.rounds {
		if _, err := v.crowd.do(readerOrder{Do: "close"}); err != nil {
			return err
		}
		n.kill()
		began := time.Now()
		if err := n.up(); err != nil {
			return err
		}
		up = append(up, time.Since(began).Seconds())
		v.p = n.process
		before := v.p.cpu()
		began = time.Now()
		if _, err := v.crowd.do(v.join); err != nil {
			return err
		}
		back = append(back, time.Since(began).Seconds())
		cost = append(cost, float64((v.p.cpu()-before).Microseconds())/screens)
		text, err := n.metric("nowserving_hub_snapshots")
		if err != nil {
			return err
		}
		f, _ := strconv.ParseFloat(text, 64)
		folds = max(folds, f)
	}
	e.row(row{what: "killed and ready again", unit: "s", ours: median(up), goal: "1"})
	e.row(row{what: "then 5,000 screens connected and current", unit: "s", ours: median(back), goal: "5"})
	e.row(row{what: "CPU per returning screen", unit: "µs", ours: median(cost), goal: "250"})
	e.row(row{what: "board snapshots encoded for all 5,000, at most", unit: "count", ours: folds})
	return nil
}

// stalled is what 100 readers of 2,000 do to the others by reading nothing.
func stalled(e *env) error {
	const sockets, stuck = 2000, 100
	l := load{sockets: sockets - stuck, rate: 20, burst: 1, changes: 40, rounds: e.rounds}
	var all []*variant
	var before int64
	defer func() {
		for _, v := range all {
			v.end()
		}
	}()
	for _, stop := range []int{0, stuck} {
		v, err := ours(e, sockets, 0, l.rate)
		if err != nil {
			return err
		}
		all = append(all, v)
		v.join.Stalled = stop
		count := sockets - stuck + stop
		if err := v.gather(count); err != nil {
			return err
		}
		if stop == 0 {
			continue
		}
		before = v.p.rss()
		// What the kernel holds for them must be full before it counts.
		for range 600 {
			if err := v.publish(0); err != nil {
				return err
			}
			time.Sleep(4 * time.Millisecond)
		}
	}
	for r := range e.rounds + 1 {
		for i := range all {
			v := all[(i+r)%2]
			m, err := v.measure(l)
			if err != nil {
				return fmt.Errorf("%d stalled: %w", v.join.Stalled, err)
			}
			if r > 0 {
				v.rounds = append(v.rounds, m)
			}
		}
	}
	p99 := func(m round) float64 { return m.p99 }
	e.row(row{what: "p99 of 1,900 readers while 100 more have stopped reading", unit: "ms", ours: all[1].median(p99),
		others: []other{{"without them", all[0].median(p99)}}, goal: "1.1 times"})
	e.row(row{what: "memory that 100 stopped readers cost", unit: "MiB", ours: float64(all[1].p.rss()-before) / (1 << 20), goal: "bounded"})
	return nil
}

// season gives so many commands that the store has filled and written out some
// memory tables: what they take is taken once, and not what grows.
func (n *node) season(commands int) error {
	var wg sync.WaitGroup
	errs := make([]error, len(n.talk))
	for i, s := range n.talk {
		wg.Go(func() {
			for range commands / len(n.talk) / 3 {
				id, err := n.called(s)
				if err == nil {
					_, err = n.command(s, "ticket.serve", fmt.Sprintf(`{"ticket":%q}`, id))
				}
				if errs[i] = err; err != nil {
					return
				}
				time.Sleep(3 * time.Second / perTalker) // or it gives too many
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// soak is ten minutes at 2,000 screens and 20 changes a second.
func soak(e *env) error {
	const sockets = 2000
	v, err := ours(e, sockets, 0, 1500)
	if err != nil {
		return err
	}
	defer v.end()
	if err := v.node.season(40_000); err != nil {
		return err
	}
	if err := v.gather(sockets); err != nil {
		return err
	}
	minute := load{sockets: sockets, rate: 20, burst: 1, changes: 20 * 60}
	var memory [10][]float64 // by minute, each second's
	var p99 []float64
	for m := range memory {
		stop := v.p.watch(func(rss int64) { memory[m] = append(memory[m], float64(rss)/(1<<20)) })
		r, err := v.measure(minute)
		stop()
		if err != nil {
			return fmt.Errorf("minute %d: %w", m+1, err)
		}
		p99 = append(p99, r.p99)
		e.progress("minute %d: %.1f MiB, at most %.1f MiB, p50 %.1f ms, p99 %.1f ms, %.2f µs a delivery",
			m+1, median(memory[m]), slices.Max(memory[m]), r.p50, r.p99, r.cpu)
	}
	// The first minutes fill the history that boards resume from. Three minutes are
	// longer than the store takes to fill and write out a memtable.
	early, late := slices.Concat(memory[3:6]...), slices.Concat(memory[7:]...)
	e.row(row{what: "memory in the last three of ten minutes at 20 changes a second", unit: "MiB", ours: median(late),
		others: []other{{"minutes 4 to 6", median(early)}}, goal: "1.05 times"})
	e.row(row{what: "the most of it", unit: "MiB", ours: slices.Max(late), others: []other{{"minutes 4 to 6", slices.Max(early)}}})
	e.row(row{what: "p99 in the last minutes", unit: "ms", ours: median(p99[7:]), others: []other{{"minutes 4 to 6", median(p99[3:6])}}})
	if median(late) > median(early)*1.05 {
		return fmt.Errorf("memory grows: %.1f MiB, then %.1f MiB", median(early), median(late))
	}
	return nil
}
