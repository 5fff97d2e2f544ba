package ticket

import (
	"math"
	"time"
)

// Pace is how fast a line moves, folded from its calls and services.
type Pace struct {
	// Gap is the smoothed time between calls in seconds, over Gaps of them.
	Gap  float64   `json:"gap,omitempty"`
	Gaps int       `json:"gaps,omitempty"`
	Last time.Time `json:"last,omitzero"` // the last call
	// Service is the smoothed length of a service in seconds, over Services.
	Service  float64 `json:"service,omitempty"`
	Services int     `json:"services,omitempty"`
}

const (
	paceWeight = 0.2           // of the newest observation
	paceBreak  = 2 * time.Hour // a longer pause says nothing about the pace
	paceKnown  = 3             // observations before an estimate is worth showing
)

func smooth(old float64, n int, v float64) float64 {
	if n == 0 {
		return v
	}
	return old + paceWeight*(v-old)
}

// called folds a call. A pause in which nobody waited is not waiting time, but
// that cannot be told apart from a slow desk here; the cap keeps it harmless.
func (p Pace) called(at time.Time) Pace {
	if gap := at.Sub(p.Last); !p.Last.IsZero() && gap > 0 && gap < paceBreak {
		p.Gap = smooth(p.Gap, p.Gaps, gap.Seconds())
		p.Gaps++
	}
	p.Last = at
	return p
}

func (p Pace) served(took time.Duration) Pace {
	if took < 0 { // the clock went back meanwhile
		return p
	}
	p.Service = smooth(p.Service, p.Services, took.Seconds())
	p.Services++
	return p
}

// WaitRange is an honest estimate in minutes, never a single number.
type WaitRange struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Wait estimates how long the visitor at a position (from 1) of a line still
// waits. Nil means unknown: too little has happened to say.
func (s *State) Wait(line, position int) *WaitRange {
	p := s.Pace[line]
	if p.Gaps < paceKnown || position < 1 {
		return nil
	}
	mean := p.Gap * float64(position) / 60
	// Waits are skewed; erring low is what people resent.
	low, high := stepped(mean*0.8, math.Floor), stepped(mean*1.6, math.Ceil)
	return &WaitRange{Min: low, Max: max(high, low+5)}
}

// stepped rounds minutes to steps of 5, above an hour of 15.
func stepped(minutes float64, round func(float64) float64) int {
	step := 5.0
	if minutes > 60 {
		step = 15
	}
	return int(round(minutes/step) * step)
}
