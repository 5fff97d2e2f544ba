package ledger

import (
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// What the ledger adds to decided events, because a decision sees only the state.

// entryID names one entry of a ticket's thread.
type entryID struct {
	ticket int64
	seq    uint64
}

// restate completes events that rewrite a thread entry: threads are stored beside
// the state, so the decision cannot see them.
func (g *group) restate(events []ticket.Event) error {
	for i := range events {
		e := &events[i]
		if e.Facts.Entry == 0 {
			continue
		}
		entry, known := g.entries[entryID{e.Ticket, e.Facts.Entry}]
		if !known {
			thread, err := g.l.Transactions(e.Ticket, e.Facts.Entry, 1, false)
			if err != nil {
				return err
			}
			if len(thread) == 0 || thread[0].Seq != e.Facts.Entry {
				return wire.Errorf(wire.NotFound, "Message %d of ticket %d not found", e.Facts.Entry, e.Ticket)
			}
			entry = thread[0]
		}
		e.Restate(&entry)
	}
	return nil
}

// addBase lets folds that dropped the ticket go on from the event itself. An
// erasure carries no private part: it is what is being removed.
func addBase(events []ticket.Event, base *ticket.Ticket) {
	for i := range events {
		e := &events[i]
		if e.Ticket != base.ID {
			continue
		}
		public := *base
		public.Private = ticket.Private{}
		e.Facts.Base = &public
		if e.Type != ticket.EventErased && !base.Erased {
			var personal ticket.Personal
			if e.Personal != nil {
				personal = *e.Personal
			}
			private := base.Private
			personal.Base = &private
			e.Personal = &personal
		}
		return
	}
}
