package queueapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// order is the waiting order of a line as a client works it out: by orderAfter,
// else the creation, then by id.
func (r *rig) order(line int) string {
	r.t.Helper()
	got := r.get(fmt.Sprintf("/v1/tickets/search?line=%d&status=NEW", line))
	type entry struct{ key, id string }
	var list []entry
	for _, x := range got.json["data"].([]any) {
		m := x.(map[string]any)
		key, ok := m["orderAfter"].(string)
		if !ok {
			key = m["created"].(map[string]any)["date"].(string)
		}
		list = append(list, entry{key, fmt.Sprintf("%5s", m["id"])})
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.key+a.id, b.key+b.id) })
	var out []string
	for _, e := range list {
		out = append(out, strings.TrimSpace(e.id))
	}
	return strings.Join(out, " ")
}

func TestOrderKeysSortAsTheLineDoes(t *testing.T) {
	r := newRig(t)
	for range 4 {
		r.create(1)
	}
	for _, step := range []struct{ path, body, want string }{
		{"/v1/tickets/4/reorder", "after=1", "1 4 2 3"},
		{"/v1/tickets/3/reorder", "after=1", "1 3 4 2"},
		{"/v1/tickets/2/reorder", "after=1", "1 2 3 4"},
		{"/v1/tickets/4/reorder", "", "4 1 2 3"},
		{"/v1/tickets/4/reorder", "after=3", "1 2 3 4"},
		{"/v1/tickets/1/call", "user=2", "2 3 4"},
		{"/v1/tickets/1/returntoqueue", "user=2&position=FIRST", "1 2 3 4"},
		{"/v1/tickets/1/call", "user=2", "2 3 4"},
		{"/v1/tickets/1/returntoqueue", "user=2&position=LAST", "2 3 4 1"},
		{"/v1/tickets/2/call", "user=2", "3 4 1"},
		{"/v1/tickets/2/returntoqueue", "user=2&position=MIDDLE", "3 4 2 1"},
	} {
		r.form(step.path, step.body)
		if got := r.order(1); got != step.want {
			t.Fatalf("after %s %s: %s, want %s", step.path, step.body, got, step.want)
		}
	}
	// The order that clients see is the one that calls go by.
	for _, want := range []string{"3", "4", "2", "1"} {
		if got := r.form("/v1/tickets/call", "lines=1&user=2").json["id"]; got != want {
			t.Fatalf("called %v, want %s", got, want)
		}
	}
}

func TestReorderAgainAndAgainStaysStrict(t *testing.T) {
	r := newRig(t)
	for range 4 {
		r.create(1)
	}
	for range 40 { // 3 and 4 take turns right behind 1
		r.form("/v1/tickets/3/reorder", "after=1")
		if got := r.order(1); got != "1 3 4 2" && got != "1 3 2 4" {
			t.Fatalf("%s", got)
		}
		r.form("/v1/tickets/4/reorder", "after=1")
		if got := r.order(1); got != "1 4 3 2" {
			t.Fatalf("%s", got)
		}
	}
}

func TestForwardQueuesLast(t *testing.T) {
	r := newRig(t)
	r.create(1)
	r.create(2)
	r.form("/v1/tickets/1/call", "user=2")
	r.form("/v1/tickets/1/forward", "line=2")
	if got := r.order(2); got != "2 1" {
		t.Errorf("%s", got)
	}
}

func (r *rig) status(id string) string {
	r.t.Helper()
	return r.get("/v1/tickets/" + id).json["status"].(string)
}

func TestCallServesWhatTheCallerHasOpen(t *testing.T) {
	r := newRig(t)
	for range 5 {
		r.create(1)
	}
	r.form("/v1/tickets/1/call", "user=2")
	r.form("/v1/tickets/2/call", "user=3")
	r.form("/v1/tickets/3/call", "user=2&keepActiveTicketsOpen=true")
	if got := r.status("1") + r.status("2") + r.status("3"); got != "CALLEDCALLEDCALLED" {
		t.Fatalf("%s", got)
	}
	r.form("/v1/tickets/4/call", "user=2")
	if got := r.status("1") + r.status("2") + r.status("3"); got != "SERVEDCALLEDSERVED" {
		t.Errorf("%s", got)
	}
	r.form("/v1/tickets/5/call", "") // nobody known calls: nobody's tickets are served
	if got := r.status("2") + r.status("4"); got != "CALLEDCALLED" {
		t.Errorf("%s", got)
	}
	if called := r.get("/v1/tickets/5").json["called"].(map[string]any); called["caller"] != nil || called["desk"] != nil {
		t.Errorf("%v", called)
	}
}

