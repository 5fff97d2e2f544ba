package ticket

import (
	"maps"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

func (c SetTalkFields) decide(s *State, env Env) ([]Event, error) {
	t, err := s.personal(c.TicketID())
	if err != nil {
		return nil, err
	}
	private := t.Private
	for i, v := range c.Fields {
		if v != nil {
			private.Fields[i] = *v
		}
	}
	if c.UniqueArgument != nil {
		private.UniqueArgument = *c.UniqueArgument
	}
	if c.Details != nil {
		private.Details = c.Details
	}
	if private.Details, err = MergeDetails(private.Details, c.Members); err != nil {
		return nil, err
	}
	if err := firstOf(checkFieldTexts(&private), checkDetails(private.Details), s.setDynamic(&private, t.ID, c.Dynamic, env.Now)); err != nil {
		return nil, err
	}
	return touched(changed(t, private)), nil
}

// personal is a ticket that takes personal data: one that was not erased.
func (s *State) personal(id int64) (*Ticket, error) {
	t, err := s.ticket(id)
	if err == nil && t.Erased {
		err = erased(t)
	}
	return t, err
}

func touched(events []Event) []Event {
	for i := range events {
		events[i].Facts.Touch = true
	}
	return events
}

func (c RenameParticipant) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.personal(c.TicketID())
	if err != nil {
		return nil, err
	}
	p := t.Conversation.participant(c.Participant)
	if p == nil {
		e := wire.Errorf(wire.NotFound, "the ticket has no participant with id %d", c.Participant)
		e.Field = "id"
		return nil, e
	}
	name := t.Private.Names[p.ID]
	if name.Name, err = singleLine("name", c.Rename, maxIdentifier); err != nil {
		return nil, err
	}
	if name.Name == "" {
		return nil, wire.FieldError("name", "name must not be empty")
	}
	same := *p
	return []Event{{
		Type: EventParticipant, Ticket: t.ID, Facts: Facts{Participant: &same, Touch: true}, Personal: &Personal{Name: &name},
	}}, nil
}

func (c SetSummary) decide(s *State, env Env) ([]Event, error) {
	t, err := s.personal(c.TicketID())
	if err != nil {
		return nil, err
	}
	private, err := t.summarised(c.Text, env)
	if err != nil {
		return nil, err
	}
	return touched(changed(t, private)), nil
}

func (t *Ticket) summarised(text string, env Env) (Private, error) {
	private := t.Private
	if err := prose("summary", text, maxSummary); err != nil {
		return private, err
	}
	private.Summary = &Summary{User: env.Actor.User, At: env.Now, Text: text}
	return private, nil
}

func (c TagConversation) decide(s *State, _ Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	labels, err := t.tagged(c.Add, c.Remove)
	if err != nil || slices.Equal(labels, t.Labels) {
		return nil, err
	}
	return []Event{{Type: EventLabelled, Ticket: t.ID, Facts: Facts{Labels: labels, Touch: true}}}, nil
}

func (t *Ticket) tagged(add []string, remove string) ([]string, error) {
	labels := slices.DeleteFunc(slices.Clone(t.Labels), func(l string) bool { return remove != "" && l == remove })
	return checkLabels("tags", append(labels, add...))
}

// AddedKinds are the kinds that AddEntry adds.
func AddedKinds() []string {
	return []string{
		TransactionStarted, TransactionEnded, TransactionAudio, TransactionSigned, TransactionSurvey, TransactionAlert,
	}
}

func (c AddEntry) decide(s *State, env Env) ([]Event, error) {
	t, err := s.personal(c.TicketID())
	if err != nil {
		return nil, err
	}
	if !slices.Contains(AddedKinds(), c.Kind) {
		return nil, wire.FieldError("type", "there is no such kind of entry")
	}
	if err := prose("text", c.Text, maxMessage); err != nil {
		return nil, err
	}
	if len(c.Attachments) > maxFiles {
		return nil, wire.FieldError("files", "at most %d files", maxFiles)
	}
	from, name := Participant{Type: ParticipantSystem, Protocol: ProtocolUndefined, Active: true}, ParticipantName{}
	switch p := t.Conversation.client(); {
	case c.AsClient && p != nil:
		from, name = *p, t.Private.Names[p.ID]
	case !c.AsClient && env.Actor.User != 0:
		if p := t.Conversation.ofUser(env.Actor.User); p != nil {
			from, name = *p, t.Private.Names[p.ID]
		}
	}
	k := s.talk(t)
	k.entry(Event{Type: EventMessage, Facts: Facts{
		Kind: c.Kind, Protocol: ProtocolUndefined, Participant: &from, EntryAt: c.At, Media: len(c.Attachments),
	}, Personal: &Personal{Text: c.Text, Attachments: c.Attachments, Payload: c.Payload, Name: &name}})
	return k.events, nil
}

