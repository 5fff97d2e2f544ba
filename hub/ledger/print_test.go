package ledger

import (
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// A door that makes one command or another of the same request says so itself: the
// key then stands for the request.
func TestAKeyMayStandForARequest(t *testing.T) {
	r := newRig(t, mem(), Options{})
	first, err := r.try(Request{Location: 1, Key: "k", Print: "p", Command: ticket.Create{Line: 1}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.try(Request{Location: 1, Key: "k", Print: "p", Command: ticket.SendMessage{Ref: ref(first.Ticket.ID), Text: "x"}})
	if err != nil || !again.Again || again.Ticket.ID != first.Ticket.ID || again.Offset != first.Offset {
		t.Errorf("%+v %v", again, err)
	}
	for _, other := range []Request{
		{Location: 1, Key: "k", Print: "q", Command: ticket.Create{Line: 1}}, {Location: 1, Key: "k", Command: ticket.Create{Line: 1}},
	} {
		if _, err := r.try(other); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("another request with the key: %v", err)
		}
	}
}
