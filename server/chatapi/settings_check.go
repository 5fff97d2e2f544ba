package chatapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
)

// The bounds of a department's settings. They keep its document, which is read
// for every conversation that begins, below some hundred kilobytes.
const (
	maxTags        = 500
	maxTagName     = 50 // as long as a ticket's label may be
	maxSurveys     = 50
	maxTemplates   = 50
	maxSenders     = 50
	maxSettingText = 4000
	maxSpan        = 366 * 24 * time.Hour
)

// check looks at settings that somebody has made, and writes them in one way.
func (s *Settings) check() error {
	for _, f := range []func() error{s.checkTags, s.checkSurveys, s.checkTemplates, s.checkSenders, s.checkTexts, s.checkSpans} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) checkTags() error {
	if len(s.Tags) > maxTags {
		return wire.FieldError("tags", "tags: at most %d", maxTags)
	}
	seen := map[string]bool{}
	for i := range s.Tags {
		t, field := &s.Tags[i], fmt.Sprintf("tags[%d].", i)
		var err error
		if t.Name, err = line(field+"name", t.Name, maxTagName, true); err != nil {
			return err
		}
		if low := strings.ToLower(t.Name); seen[low] {
			return wire.FieldError(field+"name", "%sname: there are two tags called %s", field, clip(t.Name))
		} else {
			seen[low] = true
		}
		if t.Color != "" && (len(t.Color) != 7 || t.Color[0] != '#' || strings.Trim(strings.ToLower(t.Color[1:]), "0123456789abcdef") != "") {
			return wire.FieldError(field+"color", "%scolor is a colour as #1C6EA4", field)
		}
		if len(t.ParentTags) > maxTags {
			return wire.FieldError(field+"parentTags", "%sparentTags: at most %d", field, maxTags)
		}
	}
	for i, t := range s.Tags {
		for _, p := range t.ParentTags {
			if !seen[strings.ToLower(p)] || strings.EqualFold(p, t.Name) {
				return wire.FieldError("tags", "tags[%d].parentTags: there is no other tag %s", i, clip(p))
			}
		}
	}
	return nil
}

func (s *Settings) checkSurveys() error {
	if len(s.Surveys) > maxSurveys {
		return wire.FieldError("surveys", "surveys: at most %d", maxSurveys)
	}
	ids := map[int]bool{}
	for i := range s.Surveys {
		v, field := &s.Surveys[i], fmt.Sprintf("surveys[%d].", i)
		if v.ID < 1 || ids[v.ID] {
			return wire.FieldError(field+"id", "%sid is a number from 1 that no other survey has", field)
		}
		ids[v.ID] = true
		var err error
		if v.Title, err = line(field+"title", v.Title, maxTitleText, true); err != nil {
			return err
		}
		if v.Header, err = line(field+"header", v.Header, maxTitleText, false); err != nil {
			return err
		}
		if len(v.Questions) < 1 || len(v.Questions) > maxFields {
			return wire.FieldError(field+"questions", "%squestions: 1 to %d", field, maxFields)
		}
		asked := map[int]bool{}
		for j := range v.Questions {
			q, at := &v.Questions[j], fmt.Sprintf("%squestions[%d].", field, j)
			if q.ID < 1 || asked[q.ID] {
				return wire.FieldError(at+"id", "%sid is a number from 1 that no other question has", at)
			}
			asked[q.ID] = true
			if q.Title, err = line(at+"title", q.Title, maxTitleText, true); err != nil {
				return err
			}
			if q.Type, err = word(at+"type", q.Type, "Rating", "Text"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Settings) checkTemplates() error {
	if len(s.Templates) > maxTemplates {
		return wire.FieldError("templates", "templates: at most %d", maxTemplates)
	}
	ids := map[int]bool{}
	for i := range s.Templates {
		t, field := &s.Templates[i], fmt.Sprintf("templates[%d].", i)
		if t.ID < 1 || ids[t.ID] {
			return wire.FieldError(field+"id", "%sid is a number from 1 that no other template has", field)
		}
		ids[t.ID] = true
		var err error
		if t.Title, err = line(field+"title", t.Title, maxTitleText, true); err != nil {
			return err
		}
		if _, err := filled(t.Fields, nil); err != nil {
			e := wire.AsError(err)
			return wire.FieldError(field+"fields", "%sfields: %s", field, e.Message)
		}
	}
	return nil
}

func (s *Settings) checkSenders() error {
	if len(s.Senders) > maxSenders {
		return wire.FieldError("senders", "senders: at most %d", maxSenders)
	}
	seen := map[Sender]bool{}
	for i := range s.Senders {
		x, field := &s.Senders[i], fmt.Sprintf("senders[%d].", i)
		var err error
		if x.Protocol, err = protocol(field+"protocol", x.Protocol); err != nil {
			return err
		}
		if x.From, err = recipient(field+"from", x.Protocol, x.From, false); err != nil {
			return err
		}
		one := Sender{Protocol: x.Protocol, From: x.From}
		if seen[one] {
			return wire.FieldError(field+"from", "%sfrom is there twice", field)
		}
		seen[one] = true
	}
	return nil
}

func (s *Settings) checkTexts() error {
	for _, t := range []struct{ name, text string }{
		{"introduction", s.Texts.Introduction}, {"byeBye", s.Texts.ByeBye}, {"pending", s.Texts.Pending}, {"reopened", s.Texts.Reopened},
	} {
		field := "texts." + t.name
		if !utf8.ValidString(t.text) || strings.ContainsRune(t.text, 0) || utf8.RuneCountInString(t.text) > maxSettingText {
			return wire.FieldError(field, "%s has at most %d characters", field, maxSettingText)
		}
	}
	return nil
}

func (s *Settings) checkSpans() error {
	for _, name := range slices.Sorted(maps.Keys(s.Idle)) {
		field := "idle"
		if name != "" {
			canonical, err := protocol("idle", name)
			if err != nil {
				return err
			}
			if canonical != name {
				return wire.FieldError("idle", "idle: %s is written %s", clip(name), canonical)
			}
			field += "." + name
		}
		if err := s.Idle[name].check(field); err != nil {
			return err
		}
	}
	for _, x := range []struct {
		field string
		v     Span
	}{{"alert", s.Alert}, {"expire", s.Expire}, {"snooze", s.Snooze}} {
		if err := x.v.check(x.field); err != nil {
			return err
		}
	}
	return nil
}

func (s Span) check(field string) error {
	if s < 0 || time.Duration(s) > maxSpan {
		return wire.FieldError(field, "%s is from 0 to %d hours", field, int(maxSpan.Hours()))
	}
	return nil
}

// line checks a text of one line.
func line(field, v string, most int, needed bool) (string, error) {
	v = strings.TrimSpace(v)
	switch {
	case v == "" && needed:
		return "", wire.FieldError(field, "%s is missing", field)
	case !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl):
		return "", wire.FieldError(field, "%s is one line of text", field)
	case utf8.RuneCountInString(v) > most:
		return "", wire.FieldError(field, "%s has at most %d characters", field, most)
	}
	return v, nil
}
