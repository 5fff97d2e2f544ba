package queuegraph

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/testkit"
)

// fired is one row of section 7.3: a subscription, a change, the payloads.
type fired struct {
	name, query string
	before      func(r *rig) int64 // makes what is changed, before the subscription
	change      func(r *rig, id int64)
	want        []string // data of each frame; %d is the id
}

func waitingOne(r *rig) int64 { return r.create("Ida") }
func servedOne(r *rig) int64  { return r.called("Ida") }
func nothing(*rig) int64      { return 0 }

func appointed(r *rig) int64 {
	start := r.clock.Now().Add(48 * time.Hour)
	return r.must(1, ticket.Schedule{
		Create: ticket.Create{Line: 1, FirstName: "Ida", Language: "en"}, Start: start, End: start.Add(time.Hour), Assignee: 2,
	}).Ticket.ID
}

func about(field, selection string) string {
	return "subscription { " + field + "(locationId: 1) { " + selection + " } }"
}

func one(field, payload string) []string { return []string{`{"` + field + `":` + payload + `}`} }

func ticketRows() []fired {
	id := func(field string) []string { return one(field, `{"id":"%d"}`) }
	put := func(c func(id int64) ticket.Command) func(*rig, int64) {
		return func(r *rig, id int64) { r.must(1, c(id)) }
	}
	edit := put(func(id int64) ticket.Command {
		return ticket.Edit{Ref: ref(id), FirstName: ticket.Some("Ada")}
	})
	return []fired{
		{"create", about("createdTickets", "publicId status line { id }"), nothing, func(r *rig, _ int64) { r.create("Ida") }, one("createdTickets", `{"publicId":"A-1","status":"NEW","line":{"id":"1"}}`)},
		{"create, anywhere", "subscription { createdTickets { line { location { id } } } }", nothing, func(r *rig, _ int64) {
			r.must(2, ticket.Create{Line: 4, FirstName: "Bo", Language: "en"})
		}, one("createdTickets", `{"line":{"location":{"id":"2"}}}`)},
		{"return", about("createdTickets", "id"), servedOne, put(func(id int64) ticket.Command {
			return ticket.ReturnToQueue{Ref: ref(id), Position: "FIRST"}
		}), id("createdTickets")},
		{"forward", about("createdTickets", "id line { id }"), servedOne, put(func(id int64) ticket.Command {
			return ticket.Forward{Ref: ref(id), Line: 2}
		}), one("createdTickets", `{"id":"%d","line":{"id":"2"}}`)},
		{"check-in", about("createdTickets", "id"), appointed, put(func(id int64) ticket.Command { return ticket.CheckIn{Ref: ref(id)} }), id("createdTickets")},
		{"call", about("calledTickets", "id caller { id } status"), waitingOne, put(func(id int64) ticket.Command {
			return ticket.CallTicket{Ref: ref(id), Desk: 1}
		}), one("calledTickets", `{"id":"%d","caller":{"id":"2"},"status":"CALLED"}`)},
		{"recall", about("recalledTickets", "id"), servedOne, put(func(id int64) ticket.Command { return ticket.Recall{Ref: ref(id)} }), id("recalledTickets")},
		{"serve", about("servedTickets", "id status"), servedOne, put(func(id int64) ticket.Command { return ticket.Serve{Ref: ref(id)} }), one("servedTickets", `{"id":"%d","status":"SERVED"}`)},
		{"serve by the next call", about("servedTickets", "id"), servedOne, func(r *rig, _ int64) {
			next := r.create("Next")
			r.must(1, ticket.CallTicket{Ref: ref(next), Desk: 2})
		}, id("servedTickets")},
		{"cancel", about("cancelledTickets", "id cancelled { user { id } }"), waitingOne, put(func(id int64) ticket.Command {
			return ticket.Cancel{Ref: ref(id)}
		}), one("cancelledTickets", `{"id":"%d","cancelled":{"user":{"id":"2"}}}`)},
		{"edit", about("changedTickets", "id firstName"), waitingOne, edit, one("changedTickets", `{"id":"%d","firstName":"Ada"}`)},
		{"line move", about("changedTickets", "line { id }"), waitingOne, put(func(id int64) ticket.Command {
			return ticket.Edit{Ref: ref(id), Line: ticket.Some(2)}
		}), one("changedTickets", `{"line":{"id":"2"}}`)},
		{"assign", about("changedTickets", "assignee { id }"), waitingOne, put(func(id int64) ticket.Command {
			return ticket.Assign{Ref: ref(id), User: 3}
		}), one("changedTickets", `{"assignee":{"id":"3"}}`)},
		{"no-show", about("changedTickets", "status"), servedOne, put(func(id int64) ticket.Command { return ticket.MarkNoShow{Ref: ref(id)} }), one("changedTickets", `{"status":"NOSHOW"}`)},
		{"message", about("changedTickets", "messages { body type }"), func(r *rig) int64 {
			return r.must(1, ticket.Create{Line: 1, FirstName: "Ida", Language: "en", PhoneNumber: "+3725550000"}).Ticket.ID
		}, put(func(id int64) ticket.Command {
			return ticket.SendMessage{Ref: ref(id), Text: "soon", Protocol: ticket.ProtocolSMS, Status: "NEW"}
		}), one("changedTickets", `{"messages":[{"body":"soon","type":"OUTGOING"}]}`)},
		{"erase", about("changedTickets", "id firstName"), waitingOne, put(func(id int64) ticket.Command { return ticket.Erase{Ref: ref(id)} }), one("changedTickets", `{"id":"%d","firstName":null}`)},
		{"label", about("changedTicketLabels", "ticket { id } labels { value color }"), waitingOne, put(func(id int64) ticket.Command {
			return ticket.Label{Ref: ref(id), Add: "VIP"}
		}), one("changedTicketLabels", `{"ticket":{"id":"%d"},"labels":[{"value":"VIP","color":"`+ticket.LabelColor("VIP")+`"}]}`)},
		{"reorder", about("reorderedTickets", "id"), secondOne, put(func(id int64) ticket.Command { return ticket.Reorder{Ref: ref(id)} }), id("reorderedTickets")},
		{"reorder, list", about("reorderedTicketsList", "id"), secondOne, put(func(id int64) ticket.Command { return ticket.Reorder{Ref: ref(id)} }), one("reorderedTicketsList", `[{"id":"%d"}]`)},
		{"TV", about("tvTickets", "id status"), waitingOne, put(func(id int64) ticket.Command { return ticket.CallTicket{Ref: ref(id), Desk: 1} }), one("tvTickets", `[{"id":"%d","status":"CALLED"}]`)},
		{"TV, details", about("tvTickets", "firstName"), waitingOne, edit, one("tvTickets", `[{"firstName":"Ada"}]`)},
		{"appointment", "subscription { appointmentChanged(ticketId: 1) { startTime assignee { id } } }", appointed, put(func(id int64) ticket.Command {
			return ticket.Reschedule{Ref: ref(id), Assignee: ticket.Some(3)}
		}), one("appointmentChanged", `{"startTime":"2026-03-04T08:15:15.000Z","assignee":{"id":"3"}}`)},
		{"one ticket", "subscription { ticketStateChanged(ticketId: 1) { status } }", waitingOne, put(func(id int64) ticket.Command {
			return ticket.CallTicket{Ref: ref(id), Desk: 1}
		}), one("ticketStateChanged", `{"status":"CALLED"}`)},
	}
}

