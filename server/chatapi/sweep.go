package chatapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// sweepEvery is how exact what happens by itself is: people wait minutes.
const sweepEvery = 10 * time.Second

// Run does what happens by itself until ctx ends: idle conversations close,
// pending ones are reminded and expire, sleeping ones wake, and what an erasure
// leaves beside the journal goes; and messages without a ticket are sent.
func (a *API) Run(ctx context.Context) error {
	var sending sync.WaitGroup
	sending.Go(func() { a.runMessages(ctx) })
	defer sending.Wait()
	for {
		tick, giveUp := a.Timer(sweepEvery)
		select {
		case <-ctx.Done():
			giveUp()
			return nil
		case <-a.Effects.wake:
			giveUp()
			a.report(a.scrubAll(ctx), "erasure not carried through yet")
		case <-tick:
			a.report(a.Sweep(ctx), "automatic changes not made")
			a.report(a.rescan(ctx), "files not looked at")
			a.report(a.tidy(ctx), "uploads not tidied up")
			a.report(a.scrubAll(ctx), "erasure not carried through yet")
		}
	}
}

func (a *API) report(err error, what string) {
	if err != nil && !errors.Is(err, context.Canceled) {
		a.Log.Warn().Err(err).Msg(what)
	}
}

// Sweep makes the automatic changes that are due now.
func (a *API) Sweep(ctx context.Context) error {
	now := a.Clock().UTC()
	var errs []error
	for _, loc := range a.Ledger.Locations() {
		guid := ""
		a.Ledger.View(loc, func(s *ticket.State) { guid = s.Location.GUID })
		set, err := a.settings(guid)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var due []ticket.Command
		a.Ledger.View(loc, func(s *ticket.State) {
			for _, t := range s.Tickets {
				set := set
				if a.botOwns(t) {
					set.Texts = Texts{}
				}
				if c := set.due(s, t, now); c != nil {
					due = append(due, c)
				}
			}
		})
		for _, c := range due {
			_, err := a.Ledger.Do(ctx, ledger.Request{
				Location: loc, Command: c, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "automatic"},
			})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// due is what has to happen to a conversation now; nil for nothing. Each carries
// the thread's last number, so that a message that comes first wins.
func (set *Settings) due(s *ticket.State, t *ticket.Ticket, now time.Time) ticket.Command {
	c := &t.Conversation
	to := func(state ticket.ConversationState, say string) ticket.Command {
		return ticket.ChangeConversation{Ref: refOf(t), State: state, Auto: true, Seq: c.Seq, Say: say}
	}
	switch c.State {
	case ticket.ConversationOpen:
		idle, named := set.Idle[c.Protocol]
		if !named {
			idle = set.Idle[""]
		}
		if idle > 0 && now.Sub(lastWord(c)) >= time.Duration(idle) {
			return to(ticket.ConversationClosed, set.Texts.ByeBye)
		}
	case ticket.ConversationPending:
		waited := s.Location.Working(c.StateAt, now)
		switch {
		case set.Expire > 0 && waited >= time.Duration(set.Alert+set.Expire):
			return to(ticket.ConversationClosed, set.Texts.ByeBye)
		case set.Alert > 0 && !c.Alerted && waited >= time.Duration(set.Alert) && set.Texts.Pending != "" && !t.Erased:
			return ticket.AddEntry{Ref: refOf(t), Kind: ticket.TransactionAlert, Text: set.Texts.Pending}
		}
	case ticket.ConversationSnoozed:
		if set.Snooze > 0 && now.Sub(c.StateAt) >= time.Duration(set.Snooze) {
			return to(ticket.ConversationOpen, "")
		}
	}
	return nil
}

// lastWord is when somebody last wrote, or the conversation was opened.
func lastWord(c *ticket.Conversation) time.Time {
	last := c.StateAt
	for _, at := range []time.Time{c.LastClientAt, c.LastStaffAt} {
		if at.After(last) {
			last = at
		}
	}
	return last
}
