package ticket

import (
	"maps"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// Commands that change some of a setting. The Put commands replace a whole
// object and suit whoever has just read it under a lock; these are safe for two
// people who change different things at once.

// Setup is what a new location begins with. It is gone once the location is made.
type Setup struct {
	Lines []Line `json:"lines,omitempty"`
}

// AddLine creates a line whose name no other line of the location has.
type AddLine struct{ Line Line }

// EditLine changes some of a line's settings. A line that is disabled or removed
// must be empty: nobody who waits may be forgotten.
type EditLine struct {
	Line     int
	Rename   Opt[string]
	Color    Opt[string]
	Series   Opt[string]
	Disabled Opt[bool]
	Archived Opt[bool]
	// Translations replace the names in other languages.
	Translations Opt[map[string]string]
	Appointment  Opt[int]
	Remove       bool
}

// EditLocation changes some of a location's settings, in the directory.
type EditLocation struct {
	Location            int
	Rename              Opt[string]
	Latitude, Longitude Opt[float64]
	Week                Opt[[7]Day]
	Exceptions          Opt[[]Exception]
	// Board leaves the emergency as it is: that has its own member.
	Board     Opt[Board]
	Languages Opt[[]string]
	Emergency Opt[Emergency]
	// AlwaysOpen takes the opening hours away.
	AlwaysOpen    bool
	Timezone      Opt[string]
	DayStart      Opt[int]
	SeriesLetters Opt[string]
	Address       Opt[string]
	DeskMandatory Opt[bool]
	Retention     Opt[int]
}

// AddUser creates a user, in the directory. Roles get their ids here.
type AddUser struct{ User User }

// AddRole gives a user one more role, in the directory.
type AddRole struct {
	User int
	Role Role
}

// RemoveUser takes a user out of the directory and so out of every location.
type RemoveUser struct{ User int }

// EditDisplay changes some of a screen's settings, or removes it, or asks it to
// load its page again.
type EditDisplay struct {
	Display int          `json:"-"`
	Rename  Opt[string]  `json:"name"`
	Layout  Opt[string]  `json:"layout"`
	Theme   Opt[string]  `json:"theme"`
	Lines   Opt[[]int]   `json:"lines"`
	Desk    Opt[int]     `json:"desk"`
	Inches  Opt[float64] `json:"inches"`
	Width   Opt[int]     `json:"width"`
	Height  Opt[int]     `json:"height"`
	Seat    Opt[float64] `json:"seat"`
	Rows    Opt[int]     `json:"rows"`
	Room    Opt[string]  `json:"room"`
	Mute    Opt[bool]    `json:"mute"`
	Reload  bool         `json:"reload"`
	Remove  bool         `json:"-"`
}

// Name implements Command.
func (AddLine) Name() string { return "line.add" }

// Name implements Command.
func (EditLine) Name() string { return "line.edit" }

// Name implements Command.
func (EditLocation) Name() string { return "location.edit" }

// Name implements Command.
func (AddUser) Name() string { return "user.add" }

// Name implements Command.
func (AddRole) Name() string { return "user.role" }

// Name implements Command.
func (RemoveUser) Name() string { return "user.remove" }

// Name implements Command.
func (EditDisplay) Name() string { return "display.edit" }

func (c AddLine) decide(s *State, env Env) ([]Event, error) {
	c.Line.ID = 0
	events, err := PutLine(c).decide(s, env)
	if err != nil {
		return nil, err
	}
	return events, s.freeName(events[0].Facts.LineDef)
}

// freeName refuses a line's name that another one has.
func (s *State) freeName(l *Line) error {
	for _, other := range s.Lines {
		if other.ID != l.ID && !other.Removed && other.Name == l.Name {
			return &wire.Error{Code: wire.Conflict, Field: "name", Message: "another line of the location has this name"}
		}
	}
	return nil
}

// busy says how many in a line wait or are being served.
func (s *State) busy(line int) int {
	n := s.Waiting(line)
	for _, t := range s.CalledTickets() {
		if t.Place.Line == line {
			n++
		}
	}
	return n
}

func (c EditLine) decide(s *State, _ Env) ([]Event, error) {
	old, err := s.line(c.Line)
	if err != nil {
		return nil, err
	}
	l := *old
	set(&l.Name, c.Rename)
	set(&l.Color, c.Color)
	set(&l.Disabled, c.Disabled)
	set(&l.Archived, c.Archived)
	set(&l.Series, c.Series)
	set(&l.Translations, c.Translations)
	set(&l.Appointment, c.Appointment)
	l.Removed = c.Remove
	if l.Name, err = singleLine("name", l.Name, maxName); err != nil {
		return nil, err
	}
	if l.Name == "" {
		return nil, wire.FieldError("name", "a line needs a name")
	}
	if l.Name != old.Name {
		if err := s.freeName(&l); err != nil {
			return nil, err
		}
	}
	if n := s.busy(l.ID); n > 0 && (l.Removed || l.Disabled && !old.Disabled) {
		return nil, wire.Errorf(wire.Conflict, "Line with id %d has active tickets", l.ID)
	}
	if err := firstOf(checkSeries(l.Series), checkColor(l.Color), checkTranslations(l.Translations), checkAppointment(l.Appointment)); err != nil {
		return nil, err
	}
	if l.same(old) {
		return nil, nil
	}
	return []Event{{Type: EventLine, Facts: Facts{LineDef: &l}}}, nil
}

// same reports whether two states of a line differ in nothing that EditLine changes.
func (l *Line) same(o *Line) bool {
	return l.Name == o.Name && l.Color == o.Color && l.Series == o.Series && l.Disabled == o.Disabled && l.Archived == o.Archived &&
		l.Removed == o.Removed && l.Appointment == o.Appointment && maps.Equal(l.Translations, o.Translations)
}

// checkAppointment wants a length in minutes, or none.
func checkAppointment(minutes int) error {
	if minutes < 0 || minutes > 24*60 {
		return wire.FieldError("appointment", "minutes, 0 to 1440")
	}
	return nil
}

// directoryLocation is a location as the directory knows it.
func (s *State) directoryLocation(id int) (*Location, error) {
	l := s.Locations[id]
	if l == nil {
		return nil, missing("location", "Location with id %d not found", id)
	}
	return l, nil
}

func (c EditLocation) decide(s *State, env Env) ([]Event, error) {
	old, err := s.directoryLocation(c.Location)
	if err != nil {
		return nil, err
	}
	l := *old
	set(&l.Name, c.Rename)
	set(&l.Latitude, c.Latitude)
	set(&l.Longitude, c.Longitude)
	set(&l.Settings, c.Board)
	set(&l.Languages, c.Languages)
	set(&l.Emergency, c.Emergency)
	set(&l.Timezone, c.Timezone)
	set(&l.DayStart, c.DayStart)
	set(&l.SeriesLetters, c.SeriesLetters)
	set(&l.Address, c.Address)
	set(&l.DeskMandatory, c.DeskMandatory)
	set(&l.Retention, c.Retention)
	if c.Board.Set || c.Emergency.Set {
		l.Emergency.active(&l.Settings)
	}
	if c.AlwaysOpen {
		l.Hours = nil
	}
	if c.Week.Set || c.Exceptions.Set {
		h := Hours{}
		if l.Hours != nil {
			h = *l.Hours
		}
		set(&h.Week, c.Week)
		set(&h.Exceptions, c.Exceptions)
		l.Hours = &h
	}
	if err := l.checkEdited(); err != nil {
		return nil, err
	}
	return PutLocation{Location: l}.decide(s, env)
}

// checkEdited checks what only EditLocation changes.
func (l *Location) checkEdited() error {
	if l.Retention < 0 || l.Retention > maxRetention {
		return wire.FieldError("retention", "days, 0 to %d; 0 keeps for ever", maxRetention)
	}
	if _, err := singleLine("address", l.Address, maxAddress); err != nil {
		return err
	}
	return firstOf(l.Hours.check(), l.Emergency.check())
}

// begin makes the lines that a new location starts with, in its own journal.
func (l *Location) begin(env Env) []Event {
	var events []Event
	for i, line := range l.Setup.Lines {
		line.ID, line.Series, line.Name = env.IDs.Line+i, l.series(i), strings.TrimSpace(line.Name)
		if line.Color == "" {
			line.Color = lineColors[(line.ID-1)%len(lineColors)]
		}
		events = append(events, Event{Type: EventLine, Facts: Facts{LineDef: &line}})
	}
	return events
}

// check refuses in the directory what could not be made in the location's own
// journal afterwards.
func (c *Setup) check() error {
	if c == nil {
		return nil
	}
	var names []string
	for _, l := range c.Lines {
		name, err := singleLine("lines", l.Name, maxName)
		if err != nil {
			return err
		}
		if name == "" {
			return wire.FieldError("lines", "a line needs a name")
		}
		if slices.Contains(names, name) {
			return &wire.Error{Code: wire.Conflict, Field: "lines", Message: "two lines have the same name"}
		}
		names = append(names, name)
	}
	return nil
}

func (c AddUser) decide(s *State, env Env) ([]Event, error) {
	u := c.User
	u.ID, u.Removed = 0, false
	for _, other := range s.Users {
		if !other.Removed && strings.EqualFold(other.Email, strings.TrimSpace(u.Email)) {
			return nil, &wire.Error{Code: wire.Conflict, Field: "email", Message: "another user has this e-mail address"}
		}
	}
	u.Roles = nil
	for _, r := range c.User.Roles {
		r, err := s.checkRole(r, len(u.Roles))
		if err != nil {
			return nil, err
		}
		u.Roles = append(u.Roles, r)
	}
	if len(u.Roles) == 0 {
		return nil, wire.FieldError("roles", "a user needs a role")
	}
	return PutUser{User: u}.decide(s, env)
}

// checkRole gives a role the next id but ahead.
func (s *State) checkRole(r Role, ahead int) (Role, error) {
	switch r.Type {
	case RoleClerk, RoleManager:
		if _, err := s.directoryLocation(r.Location); err != nil {
			return r, err
		}
	case RoleAdmin, RoleOwner:
		r.Location = 0
	default:
		return r, wire.FieldError("type", "a role is CLERK, MANAGER or ADMIN")
	}
	r.ID = 1 + ahead
	for _, u := range s.Users {
		for _, other := range u.Roles {
			r.ID = max(r.ID, other.ID+1+ahead)
		}
	}
	return r, nil
}

func (c AddRole) decide(s *State, env Env) ([]Event, error) {
	old, err := s.user("id", c.User)
	if err != nil {
		return nil, err
	}
	r, err := s.checkRole(c.Role, 0)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(old.Roles, func(o Role) bool { return o.Type == r.Type && o.Location == r.Location }) {
		return nil, nil
	}
	u := *old
	u.Roles = append(slices.Clone(old.Roles), r)
	return PutUser{User: u}.decide(s, env)
}

func (c RemoveUser) decide(s *State, env Env) ([]Event, error) {
	old, err := s.user("id", c.User)
	if err != nil {
		return nil, err
	}
	u := *old
	u.Removed = true
	return PutUser{User: u}.decide(s, env)
}

func (c EditDisplay) decide(s *State, _ Env) ([]Event, error) {
	old := s.Displays[c.Display]
	if old == nil || old.Removed {
		return nil, missing("id", "TV with id %d not found", c.Display)
	}
	d := *old
	c.edit(&d)
	d.forget(s, old)
	if err := d.check(s); err != nil {
		return nil, err
	}
	if d.same(old) && !c.Reload {
		return nil, nil
	}
	return []Event{{Type: EventDisplay, Facts: Facts{DisplayDef: &d, Reload: c.Reload}}}, nil
}
