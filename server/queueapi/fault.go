package queueapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
)

// The codes of the version-2 envelope. Source: the API's description.
const (
	codeBlank     = "parameter_invalid_blank"
	codeSize      = "parameter_invalid_size"
	codeInvalid   = "parameter_invalid"
	codeDuplicate = "duplicate_items_in_request"
	codeArguments = "invalid_arguments"
	codeMissing   = "resource_missing"
	codeField     = "input_field_duplicate"
	codeTimezone  = "invalid_location_timezone"
)

// fault is a failure in this API's terms.
type fault struct {
	status  int
	code    string
	message string
	param   string
	retry   int // seconds
}

func (f *fault) Error() string { return f.message }

func bad(param, message string) *fault {
	return &fault{status: http.StatusBadRequest, code: codeInvalid, message: message, param: param}
}

func badCode(code, param, message string) *fault {
	return &fault{status: http.StatusBadRequest, code: code, message: message, param: param}
}

func notFound(param, message string) *fault {
	return &fault{status: http.StatusNotFound, code: codeMissing, message: message, param: param}
}

func conflict(param, message string) *fault {
	return &fault{status: http.StatusConflict, code: string(wire.Conflict), message: message, param: param}
}

// asFault puts any error into this API's terms; what is not one of ours says
// nothing but that it is our mistake.
func asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	e := wire.AsError(err)
	f = &fault{status: ops.Status(e.Code), code: string(e.Code), message: e.Message, param: e.Field, retry: e.RetryAfter}
	switch e.Code {
	case wire.BadRequest:
		f.code = codeInvalid
	case wire.NotFound:
		f.code = codeMissing
	}
	return f
}

// envelope is how a fault is sent. statusCode is in the body because existing
// clients look nowhere else.
type envelope struct {
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
	Developer  string `json:"developerMessage,omitempty"`
	Code       string `json:"code,omitempty"`
	Param      string `json:"param,omitempty"`
}

func (f *fault) envelope(v2 bool) envelope {
	e := envelope{StatusCode: f.status, Message: f.message, Param: f.param}
	// People read the message only, so it names a wrong parameter too; "First name"
	// names firstName.
	if f.param != "" && f.status == http.StatusBadRequest && !strings.Contains(squeezed(e.Message), squeezed(f.param)) {
		e.Message = f.param + ": " + e.Message
	}
	if f.status == http.StatusUnauthorized {
		e.Message = "Please authenticate"
		e.Developer = f.message
	}
	if v2 {
		e.Code = f.code
	}
	return e
}

// renamed gives a domain error's field the name it has in this API; pairs are
// domain name, API name. What has no such field passes as it is.
func renamed(err error, pairs ...string) error {
	if err == nil {
		return nil
	}
	f := *asFault(err)
	for i := 0; i+1 < len(pairs); i += 2 {
		if f.param == pairs[i] {
			f.param = pairs[i+1]
			return &f
		}
	}
	return err
}

func squeezed(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
