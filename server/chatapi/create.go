package chatapi

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// createIn is the body of tickets/create.
type createIn struct {
	Participants []participantIn
	fieldsIn
	Culture                *string
	Tags                   []string
	State                  *string
	Open, Close            *string
	GetAvailableUser       *bool
	AddIntroductionMessage bool
	EnableWebhook          *bool
	MarkAsRead             bool
	Transactions           []struct {
		Type, Text, HTML string
		FromParticipant  struct{ Type, Identifier string }
	}
}

// fieldsIn are the members that create and setfields share.
type fieldsIn struct {
	Field1, Field2, Field3, Field4, Field5  *string
	Field6, Field7, Field8, Field9, Field10 *string
	UniqueArgument                          *string
	Details                                 map[string]json.RawMessage
	DynamicParameters                       []dynamicIn
}

// dynamicIn is a bot variable, its value in the older or in the newer shape.
type dynamicIn struct {
	ID, FlowID, Name, Type string
	Value                  json.RawMessage
	StrValue               *string
	BoolValue              *bool
	NumValue               *float64
	IntValue               *int64
	CreationDatetime       string
}

// dynamic are the given bot variables as the domain has them.
func (f *fieldsIn) dynamic() ([]ticket.DynamicParameter, error) {
	const field = "dynamicParameters"
	var out []ticket.DynamicParameter
	for _, in := range f.DynamicParameters {
		d := ticket.DynamicParameter{Name: in.Name, Type: in.Type, Value: in.Value}
		for _, g := range []struct {
			from string
			to   *string
		}{{in.ID, &d.ID}, {in.FlowID, &d.FlowID}} {
			guid, ok := parseGUID(g.from)
			if g.from != "" && !ok {
				return nil, wire.FieldError(field, "dynamicParameters: %s is not a GUID", clip(g.from))
			}
			if guid != ticket.NoGUID {
				*g.to = guid
			}
		}
		var ok bool
		if d.Created, ok = parseISO(in.CreationDatetime); !ok {
			return nil, wire.FieldError(field, "dynamicParameters: creationDatetime is not a date")
		}
		for _, v := range []any{in.StrValue, in.BoolValue, in.IntValue, in.NumValue} {
			if b, err := json.Marshal(v); len(d.Value) == 0 && err == nil && string(b) != "null" {
				d.Value = b
			}
		}
		if len(d.Value) == 0 {
			d.Value = json.RawMessage("null")
		}
		out = append(out, d)
	}
	return out, nil
}

func (f *fieldsIn) list() [10]*string {
	return [10]*string{f.Field1, f.Field2, f.Field3, f.Field4, f.Field5, f.Field6, f.Field7, f.Field8, f.Field9, f.Field10}
}

// participantIn is a participant as it comes in.
type participantIn struct {
	Type, ProtocolType, SubProtocolType, Name, DisplayName, Identifier, DepartmentIdentifier, UserName string
}

// createTicket is POST /tickets/create.
func createTicket(c *call) (any, error) {
	var in createIn
	c.decode(&in)
	if c.err != nil {
		return nil, c.err
	}
	cmd, err := c.conversation(&in)
	if err != nil {
		return nil, err
	}
	c.contacts.Lock()
	defer c.contacts.Unlock()
	docs, err := c.linkContacts(cmd.Participants)
	if err != nil {
		return nil, err
	}
	res, err := c.do(cmd, ledger.Request{Location: c.loc, Docs: docs})
	if err != nil {
		return nil, err
	}
	return c.whole(res.Ticket)
}

// conversation builds the command.
func (c *call) conversation(in *createIn) (cmd ticket.OpenConversation, err error) {
	cmd.Silent = in.EnableWebhook != nil && !*in.EnableWebhook
	cmd.MarkRead = in.MarkAsRead
	if len(in.Participants) == 0 {
		return cmd, wire.FieldError("participants", "participants: at least one is needed")
	}
	for i := range in.Participants {
		n, err := c.newcomer(&in.Participants[i])
		if err != nil {
			return cmd, err
		}
		cmd.Participants = append(cmd.Participants, n)
	}
	// Existing clients take the first participant for the customer.
	slices.SortStableFunc(cmd.Participants, func(a, b ticket.Newcomer) int { return strings.Compare(a.Type, b.Type) })
	for i, v := range in.list() {
		cmd.Fields[i] = value(v)
	}
	cmd.UniqueArgument = value(in.UniqueArgument)
	if cmd.Details, err = ticket.MergeDetails(nil, in.Details); err != nil {
		return cmd, err
	}
	if cmd.Dynamic, err = in.dynamic(); err != nil {
		return cmd, err
	}
	if cmd.Tags, err = c.tags("tags", in.Tags); err != nil {
		return cmd, err
	}
	if v := value(in.Culture); v != "" {
		if cmd.Culture, err = word("culture", v, "en-US", "he-IL", "es-ES", "pt-PT"); err != nil {
			return cmd, err
		}
	}
	if v := value(in.State); v != "" {
		state, err := word("state", v, states()...)
		if err != nil {
			return cmd, err
		}
		cmd.State = ticket.ConversationState(state)
	}
	if err := c.times(in, &cmd); err != nil {
		return cmd, err
	}
	if err := c.firstMessages(in, &cmd); err != nil {
		return cmd, err
	}
	return cmd, c.greeted(in, &cmd)
}

