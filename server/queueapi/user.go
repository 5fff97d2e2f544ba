package queueapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// userRoutes are the operations of section 5.3.
func userRoutes() []route {
	return []route{
		{method: "POST", path: "/v1/users", do: createUser},
		{method: "GET", path: "/v1/users/:id", do: getUser},
		{method: "DELETE", path: "/v1/users/:id", do: removeUser},
		{method: "POST", path: "/v1/users/:id/roles", do: addRole},
		{method: "GET", path: "/v1/users/:id/desk", do: getDesk},
		{method: "POST", path: "/v1/users/:id/desk", do: selectDesk},
		{method: "DELETE", path: "/v1/users/:id/desk", do: freeDesk},
		{method: "GET", path: "/v1/users/:id/lines", do: getUserLines},
		{method: "POST", path: "/v1/users/:id/lines", do: selectLines},
	}
}

// userJSON is a user. Source: the API's description, section 5.3.
type userJSON struct {
	ID        int         `json:"id"`
	Email     string      `json:"email"`
	FirstName string      `json:"firstName"`
	LastName  string      `json:"lastName"`
	Location  int         `json:"selectedLocation,omitempty"`
	Desk      int         `json:"desk,omitempty"`
	Roles     *[]roleJSON `json:"roles,omitempty"`
}

type roleJSON struct {
	ID       int    `json:"id"`
	Type     string `json:"type"`
	Location int    `json:"location,omitempty"`
}

// chosen is what a user has chosen, over all locations.
type chosen struct {
	location, desk int // the location that was chosen, and the desk there
	lines          []int
	all            []int // every location where something is chosen
}

// choices collects what a user has chosen. There is one desk; a user without
// one is where their lines are, or where they only work.
func (c *call) choices(user *ticket.User) chosen {
	out, works := chosen{lines: []int{}}, []int{}
	for _, location := range c.Ledger.Locations() {
		c.Ledger.View(location, func(s *ticket.State) {
			u := s.Users[user.ID]
			if u == nil || u.Removed {
				return
			}
			works = append(works, location)
			if u.Desk == 0 && len(u.Lines) == 0 {
				return
			}
			out.all = append(out.all, location)
			out.lines = append(out.lines, u.Lines...)
			if out.location == 0 || u.Desk != 0 && out.desk == 0 {
				out.location, out.desk = location, u.Desk
			}
		})
	}
	if out.location == 0 && len(works) == 1 && !user.Everywhere() {
		out.location = works[0]
	}
	return out
}

func (c *call) showUser(u *ticket.User, roles bool) userJSON {
	has := c.choices(u)
	out := userJSON{
		ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Location: has.location, Desk: has.desk,
	}
	if roles {
		list := make([]roleJSON, 0, len(u.Roles))
		for _, r := range u.Roles {
			list = append(list, roleJSON(r))
		}
		out.Roles = &list
	}
	return out
}

// user is the user of the path, by id or e-mail, if the key may know of them.
func (c *call) user() (*ticket.User, error) {
	name := c.path.ByName("id")
	id, _ := smallID(name)
	var found *ticket.User
	c.Ledger.View(ledger.Directory, func(s *ticket.State) {
		if id != 0 {
			found = s.Users[id]
			return
		}
		for _, u := range s.Users {
			if !u.Removed && u.Email == name {
				found = u
			}
		}
	})
	if found == nil || found.Removed || !c.knows(found) {
		return nil, notFound("id", "User with id "+clip(name)+" not found")
	}
	return found, nil
}

// knows reports whether the key has to do with any location of a user.
func (c *call) knows(u *ticket.User) bool {
	if c.id.Everywhere || u.Everywhere() {
		return true
	}
	for _, r := range u.Roles {
		if c.id.In(r.Location) {
			return true
		}
	}
	return false
}

func getUser(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return struct {
		StatusCode int `json:"statusCode"`
		userJSON
	}{http.StatusOK, c.showUser(u, true)}, nil
}

