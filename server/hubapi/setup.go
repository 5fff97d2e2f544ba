package hubapi

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

// Bounds of what a new location may begin with.
const (
	maxFirstLines = 20
	maxFirstDesks = 50
)

// setup is a new location with what it needs to serve the first visitor.
type setup struct {
	Name     string   `json:"name"`
	Timezone string   `json:"timezone"`
	Lines    []string `json:"lines"`
	Desks    int      `json:"desks"`
}

func (s setup) check() error {
	switch {
	case len(s.Lines) == 0 || len(s.Lines) > maxFirstLines:
		return wire.FieldError("lines", "1 to %d lines", maxFirstLines)
	case s.Desks < 1 || s.Desks > maxFirstDesks:
		return wire.FieldError("desks", "1 to %d desks", maxFirstDesks)
	}
	return nil
}

// createLocation makes a location, its lines and its desks. Only somebody who
// may change settings everywhere can.
func (a *API) createLocation(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.staff(r)
	if err == nil && !(id.Admin && id.Everywhere) {
		err = wire.Errorf(wire.Forbidden, "this is for administrators of all locations")
	}
	var body setup
	if err == nil {
		err = ops.ReadJSON(r, &body)
	}
	if err == nil {
		err = body.check()
	}
	var location int
	if err == nil {
		location, err = a.setUp(r, id, body)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"id": location})
}

func (a *API) setUp(r *http.Request, id auth.Identity, body setup) (int, error) {
	do := func(location int, c ticket.Command) (ledger.Result, error) {
		return a.o.Ledger.Do(r.Context(), ledger.Request{Location: location, Command: c, Actor: ticket.Actor{
			Kind: string(id.Kind), User: id.User, Credential: id.Credential,
		}})
	}
	res, err := do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{
		GUID: uuid.NewString(), Name: body.Name, Timezone: body.Timezone,
		Fields: ticket.DefaultFields(func(string) string { return uuid.NewString() }),
	}})
	if err != nil {
		return 0, err
	}
	location := res.Events[0].Facts.LocationDef.ID
	for _, name := range body.Lines {
		if _, err := do(location, ticket.PutLine{Line: ticket.Line{Name: name}}); err != nil {
			return 0, err
		}
	}
	for i := range body.Desks {
		if _, err := do(location, ticket.PutDesk{Desk: ticket.Desk{Name: strconv.Itoa(i + 1)}}); err != nil {
			return 0, err
		}
	}
	return location, nil
}
