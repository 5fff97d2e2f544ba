package node

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// A conversation opened through the widget joins a line by the visitor's own
// command; a second line, or somebody else's ticket, is refused.
func TestVisitorsOwnCommands(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	id, token := w.write(map[string]any{"text": "Hello"})
	other, _ := w.write(map[string]any{"text": "Me too"})
	c := w.dial(token, newEars())
	do := func(name, params string) error {
		_, err := c.Do(t.Context(), wire.Command{Name: name, Params: json.RawMessage(params), Location: 1})
		return err
	}
	if err := do("ticket.enqueue", `{"ticket":"`+other+`","line":1}`); wire.CodeOf(err) != wire.NotFound {
		t.Errorf("somebody else's ticket: %v", err)
	}
	if err := do("ticket.enqueue", `{"ticket":"`+id+`","line":1}`); err != nil {
		t.Error(err)
	}
	if err := do("ticket.enqueue", `{"ticket":"`+id+`","line":2}`); wire.CodeOf(err) != wire.Conflict {
		t.Errorf("a second line: %v", err)
	}
	for name, params := range map[string]string{
		"ticket.create": `{"line":1}`, "ticket.callNext": `{"lines":[1]}`, "ticket.call": `{"ticket":"` + id + `"}`, "note.add": `{"ticket":"` + id + `","text":"x"}`,
		"ticket.erase": `{"ticket":"` + id + `"}`, "conversation.state": `{"ticket":"` + id + `","state":"Closed"}`, "ticket.label": `{"ticket":"` + id + `","add":"x"}`,
		"user.select": `{"desk":1}`, "ticket.reorder": `{"ticket":"` + id + `"}`, "display.report": goodReport,
	} {
		if err := do(name, params); wire.CodeOf(err) != wire.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{
		"/hub/v1/tickets/" + id + "/transactions", "/hub/v1/tickets/" + other + "/files/x", "/hub/v1/locations/1/displays", "/hub/v1/kiosk", "/hub/v1/session",
	} {
		if status, out := w.ask("GET", path, nil, bearer(token)...); status != 403 && status != 404 {
			t.Errorf("%s: %d %v", path, status, out)
		}
	}
}

// Files go with messages, to the ticket's own people and nobody else.
func TestFilesOfAVisit(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	id, token := w.write(map[string]any{"text": "Hello"})
	other, stranger := w.write(map[string]any{"text": "Me too"})
	status, out := w.put("/hub/v1/visit/files", token, "..%2Fh%C3%A9llo.html", "<script>alert(1)</script>")
	file := text(out, "file")
	if status != 201 || text(out, "name") != "héllo.html" || text(out, "state") != "passed" || strings.Contains(text(out, "type"), "html") {
		t.Fatalf("%d %v", status, out)
	}
	if status, out := w.put("/hub/v1/visit/files", token, "x", ""); status != 400 || fault(out) != "bad_request file" {
		t.Errorf("empty: %d %v", status, out)
	}
	if status, _ := w.put("/hub/v1/visit/files", token, "x", strings.Repeat("x", 10<<20+1)); status != 413 {
		t.Errorf("too large: %d", status)
	}
	if status, _ := w.put("/hub/v1/visit/files", w.demo.StaffToken, "x", "x"); status != 403 {
		t.Errorf("staff at the visitor's door: %d", status)
	}
	own := w.dial(token, newEars())
	send := func(files string) error {
		_, err := own.Do(t.Context(), wire.Command{Name: "message.send", Params: json.RawMessage(`{"ticket":"` + id + `","text":"","files":` + files + `}`)})
		return err
	}
	_, theirs := w.put("/hub/v1/visit/files", stranger, "x.txt", "x")
	for files, want := range map[string]string{
		`["` + text(theirs, "file") + `"]`: "files", `["../demo.json"]`: "files", `[""]`: "files", `[]`: "text", `["` + strings.Repeat(file+`","`, 10) + file + `"]`: "files",
	} {
		if err := send(files); err == nil || wire.AsError(err).Field != want {
			t.Errorf("%.80s: %v", files, err)
		}
	}
	if err := send(`["` + file + `"]`); err != nil {
		t.Fatal(err)
	}
	for path, token := range map[string]string{"/hub/v1/visit/files/" + file: token, "/hub/v1/tickets/" + id + "/files/" + file: w.demo.StaffToken} {
		status, body, header := w.get(path, token)
		if status != 200 || body != "<script>alert(1)</script>" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") ||
			header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(header.Get("Content-Type"), "html") || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q %v", path, status, body, header)
		}
	}
	for path, token := range map[string]string{
		"/hub/v1/visit/files/" + file: stranger, "/hub/v1/tickets/" + other + "/files/" + file: w.demo.StaffToken, "/hub/v1/visit/files/" + file + "?thumb=1": token,
		"/hub/v1/visit/files/x": token,
	} {
		if status, _, _ := w.get(path, token); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestSurveyOnce(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	id, token := w.write(map[string]any{"text": "Hello"})
	rate := func(body string) (int, map[string]any) {
		return w.ask("POST", "/hub/v1/visit/survey", json.RawMessage(body), bearer(token)...)
	}
	if status, _ := rate(`{"rating":5}`); status != 409 {
		t.Errorf("before it is over: %d", status)
	}
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), wire.Command{Name: "conversation.state", Params: json.RawMessage(`{"ticket":"` + id + `","state":"Closed"}`)}); err != nil {
		t.Fatal(err)
	}
	if _, out := w.ask("GET", "/hub/v1/visit", nil, bearer(token)...); text(out, "survey.open") != "true" {
		t.Errorf("%v", out["survey"])
	}
	if _, out := rate(`{"rating":6}`); fault(out) != "bad_request rating" {
		t.Errorf("%v", out)
	}
	if status, out := rate(`{"rating":4,"text":"<b>fine</b>"}`); status != 200 {
		t.Errorf("%d %v", status, out)
	}
	if status, _ := rate(`{"rating":1}`); status != 409 {
		t.Errorf("twice: %d", status)
	}
	if _, out := w.ask("GET", "/hub/v1/visit", nil, bearer(token)...); text(out, "survey.open") != "false" || text(out, "survey.answered") != "true" {
		t.Errorf("%v", out["survey"])
	}
}

