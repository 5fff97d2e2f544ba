package ticket

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

var statuses = [...]Status{New, Called, Served, NoShow, Cancelled, Scheduled, Unbooked, Missed, Unplaced}

// standings is what a refusal says of the subject in each status.
var standings = [...]string{
	"A-2 is waiting and was not called", "A-2 was already called to desk 2", "A-2 was already served",
	"A-2 was marked as no-show", "A-2 was cancelled", "A-P2 is SCHEDULED",
	"A-P2 is SCHEDULING_CANCELLED", "A-P2 is SCHEDULING_NOSHOW", "Ticket 2 is in no line",
}

// subject makes a world whose ticket 2, "A-2", has a status; it was assigned and
// written to while it waited.
func subject(t tb, status Status) *world {
	w := newWorld(t)
	w.create(1)
	switch status {
	case Scheduled, Unbooked, Missed:
		w.must(Schedule{Create: Create{Line: 1}, Start: w.now.Add(time.Hour), End: w.now.Add(2 * time.Hour), Assignee: 2}, nobody)
	case Unplaced:
		w.must(OpenConversation{Participants: []Newcomer{{Type: ParticipantClient, Protocol: ProtocolWeb}}}, nobody)
	default:
		w.must(Assign{Ref: ref(w.create(1)), User: 2}, nobody)
	}
	r := ref(2)
	w.must(SendMessage{Ref: r, Text: "hello"}, clerk(1))
	switch status {
	case Called, Served, NoShow:
		w.call(2, 1, 2)
	case Cancelled:
		w.must(Cancel{Ref: r}, clerk(1))
	case Unbooked:
		w.must(CancelAppointment{r}, clerk(1))
	case Missed:
		w.must(MissAppointment{r}, clerk(1))
	}
	switch status {
	case Served:
		w.must(Serve{r}, clerk(1))
	case NoShow:
		w.must(MarkNoShow{r}, clerk(1))
	}
	return w
}

// cell is what becomes of a command in a status.
type cell string

const (
	yes cell = "yes" // it happens
	no  cell = "no"  // conflict, saying where the ticket stands
)

type row struct {
	name  string
	c     Command
	cells [len(statuses)]cell
}

func table() []row {
	r := ref(2)
	text := "x"
	always := [len(statuses)]cell{yes, yes, yes, yes, yes, yes, yes, yes, yes}
	waiting := [len(statuses)]cell{yes, no, no, no, no, no, no, no, no}
	called := [len(statuses)]cell{no, yes, no, no, no, no, no, no, no}
	scheduled := [len(statuses)]cell{no, no, no, no, no, yes, no, no, no}
	return []row{
		// NEW, CALLED, SERVED, NOSHOW, CANCELLED, SCHEDULED, its two ends, no place
		{"call", CallTicket{Ref: r, Desk: 2}, waiting},
		{"recall", Recall{r}, called},
		{"serve", Serve{r}, called},
		{"no-show", MarkNoShow{r}, called},
		{"cancel", Cancel{Ref: r}, waiting},
		{"return", ReturnToQueue{Ref: r, Position: PositionFirst}, called},
		{"return or undo", ReturnToQueue{Ref: r, Position: PositionFirst, Undo: true}, [len(statuses)]cell{no, yes, no, yes, no, no, no, no, no}},
		{"forward", Forward{Ref: r, Line: 2}, called},
		{"reorder", Reorder{Ref: r}, waiting},
		{"assign", Assign{Ref: r, User: 1}, [len(statuses)]cell{yes, yes, no, no, no, no, no, no, no}},
		{"unassign", Unassign{r}, waiting},
		{"edit", Edit{Ref: r, FirstName: Some("Ida")}, always},
		{"edit line", Edit{Ref: r, Line: Some(2)}, waiting},
		{"label", Label{Ref: r, Add: "VIP"}, always},
		{"tag", Label{Ref: r, Add: "VIP", tag: true}, always},
		{"external", SetExternal{Ref: r, Provider: "p", Title: "t", Data: []byte("{}")}, always},
		{"field", SetField{Ref: r, Title: "f", Value: &text}, always},
		{"message", SendMessage{Ref: r, Text: "x"}, always},
		{"note", AddNote{Ref: r, Text: "x"}, always},
		{"read", MarkRead{Ref: r, UpTo: 1}, always},
		{"state", SetConversation{Ref: r, State: ConversationSnoozed}, always},
		{"owner", SetOwner{Ref: r, User: 3}, always},
		{"participant", AddParticipant{Ref: r, Protocol: "SMS"}, always},
		{"message status", SetMessageStatus{Ref: r, Seq: 1, Status: TextSent}, always},
		{"erase", Erase{r}, always},
		{"enqueue", Enqueue{Ref: r, Line: 2}, [len(statuses)]cell{no, no, no, no, no, no, no, no, yes}},
		{"answer", Answer{Ref: r, Answer: AnswerNeedTime}, [len(statuses)]cell{yes, yes, no, no, no, no, no, no, no}},
		{"reschedule", Reschedule{Ref: r, Assignee: Some(3)}, scheduled},
		{"check in", CheckIn{r}, scheduled},
		{"cancel appointment", CancelAppointment{r}, scheduled},
		{"miss appointment", MissAppointment{r}, scheduled},
	}
}

