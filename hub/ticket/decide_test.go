package ticket

import (
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestCallServesTheCallersOthers(t *testing.T) {
	for _, c := range []struct {
		name   string
		user   int // named in the command
		actor  Actor
		keep   bool
		served []int64
	}{
		{"the actor's, in any line", 0, clerk(1), false, []int64{1, 2}},
		{"the named user's", 1, clerk(2), false, []int64{1, 2}},
		{"of one who has one", 2, clerk(1), false, []int64{3}},
		{"of one who has none", 3, clerk(1), false, nil},
		{"of nobody known", 0, nobody, false, nil},
		{"keeping them open", 0, clerk(1), true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.call(w.create(1), 1, 1)
			w.call(w.create(2), 1, 1)
			w.call(w.create(1), 2, 2)
			w.call(w.create(1), 0, 0) // by nobody known: nobody's call serves it
			next := w.create(3)
			events := w.must(CallTicket{Ref: ref(next), User: c.user, KeepActive: c.keep}, c.actor)
			var served []int64
			for _, e := range events[:len(events)-1] {
				if e.Type != EventServed {
					t.Errorf("%s before the call", e.Type)
				}
				served = append(served, e.Ticket)
			}
			equal(t, "served", served, c.served)
			if last := events[len(events)-1]; last.Type != EventCalled || last.Ticket != next {
				t.Errorf("last event is %s of %d", last.Type, last.Ticket)
			}
			for _, id := range served {
				if p := w.ticket(id).Place; p.Status != Served || p.ServedAt != w.now || p.Interactions[0].End != w.now {
					t.Errorf("ticket %d is %+v", id, p)
				}
			}
		})
	}
}

func TestCallDesk(t *testing.T) {
	for _, c := range []struct {
		name           string
		given, chosen  int
		removed, must  bool // the chosen desk was removed; the location wants a desk
		want           int
		code           wire.Code
		field, message string
	}{
		{name: "given", given: 2, want: 2},
		{name: "chosen", chosen: 3, want: 3},
		{name: "given before chosen", given: 2, chosen: 3, want: 2},
		{name: "none", want: 0},
		{name: "none, mandatory", must: true, code: wire.BadRequest, field: "desk", message: "choose a desk before calling"},
		{name: "given, mandatory", must: true, given: 1, want: 1},
		{name: "chosen, mandatory", must: true, chosen: 1, want: 1},
		{name: "chosen and removed", chosen: 3, removed: true, want: 0},
		{name: "chosen and removed, mandatory", chosen: 3, removed: true, must: true, code: wire.BadRequest, field: "desk"},
		{name: "unknown", given: 77, code: wire.NotFound, field: "desk", message: "Desk with id 77 not found"},
		{name: "given and removed", given: 3, removed: true, code: wire.NotFound, field: "desk", message: "Desk with id 3 not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := w.create(1)
			if c.chosen != 0 {
				w.must(Select{Desk: Some(c.chosen)}, clerk(1))
			}
			if c.removed {
				w.must(PutDesk{Desk{ID: 3, Name: "3", Removed: true}}, nobody)
			}
			if c.must {
				l := *w.s.Location
				l.DeskMandatory = true
				w.must(PutLocation{l}, nobody)
			}
			call := CallTicket{Ref: ref(id), Desk: c.given}
			if c.code != "" {
				w.deny(call, clerk(1), c.code, c.field, c.message)
				return
			}
			w.must(call, clerk(1))
			p := w.ticket(id).Place
			if p.Call.Desk != c.want || p.Call.Caller != 1 || p.Call.At != w.now {
				t.Errorf("called %+v, want desk %d", p.Call, c.want)
			}
			if i := p.Interactions[0]; i.Desk != c.want || i.Line != 1 || i.User != 1 || i.Start != w.now || !i.End.IsZero() {
				t.Errorf("interaction %+v", i)
			}
		})
	}
}

