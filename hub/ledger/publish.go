package ledger

import (
	"encoding/json"
	"slices"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// outgoing is one publication on its way to its channel.
type outgoing struct {
	key hub.Key
	pub hub.Publication
}

// publish folds a durable group into the views, answers, and publishes. The view
// goes first: whoever is answered, and whoever reads a push, finds at least that.
func (l *Ledger) publish(group []*pending) {
	for _, p := range group {
		var out []outgoing
		for _, s := range p.steps {
			out = l.show(s, out)
		}
		close(p.done)
		for _, o := range out {
			l.hub.Publish(o.key, o.pub)
		}
	}
}

// show folds one step into its view and projects each event as it happens.
func (l *Ledger) show(s step, out []outgoing) []outgoing {
	loc := s.loc
	loc.mu.Lock()
	defer loc.mu.Unlock()
	if loc.epoch == "" && len(s.events) > 0 {
		if head, err := l.store.Head(loc.id); err == nil {
			loc.epoch = head.Epoch
		} else { // the first subscriber gets a snapshot with an empty epoch, later ones the right one
			l.o.Log.Error().Err(err).Int("location", loc.id).Msg("epoch not readable")
		}
	}
	v := loc.view
	for _, e := range s.events {
		before, notice := positions(v, e), Notice{}
		if l.o.Published != nil {
			notice = noticeOf(v, e)
		}
		ticket.Evolve(v, e)
		if l.o.Published != nil {
			l.o.Published(notice)
		}
		if loc.id != Directory && v.Location != nil {
			out = l.project(v.Glance(), e, before, out)
		}
	}
	for _, e := range s.events {
		if e.Ticket != 0 {
			v.Settle(e.Ticket)
			l.place(v, e.Ticket)
		}
	}
	l.maybeSnapshot(loc, slices.ContainsFunc(s.events, isErasure))
	return out
}

// place notes where a ticket is, as long as it is live.
func (l *Ledger) place(v *ticket.State, id int64) {
	if v.Tickets[id] == nil {
		l.places.Delete(id)
	} else {
		l.places.Store(id, v.Journal)
	}
}

func isErasure(e ticket.Event) bool { return e.Type == ticket.EventErased }

// heads are the newest offsets of the channels that an event may be shown on.
type heads struct {
	board, console, ticket, visitor, display uint64
}

func positions(v *ticket.State, e ticket.Event) heads {
	h := heads{board: v.BoardOffset, console: v.Offset}
	t := v.Tickets[e.Ticket]
	if t == nil {
		t = e.Facts.Base
	}
	if t != nil {
		h.ticket, h.visitor = t.Offset, t.VisitorOffset
	}
	if d := e.Facts.DisplayDef; d != nil {
		if old := v.Displays[d.ID]; old != nil {
			h.display = old.Offset
		}
	}
	return h
}

// noticeOf is what an event is going to change, before it is folded.
func noticeOf(v *ticket.State, e ticket.Event) Notice {
	n := Notice{Location: v.Journal, Event: e, State: v, Ticket: v.Tickets[e.Ticket]}
	if base := e.Facts.Base; n.Ticket == nil && base != nil {
		was := *base
		if e.Personal != nil && e.Personal.Base != nil {
			was.Private = *e.Personal.Base
		}
		n.Ticket = &was
	}
	if u := e.Facts.UserDef; u != nil {
		n.User = v.Users[u.ID]
	}
	if d := e.Facts.LocationDef; d != nil {
		n.Place = v.Location
		if v.Journal == Directory {
			n.Place = v.Locations[d.ID]
		}
	}
	return n
}

// project makes the publications of one event: at most one per channel and
// audience, and none for a channel that nobody has asked for.
func (l *Ledger) project(v *ticket.State, e ticket.Event, before heads, out []outgoing) []outgoing {
	add := func(kind string, id int64, audience hub.Audience, prev uint64, data func() any) {
		key := hub.Key{Channel: wire.Channel{Kind: kind, ID: id}, Audience: audience}
		if !l.hub.Wants(key) {
			return
		}
		body, err := json.Marshal(data())
		if err != nil { // unreachable: projections hold only what was decoded or checked
			l.o.Log.Error().Err(err).Stringer("channel", key.Channel).Msg("projection not encodable")
			return
		}
		out = append(out, outgoing{key, hub.Publication{
			Type: string(e.Type), Offset: v.Offset, Prev: prev, Time: e.Time, Data: body,
		}})
	}
	location := int64(v.Journal)
	if ticket.Public(e) {
		add(wire.BoardChannel, location, hub.Display, before.board, func() any { return v.BoardPush(e) })
	}
	add(wire.ConsoleChannel, location, hub.Staff, before.console, func() any { return v.ConsolePush(e) })
	if e.Ticket != 0 {
		add(wire.TicketChannel, e.Ticket, hub.Staff, before.ticket, func() any { return v.StaffPush(e) })
		if ticket.VisitorSees(e) {
			add(wire.TicketChannel, e.Ticket, hub.Visitor, before.visitor, func() any { return v.VisitorPush(e) })
		}
	}
	if d := e.Facts.DisplayDef; d != nil {
		add(wire.DisplayChannel, int64(d.ID), hub.Display, before.display, func() any { return v.DisplayPush(e) })
		add(wire.DisplayChannel, int64(d.ID), hub.Staff, before.display, func() any { return v.DisplayPush(e) })
	}
	return out
}

// maybeSnapshot stores the view when enough has happened since the last time, or
// at once after an erasure: the last snapshot still holds what was erased.
// loc.mu is held. Encoding and writing happen aside: the copy is immutable.
func (l *Ledger) maybeSnapshot(loc *location, now bool) {
	if !now && loc.view.Offset < loc.snapshotAt+l.o.SnapshotEvery {
		return
	}
	loc.snapshotAt = loc.view.Offset
	state := loc.view.Clone()
	l.snapshots.Go(func() { l.storeSnapshot(loc, state) })
}

// storeSnapshot never puts an older snapshot over a newer one, which might bring
// back what was erased in between.
func (l *Ledger) storeSnapshot(loc *location, state *ticket.State) {
	loc.storing.Lock()
	defer loc.storing.Unlock()
	if state.Offset <= loc.stored {
		return
	}
	encoded, err := state.Encode()
	if err == nil {
		err = l.store.PutSnapshot(state.Journal, state.Offset, encoded)
	}
	if err != nil { // only costs replay at the next start
		l.o.Log.Warn().Err(err).Int("location", state.Journal).Msg("snapshot not stored")
		return
	}
	loc.stored = state.Offset
}

// storeSnapshots stores every view that has moved, at an orderly stop.
func (l *Ledger) storeSnapshots() {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, loc := range l.locations {
		loc.mu.RLock()
		l.storeSnapshot(loc, loc.view)
		loc.mu.RUnlock()
	}
}
