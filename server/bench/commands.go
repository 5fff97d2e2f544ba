//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// inFlight is how many durable changes are under way at a time.
	inFlight = 256
	// commandSockets share them: one socket may give 20 commands a second.
	commandSockets = 990
	commandRound   = 4 * time.Second
)

// journal is something that makes changes durable.
type journal struct {
	name string
	p    *process // nil: none of its own
	// workers do one change each, again and again.
	workers []func() error
	close   func()
	perSec  []float64
	cpu     []float64
}

// commands measures durable changes: ours through sockets, beside a database and
// a broker that sync every change, and beside the disk alone.
func commands(e *env) error {
	var all []*journal
	defer func() {
		for _, j := range all {
			if j.close != nil {
				j.close()
			}
			if j.p != nil {
				j.p.stop()
			}
		}
	}()
	own, _, err := oursJournal(e)
	if err != nil {
		return err
	}
	disk := diskJournal(e)
	all = append(all, own, disk)
	for name, make := range map[string]func(*env) (*journal, error){"redis": redis, "nats": nats} {
		j, err := make(e)
		if err != nil {
			e.note("%s is not measured: %v", name, err)
			continue
		}
		all = append(all, j)
	}
	slices.SortFunc(all[1:], func(a, b *journal) int { return int(b.name[0]) - int(a.name[0]) })
	for r := range e.rounds {
		for i := range all {
			j := all[(i+r)%len(all)]
			if err := j.round(); err != nil {
				return fmt.Errorf("%s: %w", j.name, err)
			}
		}
	}
	rate := row{what: "durable changes, through sockets", unit: "a second", ours: median(own.perSec), goal: "6000"}
	cost := row{what: "CPU per durable change", unit: "µs", ours: median(own.cpu)}
	for _, j := range all[1:] {
		rate.others = append(rate.others, other{j.name, median(j.perSec)})
		if j.p != nil {
			cost.others = append(cost.others, other{j.name, median(j.cpu)})
		}
	}
	e.row(rate)
	e.row(cost)
	return halfLoad(e, own, disk)
}

// round lets all workers work for a while.
func (j *journal) round() error {
	var before time.Duration
	if j.p != nil {
		before = j.p.cpu()
	}
	began := time.Now()
	counts, errs := make([]int, len(j.workers)), make([]error, len(j.workers))
	var wg sync.WaitGroup
	for i, work := range j.workers {
		wg.Go(func() {
			for time.Since(began) < commandRound && errs[i] == nil {
				if errs[i] = work(); errs[i] == nil {
					counts[i]++
				}
			}
		})
	}
	wg.Wait()
	took, total := time.Since(began), 0
	for _, c := range counts {
		total += c
	}
	j.perSec = append(j.perSec, float64(total)/took.Seconds())
	if j.p != nil && total > 0 {
		j.cpu = append(j.cpu, float64((j.p.cpu()-before).Microseconds())/float64(total))
	}
	return errors.Join(errs...)
}

// oursJournal is visitors who come, are called and are served.
func oursJournal(e *env) (*journal, *node, error) {
	n, err := startNode(e.binary, e.folder("ours"), 1)
	if err != nil {
		return nil, nil, err
	}
	socks, err := n.sockets(commandSockets)
	if err != nil {
		n.stop()
		return nil, nil, err
	}
	free := make(chan *socket, len(socks)) // the one that has rested longest is next
	for _, s := range socks {
		free <- s
	}
	j := &journal{name: "nowserving", p: n.process}
	j.close = func() {
		for _, s := range socks {
			_ = s.conn.Close()
		}
	}
	for i := range inFlight {
		step, id := 0, ""
		j.workers = append(j.workers, func() error {
			s := <-free
			defer func() { free <- s }()
			var b []byte
			var err error
			switch step % 3 {
			case 0:
				b, err = n.command(s, "ticket.create", fmt.Sprintf(`{"line":%d,"firstName":"Ida","lastName":"Berg"}`, n.demo.Lines[i%len(n.demo.Lines)]))
				id = ticketID(b)
			case 1:
				_, err = n.command(s, "ticket.call", fmt.Sprintf(`{"ticket":%q,"desk":%d,"keepActive":true}`, id, n.demo.Desks[i%len(n.demo.Desks)]))
			default:
				_, err = n.command(s, "ticket.serve", fmt.Sprintf(`{"ticket":%q}`, id))
			}
			step++
			return err
		})
	}
	return j, n, nil
}

