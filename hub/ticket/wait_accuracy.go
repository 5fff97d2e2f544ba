package ticket

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Outcome is what became of one quote.
type Outcome struct {
	// Error is how much longer than expected the wait was, in seconds.
	Error int `json:"error"`
	// Side is -1 when it was shorter than the range, 1 when it was longer.
	Side int `json:"side,omitempty"`
}

const (
	outcomesKept = 100 // per line and hour of the day
	// errorWeight is that of the newest error, widthStep how fast the range's
	// width follows what becomes of quotes.
	errorWeight = 0.1
	widthStep   = 0.08
	// outside is the share that the range should miss at either end, before it is
	// rounded outward: of what is shown, 85 to 90 in 100 then come true.
	outside          = 0.1
	minLow, maxLow   = 0.3, 2.5
	minHigh, maxHigh = 0.5, 4.0
)

// settle holds a quote against the wait that followed. Visitors who did not come
// or were sent on never get here: their waits say nothing about the estimate.
func (p *Pace) settle(q *Quote, called time.Time, l *Location) {
	waited := called.Sub(q.At).Seconds()
	if waited < 0 { // the clock went back meanwhile
		return
	}
	o := Outcome{Error: int(math.Round(waited - q.Mean))}
	switch {
	case waited < float64(q.Min)*60:
		o.Side = -1
	case waited > float64(q.Max)*60:
		o.Side = 1
	}
	if p.Outcomes = maps.Clone(p.Outcomes); p.Outcomes == nil {
		p.Outcomes = map[int][]Outcome{}
	}
	hour := q.At.In(l.Zone()).Hour()
	list := append(slices.Clip(p.Outcomes[hour]), o)
	p.Outcomes[hour] = list[max(0, len(list)-outcomesKept):]
	if q.ByWork > 0 {
		p.WorkError = wrong(p.WorkError, waited-q.ByWork)
	}
	if q.ByEntered > 0 {
		p.EnteredError = wrong(p.EnteredError, waited-q.ByEntered)
	}
	if q.Mean > 0 {
		p.widen(waited < q.Low, waited > q.High)
	}
}

// wrong smooths squared errors. One wait that went quite off the rails, a lunch
// break, must not discredit an estimate for long.
func wrong(old, by float64) float64 {
	by = min(by*by, 1e7)
	if old == 0 {
		return by + 1
	}
	return old + errorWeight*(by-old)
}

// widen moves each end of the range so that it is missed as often as it should be.
func (p *Pace) widen(early, late bool) {
	p.Low = bounded(bounded(p.Low, defaultLow, minLow, maxLow)+toward(early), 0, minLow, maxLow)
	p.High = bounded(bounded(p.High, defaultHigh, minHigh, maxHigh)+toward(late), 0, minHigh, maxHigh)
}

func toward(missed bool) float64 {
	if missed {
		return widthStep * (1 - outside)
	}
	return -widthStep * outside
}

// WaitAccuracy is how good quotes were: the newest of each hour of the day.
type WaitAccuracy struct {
	// Quotes is how many were held against what came of them.
	Quotes int `json:"quotes"`
	// Within is the share that was called within the range, Early before it, Late
	// after it.
	Within float64 `json:"within"`
	Early  float64 `json:"early"`
	Late   float64 `json:"late"`
	// MedianError is half of the waits' distance from what was expected, in
	// minutes; Bias is the median with its sign: positive means longer waits.
	MedianError float64 `json:"medianError"`
	Bias        float64 `json:"bias"`
}

// HourAccuracy is the accuracy of one hour of the local day.
type HourAccuracy struct {
	Hour int `json:"hour"` // 0 to 23, of when the quote was given
	WaitAccuracy
}

// LineAccuracy is a line's accuracy over the day and by hour.
type LineAccuracy struct {
	Line int    `json:"line"`
	Name string `json:"name"`
	WaitAccuracy
	Hours []HourAccuracy `json:"hours"`
}

// WaitAccuracy tells how good each line's quotes were.
func (s *State) WaitAccuracy() []LineAccuracy {
	out := []LineAccuracy{}
	for _, l := range s.SortedLines() {
		p := s.pace(l.ID)
		a := LineAccuracy{Line: l.ID, Name: l.Name, Hours: []HourAccuracy{}}
		var all []Outcome
		for _, hour := range slices.Sorted(maps.Keys(p.Outcomes)) {
			all = append(all, p.Outcomes[hour]...)
			a.Hours = append(a.Hours, HourAccuracy{hour, accuracyOf(p.Outcomes[hour])})
		}
		a.WaitAccuracy = accuracyOf(all)
		out = append(out, a)
	}
	return out
}

func accuracyOf(list []Outcome) WaitAccuracy {
	a := WaitAccuracy{Quotes: len(list)}
	if a.Quotes == 0 {
		return a
	}
	var distances, signed []float64
	early, late := 0, 0
	for _, o := range list {
		switch {
		case o.Side < 0:
			early++
		case o.Side > 0:
			late++
		}
		signed = append(signed, float64(o.Error))
		distances = append(distances, math.Abs(float64(o.Error)))
	}
	n := float64(a.Quotes)
	a.Early, a.Late = share(early, n), share(late, n)
	a.Within = share(a.Quotes-early-late, n)
	a.MedianError, a.Bias = minutes(median(distances)), minutes(median(signed))
	return a
}

// share is rounded to thousandths, minutes to tenths: more would only pretend.
func share(of int, n float64) float64 { return math.Round(float64(of)/n*1000) / 1000 }

func minutes(seconds float64) float64 { return math.Round(seconds/6) / 10 }

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
