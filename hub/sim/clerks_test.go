package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// outcome is how a command ended for the one who asked.
type outcome int

const (
	unknown outcome = iota // it may have happened
	acknowledged
	refused
)

// ask is one command of a clerk. Its id is the actor's credential, which the
// journal keeps, so that what came of it can be found there.
type ask struct {
	id  string
	req ledger.Request
	out outcome
	res ledger.Result
}

// work is a clerk's day.
func (w *world) work(n int) {
	rng := newRand(w.seed, 1000+n)
	for i := range w.set.commands {
		if w.calm() {
			return
		}
		p := w.house.locations[rng.IntN(len(w.house.locations))]
		a := &ask{id: fmt.Sprintf("c%d.%d", n, i)}
		a.req = ledger.Request{Location: p.id, Command: w.think(rng, p), Actor: ticket.Actor{
			Kind: ticket.ActorStaff, User: p.users[n%len(p.users)], Credential: a.id,
		}}
		if chance(rng, 0.1) {
			a.req.Actor.Kind, a.req.Actor.User = ticket.ActorVisitor, 0
		}
		if chance(rng, 0.8) {
			a.req.Key = a.id
		}
		w.mu.Lock()
		w.asks = append(w.asks, a)
		w.mu.Unlock()
		w.do(rng, a)
		rest(between(rng, 0, w.set.pace))
	}
}

// think makes up a command about what there is.
func (w *world) think(rng *rand.Rand, p place) ticket.Command {
	w.mu.Lock()
	known := w.tickets[p.id]
	recent := known[max(0, len(known)-12):]
	id := recent[rng.IntN(len(recent))]
	w.mu.Unlock()
	r, line := ref(id), pick(rng, p.lines)
	switch roll := rng.IntN(100); {
	case roll < 24:
		return ticket.Create{Line: line, FirstName: firstSecret, LastName: lastSecret, ShowName: chance(rng, 0.5)}
	case roll < 40:
		return ticket.CallNext{Lines: p.lines[:1+rng.IntN(len(p.lines))], Desk: pick(rng, p.desks), KeepActive: chance(rng, 0.3)}
	case roll < 50:
		return ticket.CallTicket{Ref: r, Desk: pick(rng, p.desks), KeepActive: chance(rng, 0.3)}
	case roll < 55:
		return ticket.Recall{Ref: r}
	case roll < 60:
		return ticket.Serve{Ref: r}
	case roll < 63:
		return ticket.MarkNoShow{Ref: r}
	case roll < 66:
		return ticket.Cancel{Ref: r}
	case roll < 73:
		where := pick(rng, []string{ticket.PositionFirst, ticket.PositionMiddle, ticket.PositionLast})
		return ticket.ReturnToQueue{Ref: r, Position: where, Undo: chance(rng, 0.5)}
	case roll < 77:
		return ticket.Forward{Ref: r, Line: line}
	case roll < 82:
		return w.reorder(rng, r, known)
	case roll < 85:
		return ticket.Assign{Ref: r, User: pick(rng, p.users)}
	case roll < 86:
		return ticket.Unassign{Ref: r}
	case roll < 90:
		return ticket.Edit{Ref: r, FirstName: ticket.Some(firstSecret + "!"), ShowName: ticket.Some(chance(rng, 0.5)), Line: w.otherLine(rng, line)}
	case roll < 93:
		return ticket.Label{Ref: r, Add: pick(rng, labels())}
	case roll < 96:
		return ticket.SendMessage{Ref: r, Text: "hello"}
	case roll < 97:
		return ticket.AddNote{Ref: r, Text: "note"}
	case roll < 99:
		return ticket.SetConversation{Ref: r, State: pick(rng, []ticket.ConversationState{ticket.ConversationClosed, ticket.ConversationOpen})}
	}
	return w.erase(rng, recent)
}

func (w *world) reorder(rng *rand.Rand, r ticket.Ref, known []int64) ticket.Command {
	if chance(rng, 0.4) {
		return ticket.Reorder{Ref: r}
	}
	return ticket.Reorder{Ref: r, After: ticket.TicketID(pick(rng, known))}
}

func (w *world) otherLine(rng *rand.Rand, line int) (o ticket.Opt[int]) {
	if chance(rng, 0.4) {
		o = ticket.Some(line)
	}
	return o
}

