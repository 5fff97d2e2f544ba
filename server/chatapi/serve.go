package chatapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
)

// call is one request on its way through an operation.
type call struct {
	*API
	w    http.ResponseWriter
	r    *http.Request
	id   auth.Identity
	arg  string // the id of the path
	loc  int    // the department's location
	guid string // and its GUID
	q    query
	body []byte
	err  error // the first thing that is wrong with what was given
}

// typed is an answer that is not JSON.
type typed struct {
	contentType string
	body        []byte
}

// onceHeader carries a key that makes a retry harmless.
const onceHeader = "Idempotency-Key"

// ServeHTTP answers every path that Owns says yes to.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p := strings.ToLower(r.URL.Path); {
	case strings.HasPrefix(p, filePrefix):
		a.serveFile(w, r)
		return
	case strings.HasPrefix(p, pagePrefix):
		a.servePage(w, r)
		return
	}
	c := &call{API: a, w: w, r: r}
	body, err := c.run()
	if err != nil {
		c.fail(err)
		return
	}
	c.send(body)
}

func (c *call) run() (any, error) {
	name, arg, ok := split(c.r.URL.Path)
	op, known := c.table[c.r.Method+" "+name]
	if !ok || !known || op.id != (arg != "") {
		return nil, c.nothingHere(name, arg)
	}
	c.arg = arg
	var err error
	if c.q, err = readQuery(c.r.URL.RawQuery); err != nil {
		return nil, err
	}
	if err := c.admit(op, name); err != nil {
		return nil, err
	}
	if !op.raw {
		if c.body, err = c.readBody(); err != nil {
			return nil, err
		}
	}
	return op.do(c)
}

// nothingHere says what is wrong with a path or its method.
func (c *call) nothingHere(name, arg string) error {
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		op, known := c.table[method+" "+name]
		switch {
		case known && method == c.r.Method && op.id && arg == "":
			return wire.FieldError("id", "id is missing at the end of the path")
		case known && method != c.r.Method && op.id == (arg != ""):
			c.w.Header().Set("Allow", method)
			return errMethod
		}
	}
	return wire.Errorf(wire.NotFound, "there is nothing at this path")
}

var errMethod = wire.Errorf(wire.BadRequest, "this path does not take this method")

// admit checks the token, its rate and its rights.
func (c *call) admit(op route, name string) error {
	group, _, _ := strings.Cut(name, "/")
	if op.open {
		buckets := c.general
		if group == "token" {
			buckets = c.tokens
		}
		return take(buckets, group+" "+limit.AddrKey(c.Addr(c.r)))
	}
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return wire.Errorf(wire.Unauthenticated, "there is no token: send Authorization: Bearer with one of token/get")
	}
	id, err := c.Tokens.Chat(strings.TrimSpace(token))
	if err != nil {
		return err
	}
	if len(id.Locations) != 1 || id.User == 0 {
		return wire.Errorf(wire.Unauthenticated, "this is not a token of this API")
	}
	c.id, c.loc = id, id.Locations[0]
	c.Ledger.View(c.loc, func(s *ticket.State) { c.guid = strings.ToLower(s.Location.GUID) })
	buckets := c.general
	if op.send {
		buckets = c.sends
	}
	if err := take(buckets, c.guid+" "+group); err != nil {
		return err
	}
	return c.permit(op)
}

// permit looks at the user's roles in this API.
func (c *call) permit(op route) error {
	if op.admin {
		if err := c.Access.Admin(c.id, c.loc); err != nil {
			return wire.Errorf(wire.Forbidden, "this is for administrators")
		}
	}
	if !op.read && !op.open && c.profile(c.id.User).readOnly() {
		return wire.Errorf(wire.Forbidden, "the role ReadOnly may only read")
	}
	return nil
}

func take(b *limit.Buckets, key string) error {
	v := b.Take(key)
	if v.OK {
		return nil
	}
	return &wire.Error{Code: wire.RateLimited, Message: "too many requests; slow down", RetryAfter: v.Seconds()}
}

