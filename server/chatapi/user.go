package chatapi

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// userJSON is a user in this API.
type userJSON struct {
	ticket.ChatOwner
	FullName  string   `json:"fullName"`
	ShortName string   `json:"shortName"`
	JobTitle  string   `json:"jobTitle"`
	Status    string   `json:"status"`
	Roles     []string `json:"roles"`
}

func (a *API) showUser(u *ticket.User) userJSON {
	p := a.profile(u.ID)
	out := userJSON{
		ChatOwner: a.owner(u), FullName: p.FullName, ShortName: p.ShortName, JobTitle: p.JobTitle, Status: p.Status,
		Roles: append([]string{}, p.Roles...),
	}
	if out.FullName == "" {
		out.FullName = u.Name()
	}
	if out.ShortName == "" {
		out.ShortName = u.FirstName
	}
	return out
}

func allUsers(c *call) (any, error) {
	out := []userJSON{}
	c.Ledger.View(c.loc, func(s *ticket.State) {
		for _, u := range s.SortedUsers() {
			out = append(out, c.showUser(u))
		}
	})
	return out, nil
}

// findUser is a user of the department; nil when there is none.
func (c *call) findUser(match func(u *ticket.User) bool) *ticket.User {
	var found *ticket.User
	c.Ledger.View(c.loc, func(s *ticket.State) {
		for _, u := range s.SortedUsers() {
			if found == nil && match(u) {
				found = u
			}
		}
	})
	return found
}

func userByArgument(c *call) (any, error) {
	arg := c.needed("uniqueArgument")
	if c.err != nil {
		return nil, c.err
	}
	u := c.findUser(func(u *ticket.User) bool { return c.profile(u.ID).UniqueArgument == arg })
	if u == nil {
		return nil, wire.Errorf(wire.NotFound, "no user has this uniqueArgument")
	}
	return c.showUser(u), nil
}

func setUserArgument(c *call) (any, error) {
	var in struct{ NextUniqueArgument *string }
	c.decode(&in)
	if in.NextUniqueArgument == nil {
		c.wrong(wire.FieldError("nextUniqueArgument", "nextUniqueArgument is missing"))
		return nil, c.err
	}
	v := strings.TrimSpace(*in.NextUniqueArgument)
	if utf8.RuneCountInString(v) > maxUserText {
		return nil, wire.FieldError("nextUniqueArgument", "nextUniqueArgument has at most %d characters", maxUserText)
	}
	taken := c.findUser(func(u *ticket.User) bool { return u.ID != c.id.User && v != "" && c.profile(u.ID).UniqueArgument == v })
	if taken != nil {
		return nil, wire.Errorf(wire.Conflict, "another user has this nextUniqueArgument")
	}
	return success(), c.changeProfile(c.r.Context(), c.id.User, func(p *Profile) { p.UniqueArgument = v })
}

const maxUserText = 100

