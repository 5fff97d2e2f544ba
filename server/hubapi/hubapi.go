// Package hubapi is the part of the HTTP surface that belongs to neither vendor
// form: signing in, pairing screens, and what the pages need beside the socket.
package hubapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

// Options make an API. All but AutoClaim are needed.
type Options struct {
	Ledger   *ledger.Ledger
	Auth     *auth.Authenticator
	Access   *auth.Access
	Pairings *Pairings
	// Texts is nil when a provider sends text messages.
	Texts Texts
	// ClientIP is where a request comes from.
	ClientIP func(*http.Request) string
	// AutoClaim says in which location a new screen is claimed at once; nil or
	// false: staff claims it. Only a demonstration does this, and on loopback only.
	AutoClaim func(r *http.Request, location int) bool
	// Secure says whether a request came over TLS; nil: it did not.
	Secure func(*http.Request) bool
	// Screens is nil where there are none to look after.
	Screens *Screens
	// People is nil where no visitor comes by themselves.
	People *People
	// Admin is nil where nothing is administered.
	Admin *Admin
}

// API serves /hub/v1.
type API struct{ o Options }

// New makes an API.
func New(o Options) *API { return &API{o: o} }

// Register adds the routes.
func (a *API) Register(r *httprouter.Router) {
	r.POST("/hub/v1/session", a.signIn)
	r.GET("/hub/v1/session", a.whoAmI)
	r.DELETE("/hub/v1/session", a.signOut)
	r.PUT("/hub/v1/password", a.setPassword)
	r.GET("/hub/v1/locations", a.locations)
	r.POST("/hub/v1/locations", a.createLocation)
	r.GET("/hub/v1/locations/:location/wait-accuracy", a.waitAccuracy)
	r.GET("/hub/v1/texts", a.texts)
	r.POST("/hub/v1/texts/:ticket/:seq", a.handOver)
	r.POST("/hub/v1/pairings", a.beginPairing)
	r.GET("/hub/v1/pairings/:code", a.pollPairing)
	r.POST("/hub/v1/pairings/:code/claim", a.claimPairing)
	a.registerDisplays(r)
	a.registerAdmin(r)
	a.registerConsole(r)
	a.registerPeople(r)
}

// answer writes a body that no cache may keep.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	ops.WriteJSON(w, status, body)
}

