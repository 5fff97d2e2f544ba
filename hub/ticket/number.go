package ticket

import (
	"strings"
	"time"
)

// BusinessDay is the location's business day at now, as yyyymmdd. It begins
// DayStart minutes after local midnight by the wall clock, so a change of
// daylight saving makes a day longer or shorter but never skips or repeats one.
func (l *Location) BusinessDay(now time.Time) string {
	y, m, d := now.In(l.Zone()).Date()
	// Instants are compared, not wall clocks: when the hour around DayStart
	// comes twice, the day must not begin twice.
	if now.Before(time.Date(y, m, d, 0, l.DayStart, 0, 0, l.Zone())) {
		d--
	}
	// Noon of that date: clear of every clock change, so the date stays itself.
	return time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Format("20060102")
}

// nextNumber is the business day that a ticket made now belongs to, and its
// number. The day never goes back: after a leap of the clock numbers go on.
func (s *State) nextNumber(series string, now time.Time) (day string, n int) {
	day = s.Location.BusinessDay(now)
	if day > s.Day {
		return day, 1
	}
	return s.Day, s.Numbers[series] + 1
}

// takeNumber notes that a number was given.
func (s *State) takeNumber(publicID, day string, n int) {
	if day != s.Day {
		s.Day = day
		clear(s.Numbers)
	}
	series := publicID
	if i := strings.LastIndexByte(publicID, '-'); i >= 0 {
		series = publicID[:i]
	}
	s.Numbers[series] = max(s.Numbers[series], n)
}
