package node

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

// numbers are the public ids of an answer's tickets.
func numbers(out map[string]any) string {
	var all []string
	list, _ := out["tickets"].([]any)
	for _, t := range list {
		number, _ := t.(map[string]any)["publicId"].(string)
		all = append(all, number)
	}
	return strings.Join(all, " ")
}

func TestConsoleSearch(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	staff := w.dial(w.demo.StaffToken, newEars())
	do := func(name, params string) string {
		t.Helper()
		r, err := staff.Do(t.Context(), wire.Command{Name: name, Params: json.RawMessage(params), Location: 1})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var x struct{ ID string }
		if err := json.Unmarshal(r.Ticket, &x); err != nil {
			t.Fatal(err)
		}
		return x.ID
	}
	// The demonstration has A-1 Ida Berg, B-1 Omar Haddad, C-1 Lucia Reyes.
	past := do("ticket.create", `{"line":1,"firstName":"Zoë","lastName":"Ångström","email":"zoe@example.com","phoneNumber":"+372 555 9 8765","labels":["Wheelchair"]}`)
	do("ticket.call", `{"ticket":"`+past+`"}`)
	do("ticket.noShow", `{"ticket":"`+past+`"}`)
	gone := do("ticket.create", `{"line":1,"firstName":"Zoë","lastName":"Gone"}`)
	do("ticket.erase", `{"ticket":"`+gone+`"}`)
	find := func(query string) string {
		t.Helper()
		status, out := w.ask("GET", "/hub/v1/locations/1/tickets?"+query, nil, "Authorization", "Bearer "+w.demo.StaffToken)
		if status != 200 {
			return fault(out)
		}
		return numbers(out)
	}
	for query, want := range map[string]string{
		"q=" + url.QueryEscape("a-2"): "A-2", "q=A2": "A-2", "q=" + url.QueryEscape("ÅNG zoë"): "A-2", "q=5559876": "A-2", "q=example.com": "A-2",
		"q=wheelchair": "A-2", "q=ida": "A-1", "q=berg+reyes": "", "q=nobody": "", "q=Gone": "", "status=NOSHOW": "A-2",
		"status=SERVED": "", "status=NEW&limit=2": "C-1 B-1", "status=NOSHOW,NEW&q=z": "A-2", "state=Closed": "",
		"status=DEAD": "bad_request status", "state=Gone": "bad_request state", "limit=0": "bad_request limit", "limit=x": "bad_request limit",
		"q=" + strings.Repeat("a", 201): "bad_request q", "q=" + strings.Repeat("a+", 9): "bad_request q",
	} {
		if got := find(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestConsoleListsAreForStaff(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	visitor := filepath.Base(w.demo.Pages["visitor"])
	for _, list := range []string{"tickets", "replies", "fields"} {
		path := "/hub/v1/locations/1/" + list
		for _, c := range []struct {
			path, token string
			status      int
		}{
			{path, "", 401}, {path, w.demo.DisplayToken, 403}, {path, visitor, 403}, {path, w.demo.StaffToken, 200},
			{strings.Replace(path, "/1/", "/99/", 1), w.demo.StaffToken, 404}, {strings.Replace(path, "/1/", "/x/", 1), w.demo.StaffToken, 400},
		} {
			token := "Bearer " + c.token
			if c.token == "" {
				token = ""
			}
			if status, out := w.ask("GET", c.path, nil, "Authorization", token); status != c.status {
				t.Errorf("%s as %.8s: %d %v", c.path, c.token, status, out)
			}
		}
	}
}

// The canned replies of the conversation API are what a console offers.
func TestConsoleReplies(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	_, out := w.ask("GET", "/hub/v1/locations/1/replies", nil, "Authorization", "Bearer "+w.demo.StaffToken)
	replies, _ := out["replies"].([]any)
	if len(replies) == 0 {
		t.Fatalf("none in %v", out)
	}
	for _, r := range replies {
		one := r.(map[string]any)
		if one["text"] == "" || one["title"] == "" {
			t.Errorf("%v", one)
		}
	}
	_, out = w.ask("GET", "/hub/v1/locations/1/fields", nil, "Authorization", "Bearer "+w.demo.StaffToken)
	if fields, _ := out["fields"].([]any); len(fields) == 0 {
		t.Errorf("no fields in %v", out)
	}
}
