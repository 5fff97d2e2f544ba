package node

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/outbox/sms"
	"github.com/nowserving/nowserving/server/session"
	"github.com/nowserving/nowserving/store"
)

// gate is the socket's door: it turns frames into the same commands that the
// HTTP doors build, behind the same check.
type gate struct {
	ledger *ledger.Ledger
	hub    *hub.Hub
	auth   *auth.Authenticator
	access *auth.Access

	screens *hubapi.Screens
	// people is there before the first session; visitors limits their commands.
	people   func() *hubapi.People
	visitors *limit.Buckets
	texts    sms.Gateway
}

// Handshake implements session.Gate.
func (g *gate) Handshake(r *http.Request) (auth.Identity, bool, error) {
	id, found, err := g.auth.Bearer(r)
	if found || err != nil {
		return id, found, err
	}
	return g.auth.Cookie(r)
}

// Token implements session.Gate.
func (g *gate) Token(_ context.Context, token string, _ *http.Request) (auth.Identity, error) {
	return g.auth.Token(token)
}

// Recheck implements session.Gate.
func (g *gate) Recheck(id auth.Identity) (auth.Identity, error) { return g.auth.Recheck(id) }

// Channel implements session.Gate.
func (g *gate) Channel(id auth.Identity, ch wire.Channel) (hub.Audience, error) {
	if err := g.access.Channel(id, ch); err != nil {
		return "", err
	}
	return audience(id, ch), nil
}

// audience is the projection an identity reads a channel in. Integrators see
// what staff sees; a board looks the same to everybody.
func audience(id auth.Identity, ch wire.Channel) hub.Audience {
	switch {
	case ch.Kind == wire.BoardChannel || id.Kind == auth.Display || id.Kind == auth.Kiosk:
		return hub.Display
	case id.Kind == auth.Visitor:
		return hub.Visitor
	}
	return hub.Staff
}

// Commands implements session.Gate.
func (g *gate) Commands(ctx context.Context, id auth.Identity, c wire.Command) (wire.CommandReply, error) {
	g.auth.Active(id) // who works is not signed out for idleness
	if err := g.afford(id); err != nil {
		return wire.CommandReply{}, err
	}
	if c.Name == displayReport {
		return wire.CommandReply{}, g.report(id, c.Params)
	}
	command, err := ticket.ParseCommand(c.Name, c.Params)
	if err != nil {
		return wire.CommandReply{}, err
	}
	var ticketID int64
	location := 0
	if on, ok := command.(ticket.OnTicket); ok {
		ticketID = on.TicketID()
	} else if location, err = g.location(id, c, command); err != nil {
		return wire.CommandReply{}, err
	}
	if err := g.access.Command(id, c.Name, location, ticketID); err != nil {
		return wire.CommandReply{}, err
	}
	if c, ok := command.(ticket.Select); ok && c.User != 0 && c.User != id.User && !id.Admin {
		return wire.CommandReply{}, wire.Errorf(wire.Forbidden, "a clerk chooses a desk and lines only for themselves")
	}
	if command, err = g.attach(command); err != nil {
		return wire.CommandReply{}, err
	}
	command, docs, err := g.outgoing(id, command)
	if err != nil {
		return wire.CommandReply{}, err
	}
	res, err := g.ledger.Do(ctx, ledger.Request{
		Location: location, Command: command, Actor: Actor(id), Key: scoped(id, c.Key, command), Docs: docs,
	})
	if err != nil {
		return wire.CommandReply{}, err
	}
	if len(docs) > 0 {
		g.texts.Wake(ticketID)
	}
	return g.reply(id, res)
}

// outgoing sends what staff writes to the customer's phone, where the conversation
// is held on one.
func (g *gate) outgoing(id auth.Identity, c ticket.Command) (ticket.Command, []store.Doc, error) {
	m, ok := c.(ticket.SendMessage)
	if !ok || id.Kind == auth.Visitor || g.texts == nil {
		return c, nil, nil
	}
	t, err := g.ledger.Ticket(m.TicketID())
	if err != nil {
		return nil, nil, err
	}
	docs := sms.Outgoing(g.texts, t, &m)
	return m, docs, nil
}

// Actor is an identity as the journal keeps it.
func Actor(id auth.Identity) ticket.Actor {
	return ticket.Actor{Kind: string(id.Kind), User: id.User, Credential: id.Credential}
}

// scoped keeps one caller's keys apart from another's. A message's own client id
// is a key as well: sending it again is harmless even without one.
func scoped(id auth.Identity, key string, c ticket.Command) string {
	if m, ok := c.(ticket.SendMessage); ok && key == "" && m.ClientID != "" {
		key = "message\x00" + m.ClientID
	}
	if key == "" {
		return ""
	}
	return id.Credential + "\x00" + key
}

