package ticket

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"
)

// chatSeed is the published conversation ticket, with ids and addresses that are
// well-formed and links that are short.
const chatSeed = `{
"id": 13783, "departmentId": "824b4850-b24c-45ed-8d41-c740ad2618bf",
"field1": "Tuscany vacation", "field2": "3909 Saint James Drive, Chambersburg", "field3": "", "field4": "", "field5": "",
"field6": "", "field7": "", "field8": "", "field9": "", "field10": "",
"culture": "en-US", "ticketType": "Regular", "tags": ["Vacation"],
"owner": {"id": "648370ad-8c0a-4809-8373-d914f2bfbc36", "gender": "Male", "UserName": "john@example.com", "culture": "en-US",
  "isAnonymous": false, "uniqueArgument": "", "type": "AGENT"},
"state": "Open", "open": "2018-11-26T19:42:53.15", "close": "0001-01-01T00:00:00", "lastActivity": "2018-11-27T16:42:53.15",
"uniqueArgument": "", "primaryProtocolType": "Web",
"details": {"userAgent": "Mozilla/5.0", "iPAddress": "144.31.95.46", "location": "Kansas City, MO, USA", "source": {"title": "", "uri": ""},
  "referral": {"utmParameters": {"utm_source": "facebook", "utm_medium": "banner", "utm_campaign": "product launch",
    "utm_content": "bottom button", "utm_term": "textlink"}, "adId": "", "adTitle": "", "productId": "", "refData": "", "fbPostId": ""}},
"participants": [
  {"id": 1, "name": "Jack Bower", "displayName": "", "protocolType": "Web", "subProtocolType": "Undefined", "isActive": true,
   "isDeleted": false, "identifier": "", "type": "Client", "userName": ""},
  {"id": 2, "name": "John Wick", "displayName": "John", "protocolType": "Web", "subProtocolType": "Undefined", "isActive": true,
   "isDeleted": false, "identifier": "648370ad-8c0a-4809-8373-d914f2bfbc36", "type": "User", "userName": "john@example.com"}],
"transactions": [
  {"guidTransactionId": "b2979cc0-82a6-47e1-9cc1-ec71220648d8", "dateTime": "2018-11-26T19:44:30", "fromProtocolType": "Web",
   "type": "Message", "text": "Hi Jack,\nIm sorry", "html": "<p>Hi Jack,</p>", "status": "Delivered",
   "fromParticipant": {"id": 2, "name": "John Wick", "displayName": "John", "protocolType": "Web", "subProtocolType": "Undefined",
     "isActive": true, "isDeleted": false, "identifier": "648370ad-8c0a-4809-8373-d914f2bfbc36", "type": "User"}, "attachments": []},
  {"guidTransactionId": "0f6daf80-6dd8-4c9d-8c2b-2eef8129236f", "dateTime": "2018-11-26T19:42:54", "fromProtocolType": "Web",
   "type": "Message", "text": "Hi,\nI'm look for a vacation package in Tuscany.", "html": "", "status": "Read",
   "fromParticipant": {"id": 1, "name": "Jack Bower", "displayName": "", "protocolType": "Web", "subProtocolType": "Undefined",
     "isActive": true, "isDeleted": false, "identifier": "", "type": "Client"}, "attachments": []},
  {"guidTransactionId": "26cbf03f-9b8f-47da-a214-8e3977903823", "dateTime": "2018-11-26T19:42:53", "fromProtocolType": "Web",
   "type": "IntroductionMessage", "text": "Hello! How may we assist you today?", "html": "", "status": "Read",
   "fromParticipant": {"id": 2, "name": "John Wick", "displayName": "John", "protocolType": "Web", "subProtocolType": "Undefined",
     "isActive": false, "isDeleted": false, "identifier": "648370ad-8c0a-4809-8373-d914f2bfbc36", "type": "User"},
   "attachments": [{"id": 1557, "type": "Image", "fileIdentifier": "201118135610uploadedimageklapzqep.jpg",
     "originalFileName": "UPLOADED_IMAGE.jpg", "thumbnails": ["https://x/thumbnail"], "uri": "https://x/201118135610uploadedimageklapzqep.jpg",
     "isEmbedded": false}]},
  {"guidTransactionId": "0932b960-c423-48e8-b914-d74daef6a309", "dateTime": "2018-11-26T19:42:53", "fromProtocolType": "Undefined",
   "type": "TicketOpened", "text": "", "html": "", "status": "Read",
   "fromParticipant": {"id": 0, "name": "", "displayName": null, "protocolType": "Undefined", "subProtocolType": "Undefined",
     "isActive": true, "isDeleted": false, "identifier": "00000000-0000-0000-0000-000000000000", "type": "System"}, "attachments": []}],
"dynamicParameters": [{"id": "787cb557-cf6f-4c3c-bc73-711096769c4c", "flowId": "5b09d05d-7e0c-472b-a3aa-5b91f9be826c", "name": "userId",
  "value": 3, "type": "Number", "creationDatetime": "2021-12-19T05:12:11Z"}]
}`