func TestTheKeysUserCallsToTheirDesk(t *testing.T) {
	r := newRig(t)
	r.create(1)
	r.form("/v1/users/2/desk", "desk=2")
	got := r.want(200, req{method: "POST", path: "/v1/tickets/1/call", key: clerkKey})
	if called := got.json["called"].(map[string]any); called["caller"] != 2.0 || called["desk"] != 2.0 {
		t.Errorf("%v", called)
	}
}

func TestCallNextPassesOverWhoIsAssignedToOthers(t *testing.T) {
	r := newRig(t)
	r.create(1)
	r.create(2)
	r.form("/v1/tickets/1/assign", "assigner=1&assignee=3")
	if got := r.form("/v1/tickets/call", "lines=1,2&user=2").json["id"]; got != "2" {
		t.Errorf("user 2 got %v", got)
	}
	if got := r.form("/v1/tickets/call", "lines=1,2&user=2").json["id"]; got != nil {
		t.Errorf("user 2 got %v", got)
	}
	if got := r.form("/v1/tickets/call", "lines=1,2&user=3").json["id"]; got != "1" {
		t.Errorf("user 3 got %v", got)
	}
}

func TestOneOfManyCallersWins(t *testing.T) {
	r := newRig(t)
	r.create(1)
	var wg sync.WaitGroup
	codes := make([]int, 16)
	for i := range codes {
		wg.Go(func() {
			codes[i] = r.send(req{method: "POST", path: "/v1/tickets/1/call", body: fmt.Sprintf("user=%d", 2+i%2)}).code
		})
	}
	wg.Wait()
	slices.Sort(codes)
	if codes[0] != 200 || codes[1] != 409 || codes[15] != 409 {
		t.Errorf("%v", codes)
	}
}

func TestIdempotencyKey(t *testing.T) {
	r := newRig(t)
	once := func(path, body, once, key string) reply {
		return r.send(req{method: "POST", path: path, body: body, key: key, header: map[string]string{onceHeader: once}})
	}
	first := once("/v1/lines/1/ticket", "firstName=Ida", "k1", "")
	again := once("/v1/lines/1/ticket", "firstName=Ida", "k1", "")
	if first.code != 200 || string(first.body) != string(again.body) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	if other := once("/v1/lines/1/ticket", "firstName=Ida", "k1", clerkKey); other.json["id"] != "2" {
		t.Errorf("another credential's key is another key: %s", other.body)
	}
	if got := once("/v1/lines/1/ticket", "firstName=Bo", "k1", ""); got.code != 409 || got.json["param"] != onceHeader {
		t.Errorf("%d %s", got.code, got.body)
	}
	if got := once("/v1/lines/1/ticket", "firstName=Bo", strings.Repeat("k", 129), ""); got.code != 400 || got.json["param"] != onceHeader {
		t.Errorf("%d %s", got.code, got.body)
	}
	if got := r.get("/v1/tickets/count").json["count"]; got != 2.0 {
		t.Errorf("%v tickets", got)
	}
	for _, c := range []struct {
		path, body string
		v2         bool
	}{
		{"/tickets", `{"lineId":1,"firstName":"Ida"}`, true},
		{"/v1/locations/1/lines", "name=Once&color=TEAL", false},
		{"/locations/1/lines", `{"name":"Twice","color":"TEAL"}`, true},
		{"/locations", `{"name":"Riga","latitude":56.9,"longitude":24.1,"address":"A","country":"LV"}`, true},
		{"/v1/users", `email=new@b.ee&firstName=A&lastName=B&roles=[{"type":"ADMIN"}]`, false},
		{"/v1/tickets/1/call", "user=2", false},
		{"/v1/tickets/1/messages", "", false},
		{"/v1/users/2/desk", "desk=1", false},
	} {
		q := req{method: "POST", path: c.path, body: c.body, v2: c.v2, header: map[string]string{onceHeader: "k" + c.path}}
		first, before := r.send(q), r.offsets()
		again := r.send(q)
		if first.code != again.code || string(first.body) != string(again.body) || r.offsets() != before {
			t.Errorf("%s: %d %s, then %d %s", c.path, first.code, first.body, again.code, again.body)
		}
	}
	if got := once("/v1/tickets/1/labels/add", "value=VIP", "label", ""); got.json["result"] != "success" {
		t.Errorf("%s", got.body)
	}
	if got := once("/v1/tickets/1/labels/add", "value=VIP", "label", ""); got.json["result"] != "success" {
		t.Errorf("a retry has another answer: %s", got.body)
	}
	for range 2 {
		if got := once("/v1/tickets/1/labels/add", "value=VIP", "nothing to do", ""); got.json["result"] != "no action" {
			t.Errorf("%s", got.body)
		}
	}
}

