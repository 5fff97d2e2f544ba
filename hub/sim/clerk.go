package sim

import (
	"context"
	"slices"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func as(c Clerk) ticket.Actor { return ticket.Actor{Kind: ticket.ActorStaff, User: c.User} }

// pause is a break in a clerk's day.
type pause struct{ from, length time.Duration }

// shift is a clerk's day.
type shift struct {
	*Clerk
	lines  []int
	breaks []pause
	// open is a ticket whose service is over and which is served by calling the next.
	open int64
}

// begin puts a clerk to work. Breaks are staggered, so that the branch never
// stands still.
func (r *run) begin(c *Clerk, n int, from time.Duration) {
	s := &shift{Clerk: c, lines: c.Lines}
	if len(s.lines) == 0 {
		for _, l := range r.o.Lines {
			s.lines = append(s.lines, l.Line)
		}
	}
	length := r.closes - from
	if length > 6*time.Hour {
		stagger := time.Duration(n%4) * 20 * time.Minute
		s.breaks = []pause{
			{from + length/5 + stagger, 12 * time.Minute},
			{from + length*2/5 + 2*stagger, 30 * time.Minute},
			{from + length*3/4 + stagger, 12 * time.Minute},
		}
	}
	if from < r.closes+overtime {
		r.at(from+between(r.rng, time.Second, time.Minute), func(ctx context.Context) { r.turn(ctx, s) })
	}
}

func (r *run) later(s *shift, low, high time.Duration) {
	r.after(between(r.rng, low, high), func(ctx context.Context) { r.turn(ctx, s) })
}

// turn is a clerk with nobody at the desk.
func (r *run) turn(ctx context.Context, s *shift) {
	if r.now > r.closes+overtime {
		r.close(ctx, s)
		return
	}
	if len(s.breaks) > 0 && r.now >= s.breaks[0].from {
		length := s.breaks[0].length
		s.breaks = s.breaks[1:]
		r.close(ctx, s)
		r.later(s, length, length+2*time.Minute)
		return
	}
	res, err := r.do(ctx, r.call(s), as(*s.Clerk))
	switch {
	case err == nil && res.Ticket != nil:
		s.open = 0
		r.come(s, res.Ticket)
	case wire.CodeOf(err) == wire.Conflict: // somebody was quicker
		r.later(s, time.Second, 4*time.Second)
	case wire.CodeOf(err) == wire.Empty && r.now > r.closes:
		r.close(ctx, s) // and home
	default: // nobody waits, or the line is gone
		r.close(ctx, s)
		r.later(s, 5*time.Second, 25*time.Second)
	}
}

// call is how a clerk gets the next visitor: almost always the first in line.
func (r *run) call(s *shift) ticket.Command {
	if len(r.inLine) > 0 && chance(r.rng, 0.05) {
		id := pick(r.rng, r.inLine)
		if slices.Contains(s.lines, r.visitors[id].line) {
			return ticket.CallTicket{Ref: ref(id), Desk: s.Desk}
		}
	}
	return ticket.CallNext{Lines: s.lines, Desk: s.Desk}
}

// close serves what was left open for the next call to serve.
func (r *run) close(ctx context.Context, s *shift) {
	if s.open != 0 {
		// A refusal says that somebody has served it already.
		_, _ = r.do(ctx, ticket.Serve{Ref: ref(s.open)}, as(*s.Clerk))
		s.open = 0
	}
}

// come is a call that was answered or not.
func (r *run) come(s *shift, t *ticket.Ticket) {
	v := r.visitors[t.ID]
	if v == nil { // not one of ours
		v = &visitor{ticket: t.ID, line: t.Place.Line, phase: called}
		r.visitors[t.ID] = v
	}
	if v.phase == left || chance(r.rng, 0.02) {
		r.after(between(r.rng, 20*time.Second, 50*time.Second), func(ctx context.Context) { r.missing(ctx, s, v, 1) })
		return
	}
	r.moves(v, called)
	r.after(between(r.rng, 8*time.Second, 40*time.Second), func(ctx context.Context) { r.serve(ctx, s, v) })
}

// missing calls again and at last gives up.
func (r *run) missing(ctx context.Context, s *shift, v *visitor, times int) {
	if times <= 2 && chance(r.rng, 0.7) {
		if _, err := r.do(ctx, ticket.Recall{Ref: ref(v.ticket)}, as(*s.Clerk)); err != nil {
			r.later(s, time.Second, 5*time.Second)
			return
		}
		if v.phase == waits && chance(r.rng, 0.5) { // had only not listened
			r.moves(v, called)
			r.after(between(r.rng, 5*time.Second, 30*time.Second), func(ctx context.Context) { r.serve(ctx, s, v) })
			return
		}
		r.after(between(r.rng, 20*time.Second, 50*time.Second), func(ctx context.Context) { r.missing(ctx, s, v, times+1) })
		return
	}
	if _, err := r.do(ctx, ticket.MarkNoShow{Ref: ref(v.ticket)}, as(*s.Clerk)); err == nil {
		r.moves(v, done)
		if chance(r.rng, 0.15) {
			r.after(between(r.rng, time.Minute, 6*time.Minute), func(ctx context.Context) { r.back(ctx, s, v) })
		}
	}
	r.later(s, time.Second, 10*time.Second)
}

// back is a visitor who turns up after all.
func (r *run) back(ctx context.Context, s *shift, v *visitor) {
	if r.now > r.closes {
		return
	}
	undo := ticket.ReturnToQueue{Ref: ref(v.ticket), Position: ticket.PositionFirst, Undo: true}
	if _, err := r.do(ctx, undo, as(*s.Clerk)); err == nil {
		r.moves(v, waits)
	}
}

// serve is the time at the desk and what is written down meanwhile.
func (r *run) serve(ctx context.Context, s *shift, v *visitor) {
	length := min(max(logNormal(r.rng, 4*time.Minute, 0.6), 30*time.Second), 40*time.Minute)
	during := func(p float64, do func(ctx context.Context)) {
		if chance(r.rng, p) {
			r.after(between(r.rng, time.Second, length), do)
		}
	}
	say := func(c ticket.Command) func(context.Context) {
		// Refused when a colleague has ended it meanwhile; the end will notice.
		return func(ctx context.Context) { _, _ = r.do(ctx, c, as(*s.Clerk)) }
	}
	during(0.1, say(ticket.Label{Ref: ref(v.ticket), Add: pick(r.rng, labels())}))
	during(0.12, say(ticket.AddNote{Ref: ref(v.ticket), Text: pick(r.rng, notes())}))
	during(0.03, say(ticket.Edit{Ref: ref(v.ticket), Language: ticket.Some(pick(r.rng, languages()))}))
	if v.kind == webChat {
		r.answer(ctx, v, *s.Clerk)
		during(0.8, func(ctx context.Context) { r.ask(ctx, v) })
	}
	r.after(length, func(ctx context.Context) { r.finish(ctx, s, v) })
}

// finish ends a service: most are served, some are sent on, some come back.
func (r *run) finish(ctx context.Context, s *shift, v *visitor) {
	var c ticket.Command
	next := done
	switch roll := r.rng.Float64(); {
	case roll < 0.05 && len(r.o.Lines) > 1 && r.now < r.closes:
		to := pickLine(r.rng, r.o.Lines)
		c, next = ticket.Forward{Ref: ref(v.ticket), Line: to}, waits
	case roll < 0.07 && r.now < r.closes:
		position := pick(r.rng, []string{ticket.PositionFirst, ticket.PositionMiddle, ticket.PositionLast})
		c, next = ticket.ReturnToQueue{Ref: ref(v.ticket), Position: position}, waits
	case roll < 0.4:
		s.open = v.ticket // calling the next one serves it
	default:
		c = ticket.Serve{Ref: ref(v.ticket)}
	}
	if c != nil {
		if res, err := r.do(ctx, c, as(*s.Clerk)); err != nil {
			next = done // a colleague has ended it
		} else if res.Ticket != nil {
			v.line = res.Ticket.Place.Line
		}
	}
	r.moves(v, next)
	if next == done && v.talks {
		_, _ = r.do(ctx, ticket.SetConversation{Ref: ref(v.ticket), State: ticket.ConversationClosed}, as(*s.Clerk))
		v.talks = false
	}
	r.later(s, 3*time.Second, 20*time.Second)
}
