package queueapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// The description is kept in parts, so that each can be read: base.json has what
// is said once, the others paths, schemas and webhooks. Beside the parts are the
// readable page's template and its style.
//
//go:embed openapi/*.json openapi/page.html openapi/page.css
var openAPI embed.FS

// The addresses of the description. None needs a key.
const (
	DescriptionPath = "/openapi.json"
	PagePath        = "/docs/api"
	stylePath       = PagePath + ".css"
)

// Description is the API's own description: an OpenAPI 3.1 document, and a page
// for people that is made from it.
type Description struct {
	document, page, style served
}

// served is something that never changes while the server runs.
type served struct {
	kind string
	body []byte
	etag string
}

// NewDescription puts the description together. It panics when the embedded
// parts do not fit together: a mistake in this source, which a test finds.
func NewDescription() *Description {
	doc, err := assemble()
	if err != nil {
		panic("queueapi: description: " + err.Error())
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		panic("queueapi: description: " + err.Error()) // unreachable: it was decoded from JSON
	}
	var page bytes.Buffer
	view := pageOf(doc)
	if err := template.Must(template.ParseFS(openAPI, "openapi/page.html")).Execute(&page, view); err != nil {
		panic("queueapi: description's page: " + err.Error())
	}
	style, err := openAPI.ReadFile("openapi/page.css")
	if err != nil {
		panic("queueapi: description's style: " + err.Error()) // unreachable: it is embedded
	}
	return &Description{
		document: serve("application/json; charset=utf-8", text.Bytes()),
		page:     serve("text/html; charset=utf-8", page.Bytes()),
		style:    serve("text/css; charset=utf-8", style),
	}
}

func serve(kind string, body []byte) served {
	sum := sha256.Sum256(body)
	return served{kind, body, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// ServeHTTP answers DescribedAt's paths, with GET and HEAD.
func (d *Description) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var s served
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case DescriptionPath:
		s = d.document
		cors(w.Header()) // tools in a browser read it from elsewhere
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	case PagePath:
		s = d.page
	case stylePath:
		s = d.style
	default:
		plainFault(fault{status: http.StatusNotFound, message: "there is nothing at this path"}).ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		plainFault(fault{status: http.StatusMethodNotAllowed, message: "this path does not take this method"}).ServeHTTP(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", s.kind)
	h.Set("ETag", s.etag)
	h.Set("Cache-Control", "no-cache") // kept, but asked for each time: it changes with the program
	h.Set("X-Content-Type-Options", "nosniff")
	if etagMatches(r.Header.Get("If-None-Match"), s.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(s.body) // a client that is gone needs no answer
}

func etagMatches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}

// DescribedAt reports whether a path is one of the description's, for the node's
// own router.
func DescribedAt(path string) bool {
	switch strings.TrimSuffix(path, "/") {
	case DescriptionPath, PagePath, stylePath:
		return true
	}
	return false
}

// object is a JSON object.
type object = map[string]any

// assemble merges the parts and adds what holds for every operation.
func assemble() (object, error) {
	doc, err := readPart("openapi/base.json")
	if err != nil {
		return nil, err
	}
	paths, schemas, hooks := object{}, object{}, object{}
	files, err := openAPI.ReadDir("openapi")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.Name() == "base.json" || !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		part, err := readPart("openapi/" + f.Name())
		if err != nil {
			return nil, err
		}
		for name, into := range map[string]object{"paths": paths, "schemas": schemas, "webhooks": hooks} {
			for k, v := range member(part, name) {
				if _, twice := into[k]; twice {
					return nil, fmt.Errorf("%s: %s is there twice", f.Name(), k)
				}
				into[k] = v
			}
		}
	}
	for _, item := range paths {
		for _, op := range item.(object) {
			complete(op.(object))
		}
	}
	doc["paths"], doc["webhooks"] = paths, hooks
	member(doc, "components")["schemas"] = schemas
	for _, answer := range member(member(doc, "components"), "responses") {
		remaining(answer.(object))
	}
	return doc, nil
}

func readPart(name string) (object, error) {
	text, err := openAPI.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var part object
	if err := json.Unmarshal(text, &part); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return part, nil
}

// member is a member that is an object, nil when it is not there.
func member(o object, name string) object {
	m, _ := o[name].(object)
	return m
}

// complete adds to an operation the failures that all have, and gives every
// failure its body: the parts say only what causes it.
func complete(op object) {
	answers := member(op, "responses")
	common := map[string]string{
		"400": "A parameter is wrong; param names it.",
		"429": "Too many requests.",
		"500": "A mistake of the server; the answer says nothing of its cause.",
		"503": "The server is starting or stopping; come back in a moment.",
	}
	if _, open := op["security"]; !open {
		common["401"], common["403"] = "There is no key, or it is not valid.", "The key may not do this."
	}
	if _, has := op["requestBody"]; has {
		common["413"] = "The body, or a value in it, is too large."
	}
	if declares(op, "Once") {
		common["409"] = "The idempotency key was used for another request."
	}
	for status, text := range common {
		if _, said := answers[status]; !said {
			answers[status] = object{"description": text}
		}
	}
	for status, v := range answers {
		answer := v.(object)
		if _, shared := answer["$ref"]; shared {
			continue
		}
		if status >= "400" {
			answer["content"] = object{"application/json": object{"schema": faultSchema(op)}}
		}
		if status != "401" { // a key that is not known has no rate
			remaining(answer)
		}
		if status == "429" || status == "503" {
			member(answer, "headers")["Retry-After"] = object{"$ref": "#/components/headers/RetryAfter"}
		}
	}
}

// faultSchema is the envelope of an operation's failures.
func faultSchema(op object) object {
	v1, v2 := object{"$ref": "#/components/schemas/Fault"}, object{"$ref": "#/components/schemas/Problem"}
	switch {
	case declares(op, "Version"):
		return v2
	case declares(op, "VersionHere"):
		return object{"oneOf": []any{v1, v2}}
	}
	return v1
}

// declares reports whether an operation has one of the shared parameters.
func declares(op object, parameter string) bool {
	list, _ := op["parameters"].([]any)
	for _, p := range list {
		if p.(object)["$ref"] == "#/components/parameters/"+parameter {
			return true
		}
	}
	return false
}

func remaining(answer object) {
	answer["headers"] = object{leftHeader: object{"$ref": "#/components/headers/Remaining"}}
}
