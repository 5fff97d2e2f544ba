package ticket

import (
	"strconv"
	"time"
)

// Location is a branch; the conversation API calls it a department.
type Location struct {
	ID int `json:"id"`
	// GUID is the department id of the conversation API.
	GUID string `json:"guid"`
	Name string `json:"name"`
	// Timezone is an IANA name; the business day and all hours are local to it.
	Timezone string `json:"timezone"`
	// DayStart is when a business day begins, in minutes after local midnight.
	DayStart int `json:"dayStart,omitempty"`
	// Languages are announced one after another, the first is the default.
	Languages []string `json:"languages"`
	// SeriesLetters are given to lines in order; after the last come doubles.
	SeriesLetters string  `json:"seriesLetters,omitempty"`
	Address       string  `json:"address,omitempty"`
	Country       string  `json:"country,omitempty"` // two letters
	Latitude      float64 `json:"latitude,omitempty"`
	Longitude     float64 `json:"longitude,omitempty"`
	// DeskMandatory says that a clerk must choose a desk before calling.
	DeskMandatory bool   `json:"deskMandatory,omitempty"`
	Hours         *Hours `json:"hours,omitempty"` // nil: always open
	Settings      Board  `json:"settings"`
	// Emergency is prepared for bad days; while it is on, Settings carry it.
	Emergency Emergency `json:"emergency,omitzero"`
	// Retention is after how many days ended tickets are erased; 0: never.
	Retention int `json:"retention,omitempty"`
	// Fields are what visitors are asked for, in order.
	Fields []InputField `json:"fields,omitempty"`
	// Setup is only there while the location is being made.
	Setup *Setup `json:"setup,omitempty"`

	zone *time.Location
}

// Board is how the location's screens look unless a screen says otherwise.
type Board struct {
	Layout string `json:"layout"` // board, focus, media, portrait, desk
	Theme  string `json:"theme"`  // dark, light, contrast
	// Names is none (default), first or initial: what of a visitor's name a board
	// may show, and only with the visitor's consent.
	Names string `json:"names"`
	// Cards are texts for quiet times, shown one after another.
	Cards []Card   `json:"cards,omitempty"`
	Media []Medium `json:"media,omitempty"`
	Logo  string   `json:"logo,omitempty"` // a Medium's id
	// Emergency, when there is any, fills the screens, one card after another.
	Emergency []Card `json:"emergency,omitempty"`
	// Tone goes with the emergency: screens sound it when it begins.
	Tone bool `json:"tone,omitempty"`
	// JoinURL is where a phone takes a ticket; screens show it as a QR code.
	JoinURL string `json:"joinUrl,omitempty"`
	// Where says where to go while the location is closed.
	Where string `json:"where,omitempty"`
}

// Hours are opening hours, local wall clock.
type Hours struct {
	// Week holds Monday to Sunday.
	Week       [7]Day      `json:"week"`
	Exceptions []Exception `json:"exceptions,omitempty"`
}

// Day is one weekday: closed, or open in these spans, or (none) all day.
type Day struct {
	Closed bool   `json:"closed,omitempty"`
	Spans  []Span `json:"spans,omitempty"`
}

// Span is from Opens to Closes in minutes after midnight; Closes at or before
// Opens means the next day.
type Span struct {
	Opens  int `json:"opens"`
	Closes int `json:"closes"`
}

// Exception replaces one date's hours.
type Exception struct {
	Date   string `json:"date"` // yyyy-mm-dd
	Reason string `json:"reason,omitempty"`
	Day
}

// Line is what visitors wait in.
type Line struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	// Series is the letter of this line's numbers.
	Series   string `json:"series"`
	Color    string `json:"color"` // #rrggbb
	Disabled bool   `json:"disabled,omitempty"`
	Archived bool   `json:"archived,omitempty"`
	Removed  bool   `json:"removed,omitempty"`
	// Rank is the line's place among the others, from 1; 0 before anybody chose.
	Rank int `json:"rank,omitempty"`
	// Translations are the line's name in other languages, by language code.
	Translations map[string]string `json:"translations,omitempty"`
	// Appointment is how long one takes, in minutes; 0 when there are none.
	Appointment int `json:"appointment,omitempty"`
	// Wait is what a clerk adds to the estimated waits.
	Wait *WaitOverride `json:"wait,omitempty"`
}

// Open reports whether tickets may enter the line.
func (l *Line) Open() bool { return !l.Disabled && !l.Archived && !l.Removed }

// Desk is where a visitor is served.
type Desk struct {
	ID      int    `json:"id"`
	Name    string `json:"name"`
	Removed bool   `json:"removed,omitempty"`
}

// The roles of a user.
const (
	RoleClerk   = "CLERK"
	RoleManager = "MANAGER"
	RoleAdmin   = "ADMIN"
	RoleOwner   = "OWNER"
)

