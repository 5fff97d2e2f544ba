package ticket

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// lobby is a naive model beside the real lines: plain lists of ids.
type lobby struct {
	*world
	lists  map[int][]int64
	called []int64
}

func newLobby(t tb) *lobby { return &lobby{world: newWorld(t), lists: map[int][]int64{}} }

func (l *lobby) actions() map[string]func(*rapid.T) {
	line := rapid.IntRange(1, 3)
	return map[string]func(*rapid.T){
		"clock": func(rt *rapid.T) {
			l.now = l.now.Add(time.Duration(rapid.IntRange(-1500, 4000).Draw(rt, "ms")) * time.Millisecond)
		},
		"create": func(rt *rapid.T) {
			n := line.Draw(rt, "line")
			id := l.must(Create{Line: n}, nobody)[0].Ticket
			l.lists[n] = append(l.lists[n], id)
		},
		"call":    l.callAny,
		"reorder": l.reorder,
		"return":  l.comeBack,
		"forward": func(rt *rapid.T) {
			if id, ok := l.takeCalled(rt); ok {
				n := line.Draw(rt, "line")
				l.must(Forward{Ref: ref(id), Line: n}, nobody)
				l.lists[n] = append(l.lists[n], id)
			}
		},
		"": l.check,
	}
}

func (l *lobby) callAny(rt *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(rt, "line")
	if len(l.lists[n]) == 0 {
		return
	}
	i := rapid.IntRange(0, len(l.lists[n])-1).Draw(rt, "which")
	id := l.lists[n][i]
	l.must(CallTicket{Ref: ref(id)}, nobody)
	l.lists[n] = slices.Delete(slices.Clone(l.lists[n]), i, i+1)
	l.called = append(l.called, id)
}

func (l *lobby) takeCalled(rt *rapid.T) (int64, bool) {
	if len(l.called) == 0 {
		return 0, false
	}
	i := rapid.IntRange(0, len(l.called)-1).Draw(rt, "which")
	id := l.called[i]
	l.called = slices.Delete(l.called, i, i+1)
	return id, true
}

func (l *lobby) comeBack(rt *rapid.T) {
	id, ok := l.takeCalled(rt)
	if !ok {
		return
	}
	position := rapid.SampledFrom([]string{PositionFirst, PositionMiddle, PositionLast}).Draw(rt, "position")
	n := l.ticket(id).Place.Line
	l.must(ReturnToQueue{Ref: ref(id), Position: position}, nobody)
	at := len(l.lists[n])
	switch {
	case position == PositionFirst:
		at = 0
	case position == PositionMiddle && at > 0:
		at = (at-1)/2 + 1
	}
	l.lists[n] = slices.Insert(slices.Clone(l.lists[n]), at, id)
}

func (l *lobby) reorder(rt *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(rt, "line")
	list := l.lists[n]
	if len(list) == 0 {
		return
	}
	id := rapid.SampledFrom(list).Draw(rt, "ticket")
	rest := slices.DeleteFunc(slices.Clone(list), func(x int64) bool { return x == id })
	at := rapid.IntRange(0, len(rest)).Draw(rt, "behind")
	var after TicketID
	if at > 0 {
		after = TicketID(rest[at-1])
	}
	l.each = func(Event) { // nobody else overtakes anybody, not even for a moment
		seen := slices.DeleteFunc(l.line(n), func(x int64) bool { return x == id })
		if !slices.Equal(seen, rest) {
			rt.Fatalf("in the middle of a reorder the others stand %v, want %v", seen, rest)
		}
	}
	own := 0
	for _, e := range l.must(Reorder{Ref: ref(id), After: after}, nobody) {
		if e.Ticket == id {
			own++
		}
	}
	if own > 1 {
		rt.Fatalf("ticket %d was moved %d times by one reorder", id, own)
	}
	l.each = nil
	l.lists[n] = slices.Insert(rest, at, id)
}

func (l *lobby) check(rt *rapid.T) {
	for n := 1; n <= 3; n++ {
		if got := l.line(n); !slices.Equal(got, l.lists[n]) {
			rt.Fatalf("line %d stands %v, want %v", n, got, l.lists[n])
		}
		checkServedOrder(rt, l.s, n)
	}
}

// checkServedOrder sorts a line as a client does: the queue form by orderAfter or
// created.date and then by id, the board form by its order text.
func checkServedOrder(t tb, s *State, line int) {
	t.Helper()
	waiting := s.WaitingIn(line)
	for i := 1; i < len(waiting); i++ {
		a, b := waiting[i-1], waiting[i]
		x, y := servedKey(a), servedKey(b)
		if x > y || x == y && a.ID >= b.ID {
			t.Fatalf("line %d: a client sorts ticket %d (%s) not before %d (%s)", line, a.ID, x, b.ID, y)
		}
		if p, q := s.BoardTicket(a).Order, s.BoardTicket(b).Order; strings.Compare(p, q) >= 0 {
			t.Fatalf("line %d: a board sorts %s not before %s", line, p, q)
		}
		if s.Position(a) != i {
			t.Fatalf("line %d: ticket %d is at %d, want %d", line, a.ID, s.Position(a), i)
		}
	}
}

func servedKey(t *Ticket) string {
	q := t.QueueTicket()
	if q.OrderAfter != "" {
		return q.OrderAfter
	}
	return q.Created.Date
}

func TestOrderIsThatOfANaiveList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { rt.Repeat(newLobby(rt).actions()) })
}

// Ten thousand reorders among tickets that were made in the same few
// milliseconds: the tightest there is.
func TestManyReordersStayStrict(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.now = noon.Add(time.Duration(i/4) * time.Millisecond)
		w.must(Create{Line: 1}, nobody)
	}
	list := w.line(1)
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		from, to := draw.IntN(20), draw.IntN(20)
		if i%2 == 0 {
			to = 7 // the same spot again and again
		}
		id := list[from]
		list = slices.Insert(slices.Delete(list, from, from+1), to, id)
		var after TicketID
		if to > 0 {
			after = TicketID(list[to-1])
		}
		w.must(Reorder{Ref: ref(id), After: after}, nobody)
		if !slices.Equal(w.line(1), list) {
			t.Fatalf("reorder %d: %v, want %v", i, w.line(1), list)
		}
		w.log = nil
	}
	checkServedOrder(t, w.s, 1)
	later := w.create(1)
	equal(t, "line", w.line(1), append(list, later))
}

// A clock that went back must not put a new ticket ahead of those who wait, nor
// serve keys that say so.
func TestNewTicketsGoLastWhateverTheClock(t *testing.T) {
	w := newWorld(t)
	w.create(1)
	w.now = w.now.Add(-time.Hour)
	w.must(Create{Line: 1}, nobody)
	equal(t, "line", w.line(1), []int64{1, 2})
	checkServedOrder(t, w.s, 1)
}

// A key is a time that clients show; one behind everybody is not in the future.
func TestReorderToTheEndIsNotInTheFuture(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		w.now = w.now.Add(10 * time.Millisecond)
		w.must(Create{Line: 1}, nobody)
	}
	w.now = w.now.Add(10 * time.Millisecond)
	w.must(Reorder{Ref: ref(1), After: 2}, nobody)
	if order := w.ticket(1).Place.Order; order > w.now.UnixMilli() {
		t.Errorf("the key is %d ms ahead of the clock", order-w.now.UnixMilli())
	}
}
