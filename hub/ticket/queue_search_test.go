package ticket

import (
	"slices"
	"testing"
)

// TestSearchedStatuses: a status that tickets can have and no search finds would
// hide them.
func TestSearchedStatuses(t *testing.T) {
	all := slices.Concat(QueueStatuses(), ScheduledStatuses())
	for _, s := range []Status{New, Called, Served, NoShow, Cancelled, Scheduled, Unbooked, Missed} {
		if !slices.Contains(all, string(s)) {
			t.Errorf("%s is not searched", s)
		}
	}
	if slices.Contains(all, string(Unplaced)) || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 10 {
		t.Errorf("statuses are %v", all)
	}
}

func TestPersonKeys(t *testing.T) {
	for want, p := range map[string]Private{
		"":                     {FirstName: "Ida"},
		"phone:1,":             {PhoneNumber: "1"},
		"email:1,":             {Email: "1"}, // never the same as a phone number
		"phone:1,email:a@b.c,": {PhoneNumber: "1", Email: "a@b.c"},
	} {
		got := ""
		for _, k := range (&Ticket{Private: p}).PersonKeys() {
			got += k + ","
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}
