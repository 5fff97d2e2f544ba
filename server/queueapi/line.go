package queueapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// lineRoutes are the operations of section 5.2.
func lineRoutes() []route {
	return []route{
		{method: "GET", path: "/v1/lines/:id", do: getLine},
		{method: "POST", path: "/v1/lines/:id", do: editLine},
		{method: "DELETE", path: "/v1/lines/:id", do: lineEdit(ticket.EditLine{Remove: true})},
		{method: "POST", path: "/v1/lines/:id/enable", do: lineEdit(ticket.EditLine{Disabled: ticket.Some(false)})},
		{method: "POST", path: "/v1/lines/:id/disable", do: disableLine},
		{method: "POST", path: "/v1/lines/:id/archive", do: lineEdit(ticket.EditLine{Archived: ticket.Some(true)})},
		{method: "POST", path: "/v1/lines/:id/unarchive", do: lineEdit(ticket.EditLine{Archived: ticket.Some(false)})},
		{method: "POST", path: "/v1/locations/:id/lines", do: createLine, either: true},
		{method: "POST", path: "/locations/:id/lines", do: createLine, v2: true},
	}
}

// lineJSON is a line. Source: the API's description, section 5.2.
type lineJSON struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Location int    `json:"location"`
	Color    string `json:"color"`
	Disabled bool   `json:"disabled"`
}

// oneLine is a line at the top level of an answer.
type oneLine struct {
	StatusCode int `json:"statusCode"`
	lineJSON
}

func showLine(s *ticket.State, l *ticket.Line) lineJSON {
	return lineJSON{ID: l.ID, Name: l.Name, Location: s.Journal, Color: l.Color, Disabled: l.Disabled}
}

// colorNames are the names that colours are written with; they are read as hex.
// The vendor's own table is not documented; these keep a light text readable.
func colorNames() map[string]string {
	return map[string]string{
		"VIOLET": "#7B4FBF", "LAVENDER": "#8A77C9", "MARSHMALLOW": "#C2699F", "TEAL": "#0F7B7B", "MINT": "#2B8A6B",
		"CORAL": "#D1495B", "YELLOW": "#A67C00", "ROSE": "#C2255C", "INDIGO": "#364FC7", "BLUE": "#1C6EA4",
	}
}

// color reads a colour's name, and outside of version 2 its hex form.
func (p *params) color(v2 bool) string {
	s := p.text("color")
	if s == "" {
		return ""
	}
	if hex := colorNames()[s]; hex != "" {
		return hex
	}
	if !v2 && colorPattern.MatchString(s) {
		return strings.ToUpper(s)
	}
	p.fail(bad("color", "color is VIOLET, LAVENDER, MARSHMALLOW, TEAL, MINT, CORAL, YELLOW, ROSE, INDIGO or BLUE"))
	return ""
}

// lineID is the line of the path and its location.
func (c *call) lineID() (id, location int, err error) {
	id, ok := smallID(c.path.ByName("id"))
	if !ok {
		return 0, 0, notFound("id", "Line with id "+clip(c.path.ByName("id"))+" not found")
	}
	location, err = c.lineLocation("id", id, false)
	return id, location, err
}

func getLine(c *call) (any, error) {
	id, location, err := c.lineID()
	if err != nil {
		return nil, err
	}
	return c.showOneLine(location, id), nil
}

func (c *call) showOneLine(location, id int) oneLine {
	out := oneLine{StatusCode: http.StatusOK}
	c.Ledger.View(location, func(s *ticket.State) {
		if l := s.Lines[id]; l != nil {
			out.lineJSON = showLine(s, l)
		}
	})
	return out
}

func getLines(c *call) (any, error) {
	return c.inLocation(func(s *ticket.State) any {
		out := []lineJSON{}
		for _, l := range s.SortedLines() {
			if !l.Archived {
				out = append(out, showLine(s, l))
			}
		}
		return listed(out)
	})
}

// editLine is POST /v1/lines/{id}.
func editLine(c *call) (any, error) {
	cmd := ticket.EditLine{}
	if c.has("name") {
		cmd.Rename = ticket.Some(c.within("name", c.required("name"), 1, 30))
	}
	if c.has("color") {
		cmd.Color = ticket.Some(c.color(false))
	}
	if c.err == nil && !cmd.Rename.Set && !cmd.Color.Set {
		c.params.fail(badCode(codeBlank, "name", "name or color is required"))
	}
	if c.err != nil {
		return nil, c.err
	}
	return lineEdit(cmd)(c)
}

