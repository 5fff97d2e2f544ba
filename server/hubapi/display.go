package hubapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/speech"
)

// Speaker renders speech; *speech.Store does.
type Speaker interface {
	// Path is the file of a clip, or speech.ErrNone.
	Path(ctx context.Context, language, clip string) (string, error)
}

// Screens is what the routes about screens need beside the rest.
type Screens struct {
	Speech  Speaker
	Media   *Media
	Devices *Devices
	Plain   *Plain
}

// forever is for what never changes under its name.
const forever = "private, max-age=31536000, immutable"

func (a *API) registerDisplays(r *httprouter.Router) {
	if a.o.Screens == nil {
		return
	}
	r.GET("/hub/v1/speech/:language/:clip", a.speech)
	r.GET("/hub/v1/locations/:location/displays", a.displays)
	r.PATCH("/hub/v1/displays/:display", a.editDisplay)
	r.DELETE("/hub/v1/displays/:display", a.removeDisplay)
	r.GET("/hub/v1/locations/:location/board", a.boardSettings)
	r.PUT("/hub/v1/locations/:location/board", a.setBoard)
	r.GET("/board/:location/media/:id", a.medium)
	r.GET("/board/:location/plain", a.plain)
}

// number is a positive id in the path, or 0.
func number(p httprouter.Params, name string) int {
	n, err := strconv.ParseUint(p.ByName(name), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// screen is a display, or staff, that may see a location's board. A display
// proves itself by its token, or by the cookie that pairing has set.
func (a *API) screen(r *http.Request, location int) (auth.Identity, error) {
	id, found, err := a.o.Auth.Bearer(r)
	if !found {
		id, found, err = a.displayCookie(r)
	}
	if !found {
		id, found, err = a.o.Auth.Cookie(r)
	}
	switch {
	case err != nil:
		return auth.Identity{}, err
	case !found:
		return auth.Identity{}, wire.Errorf(wire.Unauthenticated, "this is for paired screens")
	}
	return id, a.o.Access.Channel(id, wire.Channel{Kind: wire.BoardChannel, ID: int64(location)})
}

// speech is GET /hub/v1/speech/{language}/{clip}.wav. What there is no clip for
// is an empty answer and no error: a screen then only chimes.
func (a *API) speech(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, found, err := a.o.Auth.Bearer(r)
	if err == nil && !found {
		err = wire.Errorf(wire.Unauthenticated, "this is for paired screens")
	}
	if err == nil && id.Kind == auth.Visitor {
		err = wire.Errorf(wire.Forbidden, "this is for paired screens")
	}
	name, wav := strings.CutSuffix(p.ByName("clip"), ".wav")
	if err == nil && !wav {
		err = wire.Errorf(wire.NotFound, "there is no such clip")
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	path, err := a.o.Screens.Speech.Path(r.Context(), p.ByName("language"), name)
	switch {
	case errors.Is(err, speech.ErrNone):
		w.Header().Set("Cache-Control", "no-store") // there may be one tomorrow
		w.WriteHeader(http.StatusNoContent)
	case err != nil:
		ops.WriteError(w, r, err)
	default:
		w.Header().Set("Content-Type", "audio/wav")
		w.Header().Set("Cache-Control", forever)
		http.ServeFile(w, r, path)
	}
}

// displays is GET /hub/v1/locations/{location}/displays.
func (a *API) displays(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	location := number(p, "location")
	if err == nil {
		err = a.o.Access.Channel(id, wire.Channel{Kind: wire.ConsoleChannel, ID: int64(location)})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	type view struct {
		*ticket.Display
		Device *Device `json:"device,omitempty"`
	}
	out := []view{}
	devices := a.o.Screens.Devices.In(location)
	for _, d := range a.displaysOf(location) {
		v := view{Display: d}
		if i := slices.IndexFunc(devices, func(x Device) bool { return x.Display == d.ID }); i >= 0 {
			v.Device = &devices[i]
		}
		out = append(out, v)
	}
	answer(w, http.StatusOK, map[string]any{"displays": out})
}

// displaysOf are a location's screens by id.
func (a *API) displaysOf(location int) []*ticket.Display { return Displays(a.o.Ledger, location) }

// Displays are a location's screens that there are, by id.
func Displays(l *ledger.Ledger, location int) []*ticket.Display {
	var out []*ticket.Display
	l.View(location, func(s *ticket.State) {
		for _, d := range s.Displays {
			if !d.Removed {
				out = append(out, d)
			}
		}
	})
	slices.SortFunc(out, func(x, y *ticket.Display) int { return x.ID - y.ID })
	return out
}

// manage finds the display of the path for an administrator of its location.
func (a *API) manage(r *http.Request, p httprouter.Params) (id auth.Identity, display, location int, err error) {
	if id, err = a.staff(r); err != nil {
		return id, 0, 0, err
	}
	display = number(p, "display")
	missing := wire.Errorf(wire.NotFound, "no such display")
	location, err = a.o.Ledger.DisplayLocation(display)
	if err != nil || !id.In(location) {
		return id, 0, 0, missing
	}
	return id, display, location, a.o.Access.Admin(id, location)
}

// editDisplay is PATCH /hub/v1/displays/{id}: what is given is changed, and
// "reload": true makes the screen load its page again.
func (a *API) editDisplay(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, display, location, err := a.manage(r, p)
	command := ticket.EditDisplay{Display: display}
	if err == nil {
		err = ops.ReadJSON(r, &command)
	}
	if err == nil {
		_, err = a.o.Ledger.Do(r.Context(), ledger.Request{Location: location, Actor: actor(id), Command: command})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	var out ticket.Display
	a.o.Ledger.View(location, func(s *ticket.State) { out = *s.Displays[display] })
	answer(w, http.StatusOK, map[string]any{"display": out})
}

// removeDisplay is DELETE /hub/v1/displays/{id}: its token ends with it.
func (a *API) removeDisplay(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, display, location, err := a.manage(r, p)
	if err == nil {
		_, err = a.o.Ledger.Do(r.Context(), ledger.Request{
			Location: location, Actor: actor(id), Command: ticket.EditDisplay{Display: display, Remove: true},
		})
	}
	if err == nil {
		a.o.Screens.Devices.Forget(display)
		err = a.o.Auth.Revoke(r.Context(), id.Credential, "display:"+strconv.Itoa(display))
		if wire.CodeOf(err) == wire.NotFound { // it never had a token
			err = nil
		}
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct{}{})
}

func actor(id auth.Identity) ticket.Actor {
	return ticket.Actor{Kind: string(id.Kind), User: id.User, Credential: id.Credential}
}

// boardForm is how a location's screens look.
type boardForm struct {
	Settings  ticket.Board `json:"settings"`
	Languages []string     `json:"languages"`
	// Version, given back with a change, refuses it when somebody else was faster.
	Version string `json:"version,omitempty"`
}

// boardVersion tells a board's settings from others. The emergency has a door of
// its own and is none of them.
func boardVersion(l *ticket.Location) any {
	f := boardForm{Settings: l.Settings, Languages: l.Languages}
	f.Settings.Emergency, f.Settings.Tone = nil, false
	return f
}

// boardSettings is GET /hub/v1/locations/{location}/board.
func (a *API) boardSettings(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	location := number(p, "location")
	if err == nil {
		err = a.o.Access.Channel(id, wire.Channel{Kind: wire.ConsoleChannel, ID: int64(location)})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	var out boardForm
	a.o.Ledger.View(location, func(s *ticket.State) {
		out = boardForm{Settings: s.Location.Settings, Languages: s.Location.Languages, Version: versionOf(boardVersion(s.Location))}
	})
	answer(w, http.StatusOK, out)
}

// setBoard is PUT /hub/v1/locations/{location}/board.
func (a *API) setBoard(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	location := number(p, "location")
	var form boardForm
	if err == nil {
		err = a.o.Access.Admin(id, location)
	}
	if err == nil {
		err = ops.ReadJSON(r, &form)
	}
	if err == nil {
		command := ticket.EditLocation{Location: location, Board: ticket.Some(form.Settings)}
		if len(form.Languages) > 0 {
			command.Languages = ticket.Some(form.Languages)
		}
		_, err = a.o.Ledger.Do(r.Context(), ledger.Request{Location: ledger.Directory, Actor: actor(id), Command: unchanged(command, form.Version, func(s *ticket.State) any {
			if l := s.Locations[location]; l != nil {
				return boardVersion(l)
			}
			return nil
		})})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	a.boardSettings(w, r, p)
}