func updateUser(c *call) (any, error) {
	var in struct{ ShortName, FullName, JobTitle *string }
	c.decode(&in)
	for _, f := range []struct {
		name  string
		value *string
	}{{"shortName", in.ShortName}, {"fullName", in.FullName}, {"jobTitle", in.JobTitle}} {
		if f.value != nil && utf8.RuneCountInString(*f.value) > maxUserText {
			c.wrong(wire.FieldError(f.name, "%s has at most %d characters", f.name, maxUserText))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return success(), c.changeProfile(c.r.Context(), c.id.User, func(p *Profile) {
		for _, f := range []struct{ to, from *string }{{&p.ShortName, in.ShortName}, {&p.FullName, in.FullName}, {&p.JobTitle, in.JobTitle}} {
			if f.from != nil {
				*f.to = strings.TrimSpace(*f.from)
			}
		}
	})
}

// roles are those that a user can have here.
func roles() []string {
	return []string{
		"MasterUser", "DepartmentAdmin", "SystemUser", "ReadOnly", "DataControler", "EmailSession", "webChat", "FaceBookMessenger",
		"FaceBookPosts", "SMSchat", "WhatsApp", "InstagramFeed", "InstagramDM", "PhoneCall", "Viber", "AppleBusinessChat",
	}
}

// namedUser is the user of the department whom the query names.
func (c *call) namedUser() (*ticket.User, error) {
	name := c.needed("userName")
	if c.err != nil {
		return nil, c.err
	}
	u := c.findUser(func(u *ticket.User) bool { return strings.EqualFold(u.Email, name) })
	if u == nil {
		return nil, wire.Errorf(wire.NotFound, "userName names no user of the department")
	}
	return u, nil
}

func setRoles(c *call) (any, error) {
	var in []string
	if len(c.body) == 0 || c.body[0] != '[' {
		c.wrong(wire.FieldError("roles", "roles: the body is a JSON array of texts"))
	}
	c.decode(&in)
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, v := range in {
		r, err := word("roles", v, roles()...)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return success(), c.changeProfile(c.r.Context(), u.ID, func(p *Profile) { p.Roles = out })
}

// addUsers is POST /users/add. Somebody whom the workspace knows already joins
// the department.
func addUsers(c *call) (any, error) {
	kind, err := word("userType", c.needed("userType"), typeAgent, typeBot, typeAPI)
	c.wrong(err)
	role, err := word("role", c.needed("role"), "SystemUser", "ReadOnly")
	c.wrong(err)
	var in []struct{ UserName, UniqueArgument string }
	if len(c.body) == 0 || c.body[0] != '[' {
		c.wrong(wire.FieldError("userName", "userName: the body is a JSON array of {userName, uniqueArgument}"))
	}
	c.decode(&in)
	if c.err == nil && (len(in) == 0 || len(in) > maxParams) {
		c.wrong(wire.FieldError("userName", "userName: 1 to %d users", maxParams))
	}
	for _, one := range in {
		if _, err := normalIdentifier("userName", ticket.ProtocolMail, one.UserName); err != nil {
			c.wrong(err)
		}
		if utf8.RuneCountInString(one.UniqueArgument) > maxUserText {
			c.wrong(wire.FieldError("uniqueArgument", "uniqueArgument has at most %d characters", maxUserText))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	for _, one := range in {
		id, err := c.addUser(strings.ToLower(strings.TrimSpace(one.UserName)))
		if err != nil {
			return nil, err
		}
		err = c.changeProfile(c.r.Context(), id, func(p *Profile) {
			p.Type, p.UniqueArgument = kind, one.UniqueArgument
			p.Roles = []string{role, "EmailSession", "webChat", "SMSchat"}
		})
		if err != nil {
			return nil, err
		}
	}
	return success(), nil
}

func (c *call) addUser(email string) (int, error) {
	known := 0
	c.Ledger.View(ledger.Directory, func(s *ticket.State) {
		for _, u := range s.SortedUsers() {
			if strings.EqualFold(u.Email, email) {
				known = u.ID
			}
		}
	})
	role := ticket.Role{Type: ticket.RoleClerk, Location: c.loc}
	if known != 0 {
		if c.findUser(func(u *ticket.User) bool { return u.ID == known }) != nil {
			return known, nil
		}
		_, err := c.commit(ticket.AddRole{User: known, Role: role}, ledger.Request{Key: fmt.Sprintf("/role/%d", known)})
		c.userChanged(known)
		return known, err
	}
	guid, err := c.guidOf()
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(email, "@")
	res, err := c.Ledger.Do(c.r.Context(), ledger.Request{
		Command: ticket.AddUser{User: ticket.User{GUID: guid, Email: email, FirstName: short(first, 50), Roles: []ticket.Role{role}}},
		Actor:   ticket.Actor{Kind: string(c.id.Kind), User: c.id.User, Credential: c.id.Credential},
	})
	if err != nil {
		return 0, err
	}
	return res.Events[0].Facts.UserDef.ID, nil
}

func (c *call) userChanged(id int) {
	if c.UserChanged != nil {
		c.UserChanged(id)
	}
}

// deleteUser is DELETE /users/delete: out of every department. Their tickets wait
// for somebody else.
func deleteUser(c *call) (any, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	if u.ID == c.id.User {
		return nil, wire.Errorf(wire.Conflict, "nobody deletes themselves: userName is you")
	}
	if !c.reaches(u) {
		return nil, wire.Errorf(wire.Forbidden, "the user works in departments where you are no administrator")
	}
	gone := []string{}
	for _, loc := range c.Ledger.Locations() {
		c.Ledger.View(loc, func(s *ticket.State) {
			if x := s.Users[u.ID]; x != nil && !x.Removed {
				gone = append(gone, strings.ToLower(s.Location.GUID))
			}
		})
	}
	actor := ticket.Actor{Kind: string(c.id.Kind), User: c.id.User, Credential: c.id.Credential}
	if _, err := c.Ledger.Do(c.r.Context(), ledger.Request{Command: ticket.RemoveUser{User: u.ID}, Actor: actor}); err != nil {
		return nil, err
	}
	c.userChanged(u.ID)
	if err := c.release(u.ID, actor); err != nil {
		return nil, err
	}
	if err := c.forgetProfile(u.ID); err != nil {
		return nil, err
	}
	return struct {
		Message string   `json:"Message"`
		Gone    []string `json:"DeletedFromDepartments"`
	}{"Success", gone}, nil
}

// reaches reports whether the caller administers every department of a user.
func (c *call) reaches(u *ticket.User) bool {
	me := c.findUser(func(x *ticket.User) bool { return x.ID == c.id.User })
	if me == nil || !me.Admin() {
		return false
	}
	return me.Everywhere() || !u.Everywhere() && !slices.ContainsFunc(u.Roles, func(r ticket.Role) bool { return !me.WorksIn(r.Location) })
}

// release takes a user's open conversations away.
func (c *call) release(user int, actor ticket.Actor) error {
	for _, loc := range c.Ledger.Locations() {
		var ids []int64
		c.Ledger.View(loc, func(s *ticket.State) {
			for _, t := range s.SortedTickets() {
				if t.Conversation.Owner == user {
					ids = append(ids, t.ID)
				}
			}
		})
		for _, id := range ids {
			cmd := ticket.SetOwner{Ref: ticket.Ref{ID: ticket.TicketID(id)}}
			if _, err := c.Ledger.Do(c.r.Context(), ledger.Request{Location: loc, Command: cmd, Actor: actor}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) forgetProfile(user int) error {
	c.profiling.Lock()
	defer c.profiling.Unlock()
	if err := c.Ledger.PutDocs(c.r.Context(), store.Doc{Kind: profileDocs, Key: fmt.Sprint(user)}); err != nil {
		return err
	}
	c.profilesMu.Lock()
	defer c.profilesMu.Unlock()
	delete(c.profiles, user)
	return nil
}
