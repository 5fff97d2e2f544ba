package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// The document that holds the next free ids; it is written with every commit
// that takes one.
const (
	idsKind = "meta"
	idsKey  = "ids"
)

func sortInts(s []int) { slices.Sort(s) }

// load folds every journal from its last snapshot on.
func (l *Ledger) load() error {
	l.ids = ticket.IDs{Ticket: 1, Location: 1, Line: 1, Desk: 1, User: 1, Display: 1}
	doc, err := l.store.Doc(idsKind, idsKey)
	if err == nil {
		err = json.Unmarshal(doc, &l.ids)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read ids: %w", err)
	}
	ids, err := l.store.Locations()
	if err != nil {
		return fmt.Errorf("list journals: %w", err)
	}
	for _, id := range append(ids, Directory) {
		if l.locations[id] != nil {
			continue
		}
		loc, err := l.loadLocation(id)
		if err != nil {
			return fmt.Errorf("open journal %d: %w", id, err)
		}
		l.locations[id] = loc
		for ticket := range loc.view.Tickets {
			l.places.Store(ticket, id)
		}
	}
	return nil
}

func (l *Ledger) loadLocation(id int) (*location, error) {
	head, err := l.store.Head(id)
	if err != nil {
		return nil, err
	}
	at, encoded, err := l.store.Snapshot(id)
	if err != nil {
		return nil, err
	}
	state := ticket.NewState(id)
	if at > 0 {
		if state, err = ticket.DecodeState(encoded); err != nil {
			return nil, fmt.Errorf("decode snapshot: %w", err)
		}
	}
	if state.Offset != at || at > head.Offset {
		return nil, fmt.Errorf("%w: snapshot of journal %d is at %d, stored for %d, head %d",
			store.ErrCorrupt, id, state.Offset, at, head.Offset)
	}
	erased, err := l.replay(state)
	if err != nil {
		return nil, err
	}
	if state.Offset != head.Offset {
		return nil, fmt.Errorf("%w: journal %d ends at %d, its head says %d", store.ErrCorrupt, id, state.Offset, head.Offset)
	}
	loc := &location{id: id, spec: state, view: state.Clone(), epoch: head.Epoch, snapshotAt: at, stored: at}
	if erased && at > 0 { // we stopped between an erasure and the snapshot that follows it
		l.storeSnapshot(loc, state)
	}
	return loc, nil
}

// replay folds what the journal holds after the state's offset, and says whether
// there was an erasure in it.
func (l *Ledger) replay(state *ticket.State) (erased bool, err error) {
	var command []ticket.Event
	for r, err := range l.store.Records(state.Journal, state.Offset+1) {
		if err != nil {
			return false, err
		}
		if r.Offset != state.Offset+uint64(len(command))+1 {
			return false, fmt.Errorf("%w: journal %d has offset %d where %d follows",
				store.ErrCorrupt, state.Journal, r.Offset, state.Offset+uint64(len(command))+1)
		}
		e, err := ticket.DecodeEvent(r.Type, r.Ticket, r.Time, r.Facts, r.Personal)
		if err != nil {
			return false, fmt.Errorf("%w: journal %d, offset %d: %w", store.ErrCorrupt, state.Journal, r.Offset, err)
		}
		erased = erased || isErasure(e)
		command = append(command, e)
		if !e.Facts.More {
			ticket.EvolveCommand(state, command)
			command = command[:0]
		}
	}
	if len(command) > 0 {
		return false, fmt.Errorf("%w: journal %d ends within a command", store.ErrCorrupt, state.Journal)
	}
	return erased, nil
}
