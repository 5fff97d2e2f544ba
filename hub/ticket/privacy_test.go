package ticket

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// marker fills every text of a value with marks and remembers where each one is:
// a field that is added later is filled, and so looked for, without a change here.
type marker struct {
	paths map[string]string // by mark
}

func (k *marker) mark(path string) string {
	text := fmt.Sprintf("zqX%05dqz", len(k.paths))
	k.paths[text] = path
	return text
}

func (k *marker) fill(path string, v reflect.Value) {
	switch v.Interface().(type) { // nil in an empty interface
	case json.RawMessage:
		v.SetBytes([]byte(`{"x":"` + k.mark(path) + `"}`))
		return
	case time.Time:
		v.Set(reflect.ValueOf(noon))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(k.mark(path))
	case reflect.Struct:
		for i := range v.NumField() {
			k.fill(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		k.fill(path, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		k.fill(path, v.Index(0))
		k.fill(path, v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			k.fill(fmt.Sprintf("%s%d", path, i+1), v.Index(i))
		}
	case reflect.Map: // of three; those by number are by participant id
		v.Set(reflect.MakeMap(v.Type()))
		for id := 1; id <= 3; id++ {
			key := reflect.New(v.Type().Key()).Elem()
			if key.Kind() == reflect.String {
				k.fill(path+".key", key)
			} else {
				key.SetInt(int64(id))
			}
			one := reflect.New(v.Type().Elem()).Elem()
			k.fill(fmt.Sprintf("%s.%d", path, id), one)
			v.SetMapIndex(key, one)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(k.mark(path)))
	}
}

// found lists the places whose marks occur in a text.
func (k *marker) found(text string) []string {
	var out []string
	for _, m := range markForm.FindAllString(text, -1) {
		out = append(out, k.paths[m])
	}
	return out
}

// stranger is a ticket of some status with marks in everything private and in
// what clerks wrote.
func stranger(rt *rapid.T, id int64, k *marker) *Ticket {
	path := fmt.Sprint(id)
	t := &Ticket{ID: id, Location: 1, Created: uint64(id), Offset: uint64(id), Language: "en"}
	k.fill(path, reflect.ValueOf(&t.Private).Elem())
	t.Labels = []string{k.mark(path + ".Labels")}
	t.Private.ShowName = rapid.Bool().Draw(rt, "show")
	t.Place = Place{
		Status: rapid.SampledFrom(statuses[:]).Draw(rt, "status"), PublicID: fmt.Sprintf("A-%d", id), Day: "20261121",
		Source: SourceName, Line: 1, Order: id, CreatedAt: noon, Assigned: &Assignment{1, 2},
		Call: &Call{At: noon, Caller: 1, Desk: 2}, Interactions: []Interaction{{Start: noon, Line: 1, User: 1, Desk: 2}},
	}
	t.Conversation = Conversation{
		State: ConversationOpen, OpenedAt: noon, Owner: 1, Protocol: ProtocolWeb, Seq: 3,
		Participants: []Participant{
			{ID: 1, Type: ParticipantClient, Protocol: ProtocolWeb, Active: true},
			{ID: 2, Type: ParticipantUser, Protocol: ProtocolWeb, User: 1, Active: true},
			{ID: 3, Type: ParticipantClient, Protocol: ProtocolSMS, Active: true},
		},
	}
	return t
}

// strangers is a state full of them, with staff whose details are marked too.
func strangers(rt *rapid.T, names string) (*State, []*Ticket, *marker) {
	w := newWorld(rt)
	k := &marker{map[string]string{}}
	l := *w.s.Location
	l.Settings.Names = names
	w.must(PutLocation{l}, nobody)
	for id, u := range w.s.Users {
		marked := *u
		marked.Email, marked.LastName, marked.GUID = k.mark("staff.email"), k.mark("staff.last"), k.mark("staff.guid")
		w.s.Users[id] = &marked
	}
	var all []*Ticket
	for id := range int64(rapid.IntRange(1, 5).Draw(rt, "tickets")) {
		t := stranger(rt, id+1, k)
		w.s.Put(t)
		if t.Place.Status == Served || t.Place.Status == NoShow {
			w.s.remember(t)
		}
		all = append(all, t)
	}
	return w.s, all, k
}

func TestBoardsHoldNothingPrivate(t *testing.T) {
	shown := 0
	rapid.Check(t, func(rt *rapid.T) {
		names := rapid.SampledFrom([]string{"none", "first", "initial", ""}).Draw(rt, "names")
		s, all, k := strangers(rt, names)
		allowed := map[string]bool{}
		for _, x := range all {
			up := x.Place.Status == New || x.Place.Status == Called
			if up && x.Private.ShowName && (names == "first" || names == "initial") {
				allowed[fmt.Sprintf("%d.FirstName", x.ID)] = true
			}
		}
		texts := []string{jsonOf(rt, s.BoardSnapshot())}
		for _, x := range all {
			texts = append(texts, jsonOf(rt, s.BoardTicket(x)))
			for _, typ := range Types {
				if !strings.HasPrefix(string(typ), "ticket.") {
					continue
				}
				texts = append(texts, jsonOf(rt, s.BoardPush(Event{Type: typ, Ticket: x.ID})))
			}
		}
		for _, text := range texts {
			for _, path := range k.found(text) {
				if !allowed[path] {
					rt.Fatalf("names %q: %s is on a board: %s", names, path, text)
				}
				shown++
			}
			if names != "initial" && strings.Contains(text, `Z."`) {
				rt.Fatalf("names %q: an initial is on a board: %s", names, text)
			}
			if strings.Contains(text, `"id":"`) || strings.Contains(text, "g1") {
				rt.Fatalf("an internal id is on a board: %s", text)
			}
		}
	})
	if shown == 0 {
		t.Error("no name was ever shown, so nothing was proved about what may be")
	}
}

func TestShownName(t *testing.T) {
	ida := Private{FirstName: "Ida", LastName: "berg", ShowName: true}
	with := func(change func(*Private)) Private {
		p := ida
		change(&p)
		return p
	}
	for _, c := range []struct {
		names string
		p     Private
		want  string
	}{
		{"none", ida, ""},
		{"", ida, ""},
		{"first", ida, "Ida"},
		{"initial", ida, "Ida B."},
		{"first", with(func(p *Private) { p.ShowName = false }), ""},
		{"initial", with(func(p *Private) { p.ShowName = false }), ""},
		{"initial", with(func(p *Private) { p.LastName = "" }), "Ida"},
		{"initial", with(func(p *Private) { p.LastName = "öberg" }), "Ida Ö."},
		{"initial", with(func(p *Private) { p.FirstName = "" }), "B."},
		{"first", with(func(p *Private) { p.FirstName = "\u202eadI\u202c" }), "adI"},
		{"first", with(func(p *Private) { p.FirstName = "I\u200f\u2067d\u2069\u061ca" }), "Ida"},
		{"initial", with(func(p *Private) { p.LastName = "\u202eberg" }), "Ida B."},
		{"initial", with(func(p *Private) { p.LastName = "\u2066\u2069" }), "Ida"},
	} {
		if got := (Board{Names: c.names}).shownName(&c.p); got != c.want {
			t.Errorf("names %q, %+q %+q: %+q, want %+q", c.names, c.p.FirstName, c.p.LastName, got, c.want)
		}
	}
}

func TestVisitorsSeeOnlyTheirOwn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, all, k := strangers(rt, "initial")
		own := rapid.SampledFrom(all).Draw(rt, "own")
		allowed := map[string]bool{}
		for _, field := range []string{"FirstName", "LastName", "PhoneNumber", "Email"} {
			allowed[fmt.Sprintf("%d.%s", own.ID, field)] = true
		}
		for _, text := range []string{
			jsonOf(rt, s.VisitorTicket(own)), jsonOf(rt, s.VisitorPush(Event{Type: EventCalled, Ticket: own.ID})),
		} {
			for _, path := range k.found(text) {
				if !allowed[path] {
					rt.Fatalf("the visitor of ticket %d is told %s: %s", own.ID, path, text)
				}
			}
		}
	})
}

