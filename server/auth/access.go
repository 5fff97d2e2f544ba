package auth

import (
	"errors"
	"strconv"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// scope is how far a right reaches.
type scope int

const (
	no       scope = iota // the zero value: what is not listed is denied
	own                   // the one ticket, or the one screen, that the identity is
	local                 // whatever is in the identity's locations
	localAdm              // the same, for administrators only
)

// rule is what each kind of identity may do with one thing.
type rule struct {
	display, visitor, staff, integrator, kiosk scope
}

func (r rule) of(k Kind) scope {
	switch k {
	case Display:
		return r.display
	case Visitor:
		return r.visitor
	case Staff:
		return r.staff
	case Integrator:
		return r.integrator
	case Kiosk:
		return r.kiosk
	}
	return no
}

// right is one row's name: a verb, and the kind of channel or the command's
// name. The two are apart, so that no command name can pass for a channel.
type right struct{ verb, thing string }

// The verbs of the table.
const (
	subscribeTo = "subscribe"
	signalOn    = "signal"
	receiptOn   = "receipt"
	give        = "command"
)

// rules is THE table: who may do what. A row says display, visitor, staff,
// integrator, kiosk. What has no row is denied to all.
func rules() map[right]rule {
	return map[right]rule{
		{subscribeTo, wire.BoardChannel}:   {local, no, local, local, local},
		{subscribeTo, wire.ConsoleChannel}: {no, no, local, local, no},
		{subscribeTo, wire.TicketChannel}:  {no, own, local, local, no},
		{subscribeTo, wire.DisplayChannel}: {own, no, local, no, own},

		{signalOn, wire.TicketChannel}:  {no, own, local, local, no},
		{signalOn, wire.ConsoleChannel}: {no, no, local, local, no},
		{receiptOn, wire.BoardChannel}:  {local, no, no, no, no},

		{give, "ticket.create"}:        {no, no, local, local, no},
		{give, "ticket.call"}:          {no, no, local, local, no},
		{give, "ticket.callNext"}:      {no, no, local, local, no},
		{give, "ticket.recall"}:        {no, no, local, local, no},
		{give, "ticket.serve"}:         {no, no, local, local, no},
		{give, "ticket.noShow"}:        {no, no, local, local, no},
		{give, "ticket.cancel"}:        {no, own, local, local, no},
		{give, "ticket.returnToQueue"}: {no, no, local, local, no},
		{give, "ticket.forward"}:       {no, no, local, local, no},
		{give, "ticket.reorder"}:       {no, no, local, local, no},
		{give, "ticket.assign"}:        {no, no, local, local, no},
		{give, "ticket.unassign"}:      {no, no, local, local, no},
		{give, "ticket.edit"}:          {no, no, local, local, no},
		{give, "ticket.label"}:         {no, no, local, local, no},
		{give, "ticket.external"}:      {no, no, local, local, no},
		{give, "ticket.field"}:         {no, no, local, local, no},
		{give, "ticket.answer"}:        {no, own, local, local, no},
		{give, "ticket.enqueue"}:       {no, own, local, local, no},
		{give, "ticket.erase"}:         {no, no, localAdm, local, no},
		{give, "message.send"}:         {no, own, local, local, no},
		{give, "message.read"}:         {no, own, local, local, no},
		{give, "note.add"}:             {no, no, local, local, no},
		{give, "conversation.state"}:   {no, no, local, local, no},
		{give, "conversation.owner"}:   {no, no, local, local, no},
		{give, "conversation.tag"}:     {no, no, local, local, no},

		{give, "conversation.participant"}: {no, no, local, local, no},
		{give, "user.select"}:              {no, no, local, local, no},
		{give, "line.waitOverride"}:        {no, no, local, local, no},
	}
}

// withoutTicket names the commands that are about no ticket yet.
func withoutTicket(name string) bool {
	return name == "ticket.create" || name == "ticket.callNext" || name == "user.select" || name == "line.waitOverride"
}

// Locator knows where things are.
type Locator interface {
	// TicketLocation is a ticket's location, or store.ErrNotFound.
	TicketLocation(ticket int64) (int, error)
	// DisplayLocation is a screen's location, or store.ErrNotFound.
	DisplayLocation(display int) (int, error)
}

// Access decides every subscription and every command by one table; what the
// table does not list is denied.
type Access struct {
	rules map[right]rule
	where Locator
	audit Auditor
	now   func() time.Time
}

// NewAccess makes an Access. audit gets the denials; nil drops them.
func NewAccess(where Locator, audit Auditor, now func() time.Time) *Access {
	if audit == nil {
		audit = AuditorFunc(func(Entry) {})
	}
	return &Access{rules: rules(), where: where, audit: audit, now: now}
}

// Channel says whether an identity may subscribe to a channel. Channels of
// tickets and screens that do not exist, and those that somebody else may see,
// are one and the same not_found.
func (t *Access) Channel(id Identity, ch wire.Channel) error {
	return t.note(id, subscribeTo+" "+ch.String(), t.onChannel(id, subscribeTo, ch))
}

// Signal says whether an identity may signal on a channel.
func (t *Access) Signal(id Identity, ch wire.Channel) error {
	return t.note(id, signalOn+" "+ch.String(), t.onChannel(id, signalOn, ch))
}

// Receipt says whether an identity may send receipts for a channel.
func (t *Access) Receipt(id Identity, ch wire.Channel) error {
	return t.note(id, receiptOn+" "+ch.String(), t.onChannel(id, receiptOn, ch))
}

// Command says whether an identity may give a command: about a ticket, or, with
// ticket 0, in a location. With a ticket, its own location counts and the given
// one is not looked at.
func (t *Access) Command(id Identity, name string, location int, ticket int64) error {
	return t.note(id, name, t.command(id, name, location, ticket))
}

// Admin says whether an identity may change a location's settings: lines,
// desks, screens. Location 0 is the account itself: users, keys, locations.
func (t *Access) Admin(id Identity, location int) error {
	ok := id.Admin && (id.Kind == Staff || id.Kind == Integrator) &&
		(id.Everywhere || location != 0 && id.In(location))
	if ok {
		return nil
	}
	return t.note(id, "admin", forbidden("settings are for administrators"))
}

func (t *Access) command(id Identity, name string, location int, ticket int64) error {
	s := t.rules[right{give, name}].of(id.Kind)
	switch {
	case s == no:
		return forbidden("not allowed to give this command")
	case withoutTicket(name):
		return t.at(id, s, location)
	case ticket <= 0:
		return wire.FieldError("ticket", "is needed")
	}
	return t.ticket(id, s, ticket)
}

func (t *Access) onChannel(id Identity, verb string, ch wire.Channel) error {
	s := t.rules[right{verb, ch.Kind}].of(id.Kind)
	if s == no {
		return forbidden("not allowed on this channel")
	}
	switch ch.Kind {
	case wire.TicketChannel:
		return t.ticket(id, s, ch.ID)
	case wire.DisplayChannel:
		return t.display(id, s, ch.ID)
	default:
		return t.at(id, s, int(ch.ID))
	}
}

// at decides about a location. Whether it exists is not told: not being in it
// is the same refusal.
func (t *Access) at(id Identity, s scope, location int) error {
	if location <= 0 {
		return wire.FieldError("location", "is needed")
	}
	switch {
	case s == local && id.In(location), s == localAdm && id.In(location) && id.Admin:
		return nil
	case s == localAdm && id.In(location):
		return forbidden("for administrators")
	}
	return forbidden("not allowed in this location")
}

func (t *Access) ticket(id Identity, s scope, ticket int64) error {
	unknown := wire.Errorf(wire.NotFound, "no such ticket")
	if s == own {
		if id.Ticket != 0 && id.Ticket == ticket {
			return nil
		}
		return unknown
	}
	location, err := t.where.TicketLocation(ticket)
	return t.found(id, s, location, err, unknown)
}

func (t *Access) display(id Identity, s scope, display int64) error {
	unknown := wire.Errorf(wire.NotFound, "no such display")
	if s == own {
		if id.Display != 0 && int64(id.Display) == display {
			return nil
		}
		return unknown
	}
	location, err := t.where.DisplayLocation(int(display))
	return t.found(id, s, location, err, unknown)
}

// found decides about a thing by where it is. unknown is the one answer for
// what is not there and for what is elsewhere.
func (t *Access) found(id Identity, s scope, location int, err error, unknown *wire.Error) error {
	switch {
	case errors.Is(err, store.ErrNotFound), err != nil && wire.CodeOf(err) == wire.NotFound:
		return unknown
	case err != nil:
		return err
	case location <= 0 || !id.In(location):
		return unknown
	}
	return t.at(id, s, location)
}

// note audits a refusal and passes it on.
func (t *Access) note(id Identity, on string, err error) error {
	if err != nil {
		on = on[:min(len(on), maxAudited)] // a command's name comes from outside
		t.audit.Audit(Entry{Time: t.now(), Action: AuditDeny, Who: who(id), On: on, Result: string(wire.CodeOf(err))})
	}
	return err
}

// maxAudited bounds what an audit entry repeats of somebody's input.
const maxAudited = 64

func who(id Identity) string {
	if id.Credential == "" {
		return "nobody"
	}
	if id.User != 0 && id.Kind == Integrator {
		return id.Credential + " as user:" + strconv.Itoa(id.User)
	}
	return id.Credential
}

func forbidden(message string) *wire.Error { return wire.Errorf(wire.Forbidden, "%s", message) }
