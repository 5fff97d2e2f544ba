package chatapi

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
)

func TestCreate(t *testing.T) {
	r := newRig(t)
	a := r.post("Tickets/CREATE", `{"id":0,"contactId":null,"field1":"Tuscany","field2":null,"culture":"HE-il","tags":["vip"],
		"uniqueArgument":"crm-7","addIntroductionMessage":true,"details":{"userAgent":"Firefox","source":{"title":"Home","uri":null},"isMobile":null},
		"participants":[{"type":"Undefind","protocolType":"whatsapp","identifier":"+972 52-123","name":"Jack Bower","contactId":"00000000-0000-0000-0000-000000000000","isActive":true}],
		"transactions":[{"type":"Message","text":"Hi","fromParticipant":{"type":"Client","identifier":"97252123"}}]}`)
	for _, c := range []struct {
		path []any
		want any
	}{
		{[]any{"field1"}, "Tuscany"}, {[]any{"field2"}, ""}, {[]any{"culture"}, "he-IL"}, {[]any{"tags", 0}, "VIP"},
		{[]any{"state"}, "Open"}, {[]any{"close"}, "0001-01-01T00:00:00"}, {[]any{"uniqueArgument"}, "crm-7"},
		{[]any{"primaryProtocolType"}, "WhatsApp"}, {[]any{"isIncoming"}, true}, {[]any{"departmentId"}, department},
		{[]any{"participants", 0, "identifier"}, "97252123"}, {[]any{"participants", 0, "type"}, "Client"},
		{[]any{"participants", 1, "name"}, ticket.NobodyName}, {[]any{"participants", 1, "identifier"}, ticket.NoGUID}, {[]any{"owner"}, nil},
		{[]any{"transactions", 0, "text"}, "Hi"}, {[]any{"transactions", 1, "type"}, "IntroductionMessage"},
		{[]any{"transactions", 2, "type"}, "TicketOpened"}, {[]any{"transactions", 2, "fromParticipant", "type"}, "System"},
		{[]any{"transactions", 2, "fromParticipant", "displayName"}, nil}, {[]any{"transactions", 2, "status"}, "Read"},
		{[]any{"details", "userAgent"}, "Firefox"},
	} {
		if got := a.at(c.path...); got != c.want {
			t.Errorf("%v: %v, want %v", c.path, got, c.want)
		}
	}
	// The same person is the same contact, and an agent who is there gets the ticket.
	b := r.post("tickets/create", `{"participants":[{"type":"User","protocolType":"Web","identifier":"`+dan+`"},
		{"protocolType":"WhatsApp","identifier":"97252123"},{"protocolType":"Mail","identifier":"A@B.example"}]}`)
	if b.at("participants", 0, "type") != "Client" || b.at("participants", 0, "contactId") != a.at("participants", 0, "contactId") {
		t.Errorf("%s", b.body)
	}
	web := r.post("tickets/create", `{"participants":[{"protocolType":"Web","identifier":"x"}]}`)
	if web.at("owner", "UserName") != ann || web.at("participants", 1, "userName") != ann || web.at("participants", 1, "isActive") != true {
		t.Errorf("nobody got it: %s", web.body)
	}
	contact := r.get("contacts/get/" + a.at("participants", 0, "contactId").(string))
	if contact.at("name") != "Jack Bower" || contact.at("identifiers", 0, "identifierType") != "PhoneNumber" {
		t.Errorf("%s", contact.body)
	}
}

func TestImport(t *testing.T) {
	r := newRig(t)
	a := r.post("tickets/create", `{"participants":[{"protocolType":"Web","identifier":"x"}],"state":"Closed",
		"open":"2020-01-01T10:00:00","close":"2020-01-02T11:30:00","enableWebhook":false}`)
	if a.at("open") != "2020-01-01T10:00:00" || a.at("close") != "2020-01-02T11:30:00" || a.at("state") != "Closed" || a.at("durationGross") != "1.01:30:00" {
		t.Errorf("%s", a.body)
	}
	list := r.get("tickets/list?since=01/01/2020%2000:00:00:00&until=01/02/2020%2000:00:00:00")
	if list.at("tickets", 0, "id") != a.at("id") {
		t.Errorf("not listed where it was opened: %s", list.body)
	}
	if events := r.get("webhooks/getevents"); string(events.body) != "[]" {
		t.Errorf("told of: %s", events.body)
	}
}