// halfLoad is how long a change takes when half of the goal, and half of what was
// possible, is asked, beside the disk alone at that moment.
func halfLoad(e *env, own, disk *journal) error {
	for _, half := range []struct {
		what, goal string
		rate       float64
	}{
		{"durable change at 3000 a second, half of the goal", "20", 3000},
		{"durable change at half of what was reached", "", median(own.perSec) / 2},
	} {
		var p50, p99, disk50, disk99 []float64
		for range e.rounds {
			for _, m := range []struct {
				j        *journal
				rate     float64
				p50, p99 *[]float64
			}{{disk, half.rate / 20, &disk50, &disk99}, {own, half.rate, &p50, &p99}} {
				took, err := m.j.paced(m.rate, int(m.rate*3))
				if err != nil {
					return err
				}
				*m.p50 = append(*m.p50, took[len(took)/2])
				*m.p99 = append(*m.p99, took[len(took)*99/100])
			}
		}
		e.row(row{what: half.what + ", p50", unit: "ms", ours: median(p50), others: []other{{"fdatasync", median(disk50)}}})
		e.row(row{what: half.what + ", p99", unit: "ms", ours: median(p99), others: []other{{"fdatasync", median(disk99)}}, goal: half.goal})
	}
	return nil
}

// paced gives changes at their due times, and returns how long each took from
// then on, ascending, in milliseconds.
func (j *journal) paced(rate float64, count int) ([]float64, error) {
	took := make([]float64, count)
	errs := make([]error, len(j.workers))
	next := make(chan int, count)
	for i := range count {
		next <- i
	}
	close(next)
	began := time.Now()
	var wg sync.WaitGroup
	for w, work := range j.workers {
		wg.Go(func() {
			for i := range next {
				due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
				time.Sleep(time.Until(due)) // the schedule itself
				if err := work(); err != nil {
					errs[w] = err
				}
				took[i] = time.Since(due).Seconds() * 1000
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took, errors.Join(errs...)
}

// diskJournal is nothing but appending 300 bytes and syncing them, one at a time.
func diskJournal(e *env) *journal {
	j := &journal{name: "fdatasync"}
	f, err := os.Create(filepath.Join(e.folder("disk"), "journal"))
	if err != nil {
		j.workers = []func() error{func() error { return err }}
		return j
	}
	j.close = func() { _ = f.Close() }
	line := make([]byte, 300)
	j.workers = []func() error{func() error {
		if _, err := f.Write(line); err != nil {
			return err
		}
		return syscall.Fdatasync(int(f.Fd()))
	}}
	return j
}

// inProcess is the ledger without sockets: its own benchmark, with keys.
func inProcess(e *env) error {
	var perSec, p99 []float64
	for range e.rounds {
		err := goBench("./hub/sim", "BenchmarkLedger/badger/keyed=true$", "60000x", map[string]*[]float64{"commands/s": &perSec, "p99-ms": &p99})
		if err != nil {
			return err
		}
	}
	e.row(row{what: "durable commands with keys, in process", unit: "a second", ours: median(perSec), goal: "20000"})
	e.row(row{what: "the same, p99 with 256 under way", unit: "ms", ours: median(p99)})
	return nil
}

// events is the journal alone, beside the disk alone in the same rounds.
func events(e *env) error {
	disk := diskJournal(e)
	defer disk.close()
	var one, many, cpu []float64
	for range e.rounds {
		if err := disk.round(); err != nil {
			return err
		}
		if err := goBench("./store", "BenchmarkEvents/^1$", "3s", map[string]*[]float64{"events/s": &one}); err != nil {
			return err
		}
		if err := goBench("./store", "BenchmarkEvents/^64$", "3s", map[string]*[]float64{"events/s": &many, "cpu-s/M": &cpu}); err != nil {
			return err
		}
	}
	beside := []other{{"fdatasync", median(disk.perSec)}}
	e.row(row{what: "events in the journal alone, one to a commit", unit: "a second", ours: median(one), others: beside, goal: "0.5 times"})
	e.row(row{what: "the same, 64 to a commit", unit: "a second", ours: median(many), others: beside, goal: "8 times"})
	e.row(row{what: "CPU for a million of these", unit: "s", ours: median(cpu), goal: "15"})
	return nil
}

// goBench runs a benchmark of a package and adds what it says of some units.
func goBench(pkg, name, long string, units map[string]*[]float64) error {
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", name, "-benchtime", long, pkg).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for unit, to := range units {
		m := regexp.MustCompile(`([0-9.]+) ` + unit).FindSubmatch(out)
		if m == nil {
			return fmt.Errorf("no %s in %s", unit, out)
		}
		v, _ := strconv.ParseFloat(string(m[1]), 64)
		*to = append(*to, v)
	}
	return nil
}
