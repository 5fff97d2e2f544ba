package ticket

import (
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestAccuracyOf(t *testing.T) {
	list := []Outcome{{Error: -400, Side: -1}, {Error: 60}, {Error: 120}, {Error: 900, Side: 1}}
	want := WaitAccuracy{Quotes: 4, Within: 0.5, Early: 0.25, Late: 0.25, MedianError: 4.3, Bias: 1.5}
	if got := accuracyOf(list); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := accuracyOf(nil); got != (WaitAccuracy{}) {
		t.Errorf("of nothing: %+v", got)
	}
	if got := accuracyOf(list[:3]); got.MedianError != 2 || got.Bias != 1 || got.Early != 0.333 {
		t.Errorf("of three: %+v", got)
	}
}

// A quote is held against the call, under the hour it was given in, once the
// visitor was served; whoever did not come or was sent on does not count.
func TestQuotesAreHeldAgainstWhatCame(t *testing.T) {
	w := staffed(t, 1)
	first, late, gone, sent := w.create(1), w.create(1), w.create(1), w.create(1)
	w.call(first, 1, 1)
	w.now = w.now.Add(50 * time.Minute) // over the end of the hour, in Tallinn 12 to 13
	w.must(Serve{ref(first)}, clerk(1))
	w.call(late, 1, 1)
	w.must(Serve{ref(late)}, clerk(1))
	w.call(gone, 1, 1)
	w.must(MarkNoShow{ref(gone)}, clerk(1))
	w.call(sent, 1, 1)
	w.must(Forward{Ref: ref(sent), Line: 2}, clerk(1))
	w.call(sent, 1, 1)
	w.must(Serve{ref(sent)}, clerk(1))
	if w.ticket(sent).Place.Quote != nil || w.ticket(late).Place.Quote == nil {
		t.Error("a quote outlives its place, or goes before its time")
	}
	all := w.s.WaitAccuracy()
	if len(all) != 3 || all[0].Line != 1 || all[0].Name != "Passports" || all[1].Quotes != 0 {
		t.Fatalf("%+v", all)
	}
	a := all[0]
	if a.Quotes != 2 || a.Late != 0.5 || a.Within != 0.5 || len(a.Hours) != 1 || a.Hours[0].Hour != 12 {
		t.Errorf("%+v", a)
	}
	if differ(t, w.s, decoded(t, encoded(t, w.s))) != "" {
		t.Error("a snapshot loses what was learned")
	}
}

// What is remembered is bounded, and the range follows what becomes of quotes.
func TestCalibration(t *testing.T) {
	w := newWorld(t)
	q := &Quote{WaitRange: WaitRange{5, 15}, At: noon, Position: 1, Mean: 600, Low: 400, High: 800, ByWork: 600, ByEntered: 700}
	var late, early, fair Pace
	for range 3 * outcomesKept {
		late.settle(q, noon.Add(time.Hour), w.s.Location)
		early.settle(q, noon.Add(time.Minute), w.s.Location)
		fair.settle(q, noon.Add(10*time.Minute), w.s.Location)
	}
	if late.High != maxHigh || late.Low != minLow || early.Low != maxLow || early.High != minHigh || fair.Low != minLow || fair.High != minHigh {
		t.Errorf("late %v %v, early %v %v, fair %v %v", late.Low, late.High, early.Low, early.High, fair.Low, fair.High)
	}
	if n := len(late.Outcomes[12]); n != outcomesKept {
		t.Errorf("%d outcomes are kept", n)
	}
	if fair.WorkError >= fair.EnteredError {
		t.Errorf("errors %v and %v", fair.WorkError, fair.EnteredError)
	}
	before := jsonOf(t, late)
	late.settle(q, noon.Add(-time.Hour), w.s.Location)
	if jsonOf(t, late) != before {
		t.Error("a clock that went back was learned from")
	}
}

func TestOverrideWait(t *testing.T) {
	w := staffed(t, 1)
	for range 3 {
		w.create(1)
	}
	plain, _ := w.s.Expect(1, 3, w.now)
	set := func(m int, reason string) Command { return OverrideWait{Line: 1, Minutes: Some(m), Reason: reason} }
	w.deny(OverrideWait{Line: 9, Minutes: Some(5), Reason: "other"}, clerk(1), wire.NotFound, "line", "")
	w.deny(OverrideWait{Line: 1, Reason: "other"}, clerk(1), wire.BadRequest, "minutes", "")
	w.deny(set(7, "other"), clerk(1), wire.BadRequest, "minutes", "")
	w.deny(set(65, "other"), clerk(1), wire.BadRequest, "minutes", "")
	w.deny(set(-65, "other"), clerk(1), wire.BadRequest, "minutes", "")
	w.deny(set(5, "because Ida Berg takes long"), clerk(1), wire.BadRequest, "reason", "")
	w.deny(set(5, ""), clerk(1), wire.BadRequest, "reason", "")
	w.nothing(set(0, ""), clerk(1))
	w.must(set(10, "clerkAway"), clerk(2))
	w.nothing(set(10, "clerkAway"), clerk(2))
	if got, _ := w.s.Expect(1, 3, w.now); got != plain+10*time.Minute {
		t.Errorf("%v, without the override %v", got, plain)
	}
	if o := w.s.StaffLine(w.s.Lines[1]).WaitOverride; o == nil || o.User != 2 || o.Minutes != 10 || o.Reason != "clerkAway" {
		t.Errorf("consoles are told %+v", o)
	}
	w.must(EditLine{Line: 1, Rename: Some("Renamed")}, nobody)
	l := *w.s.Lines[1]
	l.Wait = nil
	w.must(PutLine{l}, nobody)
	if w.s.Lines[1].Wait == nil {
		t.Error("an edit of the line ends the override")
	}
	if got, ok := w.s.Expect(1, 3, w.now.Add(24*time.Hour)); !ok || got >= plain+10*time.Minute {
		t.Errorf("on the next day %v", got)
	}
	w.must(set(-60, "quickCases"), clerk(2))
	if got := w.s.Wait(1, 3); *got != (WaitRange{0, 5}) {
		t.Errorf("an hour less: %v", got)
	}
	w.must(set(0, ""), clerk(2))
	if got, _ := w.s.Expect(1, 3, w.now); got != plain {
		t.Errorf("without it again %v, want %v", got, plain)
	}
}

// A copy that was taken before does not learn what comes after.
func TestWhatWasLearnedIsNotShared(t *testing.T) {
	w := newWorld(t)
	q := &Quote{WaitRange: WaitRange{5, 15}, At: noon, Position: 1, Mean: 600, Low: 400, High: 800}
	var p Pace
	for range 5 {
		p.settle(q, noon.Add(10*time.Minute), w.s.Location)
	}
	before := jsonOf(t, p)
	a, b := p, p
	a.settle(q, noon.Add(20*time.Minute), w.s.Location)
	learned := jsonOf(t, a)
	b.settle(q, noon.Add(time.Minute), w.s.Location)
	if jsonOf(t, p) != before || jsonOf(t, a) != learned {
		t.Errorf("%s\n%s, was\n%s\n%s", jsonOf(t, p), jsonOf(t, a), before, learned)
	}
	a.see(1, noon)
	b = a
	b.see(2, noon)
	if len(a.Seen) != 1 || len(b.Seen) != 2 {
		t.Errorf("seen %v and %v", a.Seen, b.Seen)
	}
}