func TestEveryStatusWithEveryCommand(t *testing.T) {
	for _, row := range table() {
		for i, status := range statuses {
			t.Run(row.name+"/"+string(status), func(t *testing.T) {
				w := subject(t, status)
				if got := w.ticket(2).Place.Status; got != status {
					t.Fatalf("the subject is %q", got)
				}
				actor := clerk(1)
				if row.name == "read" {
					actor = visitor
				}
				if row.cells[i] == yes {
					if events := w.must(row.c, actor); len(events) == 0 {
						t.Errorf("nothing happened")
					}
					return
				}
				message := standings[i]
				if row.name == "edit line" {
					message += "; only a waiting ticket changes its line"
				}
				w.deny(row.c, actor, wire.Conflict, "", message)
			})
		}
	}
}

// The table is complete: every command about a ticket that the protocol knows is in it.
func TestTableNamesEveryCommand(t *testing.T) {
	have := map[string]bool{}
	for _, row := range table() {
		have[row.c.Name()] = true
	}
	for _, c := range commandExamples {
		if _, on := c.want.(OnTicket); on && !have[c.name] {
			t.Errorf("%s is not in the table", c.name)
		}
	}
}

func TestUnknownTicketIsNotFound(t *testing.T) {
	for _, row := range table() {
		row.c = withTicket(row.c, 999)
		newWorld(t).deny(row.c, clerk(1), wire.NotFound, "", "Ticket with id 999 not found")
	}
}

// withTicket is the same command about another ticket.
func withTicket(c Command, id int64) Command {
	r := ref(id)
	switch c := c.(type) {
	case Recall:
		return Recall{r}
	case Serve:
		return Serve{r}
	case MarkNoShow:
		return MarkNoShow{r}
	case Unassign:
		return Unassign{r}
	case Erase:
		return Erase{r}
	case CheckIn:
		return CheckIn{r}
	case CancelAppointment:
		return CancelAppointment{r}
	case MissAppointment:
		return MissAppointment{r}
	case Enqueue:
		c.Ref = r
		return c
	case Answer:
		c.Ref = r
		return c
	case Reschedule:
		c.Ref = r
		return c
	case SetMessageStatus:
		c.Ref = r
		return c
	default:
		return retarget(c, r)
	}
}

func retarget(c Command, r Ref) Command {
	switch c := c.(type) {
	case CallTicket:
		c.Ref = r
		return c
	case Cancel:
		c.Ref = r
		return c
	case ReturnToQueue:
		c.Ref = r
		return c
	case Forward:
		c.Ref = r
		return c
	case Reorder:
		c.Ref = r
		return c
	case Assign:
		c.Ref = r
		return c
	case Edit:
		c.Ref = r
		return c
	case Label:
		c.Ref = r
		return c
	case SetExternal:
		c.Ref = r
		return c
	case SetField:
		c.Ref = r
		return c
	case SendMessage:
		c.Ref = r
		return c
	case AddNote:
		c.Ref = r
		return c
	case MarkRead:
		c.Ref = r
		return c
	case SetConversation:
		c.Ref = r
		return c
	case SetOwner:
		c.Ref = r
		return c
	case AddParticipant:
		c.Ref = r
		return c
	}
	panic("no such command in the table: " + c.Name())
}

// An erased ticket goes on in its line; only what would be personal is refused.
func TestErasedTicketTakesNothingPersonal(t *testing.T) {
	personal := map[string]bool{
		"edit": true, "edit line": true, "external": true, "field": true, "message": true, "note": true, "participant": true,
		"message status": true,
	}
	for _, row := range table() {
		t.Run(row.name, func(t *testing.T) {
			status := statuses[slices.Index(row.cells[:], yes)] // the first in which it may happen
			w := subject(t, status)
			w.must(Erase{ref(2)}, nobody)
			switch {
			case personal[row.name]:
				w.deny(row.c, clerk(1), wire.Conflict, "", "ticket 2 was erased and takes no personal data")
			case row.name == "erase":
				w.nothing(row.c, clerk(1))
			default:
				w.must(row.c, clerk(1))
			}
			if got := jsonOf(t, w.ticket(2).Private); got != "{}" {
				t.Errorf("private after erasure: %s", got)
			}
		})
	}
}

func TestRefusalsNameTheNumberAndTheDesk(t *testing.T) {
	w := newWorld(t)
	for range 42 {
		w.create(1)
	}
	w.call(42, 1, 2)
	w.deny(CallTicket{Ref: ref(42), Desk: 3}, clerk(2), wire.Conflict, "", "A-42 was already called to desk 2")
	w.must(PutDesk{Desk{ID: 2, Name: "Two", Removed: true}}, nobody)
	_, err := w.do(CallTicket{Ref: ref(42)}, clerk(2))
	if err == nil || !strings.Contains(err.Error(), "A-42 was already called") {
		t.Errorf("after the desk was removed: %v", err)
	}
	w.call(41, 0, 0)
	w.deny(CallTicket{Ref: ref(41)}, clerk(2), wire.Conflict, "", "A-41 was already called")
}
