package ticket

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
)

func (c Edit) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	private := t.Private
	for _, f := range []struct {
		from Opt[string]
		to   *string
	}{
		{c.FirstName, &private.FirstName}, {c.LastName, &private.LastName},
		{c.PhoneNumber, &private.PhoneNumber}, {c.Email, &private.Email},
	} {
		if f.from.Set {
			*f.to = f.from.Value
		}
	}
	if err = checkPerson(&private); err != nil {
		return nil, err
	}
	if c.ShowName.Set {
		private.ShowName = c.ShowName.Value
	}
	if c.Extra.Set {
		if private.Extra, err = checkExtra("extra", c.Extra.Value); err != nil {
			return nil, err
		}
	}
	facts := Facts{Language: t.Language}
	if c.Language.Set {
		if facts.Language, err = checkLanguage(c.Language.Value); err != nil {
			return nil, err
		}
	}
	if c.Line.Set && c.Line.Value != t.Place.Line {
		if t.Place.Status != New {
			return nil, wire.Errorf(wire.Conflict, "%s; only a waiting ticket changes its line", s.standing(t))
		}
		line, err := s.openLine(c.Line.Value)
		if err != nil {
			return nil, err
		}
		facts.Line, facts.FromLine = line.ID, t.Place.Line
	}
	shown := t.Place.Status == New || t.Place.Status == Called // boards show names of these only
	facts.Public = facts.Line != 0 ||
		shown && s.Location.Settings.shownName(&private) != s.Location.Settings.shownName(&t.Private)
	return []Event{{Type: EventChanged, Ticket: t.ID, Facts: facts, Personal: &Personal{Private: &private}}}, nil
}

func erased(t *Ticket) error {
	return wire.Errorf(wire.Conflict, "ticket %d was erased and takes no personal data", t.ID)
}

func (c Label) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	labels := slices.Clone(t.Labels)
	switch {
	case c.Set.Set:
		if labels, err = checkLabels("labels", c.Set.Value); err != nil {
			return nil, err
		}
	case c.Remove != "":
		labels = slices.DeleteFunc(labels, func(l string) bool { return l == c.Remove })
	default:
		label, err := checkLabel("value", c.Add)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
		if len(labels) > maxLabels {
			return nil, wire.FieldError("value", "a ticket has at most %d labels", maxLabels)
		}
	}
	if slices.Equal(labels, t.Labels) {
		return nil, nil
	}
	return []Event{{Type: EventLabelled, Ticket: t.ID, Facts: Facts{Labels: labels}}}, nil
}

func (c SetExternal) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	provider, err := singleLine("provider", c.Provider, maxProvider)
	if err != nil {
		return nil, err
	}
	title, err := singleLine("title", c.Title, maxProvider)
	if err != nil {
		return nil, err
	}
	switch {
	case provider == "":
		return nil, wire.FieldError("provider", "provider must not be empty")
	case title == "":
		return nil, wire.FieldError("title", "title must not be empty")
	case len(c.Data) == 0 || !json.Valid(c.Data) || !utf8.Valid(c.Data):
		return nil, wire.FieldError("data", "data is not JSON")
	case len(c.Data) > maxData:
		return nil, wire.Errorf(wire.TooLarge, "data has at most %d bytes", maxData)
	}
	record := External{Provider: provider, Title: title, Data: slices.Clone(c.Data), At: env.Now}
	private := t.Private
	i := slices.IndexFunc(private.External, func(x External) bool { return x.Provider == provider })
	private.External = slices.Clone(private.External)
	if i >= 0 {
		private.External[i] = record
	} else {
		private.External = append(private.External, record)
	}
	if len(private.External) > maxExternal {
		return nil, wire.FieldError("provider", "a ticket has at most %d providers", maxExternal)
	}
	return changed(t, private), nil
}

func changed(t *Ticket, private Private) []Event {
	return []Event{{
		Type: EventChanged, Ticket: t.ID, Facts: Facts{Language: t.Language}, Personal: &Personal{Private: &private},
	}}
}

func (c SetField) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	values := c.Values
	if c.Value != nil {
		values = []Extra{{Title: c.Title, Value: *c.Value}}
	}
	if values, err = checkExtra("value", values); err != nil {
		return nil, err
	}
	title, err := singleLine("title", c.Title, maxTitle)
	if err != nil {
		return nil, err
	}
	if title == "" {
		return nil, wire.FieldError("title", "which field?")
	}
	private := t.Private
	private.Extra = nil
	for _, x := range t.Private.Extra {
		if x.Title != title {
			private.Extra = append(private.Extra, x)
			continue
		}
		// The field keeps its place among the others.
		private.Extra = append(private.Extra, values...)
		values = nil
	}
	private.Extra = append(private.Extra, values...)
	if len(private.Extra) > maxExtra {
		return nil, wire.FieldError("title", "a ticket has at most %d entries", maxExtra)
	}
	return changed(t, private), nil
}

func (c Erase) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil || t.Erased {
		return nil, err
	}
	return []Event{{Type: EventErased, Ticket: t.ID, Facts: Facts{Unplaced: t.Place.Status == Unplaced, Touch: true}}}, nil
}
