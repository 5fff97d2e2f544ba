package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// compare looks at everything when it has come to rest: what screens show is
// what a fresh subscriber would get.
func (w *world) compare(n *node, screens []*screen) {
	for _, s := range screens {
		for _, f := range s.feeds {
			fresh, err := n.ledger.Snapshot(f.key)
			if err != nil {
				w.fail("%s: snapshot of %s: %v", s.name, f.key.Channel, err)
				return
			}
			if !f.has || f.folded != fresh.Offset || f.chain != fresh.Offset {
				w.fail("%s: %s is at %d (%v), a fresh snapshot at %d", s.name, f.key.Channel, f.folded, f.has, fresh.Offset)
				return
			}
			switch f.key.Channel.Kind {
			case wire.BoardChannel:
				w.compareBoards(s, f, fresh.Data)
			default:
				w.compareTickets(s, f, fresh.Data)
			}
		}
	}
}

func (w *world) compareBoards(s *screen, f *feed, data []byte) {
	w.count("boards compared")
	var snap board.Snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		w.fail("snapshot: %v", err)
		return
	}
	var fresh board.Board
	fresh.Reset(snap)
	if got, want := onScreen(f.board.State()), onScreen(fresh.State()); got != want {
		w.fail("%s shows\n%s\na fresh one shows\n%s", s.name, got, want)
	}
}

// onScreen is a board as text, without the ranges of waiting: those of one line
// are told anew only when it changes.
func onScreen(s board.Snapshot) string {
	out := fmt.Sprintln(s.Location)
	for _, l := range s.Lines {
		out += fmt.Sprintln("line", l.ID, l.Name, l.Series, l.Color, l.Waiting)
	}
	out += fmt.Sprintln(s.Desks)
	for i, list := range [][]board.Ticket{s.Serving, s.Recent, s.Waiting} {
		for _, t := range list {
			t.Wait = nil
			out += fmt.Sprintf("%d %+v\n", i, t)
		}
	}
	return out
}

// compareTickets: every ticket that a fresh console has, this one has as it is.
func (w *world) compareTickets(s *screen, f *feed, data []byte) {
	w.count("consoles compared")
	var fresh map[string]json.RawMessage
	if f.key.Channel.Kind == wire.ConsoleChannel {
		fresh = consoleTickets(w, data)
	} else {
		var snap struct{ Ticket json.RawMessage }
		if err := json.Unmarshal(data, &snap); err != nil {
			w.fail("snapshot: %v", err)
		}
		fresh = map[string]json.RawMessage{"": snap.Ticket}
	}
	for id, want := range fresh {
		if got, want := core(f.tickets[id]), core(want); got != want {
			w.fail("%s: ticket %q of %s is\n%s\na fresh one is\n%s", s.name, id, f.key.Channel, got, want)
			return
		}
	}
}

// core is a ticket without what changes with its neighbours and not with itself.
func core(t json.RawMessage) string {
	var m map[string]any
	if err := json.Unmarshal(t, &m); err != nil {
		return err.Error()
	}
	delete(m, "wait")
	delete(m, "position")
	if talk, ok := m["conversation"].(map[string]any); ok {
		delete(talk, "position")
	}
	return asJSON(m)
}

// audit reads the journals when no node runs any more.
func (w *world) audit() {
	journals := map[int][]ticket.Event{}
	for _, p := range w.house.locations {
		journals[p.id] = w.read(p.id)
	}
	w.auditAsks(journals)
	w.auditPushes(journals)
	for _, p := range w.house.locations {
		if !w.failed {
			w.auditModel(p, journals[p.id])
		}
	}
	if !w.failed {
		w.auditFolds(journals)
	}
}

// read is a whole journal, which must have no hole.
func (w *world) read(location int) []ticket.Event {
	var out []ticket.Event
	for r, err := range w.log.Records(location, 1) {
		if err != nil || r.Offset != uint64(len(out))+1 {
			w.fail("journal %d: offset %d where %d follows (%v)", location, r.Offset, len(out)+1, err)
			return out
		}
		e, err := ticket.DecodeEvent(r.Type, r.Ticket, r.Time, r.Facts, r.Personal)
		if err != nil {
			w.fail("journal %d, offset %d: %v", location, r.Offset, err)
		}
		out = append(out, e)
	}
	return out
}

// span is what one command left in a journal: offsets from first to last.
type span struct {
	location    int
	first, last uint64
}

