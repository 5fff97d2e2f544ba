package hubapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func (a *API) registerFields(r *httprouter.Router) {
	const at = "/hub/v1/locations/:location/input-fields"
	r.GET(at, a.admin(inLocation, (*adminCall).inputFields))
	r.POST(at, a.admin(inLocation, (*adminCall).addField))
	r.PUT(at, a.admin(inLocation, (*adminCall).orderFields))
	r.PUT(at+"/:field", a.admin(inLocation, (*adminCall).editField))
	r.DELETE(at+"/:field", a.admin(inLocation, (*adminCall).removeField))
}

// fieldForm is an input field with its version.
type fieldForm struct {
	ticket.InputField
	Version string `json:"version"`
}

// inputFields is GET input-fields, in their order.
func (c *adminCall) inputFields() (any, error) {
	out := []fieldForm{}
	c.view(func(s *ticket.State) {
		for _, f := range s.Location.Fields {
			out = append(out, fieldForm{f, versionOf(f)})
		}
	})
	return map[string]any{"fields": out}, nil
}

// inputField is the one of the path.
func (c *adminCall) inputField() (f ticket.InputField, err error) {
	err = wire.Errorf(wire.NotFound, "there is no such input field")
	c.view(func(s *ticket.State) {
		if found := s.Location.Field(c.p.ByName("field")); found != nil {
			f, err = *found, nil
		}
	})
	return f, err
}

// readField reads a whole field that takes the place of old. What is new in it
// gets its id here.
func (c *adminCall) readField(old ticket.InputField) (fieldForm, error) {
	var f fieldForm
	if err := c.read(&f); err != nil {
		return f, err
	}
	if old.ID != "" && f.Type != old.Type {
		return f, wire.FieldError("type", "the type of an input field stays")
	}
	if f.ID = old.ID; f.ID == "" {
		f.ID = uuid.NewString()
	}
	for i := range f.Options {
		if f.Options[i].ID == "" {
			f.Options[i].ID = uuid.NewString()
		}
	}
	if err := checkField(&f.InputField); err != nil {
		return f, err
	}
	var err error
	c.view(func(s *ticket.State) { err = checkFieldLines(s, f.Lines, old.Lines) })
	return f, err
}

// addField is POST input-fields.
func (c *adminCall) addField() (any, error) {
	f, err := c.readField(ticket.InputField{})
	if err != nil {
		return nil, err
	}
	res, err := c.do(ledger.Directory, ticket.AddField{Location: c.location, Field: f.InputField})
	if err != nil {
		return nil, err
	}
	c.status = http.StatusCreated
	if len(res.Events) == 0 { // the same key again: the first one's id is in the list
		return struct{}{}, nil
	}
	return map[string]string{"id": f.ID}, nil
}

// editField is PUT input-fields/{field}: it replaces everything but the type.
func (c *adminCall) editField() (any, error) {
	old, err := c.inputField()
	if err != nil {
		return nil, err
	}
	f, err := c.readField(old)
	if err != nil {
		return nil, err
	}
	_, err = c.do(ledger.Directory, unchanged(ticket.EditField{
		Location: c.location, ID: f.ID, Title: ticket.Some(f.Title), VisitorTitle: ticket.Some(f.VisitorTitle),
		BeforeAdded: ticket.Some(f.BeforeAdded), BeforeServed: ticket.Some(f.BeforeServed),
		InRemoteSignIn: ticket.Some(f.InRemoteSignIn), InAppointments: ticket.Some(f.InAppointments),
		VisibleWaiting: ticket.Some(f.VisibleWaiting), VisibleServing: ticket.Some(f.VisibleServing),
		ShowInRemoteSignIn: ticket.Some(f.ShowInRemoteSignIn), MultiSelect: ticket.Some(f.MultiSelect), Lines: ticket.Some(f.Lines),
		Options: ticket.Some(f.Options), Range: ticket.Some(f.Range), Files: ticket.Some(f.Files), Translations: ticket.Some(f.Translations),
	}, f.Version, func(s *ticket.State) any {
		if l := s.Locations[c.location]; l != nil && l.Field(f.ID) != nil {
			return *l.Field(f.ID)
		}
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return c.inputFields()
}

// removeField is DELETE input-fields/{field}.
func (c *adminCall) removeField() (any, error) {
	f, err := c.inputField()
	if err != nil {
		return nil, err
	}
	if _, err := c.do(ledger.Directory, ticket.RemoveField{Location: c.location, ID: f.ID}); err != nil {
		return nil, err
	}
	return c.inputFields()
}

// orderFields is PUT input-fields {"order": [ids]}.
func (c *adminCall) orderFields() (any, error) {
	var f struct{ Order []string }
	if err := c.read(&f); err != nil {
		return nil, err
	}
	if _, err := c.do(ledger.Directory, ticket.OrderFields{Location: c.location, IDs: f.Order}); err != nil {
		return nil, err
	}
	return c.inputFields()
}
