package queueapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever arrives, reading it ends in values of the promised form or in a
// bad_request that names a parameter; and a value that is there is never one of
// the words for absence.
func FuzzParams(f *testing.F) {
	for _, s := range []struct{ query, kind, body string }{
		{"a=1&b=2", "", ""},
		{"line=1,2&line=3", "application/x-www-form-urlencoded", "a=%zz"},
		{"", "application/json", `{"a":1,"b":"undefined","line":[1,"2"],"t":"2026-03-02T08:15:04Z","f":true}`},
		{"a=null", "text/plain", `{"a":null}`},
		{"", "", `[1,2]`},
		{"", "", `a=1;b=2`},
		{"a=%ff", "", "\x00\xff"},
		{"rest-api-key=x", "", ""},
		{"rest-api-key=x", "", `{"rest-api-key":1}`},
		{"", "application/json", `{"a":{"b":[[[[]]]]}}`},
	} {
		f.Add(s.query, s.kind, s.body, false)
		f.Add(s.query, s.kind, s.body, true)
	}
	f.Fuzz(func(t *testing.T, query, kind, body string, strict bool) {
		p, err := decodeParams(query, kind, []byte(body), strict)
		if err != nil {
			checkFault(t, err)
			return
		}
		for _, name := range []string{"a", "b", "line", "t", "f"} {
			check := func(what string, ok bool) {
				if p.err == nil && !ok {
					t.Fatalf("%s of %q %q %q is not of its form", what, query, kind, body)
				}
				if p.err != nil {
					checkFault(t, p.err)
					p.err = nil
				}
			}
			text := p.text(name)
			check("text", strict || !p.has(name) || !absentWord(text))
			n := p.id(name)
			check("id", n >= 0 && (n > 0) == p.has(name))
			for _, n := range p.ids(name) {
				check("ids", n > 0)
			}
			at := p.instant(name)
			check("instant", at.IsZero() || !at.Before(earliest) && !at.After(latest))
			p.flag(name)
			check("flag", true)
			p.number(name)
			check("number", true)
			if raw := p.raw(name); raw != nil {
				check("raw", utf8.Valid(raw))
			}
			check("raw", true)
			p.clearable(name)
			check("clearable", !(p.has(name) && p.cleared(name)))
		}
		if p.has(keyParam) && !strings.Contains(body, keyParam) && !strings.Contains(body, `\u`) {
			t.Fatalf("the key is among the parameters: %q", query)
		}
	})
}

func checkFault(t *testing.T, err error) {
	t.Helper()
	var f *fault
	if !errors.As(err, &f) || f.status != http.StatusBadRequest || f.param == "" || !utf8.ValidString(f.message) {
		t.Fatalf("%#v is not a bad request that names a parameter", err)
	}
}

func FuzzInstant(f *testing.F) {
	for _, s := range []string{"2026-03-02T08:15:04.120Z", "1772439304", "2026-03-02", "2026-03-02T10:15:04 02:00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := parseInstant(s)
		if !ok {
			return
		}
		if at.Before(earliest) || at.After(latest) {
			t.Fatalf("%q is %v", s, at)
		}
		back, ok := parseInstant(at.Format(time.RFC3339Nano))
		if !ok || !back.Equal(at) {
			t.Fatalf("%q is %v, which reads as %v", s, at, back)
		}
	})
}

// Whatever is posted as hours or as JSON of version 2, the answer has the
// envelope and is never an internal error.
func FuzzBodies(f *testing.F) {
	r := stage(f)
	paths := []struct{ method, path string }{
		{"PUT", "/locations/1/opening-hours"}, {"PUT", "/locations/1/opening-hours/exceptions"}, {"POST", "/tickets"},
		{"PATCH", "/tickets/1"}, {"POST", "/locations"}, {"POST", "/locations/1/lines"}, {"POST", "/input-fields"},
		{"PATCH", "/input-fields/" + fieldID(2)}, {"POST", "/v1/appointments"}, {"POST", "/v1/users/2/lines"},
		{"POST", "/v1/tickets/1/edit"}, {"POST", "/v1/tickets/8/external"}, {"POST", "/v1/users"},
	}
	for _, lines := range transcripts {
		for _, line := range lines {
			if q := parseLine(line); q.body != "" {
				for i := range paths {
					if paths[i].method == q.method {
						f.Add(i, q.body)
					}
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, n int, body string) {
		p := paths[uint(n)%uint(len(paths))]
		h := httptest.NewRequest(p.method, p.path, strings.NewReader(body))
		h.Header.Set(keyHeader, adminKey)
		h.Header.Set(versionHeader, version)
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, h)
		if wrong := contractOf(t).problems(h, w); len(wrong) > 0 {
			t.Fatalf("%s %s %q: %d %s: %q", p.method, p.path, body, w.Code, w.Body, wrong)
		}
		if w.Code >= 500 || w.Code < 200 || w.Code == 204 {
			t.Fatalf("%s %s %q: %d %s", p.method, p.path, body, w.Code, w.Body)
		}
		if w.Code >= 400 && !strings.HasPrefix(w.Body.String(), `{"statusCode":4`) {
			t.Fatalf("%s %s %q: %d %s", p.method, p.path, body, w.Code, w.Body)
		}
	})
}
