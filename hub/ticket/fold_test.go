package ticket

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fold folds commands as they are stored.
func fold(t tb, s *State, commands [][]record) {
	t.Helper()
	for _, records := range commands {
		var events []Event
		for i, r := range records {
			e, err := DecodeEvent(r.typ, r.ticket, r.at, r.facts, r.personal)
			if err != nil {
				t.Fatalf("decode %s: %v", r.typ, err)
			}
			if more := i+1 < len(records); e.Facts.More != more {
				t.Fatalf("%s, event %d of %d, says more=%v", r.typ, i+1, len(records), e.Facts.More)
			}
			events = append(events, e)
		}
		EvolveCommand(s, events)
	}
}

func decoded(t tb, snapshot string) *State {
	t.Helper()
	s, err := DecodeState([]byte(snapshot))
	if err != nil {
		t.Fatalf("decode snapshot: %v\n%s", err, snapshot)
	}
	return s
}

// differ says in what two states differ: their snapshots, or what is not in them.
func differ(t tb, a, b *State) string {
	t.Helper()
	if x, y := encoded(t, a), encoded(t, b); x != y {
		return "snapshots:\n" + x + "\n" + y
	}
	for line := 0; line <= 9; line++ {
		if !slices.Equal(a.waiting[line], b.waiting[line]) {
			return fmt.Sprintf("line %d: %v and %v", line, a.waiting[line], b.waiting[line])
		}
	}
	if !slices.Equal(a.called, b.called) {
		return fmt.Sprintf("called: %v and %v", a.called, b.called)
	}
	if x, y := zonesOf(a), zonesOf(b); !slices.Equal(x, y) {
		return fmt.Sprintf("zones: %v and %v", x, y)
	}
	return ""
}

func zonesOf(s *State) []string {
	var out []string
	if s.Location != nil {
		out = append(out, s.Location.Zone().String())
	}
	for _, l := range sorted(s.Locations, func(*Location) bool { return true }) {
		out = append(out, l.Zone().String())
	}
	return out
}

// Whatever happened: the live state, a fold of the stored journal, and a snapshot
// with the rest of the journal on top are one and the same, and nothing that was
// taken from the state on the way has changed since.
func TestFoldsAgree(t *testing.T) {
	seen := newCoverage()
	seen.until(t, func(rt *rapid.T) {
		m := newMachine(rt, seen)
		steps := rapid.IntRange(40, 90).Draw(rt, "steps")
		at := rapid.IntRange(0, steps-1).Draw(rt, "snapshot at")
		var snapshot string
		var clone *State
		var from int
		for i := range steps {
			if i == at {
				snapshot, clone, from = encoded(rt, m.s), m.s.Clone(), len(m.records)
			}
			m.step(rt)
			checkSettled(rt, m.s)
		}
		again := NewState(1)
		fold(rt, again, m.records)
		if d := differ(rt, m.s, again); d != "" {
			rt.Fatalf("live and folded again differ in %s", d)
		}
		later := decoded(rt, snapshot)
		if d := differ(rt, clone, later); d != "" {
			rt.Fatalf("a clone and the snapshot taken with it differ in %s", d)
		}
		fold(rt, later, m.records[from:])
		if d := differ(rt, m.s, later); d != "" {
			rt.Fatalf("live and snapshot with the rest differ in %s", d)
		}
		fold(rt, clone, m.records[from:])
		if d := differ(rt, m.s, clone); d != "" {
			rt.Fatalf("live and clone with the rest differ in %s", d)
		}
		checkUnchanged(rt, m)
		checkJournal(rt, m)
	})
}

