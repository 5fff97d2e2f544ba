package ticket

import (
	"cmp"
	"slices"
	"time"
)

// Pace is how fast a line moves, folded from its starts and services. A Pace in a
// State is immutable: an event that tells something new replaces it.
//
// Work and Entered are desk-seconds per start, so that they mean the same however
// many desks are open; the time between starts follows from the current number.
type Pace struct {
	// Last is the last start, of ticket LastTicket. Busy says that others were
	// still waiting then, so that the time to the next start is pace, not idleness.
	Last       time.Time `json:"last,omitzero"`
	LastTicket int64     `json:"lastTicket,omitempty"`
	Busy       bool      `json:"busy,omitempty"`
	// Work is smoothed over Gaps times between starts, Service is the smoothed
	// length of a service in seconds, over Services.
	Work     float64 `json:"work,omitempty"`
	Gaps     int     `json:"gaps,omitempty"`
	Service  float64 `json:"service,omitempty"`
	Services int     `json:"services,omitempty"`
	// Entered is what the last one to enter service had waited, per place.
	Entered float64 `json:"entered,omitempty"`
	// WorkError and EnteredError are how wrong estimates by either were: smoothed
	// squares, in seconds.
	WorkError    float64 `json:"workError,omitempty"`
	EnteredError float64 `json:"enteredError,omitempty"`
	// Held is the shown time between starts in seconds. It rises at once, and falls
	// to Lower when Falling starts in a row say so.
	Held    float64 `json:"held,omitempty"`
	Falling int     `json:"falling,omitempty"`
	Lower   float64 `json:"lower,omitempty"`
	// Low and High widen or narrow the range; 0: nothing was learned yet.
	Low  float64 `json:"lowWidth,omitempty"`
	High float64 `json:"highWidth,omitempty"`
	// Seen is when a desk last worked for this line: by user id, or by minus the
	// desk's id when the caller is unknown.
	Seen map[int]time.Time `json:"seen,omitempty"`
	// Outcomes is what became of quotes, by the local hour they were given in,
	// the newest last.
	Outcomes map[int][]Outcome `json:"outcomes,omitempty"`
}

const (
	paceWeight     = 0.1           // of the newest observation
	paceBreak      = 2 * time.Hour // a longer gap, or service, is a break or was forgotten
	staffSeen      = 30 * time.Minute
	confirmations  = 2 // starts that must agree before a wait is shown to fall
	defaultService = 5 * time.Minute
	priorServices  = 3.0 // how many services the assumed length weighs like
	leastLeft      = 0.3 // of a service that has outlasted its usual length
	takenAtOnce    = 2 * time.Minute
)

func smooth(old float64, n int, v float64) float64 {
	if n == 0 {
		return v
	}
	// The first few are averaged: one odd visitor must not set the pace.
	return old + max(paceWeight, 1/float64(n+1))*(v-old)
}

// pace is a copy of what is known of a line's pace.
func (s *State) pace(line int) Pace {
	if p := s.Pace[line]; p != nil {
		return *p
	}
	return Pace{}
}

func (p *Pace) warm() bool { return p.Services >= warmAfter && p.Gaps >= warmGaps }

// recent reports whether the line's last start says something about now.
func (p *Pace) recent(now time.Time) bool { return !p.Last.IsZero() && now.Sub(p.Last) < staffSeen }

// service is how long one takes in seconds: at first as long as is assumed, then
// more and more as long as it did.
func (p *Pace) service(l *Line) float64 {
	assumed := defaultService.Seconds()
	if l.Appointment > 0 {
		assumed = float64(l.Appointment) * 60
	}
	n := float64(p.Services)
	return max(1, (assumed*priorServices+p.Service*n)/(priorServices+n))
}

// blend weighs the two gaps by how wrong each has been lately.
func (p *Pace) blend(byWork, byEntered float64) float64 {
	if byEntered == 0 || p.EnteredError == 0 {
		return byWork
	}
	work, entered := 1/(p.WorkError+blendFloor), 1/(p.EnteredError+blendFloor)
	return (byWork*work + byEntered*entered) / (work + entered)
}

