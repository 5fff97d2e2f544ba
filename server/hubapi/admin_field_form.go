package hubapi

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// checkField looks at an input field that somebody made, and writes it in one
// way. An error names the member that is wrong, in a list as options[0].title.
func checkField(f *ticket.InputField) error {
	if !slices.Contains(ticket.FieldTypes(), f.Type) {
		return wire.FieldError("type", "type is one of %s", strings.Join(ticket.FieldTypes(), ", "))
	}
	withoutWhatItCannotHave(f)
	if f.Type == ticket.FieldURL && f.ShowInRemoteSignIn {
		return wire.FieldError("showInRemoteSignIn", "visitors are not asked for an address of a page")
	}
	for _, check := range []func(*ticket.InputField) error{checkFieldTitles, checkFieldOptions, checkFieldRange, checkFieldFiles} {
		if err := check(f); err != nil {
			return err
		}
	}
	return nil
}

// withoutWhatItCannotHave empties what belongs to other types: a form may hold
// what was typed before somebody chose another type.
func withoutWhatItCannotHave(f *ticket.InputField) {
	if f.Named() {
		f.Title, f.VisitorTitle, f.Translations = "", "", nil
	}
	if f.Type == ticket.FieldURL {
		f.VisitorTitle = ""
		for i := range f.Translations {
			f.Translations[i].VisitorTitle = ""
		}
	}
	if !f.Named() || f.Type == ticket.FieldPhone {
		f.InAppointments = false
	}
	if f.Type != ticket.FieldSelect {
		f.Options, f.MultiSelect = nil, false
	}
	if f.Type != ticket.FieldNumeric {
		f.Range = nil
	}
	if f.Type != ticket.FieldAttachment {
		f.Files = nil
	}
}

// fieldText checks a text of one line, and trims it.
func fieldText(field string, v *string, most int, needed bool) error {
	*v = strings.TrimSpace(*v)
	switch {
	case *v == "" && needed:
		return wire.FieldError(field, "this is missing")
	case strings.ContainsFunc(*v, unicode.IsControl):
		return wire.FieldError(field, "this is one line of text")
	case utf8.RuneCountInString(*v) > most:
		return wire.FieldError(field, "this has at most %d characters", most)
	}
	return nil
}

func checkFieldTitles(f *ticket.InputField) error {
	if f.Named() {
		return nil
	}
	if err := fieldText("title", &f.Title, ticket.MaxFieldTitle, true); err != nil {
		return err
	}
	if err := fieldText("visitorTitle", &f.VisitorTitle, ticket.MaxVisitorTitle, false); err != nil {
		return err
	}
	return checkFieldTranslations("translations", &f.Translations)
}

// checkFieldTranslations checks titles in other languages. One that says nothing
// is left out.
func checkFieldTranslations(field string, all *[]ticket.FieldTranslation) error {
	var kept []ticket.FieldTranslation
	for i, t := range *all {
		at := fmt.Sprintf("%s[%d]", field, i)
		if !languages.MatchString(t.Language) {
			return wire.FieldError(at+".language", "a language code is like en or pt-PT")
		}
		if slices.ContainsFunc(kept, func(o ticket.FieldTranslation) bool { return o.Language == t.Language }) {
			return wire.FieldError(at+".language", "%s is there twice", t.Language)
		}
		if err := fieldText(at+".title", &t.Title, ticket.MaxFieldTitle, false); err != nil {
			return err
		}
		if err := fieldText(at+".visitorTitle", &t.VisitorTitle, ticket.MaxVisitorTitle, false); err != nil {
			return err
		}
		if t.Title != "" || t.VisitorTitle != "" {
			kept = append(kept, t)
		}
	}
	*all = kept
	return nil
}

func checkFieldOptions(f *ticket.InputField) error {
	if f.Type != ticket.FieldSelect {
		return nil
	}
	if len(f.Options) < 1 || len(f.Options) > ticket.MaxFieldOptions {
		return wire.FieldError("options", "1 to %d choices", ticket.MaxFieldOptions)
	}
	for i := range f.Options {
		o, at := &f.Options[i], fmt.Sprintf("options[%d]", i)
		if _, err := uuid.Parse(o.ID); err != nil || len(o.ID) != 36 {
			return wire.FieldError(at+".id", "the id of a choice is a UUID")
		}
		if err := fieldText(at+".title", &o.Title, ticket.MaxFieldTitle, true); err != nil {
			return err
		}
		if slices.ContainsFunc(f.Options[:i], func(x ticket.FieldOption) bool { return x.Title == o.Title }) {
			return wire.FieldError(at+".title", "two choices have this name")
		}
		if slices.ContainsFunc(f.Options[:i], func(x ticket.FieldOption) bool { return strings.EqualFold(x.ID, o.ID) }) {
			return wire.FieldError(at+".id", "two choices have this id")
		}
		if err := fieldText(at+".color", &o.Color, ticket.MaxFieldTitle, false); err != nil {
			return err
		}
		if err := checkFieldTranslations(at+".translations", &o.Translations); err != nil {
			return err
		}
	}
	return nil
}

func checkFieldRange(f *ticket.InputField) error {
	if f.Range == nil {
		return nil
	}
	switch f.Range.Sound() {
	case "":
		return nil
	case "scale":
		return wire.FieldError("range.scale", "0 to %d", ticket.MaxFieldScale)
	}
	return wire.FieldError("range.max", "the largest is not below the smallest")
}

func checkFieldFiles(f *ticket.InputField) error {
	if f.Type != ticket.FieldAttachment {
		return nil
	}
	if f.Files == nil {
		f.Files = &ticket.FieldFiles{}
	}
	files := f.Files
	if files.Mode == "ALL" {
		files.Groups = nil
	}
	switch files.Sound() {
	case "":
		if len(slices.Compact(slices.Sorted(slices.Values(files.Groups)))) == len(files.Groups) {
			return nil
		}
	case "most":
		return wire.FieldError("files.most", "1 to %d", ticket.MaxFieldFiles)
	case "mode":
		return wire.FieldError("files.mode", "files.mode is ALL or ONLY")
	}
	return wire.FieldError("files.groups", "files.groups has one or more of %s, once each", strings.Join(ticket.FileGroups(), ", "))
}

// checkFieldLines looks whether the lines that a field is for are the location's.
// One that was taken away since may stay: without it, a field for that line alone
// would be asked everywhere.
func checkFieldLines(s *ticket.State, given, before []int) error {
	for i, id := range given {
		l := s.Lines[id]
		if l == nil || l.Removed && !slices.Contains(before, id) {
			return wire.FieldError("lines", "there is no line %d here", id)
		}
		if slices.Contains(given[:i], id) {
			return wire.FieldError("lines", "line %d is there twice", id)
		}
	}
	return nil
}