// lineEdit changes the line of the path.
func lineEdit(cmd ticket.EditLine) operation {
	return func(c *call) (any, error) {
		id, location, err := c.lineID()
		if err != nil {
			return nil, err
		}
		cmd := cmd
		cmd.Line = id
		if _, err := c.settle(ledger.Request{Location: location, Command: cmd}); err != nil {
			return nil, renamed(err, "line", "id")
		}
		return done(), nil
	}
}

// disableLine answers 400 where the domain says conflict: that is what this API
// promises for a line that is not empty.
func disableLine(c *call) (any, error) {
	out, err := lineEdit(ticket.EditLine{Disabled: ticket.Some(true)})(c)
	if err != nil {
		f := *asFault(err)
		if f.status == http.StatusConflict {
			f.status, f.code, f.param = http.StatusBadRequest, codeInvalid, "id"
			return nil, &f
		}
	}
	return out, err
}

// createLine is both creations of a line: the header tells which.
func createLine(c *call) (any, error) {
	location, err := c.locationID()
	if err != nil {
		return nil, err
	}
	l := ticket.Line{Name: c.within("name", c.required("name"), 1, 30), Color: c.color(c.v2)}
	if c.v2 {
		c.required("color")
		l.Disabled = c.flag("disabled")
		var in []lineTranslation
		c.decode("translations", &in)
		l.Translations = c.lineTranslations("translations", in)
		l.Appointment = c.appointmentSettings()
	}
	if c.err != nil {
		return nil, c.err
	}
	r, err := c.settle(ledger.Request{Location: location, Command: ticket.AddLine{Line: l}})
	if err != nil {
		return nil, err
	}
	id := 0
	for _, e := range r.Events {
		id = e.Facts.LineDef.ID
	}
	if r.Again { // names are unique, so the name tells which one that was
		c.Ledger.View(location, func(s *ticket.State) {
			for _, old := range s.SortedLines() {
				if old.Name == l.Name {
					id = old.ID
				}
			}
		})
	}
	if c.v2 {
		return answer{http.StatusCreated, createdJSON{ID: strconv.Itoa(id)}}, nil
	}
	return c.showOneLine(location, id), nil
}

type lineTranslation struct {
	LanguageCode string `json:"languageCode"`
	Name         string `json:"name"`
}

func (p *params) lineTranslations(param string, in []lineTranslation) map[string]string {
	out := map[string]string{}
	for _, t := range in {
		name := strings.TrimSpace(t.Name)
		if _, twice := out[t.LanguageCode]; twice || !knownLanguage(t.LanguageCode) {
			p.fail(bad(param, param+": a languageCode is unknown, or there twice"))
		}
		if len([]rune(name)) > 30 {
			p.fail(badCode(codeSize, param, param+": a translated name has at most 30 characters"))
		}
		out[t.LanguageCode] = name
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (p *params) appointmentSettings() int {
	var in struct {
		Enabled  bool `json:"enabled"`
		Duration int  `json:"duration"`
	}
	if !p.decode("appointmentSettings", &in) || !in.Enabled {
		return 0
	}
	if !slices.Contains([]int{15, 30, 45, 60, 90, 120, 180}, in.Duration) {
		p.fail(bad("appointmentSettings", "appointmentSettings: duration is 15, 30, 45, 60, 90, 120 or 180"))
	}
	return in.Duration
}

// firstLines reads the lines that a new location begins with.
func (p *params) firstLines() []ticket.Line {
	if !p.has("lines") {
		return []ticket.Line{{Name: "Main Service"}, {Name: "Information"}}
	}
	var in []struct {
		Name         string            `json:"name"`
		Color        string            `json:"color"`
		Disabled     bool              `json:"disabled"`
		Translations []lineTranslation `json:"translations"`
	}
	if p.decode("lines", &in) && (len(in) < 1 || len(in) > 50) {
		p.fail(bad("lines", "lines has 1 to 50 entries"))
	}
	var out []ticket.Line
	for i, l := range in {
		l.Name = strings.TrimSpace(l.Name)
		if n := len([]rune(l.Name)); n < 1 || n > 30 || colorNames()[l.Color] == "" {
			p.fail(bad("lines", fmt.Sprintf("lines: entry %d needs a name of at most 30 characters and a color", i+1)))
		}
		out = append(out, ticket.Line{
			Name: l.Name, Color: colorNames()[l.Color], Disabled: l.Disabled, Translations: p.lineTranslations("lines", l.Translations),
		})
	}
	return out
}
