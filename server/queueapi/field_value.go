package queueapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// fieldValue is what a request says of one input field.
type fieldValue struct {
	Field       string     `json:"inputFieldId"`
	Value       *looseText `json:"value"`
	Options     []string   `json:"optionIds"`
	Attachments []string   `json:"attachmentIds"`
}

// fieldValues reads a version-2 request's "fields".
func (p *params) fieldValues() []fieldValue {
	var out []fieldValue
	p.decode("fields", &out)
	if len(out) > 50 {
		p.fail(bad("fields", "fields has at most 50 entries"))
	}
	return out
}

// fill puts field values into a new ticket.
func (c *call) fill(location int, values []fieldValue, cmd *ticket.Create) error {
	for i, v := range values {
		for _, other := range values[:i] {
			if strings.EqualFold(other.Field, v.Field) {
				return badCode(codeDuplicate, "fields", "fields has an input field twice")
			}
		}
		at, f, err := c.fieldLocation(v.Field)
		if err != nil || at != location {
			return notFound("fields", "Input field with id "+clip(v.Field)+" not found")
		}
		entries, err := v.entries(&f, "fields")
		if err != nil {
			return err
		}
		if !f.Named() {
			cmd.Extra = append(cmd.Extra, entries...)
			continue
		}
		if member := createMember(cmd, f.Type); *member == "" {
			*member = entries[0].Value
		}
	}
	return nil
}

func createMember(cmd *ticket.Create, kind string) *string {
	switch kind {
	case ticket.FieldFirstName:
		return &cmd.FirstName
	case ticket.FieldLastName:
		return &cmd.LastName
	case ticket.FieldEmail:
		return &cmd.Email
	}
	return &cmd.PhoneNumber
}

// entries is the value as a ticket holds it: one entry, or one per chosen option.
func (v fieldValue) entries(f *ticket.InputField, param string) ([]ticket.Extra, error) {
	if f.Type == ticket.FieldSelect {
		return v.choices(f)
	}
	if f.Type == ticket.FieldAttachment {
		return nil, bad(param, param+": files cannot be attached through this API")
	}
	if v.Value == nil || strings.TrimSpace(string(*v.Value)) == "" {
		return nil, badCode(codeBlank, param, param+": value is required")
	}
	text := strings.TrimSpace(string(*v.Value))
	if utf8.RuneCountInString(text) > ticket.MaxFieldValue {
		return nil, badCode(codeSize, param, fmt.Sprintf("%s: value has at most %d characters", param, ticket.MaxFieldValue))
	}
	x, ok := f.Entry(text)
	switch f.Type {
	case ticket.FieldEmail:
		ok = ok && emailPattern.MatchString(text)
	case ticket.FieldPhone:
		ok = ok && phonePattern.MatchString(text)
	}
	if !ok {
		return nil, bad(param, param+": value does not fit an input field of type "+f.Type)
	}
	return []ticket.Extra{x}, nil
}

func (v fieldValue) choices(f *ticket.InputField) ([]ticket.Extra, error) {
	if len(v.Options) == 0 {
		return nil, badCode(codeBlank, "optionIds", "optionIds is required: at least one option")
	}
	if len(v.Options) > 1 && !f.MultiSelect {
		return nil, bad("optionIds", "optionIds: only one option can be chosen")
	}
	var out []ticket.Extra
	var chosen []*ticket.FieldOption
	for _, id := range v.Options {
		o := f.Option(id)
		switch {
		case o == nil:
			return nil, bad("optionIds", "optionIds has an unknown option")
		case slices.Contains(chosen, o):
			return nil, badCode(codeDuplicate, "optionIds", "optionIds has an option twice")
		}
		chosen, out = append(chosen, o), append(out, f.Chosen(o))
	}
	return out, nil
}

// ticketField is the ticket and the input field of the path.
func (c *call) ticketField() (*ticket.Ticket, *ticket.InputField, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, nil, err
	}
	at, f, err := c.fieldLocation(c.path.ByName("field"))
	if err != nil {
		return nil, nil, renamed(err, "id", "fieldUuid")
	}
	if at != t.Location {
		return nil, nil, conflict("fieldUuid", "the input field belongs to another location")
	}
	return t, &f, nil
}

// setValue is POST /v1/tickets/{id}/fields/{fieldUuid}.
func setValue(c *call) (any, error) {
	t, f, err := c.ticketField()
	if err != nil {
		return nil, err
	}
	v := fieldValue{Field: f.ID}
	if c.has("value") {
		text := looseText(c.digits("value"))
		v.Value = &text
	}
	c.decode("optionIds", &v.Options)
	if c.err != nil {
		return nil, c.err
	}
	entries, err := v.entries(f, "value")
	if err != nil {
		return nil, err
	}
	return c.putValue(t, f, entries)
}

// deleteValue is DELETE /v1/tickets/{id}/fields/{fieldUuid}.
func deleteValue(c *call) (any, error) {
	t, f, err := c.ticketField()
	if err != nil {
		return nil, err
	}
	if f.BeforeAdded || f.BeforeServed {
		return nil, bad("fieldUuid", "a mandatory input field cannot be emptied")
	}
	return c.putValue(t, f, nil)
}

func (c *call) putValue(t *ticket.Ticket, f *ticket.InputField, entries []ticket.Extra) (any, error) {
	ref := ticket.Ref{ID: ticket.TicketID(t.ID)}
	var cmd ticket.Command = ticket.SetField{Ref: ref, Title: f.Title, Values: entries}
	if f.Named() {
		value := ""
		if len(entries) > 0 {
			value = entries[0].Value
		}
		cmd = editMember(ref, f.Type, ticket.Some(value))
	}
	if _, err := c.do(ledger.Request{Command: cmd}); err != nil {
		return nil, err
	}
	return answer{status: http.StatusOK}, nil
}

func editMember(ref ticket.Ref, kind string, value ticket.Opt[string]) ticket.Edit {
	edit := ticket.Edit{Ref: ref}
	switch kind {
	case ticket.FieldFirstName:
		edit.FirstName = value
	case ticket.FieldLastName:
		edit.LastName = value
	case ticket.FieldEmail:
		edit.Email = value
	default:
		edit.PhoneNumber = value
	}
	return edit
}

// getFields is GET /v1/locations/{id}/input-fields, in the older form that has
// fewer types: what it does not know is a text.
func getFields(c *call) (any, error) {
	type option struct {
		Title string `json:"title"`
		Color string `json:"color,omitempty"`
	}
	type field struct {
		Type    string   `json:"type"`
		Title   string   `json:"title,omitempty"`
		Options []option `json:"options,omitempty"`
	}
	named := map[string]string{
		ticket.FieldFirstName: "firstName", ticket.FieldLastName: "lastName", ticket.FieldPhone: "phoneNumber", ticket.FieldEmail: "email",
	}
	return c.inLocation(func(s *ticket.State) any {
		out := struct {
			StatusCode int     `json:"statusCode"`
			Fields     []field `json:"fields"`
		}{http.StatusOK, []field{}}
		for _, f := range s.Location.Fields {
			shown := field{Type: "text", Title: f.Title}
			switch {
			case f.Named():
				shown = field{Type: named[f.Type]}
			case f.Type == ticket.FieldSelect:
				shown.Type = "select"
				for _, o := range f.Options {
					shown.Options = append(shown.Options, option{o.Title, o.Color})
				}
			}
			out.Fields = append(out.Fields, shown)
		}
		out.Fields = append(out.Fields, field{Type: "line"})
		return out
	})
}
