package queueapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ticket"
)

// fieldRoutes are the operations of section 5.5, and those on a ticket's values.
func fieldRoutes() []route {
	return []route{
		{method: "POST", path: "/input-fields", do: createField, v2: true},
		{method: "PATCH", path: "/input-fields/:id", do: editField, v2: true},
		{method: "POST", path: "/v1/tickets/:id/fields/:field", do: setValue, v2: true},
		{method: "DELETE", path: "/v1/tickets/:id/fields/:field", do: deleteValue, v2: true},
	}
}

// fieldMembers are the members that a type has beside those that all have.
func fieldMembers(kind string) ([]string, bool) {
	titled := []string{"title", "visitorFacingTitle", "translations"}
	switch kind {
	case ticket.FieldFirstName, ticket.FieldLastName, ticket.FieldEmail:
		return []string{"isRequiredInAppointments"}, true
	case ticket.FieldPhone:
		return nil, true
	case ticket.FieldText, ticket.FieldDate:
		return titled, true
	case ticket.FieldURL:
		return []string{"title", "translations"}, true
	case ticket.FieldNumeric, ticket.FieldAttachment:
		return append(titled, "constraints"), true
	case ticket.FieldSelect:
		return append(titled, "multiSelect", "options"), true
	}
	return nil, false
}

// fieldFlags are the members that every type must have.
func fieldFlags() []string {
	return []string{
		"isMandatoryBeforeAdded", "isMandatoryBeforeServed", "isMandatoryInRemoteSignIn",
		"isVisibleInWaitingDrawer", "isVisibleInServingDrawer", "showInRemoteSignIn",
	}
}

// fits refuses members that a field of this type cannot have.
func (p *params) fits(kind string, common ...string) {
	members, ok := fieldMembers(kind)
	if !ok {
		p.fail(bad("type", "type is not a type of input field"))
		return
	}
	known := slices.Concat(members, common, fieldFlags())
	for name := range p.values {
		if !slices.Contains(known, name) {
			p.fail(badCode(codeArguments, clip(name), clip(name)+" does not fit an input field of type "+kind))
		}
	}
}

// inputField reads a whole field, without where it is visible.
func (p *params) inputField(common ...string) ticket.InputField {
	f := ticket.InputField{ID: p.required("id"), Type: p.required("type")}
	if p.err == nil && !uuidPattern.MatchString(f.ID) {
		p.fail(bad("id", "id is not a UUID"))
	}
	if p.err != nil {
		return f
	}
	p.fits(f.Type, append(common, "id", "type")...)
	p.need(fieldFlags()...)
	edit := p.fieldEdit(f.Type)
	if f.Type == ticket.FieldEmail {
		p.need("isRequiredInAppointments")
	}
	if members, _ := fieldMembers(f.Type); slices.Contains(members, "title") {
		p.required("title")
	}
	if f.Type == ticket.FieldSelect {
		p.need("multiSelect", "options")
	}
	f.Title, f.VisitorTitle = edit.Title.Value, edit.VisitorTitle.Value
	f.BeforeAdded, f.BeforeServed = edit.BeforeAdded.Value, edit.BeforeServed.Value
	f.InRemoteSignIn, f.InAppointments = edit.InRemoteSignIn.Value, edit.InAppointments.Value
	f.VisibleWaiting, f.VisibleServing = edit.VisibleWaiting.Value, edit.VisibleServing.Value
	f.ShowInRemoteSignIn, f.MultiSelect = edit.ShowInRemoteSignIn.Value, edit.MultiSelect.Value
	f.Options, f.Range, f.Files, f.Translations = edit.Options.Value, edit.Range.Value, edit.Files.Value, edit.Translations.Value
	for _, o := range f.Options {
		if p.err == nil && o.Title == "" {
			p.fail(badCode(codeBlank, "options", "options must all have a title"))
		}
	}
	return f
}