func TestVisitorTransactions(t *testing.T) {
	k := &marker{map[string]string{}}
	var x Transaction
	k.fill("", reflect.ValueOf(&x).Elem())
	own := &Ticket{ID: 1}
	for _, c := range []struct {
		typ, from string
		name      string // which of the sender's names
		shown     bool
	}{
		{TransactionMessage, ParticipantClient, ".FromName.Name", true},
		{TransactionMessage, ParticipantUser, ".FromName.DisplayName", true},
		{TransactionClosed, ParticipantSystem, ".FromName.DisplayName", true},
		{TransactionNote, ParticipantUser, "", false},
		{TransactionOwner, ParticipantSystem, "", false},
	} {
		x.Type, x.From.Type = c.typ, c.from
		v, ok := own.VisitorTransaction(&x)
		if ok != c.shown {
			t.Errorf("a %s is shown: %v", c.typ, ok)
		}
		allowed := map[string]bool{".Text": true, ".HTML": true, ".GUID": true, ".Status": true, ".ClientID": true, c.name: true}
		allowed[".Payload"] = c.typ == TransactionMessage // quick replies and cards
		for _, path := range k.found(jsonOf(t, v)) {
			if !ok || !allowed[path] && !strings.HasPrefix(path, ".Attachments") {
				t.Errorf("a visitor is told %s of a %s by a %s", path, c.typ, c.from)
			}
		}
	}
}

