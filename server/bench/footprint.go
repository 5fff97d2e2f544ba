//go:build linux

package main

import (
	"os"
	"time"
)

// idleFor is how long nothing happens while the idle sockets are watched: long
// enough for the runtime to collect what connecting left, which it does at the
// latest after two minutes.
const idleFor = 150 * time.Second

// footprint is what the server costs while nothing happens.
func footprint(e *env) error {
	info, err := os.Stat(e.binary)
	if err != nil {
		return err
	}
	var up, empty []float64
	for range e.rounds {
		began := time.Now()
		n, err := startNode(e.binary, e.folder("footprint"), 0)
		if err != nil {
			return err
		}
		up = append(up, time.Since(began).Seconds())
		empty = append(empty, float64(n.rss())/(1<<20))
		n.stop()
	}
	e.row(row{what: "the program", unit: "MiB", ours: float64(info.Size()) / (1 << 20), goal: "25"})
	e.row(row{what: "from start to ready, a new folder with a demonstration branch", unit: "s", ours: median(up), goal: "0.2"})
	e.row(row{what: "memory then", unit: "MiB", ours: median(empty), goal: "30"})
	return idle(e)
}

// idle is what sockets cost that nothing is sent to but what keeps them open.
func idle(e *env) error {
	const sockets = 10000
	v, err := watched(e, sockets)
	if err != nil {
		return err
	}
	defer v.end()
	before := v.p.cpu()
	time.Sleep(idleFor) // what is measured is rest
	spent := v.p.cpu() - before
	e.row(row{what: "CPU per idle socket and second, 10000 sockets", unit: "µs", ours: float64(spent.Nanoseconds()) / 1e3 / sockets / idleFor.Seconds(), goal: "2.2"})
	e.row(row{what: "memory per idle socket", unit: "KiB", ours: float64(v.p.rss()-v.empty) / sockets / 1024, goal: "10"})
	return nil
}
