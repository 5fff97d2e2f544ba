//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// load is how a fan-out is driven.
type load struct {
	sockets, channels int
	rate              float64 // changes a second
	burst             int     // changes at the same instant
	changes           int     // in a round
	rounds            int
}

// peerNames are who is measured beside us, the floor first.
func peerNames() []string { return []string{"floor", "nchan", "ws", "socket.io"} }

// fanout measures all servers in turn with the same subscribers and the same load.
func fanout(e *env, l load) error {
	all, err := together(e, l)
	defer func() {
		for _, v := range all {
			v.end()
		}
	}()
	if err != nil {
		return err
	}
	for r := range l.rounds + 1 { // the first is for warming up
		for i := range all {
			v := all[(i+r)%len(all)]
			m, err := v.measure(l)
			if err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			if r > 0 {
				v.rounds = append(v.rounds, m)
			}
		}
	}
	report(e, all, l)
	return nil
}

// together starts every server that this machine has.
func together(e *env, l load) ([]*variant, error) {
	tickets := 0
	if l.channels > 1 {
		tickets = l.channels
	}
	own, err := ours(e, l.sockets, tickets, l.rate)
	if err != nil {
		return nil, err
	}
	all := []*variant{own}
	if err := own.gather(l.sockets); err != nil {
		return all, err
	}
	if l.burst == 1 {
		if own.lone, err = ours(e, max(1, tickets), tickets, l.rate); err == nil {
			err = own.lone.alone(l)
		}
		if err != nil {
			return all, err
		}
		all = append(all, own.lone)
	}
	// The others send what ours sends, byte for byte.
	if _, err := own.measure(load{sockets: l.sockets, channels: l.channels, rate: l.rate, burst: 1, changes: max(1, l.channels)}); err != nil {
		return all, err
	}
	e.payload = []byte(own.join.Since)
	own.join.Since = ""
	for _, name := range peerNames() {
		if l.channels > 1 && name != "nchan" && name != "floor" {
			continue // they have no channels, or not as cheap ones
		}
		if !e.beside.MatchString(name) {
			continue
		}
		v, err := peer(e, name, l.channels)
		if err != nil {
			e.note("%s is not measured: %v", name, err)
			continue
		}
		all = append(all, v)
		if err := v.gather(l.sockets); err != nil {
			return all, fmt.Errorf("%s: %w", name, err)
		}
		if name == "floor" && l.burst == 1 {
			if v.lone, err = peer(e, name, l.channels); err == nil {
				err = v.lone.alone(l)
			}
			if err != nil {
				return all, err
			}
			all = append(all, v.lone)
		}
	}
	return all, nil
}

// alone gives v a single subscriber per channel: what a change costs before the
// number of those who look on matters.
func (v *variant) alone(l load) error {
	v.few = max(1, l.channels)
	err := v.gather(v.few)
	if err != nil {
		v.end()
	}
	return err
}

// measure is one round: changes at their due times, and what they cost.
func (v *variant) measure(l load) (round, error) {
	channels := max(l.channels, 1)
	due := make([][]int64, channels)
	if _, err := v.crowd.do(readerOrder{Do: "begin", PerSocket: l.changes/channels + 1}); err != nil {
		return round{}, err
	}
	before := v.p.cpu()
	began := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i := range l.changes {
		at := began.Add(time.Duration(float64(i/l.burst) * float64(l.burst) / l.rate * float64(time.Second)))
		time.Sleep(time.Until(at)) // the schedule itself
		c := i % channels
		due[c] = append(due[c], at.UnixNano())
		wg.Go(func() {
			if err := v.publish(c); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
			}
		})
	}
	wg.Wait()
	deliveries := v.readers(l) * l.changes / channels
	r, err := v.crowd.do(readerOrder{Do: "end", Count: deliveries, Due: due})
	spent := v.p.cpu() - before
	if err = errors.Join(failed, err); err != nil {
		return round{}, fmt.Errorf("%w (%d of %d deliveries)", err, r.Frames, deliveries)
	}
	if v.name == "nowserving" {
		v.join.Since = r.Sample
	}
	us := float64(spent.Microseconds())
	return round{cpu: us / float64(deliveries), change: us / float64(l.changes), p50: r.P50, p99: r.P99}, nil
}

// readers is how many subscribers get the changes.
func (v *variant) readers(l load) int {
	if v.few > 0 {
		return v.few
	}
	return l.sockets
}

// median of one figure of the rounds.
func (v *variant) median(of func(round) float64) float64 {
	var all []float64
	for _, r := range v.rounds {
		all = append(all, of(r))
	}
	return median(all)
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

func report(e *env, all []*variant, l load) {
	what := fmt.Sprintf("%d sockets", l.sockets)
	if l.channels > 1 {
		what += fmt.Sprintf(" on %d channels", l.channels)
	}
	if l.burst > 1 {
		what += fmt.Sprintf(", bursts of %d", l.burst)
	}
	for _, figure := range []struct {
		name, unit string
		of         func(*variant) float64
	}{
		{"CPU per delivery", "µs", func(v *variant) float64 { return v.median(func(r round) float64 { return r.cpu }) }},
		{"p50", "ms", func(v *variant) float64 { return v.median(func(r round) float64 { return r.p50 }) }},
		{"p99", "ms", func(v *variant) float64 { return v.median(func(r round) float64 { return r.p99 }) }},
		{"memory per socket", "KiB", func(v *variant) float64 { return float64(v.p.rss()-v.empty) / float64(l.sockets) / 1024 }},
	} {
		if figure.unit == "KiB" && (l.burst > 1 || l.sockets < 1000) {
			continue
		}
		row := row{what: figure.name + ", " + what, unit: figure.unit, ours: figure.of(all[0])}
		for _, v := range all[1:] {
			if v.few == 0 && (v.name != "floor" || figure.unit != "KiB") {
				row.others = append(row.others, other{v.name, figure.of(v)})
			}
		}
		if figure.unit == "µs" && l.channels == 1 {
			if one := e.single[l.sockets]; l.burst > 1 && one > 0 {
				row.others = slices.Insert(row.others, 0, other{"ours one at a time", one})
				row.goal = "a quarter of that"
			} else {
				e.single[l.sockets] = row.ours
			}
		}
		e.row(row)
	}
	if l.burst == 1 {
		parts(e, all, l, what)
	}
}

// parts says what of the cost belongs to a change, being made durable above all,
// and what to each further subscriber.
func parts(e *env, all []*variant, l load, what string) {
	change := func(v *variant) float64 { return v.median(func(r round) float64 { return r.change }) }
	perChannel := func(v *variant) float64 { return float64(v.readers(l)) / float64(max(l.channels, 1)) }
	one := row{what: "CPU per change with one subscriber, at the rate of " + what, unit: "µs"}
	more := row{what: "CPU per further delivery, " + what, unit: "µs", goal: "flat"}
	for i, v := range all {
		if v.lone == nil {
			continue
		}
		alone := change(v.lone)
		further := (change(v) - alone) / (perChannel(v) - perChannel(v.lone))
		if i == 0 {
			one.ours, more.ours = alone, further
		} else {
			one.others = append(one.others, other{v.name, alone})
			more.others = append(more.others, other{v.name, further})
		}
	}
	e.row(one)
	e.row(more)
}
