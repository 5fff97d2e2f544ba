package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops/limit"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func fixed() time.Time { return time.Date(2026, 11, 21, 10, 42, 5, 120e6, time.UTC) }

func logger(t *testing.T, w io.Writer) zerolog.Logger {
	t.Helper()
	log, err := NewLogger(w, "debug", "json", fixed)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "info", "auto", fixed)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug().Msg("hidden")
	log.Info().Str("channel", "board:1\nforged").Msg("hello")
	want := `{"level":"info","channel":"board:1\nforged","time":"2026-11-21T10:42:05.120Z","message":"hello"}` + "\n"
	if out.String() != want {
		t.Errorf("wrote %s", out.String())
	}
	out.Reset()
	log, _ = NewLogger(&out, "info", "console", fixed)
	log.Info().Msg("hello")
	if strings.HasPrefix(out.String(), "{") || !strings.Contains(out.String(), "hello") {
		t.Errorf("console: %s", out.String())
	}
	for _, bad := range [][2]string{{"loud", "json"}, {"", "json"}, {"info", "xml"}} {
		if _, err := NewLogger(&out, bad[0], bad[1], fixed); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestErrorEnvelope(t *testing.T) {
	want := map[wire.Code]int{
		wire.BadRequest: 400, wire.Unauthenticated: 401, wire.Forbidden: 403, wire.NotFound: 404, wire.Empty: 404,
		wire.Conflict: 409, wire.TooLarge: 413, wire.RateLimited: 429, wire.Unavailable: 503, wire.Internal: 500,
	}
	for _, code := range wire.Codes {
		rec := httptest.NewRecorder()
		WriteError(rec, httptest.NewRequest("GET", "/", nil), wire.Errorf(code, "why"))
		if rec.Code != want[code] || want[code] == 0 {
			t.Errorf("%s: %d, want %d", code, rec.Code, want[code])
		}
	}
	rec := httptest.NewRecorder()
	err := fmt.Errorf("door: %w", &wire.Error{Code: wire.RateLimited, Message: "slow", Field: "f", RetryAfter: 7})
	WriteError(rec, httptest.NewRequest("GET", "/", nil), err)
	if got := rec.Body.String(); got != `{"error":{"code":"rate_limited","message":"slow","field":"f","retryAfter":7}}` {
		t.Error(got)
	}
	if h := rec.Header(); h.Get("Retry-After") != "7" || h.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Error(h)
	}
}

// Internal text goes to the log and nowhere else.
func TestInternalTextIsLoggedNeverSent(t *testing.T) {
	var out bytes.Buffer
	log := logger(t, &out)
	r := httptest.NewRequest("POST", "/v1/users/a@b.c?secret=x", nil)
	r = r.WithContext(log.WithContext(r.Context()))
	rec := httptest.NewRecorder()
	WriteError(rec, r, errors.New("badger: value log at /var/lib is broken"))
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "badger") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if s := out.String(); !strings.Contains(s, "badger") || strings.Contains(s, "a@b.c") || strings.Contains(s, "secret") {
		t.Errorf("logged %s", s)
	}
}

