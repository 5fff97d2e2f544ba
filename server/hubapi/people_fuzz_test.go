package hubapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/hub/ticket"
)

// Whatever an Origin looks like: what is let in is of the host that is meant.
func FuzzOrigin(f *testing.F) {
	for _, o := range []string{"https://shop.example", "http://127.0.0.1:80", "http://127.0.0.1:80@evil.example", "null", "http://127.0.0.1:*", "https://shop.example/"} {
		f.Add(o)
	}
	s := &Site{Origins: []string{"https://shop.example", "http://127.0.0.1:*"}}
	f.Fuzz(func(t *testing.T, origin string) {
		if origin == "" || !s.allows(&http.Request{Host: "hub.example", Header: http.Header{"Origin": {origin}}}) {
			return
		}
		u, err := url.Parse(strings.ToLower(origin))
		if err != nil {
			t.Fatalf("%q is let in", origin)
		}
		switch u.Hostname() {
		case "hub.example", "127.0.0.1":
		case "shop.example":
			if strings.ToLower(origin) != "https://shop.example" {
				t.Fatalf("%q is let in", origin)
			}
		default:
			t.Fatalf("%q is let in", origin)
		}
	})
}

// Whatever is given for a field: it is refused, or fits what was asked.
func FuzzFieldValue(f *testing.F) {
	for _, v := range []string{`"x"`, `["a","b"]`, `null`, `{}`, `["a","a"]`, `"javascript:alert(1)"`, `"1e309"`} {
		f.Add(v)
	}
	options := []ticket.FieldOption{{ID: "a", Title: "A"}, {ID: "b", Title: "B"}}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := texts(json.RawMessage(raw))
		if err != nil {
			return
		}
		for _, kind := range []string{ticket.FieldText, ticket.FieldURL, ticket.FieldDate, ticket.FieldNumeric, ticket.FieldSelect} {
			out, err := entries(&ticket.InputField{ID: "f", Type: kind, Title: "T", MultiSelect: true, Options: options}, values)
			if err != nil {
				continue
			}
			if len(out) > len(options) {
				t.Fatalf("%s: %d entries", kind, len(out))
			}
			for _, x := range out {
				if kind == ticket.FieldSelect && x.Value != "A" && x.Value != "B" || kind == ticket.FieldURL && !strings.HasPrefix(x.URL, "http") && !strings.HasPrefix(strings.ToLower(x.URL), "http") {
					t.Fatalf("%s: %+v", kind, x)
				}
			}
		}
	})
}
