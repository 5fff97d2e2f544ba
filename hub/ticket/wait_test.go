package ticket

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// staffed gives the first n users a desk and line 1.
func staffed(t tb, n int) *world {
	t.Helper()
	w := newWorld(t)
	for id := 1; id <= n; id++ {
		w.must(Select{User: id, Desk: Some(id), Lines: Some([]int{1})}, clerk(id))
	}
	return w
}

// cycle lets one visitor of line 1 be called at once and take some time.
func (w *world) cycle(took time.Duration) {
	w.tb.Helper()
	w.must(CallNext{Lines: []int{1}}, clerk(1))
	w.now = w.now.Add(took)
}

// warmed is a line with one desk that takes 4 minutes per visitor, with n waiting
// and one being served since just now.
func warmed(t tb, n int) *world {
	t.Helper()
	w := staffed(t, 1)
	for range warmAfter + 4 + n {
		w.must(Create{Line: 1}, nobody)
	}
	for range warmAfter + 3 {
		w.cycle(4 * time.Minute)
	}
	w.cycle(0)
	return w
}

func (w *world) wait(position int) string {
	r := w.s.WaitAt(1, position, w.now)
	return jsonOf(w.tb, r)
}

// Rung 0: without somebody who serves the line, or while it is closed, nobody knows.
func TestWaitIsUnknown(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(w *world)
	}{
		{"nobody works", func(w *world) { w.must(Select{User: 1, Desk: Some(0)}, nobody) }},
		{"the only clerk serves another line", func(w *world) { w.must(Select{User: 1, Lines: Some([]int{2})}, nobody) }},
		{"the clerk who worked for it has chosen another line", func(w *world) {
			w.create(1)
			w.cycle(0)
			w.must(Select{User: 1, Lines: Some([]int{2})}, nobody)
		}},
		{"the clerk who worked for it left the company", func(w *world) {
			w.create(1)
			w.cycle(0)
			u := *w.s.Users[1]
			u.Removed = true
			w.must(PutUser{u}, nobody)
		}},
		{"the only clerk left the company", func(w *world) {
			u := *w.s.Users[1]
			u.Removed = true
			w.must(PutUser{u}, nobody)
		}},
		{"the desk was removed", func(w *world) { w.must(PutDesk{Desk{ID: 1, Name: "1", Removed: true}}, nobody) }},
		{"the location is closed", func(w *world) {
			l := *w.s.Location
			l.Hours = &Hours{Exceptions: []Exception{{Date: "2026-11-21", Day: Day{Closed: true}}}}
			w.must(PutLocation{l}, nobody)
		}},
		{"the line is closed", func(w *world) {
			l := *w.s.Lines[1]
			l.Disabled = true
			w.must(PutLine{l}, nobody)
		}},
	} {
		w := staffed(t, 1)
		if w.s.Wait(1, 1) == nil {
			t.Fatal("unknown from the start")
		}
		c.spoil(w)
		if got := w.s.Wait(1, 1); got != nil {
			t.Errorf("%s: %v", c.name, got)
		}
		if e := w.must(Create{Line: 2}, nobody)[0]; w.s.Wait(2, 1) == nil && e.Facts.Quote != nil {
			t.Errorf("%s: quoted %v", c.name, e.Facts.Quote)
		}
	}
	w := staffed(t, 1)
	if w.s.Wait(1, 0) != nil || w.s.Wait(9, 1) != nil || w.s.Wait(2, 1) != nil {
		t.Error("a wait is known where nothing is")
	}
}

