package auth

import (
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// Of the links to a ticket the newest ones work, and those that are in use.
func TestIssueVisitKeepsFew(t *testing.T) {
	w := newWorld(t)
	var tokens []string
	for i := range VisitTokens {
		token, info, err := w.IssueVisit(t.Context(), 17, "A-42", time.Hour)
		if err != nil || info.Ticket != 17 {
			t.Fatalf("%d: %v", i, err)
		}
		tokens = append(tokens, token)
		w.clock.Add(time.Second)
	}
	if _, err := w.Token(tokens[0]); err != nil { // the first one is used again
		t.Fatal(err)
	}
	w.clock.Add(time.Second)
	other, _, err := w.IssueVisit(t.Context(), 18, "A-43", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	last, _, err := w.IssueVisit(t.Context(), 17, "A-42", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		token string
		good  bool
	}{"in use": {tokens[0], true}, "quiet for longest": {tokens[1], false}, "the next": {tokens[2], true}, "new": {last, true}, "of another ticket": {other, true}} {
		if _, err := w.Token(c.token); (err == nil) != c.good {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := w.IssueVisit(t.Context(), 0, "", time.Hour); wire.CodeOf(err) != wire.BadRequest {
		t.Errorf("to no ticket: %v", err)
	}
	w.open() // and so after a restart
	if _, err := w.Token(tokens[1]); err == nil {
		t.Error("an old link is back")
	}
	if id, err := w.Token(last); err != nil || id.Kind != Visitor || id.Ticket != 17 {
		t.Errorf("%+v %v", id, err)
	}
}

func TestKioskTokens(t *testing.T) {
	w := newWorld(t)
	token, info := w.issue(Spec{Type: KioskToken, Name: "Door", Display: 3, Locations: []int{1}})
	id, err := w.Token(token)
	if err != nil || id.Kind != Kiosk || id.Display != 3 || !id.In(1) || id.In(2) || id.Admin || info.Credential != "display:3" {
		t.Fatalf("%+v %v", id, err)
	}
	for _, s := range []Spec{{Type: KioskToken, Display: 3}, {Type: KioskToken, Locations: []int{1}}, {Type: KioskToken, Display: 3, Everywhere: true}, {Type: KioskToken, Display: 3, Locations: []int{1, 2}}} {
		if _, _, err := w.Issue(t.Context(), "test", s); wire.CodeOf(err) != wire.BadRequest {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := w.Revoke(t.Context(), "test", "display:3"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Token(token); err == nil {
		t.Error("a revoked kiosk is let in")
	}
}