// checkSettled wants only live tickets in memory, each listed where it belongs.
func checkSettled(t tb, s *State) {
	t.Helper()
	waiting, called := 0, 0
	for id, x := range s.Tickets {
		if !x.Live() {
			t.Fatalf("ticket %d is %s and still in memory", id, x.Place.Status)
		}
		switch x.Place.Status {
		case New:
			waiting++
			if s.Position(x) == 0 {
				t.Fatalf("ticket %d waits in no list", id)
			}
		case Called:
			called++
		}
	}
	listed := 0
	for line := range s.waiting {
		listed += s.Waiting(line)
	}
	if listed != waiting || len(s.CalledTickets()) != called {
		t.Fatalf("%d waiting, %d listed; %d called, %d listed", waiting, listed, called, len(s.called))
	}
	if len(s.Recent) > RecentCalls {
		t.Fatalf("%d recent calls", len(s.Recent))
	}
}

// checkUnchanged looks at every version of every ticket that was ever in the
// state, and at every event.
func checkUnchanged(t tb, m *machine) {
	t.Helper()
	for _, v := range m.news {
		if now := jsonOf(t, v.t); now != v.json {
			t.Fatalf("a ticket was changed in place:\n%s\n%s", v.json, now)
		}
	}
	for i, events := range m.log {
		for j := range events {
			facts, personal, err := events[j].Encode()
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			if r := m.records[i][j]; string(r.facts) != string(facts) || string(r.personal) != string(personal) {
				t.Fatalf("a %s was changed in place", r.typ)
			}
		}
	}
}

// checkJournal wants offsets that count events and transactions without holes.
func checkJournal(t tb, m *machine) {
	t.Helper()
	n := uint64(0)
	seq := map[int64]uint64{}
	for _, events := range m.log {
		for _, e := range events {
			n++
			if e.Facts.Seq == 0 {
				continue
			}
			if seq[e.Ticket]++; e.Facts.Seq != seq[e.Ticket] {
				t.Fatalf("ticket %d: transaction %d where %d follows", e.Ticket, e.Facts.Seq, seq[e.Ticket])
			}
		}
	}
	if m.s.Offset != n {
		t.Fatalf("offset %d after %d events", m.s.Offset, n)
	}
}

// After an erasure, with the personal part of every earlier event about the
// ticket gone from the journal, a fold gives what the live state is, and nothing
// of the person is left in either.
func TestErasureLeavesTheSameState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(rt, newCoverage())
		for range rapid.IntRange(5, 50).Draw(rt, "before") {
			m.step(rt)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "erasures") {
			m.ask(rt, Erase{ref(rapid.Int64Range(1, m.ids.Ticket).Draw(rt, "erase"))}, nobody)
		}
		for range rapid.IntRange(0, 20).Draw(rt, "after") {
			m.step(rt)
		}
		erased := m.stripErased()
		again := NewState(1)
		fold(rt, again, m.records)
		if d := differ(rt, m.s, again); d != "" {
			rt.Fatalf("live and folded from an erased journal differ in %s", d)
		}
		snapshot := encoded(rt, m.s)
		for _, found := range markForm.FindAllString(snapshot, -1) {
			if erased[m.owner[found]] {
				rt.Fatalf("%s of erased ticket %d is in the snapshot", found, m.owner[found])
			}
		}
		for id := range erased {
			if found := markForm.FindString(jsonOf(rt, m.tickets[id])); found != "" {
				rt.Fatalf("%s is in the newest version of erased ticket %d", found, id)
			}
		}
		for _, command := range m.records {
			for _, r := range command {
				if found := markForm.FindString(string(r.personal)); found != "" && erased[m.owner[found]] {
					rt.Fatalf("%s of erased ticket %d is in a later %s", found, m.owner[found], r.typ)
				}
			}
		}
	})
}

// stripErased takes the personal part out of every record about an erased ticket
// that precedes its erasure, and says which tickets those are.
func (m *machine) stripErased() map[int64]bool {
	erased := map[int64]bool{}
	for _, command := range slices.Backward(m.records) {
		for i := len(command) - 1; i >= 0; i-- {
			r := &command[i]
			if erased[r.ticket] {
				r.personal = nil
			}
			if r.typ == string(EventErased) {
				erased[r.ticket] = true
			}
		}
	}
	return erased
}

