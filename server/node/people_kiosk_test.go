package node

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/ops/limit"
)

func TestJoin(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	status, out := w.ask("GET", "/hub/v1/join/1", nil)
	if status != 200 || len(out["lines"].([]any)) != 3 || len(out["fields"].([]any)) != 2 {
		t.Fatalf("%d %v", status, out)
	}
	for _, location := range []string{"2", "99", "x", "0"} {
		if status, _ := w.ask("GET", "/hub/v1/join/"+location, nil); status != 404 {
			t.Errorf("location %s: %d", location, status)
		}
	}
	form := map[string]any{"line": 1, "firstName": "Zoë", "languageCode": "es"}
	status, out = w.ask("POST", "/hub/v1/join/1/tickets", form, keyOf("join")...)
	if status != 201 || text(out, "ticket.publicId") != "A-2" || !strings.HasSuffix(text(out, "link"), "/t/"+text(out, "token")) {
		t.Fatalf("%d %v", status, out)
	}
	if _, again := w.ask("POST", "/hub/v1/join/1/tickets", form, keyOf("join")...); text(again, "ticket.id") != text(out, "ticket.id") {
		t.Errorf("twice: %v", again)
	}
	for body, want := range map[string]string{
		`{"line":1}`: "bad_request firstName", `{"firstName":"x"}`: "bad_request line", `{"line":99,"firstName":"x"}`: "bad_request line",
		`{"line":1,"firstName":"x","fields":[{"field":"7","value":"x"}]}`: "bad_request fields", `{"line":1,"firstName":"` + strings.Repeat("x", 51) + `"}`: "bad_request firstName",
		`{"line":1,"firstName":"x","phoneNumber":"abc"}`: "bad_request phoneNumber",
	} {
		if _, out := w.ask("POST", "/hub/v1/join/1/tickets", json.RawMessage(body)); fault(out) != want {
			t.Errorf("%s: %v", body, out)
		}
	}
}

func TestKiosk(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	admin := bearer(w.demo.StaffToken)
	_, begun := w.ask("POST", "/hub/v1/pairings", map[string]any{"kind": "kiosk", "location": 2})
	pairing := "/hub/v1/pairings/" + text(begun, "code")
	if _, out := w.ask("POST", pairing+"/claim", map[string]any{"location": 1, "name": "Door"}, admin...); text(out, "kind") != "kiosk" {
		t.Fatalf("claim: %v", out)
	}
	_, paired := w.ask("GET", pairing, nil, "Pairing-Secret", text(begun, "secret"))
	kiosk := text(paired, "token")
	if text(paired, "kind") != "kiosk" || !strings.HasPrefix(kiosk, "ns_ksk_") {
		t.Fatalf("%v", paired)
	}
	if status, out := w.ask("GET", "/hub/v1/kiosk", nil, bearer(kiosk)...); status != 200 || len(out["fields"].([]any)) != 0 {
		t.Errorf("%d %v", status, out)
	}
	status, out := w.ask("POST", "/hub/v1/kiosk/tickets", map[string]any{"line": 2}, bearer(kiosk, "Idempotency-Key", "k1")...)
	if status != 201 || text(out, "ticket.publicId") != "B-2" || text(out, "token") != "" {
		t.Errorf("%d %v", status, out)
	}
	if _, again := w.ask("POST", "/hub/v1/kiosk/tickets", map[string]any{"line": 2}, bearer(kiosk, "Idempotency-Key", "k1")...); text(again, "ticket.id") != text(out, "ticket.id") {
		t.Errorf("twice: %v", again)
	}
	w.kioskMayNothingElse(kiosk, text(paired, "display"))
	for token, want := range map[string]int{w.demo.DisplayToken: 403, w.demo.StaffToken: 403, "": 401} {
		if status, _ := w.ask("GET", "/hub/v1/kiosk", nil, bearer(token)...); status != want {
			t.Errorf("not a kiosk: %d", status)
		}
	}
	if status, _ := w.ask("DELETE", "/hub/v1/displays/"+text(paired, "display"), nil, admin...); status != 200 {
		t.Errorf("removing: %d", status)
	}
	if status, _ := w.ask("GET", "/hub/v1/kiosk", nil, bearer(kiosk)...); status != 401 {
		t.Errorf("removed, and still works: %d", status)
	}
}

