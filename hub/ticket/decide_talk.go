package ticket

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// talk collects the events of one command on a conversation, numbering what
// becomes a transaction.
type talk struct {
	s      *State
	t      *Ticket
	seq    uint64
	next   int // participant id
	events []Event
}

func (s *State) talk(t *Ticket) *talk {
	k := &talk{s: s, t: t, seq: t.Conversation.Seq, next: 1}
	for _, p := range t.Conversation.Participants {
		k.next = max(k.next, p.ID+1)
	}
	return k
}

func (k *talk) add(e Event) { e.Ticket = k.t.ID; k.events = append(k.events, e) }

// entry gives an event the next sequence number, so that it becomes a transaction.
func (k *talk) entry(e Event) {
	k.seq++
	e.Facts.Seq = k.seq
	e.Facts.GUID = k.s.guid("transaction", k.t.ID, int64(k.seq))
	if e.Facts.Status == "" {
		e.Facts.Status = StatusDelivered
	}
	k.add(e)
}

// guid derives a stable id: the same on every node and after every replay.
func (s *State) guid(kind string, ids ...int64) string {
	h := sha1.New()
	h.Write([]byte(s.Location.GUID))
	h.Write([]byte(kind))
	for _, id := range ids {
		h.Write([]byte("/" + strconv.FormatInt(id, 10)))
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80 // a version 5 UUID
	x := hex.EncodeToString(b)
	return strings.Join([]string{x[:8], x[8:12], x[12:16], x[16:20], x[20:]}, "-")
}

// state changes the conversation's state, with the transaction that tells of it.
func (k *talk) state(next ConversationState) {
	kind := map[ConversationState]string{
		ConversationOpen: TransactionOpened, ConversationClosed: TransactionClosed,
		ConversationPending: TransactionPending, ConversationSnoozed: TransactionSnoozed,
	}[next]
	k.entry(Event{Type: EventState, Facts: Facts{
		State: next, Kind: kind, Protocol: ProtocolUndefined, Culture: k.culture(),
	}})
}

// culture is the conversation's, or what the visitor's language says.
func (k *talk) culture() string {
	if c := k.t.Conversation.Culture; c != "" {
		return c
	}
	return CultureOf(k.t.Language)
}

// open makes sure that the conversation is open and that the visitor is in it.
func (k *talk) open() {
	c := &k.t.Conversation
	if c.State != ConversationOpen {
		k.state(ConversationOpen)
	}
	if c.client() == nil {
		p := &k.t.Private
		k.join(Participant{Type: ParticipantClient, Protocol: ProtocolWeb, Active: true},
			ParticipantName{Name: strings.TrimSpace(p.FirstName + " " + p.LastName)})
	}
}

func (k *talk) join(p Participant, name ParticipantName) Participant {
	if p.ID == 0 {
		p.ID = k.next
		k.next++
	}
	k.add(Event{Type: EventParticipant, Facts: Facts{Participant: &p}, Personal: &Personal{Name: &name}})
	return p
}

// sender is the actor's participant, joining the conversation if need be.
func (k *talk) sender(env Env) (Participant, ParticipantName) {
	c := &k.t.Conversation
	if env.Actor.Kind == ActorVisitor {
		if p := c.client(); p != nil {
			return *p, k.t.Private.Names[p.ID]
		}
		last := k.events[len(k.events)-1] // open has just added the client
		return *last.Facts.Participant, *last.Personal.Name
	}
	if env.Actor.User == 0 {
		return Participant{Type: ParticipantSystem, Protocol: ProtocolUndefined, Active: true}, ParticipantName{}
	}
	if p := c.ofUser(env.Actor.User); p != nil && p.Active {
		return *p, k.t.Private.Names[p.ID]
	}
	return k.admit(env.Actor.User)
}

// admit makes a user an active participant.
func (k *talk) admit(user int) (Participant, ParticipantName) {
	p := Participant{Type: ParticipantUser, Protocol: ProtocolWeb, User: user, Active: true}
	if old := k.t.Conversation.ofUser(user); old != nil {
		p = *old
		p.Active = true
	}
	var name ParticipantName
	if u := k.s.Users[user]; u != nil {
		name = ParticipantName{Name: u.Name(), DisplayName: u.FirstName, Identifier: u.GUID, UserName: u.Email}
	}
	return k.join(p, name), name
}

func (c SendMessage) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	if strings.TrimSpace(c.Text) == "" && c.HTML == "" && len(c.Attachments) == 0 && len(c.Payload) == 0 {
		return nil, wire.FieldError("text", "a message needs a text")
	}
	if err = prose("text", c.Text, maxMessage); err != nil {
		return nil, err
	}
	if err = prose("html", c.HTML, maxHTML); err != nil {
		return nil, err
	}
	if len(c.Attachments) > maxFiles {
		return nil, wire.FieldError("files", "a message has at most %d files", maxFiles)
	}
	if err = c.checkFiles(); err != nil {
		return nil, err
	}
	clientID, err := singleLine("clientId", c.ClientID, wire.MaxKey)
	if err != nil {
		return nil, err
	}
	if t.Conversation.State == ConversationClosed && env.Actor.Kind != ActorVisitor {
		return nil, wire.Errorf(wire.Conflict, "the conversation is closed; open it before writing")
	}
	k := s.talk(t)
	k.open()
	from, name := k.sender(env)
	protocol := c.Protocol
	if protocol == "" {
		protocol = ProtocolWeb
	}
	k.entry(Event{Type: EventMessage, Facts: Facts{
		Kind: TransactionMessage, Protocol: protocol, Status: c.Status, Participant: &from, ClientID: clientID,
		Media: len(c.Attachments), Canned: c.Canned,
	}, Personal: &Personal{Text: c.Text, HTML: c.HTML, Attachments: c.Attachments, Payload: c.Payload, Name: &name}})
	return k.events, nil
}

