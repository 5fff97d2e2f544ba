//go:build linux

package main

import (
	"fmt"
	"strconv"
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
		v, err := ours(e, sockets, 0)
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

// soak is ten minutes at 2,000 screens and 20 changes a second.
func soak(e *env) error {
	const sockets = 2000
	v, err := watched(e, sockets)
	if err != nil {
		return err
	}
	defer v.end()
	minute := load{sockets: sockets, rate: 20, burst: 1, changes: 20 * 60}
	var memory, p99 []float64
	for m := range 10 {
		r, err := v.measure(minute)
		if err != nil {
			return fmt.Errorf("minute %d: %w", m+1, err)
		}
		memory, p99 = append(memory, float64(v.p.rss())/(1<<20)), append(p99, r.p99)
		e.progress("minute %d: %.1f MiB, p50 %.1f ms, p99 %.1f ms, %.2f µs a delivery", m+1, memory[m], r.p50, r.p99, r.cpu)
	}
	// The first minutes fill the history that boards resume from.
	early, late := median(memory[3:6]), median(memory[7:])
	e.row(row{what: "memory after ten minutes at 20 changes a second", unit: "MiB", ours: late,
		others: []other{{"minutes 4 to 6", early}}, goal: "1.05 times"})
	e.row(row{what: "p99 in the last minutes", unit: "ms", ours: median(p99[7:]), others: []other{{"minutes 4 to 6", median(p99[3:6])}}})
	if late > early*1.05 {
		return fmt.Errorf("memory grows: %.1f MiB, then %.1f MiB", early, late)
	}
	return nil
}
