package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

// keyOf is an idempotency key as a browser makes one.
func keyOf(name string) []string { return []string{"Idempotency-Key", name + "-0123456789abcdef"} }

func bearer(token string, more ...string) []string {
	return append([]string{"Authorization", "Bearer " + token}, more...)
}

// text reads a member of an answer, which may lie deeper: "ticket.id".
func text(out map[string]any, path string) string {
	var v any = out
	for part := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[part]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (w *world) widget() string { return "/hub/v1/widget/" + w.demo.WidgetKey }

// write begins a conversation and gives its ticket and token.
func (w *world) write(body map[string]any, headers ...string) (id, token string) {
	w.t.Helper()
	status, out := w.ask("POST", w.widget()+"/tickets", body, headers...)
	if status != 201 {
		w.t.Fatalf("begin: %d %v", status, out)
	}
	return text(out, "ticket"), text(out, "token")
}

func TestWidgetSite(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	status, out := w.ask("GET", w.widget(), nil)
	if status != 200 || text(out, "site.title") != "City Hall" || text(out, "open") != "true" || text(out, "available") != "true" ||
		len(out["lines"].([]any)) != 3 || text(out, "limits.text") != "8192" || text(out, "time") == "" {
		t.Fatalf("%d %v", status, out)
	}
	if strings.Contains(fmt.Sprint(out), "origins") {
		t.Error("the origins are told to everybody")
	}
	for origin, want := range map[string]int{
		"": 200, w.node.URL(): 200, "http://127.0.0.1:1": 200, "http://localhost:9": 200, "http://[::1]:7": 200, "null": 403, "https://evil.example": 403,
		"http://127.0.0.1.evil.example": 403, "https://127.0.0.1": 403, "http://localhost": 200,
	} {
		if status, out := w.ask("GET", w.widget(), nil, "Origin", origin); status != want {
			t.Errorf("from %q: %d %v", origin, status, out)
		}
	}
	if status, _ := w.ask("GET", "/hub/v1/widget/ns_wid_none", nil); status != 404 {
		t.Errorf("no such site: %d", status)
	}
}

func TestSiteSettings(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	admin := bearer(w.demo.StaffToken)
	site := "/hub/v1/sites/" + w.demo.WidgetKey
	for body, want := range map[string]string{
		`{"origins":["*"],"texts":{"online":"Hi"},"lines":[1]}`: "",
		`{"origins":["shop.example"]}`:                          "bad_request origins",
		`{"origins":["https://shop.example/x"]}`:                "bad_request origins",
		`{"color":"red"}`:                                       "bad_request color",
		`{"position":"top"}`:                                    "bad_request position",
		`{"lines":[99]}`:                                        "bad_request lines",
		`{"texts":{"other":"x"}}`:                               "bad_request texts",
		`{"translations":{"deutsch!":{}}}`:                      "bad_request translations",
		`{"name":""}`:                                           "bad_request name",
		`{"language":"klingon!"}`:                               "bad_request language",
	} {
		if _, out := w.ask("PATCH", site, json.RawMessage(body), admin...); fault(out) != want {
			t.Errorf("%s: %v", body, out)
		}
	}
	status, out := w.ask("GET", w.widget(), nil, "Origin", "null")
	if status != 200 || len(out["lines"].([]any)) != 1 || text(out, "site.texts.online") != "Hi" {
		t.Errorf("for everybody: %d %v", status, out)
	}
	if status, out := w.ask("POST", "/hub/v1/locations/1/sites", map[string]any{"name": "Shop"}, admin...); status != 201 || !strings.HasPrefix(text(out, "site.key"), "ns_wid_") {
		t.Errorf("%d %v", status, out)
	}
	for _, c := range []struct{ method, path, token string }{
		{"GET", "/hub/v1/locations/1/sites", ""}, {"PATCH", site, w.demo.DisplayToken}, {"DELETE", site, ""},
		{"PUT", "/hub/v1/locations/1/visitors", path.Base(w.demo.Pages["visitor"])},
	} {
		if status, out := w.ask(c.method, c.path, map[string]any{}, bearer(c.token)...); status != 401 && status != 403 {
			t.Errorf("%s %s: %d %v", c.method, c.path, status, out)
		}
	}
	if status, _ := w.ask("DELETE", site, nil, admin...); status != 200 {
		t.Errorf("delete: %d", status)
	}
	if status, _ := w.ask("GET", w.widget(), nil); status != 404 {
		t.Errorf("deleted, and still there: %d", status)
	}
}

func TestPreflight(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	for path, want := range map[string]string{
		"/hub/v1/visit": "*", "/hub/v1/visit/files": "*", "/sse": "*", w.widget(): "*", "/hub/v1/session": "", "/hub/v1/visits": "", "/hub/v1/kiosk": "",
	} {
		req, err := http.NewRequest("OPTIONS", w.node.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://shop.example")
		req.Header.Set("Access-Control-Request-Method", "POST")
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %q", path, got)
		}
		if want != "" && !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
			t.Errorf("%s: %v", path, resp.Header)
		}
	}
}

