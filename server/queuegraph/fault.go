package queuegraph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	qerrors "github.com/graph-gophers/graphql-go/errors"

	"github.com/nowserving/nowserving/hub/wire"
)

// The error types of the API's description. Its client gives up on those and
// tries again on any other and on none.
const (
	typeSyntax     = "InvalidSyntax"
	typeValidation = "ValidationError"
	typeBad        = "BAD_REQUEST"
	typeArgument   = "INVALID_ARGUMENT"
	typeNotFound   = "NOT_FOUND"
	typeDenied     = "PERMISSION_DENIED"
)

// fault is Err of the API's description. An empty ErrorType is left out: "try
// again".
type fault struct {
	Message    string         `json:"message"`
	Locations  []faultAt      `json:"locations"`
	ErrorType  string         `json:"errorType,omitempty"`
	Validation string         `json:"validationErrorType,omitempty"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

type faultAt struct {
	Line   int     `json:"line"`
	Column int     `json:"column"`
	Source *string `json:"sourceName"` // a query has no file
}

func newFault(kind, message string) fault {
	return fault{Message: message, ErrorType: kind, Locations: []faultAt{}, Path: []any{}, Extensions: map[string]any{}}
}

// The ways a resolver says no.
func invalid(field, format string, args ...any) error { return wire.FieldError(field, format, args...) }

func notFound(kind string, id any) error {
	return wire.Errorf(wire.NotFound, "%s with id %v not found", kind, id)
}

var errTooComplex = wire.FieldError("query", "the query asks for too much; ask for less at once")

// faults puts the library's errors into the API's terms. Internal text is given
// to report and not sent.
func faults(in []*qerrors.QueryError, report func(error)) []fault {
	out := make([]fault, 0, len(in))
	for _, e := range in {
		f := newFault(describe(e, report))
		if e.Rule != "" {
			f.Validation = strings.TrimSuffix(e.Rule, "Rule")
		}
		for _, at := range e.Locations {
			f.Locations = append(f.Locations, faultAt{Line: at.Line, Column: at.Column})
		}
		if e.Path != nil {
			f.Path = e.Path
		}
		out = append(out, f)
	}
	// Fields are resolved at the same time; their errors come in no order.
	slices.SortStableFunc(out, func(a, b fault) int { return strings.Compare(fmt.Sprint(a.Path), fmt.Sprint(b.Path)) })
	return out
}

// describe is an error's type and text for whoever asked.
func describe(e *qerrors.QueryError, report func(error)) (kind, message string) {
	const own = "something went wrong on our side"
	if e.ResolverError != nil {
		return describeOurs(e.ResolverError, report)
	}
	var ours *wire.Error
	if errors.As(e, &ours) { // of an argument
		return describeOurs(ours, report)
	}
	if e.Rule != "" {
		return typeValidation, e.Message
	}
	if errors.Is(e, qerrors.ErrSyntax) || strings.HasPrefix(e.Message, "syntax error") {
		return typeSyntax, e.Message
	}
	if timedOut(e.Message) {
		return "", "the answer took too long"
	}
	if errors.Is(e, errPanicked) {
		return "", own // the panic itself was logged where it happened
	}
	if strings.HasPrefix(e.Message, "graphql: got n") { // nothing, where there must be something
		report(e)
		return "", own
	}
	if strings.HasPrefix(e.Message, "graphql-ws") {
		return typeBad, "subscriptions are for the socket at " + pathSocket
	}
	if _, reason, ok := strings.Cut(e.Message, " into "); ok { // names our types up to the colon
		_, reason, _ = strings.Cut(reason, ": ")
		return typeArgument, "an argument is not of its type: " + reason
	}
	return typeBad, strings.TrimPrefix(e.Message, "graphql: ")
}

func describeOurs(err error, report func(error)) (kind, message string) {
	e := wire.AsError(err)
	switch e.Code {
	case wire.BadRequest:
		if e.Field == errTooComplex.Field {
			return typeBad, e.Message
		}
		return typeArgument, e.Message
	case wire.NotFound, wire.Empty:
		return typeNotFound, e.Message
	case wire.Forbidden, wire.Unauthenticated:
		return typeDenied, e.Message
	case wire.Internal:
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return "", "the answer took too long"
		}
		report(err)
	}
	return "", e.Message
}

// timedOut knows the texts of the context errors: the library keeps only those.
func timedOut(message string) bool {
	return message == context.DeadlineExceeded.Error() || message == context.Canceled.Error()
}

var errPanicked = errors.New("resolver panicked")

// panics keeps what a defect says from being sent.
type panics struct{}

// MakePanicError implements the library's PanicHandler.
func (panics) MakePanicError(context.Context, any) *qerrors.QueryError {
	return qerrors.Errorf("%s", errPanicked)
}
