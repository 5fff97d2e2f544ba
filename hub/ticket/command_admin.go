package ticket

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
)

// Guarded is a command that is only decided while what its giver has read still
// holds: two people who change the same thing must not undo each other unseen.
type Guarded struct {
	Command
	// Holds is nil, or why the command must not be done; it is pure.
	Holds func(*State) error
}

// OrderLines puts a location's lines into the order that people see them in.
type OrderLines struct{ Lines []int }

// EditDesk renames a desk, makes one (Desk 0), or removes one that serves nobody.
type EditDesk struct {
	Desk   int
	Rename Opt[string]
	Remove bool
}

// EditUser changes some of a user, in the directory. There is always somebody
// left who may change settings.
type EditUser struct {
	User                       int
	Email, FirstName, LastName Opt[string]
	Admin                      Opt[bool]
	// Work replaces the roles in locations.
	Work Opt[[]Role]
	// Removed ends or takes up the user's access.
	Removed Opt[bool]
}

// Emergency is what screens show instead of everything else while On.
type Emergency struct {
	On    bool   `json:"on,omitempty"`
	Cards []Card `json:"cards,omitempty"`
	// Tone asks for a warning tone as well.
	Tone bool `json:"tone,omitempty"`
}

// The bounds of a location's own settings.
const (
	maxSpans      = 10
	maxExceptions = 400
	maxWhy        = 30
	// maxRetention is ten years, in days.
	maxRetention = 3653
	maxAddress   = 200
)

// Name implements Command.
func (OrderLines) Name() string { return "line.order" }

// Name implements Command.
func (EditDesk) Name() string { return "desk.edit" }

// Name implements Command.
func (EditUser) Name() string { return "user.edit" }

func (c Guarded) decide(s *State, env Env) ([]Event, error) {
	if err := c.Holds(s); err != nil {
		return nil, err
	}
	return c.Command.decide(s, env)
}

func (c OrderLines) decide(s *State, _ Env) ([]Event, error) {
	lines := s.SortedLines()
	if len(c.Lines) != len(lines) {
		return nil, wire.FieldError("order", "every line of the location, once")
	}
	var events []Event
	for i, id := range c.Lines {
		l, err := s.line(id)
		if err != nil || slices.Contains(c.Lines[:i], id) {
			return nil, wire.FieldError("order", "every line of the location, once")
		}
		if l.Rank != i+1 {
			moved := *l
			moved.Rank = i + 1
			events = append(events, Event{Type: EventLine, Facts: Facts{LineDef: &moved}})
		}
	}
	return events, nil
}

// nextRank puts a new line behind the others, once they were put in order.
func (s *State) nextRank() int {
	last := 0
	for _, l := range s.Lines {
		last = max(last, l.Rank)
	}
	if last == 0 {
		return 0
	}
	return last + 1
}

func (c EditDesk) decide(s *State, env Env) ([]Event, error) {
	d := Desk{}
	if c.Desk != 0 {
		old, err := s.desk(c.Desk)
		if err != nil {
			return nil, err
		}
		d = *old
	}
	set(&d.Name, c.Rename)
	d.Name = strings.TrimSpace(d.Name)
	for _, other := range s.SortedDesks() {
		if other.ID != d.ID && other.Name == d.Name {
			return nil, &wire.Error{Code: wire.Conflict, Field: "name", Message: "another desk of the location has this name"}
		}
	}
	if !c.Remove {
		return PutDesk{Desk: d}.decide(s, env)
	}
	for _, t := range s.CalledTickets() {
		if t.Place.Call.Desk == d.ID {
			return nil, wire.Errorf(wire.Conflict, "%s is being served at this desk", t.Place.PublicID)
		}
	}
	var events []Event
	for _, u := range s.SortedUsers() {
		if u.Desk == d.ID {
			gone := *u
			gone.Desk = 0
			events = append(events, Event{Type: EventUser, Facts: Facts{UserDef: &gone}})
		}
	}
	d.Removed = true
	return append(events, Event{Type: EventDesk, Facts: Facts{DeskDef: &d}}), nil
}

func (c EditUser) decide(s *State, env Env) ([]Event, error) {
	old := s.Users[c.User]
	if old == nil || old.Removed && !c.Removed.Set {
		return nil, missing("id", "User with id %d not found", c.User)
	}
	u := *old
	set(&u.Email, c.Email)
	set(&u.FirstName, c.FirstName)
	set(&u.LastName, c.LastName)
	set(&u.Removed, c.Removed)
	if err := c.roles(s, &u); err != nil {
		return nil, err
	}
	if old.Admin() && !old.Removed && (u.Removed || !u.Admin()) && !s.otherAdmin(u.ID) {
		return nil, &wire.Error{Code: wire.Conflict, Field: "admin", Message: "there would be no administrator left"}
	}
	u.Email = strings.TrimSpace(u.Email)
	for _, other := range s.Users {
		if other.ID != u.ID && !other.Removed && !u.Removed && strings.EqualFold(other.Email, u.Email) {
			return nil, &wire.Error{Code: wire.Conflict, Field: "email", Message: "another user has this e-mail address"}
		}
	}
	return PutUser{User: u}.decide(s, env)
}

