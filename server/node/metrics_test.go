package node

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// What an operator looks at moves: every number of the socket and of the commands
// is fed by the work that it counts.
func TestMetricsAreFed(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	screen := newEars()
	board := w.dial(w.demo.DisplayToken, screen)
	board.Subscribe("board:1", nil)
	screen.next(t) // the snapshot
	clerk := w.dial(w.demo.StaffToken, newEars())
	before := w.node.Commands()
	params := json.RawMessage(fmt.Sprintf(`{"line":%d,"firstName":"Ida"}`, w.demo.Lines[0]))
	made, err := clerk.Do(t.Context(), wire.Command{Name: "ticket.create", Key: "m-1", Params: params})
	if err != nil {
		t.Fatal(err)
	}
	screen.next(t) // the push
	if n := w.node.Commands() - before; n == 0 {
		t.Error("the command was not counted")
	}
	var waiting struct{ ID string }
	if err := json.Unmarshal(made.Ticket, &waiting); err != nil {
		t.Fatal(err)
	}
	params = json.RawMessage(fmt.Sprintf(`{"ticket":%q}`, waiting.ID))
	if _, err := clerk.Do(t.Context(), wire.Command{Name: "ticket.serve", Key: "m-2", Params: params}); err == nil {
		t.Error("a ticket that was not called was served")
	}
	wants := []string{
		`nowserving_publications_total{channel="board"} 1`,
		`nowserving_deliveries_total{channel="board"} 1`,
		`nowserving_subscriptions_total{channel="board",start="snapshot"} 1`,
		`nowserving_sessions{audience="display"} 1`,
		`nowserving_sessions{audience="staff"} 1`,
		`nowserving_command_seconds_count{code="ok",command="ticket.create"} `,
		`nowserving_command_seconds_count{code="conflict",command="ticket.serve"} 1`,
		`nowserving_hub_snapshots 1`,
		`nowserving_hub_behind 0`,
		`nowserving_sockets_pending 0`,
		`nowserving_sockets_waiting 0`,
		`nowserving_sockets_refused_total 0`,
	}
	text := ""
	missing := func(want string) bool { return !strings.Contains(text, "\n"+want) }
	// What is delivered is counted after it was written, so a little later.
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		if text = w.metrics(); !slices.ContainsFunc(wants, missing) {
			return
		}
	}
	for _, want := range wants {
		if missing(want) {
			t.Errorf("no %s", want)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "nowserving_") && !strings.Contains(line, "_bucket") {
			t.Log(line)
		}
	}
}

// metrics is what an operator's collector reads.
func (w *world) metrics() string {
	w.t.Helper()
	res, err := w.http.Get(w.node.URL() + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatal(res.Status, err)
	}
	return string(text)
}