func secondOne(r *rig) int64 {
	r.create("First")
	return r.create("Second")
}

func houseRows() []fired {
	where := func(c ticket.Command) func(*rig, int64) { return func(r *rig, _ int64) { r.must(1, c) } }
	directory := func(c ticket.Command) func(*rig, int64) { return func(r *rig, _ int64) { r.must(0, c) } }
	desk := func(user, desk int) ticket.Command { return ticket.Select{User: user, Desk: ticket.Some(desk)} }
	return []fired{
		{"line", about("changedLines", "id name disabled"), nothing, where(ticket.EditLine{Line: 2, Disabled: ticket.Some(true)}), one("changedLines", `{"id":"2","name":"Licences","disabled":true}`)},
		{"line deleted", about("changedLines", "id"), nothing, where(ticket.EditLine{Line: 3, Remove: true}), one("changedLines", `{"id":"3"}`)},
		{"line, location", about("changedLocationLine", "lines { name }"), nothing, where(ticket.EditLine{Line: 3, Remove: true}), one("changedLocationLine", `{"lines":[{"name":"Passports"},{"name":"Licences"}]}`)},
		{"location", about("changedLocation", "id name"), nothing, directory(ticket.EditLocation{Location: 1, Rename: ticket.Some("Harbour")}), one("changedLocation", `{"id":"1","name":"Harbour"}`)},
		{"hours", about("changedOpeningHours2", "mon { closed } tue { closed }"), nothing, directory(ticket.EditLocation{Location: 1, Week: ticket.Some([7]ticket.Day{{Closed: true}})}), one("changedOpeningHours2", `{"mon":{"closed":true},"tue":{"closed":false}}`)},
		{"fields", about("changedInputFields", "title"), nothing, directory(ticket.EditField{
			Location: 1, ID: "aaaaaaaa-0000-4000-8000-000000000002", Title: ticket.Some("Case"),
		}), one("changedInputFields", `[{"title":null},{"title":"Case"},{"title":"Topic"}]`)},
		{"screen", "subscription { changedTV(tvId: 2) { id name } }", nothing, where(ticket.EditDisplay{Display: 2, Rename: ticket.Some("Hall")}), one("changedTV", `{"id":"2","name":"Hall"}`)},
		{"screen removed", "subscription { deletedTV(tvId: 2) { id } }", nothing, where(ticket.EditDisplay{Display: 2, Remove: true}), one("deletedTV", `{"id":"2"}`)},
		{"desk taken", about("changedDeskSelection", "id user { id }"), nothing, where(desk(2, 1)), one("changedDeskSelection", `{"id":"1","user":{"id":"2"}}`)},
		{"desk changed", about("changedDeskSelection", "id user { id }"), func(r *rig) int64 { r.must(1, desk(2, 1)); return 0 }, where(desk(2, 2)),
			[]string{`{"changedDeskSelection":{"id":"1","user":null}}`, `{"changedDeskSelection":{"id":"2","user":{"id":"2"}}}`}},
		{"desks", about("changedDesks", "id user { id }"), nothing, where(desk(2, 1)), one("changedDesks", `[{"id":"1","user":{"id":"2"}},{"id":"2","user":null}]`)},
		{"field, text", about("changedTicketFields", "__typename id title ... on ChangedUniTicketField { value }"), waitingOne, func(r *rig, id int64) {
			r.must(1, ticket.SetField{Ref: ref(id), Title: "Order", Value: ptr("Z-19")})
		}, one("changedTicketFields", `{"__typename":"ChangedUniTicketField","id":"Order","title":"Order","value":"Z-19"}`)},
		{"field, removed", about("changedTicketFields", "title ticket { id } ... on ChangedUniTicketField { value }"), func(r *rig) int64 {
			id := waitingOne(r)
			r.must(1, ticket.SetField{Ref: ref(id), Title: "Order", Value: ptr("Z-19")})
			return id
		}, func(r *rig, id int64) { r.must(1, ticket.SetField{Ref: ref(id), Title: "Order"}) },
			one("changedTicketFields", `{"title":"Order","ticket":{"id":"%d"},"value":null}`)},
		{"field, choices", about("changedTicketFields", "title ... on ChangedMultiTicketField { options { id title } }"), waitingOne, func(r *rig, id int64) {
			const field = "aaaaaaaa-0000-4000-8000-000000000003"
			r.must(1, ticket.SetField{Ref: ref(id), Title: "Topic", Values: []ticket.Extra{
				{Title: "Topic", Value: "Loan", Field: field}, {Title: "Topic", Value: "Card", Field: field},
			}})
		}, one("changedTicketFields", `{"title":"Topic","options":[{"id":"bbbbbbbb-0000-4000-8000-000000000001","title":"Loan"},{"id":"bbbbbbbb-0000-4000-8000-000000000002","title":"Card"}]}`)},
		{"read", about("markedAllTicketMessagesAsRead", "id"), func(r *rig) int64 {
			id := waitingOne(r)
			r.must(1, ticket.SendMessage{Ref: ref(id), Text: "hello"})
			_, err := r.Do(r.t.Context(), ledger.Request{Command: ticket.SendMessage{Ref: ref(id), Text: "hi"}, Actor: ticket.Actor{Kind: ticket.ActorVisitor}})
			r.check(err)
			return id
		}, func(r *rig, id int64) {
			now, err := r.Ticket(id)
			r.check(err)
			r.must(1, ticket.MarkRead{Ref: ref(id), UpTo: now.Conversation.Seq})
		}, one("markedAllTicketMessagesAsRead", `{"id":"%d"}`)},
	}
}