// An erased call must leave room in the list of recent calls exactly as it did
// live: with more than a list's worth of calls.
func TestErasureOfARecentCall(t *testing.T) {
	m := newMachine(t, newCoverage())
	ask := func(c Command) {
		m.record(m.must(c, clerk(1)))
	}
	for i := range RecentCalls + 3 {
		m.now = m.now.Add(time.Second)
		ask(Create{Line: 1, FirstName: m.mark(int64(i+1), kindFirst), ShowName: true})
		ask(CallTicket{Ref: ref(int64(i + 1))})
		ask(Serve{ref(int64(i + 1))})
	}
	ask(Erase{ref(RecentCalls)})
	if n := len(m.s.Recent); n != RecentCalls-1 {
		t.Fatalf("%d recent calls are left", n)
	}
	m.stripErased()
	again := NewState(1)
	fold(t, again, m.records)
	if d := differ(t, m.s, again); d != "" {
		t.Errorf("differ in %s", d)
	}
}

// The directory's journal has locations and users, and no tickets.
func TestDirectoryFoldsAgree(t *testing.T) {
	w := emptyWorld(t)
	w.s = NewState(0)
	for _, zone := range []string{"Europe/Tallinn", "America/New_York"} {
		w.must(PutLocation{Location{Name: zone, GUID: zone, Timezone: zone, SeriesLetters: "XYZ"}}, nobody)
	}
	w.must(PutUser{User{Email: "a@b.c", GUID: "g", Roles: []Role{{ID: 1, Type: RoleAdmin}}}}, nobody)
	if d := differ(t, w.s, decoded(t, encoded(t, w.s))); d != "" {
		t.Errorf("live and snapshot differ in %s", d)
	}
	if got := zonesOf(w.s); !slices.Equal(got, []string{"Europe/Tallinn", "America/New_York"}) {
		t.Errorf("zones %v", got)
	}
}

// Damage in a snapshot is an error where it is read, not a panic later.
func TestDecodeStateRefusesDamage(t *testing.T) {
	location := `"location":{"id":1,"timezone":"UTC","languages":null,"settings":{}}`
	for _, c := range []string{
		``, `[]`, `{"offset":-1}`, `{"lines":{"1":null}}`, `{"lines":{"2":{"id":1}}}`, `{"desks":{"1":null}}`, `{"users":{"1":null}}`,
		`{"displays":{"1":null}}`, `{"locations":{"1":null}}`, `{"recent":[null]}`, `{"tickets":{"1":{"id":1}}}`,
		`{` + location + `,"tickets":{"1":null}}`, `{` + location + `,"tickets":{"1":{"id":2}}}`,
		`{` + location + `,"tickets":{"1":{"id":1,"place":{"status":"CALLED"}}}}`,
		`{` + location + `,"tickets":{"1":{"id":1,"place":{"status":"SCHEDULED"}}}}`,
	} {
		if s, err := DecodeState([]byte(c)); err == nil {
			t.Errorf("%s was read as %+v", c, s)
		}
	}
	if _, err := DecodeState([]byte(`{` + location + `,"tickets":{"1":{"id":1}}}`)); err != nil {
		t.Errorf("sound: %v", err)
	}
}

// The lists of a crowd are built at once when a snapshot is read, not one by one
// as live (see BenchmarkDecodeState); they must come out the same.
func TestDecodeStateOfACrowd(t *testing.T) {
	w := newWorld(t)
	for i := range 300 {
		w.create(1 + i%3)
		if i%5 == 4 {
			w.must(CallNext{Lines: []int{1, 2, 3}, KeepActive: true}, clerk(1))
		}
		if i%7 == 6 {
			w.must(Reorder{Ref: ref(w.line(2)[len(w.line(2))-1])}, nobody)
		}
	}
	if d := differ(t, w.s, decoded(t, encoded(t, w.s))); d != "" {
		t.Error(strings.SplitN(d, "\n", 2)[0])
	}
}

