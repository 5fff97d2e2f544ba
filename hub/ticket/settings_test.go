package ticket

import (
	"slices"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

// directory is a directory with location 1, whose input fields are a name and a
// choice, and with one user.
func directory(t tb) *world {
	w := emptyWorld(t)
	w.s = NewState(0)
	w.must(PutLocation{Location{GUID: "l1", Name: "One", Timezone: "UTC", Setup: &Setup{Lines: []Line{{Name: "A"}}}}}, nobody)
	w.must(AddField{1, InputField{ID: "f1", Type: FieldFirstName}}, nobody)
	w.must(AddField{1, InputField{ID: "f2", Type: FieldSelect, Title: "Needs", Options: []FieldOption{{ID: "o1", Title: "a"}, {ID: "o2", Title: "b"}}}}, nobody)
	w.must(AddUser{User{GUID: "u1", Email: "ann@example.com", Roles: []Role{{Type: RoleClerk, Location: 1}, {Type: RoleAdmin}}}}, nobody)
	return w
}

func TestRolesGetIdsOfTheirOwn(t *testing.T) {
	w := directory(t)
	w.must(AddUser{User{GUID: "u2", Email: "bob@example.com", Roles: []Role{{Type: RoleManager, Location: 1}}}}, nobody)
	w.must(AddRole{1, Role{Type: RoleManager, Location: 1}}, nobody)
	w.nothing(AddRole{1, Role{Type: RoleManager, Location: 1}}, nobody)
	var ids []int
	for _, u := range w.s.SortedUsers() {
		for _, r := range u.Roles {
			ids = append(ids, r.ID)
		}
	}
	if !slices.Equal(ids, []int{1, 2, 4, 3}) {
		t.Errorf("%v", ids)
	}
	w.deny(AddUser{User{GUID: "u3", Email: "ANN@example.com", Roles: []Role{{Type: RoleAdmin}}}}, nobody, wire.Conflict, "email", "another user has this e-mail address")
	w.deny(AddRole{1, Role{Type: RoleClerk, Location: 9}}, nobody, wire.NotFound, "location", "Location with id 9 not found")
	w.must(RemoveUser{1}, nobody)
	w.deny(RemoveUser{1}, nobody, wire.NotFound, "id", "User with id 1 not found")
	w.must(AddUser{User{GUID: "u3", Email: "ann@example.com", Roles: []Role{{Type: RoleAdmin}}}}, nobody)
}

// A location's own journal makes the lines that it begins with; nothing of how it
// began is kept.
func TestALocationBeginsWithItsLines(t *testing.T) {
	w := emptyWorld(t)
	l := Location{ID: 1, GUID: "l1", Name: "One", Timezone: "UTC", Setup: &Setup{Lines: []Line{{Name: " A "}, {Name: "B", Color: "#123456"}}}}
	if got := types(w.must(PutLocation{l}, nobody)); !slices.Equal(got, []Type{EventLocation, EventLine, EventLine}) {
		t.Fatalf("%v", got)
	}
	lines := w.s.SortedLines()
	if len(lines) != 2 || lines[0].Name != "A" || lines[0].Series != "A" || lines[0].Color == "" || lines[1].Series != "B" || lines[1].Color != "#123456" {
		t.Errorf("%+v %+v", lines[0], lines[1])
	}
	if w.s.Location.Setup != nil || directory(t).s.Locations[1].Setup != nil {
		t.Error("the setup was kept")
	}
	d := directory(t)
	l.ID, l.Setup = 0, &Setup{Lines: []Line{{Name: "A"}, {Name: " A"}}}
	d.deny(PutLocation{l}, nobody, wire.Conflict, "lines", "two lines have the same name")
	l.Setup = &Setup{Lines: []Line{{}}}
	d.deny(PutLocation{l}, nobody, wire.BadRequest, "lines", "a line needs a name")
}

func TestFieldsOfALocation(t *testing.T) {
	w := directory(t)
	w.must(PutLocation{Location{GUID: "l2", Name: "Two", Timezone: "UTC"}}, nobody)
	w.deny(AddField{2, InputField{ID: "F1", Type: FieldText}}, nobody, wire.Conflict, "id", "an input field with this id exists")
	w.deny(AddField{1, InputField{ID: "f3", Type: FieldFirstName}}, nobody, wire.Conflict, "type", "the location has an input field of type FIRST_NAME")
	w.deny(AddField{9, InputField{ID: "f3", Type: FieldText}}, nobody, wire.NotFound, "location", "Location with id 9 not found")
	w.deny(EditField{Location: 2, ID: "f2"}, nobody, wire.NotFound, "id", "there is no input field with this id")
	before := w.s.Locations[1]
	w.must(EditField{
		Location: 1, ID: "F2", Title: Some("Help"), BeforeAdded: Some(true),
		Options: Some([]FieldOption{{ID: "O2"}, {ID: "o3", Title: "c"}}),
	}, nobody)
	f := w.s.Locations[1].Field("f2")
	if f.Title != "Help" || !f.BeforeAdded || len(f.Options) != 2 || f.Option("o2").Title != "b" || f.Option("o1") != nil {
		t.Errorf("%+v", f)
	}
	if old := before.Field("f2"); old.Title != "Needs" || len(old.Options) != 2 || old.Options[0].Title != "a" {
		t.Errorf("an edit changed what was there before: %+v", old)
	}
}

func TestLinesAreEditedInPart(t *testing.T) {
	w := newWorld(t)
	id := w.create(1)
	w.deny(AddLine{Line{Name: "Permits"}}, nobody, wire.Conflict, "name", "another line of the location has this name")
	w.deny(EditLine{Line: 1, Rename: Some("Permits")}, nobody, wire.Conflict, "name", "another line of the location has this name")
	w.deny(EditLine{Line: 1, Disabled: Some(true)}, nobody, wire.Conflict, "", "Line with id 1 has active tickets")
	w.deny(EditLine{Line: 1, Remove: true}, nobody, wire.Conflict, "", "Line with id 1 has active tickets")
	w.must(EditLine{Line: 1, Archived: Some(true)}, nobody)
	w.call(id, 1, 1)
	w.deny(EditLine{Line: 1, Remove: true}, nobody, wire.Conflict, "", "Line with id 1 has active tickets")
	w.must(Serve{ref(id)}, nobody)
	w.nothing(EditLine{Line: 1, Archived: Some(true)}, nobody)
	w.must(EditLine{Line: 1, Rename: Some(" Renamed ")}, nobody)
	if l := w.s.Lines[1]; l.Name != "Renamed" || !l.Archived || l.Series != "A" {
		t.Errorf("%+v", l)
	}
	w.must(EditLine{Line: 1, Remove: true}, nobody)
	w.deny(EditLine{Line: 1, Archived: Some(false)}, nobody, wire.NotFound, "line", "Line with id 1 not found")
	w.must(AddLine{Line{Name: "Renamed"}}, nobody)
}
