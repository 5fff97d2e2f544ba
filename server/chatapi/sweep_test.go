package chatapi

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
)

// What happens by itself happens when it is due, and not after somebody wrote.
func TestSweep(t *testing.T) {
	r := newRig(t)
	idle, pending, asleep := r.open("a"), r.open("b"), r.open("c")
	state := func(id int, next string) { r.put(fmt.Sprintf("tickets/setstate/%d?nextState=%s", id, next), nil) }
	state(pending, "Pending")
	state(asleep, "Snoozed")
	sweep := func(after time.Duration) {
		r.clock.Add(after)
		if err := r.api.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	is := func(id int, want string) answer {
		t.Helper()
		a := r.get(fmt.Sprint("tickets/get/", id))
		if a.at("state") != want {
			t.Errorf("%d is %v, want %s", id, a.at("state"), want)
		}
		return a
	}
	sweep(59 * time.Minute)
	is(idle, "Open")
	r.post(fmt.Sprint("tickets/send/", idle), `{"text":"still here"}`)
	sweep(2 * time.Minute)
	is(idle, "Open")
	if a := is(pending, "Pending"); a.at("transactions", 0, "type") != "PendingAlert" || a.at("transactions", 0, "text") != "Still there?" {
		t.Errorf("no alert: %s", a.body)
	}
	sweep(time.Minute)
	if a := is(pending, "Pending"); a.at("transactions", 1, "type") == "PendingAlert" {
		t.Error("alerted twice")
	}
	sweep(time.Hour)
	if a := is(idle, "Closed"); a.at("wasClosedAutomatically") != true {
		t.Errorf("%s", a.body)
	}
	sweep(time.Hour)
	is(pending, "Closed")
	is(asleep, "Snoozed")
	sweep(21 * time.Hour)
	is(asleep, "Open")
	// A message that comes first wins.
	set := testSettings()
	var late ticket.Command
	r.clock.Add(2 * time.Hour)
	r.View(1, func(s *ticket.State) { late = set.due(s, s.Tickets[int64(asleep)], r.clock.Now()) })
	if late == nil {
		t.Fatal("nothing is due")
	}
	r.post(fmt.Sprint("tickets/send/", asleep), `{"text":"wait"}`)
	r.must(1, late)
	is(asleep, "Open")
}

// A long thread is shown whole, newest first, and is empty when it was erased.
func TestLongThread(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	for i := range 220 {
		r.post(fmt.Sprint("tickets/send/", id), fmt.Sprintf(`{"text":"m%d"}`, i))
		if i%100 > 90 {
			a := r.get(fmt.Sprint("tickets/get/", id))
			thread := a.at("transactions").([]any)
			if len(thread) != i+2 || a.at("transactions", 0, "text") != fmt.Sprint("m", i) || a.at("transactions", len(thread)-1, "type") != "TicketOpened" {
				t.Fatalf("after %d messages: %d entries, newest %v", i+1, len(thread), a.at("transactions", 0, "text"))
			}
		}
	}
	r.must(1, ticket.Erase{Ref: ticket.Ref{ID: ticket.TicketID(id)}})
	if a := r.get(fmt.Sprint("tickets/get/", id)); len(a.at("transactions").([]any)) != 0 {
		t.Errorf("%s", a.body)
	}
}
