package hubapi

import (
	"net/http"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

// staffTicket is the ticket of the path, for staff that may give a command to it.
func (a *API) staffTicket(r *http.Request, ps httprouter.Params, command string) (auth.Identity, *ticket.Ticket, error) {
	id, err := a.staff(r)
	if err != nil {
		return id, nil, err
	}
	n, bad := strconv.ParseInt(ps.ByName("id"), 10, 64)
	if bad != nil || n < 1 {
		return id, nil, wire.Errorf(wire.NotFound, "no such ticket")
	}
	if err := a.o.Access.Command(id, command, 0, n); err != nil {
		return id, nil, err
	}
	t, err := a.o.Ledger.Ticket(n)
	return id, t, err
}

// ticketLink is POST /hub/v1/tickets/{id}/link: a fresh link for the visitor.
func (a *API) ticketLink(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	id, t, err := a.staffTicket(r, ps, "message.send")
	if err == nil && t.Erased {
		err = wire.Errorf(wire.Conflict, "ticket %d was erased", t.ID)
	}
	var e entry
	if err == nil {
		e, err = a.o.People.admit(r.Context(), id.Credential, t)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]string{"link": a.link(r, e.Token), "expires": e.Expires})
}

// ticketUpload is POST /hub/v1/tickets/{id}/files.
func (a *API) ticketUpload(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	_, t, err := a.staffTicket(r, ps, "message.send")
	if err == nil && t.Erased {
		err = wire.Errorf(wire.Conflict, "ticket %d was erased", t.ID)
	}
	a.keepUpload(w, r, t, err)
}

// ticketFile is GET /hub/v1/tickets/{id}/files/{file}[?thumb=1].
func (a *API) ticketFile(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	_, t, err := a.staffTicket(r, ps, "message.send")
	a.serveFile(w, r, ps, t, err)
}

// ticketTransactions is GET /hub/v1/tickets/{id}/transactions?before=seq.
func (a *API) ticketTransactions(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	_, t, err := a.staffTicket(r, ps, "note.add")
	var upTo uint64
	if err == nil {
		upTo, err = before(r)
	}
	var thread []ticket.Transaction
	more := false
	if err == nil {
		thread, more, err = a.thread(t, upTo)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	out := []ticket.TransactionView{}
	for i := range thread {
		out = append(out, t.TransactionView(&thread[i]))
	}
	answer(w, http.StatusOK, map[string]any{"transactions": out, "more": more})
}
