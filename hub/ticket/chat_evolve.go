package ticket

import (
	"maps"
	"slices"
	"time"
)

// The fold of the conversation facet.

// beginTalk makes a created ticket one that has only a conversation. The place
// keeps when it was made, which is what lists are sorted by.
func (t *Ticket) beginTalk(e Event) {
	f, c := &e.Facts, &t.Conversation
	t.Place = Place{CreatedAt: e.Time, CreatedBy: f.User}
	if !f.EntryAt.IsZero() {
		t.Place.CreatedAt = f.EntryAt
	}
	c.Culture, c.Type, c.Protocol = f.Culture, "Regular", f.Protocol
	c.MovedFrom = f.MovedFrom
	c.LastActivity = e.Time
}

func (s *State) evolveTalk(t *Ticket, e Event) {
	f, c := &e.Facts, &t.Conversation
	at := e.Time
	if !f.EntryAt.IsZero() {
		at = f.EntryAt
	}
	if f.Seq > 0 {
		c.Seq = f.Seq
		c.LastActivity = e.Time
	}
	switch e.Type {
	case EventMessage:
		if f.Kind == TransactionMessage && f.Participant != nil {
			s.count(c, f, at)
			c.read(f.Participant.ID, f.Seq)
		}
		c.Alerted = c.Alerted || f.Kind == TransactionAlert
		if f.Rating > 0 {
			c.Rated = f.Rating
		}
	case EventMessageStatus:
		if f.UpTo > 0 && f.Participant != nil {
			c.read(f.Participant.ID, f.UpTo)
		}
	case EventState:
		c.LastActivity = e.Time
		if f.Position == "owner" {
			c.own(f.User, e.Time)
			return
		}
		c.change(f, at)
	case EventParticipant:
		t.join(e)
	}
}

// own notes who answers from now on.
func (c *Conversation) own(user int, at time.Time) {
	c.Owner = user
	if user == 0 {
		return
	}
	c.LastAllocatedAt = at
	if c.FirstAllocatedAt.IsZero() {
		c.FirstAllocatedAt = at
	}
}

// change notes a new state.
func (c *Conversation) change(f *Facts, at time.Time) {
	if f.State == ConversationOpen && c.OpenedAt.IsZero() {
		c.OpenedAt = at
		if c.Type == "" {
			c.Culture, c.Type = f.Culture, "Regular"
		}
		if c.Protocol == "" {
			c.Protocol = ProtocolWeb
		}
	}
	c.State, c.StateAt, c.ClosedAt = f.State, at, time.Time{}
	c.Alerted, c.ClosedAuto = false, false
	if f.State == ConversationClosed {
		c.ClosedAt, c.ClosedAuto = at, f.Auto
	}
	if f.MovedTo != nil {
		c.MovedTo = f.MovedTo
	}
}

func (t *Ticket) join(e Event) {
	c, p := &t.Conversation, *e.Facts.Participant
	c.Participants = slices.Clone(c.Participants)
	if i := slices.IndexFunc(c.Participants, func(x Participant) bool { return x.ID == p.ID }); i >= 0 {
		c.Participants[i] = p
	} else {
		c.Participants = append(c.Participants, p)
	}
	if e.Personal != nil && e.Personal.Name != nil && !t.Erased {
		names := maps.Clone(t.Private.Names)
		if names == nil {
			names = map[int]ParticipantName{}
		}
		names[p.ID] = *e.Personal.Name
		t.Private.Names = names
	}
}

// read moves a participant's cursor; it never goes back.
func (c *Conversation) read(participant int, upTo uint64) {
	i := slices.IndexFunc(c.Participants, func(p Participant) bool { return p.ID == participant })
	if i < 0 || c.Participants[i].ReadUpTo >= upTo {
		return
	}
	c.Participants = slices.Clone(c.Participants)
	c.Participants[i].ReadUpTo = upTo
}

// count keeps the figures of messages of either side.
func (s *State) count(c *Conversation, f *Facts, at time.Time) {
	switch f.Participant.Type {
	case ParticipantClient:
		if c.ClientMessages == 0 && c.StaffMessages == 0 {
			c.Incoming = true
		}
		if c.ClientFrom == 0 || c.StaffSince {
			c.ClientFrom, c.StaffSince = f.Seq, false
		}
		c.ClientSeq = f.Seq
		c.ClientMessages++
		c.ClientMedia += f.Media
		c.LastClientAt = at
		if c.FirstClientAt.IsZero() {
			c.FirstClientAt = at
		}
	case ParticipantUser:
		if !c.LastClientAt.IsZero() && c.LastStaffAt.Before(c.LastClientAt) {
			c.Responses++
			c.ResponseNet += s.Location.Working(c.LastClientAt, at)
		}
		c.StaffSince = true
		c.StaffMessages++
		c.StaffMedia += f.Media
		if f.Canned {
			c.CannedReplies++
		}
		c.LastStaffAt = at
		if c.FirstStaffAt.IsZero() {
			c.FirstStaffAt, c.FirstStaff = at, f.Participant.User
		}
	}
}

// maxWorking bounds how many days are added up; a conversation that is older
// counts around the clock before that.
const maxWorking = 366

// Working is how much of the time from one instant to another lies within the
// opening hours.
func (l *Location) Working(from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	if l == nil || l.Hours == nil || to.Sub(from) > maxWorking*24*time.Hour {
		return to.Sub(from)
	}
	var total time.Duration
	y, m, d := from.In(l.Zone()).Date()
	for n := d - 1; ; n++ { // yesterday's last span may run past midnight
		midnight := time.Date(y, m, n, 0, 0, 0, 0, l.Zone())
		if !midnight.Before(to) {
			return total
		}
		day := l.Hours.on(time.Date(y, m, n, 12, 0, 0, 0, time.UTC))
		for _, s := range day.open() {
			opens := time.Date(y, m, n, 0, s.Opens, 0, 0, l.Zone())
			closes := time.Date(y, m, n, 0, s.Closes, 0, 0, l.Zone())
			if opens.Before(from) {
				opens = from
			}
			if closes.After(to) {
				closes = to
			}
			total += max(0, closes.Sub(opens))
		}
	}
}

// open is the day's spans, each with Closes after Opens.
func (d Day) open() []Span {
	switch {
	case d.Closed:
		return nil
	case len(d.Spans) == 0:
		return []Span{{0, 24 * 60}}
	}
	out := slices.Clone(d.Spans)
	for i := range out {
		if out[i].Closes <= out[i].Opens {
			out[i].Closes += 24 * 60
		}
	}
	return out
}
