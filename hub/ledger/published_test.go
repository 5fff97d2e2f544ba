package ledger

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// notices keeps what a ledger tells, as text: a State must not be kept.
type notices struct {
	mu  sync.Mutex
	all []string
}

func (n *notices) take(x Notice) {
	was, now := "-", "-"
	if x.Ticket != nil {
		was = string(x.Ticket.Place.Status) + " " + x.Ticket.Private.FirstName
	}
	if t := x.State.Tickets[x.Event.Ticket]; t != nil {
		now = string(t.Place.Status) + " " + t.Private.FirstName
	}
	if u := x.User; u != nil {
		was = fmt.Sprint("desk ", u.Desk)
	}
	if u := x.Event.Facts.UserDef; u != nil {
		now = fmt.Sprint("desk ", u.Desk)
	}
	if l := x.Place; l != nil {
		was = l.Name
	}
	if l := x.Event.Facts.LocationDef; l != nil {
		now = l.Name
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprintf("%d@%d %s: %s > %s", x.Location, x.State.Offset, x.Event.Type, was, now))
}

// since gives what was told since the last time.
func (n *notices) since() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.all
	n.all = nil
	return out
}

// TestPublishedTellsBeforeAndAfter: every event once, in order, with the state
// right after it and what it changed as it was. Whoever was answered can rely on
// it that the observer was told.
func TestPublishedTellsBeforeAndAfter(t *testing.T) {
	var n notices
	r := newRig(t, mem(), Options{Published: n.take})
	n.since()
	at := uint64(0)
	r.View(1, func(s *ticket.State) { at = s.Offset })
	want := func(lines ...string) {
		t.Helper()
		for i := range lines {
			if lines[i][0] == '+' {
				at++
				lines[i] = fmt.Sprintf("1@%d %s", at, lines[i][1:])
			}
		}
		if got := n.since(); !slices.Equal(got, lines) {
			t.Fatalf("told  %q\nwant %q", got, lines)
		}
	}
	a := r.create(1, "Ida")
	want("+ticket.created: - > NEW Ida")
	r.do(1, ticket.CallTicket{Ref: ref(a.ID), Desk: 1})
	want("+ticket.called: NEW Ida > CALLED Ida")
	b := r.create(1, "Ann")
	want("+ticket.created: - > NEW Ann")
	r.do(1, ticket.CallTicket{Ref: ref(b.ID), Desk: 1}) // two events of one command
	want("+ticket.served: CALLED Ida > SERVED Ida", "+ticket.called: NEW Ann > CALLED Ann")
	r.do(1, ticket.Edit{Ref: ref(a.ID), FirstName: ticket.Some("Ada")}) // no longer in memory
	want("+ticket.changed: SERVED Ida > SERVED Ada")
	r.do(1, ticket.Select{User: 1, Desk: ticket.Some(2)})
	want("+user.changed: desk 0 > desk 2")
	r.do(1, ticket.Select{User: 1, Desk: ticket.Some(3)})
	want("+user.changed: desk 2 > desk 3")
	r.do(Directory, ticket.EditLocation{Location: 1, Rename: ticket.Some("New")})
	got := n.since()
	if len(got) != 2 || !slices.Contains(got, fmt.Sprintf("1@%d location.changed: Main > New", at+1)) {
		t.Errorf("told %q", got)
	}
}