// newer are the members that newer forms have beside the published one.
var newer = []string{
	"movedToTicketId", "movedFromTicketId", "movedToDepartmentId", "movedFromDepartmentId", "firstCustomerMessageDateTime",
	"firstAgentMessageDateTime", "lastCustomerMessageDateTime", "lastAgentMessageDateTime", "firstAgentMessageUserId",
	"firstAgentAllocationTimestamp", "lastAgentAllocationTimestamp", "queueTimeGross", "queueTimeNet", "firstAgentResponseTimeGross",
	"firstAgentResponseTimeNet", "agentAssignToResponseTimeGross", "agentAssignToResponseTimeNet", "agentResponseAverageTimeNet",
	"totalConversationTimeNet", "durationGross", "durationNet", "agentMediaCount", "customerMediaCount", "agentMessagesCount",
	"customerMessagesCount", "agentCannedRepliesCount", "transactionsCount", "isIncoming", "isScrambled", "wasClosedAutomatically",
	"ticketSummary", "nestedTicketsIds", "parentNestedTicketId", "botConversationId", "botConversations", "botConversationSteps",
	"contactId", "departmentIdentifier", "payload", "thumbnailsFileIdentifiers", "sanitizationState", "description", "strValue", "boolValue", "numValue", "intValue",
}

func at(v string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05.999", v)
	if err != nil {
		panic(err)
	}
	return t
}

// seeded is the published ticket as the domain keeps it.
func seeded() (*State, *Ticket, []Transaction) {
	s := NewState(1)
	s.Location = &Location{ID: 1, GUID: "824B4850-B24C-45ED-8D41-C740AD2618BF"}
	john := &User{ID: 7, GUID: "648370ad-8c0a-4809-8373-d914f2bfbc36", Email: "john@example.com", FirstName: "John", LastName: "Wick"}
	s.Users[7] = john
	client := Participant{ID: 1, Type: ParticipantClient, Protocol: ProtocolWeb, Active: true, ReadUpTo: 2}
	agent := Participant{ID: 2, Type: ParticipantUser, Protocol: ProtocolWeb, User: 7, Active: true, ReadUpTo: 4}
	away := agent
	away.Active = false
	jack, wick := ParticipantName{Name: "Jack Bower"}, ParticipantName{Name: "John Wick", DisplayName: "John", Identifier: john.GUID, UserName: john.Email}
	t := &Ticket{ID: 13783, Location: 1, Language: "en", Labels: []string{"Vacation"}, Conversation: Conversation{
		State: ConversationOpen, OpenedAt: at("2018-11-26T19:42:53.15"), LastActivity: at("2018-11-27T16:42:53.15"), Culture: "en-US",
		Type: "Regular", Owner: 7, Protocol: ProtocolWeb, Participants: []Participant{client, agent}, Seq: 4,
	}, Private: Private{
		Fields: [10]string{"Tuscany vacation", "3909 Saint James Drive, Chambersburg"}, Names: map[int]ParticipantName{1: jack, 2: wick},
		Details: &Details{UserAgent: "Mozilla/5.0", IPAddress: "144.31.95.46", Location: "Kansas City, MO, USA", Referral: Referral{
			UTM: &UTM{"facebook", "banner", "product launch", "bottom button", "textlink"}}},
		Dynamic: []DynamicParameter{{ID: "787cb557-cf6f-4c3c-bc73-711096769c4c", FlowID: "5b09d05d-7e0c-472b-a3aa-5b91f9be826c",
			Name: "userId", Value: json.RawMessage("3"), Type: "Number", Created: at("2021-12-19T05:12:11")}},
	}}
	return s, t, []Transaction{
		{Seq: 4, GUID: "b2979cc0-82a6-47e1-9cc1-ec71220648d8", At: at("2018-11-26T19:44:30"), Type: TransactionMessage, Protocol: ProtocolWeb,
			Text: "Hi Jack,\nIm sorry", HTML: "<p>Hi Jack,</p>", Status: StatusDelivered, From: agent, FromName: wick},
		{Seq: 3, GUID: "0f6daf80-6dd8-4c9d-8c2b-2eef8129236f", At: at("2018-11-26T19:42:54"), Type: TransactionMessage, Protocol: ProtocolWeb,
			Text: "Hi,\nI'm look for a vacation package in Tuscany.", Status: StatusDelivered, From: client, FromName: jack},
		{Seq: 2, GUID: "26cbf03f-9b8f-47da-a214-8e3977903823", At: at("2018-11-26T19:42:53"), Type: TransactionIntro, Protocol: ProtocolWeb,
			Text: "Hello! How may we assist you today?", Status: StatusDelivered, From: away, FromName: wick,
			Attachments: []Attachment{{ID: 1557, Type: "Image", FileIdentifier: "201118135610uploadedimageklapzqep.jpg", OriginalFileName: "UPLOADED_IMAGE.jpg"}}},
		{Seq: 1, GUID: "0932b960-c423-48e8-b914-d74daef6a309", At: at("2018-11-26T19:42:53"), Type: TransactionOpened, Protocol: ProtocolUndefined,
			Status: StatusDelivered, From: Participant{Type: ParticipantSystem, Protocol: ProtocolUndefined, Active: true}},
	}
}

