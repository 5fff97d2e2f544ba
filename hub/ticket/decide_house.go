package ticket

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
)

func (c PutLocation) decide(s *State, env Env) ([]Event, error) {
	l := c.Location
	if l.ID == 0 {
		l.ID = env.IDs.Location
	}
	var err error
	if l.Name, err = singleLine("name", l.Name, maxName); err != nil {
		return nil, err
	}
	if l.Name == "" {
		return nil, wire.FieldError("name", "a location needs a name")
	}
	if _, err = time.LoadLocation(l.Timezone); err != nil || l.Timezone == "" || l.Timezone == "Local" {
		return nil, wire.FieldError("timezone", "an IANA time zone such as Europe/Tallinn")
	}
	if l.GUID == "" {
		return nil, wire.FieldError("guid", "a location needs a GUID")
	}
	if l.DayStart < 0 || l.DayStart >= 24*60 {
		return nil, wire.FieldError("dayStart", "minutes after midnight, 0 to 1439")
	}
	if len(l.Languages) == 0 {
		l.Languages = []string{"en"}
	}
	for _, code := range l.Languages {
		if _, err = checkLanguage(code); err != nil {
			return nil, err
		}
	}
	l.Settings = l.Settings.withDefaults()
	if err = checkLetters(l.SeriesLetters); err != nil {
		return nil, err
	}
	if err = firstOf(l.Settings.check(), l.Setup.check(), checkFields(l.Fields)); err != nil {
		return nil, err
	}
	var begin []Event
	if l.Setup != nil && s.Journal != 0 {
		begin = l.begin(env)
		l.Setup = nil
	}
	return append([]Event{{Type: EventLocation, Facts: Facts{LocationDef: &l}}}, begin...), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b Board) withDefaults() Board {
	if b.Layout == "" {
		b.Layout = "board"
	}
	if b.Theme == "" {
		b.Theme = "dark"
	}
	if b.Names == "" {
		b.Names = "none"
	}
	return b
}

// checkLetters wants every letter once: a repeated one would be given to two lines.
func checkLetters(letters string) error {
	seen := map[rune]bool{}
	for _, r := range letters {
		if !unicode.IsLetter(r) || seen[r] {
			return wire.FieldError("seriesLetters", "letters, each once")
		}
		seen[r] = true
	}
	return nil
}

// checkSeries checks a line's letter, which is spoken, printed and part of keys.
func checkSeries(v string) error {
	if v == "" || utf8.RuneCountInString(v) > maxSeries || strings.ContainsFunc(v, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return wire.FieldError("series", "a series has 1 to %d letters or digits", maxSeries)
	}
	return nil
}

// freeSeries is the first letter that no line of the location has, or had.
func (s *State) freeSeries() string {
	taken := map[string]bool{}
	for _, l := range s.Lines {
		taken[l.Series] = true
	}
	n := 0
	for taken[s.Location.series(n)] {
		n++
	}
	return s.Location.series(n)
}

func (c PutLine) decide(s *State, env Env) ([]Event, error) {
	if s.Location == nil {
		return nil, missing("location", "Location with id %d not found", s.Journal)
	}
	l := c.Line
	var err error
	if l.Name, err = singleLine("name", l.Name, maxName); err != nil {
		return nil, err
	}
	if l.Name == "" {
		return nil, wire.FieldError("name", "a line needs a name")
	}
	if l.ID == 0 {
		l.ID, l.Wait, l.Rank = env.IDs.Line, nil, s.nextRank()
		if l.Series == "" {
			l.Series = s.freeSeries()
		}
	} else {
		old, err := s.line(l.ID)
		if err != nil {
			return nil, err
		}
		if l.Series == "" {
			l.Series = old.Series
		}
		l.Wait, l.Rank = old.Wait, old.Rank // they have commands of their own
	}
	if err = checkSeries(l.Series); err != nil {
		return nil, err
	}
	if l.Color == "" {
		l.Color = lineColors[(l.ID-1)%len(lineColors)]
	}
	return []Event{{Type: EventLine, Facts: Facts{LineDef: &l}}}, nil
}