// What people send as HTML comes out without anything that runs.
func TestSanitised(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	for _, markup := range []string{
		`<p>ok<script>alert(1)</script></p>`, `<p onclick="alert(1)">ok</p>`, `<a href="javascript:alert(1)">ok</a>`, `<img src=x onerror=alert(1)>ok`,
		`<a href=" &#106;avascript:alert(1)">ok</a>`, `<svg onload=alert(1)>ok</svg>`, `<iframe src="//evil"></iframe>ok`, `<form action=//evil>ok</form>`,
		`<style>*{background:url(//evil)}</style>ok`, `<base href=//evil>ok`, `ok<math><mi//xlink:href="data:x,<script>alert(4)</script>">`, `<a href="data:text/html,x">ok</a>`,
		`<meta http-equiv=refresh content=0>ok`, `<object data=x></object>ok`,
	} {
		for path, at := range map[string][]any{fmt.Sprint("tickets/send/", id): {"html"}} {
			out := r.post(path, map[string]any{"html": markup})
			got, _ := out.at(at...).(string)
			low := strings.ToLower(got)
			for _, bad := range []string{"script", "onclick", "onerror", "onload", "javascript", "<svg", "<iframe", "<form", "<style", "<base", "data:", "<meta", "<object", "evil"} {
				if strings.Contains(low, bad) {
					t.Errorf("%s: %s", markup, got)
				}
			}
			if out.at("text") != "ok" {
				t.Errorf("%s: text %q", markup, out.at("text"))
			}
		}
	}
	out := r.post(fmt.Sprint("tickets/send/", id), `{"html":"<p>a <b>b</b></p><p><a href=\"https://x.example\">c</a></p>"}`)
	if got := out.at("html").(string); !strings.Contains(got, "<b>b</b>") || !strings.Contains(got, `href="https://x.example"`) || out.at("text") != "a b\nc" {
		t.Errorf("%s %q", got, out.at("text"))
	}
}

func TestStates(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	send, state := fmt.Sprint("tickets/send/", id), fmt.Sprintf("tickets/setstate/%d?nextState=", id)
	if a := r.put(state+"pending&getTicket=TRUE", nil); a.at("state") != "Pending" {
		t.Errorf("%s", a.body)
	}
	r.post(send, `{"text":"again"}`)
	if a := r.get(fmt.Sprint("tickets/get/", id)); a.at("state") != "Open" || a.at("transactions", 0, "text") != "again" {
		t.Errorf("a message does not open what is pending: %s", a.body)
	}
	a := r.put(state+"Closed&getTicket=true", `{"tags":["Info"],"summary":"done"}`)
	if a.at("state") != "Closed" || a.at("tags", 0) != "Info" || a.at("ticketSummary", "value") != "done" || a.at("close") == ticket.ChatNever ||
		a.at("transactions", 0, "type") != "TicketClosed" || a.at("transactions", 1, "text") != "Bye!" {
		t.Errorf("%s", a.body)
	}
	before := len(a.at("transactions").([]any))
	out := r.want(400, req{method: "POST", path: send, body: `{"text":"late"}`})
	if !strings.Contains(out.at("message").(string), "Closed") {
		t.Errorf("%s", out.body)
	}
	r.put(state+"Closed", nil)
	if a = r.get(fmt.Sprint("tickets/get/", id)); len(a.at("transactions").([]any)) != before {
		t.Errorf("the same state twice, or a refusal, left something: %s", a.body)
	}
	if a = r.put(state+"Open&getTicket=true", nil); a.at("close") != ticket.ChatNever || a.at("state") != "Open" {
		t.Errorf("%s", a.body)
	}
}

