package ticket

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Who is at a desk is kept up to date event by event; it must be what counting anew
// finds, on the fold, on a copy, and after a snapshot.
func TestSeatsAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewState(1)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			e := Event{Type: EventUser}
			gone := rapid.IntRange(0, 3).Draw(t, "gone") == 0
			if rapid.Bool().Draw(t, "desk") {
				e.Type = EventDesk
				e.Facts.DeskDef = &Desk{ID: rapid.IntRange(1, 3).Draw(t, "id"), Removed: gone}
			} else {
				e.Facts.UserDef = &User{ID: rapid.IntRange(1, 6).Draw(t, "id"), Desk: rapid.IntRange(0, 3).Draw(t, "at"), Removed: gone}
			}
			Evolve(s, e)
			anew := s.Clone()
			anew.seatAll()
			b, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			read, err := DecodeState(b)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.atDesks, anew.atDesks) || !slices.Equal(s.atDesks, read.atDesks) || !slices.IsSorted(s.atDesks) {
				t.Fatalf("kept %v, anew %v, read %v", s.atDesks, anew.atDesks, read.atDesks)
			}
		}
	})
}

// A glance answers like the state that it is of.
func TestGlanceIsTheState(t *testing.T) {
	w := staffed(t, 2)
	g := w.s.Glance()
	for range 2 {
		for _, line := range []int{1, 99} { // there is no 99
			for position := range 4 {
				a, b := w.s.Wait(line, position), g.Wait(line, position)
				if (a == nil) != (b == nil) || a != nil && *a != *b {
					t.Errorf("line %d, position %d: %v and at a glance %v", line, position, a, b)
				}
			}
		}
	}
	if w.s.glance != nil || g.Clone().glance != nil {
		t.Error("a glance outlives its moment")
	}
}
