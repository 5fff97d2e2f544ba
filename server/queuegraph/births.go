package queuegraph

import (
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// births knows when users and locations came to be, and when users left. The
// state does not say, but the directory's journal does.
type births struct {
	mu        sync.RWMutex // protects the rest
	first     time.Time
	locations map[int]time.Time
	users     map[int]time.Time
	gone      map[int]time.Time
}

// readBirths reads the directory's journal.
func readBirths(records func(location int, from uint64) iter.Seq2[store.Record, error]) (*births, error) {
	b := &births{locations: map[int]time.Time{}, users: map[int]time.Time{}, gone: map[int]time.Time{}}
	for r, err := range records(ledger.Directory, 1) {
		if err != nil {
			return nil, fmt.Errorf("queuegraph: read directory: %w", err)
		}
		e, err := ticket.DecodeEvent(r.Type, r.Ticket, r.Time, r.Facts, r.Personal)
		if err != nil {
			return nil, fmt.Errorf("queuegraph: read directory, offset %d: %w", r.Offset, err)
		}
		b.note(e)
	}
	return b, nil
}

// note takes an event of the directory. Taking one twice changes nothing.
func (b *births) note(e ticket.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	earliest := func(m map[int]time.Time, id int) {
		if at, ok := m[id]; !ok || e.Time.Before(at) {
			m[id] = e.Time
		}
	}
	if b.first.IsZero() || e.Time.Before(b.first) {
		b.first = e.Time
	}
	if l := e.Facts.LocationDef; l != nil {
		earliest(b.locations, l.ID)
	}
	if u := e.Facts.UserDef; u != nil {
		earliest(b.users, u.ID)
		if u.Removed {
			earliest(b.gone, u.ID)
		}
	}
}

func (b *births) account() date {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return date{b.first}
}

func (b *births) location(id int) date {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return date{b.locations[id]}
}

func (b *births) user(id int) date {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return date{b.users[id]}
}

// left is zero for users who are there.
func (b *births) left(id int) time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.gone[id]
}
