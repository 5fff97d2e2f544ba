package ticket

import (
	"math"
	"slices"
	"time"
)

// How long somebody still waits, as a pure function of the folded journal and an
// instant. The rungs, of which the first that applies is taken:
//
//	unknown  the location or line is closed, or no desk serves the line
//	cold     service time of those ahead, over the desks that serve the line; those
//	         ahead in other lines of the same desks count as well
//	warm     the smoothed time between starts, blended with what the last one to
//	         enter service had waited, by how wrong each has been lately
//
// Those being served count by what is left of their service. What is shown is a
// range from the 10th to the 90th percentile, rounded outward, whose width is
// calibrated by what became of earlier quotes; never a single minute.

// WaitRange is an honest estimate in minutes, never a single number.
type WaitRange struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Quote is the estimate that a visitor was given with a place in the line, kept
// so that it can be held against what came of it. Times are in seconds.
type Quote struct {
	WaitRange
	At time.Time `json:"at"`
	// Position is the place in the line that it was for.
	Position int     `json:"position"`
	Mean     float64 `json:"mean"`
	// Low and High are the range before rounding.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// ByWork and ByEntered are what the two parts of the blend said; 0: nothing.
	ByWork    float64 `json:"byWork,omitempty"`
	ByEntered float64 `json:"byEntered,omitempty"`
}

const (
	waitCap     = 24 * 60 * 60 // seconds; beyond it no figure means anything
	warmAfter   = 20           // completed services
	warmGaps    = 5            // a line that is hardly ever busy has no pace to measure
	blendFloor  = 3600.0       // seconds squared: nobody is right to the minute
	spreadWarm  = 0.25         // how far the pace itself may be off, relative
	spreadCold  = 0.4
	defaultLow  = 1.2 // standard deviations from the mean to the 10th percentile
	defaultHigh = 1.4 // and to the 90th: waits are skewed
	longWait    = 60  // minutes from which the steps are longer
	shortStep   = 5
	longStep    = 15
)

// outlook is what a line's waits are computed from at one instant.
type outlook struct {
	gap       float64 // seconds between two starts
	free      int     // desks that take the next ones at once
	first     float64 // share of a gap until the first start
	spread    float64
	low, high float64
	shift     float64 // what a clerk has added, in seconds
	// byWork and byEntered are the gaps that were blended; 0: unknown.
	byWork, byEntered float64
	// rivals are waiting elsewhere for the same desks as own, this line's. A measured
	// gap has them in it already, so they are counted only while there is none.
	own    []place
	rivals []rival
	// newcomer is the place of somebody who joins now.
	newcomer place
}

// Wait estimates how long the visitor at a position (from 1) of a line still
// waits, as of the last event. Nil means unknown.
func (s *State) Wait(line, position int) *WaitRange { return s.WaitAt(line, position, s.Time) }

// WaitAt is Wait as of another instant.
func (s *State) WaitAt(line, position int, now time.Time) *WaitRange {
	q := s.quote(line, position, now)
	if q == nil {
		return nil
	}
	return &q.WaitRange
}

// joining is the quote for a ticket that joins a line last.
func (s *State) joining(line int, order, id int64, now time.Time) *Quote {
	o, ok := s.outlook(line, now)
	if !ok {
		return nil
	}
	o.newcomer = place{order, id}
	q := o.quote(s.Waiting(line) + 1)
	q.At = now
	return q
}

// Expect is the single most likely wait, for those who cannot take a range; ok is
// false when it is unknown.
func (s *State) Expect(line, position int, now time.Time) (wait time.Duration, ok bool) {
	q := s.quote(line, position, now)
	if q == nil {
		return 0, false
	}
	return time.Duration(q.Mean * float64(time.Second)), true
}

// quote is the estimate for a position, nil when unknown.
func (s *State) quote(line, position int, now time.Time) *Quote {
	o, ok := s.outlook(line, now)
	if !ok {
		return nil
	}
	return o.quote(position)
}

// waits is Wait for many tickets as of the last event: each line is looked at once.
func (s *State) waits() func(line, position int) *WaitRange {
	known := map[int]*outlook{}
	return func(line, position int) *WaitRange {
		o, seen := known[line]
		if !seen {
			if fresh, ok := s.outlook(line, s.Time); ok {
				o = &fresh
			}
			known[line] = o
		}
		if o == nil {
			return nil
		}
		q := o.quote(position)
		if q == nil {
			return nil
		}
		return &q.WaitRange
	}
}

// Glance is s for a moment in which it does not change: what several projections of
// one event need is computed once. It is for one goroutine, and not for Evolve.
func (s *State) Glance() *State {
	g := *s
	g.glance = &glance{}
	return &g
}

