package ticket

import (
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// RemoveField takes an input field away from a location. What tickets hold of it
// stays with them, under the title that it had.
type RemoveField struct {
	Location int
	ID       string
}

// OrderFields puts a location's input fields into the order that people are
// asked them in.
type OrderFields struct {
	Location int
	IDs      []string
}

// Name implements Command.
func (RemoveField) Name() string { return "field.remove" }

// Name implements Command.
func (OrderFields) Name() string { return "field.order" }

func (c RemoveField) decide(s *State, _ Env) ([]Event, error) {
	l, err := s.directoryLocation(c.Location)
	if err != nil {
		return nil, err
	}
	f := l.Field(c.ID)
	switch {
	case f == nil:
		return nil, &wire.Error{Code: wire.NotFound, Field: "id", Message: "there is no input field with this id"}
	case f.Type == FieldFirstName, f.Type == FieldLastName:
		// A location begins with both, and clients of the queue API count on them.
		return nil, wire.Errorf(wire.Conflict, "a location keeps its input field of type %s", f.Type)
	}
	return l.withFields(slices.DeleteFunc(slices.Clone(l.Fields), func(o InputField) bool { return o.ID == f.ID })), nil
}

func (c OrderFields) decide(s *State, _ Env) ([]Event, error) {
	l, err := s.directoryLocation(c.Location)
	if err != nil {
		return nil, err
	}
	every := wire.FieldError("order", "every input field of the location, once")
	if len(c.IDs) != len(l.Fields) {
		return nil, every
	}
	fields := make([]InputField, 0, len(l.Fields))
	moved := false
	for i, id := range c.IDs {
		f := l.Field(id)
		if f == nil || slices.ContainsFunc(fields, func(o InputField) bool { return o.ID == f.ID }) {
			return nil, every
		}
		moved = moved || !strings.EqualFold(l.Fields[i].ID, id)
		fields = append(fields, *f)
	}
	if !moved {
		return nil, nil
	}
	return l.withFields(fields), nil
}
