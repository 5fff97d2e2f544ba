package sim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// question is one operation of a history. A repeated question has the first one's n.
type question struct {
	location int
	name     string
	n        int // which command; a retry with the same key is the same command
	user     int
	ticket   int64
	line     int
	lines    []int
	keep     bool
	position string
}

// reply is what came back: the code, and the ticket that was created or called;
// for a look the waiting tickets of a line.
type reply struct {
	code   wire.Code // "" for success
	id     int64
	after  uint64 // of a success: the journal's offset before it
	offset uint64 // and with it
	queue  []int64
}

// room is the model's state of one location. It is never changed in place.
type room struct {
	lines  map[int][]int64 // who waits, in order
	called map[int64]int   // by whom
	line   map[int64]int   // of every ticket
	ended  map[int64]bool
	past   map[int]reply // answers, by command
	// offset is that of the last change. The order that explains the answers has
	// to be that of the journal, which also leaves little to search.
	offset uint64
}

func (r room) clone() room {
	c := room{
		lines: make(map[int][]int64, len(r.lines)), called: make(map[int64]int, len(r.called)),
		line: make(map[int64]int, len(r.line)), ended: make(map[int64]bool, len(r.ended)), past: make(map[int]reply, len(r.past)), offset: r.offset,
	}
	for k, v := range r.lines {
		c.lines[k] = slices.Clone(v)
	}
	copyMap(c.called, r.called)
	copyMap(c.line, r.line)
	copyMap(c.ended, r.ended)
	copyMap(c.past, r.past)
	return c
}

func copyMap[K comparable, V any](to, from map[K]V) {
	for k, v := range from {
		to[k] = v
	}
}

// answer is what the model says to q, and the state after it. Only where the
// domain is free to choose (which new id, which of several lines) got decides.
func (r room) answer(q question, got reply) (reply, room) {
	if past, ok := r.past[q.n]; ok {
		return past, r // the same key gives the same answer
	}
	out, next := r.decide(q, got)
	if out.code == "" && q.name != "look" {
		if got.after != r.offset {
			return reply{code: wire.Internal}, r // not the order of the journal
		}
		out.offset, next.offset = got.offset, got.offset
		next.past[q.n] = out
	}
	switch out.code {
	case wire.Conflict, wire.Empty, wire.NotFound: // such a refusal belongs to its key
		next = r.clone()
		next.past[q.n] = out
	}
	return out, next
}

func (r room) decide(q question, got reply) (reply, room) {
	if q.name == "look" {
		return reply{queue: r.lines[q.line]}, r
	}
	conflict := reply{code: wire.Conflict}
	_, isCalled := r.called[q.ticket]
	waiting := slices.Contains(r.lines[r.line[q.ticket]], q.ticket)
	switch q.name {
	case "call", "cancel":
		if !waiting {
			return conflict, r
		}
	case "serve", "return":
		if !isCalled {
			return conflict, r
		}
	}
	next := r.clone()
	switch q.name {
	case "create":
		if _, taken := r.line[got.id]; taken || got.id == 0 {
			return conflict, r // a number that somebody has
		}
		next.line[got.id] = q.line
		next.lines[q.line] = append(next.lines[q.line], got.id)
		return reply{id: got.id}, next
	case "callNext":
		id := r.first(q.lines, got.id)
		if id == 0 {
			return reply{code: wire.Empty}, r
		}
		next.call(id, q.user, q.keep)
		return reply{id: id}, next
	case "call":
		next.call(q.ticket, q.user, q.keep)
		return reply{id: q.ticket}, next
	case "cancel":
		next.leave(q.ticket)
		next.ended[q.ticket] = true
	case "serve":
		delete(next.called, q.ticket)
		next.ended[q.ticket] = true
	case "return":
		delete(next.called, q.ticket)
		at := r.line[q.ticket]
		if q.position == ticket.PositionFirst {
			next.lines[at] = append([]int64{q.ticket}, next.lines[at]...)
		} else {
			next.lines[at] = append(next.lines[at], q.ticket)
		}
	}
	return reply{id: q.ticket}, next
}

// first is a ticket that callNext may call: the first of one of the lines.
func (r room) first(lines []int, wanted int64) (id int64) {
	for _, l := range lines {
		if q := r.lines[l]; len(q) > 0 && (id == 0 || q[0] == wanted) {
			id = q[0]
		}
	}
	return id
}

func (r room) leave(id int64) {
	l := r.line[id]
	r.lines[l] = slices.DeleteFunc(r.lines[l], func(x int64) bool { return x == id })
}

func (r room) call(id int64, user int, keep bool) {
	for other, by := range r.called {
		if !keep && by == user {
			delete(r.called, other)
			r.ended[other] = true
		}
	}
	r.leave(id)
	r.called[id] = user
}

