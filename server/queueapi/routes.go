package queueapi

import (
	"net/http"

	"github.com/julienschmidt/httprouter"
)

// route is one operation: how it is reached and what it needs.
type route struct {
	method, path string
	do           operation
	// v2 operations need the version header and read JSON only; either means
	// that the header decides which of two operations is meant.
	v2, either bool
	// open operations need no key.
	open bool
}

// routes is the API's router. It never redirects: see the package comment.
func (a *API) routes() http.Handler {
	r := httprouter.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath, r.HandleOPTIONS = false, false, false
	r.HandleMethodNotAllowed = true
	r.NotFound = plainFault(fault{status: http.StatusNotFound, message: "there is nothing at this path"})
	r.MethodNotAllowed = plainFault(fault{status: http.StatusMethodNotAllowed, message: "this path does not take this method"})
	for _, table := range allRoutes() {
		for _, op := range table {
			r.Handle(op.method, op.path, a.handle(op))
		}
	}
	return r
}

func allRoutes() [][]route {
	return [][]route{
		ticketRoutes(), locationRoutes(), lineRoutes(), userRoutes(), displayRoutes(), fieldRoutes(), appointmentRoutes(),
	}
}

// ticketRoutes are the operations of sections 2.1 and 2.2. The router cannot
// tell /search from /:id, so those words are told apart by the operation.
func ticketRoutes() []route {
	return []route{
		{method: "POST", path: "/v1/lines/:id/ticket", do: createForm},
		{method: "GET", path: "/v1/tickets/:id", do: getTickets},
		{method: "POST", path: "/v1/tickets/:id", do: postTickets},
		{method: "POST", path: "/v1/tickets/:id/edit", do: editForm},
		{method: "POST", path: "/v1/tickets/:id/call", do: callTicket},
		{method: "POST", path: "/v1/tickets/:id/recall", do: recall},
		{method: "POST", path: "/v1/tickets/:id/markserved", do: markServed},
		{method: "POST", path: "/v1/tickets/:id/marknoshow", do: markNoShow},
		{method: "POST", path: "/v1/tickets/:id/cancel", do: cancel},
		{method: "POST", path: "/v1/tickets/:id/returntoqueue", do: returnToQueue},
		{method: "POST", path: "/v1/tickets/:id/forward", do: forward},
		{method: "POST", path: "/v1/tickets/:id/labels/add", do: addLabel},
		{method: "POST", path: "/v1/tickets/:id/labels/remove", do: removeLabel},
		{method: "PUT", path: "/v1/tickets/:id/labels", do: setLabels},
		{method: "POST", path: "/v1/tickets/:id/assign", do: assign},
		{method: "POST", path: "/v1/tickets/:id/unassign", do: unassign},
		{method: "POST", path: "/v1/tickets/:id/reorder", do: reorder},
		{method: "GET", path: "/v1/tickets/:id/estimated-time", do: estimatedTime},
		{method: "GET", path: "/v1/tickets/:id/messages", do: getMessages},
		{method: "POST", path: "/v1/tickets/:id/messages", do: sendMessage},
		{method: "POST", path: "/v1/tickets/:id/external", do: setExternal},
		{method: "PUT", path: "/v1/tickets/:id/external", do: setExternal},
		{method: "POST", path: "/tickets", do: createJSON, v2: true},
		{method: "PATCH", path: "/tickets/:id", do: editJSON, v2: true},
	}
}
