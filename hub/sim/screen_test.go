package sim

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
)

// feed is what a screen knows of one channel.
type feed struct {
	key   hub.Key
	epoch string
	has   bool // there is a position to come back with
	// chain is the offset that the next push must name as prev. It can lie below
	// folded while what was under way at a resubscription comes once more.
	chain, folded uint64
	asked         map[int64]uint64 // since, by request

	board   board.Board
	tickets map[string]json.RawMessage // console and ticket channels: by id
}

// screen is a client of the hub. It fails the test on anything that is not a
// contiguous run or a snapshot, in journal order, the same for everybody.
type screen struct {
	w     *world
	name  string
	rng   *rand.Rand
	feeds []*feed
	next  int64 // request id; the screen's goroutine only
}

// message is any frame of the hub.
type message struct {
	ID    int64
	Reply *struct {
		Channel, Epoch string
		Offset         uint64
		Recovered      bool
		Snapshot       json.RawMessage
	}
	Push         string
	Channel      string
	Offset, Prev uint64
	Time         time.Time
	Data         json.RawMessage
}

func (s *screen) feed(channel string) *feed {
	for _, f := range s.feeds {
		if f.key.Channel.String() == channel {
			return f
		}
	}
	s.w.fail("%s: a frame of %s, which it has not asked for", s.name, channel)
	return nil
}

func (s *screen) frame(payload []byte) {
	var m message
	if err := json.Unmarshal(payload, &m); err != nil {
		s.w.fail("%s: not JSON: %v: %.200s", s.name, err, payload)
		return
	}
	switch {
	case m.Reply != nil:
		if f := s.feed(m.Reply.Channel); f != nil {
			s.w.checkPublic(s.name, f, payload)
			s.reply(f, &m)
		}
	case m.Push != "" && m.Offset > 0:
		if f := s.feed(m.Channel); f != nil {
			s.w.checkPublic(s.name, f, payload)
			s.push(f, &m)
		}
	}
}

func (s *screen) reply(f *feed, m *message) {
	r := m.Reply
	if f.epoch != "" && f.epoch != r.Epoch {
		s.w.fail("%s: epoch of %s went from %q to %q", s.name, r.Channel, f.epoch, r.Epoch)
	}
	f.epoch = r.Epoch
	if r.Recovered {
		s.w.count("recovered")
		since, ok := f.asked[m.ID]
		if !ok || r.Offset < since {
			s.w.fail("%s: %s recovered to %d, asked for what follows %d (%v)", s.name, r.Channel, r.Offset, since, ok)
		}
		f.chain = since
		return
	}
	if f.has {
		s.w.count("snapshot instead of recovery")
		if r.Offset < f.folded {
			s.w.fail("%s: snapshot of %s is at %d, had %d already", s.name, r.Channel, r.Offset, f.folded)
		}
	}
	f.has, f.chain, f.folded = true, r.Offset, r.Offset
	s.reset(f, r.Snapshot)
}

func (s *screen) reset(f *feed, data json.RawMessage) {
	switch f.key.Channel.Kind {
	case wire.BoardChannel:
		var snap board.Snapshot
		if err := json.Unmarshal(data, &snap); err != nil {
			s.w.fail("%s: snapshot: %v: %.200s", s.name, err, data)
		}
		f.board.Reset(snap)
	case wire.ConsoleChannel:
		f.tickets = consoleTickets(s.w, data)
	case wire.TicketChannel:
		var snap struct{ Ticket json.RawMessage }
		if err := json.Unmarshal(data, &snap); err != nil || len(snap.Ticket) == 0 {
			s.w.fail("%s: snapshot: %v: %.200s", s.name, err, data)
		}
		f.tickets = map[string]json.RawMessage{"": snap.Ticket}
	}
}

func (s *screen) push(f *feed, m *message) {
	switch {
	case m.Offset <= f.chain:
		s.w.fail("%s: %s: duplicate of %d at %d", s.name, m.Channel, m.Offset, f.chain)
	case m.Prev != f.chain:
		s.w.fail("%s: %s: gap: %d follows %d, have %d", s.name, m.Channel, m.Offset, m.Prev, f.chain)
	}
	s.w.saw(s.name, f.key, m)
	f.chain = m.Offset
	if m.Offset <= f.folded {
		return // came once more after a resubscription
	}
	f.folded = m.Offset
	switch f.key.Channel.Kind {
	case wire.BoardChannel:
		push := wire.Push{Type: m.Push, Channel: m.Channel, Offset: m.Offset, Prev: m.Prev, Time: m.Time, Data: m.Data}
		if _, err := f.board.Apply(push); err != nil {
			s.w.fail("%s: %v", s.name, err)
		}
	default:
		var d struct{ Ticket json.RawMessage }
		if err := json.Unmarshal(m.Data, &d); err != nil {
			s.w.fail("%s: %v", s.name, err)
		}
		if len(d.Ticket) > 0 && f.tickets != nil {
			f.tickets[f.id(d.Ticket)] = d.Ticket
		}
	}
}

// id is what a feed keeps a ticket under: a ticket channel has only one.
func (f *feed) id(t json.RawMessage) string {
	if f.key.Channel.Kind == wire.TicketChannel {
		return ""
	}
	return ticketID(t)
}

