package ticket

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
	"pgregory.net/rapid"
)

func fieldIDs(l *Location) string {
	var ids []string
	for _, f := range l.Fields {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

func TestFieldsAreOrderedAndRemoved(t *testing.T) {
	w := directory(t)
	w.must(AddField{1, InputField{ID: "f3", Type: FieldText, Title: "Case"}}, nobody)
	before := w.s.Locations[1]
	const every = "every input field of the location, once"
	for _, bad := range [][]string{nil, {"f1", "f2"}, {"f1", "f2", "F2"}, {"f1", "f2", "f9"}, {"f1", "f2", "f3", "f3"}} {
		w.deny(OrderFields{1, bad}, nobody, wire.BadRequest, "order", every)
	}
	w.deny(OrderFields{9, nil}, nobody, wire.NotFound, "location", "Location with id 9 not found")
	w.nothing(OrderFields{1, []string{"F1", "f2", "f3"}}, nobody)
	w.must(OrderFields{1, []string{"F3", "f1", "f2"}}, nobody)
	if got := fieldIDs(w.s.Locations[1]); got != "f3 f1 f2" || fieldIDs(before) != "f1 f2 f3" {
		t.Errorf("%s, before %s", got, fieldIDs(before))
	}
	if f := w.s.Locations[1].Field("f2"); f.Title != "Needs" || len(f.Options) != 2 {
		t.Errorf("%+v", f)
	}
	w.deny(RemoveField{1, "f9"}, nobody, wire.NotFound, "id", "there is no input field with this id")
	w.deny(RemoveField{9, "f2"}, nobody, wire.NotFound, "location", "Location with id 9 not found")
	w.deny(RemoveField{1, "f1"}, nobody, wire.Conflict, "", "a location keeps its input field of type FIRST_NAME")
	before = w.s.Locations[1]
	w.must(RemoveField{1, "F3"}, nobody)
	if got := fieldIDs(w.s.Locations[1]); got != "f1 f2" || fieldIDs(before) != "f3 f1 f2" {
		t.Errorf("%s, before %s", got, fieldIDs(before))
	}
}

// Whatever is added, ordered and taken away: the list is what a plain list of ids
// would be.
func TestFieldListIsAList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := directory(t)
		want := []string{"f1", "f2"}
		for step := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch {
			case rapid.Bool().Draw(rt, "add"):
				id := fmt.Sprint("n", step)
				w.must(AddField{1, InputField{ID: id, Type: FieldText, Title: id}}, nobody)
				want = append(want, id)
			case len(want) > 1 && rapid.Bool().Draw(rt, "remove"):
				gone := rapid.SampledFrom(want).Filter(func(id string) bool { return id != "f1" }).Draw(rt, "gone")
				w.must(RemoveField{1, gone}, nobody)
				want = slices.DeleteFunc(want, func(id string) bool { return id == gone })
			default:
				order := rapid.Permutation(want).Draw(rt, "order")
				if slices.Equal(order, want) {
					w.nothing(OrderFields{1, order}, nobody)
				} else {
					w.must(OrderFields{1, order}, nobody)
				}
				want = slices.Clone(order)
			}
			if got := fieldIDs(w.s.Locations[1]); got != strings.Join(want, " ") {
				rt.Fatalf("%s, want %v", got, want)
			}
		}
	})
}
