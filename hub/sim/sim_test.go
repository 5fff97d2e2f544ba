package sim

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestArrivalsFollowTheDay(t *testing.T) {
	day := BusyDay(400)
	const days = 200
	var hours [24]float64
	total := 0
	for seed := range uint64(days) {
		last := time.Duration(-1)
		for at := range day.Arrivals(newRand(seed, 0)) {
			if at < day.Opens || at >= day.Closes || at < last {
				t.Fatalf("seed %d: somebody came at %v after %v", seed, at, last)
			}
			last = at
			hours[int(at.Hours())]++
			total++
		}
	}
	mean := 400.0 * days
	if d := math.Abs(float64(total) - mean); d > 4*math.Sqrt(mean) {
		t.Errorf("%d came, want about %.0f", total, mean)
	}
	if hours[10] < 1.5*hours[12] || hours[15] < 1.3*hours[12] || hours[16] > hours[15] {
		t.Errorf("no two peaks with a dip between them: %v", hours[8:18])
	}
	first := slices.Collect(day.Arrivals(newRand(7, 0)))
	if again := slices.Collect(day.Arrivals(newRand(7, 0))); !slices.Equal(first, again) {
		t.Error("the same seed gave another day")
	}
}

func TestADayThatIsNone(t *testing.T) {
	for _, d := range []Day{
		{}, {Opens: 9 * time.Hour, Closes: 8 * time.Hour}, {Closes: 25 * time.Hour}, {Closes: 1, Visitors: math.NaN()},
		{Closes: time.Hour, Peaks: []Peak{{}}},
	} {
		if d.check() == nil {
			t.Errorf("%+v was taken", d)
		}
	}
	for range (Day{Closes: time.Hour}).Arrivals(newRand(1, 1)) {
		t.Error("somebody came to a day without visitors")
	}
}

// branch is options for the first location of a house.
func branch(h house, clock func() time.Time) Options {
	p := h.locations[0]
	o := Options{Seed: 1, Clock: clock, Location: p.id, Chats: 0.25}
	for i, l := range p.lines {
		o.Lines = append(o.Lines, Share{Line: l, Weight: float64(len(p.lines) - i)})
	}
	for i, u := range p.users {
		o.Clerks = append(o.Clerks, Clerk{User: u, Desk: p.desks[i%len(p.desks)]})
	}
	return o
}

// simClock is a clock that the run's own simulated time drives, so that events
// are as far apart as in a real day.
type simClock struct{ at time.Time }

func (c *simClock) now() time.Time { return c.at }

func (c *simClock) wait(_ context.Context, d time.Duration) error {
	c.at = c.at.Add(d)
	return nil
}

func TestRunPlaysADay(t *testing.T) {
	for seed := range uint64(2) {
		clock := &simClock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
		log := memlog.New(memlog.Options{Clock: clock.now})
		l, stop := start(t, log, lonely{}, ledger.Options{Clock: clock.now})
		h := build(t, l, 1, 3, 4, 4, 0)
		o := branch(h, clock.now)
		o.Seed, o.Days, o.Speed, o.Wait = seed, 2, 1, clock.wait
		var steps []string
		o.Observe = func(s Step) {
			steps = append(steps, fmt.Sprint(s.At, s.Command.Name(), s.Result.Offset, wire.CodeOf(s.Err)))
		}
		stats, err := Run(t.Context(), On(l), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{
			"ticket.create", "ticket.callNext", "ticket.call", "ticket.serve", "ticket.recall", "ticket.noShow", "ticket.cancel",
			"ticket.forward", "ticket.returnToQueue", "ticket.label", "ticket.edit", "note.add", "message.send", "conversation.state",
		} {
			if stats.Done[name] == 0 {
				t.Errorf("seed %d: nobody did %s", seed, name)
			}
		}
		if stats.Days != 2 || stats.Refused[wire.Empty] == 0 {
			t.Errorf("seed %d: %+v", seed, stats)
		}
		for _, code := range []wire.Code{wire.BadRequest, wire.Forbidden, wire.NotFound, wire.Internal} {
			if stats.Refused[code] > 0 {
				t.Errorf("seed %d: %d commands were %s", seed, stats.Refused[code], code)
			}
		}
		l.View(1, func(s *ticket.State) {
			for _, x := range s.SortedTickets() {
				if !x.Place.Status.Final() {
					t.Errorf("seed %d: %s is %s when the day is over", seed, x.Place.PublicID, x.Place.Status)
				}
			}
		})
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %v, refused %v, %d steps", seed, stats.Done, stats.Refused, len(steps))
	}
}

func TestTheSameSeedIsTheSameDay(t *testing.T) {
	play := func() (steps []string) {
		clock := &simClock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
		l, stop := start(t, memlog.New(memlog.Options{Clock: clock.now}), lonely{}, ledger.Options{Clock: clock.now})
		o := branch(build(t, l, 1, 2, 3, 3, 0), clock.now)
		o.Days, o.Speed, o.Wait = 1, 1, clock.wait
		o.Observe = func(s Step) {
			steps = append(steps, fmt.Sprint(s.At, s.Command.Name(), s.Result.Offset, wire.CodeOf(s.Err)))
		}
		if _, err := Run(t.Context(), On(l), o); err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		return steps
	}
	if a, b := play(), play(); !slices.Equal(a, b) {
		t.Fatalf("%d steps and %d steps", len(a), len(b))
	}
}

// nobody is a driver of a branch where nothing can be done.
func nobody(err error) Driver {
	return DriverFunc(func(context.Context, int, ticket.Command, ticket.Actor) (ledger.Result, error) {
		return ledger.Result{}, err
	})
}

func TestSpeed(t *testing.T) {
	for speed, want := range map[float64]time.Duration{1: 8 * time.Hour, 60: 8 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			o := Options{Clock: time.Now, Lines: []Share{{1, 1}}, Clerks: []Clerk{{User: 1}}, Days: 1, Speed: speed}
			began := time.Now()
			if _, err := Run(t.Context(), nobody(wire.Errorf(wire.Empty, "")), o); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < want || took > want*5/4 {
				t.Errorf("a day of 8 hours took %v at speed %v", took, speed)
			}
		})
	}
}