// erase picks a ticket whose remembered results may be forgotten from now on.
func (w *world) erase(rng *rand.Rand, recent []int64) ticket.Command {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := pick(rng, recent)
	w.erased[id] = true
	return ticket.Erase{Ref: ref(id)}
}

// do asks until the answer is certain, or cannot become so.
func (w *world) do(rng *rand.Rand, a *ask) {
	for {
		n := w.await()
		if n == nil {
			return
		}
		ask := w.once
		if a.req.Key != "" && chance(rng, 0.15) {
			ask = w.twice
		}
		res, err := ask(rng, n, a.req)
		switch {
		case err == nil:
			w.count("acknowledged")
			a.out, a.res = acknowledged, res
			w.checkAnswer(a)
			if res.Ticket != nil {
				w.created(a.req.Location, res.Ticket.ID)
			}
			if a.req.Key != "" && chance(rng, 0.3) {
				w.again(rng, a)
			}
			return
		case wire.CodeOf(err) == wire.Unavailable && a.req.Key == "":
			w.count("unknown")
			return
		case wire.CodeOf(err) == wire.Unavailable:
			w.count("asked again")
			rest(between(rng, 0, 3*w.set.pace))
		case wire.CodeOf(err) == wire.Internal:
			w.fail("%s %+v: %v", a.req.Command.Name(), a.req.Command, err)
			return
		default:
			w.count("refused")
			a.out = refused
			return
		}
	}
}

// twice asks for the same two times at once, as a proxy does that has lost its
// patience: whoever of the two is first, both hear the same.
func (w *world) twice(rng *rand.Rand, n *node, r ledger.Request) (ledger.Result, error) {
	w.count("asked twice at once")
	var res [2]ledger.Result
	var err [2]error
	var both sync.WaitGroup
	for i := range res {
		both.Go(func() { res[i], err[i] = n.ledger.Do(context.Background(), r) })
	}
	both.Wait()
	i := 0
	switch {
	case err[0] == nil && err[1] == nil:
		differ := res[0].Offset != res[1].Offset || asJSON(res[0].Ticket) != asJSON(res[1].Ticket) || !res[0].Again && !res[1].Again
		if differ && !w.erases(res[0].Ticket) && !w.erases(res[1].Ticket) {
			w.fail("%s %s asked twice at once: %+v and %+v", r.Key, r.Command.Name(), res[0], res[1])
		}
		if res[0].Again {
			i = 1
		}
	case err[0] != nil && (err[1] == nil || wire.CodeOf(err[1]) == wire.Unavailable):
		i = 1 // the better answer, or the less certain one
	}
	return res[i], err[i]
}

// once asks one time, sometimes without the patience to hear the answer.
func (w *world) once(rng *rand.Rand, n *node, r ledger.Request) (ledger.Result, error) {
	ctx := context.Background()
	if chance(rng, 0.1) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, between(rng, 0, w.set.pace))
		defer cancel()
	}
	return n.ledger.Do(ctx, r)
}

// checkAnswer: what is acknowledged is durable.
func (w *world) checkAnswer(a *ask) {
	head, err := w.log.Head(a.req.Location)
	if err != nil || head.Offset < a.res.Offset {
		w.fail("%s was acknowledged at %d, the journal ends at %d (%v)", a.id, a.res.Offset, head.Offset, err)
	}
}

// again asks for the same once more: the answer is the same and nothing happens.
func (w *world) again(rng *rand.Rand, a *ask) {
	n := w.await()
	if n == nil {
		return
	}
	res, err := w.once(rng, n, a.req)
	if wire.CodeOf(err) == wire.Unavailable && err != nil {
		return
	}
	if w.erases(a.res.Ticket) {
		return
	}
	w.count("remembered")
	if err != nil || !res.Again || res.Offset != a.res.Offset || asJSON(res.Ticket) != asJSON(a.res.Ticket) {
		w.fail("%s %s asked again: %+v, %v; at first %+v", a.id, a.req.Command.Name(), res, err, a.res)
	}
}

// erases reports whether somebody has asked for a ticket to be erased.
func (w *world) erases(t *ticket.Ticket) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t != nil && w.erased[t.ID]
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
