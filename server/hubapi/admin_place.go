package hubapi

import (
	"strconv"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// placeForm is what a location is, beside its hours and its screens.
type placeForm struct {
	Name          string   `json:"name"`
	Timezone      string   `json:"timezone"`
	DayStart      int      `json:"dayStart"` // minutes after midnight
	Languages     []string `json:"languages"`
	SeriesLetters string   `json:"seriesLetters"`
	Address       string   `json:"address"`
	DeskMandatory bool     `json:"deskMandatory"`
	// Retention is after how many days ended tickets are erased; 0: never.
	Retention int `json:"retention"`
}

func viewPlace(l *ticket.Location) placeForm {
	return placeForm{l.Name, l.Timezone, l.DayStart, l.Languages, l.SeriesLetters, l.Address, l.DeskMandatory, l.Retention}
}

// place reads the location.
func (c *adminCall) place(f func(*ticket.Location) any) (any, error) {
	var out any
	c.view(func(s *ticket.State) { out = f(s.Location) })
	return versioned(out)
}

// editPlace changes the location unless it is no longer what was seen.
func (c *adminCall) editPlace(cmd ticket.EditLocation, seen string, now func(*ticket.Location) any) (any, error) {
	cmd.Location = c.location
	_, err := c.do(ledger.Directory, unchanged(cmd, seen, func(s *ticket.State) any {
		if l := s.Locations[c.location]; l != nil {
			return now(l)
		}
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return c.place(now)
}

// placeSettings is GET settings.
func (c *adminCall) placeSettings() (any, error) {
	return c.place(func(l *ticket.Location) any { return viewPlace(l) })
}

// setPlace is PUT settings.
func (c *adminCall) setPlace() (any, error) {
	var f struct {
		placeForm
		Version string `json:"version"`
	}
	if err := c.read(&f); err != nil {
		return nil, err
	}
	return c.editPlace(ticket.EditLocation{
		Rename: ticket.Some(f.Name), Timezone: ticket.Some(f.Timezone), DayStart: ticket.Some(f.DayStart),
		Languages: ticket.Some(f.Languages), SeriesLetters: ticket.Some(f.SeriesLetters), Address: ticket.Some(f.Address),
		DeskMandatory: ticket.Some(f.DeskMandatory), Retention: ticket.Some(f.Retention),
	}, f.Version, func(l *ticket.Location) any { return viewPlace(l) })
}

// hoursForm is when a location is open. Minutes count from local midnight.
type hoursForm struct {
	Timezone   string             `json:"timezone"`
	Always     bool               `json:"always"`
	Week       [7]ticket.Day      `json:"week"`
	Exceptions []ticket.Exception `json:"exceptions"`
}

func viewHours(l *ticket.Location) any {
	f := hoursForm{Timezone: l.Timezone, Always: l.Hours == nil, Exceptions: []ticket.Exception{}}
	if l.Hours != nil {
		f.Week = l.Hours.Week
		f.Exceptions = append(f.Exceptions, l.Hours.Exceptions...)
	}
	return f
}

// hours is GET hours.
func (c *adminCall) hours() (any, error) { return c.place(viewHours) }

// setHours is PUT hours. The time zone is among the settings; here it is told only.
func (c *adminCall) setHours() (any, error) {
	var f struct {
		hoursForm
		Version string `json:"version"`
	}
	if err := c.read(&f); err != nil {
		return nil, err
	}
	cmd := ticket.EditLocation{AlwaysOpen: f.Always}
	if !f.Always {
		cmd.Week, cmd.Exceptions = ticket.Some(f.Week), ticket.Some(f.Exceptions)
	}
	return c.editPlace(cmd, f.Version, viewHours)
}

func viewEmergency(l *ticket.Location) any {
	return struct {
		On    bool          `json:"on"`
		Cards []ticket.Card `json:"cards"`
		Tone  bool          `json:"tone"`
	}{l.Emergency.On, append([]ticket.Card{}, l.Emergency.Cards...), l.Emergency.Tone}
}

// emergency is GET emergency: the card that is ready, and whether it is shown.
func (c *adminCall) emergency() (any, error) { return c.place(viewEmergency) }

// setEmergency is PUT emergency. In need nobody may be held up by a version: the
// last one who presses wins.
func (c *adminCall) setEmergency() (any, error) {
	var f ticket.Emergency
	if err := c.read(&f); err != nil {
		return nil, err
	}
	out, err := c.editPlace(ticket.EditLocation{Emergency: ticket.Some(f)}, "", viewEmergency)
	if err == nil { // the journal tells of the location only; this must be found
		state := " off"
		if f.On {
			state = " on"
		}
		c.note("emergency of location " + strconv.Itoa(c.location) + state)
	}
	return out, err
}