func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func states() []string { return []string{"Open", "Closed", "Pending", "Snoozed"} }

func (c *call) newcomer(in *participantIn) (n ticket.Newcomer, err error) {
	kind := in.Type
	if kind == "" || strings.EqualFold(kind, "Undefind") || strings.EqualFold(kind, "Undefined") {
		kind = ticket.ParticipantClient // existing clients leave it at their zero value
	}
	if n.Type, err = word("participants.type", kind, ticket.ParticipantClient, ticket.ParticipantUser); err != nil {
		return n, err
	}
	if n.Protocol, err = protocol("participants.protocolType", in.ProtocolType); err != nil {
		return n, err
	}
	if in.SubProtocolType != "" {
		n.SubProtocol, err = word("participants.subProtocolType", in.SubProtocolType, "Undefined", "MailTo", "MailCc", "MailBcc")
		if err != nil {
			return n, err
		}
	}
	n.ParticipantName = ticket.ParticipantName{Name: in.Name, DisplayName: in.DisplayName, Department: in.DepartmentIdentifier}
	if n.Type == ticket.ParticipantUser {
		return n, c.colleague(&n, in.Identifier)
	}
	n.Identifier, err = normalIdentifier("participants.identifier", n.Protocol, in.Identifier)
	return n, err
}

// colleague fills in a participant who is a user of the department.
func (c *call) colleague(n *ticket.Newcomer, identifier string) error {
	found := false
	c.Ledger.View(c.loc, func(s *ticket.State) {
		for _, u := range s.SortedUsers() {
			if strings.EqualFold(u.GUID, identifier) || strings.EqualFold(u.Email, identifier) {
				n.User, n.Protocol, found = u.ID, ticket.ProtocolWeb, true
				n.ParticipantName = ticket.ParticipantName{
					Name: u.Name(), DisplayName: u.FirstName, Identifier: u.GUID, UserName: u.Email,
				}
			}
		}
	})
	if !found {
		return wire.FieldError("participants.identifier", "participants.identifier names no user of the department")
	}
	return nil
}

func (c *call) times(in *createIn, cmd *ticket.OpenConversation) error {
	var ok bool
	if cmd.Opened, ok = parseISO(value(in.Open)); !ok {
		return wire.FieldError("open", "open is not a date")
	}
	if cmd.Closed, ok = parseISO(value(in.Close)); !ok {
		return wire.FieldError("close", "close is not a date")
	}
	if cmd.State != ticket.ConversationClosed {
		if !cmd.Closed.IsZero() {
			return wire.FieldError("close", "close needs the state Closed")
		}
		return nil
	}
	if !cmd.Opened.IsZero() && cmd.Closed.IsZero() {
		cmd.Closed = cmd.Opened
	}
	if cmd.Opened.IsZero() && !cmd.Closed.IsZero() {
		cmd.Opened = cmd.Closed
	}
	return nil
}

func (c *call) firstMessages(in *createIn, cmd *ticket.OpenConversation) error {
	for _, t := range in.Transactions {
		if t.Type != "" && !strings.EqualFold(t.Type, ticket.TransactionMessage) {
			return wire.FieldError("transactions.type", "transactions.type is Message")
		}
		html := c.html.Sanitize(t.HTML)
		text := t.Text
		if text == "" {
			text = plainText(html)
		}
		if strings.TrimSpace(text) == "" {
			return wire.FieldError("transactions.text", "transactions.text is missing")
		}
		from := -1
		for i := range cmd.Participants {
			n := &cmd.Participants[i]
			given, err := normalIdentifier("identifier", n.Protocol, t.FromParticipant.Identifier)
			same := err == nil && strings.EqualFold(given, n.Identifier) || t.FromParticipant.Identifier == ""
			if same && (t.FromParticipant.Type == "" || strings.EqualFold(t.FromParticipant.Type, n.Type)) {
				from = i
				break
			}
		}
		if from < 0 {
			return wire.FieldError("transactions.fromParticipant", "transactions.fromParticipant is none of the participants")
		}
		cmd.Messages = append(cmd.Messages, ticket.FirstMessage{From: from, Text: text, HTML: html})
	}
	return nil
}

// greeted chooses who answers, and what the department says first.
func (c *call) greeted(in *createIn, cmd *ticket.OpenConversation) error {
	s, err := c.settings(c.guid)
	if err != nil {
		return err
	}
	if in.AddIntroductionMessage || s.Texts.Always {
		cmd.Intro = s.Texts.Introduction
	}
	channel := cmd.Participants[0].Protocol
	if in.GetAvailableUser == nil || *in.GetAvailableUser {
		cmd.Owner = c.available(c.loc, channel)
		return nil
	}
	incoming := len(cmd.Messages) > 0 && cmd.Participants[cmd.Messages[0].From].Type == ticket.ParticipantClient
	if !incoming && c.profile(c.id.User).Type == typeAgent {
		cmd.Owner = c.id.User // an agent writes first: it is theirs
	}
	return nil
}

// view is what the form shows beside the domain, with links by this request's host.
func (c *call) view() ticket.ChatView { return c.viewAt(c.base()) }

func (a *API) viewAt(base string) ticket.ChatView {
	return ticket.ChatView{
		Owner: a.owner,
		File:  func(x *ticket.Attachment) ticket.ChatAttachment { return a.attachment(base, x) },
	}
}