// TestEverySubscriptionFires is section 7.3, row by row.
func TestEverySubscriptionFires(t *testing.T) {
	covered := map[string]bool{"changedIpads": true, "deletedIpads": true} // there are none
	for _, c := range slices.Concat(ticketRows(), houseRows()) {
		field, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(c.query, "subscription {")), "(")
		covered[strings.Fields(field)[0]] = true
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			id := c.before(r)
			p := r.dial(r.admin)
			p.send(`{"type":"connection_init","payload":null}`)
			p.want(`{"type":"connection_ack"}`)
			p.start("1", c.query)
			c.change(r, id)
			for _, want := range c.want {
				if strings.Contains(want, "%d") {
					want = fmt.Sprintf(want, id)
				}
				p.want(`{"id":"1","type":"data","payload":{"data":` + want + `}}`)
			}
			p.sync() // and nothing more
		})
	}
	for _, f := range subscriptionFields(t) {
		if !covered[f] {
			t.Errorf("no row for %s", f)
		}
	}
}

func subscriptionFields(t *testing.T) []string {
	t.Helper()
	r := bareRig(t)
	var out []string
	for _, f := range *r.graph.schema.Inspect().SubscriptionType().Fields(&struct{ IncludeDeprecated bool }{true}) {
		out = append(out, f.Name())
	}
	return out
}

