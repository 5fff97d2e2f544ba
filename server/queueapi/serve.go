package queueapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops/limit"
)

const (
	keyHeader     = "X-Qminder-REST-API-Key"
	keyParam      = "rest-api-key"
	versionHeader = "X-Qminder-API-Version"
	version       = "2020-09-01"
	leftHeader    = "X-Ratelimit-Remaining"
	onceHeader    = "Idempotency-Key"
)

// call is one request on its way through an operation.
type call struct {
	*API
	w    http.ResponseWriter
	r    *http.Request
	id   auth.Identity
	path httprouter.Params
	// v2 says that the request carries the version header.
	v2 bool
	*params
}

// operation carries a call out and says what to answer: an answer with its own
// status, or anything else to send with 200.
type operation func(c *call) (any, error)

// answer is a success with a status of its own; a nil body is sent as none.
type answer struct {
	status int
	body   any
}

// ServeHTTP answers every path of the API.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cors(w.Header())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return
	}
	if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(p, "/") {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = strings.TrimSuffix(p, "/"), ""
	}
	a.router.ServeHTTP(w, r)
}

func cors(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", keyHeader+", "+versionHeader+", Content-Type, "+onceHeader)
	h.Set("Access-Control-Expose-Headers", leftHeader+", Retry-After")
	h.Set("Access-Control-Max-Age", "600")
}

// handle makes an operation a handler.
func (a *API) handle(op route) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, path httprouter.Params) {
		c := &call{API: a, w: w, r: r, path: path, v2: r.Header.Get(versionHeader) == version}
		body, err := c.run(op)
		if err != nil {
			c.fail(op, err)
			return
		}
		c.send(body)
	}
}

func (c *call) run(op route) (any, error) {
	if err := c.admit(op); err != nil {
		return nil, err
	}
	if op.v2 && !c.v2 {
		return nil, bad(versionHeader, "the header "+versionHeader+" must be "+version)
	}
	if op.either && !c.v2 && c.r.Header.Get(versionHeader) != "" {
		return nil, bad(versionHeader, "the header "+versionHeader+" must be "+version+", or not be there")
	}
	if _, err := c.onceKey(); err != nil { // also where nothing comes to be done
		return nil, err
	}
	p, err := readParams(c.w, c.r, op.v2 || op.either && c.v2)
	if err != nil {
		return nil, err
	}
	c.params = p
	return op.do(c)
}

// admit checks the key and its rate. A paired device's key is let in; what it
// may do is decided with each command.
func (c *call) admit(op route) error {
	if op.open {
		return c.take(c.strange, limit.AddrKey(c.Addr(c.r)))
	}
	key := c.r.Header.Get(keyHeader)
	if key == "" {
		key = c.r.URL.Query().Get(keyParam)
	}
	if key == "" {
		return wire.Errorf(wire.Unauthenticated, "there is no key: send it in the header %s", keyHeader)
	}
	id, err := c.Keys.Token(key)
	if err != nil {
		return err
	}
	if id.Kind != auth.Integrator {
		return wire.Errorf(wire.Unauthenticated, "this is not a key of the queue API")
	}
	c.id = id
	return c.take(c.keys, id.Credential)
}

func (c *call) take(b *limit.Buckets, key string) error {
	v := b.Take(key)
	c.w.Header().Set(leftHeader, strconv.Itoa(v.Remaining))
	if v.OK {
		return nil
	}
	return &wire.Error{Code: wire.RateLimited, Message: "too many requests; slow down", RetryAfter: v.Seconds()}
}

// do hands one command to the ledger, after the one check of who may give it.
func (c *call) do(r ledger.Request) (ledger.Result, error) {
	right := rightOf(r.Command)
	if on, ok := r.Command.(ticket.OnTicket); ok {
		if err := c.Access.Command(c.id, right, 0, on.TicketID()); err != nil {
			if wire.CodeOf(err) == wire.NotFound {
				return ledger.Result{}, noTicket(on.TicketID())
			}
			return ledger.Result{}, err
		}
	} else if err := c.Access.Command(c.id, right, r.Location, 0); err != nil {
		return ledger.Result{}, err
	}
	return c.commit(r)
}

