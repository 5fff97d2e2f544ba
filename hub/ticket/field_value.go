package ticket

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxFieldValue bounds the value of an input field, in characters.
const MaxFieldValue = 500

// Entry is the answer to an input field as a ticket holds it; false when the field
// does not take it. A choice is made with Chosen and not written, and a file is
// neither. The forms of addresses and phone numbers differ between doors, which
// check them.
func (f *InputField) Entry(text string) (Extra, bool) {
	text = strings.TrimSpace(text)
	x := Extra{Title: f.Title, Value: text, Field: f.ID}
	ok := text != "" && utf8.RuneCountInString(text) <= MaxFieldValue
	switch f.Type {
	case FieldSelect, FieldAttachment:
		ok = false
	case FieldNumeric:
		ok = ok && f.Range.takes(text)
	case FieldDate:
		_, err := time.Parse(time.DateOnly, text)
		ok = ok && err == nil
	case FieldURL:
		// Pages make a link of it: nothing that runs when it is followed.
		u, err := url.Parse(text)
		ok = ok && err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
		x.URL = text
	}
	if !ok {
		return Extra{}, false
	}
	return x, true
}

// Chosen is a chosen option of the field as a ticket holds it.
func (f *InputField) Chosen(o *FieldOption) Extra {
	return Extra{Title: f.Title, Value: o.Title, Color: o.Color, Field: f.ID}
}

// takes reports whether the text is a number within the range; nil takes any.
func (r *FieldRange) takes(text string) bool {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return false
	}
	if r == nil {
		return true
	}
	if strings.ContainsAny(text, "eExX") {
		return false // its digits say nothing of its scale
	}
	_, decimals, _ := strings.Cut(text, ".")
	return (r.Min == nil || n >= *r.Min) && (r.Max == nil || n <= *r.Max) && len(decimals) <= r.Scale
}
