package board_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/wire"
)

// scenario is one file of testdata. The members of want behind lines are
// optional: the page's fold may leave them out.
type scenario struct {
	Name  string `json:"name"`
	Steps []struct {
		Snapshot *board.Snapshot `json:"snapshot"`
		Push     *pushFrame      `json:"push"`
	} `json:"steps"`
	Want struct {
		Serving   []string        `json:"serving"`
		Recent    []string        `json:"recent"`
		Waiting   []string        `json:"waiting"`
		Lines     []lineCount     `json:"lines"`
		LineNames []string        `json:"lineNames"`
		Desks     []board.Desk    `json:"desks"`
		Location  string          `json:"location"`
		Settings  json.RawMessage `json:"settings"`
		Names     []string        `json:"names"` // of serving, then of waiting
		Calls     []callWant      `json:"calls"`
	} `json:"want"`
}

type pushFrame struct {
	Push    string          `json:"push"`
	Channel string          `json:"channel"`
	Offset  uint64          `json:"offset"`
	Prev    uint64          `json:"prev"`
	Time    time.Time       `json:"time"`
	Data    json.RawMessage `json:"data"`
}

func (f pushFrame) wire() wire.Push {
	return wire.Push{Type: f.Push, Channel: f.Channel, Offset: f.Offset, Prev: f.Prev, Time: f.Time, Data: f.Data}
}

type lineCount struct {
	ID      int64 `json:"id"`
	Waiting int   `json:"waiting"`
}

type callWant struct {
	Key    string `json:"key"`
	Recall bool   `json:"recall"`
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d scenarios found", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { runScenario(t, load(t, file)) })
	}
}