// What a fold does not know is passed over, and still counts as an event.
func TestEvolvePassesOverTheUnknown(t *testing.T) {
	w := newWorld(t)
	w.create(1)
	before := w.s.Clone()
	Evolve(w.s, Event{Type: EventServed, Ticket: 77, Time: noon})
	Evolve(w.s, Event{Type: "ticket.invented", Ticket: 1, Time: noon})
	if w.s.Offset != before.Offset+2 || w.s.Tickets[77] != nil || w.s.Tickets[1].Place.Status != New {
		t.Errorf("offset %d, ticket %+v", w.s.Offset, w.s.Tickets[1])
	}
}

// A clone goes its own way: what one of two states folds onto a ticket that both
// hold is not seen in the other.
func TestClonesGoTheirOwnWays(t *testing.T) {
	w := newWorld(t)
	id := w.create(1)
	for range 3 { // enough interactions for the list to have room to spare
		w.call(id, 1, 1)
		w.must(ReturnToQueue{Ref: ref(id), Position: PositionFirst}, clerk(1))
	}
	spare := *w.s.Tickets[id]
	spare.Place.Interactions = append(make([]Interaction, 0, 8), spare.Place.Interactions...)
	w.s.Put(&spare)
	one, other := w.s, w.s.Clone()
	Evolve(one, Event{Type: EventCalled, Ticket: id, Time: noon, Facts: Facts{Desk: 1, Line: 1}})
	Evolve(other, Event{Type: EventCalled, Ticket: id, Time: noon, Facts: Facts{Desk: 2, Line: 1}})
	for desk, s := range map[int]*State{1: one, 2: other} {
		if got := s.Tickets[id].Place.Interactions[3].Desk; got != desk {
			t.Errorf("the interaction at desk %d says desk %d", desk, got)
		}
	}
}

// A ticket that left memory comes back whole, from its first event on.
func TestATicketThatIsNotLiveComesBackWhole(t *testing.T) {
	w := newWorld(t)
	w.must(Create{Line: 1, FirstName: "Ida", Labels: []string{"VIP"}, Extra: []Extra{{Title: "a", Value: "b"}}}, nobody)
	w.call(1, 1, 1)
	w.must(Serve{ref(1)}, clerk(1))
	if w.s.Tickets[1] != nil {
		t.Fatal("a served ticket is in memory")
	}
	before := *w.ticket(1)
	events := w.must(Label{Ref: ref(1), Add: "back"}, clerk(1))
	after := *w.ticket(1)
	if jsonOf(t, after.Private) != jsonOf(t, before.Private) || jsonOf(t, after.Place) != jsonOf(t, before.Place) {
		t.Errorf("before %s\nafter %s", jsonOf(t, before), jsonOf(t, after))
	}
	if jsonOf(t, events[0].Facts.Base.Private) != "{}" {
		t.Errorf("the facts hold %s", jsonOf(t, events[0].Facts.Base.Private))
	}
	if w.s.Tickets[1] != nil {
		t.Error("it stayed in memory afterwards")
	}
	w.must(SendMessage{Ref: ref(1), Text: "hello"}, visitor)
	if t1 := w.s.Tickets[1]; t1 == nil || t1.Private.FirstName != "Ida" || t1.Private.Names[1].Name != "Ida" {
		t.Errorf("after a message: %+v", t1)
	}
}

// A store may give back an erased part as nothing or as an empty one.
func TestDecodeEventWithoutPersonalPart(t *testing.T) {
	for _, personal := range [][]byte{nil, {}} {
		e, err := DecodeEvent(string(EventChanged), 1, noon, []byte(`{"language":"en"}`), personal)
		if err != nil || e.Personal != nil || e.Facts.Language != "en" || e.Ticket != 1 || e.Time != noon {
			t.Errorf("personal %v: %+v, %v", personal, e, err)
		}
	}
	for _, bad := range [][2]string{{``, ``}, {`[]`, ``}, {`{}`, `[]`}} {
		if e, err := DecodeEvent("x", 1, noon, []byte(bad[0]), []byte(bad[1])); err == nil {
			t.Errorf("%q was read as %+v", bad, e)
		}
	}
}