func TestFollowKeepsOpeningHours(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Tallinn")
	if err != nil {
		t.Fatal(err)
	}
	// The bubble begins on 1 January 2000; clocks change in March and October.
	for _, month := range []time.Month{time.January, time.March, time.October} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Date(2000, month, 24, 20, 30, 0, 0, zone)))
			seen := 0
			o := Options{
				Clock: time.Now, Lines: []Share{{1, 1}}, Clerks: []Clerk{{User: 1}}, Follow: true, Zone: zone, Days: 8,
				Observe: func(s Step) {
					seen++
					now := time.Now().In(zone)
					if m := now.Hour()*60 + now.Minute(); m < 9*60 || m > 17*60+30 {
						t.Errorf("%s at %v", s.Command.Name(), now)
					}
				},
			}
			stats, err := Run(t.Context(), nobody(wire.Errorf(wire.Empty, "")), o)
			if err != nil || stats.Days != 8 || seen < 7*100 {
				t.Errorf("%+v, %d commands, %v", stats, seen, err)
			}
		})
	}
}

func TestRunWaitsForANodeThatIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		calls := 0
		d := DriverFunc(func(context.Context, int, ticket.Command, ticket.Actor) (ledger.Result, error) {
			calls++
			return ledger.Result{}, &wire.Error{Code: wire.Unavailable, RetryAfter: 10}
		})
		stats, err := Run(ctx, d, Options{Clock: time.Now, Lines: []Share{{1, 1}}, Clerks: []Clerk{{User: 1}}})
		if err != nil || stats.Days != 0 || calls < 300 || calls > 400 {
			t.Errorf("%d tries in an hour, %+v, %v", calls, stats, err)
		}
	})
}

func TestOptionsThatAreWrong(t *testing.T) {
	good := Options{Clock: time.Now, Lines: []Share{{1, 1}}, Clerks: []Clerk{{User: 1}}, Days: 1}
	for name, spoil := range map[string]func(*Options){
		"no clock": func(o *Options) { o.Clock = nil }, "no lines": func(o *Options) { o.Lines = nil },
		"no clerks": func(o *Options) { o.Clerks = nil }, "speed": func(o *Options) { o.Speed = -1 },
		"share": func(o *Options) { o.Lines = []Share{{1, 0}} }, "chats": func(o *Options) { o.Chats = 2 },
		"day": func(o *Options) { o.Day = &Day{} },
	} {
		o := good
		spoil(&o)
		if _, err := Run(t.Context(), nobody(wire.Errorf(wire.Empty, "")), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Run(t.Context(), nobody(wire.Errorf(wire.Empty, "")), good); err != nil {
		t.Error(err)
	}
}
