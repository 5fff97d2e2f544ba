package queuegraph

import (
	"slices"
	"sync"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// topic is what a subscription waits for: a field of Subscription, and the
// location, ticket or screen that it names; 0 for every location of a key.
type topic struct {
	field string
	id    int64
}

// moment is a change as subscriptions see it: everything in it is as it was right
// after the change, whenever it is looked at.
type moment struct {
	ledger.Notice // its State must not be used after Published has returned
	branch        *branch
	now           *ticket.Ticket // the ticket after the change; nil when it is about none
}

// listener is one subscription's end of the feed. take is called in journal order
// and must not block.
type listener struct {
	topic topic
	take  func(*moment)
	// drained ends its queue, after it was taken out of the feed.
	drained func()
}

// feed knows who waits for what.
type feed struct {
	mu        sync.RWMutex // protects listeners
	listeners map[topic]map[*listener]struct{}
}

// swap replaces one listener by another in one step, so that every change reaches
// exactly one of them. Either may be nil.
func (f *feed) swap(old, next *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old != nil {
		same := f.listeners[old.topic]
		if delete(same, old); len(same) == 0 {
			delete(f.listeners, old.topic)
		}
	}
	if next != nil {
		if f.listeners[next.topic] == nil {
			f.listeners[next.topic] = map[*listener]struct{}{}
		}
		f.listeners[next.topic][next] = struct{}{}
	}
}

// publish gives a change to whoever waits for it. It runs in the ledger's
// publisher, with the location locked, so it only takes notes: answers are made
// from the moment later, elsewhere.
func (f *feed) publish(n ledger.Notice) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if len(f.listeners) == 0 || n.Location == ledger.Directory || n.State.Location == nil {
		return
	}
	var m *moment
	for _, t := range topics(n) {
		for l := range f.listeners[t] {
			if m == nil {
				m = &moment{Notice: n, branch: photograph(n.State), now: n.State.Tickets[n.Event.Ticket]}
			}
			l.take(m)
		}
	}
}

// topics are what a change means: section 7.3 of the API's description.
func topics(n ledger.Notice) []topic {
	e, at := &n.Event, int64(n.Location)
	if e.Ticket != 0 {
		return ticketTopics(n)
	}
	here := func(fields ...string) []topic {
		out := make([]topic, len(fields))
		for i, f := range fields {
			out[i] = topic{f, at}
		}
		return out
	}
	switch e.Type {
	case ticket.EventLine:
		return here("changedLines", "changedLocationLine")
	case ticket.EventDesk:
		return here("changedDesks")
	case ticket.EventUser:
		if len(touchedDesks(n)) > 0 {
			return here("changedDeskSelection", "changedDesks")
		}
	case ticket.EventLocation:
		fields := []string{"changedLocation"}
		if n.Place != nil && !sameHours(n.Place.Hours, e.Facts.LocationDef.Hours) {
			fields = append(fields, "changedOpeningHours2")
		}
		if n.Place != nil && !sameFields(n.Place.Fields, e.Facts.LocationDef.Fields) {
			fields = append(fields, "changedInputFields")
		}
		return here(fields...)
	case ticket.EventDisplay:
		field := "changedTV"
		if e.Facts.DisplayDef.Removed {
			field = "deletedTV"
		}
		return []topic{{field, int64(e.Facts.DisplayDef.ID)}}
	}
	return nil
}

// ticketTopics is topics for a change of a ticket. One that is only a
// conversation is none of this API.
func ticketTopics(n ledger.Notice) []topic {
	e := &n.Event
	now := n.State.Tickets[e.Ticket]
	if now == nil || now.Place.Status == ticket.Unplaced {
		return nil
	}
	fields := ticketFields(n, now)
	if fields == nil {
		return nil
	}
	out := []topic{{"ticketStateChanged", e.Ticket}}
	for _, f := range append(fields, "tvTickets") {
		out = append(out, topic{f, int64(n.Location)})
	}
	if slices.Contains(fields, "createdTickets") {
		out = append(out, topic{"createdTickets", 0})
	}
	if a := appointmentOf(n.Ticket); a != now.Place.Appointment || now.Place.Appointment != nil && statusOf(n.Ticket) != now.Place.Status {
		out = append(out, topic{"appointmentChanged", e.Ticket})
	}
	return out
}

// ticketFields are the fields of a location that a change of a ticket is told on,
// beside tvTickets; nil when it is told on none at all.
func ticketFields(n ledger.Notice, now *ticket.Ticket) []string {
	e := &n.Event
	switch e.Type {
	case ticket.EventCreated, ticket.EventReturned, ticket.EventForwarded:
		if now.Place.Status == ticket.Scheduled { // comes into no line yet
			return []string{}
		}
		return []string{"createdTickets"}
	case ticket.EventCalled:
		return []string{"calledTickets"}
	case ticket.EventRecalled:
		return []string{"recalledTickets"}
	case ticket.EventServed:
		return []string{"servedTickets"}
	case ticket.EventCancelled:
		return []string{"cancelledTickets"}
	case ticket.EventReordered:
		return []string{"reorderedTickets", "reorderedTicketsList"}
	case ticket.EventLabelled:
		return []string{"changedTickets", "changedTicketLabels"}
	case ticket.EventChanged:
		return []string{"changedTickets", "changedTicketFields"}
	case ticket.EventAssigned, ticket.EventNoShow, ticket.EventErased:
		return []string{"changedTickets"}
	case ticket.EventMessage, ticket.EventMessageStatus:
		if allRead(n, now) {
			return []string{"changedTickets", "markedAllTicketMessagesAsRead"}
		}
		entry := e.Transaction()
		if _, text := ticket.QueueMessage(&entry); text {
			return []string{"changedTickets"}
		}
	}
	return nil
}

// allRead reports whether a member of the staff has now read the whole thread.
func allRead(n ledger.Notice, now *ticket.Ticket) bool {
	f := &n.Event.Facts
	return n.Event.Type == ticket.EventMessageStatus && f.UpTo > 0 && f.UpTo >= now.Conversation.Seq &&
		f.Participant != nil && f.Participant.Type == ticket.ParticipantUser
}

func appointmentOf(t *ticket.Ticket) *ticket.Appointment {
	if t == nil {
		return nil
	}
	return t.Place.Appointment
}

func statusOf(t *ticket.Ticket) ticket.Status {
	if t == nil {
		return ""
	}
	return t.Place.Status
}

// touchedDesks are the desks that a user has left and taken, in that order.
func touchedDesks(n ledger.Notice) []int {
	var out []int
	was, now := 0, 0
	if n.User != nil && !n.User.Removed {
		was = n.User.Desk
	}
	if u := n.Event.Facts.UserDef; u != nil && !u.Removed {
		now = u.Desk
	}
	if was == now {
		return nil
	}
	for _, id := range []int{was, now} {
		if id != 0 {
			out = append(out, id)
		}
	}
	return out
}

func sameHours(a, b *ticket.Hours) bool {
	return a == b || a != nil && b != nil && slices.EqualFunc(a.Week[:], b.Week[:], sameDay)
}

func sameDay(a, b ticket.Day) bool { return a.Closed == b.Closed && slices.Equal(a.Spans, b.Spans) }
