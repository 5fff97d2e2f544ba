package ticket

import (
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestWhatPeopleTypeIsChecked(t *testing.T) {
	long := strings.Repeat("ä", 51)
	for _, c := range []struct {
		c     Command
		field string
	}{
		{Create{Line: 1, FirstName: long}, "firstName"},
		{Create{Line: 1, LastName: "a\nb"}, "lastName"},
		{Create{Line: 1, FirstName: "\xff"}, "firstName"},
		{Create{Line: 1, PhoneNumber: "call me"}, "phoneNumber"},
		{Create{Line: 1, PhoneNumber: "+"}, "phoneNumber"},
		{Create{Line: 1, Email: "ida@"}, "email"},
		{Create{Line: 1, Language: "english!"}, "languageCode"},
		{Create{Line: 1, Source: "FAX"}, "source"},
		{Create{Line: 1, Labels: []string{""}}, "labels"},
		{Create{Line: 1, Labels: make([]string, 51)}, "labels"},
		{Create{Line: 1, Extra: []Extra{{Value: "x"}}}, "extra"},
		{Label{Ref: ref(1), Add: long}, "value"},
		{Label{Ref: ref(1)}, "value"},
		{SetExternal{Ref: ref(1), Title: "t", Data: []byte("{}")}, "provider"},
		{SetExternal{Ref: ref(1), Provider: "p", Data: []byte("{}")}, "title"},
		{SetExternal{Ref: ref(1), Provider: "p", Title: "t", Data: []byte("{")}, "data"},
		{SetExternal{Ref: ref(1), Provider: "p", Title: "t", Data: []byte("\"\xff\"")}, "data"},
		{SetField{Ref: ref(1), Value: ptr("x")}, "value"},
		{SetField{Ref: ref(1)}, "title"},
		{SendMessage{Ref: ref(1), Text: " \n"}, "text"},
		{SendMessage{Ref: ref(1), Text: "a\x00"}, "text"},
		{AddNote{Ref: ref(1)}, "text"},
		{MarkRead{Ref: ref(1), UpTo: 1}, "upTo"},
		{MarkRead{Ref: ref(1)}, "upTo"},
		{SetConversation{Ref: ref(1), State: "Asleep"}, "state"},
		{AddParticipant{Ref: ref(1), Protocol: "ida@example.com"}, "protocolType"},
		{AddParticipant{Ref: ref(1), SubProtocol: "+46701234567"}, "subProtocolType"},
		{PutLine{Line{}}, "name"},
		{PutLine{Line{Name: "x", Series: "A B"}}, "series"},
		{PutLine{Line{Name: "x", Series: "ABCD"}}, "series"},
		{PutLocation{Location{ID: 1, Name: "x", GUID: "g", Timezone: "Local"}}, "timezone"},
		{PutLocation{Location{ID: 1, Name: "x", GUID: "g", Timezone: "UTC", DayStart: 1440}}, "dayStart"},
		{PutLocation{Location{ID: 1, Name: "x", GUID: "g", Timezone: "UTC", SeriesLetters: "ABA"}}, "seriesLetters"},
		{PutLocation{Location{ID: 1, Name: "x", GUID: "g", Timezone: "UTC", Settings: Board{Names: "all"}}}, "names"},
		{PutUser{User{Email: "x", GUID: "g"}}, "email"},
	} {
		w := newWorld(t)
		w.create(1)
		w.deny(c.c, clerk(1), wire.BadRequest, c.field, "")
	}
	w := newWorld(t)
	w.create(1)
	w.deny(SendMessage{Ref: ref(1), Text: strings.Repeat("x", maxMessage+1)}, visitor, wire.TooLarge, "", "")
	w.deny(PutUser{User{Email: "ann@example.com", GUID: "g"}}, nobody, wire.Conflict, "email", "")
}

func TestConversation(t *testing.T) {
	w := newWorld(t)
	r := ref(w.create(1))
	events := w.must(SendMessage{Ref: r, Text: "one"}, visitor)
	equal(t, "a first message", types(events), []Type{EventState, EventParticipant, EventMessage})
	events = w.must(SendMessage{Ref: r, Text: "two"}, clerk(1))
	equal(t, "a clerk's first message", types(events), []Type{EventParticipant, EventMessage})
	events = w.must(AddNote{Ref: r, Text: "three"}, clerk(2))
	equal(t, "a note", types(events), []Type{EventMessage})
	w.must(SetConversation{Ref: r, State: ConversationClosed}, clerk(1))
	w.deny(SendMessage{Ref: r, Text: "four"}, clerk(1), wire.Conflict, "", "")
	events = w.must(SendMessage{Ref: r, Text: "five"}, visitor) // a visitor's message opens it again
	equal(t, "a visitor's message", types(events), []Type{EventState, EventMessage})
	c := w.ticket(1).Conversation
	if c.Seq != 7 || c.ClientMessages != 2 || c.StaffMessages != 1 || c.State != ConversationOpen || !c.ClosedAt.IsZero() {
		t.Errorf("conversation %+v", c)
	}
}