func TestRequestLogHoldsNoSecret(t *testing.T) {
	var out bytes.Buffer
	h := Log(logger(t, &out), Proxies{}, fixed, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short"))
	}))
	for _, target := range []string{
		"/graphql/subscription?rest-api-key=ns_key_SECRET&id=1", "/code/ABCD?secret=SECRET", "/t/SECRET",
		"/v1/users/SECRET@b.c", "/x/ns_vis_SECRET/y", "/v1/x?REST-API-KEY=SECRET&phoneNumber=SECRET", "/a?%zz=SECRET",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
		r.Header.Set("Authorization", "Bearer SECRET")
		r.Header.Set("X-Qminder-REST-API-Key", "SECRET")
		r.Header.Set("Cookie", "ns_session=SECRET")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if strings.Contains(out.String(), "SECRET") {
		t.Errorf("logged\n%s", out.String())
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	for _, want := range []string{`"level":"debug"`, `"method":"GET"`, `"path":"/graphql/subscription"`, `"query":["id","rest-api-key"]`,
		`"status":418`, `"bytes":5`, `"from":"192.0.2.1"`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 7 {
		t.Errorf("%d lines for 7 requests", n)
	}
}

func TestRecover(t *testing.T) {
	var out bytes.Buffer
	panics := 0
	h := Recover(logger(t, &out), WriteError, func() { panics++ }, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/half":
			_, _ = w.Write([]byte("half"))
		}
		panic("secret detail")
	}))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 500 || wireCode(t, rec.Body.Bytes()) != wire.Internal || strings.Contains(rec.Body.String(), "secret") || panics != 1 {
		t.Errorf("%d %s, %d panics", rec.Code, rec.Body, panics)
	}
	if s := out.String(); !strings.Contains(s, "secret detail") || !strings.Contains(s, "ops_test.go") {
		t.Errorf("logged %s", s)
	}
	for _, path := range []string{"/abort", "/half"} {
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler {
					t.Errorf("%s: %v, want the connection cut", path, p)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		}()
	}
}

func wireCode(t *testing.T, body []byte) wire.Code {
	t.Helper()
	var got struct{ Error wire.Error }
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return got.Error.Code
}

func TestBodyLimit(t *testing.T) {
	reached := false
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached = true
		var body any
		if err := ReadJSON(r, &body); err != nil {
			WriteError(w, r, err)
			return
		}
		WriteJSON(w, 200, body)
	})
	h := Limits(10, WriteError, fixed, read)
	for name, c := range map[string]struct {
		body    string
		unknown bool
		status  int
	}{
		"fits":             {`"12345678"`, false, 200},
		"fits, undeclared": {`"12345678"`, true, 200},
		"declared":         {`"123456789"`, false, 413},
		"undeclared":       {`"123456789"`, true, 413},
		"hidden behind":    {`1          `, true, 413},
		"empty":            {``, false, 200},
		"no JSON":          {`{`, false, 400},
		"two values":       {`1 2`, false, 400},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
		if c.unknown {
			r.ContentLength = -1
		}
		rec := httptest.NewRecorder()
		reached = false
		h.ServeHTTP(rec, r)
		if name == "declared" && (reached || rec.Header().Get("Connection") != "close") {
			t.Errorf("%s: the handler was asked, or the connection kept", name)
		}
		if rec.Code != c.status {
			t.Errorf("%s: %d %s, want %d", name, rec.Code, rec.Body, c.status)
		}
		if rec.Code == 413 && wireCode(t, rec.Body.Bytes()) != wire.TooLarge {
			t.Errorf("%s: %s", name, rec.Body)
		}
	}
}

func TestReadJSONNamesTheField(t *testing.T) {
	var to struct {
		Line struct {
			ID int `json:"id"`
		} `json:"line"`
	}
	err := ReadJSON(httptest.NewRequest("POST", "/", strings.NewReader(`{"line":{"id":"x"}}`)), &to)
	if e := wire.AsError(err); e.Code != wire.BadRequest || e.Field != "line.id" {
		t.Errorf("%v", err)
	}
}

func TestRateLimit(t *testing.T) {
	now := fixed()
	h := RateLimit(limit.Rate{PerSecond: 1, Burst: 2}, Proxies{}, WriteError, func() time.Time { return now },
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }))
	try := func(addr string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	for i, want := range []int{200, 200, 429} {
		if rec := try("192.0.2.1:1000"); rec.Code != want {
			t.Errorf("request %d: %d, want %d", i, rec.Code, want)
		} else if want == 429 && (rec.Header().Get("Retry-After") != "1" || wireCode(t, rec.Body.Bytes()) != wire.RateLimited) {
			t.Errorf("%v %s", rec.Header(), rec.Body)
		}
	}
	if try("192.0.2.2:1000").Code != 200 {
		t.Error("another address was limited")
	}
	now = now.Add(time.Second)
	if try("192.0.2.1:9").Code != 200 || try("192.0.2.1:9").Code != 429 {
		t.Error("want one more after a second")
	}
}