// glance keeps the outlooks of a moment.
type glance struct{ seen []glanced }

type glanced struct {
	line int
	now  time.Time
	o    outlook
	ok   bool
}

// outlook looks at a line; ok is false when nothing can be said.
func (s *State) outlook(line int, now time.Time) (outlook, bool) {
	if s.glance == nil {
		return s.look(line, now)
	}
	for i := range s.glance.seen {
		if g := &s.glance.seen[i]; g.line == line && g.now.Equal(now) {
			return g.o, g.ok
		}
	}
	o, ok := s.look(line, now)
	s.glance.seen = append(s.glance.seen, glanced{line, now, o, ok})
	return o, ok
}

func (s *State) look(line int, now time.Time) (o outlook, ok bool) {
	l := s.Lines[line]
	if l == nil || !l.Open() || s.Location == nil || !s.Location.OpenAt(now) {
		return o, false
	}
	staff := s.staffing(line, now)
	if staff.count == 0 {
		return o, false
	}
	p := s.pace(line)
	o = outlook{
		free: staff.free, first: staff.first, spread: spreadCold,
		low: bounded(p.Low, defaultLow, minLow, maxLow), high: bounded(p.High, defaultHigh, minHigh, maxHigh),
		shift: l.Wait.seconds(s.Location, now),
	}
	if p.warm() {
		o.spread = spreadWarm
		o.byWork = p.Work / float64(staff.count)
		if p.recent(now) {
			o.byEntered = p.Entered / float64(staff.count)
		}
		o.gap = p.blend(o.byWork, o.byEntered)
	} else {
		o.gap = p.service(l) / float64(staff.count)
		o.own, o.rivals = s.waiting[line], s.rivals(line, staff.open, now)
		o.newcomer = place{s.orderNew(line, now.UnixMilli()), math.MaxInt64}
	}
	if p.recent(now) { // what was shown falls only when it is sure to
		o.gap = max(o.gap, p.Held)
	}
	o.gap = min(max(o.gap, 0), waitCap)
	return o, true
}

// mean is the expected wait in seconds at a position, for a time between starts.
// In front of the first place behind the free desks somebody's service must end.
func (o *outlook) mean(places, gap float64) float64 {
	if places <= 0 {
		return 0
	}
	return gap * max(0, places-1+o.first)
}

// places is how many starts away a position is, but for the free desks: its own
// place in the line, and those elsewhere that the same desks take before it.
func (o *outlook) places(position int) float64 {
	n, own := float64(position-o.free), o.newcomer
	if position <= len(o.own) {
		own = o.own[position-1]
	}
	for _, r := range o.rivals {
		ahead, _ := slices.BinarySearchFunc(r.waiting, own, comparePlace)
		n += r.weight * float64(ahead)
	}
	return n
}

func (o *outlook) quote(position int) *Quote {
	if position < 1 {
		return nil
	}
	places := o.places(position)
	q := &Quote{
		Position: position, Mean: o.mean(places, o.gap),
		ByWork: told(o.mean(places, o.byWork)), ByEntered: told(o.mean(places, o.byEntered)),
	}
	// The starts ahead vary each for itself, which evens out; the pace may be
	// off as a whole, which does not.
	sigma := math.Sqrt(1/max(1, places) + o.spread*o.spread)
	low, high := q.Mean*max(0, 1-o.low*sigma), q.Mean*(1+o.high*sigma)
	q.Mean, q.Low, q.High = told(q.Mean+o.shift), told(low+o.shift), told(high+o.shift)
	q.WaitRange = rangeOf(q.Low/60, q.High/60)
	return q
}

// told keeps whole seconds, as journals need no more, within what makes sense.
func told(seconds float64) float64 { return math.Round(min(max(seconds, 0), waitCap)) }

// bounded is v, or what it is before anything was learned, within bounds.
func bounded(v, unset, low, high float64) float64 {
	if v == 0 {
		v = unset
	}
	return min(max(v, low), high)
}

// rangeOf rounds minutes outward to steps that people think in.
func rangeOf(low, high float64) WaitRange {
	r := WaitRange{Min: stepped(low, math.Floor), Max: stepped(high, math.Ceil)}
	r.Max = max(r.Max, r.Min+stepAt(float64(r.Min)))
	return r
}

// stepAt is how coarse a wait is told: 5 minutes, from an hour on 15.
func stepAt(minutes float64) int {
	if minutes >= longWait {
		return longStep
	}
	return shortStep
}

func stepped(minutes float64, to func(float64) float64) int {
	step := stepAt(minutes)
	return int(to(minutes/float64(step))) * step
}
