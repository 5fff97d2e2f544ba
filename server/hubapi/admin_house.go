package hubapi

import (
	"net/http"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func (a *API) registerPlace(r *httprouter.Router) {
	const at = "/hub/v1/locations/:location"
	r.GET(at+"/lines", a.admin(inLocation, (*adminCall).lines))
	r.POST(at+"/lines", a.admin(inLocation, (*adminCall).addLine))
	r.PUT(at+"/lines", a.admin(inLocation, (*adminCall).orderLines))
	r.PATCH(at+"/lines/:line", a.admin(inLocation, (*adminCall).editLine))
	r.DELETE(at+"/lines/:line", a.admin(inLocation, (*adminCall).removeLine))
	r.GET(at+"/desks", a.admin(inLocation, (*adminCall).desks))
	r.POST(at+"/desks", a.admin(inLocation, (*adminCall).editDesk))
	r.PATCH(at+"/desks/:desk", a.admin(inLocation, (*adminCall).editDesk))
	r.DELETE(at+"/desks/:desk", a.admin(inLocation, (*adminCall).removeDesk))
	r.GET(at+"/settings", a.admin(inLocation, (*adminCall).placeSettings))
	r.PUT(at+"/settings", a.admin(inLocation, (*adminCall).setPlace))
	r.GET(at+"/hours", a.admin(inLocation, (*adminCall).hours))
	r.PUT(at+"/hours", a.admin(inLocation, (*adminCall).setHours))
	r.GET(at+"/emergency", a.admin(inLocation, (*adminCall).emergency))
	r.PUT(at+"/emergency", a.admin(inLocation, (*adminCall).setEmergency))
}

// amount reads a number of the query, within 0 and most.
func (c *adminCall) amount(name string, usual, most int64) (int64, error) {
	text := c.r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, wire.FieldError(name, "a whole number, 0 to %d", most)
	}
	return n, nil
}

// lineView is a line as administrators see it.
type lineView struct {
	ID           int               `json:"id"`
	Name         string            `json:"name"`
	Series       string            `json:"series"`
	Color        string            `json:"color"`
	Disabled     bool              `json:"disabled"`
	Archived     bool              `json:"archived"`
	Translations map[string]string `json:"translations,omitempty"`
	Appointment  int               `json:"appointment"`
}

func viewLine(l *ticket.Line) lineView {
	return lineView{l.ID, l.Name, l.Series, l.Color, l.Disabled, l.Archived, l.Translations, l.Appointment}
}

// lines is GET lines, in their order.
func (c *adminCall) lines() (any, error) {
	type view struct {
		lineView
		Waiting int    `json:"waiting"`
		Version string `json:"version"`
	}
	out := []view{}
	c.view(func(s *ticket.State) {
		for _, l := range s.SortedLines() {
			v := viewLine(l)
			out = append(out, view{v, s.Waiting(l.ID), versionOf(v)})
		}
	})
	return map[string]any{"lines": out}, nil
}

// lineForm is what can be changed of a line.
type lineForm struct {
	Name         ticket.Opt[string]            `json:"name"`
	Series       ticket.Opt[string]            `json:"series"`
	Color        ticket.Opt[string]            `json:"color"`
	Disabled     ticket.Opt[bool]              `json:"disabled"`
	Archived     ticket.Opt[bool]              `json:"archived"`
	Translations ticket.Opt[map[string]string] `json:"translations"`
	Appointment  ticket.Opt[int]               `json:"appointment"`
	Version      string                        `json:"version"`
}

func (f lineForm) edit(line int) ticket.EditLine {
	return ticket.EditLine{
		Line: line, Rename: f.Name, Series: f.Series, Color: f.Color, Disabled: f.Disabled, Archived: f.Archived,
		Translations: f.Translations, Appointment: f.Appointment,
	}
}

// addLine is POST lines. A line begins with a name and may have the rest.
func (c *adminCall) addLine() (any, error) {
	var f lineForm
	if err := c.read(&f); err != nil {
		return nil, err
	}
	res, err := c.do(c.location, ticket.AddLine{Line: ticket.Line{
		Name: f.Name.Value, Series: f.Series.Value, Color: f.Color.Value, Translations: f.Translations.Value, Appointment: f.Appointment.Value,
	}})
	if err != nil {
		return nil, err
	}
	return c.created(res, func(e ticket.Event) int { return e.Facts.LineDef.ID })
}

// created answers with the id of what was made.
func (c *adminCall) created(res ledger.Result, id func(ticket.Event) int) (any, error) {
	c.status = http.StatusCreated
	if len(res.Events) == 0 { // the same key again
		return struct{}{}, nil
	}
	return map[string]int{"id": id(res.Events[len(res.Events)-1])}, nil
}

// editLine is PATCH lines/{line}.
func (c *adminCall) editLine() (any, error) {
	var f lineForm
	if err := c.read(&f); err != nil {
		return nil, err
	}
	line := number(c.p, "line")
	_, err := c.do(c.location, unchanged(f.edit(line), f.Version, func(s *ticket.State) any {
		if l := s.Lines[line]; l != nil {
			return viewLine(l)
		}
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return c.lines()
}

func (c *adminCall) removeLine() (any, error) {
	if _, err := c.do(c.location, ticket.EditLine{Line: number(c.p, "line"), Remove: true}); err != nil {
		return nil, err
	}
	return c.lines()
}

// orderLines is PUT lines {"order": [ids]}.
func (c *adminCall) orderLines() (any, error) {
	var f struct{ Order []int }
	if err := c.read(&f); err != nil {
		return nil, err
	}
	if _, err := c.do(c.location, ticket.OrderLines{Lines: f.Order}); err != nil {
		return nil, err
	}
	return c.lines()
}

// desks is GET desks.
func (c *adminCall) desks() (any, error) {
	type view struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
		// User is who has chosen the desk.
		User int `json:"user,omitempty"`
	}
	out := []view{}
	c.view(func(s *ticket.State) {
		at := map[int]int{}
		for _, u := range s.SortedUsers() {
			at[u.Desk] = u.ID
		}
		for _, d := range s.SortedDesks() {
			out = append(out, view{d.ID, d.Name, at[d.ID]})
		}
	})
	return map[string]any{"desks": out}, nil
}

// editDesk is POST desks and PATCH desks/{desk}.
func (c *adminCall) editDesk() (any, error) {
	var f struct{ Name ticket.Opt[string] }
	if err := c.read(&f); err != nil {
		return nil, err
	}
	made := c.p.ByName("desk") == ""
	desk := number(c.p, "desk")
	if !made && desk == 0 {
		return nil, wire.Errorf(wire.NotFound, "there is no such desk")
	}
	res, err := c.do(c.location, ticket.EditDesk{Desk: desk, Rename: f.Name})
	if err != nil {
		return nil, err
	}
	if made {
		return c.created(res, func(e ticket.Event) int { return e.Facts.DeskDef.ID })
	}
	return c.desks()
}

func (c *adminCall) removeDesk() (any, error) {
	desk := number(c.p, "desk")
	if desk == 0 {
		return nil, wire.Errorf(wire.NotFound, "there is no such desk")
	}
	if _, err := c.do(c.location, ticket.EditDesk{Desk: desk, Remove: true}); err != nil {
		return nil, err
	}
	return c.desks()
}
