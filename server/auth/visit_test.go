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

// A link that is moved leads to the other ticket and nowhere else, whoever looks;
// the token stays, the other links stay where they are, and a revocation finds it.
func TestMoveVisit(t *testing.T) {
	w := newWorld(t)
	issue := func() (string, Info) {
		token, info, err := w.IssueVisit(t.Context(), 17, "A-42", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token, info
	}
	token, info := issue()
	other, _ := issue()
	told := 0
	w.OnRevoke(func(grant string) {
		if grant == info.Grant {
			told++
		}
	})
	for range 2 {
		if id, err := w.MoveVisit(t.Context(), info.Grant, 18, "B-1"); err != nil || id.Ticket != 18 || id.Credential != "ticket:18" || id.Grant != info.Grant {
			t.Fatalf("%+v %v", id, err)
		}
	}
	if told != 1 {
		t.Errorf("sockets were told %d times", told)
	}
	if err := w.Maintain(t.Context()); err != nil { // marks that are written must not bring the old one back
		t.Fatal(err)
	}
	for _, when := range []string{"now", "after a restart"} {
		if id, err := w.Token(token); err != nil || id.Ticket != 18 || !id.Expires.Equal(info.Expires) {
			t.Errorf("%s: %+v %v", when, id, err)
		}
		if id, err := w.Token(other); err != nil || id.Ticket != 17 {
			t.Errorf("%s: the other link: %+v %v", when, id, err)
		}
		w.open()
	}
	if err := w.Revoke(t.Context(), "erasure", "ticket:18"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Token(token); err == nil {
		t.Error("the link to an erased ticket works")
	}
	if _, err := w.MoveVisit(t.Context(), info.Grant, 19, ""); err == nil {
		t.Error("a revoked link was moved")
	}
	_, display := w.issue(Spec{Type: DisplayToken, Name: "TV", Display: 3, Locations: []int{1}})
	if _, err := w.MoveVisit(t.Context(), display.Grant, 17, ""); err == nil {
		t.Error("a screen's token became a visitor's")
	}
}

// movedVisit is a link from ticket 17 to 18, and what was known of it before.
func (w *world) movedVisit() (token string, before []*entry) {
	w.t.Helper()
	token, info, err := w.IssueVisit(w.t.Context(), 17, "A-42", time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	before = w.index.named("ticket:17")
	if _, err := w.MoveVisit(w.t.Context(), info.Grant, 18, "B-1"); err != nil {
		w.t.Fatal(err)
	}
	return token, before
}

// Who had looked a link up before it was moved and writes down its last use then,
// does not bring the old one back.
func TestMovedVisitIsNotWrittenOver(t *testing.T) {
	w := newWorld(t)
	token, before := w.movedVisit()
	if err := w.writeMarks(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	w.open()
	if id, err := w.Token(token); err != nil || id.Ticket != 18 {
		t.Errorf("after a restart: %+v %v", id, err)
	}
}

// Who had looked a link up before it was moved and revokes it then, revokes it.
func TestMovedVisitIsRevokedByItsOldEntry(t *testing.T) {
	w := newWorld(t)
	token, before := w.movedVisit()
	if err := w.revoke(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Token(token); err == nil || len(w.index.named("ticket:18")) != 0 {
		t.Errorf("%v, %d left", err, len(w.index.named("ticket:18")))
	}
}