// roomModel is the model in porcupine's form. Rooms at the same offset came from
// the same journal, so they are equal.
func roomModel(head uint64) porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			by := map[int][]porcupine.Operation{}
			for _, o := range history {
				l := o.Input.(question).location
				by[l] = append(by[l], o)
			}
			var out [][]porcupine.Operation
			for _, h := range by {
				out = append(out, h)
			}
			return out
		},
		Init: func() any { return room{offset: head}.clone() },
		Step: func(s, in, out any) (bool, any) {
			q, got := in.(question), out.(reply)
			want, next := s.(room).answer(q, got)
			if want.code != got.code || want.id != got.id || want.offset != got.offset || !slices.Equal(want.queue, got.queue) {
				return false, s
			}
			return true, next
		},
		Equal: func(a, b any) bool { return a.(room).offset == b.(room).offset },
		DescribeOperation: func(in, out any) string {
			q, r := in.(question), out.(reply)
			return fmt.Sprintf("#%d %s(%d line %d %v %s keep %v by %d) %s %d %v", q.n, q.name, q.ticket, q.line, q.lines, q.position, q.keep, q.user, r.code, r.id, r.queue)
		},
		DescribeState: func(s any) string {
			r := s.(room)
			return fmt.Sprint(r.offset, " waiting ", r.lines, " called ", r.called)
		},
	}
}

func (q question) command(desk int) ticket.Command {
	switch r := ref(q.ticket); q.name {
	case "create":
		return ticket.Create{Line: q.line}
	case "callNext":
		return ticket.CallNext{Lines: q.lines, Desk: desk, KeepActive: q.keep}
	case "call":
		return ticket.CallTicket{Ref: r, Desk: desk, KeepActive: q.keep}
	case "serve":
		return ticket.Serve{Ref: r}
	case "cancel":
		return ticket.Cancel{Ref: r}
	default:
		return ticket.ReturnToQueue{Ref: r, Position: q.position}
	}
}

// TestTheModelSeesWhatIsWrong proves that the check can fail.
func TestTheModelSeesWhatIsWrong(t *testing.T) {
	q := func(n int, name string, id int64) question {
		return question{location: 1, n: n, name: name, ticket: id, line: 1, lines: []int{1}, user: n, keep: true, position: ticket.PositionLast}
	}
	op := func(in question, out reply, from, to int64) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: from, Return: to}
	}
	did := func(id int64, offset uint64) reply { return reply{id: id, offset: offset, after: offset - 1} }
	two := []porcupine.Operation{op(q(1, "create", 0), did(1, 1), 1, 2), op(q(2, "create", 0), did(2, 2), 3, 4)}
	look := func(queue ...int64) (question, reply) {
		return question{location: 1, n: -1, name: "look", line: 1}, reply{queue: queue}
	}
	lookQ, seesBoth := look(1, 2)
	conflict := reply{code: wire.Conflict}
	for name, wrong := range map[string][]porcupine.Operation{
		"called twice":             {op(q(3, "callNext", 0), did(1, 3), 5, 8), op(q(4, "callNext", 0), did(1, 4), 6, 7)},
		"out of turn":              {op(q(3, "callNext", 0), did(2, 3), 5, 6)},
		"empty and not":            {op(q(3, "callNext", 0), reply{code: wire.Empty}, 5, 6)},
		"served before called":     {op(q(3, "serve", 1), did(1, 3), 5, 6), op(q(4, "call", 1), did(1, 4), 7, 8)},
		"two answers to a key":     {op(q(3, "callNext", 0), did(1, 3), 5, 6), op(q(3, "callNext", 0), did(2, 4), 7, 8)},
		"a key that happened anew": {op(q(3, "call", 1), did(1, 3), 5, 6), op(q(3, "call", 1), did(1, 4), 7, 8)},
		"a refusal that changed its mind": {
			op(q(3, "call", 1), did(1, 3), 5, 6), op(q(4, "call", 1), conflict, 7, 8),
			op(q(5, "return", 1), did(1, 4), 9, 10), op(q(4, "call", 1), did(1, 5), 11, 12),
		},
		"a number given twice":     {op(q(3, "create", 0), did(2, 3), 5, 6)},
		"refused for no reason":    {op(q(3, "cancel", 2), conflict, 5, 6)},
		"not the journal's order":  {op(q(3, "create", 0), did(3, 4), 5, 6), op(q(4, "create", 0), did(4, 3), 7, 8)},
		"seen after it was called": {op(q(3, "call", 1), did(1, 3), 5, 6), op(lookQ, seesBoth, 7, 8)},
		"a refusal ahead of what is to be seen": {
			op(q(3, "call", 1), did(1, 3), 5, 20), op(q(4, "cancel", 1), conflict, 6, 7), op(lookQ, seesBoth, 8, 9),
		},
	} {
		if porcupine.CheckOperations(roomModel(0), append(slices.Clone(two), wrong...)) {
			t.Errorf("%s: taken for right", name)
		}
	}
	if !porcupine.CheckOperations(roomModel(0), two) {
		t.Error("two creates: taken for wrong")
	}
}
