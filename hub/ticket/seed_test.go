package ticket

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// queueSeed holds every field of the published queue ticket form.
const queueSeed = `
id string
publicId string
status string
source string
line number
firstName string
lastName string
phoneNumber string
email string
languageCode string
orderAfter string
created.date string
called.date string
called.caller number
called.desk number
served.date string
assigned.assigner number
assigned.assignee number
extra array
extra[].title string
extra[].value string
labels array
labels[].value string
labels[].color string
interactions array
interactions[].start string
interactions[].end string
interactions[].line number
interactions[].user number
messages array
messages[].created.date string
messages[].body string
messages[].type string
messages[].status string`

// conversationSeed holds every field of the published conversation ticket form,
// without id and transactions, which are beside the conversation here.
const conversationSeed = `
departmentId string
field1 string
field2 string
field3 string
field4 string
field5 string
field6 string
field7 string
field8 string
field9 string
field10 string
culture string
ticketType string
tags array
tags[] string
owner.id string
owner.gender string
owner.UserName string
owner.culture string
owner.isAnonymous boolean
owner.uniqueArgument string
owner.type string
state string
open string
close string
lastActivity string
uniqueArgument string
primaryProtocolType string
details.userAgent string
details.iPAddress string
details.location string
details.source.title string
details.source.uri string
details.referral.utmParameters.utm_source string
details.referral.utmParameters.utm_medium string
details.referral.utmParameters.utm_campaign string
details.referral.utmParameters.utm_content string
details.referral.utmParameters.utm_term string
details.referral.adId string
details.referral.adTitle string
details.referral.productId string
details.referral.refData string
details.referral.fbPostId string
participants[].id number
participants[].name string
participants[].displayName string
participants[].protocolType string
participants[].subProtocolType string
participants[].isActive boolean
participants[].isDeleted boolean
participants[].identifier string
participants[].type string
participants[].userName string
dynamicParameters[].id string
dynamicParameters[].flowId string
dynamicParameters[].name string
dynamicParameters[].value any
dynamicParameters[].type string
dynamicParameters[].creationDatetime string`

const transactionSeed = `
guidTransactionId string
dateTime string
fromProtocolType string
type string
text string
html string
status string
fromParticipant.id number
fromParticipant.name string
fromParticipant.displayName string
fromParticipant.protocolType string
fromParticipant.subProtocolType string
fromParticipant.isActive boolean
fromParticipant.isDeleted boolean
fromParticipant.identifier string
fromParticipant.type string
attachments array
attachments[].id number
attachments[].type string
attachments[].fileIdentifier string
attachments[].originalFileName string
attachments[].thumbnails array
attachments[].thumbnails[] string
attachments[].uri string
attachments[].isEmbedded boolean`

func TestSeedFieldsExist(t *testing.T) {
	for _, c := range []struct {
		seed string
		form any
	}{
		{queueSeed, QueueTicket{}}, {conversationSeed, StaffConversation{}}, {transactionSeed, TransactionView{}},
	} {
		typ := reflect.TypeOf(c.form)
		have := map[string]string{}
		for _, m := range members(typ) {
			have[m.path] = m.kind
		}
		for _, line := range strings.Split(strings.TrimSpace(c.seed), "\n") {
			path, kind, _ := strings.Cut(line, " ")
			if have[path] != kind {
				t.Errorf("%s: %s is %q, want %s", typ.Name(), path, have[path], kind)
			}
		}
	}
}