func (w *world) kioskMayNothingElse(kiosk, display string) {
	w.t.Helper()
	h := newEars()
	c := w.dial(kiosk, h)
	for channel, want := range map[string]string{
		"board:1": "snapshot", "display:" + display: "snapshot", "board:2": "refused", "console:1": "refused", "ticket:1": "refused", "display:1": "refused",
	} {
		if err := c.Subscribe(channel, nil); err != nil {
			w.t.Fatal(err)
		}
		got := h.next(w.t)
		if !strings.HasPrefix(got, want) {
			w.t.Errorf("a kiosk on %s: %s", channel, got)
		}
	}
	for _, name := range []string{"ticket.create", "ticket.callNext"} {
		if _, err := c.Do(w.t.Context(), wire.Command{Name: name, Params: json.RawMessage(`{}`)}); err == nil {
			w.t.Errorf("a kiosk may %s", name)
		}
	}
	if _, err := c.Do(w.t.Context(), wire.Command{Name: "display.report", Params: json.RawMessage(goodReport)}); err != nil {
		w.t.Errorf("a kiosk's report: %v", err)
	}
	_, out := w.ask("GET", "/hub/v1/locations/1/displays", nil, bearer(w.demo.StaffToken)...)
	if !strings.Contains(fmt.Sprint(out), "kind:kiosk") {
		w.t.Errorf("no kiosk among the screens: %v", out)
	}
}

func TestVisitorsSettings(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	admin := bearer(w.demo.StaffToken)
	const path = "/hub/v1/locations/1/visitors"
	for body, want := range map[string]string{
		`{"fields":["age"]}`: "bad_request fields", `{"fields":["email","email"]}`: "bad_request fields", `{"kioskFields":["x"]}`: "bad_request kioskFields",
		`{"kioskTimeout":5}`: "bad_request kioskTimeout", `{"textCards":[{"language":"en","text":""}]}`: "bad_request textCards", `{"remote":1}`: "bad_request remote",
	} {
		if _, out := w.ask("PUT", path, json.RawMessage(body), admin...); fault(out) != want {
			t.Errorf("%s: %v", body, out)
		}
	}
	if status, out := w.ask("PUT", path, json.RawMessage(`{"remote":false,"kioskTimeout":30}`), admin...); status != 200 || text(out, "kioskTimeout") != "30" {
		t.Errorf("%d %v", status, out)
	}
	if status, _ := w.ask("GET", "/hub/v1/join/1", nil); status != 404 {
		t.Errorf("switched off, and still there: %d", status)
	}
	if status, _ := w.ask("PUT", "/hub/v1/locations/99/visitors", json.RawMessage(`{}`), admin...); status != 404 {
		t.Errorf("of nowhere: %d", status)
	}
}

// Outside the opening hours there is a form for mail, and no number.
func TestClosed(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	week := [7]ticket.Day{}
	for i := range week {
		week[i].Closed = true
	}
	tomorrow := ticket.Exception{Date: time.Now().AddDate(0, 0, 2).Format(time.DateOnly), Day: ticket.Day{Spans: []ticket.Span{{Opens: 540, Closes: 1020}}}}
	if _, err := w.node.ledger.Do(t.Context(), locationEdit(ticket.EditLocation{
		Location: 1, Week: ticket.Some(week), Exceptions: ticket.Some([]ticket.Exception{tomorrow}),
	})); err != nil {
		t.Fatal(err)
	}
	_, out := w.ask("GET", w.widget(), nil)
	if text(out, "open") != "false" || text(out, "opens") == "" || text(out["lines"].([]any)[0].(map[string]any), "open") != "false" {
		t.Errorf("%v", out)
	}
	if _, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "x"}); fault(out) != "bad_request email" {
		t.Errorf("%v", out)
	}
	if status, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "x", "email": "a@b.example", "line": 1}); status != 409 {
		t.Errorf("a line: %d %v", status, out)
	}
	w.write(map[string]any{"text": "x", "email": "a@b.example"})
	if status, out := w.ask("POST", "/hub/v1/join/1/tickets", map[string]any{"line": 1, "firstName": "x"}); status != 409 {
		t.Errorf("a number: %d %v", status, out)
	}
}

func TestStrangersAreLimited(t *testing.T) {
	o := options(t, t.TempDir())
	one := limit.Rate{PerSecond: 0.001, Burst: 1}
	o.PeopleRates = &hubapi.Rates{TicketsAddr: one, JoinAddr: one}
	w := start(t, o)
	w.write(map[string]any{"text": "x"})
	for path, body := range map[string]map[string]any{w.widget() + "/tickets": {"text": "x"}, "/hub/v1/join/1/tickets": {"line": 1, "firstName": "x"}} {
		status, out := 0, map[string]any{}
		for range 2 {
			status, out = w.ask("POST", path, body)
		}
		if status != 429 || fault(out) != "rate_limited" || text(out, "error.retryAfter") == "" {
			t.Errorf("%s: %d %v", path, status, out)
		}
	}
}