// learn folds what an event about a ticket says of its line's pace. The ticket
// is as it is after the event.
func (s *State) learn(t *Ticket, e Event) {
	switch e.Type {
	case EventCalled:
		s.started(t, e.Time)
	case EventServed:
		s.finished(t, e.Time)
	case EventNoShow, EventForwarded, EventReturned:
		s.interrupted(t, e)
	}
}

// started folds a start.
func (s *State) started(t *Ticket, at time.Time) {
	p := s.pace(t.Place.Line)
	fresh := p.recent(at)
	p.see(s.server(t.Place.Call), at)
	desks := float64(max(1, s.staffed(t.Place.Line, &p, at)))
	if gap := at.Sub(p.Last); p.Busy && gap > 0 && gap < paceBreak {
		p.Work = smooth(p.Work, p.Gaps, gap.Seconds()*desks)
		p.Gaps++
	}
	if q, waited := t.Place.Quote, at.Sub(t.Place.joined()); q != nil && q.Mean > 0 && waited > 0 && q.Position > 0 {
		p.Entered = waited.Seconds() / float64(q.Position) * desks
	}
	p.Last, p.LastTicket, p.Busy = at, t.ID, s.Waiting(t.Place.Line) > 0
	held := p
	held.Held = 0
	s.Pace[t.Place.Line] = &held // as it would be shown if nothing were held
	if o, ok := s.outlook(t.Place.Line, at); ok {
		p.hold(o.gap, fresh)
	}
	s.Pace[t.Place.Line] = &p
}

// hold lets the shown gap rise at once, and fall once it was confirmed.
func (p *Pace) hold(gap float64, fresh bool) {
	if gap >= p.Held || !fresh {
		p.Held, p.Falling, p.Lower = gap, 0, 0
		return
	}
	p.Falling++
	p.Lower = max(p.Lower, gap)
	if p.Falling >= confirmations {
		p.Held, p.Falling, p.Lower = p.Lower, 0, 0
	}
}

// see notes that a desk works for the line, and forgets those that did long ago.
func (p *Pace) see(server int, at time.Time) {
	seen := make(map[int]time.Time, len(p.Seen)+1)
	seen[server] = at
	for key, last := range p.Seen {
		if key != server && at.Sub(last) < staffSeen {
			seen[key] = last
		}
	}
	p.Seen = seen
}

// finished folds the end of a service.
func (s *State) finished(t *Ticket, at time.Time) {
	c := t.Place.Call
	if c == nil {
		return
	}
	p := s.pace(t.Place.Line)
	p.see(s.server(c), at)
	if took := at.Sub(c.At); took >= 0 && took < paceBreak { // else the clock went back, or it was forgotten
		p.Service = smooth(p.Service, p.Services, took.Seconds())
		p.Services++
	}
	if q := t.Place.Quote; q != nil {
		p.settle(q, c.At, s.Location)
	}
	s.Pace[t.Place.Line] = &p
}

// interrupted leaves out starts that led to no service: what follows a no-show, or
// somebody who was sent on, comes sooner than the line moves.
func (s *State) interrupted(t *Ticket, e Event) {
	line := cmp.Or(e.Facts.FromLine, t.Place.Line)
	p := s.pace(line)
	if p.LastTicket != t.ID || !p.Busy {
		return
	}
	p.Busy = false
	s.Pace[line] = &p
}

// staffing is who serves a line.
type staffing struct {
	count int
	open  working
	// free are those who have nobody and take the next one at once.
	free int
	// first is the time until one of them ends a service, as a share of a gap.
	first float64
}

// staffing looks who serves a line at an instant.
func (s *State) staffing(line int, now time.Time) staffing {
	p := s.pace(line)
	open := s.openDesks(line, &p, now)
	st := staffing{count: len(open), open: open}
	if st.count == 0 {
		return st
	}
	usual := p.service(s.Lines[line])
	rate, serving, busy := 0.0, 0, make([]bool, st.count)
	for _, c := range slices.Backward(s.called) { // the newest call of a desk is its service
		call := s.Tickets[c.id].Place.Call
		if serving == st.count {
			break // those left over were called and never ended
		}
		i, found := open.find(s.server(call))
		if !found || busy[i] {
			continue
		}
		busy[i] = true
		serving++
		left := 1 - max(0, now.Sub(call.At).Seconds())/usual
		rate += 1 / max(leastLeft, left)
	}
	idle := st.count - serving
	st.first = float64(st.count) / (rate + float64(idle))
	if s.attended(line, now) {
		st.free = idle
	}
	return st
}

