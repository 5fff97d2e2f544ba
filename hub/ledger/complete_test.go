package ledger

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store/memlog"
)

// A text message that gets another status keeps its text, time and number, in the
// thread, in the push, and after the journal was folded anew.
func TestMessageStatusRewritesTheThreadEntry(t *testing.T) {
	st := memlog.New(memlog.Options{Clock: clock()})
	r := newRig(t, st, Options{})
	r.do(1, ticket.Create{Line: 1, FirstName: "Ida", PhoneNumber: "+46701234567"})
	one := ticket.Ref{ID: 1}
	r.do(1, ticket.SendMessage{Ref: one, Text: "your turn", Protocol: ticket.ProtocolSMS, Status: ticket.TextNew})
	before, err := r.Transactions(1, 0, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	text := before[len(before)-1]
	seq, activity := text.Seq, mustTicket(t, r, 1).Conversation
	r.do(1, ticket.Serve{Ref: call(r, one)})
	res := r.do(1, ticket.SetMessageStatus{Ref: one, Seq: seq, Status: ticket.TextSent})
	if len(res.Events) != 1 || res.Events[0].Type != ticket.EventMessageStatus {
		t.Fatalf("events are %+v", res.Events)
	}
	after, err := r.Transactions(1, 0, 0, false)
	if err != nil || len(after) != len(before) {
		t.Fatalf("thread has %d entries, was %d, %v", len(after), len(before), err)
	}
	want := text
	want.Status = ticket.TextSent
	if got := after[len(after)-1]; asJSON(t, got) != asJSON(t, want) {
		t.Errorf("entry is  %s\nshould be %s", asJSON(t, got), asJSON(t, want))
	}
	if c := mustTicket(t, r, 1).Conversation; c.Seq != activity.Seq || !c.LastActivity.Equal(activity.LastActivity) {
		t.Errorf("the conversation moved: %+v, was %+v", c, activity)
	}
	if err := r.stop(); err != nil { // what is answered is not yet published
		t.Fatal(err)
	}
	pubs := r.tape.on(wire.ConsoleChannel, 1, hub.Staff)
	var push ticket.ConsolePush
	last := pubs[len(pubs)-1]
	if err := json.Unmarshal(last.Data, &push); err != nil || push.Transaction == nil {
		t.Fatalf("push is %s, %v", last.Data, err)
	}
	if x := push.Transaction; x.Seq != seq || x.Text != "your turn" || x.Status != ticket.TextSent {
		t.Errorf("pushed entry is %+v", x)
	}
	again := open(t, st, Options{})
	if c := mustTicket(t, again, 1).Conversation; c.Seq != activity.Seq {
		t.Errorf("after folding anew the thread ends at %d, not %d", c.Seq, activity.Seq)
	}
}

func TestMessageStatusRefusals(t *testing.T) {
	r := newRig(t, memlog.New(memlog.Options{Clock: clock()}), Options{})
	r.do(1, ticket.Create{Line: 1, PhoneNumber: "+46701234567"})
	one := ticket.Ref{ID: 1}
	r.do(1, ticket.SendMessage{Ref: one, Text: "your turn", Protocol: ticket.ProtocolSMS, Status: ticket.TextNew})
	seq := mustTicket(t, r, 1).Conversation.Seq
	for _, c := range []struct {
		command ticket.SetMessageStatus
		code    wire.Code
	}{
		{ticket.SetMessageStatus{Ref: one, Seq: 0, Status: ticket.TextSent}, wire.BadRequest},
		{ticket.SetMessageStatus{Ref: one, Seq: seq + 1, Status: ticket.TextSent}, wire.BadRequest},
		{ticket.SetMessageStatus{Ref: one, Seq: seq, Status: "sent"}, wire.BadRequest},
		{ticket.SetMessageStatus{Ref: ticket.Ref{ID: 9}, Seq: 1, Status: ticket.TextSent}, wire.NotFound},
	} {
		_, err := r.try(Request{Location: 1, Command: c.command})
		if wire.CodeOf(err) != c.code {
			t.Errorf("%+v gives %v, want %s", c.command, err, c.code)
		}
	}
	r.do(1, ticket.Erase{Ref: one})
	_, err := r.Do(context.Background(), Request{Location: 1, Command: ticket.SetMessageStatus{Ref: one, Seq: seq, Status: ticket.TextSent}})
	if wire.CodeOf(err) != wire.Conflict {
		t.Errorf("an erased ticket gives %v", err)
	}
}

func call(r *rig, one ticket.Ref) ticket.Ref {
	r.t.Helper()
	r.do(1, ticket.CallTicket{Ref: one, Desk: 1, User: 1})
	return one
}

func mustTicket(t testing.TB, r *rig, id int64) *ticket.Ticket {
	t.Helper()
	v, err := r.Ticket(id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