func TestEdits(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	p := func(s string) string { return fmt.Sprintf(s, id) }
	r.put(p("tickets/setfields/%d"), `{"field1":"one","field10":"ten","uniqueArgument":"u","details":{"userAgent":"UA","source":{"title":"t","uri":"https://x"}}}`)
	r.put(p("tickets/setfields/%d"), `{"field1":null,"field10":"","details":{"userAgent":"UB"}}`)
	r.put(p("tickets/setparticipantname/%d"), `{"id":1,"name":"Jacky"}`)
	r.put(p("tickets/setowner/%d?nextOwnerUserName=")+url.QueryEscape(dan), nil)
	if a := r.post(p("tickets/addtags/%d"), `["info","VIP","Info"]`); string(a.body) != `["Info","VIP"]` {
		t.Errorf("%s", a.body)
	}
	if a := r.want(200, req{method: "DELETE", path: p("tickets/removetag/%d?tag=info")}); string(a.body) != `["VIP"]` {
		t.Errorf("%s", a.body)
	}
	r.post(p("tickets/addnote/%d"), `{"html":"<b>secret</b>"}`)
	r.post(p("tickets/setsummary/%d"), `{"summary":"sum"}`)
	a := r.get(p("tickets/get/%d"))
	for _, c := range []struct {
		path []any
		want any
	}{
		{[]any{"field1"}, "one"}, {[]any{"field10"}, ""}, {[]any{"uniqueArgument"}, "u"}, {[]any{"details", "userAgent"}, "UB"},
		{[]any{"details", "source", "title"}, "t"}, {[]any{"participants", 0, "name"}, "Jacky"}, {[]any{"owner", "UserName"}, dan},
		{[]any{"participants", 1, "isActive"}, false}, {[]any{"participants", 2, "isActive"}, true}, {[]any{"ticketSummary", "value"}, "sum"},
		{[]any{"transactions", 0, "type"}, "Note"}, {[]any{"transactions", 0, "text"}, "secret"}, {[]any{"transactions", 1, "type"}, "OwnerChanged"},
	} {
		if got := a.at(c.path...); got != c.want {
			t.Errorf("%v: %v, want %v", c.path, got, c.want)
		}
	}
	r.put(p("tickets/assignavailableuser/%d"), nil)
	if a := r.get(p("tickets/get/%d")); a.at("owner", "UserName") != ann {
		t.Errorf("%s", a.body)
	}
}

// Sends at the same time are stored once each, in one order for everybody.
func TestParallelSends(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	const n = 40
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			key := map[string]string{"Idempotency-Key": fmt.Sprint(i)}
			for range 2 { // every client sends again
				out := r.send(req{method: "POST", path: fmt.Sprint("tickets/send/", id), body: fmt.Sprintf(`{"text":"m%d"}`, i), header: key})
				if out.code != 200 || out.at("text") != fmt.Sprint("m", i) {
					t.Errorf("%d: %s", i, out.body)
				}
			}
		})
	}
	group.Wait()
	a := r.get(fmt.Sprint("tickets/get/", id))
	thread := a.at("transactions").([]any)
	seen := map[string]bool{}
	for i := range thread {
		x := thread[i].(map[string]any)
		if x["id"] != float64(len(thread)-i) {
			t.Fatalf("entry %d has id %v", i, x["id"])
		}
		if text := x["text"].(string); x["type"] == "Message" && seen[text] {
			t.Errorf("%s is there twice", text)
		} else if x["type"] == "Message" {
			seen[text] = true
		}
	}
	if len(seen) != n || a.at("agentMessagesCount") != float64(n) {
		t.Errorf("%d messages, counted %v", len(seen), a.at("agentMessagesCount"))
	}
	events := r.get("webhooks/getevents?deleteEvents=true").at().([]any)
	told := map[string]int{}
	for _, e := range events {
		c := e.(map[string]any)["changes"].([]any)[0].(map[string]any)
		if c["_event"] == "NEW_MESSAGE" {
			told[c["transaction"].(map[string]any)["text"].(string)]++
		}
	}
	for text, times := range told {
		if times != 1 {
			t.Errorf("%s was told %d times", text, times)
		}
	}
	if len(told) != n {
		t.Errorf("told of %d messages", len(told))
	}
}