func load(t *testing.T, file string) scenario {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	var s scenario
	if err := dec.Decode(&s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return s
}

func runScenario(t *testing.T, s scenario) {
	var b board.Board
	calls := []callWant{}
	for i, step := range s.Steps {
		switch {
		case step.Snapshot != nil:
			b.Reset(*step.Snapshot)
		case step.Push != nil:
			got, err := b.Apply(step.Push.wire())
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			for _, c := range got {
				calls = append(calls, callWant{c.Ticket.Key, c.Recall})
			}
		default:
			t.Fatalf("step %d is neither a snapshot nor a push", i)
		}
	}
	st := b.State()
	same(t, "serving", keys(st.Serving), s.Want.Serving)
	same(t, "recent", keys(st.Recent), s.Want.Recent)
	same(t, "waiting", keys(st.Waiting), s.Want.Waiting)
	counts, names := []lineCount{}, []string{}
	for _, l := range st.Lines {
		counts = append(counts, lineCount{l.ID, l.Waiting})
		names = append(names, l.Name)
	}
	same(t, "lines", counts, s.Want.Lines)
	if s.Want.LineNames != nil {
		same(t, "lineNames", names, s.Want.LineNames)
	}
	if s.Want.Desks != nil {
		same(t, "desks", st.Desks, s.Want.Desks)
	}
	if s.Want.Location != "" {
		same(t, "location", st.Location.Name, s.Want.Location)
	}
	if s.Want.Settings != nil {
		same(t, "settings", string(st.Settings), string(s.Want.Settings))
	}
	if s.Want.Names != nil {
		shown := []string{}
		for _, t := range slices.Concat(st.Serving, st.Waiting) {
			shown = append(shown, t.Name)
		}
		same(t, "names", shown, s.Want.Names)
	}
	if s.Want.Calls != nil {
		same(t, "calls", calls, s.Want.Calls)
	}
}

func keys(list []board.Ticket) []string {
	out := []string{}
	for _, t := range list {
		out = append(out, t.Key)
	}
	return out
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func at(clock string) string { return "2026-11-21T10:" + clock + ".000Z" }

func called(key, when string, recalls int) board.Ticket {
	return board.Ticket{Key: key, PublicID: key, Status: board.StatusCalled, CalledAt: at(when), Recalls: recalls, Desk: 1}
}

func TestResetReportsWhatWasMissed(t *testing.T) {
	var b board.Board
	first := board.Snapshot{Serving: []board.Ticket{called("A-2", "02:00", 0), called("A-1", "01:00", 0)}}
	if missed := b.Reset(first); len(missed) != 0 {
		t.Fatalf("the first snapshot missed %v, want nothing", missed)
	}
	missed := b.Reset(board.Snapshot{Serving: []board.Ticket{
		called("A-5", "05:00", 1), // new, and already recalled: announced as a call
		called("A-4", "04:00", 0), // new
		called("A-2", "02:00", 1), // recalled meanwhile
		called("A-1", "01:00", 0), // as before
	}})
	var got []callWant
	for _, c := range missed {
		got = append(got, callWant{c.Ticket.Key, c.Recall})
	}
	same(t, "missed", got, []callWant{{"A-2", true}, {"A-4", false}, {"A-5", false}})
	if want := time.Date(2026, 11, 21, 10, 4, 0, 0, time.UTC); !missed[1].Time.Equal(want) {
		t.Errorf("time of the missed call is %v, want %v", missed[1].Time, want)
	}
}

func TestResetPutsAnUnsortedSnapshotInOrder(t *testing.T) {
	var b board.Board
	many := []board.Ticket{}
	for _, m := range []string{"10", "12", "11", "14", "13", "16", "15", "18", "17", "20", "19", "22", "21"} {
		many = append(many, board.Ticket{Key: m, Status: board.StatusServed, CalledAt: at(m + ":00")})
	}
	b.Reset(board.Snapshot{
		Serving: []board.Ticket{called("A-1", "01:00", 0), called("A-2", "02:00", 0), called("A-1", "01:00", 1)},
		Recent:  many,
	})
	same(t, "serving", keys(b.State().Serving), []string{"A-2", "A-1"})
	if b.State().Serving[1].Recalls != 1 {
		t.Error("the last of two entries with one key must win")
	}
	same(t, "recent", keys(b.State().Recent),
		[]string{"22", "21", "20", "19", "18", "17", "16", "15", "14", "13", "12", "11"})
}

func TestApplyRefusesWhatItCannotRead(t *testing.T) {
	for _, data := range []string{`{"ticket":{"key":7}}`, `{"ticket":{"status":"CALLED"}}`, `[]`, ``} {
		var b board.Board
		b.Reset(board.Snapshot{Serving: []board.Ticket{called("A-1", "01:00", 0)}})
		calls, err := b.Apply(wire.Push{Type: "ticket.called", Data: json.RawMessage(data)})
		if err == nil || calls != nil {
			t.Errorf("%q: calls %v, error %v, want an error only", data, calls, err)
		}
		same(t, "serving", keys(b.State().Serving), []string{"A-1"})
	}
}

func TestCallsOnlyWhenCalled(t *testing.T) {
	for _, c := range []struct {
		push, status string
		want         int
	}{
		{"ticket.called", board.StatusCalled, 1},
		{"ticket.recalled", board.StatusCalled, 1},
		{"ticket.called", board.StatusServed, 0},
		{"ticket.changed", board.StatusCalled, 0},
		{"ticket.served", board.StatusServed, 0},
	} {
		var b board.Board
		data := json.RawMessage(`{"ticket":{"key":"A-1","status":"` + c.status + `","calledAt":"` + at("01:00") + `"}}`)
		calls, err := b.Apply(wire.Push{Type: c.push, Data: data})
		if err != nil || len(calls) != c.want {
			t.Errorf("%s with %s: %d calls, error %v, want %d", c.push, c.status, len(calls), err, c.want)
		}
	}
	if !slices.IsSorted([]string{at("01:00"), at("02:00")}) {
		t.Error("the wire's times must sort as text")
	}
}
