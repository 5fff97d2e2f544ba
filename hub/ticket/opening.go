package ticket

import "time"

// openingDays is how far NextOpening looks ahead.
const openingDays = 60

// NextOpening is when the location opens next; false when it will not in the next
// weeks, or never closes.
func (l *Location) NextOpening(now time.Time) (time.Time, bool) {
	if l.Hours == nil {
		return time.Time{}, false
	}
	y, m, d := now.In(l.Zone()).Date()
	for n := range openingDays {
		var first time.Time
		for _, s := range l.Hours.on(time.Date(y, m, d+n, 12, 0, 0, 0, time.UTC)).open() {
			at := time.Date(y, m, d+n, 0, s.Opens, 0, 0, l.Zone())
			if at.After(now) && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
		if !first.IsZero() {
			return first, true
		}
	}
	return time.Time{}, false
}
