package hubapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// maxLabel is what the name of a key or a webhook may be long, in bytes.
const maxLabel = 100

func (a *API) registerKeys(r *httprouter.Router) {
	r.GET("/hub/v1/keys", a.admin(0, (*adminCall).keys))
	r.POST("/hub/v1/keys", a.admin(0, (*adminCall).addKey))
	r.DELETE("/hub/v1/keys/:key", a.admin(0, (*adminCall).revokeKey))
}

// keyView is a key without what opens anything.
type keyView struct {
	ID   string `json:"id"`
	API  string `json:"api"` // queue or chat
	Name string `json:"name"`
	// Locations are where it acts; null is everywhere.
	Locations []int `json:"locations"`
	Admin     bool  `json:"admin"`
	User      int   `json:"user,omitempty"`
	// Department is what goes with a chat secret as its key.
	Department string `json:"department,omitempty"`
	Issued     string `json:"issued"`
	Used       string `json:"used,omitempty"`
}

func viewKey(i auth.Info) keyView {
	v := keyView{
		ID: i.Grant, API: "queue", Name: i.Name, Locations: i.Locations, Admin: i.Admin, User: i.User, Department: i.Department,
		Issued: wire.Time(i.Issued),
	}
	if i.Type == auth.ChatSecret {
		v.API = "chat"
	}
	if i.Everywhere {
		v.Locations = nil
	}
	if !i.Used.IsZero() {
		v.Used = wire.Time(i.Used)
	}
	return v
}

// apiKeys are the keys of both APIs. Those of paired devices belong to the screens.
func (a *API) apiKeys() []auth.Info {
	return slices.DeleteFunc(a.o.Auth.List(auth.QueueKey, auth.ChatSecret), func(i auth.Info) bool { return i.Display != 0 })
}

// keys is GET keys.
func (c *adminCall) keys() (any, error) {
	out := []keyView{}
	for _, i := range c.apiKeys() {
		out = append(out, viewKey(i))
	}
	return map[string]any{"keys": out}, nil
}

// keyForm asks for a key.
type keyForm struct {
	API  string `json:"api"`
	Name string `json:"name"`
	// Locations are where a key of the queue API acts; none: everywhere.
	Locations []int `json:"locations"`
	Admin     bool  `json:"admin"`
	// Location is the department that a chat secret is for.
	Location int `json:"location"`
}

// addKey is POST keys. The key itself is in this answer and nowhere else.
func (c *adminCall) addKey() (any, error) {
	var f keyForm
	if err := c.read(&f); err != nil {
		return nil, err
	}
	spec, err := c.keySpec(f)
	if err != nil {
		return nil, err
	}
	token, info, err := c.o.Auth.Issue(c.r.Context(), c.id.Credential, spec)
	if err != nil {
		return nil, err
	}
	c.status = http.StatusCreated
	return map[string]any{"secret": token, "key": viewKey(info)}, nil
}

func (c *adminCall) keySpec(f keyForm) (auth.Spec, error) {
	name, err := adminLabel("name", f.Name)
	if err != nil {
		return auth.Spec{}, err
	}
	s := auth.Spec{Name: name, Admin: f.Admin}
	switch f.API {
	case "queue":
		s.Type, s.User, s.Locations, s.Everywhere = auth.QueueKey, c.id.User, f.Locations, len(f.Locations) == 0
	case "chat":
		s.Type, s.Locations = auth.ChatSecret, []int{f.Location}
	default:
		return s, wire.FieldError("api", "api is queue or chat")
	}
	for _, l := range s.Locations {
		if !c.there(l) {
			field := "locations"
			if f.API == "chat" {
				field = "location"
			}
			return s, wire.FieldError(field, "there is no such location")
		}
	}
	if s.Type == auth.ChatSecret {
		c.o.Ledger.View(f.Location, func(st *ticket.State) { s.Department = st.Location.GUID })
	}
	return s, nil
}

// adminLabel is a name on one line that somebody gives a thing.
func adminLabel(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxLabel || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", wire.FieldError(field, "%s has 1 to %d bytes on one line", field, maxLabel)
	}
	return name, nil
}

// revokeKey is DELETE keys/{key}: it opens nothing from now on.
func (c *adminCall) revokeKey() (any, error) {
	id := c.p.ByName("key")
	// Only keys: this door must not end somebody's session or a screen.
	if !slices.ContainsFunc(c.apiKeys(), func(i auth.Info) bool { return i.Grant == id }) {
		return nil, wire.Errorf(wire.NotFound, "there is no such key")
	}
	if err := c.o.Auth.Revoke(c.r.Context(), c.id.Credential, id); err != nil {
		return nil, err
	}
	return c.keys()
}

func byKey[T any, K cmp.Ordered](list []T, key func(T) K) {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}