func TestCallNext(t *testing.T) {
	next := func(w *world, user int, lines ...int) int64 {
		events := w.must(CallNext{Lines: lines, KeepActive: true}, clerk(user))
		return events[len(events)-1].Ticket
	}
	w := newWorld(t)
	b, a, c := w.create(2), w.create(1), w.create(3)
	for i, want := range []int64{b, a, c} { // the earliest, whatever the order of the lines
		if got := next(w, 1, 3, 1, 2); got != want {
			t.Errorf("call %d took %d, want %d", i, got, want)
		}
	}
	w.deny(CallNext{Lines: []int{1, 2, 3}}, clerk(1), wire.Empty, "", "nobody is waiting in these lines")
	w.deny(CallNext{}, clerk(1), wire.BadRequest, "lines", "")
	w.deny(CallNext{Lines: []int{1, 9}}, clerk(1), wire.NotFound, "line", "Line with id 9 not found")

	first, second := w.create(1), w.create(1)
	w.must(Assign{Ref: ref(first), User: 2}, clerk(1))
	if got := next(w, 1, 1); got != second {
		t.Errorf("took %d, although %d is assigned to another", got, first)
	}
	w.deny(CallNext{Lines: []int{1}}, clerk(1), wire.Empty, "", "")
	w.deny(CallNext{Lines: []int{1}}, nobody, wire.Empty, "", "")
	if got := next(w, 2, 1); got != first {
		t.Errorf("the assignee got %d, want %d", got, first)
	}
}

// A ticket that was assigned to somebody who left must not wait for ever.
func TestCallNextTakesWhatIsAssignedToARemovedUser(t *testing.T) {
	w := newWorld(t)
	id := w.create(1)
	w.must(Assign{Ref: ref(id), User: 2}, clerk(1))
	u := *w.s.Users[2]
	u.Removed = true
	w.must(PutUser{u}, nobody)
	if events := w.must(CallNext{Lines: []int{1}}, clerk(1)); events[0].Ticket != id {
		t.Errorf("took %d, want %d", events[0].Ticket, id)
	}
}

func TestReasonOfACallOutOfTurn(t *testing.T) {
	w := newWorld(t)
	first, second := w.create(1), w.create(1)
	if e := w.must(CallTicket{Ref: ref(second)}, nobody)[0]; e.Facts.Reason != "picked" {
		t.Errorf("reason %q, although another waits longer", e.Facts.Reason)
	}
	if e := w.must(CallTicket{Ref: ref(first)}, nobody)[0]; e.Facts.Reason != "" {
		t.Errorf("reason %q for the first", e.Facts.Reason)
	}
}

func TestReturnPositions(t *testing.T) {
	for _, c := range []struct {
		position string
		waiting  int
		want     []int64 // ticket 1 is the one that returns
	}{
		{PositionFirst, 0, []int64{1}},
		{PositionMiddle, 0, []int64{1}},
		{PositionLast, 0, []int64{1}},
		{PositionFirst, 3, []int64{1, 2, 3, 4}},
		{PositionLast, 3, []int64{2, 3, 4, 1}},
		{PositionMiddle, 1, []int64{2, 1}},
		{PositionMiddle, 2, []int64{2, 1, 3}},
		{PositionMiddle, 3, []int64{2, 3, 1, 4}},
		{PositionMiddle, 4, []int64{2, 3, 1, 4, 5}},
	} {
		w := newWorld(t)
		w.call(w.create(1), 1, 1)
		for range c.waiting {
			w.create(1)
		}
		w.must(ReturnToQueue{Ref: ref(1), Position: c.position}, clerk(1))
		equal(t, c.position, w.line(1), c.want)
		later := w.create(1)
		equal(t, c.position+", then a new one", w.line(1), append(c.want, later))
		if p := w.ticket(1).Place; p.Status != New || !p.Moved || p.Interactions[0].End.IsZero() {
			t.Errorf("returned: %+v", p)
		}
	}
	w := newWorld(t)
	w.call(w.create(1), 1, 1)
	w.deny(ReturnToQueue{Ref: ref(1), Position: "SECOND"}, clerk(1), wire.BadRequest, "position", "")
	w.deny(ReturnToQueue{Ref: ref(1)}, clerk(1), wire.BadRequest, "position", "")
}

