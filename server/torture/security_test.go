//go:build unix

package torture

import (
	"bytes"
	"compress/gzip"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/server/ops"
	"time"
)

// testsOf lists the tests of a folder.
func testsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				out[fn.Name.Name] = true
			}
		}
	}
	return out
}

// TestNamedTestsExist: SECURITY.md and INVARIANTS.md name tests; each must be there.
func TestNamedTestsExist(t *testing.T) {
	named := regexp.MustCompile("`([a-z/]+)` ((?:Test[A-Za-z0-9]+(?:, )?)+)")
	known := map[string]map[string]bool{}
	n := 0
	for _, doc := range []string{"SECURITY.md", "INVARIANTS.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", doc))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			folder := m[1]
			if known[folder] == nil {
				known[folder] = testsOf(t, folder)
			}
			for name := range strings.SplitSeq(strings.TrimSuffix(m[2], ", "), ", ") {
				if n++; !known[folder][name] {
					t.Errorf("%s names %s of %s, which is not there", doc, name, folder)
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d names were found: nothing was tested", n)
	}
}

// TestCompressedBodies: a small body that unfolds to gigabytes is not unfolded.
func TestCompressedBodies(t *testing.T) {
	v := newVictim(t, order{})
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const taken = "go_memstats_alloc_bytes_total" // what was unfolded counts, also when it is gone again
	before := metric(t, v.URL, taken)
	for _, path := range []string{"/hub/v1/session", "/v1/lines/1/tickets", "/graphql", "/hub/v1/pairings"} {
		req, err := http.NewRequest(http.MethodPost, v.URL+path, bytes.NewReader(bomb.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Encoding", "gzip")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Qminder-REST-API-Key", v.QueueAPIKey)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if (res.StatusCode < 400 || res.StatusCode >= 500) && path != "/graphql" { // which tells of errors in its body
			t.Errorf("%s answers %s to a compressed body", path, res.Status)
		}
	}
	if grown := metric(t, v.URL, taken) - before; grown > 32<<20 {
		t.Errorf("it took %d MiB", grown>>20)
	}
	v.works(t)
}

// TestLogInjection: what comes from outside never makes a line of its own, and never
// reaches a terminal as a control character.
func TestLogInjection(t *testing.T) {
	for _, form := range []string{"json", "console"} {
		var out bytes.Buffer
		log, err := ops.NewLogger(&out, "debug", form, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		h := ops.Log(log, ops.Proxies{}, time.Now, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			zerolog.Ctx(r.Context()).Warn().Str("name", r.URL.Query().Get("name")).Msg("said")
		}))
		evil := "/x%0a%7b%22level%22%3a%22error%22%7d%1b%5b2J%0d?name=%0a%7b%22audit%22%3a%22forged%22%7d%1b%5b31m&%0aforged=1"
		req, err := http.NewRequest(http.MethodGet, "http://x"+evil, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.RemoteAddr = "192.0.2.1:1"
		h.ServeHTTP(nullWriter{}, req)
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
			t.Errorf("%s: two events made %d lines: %q", form, n, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(strings.TrimSpace(line), `{"audit"`) || strings.Contains(line, "\x1b[2J") || strings.Contains(line, "\x1b[31m{") {
				t.Errorf("%s: %q", form, line)
			}
		}
	}
}

// nullWriter is a response that nobody reads.
type nullWriter struct{}

func (nullWriter) Header() http.Header         { return http.Header{} }
func (nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (nullWriter) WriteHeader(int)             {}