// Over random histories: what stays in the journal for ever holds nothing about a
// person, and each push holds only what its audience may know.
func TestPushesHoldNothingPrivate(t *testing.T) {
	seen := newCoverage()
	seen.until(t, func(rt *rapid.T) {
		m := newMachine(rt, seen)
		record := m.each
		m.each = func(e Event) {
			record(e)
			checkFacts(rt, m, e)
			checkBoardPush(rt, m, e)
			checkVisitorPush(rt, m, e)
		}
		for range rapid.IntRange(40, 90).Draw(rt, "steps") {
			m.step(rt)
		}
		checkBoardText(rt, m, jsonOf(rt, m.s.BoardSnapshot()))
	})
}

func checkFacts(t tb, _ *machine, e Event) {
	t.Helper()
	facts, _, err := e.Encode()
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	if found := markForm.FindString(string(facts)); found != "" {
		t.Fatalf("the facts of %s hold %s: %s", e.Type, found, facts)
	}
}

func checkBoardPush(t tb, m *machine, e Event) {
	t.Helper()
	if Public(e) {
		checkBoardText(t, m, jsonOf(t, m.s.BoardPush(e)))
	}
}

func checkBoardText(t tb, m *machine, text string) {
	t.Helper()
	for _, found := range markForm.FindAllString(text, -1) {
		owner := m.s.Tickets[m.owner[found]]
		if m.s.Location.Settings.Names == "none" || kindOf(found) != kindFirst || owner == nil || !owner.Private.ShowName {
			t.Fatalf("%s is on a board: %s", found, text)
		}
	}
	if strings.Contains(text, "lb") {
		t.Fatalf("a label is on a board: %s", text)
	}
}

func checkVisitorPush(t tb, m *machine, e Event) {
	t.Helper()
	if e.Ticket == 0 || !VisitorSees(e) {
		return
	}
	text := jsonOf(t, m.s.VisitorPush(e))
	for _, found := range markForm.FindAllString(text, -1) {
		if m.owner[found] != e.Ticket {
			t.Fatalf("the visitor of ticket %d is told %s of %d: %s", e.Ticket, found, m.owner[found], text)
		}
		switch kindOf(found) {
		case kindFirst, kindLast, kindPhone, kindMail, kindText, kindMember:
		default:
			t.Fatalf("a visitor is told %s: %s", found, text)
		}
	}
	for _, secret := range []string{"lb", "ann@", "bob@", "cat@", "Aas", "Berg", `"g1"`, `"g2"`} {
		if strings.Contains(text, secret) {
			t.Fatalf("a visitor is told %s: %s", secret, text)
		}
	}
}

func TestVisitorsAreNotToldOfWhatIsNotTheirs(t *testing.T) {
	for _, typ := range Types {
		e := Event{Type: typ}
		want := !strings.Contains("ticket.assigned ticket.labelled line.changed desk.changed user.changed location.changed display.changed", string(typ))
		if got := VisitorSees(e); got != want {
			t.Errorf("%s: told %v", typ, got)
		}
	}
	if VisitorSees(Event{Type: EventMessage, Facts: Facts{Kind: TransactionNote}}) {
		t.Error("a visitor is told of a note")
	}
	if VisitorSees(Event{Type: EventState, Facts: Facts{Position: "owner"}}) {
		t.Error("a visitor is told of a new owner")
	}
}

// A changed name is told to boards only where boards show it.
func TestWhichChangesArePublic(t *testing.T) {
	for _, c := range []struct {
		names  string
		show   bool
		status Status
		want   bool
	}{
		{"none", true, New, false}, {"first", false, New, false}, {"first", true, New, true}, {"initial", true, Called, true},
		{"first", true, Served, false}, {"first", true, Cancelled, false},
	} {
		w := subject(t, c.status)
		l := *w.s.Location
		l.Settings.Names = c.names
		w.must(PutLocation{l}, nobody)
		w.must(Edit{Ref: ref(2), ShowName: Some(c.show)}, nobody)
		if got := Public(w.must(Edit{Ref: ref(2), FirstName: Some("Ida")}, nobody)[0]); got != c.want {
			t.Errorf("names %s, consent %v, %s: public %v", c.names, c.show, c.status, got)
		}
	}
}
