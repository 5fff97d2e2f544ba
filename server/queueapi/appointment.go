package queueapi

import (
	"fmt"
	"net/http"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// appointmentRoutes are the operations of section 5.6. The router cannot tell
// /auto-assign from /:id, so the operation does.
func appointmentRoutes() []route {
	checkIn := func(r ticket.Ref) ticket.Command { return ticket.CheckIn{Ref: r} }
	cancelled := func(r ticket.Ref) ticket.Command { return ticket.CancelAppointment{Ref: r} }
	missed := func(r ticket.Ref) ticket.Command { return ticket.MissAppointment{Ref: r} }
	return []route{
		{method: "POST", path: "/v1/appointments", do: schedule, v2: true},
		{method: "POST", path: "/v1/appointments/:id", do: scheduleAny, v2: true},
		{method: "PATCH", path: "/v1/appointments/:id", do: reschedule, v2: true},
		{method: "POST", path: "/v1/appointments/:id/cancel", do: endAppointment(cancelled), v2: true},
		{method: "POST", path: "/v1/appointments/:id/checkin", do: endAppointment(checkIn), v2: true},
		{method: "POST", path: "/v1/appointments/:id/marknoshow", do: endAppointment(missed), v2: true},
	}
}

// schedule is POST /v1/appointments.
func schedule(c *call) (any, error) { return c.schedule(c.needID("assigneeId")) }

// scheduleAny is POST /v1/appointments/auto-assign.
func scheduleAny(c *call) (any, error) {
	if c.path.ByName("id") != "auto-assign" {
		return nil, &fault{status: http.StatusMethodNotAllowed, message: "this path does not take this method"}
	}
	return c.schedule(0)
}

func (c *call) schedule(assignee int) (any, error) {
	c.need("lineId", "firstName", "startTime", "endTime")
	cmd := ticket.Schedule{Start: c.instant("startTime"), End: c.instant("endTime"), Assignee: assignee}
	var err error
	var location int
	if cmd.Create, location, err = c.newcomer(); err != nil {
		return nil, err
	}
	return c.createdTicket(ledger.Request{Location: location, Command: cmd})
}

// reschedule is PATCH /v1/appointments/{ticketId}.
func reschedule(c *call) (any, error) {
	return c.appointment(func(r ticket.Ref) ticket.Command {
		cmd := ticket.Reschedule{Ref: r}
		if c.has("startTime") {
			cmd.Start = ticket.Some(c.instant("startTime"))
		}
		if c.has("endTime") {
			cmd.End = ticket.Some(c.instant("endTime"))
		}
		if c.has("assigneeId") {
			cmd.Assignee = ticket.Some(c.params.id("assigneeId"))
		}
		return cmd
	})
}

func endAppointment(build func(ticket.Ref) ticket.Command) operation {
	return func(c *call) (any, error) { return c.appointment(build) }
}

// appointment changes the appointment of the path. One that is over, or never
// was one, is a bad request here: that is what this API promises.
func (c *call) appointment(build func(ticket.Ref) ticket.Command) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	cmd := build(ticket.Ref{ID: ticket.TicketID(t.ID)})
	if c.err != nil {
		return nil, c.err
	}
	if _, err := c.do(ledger.Request{Command: cmd}); err != nil {
		f := *asFault(err)
		if f.status == http.StatusConflict && f.param == "" {
			return nil, bad("id", fmt.Sprintf("Ticket with id %d is not an appointment that is to come", t.ID))
		}
		return nil, renamed(err, "assignee", "assigneeId")
	}
	return answer{status: http.StatusOK}, nil
}
