package outbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/outbox/sign"
)

// Every command that the queue API knows an event for, and what is told of it.
func TestQueueEvents(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		one := r.ticket("Ida")
		two := r.ticket("Omar")
		r.do(1, ticket.Edit{Ref: one, LastName: ticket.Some("Berg")})
		r.do(1, ticket.Label{Ref: one, Add: "VIP"})
		r.do(1, ticket.Assign{Ref: one, User: 1})
		r.do(1, ticket.Unassign{Ref: one})
		r.do(1, ticket.Reorder{Ref: two})
		r.do(1, ticket.CallTicket{Ref: one, Desk: 1})
		r.do(1, ticket.Recall{Ref: one})
		r.do(1, ticket.ReturnToQueue{Ref: one, Position: ticket.PositionFirst})
		r.do(1, ticket.CallTicket{Ref: one, Desk: 1})
		r.do(1, ticket.Forward{Ref: one, Line: 2})
		r.do(1, ticket.CallTicket{Ref: one, Desk: 1})
		r.do(1, ticket.CallTicket{Ref: two, Desk: 1}) // also serves one
		r.do(1, ticket.MarkNoShow{Ref: two})
		three := r.ticket("Lu")
		r.do(1, ticket.Cancel{Ref: three, User: 1})
		r.do(1, ticket.SetExternal{Ref: three, Provider: "crm", Title: "CRM", Data: []byte(`{"fields":[]}`)})
		r.do(1, ticket.SetField{Ref: three, Title: "Order", Values: []ticket.Extra{{Title: "Order", Value: "9"}}})
		r.do(1, ticket.PutLine{Line: ticket.Line{ID: 2, Name: "Archive"}})
		r.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{ID: 1, GUID: dept, Name: "Main <2>", Timezone: "UTC"}})
		r.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: "g2", Name: "Harbour", Timezone: "UTC"}})
		// What it has no event for.
		r.do(1, ticket.SendMessage{Ref: three, Text: "hello"})
		r.do(1, ticket.PutDesk{Desk: ticket.Desk{Name: "2"}})
		r.do(1, ticket.Select{User: 1, Desk: ticket.Some(1)})
		synctest.Wait()
		want := "ticket_created ticket_created ticket_changed ticket_changed ticket_changed ticket_changed ticket_changed " +
			"ticket_called ticket_recalled ticket_created ticket_called ticket_created ticket_called " +
			"ticket_served ticket_called ticket_changed ticket_created ticket_cancelled ticket_changed ticket_changed " +
			"line_changed location_changed location_created"
		if got := r.world.types(t, hook); got != want {
			t.Errorf("told\n%s, want\n%s", got, want)
		}
		all := r.world.at(hook)
		if got, want := all[len(all)-2].body, `{"type":"location_changed","data":{"id":1,"name":"Main <2>"}}`; got != want {
			t.Errorf("body is %s, want %s", got, want)
		}
		if got, want := all[len(all)-3].body, `{"type":"line_changed","data":{"id":2,"name":"Archive"}}`; got != want {
			t.Errorf("body is %s, want %s", got, want)
		}
		_, served := all[13].event(t)
		if served["status"] != "SERVED" || served["firstName"] != "Ida" || served["id"] != "1" {
			t.Errorf("served is %v", served)
		}
	})
}

// A body is exactly type and data, with the ticket as it was right after, and the
// signatures fit what was sent.
func TestQueueBodyAndSignatures(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target, secret := r.register(Registration{Kind: QueueHook, URL: hook})
		one := r.ticket("Ida")
		r.do(1, ticket.CallTicket{Ref: one, Desk: 1})
		synctest.Wait()
		got := r.world.at(hook)
		if len(got) != 2 {
			t.Fatalf("%d deliveries", len(got))
		}
		at := wire.Time(got[1].at)
		want := `{"type":"ticket_called","data":{"id":"1","publicId":"A-1","status":"CALLED","source":"MANUAL","line":1,` +
			`"firstName":"Ida","languageCode":"en","created":{"date":"` + at + `"},"called":{"date":"` + at +
			`","caller":1,"desk":1},"extra":[],"labels":[]}}`
		if got[1].body != want {
			t.Errorf("body is\n%s, want\n%s", got[1].body, want)
		}
		h := got[1].head
		if h.Get(sign.HeaderQueue) != sign.Queue(secret, hook, []byte(want)) {
			t.Errorf("signature is %q", h.Get(sign.HeaderQueue))
		}
		if err := sign.Verify(h, secret, []byte(want), time.Now()); err != nil {
			t.Errorf("standard signature: %v", err)
		}
		if h.Get(sign.HeaderID) != messageID(target.ID, key(2)) || h.Get("Content-Type") != "application/json" {
			t.Errorf("headers are %v", h)
		}
		if strings.Contains(r.log.String(), secret) || strings.Contains(r.log.String(), "Ida") {
			t.Error("the log holds a secret or a body")
		}
	})
}

// What only talks is no ticket of the queue API.
func TestConversationsWithoutAPlaceAreNotTold(t *testing.T) {
	s := ticket.NewState(1)
	s.Put(&ticket.Ticket{ID: 5, Location: 1})
	if m, ok := queueMessage(s, ticket.Event{Type: ticket.EventChanged, Ticket: 5}); ok {
		t.Errorf("told as %s", m.body)
	}
}

func TestQueueWebhooksAreScopedLikeTheirKey(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: "g2", Name: "Harbour", Timezone: "UTC"}})
		ctx, door := context.Background(), QueueWebhooks{r.Outbox}
		everywhere := auth.Identity{Kind: auth.Integrator, Credential: "key:a", Everywhere: true, Admin: true}
		second := auth.Identity{Kind: auth.Integrator, Credential: "key:b", Locations: []int{2}, Admin: true}
		none := auth.Identity{Kind: auth.Integrator, Credential: "key:c", Admin: true}
		all, secret, err := door.Create(ctx, everywhere, hook)
		if err != nil || !strings.HasPrefix(secret, "whsec_") {
			t.Fatalf("create: %q, %v", secret, err)
		}
		if _, _, err := door.Create(ctx, second, hook2); err != nil {
			t.Fatal(err)
		}
		const hook3 = "https://three.example.com/"
		if _, _, err := door.Create(ctx, none, hook3); err != nil {
			t.Fatal(err)
		}
		r.ticket("Ida")
		synctest.Wait()
		r2 := r.again(nil) // the limits survive
		defer r2.stop()
		r2.ticket("Omar")
		r2.do(2, ticket.PutLine{Line: ticket.Line{Name: "Service"}})
		synctest.Wait()
		for url, want := range map[string]string{hook: "ticket_created ticket_created line_changed", hook2: "line_changed", hook3: ""} {
			if got := r.world.types(t, url); got != want {
				t.Errorf("%s was told %q, want %q", url, got, want)
			}
		}
		door = QueueWebhooks{r2.Outbox}
		if err := door.Delete(ctx, second, all); wire.CodeOf(err) != wire.NotFound {
			t.Errorf("a lesser key deletes: %v", err)
		}
		if err := door.Delete(ctx, everywhere, all); err != nil {
			t.Errorf("delete: %v", err)
		}
		if err := door.Delete(ctx, everywhere, all); wire.CodeOf(err) != wire.NotFound {
			t.Errorf("deleted twice: %v", err)
		}
		var coded *wire.Error
		if _, _, err := door.Create(ctx, everywhere, "ftp://x.y"); !errors.As(err, &coded) || coded.Field != "url" {
			t.Errorf("bad url: %v", err)
		}
	})
}
