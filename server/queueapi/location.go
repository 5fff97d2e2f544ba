package queueapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// locationRoutes are the operations of section 5.1.
func locationRoutes() []route {
	return []route{
		{method: "GET", path: "/v1/locations", do: getLocations},
		{method: "GET", path: "/v1/locations/:id", do: getLocation},
		{method: "GET", path: "/v1/locations/:id/desks", do: getDesks},
		{method: "GET", path: "/v1/locations/:id/lines", do: getLines},
		{method: "GET", path: "/v1/locations/:id/users", do: getUsers},
		{method: "GET", path: "/v1/locations/:id/input-fields", do: getFields},
		{method: "POST", path: "/locations", do: createLocation, v2: true},
		{method: "PATCH", path: "/locations/:id", do: editLocation, v2: true},
		{method: "PUT", path: "/locations/:id/opening-hours", do: putHours, v2: true},
		{method: "PUT", path: "/locations/:id/opening-hours/exceptions", do: putExceptions, v2: true},
	}
}

// locationJSON is a location. Source: the API's description, section 5.1.
type locationJSON struct {
	ID        int     `json:"id"`
	Name      string  `json:"name"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Country   string  `json:"country"`
	Address   string  `json:"address"`
	Mandatory bool    `json:"selectingDeskMandatory"`
	Offset    int     `json:"timezoneOffset"` // minutes to add to UTC, now
}

func (c *call) showLocation(l *ticket.Location) locationJSON {
	_, seconds := c.Clock().In(l.Zone()).Zone()
	return locationJSON{
		ID: l.ID, Name: l.Name, Latitude: l.Latitude, Longitude: l.Longitude, Country: c.atlas.country(l.Country),
		Address: l.Address, Mandatory: l.DeskMandatory, Offset: seconds / 60,
	}
}

func noLocation(param, id string) *fault {
	return notFound(param, "Location with id "+clip(id)+" not found")
}

// locationID is the location of the path, if the key may know of it.
func (c *call) locationID() (int, error) {
	id, ok := smallID(c.path.ByName("id"))
	if !ok || !c.id.In(id) || !c.Ledger.View(id, func(*ticket.State) {}) || id == ledger.Directory {
		return 0, noLocation("id", c.path.ByName("id"))
	}
	return id, nil
}

// inLocation shows something of the location of the path.
func (c *call) inLocation(show func(s *ticket.State) any) (any, error) {
	id, err := c.locationID()
	if err != nil {
		return nil, err
	}
	var out any
	c.Ledger.View(id, func(s *ticket.State) { out = show(s) })
	return out, nil
}

func getLocations(c *call) (any, error) {
	out := []locationJSON{}
	for _, id := range c.locations() {
		c.Ledger.View(id, func(s *ticket.State) { out = append(out, c.showLocation(s.Location)) })
	}
	return listed(out), nil
}

func getLocation(c *call) (any, error) {
	return c.inLocation(func(s *ticket.State) any {
		return struct {
			StatusCode int `json:"statusCode"`
			locationJSON
		}{http.StatusOK, c.showLocation(s.Location)}
	})
}

func getDesks(c *call) (any, error) {
	type desk struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	return c.inLocation(func(s *ticket.State) any {
		out := struct {
			StatusCode int    `json:"statusCode"`
			Desks      []desk `json:"desks"`
		}{http.StatusOK, []desk{}}
		for _, d := range s.SortedDesks() {
			out.Desks = append(out.Desks, desk{d.ID, d.Name})
		}
		return out
	})
}

// coordinates reads latitude and longitude.
func (p *params) coordinates() (lat, long float64) {
	lat, long = p.number("latitude"), p.number("longitude")
	if p.err == nil && (lat < -90 || lat > 90) {
		p.fail(bad("latitude", "latitude is from -90 to 90"))
	}
	if p.err == nil && (long < -180 || long > 180) {
		p.fail(bad("longitude", "longitude is from -180 to 180"))
	}
	return lat, long
}

// need says that parameters must be there.
func (p *params) need(names ...string) {
	for _, name := range names {
		if p.err == nil && !p.has(name) {
			p.fail(badCode(codeBlank, name, name+" is required"))
		}
	}
}

// createLocation is POST /locations: the location, what it asks for and its
// lines come to be in one step.
func createLocation(c *call) (any, error) {
	c.need("name", "latitude", "longitude", "address", "country")
	l := ticket.Location{
		Name: c.within("name", c.required("name"), 1, 30), Address: c.within("address", c.text("address"), 1, 300),
		Country: c.text("country"), Languages: c.languages(), Fields: c.firstFields(), Setup: &ticket.Setup{Lines: c.firstLines()},
	}
	l.Latitude, l.Longitude = c.coordinates()
	l.Hours = c.hours()
	if c.err != nil {
		return nil, c.err
	}
	l.Timezone = c.atlas.zone(l.Country, l.Latitude, l.Longitude)
	if !countryPattern.MatchString(l.Country) || l.Timezone == "" {
		return nil, bad("country", "country is a country's code of two capital letters")
	}
	var err error
	if l.GUID, err = c.guid("location"); err != nil {
		return nil, err
	}
	r, err := c.inDirectory(ledger.Directory, ticket.PutLocation{Location: l})
	if err != nil {
		return nil, renamed(err, "id", "inputFields", "type", "inputFields")
	}
	id := 0
	for _, e := range r.Events {
		id = e.Facts.LocationDef.ID
	}
	if r.Again { // the GUID follows from the key, so it tells which one that was
		c.Ledger.View(ledger.Directory, func(s *ticket.State) {
			for _, old := range s.Locations {
				if old.GUID == l.GUID {
					id = old.ID
				}
			}
		})
	}
	return answer{http.StatusCreated, createdJSON{ID: strconv.Itoa(id)}}, nil
}

// languages reads a location's languages.
func (p *params) languages() []string {
	if !p.has("languages") {
		return []string{"en"}
	}
	var out []string
	p.decode("languages", &out)
	english := false
	for i, code := range out {
		english = english || code == "en"
		if !knownLanguage(code) {
			p.fail(bad("languages", "languages has an unknown language"))
		}
		for _, other := range out[:i] {
			if code == other {
				p.fail(badCode(codeDuplicate, "languages", "languages has a language twice"))
			}
		}
	}
	if !english {
		p.fail(bad("languages", "languages must contain en"))
	}
	return out
}

// hours reads a new location's opening hours; nil is always open.
func (p *params) hours() *ticket.Hours {
	var in struct {
		Regular    json.RawMessage `json:"regular"`
		Exceptions json.RawMessage `json:"exceptions"`
	}
	if !p.decode("openingHours", &in) {
		return nil
	}
	h := &ticket.Hours{}
	var err error
	if in.Regular != nil {
		if h.Week, err = readWeek(in.Regular); err != nil {
			p.fail(err)
		}
	}
	if in.Exceptions != nil {
		if h.Exceptions, err = readExceptions(in.Exceptions); err != nil {
			p.fail(err)
		}
	}
	return h
}

// editLocation is PATCH /locations/{id}. The time zone stays: coordinates that
// belong to another one are refused.
func editLocation(c *call) (any, error) {
	id, err := c.locationID()
	if err != nil {
		return nil, err
	}
	cmd := ticket.EditLocation{Location: id}
	if _, given := c.values["name"]; given {
		cmd.Rename = ticket.Some(c.within("name", c.required("name"), 1, 30))
	}
	lat, long := c.coordinates()
	if c.has("latitude") {
		cmd.Latitude = ticket.Some(lat)
	}
	if c.has("longitude") {
		cmd.Longitude = ticket.Some(long)
	}
	if c.err != nil {
		return nil, c.err
	}
	c.Ledger.View(id, func(s *ticket.State) { err = c.sameZone(s.Location, cmd) })
	if err != nil {
		return nil, err
	}
	if _, err := c.inDirectory(id, cmd); err != nil {
		return nil, err
	}
	return answer{status: http.StatusOK}, nil
}

func (c *call) sameZone(l *ticket.Location, cmd ticket.EditLocation) error {
	lat, long := l.Latitude, l.Longitude
	if cmd.Latitude.Set {
		lat = cmd.Latitude.Value
	}
	if cmd.Longitude.Set {
		long = cmd.Longitude.Value
	}
	if was, is := c.atlas.zone(l.Country, l.Latitude, l.Longitude), c.atlas.zone(l.Country, lat, long); was != is {
		param := "latitude"
		if !cmd.Latitude.Set {
			param = "longitude"
		}
		return badCode(codeTimezone, param, fmt.Sprintf("%s: this place is in time zone %s, the location in %s", param, is, was))
	}
	return nil
}