func TestList(t *testing.T) {
	r := newRig(t)
	const n = 250
	for i := range n {
		r.open(fmt.Sprint("c", i%7))
		if i%50 == 0 {
			r.clock.Add(time.Hour)
		}
	}
	window := "tickets/list?since=01/03/2026%2000:00:00:00&until=04/03/2026%2000:00:00:00"
	for _, order := range []string{"ASC", "DESC", "Ascending", "Descending"} {
		r.listsAll(window, order, n)
	}
	r.listsWhatWasClosedMeanwhile(window)
	r.listsByActivity()
}

// follow gives the page that an answer names as the next, if it names one.
func (r *rig) follow(a answer) (page answer, more bool) {
	r.t.Helper()
	next, more := a.at("paging", "next").(string)
	if !more {
		return answer{}, false
	}
	u, err := url.Parse(next)
	if err != nil || u.Host != host {
		r.t.Fatalf("next is %s", next)
	}
	return r.get(u.RequestURI()), true
}

// listsAll pages through the tickets 1 to n, and more that come meanwhile: each
// is there once, and in order.
func (r *rig) listsAll(window, order string, n int) {
	r.t.Helper()
	var ids []int
	for a, more := r.get(window+"&sortOrder="+order), true; more; a, more = r.follow(a) {
		for _, x := range a.at("tickets").([]any) {
			if _, there := x.(map[string]any)["transactions"]; there {
				r.t.Fatal("a list holds transactions")
			}
			ids = append(ids, int(x.(map[string]any)["id"].(float64)))
		}
		if _, more := a.at("paging", "next").(string); more { // what happens meanwhile moves nothing
			r.put(fmt.Sprintf("tickets/setstate/%d?nextState=Closed", ids[0]), nil)
			r.open("late")
		}
	}
	if len(ids) < n {
		r.t.Fatalf("%s: %d of %d", order, len(ids), n)
	}
	seen := map[int]bool{}
	for i, id := range ids {
		if seen[id] || i > 0 && (order[0] == 'D') != (id > ids[i-1]) {
			r.t.Fatalf("%s: %v", order, ids)
		}
		seen[id] = true
	}
	for id := 1; id <= n; id++ {
		if !seen[id] {
			r.t.Errorf("%s: %d is missing", order, id)
		}
	}
}

// listsWhatWasClosedMeanwhile: one that leaves the asked state while somebody
// pages on is still listed.
func (r *rig) listsWhatWasClosedMeanwhile(window string) {
	r.t.Helper()
	a := r.get(window + "&ticketState=Open&sortOrder=DESC")
	r.put("tickets/setstate/200?nextState=Closed", nil)
	found := false
	for a, more := r.follow(a); more; a, more = r.follow(a) {
		for _, x := range a.at("tickets").([]any) {
			found = found || x.(map[string]any)["id"] == 200.0
		}
	}
	if !found {
		r.t.Error("a ticket that was closed meanwhile was passed over")
	}
}

// listsByActivity: activity on a later day is found by that day.
func (r *rig) listsByActivity() {
	r.t.Helper()
	r.clock.Add(40 * 24 * time.Hour)
	r.post("tickets/addnote/7", `{"text":"x"}`)
	const days = "tickets/list?since=10/04/2026%2000:00:00:00&until=15/04/2026%2000:00:00:00&ticketState="
	a := r.get(days + "Open,Closed")
	if list := a.at("tickets").([]any); len(list) != 1 || a.at("tickets", 0, "id") != 7.0 || len(a.at("paging").(map[string]any)) != 0 {
		r.t.Errorf("%s", a.body)
	}
	if a := r.get(days + "Snoozed"); len(a.at("tickets").([]any)) != 0 {
		r.t.Errorf("%s", a.body)
	}
}
