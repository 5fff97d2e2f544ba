package ticket

import (
	"testing"
	"time"
)

func span(opens, closes int) Span { return Span{opens * 60, closes * 60} }

func TestOpenAt(t *testing.T) {
	hours := &Hours{
		Week: [7]Day{
			{Spans: []Span{span(9, 12), span(13, 17)}}, // Monday, with a lunch break
			{Spans: []Span{span(18, 2)}},               // Tuesday, past midnight
			{},                                         // Wednesday, all day
			{Closed: true},
			{Spans: []Span{span(20, 4)}}, // Friday
			{Spans: []Span{span(0, 24)}}, // Saturday
			{Spans: []Span{span(8, 8)}},  // Sunday, until the same time on Monday
		},
		Exceptions: []Exception{
			{Date: "2026-11-30", Reason: "holiday", Day: Day{Closed: true}},                           // a Monday
			{Date: "2026-12-03", Day: Day{Spans: []Span{span(10, 11)}}},                               // a Thursday
			{Date: "2026-12-04", Day: Day{Closed: true}},                                              // a Friday
			{Date: "2026-12-10", Reason: "long night", Day: Day{Spans: []Span{{23*60 + 30, 6 * 60}}}}, // a Thursday
		},
	}
	l := Location{Timezone: "Europe/Tallinn", Hours: hours}.resolved()
	for _, c := range []struct {
		at   string // local
		open bool
	}{
		{"2026-11-23 07:59", true}, {"2026-11-23 08:00", false}, // Sunday's span ends
		{"2026-11-23 09:00", true}, {"2026-11-23 11:59", true}, {"2026-11-23 12:00", false}, {"2026-11-23 12:59", false},
		{"2026-11-23 13:00", true}, {"2026-11-23 16:59", true}, {"2026-11-23 17:00", false},
		{"2026-11-24 17:59", false}, {"2026-11-24 18:00", true}, {"2026-11-24 23:59", true},
		{"2026-11-25 00:00", true}, {"2026-11-25 01:59", true}, {"2026-11-25 12:00", true}, {"2026-11-25 23:59", true},
		{"2026-11-26 00:00", false}, {"2026-11-26 12:00", false}, // all day ends at midnight
		{"2026-11-27 19:59", false}, {"2026-11-27 20:00", true},
		{"2026-11-28 03:59", true}, {"2026-11-28 23:59", true},
		{"2026-11-29 00:00", false}, {"2026-11-29 07:59", false}, {"2026-11-29 08:00", true},
		{"2026-11-30 07:59", true}, // Sunday's span runs into the closed Monday
		{"2026-11-30 08:00", false}, {"2026-11-30 10:00", false},
		{"2026-12-03 09:59", false}, {"2026-12-03 10:30", true}, {"2026-12-03 11:00", false},
		{"2026-12-04 21:00", false}, {"2026-12-05 00:30", true}, // Saturday's own span
		{"2026-12-10 23:29", false}, {"2026-12-10 23:30", true},
		{"2026-12-11 05:59", true}, {"2026-12-11 06:00", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, l.Zone())
		if err != nil {
			t.Fatal(err)
		}
		if got := l.OpenAt(at); got != c.open {
			t.Errorf("%s %s: open is %v", at.Weekday(), c.at, got)
		}
	}
	if !(&Location{}).OpenAt(noon) {
		t.Error("without hours a location is always open")
	}
}

// Hours are wall clock times: a clock change moves the instants, not the times.
func TestOpenAtAcrossClockChanges(t *testing.T) {
	day := Day{Spans: []Span{span(9, 17), span(22, 4)}}
	l := Location{Timezone: "Europe/Tallinn", Hours: &Hours{Week: [7]Day{day, day, day, day, day, day, day}}}.resolved()
	for _, c := range []struct {
		at   string // UTC
		open bool
	}{
		{"2026-10-24T06:00:00Z", true}, {"2026-10-24T05:59:00Z", false}, // 09:00 summer time
		{"2026-10-25T07:00:00Z", true}, {"2026-10-25T06:59:00Z", false}, // 09:00 winter time
		{"2026-10-25T00:30:00Z", true}, {"2026-10-25T01:30:00Z", true}, // 03:30, twice
		{"2026-10-25T02:00:00Z", false},                                 // 04:00
		{"2026-03-29T00:59:00Z", true}, {"2026-03-29T01:00:00Z", false}, // 02:59, then 04:00
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.OpenAt(at); got != c.open {
			t.Errorf("%v: open is %v", at.In(l.Zone()), got)
		}
	}
}

// Yesterday is found even where this hour did not exist yesterday: in Havana the
// 8th of March 2026, a Sunday, had no first hour.
func TestOpenAtAfterADayWithoutMidnight(t *testing.T) {
	closed := Day{Closed: true}
	l := zoned(t, "America/Havana", 0)
	l.Hours = &Hours{Week: [7]Day{closed, closed, closed, closed, closed, closed, {Spans: []Span{span(20, 2)}}}}
	if at := time.Date(2026, 3, 9, 0, 30, 0, 0, l.Zone()); !l.OpenAt(at) {
		t.Errorf("%v: closed, although Sunday's hours run until two", at)
	}
}
