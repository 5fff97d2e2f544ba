package ticket

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"pgregory.net/rapid"
)

// machine asks a world for random things, and marks whatever is private with
// texts that occur nowhere else: zq, a letter for the kind, a number, qz.
type machine struct {
	*world
	owner   map[string]int64 // of every mark
	records [][]record       // the journal as stored, one entry per command
	seen    *coverage
	news    []version
}

// coverage counts what all runs of a property did, so that a generator that never
// gets anywhere is noticed.
type coverage struct {
	commands map[string]int
	events   map[Type]int
	codes    map[wire.Code]int
}

func newCoverage() *coverage {
	return &coverage{map[string]int{}, map[Type]int{}, map[wire.Code]int{}}
}

// until repeats a property until its runs have reached everything: what is rare
// may be missing from one round by chance, what never comes is a generator that
// does not get there.
func (c *coverage) until(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for range 10 {
		rapid.Check(t, property)
		if t.Failed() || len(c.missing()) == 0 {
			return
		}
	}
	t.Errorf("no run did any of %v", c.missing())
}

// missing lists the commands, events and refusals that no run reached.
func (c *coverage) missing() []string {
	var out []string
	for _, e := range commandExamples {
		if c.commands[e.name] == 0 {
			out = append(out, e.name)
		}
	}
	for _, name := range []string{
		"appointment.create", "appointment.edit", "appointment.checkIn", "appointment.cancel", "appointment.noShow", "message.status",
		"conversation.create", "conversation.summary", "conversation.fields", "conversation.rename", "conversation.rate",
	} {
		if c.commands[name] == 0 {
			out = append(out, name)
		}
	}
	for _, typ := range Types {
		if c.events[typ] == 0 {
			out = append(out, string(typ))
		}
	}
	for _, code := range []wire.Code{wire.BadRequest, wire.NotFound, wire.Conflict} {
		if c.codes[code] == 0 {
			out = append(out, string(code))
		}
	}
	return out
}

// record is an event as the journal holds it.
type record struct {
	typ             string
	ticket          int64
	at              time.Time
	facts, personal []byte
}

// version is a ticket with what it was when it was made.
type version struct {
	t    *Ticket
	json string
}

const (
	kindFirst  = 'F'
	kindLast   = 'L'
	kindMail   = 'A'
	kindExtra  = 'E'
	kindData   = 'D'
	kindText   = 'M'
	kindNote   = 'N'
	kindMember = 'C'
	kindPhone  = 'P'
)

var markForm = regexp.MustCompile(`zq([A-Z])[0-9]{5}qz|7000[0-9]{8}`)

func newMachine(t tb, seen *coverage) *machine {
	m := &machine{world: newWorld(t), owner: map[string]int64{}, seen: seen}
	for _, events := range m.log {
		m.record(events)
	}
	m.each = func(e Event) {
		m.seen.events[e.Type]++
		if v := m.tickets[e.Ticket]; v != nil {
			m.news = append(m.news, version{v, jsonOf(m.tb, v)})
		}
	}
	return m
}

func (m *machine) record(events []Event) {
	var out []record
	for _, e := range events {
		facts, personal, err := e.Encode()
		if err != nil {
			m.tb.Fatalf("encode %s: %v", e.Type, err)
		}
		out = append(out, record{string(e.Type), e.Ticket, e.Time, facts, personal})
	}
	m.records = append(m.records, out)
}

func (m *machine) mark(ticket int64, kind rune) string {
	text := fmt.Sprintf("zq%c%05dqz", kind, len(m.owner))
	if kind == kindPhone {
		text = fmt.Sprintf("7000%08d", len(m.owner))
	}
	m.owner[text] = ticket
	return text
}

// kindOf is a mark's kind.
func kindOf(mark string) rune {
	if strings.HasPrefix(mark, "7000") {
		return kindPhone
	}
	return rune(mark[2])
}

// step lets time pass and asks for something random.
func (m *machine) step(rt *rapid.T) []Event {
	m.now = m.now.Add(time.Duration(rapid.IntRange(-500, 60_000).Draw(rt, "µs")) * 997 * time.Microsecond)
	return m.ask(rt, m.command(rt), m.actor(rt))
}

func (m *machine) ask(rt *rapid.T, c Command, actor Actor) []Event {
	before := m.s.Clone()
	events, err := m.do(c, actor)
	if err != nil || len(events) == 0 {
		if code := wire.CodeOf(err); err != nil {
			m.seen.codes[code]++
			if code == wire.Internal {
				rt.Fatalf("%s: %v is not coded", c.Name(), err)
			}
		}
		if !untouched(before, m.s) {
			rt.Fatalf("%s did nothing (%v) and changed the state:\n%s\n%s", c.Name(), err, encoded(rt, before), encoded(rt, m.s))
		}
		return nil
	}
	m.seen.commands[c.Name()]++
	m.record(events)
	return events
}