func TestNoShowUndo(t *testing.T) {
	w := newWorld(t)
	id := w.call(w.create(1), 1, 1)
	w.create(1)
	w.must(MarkNoShow{ref(id)}, clerk(1))
	if w.s.Tickets[id] != nil || len(w.s.Recent) != 1 {
		t.Fatalf("after a no-show: live %v, recent %d", w.s.Tickets[id], len(w.s.Recent))
	}
	w.deny(ReturnToQueue{Ref: ref(id), Position: PositionFirst}, clerk(1), wire.Conflict, "", "A-1 was marked as no-show")
	w.must(ReturnToQueue{Ref: ref(id), Position: PositionFirst, Undo: true}, clerk(1))
	equal(t, "line", w.line(1), []int64{1, 2})
	if len(w.s.Recent) != 0 {
		t.Errorf("it is waiting and still among the recent calls")
	}
	w.must(CallNext{Lines: []int{1}}, clerk(2))
	if p := w.ticket(id).Place; p.Status != Called || len(p.Interactions) != 2 {
		t.Errorf("called again: %+v", p)
	}
}

func TestForward(t *testing.T) {
	w := newWorld(t)
	id := w.call(w.create(1), 1, 1)
	other := w.create(2)
	e := w.must(Forward{Ref: ref(id), Line: 2}, clerk(1))[0]
	if e.Facts.FromLine != 1 || e.Facts.Line != 2 {
		t.Errorf("facts %+v", e.Facts)
	}
	equal(t, "line 1", w.line(1), nil)
	equal(t, "line 2", w.line(2), []int64{other, id})
	p := w.ticket(id).Place
	if p.PublicID != "A-1" || p.Interactions[0].Line != 1 || p.Interactions[0].End != w.now {
		t.Errorf("place %+v", p)
	}
}

func TestClosedLinesTakeNobodyIn(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*Line)
		code    wire.Code
		message string
	}{
		{"disabled", func(l *Line) { l.Disabled = true }, wire.Conflict, "Line with id 2 is disabled"},
		{"archived", func(l *Line) { l.Archived = true }, wire.Conflict, "Line with id 2 is archived"},
		{"removed", func(l *Line) { l.Removed = true }, wire.NotFound, "Line with id 2 not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			inside := w.create(2)
			waiting, called := w.create(1), w.call(w.create(1), 1, 1)
			l := *w.s.Lines[2]
			c.change(&l)
			w.must(PutLine{l}, nobody)
			w.deny(Create{Line: 2}, nobody, c.code, "line", c.message)
			w.deny(Forward{Ref: ref(called), Line: 2}, clerk(1), c.code, "line", c.message)
			w.deny(Edit{Ref: ref(waiting), Line: Some(2)}, clerk(1), c.code, "line", c.message)
			w.must(CallTicket{Ref: ref(inside)}, clerk(2)) // those inside stay and are called
		})
	}
}

func TestUnknownNames(t *testing.T) {
	w := newWorld(t)
	waiting, called := ref(w.create(1)), ref(w.call(w.create(1), 1, 1))
	u := *w.s.Users[3]
	u.Removed = true
	w.must(PutUser{u}, nobody)
	line, desk, user := "Line with id 9 not found", "Desk with id 9 not found", "User with id 9 not found"
	for _, c := range []struct {
		c              Command
		field, message string
	}{
		{Create{Line: 9}, "line", line},
		{Forward{Ref: called, Line: 9}, "line", line},
		{Edit{Ref: waiting, Line: Some(9)}, "line", line},
		{CallNext{Lines: []int{9}}, "line", line},
		{Select{Lines: Some([]int{9})}, "line", line},
		{PutLine{Line{ID: 9, Name: "x"}}, "line", line},
		{PutDisplay{Display: Display{Name: "x", Lines: []int{9}}}, "line", line},
		{CallTicket{Ref: waiting, Desk: 9}, "desk", desk},
		{CallNext{Lines: []int{1}, Desk: 9}, "desk", desk},
		{Select{Desk: Some(9)}, "desk", desk},
		{PutDesk{Desk{ID: 9, Name: "x"}}, "desk", desk},
		{PutDisplay{Display: Display{ID: 9, Name: "x"}}, "display", "Display with id 9 not found"},
		{CallTicket{Ref: waiting, User: 9}, "user", user},
		{CallTicket{Ref: waiting, User: 3}, "user", "User with id 3 not found"},
		{CallNext{Lines: []int{1}, User: 9}, "user", user},
		{Cancel{Ref: waiting, User: 9}, "user", user},
		{ReturnToQueue{Ref: called, User: 9, Position: PositionLast}, "user", user},
		{Forward{Ref: called, Line: 2, User: 9}, "user", user},
		{Assign{Ref: waiting, User: 9}, "user", user},
		{Assign{Ref: waiting, User: 1, Assigner: 9}, "assigner", user},
		{Select{User: 9}, "user", user},
		{SetOwner{Ref: waiting, User: 9}, "user", user},
	} {
		w.deny(c.c, clerk(1), wire.NotFound, c.field, c.message)
	}
	w.deny(Assign{Ref: waiting}, clerk(1), wire.BadRequest, "user", "")
	for _, after := range []TicketID{9, called.ID, waiting.ID} {
		w.deny(Reorder{Ref: waiting, After: after}, clerk(1), wire.BadRequest, "after", "")
	}
	emptyWorld(t).deny(PutLine{Line{Name: "x"}}, nobody, wire.NotFound, "location", "")
}

