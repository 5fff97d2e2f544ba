package hubapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

// Admin is what the administration's doors need beside the rest.
type Admin struct {
	Clock func() time.Time
	// Base is how browsers reach this server, for links that are handed out.
	Base string
	// Log is the audit log.
	Log AuditLog
	// Hooks are the deliveries to other systems.
	Hooks Hooks
	// Departments is the conversation API's side; nil where there is none.
	Departments Departments
}

// AuditLog keeps what was done; *auth.Log does.
type AuditLog interface {
	auth.Auditor
	Page(ctx context.Context, before uint64, limit int) ([]auth.Logged, error)
}

func (a *API) registerAdmin(r *httprouter.Router) {
	if a.o.Admin == nil {
		return
	}
	a.registerPlace(r)
	a.registerFields(r)
	a.registerUsers(r)
	a.registerKeys(r)
	a.registerHooks(r)
	a.registerDepartments(r)
	a.registerMedia(r)
	r.GET("/hub/v1/audit", a.admin(0, (*adminCall).auditLog))
}

// adminCall is one request of an administrator, who was asked for already.
type adminCall struct {
	*API
	r  *http.Request
	p  httprouter.Params
	id auth.Identity
	// location is that of the path; 0 for the account itself.
	location int
	// status is that of the answer, 200 unless it is set.
	status int
}

// where an administration's door stands: over one location, or the account.
type adminScope int

// inLocation doors have their location in the path.
const inLocation adminScope = 1

// admin makes a door of an operation. It is the only way to one: nobody gets past
// it who is not a signed-in administrator of the location, or of the account.
func (a *API) admin(s adminScope, do func(*adminCall) (any, error)) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
		c := &adminCall{API: a, r: r, p: p, status: http.StatusOK}
		body, err := c.run(s, do)
		if err != nil {
			ops.WriteError(w, r, err)
			return
		}
		answer(w, c.status, body)
	}
}

func (c *adminCall) run(s adminScope, do func(*adminCall) (any, error)) (any, error) {
	var err error
	if c.id, err = c.staff(c.r); err != nil {
		return nil, err
	}
	if c.id.Kind != auth.Staff { // keys have the APIs, and must not make more keys
		return nil, wire.Errorf(wire.Forbidden, "this is for people who are signed in")
	}
	if s == inLocation {
		if c.location = number(c.p, "location"); c.location == 0 {
			return nil, wire.Errorf(wire.NotFound, "there is no such location")
		}
	}
	if err := c.o.Access.Admin(c.id, c.location); err != nil {
		return nil, err
	}
	if c.location != 0 && !c.o.Ledger.View(c.location, func(*ticket.State) {}) {
		return nil, wire.Errorf(wire.NotFound, "Location with id %d not found", c.location)
	}
	return do(c)
}

// read reads the body; what no form of this door has is refused, so that nothing
// misspelt is silently ignored.
func (c *adminCall) read(to any) error {
	err := ops.ReadJSON(c.r, to)
	var e *wire.Error
	if errors.As(err, &e) {
		e.Field = asSent(to, e.Field)
	}
	return err
}

// asSent is a member's name as it was sent: a form that is made of others has
// their names before it, which mean nothing to whoever filled it in.
func asSent(form any, field string) string {
	first, rest, _ := strings.Cut(field, ".")
	if part, ok := reflect.TypeOf(form).Elem().FieldByName(first); ok && part.Anonymous && rest != "" {
		return rest
	}
	return field
}

// do gives a command to a location's journal, or with Directory to the account's.
func (c *adminCall) do(journal int, cmd ticket.Command) (ledger.Result, error) {
	return c.o.Ledger.Do(c.r.Context(), ledger.Request{
		Location: journal, Actor: actor(c.id), Command: cmd, Key: c.key(),
	})
}

// key makes a repeated creation happen once.
func (c *adminCall) key() string {
	key := c.r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > maxKey {
		return ""
	}
	return c.id.Credential + " " + c.r.Method + " " + c.r.URL.Path + " " + key
}

// maxKey is what an idempotency key may be long.
const maxKey = 100

// note writes down what no journal tells of.
func (c *adminCall) note(what string) { c.API.note(c.r, c.id, what) }

// note writes down that somebody changed what no journal tells of.
func (a *API) note(r *http.Request, id auth.Identity, what string) {
	if a.o.Admin == nil {
		return
	}
	a.o.Admin.Log.Audit(auth.Entry{
		Time: a.o.Admin.Clock(), Action: auth.AuditChange, Who: id.Credential, On: what, From: a.o.ClientIP(r), Result: "ok",
	})
}

// view reads the state of the location.
func (c *adminCall) view(f func(*ticket.State)) { c.o.Ledger.View(c.location, f) }

// versionOf tells a thing from the same thing changed.
func versionOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // unreachable: these are our own plain structs
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// unchanged guards a command: it is refused when the thing is no longer what its
// giver has seen. Without a version, whatever is there is replaced.
func unchanged(cmd ticket.Command, seen string, now func(*ticket.State) any) ticket.Command {
	if seen == "" {
		return cmd
	}
	return ticket.Guarded{Command: cmd, Holds: func(s *ticket.State) error {
		if versionOf(now(s)) != seen {
			return &wire.Error{Code: wire.Conflict, Field: "version", Message: "somebody else has changed this meanwhile; load it again"}
		}
		return nil
	}}
}

// versioned is a thing with its version beside its own members.
func versioned(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(text[:len(text)-1], []byte(`,"version":"`+versionOf(v)+`"}`)...), nil
}

// auditLog is GET /hub/v1/audit?before=&limit=.
func (c *adminCall) auditLog() (any, error) {
	before, err := c.amount("before", 0, 1<<53)
	if err != nil {
		return nil, err
	}
	limit, err := c.amount("limit", 50, 200)
	if err != nil {
		return nil, err
	}
	entries, err := c.o.Admin.Log.Page(c.r.Context(), uint64(before), int(limit))
	if err != nil {
		return nil, err
	}
	return map[string]any{"entries": entries}, nil
}
