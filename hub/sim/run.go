package sim

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// Driver is what a run asks for changes: a ledger, or a door of a node.
type Driver interface {
	// Do carries out a command. Errors carry a wire.Code.
	Do(ctx context.Context, location int, c ticket.Command, a ticket.Actor) (ledger.Result, error)
}

// DriverFunc is a function as a Driver.
type DriverFunc func(ctx context.Context, location int, c ticket.Command, a ticket.Actor) (ledger.Result, error)

// Do implements Driver.
func (f DriverFunc) Do(ctx context.Context, location int, c ticket.Command, a ticket.Actor) (ledger.Result, error) {
	return f(ctx, location, c, a)
}

// On drives a ledger.
func On(l *ledger.Ledger) Driver {
	return DriverFunc(func(ctx context.Context, location int, c ticket.Command, a ticket.Actor) (ledger.Result, error) {
		return l.Do(ctx, ledger.Request{Location: location, Command: c, Actor: a})
	})
}

// Share is how large a part of the visitors goes to a line.
type Share struct {
	Line   int
	Weight float64
}

// Clerk is one member of the staff at work.
type Clerk struct {
	User, Desk int
	// Lines are served by this clerk; none means all of the run's.
	Lines []int
}

// Options describe a run. Location, Lines and Clerks have no default.
type Options struct {
	Seed uint64
	// Speed is how much faster than real time it goes: 1 is real time, 0 as fast
	// as it can.
	Speed float64
	// Clock tells the time; Wait lets it pass, and is nil for a timer.
	Clock func() time.Time
	Wait  func(ctx context.Context, d time.Duration) error

	Location int
	Lines    []Share
	Clerks   []Clerk
	// Day is the shape of each day; nil is a busy one that the clerks can manage.
	Day *Day
	// Chats is the part of the visitors who write from the website, 0 to 1.
	Chats float64

	// Days is how many days are played; 0 goes on until the context ends.
	Days int
	// Begin is how far into the first day it begins, after opening.
	Begin time.Duration
	// Follow lets the simulated day be the real one in Zone (nil: UTC): nobody
	// comes outside opening hours. Speed is then 1 and Begin is not used.
	// Without Follow the next day begins as soon as one is over.
	Follow bool
	Zone   *time.Location

	// Observe is told of every command and its outcome. May be nil.
	Observe func(Step)
}

// Step is one command of a run.
type Step struct {
	// At is the simulated time since the first day's midnight.
	At      time.Duration
	Command ticket.Command
	Actor   ticket.Actor
	Result  ledger.Result
	Err     error
}

// Stats are what a run did.
type Stats struct {
	Days int
	// Done counts commands by name, Refused those that got an error by its code.
	Done    map[string]int
	Refused map[wire.Code]int
}

// visitorsPerClerk keeps four fifths of a clerk's day busy, so that lines form
// at the peaks and are gone by the evening.
const visitorsPerClerk = 70

func (o *Options) setDefaults() error {
	if len(o.Lines) == 0 || len(o.Clerks) == 0 || o.Clock == nil {
		return fmt.Errorf("sim: Options need Clock, Lines and Clerks")
	}
	if o.Speed < 0 || o.Chats < 0 || o.Chats > 1 || o.Begin < 0 {
		return fmt.Errorf("sim: Speed, Chats or Begin is out of range")
	}
	for _, s := range o.Lines {
		if !(s.Weight > 0) {
			return fmt.Errorf("sim: line %d has no share of the visitors", s.Line)
		}
	}
	if o.Day == nil {
		d := BusyDay(float64(visitorsPerClerk * len(o.Clerks)))
		o.Day = &d
	}
	if err := o.Day.check(); err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	if o.Wait == nil {
		o.Wait = waitTimer
	}
	o.Zone = cmp.Or(o.Zone, time.UTC)
	if o.Follow {
		o.Speed = 1
	}
	return nil
}

