package queuegraph

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	graphql "github.com/graph-gophers/graphql-go"
	"github.com/graph-gophers/graphql-go/decode"

	"github.com/nowserving/nowserving/hub/wire"
)

// The schema's own scalars. Only dates are ever given to us; the others are
// written, and refuse to be read.

// date is an instant with exactly three decimals, in UTC.
type date struct{ time.Time }

// ImplementsGraphQLType implements decode.Unmarshaler.
func (date) ImplementsGraphQLType(name string) bool { return name == "Date" }

// UnmarshalGraphQL implements decode.Unmarshaler.
func (d *date) UnmarshalGraphQL(in any) error {
	text, ok := in.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if !ok || err != nil {
		return invalid("date", "a Date is like 2026-03-02T08:15:04.120Z")
	}
	d.Time = at
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d date) MarshalJSON() ([]byte, error) { return json.Marshal(wire.Time(d.Time)) }

// maybe is a date that is null when there is none.
func maybe(t time.Time) *date {
	if t.IsZero() {
		return nil
	}
	return &date{t}
}

// localDate is a day of the calendar.
type localDate string

// ImplementsGraphQLType implements decode.Unmarshaler.
func (localDate) ImplementsGraphQLType(name string) bool { return name == "LocalDate" }

// UnmarshalGraphQL implements decode.Unmarshaler.
func (*localDate) UnmarshalGraphQL(any) error { return errNotRead }

// duration is written as ISO 8601, in seconds.
type duration time.Duration

// ImplementsGraphQLType implements decode.Unmarshaler.
func (duration) ImplementsGraphQLType(name string) bool { return name == "Duration" }

// UnmarshalGraphQL implements decode.Unmarshaler.
func (*duration) UnmarshalGraphQL(any) error { return errNotRead }

// MarshalJSON implements json.Marshaler.
func (d duration) MarshalJSON() ([]byte, error) {
	seconds := math.Round(time.Duration(d).Seconds()*1000) / 1000
	return json.Marshal("PT" + strconv.FormatFloat(max(seconds, 0), 'f', -1, 64) + "S")
}

// long is a whole number of more than 32 bits.
type long int64

// ImplementsGraphQLType implements decode.Unmarshaler.
func (long) ImplementsGraphQLType(name string) bool { return name == "Long" }

// UnmarshalGraphQL implements decode.Unmarshaler.
func (*long) UnmarshalGraphQL(any) error { return errNotRead }

// anyJSON is whatever another system has attached.
type anyJSON json.RawMessage

// ImplementsGraphQLType implements decode.Unmarshaler.
func (anyJSON) ImplementsGraphQLType(name string) bool { return name == "JSON" }

// UnmarshalGraphQL implements decode.Unmarshaler.
func (*anyJSON) UnmarshalGraphQL(any) error { return errNotRead }

// MarshalJSON implements json.Marshaler.
func (j anyJSON) MarshalJSON() ([]byte, error) { return j, nil }

var errNotRead = errors.New("this scalar is only written")

func numberID(id int) graphql.ID { return graphql.ID(strconv.Itoa(id)) }

// text is null when empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func ptr[T any](v T) *T { return &v }

// readID reads an id that is a number in this deployment.
func readID(name string, id graphql.ID) (int64, error) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil || n <= 0 {
		return 0, invalid(name, "%s is a whole number from 1", name)
	}
	return n, nil
}

// readSmallID is readID for what has fewer: everything but tickets.
func readSmallID(name string, id graphql.ID) (int, error) {
	n, err := readID(name, id)
	if err == nil && n > math.MaxInt32 {
		n = math.MaxInt32 // surely unknown
	}
	return int(n), err
}

func readIDs(name string, ids *[]graphql.ID) ([]int, error) {
	if ids == nil {
		return nil, nil
	}
	out := make([]int, 0, len(*ids))
	for _, id := range *ids {
		n, err := readSmallID(name, id)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

var (
	_ decode.Unmarshaler = (*date)(nil)
	_ decode.Unmarshaler = (*localDate)(nil)
	_ decode.Unmarshaler = (*duration)(nil)
	_ decode.Unmarshaler = (*long)(nil)
	_ decode.Unmarshaler = (*anyJSON)(nil)
)