func (c AddNote) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	if strings.TrimSpace(c.Text) == "" && c.HTML == "" {
		return nil, wire.FieldError("text", "a note needs a text")
	}
	if err = prose("text", c.Text, maxMessage); err != nil {
		return nil, err
	}
	if err = prose("html", c.HTML, maxHTML); err != nil {
		return nil, err
	}
	k := s.talk(t)
	from, name := Participant{Type: ParticipantSystem, Protocol: ProtocolUndefined, Active: true}, ParticipantName{}
	if env.Actor.User != 0 { // a note does not make its author a participant
		from = Participant{Type: ParticipantUser, Protocol: ProtocolWeb, User: env.Actor.User, Active: true}
		if p := t.Conversation.ofUser(env.Actor.User); p != nil {
			from = *p
		}
		if u := s.Users[env.Actor.User]; u != nil {
			name = ParticipantName{Name: u.Name(), DisplayName: u.FirstName, Identifier: u.GUID, UserName: u.Email}
		}
	}
	k.entry(Event{Type: EventMessage, Facts: Facts{
		Kind: TransactionNote, Protocol: ProtocolUndefined, Participant: &from,
	}, Personal: &Personal{Text: c.Text, HTML: c.HTML, Name: &name}})
	return k.events, nil
}

func (c MarkRead) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if c.UpTo < 1 || c.UpTo > t.Conversation.Seq {
		return nil, wire.FieldError("upTo", "upTo is the number of a transaction, 1 to %d", t.Conversation.Seq)
	}
	p := t.Conversation.client()
	if env.Actor.Kind != ActorVisitor {
		p = t.Conversation.ofUser(env.Actor.User)
	}
	if p == nil || p.ReadUpTo >= c.UpTo {
		return nil, nil // not a participant, or a late word: nothing to note
	}
	return []Event{{Type: EventMessageStatus, Ticket: t.ID, Facts: Facts{
		Participant: &Participant{ID: p.ID, Type: p.Type, Protocol: p.Protocol}, UpTo: c.UpTo, Status: StatusRead,
	}}}, nil
}

func (c SetConversation) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if !c.State.valid() {
		return nil, wire.FieldError("state", "state is Open, Closed, Pending or Snoozed")
	}
	if t.Conversation.State == c.State {
		return nil, nil
	}
	k := s.talk(t)
	if c.State == ConversationOpen {
		k.open()
	} else {
		k.state(c.State)
	}
	return k.events, nil
}

func (c SetOwner) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if c.User != 0 {
		if _, err := s.user("user", c.User); err != nil {
			return nil, err
		}
	}
	if t.Conversation.Owner == c.User {
		return nil, nil
	}
	k := s.talk(t)
	if t.Conversation.State == "" {
		k.open()
	}
	if old := t.Conversation.ofUser(t.Conversation.Owner); old != nil && old.Active && !c.Keep {
		gone := *old
		gone.Active = false
		k.join(gone, t.Private.Names[old.ID])
	}
	if c.User != 0 {
		k.admit(c.User)
	}
	k.entry(Event{Type: EventState, Facts: Facts{
		Kind: TransactionOwner, Protocol: ProtocolUndefined, User: c.User, Position: "owner",
	}})
	return k.events, nil
}

func (c AddParticipant) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if t.Erased {
		return nil, erased(t)
	}
	name := c.ParticipantName
	for _, v := range []*string{&name.Name, &name.DisplayName, &name.Identifier, &name.UserName} {
		if *v, err = singleLine("participant", *v, maxEmail); err != nil {
			return nil, err
		}
	}
	if err = protocolName("protocolType", c.Protocol); err != nil {
		return nil, err
	}
	if err = protocolName("subProtocolType", c.SubProtocol); err != nil {
		return nil, err
	}
	if len(t.Conversation.Participants) >= maxMembers {
		return nil, wire.FieldError("participant", "a conversation has at most %d participants", maxMembers)
	}
	taken := slices.ContainsFunc(t.Conversation.Participants, func(p Participant) bool {
		return p.Type == ParticipantClient && name.Identifier != "" && t.Private.Names[p.ID].Identifier == name.Identifier
	})
	if taken {
		return nil, nil
	}
	protocol := c.Protocol
	if protocol == "" {
		protocol = ProtocolWeb
	}
	k := s.talk(t)
	k.join(Participant{Type: ParticipantClient, Protocol: protocol, SubProtocol: c.SubProtocol, Active: true}, name)
	return k.events, nil
}
