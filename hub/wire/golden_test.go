package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 11, 21, 10, 42, 5, 120e6, time.UTC)

const ticketJSON = `{"id":"17","publicId":"A-42","key":"A-42.20261121","status":"CALLED","source":"NAME","line":1,` +
	`"created":{"date":"2026-11-21T10:30:00.000Z"},"called":{"date":"2026-11-21T10:42:05.120Z","caller":1,"desk":3},` +
	`"extra":[],"labels":[],"interactions":[],"recalls":0,"order":"a0","offset":106,"conversation":null}`

const boardTicketJSON = `{"key":"A-42.20261121","publicId":"A-42","status":"CALLED","line":1,"desk":3,` +
	`"calledAt":"2026-11-21T10:42:05.120Z","recalls":0,"order":"a0"}`

const lineJSON = `{"id":1,"name":"Passports","series":"A","color":"#1C7ED6","waiting":2,"wait":{"min":5,"max":15}}`

const boardJSON = `{"location":{"id":1,"name":"Main Street","timezone":"Europe/Tallinn","languages":["en","es"]},` +
	`"lines":[` + lineJSON + `],"desks":[{"id":3,"name":"3"}],"serving":[` + boardTicketJSON + `],"recent":[],` +
	`"waiting":[{"key":"A-43.20261121","publicId":"A-43","status":"NEW","line":1,"recalls":0,"order":"a1","wait":{"min":5,"max":15}}],` +
	`"settings":{"layout":"board","theme":"dark","names":"none"}}`

// requests are what a client sends, one of every verb.
func requests() map[string]wire.Request {
	return map[string]wire.Request{
		"request-connect":         {ID: 1, Connect: &wire.Connect{Token: "t0ken", Name: "lobby-tv/1.0"}},
		"request-connect-empty":   {ID: 1, Connect: &wire.Connect{}},
		"request-subscribe":       {ID: 2, Subscribe: &wire.Subscribe{Channel: "board:1"}},
		"request-subscribe-since": {ID: 2, Subscribe: &wire.Subscribe{Channel: "board:1", Since: &wire.Position{Epoch: "k3x", Offset: 98}}},
		"request-unsubscribe":     {ID: 3, Unsubscribe: &wire.Unsubscribe{Channel: "board:1"}},
		"request-command": {ID: 4, Command: &wire.Command{Name: "ticket.call", Key: "8c1e",
			Params: json.RawMessage(`{"ticket":"17","desk":3}`)}},
		"request-command-location": {ID: 4, Command: &wire.Command{Name: "ticket.callNext", Location: 1,
			Params: json.RawMessage(`{"lines":[1,2],"desk":3}`)}},
		"request-answer": {ID: 4, Command: &wire.Command{Name: "ticket.answer", Key: "8c1f",
			Params: json.RawMessage(`{"ticket":"17","answer":"needTime","minutes":5}`)}},
		"request-signal":  {ID: 5, Signal: &wire.Signal{Channel: "ticket:17", Name: "typing"}},
		"request-receipt": {ID: 6, Receipt: &wire.Receipt{Channel: "board:1", Offset: 106, Painted: true}},
		"request-ping":    {ID: 7, Ping: &wire.Ping{}},
	}
}

// replies are what the hub answers.
func replies() map[string][]byte {
	return map[string][]byte{
		"reply-connect": wire.Reply(1, wire.ConnectReply{Session: "s-81", Audience: "display", Ping: 5, Time: wire.Time(at)}),
		"reply-subscribe-recovered": wire.Reply(2, wire.SubscribeReply{
			Channel: "board:1", Epoch: "k3x", Offset: 105, Recovered: true}),
		"reply-subscribe-snapshot": wire.Reply(2, wire.SubscribeReply{
			Channel: "board:1", Epoch: "k3x", Offset: 105, Snapshot: json.RawMessage(boardJSON)}),
		"reply-empty":   wire.Reply(3, nil),
		"reply-command": wire.Reply(4, wire.CommandReply{Offset: 106, Ticket: json.RawMessage(ticketJSON)}),
		"error-field":   wire.Failure(4, wire.FieldError("line", "is not a line of this location")),
		"error-conflict": wire.Failure(4, wire.Errorf(wire.Conflict,
			"A-42 was already called to desk 2")),
		"error-rate-limited": wire.Failure(4, &wire.Error{Code: wire.RateLimited, Message: "too many requests", RetryAfter: 1}),
		"error-unreadable":   wire.Failure(0, wire.FieldError("frame", "not valid UTF-8")),
		"error-internal":     wire.Failure(4, wire.AsError(os.ErrClosed)),
	}
}