// userView is the signed-in user.
type userView struct {
	ID        int    `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Locations []int  `json:"locations"`
	Admin     bool   `json:"admin"`
}

func (a *API) user(id auth.Identity) (userView, error) {
	view := userView{ID: id.User, Locations: id.Locations, Admin: id.Admin}
	found := false
	a.o.Ledger.View(ledger.Directory, func(s *ticket.State) {
		if u := s.Users[id.User]; u != nil && !u.Removed {
			view.Email, view.FirstName, view.LastName, found = u.Email, u.FirstName, u.LastName, true
		}
	})
	if !found {
		return userView{}, wire.Errorf(wire.Unauthenticated, "please sign in")
	}
	if id.Everywhere {
		view.Locations = a.o.Ledger.Locations()
	}
	return view, nil
}

func (a *API) signIn(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	var body struct{ Email, Password, Invite string }
	// Another site's form could else sign its visitor in as somebody else.
	if err := a.o.Auth.CheckWrite(r); err != nil {
		ops.WriteError(w, r, err)
		return
	}
	if err := ops.ReadJSON(r, &body); err != nil {
		ops.WriteError(w, r, err)
		return
	}
	token, id, err := a.prove(r, body.Email, body.Password, body.Invite)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	user, err := a.user(id)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	a.o.Auth.WriteCookie(w, r, token)
	answer(w, http.StatusOK, map[string]any{"user": user})
}

// prove opens a session for a one-time link, or else for e-mail and password.
func (a *API) prove(r *http.Request, email, password, invite string) (string, auth.Identity, error) {
	if invite != "" {
		return a.o.Auth.Redeem(r.Context(), invite, a.o.ClientIP(r))
	}
	return a.o.Auth.SignIn(r.Context(), email, password, a.o.ClientIP(r))
}

// setPassword gives the signed-in user a password; other sessions of theirs end.
func (a *API) setPassword(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.staff(r)
	var body struct{ Password string }
	if err == nil {
		err = ops.ReadJSON(r, &body)
	}
	if err == nil && id.User == 0 {
		err = wire.Errorf(wire.Forbidden, "a key has no password")
	}
	if err == nil {
		err = a.o.Auth.SetPassword(r.Context(), id.Credential, id.User, body.Password, id.Grant)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct{}{})
}

// staff is the signed-in or token-bearing member of the staff.
func (a *API) staff(r *http.Request) (auth.Identity, error) {
	id, found, err := a.o.Auth.Bearer(r)
	if !found && err == nil {
		if id, found, err = a.o.Auth.Cookie(r); found && err == nil {
			err = a.o.Auth.CheckWrite(r)
		}
	}
	switch {
	case err != nil:
		return auth.Identity{}, err
	case !found:
		return auth.Identity{}, wire.Errorf(wire.Unauthenticated, "please sign in")
	case id.Kind != auth.Staff && id.Kind != auth.Integrator:
		return auth.Identity{}, wire.Errorf(wire.Forbidden, "this is for staff")
	}
	return id, nil
}

func (a *API) whoAmI(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.staff(r)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	user, err := a.user(id)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"user": user})
}

func (a *API) signOut(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	if _, err := a.staff(r); err != nil {
		ops.WriteError(w, r, err)
		return
	}
	if token, ok := a.o.Auth.CookieToken(r); ok {
		if err := a.o.Auth.SignOut(r.Context(), token, a.o.ClientIP(r)); err != nil {
			ops.WriteError(w, r, err)
			return
		}
	}
	a.o.Auth.ClearCookie(w, r)
	answer(w, http.StatusOK, struct{}{})
}

func (a *API) locations(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.staff(r)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	type view struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	out := []view{}
	for _, l := range a.o.Ledger.Locations() {
		if id.In(l) {
			a.o.Ledger.View(l, func(s *ticket.State) { out = append(out, view{l, s.Location.Name}) })
		}
	}
	answer(w, http.StatusOK, map[string]any{"locations": out})
}

func (a *API) beginPairing(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	var body struct {
		Location int    `json:"location"`
		Name     string `json:"name"`
		Kind     Asker  `json:"kind"`
	}
	err := ops.ReadJSON(r, &body)
	if err == nil && body.Kind != AskerScreen && body.Kind != AskerKiosk {
		err = wire.FieldError("kind", "kind is kiosk, or absent for a screen")
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	code, secret, err := a.begin(r, body.Location, body.Name, body.Kind)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"code": code, "secret": secret, "poll": pollEvery})
}

// begin makes a code, which a demonstration claims at once.
func (a *API) begin(r *http.Request, location int, name string, kind Asker) (code, secret string, err error) {
	if code, secret, err = a.o.Pairings.Begin(kind); err != nil {
		return "", "", err
	}
	if a.o.AutoClaim != nil && a.o.AutoClaim(r, location) {
		_, err = a.claim(r.Context(), "demo", code, location, ticket.Display{Name: name})
	}
	return code, secret, err
}

func (a *API) pollPairing(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	paired, err := a.o.Pairings.Poll(p.ByName("code"), r.Header.Get("Pairing-Secret"))
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	if paired == nil {
		answer(w, http.StatusOK, map[string]any{"status": "waiting"})
		return
	}
	// For what the page loads without its script: images, and the plain board.
	if paired.Kind == "" {
		a.setCookie(w, r, displayCookie, paired.Token, displayCookieAge)
	}
	answer(w, http.StatusOK, map[string]any{
		"status": "paired", "token": paired.Token, "display": paired.Display, "location": paired.Location, "name": paired.Name,
		"kind": paired.Kind,
	})
}

func (a *API) claimPairing(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	var body struct {
		Location int `json:"location"`
		ticket.Display
	}
	if err = ops.ReadJSON(r, &body); err == nil && body.Location < 1 {
		err = wire.FieldError("location", "in which location does the screen hang?")
	}
	if err == nil {
		err = a.o.Access.Admin(id, body.Location)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	paired, err := a.claim(r.Context(), id.Credential, p.ByName("code"), body.Location, body.Display)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"display": paired.Display, "kind": paired.Kind})
}

// claim makes a screen of the location and its token.
func (a *API) claim(ctx context.Context, by, code string, location int, d ticket.Display) (Paired, error) {
	return a.o.Pairings.Claim(ctx, code, func(ctx context.Context, asks Asker) (Paired, error) {
		return newDisplay(ctx, a.o.Ledger, a.o.Auth, by, location, d, asks)
	})
}

// NewDisplay makes a screen and the token it reads its board with.
func NewDisplay(ctx context.Context, l *ledger.Ledger, a *auth.Authenticator, by string, location int, name string) (Paired, error) {
	return newDisplay(ctx, l, a, by, location, ticket.Display{Name: name}, AskerScreen)
}

func newDisplay(ctx context.Context, l *ledger.Ledger, a *auth.Authenticator, by string, location int, d ticket.Display, asks Asker) (Paired, error) {
	// What only the hub decides is not taken from the outside.
	d.ID, d.Removed, d.Offset, d.Kind = 0, false, 0, ""
	if asks == AskerKiosk {
		d.Kind, d.Mute = ticket.KindKiosk, true // it announces nothing
	}
	if d.Name == "" {
		d.Name = "Screen"
	}
	res, err := l.Do(ctx, ledger.Request{
		Location: location, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: by},
		Command: ticket.PutDisplay{Display: d},
	})
	if err != nil {
		return Paired{}, err
	}
	id := res.Events[0].Facts.DisplayDef.ID
	typ := auth.DisplayToken
	switch asks {
	case AskerApp:
		typ = auth.QueueKey
	case AskerKiosk:
		typ = auth.KioskToken
	}
	token, _, err := a.Issue(ctx, by, auth.Spec{
		Type: typ, Name: d.Name + " (" + strconv.Itoa(id) + ")", Display: id, Locations: []int{location},
	})
	if err != nil {
		return Paired{}, err
	}
	return Paired{Token: token, Display: id, Location: location, Name: d.Name, Kind: d.Kind}, nil
}