func (c *call) readBody() ([]byte, error) {
	if c.r.ContentLength > MaxBody {
		c.w.Header().Set("Connection", "close") // we will not read it to find the next request
		return nil, wire.Errorf(wire.TooLarge, "the body has at most %d bytes", MaxBody)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, MaxBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, wire.Errorf(wire.TooLarge, "the body has at most %d bytes", MaxBody)
	case err != nil:
		return nil, wire.FieldError("body", "the body could not be read")
	}
	return bytes.TrimSpace(body), nil
}

// do hands one command to the ledger, after the one check of who may give it.
func (c *call) do(cmd ticket.Command, r ledger.Request) (ledger.Result, error) {
	var id int64
	if on, ok := cmd.(ticket.OnTicket); ok {
		id = on.TicketID()
	}
	if err := c.Access.Command(c.id, rightOf(cmd), c.loc, id); err != nil {
		return ledger.Result{}, err
	}
	return c.commit(cmd, r)
}

// rightOf is the row of the access table that a command goes by: those that have
// no form on a socket go by the one that they are a kind of.
func rightOf(c ticket.Command) string {
	switch c.(type) {
	case ticket.OpenConversation, ticket.CloneConversation:
		return ticket.Create{}.Name()
	case ticket.SetTalkFields, ticket.RenameParticipant, ticket.SetSummary:
		return ticket.Edit{}.Name()
	case ticket.AddEntry:
		return ticket.AddNote{}.Name()
	}
	return c.Name()
}

// commit is the way into the ledger for what was checked. r.Key tells the commands
// of one call apart; there is a key only where the caller gave one.
func (c *call) commit(cmd ticket.Command, r ledger.Request) (ledger.Result, error) {
	if key := c.r.Header.Get(onceHeader); key != "" {
		if len(key) > wire.MaxKey {
			return ledger.Result{}, wire.FieldError(onceHeader, "%s has at most %d bytes", onceHeader, wire.MaxKey)
		}
		r.Key = "chat:" + c.id.Credential + ":" + strconv.Itoa(c.id.User) + ":" + key + r.Key
	} else {
		r.Key = ""
	}
	r.Command = cmd
	if r.Actor.Kind == "" {
		r.Actor = ticket.Actor{Kind: string(c.id.Kind), User: c.id.User, Credential: c.id.Credential}
	}
	return c.Ledger.Do(c.r.Context(), r)
}

// base is how the caller reached us, for absolute URLs.
func (c *call) base() string { return c.baseOf(c.r) }

func (a *API) baseOf(r *http.Request) string {
	u := url.URL{Scheme: "http", Host: r.Host}
	if a.Secure(r) {
		u.Scheme = "https"
	}
	return u.String()
}

func (c *call) send(body any) {
	switch b := body.(type) {
	case typed:
		c.write(http.StatusOK, b.contentType, b.body)
		return
	case nil:
		body = success()
	}
	encoded, err := encodeJSON(body)
	if err != nil {
		c.fail(err)
		return
	}
	c.write(http.StatusOK, jsonType, encoded)
}

const jsonType = "application/json; charset=utf-8"

func (c *call) write(status int, contentType string, body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // the caller is gone, or not: nothing to do about it
}

// reply is the answer of operations that have nothing to show.
type reply struct {
	Message string `json:"Message"`
}

func success() reply { return reply{"Success"} }

// fail writes the error envelope. People read the message only, so it names a
// wrong parameter too.
func (c *call) fail(err error) {
	e := ops.Coded(c.r, err)
	message := e.Message
	if e.Field != "" && !strings.Contains(strings.ToLower(message), strings.ToLower(e.Field)) {
		message = e.Field + ": " + message
	}
	status := ops.Headers(c.w, e)
	if errors.Is(err, errMethod) {
		status = http.StatusMethodNotAllowed
	}
	body, _ := json.Marshal(struct {
		Message string `json:"message"`
	}{message})
	c.write(status, jsonType, body)
}

// elsewhere is the caller's identity in another department where they work.
func (c *call) elsewhere(location int) auth.Identity {
	id := c.id
	id.Locations = []int{location}
	return id
}
