package hubapi

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func all(int) bool { return true }

func report(sound string) Report { return Report{Engine: "Chrome 79", Layout: "focus", Sound: sound} }

// speaking is the screen of a room that speaks; more than one is a failure.
func speaking(t interface{ Errorf(string, ...any) }, d *Devices, displays []*ticket.Display, room string) int {
	found := 0
	for _, x := range d.In(1) {
		for _, s := range displays {
			if s.ID == x.Display && s.Room == room && x.Speaks {
				if found != 0 {
					t.Errorf("%d and %d both speak in %q", found, s.ID, room)
				}
				found = s.ID
			}
		}
	}
	return found
}

func TestOneScreenOfARoomSpeaks(t *testing.T) {
	now := noon()
	d := NewDevices(func() time.Time { return now })
	displays := []*ticket.Display{{ID: 1, Desk: 4}, {ID: 2}, {ID: 3}, {ID: 4, Room: "Upstairs"}}
	present := map[int]bool{1: true, 2: true, 3: true, 4: true}
	here := func(id int) bool { return present[id] }
	for _, s := range displays {
		d.Take(1, s.ID, report("open"), displays, here)
	}
	if got := speaking(t, d, displays, ""); got != 2 {
		t.Errorf("%d speaks, not the oldest lobby screen", got)
	}
	if got := speaking(t, d, displays, "Upstairs"); got != 4 {
		t.Errorf("%d speaks upstairs", got)
	}
	// Its sound gets locked: another one takes over, and both are told.
	told := d.Take(1, 2, report("locked"), displays, here)
	if len(told) != 2 || speaking(t, d, displays, "") != 3 {
		t.Errorf("told %+v, %d speaks", told, speaking(t, d, displays, ""))
	}
	// It goes away: at the next report of anybody the room has a voice again.
	d.Take(1, 2, report("open"), displays, here)
	present[2] = false
	d.Take(1, 3, report("open"), displays, here)
	if got := speaking(t, d, displays, ""); got != 3 {
		t.Errorf("%d speaks, though 2 is gone", got)
	}
	// Present, but it stopped to report.
	present[2] = true
	now = now.Add(deviceTTL + time.Second)
	d.Take(1, 1, report("open"), displays, here)
	if got := speaking(t, d, displays, ""); got != 1 {
		t.Errorf("%d speaks, though only 1 reports", got)
	}
}

func TestElectionProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		now := noon()
		d := NewDevices(func() time.Time { return now })
		var displays []*ticket.Display
		for id := 1; id <= 5; id++ {
			displays = append(displays, &ticket.Display{ID: id, Room: rapid.SampledFrom([]string{"", "B"}).Draw(rt, "room"), Mute: rapid.Bool().Draw(rt, "mute")})
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			id := rapid.IntRange(1, 5).Draw(rt, "display")
			sound := rapid.SampledFrom([]string{"open", "locked", "none"}).Draw(rt, "sound")
			told := d.Take(1, id, report(sound), displays, all)
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second)
			own := false
			for _, x := range told {
				own = own || x.Display == id
			}
			if !own {
				rt.Fatalf("%d reported and was not told its role", id)
			}
			if s := speaking(rt, d, displays, displays[id-1].Room); s != 0 && displays[s-1].Mute {
				rt.Fatalf("%d is muted and speaks", s)
			}
		}
	})
}

func TestReportsAreChecked(t *testing.T) {
	for field, r := range map[string]Report{
		"engine": {Engine: strings.Repeat("x", 41), Sound: "open"}, "sound": {Sound: "loud"}, "layout": {Layout: strings.Repeat("x", 41), Sound: "open"},
	} {
		var e *wire.Error
		if err := r.Check(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestMediaAreWhatTheirContentIs(t *testing.T) {
	dir := t.TempDir()
	m := NewMedia(dir, nil)
	got, err := m.Put(t.Context(), 1, bytes.NewReader(picture(t)))
	if err != nil || got.Type != "image/png" {
		t.Fatal(got, err)
	}
	f, err := m.open(1, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	_ = f.Close()
	if !bytes.Equal(text, picture(t)) {
		t.Error("what came back is something else")
	}
	for name, content := range map[string]string{
		"svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "html": "<html>", "empty": "", "text": "hello", "gif": "GIF89a",
	} {
		var e *wire.Error
		if _, err := m.Put(t.Context(), 1, strings.NewReader(content)); !errors.As(err, &e) || e.Field != "body" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"", "..", "../1/" + got.ID, strings.Repeat("a", 32), strings.ToUpper(got.ID), got.ID + ".new"} {
		if _, err := m.open(1, id); wire.CodeOf(err) != wire.NotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := m.open(2, got.ID); wire.CodeOf(err) != wire.NotFound {
		t.Error("another location's file:", err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "1", "*.new"))
	if len(left) > 0 {
		t.Error("left behind:", left)
	}
}

func TestALocationKeepsSoManyFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range maxFiles {
		path := filepath.Join(dir, "1", fmt.Sprintf("%0*x", mediumIDLength, i))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := NewMedia(dir, nil).Put(t.Context(), 1, bytes.NewReader(picture(t))); wire.CodeOf(err) != wire.Conflict {
		t.Error(err)
	}
}

func TestWords(t *testing.T) {
	pages := fstest.MapFS{"words.json": {Data: []byte(`{"en":{"desk":"Desk {name}","voice":"en","toDesk":"to desk"},"es":{"desk":"Mesa {name}","voice":"es","toDesk":"a la mesa"},"xx":{}}`)}}
	w, err := LoadWords(pages)
	if err != nil {
		t.Fatal(err)
	}
	for code, languages := range map[string][]string{"es": {"es-MX", "en"}, "en": {"fi"}} {
		if got := w.Of(languages).Code; got != code {
			t.Errorf("%v: %s", languages, got)
		}
	}
	if got := w.Of([]string{"es"}).Say("desk", "name", "3"); got != "Mesa 3" {
		t.Error(got)
	}
	if got := w.Speech(); len(got) != 2 || got["es"].ToDesk != "a la mesa" {
		t.Errorf("%+v", got)
	}
	if _, err := LoadWords(fstest.MapFS{"words.json": {Data: []byte("{")}}); err == nil {
		t.Error("broken words were taken")
	}
}