// fieldEdit reads the members that are there; type decides what they may hold.
func (p *params) fieldEdit(kind string) ticket.EditField {
	c := ticket.EditField{
		BeforeAdded: p.given("isMandatoryBeforeAdded"), BeforeServed: p.given("isMandatoryBeforeServed"),
		InRemoteSignIn: p.given("isMandatoryInRemoteSignIn"), InAppointments: p.given("isRequiredInAppointments"),
		VisibleWaiting: p.given("isVisibleInWaitingDrawer"), VisibleServing: p.given("isVisibleInServingDrawer"),
		ShowInRemoteSignIn: p.given("showInRemoteSignIn"), MultiSelect: p.given("multiSelect"),
		VisitorTitle: p.optional("visitorFacingTitle", ticket.MaxVisitorTitle),
	}
	if _, there := p.values["title"]; there {
		c.Title = ticket.Some(p.within("title", p.required("title"), 1, ticket.MaxFieldTitle))
	}
	if kind == ticket.FieldURL && c.ShowInRemoteSignIn.Value {
		p.fail(bad("showInRemoteSignIn", "showInRemoteSignIn is false for a URL"))
	}
	if p.has("options") {
		c.Options = ticket.Some(p.fieldOptions())
	}
	if p.has("translations") {
		var in []translationJSON
		p.decode("translations", &in)
		c.Translations = ticket.Some(p.translations(in))
	}
	if p.has("constraints") && kind == ticket.FieldNumeric {
		c.Range = ticket.Some(p.fieldRange())
	}
	if p.has("constraints") && kind == ticket.FieldAttachment {
		c.Files = ticket.Some(p.fieldFiles())
	}
	return c
}

// given is a boolean that may be absent, but not null.
func (p *params) given(name string) ticket.Opt[bool] {
	if _, there := p.values[name]; !there {
		return ticket.Opt[bool]{}
	}
	if !p.has(name) {
		p.fail(bad(name, name+" is true or false"))
	}
	return ticket.Some(p.flag(name))
}

type translationJSON struct {
	LanguageCode       string `json:"languageCode"`
	Title              string `json:"title"`
	VisitorFacingTitle string `json:"visitorFacingTitle"`
}

func (p *params) translations(in []translationJSON) []ticket.FieldTranslation {
	out := []ticket.FieldTranslation{}
	for _, t := range in {
		if !knownLanguage(t.LanguageCode) {
			p.fail(bad("translations", "translations has an unknown languageCode"))
		}
		if utf8.RuneCountInString(t.Title) > ticket.MaxFieldTitle || utf8.RuneCountInString(t.VisitorFacingTitle) > ticket.MaxVisitorTitle {
			p.fail(badCode(codeSize, "translations", "translations has a title that is too long"))
		}
		if slices.ContainsFunc(out, func(o ticket.FieldTranslation) bool { return o.Language == t.LanguageCode }) {
			p.fail(badCode(codeDuplicate, "translations", "translations has a language twice"))
		}
		out = append(out, ticket.FieldTranslation{Language: t.LanguageCode, Title: t.Title, VisitorTitle: t.VisitorFacingTitle})
	}
	return out
}

func (p *params) fieldOptions() []ticket.FieldOption {
	var in []struct {
		ID           string            `json:"id"`
		Title        string            `json:"title"`
		Color        string            `json:"color"`
		Translations []translationJSON `json:"translations"`
	}
	if p.decode("options", &in) && len(in) == 0 {
		p.fail(bad("options", "options needs at least one option"))
	}
	out := make([]ticket.FieldOption, 0, len(in))
	for _, o := range in {
		o.Title = strings.TrimSpace(o.Title)
		if !uuidPattern.MatchString(o.ID) {
			p.fail(bad("options", "options must all have a UUID as id"))
		}
		if utf8.RuneCountInString(o.Title) > ticket.MaxFieldTitle || utf8.RuneCountInString(o.Color) > ticket.MaxFieldTitle {
			p.fail(badCode(codeSize, "options", "options has a title of more than 50 characters"))
		}
		if slices.ContainsFunc(out, func(x ticket.FieldOption) bool {
			return strings.EqualFold(x.ID, o.ID) || o.Title != "" && x.Title == o.Title
		}) {
			p.fail(badCode(codeDuplicate, "options", "options has an option twice"))
		}
		out = append(out, ticket.FieldOption{ID: o.ID, Title: o.Title, Color: o.Color, Translations: p.translations(o.Translations)})
	}
	return out
}

func (p *params) fieldRange() *ticket.FieldRange {
	r := &ticket.FieldRange{}
	if p.decode("constraints", r) && r.Sound() != "" {
		p.fail(bad("constraints", "constraints: min is at most max, scale is 0 to 10"))
	}
	return r
}

func (p *params) fieldFiles() *ticket.FieldFiles {
	var in struct {
		Most  int `json:"maxNumberOfFiles"`
		Types struct {
			Mode   string   `json:"mode"`
			Groups []string `json:"groups"`
		} `json:"allowedFileTypeGroups"`
	}
	p.decode("constraints", &in)
	f := &ticket.FieldFiles{Most: in.Most, Mode: in.Types.Mode, Groups: in.Types.Groups}
	if f.Sound() != "" {
		p.fail(bad("constraints", "constraints: maxNumberOfFiles is 1 to 50, allowedFileTypeGroups has a mode ALL or ONLY with groups"))
	}
	return f
}

