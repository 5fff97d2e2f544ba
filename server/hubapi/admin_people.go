package hubapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// inviteTTL is how long an invitation can be taken up.
const inviteTTL = 7 * 24 * time.Hour

func (a *API) registerUsers(r *httprouter.Router) {
	r.GET("/hub/v1/users", a.admin(0, (*adminCall).users))
	r.POST("/hub/v1/users", a.admin(0, (*adminCall).addUser))
	r.PUT("/hub/v1/users/:user", a.admin(0, (*adminCall).editUser))
	r.POST("/hub/v1/users/:user/invite", a.admin(0, (*adminCall).inviteUser))
	r.POST("/hub/v1/users/:user/activate", a.admin(0, (*adminCall).activateUser))
	r.DELETE("/hub/v1/users/:user", a.admin(0, (*adminCall).deactivateUser))
}

// workForm is a role in a location.
type workForm struct {
	Location int    `json:"location"`
	Type     string `json:"type"` // CLERK or MANAGER
}

// personForm is what a user is.
type personForm struct {
	Email     string     `json:"email"`
	FirstName string     `json:"firstName"`
	LastName  string     `json:"lastName"`
	Admin     bool       `json:"admin"`
	Work      []workForm `json:"work"`
}

func (f personForm) roles() ([]ticket.Role, error) {
	out := make([]ticket.Role, 0, len(f.Work))
	for _, w := range f.Work {
		if w.Type != ticket.RoleClerk && w.Type != ticket.RoleManager {
			return nil, wire.FieldError("work", "a role is CLERK or MANAGER")
		}
		out = append(out, ticket.Role{Type: w.Type, Location: w.Location})
	}
	return out, nil
}

func viewPerson(u *ticket.User) personForm {
	f := personForm{Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Admin: u.Admin(), Work: []workForm{}}
	for _, r := range u.Roles {
		if r.Location != 0 {
			f.Work = append(f.Work, workForm{r.Location, r.Type})
		}
	}
	return f
}

// userAdmin is a user as administrators see one.
type userAdmin struct {
	ID int `json:"id"`
	personForm
	Active bool `json:"active"`
	Owner  bool `json:"owner,omitempty"`
	// Password says that they can sign in with one; without, they need an invitation.
	Password bool `json:"password"`
	// Invited is until when an invitation can be taken up.
	Invited string `json:"invited,omitempty"`
	Version string `json:"version"`
}

// users is GET users, the deactivated ones included.
func (c *adminCall) users() (any, error) {
	invited := map[int]time.Time{}
	now := c.o.Admin.Clock()
	for _, i := range c.o.Auth.List(auth.Invite) {
		if now.Before(i.Expires) {
			invited[i.User] = i.Expires
		}
	}
	out := []userAdmin{}
	c.o.Ledger.View(ledger.Directory, func(s *ticket.State) {
		for _, u := range s.Users {
			f := viewPerson(u)
			v := userAdmin{
				ID: u.ID, personForm: f, Active: !u.Removed, Password: !u.Removed && c.o.Auth.HasPassword(u.ID), Version: versionOf(f),
			}
			for _, r := range u.Roles {
				v.Owner = v.Owner || r.Type == ticket.RoleOwner
			}
			if at := invited[u.ID]; !at.IsZero() {
				v.Invited = wire.Time(at)
			}
			out = append(out, v)
		}
	})
	byKey(out, func(u userAdmin) int { return u.ID })
	return map[string]any{"users": out}, nil
}

// addUser is POST users: somebody new, with the link that lets them in once.
func (c *adminCall) addUser() (any, error) {
	var f personForm
	if err := c.read(&f); err != nil {
		return nil, err
	}
	work, err := f.roles()
	if err != nil {
		return nil, err
	}
	if f.Admin {
		work = append(work, ticket.Role{Type: ticket.RoleAdmin})
	}
	if len(work) == 0 {
		return nil, wire.FieldError("work", "a user works somewhere, or is an administrator")
	}
	res, err := c.do(ledger.Directory, ticket.AddUser{User: ticket.User{
		GUID: uuid.NewString(), Email: f.Email, FirstName: f.FirstName, LastName: f.LastName, Roles: work,
	}})
	if err != nil {
		return nil, err
	}
	if len(res.Events) == 0 {
		return nil, wire.Errorf(wire.Conflict, "this was done already; invite the user again for another link")
	}
	return c.invited(res.Events[0].Facts.UserDef.ID)
}

