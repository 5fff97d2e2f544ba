package node

import (
	"bytes"
	"encoding/json"
	"path/filepath"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/speech"
	"github.com/nowserving/nowserving/web"
)

// displayReport is the command by which a screen says how it is. It changes no
// journal, so it is no command of the domain.
const displayReport = "display.report"

// buildScreens gets ready what screens need beside the socket.
func (n *Node) buildScreens() error {
	words, err := hubapi.LoadWords(web.FS())
	if err != nil {
		return err
	}
	plain, err := hubapi.NewPlain(web.FS(), words, n.o.Clock)
	if err != nil {
		return err
	}
	voice := speech.New(speech.Options{
		Program: n.o.Speech, Dir: filepath.Join(n.o.Data, "speech"), Languages: words.Speech(),
	})
	if err := voice.Check(); err != nil {
		// Screens chime without it; a missing voice is no reason to serve nobody.
		n.o.Log.Warn().Err(err).Msg("calls are not spoken")
		voice = speech.New(speech.Options{})
	}
	n.screens = &hubapi.Screens{
		Speech: voice, Media: hubapi.NewMedia(filepath.Join(n.o.Data, "media"), n.o.Scanner),
		Devices: hubapi.NewDevices(n.o.Clock), Plain: plain,
	}
	return nil
}

// report takes a screen's report, tells consoles, and tells the screens of its
// room which of them speaks.
func (g *gate) report(id auth.Identity, params []byte) error {
	if id.Kind != auth.Display && id.Kind != auth.Kiosk || len(id.Locations) != 1 {
		return wire.Errorf(wire.Forbidden, "this is for screens")
	}
	location := id.Locations[0]
	board := wire.Channel{Kind: wire.BoardChannel, ID: int64(location)}
	if err := g.access.Channel(id, board); err != nil {
		return err
	}
	var r hubapi.Report
	dec := json.NewDecoder(bytes.NewReader(params))
	if err := dec.Decode(&r); err != nil {
		return wire.FieldError("params", "is not a screen's report")
	}
	if err := r.Check(); err != nil {
		return err
	}
	present := map[int]bool{}
	for _, m := range g.hub.Present(int64(location)) {
		present[m.Display] = true
	}
	told := g.screens.Devices.Take(location, id.Display, r, hubapi.Displays(g.ledger, location), func(d int) bool { return present[d] })
	for _, d := range told {
		role, err := json.Marshal(struct {
			Speak bool `json:"speak"`
		}{d.Speaks})
		if err != nil {
			return err
		}
		g.hub.Emit(wire.Channel{Kind: wire.DisplayChannel, ID: int64(d.Display)}, "display.role", role, nil)
		about, err := json.Marshal(d)
		if err != nil {
			return err
		}
		g.hub.Emit(wire.Channel{Kind: wire.ConsoleChannel, ID: board.ID}, "device", about, nil)
	}
	return nil
}

// withMember adds a member to a snapshot, which is a JSON object: its last byte
// is the closing brace.
func withMember(snap hub.Snapshot, name string, value any) (hub.Snapshot, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return hub.Snapshot{}, err
	}
	body := bytes.Clone(snap.Data[:len(snap.Data)-1])
	body = append(body, `,"`+name+`":`...)
	snap.Data = append(append(body, text...), '}')
	return snap, nil
}
