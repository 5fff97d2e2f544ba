package queueapi

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ticket"
)

// required is text that must be there.
func (p *params) required(name string) string {
	s := p.text(name)
	if p.err == nil && strings.TrimSpace(s) == "" {
		p.fail(badCode(codeBlank, name, name+" must not be empty or blank"))
	}
	return s
}

// within checks a text's length in characters.
func (p *params) within(name, s string, least, most int) string {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); p.err == nil && (n < least || n > most) {
		message := fmt.Sprintf("%s has at most %d characters", name, most)
		if least > 0 {
			message = fmt.Sprintf("%s has %d to %d characters", name, least, most)
		}
		p.fail(badCode(codeSize, name, message))
	}
	return s
}

// parseID reads an id: digits, from 1.
func parseID(s string) (int64, bool) {
	if s == "" || len(s) > 19 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 1
}

// smallID is an id of anything but a ticket.
func smallID(s string) (int, bool) {
	n, ok := parseID(s)
	return int(n), ok && n <= math.MaxInt32
}

// id is the id of anything but a ticket, 0 when absent.
func (p *params) id(name string) int {
	if !p.has(name) {
		return 0
	}
	n, ok := smallID(strings.TrimSpace(p.digits(name)))
	if !ok {
		p.fail(bad(name, name+" is not an id"))
	}
	return n
}

// needID is an id that must be there.
func (p *params) needID(name string) int {
	n := p.id(name)
	if p.err == nil && n == 0 {
		p.fail(badCode(codeBlank, name, name+" is required"))
	}
	return n
}

// ticketID is a ticket's id, 0 when absent.
func (p *params) ticketID(name string) ticket.TicketID {
	if !p.has(name) {
		return 0
	}
	n, ok := parseID(strings.TrimSpace(p.digits(name)))
	if !ok {
		p.fail(bad(name, name+" is not a ticket's id"))
	}
	return ticket.TicketID(n)
}

// flag is a boolean, false when absent.
func (p *params) flag(name string) bool {
	if !p.has(name) {
		return false
	}
	s := ""
	if v := p.values[name].json; v != nil && p.strict {
		s, _ = jsonScalar(v)
	} else {
		s = p.text(name)
	}
	if s != "true" && s != "false" {
		p.fail(bad(name, name+" is true or false"))
	}
	return s == "true"
}

// number is a JSON number, or text that is one.
func (p *params) number(name string) float64 {
	if !p.has(name) {
		return 0
	}
	s := ""
	if v := p.values[name].json; v != nil && p.strict {
		s, _ = jsonScalar(v)
	} else {
		s = p.text(name)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		p.fail(bad(name, name+" is not a number"))
	}
	return n
}

// list is a list of texts: comma-separated, repeated, or a JSON array.
func (p *params) list(name string) []string {
	if !p.has(name) {
		return nil
	}
	v := p.values[name]
	texts := v.texts
	if v.json != nil {
		if s, ok := jsonText(v.json); ok {
			texts = []string{s}
		} else if s, ok := jsonScalar(v.json); ok {
			texts = []string{s}
		} else {
			texts = p.array(name, v.json)
		}
	}
	var out []string
	for _, t := range texts {
		for s := range strings.SplitSeq(t, ",") {
			if s = strings.TrimSpace(s); !absentWord(s) {
				out = append(out, s)
			}
		}
	}
	if len(out) > maxParams {
		p.fail(bad(name, fmt.Sprintf("%s has at most %d entries", name, maxParams)))
		return nil
	}
	return out
}

// array is a JSON array of scalars as texts.
func (p *params) array(name string, v json.RawMessage) []string {
	var items []json.RawMessage
	if json.Unmarshal(v, &items) != nil {
		p.fail(bad(name, name+" is not a list"))
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := jsonText(item)
		if !ok {
			s, ok = jsonScalar(item)
		}
		if !ok {
			p.fail(bad(name, name+" is not a list of values"))
			return nil
		}
		out = append(out, s)
	}
	return out
}

// ids is a list of ids without repetitions.
func (p *params) ids(name string) []int {
	var out []int
	for _, s := range p.list(name) {
		n, ok := smallID(s)
		if !ok {
			p.fail(bad(name, name+" is not a list of ids"))
			return nil
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// words is a list out of known words.
func (p *params) words(name string, known ...string) []string {
	var out []string
	for _, s := range p.list(name) {
		if !slices.Contains(known, s) {
			p.fail(bad(name, name+" is a list of "+strings.Join(known, ", ")))
			return nil
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// instant is a time: ISO 8601, or Unix seconds. The zero time means absent.
func (p *params) instant(name string) time.Time {
	if !p.has(name) {
		return time.Time{}
	}
	t, ok := parseInstant(p.digits(name))
	if !ok {
		p.fail(bad(name, name+" is neither an ISO 8601 time nor Unix seconds"))
	}
	return t
}

// instantForms are the accepted forms of ISO 8601; a missing zone is UTC, and
// fractions of a second are read after any seconds.
var instantForms = [...]string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly,
}

// earliest and latest are the instants that a store can hold, roughly. They
// keep zero free to mean absent.
var (
	earliest = time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)
)

func parseInstant(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	t, ok := time.Time{}, false
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n < earliest.Unix() || n > math.MaxInt32*1000 {
			return time.Time{}, false
		}
		t, ok = time.Unix(n, 0).UTC(), true
	}
	// A plus sign that was not escaped arrives as a blank.
	s = strings.Replace(s, " ", "+", 1)
	for _, form := range instantForms {
		if ok {
			break
		}
		var err error
		t, err = time.Parse(form, s)
		ok = err == nil
	}
	if !ok || t.Before(earliest) {
		return time.Time{}, false
	}
	if t.After(latest) {
		t = latest
	}
	return t.UTC(), true
}

// The patterns that version 2 promises.
var (
	phonePattern   = regexp.MustCompile(`^\+?[0-9]{5,20}$`)
	emailPattern   = regexp.MustCompile(`^\S+@\S+\.\S+$`)
	countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)
	uuidPattern    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	colorPattern   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
)

// looseText is a text in JSON that may also be a number or a boolean.
type looseText string

// UnmarshalJSON reads "a", 1 or true.
func (t *looseText) UnmarshalJSON(b []byte) error {
	if s, ok := jsonText(b); ok {
		*t = looseText(s)
		return nil
	}
	if s, ok := jsonScalar(b); ok {
		*t = looseText(s)
		return nil
	}
	if isNull(b) {
		return nil
	}
	return fmt.Errorf("not a text")
}

// looseID is an id in JSON: a number or a string of digits.
type looseID int

// UnmarshalJSON reads 5 or "5".
func (id *looseID) UnmarshalJSON(b []byte) error {
	n, ok := smallID(strings.Trim(string(b), `"`))
	if !ok {
		return fmt.Errorf("not an id")
	}
	*id = looseID(n)
	return nil
}
