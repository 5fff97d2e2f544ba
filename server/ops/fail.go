package ops

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/wire"
)

// Status is the HTTP status of a code, the same in every door.
func Status(code wire.Code) int {
	switch code {
	case wire.BadRequest:
		return http.StatusBadRequest
	case wire.Unauthenticated:
		return http.StatusUnauthorized
	case wire.Forbidden:
		return http.StatusForbidden
	case wire.NotFound, wire.Empty:
		return http.StatusNotFound
	case wire.Conflict:
		return http.StatusConflict
	case wire.TooLarge:
		return http.StatusRequestEntityTooLarge
	case wire.RateLimited:
		return http.StatusTooManyRequests
	case wire.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Fail writes a failure in a door's own envelope. The hub's is WriteError.
type Fail func(w http.ResponseWriter, r *http.Request, err error)

// Coded is the error to show for err. An internal one is logged here, with the
// request it belongs to, because nothing of it is sent.
func Coded(r *http.Request, err error) *wire.Error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return wire.Errorf(wire.TooLarge, "a request has at most %d bytes", tooLarge.Limit)
	}
	e := wire.AsError(err)
	if e.Code == wire.Internal {
		zerolog.Ctx(r.Context()).Error().Err(err).Str("method", r.Method).Str("path", SafePath(r.URL.Path)).
			Msg("request failed")
	}
	return e
}

// Headers sets what goes with a coded error in any envelope, and gives its status.
func Headers(w http.ResponseWriter, e *wire.Error) int {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	w.Header().Set("Cache-Control", "no-store")
	return Status(e.Code)
}

// WriteError answers with {"error":{...}} and the status of its code.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := Coded(r, err)
	WriteJSON(w, Headers(w, e), struct {
		Error *wire.Error `json:"error"`
	}{e})
}

var _ Fail = WriteError

// WriteJSON answers with a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // a defect of the caller: nothing of body can be sent
		status = http.StatusInternalServerError
		text = []byte(`{"error":{"code":"internal","message":"the answer could not be written"}}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // who does not take the answer gets none
}

// ReadJSON reads a request's JSON body into to, which must be a pointer: one
// value and nothing after it. An empty body leaves to as it is.
func ReadJSON(r *http.Request, to any) error {
	dec := json.NewDecoder(r.Body)
	err := dec.Decode(to)
	var tooLarge *http.MaxBytesError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLarge):
		return err
	case errors.As(err, &kind) && kind.Field != "":
		return wire.FieldError(kind.Field, "has the wrong type")
	case err != nil:
		return wire.FieldError("body", "is not the JSON that is wanted here")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		if errors.As(err, &tooLarge) {
			return err
		}
		return wire.FieldError("body", "holds more than one JSON value")
	}
	return nil
}
