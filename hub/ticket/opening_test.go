package ticket

import (
	"testing"
	"time"
)

func TestNextOpening(t *testing.T) {
	closed := Day{Closed: true}
	hours := &Hours{
		Week:       [7]Day{{Spans: []Span{span(13, 17), span(9, 12)}}, {Spans: []Span{span(18, 2)}}, {}, closed, closed, closed, closed},
		Exceptions: []Exception{{Date: "2026-11-30", Day: closed}},
	}
	l := Location{Timezone: "Europe/Tallinn", Hours: hours}.resolved()
	for at, want := range map[string]string{
		"2026-11-23 08:00": "2026-11-23 09:00", "2026-11-23 12:30": "2026-11-23 13:00", "2026-11-23 17:00": "2026-11-24 18:00",
		"2026-11-24 02:30": "2026-11-24 18:00", "2026-11-26 10:00": "2026-12-01 18:00", // over the weekend, and a Monday that is closed
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", at, l.Zone())
		if err != nil {
			t.Fatal(err)
		}
		got, ok := l.NextOpening(now)
		if !ok || got.Format("2006-01-02 15:04") != want {
			t.Errorf("%s: %v %v, want %s", at, got, ok, want)
		}
		if l.OpenAt(now) || !l.OpenAt(got) {
			t.Errorf("%s: open is %v then, and %v at %v", at, l.OpenAt(now), l.OpenAt(got), got)
		}
	}
	if _, ok := (&Location{}).NextOpening(noon); ok {
		t.Error("what never closes opens")
	}
	never := &Hours{Week: [7]Day{closed, closed, closed, closed, closed, closed, closed}}
	if _, ok := (&Location{Hours: never}).NextOpening(noon); ok {
		t.Error("what never opens opens")
	}
}