// A conversation begins once, whatever the network does, and whoever comes again
// gets back to it.
func TestWidgetTicket(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	body := map[string]any{
		"text": "Where is <b>my</b> passport?", "name": "Ida Berg", "email": "ida@example.com", "languageCode": "ar", "fields": map[string]string{"field2": "Z-19"},
		"page": map[string]string{"url": "https://shop.example/x?utm_source=mail", "title": "Shop", "referrer": "javascript:alert(1)"},
	}
	first, token := w.write(body, keyOf("begin")...)
	again, other := w.write(body, keyOf("begin")...)
	if first != again || token == other {
		t.Fatalf("the same request made %s and %s", first, again)
	}
	if status, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "else"}, keyOf("begin")...); status != 409 || fault(out) != "conflict key" {
		t.Errorf("the key for something else: %d %v", status, out)
	}
	status, out := w.ask("GET", "/hub/v1/visit", nil, bearer(other)...)
	thread, _ := out["transactions"].([]any)
	if status != 200 || text(out, "ticket.id") != first || text(out, "ticket.languageCode") != "ar" || text(out, "ticket.conversation.position") != "1" || len(thread) != 2 {
		t.Fatalf("%d %v", status, out)
	}
	c := w.dial(w.demo.StaffToken, newEars())
	r, err := c.Do(t.Context(), wire.Command{Name: "ticket.label", Params: json.RawMessage(`{"ticket":"` + first + `","add":"x"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"email":"ida@example.com"`, `"field2":"Z-19"`, `"utm_source":"mail"`, `"uri":"https://shop.example/x?utm_source=mail"`, `"refData":""`} {
		if !strings.Contains(string(r.Ticket), want) {
			t.Errorf("no %s in %s", want, r.Ticket)
		}
	}
	for body, want := range map[string]string{
		`{}`: "bad_request text", `{"text":"  "}`: "bad_request text", `{"text":"x","email":"x"}`: "bad_request email",
		`{"text":"x","fields":{"field11":"x"}}`: "bad_request fields", `{"text":"x","line":99}`: "bad_request line", `{"text":"x","line":"a"}`: "bad_request line",
		`{"text":"x","uniqueIdentifier":"7"}`: "bad_request uniqueIdentifier", `{"text":"x","languageCode":"<x>"}`: "bad_request languageCode",
		`{"text":"` + strings.Repeat("x", 8193) + `"}`: "too_large text", `{"text":"x","name":"a\nb"}`: "bad_request name", `nope`: "bad_request body",
		`{"text":"x","phoneNumber":"call me"}`: "bad_request phoneNumber",
	} {
		req, err := http.NewRequest("POST", w.node.URL()+w.widget()+"/tickets", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if fault(got) != want {
			t.Errorf("%.60s: %v, want %s", body, got, want)
		}
	}
	if _, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "x"}, "Idempotency-Key", "short"); fault(out) != "bad_request Idempotency-Key" {
		t.Errorf("a key that can be guessed: %v", out)
	}
}

// From the chat into a line: the number, the call and the thread are one visit.
func TestWidgetJoinsALine(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	id, token := w.write(map[string]any{"line": 2})
	h := newEars()
	h.places = true
	visitor := w.dial(token, h)
	if err := visitor.Subscribe("ticket:"+id, nil); err != nil {
		t.Fatal(err)
	}
	if got := h.next(t); got != "snapshot ticket:"+id {
		t.Fatal(got)
	}
	for range 2 { // after every subscribing, twice
		if got := h.next(t); !strings.HasPrefix(got, `position {"position":2,"wait":{`) {
			t.Fatal(got)
		}
	}
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), wire.Command{Name: "ticket.callNext", Params: json.RawMessage(`{"lines":[2],"desk":3}`)}); err != nil {
		t.Fatal(err)
	}
	if got := h.next(t); !strings.HasPrefix(got, `position {"position":1,`) {
		t.Fatal(got)
	}
	if _, err := visitor.Do(t.Context(), wire.Command{Name: "ticket.answer", Params: json.RawMessage(`{"ticket":"` + id + `","answer":"needTime"}`)}); err != nil {
		t.Fatal(err)
	}
	if got := h.next(t); !strings.HasPrefix(got, "ticket.changed") || !strings.Contains(got, `"answer":{"kind":"needTime"`) {
		t.Fatal(got)
	}
	if _, err := staff.Do(t.Context(), wire.Command{Name: "ticket.callNext", Params: json.RawMessage(`{"lines":[2],"desk":3}`)}); wire.CodeOf(err) != wire.Empty {
		t.Errorf("who needs time is called: %v", err)
	}
	if _, err := staff.Do(t.Context(), wire.Command{Name: "ticket.call", Params: json.RawMessage(`{"ticket":"` + id + `","desk":3}`)}); err != nil {
		t.Fatal(err)
	}
	if got := h.next(t); !strings.HasPrefix(got, "ticket.called") || strings.Contains(got, "answer") {
		t.Fatal(got)
	}
	if got := h.next(t); !strings.HasPrefix(got, `position {"conversation":1}`) {
		t.Fatal(got)
	}
}