// untouched reports whether two states hold the very same things.
func untouched(a, b *State) bool {
	for line := 0; line <= 9; line++ {
		if !slices.Equal(a.waiting[line], b.waiting[line]) {
			return false
		}
	}
	return a.Offset == b.Offset && a.Location == b.Location && a.Day == b.Day && maps.Equal(a.Tickets, b.Tickets) &&
		maps.Equal(a.Lines, b.Lines) && maps.Equal(a.Desks, b.Desks) && maps.Equal(a.Users, b.Users) &&
		maps.Equal(a.Displays, b.Displays) && maps.Equal(a.Numbers, b.Numbers) && maps.Equal(a.Pace, b.Pace) &&
		slices.Equal(a.Recent, b.Recent) && slices.Equal(a.called, b.called) && slices.Equal(a.unowned, b.unowned)
}

// pick draws evenly. The library's own numbers lean to the small ones, and a run
// would be nearly all creates.
func pick[T any](rt *rapid.T, what string, list []T) T {
	n := 0
	for range 8 {
		n <<= 1
		if rapid.Bool().Draw(rt, what) {
			n++
		}
	}
	return list[n%len(list)]
}

func (m *machine) actor(rt *rapid.T) Actor {
	return pick(rt, "actor", []Actor{clerk(1), visitor, clerk(2), clerk(3), clerk(1), visitor, nobody, {Kind: ActorSystem}})
}

func (m *machine) command(rt *rapid.T) Command {
	all := make([]int64, m.ids.Ticket) // the last one is not there
	for i := range all {
		all[i] = int64(i) + 1
	}
	r := ref(pick(rt, "ticket", all))
	user := rapid.IntRange(0, 4).Draw(rt, "user")
	if m.ids.Ticket < 4 {
		return m.newcomer(rt)
	}
	switch pick(rt, "kind", []rune("cccppppppttttteexhaagg")) {
	case 'c':
		return m.newcomer(rt)
	case 'p':
		return m.placeCommand(rt, r, user)
	case 't':
		return m.talkCommand(rt, r, user)
	case 'e':
		return m.editCommand(rt, r)
	case 'x':
		return Erase{r}
	case 'g':
		return m.chat(rt, r, user)
	case 'a':
		return m.appointment(rt, r, user)
	}
	return m.houseCommand(rt, user)
}

func (m *machine) newcomer(rt *rapid.T) Command {
	id := m.ids.Ticket
	c := Create{
		Line: rapid.IntRange(1, 3).Draw(rt, "line"), FirstName: m.mark(id, kindFirst), LastName: m.mark(id, kindLast),
		ShowName: rapid.Bool().Draw(rt, "show"), Source: rapid.SampledFrom([]string{"", SourceName, SourceMicrosite}).Draw(rt, "source"),
	}
	if rapid.Bool().Draw(rt, "more") {
		c.PhoneNumber, c.Email = "+"+m.mark(id, kindPhone), m.mark(id, kindMail)+"@visitor.test"
		c.Extra = []Extra{{Title: m.mark(id, kindExtra), Value: m.mark(id, kindExtra), URL: m.mark(id, kindExtra)}}
		c.Labels = []string{label(rt), label(rt)}
	}
	return c
}

// prefer is a live ticket of some kind, or r when there is none: most commands want
// a ticket that stands in one particular way.
func (m *machine) prefer(rt *rapid.T, r Ref, kind func(*Ticket) bool) Ref {
	var fit []int64
	for _, t := range m.s.SortedTickets() {
		if kind(t) {
			fit = append(fit, t.ID)
		}
	}
	if len(fit) == 0 {
		return r
	}
	return ref(pick(rt, "fitting", fit))
}

func (m *machine) appointment(rt *rapid.T, r Ref, user int) Command {
	id := m.ids.Ticket
	start := m.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "from")) * time.Minute)
	fit := m.prefer(rt, r, func(t *Ticket) bool { return t.Place.Status == Scheduled })
	visitor := Create{Line: 1, FirstName: m.mark(id, kindFirst), PhoneNumber: m.mark(id, kindPhone), ShowName: true}
	return pick(rt, "appointment", []Command{
		Schedule{Create: visitor, Start: start, End: start.Add(time.Hour), Assignee: user}, Schedule{Create: visitor, Start: start, End: start.Add(time.Hour), Assignee: user},
		Reschedule{Ref: fit, Start: Some(start), End: Some(start.Add(time.Hour)), Assignee: Opt[int]{user > 0, user}},
		CheckIn{fit}, CheckIn{fit}, CancelAppointment{fit}, MissAppointment{fit},
	})
}

