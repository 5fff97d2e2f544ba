package ticket

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zoned(t tb, zone string, dayStart int) *Location {
	t.Helper()
	l := Location{ID: 1, Timezone: zone, DayStart: dayStart}.resolved()
	if l.Zone().String() != zone {
		t.Fatalf("zone %s is not known here", zone)
	}
	return l
}

// changes holds, per zone, a day on which clocks go forward and one on which they
// go back, in years whose rules are settled.
var changes = []struct {
	zone          string
	forward, back string
}{
	{"Europe/Tallinn", "2026-03-29", "2026-10-25"},      // 03:00 to 04:00 and back at 04:00
	{"America/New_York", "2026-03-08", "2026-11-01"},    // 02:00 to 03:00 and back at 02:00
	{"Australia/Lord_Howe", "2026-10-04", "2026-04-05"}, // half an hour, at 02:00
	{"Africa/Casablanca", "2024-04-14", "2024-03-10"},   // around Ramadan, 02:00 and 03:00
	{"America/Havana", "2026-03-08", "2026-11-01"},      // at midnight, and back to it
	{"Africa/Cairo", "2024-04-26", "2024-11-01"},        // at midnight: the day has no 00:00
}

// dayStarts are minutes after midnight: midnight, 04:00, 02:30, and other minutes
// that one of the zones skips or repeats.
var dayStarts = []int{0, 4 * 60, 2*60 + 30, 90, 105, 3*60 + 30, 3 * 60, 30}

// Whatever the clocks do, looked at every five minutes, the business day never goes back,
// skips or repeats a date, and begins when the wall says so.
func TestBusinessDayAcrossClockChanges(t *testing.T) {
	for _, z := range changes {
		for _, date := range []string{z.forward, z.back} {
			for _, start := range dayStarts {
				t.Run(fmt.Sprintf("%s/%s/%d", z.zone, date, start), func(t *testing.T) {
					checkDays(t, zoned(t, z.zone, start), date)
				})
			}
		}
	}
}

