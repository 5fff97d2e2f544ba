package ticket

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

type commandExample struct {
	name, params string
	want         Command
}

func ptr[T any](v T) *T { return &v }

// commandExamples holds every command with all of its parameters.
var commandExamples = []commandExample{
	{"ticket.create", `{"line":3,"firstName":"Ida","lastName":"Berg","phoneNumber":"+46701234567","email":"ida@example.com","languageCode":"sv",
		"source":"NAME","showName":true,"extra":[{"title":"Order","value":"Z-19"}],"labels":["VIP"]}`,
		Create{Line: 3, FirstName: "Ida", LastName: "Berg", PhoneNumber: "+46701234567", Email: "ida@example.com", Language: "sv",
			Source: SourceName, ShowName: true, Extra: []Extra{{Title: "Order", Value: "Z-19"}}, Labels: []string{"VIP"}}},
	{"ticket.call", `{"ticket":"17","desk":3,"user":2,"keepActive":true}`, CallTicket{Ref: ref(17), Desk: 3, User: 2, KeepActive: true}},
	{"ticket.callNext", `{"lines":[1,2],"desk":3,"user":2,"keepActive":true}`, CallNext{Lines: []int{1, 2}, Desk: 3, User: 2, KeepActive: true}},
	{"ticket.recall", `{"ticket":"17"}`, Recall{ref(17)}},
	{"ticket.serve", `{"ticket":17}`, Serve{ref(17)}},
	{"ticket.noShow", `{"ticket":"17"}`, MarkNoShow{ref(17)}},
	{"ticket.cancel", `{"ticket":"17","user":2}`, Cancel{Ref: ref(17), User: 2}},
	{"ticket.returnToQueue", `{"ticket":"17","position":"MIDDLE","user":2}`, ReturnToQueue{Ref: ref(17), Position: PositionMiddle, User: 2, Undo: true}},
	{"ticket.forward", `{"ticket":"17","line":2,"user":1}`, Forward{Ref: ref(17), Line: 2, User: 1}},
	{"ticket.answer", `{"ticket":"17","answer":"needTime","minutes":10}`, Answer{Ref: ref(17), Answer: AnswerNeedTime, Minutes: 10}},
	{"ticket.enqueue", `{"ticket":"17","line":2}`, Enqueue{Ref: ref(17), Line: 2}},
	{"ticket.reorder", `{"ticket":"17","after":"18"}`, Reorder{Ref: ref(17), After: 18}},
	{"ticket.assign", `{"ticket":"17","user":2,"assigner":1}`, Assign{Ref: ref(17), User: 2, Assigner: 1}},
	{"ticket.unassign", `{"ticket":"17"}`, Unassign{ref(17)}},
	{"ticket.edit", `{"ticket":"17","firstName":"Ida","lastName":null,"phoneNumber":"1","email":"a@b.c","languageCode":"en","showName":false,"extra":[],"line":2}`,
		Edit{Ref: ref(17), FirstName: Some("Ida"), LastName: Some(""), PhoneNumber: Some("1"), Email: Some("a@b.c"), Language: Some("en"),
			ShowName: Some(false), Extra: Some([]Extra{}), Line: Some(2)}},
	{"ticket.label", `{"ticket":"17","set":["a","b"]}`, Label{Ref: ref(17), Set: Some([]string{"a", "b"})}},
	{"ticket.label", `{"ticket":"17","add":"a"}`, Label{Ref: ref(17), Add: "a"}},
	{"ticket.external", `{"ticket":"17","provider":"crm","title":"CRM","data":{"fields":[]}}`,
		SetExternal{Ref: ref(17), Provider: "crm", Title: "CRM", Data: []byte(`{"fields":[]}`)}},
	{"ticket.field", `{"ticket":"17","title":"Order","value":"Z"}`, SetField{Ref: ref(17), Title: "Order", Value: ptr("Z")}},
	{"message.send", `{"ticket":"17","text":"hello","clientId":"c-1","files":["f"]}`, SendMessage{Ref: ref(17), Text: "hello", ClientID: "c-1", Files: []string{"f"}}},
	{"note.add", `{"ticket":"17","text":"hello"}`, AddNote{Ref: ref(17), Text: "hello"}},
	{"message.read", `{"ticket":"17","upTo":4}`, MarkRead{Ref: ref(17), UpTo: 4}},
	{"conversation.state", `{"ticket":"17","state":"Snoozed"}`, SetConversation{Ref: ref(17), State: ConversationSnoozed}},
	{"conversation.owner", `{"ticket":"17","user":2,"keep":true}`, SetOwner{Ref: ref(17), User: 2, Keep: true}},
	{"conversation.participant", `{"ticket":"17","protocolType":"SMS","subProtocolType":"Undefined","name":"Ida","displayName":"I","identifier":"46","userName":"u"}`,
		AddParticipant{Ref: ref(17), Protocol: "SMS", SubProtocol: "Undefined",
			ParticipantName: ParticipantName{Name: "Ida", DisplayName: "I", Identifier: "46", UserName: "u"}}},
	{"conversation.tag", `{"ticket":"17","remove":"a"}`, Label{Ref: ref(17), Remove: "a", tag: true}},
	{"ticket.erase", `{"ticket":"17"}`, Erase{ref(17)}},
	{"line.waitOverride", `{"line":2,"minutes":-5,"reason":"clerkJoined"}`, OverrideWait{Line: 2, Minutes: Some(-5), Reason: "clerkJoined"}},
	{"user.select", `{"user":2,"desk":null,"lines":[1]}`, Select{User: 2, Desk: Some(0), Lines: Some([]int{1})}},
}