// invited makes a link and answers with it; it is shown this one time.
func (c *adminCall) invited(user int) (any, error) {
	for _, i := range c.o.Auth.List(auth.Invite) { // an older link may have gone astray
		if i.User == user {
			if err := c.o.Auth.Revoke(c.r.Context(), c.id.Credential, i.Grant); err != nil && wire.CodeOf(err) != wire.NotFound {
				return nil, err
			}
		}
	}
	token, info, err := c.o.Auth.Issue(c.r.Context(), c.id.Credential, auth.Spec{
		Type: auth.Invite, Name: "invitation", User: user, TTL: inviteTTL,
	})
	if err != nil {
		return nil, err
	}
	c.status = http.StatusCreated
	return map[string]any{
		"id": user, "link": c.o.Admin.Base + "/console#invite=" + token, "expires": wire.Time(info.Expires),
	}, nil
}

// person is the user of the path.
func (c *adminCall) person() (*ticket.User, error) {
	id := number(c.p, "user")
	var found *ticket.User
	c.o.Ledger.View(ledger.Directory, func(s *ticket.State) { found = s.Users[id] })
	if found == nil {
		return nil, wire.Errorf(wire.NotFound, "there is no such user")
	}
	return found, nil
}

// editUser is PUT users/{user}.
func (c *adminCall) editUser() (any, error) {
	u, err := c.person()
	if err != nil {
		return nil, err
	}
	var f struct {
		personForm
		Version string `json:"version"`
	}
	if err := c.read(&f); err != nil {
		return nil, err
	}
	work, err := f.roles()
	if err != nil {
		return nil, err
	}
	_, err = c.do(ledger.Directory, unchanged(ticket.EditUser{
		User: u.ID, Email: ticket.Some(f.Email), FirstName: ticket.Some(f.FirstName), LastName: ticket.Some(f.LastName),
		Admin: ticket.Some(f.Admin), Work: ticket.Some(work),
	}, f.Version, func(s *ticket.State) any {
		if u := s.Users[u.ID]; u != nil {
			return viewPerson(u)
		}
		return nil
	}))
	if err != nil {
		return nil, err
	}
	c.o.Auth.UserChanged(u.ID)
	return c.users()
}

// inviteUser is POST users/{user}/invite.
func (c *adminCall) inviteUser() (any, error) {
	u, err := c.person()
	if err != nil {
		return nil, err
	}
	if u.Removed {
		return nil, wire.Errorf(wire.Conflict, "activate the user first")
	}
	return c.invited(u.ID)
}

// activateUser is POST users/{user}/activate: somebody comes back.
func (c *adminCall) activateUser() (any, error) {
	u, err := c.person()
	if err != nil {
		return nil, err
	}
	if _, err := c.do(ledger.Directory, ticket.EditUser{User: u.ID, Removed: ticket.Some(false)}); err != nil {
		return nil, err
	}
	return c.invited(u.ID)
}

// deactivateUser is DELETE users/{user}: every session and token of theirs ends
// at once.
func (c *adminCall) deactivateUser() (any, error) {
	u, err := c.person()
	if err != nil {
		return nil, err
	}
	if u.ID == c.id.User {
		return nil, wire.Errorf(wire.Conflict, "ask another administrator to deactivate you")
	}
	if _, err := c.do(ledger.Directory, ticket.EditUser{User: u.ID, Removed: ticket.Some(true)}); err != nil {
		return nil, err
	}
	if err := c.o.Auth.RevokeUser(c.r.Context(), c.id.Credential, u.ID); err != nil {
		return nil, err
	}
	return c.users()
}
