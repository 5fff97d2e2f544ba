package ticket

import (
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// The types of an input field. Source: queue ticket, "extra": what is asked of a
// visitor becomes an entry there, or one of the named members.
const (
	FieldFirstName  = "FIRST_NAME"
	FieldLastName   = "LAST_NAME"
	FieldEmail      = "EMAIL"
	FieldPhone      = "PHONE_NUMBER"
	FieldText       = "TEXT"
	FieldURL        = "URL"
	FieldDate       = "DATE"
	FieldNumeric    = "NUMERIC"
	FieldSelect     = "SELECT"
	FieldAttachment = "ATTACHMENT"
)

// InputField is a question that a location asks its visitors. It belongs to the
// location's settings and holds nothing about anybody.
type InputField struct {
	ID   string `json:"id"` // a UUID, unique in the deployment
	Type string `json:"type"`
	// Title and VisitorTitle are for types that have no name of their own.
	Title        string `json:"title,omitempty"`
	VisitorTitle string `json:"visitorTitle,omitempty"`
	// Before* are promises that screens keep; commands are not held to them.
	BeforeAdded        bool               `json:"beforeAdded,omitempty"`
	BeforeServed       bool               `json:"beforeServed,omitempty"`
	InRemoteSignIn     bool               `json:"inRemoteSignIn,omitempty"`
	InAppointments     bool               `json:"inAppointments,omitempty"`
	VisibleWaiting     bool               `json:"visibleWaiting,omitempty"`
	VisibleServing     bool               `json:"visibleServing,omitempty"`
	ShowInRemoteSignIn bool               `json:"showInRemoteSignIn,omitempty"`
	Lines              []int              `json:"lines,omitempty"` // empty: all
	MultiSelect        bool               `json:"multiSelect,omitempty"`
	Options            []FieldOption      `json:"options,omitempty"`
	Range              *FieldRange        `json:"range,omitempty"`
	Files              *FieldFiles        `json:"files,omitempty"`
	Translations       []FieldTranslation `json:"translations,omitempty"`
}

// DefaultFields is what a location asks unless it says otherwise: the name, of
// which the first is needed, and the phone number. id makes an id for each.
func DefaultFields(id func(kind string) string) []InputField {
	var out []InputField
	for _, kind := range []string{FieldFirstName, FieldLastName, FieldPhone} {
		out = append(out, InputField{
			ID: id(kind), Type: kind, BeforeAdded: kind == FieldFirstName, InRemoteSignIn: kind == FieldFirstName,
			VisibleWaiting: true, VisibleServing: true, ShowInRemoteSignIn: true,
		})
	}
	return out
}

// FieldOption is one choice of a SELECT.
type FieldOption struct {
	ID           string             `json:"id"`
	Title        string             `json:"title"`
	Color        string             `json:"color,omitempty"`
	Translations []FieldTranslation `json:"translations,omitempty"`
}

// FieldRange bounds a NUMERIC.
type FieldRange struct {
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
	Scale int      `json:"scale,omitempty"`
}

// FieldFiles bounds an ATTACHMENT.
type FieldFiles struct {
	Most   int      `json:"most"`
	Mode   string   `json:"mode"` // ALL or ONLY
	Groups []string `json:"groups,omitempty"`
}

// FieldTranslation is a title in another language.
type FieldTranslation struct {
	Language     string `json:"language"`
	Title        string `json:"title,omitempty"`
	VisitorTitle string `json:"visitorTitle,omitempty"`
}

// The most that a location asks for: the whole list is part of its settings.
const (
	maxFields = 50
	// MaxFieldOptions is how many options a SELECT has at most.
	MaxFieldOptions = 200
	// MaxFieldTitle and MaxVisitorTitle bound titles, in characters; an option's too.
	MaxFieldTitle   = 50
	MaxVisitorTitle = 200
	// MaxFieldScale is how many decimals a NUMERIC has at most.
	MaxFieldScale = 10
	// MaxFieldFiles is how many files an ATTACHMENT takes at most.
	MaxFieldFiles = 50
)

// FieldTypes are all types of input fields.
func FieldTypes() []string {
	return []string{
		FieldFirstName, FieldLastName, FieldEmail, FieldPhone, FieldText, FieldURL, FieldDate, FieldNumeric, FieldSelect, FieldAttachment,
	}
}

// FileGroups are the kinds of files that an ATTACHMENT can be for.
func FileGroups() []string { return []string{"IMAGES", "DOCUMENTS", "ARCHIVES"} }

// Sound names the member that cannot be as it is, "" when all can.
func (r *FieldRange) Sound() string {
	switch {
	case r.Scale < 0 || r.Scale > MaxFieldScale:
		return "scale"
	case r.Min != nil && r.Max != nil && *r.Min > *r.Max:
		return "max"
	}
	return ""
}

// Sound names the member that cannot be as it is, "" when all can.
func (f *FieldFiles) Sound() string {
	switch {
	case f.Most < 1 || f.Most > MaxFieldFiles:
		return "most"
	case f.Mode != "ALL" && f.Mode != "ONLY":
		return "mode"
	case f.Mode == "ONLY" && len(f.Groups) == 0:
		return "groups"
	}
	for _, g := range f.Groups {
		if !slices.Contains(FileGroups(), g) {
			return "groups"
		}
	}
	return ""
}

// Named reports whether the field's value is a member of its own on a ticket; a
// location has one such field of each type.
func (f *InputField) Named() bool {
	switch f.Type {
	case FieldFirstName, FieldLastName, FieldEmail, FieldPhone:
		return true
	}
	return false
}

// Option finds a choice by id; nil when there is none.
func (f *InputField) Option(id string) *FieldOption {
	for i := range f.Options {
		if strings.EqualFold(f.Options[i].ID, id) {
			return &f.Options[i]
		}
	}
	return nil
}

// Field finds an input field by id; nil when there is none.
func (l *Location) Field(id string) *InputField {
	for i := range l.Fields {
		if strings.EqualFold(l.Fields[i].ID, id) {
			return &l.Fields[i]
		}
	}
	return nil
}

// AddField adds an input field to a location; it is decided in the directory,
// where the ids of all locations are known.
type AddField struct {
	Location int
	Field    InputField
}

// EditField changes some of an input field's members. An option that has no
// title keeps the one it had.
type EditField struct {
	Location int
	ID       string

	Title, VisitorTitle                                       Opt[string]
	BeforeAdded, BeforeServed, InRemoteSignIn, InAppointments Opt[bool]
	VisibleWaiting, VisibleServing, ShowInRemoteSignIn        Opt[bool]
	MultiSelect                                               Opt[bool]
	Lines                                                     Opt[[]int]
	Options                                                   Opt[[]FieldOption]
	Range                                                     Opt[*FieldRange]
	Files                                                     Opt[*FieldFiles]
	Translations                                              Opt[[]FieldTranslation]
}

// Name implements Command.
func (AddField) Name() string { return "field.add" }

// Name implements Command.
func (EditField) Name() string { return "field.edit" }

func (c AddField) decide(s *State, _ Env) ([]Event, error) {
	l, err := s.directoryLocation(c.Location)
	if err != nil {
		return nil, err
	}
	for _, other := range s.Locations {
		if other.Field(c.Field.ID) != nil {
			return nil, &wire.Error{Code: wire.Conflict, Field: "id", Message: "an input field with this id exists"}
		}
	}
	fields := append(slices.Clone(l.Fields), c.Field)
	if err := checkFields(fields); err != nil {
		return nil, err
	}
	return l.withFields(fields), nil
}

// checkFields checks what a location's list of fields must keep to. The door
// that takes them checks the form of each.
func checkFields(fields []InputField) error {
	if len(fields) > maxFields {
		return wire.FieldError("inputFields", "a location has at most %d input fields", maxFields)
	}
	for i := range fields {
		f := &fields[i]
		if f.ID == "" || f.Type == "" {
			return wire.FieldError("id", "an input field needs an id and a type")
		}
		if len(f.Options) > MaxFieldOptions {
			return wire.FieldError("options", "an input field has at most %d options", MaxFieldOptions)
		}
		for j := range fields[:i] {
			if strings.EqualFold(fields[j].ID, f.ID) {
				return &wire.Error{Code: wire.Conflict, Field: "id", Message: "an input field with this id exists"}
			}
			if f.Named() && fields[j].Type == f.Type {
				return &wire.Error{Code: wire.Conflict, Field: "type", Message: "the location has an input field of type " + f.Type}
			}
		}
	}
	return nil
}

func (l Location) withFields(fields []InputField) []Event {
	l.Fields = fields
	return []Event{{Type: EventLocation, Facts: Facts{LocationDef: &l}}}
}

func (c EditField) decide(s *State, _ Env) ([]Event, error) {
	l, err := s.directoryLocation(c.Location)
	if err != nil {
		return nil, err
	}
	fields := slices.Clone(l.Fields)
	i := slices.IndexFunc(fields, func(f InputField) bool { return strings.EqualFold(f.ID, c.ID) })
	if i < 0 {
		return nil, &wire.Error{Code: wire.NotFound, Field: "id", Message: "there is no input field with this id"}
	}
	f := &fields[i]
	set(&f.Title, c.Title)
	set(&f.VisitorTitle, c.VisitorTitle)
	for _, b := range []struct {
		to   *bool
		from Opt[bool]
	}{
		{&f.BeforeAdded, c.BeforeAdded}, {&f.BeforeServed, c.BeforeServed}, {&f.InRemoteSignIn, c.InRemoteSignIn},
		{&f.InAppointments, c.InAppointments}, {&f.VisibleWaiting, c.VisibleWaiting}, {&f.VisibleServing, c.VisibleServing},
		{&f.ShowInRemoteSignIn, c.ShowInRemoteSignIn}, {&f.MultiSelect, c.MultiSelect},
	} {
		set(b.to, b.from)
	}
	set(&f.Lines, c.Lines)
	set(&f.Range, c.Range)
	set(&f.Files, c.Files)
	set(&f.Translations, c.Translations)
	if c.Options.Set {
		f.Options = mergeOptions(f.Options, c.Options.Value)
	}
	if err := checkFields(fields); err != nil {
		return nil, err
	}
	return l.withFields(fields), nil
}

// set takes over what was given.
func set[T any](to *T, from Opt[T]) {
	if from.Set {
		*to = from.Value
	}
}

func mergeOptions(old, given []FieldOption) []FieldOption {
	out := slices.Clone(given)
	for i := range out {
		j := slices.IndexFunc(old, func(o FieldOption) bool { return strings.EqualFold(o.ID, out[i].ID) })
		if j >= 0 && out[i].Title == "" {
			out[i].Title = old[j].Title
		}
	}
	return out
}