// What is already as asked makes no event.
func TestNothingToDo(t *testing.T) {
	w := newWorld(t)
	a, b := ref(w.create(1)), ref(w.create(1))
	w.must(Label{Ref: a, Add: "VIP"}, clerk(1))
	w.nothing(Label{Ref: a, Add: " VIP "}, clerk(1))
	w.nothing(Label{Ref: a, Remove: "other"}, clerk(1))
	w.nothing(Label{Ref: a, Set: Some([]string{"VIP", "VIP"})}, clerk(1))
	w.nothing(Label{Ref: b, Set: Some([]string{})}, clerk(1))
	w.nothing(Reorder{Ref: a}, clerk(1))
	w.nothing(Reorder{Ref: b, After: a.ID}, clerk(1))
	w.nothing(Unassign{a}, clerk(1))
	w.must(SetConversation{Ref: a, State: ConversationOpen}, clerk(1))
	w.nothing(SetConversation{Ref: a, State: ConversationOpen}, clerk(1))
	w.nothing(SetOwner{Ref: a}, clerk(1))
	w.must(SetOwner{Ref: a, User: 2}, clerk(1))
	w.nothing(SetOwner{Ref: a, User: 2}, clerk(1))
	w.must(SendMessage{Ref: a, Text: "x"}, visitor)
	w.must(MarkRead{Ref: a, UpTo: 3}, clerk(2))
	w.nothing(MarkRead{Ref: a, UpTo: 3}, clerk(2))
	w.nothing(MarkRead{Ref: a, UpTo: 1}, clerk(2))
	w.nothing(MarkRead{Ref: a, UpTo: 1}, clerk(3)) // not a participant
	w.must(AddParticipant{Ref: a, ParticipantName: ParticipantName{Identifier: "46"}}, clerk(1))
	w.nothing(AddParticipant{Ref: a, ParticipantName: ParticipantName{Identifier: "46"}}, clerk(1))
	w.must(Select{Desk: Some(1), Lines: Some([]int{1, 2})}, clerk(1))
	w.nothing(Select{Desk: Some(1), Lines: Some([]int{1, 2, 1})}, clerk(1))
	w.must(Erase{a}, clerk(1))
	w.nothing(Erase{a}, clerk(1))
}

func TestADeskHasOneUser(t *testing.T) {
	w := newWorld(t)
	w.must(Select{Desk: Some(2)}, clerk(1))
	events := w.must(Select{Desk: Some(2)}, clerk(3))
	equal(t, "events", types(events), []Type{EventUser, EventUser})
	if w.s.Users[1].Desk != 0 || w.s.Users[3].Desk != 2 {
		t.Errorf("desks: %d and %d", w.s.Users[1].Desk, w.s.Users[3].Desk)
	}
}

// Whatever precision the clock has, what is kept is what is served.
func TestInstantsAreWholeMilliseconds(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, 11, 21, 12, 0, 0, 123_456_789, time.FixedZone("", 7200))
	e := w.must(Create{Line: 1}, nobody)[0]
	if want := time.Date(2026, 11, 21, 10, 0, 0, 123_000_000, time.UTC); e.Time != want {
		t.Errorf("time %v, want %v", e.Time, want)
	}
}

// Calls are listed oldest first, whatever happens to the tickets meanwhile.
func TestCalledTicketsKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.call(w.create(1), 1, 1)
		w.now = w.now.Add(time.Second)
	}
	w.must(Recall{ref(1)}, clerk(1))
	w.must(Label{Ref: ref(2), Add: "VIP"}, clerk(1))
	equal(t, "called", idsOf(w.s.CalledTickets()), []int64{1, 2, 3})
}