// asSent is a value as a client reads it.
func asSent(t *testing.T, v any) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(jsonOf(t, v)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is always there, and what is there in one status only.
func TestQueueFormByStatus(t *testing.T) {
	only := map[string]Status{"called": Called, "served": Served, "cancelled": Cancelled}
	for _, status := range statuses {
		q := asSent(t, subject(t, status).ticket(2).QueueTicket())
		for _, name := range []string{"id", "publicId", "status", "source", "languageCode"} {
			if _, ok := q[name].(string); !ok {
				t.Errorf("%s: %s is %v", status, name, q[name])
			}
		}
		for _, name := range []string{"extra", "labels"} {
			if list, ok := q[name].([]any); !ok || len(list) != 0 {
				t.Errorf("%s: %s is %v, want an empty array", status, name, q[name])
			}
		}
		for name, when := range only {
			if _, there := q[name]; there != (status == when) {
				t.Errorf("%s: %s is there: %v", status, name, there)
			}
		}
		for _, name := range []string{"interactions", "messages", "connectedTickets", "firstName", "orderAfter"} {
			if v, there := q[name]; there {
				t.Errorf("%s: %s is %v, want absent", status, name, v)
			}
		}
		if text := jsonOf(t, q); strings.Contains(text, "null") {
			t.Errorf("%s: a null in %s", status, text)
		}
	}
}

func TestQueueFormValues(t *testing.T) {
	w := newWorld(t)
	w.must(Create{
		Line: 1, FirstName: "Ida", LastName: "Berg", PhoneNumber: "+46701234567", Email: "ida@example.com", Language: "sv", Source: SourceName,
		Extra: []Extra{{Title: "Order", Value: "Z-19", Color: "red"}}, Labels: []string{"VIP"},
	}, nobody)
	w.must(Assign{Ref: ref(1), User: 2}, clerk(1))
	w.call(1, 1, 3)
	want := `{"id":"1","publicId":"A-1","status":"CALLED","source":"NAME","line":1,"firstName":"Ida","lastName":"Berg",` +
		`"phoneNumber":"+46701234567","email":"ida@example.com","languageCode":"sv","created":{"date":"2026-11-21T10:00:00.000Z"},` +
		`"called":{"date":"2026-11-21T10:00:00.000Z","caller":1,"desk":3},"assigned":{"assigner":1,"assignee":2},` +
		`"extra":[{"title":"Order","value":"Z-19","color":"red"}],"labels":[{"value":"VIP","color":"` + LabelColor("VIP") + `"}]}`
	if got := jsonOf(t, w.ticket(1).QueueTicket()); got != want {
		t.Errorf("called:\n%s\nwant\n%s", got, want)
	}
	w.must(ReturnToQueue{Ref: ref(1), Position: PositionLast}, clerk(1))
	w.call(1, 0, 0)
	q := asSent(t, w.ticket(1).QueueTicket())
	if called := q["called"].(map[string]any); len(called) != 1 {
		t.Errorf("called by nobody known, to no desk: %v", called)
	}
	if q["orderAfter"] != "2026-11-21T10:00:00.000Z" {
		t.Errorf("orderAfter %v", q["orderAfter"])
	}
	want = `[{"start":"2026-11-21T10:00:00.000Z","end":"2026-11-21T10:00:00.000Z","line":1,"user":1,"desk":3},` +
		`{"start":"2026-11-21T10:00:00.000Z","line":1}]`
	if got := jsonOf(t, w.ticket(1).Visits()); got != want {
		t.Errorf("interactions:\n%s\nwant\n%s", got, want)
	}
}

func TestLabelColor(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-F]{6}$`)
	for _, text := range []string{"", "VIP", "ä", strings.Repeat("x", 50)} {
		if c := LabelColor(text); !form.MatchString(c) || c != LabelColor(strings.ToUpper(text)) {
			t.Errorf("%q has the colour %q", text, c)
		}
	}
}

func TestQueueMessages(t *testing.T) {
	client, user := Participant{Type: ParticipantClient}, Participant{Type: ParticipantUser, User: 7}
	for _, c := range []struct {
		x           Transaction
		typ, status string
		userID      int
		none        bool
	}{
		{x: Transaction{Type: TransactionMessage, Protocol: ProtocolSMS, From: client, Status: "New"}, typ: "INCOMING", status: "DELIVERED"},
		{x: Transaction{Type: TransactionMessage, Protocol: ProtocolSMS, From: user, Status: "New"}, typ: "OUTGOING", status: "NEW", userID: 7},
		{x: Transaction{Type: TransactionMessage, Protocol: ProtocolSMS, From: user, Status: StatusRead}, typ: "OUTGOING", status: "DELIVERED", userID: 7},
		{x: Transaction{Type: TransactionMessage, Protocol: ProtocolWeb, From: user}, none: true},
		{x: Transaction{Type: TransactionNote, Protocol: ProtocolSMS, From: user}, none: true},
	} {
		c.x.At, c.x.Text = noon, "hello"
		q, ok := QueueMessage(&c.x)
		if ok == c.none {
			t.Errorf("%+v: a message: %v", c.x, ok)
		}
		if ok && (q.Type != c.typ || q.Status != c.status || q.UserID != c.userID || q.Body != "hello" || q.Created.Date != "2026-11-21T10:00:00.000Z") {
			t.Errorf("%+v: %+v", c.x, q)
		}
	}
}

// An empty list is an empty list on the wire, never null: clients loop over it.
func TestEmptyListsAreLists(t *testing.T) {
	s := NewState(1)
	s.Location = &Location{ID: 1, GUID: "g"}
	tk := &Ticket{ID: 1, Conversation: Conversation{State: ConversationOpen}}
	for name, v := range map[string]any{
		"staff": s.StaffTicket(tk), "user": (&User{}).StaffUser(), "entry": tk.TransactionView(&Transaction{}),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range []string{"tags", "dynamicParameters", "participants", "lines", "attachments", "extra", "labels", "external"} {
			if strings.Contains(string(b), `"`+list+`":null`) {
				t.Errorf("%s: %s is null in %s", name, list, b)
			}
		}
	}
}
