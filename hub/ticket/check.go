package ticket

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/wire"
)

// Limits of what people may type, in characters. They bound a ticket's size in
// memory and in the journal.
const (
	maxName     = 50
	maxEmail    = 100
	maxPhone    = 25
	maxLanguage = 10
	maxLabel    = 50
	maxLabels   = 50
	maxTitle    = 200
	maxValue    = 2000
	maxExtra    = 100
	maxProvider = 100
	maxData     = 32 << 10 // bytes of external data
	maxExternal = 20       // providers per ticket
	maxMessage  = 8 << 10
	maxHTML     = 64 << 10
	maxFiles    = 20
	maxMembers  = 50 // participants
	maxProtocol = 30
	maxSeries   = 3
)

// singleLine checks a text of one line and returns it trimmed.
func singleLine(field, v string, most int) (string, error) {
	if !utf8.ValidString(v) {
		return "", wire.FieldError(field, "%s is not valid UTF-8", field)
	}
	v = strings.TrimSpace(v)
	if utf8.RuneCountInString(v) > most {
		return "", wire.FieldError(field, "%s has at most %d characters", field, most)
	}
	if strings.ContainsFunc(v, unicode.IsControl) {
		return "", wire.FieldError(field, "%s must not contain control characters", field)
	}
	return v, nil
}

// prose checks a text of several lines.
func prose(field, v string, most int) error {
	if !utf8.ValidString(v) {
		return wire.FieldError(field, "%s is not valid UTF-8", field)
	}
	if utf8.RuneCountInString(v) > most {
		return wire.Errorf(wire.TooLarge, "%s has at most %d characters", field, most)
	}
	if strings.ContainsRune(v, 0) {
		return wire.FieldError(field, "%s must not contain NUL", field)
	}
	return nil
}

// protocolName checks a protocol's name. It becomes a fact, which no erasure
// removes, so it must have no room for anything personal.
func protocolName(field, v string) error {
	if len(v) > maxProtocol || strings.ContainsFunc(v, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return wire.FieldError(field, "%s has at most %d letters", field, maxProtocol)
	}
	return nil
}

func (s *State) line(id int) (*Line, error) {
	l := s.Lines[id]
	if l == nil || l.Removed {
		return nil, missing("line", "Line with id %d not found", id)
	}
	return l, nil
}

// openLine is a line that tickets may enter.
func (s *State) openLine(id int) (*Line, error) {
	l, err := s.line(id)
	if err != nil {
		return nil, err
	}
	if !l.Open() {
		state := "disabled"
		if l.Archived {
			state = "archived"
		}
		return nil, &wire.Error{Code: wire.Conflict, Field: "line", Message: "Line with id " + strconv.Itoa(id) + " is " + state}
	}
	return l, nil
}

func (s *State) desk(id int) (*Desk, error) {
	d := s.Desks[id]
	if d == nil || d.Removed {
		return nil, missing("desk", "Desk with id %d not found", id)
	}
	return d, nil
}

func (s *State) user(field string, id int) (*User, error) {
	u := s.Users[id]
	if u == nil || u.Removed {
		return nil, missing(field, "User with id %d not found", id)
	}
	return u, nil
}

// missing is a not_found that names the parameter, where a command refers to
// something that does not exist.
func missing(field, format string, id int) error {
	e := wire.Errorf(wire.NotFound, format, id)
	e.Field = field
	return e
}

func (s *State) ticket(id int64) (*Ticket, error) {
	t := s.Tickets[id]
	if t == nil {
		return nil, wire.Errorf(wire.NotFound, "Ticket with id %d not found", id)
	}
	return t, nil
}

// placed is the ticket if its place has one of the statuses, else a conflict
// that says what became of it.
func (s *State) placed(id int64, allowed ...Status) (*Ticket, error) {
	t, err := s.ticket(id)
	if err != nil {
		return nil, err
	}
	if slices.Contains(allowed, t.Place.Status) {
		return t, nil
	}
	return nil, wire.Errorf(wire.Conflict, "%s", s.standing(t))
}

