package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/display/board"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	tallinn = time.FixedZone("Europe/Tallinn", 2*60*60)
	noon    = time.Date(2026, 11, 21, 10, 45, 0, 0, time.UTC)
)

func stamp(clock string) string { return "2026-11-21T10:" + clock + ".000Z" }

func call(id string, desk int64, at string, recalls int) board.Ticket {
	return board.Ticket{
		Key: id + ".20261121", PublicID: id, Status: board.StatusCalled, Line: 1, Desk: desk, CalledAt: stamp(at), Recalls: recalls,
	}
}

func over(id string, desk int64, at string) board.Ticket {
	t := call(id, desk, at, 0)
	t.Status = board.StatusServed
	return t
}

// lobby is an ordinary moment: two calls, two that ended, three lines.
func lobby() model {
	return model{
		loaded: true, live: true, now: noon, current: noon, zone: tallinn, hero: "A-42.20261121",
		board: board.Snapshot{
			Location: board.Location{ID: 1, Name: "Main Street", Timezone: "Europe/Tallinn"},
			Lines: []board.Line{
				{ID: 1, Name: "Passports", Series: "A", Waiting: 7, Wait: &board.Wait{Min: 5, Max: 15}},
				{ID: 2, Name: "Residence permits and registration", Series: "B", Waiting: 12, Wait: &board.Wait{Min: 30, Max: 30}},
				{ID: 3, Name: "Vehicles", Series: "C"},
			},
			Desks:   []board.Desk{{ID: 1, Name: "1"}, {ID: 2, Name: "12"}, {ID: 3, Name: "3"}},
			Serving: []board.Ticket{call("A-42", 3, "44:50", 0), call("B-107", 2, "43:00", 1)},
			Recent:  []board.Ticket{over("A-41", 1, "40:00"), over("C-9", 2, "38:00")},
		},
	}
}

var moments = map[string]func(*model){
	"call":   func(*model) {},
	"recall": func(m *model) { m.hero = "B-107.20261121" },
	"idle":   func(m *model) { m.board.Serving, m.board.Lines = nil, nil },
	"reconnecting": func(m *model) {
		m.live, m.current = false, noon.Add(-14*time.Second)
	},
	"stale":      func(m *model) { m.live, m.current = true, noon.Add(-15*time.Second) },
	"offline":    func(m *model) { m.live, m.current = false, noon.Add(-60*time.Second) },
	"connecting": func(m *model) { *m = model{now: noon, current: noon.Add(-20 * time.Second), zone: tallinn} },
	"desk":       func(m *model) { m.desk = 2 },
	"desk-free":  func(m *model) { m.desk = 1 },
	"named": func(m *model) {
		m.board.Serving[0].Name = "Ida B."
		m.board.Desks[2].Name = "Fönster 3"
	},
	"spanish": func(m *model) { m.text = wordsOf([]string{"es-MX", "en"}) },
	"many": func(m *model) {
		m.board.Serving = nil
		for i := range 20 {
			m.board.Serving = append(m.board.Serving, call(fmt.Sprintf("D-%d", 300-i), 2, fmt.Sprintf("%02d:00", 40-i), 0))
		}
	},
}

func TestGolden(t *testing.T) {
	for name, change := range moments {
		for _, size := range [][2]int{{80, 24}, {200, 50}, {480, 135}} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				m := lobby()
				change(&m)
				got := dump(render(m, size[0], size[1]))
				file := filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.txt", name, size[0], size[1]))
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs (see it with -update and git diff):\n%s", file, got)
				}
			})
		}
	}
}

// dump is a frame as text and, behind it, the styles of each row that has any.
func dump(f *frame) string {
	var b strings.Builder
	letters := map[style]byte{plain: '.', bold: 'b', dim: 'd', inverse | bold: 'I'}
	for y := range f.h {
		row := ""
		for _, c := range f.cells[y*f.w : (y+1)*f.w] {
			row += c.text
		}
		fmt.Fprintf(&b, "%s\n", strings.TrimRight(row, " "))
	}
	for y := range f.h {
		row := make([]byte, f.w)
		for x, c := range f.cells[y*f.w : (y+1)*f.w] {
			row[x] = letters[c.style]
			if row[x] == 0 {
				row[x] = '?'
			}
		}
		if s := strings.TrimRight(string(row), "."); s != "" {
			fmt.Fprintf(&b, "%2d %s\n", y, runs(s))
		}
	}
	return b.String()
}

// runs writes "bbb..I" as "3b 2. 1I".
func runs(s string) string {
	var out []string
	for len(s) > 0 {
		n := len(s) - len(strings.TrimLeft(s, s[:1]))
		out = append(out, fmt.Sprintf("%d%c", n, s[0]))
		s = s[n:]
	}
	return strings.Join(out, " ")
}

