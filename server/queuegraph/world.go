package queuegraph

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
)

// branch is what a location looks like at one moment, without its tickets. It is
// cheap to take, because what it points at never changes.
type branch struct {
	*ticket.Location
	lines             map[int]*ticket.Line
	desks             map[int]*ticket.Desk
	users             map[int]*ticket.User
	displays          map[int]*ticket.Display
	active, scheduled map[int]bool // by line: somebody waits or is served; an appointment is to come
}

// photograph takes a branch from a state that may not be kept.
func photograph(s *ticket.State) *branch {
	b := &branch{
		Location: s.Location, lines: maps.Clone(s.Lines), desks: maps.Clone(s.Desks), users: maps.Clone(s.Users),
		displays: maps.Clone(s.Displays), active: map[int]bool{}, scheduled: map[int]bool{},
	}
	// A kiosk is no TV.
	maps.DeleteFunc(b.displays, func(_ int, d *ticket.Display) bool { return d.Kind != "" })
	for _, t := range s.Tickets {
		switch t.Place.Status {
		case ticket.New, ticket.Called:
			b.active[t.Place.Line] = true
		case ticket.Scheduled:
			b.scheduled[t.Place.Line] = true
		}
	}
	return b
}

// desk is a desk by its id; nil when there is none.
func (b *branch) desk(id int) *ticket.Desk {
	if d := b.desks[id]; d != nil && !d.Removed {
		return d
	}
	return nil
}

// maxObjects bounds how many list entries one answer shows. It is far over what
// any screen asks for, and keeps a query that goes in circles from filling the
// memory.
const maxObjects = 100_000

// world is everything one answer is made from: each location as it was when it
// was first looked at, so that an answer does not contradict itself. An answer
// to a change starts with the location as it was right then.
type world struct {
	g    *Graph
	id   auth.Identity
	left atomic.Int64 // list entries that may still be shown

	mu       sync.Mutex // protects the rest
	branches map[int]*branch
	people   map[int]*ticket.User
	others   map[string][]*ticket.Ticket // by phone number and e-mail
}

func (g *Graph) newWorld(id auth.Identity) *world {
	w := &world{g: g, id: id, branches: map[int]*branch{}}
	w.left.Store(maxObjects)
	return w
}

// spend takes n entries from what the answer may show.
func (w *world) spend(n int) error {
	if w.left.Add(int64(-n)) < 0 {
		return errTooComplex
	}
	return nil
}

// branch is a location; nil when there is none or it is none of the key's.
func (w *world) branch(id int) *branch {
	if id == ledger.Directory || !w.id.In(id) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b, seen := w.branches[id]
	if !seen {
		w.g.Ledger.View(id, func(s *ticket.State) { b = photograph(s) })
		w.branches[id] = b
	}
	return b
}

// locations are those of the key, by id.
func (w *world) locations() []int {
	return slices.DeleteFunc(w.g.Ledger.Locations(), func(id int) bool { return !w.id.In(id) })
}

// each calls f with every location of the key until f says stop.
func (w *world) each(f func(*branch) (stop bool)) {
	for _, id := range w.locations() {
		if b := w.branch(id); b != nil && f(b) {
			return
		}
	}
}

// user is a member of the staff whom the key may know of; nil when there is none.
func (w *world) user(id int) *userNode {
	if id == 0 {
		return nil
	}
	u := w.directory()[id]
	if u == nil || !w.knows(u) {
		return nil
	}
	return &userNode{w: w, u: u}
}

// colleague is a user in connection with a location of the key: they are shown
// even when they work there no more.
func (w *world) colleague(b *branch, id int) *userNode {
	if id == 0 {
		return nil
	}
	if u := b.users[id]; u != nil {
		return &userNode{w: w, u: u}
	}
	if u := w.directory()[id]; u != nil {
		return &userNode{w: w, u: u}
	}
	return nil
}

func (w *world) directory() map[int]*ticket.User {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.people == nil {
		w.g.Ledger.View(ledger.Directory, func(s *ticket.State) { w.people = maps.Clone(s.Users) })
	}
	return w.people
}

// knows reports whether the key has to do with any location of a user.
func (w *world) knows(u *ticket.User) bool {
	return w.id.Everywhere || u.Everywhere() || slices.ContainsFunc(u.Roles, func(r ticket.Role) bool { return w.id.In(r.Location) })
}