// rightOf is the row of the access table that a command goes by: appointments
// are made by who may make tickets, and changed by who may change them.
func rightOf(c ticket.Command) string {
	switch c.(type) {
	case ticket.Schedule:
		return ticket.Create{}.Name()
	case ticket.Reschedule, ticket.CheckIn, ticket.CancelAppointment, ticket.MissAppointment:
		return ticket.Edit{}.Name()
	}
	return c.Name()
}

// settle is do for settings of a location, or with location 0 of the account.
func (c *call) settle(r ledger.Request) (ledger.Result, error) {
	location := r.Location
	if err := c.Access.Admin(c.id, location); err != nil {
		return ledger.Result{}, err
	}
	return c.commit(r)
}

// commit is the way into the ledger for what was checked. A Key that the request
// already has tells the several commands of one operation apart.
func (c *call) commit(r ledger.Request) (ledger.Result, error) {
	key, err := c.onceKey()
	if err != nil {
		return ledger.Result{}, err
	}
	if key == "" {
		r.Key = ""
	} else {
		r.Key = key + r.Key
	}
	user := r.Actor.User
	if user == 0 {
		user = c.id.User
	}
	r.Actor = ticket.Actor{Kind: string(c.id.Kind), User: user, Credential: c.id.Credential}
	out, err := c.Ledger.Do(c.r.Context(), r)
	return out, renamed(err, "key", onceHeader)
}

// onceKey is the request's idempotency key, of this credential only.
func (c *call) onceKey() (string, error) {
	key := c.r.Header.Get(onceHeader)
	if key == "" {
		return "", nil
	}
	if len(key) > wire.MaxKey {
		return "", bad(onceHeader, fmt.Sprintf("%s has at most %d bytes", onceHeader, wire.MaxKey))
	}
	return "queue:" + c.id.Credential + ":" + key, nil
}

// guid is a new GUID. With an idempotency key it follows from the key, because a
// retry must be the same command.
func (c *call) guid(kind string) (string, error) {
	var raw [16]byte
	key, err := c.onceKey()
	if err != nil {
		return "", err
	}
	if key != "" {
		sum := sha256.Sum256([]byte(kind + "\x00" + key))
		copy(raw[:], sum[:])
	} else if _, err := io.ReadFull(c.Random, raw[:]); err != nil {
		return "", fmt.Errorf("draw a GUID: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	x := hex.EncodeToString(raw[:])
	return strings.Join([]string{x[:8], x[8:12], x[12:16], x[16:20], x[20:]}, "-"), nil
}

func (c *call) send(body any) {
	status := http.StatusOK
	if a, ok := body.(answer); ok {
		status, body = a.status, a.body
	}
	if body == nil {
		c.w.Header().Set("Content-Length", "0")
		c.w.WriteHeader(status)
		return
	}
	write(c.w, status, body)
}

func (c *call) fail(op route, err error) {
	f := asFault(err)
	if f.status == http.StatusInternalServerError {
		// The route, not the path: paths may hold an e-mail address.
		c.Log.Error().Err(err).Str("route", op.method+" "+op.path).Str("credential", c.id.Credential).Msg("queue API failed")
	}
	if f.retry > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(f.retry))
	}
	write(c.w, f.status, f.envelope(op.v2 || op.either && c.v2))
}

// write sends a JSON body. Markup characters are left as they are: the reader
// is a program, and the vendor's own answers have them plain.
func write(w http.ResponseWriter, status int, body any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil { // unreachable: bodies hold only what was decoded or checked
		buf.Reset()
		status = http.StatusInternalServerError
		buf.WriteString(`{"statusCode":500,"message":"something went wrong on our side"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes()) // the caller is gone, or not: nothing to do about it
}

// plainFault answers outside of any operation.
func plainFault(f fault) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, f.status, f.envelope(false))
	})
}

// tooLarge reports whether reading stopped at MaxBody.
func tooLarge(err error) bool {
	var e *http.MaxBytesError
	return errors.As(err, &e)
}
