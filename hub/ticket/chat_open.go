package ticket

import (
	"slices"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// NobodyName is how the participant is called that stands for the department
// while a conversation has no owner. Source: conversation ticket, "participants".
const NobodyName = "Unassigned Tickets"

// NoGUID is the absent GUID.
const NoGUID = "00000000-0000-0000-0000-000000000000"

const (
	maxFieldText = 2000 // field1 to field10
	maxUnique    = 200
	maxSummary   = 8 << 10
	maxFirst     = 200 // messages that a conversation begins with
	maxClone     = 500 // transactions that move along
)

// Cultures are those of the conversation form, by language.
func cultures() map[string]string {
	return map[string]string{"en": "en-US", "he": "he-IL", "es": "es-ES", "pt": "pt-PT"}
}

// CultureOf is a language's long form.
func CultureOf(language string) string {
	base, _, long := strings.Cut(language, "-")
	if long {
		return language
	}
	if c, ok := cultures()[base]; ok {
		return c
	}
	return "en-US"
}

func languageOf(culture string) string {
	base, _, _ := strings.Cut(culture, "-")
	return base
}

func (c OpenConversation) decide(s *State, env Env) ([]Event, error) {
	private, facts, err := c.check(s, env)
	if err != nil {
		return nil, err
	}
	opened, closed := c.Opened, c.Closed
	t := &Ticket{ID: env.IDs.Ticket, Private: private, Conversation: Conversation{Culture: facts.Culture}}
	k := s.talk(t)
	k.add(Event{Type: EventCreated, Facts: facts, Personal: &Personal{Private: &private}})
	members := make([]Participant, len(c.Participants))
	for i, n := range c.Participants {
		members[i] = k.join(n.participant(), n.ParticipantName)
	}
	k.state(ConversationOpen)
	k.last().Facts.EntryAt, k.last().Facts.Silent = opened, c.Silent
	greeter, greeterName, err := k.staff(s, c.Owner)
	if err != nil {
		return nil, err
	}
	if c.Intro != "" {
		k.say(TransactionIntro, greeter, greeterName, c.Intro, "")
		k.last().Facts.EntryAt = opened
	}
	for _, m := range c.Messages {
		if m.From < 0 || m.From >= len(members) {
			return nil, wire.FieldError("transactions", "a transaction is from a participant of the ticket")
		}
		k.say(TransactionMessage, members[m.From], c.Participants[m.From].ParticipantName, m.Text, m.HTML)
		k.last().Facts.Silent, k.last().Facts.EntryAt = c.Silent, opened
	}
	if c.State != "" && c.State != ConversationOpen {
		k.state(c.State)
		k.last().Facts.EntryAt, k.last().Facts.Silent = closed, true
	}
	if c.MarkRead && c.Owner != 0 {
		k.add(Event{Type: EventMessageStatus, Facts: Facts{
			Participant: &Participant{ID: greeter.ID, Type: greeter.Type, Protocol: greeter.Protocol}, UpTo: k.seq, Status: StatusRead,
		}})
	}
	return k.events, nil
}

// check looks at everything that was given, and makes the first event's parts.
func (c *OpenConversation) check(s *State, env Env) (Private, Facts, error) {
	p := Private{Fields: c.Fields, UniqueArgument: c.UniqueArgument, Details: c.Details}
	f := Facts{Unplaced: true, Silent: c.Silent, User: env.Actor.User, Culture: c.Culture, EntryAt: c.Opened}
	if s.Location == nil {
		return p, f, missing("location", "Location with id %d not found", s.Journal)
	}
	if len(c.Participants) == 0 || len(c.Participants) > maxMembers {
		return p, f, wire.FieldError("participants", "participants: a conversation has 1 to %d", maxMembers)
	}
	if len(c.Messages) > maxFirst {
		return p, f, wire.FieldError("transactions", "at most %d transactions", maxFirst)
	}
	for i := range c.Participants {
		n := &c.Participants[i]
		if err := n.check(); err != nil {
			return p, f, err
		}
		if n.Type == ParticipantClient && f.Protocol == "" {
			f.Protocol = n.Protocol
			p.person(n)
		}
	}
	if f.Protocol == "" {
		f.Protocol = c.Participants[0].Protocol
	}
	for _, m := range c.Messages {
		if err := firstOf(prose("transactions", m.Text, maxMessage), prose("transactions", m.HTML, maxHTML)); err != nil {
			return p, f, err
		}
	}
	if c.State != "" && !c.State.valid() {
		return p, f, wire.FieldError("state", "state is Open, Closed, Pending or Snoozed")
	}
	if c.Opened.After(env.Now) || !c.Closed.IsZero() && (c.Closed.Before(c.Opened) || c.Closed.After(env.Now)) {
		return p, f, wire.FieldError("open", "open is before close, and both are past")
	}
	if f.Culture == "" {
		f.Culture = "en-US"
	}
	var err error
	language := c.Language
	if language == "" {
		language = languageOf(f.Culture)
	}
	if f.Language, err = checkLanguage(language); err != nil {
		return p, f, err
	}
	if err = p.reachable(c.Email, c.PhoneNumber); err != nil {
		return p, f, err
	}
	if f.Labels, err = checkLabels("tags", c.Tags); err != nil {
		return p, f, err
	}
	if err = s.setDynamic(&p, env.IDs.Ticket, c.Dynamic, env.Now); err != nil {
		return p, f, err
	}
	return p, f, firstOf(checkFieldTexts(&p), prose("introductionMessage", c.Intro, maxMessage), checkDetails(p.Details))
}

func (n *Newcomer) check() error {
	if n.Type != ParticipantClient && n.Type != ParticipantUser {
		return wire.FieldError("participants", "type of a participant is Client or User")
	}
	if err := protocolName("protocolType", n.Protocol); err != nil {
		return err
	}
	if err := protocolName("subProtocolType", n.SubProtocol); err != nil {
		return err
	}
	for _, v := range []*string{&n.Name, &n.DisplayName, &n.Identifier, &n.UserName, &n.Department} {
		var err error
		if *v, err = singleLine("participants", *v, maxIdentifier); err != nil {
			return err
		}
	}
	return nil
}

// maxIdentifier bounds what names a participant: an e-mail address has at most 254.
const maxIdentifier = 254

func (n *Newcomer) participant() Participant {
	return Participant{Type: n.Type, Protocol: n.Protocol, SubProtocol: n.SubProtocol, User: n.User, Active: true}
}

// person lets the place facet know who writes, as far as its form can hold it.
func (p *Private) person(n *Newcomer) {
	first, last, _ := strings.Cut(n.Name, " ")
	p.FirstName, p.LastName = clipped(first, maxName), clipped(strings.TrimSpace(last), maxName)
	switch {
	case strings.Contains(n.Identifier, "@") && emailLike(n.Identifier) && len(n.Identifier) <= maxEmail:
		p.Email = n.Identifier
	case n.Protocol == ProtocolSMS || n.Protocol == ProtocolWhatsApp || n.Protocol == "PhoneCall":
		if phoneLike(n.Identifier) && n.Identifier != "" && len(n.Identifier) < maxPhone {
			p.PhoneNumber = "+" + strings.TrimPrefix(n.Identifier, "+")
		}
	}
}

func clipped(v string, most int) string {
	if r := []rune(v); len(r) > most {
		return string(r[:most])
	}
	return v
}

func checkFieldTexts(p *Private) error {
	for i, v := range p.Fields {
		if err := prose("field"+itoa(int64(i+1)), v, maxFieldText); err != nil {
			return err
		}
	}
	return prose("uniqueArgument", p.UniqueArgument, maxUnique)
}

// checkDetails bounds what may be told of a conversation's origin.
func checkDetails(d *Details) error {
	if d == nil {
		return nil
	}
	size := 0
	for _, v := range d.texts() {
		if err := prose("details", v, maxFieldText); err != nil {
			return err
		}
		size += len(v)
	}
	if size > maxData {
		return wire.FieldError("details", "details hold at most %d bytes", maxData)
	}
	return nil
}

func (d *Details) texts() []string {
	r := &d.Referral
	out := []string{
		d.UserAgent, d.IPAddress, d.Location, d.Source.Title, d.Source.URI, r.AdID, r.AdTitle, r.ProductID, r.RefData,
		r.FacebookPID, d.CardsPath, d.ExternalLink, r.InstagramStoryID, r.InstagramStoryURI, r.AppleIntentID, r.AppleGroupID,
		r.TwitterRootTweetID, r.TikTokVideoID, r.TikTokCommentID, r.WhatsAppHeadline, r.WhatsAppBody, r.WhatsAppSourceType,
		r.WhatsAppSourceID, r.WhatsAppSourceURI,
	}
	if r.UTM != nil {
		out = append(out, r.UTM.Source, r.UTM.Medium, r.UTM.Campaign, r.UTM.Content, r.UTM.Term)
	}
	return append(out, string(d.Claims))
}

// last is the newest event, to be completed.
func (k *talk) last() *Event { return &k.events[len(k.events)-1] }

// say adds a text as somebody.
func (k *talk) say(kind string, from Participant, name ParticipantName, text, html string) {
	k.entry(Event{Type: EventMessage, Facts: Facts{
		Kind: kind, Protocol: from.Protocol, Participant: &from,
	}, Personal: &Personal{Text: text, HTML: html, Name: &name}})
}

// staff puts the owner into the conversation, or who stands for nobody.
func (k *talk) staff(s *State, owner int) (Participant, ParticipantName, error) {
	if owner == 0 {
		name := ParticipantName{Name: NobodyName, Identifier: NoGUID}
		return k.join(Participant{Type: ParticipantUser, Protocol: ProtocolWeb, Active: true}, name), name, nil
	}
	if _, err := s.user("owner", owner); err != nil {
		return Participant{}, ParticipantName{}, err
	}
	p, name := k.admit(owner)
	k.add(Event{Type: EventState, Facts: Facts{User: owner, Position: "owner", Silent: true}})
	return p, name, nil
}

func (c CloneConversation) decide(s *State, env Env) ([]Event, error) {
	if s.Location == nil {
		return nil, missing("departmentId", "Location with id %d not found", s.Journal)
	}
	old := c.From
	private := old.Private
	private.Names, private.Extra, private.External, private.ShowName = nil, nil, nil, false
	t := &Ticket{ID: env.IDs.Ticket, Private: private, Conversation: Conversation{Culture: old.Conversation.Culture}}
	k := s.talk(t)
	k.add(Event{Type: EventCreated, Facts: Facts{
		Unplaced: true, Language: old.Language, Labels: slices.Clone(old.Labels), Culture: old.Conversation.Culture,
		Protocol: old.Conversation.Protocol, User: env.Actor.User, EntryAt: old.Conversation.OpenedAt,
		MovedFrom: &Moved{Ticket: old.ID, Department: c.Department},
	}, Personal: &Personal{Private: &private}})
	for _, p := range old.Conversation.Participants {
		if p.Type == ParticipantUser { // they stay behind; the thread still names them
			p.Active = false
		}
		p.ReadUpTo = 0
		k.join(p, old.Private.Names[p.ID])
		k.next = max(k.next, p.ID+1)
	}
	k.state(ConversationOpen)
	k.last().Facts.EntryAt = old.Conversation.OpenedAt
	thread := c.Thread
	if len(thread) > maxClone {
		thread = thread[len(thread)-maxClone:]
	}
	for i := range thread {
		k.copied(&thread[i])
	}
	k.alreadyRead(old, thread)
	_, _, err := k.staff(s, 0)
	return k.events, err
}

// alreadyRead notes which of the copied entries the clients have read: what comes
// last has the newest number.
func (k *talk) alreadyRead(old *Ticket, thread []Transaction) {
	for _, p := range old.Conversation.Participants {
		unread := 0
		for i := range thread {
			if thread[i].Seq > p.ReadUpTo {
				unread++
			}
		}
		if p.Type == ParticipantClient && unread < len(thread) {
			k.add(Event{Type: EventMessageStatus, Facts: Facts{
				Participant: &Participant{ID: p.ID, Type: p.Type, Protocol: p.Protocol}, UpTo: k.seq - uint64(unread), Status: StatusRead, Silent: true,
			}})
		}
	}
}

// copied repeats an entry of another ticket's thread, with its own time.
func (k *talk) copied(x *Transaction) {
	if x.Type == TransactionOpened {
		return // the clone has its own
	}
	from, name := x.From, x.FromName
	status := x.Status
	if status == TextNew {
		status = TextSent // the ticket that it was written in sends it, and nobody else
	}
	e := Event{Type: EventMessage, Facts: Facts{
		Kind: x.Type, Protocol: x.Protocol, Status: status, Participant: &from, EntryAt: x.At,
		Media: len(x.Attachments), Silent: true,
	}, Personal: &Personal{Text: x.Text, HTML: x.HTML, Attachments: x.Attachments, Payload: x.Payload, Name: &name}}
	if e.Facts.EntryAt.IsZero() {
		e.Facts.EntryAt = time.Unix(0, 0).UTC()
	}
	k.entry(e)
}
