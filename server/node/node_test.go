package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

func TestSigningInAndOut(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	me := w.demo.Users[0]
	if status, out := w.ask("GET", "/hub/v1/session", nil); status != 401 || fault(out) != "unauthenticated" {
		t.Fatalf("before: %d %v", status, out)
	}
	for name, body := range map[string]map[string]string{
		"wrong password": {"email": me.Email, "password": "wrong"}, "unknown": {"email": "nobody@example.com", "password": me.Password},
	} {
		if status, out := w.ask("POST", "/hub/v1/session", body); status != 401 && status != 400 {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	right := map[string]string{"email": strings.ToUpper(me.Email), "password": me.Password}
	if status, out := w.ask("POST", "/hub/v1/session", right, "X-Nowserving", ""); status != 403 {
		t.Errorf("without the header another site's form could sign in: %d %v", status, out)
	}
	if status, out := w.ask("POST", "/hub/v1/session", right, "Origin", "https://evil.example"); status != 403 {
		t.Errorf("a foreign origin: %d %v", status, out)
	}
	status, out := w.ask("POST", "/hub/v1/session", right)
	user, _ := out["user"].(map[string]any)
	if status != 200 || user["email"] != me.Email {
		t.Fatalf("sign in: %d %v", status, out)
	}
	if status, out := w.ask("GET", "/hub/v1/locations", nil); status != 200 || len(out["locations"].([]any)) != 2 {
		t.Fatalf("locations: %d %v", status, out)
	}
	if status, _ := w.ask("DELETE", "/hub/v1/session", nil); status != 200 {
		t.Fatalf("sign out: %d", status)
	}
	if status, _ := w.ask("GET", "/hub/v1/session", nil); status != 401 {
		t.Fatalf("after signing out: %d", status)
	}
}

func TestPairingAScreen(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	// The second location is not the demonstration's own: nothing claims by itself.
	status, begun := w.ask("POST", "/hub/v1/pairings", map[string]any{"location": 2})
	code, _ := begun["code"].(string)
	secret, _ := begun["secret"].(string)
	if status != 201 || len(code) != 6 || secret == "" {
		t.Fatalf("begin: %d %v", status, begun)
	}
	path := "/hub/v1/pairings/" + code
	if _, out := w.ask("GET", path, nil, "Pairing-Secret", secret); out["status"] != "waiting" {
		t.Fatalf("poll: %v", out)
	}
	if status, _ := w.ask("GET", path, nil, "Pairing-Secret", "wrong"); status != 404 {
		t.Fatalf("a wrong secret: %d", status)
	}
	claim := map[string]any{"location": 2, "name": "Door"}
	if status, _ := w.ask("POST", path+"/claim", claim); status != 401 {
		t.Fatalf("claim without signing in: %d", status)
	}
	me := w.demo.Users[0]
	w.ask("POST", "/hub/v1/session", map[string]string{"email": me.Email, "password": me.Password})
	if status, out := w.ask("POST", path+"/claim", map[string]any{"name": "Door"}); fault(out) != "bad_request location" {
		t.Fatalf("claim without a location: %d %v", status, out)
	}
	if status, _ := w.ask("POST", "/hub/v1/pairings/XXXXXX/claim", claim); status != 404 {
		t.Fatalf("an unknown code: %d", status)
	}
	if status, out := w.ask("POST", path+"/claim", claim); status != 200 {
		t.Fatalf("claim: %d %v", status, out)
	}
	if status, _ := w.ask("POST", path+"/claim", claim); status != 409 {
		t.Fatalf("claim twice: %d", status)
	}
	_, paired := w.ask("GET", path, nil, "Pairing-Secret", secret)
	token, _ := paired["token"].(string)
	if paired["status"] != "paired" || token == "" || paired["location"] != 2.0 {
		t.Fatalf("poll: %v", paired)
	}
	h := newEars()
	c := w.dial(token, h)
	if err := c.Subscribe("board:2", nil); err != nil {
		t.Fatal(err)
	}
	if got := h.next(t); got != "snapshot board:2" {
		t.Fatal(got)
	}
	for _, channel := range []string{"board:1", "console:2", "ticket:1", "display:1"} {
		if err := c.Subscribe(channel, nil); err != nil {
			t.Fatal(err)
		}
		if got := h.next(t); !strings.HasPrefix(got, "refused "+channel) {
			t.Errorf("%s: %s", channel, got)
		}
	}
	if _, err := c.Do(t.Context(), wire.Command{Name: "ticket.callNext", Params: json.RawMessage(`{"lines":[1]}`)}); wire.CodeOf(err) != wire.Forbidden {
		t.Errorf("a screen calls: %v", err)
	}
}

// TestBadCommands: each gets its coded error, the session goes on, nothing is half done.
func TestBadCommands(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	c := w.dial(w.demo.StaffToken, newEars())
	for _, bad := range []struct{ name, params, want string }{
		{"ticket.fly", `{}`, "bad_request name"},
		{"ticket.call", `{"ticket":"999999"}`, "not_found"},
		{"ticket.call", `{}`, "bad_request ticket"},
		{"ticket.call", `{"ticket":"1","desk":99}`, "not_found desk"},
		{"ticket.call", `{"ticket":"1","desk":"three"}`, "bad_request desk"},
		{"ticket.call", `{"ticket":"1","dsk":3}`, "bad_request dsk"},
		{"ticket.serve", `{"ticket":"1"}`, "conflict"},
		{"ticket.create", `{"line":99}`, "not_found line"},
		{"ticket.create", `{"line":1,"email":"x"}`, "bad_request email"},
		{"ticket.create", `{"line":1,"firstName":"` + strings.Repeat("x", 51) + `"}`, "bad_request firstName"},
		{"ticket.callNext", `{"lines":[]}`, "bad_request lines"},
		{"message.send", `{"ticket":"1","text":"` + strings.Repeat("x", 20000) + `"}`, "too_large"},
		{"user.select", `{"user":99,"desk":1}`, "not_found user"},
	} {
		cmd := wire.Command{Name: bad.name, Params: json.RawMessage(bad.params)}
		if bad.name == "user.select" {
			cmd.Location = 1
		}
		_, err := c.Do(t.Context(), cmd)
		e := wire.AsError(err)
		got := strings.TrimSpace(string(e.Code) + " " + e.Field)
		if err == nil || got != bad.want {
			t.Errorf("%s %.60s: %s (%v), want %s", bad.name, bad.params, got, err, bad.want)
		}
	}
	reply, err := c.Do(t.Context(), wire.Command{Name: "ticket.call", Params: json.RawMessage(`{"ticket":"1","desk":3}`)})
	if err != nil || !strings.Contains(string(reply.Ticket), `"desk":3`) {
		t.Fatalf("a good one afterwards: %s, %v", reply.Ticket, err)
	}
}

func TestVisitorSeesOneTicketOnly(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	token := filepath.Base(w.demo.Pages["visitor"])
	h := newEars()
	c := w.dial(token, h)
	own := "ticket:" + w.demo.VisitorTicket
	for _, channel := range []string{"ticket:2", "board:1", "console:1", "display:1", "ticket:777", own} {
		if err := c.Subscribe(channel, nil); err != nil {
			t.Fatal(err)
		}
		want := "refused " + channel
		if channel == own {
			want = "snapshot " + channel
		}
		if got := h.next(t); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", channel, got)
		}
	}
	for _, cmd := range []wire.Command{
		{Name: "ticket.cancel", Params: json.RawMessage(`{"ticket":"2"}`)},
		{Name: "ticket.call", Params: json.RawMessage(`{"ticket":"` + w.demo.VisitorTicket + `"}`)},
		{Name: "note.add", Params: json.RawMessage(`{"ticket":"` + w.demo.VisitorTicket + `","text":"x"}`)},
	} {
		if _, err := c.Do(t.Context(), cmd); err == nil {
			t.Errorf("a visitor may %s", cmd.Name)
		}
	}
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), wire.Command{
		Name: "ticket.call", Params: json.RawMessage(`{"ticket":"` + w.demo.VisitorTicket + `","desk":2}`),
	}); err != nil {
		t.Fatal(err)
	}
	if got := h.next(t); !strings.HasPrefix(got, "ticket.called") || !strings.Contains(got, `"desk":{"id":2`) {
		t.Fatal(got)
	}
}

