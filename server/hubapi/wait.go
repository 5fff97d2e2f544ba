package hubapi

import (
	"net/http"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
)

// waitAccuracy is GET /hub/v1/locations/{location}/wait-accuracy: what became of
// the waits that visitors were told, per line and hour of the local day.
func (a *API) waitAccuracy(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	location := number(p, "location")
	if err == nil {
		err = a.o.Access.Channel(id, wire.Channel{Kind: wire.ConsoleChannel, ID: int64(location)})
	}
	lines := []ticket.LineAccuracy{}
	if err == nil && !a.o.Ledger.View(location, func(s *ticket.State) { lines = s.WaitAccuracy() }) {
		err = wire.Errorf(wire.NotFound, "Location with id %d not found", location)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"lines": lines})
}
