package queueapi

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// The first answers' shapes of version 1. StatusCode comes first as in the
// vendor's own answers.
type (
	plain struct {
		StatusCode int `json:"statusCode"`
	}
	result struct {
		StatusCode int    `json:"statusCode"`
		Result     string `json:"result"`
	}
	created struct {
		StatusCode int    `json:"statusCode"`
		ID         string `json:"id"`
	}
	createdJSON struct {
		ID       string `json:"id"`
		PublicID string `json:"publicId,omitempty"`
	}
)

func done() plain     { return plain{http.StatusOK} }
func success() result { return result{http.StatusOK, "success"} }

func noTicket(id int64) *fault {
	return notFound("id", fmt.Sprintf("Ticket with id %d not found", id))
}

func noLine(param string, id int) *fault {
	return notFound(param, fmt.Sprintf("Line with id %d not found", id))
}

func noUser(param string, id int) *fault {
	return notFound(param, fmt.Sprintf("User with id %d not found", id))
}

// ticketRef is the ticket of the path as commands name it. Nothing but digits
// can be a ticket, and what is not one is simply not found.
func (c *call) ticketRef() (ticket.Ref, error) {
	id, ok := parseID(c.path.ByName("id"))
	if !ok {
		return ticket.Ref{}, notFound("id", "Ticket with id "+clip(c.path.ByName("id"))+" not found")
	}
	return ticket.Ref{ID: ticket.TicketID(id)}, nil
}

// clip bounds what an answer repeats of somebody's input.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// ticket is the ticket of the path, if the key may know of it. A conversation
// that has joined no line is none of this API's tickets.
func (c *call) ticket() (*ticket.Ticket, error) {
	ref, err := c.ticketRef()
	if err != nil {
		return nil, err
	}
	return c.visible(ref.TicketID())
}

func (c *call) visible(id int64) (*ticket.Ticket, error) {
	t, err := c.Ledger.Ticket(id)
	if wire.CodeOf(err) == wire.NotFound || err == nil && (t.Place.Status == ticket.Unplaced || !c.id.In(t.Location)) {
		return nil, noTicket(id)
	}
	return t, err
}

// lineLocation is where a line is, among the locations of the key. Removed lines
// count only when asked for: their tickets can still be searched.
func (c *call) lineLocation(param string, id int, removed bool) (int, error) {
	for _, location := range c.Ledger.Locations() {
		found := false
		if c.id.In(location) {
			c.Ledger.View(location, func(s *ticket.State) {
				l := s.Lines[id]
				found = l != nil && (removed || !l.Removed)
			})
		}
		if found {
			return location, nil
		}
	}
	return 0, noLine(param, id)
}

// acting is the user that a request names with "user": whoever it is done for.
// 0 when it names nobody.
func (c *call) acting(location int) (int, error) {
	user := c.params.id("user")
	if user == 0 || c.err != nil {
		return 0, c.err
	}
	return user, c.worksIn("user", user, location)
}

// worksIn checks that a user works in a location.
func (c *call) worksIn(param string, user, location int) error {
	found := false
	c.Ledger.View(location, func(s *ticket.State) {
		u := s.Users[user]
		found = u != nil && !u.Removed
	})
	if !found {
		return noUser(param, user)
	}
	return nil
}

// extraParam reads the "extra" of a form: JSON in a text.
func (p *params) extraParam() []ticket.Extra {
	var in []struct {
		Title looseText `json:"title"`
		Value looseText `json:"value"`
		URL   looseText `json:"url"`
		Color looseText `json:"color"`
	}
	p.decode("extra", &in)
	out := make([]ticket.Extra, 0, len(in))
	for _, x := range in {
		out = append(out, ticket.Extra{Title: string(x.Title), Value: string(x.Value), URL: string(x.URL), Color: string(x.Color)})
	}
	return out
}

// createForm is POST /v1/lines/{id}/ticket.
func createForm(c *call) (any, error) {
	line, ok := smallID(c.path.ByName("id"))
	if !ok {
		return nil, notFound("id", "Line with id "+clip(c.path.ByName("id"))+" not found")
	}
	cmd := ticket.Create{
		Line: line, FirstName: c.text("firstName"), LastName: c.text("lastName"), PhoneNumber: c.digits("phoneNumber"),
		Email: c.text("email"), Source: c.text("source"), Extra: c.extraParam(),
	}
	if c.err != nil {
		return nil, c.err
	}
	location, err := c.lineLocation("id", line, false)
	if err != nil {
		return nil, err
	}
	r, err := c.do(ledger.Request{Location: location, Command: cmd})
	if err != nil {
		return nil, renamed(err, "line", "id")
	}
	return created{http.StatusOK, strconv.FormatInt(r.Ticket.ID, 10)}, nil
}

// editForm is POST /v1/tickets/{id}/edit: only what is given changes, and an
// empty value or null clears.
func editForm(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	cmd := ticket.Edit{
		Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}, FirstName: c.clearable("firstName"), LastName: c.clearable("lastName"),
		PhoneNumber: c.clearable("phoneNumber"), Email: c.clearable("email"),
	}
	if c.has("extra") || c.cleared("extra") {
		cmd.Extra = ticket.Some(c.extraParam())
	}
	if line := c.params.id("line"); line != 0 {
		cmd.Line = ticket.Some(line)
	}
	user, err := c.acting(t.Location)
	if c.err != nil || err != nil {
		return nil, firstError(c.err, err)
	}
	if _, err = c.do(ledger.Request{Command: cmd, Actor: ticket.Actor{User: user}}); err != nil {
		return nil, err
	}
	return success(), nil
}

// clearable is a text that is absent, cleared or given.
func (p *params) clearable(name string) ticket.Opt[string] {
	switch {
	case p.has(name):
		return ticket.Some(p.digits(name))
	case p.cleared(name):
		return ticket.Some("")
	}
	return ticket.Opt[string]{}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// getTickets tells the words that stand where an id stands from ids.
func getTickets(c *call) (any, error) {
	switch c.path.ByName("id") {
	case "search":
		return search(c)
	case "count":
		return count(c)
	}
	return details(c)
}

func postTickets(c *call) (any, error) {
	switch c.path.ByName("id") {
	case "call":
		return callNext(c)
	case "count":
		return count(c)
	}
	return nil, &fault{status: http.StatusMethodNotAllowed, message: "this path does not take this method"}
}

// details is GET /v1/tickets/{id}.
func details(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	s := c.scopes()
	if c.err != nil {
		return nil, c.err
	}
	shown, err := c.render([]*ticket.Ticket{t}, s)
	if err != nil {
		return nil, err
	}
	return oneTicket{http.StatusOK, shown[0]}, nil
}
