package hubapi

import (
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// Report is what a screen says of itself.
type Report struct {
	Engine  string `json:"engine"`
	Version string `json:"version"`
	Layout  string `json:"layout"`
	Sound   string `json:"sound"` // open, locked, none
	// Drift is how far the device's own clock is ahead of the hub's, in ms.
	Drift  int64 `json:"drift"`
	Width  int   `json:"width"`
	Height int   `json:"height"`
	// Receipt is the offset of its last receipt.
	Receipt uint64 `json:"receipt"`
}

// Device is a screen's last report, and whether its room hears it.
type Device struct {
	Display int `json:"display"`
	Report
	Seen   string `json:"seen"`
	Speaks bool   `json:"speaks"`
}

const (
	maxReportText = 40
	// deviceTTL is how long a screen that reports no more may still be the one
	// that speaks; three reports may get lost.
	deviceTTL = 35 * time.Second
)

// Check names the first member that no screen would send.
func (r *Report) Check() error {
	for _, f := range []struct{ name, value string }{{"engine", r.Engine}, {"version", r.Version}, {"layout", r.Layout}} {
		if len(f.value) > maxReportText {
			return wire.FieldError(f.name, "%s has at most %d bytes", f.name, maxReportText)
		}
	}
	switch r.Sound {
	case "open", "locked", "none":
		return nil
	}
	return wire.FieldError("sound", "sound is open, locked or none")
}

type device struct {
	Device
	location int
	at       time.Time
}

// Devices holds what screens report. It is volatile: after a restart every
// screen reports anew within seconds.
type Devices struct {
	clock func() time.Time

	mu  sync.Mutex // protects all
	all map[int]*device
}

// NewDevices makes an empty set.
func NewDevices(clock func() time.Time) *Devices {
	return &Devices{clock: clock, all: map[int]*device{}}
}

// Take notes a report of a display and elects the one screen of its room that
// speaks. It returns every screen of the room whose role was changed, and the
// reporting one in any case. present says which screens have a socket.
func (d *Devices) Take(location, display int, r Report, displays []*ticket.Display, present func(int) bool) []Device {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	own := d.all[display]
	if own == nil {
		own = &device{}
		d.all[display] = own
	}
	own.Device = Device{Display: display, Report: r, Seen: wire.Time(now), Speaks: own.Speaks}
	own.location, own.at = location, now
	room := ""
	for _, s := range displays {
		if s.ID == display {
			room = s.Room
		}
	}
	leader := d.elect(room, displays, present, now)
	told := []Device{}
	for _, s := range displays {
		x := d.all[s.ID]
		if x == nil || s.Room != room {
			continue
		}
		speaks := s.ID == leader
		if x.Speaks != speaks || s.ID == display {
			x.Speaks = speaks
			told = append(told, x.Device)
		}
	}
	return told
}

// elect picks who can be heard, before who cannot; a lobby screen, before the
// sign of one desk, which knows of that desk's calls only; the oldest of them,
// so that the voice does not wander. mu is held.
func (d *Devices) elect(room string, displays []*ticket.Display, present func(int) bool, now time.Time) int {
	leader, best := 0, -1
	for _, s := range displays {
		x := d.all[s.ID]
		if x == nil || s.Removed || s.Room != room || s.Mute || now.Sub(x.at) > deviceTTL || !present(s.ID) {
			continue
		}
		rank := 0
		if x.Sound == "open" {
			rank += 2
		}
		if s.Desk == 0 && x.Layout != "desk" {
			rank++
		}
		if rank > best || rank == best && s.ID < leader {
			leader, best = s.ID, rank
		}
	}
	return leader
}

// In lists the reports of a location's screens.
func (d *Devices) In(location int) []Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []Device{}
	for _, x := range d.all {
		if x.location == location {
			out = append(out, x.Device)
		}
	}
	return out
}

// Beat notes that a screen is there that reports nothing else: a program of the
// queue API.
func (d *Devices) Beat(location, display int) {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	x := d.all[display]
	if x == nil {
		x = &device{Device: Device{Display: display}}
		d.all[display] = x
	}
	x.location, x.at, x.Seen = location, now, wire.Time(now)
}

// Forget drops a screen that is gone.
func (d *Devices) Forget(display int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, display)
}
