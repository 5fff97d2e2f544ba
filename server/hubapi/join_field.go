package hubapi

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// askedField is one question to somebody who takes a number: a member of the
// ticket by name, or an input field of the location by id.
type askedField struct {
	Name     string            `json:"name,omitempty"`
	Field    string            `json:"field,omitempty"`
	Title    string            `json:"title,omitempty"`
	Titles   map[string]string `json:"titles,omitempty"` // in other languages
	Type     string            `json:"type,omitempty"`
	Required bool              `json:"required"`
	Multiple bool              `json:"multiple,omitempty"`
	Options  []askedOption     `json:"options,omitempty"`
	Lines    []int             `json:"lines,omitempty"` // only there; absent: everywhere
}

type askedOption struct {
	ID     string            `json:"id"`
	Title  string            `json:"title"`
	Titles map[string]string `json:"titles,omitempty"`
}

// namedField is the type of the input field behind a member's name; "" for others.
func namedField(name string) string {
	return map[string]string{
		"firstName": ticket.FieldFirstName, "lastName": ticket.FieldLastName, "phoneNumber": ticket.FieldPhone, "email": ticket.FieldEmail,
	}[name]
}

// asked are the questions of a location: those that its settings name, and its own
// input fields that are shown to visitors. A file cannot be asked for.
func (v *Visitors) asked(l *ticket.Location, kiosk bool) []askedField {
	out := []askedField{}
	names := v.Fields
	if kiosk && v.KioskFields != nil {
		names = v.KioskFields
	}
	for _, name := range names {
		i := slices.IndexFunc(l.Fields, func(f ticket.InputField) bool { return f.Type == namedField(name) })
		out = append(out, askedField{Name: name, Required: i >= 0 && l.Fields[i].InRemoteSignIn})
	}
	for i := range l.Fields {
		f := &l.Fields[i]
		if f.Named() || !f.ShowInRemoteSignIn || f.Type == ticket.FieldAttachment {
			continue
		}
		x := askedField{Field: f.ID, Title: orElse(f.VisitorTitle, f.Title), Type: f.Type, Required: f.InRemoteSignIn, Multiple: f.MultiSelect, Lines: f.Lines}
		x.Titles = titlesOf(f.Translations)
		for _, o := range f.Options {
			x.Options = append(x.Options, askedOption{o.ID, o.Title, titlesOf(o.Translations)})
		}
		out = append(out, x)
	}
	return out
}

func titlesOf(all []ticket.FieldTranslation) map[string]string {
	out := map[string]string{}
	for _, t := range all {
		if title := orElse(t.VisitorTitle, t.Title); title != "" {
			out[t.Language] = title
		}
	}
	return out
}

// joinForm is what somebody gives who takes a number.
type joinForm struct {
	Line         int    `json:"line"`
	FirstName    string `json:"firstName"`
	LastName     string `json:"lastName"`
	PhoneNumber  string `json:"phoneNumber"`
	Email        string `json:"email"`
	LanguageCode string `json:"languageCode"`
	// ShowName lets the lobby's screens show the name, where the location does.
	ShowName bool         `json:"showName"`
	Fields   []givenField `json:"fields"`
}

// givenField is one answer: a text, or the ids of options.
type givenField struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

func (f *joinForm) named(name string) string {
	return map[string]string{"firstName": f.FirstName, "lastName": f.LastName, "phoneNumber": f.PhoneNumber, "email": f.Email}[name]
}

// create makes the command of what somebody gave.
func (p *People) create(n *newcomer, f *joinForm) (c ticket.Create, err error) {
	v := p.visitorsOf(n.location)
	if f.Line < 1 {
		return c, wire.FieldError("line", "which line?")
	}
	c = ticket.Create{
		Line: f.Line, FirstName: f.FirstName, LastName: f.LastName, PhoneNumber: f.PhoneNumber, Email: f.Email,
		Language: f.LanguageCode, Source: n.source, ShowName: f.ShowName,
	}
	p.o.Ledger.View(n.location, func(s *ticket.State) {
		l := s.Lines[f.Line]
		switch {
		case l == nil || l.Removed || l.Archived:
			err = wire.FieldError("line", "there is no such line here")
		case !s.Location.OpenAt(p.o.Clock()):
			err = ticket.Closed()
		default:
			c.Extra, err = f.extra(s.Location, v.asked(s.Location, n.kiosk))
		}
	})
	return c, err
}

// extra checks what was asked, and gives the answers to the location's own questions.
func (f *joinForm) extra(l *ticket.Location, asked []askedField) ([]ticket.Extra, error) {
	for _, q := range asked {
		if q.Name != "" && q.Required && strings.TrimSpace(f.named(q.Name)) == "" {
			return nil, wire.FieldError(q.Name, "%s is needed", q.Name)
		}
	}
	given := map[string]json.RawMessage{}
	for _, g := range f.Fields {
		id := strings.ToLower(g.Field)
		known := slices.ContainsFunc(asked, func(q askedField) bool { return q.Field != "" && strings.EqualFold(q.Field, id) })
		if _, twice := given[id]; !known || twice {
			return nil, wire.FieldError("fields", "fields has what is not asked, or something twice")
		}
		given[id] = g.Value
	}
	var out []ticket.Extra
	for _, q := range asked {
		if q.Field == "" || len(q.Lines) > 0 && !slices.Contains(q.Lines, f.Line) {
			continue
		}
		values, err := texts(given[strings.ToLower(q.Field)])
		if err == nil && len(values) == 0 && q.Required {
			err = wire.FieldError(q.Field, "%s is needed", q.Title)
		}
		if err != nil {
			return nil, err
		}
		entries, err := entries(l.Field(q.Field), values)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	return out, nil
}

// texts reads a text or a list of texts; an empty one is none.
func texts(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		var one string
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, wire.FieldError("fields", "value is a text, or a list of option ids")
		}
		list = []string{one}
	}
	return slices.DeleteFunc(list, func(v string) bool { return strings.TrimSpace(v) == "" }), nil
}

// entries are an answer as a ticket holds it: one entry, or one per chosen option.
func entries(f *ticket.InputField, values []string) ([]ticket.Extra, error) {
	wrong := wire.FieldError(f.ID, "%s does not fit", orElse(f.VisitorTitle, f.Title))
	if len(values) > 1 && (f.Type != ticket.FieldSelect || !f.MultiSelect) {
		return nil, wrong
	}
	var out []ticket.Extra
	var chosen []*ticket.FieldOption
	for _, v := range values {
		if f.Type != ticket.FieldSelect {
			x, ok := f.Entry(v)
			if !ok {
				return nil, wrong
			}
			out = append(out, x)
			continue
		}
		o := f.Option(strings.TrimSpace(v))
		if o == nil || slices.Contains(chosen, o) {
			return nil, wrong
		}
		chosen, out = append(chosen, o), append(out, f.Chosen(o))
	}
	return out, nil
}
