package hub

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/nowserving/nowserving/hub/wire"
)

// Member is one session that is present at a location.
type Member struct {
	Session  string   `json:"session"`
	Name     string   `json:"name"`
	Audience Audience `json:"audience"`
	// Display is the screen's id, for displays.
	Display int `json:"display,omitempty"`
	// User is the member of the staff who is signed in.
	User int `json:"user,omitempty"`
}

// presence knows who is at which location. It is volatile: a restarted node
// starts with nobody.
type presence struct {
	mu      sync.Mutex // protects members
	members map[int64]map[string]Member
}

// Join notes that m is at a location and tells its consoles.
func (h *Hub) Join(location int64, m Member) {
	p := &h.present
	p.mu.Lock()
	if p.members[location] == nil {
		p.members[location] = make(map[string]Member)
	}
	p.members[location][m.Session] = m
	p.mu.Unlock()
	h.tellPresence(location, m, true)
}

// Leave notes that a session is no longer at a location and tells its consoles.
func (h *Hub) Leave(location int64, session string) {
	p := &h.present
	p.mu.Lock()
	m, was := p.members[location][session]
	delete(p.members[location], session)
	if len(p.members[location]) == 0 {
		delete(p.members, location)
	}
	p.mu.Unlock()
	if was {
		h.tellPresence(location, m, false)
	}
}

// Present lists who is at a location, by session.
func (h *Hub) Present(location int64) []Member {
	p := &h.present
	p.mu.Lock()
	out := make([]Member, 0, len(p.members[location]))
	for _, m := range p.members[location] {
		out = append(out, m)
	}
	p.mu.Unlock()
	slices.SortFunc(out, func(a, b Member) int { return strings.Compare(a.Session, b.Session) })
	return out
}

func (h *Hub) tellPresence(location int64, m Member, online bool) {
	ch := wire.Channel{Kind: wire.ConsoleChannel, ID: location}
	// First the snapshots, then the push: a console that subscribes in between
	// sees the change in its snapshot, or gets the push, or both.
	for _, a := range audiences {
		h.touch(Key{Channel: ch, Audience: a})
	}
	data, err := json.Marshal(struct {
		Member
		Online bool `json:"online"`
	}{m, online})
	if err != nil { // unreachable: strings, a number and a bool
		return
	}
	h.Emit(ch, "presence", data, nil)
}