func ticketID(t json.RawMessage) string {
	var x struct{ ID string }
	_ = json.Unmarshal(t, &x) // "" is no ticket's id and is met at the comparison
	return x.ID
}

func consoleTickets(w *world, data json.RawMessage) map[string]json.RawMessage {
	var snap struct{ Tickets []json.RawMessage }
	if err := json.Unmarshal(data, &snap); err != nil {
		w.fail("console snapshot: %v: %.200s", err, data)
	}
	out := map[string]json.RawMessage{}
	for _, t := range snap.Tickets {
		out[ticketID(t)] = t
	}
	return out
}

// saw checks a push against the journal and against what others were sent.
func (w *world) saw(who string, key hub.Key, m *message) {
	location := int(key.Channel.ID)
	if key.Channel.Kind == wire.TicketChannel {
		location = w.locate(key.Channel.ID)
	}
	head, err := w.log.Head(location)
	if err != nil || head.Offset < m.Offset {
		w.fail("%s: %s: %d came before it was durable; the journal ends at %d (%v)", who, m.Channel, m.Offset, head.Offset, err)
	}
	h := fnv.New64a()
	h.Write([]byte(m.Push))
	h.Write(m.Data)
	print := frameprint{typ: m.Push, prev: m.Prev, hash: h.Sum64()}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent[key] == nil {
		w.sent[key] = map[uint64]frameprint{}
	}
	if other, ok := w.sent[key][m.Offset]; ok && other != print {
		w.failLocked("%s: %s: %d is not what others were sent: %+v, %+v", who, m.Channel, m.Offset, print, other)
	}
	w.sent[key][m.Offset] = print
}

type frameprint struct {
	typ  string
	prev uint64
	hash uint64
}

// checkPublic looks for names where they must not be.
func (w *world) checkPublic(who string, f *feed, payload []byte) {
	if f.key.Channel.Kind != wire.BoardChannel {
		return
	}
	mode := w.names[int(f.key.Channel.ID)]
	if bytes.Contains(payload, []byte(lastSecret)) || mode == "none" && bytes.Contains(payload, []byte(firstSecret)) {
		w.fail("%s: a name on a board that shows %q: %.300s", who, mode, payload)
	}
}

// live is a screen's life: connect, follow, be slow, be cut off, come back.
func (s *screen) live() {
	for {
		n := s.w.await()
		if n == nil {
			return
		}
		l := newLink(s)
		out := n.hub.NewOutbox(l)
		ok := s.subscribe(n, out, l)
		if ok {
			n.join(l, out)
			s.behave(n, out, l)
		}
		out.Fail()
		n.hub.Drop(out)
		<-l.gone
		s.settle(l)
		if s.w.calm() {
			if s.w.over() {
				return
			}
			continue
		}
		rest(between(s.rng, time.Millisecond, 200*time.Millisecond))
	}
}

// settle draws the consequence of how a link ended.
func (s *screen) settle(l *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.code == wire.CloseSlow {
		s.w.count("slow")
	}
	if wire.KeepsPosition(l.code) {
		return
	}
	for _, f := range s.feeds {
		f.has = false
	}
}

func (s *screen) subscribe(n *node, out *hub.Outbox, l *link) bool {
	for _, f := range s.feeds {
		if !s.ask(n, out, l, f) {
			return false
		}
	}
	return true
}

// ask subscribes to a channel from the position that the screen has.
func (s *screen) ask(n *node, out *hub.Outbox, l *link, f *feed) bool {
	s.next++
	var since *wire.Position
	l.mu.Lock()
	if f.has {
		since = &wire.Position{Epoch: f.epoch, Offset: f.folded}
		f.asked[s.next] = f.folded
	}
	l.mu.Unlock()
	err := n.hub.Subscribe(out, f.key, since, s.next)
	if err != nil && wire.CodeOf(err) != wire.Unavailable {
		s.w.fail("%s: subscribe to %s: %v", s.name, f.key.Channel, err)
	}
	return err == nil
}

// behave does to a link what happens to links, until it ends.
func (s *screen) behave(n *node, out *hub.Outbox, l *link) {
	for !s.w.calm() {
		switch roll := s.rng.Float64(); {
		case roll < 0.2: // cut off
			return
		case roll < 0.5: // slow: nothing or little goes through for a while
			l.allow(s.rng.IntN(200))
			for range s.rng.IntN(6) {
				s.wait(l, between(s.rng, time.Millisecond, 60*time.Millisecond))
				l.allow(s.rng.IntN(4000))
			}
			if chance(s.rng, 0.3) && !s.ask(n, out, l, pick(s.rng, s.feeds)) { // impatient
				return
			}
			l.allow(-1)
		case roll < 0.6:
			if !s.ask(n, out, l, pick(s.rng, s.feeds)) {
				return
			}
		}
		if !s.wait(l, between(s.rng, 5*time.Millisecond, 150*time.Millisecond)) {
			return
		}
	}
	l.allow(-1)
	select {
	case <-l.gone:
	case <-s.w.end:
	}
}

// wait lets time pass; false when the link ended.
func (s *screen) wait(l *link, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.gone:
		return false
	}
}

// rest lets the bubble's time pass.
func rest(d time.Duration) { time.Sleep(d) }