// TestPayloadsAreOfTheirMoment: two quick changes give two different payloads.
func TestPayloadsAreOfTheirMoment(t *testing.T) {
	r := newRig(t)
	id := r.create("Ida")
	spy := &watched{Ledger: r.Ledger}
	r.graph.Ledger = spy
	p := r.dial(r.clerk)
	p.start("1", about("tvTickets", "status firstName line { name location { name } } statusSetBy { selectedLocation { name } }"))
	looked := spy.views.Load()
	r.must(1, ticket.CallTicket{Ref: ref(id), Desk: 1})
	r.must(1, ticket.EditLine{Line: 1, Rename: ticket.Some("Renamed")})
	r.must(1, ticket.Edit{Ref: ref(id), FirstName: ticket.Some("Ada")})
	r.must(1, ticket.Serve{Ref: ref(id)})
	const frame = `{"id":"1","type":"data","payload":{"data":{"tvTickets":[{"status":"%s","firstName":"%s","line":{"name":"%s","location":{"name":"Tallinn"}},"statusSetBy":{"selectedLocation":{"name":"Tallinn"}}}]}}}`
	p.want(fmt.Sprintf(frame, "CALLED", "Ida", "Passports"), fmt.Sprintf(frame, "CALLED", "Ada", "Renamed"), fmt.Sprintf(frame, "SERVED", "Ada", "Renamed"))
	// However late it is resolved: it never looks at what is there by then.
	if n := spy.views.Load() - looked; n != 0 {
		t.Errorf("looked at the present %d times", n)
	}
}

// watched counts who looks at a location.
type watched struct {
	Ledger
	views atomic.Int64
}

func (w *watched) View(location int, f func(*ticket.State)) bool {
	w.views.Add(1)
	return w.Ledger.View(location, f)
}

