package ledger

import (
	"encoding/json"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// What a key remembers is put together from what was encoded already; it must be
// what encoding it as a whole gives.
func TestRememberedIsTheWhole(t *testing.T) {
	tk := &ticket.Ticket{ID: 7, Location: 1, Private: ticket.Private{FirstName: "<Ida> & \u2028"}}
	doc, err := json.Marshal(tk)
	if err != nil {
		t.Fatal(err)
	}
	other := *tk
	other.Language = "et"
	for name, p := range map[string]*pending{
		"encoded already":  {result: Result{Location: 1, Offset: 9, Ticket: tk}},
		"another version":  {result: Result{Location: 1, Offset: 9, Ticket: &other}},
		"nothing to do":    {result: Result{Location: 1, Offset: 9, Ticket: tk, Unchanged: true}},
		"without a ticket": {result: Result{Location: 1, Offset: 9}},
	} {
		g := &group{
			tickets: map[int64]*ticket.Ticket{7: tk}, docs: map[int64][]byte{7: doc}, keys: map[string]*pending{},
		}
		p.print, p.request.Key = "print", name
		want, err := json.Marshal(p.memory())
		if err != nil {
			t.Fatal(err)
		}
		if err := g.remember(p); err != nil {
			t.Fatal(err)
		}
		if got := string(p.change.Result.Value); got != string(want) {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
}
