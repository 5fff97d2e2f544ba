package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

const (
	// Subprotocol is what a client offers and the hub selects.
	Subprotocol = "nowserving.v1"
	// MaxFrame bounds an inbound frame, in bytes: a reader must never have to
	// hold more than this for a stranger.
	MaxFrame = 64 << 10
	// MaxKey bounds an idempotency key, in bytes.
	MaxKey = 128
)

// Request is one inbound frame: an id and exactly one verb.
type Request struct {
	ID          int64        `json:"id"`
	Connect     *Connect     `json:"connect,omitempty"`
	Subscribe   *Subscribe   `json:"subscribe,omitempty"`
	Unsubscribe *Unsubscribe `json:"unsubscribe,omitempty"`
	Command     *Command     `json:"command,omitempty"`
	Signal      *Signal      `json:"signal,omitempty"`
	Receipt     *Receipt     `json:"receipt,omitempty"`
	Ping        *Ping        `json:"ping,omitempty"`
}

// Connect is the first frame of a session. Token is empty when the handshake
// already proved who is asking (session cookie or Authorization header).
type Connect struct {
	Token string `json:"token,omitempty"`
	// Name says which program this is, for operators: "lobby-tv/1.0".
	Name string `json:"name,omitempty"`
}

// Position is a place in a location's journal: which life of it, and how far.
type Position struct {
	Epoch  string `json:"epoch"`
	Offset uint64 `json:"offset"`
}

// Subscribe joins a channel; Since asks for what was missed after a position.
type Subscribe struct {
	Channel string    `json:"channel"`
	Since   *Position `json:"since,omitempty"`
}

// Unsubscribe leaves a channel.
type Unsubscribe struct {
	Channel string `json:"channel"`
}

// Command asks for a change. The same Key gives the same result for 24 hours.
type Command struct {
	Name   string          `json:"name"`
	Key    string          `json:"key,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	// Location is needed only where the params name no ticket and the identity
	// may act in several locations.
	Location int `json:"location,omitempty"`
}

// Signal is ephemeral: handed to the channel's other subscribers, never stored.
type Signal struct {
	Channel string `json:"channel"`
	Name    string `json:"name"`
}

// Receipt says what a display did with the push at Offset.
type Receipt struct {
	Channel string `json:"channel"`
	Offset  uint64 `json:"offset"`
	Painted bool   `json:"painted"`
	Spoken  bool   `json:"spoken"`
}

// Ping keeps the session alive and is answered with an empty reply.
type Ping struct{}

// Verb names the request's verb.
func (r *Request) Verb() string {
	for _, v := range r.verbs() {
		if v.set {
			return v.name
		}
	}
	return ""
}

type verb struct {
	name string
	set  bool
}

func (r *Request) verbs() [7]verb {
	return [7]verb{
		{"connect", r.Connect != nil},
		{"subscribe", r.Subscribe != nil},
		{"unsubscribe", r.Unsubscribe != nil},
		{"command", r.Command != nil},
		{"signal", r.Signal != nil},
		{"receipt", r.Receipt != nil},
		{"ping", r.Ping != nil},
	}
}

// Decode parses one inbound frame. On failure the Request still carries the id
// if it could be read, so that the error can be answered to the right request.
func Decode(frame []byte) (Request, *Error) {
	var r Request
	if len(frame) > MaxFrame {
		return r, Errorf(TooLarge, "a frame has at most %d bytes", MaxFrame)
	}
	if !utf8.Valid(frame) {
		return r, FieldError("frame", "not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(frame))
	if err := dec.Decode(&r); err != nil {
		id := r.ID
		return Request{ID: id}, FieldError("frame", "not a JSON object of the protocol's form")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Request{ID: r.ID}, FieldError("frame", "more than one JSON value")
	}
	if r.ID < 1 {
		return Request{}, FieldError("id", "must be a whole number from 1")
	}
	set := 0
	for _, v := range r.verbs() {
		if v.set {
			set++
		}
	}
	if set != 1 {
		return Request{ID: r.ID}, FieldError("frame",
			"needs exactly one of connect, subscribe, unsubscribe, command, signal, receipt, ping")
	}
	if r.Command != nil && len(r.Command.Key) > MaxKey {
		return Request{ID: r.ID}, FieldError("key", "has at most %d bytes", MaxKey)
	}
	return r, nil
}