// foreign is text as a hostile or merely strange hub may send it.
func foreign() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[A-Z]-[0-9]{1,4}`),
		rapid.SampledFrom([]string{
			"\x1b]0;pwned\x07", "\x1b[2J", "\u009b31m", "A\x7f", "\u202eabc", "漢字かな", "a\u0301\u0301\u0301", "\xff\xfe", "\r\n\t", "\u2028", "👩‍🚀", "",
		}),
	)
}

func hostile() *rapid.Generator[model] {
	return rapid.Custom(func(t *rapid.T) model {
		ticket := rapid.Custom(func(t *rapid.T) board.Ticket {
			return board.Ticket{
				Key: foreign().Draw(t, "key"), PublicID: foreign().Draw(t, "publicId"), Name: foreign().Draw(t, "name"),
				Desk: rapid.Int64Range(0, 3).Draw(t, "desk"), Recalls: rapid.IntRange(0, 4).Draw(t, "recalls"),
			}
		})
		m := model{loaded: true, live: rapid.Bool().Draw(t, "live"), now: noon}
		m.current = noon.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "age")) * time.Second)
		m.desk = rapid.Int64Range(0, 2).Draw(t, "sign")
		m.board.Location.Name = foreign().Draw(t, "location")
		m.board.Serving = rapid.SliceOfN(ticket, 0, 8).Draw(t, "serving")
		m.board.Recent = rapid.SliceOfN(ticket, 0, 12).Draw(t, "recent")
		for i := range rapid.IntRange(0, 5).Draw(t, "lines") {
			m.board.Lines = append(m.board.Lines, board.Line{ID: int64(i), Name: foreign().Draw(t, "line"), Series: foreign().Draw(t, "series")})
			m.board.Desks = append(m.board.Desks, board.Desk{ID: int64(i), Name: foreign().Draw(t, "desk name")})
		}
		return m
	})
}

// TestNoControlCharacters: whatever the hub sends, the terminal gets no control
// character but our own styles, and every row fills its cells exactly.
func TestNoControlCharacters(t *testing.T) {
	styles := strings.NewReplacer("\x1b[0m", "", "\x1b[0;1m", "", "\x1b[0;2m", "", "\x1b[0;7m", "", "\x1b[0;1;7m", "")
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(-1, 210).Draw(t, "w"), rapid.IntRange(-1, 60).Draw(t, "h")
		f := render(hostile().Draw(t, "model"), w, h)
		for y := range f.h {
			row := styles.Replace(f.row(y))
			for _, r := range row {
				if unicode.In(r, unicode.C) || r == unicode.ReplacementChar {
					t.Fatalf("row %d holds %U: %q", y, r, row)
				}
			}
			if n := textWidth(row); n != f.w {
				t.Fatalf("row %d is %d cells wide, want %d: %q", y, n, f.w, row)
			}
		}
	})
}

func TestJSONLinesHoldNoControlCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := hostile().Draw(t, "model")
		var out strings.Builder
		j := jsonLines{&out}
		raw, err := json.Marshal(m.board)
		if err != nil {
			t.Fatal(err)
		}
		all := []news{{kind: newsSnapshot, board: raw}, {kind: newsStatus}}
		for _, tk := range m.board.Serving {
			all = append(all, news{kind: newsCall, call: board.Call{Ticket: tk, Time: noon}})
		}
		if err := j.show(m, all); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(all) {
			t.Fatalf("%d lines for %d changes", len(lines), len(all))
		}
		for _, l := range lines {
			if !json.Valid([]byte(l)) || strings.ContainsFunc(l, unicode.IsControl) {
				t.Fatalf("line %q", l)
			}
		}
	})
}

func TestFreshness(t *testing.T) {
	for _, c := range []struct {
		age  time.Duration
		live bool
		want freshness
	}{
		{0, true, fresh}, {0, false, reconnecting},
		{14999 * time.Millisecond, true, fresh}, {14999 * time.Millisecond, false, reconnecting},
		{15 * time.Second, true, stale}, {15 * time.Second, false, stale},
		{59999 * time.Millisecond, true, stale}, {60 * time.Second, true, offline}, {time.Hour, false, offline},
	} {
		m := model{now: noon, current: noon.Add(-c.age), live: c.live}
		if got := m.freshness(); got != c.want {
			t.Errorf("%v old, live %v: %s, want %s", c.age, c.live, got, c.want)
		}
	}
}

func TestEveryGlyphIsWellFormed(t *testing.T) {
	for r, g := range glyphs {
		rows := strings.Fields(g)
		if len(rows) != glyphRows {
			t.Errorf("%q has %d rows", r, len(rows))
		}
		for _, row := range rows {
			if len(row) != len(rows[0]) || strings.Trim(row, ".#") != "" {
				t.Errorf("%q: row %q", r, row)
			}
		}
	}
	for _, r := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ- →" {
		if glyphs[r] == "" {
			t.Errorf("%q has no block letter", r)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"A-42":                   "A-42",
		"\x1b[31mred\x1b[0m":     "[31mred[0m",
		"\u009b2J":               "2J",
		"a\tb\u00a0c\u2028d\ne":  "a b c d e",
		"\u202eevil\u200b":       "evil",
		"\xffok\x7f":             "ok",
		strings.Repeat("x", 600): strings.Repeat("x", maxText),
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := fit("漢字かな", 5); got != "漢字…" {
		t.Errorf("fit = %q", got)
	}
}