// standing says in words where a ticket stands.
func (s *State) standing(t *Ticket) string {
	name := t.Place.PublicID
	if name == "" {
		name = "Ticket " + strconv.FormatInt(t.ID, 10)
	}
	switch t.Place.Status {
	case Called:
		if d := s.Desks[t.Place.Call.Desk]; d != nil {
			return name + " was already called to desk " + d.Name
		}
		return name + " was already called"
	case New:
		return name + " is waiting and was not called"
	case Served:
		return name + " was already served"
	case NoShow:
		return name + " was marked as no-show"
	case Cancelled:
		return name + " was cancelled"
	case Unplaced:
		return name + " is in no line"
	}
	return name + " is " + string(t.Place.Status)
}

// actingUser is the user a command is done for: the named one, else the actor's. A
// visitor acts for nobody, whomever they name.
func (s *State) actingUser(field string, named int, env Env) (int, error) {
	if env.Actor.Kind == ActorVisitor {
		return 0, nil
	}
	if named == 0 {
		return env.Actor.User, nil
	}
	if _, err := s.user(field, named); err != nil {
		return 0, err
	}
	return named, nil
}

func checkLabels(field string, labels []string) ([]string, error) {
	if len(labels) > maxLabels {
		return nil, wire.FieldError(field, "at most %d labels", maxLabels)
	}
	out := make([]string, 0, len(labels))
	for _, l := range labels {
		l, err := checkLabel(field, l)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out, nil
}

func checkLabel(field, v string) (string, error) {
	v, err := singleLine(field, v, maxLabel)
	if err != nil {
		return "", err
	}
	if v == "" {
		return "", wire.FieldError(field, "a label has 1 to %d characters", maxLabel)
	}
	return v, nil
}

func checkExtra(field string, extra []Extra) ([]Extra, error) {
	if len(extra) > maxExtra {
		return nil, wire.FieldError(field, "at most %d entries", maxExtra)
	}
	out := make([]Extra, 0, len(extra))
	for _, x := range extra {
		var err error
		if x.Title, err = singleLine(field, x.Title, maxTitle); err != nil {
			return nil, err
		}
		if x.Title == "" {
			return nil, wire.FieldError(field, "every entry needs a title")
		}
		if err = prose(field, x.Value, maxValue); err != nil {
			return nil, err
		}
		if x.URL, err = singleLine(field, x.URL, maxValue); err != nil {
			return nil, err
		}
		if x.Color, err = singleLine(field, x.Color, maxName); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// checkPerson checks and trims what identifies the visitor.
func checkPerson(p *Private) error {
	for _, f := range []struct {
		name  string
		value *string
		most  int
	}{
		{"firstName", &p.FirstName, maxName},
		{"lastName", &p.LastName, maxName},
		{"phoneNumber", &p.PhoneNumber, maxPhone},
		{"email", &p.Email, maxEmail},
	} {
		v, err := singleLine(f.name, *f.value, f.most)
		if err != nil {
			return err
		}
		*f.value = v
	}
	if !phoneLike(p.PhoneNumber) {
		return wire.FieldError("phoneNumber", "a phone number has digits and an optional leading +")
	}
	if p.Email != "" && !emailLike(p.Email) {
		return wire.FieldError("email", "not an e-mail address")
	}
	return nil
}

// phoneLike accepts digits as people group them; strict doors check more.
func phoneLike(v string) bool {
	digits := 0
	for i, r := range v {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, r == ' ', r == '-', r == '(', r == ')', r == '.', r == '/':
		default:
			return false
		}
	}
	return v == "" || digits > 0
}

func emailLike(v string) bool {
	at := strings.LastIndexByte(v, '@')
	return at > 0 && at < len(v)-1 && strings.Contains(v[at:], ".") && !strings.ContainsAny(v, " \t")
}

func checkLanguage(v string) (string, error) {
	if v == "" {
		return "en", nil
	}
	if len(v) < 2 || len(v) > maxLanguage || strings.ContainsFunc(v, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		return "", wire.FieldError("languageCode", "a language code is like en or pt-PT")
	}
	return v, nil
}
