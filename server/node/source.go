package node

import (
	"bytes"
	"encoding/json"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/wire"
)

// source is the ledger as the hub sees it, with what only the hub knows: who is
// present, on consoles.
type source struct {
	*ledger.Ledger
	hub *hub.Hub
}

// Snapshot implements hub.Source.
func (s source) Snapshot(key hub.Key) (hub.Snapshot, error) {
	snap, err := s.Ledger.Snapshot(key)
	if err != nil || key.Channel.Kind != wire.ConsoleChannel {
		return snap, err
	}
	present, err := json.Marshal(s.hub.Present(key.Channel.ID))
	if err != nil {
		return hub.Snapshot{}, err
	}
	// The snapshot is a JSON object: its last byte is the closing brace.
	body := bytes.Clone(snap.Data[:len(snap.Data)-1])
	body = append(body, `,"presence":`...)
	snap.Data = append(append(body, present...), '}')
	return snap, nil
}

var _ hub.Source = source{}