// Rung 1: what those ahead are assumed to take, over the desks.
func TestColdWait(t *testing.T) {
	for _, c := range []struct {
		name     string
		desks    int
		prepare  func(w *world)
		position int
		mean     time.Duration
		want     string
	}{
		{"a free desk", 1, nil, 1, 0, `{"min":0,"max":5}`},
		{"behind one, in front of a free desk", 1, nil, 2, 5 * time.Minute, `{"min":0,"max":15}`},
		{"four desks' worth", 1, nil, 5, 20 * time.Minute, `{"min":0,"max":40}`},
		{"the same with two desks", 2, nil, 6, 10 * time.Minute, `{"min":0,"max":20}`},
		{"an appointment line", 1, func(w *world) {
			l := *w.s.Lines[1]
			l.Appointment = 30
			w.must(PutLine{l}, nobody)
		}, 2, 30 * time.Minute, `{"min":0,"max":90}`},
		{"somebody ahead in another line of the same clerk", 1, func(w *world) {
			w.must(Select{User: 1, Lines: Some([]int{1, 2})}, nobody)
			w.must(Create{Line: 2}, nobody)
		}, 2, 10 * time.Minute, `{"min":0,"max":25}`},
		{"somebody who has been served for a minute", 1, func(w *world) {
			w.create(1)
			w.cycle(time.Minute)
		}, 1, 4 * time.Minute, `{"min":0,"max":15}`},
		{"whose service takes very long", 1, func(w *world) {
			w.create(1)
			w.cycle(25 * time.Minute)
		}, 1, 90 * time.Second, `{"min":0,"max":5}`},
		{"nobody takes those who wait", 1, func(w *world) {
			w.create(1)
			w.now = w.now.Add(10 * time.Minute)
		}, 2, 10 * time.Minute, `{"min":0,"max":25}`},
	} {
		w := staffed(t, c.desks)
		if c.prepare != nil {
			c.prepare(w)
		}
		if got, ok := w.s.Expect(1, c.position, w.now); !ok || got != c.mean {
			t.Errorf("%s: %v, want %v", c.name, got, c.mean)
		}
		if got := w.wait(c.position); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Rung 2: the time between starts, at the current number of desks.
func TestWarmWait(t *testing.T) {
	w := warmed(t, 10)
	p := w.s.Pace[1]
	if !p.warm() || p.Work != 240 || p.Services != warmAfter+3 {
		t.Fatalf("pace %+v", p)
	}
	expect := func(what string, position int, want time.Duration) {
		t.Helper()
		if got, _ := w.s.Expect(1, position, w.now); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	expect("just begun", 1, 4*time.Minute)
	expect("behind two", 3, 12*time.Minute)
	w.now = w.now.Add(3 * time.Minute) // of 4
	usual := p.service(w.s.Lines[1])
	left := max(leastLeft, 1-180/usual)
	expect("nearly over", 1, time.Duration(told(240*left))*time.Second)
	w.now = w.now.Add(-3 * time.Minute)
	w.must(Select{User: 2, Desk: Some(2), Lines: Some([]int{1})}, clerk(2))
	if got, _ := w.s.Expect(1, 3, w.now); got != 12*time.Minute {
		t.Errorf("one desk more, and nothing has shown that it helps: %v", got)
	}
	shown := *w.s.Pace[1]
	shown.Held, shown.Entered = 0, 0
	w.s.Pace[1] = &shown
	expect("twice the desks, once it is shown", 3, 6*time.Minute)
	w.now = w.now.Add(2 * time.Minute)
	w.must(CallNext{Lines: []int{1}}, clerk(2))
	if work := w.s.Pace[1].Work; work != 240 {
		t.Errorf("two desks that take 4 minutes each do %v desk-seconds per visitor", work)
	}
	w.must(Select{User: 2, Desk: Some(0)}, clerk(2))
	w.must(CallNext{Lines: []int{1}, Desk: 3}, clerk(3)) // an unlisted clerk helps
	if n := w.s.staffing(1, w.now).count; n != 3 {       // and the one that has just left its desk
		t.Errorf("%d desks", n)
	}
	if n := w.s.staffing(1, w.now.Add(staffSeen)).count; n != 1 {
		t.Errorf("%d desks after the helper was not seen for half an hour", n)
	}
}

// More is shown at once, less only after two starts that say so.
func TestShownWaitFallsOnlyWhenConfirmed(t *testing.T) {
	w := warmed(t, 40)
	mean := func() time.Duration {
		d, _ := w.s.Expect(1, 10, w.now)
		return d
	}
	before := mean()
	w.now = w.now.Add(20 * time.Minute)
	w.cycle(0)
	slow := mean()
	if slow <= before {
		t.Errorf("after a slow service %v, before %v", slow, before)
	}
	w.now = w.now.Add(time.Minute)
	w.cycle(0)
	if once := mean(); once != slow {
		t.Errorf("after one quick start %v, want %v still", once, slow)
	}
	w.now = w.now.Add(time.Minute)
	w.cycle(0)
	if twice := mean(); twice >= slow {
		t.Errorf("after two quick starts %v, was %v", twice, slow)
	}
}

// A pause in which nobody waited, a no-show and somebody who was sent on say
// nothing about the pace.
func TestWhatIsNoPace(t *testing.T) {
	w := warmed(t, 0)
	pace := func() Pace { return *w.s.Pace[1] }
	before := pace()
	w.now = w.now.Add(50 * time.Minute)
	w.must(Serve{ref(w.ids.Ticket - 1)}, clerk(1))
	w.create(1)
	w.cycle(0)
	if p := pace(); p.Gaps != before.Gaps || p.Work != before.Work {
		t.Errorf("an idle hour counts: %+v", p)
	}
	for i, end := range []func(Ref) Command{
		func(r Ref) Command { return MarkNoShow{r} },
		func(r Ref) Command { return Forward{Ref: r, Line: 2} },
		func(r Ref) Command { return ReturnToQueue{Ref: r, Position: PositionLast} },
	} {
		w := warmed(t, 10)
		gone := w.s.CalledTickets()[0].ID
		before := *w.s.Pace[1]
		w.now = w.now.Add(30 * time.Second)
		w.must(end(ref(gone)), clerk(1))
		w.cycle(0)
		if p := *w.s.Pace[1]; p.Gaps != before.Gaps || p.Services != before.Services {
			t.Errorf("case %d: the short gap counts: %+v", i, p)
		}
		if w.s.Pace[1].Outcomes == nil {
			t.Error("nothing was held against its quote")
		}
	}
}

// Rung 3: the estimate that was wrong lately counts less.
func TestBlend(t *testing.T) {
	p := Pace{WorkError: 1e6, EnteredError: 1}
	if got := p.blend(100, 0); got != 100 {
		t.Errorf("without the other: %v", got)
	}
	if got := p.blend(100, 200); got < 190 || got > 200 {
		t.Errorf("the first is wrong: %v", got)
	}
	p = Pace{WorkError: 1, EnteredError: 1e6}
	if got := p.blend(100, 200); got < 100 || got > 110 {
		t.Errorf("the second is wrong: %v", got)
	}
	p = Pace{WorkError: 50, EnteredError: 50}
	if got := p.blend(100, 200); got != 150 {
		t.Errorf("both as good: %v", got)
	}
}

// Rung 4: rounded outward to steps of 5 minutes, from an hour on of 15.
func TestRangeSteps(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      WaitRange
	}{
		{0, 0, WaitRange{0, 5}}, {0.1, 4, WaitRange{0, 5}}, {4.9, 5.1, WaitRange{0, 10}}, {5, 10, WaitRange{5, 10}},
		{12, 58, WaitRange{10, 60}}, {59, 61, WaitRange{55, 75}}, {61, 74, WaitRange{60, 75}}, {60, 60, WaitRange{60, 75}},
		{89, 121, WaitRange{75, 135}}, {23, 23, WaitRange{20, 25}},
	} {
		if got := rangeOf(c.low, c.high); got != c.want {
			t.Errorf("%v to %v: %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

// Whatever was learned: never below nothing, never a single minute, and never
// shorter for who stands further back.
func TestRangesGrowWithThePosition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := func(what string, low, high float64) float64 { return rapid.Float64Range(low, high).Draw(rt, what) }
		o := outlook{
			gap: f("gap", 0, waitCap), free: rapid.IntRange(0, 5).Draw(rt, "free"), first: f("first", leastLeft, 1),
			spread: pick(rt, "spread", []float64{spreadWarm, spreadCold}), low: f("low", minLow, maxLow), high: f("high", minHigh, maxHigh),
			shift: float64(rapid.IntRange(-12, 12).Draw(rt, "shift") * 300),
		}
		o.own, o.newcomer = places(rt, "own"), place{2000, 2000}
		for range rapid.IntRange(0, 3).Draw(rt, "rivals") {
			o.rivals = append(o.rivals, rival{f("weight", 0, 1), places(rt, "rival")})
		}
		last := o.quote(1)
		for position := 1; position <= 200; position++ {
			q := o.quote(position)
			if q.Min < 0 || q.Min >= q.Max || q.Min%5 != 0 || q.Max%5 != 0 {
				rt.Fatalf("position %d: %+v", position, q)
			}
			if q.Min < last.Min || q.Max < last.Max || q.Mean < last.Mean {
				rt.Fatalf("position %d: %+v, before it %+v", position, q, last)
			}
			last = q
		}
	})
}

// places is a line of random people.
func places(rt *rapid.T, what string) []place {
	var list []place
	for _, order := range rapid.SliceOfN(rapid.Int64Range(0, 1000), 0, 20).Draw(rt, what) {
		list = inserted(list, place{order, int64(len(list))})
	}
	return list
}

// Every quote is what the visitor is shown at that moment, on every screen.
func TestTheQuoteIsWhatIsShown(t *testing.T) {
	quoted := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(rt, newCoverage())
		m.must(Select{User: 1, Desk: Some(1)}, clerk(1))
		m.record(m.log[len(m.log)-1])
		for range 40 {
			for _, e := range m.step(rt) {
				x := m.s.Tickets[e.Ticket]
				if e.Facts.Quote == nil || x == nil {
					continue
				}
				quoted++
				want := jsonOf(rt, e.Facts.Quote.WaitRange)
				for _, got := range []*WaitRange{m.s.VisitorTicket(x).Wait, m.s.BoardTicket(x).Wait, m.s.StaffTicket(x).Wait, m.s.waits()(x.Place.Line, m.s.Position(x))} {
					if jsonOf(rt, got) != want {
						rt.Fatalf("quoted %s, shown %s", want, jsonOf(rt, got))
					}
				}
			}
		}
	})
	if quoted == 0 {
		t.Error("nobody was given a quote")
	}
}

// A service that somebody forgot to end, and a break, are no measure; what the last
// one to enter service had waited is, per place it stood in.
func TestWhatIsMeasured(t *testing.T) {
	w := warmed(t, 3)
	next := w.s.WaitingIn(1)[0].Place.Quote
	w.now = w.now.Add(time.Minute)
	w.cycle(0)
	if got, want := w.s.Pace[1].Entered, w.now.Sub(next.At).Seconds()/float64(next.Position); got != want {
		t.Errorf("per place %v, want %v", got, want)
	}
	before := *w.s.Pace[1]
	w.now = w.now.Add(paceBreak)
	w.cycle(0) // which ends the forgotten service as well
	if p := w.s.Pace[1]; p.Services != before.Services || p.Gaps != before.Gaps {
		t.Errorf("%d services and %d gaps, before the break %d and %d", p.Services, p.Gaps, before.Services, before.Gaps)
	}
}
