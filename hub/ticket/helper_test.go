package ticket

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// tb is what *testing.T, *testing.B and *rapid.T share here.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

var noon = time.Date(2026, time.November, 21, 10, 0, 0, 0, time.UTC)

// clerk is an actor with a user; nobody is one without.
func clerk(user int) Actor { return Actor{Kind: ActorStaff, User: user} }

var (
	nobody  = Actor{Kind: "integrator"}
	visitor = Actor{Kind: ActorVisitor}
)

// world is a location with a journal: it does with events what the ledger does.
type world struct {
	tb      tb
	s       *State
	ids     IDs
	now     time.Time
	log     [][]Event         // one entry per command
	tickets map[int64]*Ticket // newest version of every ticket, live or not
	each    func(Event)       // called after each folded event, before tickets settle
}

func emptyWorld(t tb) *world {
	return &world{
		tb: t, s: NewState(1), now: noon, ids: IDs{1, 1, 1, 1, 1, 1}, tickets: map[int64]*Ticket{},
	}
}

// newWorld has lines 1 to 3 (A, B, C), desks 1 to 3 and users 1 to 3.
func newWorld(t tb) *world {
	t.Helper()
	w := emptyWorld(t)
	w.must(PutLocation{Location{
		ID: 1, GUID: "824b4850-b24c-45ed-8d41-c740ad2618bf", Name: "Main Street", Timezone: "Europe/Tallinn", Languages: []string{"en"},
	}}, nobody)
	for _, name := range []string{"Passports", "Permits", "Other"} {
		w.must(PutLine{Line{Name: name}}, nobody)
	}
	for _, name := range []string{"1", "2", "3"} {
		w.must(PutDesk{Desk{Name: name}}, nobody)
	}
	for _, u := range []User{
		{Email: "ann@example.com", FirstName: "Ann", LastName: "Aas", GUID: "g1"},
		{Email: "bob@example.com", FirstName: "Bob", LastName: "Berg", GUID: "g2"},
		{Email: "cat@example.com", FirstName: "Cat", GUID: "g3"},
	} {
		w.must(PutUser{u}, nobody)
	}
	return w
}

// do decides and folds c the way the ledger does: a ticket that is not live is put
// first, and the first event about it then carries what it was.
func (w *world) do(c Command, actor Actor) ([]Event, error) {
	var base *Ticket
	if on, ok := c.(OnTicket); ok && w.s.Tickets[on.TicketID()] == nil {
		if base = w.tickets[on.TicketID()]; base != nil {
			w.s.Put(base)
		}
	}
	events, err := Decide(w.s, c, Env{Now: w.now, Actor: actor, IDs: w.ids})
	if base != nil {
		addBase(events, base)
	}
	if err != nil || len(events) == 0 {
		if base != nil {
			w.s.Settle(base.ID)
		}
		return events, err
	}
	w.ids = w.ids.Advance(events)
	w.log = append(w.log, events)
	for _, e := range events {
		Evolve(w.s, e)
		if e.Ticket != 0 {
			w.tickets[e.Ticket] = w.s.Tickets[e.Ticket]
		}
		if w.each != nil {
			w.each(e)
		}
	}
	for _, e := range events {
		w.s.Settle(e.Ticket)
	}
	return events, nil
}

func addBase(events []Event, base *Ticket) {
	i := slices.IndexFunc(events, func(e Event) bool { return e.Ticket == base.ID })
	if i < 0 {
		return
	}
	e := &events[i]
	public := *base
	public.Private = Private{}
	e.Facts.Base = &public
	if e.Type == EventErased || base.Erased {
		return
	}
	var personal Personal
	if e.Personal != nil {
		personal = *e.Personal
	}
	private := base.Private
	personal.Base = &private
	e.Personal = &personal
}

func (w *world) must(c Command, actor Actor) []Event {
	w.tb.Helper()
	events, err := w.do(c, actor)
	if err != nil {
		w.tb.Fatalf("%s %+v: %v", c.Name(), c, err)
	}
	return events
}

// deny expects a coded error with this code, field and message ("" for any).
func (w *world) deny(c Command, actor Actor, code wire.Code, field, message string) {
	w.tb.Helper()
	before := encoded(w.tb, w.s)
	_, err := w.do(c, actor)
	var e *wire.Error
	if !errors.As(err, &e) {
		w.tb.Fatalf("%s %+v: %v, want %s", c.Name(), c, err, code)
	}
	if e.Code != code || e.Field != field || (message != "" && e.Message != message) {
		w.tb.Errorf("%s %+v: %v, want %s: %s: %s", c.Name(), c, e, code, field, message)
	}
	if after := encoded(w.tb, w.s); after != before {
		w.tb.Errorf("%s was refused and changed the state", c.Name())
	}
}

func (w *world) nothing(c Command, actor Actor) {
	w.tb.Helper()
	if events := w.must(c, actor); len(events) != 0 {
		w.tb.Errorf("%s %+v: %d events, want none", c.Name(), c, len(events))
	}
}

// create makes a ticket and returns its id.
func (w *world) create(line int) int64 {
	w.tb.Helper()
	w.now = w.now.Add(time.Minute)
	return w.must(Create{Line: line}, nobody)[0].Ticket
}

// call calls a ticket and returns its id.
func (w *world) call(id int64, user, desk int) int64 {
	w.tb.Helper()
	w.must(CallTicket{Ref: ref(id), User: user, Desk: desk, KeepActive: true}, nobody)
	return id
}

func ref(id int64) Ref { return Ref{ID: TicketID(id)} }

func (w *world) ticket(id int64) *Ticket {
	w.tb.Helper()
	t := w.tickets[id]
	if t == nil {
		w.tb.Fatalf("there is no ticket %d", id)
	}
	return t
}

// line lists a line's waiting tickets by id.
func (w *world) line(id int) []int64 { return idsOf(w.s.WaitingIn(id)) }

func idsOf(tickets []*Ticket) []int64 {
	out := make([]int64, 0, len(tickets))
	for _, t := range tickets {
		out = append(out, t.ID)
	}
	return out
}

func types(events []Event) []Type {
	out := make([]Type, 0, len(events))
	for _, e := range events {
		out = append(out, e.Type)
	}
	return out
}

func encoded(t tb, s *State) string {
	t.Helper()
	b, err := s.Encode()
	if err != nil {
		t.Fatalf("encode state: %v", err)
	}
	return string(b)
}

func jsonOf(t tb, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("marshal %T: %v", v, err)
	}
	return string(b)
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
