package ticket

import (
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// Card is a text that screens show: one language, few words.
type Card struct {
	Language string `json:"language"`
	Text     string `json:"text"`
}

// Medium is an image or a muted video that screens show beside the calls.
type Medium struct {
	// ID names the content: the first half of its SHA-256, in hex.
	ID   string `json:"id"`
	Type string `json:"type"` // image/png, image/jpeg, image/webp, video/mp4, video/webm
	// Seconds is how long an image stays; 0 is the usual time.
	Seconds int `json:"seconds,omitempty"`
}

const (
	// maxCards and maxMedia bound what every board snapshot carries.
	maxCards = 24
	maxMedia = 24
	// maxCardWords is what people read while they walk by.
	maxCardWords = 12
	maxCardText  = 140
	maxURL       = 200
	maxSeconds   = 600
	maxRoom      = 40
)

// isMediumID reports whether id has the form of a Medium's id.
func isMediumID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

// Layouts are the board's layouts.
func Layouts() []string { return []string{"board", "focus", "media", "portrait", "desk"} }

// Themes are the board's themes.
func Themes() []string { return []string{"dark", "light", "contrast"} }

// MediaTypes are what a Medium may be.
func MediaTypes() []string {
	return []string{"image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm"}
}

// check refuses settings that no screen could show.
func (b Board) check() error {
	if !slices.Contains(Layouts(), b.Layout) {
		return wire.FieldError("layout", "layout is one of %s", strings.Join(Layouts(), ", "))
	}
	if !slices.Contains(Themes(), b.Theme) {
		return wire.FieldError("theme", "theme is one of %s", strings.Join(Themes(), ", "))
	}
	if !slices.Contains([]string{"none", "first", "initial"}, b.Names) {
		return wire.FieldError("names", "names is none, first or initial")
	}
	if len(b.JoinURL) > maxURL || b.JoinURL != "" && !strings.HasPrefix(b.JoinURL, "https://") && !strings.HasPrefix(b.JoinURL, "http://") {
		return wire.FieldError("joinUrl", "joinUrl begins with https:// and has at most %d bytes", maxURL)
	}
	if b.Logo != "" && !isMediumID(b.Logo) {
		return wire.FieldError("logo", "logo is the id of an image")
	}
	if _, err := singleLine("where", b.Where, maxCardText); err != nil {
		return err
	}
	return firstOf(checkCards("cards", b.Cards), checkCards("emergency", b.Emergency), checkMedia(b.Media))
}

func checkCards(field string, cards []Card) error {
	if len(cards) > maxCards {
		return wire.FieldError(field, "%s are at most %d", field, maxCards)
	}
	for _, c := range cards {
		if c.Language == "" {
			return wire.FieldError(field, "a card names its language")
		}
		if _, err := checkLanguage(c.Language); err != nil {
			return err
		}
		text, err := singleLine(field, c.Text, maxCardText)
		if err != nil {
			return err
		}
		if n := len(strings.Fields(text)); n == 0 || n > maxCardWords {
			return wire.FieldError(field, "a card has 1 to %d words", maxCardWords)
		}
	}
	return nil
}

func checkMedia(media []Medium) error {
	if len(media) > maxMedia {
		return wire.FieldError("media", "media are at most %d", maxMedia)
	}
	for _, m := range media {
		if !isMediumID(m.ID) || !slices.Contains(MediaTypes(), m.Type) {
			return wire.FieldError("media", "media have the id and type that they got when they were uploaded")
		}
		if m.Seconds < 0 || m.Seconds > maxSeconds {
			return wire.FieldError("media", "an image stays for at most %d seconds", maxSeconds)
		}
	}
	return nil
}

// check refuses what no screen could be. Zero values mean: not said.
func (d *Display) check(s *State) error {
	var err error
	if d.Name, err = singleLine("name", d.Name, maxName); err != nil {
		return err
	}
	if d.Name == "" {
		return wire.FieldError("name", "a screen needs a name")
	}
	if d.Room, err = singleLine("room", d.Room, maxRoom); err != nil {
		return err
	}
	if d.Kind != "" && d.Kind != KindKiosk {
		return wire.FieldError("kind", "kind is %s, or absent for a screen", KindKiosk)
	}
	for _, line := range d.Lines {
		if _, err := s.line(line); err != nil {
			return err
		}
	}
	if d.Desk != 0 {
		if _, err := s.desk(d.Desk); err != nil {
			return err
		}
	}
	if d.Layout != "" && !slices.Contains(Layouts(), d.Layout) {
		return wire.FieldError("layout", "layout is one of %s", strings.Join(Layouts(), ", "))
	}
	if d.Theme != "" && !slices.Contains(Themes(), d.Theme) {
		return wire.FieldError("theme", "theme is one of %s", strings.Join(Themes(), ", "))
	}
	return d.checkSize()
}

// checkSize keeps the size formula within what exists: a wrong unit (centimetres
// for inches) would give letters nobody can read.
func (d *Display) checkSize() error {
	for _, r := range []struct {
		field     string
		value     float64
		low, high float64
	}{
		{"inches", d.Inches, 5, 400}, {"width", float64(d.Width), 320, 16384}, {"height", float64(d.Height), 240, 16384},
		{"seat", d.Seat, 0.5, 60}, {"rows", float64(d.Rows), 1, 24},
	} {
		if r.value != 0 && (r.value < r.low || r.value > r.high || r.value != r.value) {
			return wire.FieldError(r.field, "%s is %g to %g", r.field, r.low, r.high)
		}
	}
	return nil
}

// edit applies what an EditDisplay gives.
func (c EditDisplay) edit(d *Display) {
	set(&d.Name, c.Rename)
	set(&d.Layout, c.Layout)
	set(&d.Theme, c.Theme)
	set(&d.Lines, c.Lines)
	set(&d.Desk, c.Desk)
	set(&d.Inches, c.Inches)
	set(&d.Width, c.Width)
	set(&d.Height, c.Height)
	set(&d.Seat, c.Seat)
	set(&d.Rows, c.Rows)
	set(&d.Room, c.Room)
	set(&d.Mute, c.Mute)
	d.Removed = c.Remove
}

// forget drops lines and a desk that the screen had before and that are gone:
// they must not stand in the way of a change of something else.
func (d *Display) forget(s *State, old *Display) {
	d.Lines = slices.DeleteFunc(slices.Clone(d.Lines), func(id int) bool {
		_, err := s.line(id)
		return err != nil && slices.Contains(old.Lines, id)
	})
	if _, err := s.desk(d.Desk); err != nil && d.Desk == old.Desk {
		d.Desk = 0
	}
}

// same reports whether two states of a screen differ in nothing that is said.
func (d *Display) same(o *Display) bool {
	a, b := d, o
	return slices.Equal(a.Lines, b.Lines) && a.Name == b.Name && a.Layout == b.Layout && a.Theme == b.Theme && a.Desk == b.Desk &&
		a.Inches == b.Inches && a.Width == b.Width && a.Height == b.Height && a.Seat == b.Seat && a.Rows == b.Rows &&
		a.Room == b.Room && a.Mute == b.Mute && a.Removed == b.Removed
}