func TestSecureHeaders(t *testing.T) {
	const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
		"media-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
	for name, c := range map[string]struct {
		page func(http.Header)
		want map[string]string
	}{
		"default": {func(http.Header) {}, map[string]string{
			"Content-Security-Policy": csp + "'none'", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}},
		"framed": {func(h http.Header) { AllowFrames(h, "https://shop.example:8443", "http://localhost") }, map[string]string{
			"Content-Security-Policy": csp + "https://shop.example:8443 http://localhost", "X-Frame-Options": "",
			"X-Content-Type-Options": "nosniff"}},
		"framed by nonsense": {func(h http.Header) {
			AllowFrames(h, "https://a.example; script-src *", "*", "https://*", "'self'", "https://", "data:", "https://a b")
		}, map[string]string{"Content-Security-Policy": csp + "'none'", "X-Frame-Options": "DENY"}},
		"loader": {Embeddable, map[string]string{"Cross-Origin-Resource-Policy": "cross-origin", "X-Frame-Options": "DENY"}},
	} {
		rec := httptest.NewRecorder()
		SecureHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.page(w.Header()) })).
			ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		for header, want := range c.want {
			if got := rec.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	rec := httptest.NewRecorder()
	Healthz(rec, httptest.NewRequest("GET", "/healthz", nil))
	if rec.Code != 200 {
		t.Errorf("healthz %d", rec.Code)
	}
	var full error
	h := Readyz(Check{"disk", func() error { return full }}, Check{"draining", func() error { return nil }})
	for _, want := range []struct {
		err    error
		status int
		body   string
	}{
		{nil, 200, `{"status":"ok"}`},
		{errors.New("3 bytes at /data"), 503, `{"error":{"code":"unavailable","message":"not ready"},"reasons":["disk"]}`},
	} {
		full = want.err
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
		if rec.Code != want.status || rec.Body.String() != want.body {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	}
}

// The names and labels are a contract with dashboards.
func TestMetricNamesGolden(t *testing.T) {
	m := NewMetrics()
	m.Published("board")
	m.Delivered("board", 3)
	m.Subscribed("board", true)
	m.Subscribed("board", false)
	m.Sessions("display", func() int { return 1 })
	m.Disconnected("slow")
	m.Committed(3*time.Millisecond, 64)
	m.Command("ticket.call", "ok", time.Millisecond)
	m.Denied("signin", "unauthenticated")
	m.Panicked()
	m.Door("hub", fixed, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	var lines []string
	for line := range strings.Lines(rec.Body.String()) {
		if strings.HasPrefix(line, "nowserving_") && !strings.Contains(line, "le=") || strings.HasPrefix(line, "# HELP nowserving_") {
			lines = append(lines, line)
		}
	}
	got := strings.Join(lines, "")
	golden := filepath.Join("testdata", "metrics.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("metrics changed; -update writes them, after a look at:\n%s", got)
	}
	if !strings.Contains(rec.Body.String(), "go_goroutines") {
		t.Error("no numbers of the process itself")
	}
}

func TestSafePath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/t/abc": "/t/***", "/t/abc/messages": "/t/***/messages", "/t": "/t", "/t/": "/t/",
		"/v1/tickets/17": "/v1/tickets/17", "/v1/users/a@b.c/": "/v1/users/***/", "/x/ns_key_abc": "/x/***", "": "", "/a/t/b": "/a/t/b",
	} {
		if got := SafePath(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if !slices.Equal(safeQuery(httptest.NewRequest("GET", "/?b=1&a=2&a=3", nil)), []string{"a", "b"}) {
		t.Error("names of the query")
	}
}