func (c ChangeConversation) decide(s *State, env Env) ([]Event, error) {
	t, err := s.ticket(c.TicketID())
	if err != nil {
		return nil, err
	}
	if !c.State.valid() {
		return nil, wire.FieldError("nextState", "nextState is Open, Closed, Pending or Snoozed")
	}
	if c.Auto && c.Seq != t.Conversation.Seq {
		return nil, nil // somebody wrote meanwhile
	}
	k := s.talk(t)
	if err := k.tagsAndSummary(c, env); err != nil {
		return nil, err
	}
	if t.Conversation.State == c.State && c.MovedTo == nil {
		return k.events, nil
	}
	say := c.Say != "" && !t.Erased && t.Conversation.State != ""
	if err := prose("text", c.Say, maxMessage); err != nil {
		return nil, err
	}
	from, name := k.speaker()
	if say && c.State != ConversationOpen {
		k.say(TransactionByeBye, from, name, c.Say, "")
	}
	if c.State == ConversationOpen || t.Conversation.State == "" {
		k.open()
	}
	if say && c.State == ConversationOpen {
		k.say(TransactionReopen, from, name, c.Say, "")
	}
	if c.State != ConversationOpen {
		k.state(c.State)
	}
	for i := range k.events {
		if f := &k.events[i].Facts; f.State != "" {
			f.Silent, f.Auto, f.MovedTo = c.Silent, c.Auto, c.MovedTo
		}
	}
	return k.events, nil
}

// speaker is who automatic texts come from: the owner, else the department.
func (k *talk) speaker() (Participant, ParticipantName) {
	if p := k.t.Conversation.ofUser(k.t.Conversation.Owner); p != nil {
		return *p, k.t.Private.Names[p.ID]
	}
	return Participant{Type: ParticipantSystem, Protocol: ProtocolUndefined, Active: true}, ParticipantName{}
}

func (k *talk) tagsAndSummary(c ChangeConversation, env Env) error {
	t := k.t
	if len(c.Tags) > 0 {
		labels, err := t.tagged(c.Tags, "")
		if err != nil {
			return err
		}
		if !slices.Equal(labels, t.Labels) {
			k.add(Event{Type: EventLabelled, Facts: Facts{Labels: labels, Touch: true}})
		}
	}
	if c.Summary != nil && *c.Summary != "" {
		if t.Erased {
			return erased(t)
		}
		private, err := t.summarised(*c.Summary, env)
		if err != nil {
			return err
		}
		k.events = append(k.events, touched(changed(t, private))...)
	}
	return nil
}

func (c Enqueue) decide(s *State, env Env) ([]Event, error) {
	t, err := s.placed(c.TicketID(), Unplaced)
	if err != nil {
		return nil, err
	}
	if t.Conversation.State == ConversationClosed {
		return nil, wire.Errorf(wire.Conflict, "the conversation is closed; open it before it joins a line")
	}
	line, err := s.openLine(c.Line)
	if err != nil {
		return nil, err
	}
	day, n := s.nextNumber(line.Series, env.Now)
	order := s.orderLast(line.ID, env.Now.UnixMilli())
	source := SourceManual
	if env.Actor.Kind == ActorVisitor {
		source = SourceMicrosite
		if !s.Location.OpenAt(env.Now) {
			return nil, Closed()
		}
	}
	return []Event{{Type: EventForwarded, Ticket: t.ID, Facts: Facts{
		Line: line.ID, Order: order, Reason: "enqueued", Source: source, Quote: s.joining(line.ID, order, t.ID, env.Now),
		PublicID: number(line.Series, n), Number: n, Day: day, User: env.Actor.User,
	}}}, nil
}

// Contacts lists the contacts of a conversation's clients.
func (t *Ticket) Contacts() []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(t.Private.Names)) {
		if c := strings.TrimSpace(t.Private.Names[id].Contact); c != "" && c != NoGUID {
			out = append(out, c)
		}
	}
	return out
}
