package queueapi

import (
	"net/http"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// callTicket is POST /v1/tickets/{id}/call.
func callTicket(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	cmd := ticket.CallTicket{
		Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}, User: c.params.id("user"), Desk: c.params.id("desk"),
		KeepActive: c.flag("keepActiveTicketsOpen"),
	}
	if c.err != nil {
		return nil, c.err
	}
	r, err := c.do(ledger.Request{Command: cmd})
	if err != nil {
		return nil, err
	}
	return oneTicket{http.StatusOK, r.Ticket.QueueTicket()}, nil
}

// callNext is POST /v1/tickets/call. When nobody waits the answer has no id,
// and existing clients know it by that.
func callNext(c *call) (any, error) {
	cmd := ticket.CallNext{
		Lines: c.ids("lines"), User: c.params.id("user"), Desk: c.params.id("desk"), KeepActive: c.flag("keepActiveTicketsOpen"),
	}
	if c.err == nil && len(cmd.Lines) == 0 {
		return nil, badCode(codeBlank, "lines", "lines is required: at least one line's id")
	}
	if c.err != nil {
		return nil, c.err
	}
	location := 0
	for _, line := range cmd.Lines {
		at, err := c.lineLocation("lines", line, false)
		if err != nil {
			return nil, err
		}
		if location != 0 && at != location {
			return nil, bad("lines", "lines must all be in one location")
		}
		location = at
	}
	r, err := c.do(ledger.Request{Location: location, Command: cmd})
	if wire.CodeOf(err) == wire.Empty {
		return done(), nil
	}
	if err != nil {
		return nil, renamed(err, "line", "lines")
	}
	return oneTicket{http.StatusOK, r.Ticket.QueueTicket()}, nil
}

// simple carries a command out that needs its ticket and what was read before:
// what is wrong with that is said after a ticket that does not exist.
func (c *call) simple(build func(ticket.Ref) ticket.Command) (any, error) {
	t, err := c.ticket()
	if err := firstError(err, c.err); err != nil {
		return nil, err
	}
	if _, err := c.do(ledger.Request{Command: build(ticket.Ref{ID: ticket.TicketID(t.ID)})}); err != nil {
		return nil, err
	}
	return success(), nil
}

func recall(c *call) (any, error) {
	return c.simple(func(r ticket.Ref) ticket.Command { return ticket.Recall{Ref: r} })
}

func markServed(c *call) (any, error) {
	return c.simple(func(r ticket.Ref) ticket.Command { return ticket.Serve{Ref: r} })
}

func markNoShow(c *call) (any, error) {
	return c.simple(func(r ticket.Ref) ticket.Command { return ticket.MarkNoShow{Ref: r} })
}

// cancel is POST /v1/tickets/{id}/cancel; whoever cancels must be named.
func cancel(c *call) (any, error) {
	user := c.needID("user")
	return c.simple(func(r ticket.Ref) ticket.Command { return ticket.Cancel{Ref: r, User: user} })
}

// returnToQueue is POST /v1/tickets/{id}/returntoqueue.
func returnToQueue(c *call) (any, error) {
	user, position := c.needID("user"), c.required("position")
	return c.simple(func(r ticket.Ref) ticket.Command {
		return ticket.ReturnToQueue{Ref: r, Position: position, User: user}
	})
}

// forward is POST /v1/tickets/{id}/forward.
func forward(c *call) (any, error) {
	line, user := c.needID("line"), c.params.id("user")
	_, err := c.simple(func(r ticket.Ref) ticket.Command { return ticket.Forward{Ref: r, Line: line, User: user} })
	return done(), err
}

// reorder is POST /v1/tickets/{id}/reorder; without "after" to the front.
func reorder(c *call) (any, error) {
	after := c.ticketID("after")
	return c.simple(func(r ticket.Ref) ticket.Command { return ticket.Reorder{Ref: r, After: after} })
}

// assign is POST /v1/tickets/{id}/assign.
func assign(c *call) (any, error) {
	assigner, assignee := c.params.id("assigner"), c.needID("assignee")
	if c.err == nil && assigner == 0 && c.id.User == 0 {
		c.params.fail(badCode(codeBlank, "assigner", "assigner is required: the key belongs to no user"))
	}
	out, err := c.simple(func(r ticket.Ref) ticket.Command {
		return ticket.Assign{Ref: r, User: assignee, Assigner: assigner}
	})
	return out, renamed(err, "user", "assignee")
}

// unassign is POST /v1/tickets/{id}/unassign.
func unassign(c *call) (any, error) {
	return c.onBehalf(func(r ticket.Ref) ticket.Command { return ticket.Unassign{Ref: r} })
}

// onBehalf is simple for a user that the request may name.
func (c *call) onBehalf(build func(ticket.Ref) ticket.Command) (any, error) {
	_, err := c.behalf(build)
	if err != nil {
		return nil, err
	}
	return success(), nil
}

func (c *call) behalf(build func(ticket.Ref) ticket.Command) (ledger.Result, error) {
	t, err := c.ticket()
	if err != nil {
		return ledger.Result{}, err
	}
	user, err := c.acting(t.Location)
	if err := firstError(c.err, err); err != nil {
		return ledger.Result{}, err
	}
	return c.do(ledger.Request{Command: build(ticket.Ref{ID: ticket.TicketID(t.ID)}), Actor: ticket.Actor{User: user}})
}

// addLabel is POST /v1/tickets/{id}/labels/add.
func addLabel(c *call) (any, error) {
	value := c.required("value")
	r, err := c.behalf(func(r ticket.Ref) ticket.Command { return ticket.Label{Ref: r, Add: value} })
	if err != nil {
		return nil, err
	}
	if r.Unchanged {
		return result{http.StatusOK, "no action"}, nil
	}
	return success(), nil
}

// removeLabel is POST /v1/tickets/{id}/labels/remove.
func removeLabel(c *call) (any, error) {
	value := c.required("value")
	return c.onBehalf(func(r ticket.Ref) ticket.Command { return ticket.Label{Ref: r, Remove: value} })
}

// setLabels is PUT /v1/tickets/{id}/labels.
func setLabels(c *call) (any, error) {
	var labels []string
	if !c.decode("labels", &labels) {
		c.params.fail(badCode(codeBlank, "labels", "labels is required: a list of texts"))
	}
	return c.simple(func(r ticket.Ref) ticket.Command { return ticket.Label{Ref: r, Set: ticket.Some(labels)} })
}
