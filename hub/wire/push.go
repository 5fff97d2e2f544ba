package wire

import (
	"encoding/json"
	"strconv"
	"time"
)

// TimeFormat is how every instant is written: UTC, always three decimals.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time writes t in TimeFormat.
func Time(t time.Time) string { return t.UTC().Format(TimeFormat) }

// Push is an unasked frame on a channel. Offset and Prev are zero on ephemeral
// pushes (signal, receipt, presence), which move no cursor.
type Push struct {
	Type    string
	Channel string
	Offset  uint64
	Prev    uint64
	Time    time.Time
	Data    json.RawMessage
}

// AppendJSON appends the push's JSON form to b. Type and Channel hold only
// characters that need no escaping (checked where channels are parsed).
func (p Push) AppendJSON(b []byte) []byte {
	b = append(b, `{"push":"`...)
	b = append(b, p.Type...)
	b = append(b, `","channel":"`...)
	b = append(b, p.Channel...)
	b = append(b, '"')
	if p.Offset > 0 {
		b = append(b, `,"offset":`...)
		b = strconv.AppendUint(b, p.Offset, 10)
		b = append(b, `,"prev":`...)
		b = strconv.AppendUint(b, p.Prev, 10)
	}
	b = append(b, `,"time":"`...)
	b = p.Time.UTC().AppendFormat(b, TimeFormat)
	b = append(b, `","data":`...)
	if len(p.Data) == 0 {
		b = append(b, "{}"...)
	} else {
		b = append(b, p.Data...)
	}
	return append(b, '}')
}

// ConnectReply answers connect.
type ConnectReply struct {
	Session  string `json:"session"`
	Audience string `json:"audience"`
	// Ping is how often the client must send something, in seconds. Three
	// intervals without a frame end the session.
	Ping int `json:"ping"`
	// Time is the hub's clock, so that a screen need not trust its own.
	Time string `json:"time"`
}

// SubscribeReply answers subscribe. With Recovered the missed pushes follow, in
// order; otherwise Snapshot holds the channel as it is at Offset.
type SubscribeReply struct {
	Channel   string          `json:"channel"`
	Epoch     string          `json:"epoch"`
	Offset    uint64          `json:"offset"`
	Recovered bool            `json:"recovered"`
	Snapshot  json.RawMessage `json:"snapshot,omitempty"`
}

// CommandReply answers a command that was done. Offset is that of its last event.
type CommandReply struct {
	Offset uint64          `json:"offset"`
	Ticket json.RawMessage `json:"ticket,omitempty"`
}

// Reply makes the frame that answers request id with body, which must marshal.
func Reply(id int64, body any) []byte {
	if body == nil {
		body = struct{}{}
	}
	out, err := json.Marshal(struct {
		ID    int64 `json:"id"`
		Reply any   `json:"reply"`
	}{id, body})
	if err != nil {
		return Failure(id, &Error{Code: Internal, Message: "the reply could not be written"})
	}
	return out
}

// Failure makes the frame that answers request id with an error.
func Failure(id int64, e *Error) []byte {
	out, err := json.Marshal(struct {
		ID    int64  `json:"id"`
		Error *Error `json:"error"`
	}{id, e})
	if err != nil { // unreachable: Error holds only strings and a number
		return []byte(`{"id":0,"error":{"code":"internal","message":""}}`)
	}
	return out
}
