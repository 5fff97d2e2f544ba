package wire

import (
	"errors"
	"fmt"
)

// Code is the machine-readable reason of a failure. It is part of the wire
// contract: clients branch on it, so a code is never renamed or reused.
type Code string

// The public codes, on sockets and over HTTP alike.
const (
	BadRequest      Code = "bad_request"     // the request itself is wrong; Field says where
	Unauthenticated Code = "unauthenticated" // no proof of who is asking, or a wrong one
	Forbidden       Code = "forbidden"       // known, but not allowed
	NotFound        Code = "not_found"       // no such thing, or none that this identity may know of
	Conflict        Code = "conflict"        // right form, wrong state: somebody else was first
	Empty           Code = "empty"           // callNext found nobody waiting
	TooLarge        Code = "too_large"       // over a size limit
	RateLimited     Code = "rate_limited"    // over a rate limit; RetryAfter says when to come back
	Unavailable     Code = "unavailable"     // the node cannot take this now (draining, disk nearly full)
	Internal        Code = "internal"        // our defect; the detail is in the log only
)

// Codes lists every public code, for tests and documentation.
var Codes = []Code{
	BadRequest, Unauthenticated, Forbidden, NotFound, Conflict,
	Empty, TooLarge, RateLimited, Unavailable, Internal,
}

// Error is the one application error: what every door answers with, each in
// its own envelope. Message is for people and never holds internal text.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Field names the parameter that is wrong, on bad_request.
	Field string `json:"field,omitempty"`
	// RetryAfter is in seconds, on rate_limited and unavailable.
	RetryAfter int `json:"retryAfter,omitempty"`
}

func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Field, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Errorf makes an Error without a field.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// FieldError makes a bad_request that names the wrong parameter.
func FieldError(field, format string, args ...any) *Error {
	return &Error{Code: BadRequest, Field: field, Message: fmt.Sprintf(format, args...)}
}

// AsError returns err's Error, or an internal one that says nothing about err:
// internal text is for the log, never for the caller.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: "something went wrong on our side"}
}

// CodeOf is the code that err carries, or Internal.
func CodeOf(err error) Code { return AsError(err).Code }
