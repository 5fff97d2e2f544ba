package chatapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// Bot variables come back in both shapes, change by name, and go with null.
func TestDynamicParameters(t *testing.T) {
	r := newRig(t)
	a := r.post("tickets/create", `{"participants":[{"protocolType":"Web","identifier":"x"}],"dynamicParameters":[
		{"name":"userId","value":3,"type":"number","flowId":"5B09D05D-7E0C-472B-A3AA-5B91F9BE826C","creationDatetime":"2021-12-19T05:12:11Z"},
		{"name":"city","strValue":"Rome"},{"name":"vip","boolValue":true},{"name":"where","value":{"lat":1}}]}`)
	id := int(a.at("id").(float64))
	for _, c := range []struct {
		path []any
		want any
	}{
		{[]any{0, "name"}, "userId"}, {[]any{0, "value"}, 3.0}, {[]any{0, "type"}, "Number"}, {[]any{0, "intValue"}, 3.0}, {[]any{0, "strValue"}, nil},
		{[]any{0, "creationDatetime"}, "2021-12-19T05:12:11Z"}, {[]any{0, "flowId"}, "5b09d05d-7e0c-472b-a3aa-5b91f9be826c"},
		{[]any{1, "type"}, "String"}, {[]any{1, "value"}, "Rome"}, {[]any{1, "flowId"}, ticket.NoGUID}, {[]any{2, "type"}, "Boolean"}, {[]any{3, "type"}, "Location"},
	} {
		if got := a.at(append([]any{"dynamicParameters"}, c.path...)...); got != c.want {
			t.Errorf("%v is %v, want %v", c.path, got, c.want)
		}
	}
	r.put(fmt.Sprint("tickets/setfields/", id), `{"dynamicParameters":[{"name":"city","value":"Bari"},{"name":"vip","value":null}]}`)
	b := r.get(fmt.Sprint("tickets/get/", id))
	if b.at("dynamicParameters", 1, "value") != "Bari" || b.at("dynamicParameters", 1, "id") != a.at("dynamicParameters", 1, "id") ||
		len(b.at("dynamicParameters").([]any)) != 3 {
		t.Errorf("%v", b.at("dynamicParameters"))
	}
	for _, bad := range []string{`{"value":1}`, `{"name":"x","value":1,"type":"Colour"}`, `{"name":"x","value":1,"flowId":"y"}`, `{"name":"x","creationDatetime":"soon"}`} {
		out := r.want(400, req{method: "PUT", path: fmt.Sprint("tickets/setfields/", id), body: `{"dynamicParameters":[` + bad + `]}`})
		if !strings.Contains(string(out.body), "dynamicParameters") {
			t.Errorf("%s: %s", bad, out.body)
		}
	}
}

// A message on a channel that nothing here brings messages out on says that it has
// failed, and does not pretend to be on its way.
func TestChannelWithoutGateway(t *testing.T) {
	r := newRig(t)
	for channel, want := range map[string]string{"Web": "Delivered", "SMS": "Pending", "Mail": "Failed", "WhatsApp": "Failed"} {
		who := map[string]string{"Mail": "a@x.example"}[channel]
		if who == "" {
			who = "972521234567"
		}
		a := r.post("tickets/create", map[string]any{"participants": []any{map[string]any{"protocolType": channel, "identifier": who}}})
		if got := r.post(fmt.Sprint("tickets/send/", a.at("id")), `{"text":"x"}`).at("status"); got != want {
			t.Errorf("%s: %v, want %s", channel, got, want)
		}
	}
}

// A department moves more than one ticket, and a user is attached again; without
// the caller's key nothing is taken for a repetition.
func TestNoKeyNoRepetition(t *testing.T) {
	r := newRig(t)
	for range 2 {
		id := r.open("x")
		r.put(fmt.Sprint("tickets/setdepartment/", id), map[string]string{"departmentId": elsewhere})
		if got := r.get(fmt.Sprint("tickets/get/", id)).at("state"); got != "Closed" {
			t.Errorf("ticket %d is %v", id, got)
		}
	}
	for range 2 {
		r.post("users/add?userType=AGENT&role=SystemUser", `[{"userName":"eve@example.com","uniqueArgument":"e"}]`)
		r.want(200, req{method: "DELETE", path: "users/delete?userName=" + url.QueryEscape("eve@example.com")})
	}
}

