package queueapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// person reads and checks what identifies a visitor, as version 2 promises it.
func (p *params) person() (first, last, phone, email, language ticket.Opt[string]) {
	first = p.optional("firstName", 50)
	last, email, language = p.optional("lastName", 50), p.optional("email", 100), p.optional("languageCode", 5)
	phone = p.clearable("phoneNumber")
	if phone.Value != "" && !phonePattern.MatchString(phone.Value) {
		p.fail(bad("phoneNumber", "phoneNumber has 5 to 20 digits and an optional leading +"))
	}
	if email.Value != "" && !emailPattern.MatchString(email.Value) {
		p.fail(bad("email", "email is not an e-mail address"))
	}
	if language.Value != "" {
		p.within("languageCode", language.Value, 2, 5)
		base, _, _ := strings.Cut(language.Value, "-")
		if p.err == nil && !knownLanguage(strings.ToLower(base)) {
			p.fail(notFound("languageCode", "languageCode "+clip(language.Value)+" is not a known language"))
		}
	}
	return first, last, phone, email, language
}

// optional is a text that is absent, null or given, of a bounded length.
func (p *params) optional(name string, most int) ticket.Opt[string] {
	o := p.clearable(name)
	o.Value = p.within(name, o.Value, 0, most)
	return o
}

// firstNameSize checks the one member that is always needed.
func (p *params) firstNameSize(first ticket.Opt[string]) {
	if p.err != nil {
		return
	}
	if strings.TrimSpace(first.Value) == "" {
		p.fail(badCode(codeBlank, "firstName", "First name must not be empty or blank"))
		return
	}
	p.within("firstName", first.Value, 2, 50)
}

// createJSON is POST /tickets.
func createJSON(c *call) (any, error) {
	cmd, location, err := c.newcomer()
	if err != nil {
		return nil, err
	}
	return c.createdTicket(ledger.Request{Location: location, Command: cmd})
}

// newcomer reads who comes and where to.
func (c *call) newcomer() (cmd ticket.Create, location int, err error) {
	line := c.needID("lineId")
	first, last, phone, email, language := c.person()
	c.firstNameSize(first)
	cmd = ticket.Create{
		Line: line, FirstName: first.Value, LastName: last.Value, PhoneNumber: phone.Value, Email: email.Value,
		Language: language.Value, Source: c.text("source"), Labels: c.labelObjects(),
	}
	values := c.fieldValues()
	if c.err != nil {
		return cmd, 0, c.err
	}
	if location, err = c.lineLocation("lineId", line, false); err != nil {
		return cmd, 0, err
	}
	return cmd, location, c.fill(location, values, &cmd)
}

func (c *call) createdTicket(r ledger.Request) (any, error) {
	out, err := c.do(r)
	if err != nil {
		return nil, renamed(err, "line", "lineId", "extra", "fields", "assignee", "assigneeId")
	}
	return answer{http.StatusCreated, createdJSON{strconv.FormatInt(out.Ticket.ID, 10), out.Ticket.Place.PublicID}}, nil
}

// labelObjects reads [{value}].
func (p *params) labelObjects() []string {
	var in []struct {
		Value *string `json:"value"`
	}
	p.decode("labels", &in)
	var out []string
	for _, l := range in {
		if l.Value == nil || strings.TrimSpace(*l.Value) == "" {
			p.fail(badCode(codeBlank, "labels", "labels must not be blank"))
			return nil
		}
		out = append(out, *l.Value)
	}
	return out
}

// editJSON is PATCH /tickets/{id}.
func editJSON(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	cmd := ticket.Edit{Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}}
	cmd.FirstName, cmd.LastName, cmd.PhoneNumber, cmd.Email, cmd.Language = c.person()
	if cmd.FirstName.Set {
		c.firstNameSize(cmd.FirstName)
	}
	if cmd.Language.Set && cmd.Language.Value == "" {
		c.params.fail(bad("languageCode", "languageCode cannot be cleared"))
	}
	if c.has("line") {
		cmd.Line = ticket.Some(c.params.id("line"))
	} else if c.cleared("line") {
		c.params.fail(bad("line", "line cannot be cleared"))
	}
	if c.err != nil {
		return nil, c.err
	}
	if _, err := c.do(ledger.Request{Command: cmd}); err != nil {
		return nil, err
	}
	return answer{status: http.StatusOK}, nil
}
