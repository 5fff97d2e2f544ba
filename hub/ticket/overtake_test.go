package ticket

import (
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

// Whoever stands or was called before others has the reason on the ticket, and
// who gave it; whoever does not, has none.
func TestOvertaking(t *testing.T) {
	w := newWorld(t)
	first, second, third := ref(w.create(1)), ref(w.create(1)), ref(w.create(1))
	reason := func(r Ref) string {
		t.Helper()
		o := w.ticket(r.TicketID()).Place.Overtook
		if o == nil {
			return ""
		}
		if o.User != 1 || o.At != w.now {
			t.Errorf("ticket %d: %+v", r.ID, o)
		}
		return o.Reason
	}
	check := func(r Ref, want string) {
		t.Helper()
		if got := reason(r); got != want {
			t.Errorf("ticket %d: %q, want %q", r.ID, got, want)
		}
	}
	w.must(Reorder{Ref: third, Reason: ReasonPriority}, clerk(1))
	check(third, ReasonPriority)
	check(first, "") // it did nothing
	w.must(Reorder{Ref: second, After: third.ID}, clerk(1))
	check(second, reasonReordered)
	w.must(Reorder{Ref: third, After: first.ID}, clerk(1))
	check(third, "") // back behind the others
	// Now second, first, third.
	w.must(CallTicket{Ref: third, User: 1, Reason: ReasonAppointment}, clerk(1))
	check(third, ReasonAppointment)
	w.must(ReturnToQueue{Ref: third, Position: PositionFirst}, clerk(1))
	check(third, ReasonReturned)
	w.must(CallTicket{Ref: third, User: 1, Reason: ReasonMistake}, clerk(1))
	check(third, ReasonReturned) // it was its turn: the reason is why it stood there
	w.must(ReturnToQueue{Ref: third, Position: PositionLast}, clerk(1))
	check(third, "")
	w.must(CallTicket{Ref: first, User: 1}, clerk(1))
	check(first, reasonPicked)
	w.must(Forward{Ref: first, Line: 2}, clerk(1))
	check(first, "")
	if o := w.s.StaffTicket(w.ticket(second.TicketID())).Overtook; o == nil || o.Reason != reasonReordered || o.User != 1 {
		t.Errorf("clerks are shown %+v", o)
	}
	w.deny(Reorder{Ref: third, Reason: "bribe"}, clerk(1), wire.BadRequest, "reason", "")
	w.deny(CallTicket{Ref: third, Reason: "bribe"}, clerk(1), wire.BadRequest, "reason", "")
}

// Whoever makes room for another overtakes nobody.
func TestMakingRoomIsNoOvertaking(t *testing.T) {
	w := newWorld(t)
	first, second, third := ref(w.create(1)), ref(w.create(1)), ref(w.create(1))
	for range 50 { // until there is no room between two tickets
		if len(w.must(Reorder{Ref: third, After: first.ID}, clerk(1))) > 1 {
			if o := w.ticket(first.TicketID()).Place.Overtook; o != nil {
				t.Errorf("who made room has %+v", o)
			}
			return
		}
		second, third = third, second
	}
	t.Fatal("nobody ever had to make room")
}

// What a visitor wrote since staff wrote last is between two numbers, so that
// unread is a difference and never a count that somebody keeps.
func TestRunOfTheVisitorsMessages(t *testing.T) {
	w := newWorld(t)
	r := ref(w.create(1))
	check := func(from, to uint64) {
		t.Helper()
		c := w.ticket(r.TicketID()).Conversation
		if c.ClientFrom != from || c.ClientSeq != to {
			t.Errorf("the run is %d to %d, want %d to %d", c.ClientFrom, c.ClientSeq, from, to)
		}
	}
	check(0, 0)
	say := func(a Actor) uint64 {
		w.must(SendMessage{Ref: r, Text: "x"}, a)
		return w.ticket(r.TicketID()).Conversation.Seq
	}
	one := say(visitor)
	check(one, one)
	two := say(visitor)
	check(one, two)
	w.must(AddNote{Ref: r, Text: "x"}, clerk(1))
	check(one, two)
	say(clerk(1))
	check(one, two)
	three := say(visitor)
	check(three, three)
}
