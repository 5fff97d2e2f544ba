package node

import (
	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/hubapi"
)

// source is the ledger as the hub sees it, with what only the hub knows: who is
// present and how screens are, on consoles.
type source struct {
	*ledger.Ledger
	hub     *hub.Hub
	devices *hubapi.Devices
}

// Snapshot implements hub.Source.
func (s source) Snapshot(key hub.Key) (hub.Snapshot, error) {
	snap, err := s.Ledger.Snapshot(key)
	if err != nil || key.Channel.Kind != wire.ConsoleChannel {
		return snap, err
	}
	if snap, err = withMember(snap, "presence", s.hub.Present(key.Channel.ID)); err != nil {
		return hub.Snapshot{}, err
	}
	return withMember(snap, "devices", s.devices.In(int(key.Channel.ID)))
}

var _ hub.Source = source{}