func TestParseCommand(t *testing.T) {
	for _, c := range commandExamples {
		got, err := ParseCommand(c.name, []byte(c.params))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if got.Name() != c.name {
			t.Errorf("%s is called %s", c.name, got.Name())
		}
	}
}

// Every command of the protocol's table is read, with each parameter that the
// table gives it.
func TestParseKnowsTheProtocol(t *testing.T) {
	text, err := os.ReadFile("../../PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ((?:ticket|message|note|conversation)\.[a-zA-Z]+(?:, ticket\.[a-zA-Z]+)*) \| ([^|]*)\|`)
	section := string(text)[strings.Index(string(text), "## Commands"):]
	section, _, _ = strings.Cut(section, "\n## Errors")
	found := rows.FindAllStringSubmatch(section, -1)
	if len(found) < 20 {
		t.Fatalf("only %d rows of the table could be read", len(found))
	}
	for _, row := range found {
		for _, name := range strings.Split(row[1], ", ") {
			if !hasExample(name) {
				t.Errorf("%s has no example", name)
			}
			if _, err := ParseCommand(name, []byte(`{"noSuchMember":1}`)); fieldOf(err) != "noSuchMember" {
				t.Errorf("%s with an unknown member: %v", name, err)
			}
		}
	}
}

func hasExample(name string) bool {
	for _, c := range commandExamples {
		if c.name == name {
			return true
		}
	}
	return false
}

func fieldOf(err error) string {
	var e *wire.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Field
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, params, field string }{
		{"ticket.dance", `{}`, "name"},
		{"", `{}`, "name"},
		{"ticket.call", ``, "ticket"},
		{"ticket.call", `null`, "ticket"},
		{"ticket.call", `{}`, "ticket"},
		{"ticket.call", `[]`, "params"},
		{"ticket.call", `{"ticket"`, "params"},
		{"ticket.call", `{"ticket":"1"} {}`, "params"},
		{"ticket.call", `{"ticket":"1"}x`, "params"},
		{"ticket.call", `{"ticket":"x"}`, "ticket"},
		{"ticket.call", `{"ticket":"0"}`, "ticket"},
		{"ticket.call", `{"ticket":-1}`, "ticket"},
		{"ticket.call", `{"ticket":1.5}`, "ticket"},
		{"ticket.call", `{"ticket":null}`, "ticket"},
		{"ticket.call", `{"ticket":["1"]}`, "ticket"},
		{"ticket.call", `{"ticket":"99999999999999999999"}`, "ticket"},
		{"ticket.call", `{"ticket":"1","desk":"3"}`, "desk"},
		{"ticket.call", `{"ticket":"1","desk":1e400}`, "desk"},
		{"ticket.call", `{"ticket":"1","keepActive":"yes"}`, "keepActive"},
		{"ticket.call", `{"ticket":"1","keepOpen":true}`, "keepOpen"},
		{"ticket.call", `{"ticket":"1","":1}`, "params"},
		{"ticket.call", `{"ticket":"1","` + strings.Repeat("x", 60) + `":1}`, "params"},
		{"ticket.callNext", `{"lines":"1,2"}`, "lines"},
		{"ticket.callNext", `{"lines":["1"]}`, "lines"},
		{"ticket.reorder", `{"ticket":"1","after":"x"}`, "after"},
		{"ticket.reorder", `{"ticket":"1","after":true}`, "after"},
		{"ticket.create", `{"line":"1"}`, "line"},
		{"ticket.create", `{"line":1,"labels":[{"value":"x"}]}`, "labels"},
		{"ticket.create", `{"line":1,"extra":[{"title":1}]}`, "title"},
		{"ticket.create", `{"line":1,"extra":[{"name":"x"}]}`, "name"},
		{"ticket.returnToQueue", `{"ticket":"1","undo":true}`, "undo"},
		{"ticket.edit", `{"ticket":"1","firstName":1}`, "firstName"},
		{"ticket.edit", `{"ticket":"1","line":"2"}`, "line"},
		{"ticket.edit", `{"ticket":"1","extra":{}}`, "extra"},
		{"ticket.label", `{"ticket":"1"}`, "add"},
		{"ticket.label", `{"ticket":"1","add":"a","remove":"b"}`, "add"},
		{"ticket.label", `{"ticket":"1","add":"a","set":[]}`, "add"},
		{"ticket.field", `{"ticket":"1","title":"a","value":5}`, "value"},
		{"message.send", `{"ticket":"1","text":"x","html":"<b>"}`, "html"},
		{"message.read", `{"ticket":"1","upTo":-1}`, "upTo"},
		{"conversation.state", `{"ticket":"1","state":1}`, "state"},
		{"user.select", `{"desk":"3"}`, "desk"},
	} {
		got, err := ParseCommand(c.name, []byte(c.params))
		if wire.CodeOf(err) != wire.BadRequest || fieldOf(err) != c.field {
			t.Errorf("%s %s: %v, %v; want bad_request of %s", c.name, c.params, got, err, c.field)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, c := range commandExamples {
		f.Add(c.name, []byte(c.params))
	}
	f.Add("ticket.call", []byte(`{"ticket":{"ticket":"1"}}`))
	f.Fuzz(func(t *testing.T, name string, params []byte) {
		c, err := ParseCommand(name, params)
		if err != nil {
			var e *wire.Error
			if !errors.As(err, &e) || e.Code != wire.BadRequest || e.Field == "" {
				t.Fatalf("%q %q: %v is not a bad_request with a field", name, params, err)
			}
			return
		}
		if c.Name() != name {
			t.Fatalf("%q was read as %q", name, c.Name())
		}
		if on, ok := c.(OnTicket); ok && on.TicketID() < 1 {
			t.Fatalf("%q %q: about ticket %d", name, params, on.TicketID())
		}
		w := newWorld(t) // whatever was read may be asked for
		w.create(1)
		if _, err := w.do(c, clerk(1)); err != nil && wire.CodeOf(err) == wire.Internal {
			t.Fatalf("%q %q: %v is not coded", name, params, err)
		}
	})
}