// chat is what only the conversation API asks for.
func (m *machine) chat(rt *rapid.T, r Ref, user int) Command {
	next, id := m.ids.Ticket, r.TicketID()
	unplaced := m.prefer(rt, r, func(t *Ticket) bool { return t.Place.Status == Unplaced })
	begin := OpenConversation{
		Participants: []Newcomer{{Type: ParticipantClient, Protocol: ProtocolWeb, ParticipantName: ParticipantName{
			Name: m.mark(next, kindMember), Identifier: m.mark(next, kindMember),
		}}},
		Fields: [10]string{m.mark(next, kindData)}, UniqueArgument: m.mark(next, kindData), Culture: "en-US",
		Details: &Details{IPAddress: m.mark(next, kindData)}, Tags: []string{label(rt)}, Owner: user,
		Messages: []FirstMessage{{Text: m.mark(next, kindText)}},
	}
	summary := m.mark(id, kindData)
	over := m.prefer(rt, r, (*Ticket).CanRate)
	judged := m.mark(over.TicketID(), kindText)
	return pick(rt, "chat", []Command{
		begin, begin, Enqueue{Ref: unplaced, Line: 1}, Enqueue{Ref: unplaced, Line: 2}, SetSummary{Ref: r, Text: summary},
		SetTalkFields{Ref: r, UniqueArgument: ptr(m.mark(id, kindData)), Details: &Details{Location: m.mark(id, kindData)}},
		RenameParticipant{Ref: r, Participant: 1, Rename: m.mark(id, kindMember)}, TagConversation{Ref: r, Add: []string{label(rt)}},
		ChangeConversation{Ref: r, State: ConversationClosed, Summary: &summary}, Rate{Ref: over, Rating: 1 + user, Text: judged},
	})
}

func label(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"lbVIP", "lbDeaf", "lbChild", "lbLate"}).Draw(rt, "label")
}

func (m *machine) placeCommand(rt *rapid.T, r Ref, user int) Command {
	line, desk := rapid.IntRange(1, 4).Draw(rt, "line"), rapid.IntRange(0, 3).Draw(rt, "desk")
	keep := rapid.Bool().Draw(rt, "keep")
	position := rapid.SampledFrom([]string{PositionFirst, PositionMiddle, PositionLast, ""}).Draw(rt, "position")
	called := m.prefer(rt, r, func(t *Ticket) bool { return t.Place.Status == Called })
	assigned := m.prefer(rt, r, func(t *Ticket) bool { return t.Place.Status == New && t.Place.Assigned != nil })
	answer := pick(rt, "answer", []string{AnswerOnMyWay, AnswerNeedTime, "maybe"})
	answered := m.prefer(rt, r, func(t *Ticket) bool { return t.Place.Answer != nil })
	return pick(rt, "place", []Command{
		CallTicket{Ref: r, Desk: desk, User: user, KeepActive: keep}, CallTicket{Ref: r, Desk: desk, KeepActive: keep}, CallNext{Lines: []int{line, 1}, Desk: desk, KeepActive: keep},
		CallNext{Lines: []int{1, 2, 3}, Desk: desk, User: user, KeepActive: keep}, Recall{called}, Serve{called}, MarkNoShow{called}, Cancel{Ref: r, User: user},
		ReturnToQueue{Ref: called, Position: position, User: user}, ReturnToQueue{Ref: r, Position: position, User: user, Undo: true}, Forward{Ref: called, Line: line, User: user},
		Reorder{Ref: r, After: TicketID(rapid.Int64Range(0, m.ids.Ticket).Draw(rt, "after"))}, Reorder{Ref: r}, Assign{Ref: r, User: user},
		Answer{Ref: r, Answer: answer}, Answer{Ref: called, Answer: answer}, Answer{Ref: answered, Answer: AnswerCancel},
		Assign{Ref: r, User: user, Assigner: 2}, Unassign{assigned}, Unassign{assigned},
	})
}

