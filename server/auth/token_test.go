package auth

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFormsAreDistinctAndLongEnough(t *testing.T) {
	seen := map[string]bool{}
	types := map[Type]bool{}
	for _, f := range forms() {
		if len(f.prefix) != prefixLen || seen[f.prefix] || types[f.typ] {
			t.Errorf("%+v: prefixes have one length, and each prefix and type is there once", f)
		}
		seen[f.prefix], types[f.typ] = true, true
		if bits := float64(f.length) * math.Log2(float64(len(alphabet))); bits < 128 {
			t.Errorf("%s: %.1f bits, want at least 128", f.typ, bits)
		}
	}
}

func TestNewTokensParse(t *testing.T) {
	for _, f := range forms() {
		token, d, err := newToken(f.typ, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		typ, again, ok := parseToken(token)
		if !ok || typ != f.typ || again != d {
			t.Errorf("%s: parsed as %q, %v", token, typ, ok)
		}
		other, _, _ := newToken(f.typ, rand.Reader)
		if other == token {
			t.Errorf("%s was drawn twice", token)
		}
	}
	if _, _, err := newToken("nothing", rand.Reader); err == nil {
		t.Error("made a token of an unknown type")
	}
	if _, _, err := newToken(Session, iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("made a token without randomness")
	}
}

// Every character must be equally likely: 256 is no multiple of 62.
func TestRandomTextIsUnbiased(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	const rounds = 62 * 8 // more than one run through all bytes
	text, err := randomText(rounds, bytes.NewReader(bytes.Repeat(all, 8)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range alphabet {
		if n := strings.Count(text, string(c)); n != rounds/62 {
			t.Errorf("%c came %d times, want %d", c, n, rounds/62)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	for _, form := range forms() {
		token, _, err := newToken(form.typ, rand.Reader)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
		f.Add(token[:len(token)-1])
		f.Add(token + "x")
		f.Add(" " + token)
		f.Add(form.prefix)
	}
	f.Add("")
	f.Add("ns_")
	f.Add("ns_key_" + strings.Repeat("é", 43))
	f.Fuzz(func(t *testing.T, token string) {
		typ, d, ok := parseToken(token)
		if !ok {
			if typ != "" || d != (digest{}) {
				t.Fatalf("%q was refused but gave %q %s", token, typ, d)
			}
			return
		}
		for _, form := range forms() {
			if form.typ != typ {
				continue
			}
			body, cut := strings.CutPrefix(token, form.prefix)
			if !cut || len(body) != form.length || strings.Trim(body, alphabet) != "" {
				t.Fatalf("%q was taken as %s", token, typ)
			}
		}
		if back, err := parseDigest(d.String()); err != nil || back != d {
			t.Fatalf("digest %s does not survive writing: %v", d, err)
		}
	})
}

func FuzzParsePHC(f *testing.F) {
	f.Add(nobody().String())
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$")
	f.Add("$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdA")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.String() != s {
			t.Fatalf("%q was read as %q", s, p)
		}
		if p.memory > 256<<10 || p.time > 16 || p.threads > 8 {
			t.Fatalf("%q may cost too much", s)
		}
	})
}
