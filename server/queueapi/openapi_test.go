package queueapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDocumentIsOpenAPI(t *testing.T) {
	if ok, errs := contractOf(t).check.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%s", e.Error())
			for _, s := range e.SchemaValidationErrors {
				t.Errorf("  %s at %s", s.Reason, s.FieldPath)
			}
		}
	}
}

// What the router cannot tell apart stands in the document as paths of its own.
func words() map[string][]string {
	return map[string][]string{
		"GET /v1/tickets/{}":       {"GET /v1/tickets/search", "GET /v1/tickets/count", "GET /v1/tickets/{}"},
		"POST /v1/tickets/{}":      {"POST /v1/tickets/call", "POST /v1/tickets/count"},
		"POST /v1/appointments/{}": {"POST /v1/appointments/auto-assign"},
	}
}

func TestEveryRouteIsInTheDocumentAndNothingElse(t *testing.T) {
	parameter := regexp.MustCompile(`:\w+|\{\w+\}`)
	var routed, documented []string
	for _, table := range allRoutes() {
		for _, r := range table {
			name := r.method + " " + parameter.ReplaceAllString(r.path, "{}")
			if w := words()[name]; w != nil {
				routed = append(routed, w...)
				continue
			}
			routed = append(routed, name)
		}
	}
	c := contractOf(t)
	ids := map[string]string{}
	for path, item := range member(c.doc, "paths") {
		for method, op := range item.(object) {
			name := strings.ToUpper(method) + " " + parameter.ReplaceAllString(path, "{}")
			documented = append(documented, name)
			if other := ids[str(op.(object), "operationId")]; other != "" {
				t.Errorf("%s and %s have the same operationId", name, other)
			}
			ids[str(op.(object), "operationId")] = name
		}
	}
	for _, name := range routed {
		if !slices.Contains(documented, name) {
			t.Errorf("the document misses %s", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(routed, name) {
			t.Errorf("nothing answers %s", name)
		}
	}
	if len(routed) < 60 {
		t.Errorf("only %d routes were compared", len(routed))
	}
}

// What an operation needs by the routes is what the document says it needs.
func TestDocumentAgreesOnKeyAndVersion(t *testing.T) {
	c := contractOf(t)
	for _, table := range allRoutes() {
		for _, r := range table {
			path := regexp.MustCompile(`:\w+`).ReplaceAllString(r.path, "1")
			if w := words()[r.method+" "+regexp.MustCompile(`:\w+`).ReplaceAllString(r.path, "{}")]; w != nil {
				path = strings.ReplaceAll(strings.Fields(w[0])[1], "{}", "1")
			}
			_, op := c.operation(r.method, path)
			_, open := op["security"]
			if open != r.open || declares(op, "Version") != r.v2 || declares(op, "VersionHere") != r.either {
				t.Errorf("%s %s: open %v, needs the version %v, either %v", r.method, r.path, r.open, r.v2, r.either)
			}
		}
	}
}

func TestDescriptionIsServed(t *testing.T) {
	d := NewDescription()
	get := func(method, path, etag string) *httptest.ResponseRecorder {
		w, h := httptest.NewRecorder(), httptest.NewRequest(method, path, nil)
		h.Header.Set("If-None-Match", etag)
		d.ServeHTTP(w, h)
		return w
	}
	for path, want := range map[string]struct{ kind, text string }{
		"/openapi.json": {"application/json; charset=utf-8", `"openapi":"3.1.0"`},
		"/docs/api":     {"text/html; charset=utf-8", "/v1/tickets/{id}/returntoqueue"},
		"/docs/api/":    {"text/html; charset=utf-8", `<link rel="stylesheet" href="/docs/api.css">`},
		"/docs/api.css": {"text/css; charset=utf-8", "prefers-color-scheme"},
	} {
		if !DescribedAt(path) {
			t.Errorf("%s is nobody's", path)
		}
		w := get(http.MethodGet, path, "")
		etag := w.Header().Get("ETag")
		if w.Code != 200 || w.Header().Get("Content-Type") != want.kind || !strings.Contains(w.Body.String(), want.text) || etag == "" {
			t.Errorf("%s: %d %v %.200s", path, w.Code, w.Header(), w.Body)
		}
		for header, code := range map[string]int{etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200} {
			if again := get(http.MethodGet, path, header); again.Code != code || code == 304 && again.Body.Len() > 0 {
				t.Errorf("%s with If-None-Match %s: %d", path, header, again.Code)
			}
		}
		if w := get(http.MethodPost, path, ""); w.Code != 405 || w.Header().Get("Allow") == "" {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
	if DescribedAt("/docs") || get(http.MethodGet, "/docs", "").Code != 404 {
		t.Error("/docs is answered")
	}
	if again := NewDescription(); again.document.etag != d.document.etag || again.page.etag != d.page.etag {
		t.Error("the same program describes itself in two ways")
	}
}

// The page loads nothing from elsewhere, runs nothing, and every link in it has
// its target.
func TestPageIsWholeAndSafe(t *testing.T) {
	page := string(NewDescription().page.body)
	for _, bad := range []string{"<script", "style=", "<style", "http://", "https://", "onclick", "%!", "&lt;nil", "<nil", "map["} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if strings.Count(page, `id="`+m[1]+`"`) != 1 {
			t.Errorf("#%s has %d targets", m[1], strings.Count(page, `id="`+m[1]+`"`))
		}
	}
	c := contractOf(t)
	for path, item := range member(c.doc, "paths") {
		for method := range item.(object) {
			row := fmt.Sprintf(`<span class="method %[1]s">%[1]s</span> <code>%[2]s</code>`, strings.ToUpper(method), path)
			if strings.Count(page, row) != 1 {
				t.Errorf("%s %s is on the page %d times", method, path, strings.Count(page, row))
			}
		}
	}
	for name := range member(member(c.doc, "components"), "schemas") {
		if !strings.Contains(page, `id="schema-`+name+`"`) {
			t.Errorf("the page misses schema %s", name)
		}
	}
}

// Every $ref of the document leads somewhere, and every shared part is used.
func TestEverySharedPartIsUsed(t *testing.T) {
	c := contractOf(t)
	text := string(NewDescription().document.body)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/(\w+/\w+)"`).FindAllStringSubmatch(text, -1) {
		used[m[1]] = true
	}
	for kind, parts := range member(c.doc, "components") {
		if kind == "securitySchemes" {
			continue
		}
		for name := range parts.(object) {
			if !used[kind+"/"+name] {
				t.Errorf("nothing refers to %s %s", kind, name)
			}
			delete(used, kind+"/"+name)
		}
	}
	for ref := range used {
		t.Errorf("there is no %s", ref)
	}
}

// The check itself fails where it should: each answer is right but for one thing.
func TestTheContractIsNotBlind(t *testing.T) {
	c := contractOf(t)
	ticket := `"id":"1","publicId":"A-1","status":"NEW","source":"NAME","line":1,"languageCode":"en","created":{"date":"2026-03-02T08:15:04.120Z"},"extra":[],"labels":[]`
	for _, x := range []struct {
		name, method, path, body string
		code                     int
		header                   http.Header
		right                    bool
	}{
		{"right", "GET", "/v1/tickets/1", `{"statusCode":200,` + ticket + `}`, 200, nil, true},
		{"slash", "GET", "/v1/tickets/1/", `{"statusCode":200,` + ticket + `}`, 200, nil, true},
		{"no statusCode", "GET", "/v1/tickets/1", `{` + ticket + `}`, 200, nil, false},
		{"unknown member", "GET", "/v1/tickets/1", `{"statusCode":200,"secret":1,` + ticket + `}`, 200, nil, false},
		{"null", "GET", "/v1/tickets/1", `{"statusCode":200,"firstName":null,` + ticket + `}`, 200, nil, false},
		{"number for text", "GET", "/v1/tickets/1", `{"statusCode":200,` + strings.Replace(ticket, `"1"`, `1`, 1) + `}`, 200, nil, false},
		{"decimals", "GET", "/v1/tickets/1", `{"statusCode":200,` + strings.Replace(ticket, `.120Z`, `.12Z`, 1) + `}`, 200, nil, false},
		{"called while NEW", "GET", "/v1/tickets/1", `{"statusCode":200,"called":{"date":"2026-03-02T08:15:04.120Z"},` + ticket + `}`, 200, nil, false},
		{"status", "GET", "/v1/tickets/1", `{"statusCode":202,` + ticket + `}`, 202, nil, false},
		{"unknown member in a list", "GET", "/v1/tickets/search", `{"statusCode":200,"data":[{"statusCode":200,` + ticket + `}]}`, 200, nil, false},
		{"list", "GET", "/v1/tickets/search", `{"statusCode":200,"data":[{` + ticket + `}]}`, 200, nil, true},
		{"type", "GET", "/v1/tickets/count", `{"statusCode":200,"count":1}`, 200, http.Header{"Content-Type": {"text/plain"}}, false},
		{"rate", "GET", "/v1/tickets/count", `{"statusCode":200,"count":1}`, 200, http.Header{leftHeader: nil}, false},
		{"body where none is", "PATCH", "/tickets/1", `{}`, 200, nil, false},
		{"no code", "PATCH", "/tickets/1", `{"statusCode":404,"message":"x"}`, 404, nil, false},
		{"code", "PATCH", "/tickets/1", `{"statusCode":404,"message":"x","code":"resource_missing"}`, 404, nil, true},
		{"code in version 1", "GET", "/v1/tickets/1", `{"statusCode":404,"message":"x","code":"resource_missing"}`, 404, nil, false},
		{"another statusCode", "GET", "/v1/tickets/1", `{"statusCode":400,"message":"x"}`, 404, nil, false},
		{"unknown operation", "GET", "/v1/tickets/1/secrets", `{}`, 200, nil, false},
		{"unknown parameter", "GET", "/v1/tickets/1?colour=red", `{"statusCode":200,` + ticket + `}`, 200, nil, false},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set(leftHeader, "1")
		for name, values := range x.header {
			w.Header()[name] = values
		}
		w.WriteHeader(x.code)
		_, _ = w.WriteString(x.body)
		h := httptest.NewRequest(x.method, x.path, nil)
		found := c.problems(h, w)
		if x.code < 300 {
			found = append(found, c.undeclared(h, "")...)
		}
		if (len(found) == 0) != x.right {
			t.Errorf("%s: %q", x.name, found)
		}
	}
}