// Polled events that no journal event tells of come in the order they happened.
func TestStatusEventsKeepTheirOrder(t *testing.T) {
	r := newRig(t)
	all := []string{"Break", "Online", "Break2", "Offline", "Break3", "Online", "Break5", "Offline"}
	for _, s := range all {
		r.put("users/setstatus", map[string]string{"nextStatus": s})
	}
	var got []string
	for _, e := range r.get("webhooks/getevents?deleteEvents=true").json.([]any) {
		got = append(got, fmt.Sprint(answer{json: e}.at("changes", 0, "userStatus")))
	}
	if strings.Join(got, " ") != strings.Join(all, " ") {
		t.Errorf("%v, want %v", got, all)
	}
}

// What is said with a change of state, and who says nothing.
func TestStateTexts(t *testing.T) {
	set := testSettings()
	set.Texts.Reopened = "Welcome back!"
	r := newRig(t)
	r.doc(SettingsDoc(department, set))
	id := r.open("x")
	move := func(next string) answer {
		r.put(fmt.Sprintf("tickets/setstate/%d?nextState=%s", id, next), nil)
		return r.get(fmt.Sprint("tickets/get/", id))
	}
	if a := move("Closed"); a.at("transactions", 1, "text") != "Bye!" || a.at("transactions", 0, "type") != "TicketClosed" {
		t.Errorf("%s", a.body)
	}
	if a := move("Open"); a.at("transactions", 0, "text") != "Welcome back!" || a.at("transactions", 0, "type") != "ReopenedMessage" ||
		a.at("transactions", 1, "type") != "TicketOpened" {
		t.Errorf("%s", a.body)
	}
	if err := r.api.changeProfile(t.Context(), 1, func(p *Profile) { p.Type = typeBot }); err != nil {
		t.Fatal(err)
	}
	if a := move("Closed"); a.at("ticketType") != "Bot" || a.at("transactions", 1, "text") == "Bye!" {
		t.Errorf("a bot's: %s", a.body)
	}
}

// enableWebhook=false is kept with the fact, so no delivery is made of it, now or
// by any later reading of the journal.
func TestSilentChanges(t *testing.T) {
	r := newRig(t)
	a := r.post("tickets/create", `{"participants":[{"protocolType":"Web","identifier":"x"}],"enableWebhook":false}`)
	r.put(fmt.Sprintf("tickets/setstate/%v?nextState=Pending&enableWebhook=false", a.at("id")), nil)
	if got := r.get("webhooks/getevents?deleteEvents=true"); string(got.body) != "[]" {
		t.Errorf("told of %s", got.body)
	}
	silent := 0
	for rec, err := range r.store.Records(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := ticket.DecodeEvent(rec.Type, rec.Ticket, rec.Time, rec.Facts, rec.Personal)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == ticket.EventState && e.Facts.State != "" && e.Facts.Silent {
			silent++
		}
	}
	if silent != 2 {
		t.Errorf("%d silent changes in the journal, want 2", silent)
	}
	r.put(fmt.Sprintf("tickets/setstate/%v?nextState=Open", a.at("id")), nil)
	if got := r.get("webhooks/getevents?deleteEvents=true"); got.at(0, "changes", 0, "_event") != "TICKET_STATE_CHANGE" {
		t.Errorf("then told of %s", got.body)
	}
}

// Members of details that are set at the same time all stay.
func TestParallelDetails(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	members := []string{"userAgent", "iPAddress", "location", "cardsPath", "externalLink"}
	var group sync.WaitGroup
	for _, m := range members {
		group.Go(func() {
			r.send(req{method: "PUT", path: fmt.Sprint("tickets/setfields/", id), body: fmt.Sprintf(`{"details":{"%s":"me"}}`, m)})
		})
	}
	group.Wait()
	a := r.get(fmt.Sprint("tickets/get/", id))
	for _, m := range members {
		if a.at("details", m) != "me" {
			t.Errorf("%s is %v", m, a.at("details", m))
		}
	}
}

// A change of details leaves the version before it as it was.
func TestDetailsDoNotShare(t *testing.T) {
	old := &ticket.Details{Claims: json.RawMessage(`{"a":"b"}`)}
	d, err := ticket.MergeDetails(old, map[string]json.RawMessage{"identityTokenClaims": json.RawMessage(`{"c":"d"}`)})
	if err != nil || string(d.Claims) != `{"c":"d"}` || string(old.Claims) != `{"a":"b"}` {
		t.Errorf("%s and %s, %v", d.Claims, old.Claims, err)
	}
}
