package ticket

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func lineIDs(s *State) []int {
	var ids []int
	for _, l := range s.SortedLines() {
		ids = append(ids, l.ID)
	}
	return ids
}

func TestLinesArePutInOrder(t *testing.T) {
	w := newWorld(t)
	const every = "every line of the location, once"
	w.deny(OrderLines{[]int{1, 2}}, nobody, wire.BadRequest, "order", every)
	w.deny(OrderLines{[]int{1, 2, 2}}, nobody, wire.BadRequest, "order", every)
	w.deny(OrderLines{[]int{1, 2, 9}}, nobody, wire.BadRequest, "order", every)
	w.must(OrderLines{[]int{3, 1, 2}}, nobody)
	w.nothing(OrderLines{[]int{3, 1, 2}}, nobody)
	if got := lineIDs(w.s); !slices.Equal(got, []int{3, 1, 2}) {
		t.Errorf("%v", got)
	}
	w.must(PutLine{Line{ID: 1, Name: "Renamed"}}, nobody) // keeps its place
	w.must(AddLine{Line{Name: "New"}}, nobody)            // goes to the end
	w.must(EditLine{Line: 2, Remove: true}, nobody)
	if got := lineIDs(w.s); !slices.Equal(got, []int{3, 1, 4}) {
		t.Errorf("%v", got)
	}
	if b := w.s.BoardSnapshot().Lines; b[0].ID != 3 || b[0].Rank != 1 {
		t.Errorf("%+v", b)
	}
}

