package sim

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Day is the shape of a business day.
type Day struct {
	// Opens and Closes are after local midnight; Closes comes later.
	Opens, Closes time.Duration
	// Visitors is how many come on average.
	Visitors float64
	// Peaks rise above the level of an ordinary hour, or with a negative Height
	// lie below it.
	Peaks []Peak
}

// Peak is a time when more people come than usual.
type Peak struct {
	At, Width time.Duration
	// Height is relative to an ordinary hour: 1 doubles it.
	Height float64
}

// BusyDay is a branch from 9 to 17: a rush after opening, a full morning, a dip
// at lunch, and a second peak when people leave work early.
func BusyDay(visitors float64) Day {
	return Day{
		Opens: 9 * time.Hour, Closes: 17 * time.Hour, Visitors: visitors,
		Peaks: []Peak{
			{At: 9*time.Hour + 10*time.Minute, Width: 12 * time.Minute, Height: 0.8},
			{At: 10*time.Hour + 45*time.Minute, Width: 40 * time.Minute, Height: 1.2},
			{At: 12*time.Hour + 45*time.Minute, Width: 30 * time.Minute, Height: -0.6},
			{At: 15*time.Hour + 15*time.Minute, Width: 45 * time.Minute, Height: 1},
		},
	}
}

func (d Day) check() error {
	if d.Opens < 0 || d.Closes <= d.Opens || d.Closes > 24*time.Hour {
		return fmt.Errorf("a day opens and then closes, from 0 to 24 hours after midnight")
	}
	if d.Visitors < 0 || math.IsNaN(d.Visitors) || math.IsInf(d.Visitors, 0) {
		return fmt.Errorf("the number of visitors is 0 or more")
	}
	for _, p := range d.Peaks {
		if p.Width <= 0 {
			return fmt.Errorf("a peak has a width")
		}
	}
	return nil
}

// intensity is the rate at a time of day relative to an ordinary hour.
func (d Day) intensity(at time.Duration) float64 {
	if at < d.Opens || at >= d.Closes {
		return 0
	}
	v := 1.0
	for _, p := range d.Peaks {
		z := float64(at-p.At) / float64(p.Width)
		v += p.Height * math.Exp(-z*z/2)
	}
	// Nobody starts an errand in the last minutes.
	last := float64(d.Closes-at) / float64(30*time.Minute)
	return max(v, 0) * min(1, last)
}

const (
	gridStep = time.Minute
	// gridSlack covers what a rate may rise between two points of the grid.
	gridSlack = 1.05
)

// curve is a day's rate in visitors per hour, and a bound of it.
type curve struct {
	day        Day
	scale, top float64
}

func (d Day) curve() curve {
	sum, top := 0.0, 0.0
	for at := d.Opens; at < d.Closes; at += gridStep {
		v := d.intensity(at)
		sum += v * gridStep.Hours()
		top = max(top, v)
	}
	if sum == 0 {
		return curve{day: d}
	}
	scale := d.Visitors / sum
	return curve{day: d, scale: scale, top: scale * top * gridSlack}
}

func (c curve) at(t time.Duration) float64 { return c.scale * c.day.intensity(t) }

// Arrivals yields the times at which people come, after midnight, ascending: a
// Poisson process of varying rate, by thinning one of constant rate.
func (d Day) Arrivals(rng *rand.Rand) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		c := d.curve()
		if c.top == 0 {
			return
		}
		for at := d.Opens; ; {
			at += time.Duration(rng.ExpFloat64() / c.top * float64(time.Hour))
			if at >= d.Closes {
				return
			}
			if rng.Float64()*c.top < c.at(at) && !yield(at) {
				return
			}
		}
	}
}