// A widget hears of a change on its own stream, and the stream ends with the node.
func TestSiteEvents(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	req, err := http.NewRequest("GET", w.node.URL()+w.widget()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := eventLines(resp.Body)
	if got := <-lines; got != "event: site" {
		t.Fatal(got)
	}
	if got := <-lines; !strings.Contains(got, `"waiting":1`) || !strings.Contains(got, `"open":true`) {
		t.Fatal(got)
	}
	if status, _ := w.ask("POST", "/hub/v1/join/1/tickets", map[string]any{"line": 1, "firstName": "x"}); status != 201 {
		t.Fatal(status)
	}
	for got := range lines {
		if strings.Contains(got, `"waiting":2`) {
			break
		}
	}
	done := make(chan error, 1)
	go func() { done <- w.stop() }()
	for range lines { // ends only because the stream does
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLinksOfStaff(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	status, out := w.ask("POST", "/hub/v1/tickets/1/link", nil, bearer(w.demo.StaffToken)...)
	if status != 201 {
		t.Fatalf("%d %v", status, out)
	}
	token := path.Base(text(out, "link"))
	if id, err := w.node.auth.Token(token); err != nil || id.Kind != auth.Visitor || id.Ticket != 1 {
		t.Errorf("%+v %v", id, err)
	}
	for token, want := range map[string]int{token: 403, w.demo.DisplayToken: 403, "": 401} {
		if status, _ := w.ask("POST", "/hub/v1/tickets/1/link", nil, bearer(token)...); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
	if status, _ := w.ask("POST", "/hub/v1/tickets/999/link", nil, bearer(w.demo.StaffToken)...); status != 404 {
		t.Errorf("of nobody: %d", status)
	}
}

// put uploads a file as its bytes.
func (w *world) put(path, token, name, body string) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequest("POST", w.node.URL()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("X-File-Name", name)
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, out
}

// get reads an address as its bytes.
func (w *world) get(path, token string) (int, string, http.Header) {
	w.t.Helper()
	resp, b := w.exchange("GET", path, nil, "Authorization", "Bearer "+token)
	return resp.StatusCode, string(b), resp.Header
}