func checkDays(t *testing.T, l *Location, date string) {
	t.Helper()
	day, err := time.ParseInLocation(time.DateOnly, date, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	from, to := day.AddDate(0, 0, -2), day.AddDate(0, 0, 3)
	_, before := from.In(l.Zone()).Zone()
	_, after := to.In(l.Zone()).Zone()
	if before == after {
		t.Fatalf("no clock change around %s in %s", date, l.Timezone)
	}
	seen := []string{l.BusinessDay(from)}
	for now := from; now.Before(to); now = now.Add(5 * time.Minute) {
		got := l.BusinessDay(now)
		if last := seen[len(seen)-1]; got != last {
			if want := following(t, last); got != want {
				t.Fatalf("at %v day %s is followed by %s", now.In(l.Zone()), last, got)
			}
			seen = append(seen, got)
		}
		checkWall(t, l, now, got)
	}
	if len(seen) < 5 {
		t.Errorf("only the days %v were seen", seen)
	}
}

func following(t *testing.T, day string) string {
	t.Helper()
	d, err := time.Parse("20060102", day)
	if err != nil {
		t.Fatal(err)
	}
	return d.AddDate(0, 0, 1).Format("20060102")
}

// checkWall compares with the wall clock, except within the hour of a change,
// where a wall clock does not tell.
func checkWall(t *testing.T, l *Location, now time.Time, got string) {
	t.Helper()
	local := now.In(l.Zone())
	_, x := now.Add(-2 * time.Hour).In(l.Zone()).Zone()
	_, y := now.Add(2 * time.Hour).In(l.Zone()).Zone()
	if x != y {
		return
	}
	y2, m, d := local.Date()
	if local.Hour()*60+local.Minute() < l.DayStart {
		d--
	}
	if want := time.Date(y2, m, d, 12, 0, 0, 0, time.UTC).Format("20060102"); got != want {
		t.Fatalf("at %v the business day is %s, want %s", local, got, want)
	}
}

// The hour that comes twice: where the day begins in it, it begins once, at one of
// the two moments at which the wall shows DayStart.
func TestBusinessDayInARepeatedHour(t *testing.T) {
	for _, c := range []struct {
		zone  string
		start int
		first string // UTC: the first time that the wall shows DayStart
		again time.Duration
	}{
		{"Africa/Casablanca", 2*60 + 30, "2024-03-10T01:30:00Z", time.Hour},
		{"Europe/Tallinn", 3*60 + 30, "2026-10-25T00:30:00Z", time.Hour},
		{"America/New_York", 90, "2026-11-01T05:30:00Z", time.Hour},
		{"Australia/Lord_Howe", 105, "2026-04-04T14:45:00Z", 30 * time.Minute},
	} {
		l := zoned(t, c.zone, c.start)
		first, err := time.Parse(time.RFC3339, c.first)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{first, first.Add(c.again)} {
			if local := at.In(l.Zone()); local.Hour()*60+local.Minute() != c.start {
				t.Fatalf("%s: the wall shows %v", c.zone, local)
			}
		}
		var begins []time.Duration
		for m := -180; m < 180; m++ {
			d := time.Duration(m) * time.Minute
			if l.BusinessDay(first.Add(d)) != l.BusinessDay(first.Add(d-time.Minute)) {
				begins = append(begins, d)
			}
		}
		if len(begins) != 1 || begins[0] != 0 && begins[0] != c.again {
			t.Errorf("%s: days begin %v after %s", c.zone, begins, c.first)
		}
	}
}

func TestNumbersRestartEachDay(t *testing.T) {
	w := newWorld(t)
	l := *w.s.Location
	l.DayStart = 4 * 60
	w.must(PutLocation{l}, nobody)
	at := func(hour, minute int) string {
		w.now = time.Date(2026, 11, 21, hour, minute, 0, 0, w.s.Location.Zone())
		return w.ticket(w.must(Create{Line: 1}, nobody)[0].Ticket).Key()
	}
	got := []string{at(23, 59), at(24, 0), at(27, 59), at(28, 0), at(28, 1)}
	equal(t, "keys", got, []string{"A-1.20261121", "A-2.20261121", "A-3.20261121", "A-1.20261122", "A-2.20261122"})
	// The clock goes back by a day: numbers go on.
	equal(t, "after a leap back", []string{at(12, 0), at(36, 0), at(52, 0)}, []string{"A-3.20261122", "A-4.20261122", "A-1.20261123"})
}

// No number is given twice within a business day, whatever lines, letters, zones
// and the clock do.
func TestNumbersAreUnique(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		seen := map[string]bool{}
		rt.Repeat(map[string]func(*rapid.T){
			"clock": func(rt *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-30, 30).Draw(rt, "hours")) * time.Hour)
			},
			"create": func(rt *rapid.T) {
				t := w.ticket(w.must(Create{Line: rapid.IntRange(1, 3).Draw(rt, "line")}, nobody)[0].Ticket)
				if seen[t.Key()] {
					rt.Fatalf("%s was given twice", t.Key())
				}
				seen[t.Key()] = true
			},
			"series": func(rt *rapid.T) {
				l := *w.s.Lines[rapid.IntRange(1, 3).Draw(rt, "line")]
				l.Series = rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(rt, "letter")
				w.must(PutLine{l}, nobody)
			},
			"zone": func(rt *rapid.T) {
				l := *w.s.Location
				l.Timezone = rapid.SampledFrom([]string{"Europe/Tallinn", "America/New_York", "Australia/Lord_Howe"}).Draw(rt, "zone")
				l.DayStart = rapid.SampledFrom(dayStarts).Draw(rt, "start")
				w.must(PutLocation{l}, nobody)
			},
			"snapshot": func(rt *rapid.T) {
				s, err := DecodeState([]byte(encoded(rt, w.s)))
				if err != nil {
					rt.Fatalf("decode: %v", err)
				}
				w.s = s
			},
		})
	})
}

func TestSeriesLetters(t *testing.T) {
	all := func(l Location, n int) string {
		var out []string
		for i := range n {
			out = append(out, l.series(i))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		letters string
		n       int
		want    string
	}{
		{"", 23, "A B C D E F G H J K L M N P R T U V W X Y AA AB"},
		{"PQ", 7, "P Q PP PQ QP QQ PPP"},
		{"ÄÖ", 4, "Ä Ö ÄÄ ÄÖ"},
		{"X", 3, "X XX XXX"},
	} {
		if got := all(Location{SeriesLetters: c.letters}, c.n); got != c.want {
			t.Errorf("%q: %s, want %s", c.letters, got, c.want)
		}
	}
}

func TestLinesGetTheFirstFreeLetter(t *testing.T) {
	w := newWorld(t)
	put := func(l Line) string { return w.must(PutLine{l}, nobody)[0].Facts.LineDef.Series }
	got := []string{
		put(Line{Name: "x", Series: "E"}), put(Line{Name: "x"}),
		put(Line{ID: 2, Name: "gone", Removed: true}), put(Line{Name: "x"}), // B stays taken: it is on paper
	}
	equal(t, "letters", got, []string{"E", "D", "B", "F"})
	// A line that is changed keeps its letter.
	if s := put(Line{ID: 1, Name: "new name"}); s != "A" {
		t.Errorf("line 1 has %s now", s)
	}
}

// Two lines with one letter share its numbers.
func TestLinesThatShareALetter(t *testing.T) {
	w := newWorld(t)
	l := *w.s.Lines[2]
	l.Series = "A"
	w.must(PutLine{l}, nobody)
	var got []string
	for _, line := range []int{1, 2, 2, 1} {
		got = append(got, w.ticket(w.create(line)).Place.PublicID)
	}
	if !slices.Equal(got, []string{"A-1", "A-2", "A-3", "A-4"}) {
		t.Errorf("numbers %v", got)
	}
}
