//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is one of the processes: the one that measures, or one that it starts.
func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "floor":
		return floor(args[1])
	case len(args) == 1 && args[0] == "readers":
		return readersMain(os.Stdin, os.Stdout)
	case len(args) == 3 && args[0] == "fill":
		count, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return fill(args[1], count)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	binary := flags.String("binary", "bin/nowserving", "the server")
	only := flags.String("only", ".", "which benchmarks, a regular expression")
	dir := flags.String("dir", "bin", "where the data folders are made; not a file system in memory")
	rounds := flags.Int("rounds", 5, "of each measurement")
	peers := flags.String("peers", ".", "who is measured beside us, a regular expression")
	if err := flags.Parse(args); err != nil {
		return err
	}
	all := benchmarks()
	switch *only { // what takes long runs only when it is asked for by name
	case "soak":
		all = []benchmark{{"soak", soak}}
	case "year":
		all = []benchmark{{"year", year}}
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	e, err := newEnv(*binary, *dir, *rounds)
	if err != nil {
		return err
	}
	defer e.clean()
	if e.beside, err = regexp.Compile(*peers); err != nil {
		return err
	}
	fmt.Printf("%s, %s\n\n", time.Now().Format("2006-01-02"), machine())
	var failed error
	for _, b := range all {
		if !match.MatchString(b.name) {
			continue
		}
		began := time.Now()
		if err := b.run(e); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", b.name, err))
			e.note("%s: %v", b.name, err)
			e.progress("%s: %v", b.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %.0f s, %s\n", b.name, time.Since(began).Seconds(), machine())
	}
	e.print()
	return failed
}

// benchmark is one group of rows.
type benchmark struct {
	name string
	run  func(*env) error
}

func benchmarks() []benchmark {
	fan := func(sockets, channels, burst, changes int, rate float64) func(*env) error {
		return func(e *env) error {
			return fanout(e, load{sockets: sockets, channels: channels, burst: burst, changes: changes, rate: rate, rounds: e.rounds})
		}
	}
	// As many deliveries a second in all of them: what a server costs that has
	// nothing to do most of the time is another question.
	return []benchmark{
		{"fanout/100", fan(100, 1, 1, 400, 200)},
		{"fanout/2000", fan(2000, 1, 1, 20, 10)},
		{"fanout/10000", fan(10000, 1, 1, 6, 2)},
		{"bursts/2000", fan(2000, 1, 8, 80, 40)},
		{"footprint", footprint},
		{"channels/1000", fan(10000, 1000, 1, 6000, 2000)},
		{"commands/sockets", commands},
		{"commands/process", inProcess},
		{"events", events},
		{"fleet", fleet},
		{"stalled", stalled},
		{"open", open},
	}
}

// env is what the benchmarks share.
type env struct {
	binary, dir, temp string
	rounds            int
	beside            *regexp.Regexp
	payload           []byte          // of a change
	single            map[int]float64 // CPU per delivery of changes one at a time, by sockets
	rows              []row
	notes             []string
	folders           int
}

func newEnv(binary, dir string, rounds int) (*env, error) {
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w (make build makes it)", err)
	}
	temp, err := os.MkdirTemp(dir, "bench-")
	if err != nil {
		return nil, err
	}
	if temp, err = filepath.Abs(temp); err != nil {
		return nil, err
	}
	return &env{binary: binary, dir: dir, temp: temp, rounds: rounds, single: make(map[int]float64)}, nil
}

func (e *env) clean() { _ = os.RemoveAll(e.temp) }

// folder makes a new one.
func (e *env) folder(name string) string {
	e.folders++
	f := filepath.Join(e.temp, fmt.Sprintf("%s-%d", name, e.folders))
	_ = os.Mkdir(f, 0o700) // who uses it says what is wrong
	return f
}

// peers is a file of the others' folder.
func (e *env) peers(name string) string { return filepath.Join("web", "bench", name) }

// program finds one that distributions keep out of people's paths.
func (e *env) program(name string) string {
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	return filepath.Join("/usr/sbin", name)
}

func (e *env) note(format string, args ...any) {
	e.notes = append(e.notes, fmt.Sprintf(format, args...))
}

// row is one figure of ours and of the others.
type row struct {
	what, unit string
	ours       float64
	others     []other
	goal       string
}

type other struct {
	name  string
	value float64
}

// progress tells who waits how far it is.
func (e *env) progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (e *env) row(r row) {
	e.rows = append(e.rows, r)
	fmt.Fprintln(os.Stderr, r.text())
}

// text is the row of the table: each of the others with ours as a share of it.
func (r row) text() string {
	cells := make([]string, 0, len(r.others))
	for _, o := range r.others {
		cell := fmt.Sprintf("%s %s", o.name, figure(o.value))
		if o.value != 0 && o.name != "goal" {
			cell += fmt.Sprintf(" (%.2f)", r.ours/o.value)
		}
		cells = append(cells, cell)
	}
	return fmt.Sprintf("| %s, %s | %s | %s | %s |", r.what, r.unit, figure(r.ours), strings.Join(cells, ", "), r.goal)
}

// figure keeps three digits.
func figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func (e *env) print() {
	fmt.Println("| what | ours | others (ours divided by theirs) | goal |\n|---|---|---|---|")
	for _, r := range e.rows {
		fmt.Println(r.text())
	}
	fmt.Println()
	for _, n := range e.notes {
		fmt.Println("-", n)
	}
	fmt.Println("-", machine())
}