// location is where a command that names no ticket happens.
func (g *gate) location(id auth.Identity, c wire.Command, command ticket.Command) (int, error) {
	if c.Location > 0 {
		return c.Location, nil
	}
	var line int
	switch x := command.(type) {
	case ticket.Create:
		line = x.Line
	case ticket.CallNext:
		if len(x.Lines) == 0 {
			return 0, wire.FieldError("lines", "at least one line")
		}
		line = x.Lines[0]
	case ticket.OverrideWait:
		line = x.Line
	}
	if line > 0 {
		return g.ledger.LineLocation(line)
	}
	if !id.Everywhere && len(id.Locations) == 1 {
		return id.Locations[0], nil
	}
	if all := g.ledger.Locations(); len(all) == 1 {
		return all[0], nil
	}
	return 0, wire.FieldError("location", "in which location?")
}

// reply shows a command's ticket to whoever gave it, in their projection.
func (g *gate) reply(id auth.Identity, res ledger.Result) (wire.CommandReply, error) {
	reply := wire.CommandReply{Offset: res.Offset}
	if res.Ticket == nil {
		return reply, nil
	}
	var err error
	g.ledger.View(res.Location, func(s *ticket.State) {
		if id.Kind == auth.Visitor {
			reply.Ticket, err = json.Marshal(s.VisitorTicket(res.Ticket))
		} else {
			reply.Ticket, err = json.Marshal(s.StaffTicket(res.Ticket))
		}
	})
	return reply, err
}

// Receipt implements session.Gate: consoles are told what a screen has shown.
func (g *gate) Receipt(id auth.Identity, r wire.Receipt) error {
	ch, bad := wire.ParseChannel(r.Channel)
	if bad != nil {
		return bad
	}
	if err := g.access.Receipt(id, ch); err != nil {
		return err
	}
	name := ""
	g.ledger.View(int(ch.ID), func(s *ticket.State) {
		if d := s.Displays[id.Display]; d != nil {
			name = d.Name
		}
	})
	data, err := json.Marshal(struct {
		Display int    `json:"display"`
		Name    string `json:"name"`
		Offset  uint64 `json:"offset"`
		Painted bool   `json:"painted"`
		Spoken  bool   `json:"spoken"`
	}{id.Display, name, r.Offset, r.Painted, r.Spoken})
	if err != nil {
		return err
	}
	g.hub.Emit(wire.Channel{Kind: wire.ConsoleChannel, ID: ch.ID}, "receipt", data, nil)
	return nil
}

// Signal implements session.Gate.
func (g *gate) Signal(id auth.Identity, ch wire.Channel, name string) error {
	if !signalName(name) {
		return wire.FieldError("name", "a signal's name has 1 to 32 letters")
	}
	return g.access.Signal(id, ch)
}

// UserName implements session.Gate.
func (g *gate) UserName(id auth.Identity) string {
	name := ""
	g.ledger.View(ledger.Directory, func(s *ticket.State) {
		if u := s.Users[id.User]; u != nil && !u.Removed {
			name = u.Name()
		}
	})
	return name
}

func signalName(name string) bool {
	return len(name) > 0 && len(name) <= 32 && strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.' && r != '_'
	}) < 0
}

// where tells auth in which location things are.
type where struct{ ledger *ledger.Ledger }

// TicketLocation implements auth.Locator.
func (w where) TicketLocation(id int64) (int, error) { return located(w.ledger.Locate(id)) }

// DisplayLocation implements auth.Locator.
func (w where) DisplayLocation(id int) (int, error) { return located(w.ledger.DisplayLocation(id)) }

func located(location int, err error) (int, error) {
	var e *wire.Error
	if errors.As(err, &e) && e.Code == wire.NotFound {
		return 0, store.ErrNotFound
	}
	return location, err
}

// directory tells auth about users.
type directory struct{ ledger *ledger.Ledger }

// User implements auth.Directory.
func (d directory) User(id int) (user auth.User, ok bool) {
	d.ledger.View(ledger.Directory, func(s *ticket.State) {
		if u := s.Users[id]; u != nil && !u.Removed {
			user, ok = known(u), true
		}
	})
	return user, ok
}

// UserByEmail implements auth.Directory.
func (d directory) UserByEmail(email string) (user auth.User, ok bool) {
	d.ledger.View(ledger.Directory, func(s *ticket.State) {
		for _, u := range s.Users {
			if !u.Removed && strings.EqualFold(u.Email, email) {
				user, ok = known(u), true
			}
		}
	})
	return user, ok
}

func known(u *ticket.User) auth.User {
	out := auth.User{
		ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Admin: u.Admin(), Everywhere: u.Everywhere(),
	}
	for _, r := range u.Roles {
		if r.Location != 0 {
			out.Locations = append(out.Locations, r.Location)
		}
	}
	return out
}

var (
	_ session.Gate   = (*gate)(nil)
	_ auth.Locator   = where{}
	_ auth.Directory = directory{}
)