// visibleFor reads the lines that a field is for; they must be the location's.
func (c *call) visibleFor(location int) ticket.Opt[[]int] {
	if _, there := c.values["visibleForLines"]; !there {
		return ticket.Opt[[]int]{}
	}
	var in []struct {
		ID looseID `json:"id"`
	}
	if !c.decode("visibleForLines", &in) {
		c.params.fail(bad("visibleForLines", "visibleForLines is a list of {id}"))
	}
	out := []int{}
	c.Ledger.View(location, func(s *ticket.State) {
		for _, l := range in {
			if line := s.Lines[int(l.ID)]; line == nil || line.Removed {
				c.params.fail(noLine("visibleForLines", int(l.ID)))
			}
			out = append(out, int(l.ID))
		}
	})
	return ticket.Some(out)
}

// createField is POST /input-fields.
func createField(c *call) (any, error) {
	f := c.inputField("location", "visibleForLines")
	var in struct {
		ID looseID `json:"id"`
	}
	c.need("location", "visibleForLines")
	c.decode("location", &in)
	if c.err != nil {
		return nil, c.err
	}
	location := int(in.ID)
	if !slices.Contains(c.locations(), location) {
		return nil, notFound("location", fmt.Sprintf("Location with id %d not found", location))
	}
	f.Lines = c.visibleFor(location).Value
	if c.err != nil {
		return nil, c.err
	}
	if _, err := c.inDirectory(location, ticket.AddField{Location: location, Field: f}); err != nil {
		return nil, duplicateField(err)
	}
	return answer{status: http.StatusCreated}, nil
}

// duplicateField gives a conflict the code that this API has for it.
func duplicateField(err error) error {
	f := *asFault(err)
	if f.status != http.StatusConflict {
		return err
	}
	f.code = codeField
	return &f
}

// fieldLocation is where an input field is, among the key's locations.
func (c *call) fieldLocation(id string) (int, ticket.InputField, error) {
	for _, location := range c.locations() {
		var found ticket.InputField
		c.Ledger.View(location, func(s *ticket.State) {
			if f := s.Location.Field(id); f != nil {
				found = *f
			}
		})
		if found.ID != "" {
			return location, found, nil
		}
	}
	return 0, ticket.InputField{}, notFound("id", "Input field with id "+clip(id)+" not found")
}

// editField is PATCH /input-fields/{uuid}.
func editField(c *call) (any, error) {
	location, f, err := c.fieldLocation(c.path.ByName("id"))
	if err != nil {
		return nil, err
	}
	c.fits(f.Type, "visibleForLines")
	cmd := c.fieldEdit(f.Type)
	cmd.Location, cmd.ID, cmd.Lines = location, f.ID, c.visibleFor(location)
	for _, o := range cmd.Options.Value {
		if o.Title == "" && f.Option(o.ID) == nil {
			c.params.fail(badCode(codeBlank, "options", "options must all have a title"))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	if _, err := c.inDirectory(location, cmd); err != nil {
		return nil, err
	}
	return answer{status: http.StatusOK}, nil
}

// firstFields reads what a new location asks for.
func (c *call) firstFields() []ticket.InputField {
	if !c.has("inputFields") {
		return c.defaultFields()
	}
	var in []map[string]json.RawMessage
	c.decode("inputFields", &in)
	var out []ticket.InputField
	for _, members := range in {
		sub := &params{values: map[string]param{}, strict: true}
		for name, v := range members {
			sub.values[name] = param{json: v}
		}
		out = append(out, sub.inputField())
		if sub.err != nil {
			f := *asFault(sub.err)
			f.message, f.param = "inputFields: "+f.message, "inputFields"
			c.params.fail(&f)
		}
	}
	has := func(kind string) bool {
		return slices.ContainsFunc(out, func(f ticket.InputField) bool { return f.Type == kind })
	}
	if c.err == nil && (len(out) > 50 || !has(ticket.FieldFirstName) || !has(ticket.FieldLastName)) {
		c.params.fail(bad("inputFields", "inputFields has at most 50 fields, among them FIRST_NAME and LAST_NAME"))
	}
	return out
}

func (c *call) defaultFields() []ticket.InputField {
	return ticket.DefaultFields(func(kind string) string {
		id, err := c.guid("field " + kind)
		if err != nil {
			c.params.fail(err)
		}
		return id
	})
}
