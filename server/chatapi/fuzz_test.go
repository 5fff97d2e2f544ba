package chatapi

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func FuzzCursor(f *testing.F) {
	k := cursor{Since: morning, Until: morning.Add(time.Hour), States: []string{"Open"}, Asked: morning, Made: 7, ID: 3, Department: department}
	good, _ := k.encode()
	f.Add(good)
	f.Add("e30")
	f.Fuzz(func(t *testing.T, v string) {
		k, ok := parseCursor(v)
		if !ok {
			return
		}
		again, err := k.encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, ok := parseCursor(again); !ok || back.ID != k.ID || back.Made != k.Made || !back.Since.Equal(k.Since) {
			t.Errorf("%q gives %+v, then %+v", v, k, back)
		}
	})
}

func FuzzTimes(f *testing.F) {
	for _, v := range []string{"02/03/2026 08:15:04:11", "02.03.2026 08.15.04.11", "99/99/9999 99:99:99:99", "2018-11-26T19:42:53.15", "0001-01-01T00:00:00"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if at, ok := parseListTime(v); ok {
			if back, ok := parseListTime(at.Format(listTime) + ":" + at.Format(".00")[1:]); !ok || !back.Equal(at) {
				t.Errorf("%q: %v, then %v", v, at, back)
			}
		}
		parseDate(v)
		if at, ok := parseISO(v); ok && !at.IsZero() && at.Year() < 1970 {
			t.Errorf("%q: %v", v, at)
		}
	})
}

func FuzzBodies(f *testing.F) {
	for _, v := range []string{
		`{"participants":[{"type":"Client","protocolType":"Web","identifier":"x"}]}`, `{"text":"x","templates":[{"title":"a","buttons":[]}]}`, `[]`, `null`, `{"details":{"referral":null}}`,
	} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, to := range []any{&createIn{}, &sendIn{}, &exportIn{}, &fieldsIn{}, &CannedReply{}, &[]string{}} {
			if err := decodeBody(b, to); err != nil && wire.CodeOf(err) != wire.BadRequest {
				t.Errorf("%T: %v", to, err)
			}
		}
		var in createIn
		if decodeBody(b, &in) == nil {
			if d, err := ticket.MergeDetails(&ticket.Details{UserAgent: "x"}, in.Details); err == nil && d != nil {
				if _, err := json.Marshal(d); err != nil {
					t.Errorf("details that cannot be written: %v", err)
				}
			}
		}
	})
}

func FuzzQueryAndNames(f *testing.F) {
	f.Add("since=1&Until=2")
	f.Add("..%2f..\\a.txt")
	f.Fuzz(func(t *testing.T, v string) {
		if q, err := readQuery(v); err == nil {
			for name := range q {
				if name != strings.ToLower(name) {
					t.Errorf("%q keeps %q", v, name)
				}
			}
		}
		if n := safeName(v); n == "" || n == "." || n == ".." || strings.ContainsAny(n, "/\x00\n") || !utf8.ValidString(n) {
			t.Errorf("%q is stored as %q", v, n)
		}
		if u, err := url.Parse(v); err == nil {
			ownFile(u.Path)
		}
		for _, b := range []byte(ascii(v)) {
			if b >= 0x80 {
				t.Fatalf("%q is not ASCII", v)
			}
		}
		if kind, _, ok := pageKind(v); ok && kind == "" {
			t.Errorf("%q is of no kind", v)
		}
		parseActKey(v)
		split(v)
	})
}

func FuzzSanitise(f *testing.F) {
	f.Add(`<p onclick=x>a</p><script>b</script><a href="java&#0010;script:x">c</a>`)
	p := policy()
	f.Fuzz(func(t *testing.T, v string) {
		out := strings.ToLower(p.Sanitize(v))
		for _, bad := range []string{"<script", "<iframe", "<svg", "<style", "<form", "<object", "href=\"javascript", "href=\"data"} {
			if strings.Contains(out, bad) {
				t.Errorf("%q comes out as %q", v, out)
			}
		}
		plainText(out)
	})
}