func spans(journals map[int][]ticket.Event) map[string][]span {
	out := map[string][]span{}
	for location, events := range journals {
		begin := uint64(1)
		for i, e := range events {
			if e.Facts.More {
				continue
			}
			id := e.Facts.Actor.Credential
			out[id] = append(out[id], span{location, begin, uint64(i) + 1})
			begin = uint64(i) + 2
		}
	}
	return out
}

// auditAsks: what was acknowledged is in the journal, once and whole; what was
// refused left nothing; the rest is there wholly or not at all.
func (w *world) auditAsks(journals map[int][]ticket.Event) {
	found := spans(journals)
	for _, a := range w.asks {
		in := found[a.id]
		delete(found, a.id)
		if w.forgotten(a, in, journals) {
			continue
		}
		if len(in) > 1 {
			w.fail("%s %s happened %d times: %v", a.id, a.req.Command.Name(), len(in), in)
		}
		switch a.out {
		case refused:
			if len(in) > 0 {
				w.fail("%s %s was refused and is in the journal: %v", a.id, a.req.Command.Name(), in)
			}
		case acknowledged:
			n := len(a.res.Events)
			if n == 0 && (!a.res.Again || len(in) == 0) {
				continue // there was nothing to do
			}
			if len(in) != 1 || in[0].last != a.res.Offset || n > 0 && in[0].last-in[0].first+1 != uint64(n) {
				w.fail("%s %s was acknowledged at %d with %d events; in the journal: %v", a.id, a.req.Command.Name(), a.res.Offset, n, in)
			}
		}
	}
	for id, in := range found {
		if id != setup {
			w.fail("%q is in the journal and nobody asked for it: %v", id, in)
		}
	}
}

// forgotten: an erasure takes the answers away that name the ticket, so a command
// that was asked again may have been decided anew.
func (w *world) forgotten(a *ask, in []span, journals map[int][]ticket.Event) bool {
	if on, ok := a.req.Command.(ticket.OnTicket); ok && w.erased[on.TicketID()] {
		return true
	}
	for _, s := range in {
		for _, e := range journals[s.location][s.first-1 : s.last] {
			if w.erased[e.Ticket] {
				return true
			}
		}
	}
	return a.res.Ticket != nil && w.erased[a.res.Ticket.ID]
}

// auditPushes: what anybody was sent at an offset is what the journal has there.
func (w *world) auditPushes(journals map[int][]ticket.Event) {
	for key, pushes := range w.sent {
		location := int(key.Channel.ID)
		if key.Channel.Kind == wire.TicketChannel {
			location = w.locate(key.Channel.ID)
		}
		for offset, p := range pushes {
			if e := journals[location][offset-1]; string(e.Type) != p.typ {
				w.fail("%s: %d was sent as %s, the journal has %s", key.Channel, offset, p.typ, e.Type)
			}
		}
	}
}

// auditFolds: folding a journal from its beginning gives what a node has after
// opening from its snapshot, and what it has stored of each ticket.
func (w *world) auditFolds(journals map[int][]ticket.Event) {
	l, err := ledger.Open(w.log, lonely{}, ledger.Options{Clock: time.Now})
	if err != nil {
		w.fail("open: %v", err)
		return
	}
	for location, events := range journals {
		fold := ticket.NewState(location)
		for len(events) > 0 {
			n := slices.IndexFunc(events, func(e ticket.Event) bool { return !e.Facts.More }) + 1
			ticket.EvolveCommand(fold, events[:n])
			events = events[n:]
		}
		l.View(location, func(s *ticket.State) {
			if got, want := everything(s), everything(fold); got != want {
				w.fail("location %d folded from its snapshot:\n%s\nfrom the beginning:\n%s", location, got, want)
			}
			for id, t := range s.Tickets {
				if stored, err := l.Ticket(id); err != nil || asJSON(stored) != asJSON(t) {
					w.fail("ticket %d is stored as %s (%v), live it is %s", id, asJSON(stored), err, asJSON(t))
				}
			}
		})
	}
}

// everything is a state and what it shows: a figure that a snapshot forgot may
// be missing from the state's own form, and then is missed here.
func everything(s *ticket.State) string {
	if s.Location == nil {
		return asJSON(s)
	}
	return asJSON([]any{s, s.BoardSnapshot(), s.ConsoleSnapshot()})
}
