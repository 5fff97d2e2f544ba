package chatapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
)

// query is a request's query parameters, by name in lower case.
type query map[string]string

// maxParams bounds how many parameters are looked at.
const maxParams = 100

func readQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil || len(values) > maxParams {
		return nil, wire.FieldError("query", "the query is not a well-formed list of parameters")
	}
	q := query{}
	for name, texts := range values {
		lower := strings.ToLower(name)
		if _, twice := q[lower]; twice || len(texts) > 1 {
			return nil, wire.FieldError(clip(name), "%s was given more than once", clip(name))
		}
		if !utf8.ValidString(texts[0]) {
			return nil, wire.FieldError(clip(name), "%s is not valid UTF-8", clip(name))
		}
		q[lower] = strings.TrimSpace(texts[0])
	}
	return q, nil
}

// clip bounds what an answer repeats of somebody's input.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// wrong keeps the first thing that is wrong, so that an operation reads everything
// it needs and asks once.
func (c *call) wrong(err error) {
	if c.err == nil {
		c.err = err
	}
}

// text is a query parameter, "" when absent.
func (c *call) text(name string) string { return c.q[strings.ToLower(name)] }

// needed is a query parameter that must be there.
func (c *call) needed(name string) string {
	v := c.text(name)
	if v == "" {
		c.wrong(wire.FieldError(name, "%s is missing", name))
	}
	return v
}

// flag is a query parameter that is true or false.
func (c *call) flag(name string, otherwise bool) bool {
	switch v := c.text(name); {
	case v == "":
	case strings.EqualFold(v, "true"):
		return true
	case strings.EqualFold(v, "false"):
		return false
	default:
		c.wrong(wire.FieldError(name, "%s is true or false", name))
	}
	return otherwise
}

// decode reads the JSON body into to, which must be a pointer. An empty body
// leaves it as it is; unknown members are passed over.
func (c *call) decode(to any) { c.wrong(decodeBody(c.body, to)) }

func decodeBody(body []byte, to any) error {
	if len(body) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return wire.FieldError("body", "the body is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	err := dec.Decode(to)
	var kind *json.UnmarshalTypeError
	var own *wire.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &kind) && kind.Field != "":
		return wire.FieldError(kind.Field, "%s has the wrong type", kind.Field)
	case err != nil:
		return wire.FieldError("body", "the body is not the JSON that is wanted here")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return wire.FieldError("body", "the body holds more than one JSON value")
	}
	return nil
}
