package queueapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
)

// contract is the document, read by a library that knows OpenAPI.
type contract struct {
	doc   object
	mu    sync.Mutex // of what follows; the validator renders schemas into itself
	check validator.Validator
	seen  map[string]int // answers by operation and status
}

// theContract is read once: every test of the package checks its answers with it,
// and reading takes longer than most of them.
var theContract = sync.OnceValues(readContract)

func readContract() (*contract, error) {
	text := httptest.NewRecorder()
	NewDescription().ServeHTTP(text, httptest.NewRequest(http.MethodGet, DescriptionPath, nil))
	c := &contract{seen: map[string]int{}}
	if err := json.Unmarshal(text.Body.Bytes(), &c.doc); err != nil {
		return nil, err
	}
	doc, err := libopenapi.NewDocument(text.Body.Bytes())
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(doc, config.WithoutSecurityValidation(), config.WithFormatAssertions())
	if len(errs) > 0 {
		return nil, fmt.Errorf("%v", errs)
	}
	c.check = v
	return c, nil
}

// operation finds what a request calls: the operation and its path in the
// document, where a word goes before a parameter.
func (c *contract) operation(method, path string) (string, object) {
	asked := strings.Split(strings.TrimSuffix(path, "/"), "/")
	best, found := "", object(nil)
	for _, p := range slices.Sorted(maps.Keys(member(c.doc, "paths"))) {
		parts := strings.Split(p, "/")
		ok := len(parts) == len(asked)
		for i := range parts {
			ok = ok && (parts[i] == asked[i] || strings.HasPrefix(parts[i], "{") && asked[i] != "")
		}
		if op := member(member(member(c.doc, "paths"), p), strings.ToLower(method)); ok && op != nil {
			if found == nil || !strings.Contains(p, "{") || strings.Count(p, "{") < strings.Count(best, "{") {
				best, found = p, op
			}
		}
	}
	return best, found
}

// answered checks one answer against the document, and the request when it was
// carried out: a client that goes by the document must be able to make it.
func (c *contract) answered(t testing.TB, h *http.Request, body string, w *httptest.ResponseRecorder) {
	t.Helper()
	if h.Method == http.MethodOptions {
		return
	}
	found := c.problems(h, w)
	if w.Code < 300 {
		found = append(append(found, c.undeclared(h, body)...), c.accepted(h, body)...)
	}
	for _, problem := range found {
		t.Errorf("%s %s %.300s\n  answered %d %.600s\n  against the document: %s", h.Method, h.URL, body, w.Code, w.Body, problem)
	}
}

