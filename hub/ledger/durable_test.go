package ledger

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestNothingIsPublishedBeforeItIsDurable(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	seen := map[uint64]bool{}
	st.onCommit = func(changes []store.Change) {
		for _, p := range r.tape.on(wire.ConsoleChannel, 1, hub.Staff) {
			seen[p.Offset] = true
		}
		for _, c := range changes {
			for _, rec := range c.Records {
				if rec.Location == 1 && seen[rec.Offset] {
					t.Errorf("offset %d was published before its commit", rec.Offset)
				}
			}
		}
	}
	for range 20 {
		res := r.do(1, ticket.Create{Line: 1})
		if head, err := st.Head(1); err != nil || head.Offset < res.Offset {
			t.Fatalf("answered %d while the journal ends at %d (%v)", res.Offset, head.Offset, err)
		}
	}
}

func TestUnknownOutcomeStopsTheLedger(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	st.fail = errors.New("sync failed")
	before := len(r.tape.on(wire.ConsoleChannel, 1, hub.Staff))
	_, err := r.try(Request{Location: 1, Command: ticket.Create{Line: 1}})
	if wire.CodeOf(err) != wire.Unavailable {
		t.Fatalf("answered %v", err)
	}
	if err := r.stop(); !errors.Is(err, ErrUnknownOutcome) {
		t.Fatalf("run ended with %v", err)
	}
	if n := len(r.tape.on(wire.ConsoleChannel, 1, hub.Staff)); n != before {
		t.Fatal("something was published after a failed commit")
	}
	if _, err = r.try(Request{Location: 1, Command: ticket.Create{Line: 1}}); wire.CodeOf(err) != wire.Unavailable {
		t.Fatalf("a stopped ledger answered %v", err)
	}
}

// TestAStoreThatFailedByItselfStopsTheLedger: what the engine's background work
// runs into comes to light when the store is asked whether it is ready.
func TestAStoreThatFailedByItselfStopsTheLedger(t *testing.T) {
	failed, reason := false, errors.New("a flush failed")
	r := newRig(t, memlog.New(memlog.Options{Clock: clock(), Ready: func() error {
		if failed {
			return reason
		}
		return nil
	}}), Options{})
	failed = true // the next command is what asks
	if _, err := r.try(Request{Location: 1, Command: ticket.Create{Line: 1}}); wire.CodeOf(err) != wire.Unavailable {
		t.Fatalf("answered %v", err)
	}
	if err := r.stop(); !errors.Is(err, reason) {
		t.Fatalf("run ended with %v", err)
	}
}

func TestFullDiskRefusesAndRecovers(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	a := r.create(1, "a")
	st.fail = store.ErrFull
	_, err := r.try(Request{Location: 1, Command: ticket.CallTicket{Ref: ref(a.ID)}})
	if e := wire.AsError(err); e.Code != wire.Unavailable || e.RetryAfter == 0 {
		t.Fatalf("answered %v", err)
	}
	st.fail = nil
	r.do(1, ticket.CallTicket{Ref: ref(a.ID)}) // was not called by the refused try
	b := r.create(1, "b")
	if b.Place.PublicID != "A-2" || b.ID != a.ID+1 {
		t.Fatalf("next ticket is %s with id %d", b.Place.PublicID, b.ID)
	}
}

func TestReopenFoldsTheSameState(t *testing.T) {
	for _, every := range []uint64{1 << 30, 3} {
		st := mem()
		r := newRig(t, st, Options{SnapshotEvery: every})
		a, b := r.create(1, "Ann"), r.create(2, "Bob")
		r.do(1, ticket.CallTicket{Ref: ref(a.ID), Desk: 1})
		r.do(1, ticket.Serve{Ref: ref(a.ID)})
		r.do(1, ticket.Label{Ref: ref(a.ID), Add: "late"})               // a is not live any more
		r.do(1, ticket.SendMessage{Ref: ref(a.ID), Text: "How was it?"}) // and lives again, as a conversation
		r.do(1, ticket.SetConversation{Ref: ref(a.ID), State: ticket.ConversationClosed})
		r.do(1, ticket.CallTicket{Ref: ref(b.ID), Desk: 2})
		r.do(1, ticket.MarkNoShow{Ref: ref(b.ID)})
		r.do(1, ticket.ReturnToQueue{Ref: ref(b.ID), Position: ticket.PositionFirst, Undo: true})
		var want []byte
		r.View(1, func(s *ticket.State) { want, _ = s.Encode() })
		// No orderly stop: the store is opened again as after a crash.
		again, err := Open(st, &tape{}, Options{Clock: clock()})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		again.View(1, func(s *ticket.State) { got, _ = s.Encode() })
		if string(got) != string(want) {
			t.Fatalf("every %d: state after reopening differs\n got %s\nwant %s", every, got, want)
		}
		if spec, _ := again.location(1).spec.Encode(); string(spec) != string(want) {
			t.Fatal("spec and view differ")
		}
		served, err := r.Ticket(a.ID)
		if err != nil || !slices.Equal(served.Labels, []string{"late"}) {
			t.Fatalf("served ticket: %+v, %v", served, err)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	const secret = "Xenophon-8391"
	st := mem()
	r := newRig(t, st, Options{SnapshotEvery: 2})
	a := r.do(1, ticket.Create{Line: 1, FirstName: secret, Email: secret + "@example.com"}).Ticket
	if _, err := r.try(Request{Location: 1, Key: "e", Command: ticket.Edit{Ref: ref(a.ID), LastName: ticket.Some(secret)}}); err != nil {
		t.Fatal(err)
	}
	r.do(1, ticket.SendMessage{Ref: ref(a.ID), Text: secret})
	r.do(1, ticket.AddNote{Ref: ref(a.ID), Text: secret})
	r.do(1, ticket.Cancel{Ref: ref(a.ID)})
	r.do(1, ticket.Erase{Ref: ref(a.ID)})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for rec, err := range st.Records(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(rec.Facts)+string(rec.Personal), secret) {
			t.Fatalf("record %d (%s) still holds it", rec.Offset, rec.Type)
		}
	}
	if _, snap, _ := st.Snapshot(1); strings.Contains(string(snap), secret) {
		t.Fatal("the snapshot still holds it")
	}
	if v, _ := st.Ticket(a.ID); strings.Contains(string(v.Doc), secret) {
		t.Fatal("the ticket still holds it")
	}
	for e := range st.Entries(a.ID, 1, 0, false) {
		if strings.Contains(string(e.Doc), secret) {
			t.Fatal("the thread still holds it")
		}
	}
	if res, err := st.Result("e"); err == nil && strings.Contains(string(res.Value), secret) {
		t.Fatal("the remembered result still holds it")
	}
	r = open(t, st, Options{})
	// The key was used: a retry that comes after the erasure must not happen again.
	res, err := r.try(Request{Key: "e", Command: ticket.Edit{Ref: ref(a.ID), LastName: ticket.Some(secret)}})
	if err != nil || !res.Again || res.Ticket.ID != a.ID || res.Ticket.Private.LastName != "" {
		t.Fatalf("retry after the erasure: %+v, %v", res, err)
	}
}