func TestEveryEncodingWillDo(t *testing.T) {
	for name, q := range map[string]req{
		"form":            {path: "/v1/tickets/1/call", body: "user=2&desk=1", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"query":           {path: "/v1/tickets/1/call?user=2&desk=1"},
		"JSON":            {path: "/v1/tickets/1/call", body: `{"user":2,"desk":"1"}`, header: map[string]string{"Content-Type": "application/json"}},
		"untyped JSON":    {path: "/v1/tickets/1/call", body: `{"user":"2","desk":1}`, header: map[string]string{"Content-Type": "text/plain"}},
		"untyped form":    {path: "/v1/tickets/1/call", body: `user=2&desk=1`},
		"body over query": {path: "/v1/tickets/1/call?user=3&desk=2", body: `user=2&desk=1`},
		"words":           {path: "/v1/tickets/1/call?line=undefined", body: `user=2&desk=1&keepActiveTicketsOpen=undefined`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.create(1)
			q.method = http.MethodPost
			if called := r.want(200, q).json["called"].(map[string]any); called["caller"] != 2.0 || called["desk"] != 1.0 {
				t.Errorf("%v", called)
			}
		})
	}
}

func TestEditClearsAndKeeps(t *testing.T) {
	r := newRig(t)
	r.form("/v1/lines/1/ticket", "firstName=Ida&lastName=Berg&email=a%40b.ee&phoneNumber=%2B3725551234&extra=[{\"title\":\"a\",\"value\":\"b\"}]")
	r.form("/v1/tickets/1/edit", "firstName=Eve&lastName=null&email=&phoneNumber=undefined")
	got := r.get("/v1/tickets/1").json
	if got["firstName"] != "Eve" || got["lastName"] != nil || got["email"] != nil || got["phoneNumber"] != "+3725551234" || len(got["extra"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	r.form("/v1/tickets/1/edit", "extra=null")
	if got := r.get("/v1/tickets/1").json; len(got["extra"].([]any)) != 0 {
		t.Errorf("%v", got)
	}
}

func TestMessagesWaitInTheOutbox(t *testing.T) {
	f := &fakes{}
	r := newRig(t, withFakes(f))
	r.form("/v1/lines/1/ticket", "phoneNumber=5551234")
	r.form("/v1/tickets/1/messages", "message=one")
	r.form("/v1/tickets/1/messages", "message=two&user=3")
	got := r.get("/v1/tickets/1?responseScope=MESSAGES").json["messages"].([]any)
	first, second := got[0].(map[string]any), got[1].(map[string]any)
	if first["body"] != "one" || first["userId"] != nil || first["type"] != "OUTGOING" || first["status"] != "NEW" || second["userId"] != 3.0 {
		t.Errorf("%v", got)
	}
	if fmt.Sprint(f.woken) != "[1 1]" {
		t.Errorf("woken %v", f.woken)
	}
	doc, err := r.store.Doc(OutboxDocs, "1")
	if err != nil || string(doc) != `{"ticket":1}` {
		t.Errorf("%s %v", doc, err)
	}
	// What staff and visitors write on the web is no text message.
	r.must(1, ticket.SendMessage{Ref: ticket.Ref{ID: 1}, Text: "hello"})
	if got := r.get("/v1/tickets/1/messages").json["messages"].([]any); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

func TestEstimateFollowsThePaceOfTheLine(t *testing.T) {
	r := newRig(t)
	estimate := func(id string) int64 {
		now := r.clock.Now().Unix()
		return int64(r.get("/v1/tickets/" + id + "/estimated-time").json["estimatedTimeOfService"].(float64)) - now
	}
	for range 6 {
		r.create(1)
	}
	if got := estimate("2"); got != 600 {
		t.Errorf("without history: %d s", got)
	}
	for range 24 {
		r.create(1)
	}
	for range 27 {
		r.form("/v1/tickets/call", "lines=1&user=2")
		r.clock.Add(60e9)
	}
	// The 27th has been served for a minute, which is as long as it takes.
	if got := estimate("30"); got < 120 || got > 150 {
		t.Errorf("third in a line of one call a minute: %d s", got)
	}
}

func TestAConversationIsNoQueueTicket(t *testing.T) {
	r := newRig(t)
	r.create(1)
	before, err := r.Ticket(1)
	if err != nil {
		t.Fatal(err)
	}
	chat := *before
	chat.Place = ticket.Place{}
	r.api.Ledger = only{Ledger: r.Ledger, t: &chat}
	r.want(404, req{method: "GET", path: "/v1/tickets/1"})
	r.want(404, req{method: "POST", path: "/v1/tickets/1/labels/add", body: "value=a"})
}

// only is a ledger where every ticket is the same one.
type only struct {
	Ledger
	t *ticket.Ticket
}

func (o only) Ticket(int64) (*ticket.Ticket, error) { return o.t, nil }

func TestConnectedTicketsAreTheSamePersons(t *testing.T) {
	r := newRig(t)
	for _, who := range []string{
		"phoneNumber=5551234", "email=ida%40example.com", "phoneNumber=5551234&email=ida%40example.com", "phoneNumber=5559999", "firstName=Ida",
	} {
		r.form("/v1/lines/1/ticket", who)
	}
	r.form("/v1/lines/4/ticket", "phoneNumber=5551234")
	connected := func(id, key string) string {
		got := r.want(200, req{method: "GET", path: "/v1/tickets/" + id + "?responseScope=CONNECTED_TICKETS", key: key})
		var ids []string
		for _, x := range got.json["connectedTickets"].([]any) {
			m := x.(map[string]any)
			if m["connectedTickets"] != nil || m["interactions"] != nil {
				t.Errorf("scopes within scopes: %v", m)
			}
			ids = append(ids, m["id"].(string))
		}
		return strings.Join(ids, " ")
	}
	for id, want := range map[string]string{"1": "3 6", "2": "3", "3": "1 2 6", "4": "", "5": ""} {
		if got := connected(id, adminKey); got != want {
			t.Errorf("ticket %s: %q, want %q", id, got, want)
		}
	}
	if got := connected("1", clerkKey); got != "3" {
		t.Errorf("a key of location 1 sees %q", got)
	}
}

func BenchmarkDetails(b *testing.B) {
	r := newRig(b)
	r.create(1)
	for b.Loop() {
		r.send(req{method: "GET", path: "/v1/tickets/1?responseScope=MESSAGES,INTERACTIONS"})
	}
}

func BenchmarkCreate(b *testing.B) {
	r := newRig(b)
	for b.Loop() {
		r.send(req{method: "POST", path: "/tickets", v2: true, body: `{"lineId":1,"firstName":"Ida","phoneNumber":"+46701234567"}`})
	}
}

func BenchmarkSearch(b *testing.B) {
	r := newRig(b)
	for range 1000 {
		r.create(1)
	}
	for b.Loop() {
		r.send(req{method: "GET", path: "/v1/tickets/search?location=1&status=NEW"})
	}
}