func (c PutDesk) decide(s *State, env Env) ([]Event, error) {
	d := c.Desk
	var err error
	if d.Name, err = singleLine("name", d.Name, maxName); err != nil {
		return nil, err
	}
	if d.Name == "" {
		return nil, wire.FieldError("name", "a desk needs a name")
	}
	if d.ID == 0 {
		d.ID = env.IDs.Desk
	} else if _, err = s.desk(d.ID); err != nil {
		return nil, err
	}
	return []Event{{Type: EventDesk, Facts: Facts{DeskDef: &d}}}, nil
}

func (c PutUser) decide(s *State, env Env) ([]Event, error) {
	u := c.User
	for _, f := range []struct {
		name  string
		value *string
		most  int
	}{{"email", &u.Email, maxEmail}, {"firstName", &u.FirstName, maxName}, {"lastName", &u.LastName, maxName}} {
		v, err := singleLine(f.name, *f.value, f.most)
		if err != nil {
			return nil, err
		}
		*f.value = v
	}
	if u.Email == "" || !emailLike(u.Email) {
		return nil, wire.FieldError("email", "not an e-mail address")
	}
	if u.GUID == "" {
		return nil, wire.FieldError("guid", "a user needs a GUID")
	}
	for _, other := range s.Users {
		if other.ID != u.ID && !other.Removed && other.Email == u.Email {
			return nil, &wire.Error{Code: wire.Conflict, Field: "email", Message: "another user has this e-mail address"}
		}
	}
	if u.ID == 0 {
		u.ID = env.IDs.User
	}
	if old := s.Users[u.ID]; old != nil { // what is chosen here stays chosen
		u.Desk, u.Lines = old.Desk, old.Lines
	}
	if u.Removed {
		u.Desk, u.Lines = 0, nil
	}
	return []Event{{Type: EventUser, Facts: Facts{UserDef: &u}}}, nil
}

func (c Select) decide(s *State, env Env) ([]Event, error) {
	id := c.User
	if id == 0 {
		id = env.Actor.User
	}
	old, err := s.user("user", id)
	if err != nil {
		return nil, err
	}
	u := *old
	var events []Event
	if c.Desk.Set {
		u.Desk = c.Desk.Value
		if u.Desk != 0 {
			if _, err := s.desk(u.Desk); err != nil {
				return nil, err
			}
			for _, other := range s.SortedUsers() { // a desk has one user
				if other.ID != u.ID && other.Desk == u.Desk {
					gone := *other
					gone.Desk = 0
					events = append(events, Event{Type: EventUser, Facts: Facts{UserDef: &gone}})
				}
			}
		}
	}
	if c.Lines.Set {
		u.Lines = nil
		for _, line := range c.Lines.Value {
			if _, err := s.line(line); err != nil {
				return nil, err
			}
			if !slices.Contains(u.Lines, line) {
				u.Lines = append(u.Lines, line)
			}
		}
	}
	if u.Desk == old.Desk && slices.Equal(u.Lines, old.Lines) {
		return nil, nil
	}
	return append(events, Event{Type: EventUser, Facts: Facts{UserDef: &u}}), nil
}

func (c PutDisplay) decide(s *State, env Env) ([]Event, error) {
	d := c.Display
	if err := d.check(s); err != nil {
		return nil, err
	}
	if d.ID == 0 {
		d.ID = env.IDs.Display
	} else if old := s.Displays[d.ID]; old == nil || old.Removed {
		return nil, missing("display", "Display with id %d not found", d.ID)
	}
	return []Event{{Type: EventDisplay, Facts: Facts{DisplayDef: &d, Reload: c.Reload}}}, nil
}

// lineColors are given to lines in turn; each is readable on white and on dark.
var lineColors = [...]string{
	"#1C7ED6", "#2B8A3E", "#C2255C", "#E8590C", "#6741D9", "#0B7285", "#9C36B5", "#A61E4D", "#5C940D", "#364FC7",
}
