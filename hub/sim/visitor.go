package sim

import (
	"context"
	"slices"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
)

func asVisitor() ticket.Actor { return ticket.Actor{Kind: ticket.ActorVisitor} }

func ref(id int64) ticket.Ref { return ticket.Ref{ID: ticket.TicketID(id)} }

// arrive lets a visitor join the line.
func (r *run) arrive(ctx context.Context, v *visitor) {
	res, err := r.do(ctx, v.create(r.rng), asVisitor())
	if err != nil || res.Ticket == nil {
		return // the line is closed to them; they go away
	}
	v.ticket = res.Ticket.ID
	r.visitors[v.ticket] = v
	r.inLine = append(r.inLine, v.ticket)
	r.after(v.patience, func(ctx context.Context) { r.impatient(ctx, v) })
	if v.writes {
		r.after(between(r.rng, 5*time.Second, 4*time.Minute), func(ctx context.Context) { r.ask(ctx, v) })
	}
}

// moves notes what became of a visitor.
func (r *run) moves(v *visitor, p phase) {
	if v.phase == waits && p != waits {
		r.inLine = slices.DeleteFunc(r.inLine, func(id int64) bool { return id == v.ticket })
	}
	if v.phase != waits && p == waits {
		r.inLine = append(r.inLine, v.ticket)
	}
	v.phase = p
}

// impatient: some say so and give the ticket back, most just leave.
func (r *run) impatient(ctx context.Context, v *visitor) {
	if v.phase != waits {
		return
	}
	if chance(r.rng, 0.7) {
		r.moves(v, left)
		return
	}
	if _, err := r.do(ctx, ticket.Cancel{Ref: ref(v.ticket)}, asVisitor()); err == nil {
		r.moves(v, done)
	}
}

// ask writes to the branch; a clerk answers when there is a moment.
func (r *run) ask(ctx context.Context, v *visitor) {
	if v.phase == left || v.phase == done {
		return
	}
	if _, err := r.do(ctx, ticket.SendMessage{Ref: ref(v.ticket), Text: pick(r.rng, questions())}, asVisitor()); err != nil {
		return
	}
	v.talks = true
	c := pick(r.rng, r.o.Clerks)
	r.after(between(r.rng, 15*time.Second, 2*time.Minute), func(ctx context.Context) { r.answer(ctx, v, c) })
}

// answer is a clerk's word to a visitor who wrote, who may thank for it.
func (r *run) answer(ctx context.Context, v *visitor, c Clerk) {
	if v.phase == done {
		return
	}
	if _, err := r.do(ctx, ticket.SendMessage{Ref: ref(v.ticket), Text: pick(r.rng, answers())}, as(c)); err != nil {
		return
	}
	v.talks = true
	if chance(r.rng, 0.4) {
		r.after(between(r.rng, 5*time.Second, time.Minute), func(ctx context.Context) {
			if v.phase == waits || v.phase == called {
				// A thank-you that comes too late opens nothing that matters.
				_, _ = r.do(ctx, ticket.SendMessage{Ref: ref(v.ticket), Text: pick(r.rng, thanks())}, asVisitor())
			}
		})
	}
}

// sendHome ends the day for those whom nobody got to.
func (r *run) sendHome(ctx context.Context) {
	c := r.o.Clerks[0]
	for _, id := range slices.Clone(r.inLine) {
		v := r.visitors[id]
		if _, err := r.do(ctx, ticket.Cancel{Ref: ref(id)}, as(c)); err != nil && ctx.Err() != nil {
			return
		}
		r.moves(v, done)
	}
	for _, v := range r.byTicket() {
		if v.phase == left { // they never came back, and were never called
			_, _ = r.do(ctx, ticket.Cancel{Ref: ref(v.ticket)}, as(c))
			v.phase = done
		}
	}
}

// byTicket lists the day's visitors in an order that can be repeated.
func (r *run) byTicket() []*visitor {
	out := make([]*visitor, 0, len(r.visitors))
	for _, v := range r.visitors {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *visitor) int { return int(a.ticket - b.ticket) })
	return out
}