// attended reports whether free desks can be believed: while somebody has been
// waiting for a while, a desk that has nobody takes nobody.
func (s *State) attended(line int, now time.Time) bool {
	list := s.waiting[line]
	return len(list) == 0 || now.Sub(s.Tickets[list[0].id].Place.joined()) < takenAtOnce
}

// staffed is how many desks serve a line, given its pace.
func (s *State) staffed(line int, p *Pace, now time.Time) int { return len(s.openDesks(line, p, now)) }

// openDesks are those who have chosen a desk and this line, or all lines, and
// whoever worked for it lately without having chosen a desk.
func (s *State) openDesks(line int, p *Pace, now time.Time) working {
	open := make(working, 0, len(s.atDesks)+1)
	for _, id := range s.atDesks {
		if u := s.Users[id]; len(u.Lines) == 0 || slices.Contains(u.Lines, line) {
			open = append(open, id)
		}
	}
	chosen := len(open)
	for key, at := range p.Seen {
		if now.Sub(at) >= staffSeen {
			continue
		}
		if _, found := s.atDesks.find(key); found {
			continue
		}
		if u := s.Users[key]; u == nil || !u.Removed {
			open = append(open, key)
		}
	}
	if len(open) > chosen {
		slices.Sort(open)
	}
	return open
}

// working is a set of those who serve, ascending: users, and minus the ids of desks
// whose callers are unknown.
type working []int

func (w working) find(key int) (int, bool) { return slices.BinarySearch(w, key) }

func (s *State) atDesk(u *User) bool { return !u.Removed && s.selectedDesk(u.ID) != 0 }

// seatAll finds who is at a desk; seat does it for one user. An estimate is made for
// every push, and a branch may have many users.
func (s *State) seatAll() {
	s.atDesks = nil
	for id, u := range s.Users {
		if s.atDesk(u) {
			s.atDesks = append(s.atDesks, id)
		}
	}
	slices.Sort(s.atDesks)
}

func (s *State) seat(u *User) {
	i, found := s.atDesks.find(u.ID)
	switch at := s.atDesk(u); {
	case at && !found:
		s.atDesks = slices.Insert(s.atDesks, i, u.ID)
	case !at && found:
		s.atDesks = slices.Delete(s.atDesks, i, i+1)
	}
	if len(s.atDesks) == 0 {
		s.atDesks = nil // as seatAll would leave it
	}
}

// rival is another line whose visitors the same desks take in turn.
type rival struct {
	// weight is the share of that line's desks that serve this one too.
	weight  float64
	waiting []place
}

// rivals are the other lines with somebody waiting that desks of this line serve.
func (s *State) rivals(line int, open working, now time.Time) []rival {
	var out []rival
	for _, l := range s.SortedLines() { // in order: sums of fractions depend on it
		if l.ID == line || s.Waiting(l.ID) == 0 {
			continue
		}
		p := s.pace(l.ID)
		theirs, both := s.openDesks(l.ID, &p, now), 0
		for _, key := range theirs {
			if _, found := open.find(key); found {
				both++
			}
		}
		if both > 0 {
			out = append(out, rival{float64(both) / float64(len(theirs)), s.waiting[l.ID]})
		}
	}
	return out
}

// server names who a call is by: the user, or whoever works at the desk, or minus
// the desk; 0 is somebody, somewhere.
func (s *State) server(c *Call) int {
	if c.Caller != 0 || c.Desk == 0 {
		return c.Caller
	}
	at := -c.Desk
	for id, u := range s.Users {
		if !u.Removed && u.Desk == c.Desk { // a desk has one user
			at = id
		}
	}
	return at
}
