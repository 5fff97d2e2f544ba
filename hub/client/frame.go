package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// inbound is one frame from the hub: the answer to a request, or a push.
type inbound struct {
	ID    int64
	Reply json.RawMessage
	Error *wire.Error
	Push  *wire.Push
}

var errFrame = errors.New("not a frame of the protocol")

// decode reads one frame. Members that it does not know are ignored, so that
// a newer hub can say more.
func decode(frame []byte) (inbound, error) {
	var f struct {
		ID      *int64          `json:"id"`
		Reply   json.RawMessage `json:"reply"`
		Error   *wire.Error     `json:"error"`
		Push    string          `json:"push"`
		Channel string          `json:"channel"`
		Offset  uint64          `json:"offset"`
		Prev    uint64          `json:"prev"`
		Time    time.Time       `json:"time"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(frame, &f); err != nil {
		return inbound{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	if f.Push != "" {
		p := wire.Push{Type: f.Push, Channel: f.Channel, Offset: f.Offset, Prev: f.Prev, Time: f.Time, Data: f.Data}
		return inbound{Push: &p}, checkPush(p)
	}
	switch {
	case f.ID == nil || *f.ID < 0:
		return inbound{}, fmt.Errorf("%w: neither a push nor an answer", errFrame)
	case (f.Reply == nil) == (f.Error == nil):
		return inbound{}, fmt.Errorf("%w: an answer has either a reply or an error", errFrame)
	case f.Error != nil && f.Error.Code == "":
		return inbound{}, fmt.Errorf("%w: an error without a code", errFrame)
	}
	return inbound{ID: *f.ID, Reply: f.Reply, Error: f.Error}, nil
}

// checkPush keeps to what can be written back: a type is a plain word, a
// channel has its one form, and a publication comes after another.
func checkPush(p wire.Push) error {
	for _, r := range p.Type {
		if (r < 'a' || r > 'z') && r != '.' && r != '_' {
			return fmt.Errorf("%w: push type %q", errFrame, p.Type)
		}
	}
	if _, err := wire.ParseChannel(p.Channel); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	if p.Prev >= p.Offset && p.Prev != 0 {
		return fmt.Errorf("%w: offset %d after %d", errFrame, p.Offset, p.Prev)
	}
	if y := p.Time.UTC().Year(); y < 0 || y > 9999 {
		return fmt.Errorf("%w: a time out of range", errFrame)
	}
	return nil
}