// problems is what is wrong with an answer: its status, its type, its body, and
// what this API promises of all of them.
func (c *contract) problems(h *http.Request, w *httptest.ResponseRecorder) []string {
	path, op := c.operation(h.Method, h.URL.Path)
	var out []string
	if op == nil {
		// A stranger is not told which paths there are.
		if !slices.Contains([]int{http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed}, w.Code) {
			out = append(out, "it has no such operation")
		}
		return out
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %s %d", h.Method, path, w.Code)]++
	if _, ok := member(op, "responses")[fmt.Sprint(w.Code)]; !ok {
		return append(out, "this operation has no such status")
	}
	asked := h.Clone(h.Context())
	asked.URL.Path, asked.URL.RawPath = strings.TrimSuffix(h.URL.Path, "/"), ""
	answer := &http.Response{StatusCode: w.Code, Header: w.Header().Clone(), Request: asked, Body: io.NopCloser(bytes.NewReader(w.Body.Bytes()))}
	if ok, errs := c.check.ValidateHttpResponse(asked, answer); !ok {
		for _, e := range errs {
			out = append(out, e.Error())
			for _, s := range e.SchemaValidationErrors {
				out = append(out, s.Reason+" at "+s.FieldPath)
			}
		}
	}
	return append(out, c.form(op, w)...)
}

// accepted checks a request that was carried out: the document must allow it.
// Words that stand for no value are this API's tolerance, not its contract.
func (c *contract) accepted(h *http.Request, body string) []string {
	if regexp.MustCompile(`undefined|null`).MatchString(h.URL.RawQuery + body) {
		return nil
	}
	_, op := c.operation(h.Method, h.URL.Path)
	if member(member(op, "requestBody"), "content")["application/x-www-form-urlencoded"] != nil {
		body = asJSON(h.URL.RawQuery, body)
	}
	asked := httptest.NewRequest(h.Method, h.URL.String(), strings.NewReader(body))
	asked.URL.Path = strings.TrimSuffix(h.URL.Path, "/")
	asked.Header = h.Header.Clone()
	asked.Header.Del("Content-Type")
	if body != "" {
		asked.Header.Set("Content-Type", "application/json")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, errs := c.check.ValidateHttpRequestSync(asked)
	var out []string
	for _, e := range errs {
		out = append(out, "the request was taken although: "+e.Error())
	}
	return out
}

// form is what cannot be said in a schema, or is said where a library may not
// look: the type, an empty body where none is promised, and the rate.
func (c *contract) form(op object, w *httptest.ResponseRecorder) []string {
	var out []string
	d := describer{c.doc, member(c.doc, "components")}
	said := d.resolve(member(member(op, "responses"), fmt.Sprint(w.Code)))
	kind := w.Header().Get("Content-Type")
	if member(said, "content") == nil {
		if w.Body.Len() > 0 || kind != "" {
			out = append(out, "the body is empty")
		}
	} else if kind != "application/json; charset=utf-8" || w.Body.Len() == 0 {
		out = append(out, "the body is JSON, not "+kind)
	}
	_, limited := member(said, "headers")[leftHeader]
	if has := w.Header().Get(leftHeader) != ""; has != limited {
		out = append(out, fmt.Sprintf("%s: sent %v, promised %v", leftHeader, has, limited))
	}
	var envelope struct{ StatusCode *int }
	_ = json.Unmarshal(w.Body.Bytes(), &envelope)
	if envelope.StatusCode != nil && *envelope.StatusCode != w.Code {
		out = append(out, "statusCode is the status")
	}
	return out
}

// undeclared lists the parameters that an operation took although the document
// does not have them.
func (c *contract) undeclared(h *http.Request, body string) []string {
	_, op := c.operation(h.Method, h.URL.Path)
	if op == nil {
		return nil
	}
	d := describer{c.doc, member(c.doc, "components")}
	known := []string{keyParam}
	for _, p := range items(op, "parameters") {
		known = append(known, str(d.resolve(p.(object)), "name"))
	}
	for _, media := range member(member(op, "requestBody"), "content") {
		schema := member(media.(object), "schema")
		for _, s := range append(items(schema, "anyOf"), any(schema)) {
			s := d.resolve(s.(object))
			if s["type"] == "array" || s["additionalProperties"] != false {
				body = "" // a list has no names, and an open object any
			}
			known = slices.AppendSeq(known, maps.Keys(member(s, "properties")))
		}
	}
	given, _ := url.ParseQuery(h.URL.RawQuery)
	if form, err := url.ParseQuery(body); err == nil && !strings.HasPrefix(body, "{") && !strings.HasPrefix(body, "[") {
		maps.Copy(given, form)
	}
	var members object
	_ = json.Unmarshal([]byte(body), &members)
	for name := range members {
		given[name] = []string{"given"}
	}
	var out []string
	for name, values := range given {
		if !slices.Contains(known, name) && !slices.ContainsFunc(values, absentWord) {
			out = append(out, "there is no parameter "+name)
		}
	}
	return out
}

// asJSON is a form as the JSON that says the same, because both have one schema.
// What is in the query is a form's too.
func asJSON(query, body string) string {
	members := object{}
	if json.Unmarshal([]byte(body), &members) != nil && strings.HasPrefix(body, "[") {
		return body
	}
	for _, text := range []string{query, body} {
		form, err := url.ParseQuery(text)
		if err != nil || strings.HasPrefix(text, "{") {
			continue
		}
		for name := range form {
			if name != keyParam {
				members[name] = form.Get(name)
			}
		}
	}
	if len(members) == 0 {
		return ""
	}
	text, _ := json.Marshal(members)
	return string(text)
}

func contractOf(t testing.TB) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatalf("the document cannot be read: %v", err)
	}
	return c
}
