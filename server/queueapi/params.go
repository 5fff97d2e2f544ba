package queueapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// params are a request's parameters by name, wherever they came from. The
// getters keep the first thing that is wrong in err, so that an operation reads
// everything it needs and asks once.
type params struct {
	values map[string]param
	// body is the whole JSON body, nil when there was none.
	body json.RawMessage
	// strict says that the body is JSON of version 2: types count, words do not
	// stand for absence, and the query is not looked at.
	strict bool
	err    error
}

// param is one parameter: texts from a query or form, or one JSON value.
type param struct {
	texts []string
	json  json.RawMessage
}

// maxParams bounds how many parameters are looked at.
const maxParams = 200

// readParams reads query and body. In version 1 any encoding will do, and the
// body goes before the query.
func readParams(w http.ResponseWriter, r *http.Request, strict bool) (*params, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if tooLarge(err) {
		return nil, &fault{status: http.StatusRequestEntityTooLarge, code: codeSize, param: "body",
			message: fmt.Sprintf("the body has at most %d bytes", MaxBody)}
	}
	if err != nil {
		return nil, bad("body", "the body could not be read")
	}
	return decodeParams(r.URL.RawQuery, r.Header.Get("Content-Type"), body, strict)
}

// decodeParams reads what a request carries.
func decodeParams(query, contentType string, body []byte, strict bool) (*params, error) {
	p := &params{values: map[string]param{}, strict: strict}
	if !strict {
		if err := p.addForm(query, "query"); err != nil {
			return nil, err
		}
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return p, nil
	}
	var err error
	if strict || isJSON(contentType, body) {
		err = p.addJSON(body)
	} else {
		err = p.addForm(string(body), "body")
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// isJSON says how to read a body. Some clients name no type or a wrong one, so
// unless it says JSON or form, the first character decides.
func isJSON(contentType string, body []byte) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	switch {
	case t == "application/json", strings.HasSuffix(t, "+json"):
		return true
	case t == "application/x-www-form-urlencoded":
		return false
	}
	return body[0] == '{' || body[0] == '['
}

func (p *params) addForm(text, from string) error {
	values, err := url.ParseQuery(text)
	if err != nil {
		return bad(from, "the "+from+" is not a well-formed list of parameters")
	}
	if len(values) > maxParams {
		return bad(from, fmt.Sprintf("the %s has at most %d parameters", from, maxParams))
	}
	for name, texts := range values {
		if name == keyParam {
			continue // a secret has no business among the parameters
		}
		p.values[name] = param{texts: texts}
	}
	return nil
}

func (p *params) addJSON(body []byte) error {
	if !json.Valid(body) || !utf8.Valid(body) {
		return bad("body", "the body is not JSON")
	}
	p.body = body
	if body[0] == '[' && !p.strict {
		return nil // the operation wants a list, or says what it misses
	}
	if body[0] == '[' {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return bad("body", "the body is not a JSON object")
	}
	if len(members) > maxParams {
		return bad("body", fmt.Sprintf("the body has at most %d members", maxParams))
	}
	for name, v := range members {
		p.values[name] = param{json: v}
	}
	return nil
}

// fail keeps the first thing that is wrong.
func (p *params) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// absentWord reports whether a text stands for no value: existing clients send
// their language's words for it.
func absentWord(s string) bool { return s == "" || s == "undefined" || s == "null" }

var null = []byte("null")

func isNull(v json.RawMessage) bool { return v == nil || bytes.Equal(v, null) }

// has reports whether a parameter was given a value.
func (p *params) has(name string) bool {
	v, ok := p.values[name]
	if !ok {
		return false
	}
	if v.json != nil {
		if p.strict {
			return !isNull(v.json)
		}
		s, isText := jsonText(v.json)
		return !isNull(v.json) && !(isText && absentWord(s))
	}
	for _, s := range v.texts {
		if !absentWord(s) {
			return true
		}
	}
	return false
}

// cleared reports whether a parameter was given as null or, in version 1,
// empty: as asking for nothing rather than as not asking.
func (p *params) cleared(name string) bool {
	v, ok := p.values[name]
	if !ok || p.has(name) {
		return false
	}
	if v.json != nil {
		s, _ := jsonText(v.json)
		return s != "undefined"
	}
	return len(v.texts) == 1 && v.texts[0] != "undefined"
}

// text is a single text, "" when absent.
func (p *params) text(name string) string {
	if !p.has(name) {
		return ""
	}
	v := p.values[name]
	if v.json == nil {
		if len(v.texts) > 1 {
			p.fail(bad(name, name+" was given more than once"))
			return ""
		}
		return v.texts[0]
	}
	if s, ok := jsonText(v.json); ok {
		return s
	}
	if s, ok := jsonScalar(v.json); ok && !p.strict {
		return s
	}
	p.fail(bad(name, name+" must be a text"))
	return ""
}

// digits is text that may also come as a JSON number.
func (p *params) digits(name string) string {
	if v := p.values[name]; v.json != nil && p.strict {
		if s, ok := jsonScalar(v.json); ok && s != "true" && s != "false" {
			return s
		}
	}
	return p.text(name)
}

// jsonText is a JSON string's content.
func jsonText(v json.RawMessage) (string, bool) {
	if len(v) == 0 || v[0] != '"' {
		return "", false
	}
	var s string
	return s, json.Unmarshal(v, &s) == nil
}

// jsonScalar is a JSON number or boolean as it was written.
func jsonScalar(v json.RawMessage) (string, bool) {
	if len(v) == 0 || bytes.IndexByte([]byte(`{["`), v[0]) >= 0 || isNull(v) {
		return "", false
	}
	return string(v), true
}

// raw is a parameter that holds JSON: as JSON, or as text that is JSON.
func (p *params) raw(name string) json.RawMessage {
	if !p.has(name) {
		return nil
	}
	v := p.values[name].json
	if v == nil || v[0] == '"' {
		v = json.RawMessage(p.text(name))
	}
	if p.err == nil && !(json.Valid(v) && utf8.Valid(v)) {
		p.fail(bad(name, name+" is not JSON"))
	}
	if p.err != nil {
		return nil
	}
	return v
}

// decode reads a parameter's JSON into v, and reports whether it was there.
func (p *params) decode(name string, v any) bool {
	raw := p.raw(name)
	if raw == nil {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		p.fail(bad(name, name+" does not have the promised form"))
		return false
	}
	return true
}