// pushes has one of every push type.
func pushes() map[string][]byte {
	push := func(typ, channel, data string) []byte {
		return wire.Push{Type: typ, Channel: channel, Offset: 106, Prev: 105, Time: at, Data: json.RawMessage(data)}.AppendJSON(nil)
	}
	passing := func(typ, channel, data string) []byte {
		return wire.Push{Type: typ, Channel: channel, Time: at, Data: json.RawMessage(data)}.AppendJSON(nil)
	}
	ticket, conversation := `{"ticket":`+ticketJSON+`}`, `{"ticket":`+ticketJSON+`,"transaction":{"seq":1,"text":"Hello \"you\" <&>"}}`
	out := map[string][]byte{
		"push-board-called": push("ticket.called", "board:1", `{"ticket":`+boardTicketJSON+`,"lines":[`+lineJSON+`]}`),
		"push-board-erased": push("ticket.erased", "board:1", `{"ticket":{"key":"A-42.20261121","status":"ERASED"}}`),
		"push-line-changed": push("line.changed", "board:1", `{"line":`+lineJSON+`}`),
		"push-line-removed": push("line.changed", "board:1", `{"line":{"id":1},"removed":true}`),
		"push-desk-changed": push("desk.changed", "board:1", `{"desk":{"id":3,"name":"3"}}`),
		"push-location-changed": push("location.changed", "board:1",
			`{"location":{"id":1,"name":"Main Street","timezone":"Europe/Tallinn","languages":["en"]},"settings":{"layout":"board","theme":"dark","names":"none"}}`),
		"push-user-changed":    push("user.changed", "console:1", `{"user":{"id":1,"firstName":"Ida"}}`),
		"push-display-changed": push("display.changed", "display:1", `{"display":{"id":1,"name":"Lobby TV"}}`),
		"push-display-reload":  push("display.changed", "display:1", `{"display":{"id":1,"name":"Lobby TV"},"reload":true}`),
		"push-message":         push("ticket.message", "ticket:17", conversation),
		"push-message-status":  push("ticket.message_status", "ticket:17", conversation),
		"push-signal":          passing("signal", "ticket:17", `{"name":"typing","session":"s-81","audience":"staff"}`),
		"push-receipt":         passing("receipt", "console:1", `{"display":1,"name":"Lobby TV","offset":106,"painted":true,"spoken":false}`),
		"push-presence": passing("presence", "console:1",
			`{"session":"s-82","name":"lobby-tv/1.0","audience":"display","display":1,"online":true}`),
		"push-position": passing("position", "ticket:17", `{"position":3,"wait":{"min":5,"max":15},"conversation":2}`),
		"push-answered": push("ticket.changed", "ticket:17", `{"ticket":{"id":"17","status":"CALLED","answer":{"kind":"needTime","at":"2026-11-21T10:42:05.120Z","until":"2026-11-21T10:47:05.120Z"}}}`),
		"push-empty":    passing("signal", "ticket:17", ""),
	}
	for _, what := range []string{
		"created", "called", "recalled", "served", "noshow", "cancelled", "returned", "forwarded", "reordered",
		"assigned", "changed", "labelled", "state", "participant", "erased",
	} {
		out["push-ticket-"+what] = push("ticket."+what, "console:1", ticket)
	}
	return out
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	got = append(bytes.Clone(got), '\n')
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the wire form changed: this breaks clients\n got %s\nwant %s", got, want)
	}
	if !json.Valid(got) {
		t.Errorf("not JSON: %s", got)
	}
}

func TestGoldenRequests(t *testing.T) {
	for name, r := range requests() {
		t.Run(name, func(t *testing.T) {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, b)
			back, bad := wire.Decode(b)
			if bad != nil {
				t.Fatal(bad)
			}
			again, err := json.Marshal(back)
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("decoded to %s, %v", again, err)
			}
		})
	}
}

func TestGoldenReplies(t *testing.T) {
	for name, b := range replies() {
		t.Run(name, func(t *testing.T) { golden(t, name, b) })
	}
}

func TestGoldenPushes(t *testing.T) {
	for name, b := range pushes() {
		t.Run(name, func(t *testing.T) { golden(t, name, b) })
	}
}

// codes is the form in which the TypeScript client reads the codes.
func TestGoldenCodes(t *testing.T) {
	type closing struct {
		Code          wire.CloseCode `json:"code"`
		Reason        string         `json:"reason"`
		MayReturn     bool           `json:"mayReturn"`
		KeepsPosition bool           `json:"keepsPosition"`
	}
	var closings []closing
	for _, c := range []wire.CloseCode{
		wire.CloseDrain, wire.CloseIdle, wire.CloseConnectLate, wire.CloseExpired, wire.CloseRateLimited,
		wire.CloseTooManyConns, wire.CloseSlow, wire.CloseRevoked, wire.CloseBadToken, wire.CloseNotJSON, wire.CloseBinary,
		wire.CloseChanged, wire.CloseNotUTF8,
	} {
		if wire.CloseReason(c) == "" {
			t.Errorf("close code %d has no reason", c)
		}
		closings = append(closings, closing{c, wire.CloseReason(c), wire.MayReturn(c), wire.KeepsPosition(c)})
	}
	b, err := json.MarshalIndent(map[string]any{"errors": wire.Codes, "closings": closings}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "codes", b)
}

// Every golden file has a test: a file that nobody writes proves nothing.
func TestGoldenFilesAreAllWritten(t *testing.T) {
	known := map[string]bool{"codes": true}
	for name := range requests() {
		known[name] = true
	}
	for name := range replies() {
		known[name] = true
	}
	for name := range pushes() {
		known[name] = true
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if !known[name[:len(name)-len(".json")]] {
			t.Errorf("%s is written by no test", f)
		}
	}
}
