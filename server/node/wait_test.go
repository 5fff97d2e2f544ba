package node

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

// A clerk changes a line's waits over the socket, staff reads how good quotes
// were, and nobody else does either.
func TestWaitOverrideAndAccuracy(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	staff := w.dial(w.demo.StaffToken, newEars())
	do := func(name, params string) (wire.CommandReply, error) {
		return staff.Do(t.Context(), wire.Command{Name: name, Params: json.RawMessage(params)})
	}
	created := func() string {
		r, err := do("ticket.create", `{"line":1}`)
		if err != nil {
			t.Fatal(err)
		}
		var x struct {
			ID   string
			Wait struct{ Min, Max int }
		}
		if err := json.Unmarshal(r.Ticket, &x); err != nil {
			t.Fatal(err)
		}
		if x.Wait.Max == 0 {
			t.Errorf("no wait in %s", r.Ticket)
		}
		return x.ID
	}
	for params, want := range map[string]string{
		`{"line":1,"minutes":3,"reason":"other"}`: "minutes", `{"line":1,"minutes":5,"reason":"Ida"}`: "reason",
		`{"line":99,"minutes":5,"reason":"other"}`: "line", `{"minutes":"5"}`: "minutes", `{"line":1,"reason":"other"}`: "minutes",
	} {
		if _, err := do("line.waitOverride", params); err == nil || wire.AsError(err).Field != want {
			t.Errorf("%s: %v", params, err)
		}
	}
	if _, err := do("line.waitOverride", `{"line":1,"minutes":30,"reason":"slowSystem"}`); err != nil {
		t.Fatal(err)
	}
	id := created()
	for _, name := range []string{"ticket.call", "ticket.serve"} { // 30 minutes early: it was quite wrong
		if _, err := do(name, `{"ticket":"`+id+`"}`); err != nil {
			t.Fatal(err)
		}
	}
	const path = "/hub/v1/locations/1/wait-accuracy"
	status, out := w.ask("GET", path, nil, "Authorization", "Bearer "+w.demo.StaffToken)
	lines, _ := out["lines"].([]any)
	if status != 200 || len(lines) != 3 {
		t.Fatalf("%d %v", status, out)
	}
	first := lines[0].(map[string]any)
	if first["quotes"] != 1.0 || first["early"] != 1.0 || first["within"] != 0.0 || len(first["hours"].([]any)) != 1 {
		t.Errorf("%v", first)
	}
}

// Neither a screen, nor a visitor, nor anybody unknown.
func TestWaitAccuracyIsForStaff(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	const path = "/hub/v1/locations/1/wait-accuracy"
	visitor := filepath.Base(w.demo.Pages["visitor"])
	for what, c := range map[string]struct {
		path, token string
		status      int
	}{
		"nobody": {path, "", 401}, "a screen": {path, w.demo.DisplayToken, 403}, "a visitor": {path, visitor, 403},
		"of nowhere":      {strings.Replace(path, "/1/", "/99/", 1), w.demo.StaffToken, 404},
		"of no number":    {strings.Replace(path, "/1/", "/x/", 1), w.demo.StaffToken, 400},
		"of other places": {strings.Replace(path, "/1/", "/2/", 1), w.demo.ChatAPISecret, 401},
	} {
		token := "Bearer " + c.token
		if c.token == "" {
			token = ""
		}
		if status, out := w.ask("GET", c.path, nil, "Authorization", token); status != c.status {
			t.Errorf("%s: %d %v", what, status, out)
		}
	}
	if _, err := w.dial(visitor, newEars()).Do(t.Context(), wire.Command{
		Name: "line.waitOverride", Params: json.RawMessage(`{"line":1,"minutes":5,"reason":"other"}`),
	}); wire.CodeOf(err) != wire.Forbidden {
		t.Errorf("a visitor: %v", err)
	}
}