func (m *machine) editCommand(rt *rapid.T, r Ref) Command {
	id := r.TicketID()
	edit := Edit{Ref: r}
	if rapid.Bool().Draw(rt, "person") {
		edit.FirstName, edit.LastName = Some(m.mark(id, kindFirst)), Some(m.mark(id, kindLast))
		edit.ShowName, edit.Language = Some(rapid.Bool().Draw(rt, "show")), Some("et")
	}
	if rapid.Bool().Draw(rt, "move") {
		edit.Line = Some(rapid.IntRange(1, 4).Draw(rt, "line"))
	}
	title := m.mark(id, kindExtra)
	if t := m.tickets[id]; t != nil && len(t.Private.Extra) > 0 {
		title = t.Private.Extra[0].Title
	}
	field := SetField{Ref: r, Title: title}
	if rapid.Bool().Draw(rt, "value") {
		field.Value = ptr(m.mark(id, kindExtra))
	}
	return pick(rt, "edit", []Command{
		edit, edit, field, Label{Ref: r, Add: label(rt)}, Label{Ref: r, Remove: label(rt)}, Label{Ref: r, Set: Some([]string{label(rt)})},
		Label{Ref: r, Add: label(rt), tag: true}, Label{Ref: r, Set: Some([]string{})},
		SetExternal{Ref: r, Provider: pick(rt, "provider", []string{"crm", "shop"}), Title: m.mark(id, kindData), Data: []byte(`{ "x": "` + m.mark(id, kindData) + `<" }`)},
	})
}

func (m *machine) talkCommand(rt *rapid.T, r Ref, user int) Command {
	id := r.TicketID()
	state := rapid.SampledFrom([]ConversationState{
		ConversationOpen, ConversationClosed, ConversationPending, ConversationSnoozed, "Asleep",
	}).Draw(rt, "state")
	talking := m.prefer(rt, r, func(t *Ticket) bool { return t.Conversation.StaffMessages+t.Conversation.ClientMessages > 0 })
	read := MarkRead{Ref: talking, UpTo: 1}
	if t := m.s.Tickets[talking.TicketID()]; t != nil {
		read.UpTo = rapid.Uint64Range(1, t.Conversation.Seq+1).Draw(rt, "up to")
	}
	message := SendMessage{Ref: r, Text: m.mark(id, kindText), ClientID: fmt.Sprintf("c-%d", len(m.owner))}
	if rapid.Bool().Draw(rt, "rich") {
		message.HTML = "<p>" + m.mark(id, kindText) + "</p>"
		message.Attachments = []Attachment{{ID: 1, OriginalFileName: m.mark(id, kindText)}}
		message.Payload = []byte(`{"q":"` + m.mark(id, kindText) + `"}`)
	}
	return pick(rt, "talk", []Command{
		read, message, message, AddNote{Ref: r, Text: m.mark(id, kindNote)}, read, MarkRead{Ref: r, UpTo: 1},
		SetMessageStatus{Ref: r, Seq: 1, Status: TextSent},
		SetConversation{Ref: r, State: state}, SetConversation{Ref: r, State: state}, SetOwner{Ref: r, User: user, Keep: rapid.Bool().Draw(rt, "keep")},
		AddParticipant{Ref: r, Protocol: "SMS", ParticipantName: ParticipantName{
			Name: m.mark(id, kindMember), DisplayName: m.mark(id, kindMember), Identifier: m.mark(id, kindMember),
		}},
	})
}

func (m *machine) houseCommand(rt *rapid.T, user int) Command {
	n := rapid.IntRange(1, 3).Draw(rt, "which")
	flip := rapid.Bool().Draw(rt, "flip")
	line, desk, location := *m.s.Lines[n], *m.s.Desks[n], *m.s.Location
	line.Disabled, line.Name = flip && n > 1, "Line"
	desk.Name = fmt.Sprintf("Desk %d", len(m.log))
	location.Timezone = rapid.SampledFrom([]string{"Europe/Tallinn", "Australia/Lord_Howe"}).Draw(rt, "zone")
	location.Settings.Names = rapid.SampledFrom([]string{"none", "first", "initial"}).Draw(rt, "names")
	person := *m.s.Users[n]
	person.Removed = flip && n == 3
	return pick(rt, "house", []Command{
		PutLine{line}, PutDesk{desk}, PutLocation{location}, PutUser{person},
		Select{User: user, Desk: Some(n), Lines: Some([]int{n})}, Select{User: user, Desk: Some(0)},
		OverrideWait{Line: n, Minutes: Some(5 * user), Reason: "crowd"},
		PutDisplay{Display: Display{Name: "TV", Lines: []int{n}}}, PutDisplay{Display: Display{ID: 1, Name: "TV", Removed: flip}, Reload: true},
	})
}