func waitTimer(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// overtime is how long after closing those who still wait are served before
// they are sent home.
const overtime = 90 * time.Minute

// Run plays days until their number is reached or ctx ends, which is no error.
func Run(ctx context.Context, d Driver, o Options) (Stats, error) {
	r := &run{o: o, driver: d, stats: Stats{Done: map[string]int{}, Refused: map[wire.Code]int{}}}
	if err := r.o.setDefaults(); err != nil {
		return r.stats, err
	}
	for day := 0; r.o.Days == 0 || day < r.o.Days; day++ {
		midnight := time.Duration(day) * 24 * time.Hour
		switch {
		case r.o.Follow:
			r.follow(midnight)
		case day == 0:
			r.anchor(r.o.Day.Opens + r.o.Begin)
		default:
			r.anchor(midnight + r.o.Day.Opens) // the night is left out
		}
		r.open(day, midnight, max(r.now, midnight))
		if !r.play(ctx) {
			break
		}
		r.stats.Days++
	}
	return r.stats, nil
}

// run is a simulation under way. It belongs to the goroutine that called Run.
type run struct {
	o      Options
	driver Driver
	rng    *rand.Rand
	stats  Stats

	now    time.Duration // simulated, since the first day's midnight
	realAt time.Time     // when now was simAt
	simAt  time.Duration

	agenda   agenda
	sequence int
	closes   time.Duration
	visitors map[int64]*visitor
	inLine   []int64 // those of the visitors who wait, in the order they came
}

// entry is something that is going to happen.
type entry struct {
	at  time.Duration
	seq int // breaks ties, so that a run can be repeated
	do  func(ctx context.Context)
}

type agenda []entry

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	*a = old[:len(old)-1]
	return e
}

// at puts something on the agenda.
func (r *run) at(when time.Duration, do func(ctx context.Context)) {
	r.sequence++
	heap.Push(&r.agenda, entry{at: when, seq: r.sequence, do: do})
}

func (r *run) after(d time.Duration, do func(ctx context.Context)) { r.at(r.now+d, do) }

// anchor says that it is simulated time at now.
func (r *run) anchor(at time.Duration) { r.now, r.simAt, r.realAt = at, at, r.o.Clock() }

// follow takes the simulated time from the clock face, once a day, so that a day
// with a change of clocks opens on time.
func (r *run) follow(midnight time.Duration) {
	now := r.o.Clock().In(r.o.Zone)
	face := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute +
		time.Duration(now.Second())*time.Second
	if midnight > 0 && face > 12*time.Hour { // the night was an hour longer: it is still yesterday
		face -= 24 * time.Hour
	}
	r.anchor(midnight + face)
}

// open puts a day on the agenda, leaving out what was before from.
func (r *run) open(day int, midnight, from time.Duration) {
	r.rng = rand.New(rand.NewPCG(r.o.Seed, uint64(day)))
	r.visitors, r.inLine = map[int64]*visitor{}, nil
	r.closes = midnight + r.o.Day.Closes
	for at := range r.o.Day.Arrivals(r.rng) {
		v := newVisitor(r.rng, r.o.Lines, r.o.Chats)
		if midnight+at >= from {
			r.at(midnight+at, func(ctx context.Context) { r.arrive(ctx, v) })
		}
	}
	for i := range r.o.Clerks {
		r.begin(&r.o.Clerks[i], i, max(from, midnight+r.o.Day.Opens))
	}
	if from < r.closes+overtime {
		r.at(r.closes+overtime, r.sendHome)
	}
	if r.o.Follow {
		r.at(midnight+24*time.Hour, func(context.Context) {}) // the next day does not begin earlier
	}
}

// play works the agenda off. It reports false when ctx ended first.
func (r *run) play(ctx context.Context) bool {
	for len(r.agenda) > 0 {
		e := heap.Pop(&r.agenda).(entry)
		if e.at > r.now {
			if !r.wait(ctx, e.at) {
				return false
			}
			r.now = e.at
		}
		if ctx.Err() != nil {
			return false
		}
		e.do(ctx)
	}
	return ctx.Err() == nil
}

func (r *run) wait(ctx context.Context, until time.Duration) bool {
	if r.o.Speed == 0 {
		return ctx.Err() == nil
	}
	due := time.Duration(float64(until-r.simAt) / r.o.Speed)
	d := due - r.o.Clock().Sub(r.realAt)
	return d <= 0 || r.o.Wait(ctx, d) == nil
}

// maxPause bounds how long a run believes a node that is unavailable.
const maxPause = 30 * time.Second

// do asks for one command. While the node takes none, everybody waits.
func (r *run) do(ctx context.Context, c ticket.Command, a ticket.Actor) (ledger.Result, error) {
	for {
		res, err := r.driver.Do(ctx, r.o.Location, c, a)
		if r.o.Observe != nil {
			r.o.Observe(Step{At: r.now, Command: c, Actor: a, Result: res, Err: err})
		}
		if err == nil {
			r.stats.Done[c.Name()]++
			return res, nil
		}
		e := wire.AsError(err)
		r.stats.Refused[e.Code]++
		if e.Code != wire.Unavailable && e.Code != wire.RateLimited {
			return res, err
		}
		pause := min(max(time.Duration(e.RetryAfter)*time.Second, time.Second), maxPause)
		if r.o.Wait(ctx, pause) != nil {
			return res, err
		}
	}
}
