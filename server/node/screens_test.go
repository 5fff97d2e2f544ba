package node

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

const goodReport = `{"engine":"Chrome 79","version":"1","layout":"focus","sound":"open","drift":12,"width":1920,"height":1080,"receipt":3}`

// A screen says how it is; its room's voice and the consoles learn of it; nobody
// else says anything in its name.
func TestScreenReports(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	tv, console := newEars(), newEars()
	own := fmt.Sprintf("display:%d", w.demo.TVs[0])
	screen := w.dial(w.demo.DisplayToken, tv)
	if err := screen.Subscribe(own, nil); err != nil {
		t.Fatal(err)
	}
	tv.next(t)
	if err := w.dial(w.demo.StaffToken, console).Subscribe("console:1", nil); err != nil {
		t.Fatal(err)
	}
	console.next(t)
	if _, err := screen.Do(t.Context(), wire.Command{Name: "display.report", Params: json.RawMessage(goodReport)}); err != nil {
		t.Fatal(err)
	}
	if got := tv.next(t); got != `display.role {"speak":true}` {
		t.Error(got)
	}
	if got := console.next(t); !strings.HasPrefix(got, "device ") || !strings.Contains(got, `"speaks":true`) || !strings.Contains(got, `"drift":12`) {
		t.Error(got)
	}
	for params, want := range map[string]string{`{"sound":"loud"}`: "sound", `[]`: "params", `{"sound":"open","engine":"` + strings.Repeat("x", 50) + `"}`: "engine"} {
		_, err := screen.Do(t.Context(), wire.Command{Name: "display.report", Params: json.RawMessage(params)})
		if err == nil || wire.AsError(err).Field != want {
			t.Errorf("%s: %v", params, err)
		}
	}
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), wire.Command{Name: "display.report", Params: json.RawMessage(goodReport)}); wire.CodeOf(err) != wire.Forbidden {
		t.Error("a clerk reported as a screen:", err)
	}
	bearer := []string{"Authorization", "Bearer " + w.demo.StaffToken}
	if status, out := w.ask("GET", "/hub/v1/locations/1/displays", nil, bearer...); status != 200 || !strings.Contains(fmt.Sprint(out), "Chrome 79") {
		t.Error(status, out)
	}
}

// Staff renames, sizes, reloads and removes a screen; a screen does none of that.
func TestScreenSettings(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	path := fmt.Sprintf("/hub/v1/displays/%d", w.demo.TVs[0])
	admin, tv := "Bearer "+w.demo.StaffToken, "Bearer "+w.demo.DisplayToken
	heard := newEars()
	if err := w.dial(w.demo.DisplayToken, heard).Subscribe(fmt.Sprintf("display:%d", w.demo.TVs[0]), nil); err != nil {
		t.Fatal(err)
	}
	heard.next(t)
	if status, out := w.ask("PATCH", path, map[string]any{"name": "Left", "inches": 43, "seat": 8, "reload": true}, "Authorization", admin); status != 200 {
		t.Fatal(status, out)
	}
	if got := heard.next(t); !strings.Contains(got, `"reload":true`) || !strings.Contains(got, `"inches":43`) {
		t.Error(got)
	}
	for _, c := range []struct {
		method, path, token string
		body                any
		status              int
	}{
		{"PATCH", path, tv, map[string]any{"name": "Mine"}, 403},
		{"PATCH", path, "", map[string]any{"name": "Mine"}, 401},
		{"PATCH", path, admin, map[string]any{"seat": 1000}, 400},
		{"PATCH", "/hub/v1/displays/99", admin, map[string]any{"name": "x"}, 404},
		{"PUT", "/hub/v1/locations/1/board", tv, map[string]any{}, 403},
		{"PUT", "/hub/v1/locations/1/board", admin, map[string]any{"settings": map[string]any{"theme": "pink"}}, 400},
		{"PUT", "/hub/v1/locations/1/board", admin, map[string]any{"settings": map[string]any{"theme": "light"}, "languages": []string{"de"}}, 200},
		{"GET", "/hub/v1/speech/en/letter-a.wav", "", nil, 401},
		{"GET", "/hub/v1/speech/en/letter-a", tv, nil, 404},
		{"GET", "/board/1/media/" + strings.Repeat("a", 32), "", nil, 401},
		{"GET", "/board/1/media/" + strings.Repeat("a", 32), tv, nil, 404},
		{"GET", "/board/2/media/" + strings.Repeat("a", 32), tv, nil, 403},
		{"DELETE", path, tv, nil, 403},
		{"DELETE", path, admin, nil, 200},
		{"GET", "/board/1/media/" + strings.Repeat("a", 32), tv, nil, 401}, // its token ended with it
	} {
		header := []string{"Authorization", c.token}
		if status, out := w.ask(c.method, c.path, c.body, header...); status != c.status {
			t.Errorf("%s %s %v: %d %v", c.method, c.path, c.body, status, out)
		}
	}
}