// TestOrder: many changes come in their order, on each of several subscriptions.
func TestOrder(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.start("1", about("createdTickets", "id"))
	p.start("2", about("tvTickets", "id"))
	const n = 200
	for i := range n {
		r.create(fmt.Sprint("V", i))
	}
	seen := map[string]int{}
	for range 2 * n {
		f := p.next()
		id := f[len(`{"id":"`):][:1]
		seen[id]++
		if !strings.Contains(f, fmt.Sprintf(`{"id":"%d"}`, seen[id])) {
			t.Fatalf("frame %d of subscription %s is %s", seen[id], id, f)
		}
	}
}

// TestOnlyOnesOwn: a key hears of its locations, and its rights are asked for.
func TestOnlyOnesOwn(t *testing.T) {
	r := newRig(t)
	id := r.create("Ida")
	for _, c := range []struct{ key, query, kind string }{
		{r.clerk, "createdTickets(locationId: 2) { id }", typeDenied},
		{r.clerk, "createdTickets(locationId: 99) { id }", typeNotFound},
		{r.clerk, `createdTickets(locationId: "x") { id }`, typeArgument},
		{r.second, fmt.Sprintf("ticketStateChanged(ticketId: %d) { id }", id), typeNotFound},
		{r.clerk, "ticketStateChanged(ticketId: 999) { id }", typeNotFound},
		{r.second, "changedTV(tvId: 1) { id }", typeNotFound},
		{r.device, "changedTV(tvId: 2) { id }", typeNotFound},
		{r.device, "createdTickets { id }", typeArgument},
		{r.clerk, "createdTickets(locationId: 1) { nothing }", typeValidation},
		{r.clerk, "createdTickets(locationId: 1) { id", typeSyntax},
	} {
		p := r.dial(c.key)
		p.send(startFrame("7", "subscription { "+c.query+" }"))
		f := p.next()
		if !strings.HasPrefix(f, `{"id":"7","type":"error","payload":{"data":null,"errors":[{`) || strings.Count(f, `"errorType":"`+c.kind+`"`) != 2 {
			t.Errorf("%s: %s, want %s", c.query, f, c.kind)
		}
	}
	p := r.dial(r.second)
	p.start("1", "subscription { createdTickets { line { id } } }")
	r.create("not theirs")
	r.must(2, ticket.Create{Line: 4, FirstName: "Bo", Language: "en"})
	p.want(`{"id":"1","type":"data","payload":{"data":{"createdTickets":{"line":{"id":"4"}}}}}`)
	p = r.dial(r.device)
	p.start("1", "subscription { changedTV(tvId: 1) { online } }")
	r.must(1, ticket.EditDisplay{Display: 1, Rename: ticket.Some("Hall")})
	p.want(`{"id":"1","type":"data","payload":{"data":{"changedTV":{"online":true}}}}`)
}

// TestConversationsAreNoTickets: somebody who only writes is none of this API.
func TestConversationsAreNoTickets(t *testing.T) {
	n := ledger.Notice{Location: 1, Event: ticket.Event{Type: ticket.EventCreated, Ticket: 1}, State: ticket.NewState(1)}
	n.State.Put(&ticket.Ticket{ID: 1})
	if got := topics(n); got != nil {
		t.Errorf("told on %v", got)
	}
}

// TestRightsChange: what a key may not have any more ends, with the reason.
func TestRightsChange(t *testing.T) {
	r := newRig(t)
	table := &switchable{Access: auth.NewAccess(testkit.Where{Ledger: r.Ledger}, nil, r.clock.Now)}
	r.graph.Access = table
	p := r.dial(r.clerk)
	p.start("1", about("createdTickets", "id"))
	table.no.Store(true)
	r.graph.Recheck(r.grants[r.clerk])
	if f := p.next(); !strings.Contains(f, `"errorType":"PERMISSION_DENIED"`) {
		t.Fatal(f)
	}
	r.create("Ida")
	p.sync()
	if wire.CodeOf(table.Channel(auth.Identity{}, wire.Channel{})) != wire.Forbidden {
		t.Fatal("the test's own table lets in")
	}
}
