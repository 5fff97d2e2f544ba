package board_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/wire"
)

func ticketGen() *rapid.Generator[board.Ticket] {
	return rapid.Custom(func(t *rapid.T) board.Ticket {
		tk := board.Ticket{
			Key:    fmt.Sprintf("A-%d", rapid.IntRange(1, 30).Draw(t, "number")),
			Status: rapid.SampledFrom([]string{"NEW", "CALLED", "SERVED", "NOSHOW", "CANCELLED_BY_CLERK"}).Draw(t, "status"),
			Line:   rapid.Int64Range(1, 3).Draw(t, "line"),
			Order:  rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "order"),
		}
		if rapid.Bool().Draw(t, "wasCalled") {
			// Few values, so that ties are common.
			tk.CalledAt = at(fmt.Sprintf("%02d:00", rapid.IntRange(0, 5).Draw(t, "minute")))
		}
		return tk
	})
}

// model is the fold as PROTOCOL.md says it, by the plainest means: the last
// known ticket of every key, and the lists made from them anew each time.
// Recent cannot be made so, as what was cut off never comes back by itself.
type model struct {
	tickets map[string]board.Ticket
}

func (m model) list(status string) []string {
	var list []board.Ticket
	for _, t := range m.tickets {
		if t.Status == status {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b board.Ticket) int {
		order := strings.Compare(b.CalledAt, a.CalledAt)
		if status == board.StatusNew {
			order = strings.Compare(a.Order, b.Order)
		}
		if order == 0 {
			order = strings.Compare(a.Key, b.Key)
		}
		return order
	})
	return keys(list)
}

func TestPushesKeepListsSortedAndDistinct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b board.Board
		m := model{tickets: map[string]board.Ticket{}}
		for _, tk := range rapid.SliceOf(ticketGen()).Draw(t, "pushes") {
			data, err := json.Marshal(map[string]any{"ticket": tk})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Apply(wire.Push{Type: "ticket.changed", Data: data}); err != nil {
				t.Fatal(err)
			}
			m.tickets[tk.Key] = tk
			check(t, b.State(), m)
		}
	})
}

func check(t *rapid.T, st board.Snapshot, m model) {
	if got, want := keys(st.Waiting), m.list(board.StatusNew); !slices.Equal(got, want) {
		t.Fatalf("waiting %v, want %v", got, want)
	}
	if got, want := keys(st.Serving), m.list(board.StatusCalled); !slices.Equal(got, want) {
		t.Fatalf("serving %v, want %v", got, want)
	}
	if len(st.Recent) > board.MaxRecent {
		t.Fatalf("recent holds %d", len(st.Recent))
	}
	seen := map[string]bool{}
	for _, tk := range slices.Concat(st.Serving, st.Recent, st.Waiting) {
		if seen[tk.Key] {
			t.Fatalf("%s is on the board twice", tk.Key)
		}
		seen[tk.Key] = true
	}
	for i, tk := range st.Recent {
		if tk.CalledAt == "" || tk.Status != board.StatusServed && tk.Status != board.StatusNoShow {
			t.Fatalf("recent holds %+v", tk)
		}
		if i > 0 && (st.Recent[i-1].CalledAt < tk.CalledAt ||
			st.Recent[i-1].CalledAt == tk.CalledAt && st.Recent[i-1].Key >= tk.Key) {
			t.Fatalf("recent is out of order: %v", keys(st.Recent))
		}
	}
}