// Role is what a user may do where; Location 0 means everywhere.
type Role struct {
	ID       int    `json:"id"`
	Type     string `json:"type"`
	Location int    `json:"location,omitempty"`
}

// User is a member of the staff. The directory journal owns the person and the
// roles; each location's journal holds a copy with what is chosen there.
type User struct {
	ID        int    `json:"id"`
	GUID      string `json:"guid"`
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Roles     []Role `json:"roles,omitempty"`
	Removed   bool   `json:"removed,omitempty"`
	// Desk and Lines are what the user has chosen in this location.
	Desk  int   `json:"desk,omitempty"`
	Lines []int `json:"lines,omitempty"`
}

// Everywhere reports whether a role holds in every location.
func (u *User) Everywhere() bool {
	for _, r := range u.Roles {
		if r.Location == 0 {
			return true
		}
	}
	return false
}

// Admin reports whether the user may change settings.
func (u *User) Admin() bool {
	for _, r := range u.Roles {
		if r.Type == RoleAdmin || r.Type == RoleOwner {
			return true
		}
	}
	return false
}

// WorksIn reports whether the user has access to a location.
func (u *User) WorksIn(location int) bool {
	for _, r := range u.Roles {
		if r.Location == 0 || r.Location == location {
			return true
		}
	}
	return false
}

// Name is the user's full name.
func (u *User) Name() string {
	if u.LastName == "" {
		return u.FirstName
	}
	return u.FirstName + " " + u.LastName
}

// Display is a paired screen.
type Display struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Kind   string `json:"kind,omitempty"`  // "" is a screen; KindKiosk
	Lines  []int  `json:"lines,omitempty"` // empty: all
	Layout string `json:"layout,omitempty"`
	Theme  string `json:"theme,omitempty"`
	// Desk makes the screen the sign of that desk.
	Desk int `json:"desk,omitempty"`
	// Inches is the diagonal, Width and Height are pixels, Seat is the distance of
	// the farthest seat in metres: from them follow the sizes of letters.
	Inches float64 `json:"inches,omitempty"`
	Width  int     `json:"width,omitempty"`
	Height int     `json:"height,omitempty"`
	Seat   float64 `json:"seat,omitempty"`
	Rows   int     `json:"rows,omitempty"` // 0: as many as fit
	// Room is where the screen hangs; one screen of a room speaks. Mute: not this.
	Room    string `json:"room,omitempty"`
	Mute    bool   `json:"mute,omitempty"`
	Removed bool   `json:"removed,omitempty"`
	// Offset is that of the last event about this display.
	Offset uint64 `json:"offset,omitempty"`
}

// Zone is the location's time zone. It was checked when the location was made;
// a zone that this machine no longer knows counts as UTC.
func (l *Location) Zone() *time.Location {
	if l.zone == nil {
		return time.UTC
	}
	return l.zone
}

// resolved returns a copy that knows its zone.
func (l Location) resolved() *Location {
	if z, err := time.LoadLocation(l.Timezone); err == nil {
		l.zone = z
	}
	return &l
}

const defaultSeries = "ABCDEFGHJKLMNPRTUVWXY" // no I, O, Q, S, Z: misheard or misread

// series is the letter for the n-th line, from 0: A, B, ... Y, AA, AB, ...
func (l *Location) series(n int) string {
	letters := []rune(l.SeriesLetters)
	if len(letters) == 0 {
		letters = []rune(defaultSeries)
	}
	out := ""
	for n++; n > 0; n = (n - 1) / len(letters) {
		out = string(letters[(n-1)%len(letters)]) + out
	}
	return out
}

// OpenAt reports whether the location is open at now.
func (l *Location) OpenAt(now time.Time) bool {
	if l.Hours == nil {
		return true
	}
	local := now.In(l.Zone())
	minute := local.Hour()*60 + local.Minute()
	// A span of yesterday may run past midnight into today.
	// Dates are reckoned at noon UTC: yesterday at this hour may not have existed.
	y, m, d := local.Date()
	today := time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
	return l.Hours.on(today).covers(minute) || l.Hours.on(today.AddDate(0, 0, -1)).covers(minute+24*60)
}

func (h *Hours) on(day time.Time) Day {
	date := day.Format(time.DateOnly)
	for _, e := range h.Exceptions {
		if e.Date == date {
			return e.Day
		}
	}
	return h.Week[(int(day.Weekday())+6)%7]
}

func (d Day) covers(minute int) bool {
	if d.Closed {
		return false
	}
	if len(d.Spans) == 0 {
		return minute < 24*60
	}
	for _, s := range d.Spans {
		closes := s.Closes
		if closes <= s.Opens {
			closes += 24 * 60
		}
		if minute >= s.Opens && minute < closes {
			return true
		}
	}
	return false
}

// number formats a public id.
func number(series string, n int) string { return series + "-" + strconv.Itoa(n) }