// page fetches a page and says where it came from in the end.
func (w *world) page(path string) (text, at string) {
	w.t.Helper()
	resp, err := w.http.Get(w.node.URL() + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, resp.StatusCode, body)
	}
	return string(body), resp.Request.URL.Path
}

// A screen without script pairs by itself, shows calls, and its token is in no
// address and no page.
func TestPlainBoard(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	if w.node.screens.Plain == nil {
		t.Skip("this build has no pages")
	}
	code, _ := w.page("/board/2/plain") // only the demonstration's own location claims by itself
	if !strings.Contains(code, `class="code"`) || !strings.Contains(code, `http-equiv="refresh"`) {
		t.Fatal(code)
	}
	again, _ := w.page("/board/2/plain")
	if again != code {
		t.Error("a second look shows another code")
	}
	_, after, _ := strings.Cut(code, `class="code">`)
	shown := after[:6]
	if status, out := w.ask("POST", "/hub/v1/pairings/"+shown+"/claim", map[string]any{"location": 1, "name": "Old TV", "lines": []int{w.demo.Lines[0]}},
		"Authorization", "Bearer "+w.demo.StaffToken); status != 200 {
		t.Fatal(status, out)
	}
	text, at := w.page("/board/2/plain")
	if at != "/board/1/plain" || !strings.Contains(text, "Please take a ticket") {
		t.Error(at, text)
	}
	if _, err := w.dial(w.demo.StaffToken, newEars()).Do(t.Context(), wire.Command{Name: "ticket.call", Params: json.RawMessage(`{"ticket":"1","desk":3}`)}); err != nil {
		t.Fatal(err)
	}
	text, _ = w.page("/board/1/plain")
	for _, want := range []string{"A-1", "Desk 3", "Nobody is waiting"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if strings.Contains(text, "Berg") || strings.Contains(text, "ns_dsp") {
		t.Error("a name or a token is in the page", text)
	}
}

// The program that is configured speaks, and its clips are kept.
func TestSpeechIsRenderedByTheConfiguredProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "speaker")
	script := "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = -w ] && out=$2; shift; done\nprintf 'RIFF....WAVE' > \"$out\"\ncat >> \"$out\"\nprintf '%0100d' 0 >> \"$out\"\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	o := options(t, filepath.Join(dir, "data"))
	o.Speech = program
	w := start(t, o)
	if w.node.screens.Plain == nil {
		t.Skip("this build has no words")
	}
	get := func(clip string) (int, string) {
		req, err := http.NewRequest("GET", w.node.URL()+"/hub/v1/speech/"+clip+".wav", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.demo.DisplayToken)
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	if status, body := get("es/to-desk"); status != 200 || !strings.Contains(body, "a la mesa") {
		t.Error(status, body)
	}
	if status, _ := get("tlh/to-desk"); status != http.StatusNoContent {
		t.Error("a language that there is not:", status)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if status, _ := get("es/to-desk"); status != 200 {
		t.Error("a clip was not kept:", status)
	}
	if status, body := get("es/digit-1"); status != 500 || strings.Contains(body, dir) {
		t.Error("a failure:", status, body)
	}
}