func TestALinesOtherSettings(t *testing.T) {
	w := newWorld(t)
	w.must(EditLine{Line: 1, Series: Some("P"), Color: Some("#0a4F96"), Translations: Some(map[string]string{"es": "Pasaportes"}), Appointment: Some(15)}, nobody)
	if l := w.s.Lines[1]; l.Series != "P" || l.Color != "#0a4F96" || l.Translations["es"] != "Pasaportes" || l.Appointment != 15 {
		t.Errorf("%+v", l)
	}
	if id := w.create(1); w.s.Tickets[id].Place.PublicID != "P-1" {
		t.Error(w.s.Tickets[id].Place.PublicID)
	}
	for _, c := range []struct {
		field string
		edit  EditLine
	}{
		{"series", EditLine{Series: Some("A B")}}, {"color", EditLine{Color: Some("red")}}, {"color", EditLine{Color: Some("#12345")}},
		{"color", EditLine{Color: Some("#12345g")}}, {"translations", EditLine{Translations: Some(map[string]string{"": "x"})}},
		{"translations", EditLine{Translations: Some(map[string]string{"es": " "})}}, {"appointment", EditLine{Appointment: Some(-1)}},
	} {
		c.edit.Line = 1
		if _, err := w.do(c.edit, nobody); namedField(err) != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}

func TestDesksAreEdited(t *testing.T) {
	w := newWorld(t)
	w.must(EditDesk{Rename: Some("Window")}, nobody)
	w.deny(EditDesk{Rename: Some(" Window")}, nobody, wire.Conflict, "name", "another desk of the location has this name")
	w.must(EditDesk{Desk: 1, Rename: Some("One")}, nobody)
	w.must(Select{User: 1, Desk: Some(1)}, clerk(1))
	id := w.create(1)
	w.call(id, 1, 1)
	w.deny(EditDesk{Desk: 1, Remove: true}, nobody, wire.Conflict, "", "A-1 is being served at this desk")
	w.must(Serve{ref(id)}, nobody)
	w.must(EditDesk{Desk: 1, Remove: true}, nobody)
	if w.s.Users[1].Desk != 0 || len(w.s.SortedDesks()) != 3 {
		t.Errorf("%+v", w.s.Users[1])
	}
	w.deny(EditDesk{Desk: 1, Rename: Some("x")}, nobody, wire.NotFound, "desk", "Desk with id 1 not found")
}

func TestUsersAreEdited(t *testing.T) {
	w := directory(t) // user 1 is a clerk of location 1 and an administrator
	ids := func() (out []int) {
		for _, r := range w.s.Users[1].Roles {
			out = append(out, r.ID)
		}
		return out
	}
	w.deny(EditUser{User: 1, Admin: Some(false)}, nobody, wire.Conflict, "admin", "there would be no administrator left")
	w.deny(EditUser{User: 1, Removed: Some(true)}, nobody, wire.Conflict, "admin", "there would be no administrator left")
	w.must(AddUser{User{GUID: "u2", Email: "bob@example.com", Roles: []Role{{Type: RoleAdmin}}}}, nobody)
	w.deny(EditUser{User: 1, Email: Some("BOB@example.com")}, nobody, wire.Conflict, "email", "another user has this e-mail address")
	w.must(EditUser{User: 1, FirstName: Some("Anna"), Admin: Some(true), Work: Some([]Role{{Type: RoleClerk, Location: 1}})}, nobody)
	if u := w.s.Users[1]; u.FirstName != "Anna" || !slices.Equal(ids(), []int{2, 1}) {
		t.Errorf("%+v", u)
	}
	w.deny(EditUser{User: 1, Admin: Some(false), Work: Some([]Role{})}, nobody, wire.BadRequest, "work", "a user works somewhere, or is an administrator")
	w.deny(EditUser{User: 1, Work: Some([]Role{{Type: RoleClerk, Location: 1}, {Type: RoleManager, Location: 1}})}, nobody, wire.BadRequest, "work", "one role in each location")
	w.deny(EditUser{User: 1, Work: Some([]Role{{Type: RoleClerk, Location: 9}})}, nobody, wire.NotFound, "location", "Location with id 9 not found")
	w.must(EditUser{User: 1, Admin: Some(false), Work: Some([]Role{{Type: RoleManager, Location: 1}})}, nobody)
	if u := w.s.Users[1]; u.Admin() || !u.WorksIn(1) || u.Roles[0].Type != RoleManager {
		t.Errorf("%+v", u)
	}
	w.must(EditUser{User: 1, Removed: Some(true)}, nobody)
	w.deny(EditUser{User: 1, FirstName: Some("x")}, nobody, wire.NotFound, "id", "User with id 1 not found")
	w.must(EditUser{User: 1, Removed: Some(false)}, nobody)
	if w.s.Users[1].Removed || !w.s.Users[1].WorksIn(1) {
		t.Errorf("%+v", w.s.Users[1])
	}
}

// An owner stays one as long as the form says administrator.
func TestAnOwnerStaysOne(t *testing.T) {
	w := directory(t)
	w.must(PutUser{User{GUID: "o", Email: "owner@example.com", Roles: []Role{{ID: 7, Type: RoleOwner}}}}, nobody)
	w.must(EditUser{User: 2, FirstName: Some("O"), Admin: Some(true), Work: Some([]Role{})}, nobody)
	if u := w.s.Users[2]; len(u.Roles) != 1 || u.Roles[0] != (Role{ID: 7, Type: RoleOwner}) {
		t.Errorf("%+v", u)
	}
}

func TestWhoActsOnWhatIsGoneIsTold(t *testing.T) {
	w := newWorld(t)
	stale := wire.Errorf(wire.Conflict, "changed meanwhile")
	guard := func(s *State) error {
		if s.Lines[1].Name != "Passports" {
			return stale
		}
		return nil
	}
	w.must(Guarded{EditLine{Line: 1, Rename: Some("First")}, guard}, nobody)
	w.deny(Guarded{EditLine{Line: 1, Rename: Some("Second")}, guard}, nobody, wire.Conflict, "", "changed meanwhile")
	if w.s.Lines[1].Name != "First" {
		t.Error(w.s.Lines[1].Name)
	}
}

func TestALocationsOwnSettings(t *testing.T) {
	w := directory(t)
	card := []Card{{Language: "en", Text: "Please leave"}}
	w.must(EditLocation{Location: 1, Emergency: Some(Emergency{Cards: card})}, nobody)
	if l := w.s.Locations[1]; len(l.Settings.Emergency) != 0 || len(l.Emergency.Cards) != 1 {
		t.Errorf("shown before it was switched on: %+v", l)
	}
	w.must(EditLocation{Location: 1, Emergency: Some(Emergency{On: true, Cards: card, Tone: true})}, nobody)
	// A board's settings that were opened before must not switch it off.
	w.must(EditLocation{Location: 1, Board: Some(Board{Layout: "focus"})}, nobody)
	if l := w.s.Locations[1]; len(l.Settings.Emergency) != 1 || !l.Settings.Tone || l.Settings.Layout != "focus" {
		t.Errorf("%+v", l.Settings)
	}
	w.must(EditLocation{Location: 1, Emergency: Some(Emergency{Cards: card, Tone: true})}, nobody)
	if l := w.s.Locations[1]; len(l.Settings.Emergency) != 0 || l.Settings.Tone || len(l.Emergency.Cards) != 1 {
		t.Errorf("%+v", l.Settings)
	}
	w.must(EditLocation{Location: 1, Timezone: Some("Asia/Tokyo"), Retention: Some(30), DayStart: Some(240), SeriesLetters: Some("XYZ")}, nobody)
	if l := w.s.Locations[1]; l.Zone().String() != "Asia/Tokyo" || l.Retention != 30 || l.DayStart != 240 {
		t.Errorf("%+v", l)
	}
	day := func(spans ...Span) [7]Day { return [7]Day{{Spans: spans}} }
	for _, c := range []struct {
		field string
		edit  EditLocation
	}{
		{"cards", EditLocation{Emergency: Some(Emergency{On: true})}},
		{"cards", EditLocation{Emergency: Some(Emergency{Cards: []Card{{Language: "en", Text: strings.Repeat("word ", 13)}}})}},
		{"retention", EditLocation{Retention: Some(-1)}}, {"retention", EditLocation{Retention: Some(maxRetention + 1)}},
		{"timezone", EditLocation{Timezone: Some("Nowhere")}}, {"dayStart", EditLocation{DayStart: Some(1440)}},
		{"seriesLetters", EditLocation{SeriesLetters: Some("AA")}},
		{"week", EditLocation{Week: Some(day(Span{-1, 5}))}}, {"week", EditLocation{Week: Some(day(Span{5, 5}))}},
		{"week", EditLocation{Week: Some(day(Span{1440, 5}))}}, {"week", EditLocation{Week: Some(day(Span{5, 1441}))}},
		{"week", EditLocation{Week: Some([7]Day{{Closed: true, Spans: []Span{{1, 2}}}})}},
		{"exceptions", EditLocation{Exceptions: Some([]Exception{{Date: "24.12."}})}},
		{"exceptions", EditLocation{Exceptions: Some([]Exception{{Date: "2026-12-24"}, {Date: "2026-12-24"}})}},
		{"exceptions", EditLocation{Exceptions: Some([]Exception{{Date: "2026-12-24", Reason: strings.Repeat("é", 31)}})}},
	} {
		c.edit.Location = 1
		if _, err := w.do(c.edit, nobody); namedField(err) != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	w.must(EditLocation{Location: 1, Week: Some(day(Span{540, 1020}))}, nobody)
	w.must(EditLocation{Location: 1, AlwaysOpen: true}, nobody)
	if w.s.Locations[1].Hours != nil {
		t.Error("still has hours")
	}
}

func TestWhenATicketEnded(t *testing.T) {
	w := newWorld(t)
	id := w.create(1)
	if !w.s.Tickets[id].EndedAt().IsZero() {
		t.Error("it waits, and has ended")
	}
	w.now = w.now.Add(time.Hour)
	w.call(id, 1, 1)
	w.now = w.now.Add(time.Hour)
	w.must(Serve{ref(id)}, nobody)
	if got := w.tickets[id].EndedAt(); !got.Equal(w.now) {
		t.Error(got)
	}
}

func namedField(err error) string {
	if err == nil {
		return "nothing"
	}
	return wire.AsError(err).Field
}