func TestEventsWithoutWebSocket(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	req, err := http.NewRequest("GET", w.node.URL()+"/sse?channel=board:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.demo.DisplayToken)
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	await := func(prefix string) string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), prefix) {
				return lines.Text()
			}
		}
		t.Fatalf("no %s: %v", prefix, lines.Err())
		return ""
	}
	await("event: snapshot")
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), wire.Command{Name: "ticket.call", Params: json.RawMessage(`{"ticket":"2","desk":2}`)}); err != nil {
		t.Fatal(err)
	}
	if got := await(`data: {"push"`); !strings.Contains(got, "ticket.called") {
		t.Fatal(got)
	}
}

func TestOneProcessPerFolder(t *testing.T) {
	data := t.TempDir()
	w := start(t, options(t, data))
	if _, err := Build(t.Context(), options(t, data)); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("a second process: %v", err)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	// Its addresses may change, its secrets do not.
	again := start(t, options(t, data))
	if again.demo.StaffToken != w.demo.StaffToken || again.demo.URL != again.node.URL() ||
		filepath.Base(again.demo.Pages["visitor"]) != filepath.Base(w.demo.Pages["visitor"]) {
		t.Fatalf("demo.json after a restart: %+v", again.demo)
	}
	info, err := os.Stat(filepath.Join(data, demoFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("demo.json: %v %v", info.Mode(), err)
	}
}

func TestSigningOutEndsTheSocket(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	me := w.demo.Users[0]
	w.ask("POST", "/hub/v1/session", map[string]string{"email": me.Email, "password": me.Password})
	c, err := client.New(client.Config{
		URL: w.node.URL(), Handler: newEars(), Now: time.Now, Random: func() float64 { return 0 }, HTTPClient: w.http,
		Header: http.Header{"Origin": {w.node.URL()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(t.Context()) }()
	if _, err := c.Do(t.Context(), wire.Command{Name: "user.select", Location: 1, Params: json.RawMessage(`{"desk":2}`)}); err != nil {
		t.Fatal(err)
	}
	w.ask("DELETE", "/hub/v1/session", nil)
	var final *client.FinalError
	select {
	case err := <-ended:
		if !errors.As(err, &final) {
			t.Fatalf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the socket outlives the sign-in")
	}
}
