package queuegraph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
)

const (
	keyHeader  = "X-Qminder-REST-API-Key"
	keyParam   = "rest-api-key"
	leftHeader = "X-Ratelimit-Remaining"
	maxBody    = 256 << 10
)

func cors(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", keyHeader+", X-Qminder-API-Version, Content-Type, Idempotency-Key")
	h.Set("Access-Control-Expose-Headers", leftHeader+", Retry-After")
	h.Set("Access-Control-Max-Age", "600")
}

// keyOf is a request's key.
func keyOf(r *http.Request) string {
	if key := r.Header.Get(keyHeader); key != "" {
		return key
	}
	return r.URL.Query().Get(keyParam)
}

// identify says whose key a request has. Its answer to a wrong one is 403 where
// that is what clients give up on.
func identify(w http.ResponseWriter, r *http.Request, check func(string) (auth.Identity, error), wrong int) (id auth.Identity, ok bool) {
	key := keyOf(r)
	if key == "" {
		refuse(w, http.StatusUnauthorized, "Please authenticate", "there is no key: send it in the header "+keyHeader)
		return id, false
	}
	id, err := check(key)
	if err == nil && id.Kind != auth.Integrator {
		err = auth.ErrUnknown
	}
	if err != nil {
		refuse(w, wrong, "Please authenticate", wire.AsError(err).Message)
		return id, false
	}
	return id, true
}

// take is the key's rate limit.
func take(w http.ResponseWriter, b *limit.Buckets, id auth.Identity) bool {
	v := b.Take(id.Credential)
	w.Header().Set(leftHeader, strconv.Itoa(v.Remaining))
	if !v.OK {
		w.Header().Set("Retry-After", strconv.Itoa(v.Seconds()))
		refuse(w, http.StatusTooManyRequests, "too many requests; slow down", "")
	}
	return v.OK
}

// answer is what a query is answered with. There is no member errors unless it
// failed: clients look only whether it is there. Then there is no data: a client
// that does not look must not take a part for the whole.
type answer struct {
	StatusCode int             `json:"statusCode"`
	Data       json.RawMessage `json:"data,omitempty"`
	Errors     []fault         `json:"errors,omitempty"`
}

// asked is a query with its variables, over HTTP and in start frames.
type asked struct {
	Query     string         `json:"query"`
	Operation string         `json:"operationName"`
	Variables map[string]any `json:"variables"`
}

// query is POST /graphql. The content type is not looked at: an existing client
// sends none.
func (g *Graph) query(w http.ResponseWriter, r *http.Request) {
	id, ok := identify(w, r, g.Keys.Token, http.StatusUnauthorized)
	if !ok || !take(w, g.asked, id) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refuse(w, http.StatusRequestEntityTooLarge, "the query is too large", "")
			return
		}
		refuse(w, http.StatusBadRequest, "the body could not be read", "")
		return
	}
	q, err := readAsked(body)
	if err != nil {
		write(w, http.StatusOK, answer{StatusCode: http.StatusOK, Errors: []fault{newFault(typeBad, wire.AsError(err).Message)}})
		return
	}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), worldKey{}, g.newWorld(id)), answerWithin)
	defer cancel()
	out := g.schema.Exec(ctx, q.Query, q.Operation, q.Variables)
	a := answer{StatusCode: http.StatusOK, Data: out.Data}
	if len(out.Errors) > 0 {
		a.Data, a.Errors = nil, faults(out.Errors, g.reporter(id))
	}
	write(w, http.StatusOK, a)
}

// readAsked reads {"query","variables"}.
func readAsked(body []byte) (asked, error) {
	var q asked
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // ids may be longer than a float is exact
	if err := dec.Decode(&q); err != nil {
		return q, invalid("body", "the body is not {\"query\":\"…\",\"variables\":{…}}")
	}
	if q.Query == "" {
		return q, invalid("query", "query is missing")
	}
	for name, v := range q.Variables {
		q.Variables[name] = plain(v)
	}
	return q, nil
}

// plain makes numbers what the library understands.
func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(x.String(), 10, 32); err == nil {
			return int32(n)
		}
		if _, err := strconv.ParseInt(x.String(), 10, 64); err == nil {
			return x.String() // too long for an Int, but an ID may be as long
		}
		f, _ := x.Float64() // the syntax was checked when it was read
		return f
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = plain(x[k])
		}
	}
	return v
}

// reporter logs what an answer must not tell.
func (g *Graph) reporter(id auth.Identity) func(error) {
	return func(err error) {
		g.Log.Error().Err(err).Str("credential", id.Credential).Msg("GraphQL failed")
	}
}

// connectionKey is POST /graphql/connection-key: a temporary key for one socket.
func (g *Graph) connectionKey(w http.ResponseWriter, r *http.Request) {
	id, ok := identify(w, r, g.Keys.Token, http.StatusForbidden)
	if !ok || !take(w, g.minted, id) {
		return
	}
	key, _, err := g.Keys.ExchangeKey(keyOf(r))
	if err != nil {
		if wire.CodeOf(err) != wire.Internal {
			refuse(w, http.StatusForbidden, "Please authenticate", wire.AsError(err).Message)
			return
		}
		g.reporter(id)(err)
		refuse(w, http.StatusInternalServerError, "something went wrong on our side", "")
		return
	}
	write(w, http.StatusOK, struct {
		StatusCode int    `json:"statusCode"`
		Key        string `json:"key"`
	}{http.StatusOK, key})
}

// refuse answers what did not come to a query. Existing clients look at
// errorMessage, or at message.
func refuse(w http.ResponseWriter, status int, message, developer string) {
	write(w, status, struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
		Error      string `json:"errorMessage"`
		Developer  string `json:"developerMessage,omitempty"`
	}{status, message, message, developer})
}

// Fail answers for the limits that stand before this door: it is an ops.Fail.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	e := ops.Coded(r, err)
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	cors(w.Header())
	refuse(w, ops.Status(e.Code), e.Message, "")
}

func write(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	b := encode(body)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller is gone, or not: nothing to do about it
}

// encode is JSON with markup characters as they are: the reader is a program.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // unreachable: bodies hold only what was encoded or checked
		return []byte(`{"statusCode":500,"message":"something went wrong on our side"}`)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