// otherAdmin says whether somebody else may change settings.
func (s *State) otherAdmin(user int) bool {
	for _, u := range s.Users {
		if u.ID != user && !u.Removed && u.Admin() {
			return true
		}
	}
	return false
}

// roles gives the user the roles that are asked for. One that was there keeps its
// id, and an owner stays one while an administrator.
func (c EditUser) roles(s *State, u *User) error {
	var out []Role
	for _, r := range u.Roles {
		admin := r.Type == RoleAdmin || r.Type == RoleOwner
		if admin && (!c.Admin.Set || c.Admin.Value) || !admin && !c.Work.Set {
			out = append(out, r)
		}
	}
	wanted := slices.Clone(c.Work.Value)
	if c.Admin.Value && !(&User{Roles: out}).Admin() {
		wanted = append(wanted, Role{Type: RoleAdmin})
	}
	ahead := 0
	for _, w := range wanted {
		r, err := s.checkRole(w, ahead)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(out, func(o Role) bool { return o.Location == r.Location && (r.Location != 0 || o.Type == r.Type) }) {
			return wire.FieldError("work", "one role in each location")
		}
		same := slices.IndexFunc(u.Roles, func(o Role) bool { return o.Type == r.Type && o.Location == r.Location })
		if same >= 0 {
			r.ID = u.Roles[same].ID
		} else {
			ahead++
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return wire.FieldError("work", "a user works somewhere, or is an administrator")
	}
	u.Roles = out
	return nil
}

// check refuses hours that no calendar has.
func (h *Hours) check() error {
	if h == nil {
		return nil
	}
	for _, d := range h.Week {
		if err := d.check("week"); err != nil {
			return err
		}
	}
	if len(h.Exceptions) > maxExceptions {
		return wire.FieldError("exceptions", "at most %d exceptions", maxExceptions)
	}
	seen := map[string]bool{}
	for _, x := range h.Exceptions {
		if _, err := time.Parse(time.DateOnly, x.Date); err != nil || seen[x.Date] {
			return wire.FieldError("exceptions", "each has a date of its own, like 2026-12-24")
		}
		seen[x.Date] = true
		if _, err := singleLine("exceptions", x.Reason, 4*maxWhy); err != nil || utf8.RuneCountInString(x.Reason) > maxWhy {
			return wire.FieldError("exceptions", "a reason has at most %d characters", maxWhy)
		}
		if err := x.Day.check("exceptions"); err != nil {
			return err
		}
	}
	return nil
}

func (d Day) check(field string) error {
	if len(d.Spans) > maxSpans || d.Closed && len(d.Spans) > 0 {
		return wire.FieldError(field, "a day is closed, or has up to %d opening times", maxSpans)
	}
	for _, s := range d.Spans {
		if s.Opens < 0 || s.Opens >= 24*60 || s.Closes < 0 || s.Closes > 24*60 || s.Opens == s.Closes {
			return wire.FieldError(field, "opens and closes are different times of a day")
		}
	}
	return nil
}

// check refuses what no screen could show in need.
func (e Emergency) check() error {
	if e.On && len(e.Cards) == 0 {
		return wire.FieldError("cards", "an emergency needs a text")
	}
	return checkCards("cards", e.Cards)
}

// active puts what is prepared onto the screens, or takes it off.
func (e Emergency) active(b *Board) {
	b.Emergency, b.Tone = nil, false
	if e.On {
		b.Emergency, b.Tone = e.Cards, e.Tone
	}
}

// checkColor wants #rrggbb; "" means to choose one.
func checkColor(v string) error {
	if v == "" {
		return nil
	}
	digits, ok := strings.CutPrefix(v, "#")
	if raw, err := hex.DecodeString(digits); !ok || err != nil || len(raw) != 3 {
		return wire.FieldError("color", "a colour is #rrggbb")
	}
	return nil
}

// checkTranslations checks a line's name in other languages.
func checkTranslations(names map[string]string) error {
	if len(names) > maxCards {
		return wire.FieldError("translations", "at most %d translations", maxCards)
	}
	for code, name := range names {
		if _, err := checkLanguage(code); err != nil || code == "" {
			return wire.FieldError("translations", "a translation names its language")
		}
		if v, err := singleLine("translations", name, maxName); err != nil || v == "" {
			return wire.FieldError("translations", "a translation is a name")
		}
	}
	return nil
}