func getUsers(c *call) (any, error) {
	var users []*ticket.User
	_, err := c.inLocation(func(s *ticket.State) any {
		users = s.SortedUsers()
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := []userJSON{}
	for _, u := range users { // outside of the view: showing looks at every location
		out = append(out, c.showUser(u, false))
	}
	return listed(out), nil
}

// createUser is POST /v1/users.
func createUser(c *call) (any, error) {
	u := ticket.User{
		Email:     c.within("email", c.required("email"), 1, 100),
		FirstName: c.within("firstName", c.required("firstName"), 1, 50),
		LastName:  c.within("lastName", c.required("lastName"), 1, 50), Roles: c.roles(),
	}
	if c.err == nil && !emailPattern.MatchString(u.Email) {
		c.params.fail(bad("email", "email is not an e-mail address"))
	}
	if c.err != nil {
		return nil, c.err
	}
	var err error
	if u.GUID, err = c.guid("user"); err != nil {
		return nil, err
	}
	r, err := c.settle(ledger.Request{Location: ledger.Directory, Command: ticket.AddUser{User: u}})
	if err != nil {
		return nil, renamed(err, "location", "roles", "type", "roles")
	}
	id := 0
	for _, e := range r.Events {
		id = e.Facts.UserDef.ID
	}
	if r.Again { // the GUID follows from the key, so it tells who that was
		c.Ledger.View(ledger.Directory, func(s *ticket.State) {
			for _, old := range s.Users {
				if old.GUID == u.GUID {
					id = old.ID
				}
			}
		})
	}
	return created{http.StatusOK, strconv.Itoa(id)}, nil
}

// roles reads a new user's roles: JSON in a text.
func (p *params) roles() []ticket.Role {
	p.need("roles")
	var in []struct {
		Type     string  `json:"type"`
		Location looseID `json:"location"`
	}
	if p.decode("roles", &in) && (len(in) == 0 || len(in) > 100) {
		p.fail(bad("roles", "roles has 1 to 100 entries"))
	}
	out := make([]ticket.Role, 0, len(in))
	for _, r := range in {
		role, err := readRole(r.Type, int(r.Location), "roles")
		if err != nil {
			p.fail(err)
		}
		out = append(out, role)
	}
	return out
}

// readRole checks a role's form. Nobody becomes an owner through this API.
func readRole(kind string, location int, param string) (ticket.Role, error) {
	r := ticket.Role{Type: kind}
	switch kind {
	case "ADMINISTRATOR":
		r.Type = ticket.RoleAdmin
	case ticket.RoleAdmin:
	case ticket.RoleClerk, ticket.RoleManager:
		if location == 0 {
			if param == "type" {
				param = "location"
			}
			return r, badCode(codeBlank, param, param+": a role of type "+kind+" needs a location")
		}
		r.Location = location
	default:
		return r, bad(param, param+": a role is CLERK, MANAGER or ADMIN")
	}
	return r, nil
}

func addRole(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	role, err := readRole(c.required("type"), c.params.id("location"), "type")
	if err := firstError(c.err, err); err != nil {
		return nil, err
	}
	return c.changeUser(u, ticket.AddRole{User: u.ID, Role: role})
}

func removeUser(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return c.changeUser(u, ticket.RemoveUser{User: u.ID})
}

func (c *call) changeUser(u *ticket.User, cmd ticket.Command) (any, error) {
	if _, err := c.settle(ledger.Request{Location: ledger.Directory, Command: cmd}); err != nil {
		return nil, err
	}
	if c.UserChanged != nil {
		c.UserChanged(u.ID)
	}
	return done(), nil
}

func getDesk(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return struct {
		StatusCode int `json:"statusCode"`
		Desk       int `json:"selectedDeskId,omitempty"`
	}{http.StatusOK, c.choices(u).desk}, nil
}

func getUserLines(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return struct {
		StatusCode int   `json:"statusCode"`
		Lines      []int `json:"selectedLines"`
	}{http.StatusOK, c.choices(u).lines}, nil
}

// choose changes what a user has chosen in a location (0: nowhere), and clears it
// in the others: a person is in one place. A key of somebody may choose for
// themselves; others need a key of the account or of an administrator.
func (c *call) choose(has chosen, location int, cmd, clear ticket.Select) (any, error) {
	at := has.all
	if location != 0 {
		at = []int{location}
	}
	for _, l := range at {
		if !c.id.In(l) || c.id.User != 0 && c.id.User != cmd.User && !c.id.Admin {
			return nil, wire.Errorf(wire.Forbidden, "not allowed to choose for this user")
		}
	}
	if location != 0 {
		if _, err := c.commit(ledger.Request{Location: location, Command: cmd}); err != nil {
			return nil, err
		}
	}
	for _, l := range has.all {
		if l == location {
			continue
		}
		if _, err := c.commit(ledger.Request{Location: l, Command: clear, Key: "/" + strconv.Itoa(l)}); err != nil {
			return nil, err
		}
	}
	return done(), nil
}

func selectDesk(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	desk := c.needID("desk")
	if c.err != nil {
		return nil, c.err
	}
	location := 0
	for _, id := range c.locations() {
		c.Ledger.View(id, func(s *ticket.State) {
			if d := s.Desks[desk]; d != nil && !d.Removed {
				location = id
			}
		})
	}
	if location == 0 {
		return nil, notFound("desk", fmt.Sprintf("Desk with id %d not found", desk))
	}
	if err := c.worksIn("id", u.ID, location); err != nil {
		return nil, bad("desk", "desk is in a location where the user does not work")
	}
	none := ticket.Select{User: u.ID, Desk: ticket.Some(0)}
	return c.choose(c.choices(u), location, ticket.Select{User: u.ID, Desk: ticket.Some(desk)}, none)
}

func freeDesk(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	none := ticket.Select{User: u.ID, Desk: ticket.Some(0)}
	return c.choose(c.choices(u), 0, none, none)
}

// selectLines is POST /v1/users/{id}/lines: the body is a list of numbers.
func selectLines(c *call) (any, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	var in []looseID
	if !strings.HasPrefix(string(c.body), "[") || json.Unmarshal(c.body, &in) != nil {
		return nil, bad("lines", "lines: the body is a JSON list of line ids")
	}
	location, lines := 0, []int{}
	for _, id := range in {
		at, err := c.lineLocation("lines", int(id), false)
		if err != nil {
			return nil, err
		}
		if location != 0 && at != location {
			return nil, bad("lines", "lines must all be in one location")
		}
		location, lines = at, append(lines, int(id))
	}
	if location != 0 {
		if err := c.worksIn("id", u.ID, location); err != nil {
			return nil, bad("lines", "lines are in a location where the user does not work")
		}
	}
	none := ticket.Select{User: u.ID, Lines: ticket.Some([]int{})}
	return c.choose(c.choices(u), location, ticket.Select{User: u.ID, Lines: ticket.Some(lines)}, none)
}