// The published form comes out member by member, and nothing beside it but what
// newer forms have.
func TestChatFormIsTheSeeds(t *testing.T) {
	s, ticket, thread := seeded()
	view := ChatView{
		Owner: func(u *User) ChatOwner {
			return ChatOwner{ID: u.GUID, Gender: "Male", UserName: u.Email, Culture: "en-US", Type: "AGENT"}
		},
		File: func(a *Attachment) ChatAttachment {
			return ChatAttachment{ID: a.ID, Type: a.Type, FileIdentifier: a.FileIdentifier, OriginalFileName: a.OriginalFileName,
				Thumbnails: []string{"https://x/thumbnail"}, URI: "https://x/" + a.FileIdentifier}
		},
	}
	form := s.ChatTicket(ticket, view)
	var list []ChatTransaction
	for i := range thread {
		list = append(list, ticket.ChatTransaction(&thread[i], view))
	}
	form.Transactions = &list
	var got, want any
	if err := json.Unmarshal([]byte(jsonOf(t, form)), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(chatSeed), &want); err != nil {
		t.Fatal(err)
	}
	same(t, "ticket", want, got)
}

func same(t *testing.T, path string, want, got any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %v", path, got)
			return
		}
		for name, v := range w {
			if x, there := g[name]; there {
				same(t, path+"."+name, v, x)
			} else {
				t.Errorf("%s.%s is missing", path, name)
			}
		}
		for name := range g {
			_, known := w[name]
			// "id" of a transaction is of newer forms, too.
			if !known && !slices.Contains(newer, name) && !(name == "id" && w["guidTransactionId"] != nil) {
				t.Errorf("%s.%s is in no form", path, name)
			}
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			t.Errorf("%s: %v, want %v", path, got, want)
			return
		}
		for i := range w {
			same(t, path+"[]", w[i], g[i])
		}
	default:
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestChatSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "00:00:00", time.Second: "00:00:01", 25*time.Hour + time.Minute: "1.01:01:00", 1500 * time.Millisecond: "00:00:01.5000000", -1: "00:00:00",
	} {
		if got := ChatSpan(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestWorkingHours(t *testing.T) {
	l := &Location{Hours: &Hours{Week: [7]Day{
		{Spans: []Span{{9 * 60, 17 * 60}}}, {Spans: []Span{{9 * 60, 17 * 60}}}, {Closed: true}, {}, {Spans: []Span{{22 * 60, 2 * 60}}}, {Closed: true}, {Closed: true},
	}}}
	for _, c := range []struct {
		from, to string
		want     time.Duration
	}{
		{"2026-03-02T08:00:00", "2026-03-02T10:00:00", time.Hour},      // Monday
		{"2026-03-02T16:00:00", "2026-03-03T10:00:00", 2 * time.Hour},  // over night
		{"2026-03-04T00:00:00", "2026-03-05T00:00:00", 0},              // closed
		{"2026-03-05T00:00:00", "2026-03-06T00:00:00", 24 * time.Hour}, // all day
		{"2026-03-06T23:00:00", "2026-03-07T12:00:00", 3 * time.Hour},  // past midnight
		{"2026-03-07T01:00:00", "2026-03-07T12:00:00", time.Hour},      // yesterday's span
		{"2026-03-02T10:00:00", "2026-03-02T10:00:00", 0},              // nothing
	} {
		if got := l.Working(at(c.from), at(c.to)); got != c.want {
			t.Errorf("%s to %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
