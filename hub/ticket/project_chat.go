package ticket

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ChatTicket is a ticket in the form of the conversation API, for integrators.
// Source of every field: conversation ticket; those after DynamicParameters are in
// newer forms of it only.
type ChatTicket struct {
	ID                  int64             `json:"id"`
	DepartmentID        string            `json:"departmentId"`
	Field1              string            `json:"field1"`
	Field2              string            `json:"field2"`
	Field3              string            `json:"field3"`
	Field4              string            `json:"field4"`
	Field5              string            `json:"field5"`
	Field6              string            `json:"field6"`
	Field7              string            `json:"field7"`
	Field8              string            `json:"field8"`
	Field9              string            `json:"field9"`
	Field10             string            `json:"field10"`
	Culture             string            `json:"culture"`
	TicketType          string            `json:"ticketType"`
	Tags                []string          `json:"tags"`
	Owner               *ChatOwner        `json:"owner"`
	State               ConversationState `json:"state"`
	Open                string            `json:"open"`
	Close               string            `json:"close"`
	LastActivity        string            `json:"lastActivity"`
	UniqueArgument      string            `json:"uniqueArgument"`
	PrimaryProtocolType string            `json:"primaryProtocolType"`
	Details             Details           `json:"details"`
	Participants        []ChatParticipant `json:"participants"`
	// Transactions is absent in lists.
	Transactions      *[]ChatTransaction `json:"transactions,omitempty"`
	DynamicParameters []ChatDynamic      `json:"dynamicParameters"`

	MovedToTicketID       int64  `json:"movedToTicketId"`
	MovedFromTicketID     int64  `json:"movedFromTicketId"`
	MovedToDepartmentID   string `json:"movedToDepartmentId"`
	MovedFromDepartmentID string `json:"movedFromDepartmentId"`
	ChatFigures
	IsIncoming             bool         `json:"isIncoming"`
	IsScrambled            bool         `json:"isScrambled"`
	WasClosedAutomatically bool         `json:"wasClosedAutomatically"`
	TicketSummary          *ChatSummary `json:"ticketSummary"`
	NestedTicketsIDs       []int        `json:"nestedTicketsIds"`
	ParentNestedTicketID   int          `json:"parentNestedTicketId"`
	BotConversationID      string       `json:"botConversationId"`
	BotConversations       []string     `json:"botConversations"`
	BotConversationSteps   []string     `json:"botConversationSteps"`
}

// ChatFigures are a conversation's times and counts. Net counts opening hours.
type ChatFigures struct {
	FirstCustomerMessage        *string `json:"firstCustomerMessageDateTime"`
	FirstAgentMessage           *string `json:"firstAgentMessageDateTime"`
	LastCustomerMessage         *string `json:"lastCustomerMessageDateTime"`
	LastAgentMessage            *string `json:"lastAgentMessageDateTime"`
	FirstAgentMessageUserID     *string `json:"firstAgentMessageUserId"`
	FirstAgentAllocation        *string `json:"firstAgentAllocationTimestamp"`
	LastAgentAllocation         *string `json:"lastAgentAllocationTimestamp"`
	QueueTimeGross              *string `json:"queueTimeGross"`
	QueueTimeNet                *string `json:"queueTimeNet"`
	FirstAgentResponseTimeGross *string `json:"firstAgentResponseTimeGross"`
	FirstAgentResponseTimeNet   *string `json:"firstAgentResponseTimeNet"`
	AgentAssignToResponseGross  *string `json:"agentAssignToResponseTimeGross"`
	AgentAssignToResponseNet    *string `json:"agentAssignToResponseTimeNet"`
	AgentResponseAverageTimeNet *string `json:"agentResponseAverageTimeNet"`
	TotalConversationTimeNet    *string `json:"totalConversationTimeNet"`
	DurationGross               string  `json:"durationGross"`
	DurationNet                 string  `json:"durationNet"`
	AgentMediaCount             int     `json:"agentMediaCount"`
	CustomerMediaCount          int     `json:"customerMediaCount"`
	AgentMessagesCount          int     `json:"agentMessagesCount"`
	CustomerMessagesCount       int     `json:"customerMessagesCount"`
	AgentCannedRepliesCount     int     `json:"agentCannedRepliesCount"`
	TransactionsCount           uint64  `json:"transactionsCount"`
}

// ChatOwner is who answers; the capital letter is the form's own.
type ChatOwner struct {
	ID             string `json:"id"`
	Gender         string `json:"gender"`
	UserName       string `json:"UserName"`
	Culture        string `json:"culture"`
	IsAnonymous    bool   `json:"isAnonymous"`
	UniqueArgument string `json:"uniqueArgument"`
	Type           string `json:"type"`
}

// ChatParticipant is a member of the conversation.
type ChatParticipant struct {
	ID              int     `json:"id"`
	Name            string  `json:"name"`
	DisplayName     *string `json:"displayName"`
	ProtocolType    string  `json:"protocolType"`
	SubProtocolType string  `json:"subProtocolType"`
	IsActive        bool    `json:"isActive"`
	IsDeleted       bool    `json:"isDeleted"`
	Identifier      string  `json:"identifier"`
	Type            string  `json:"type"`
	// UserName is absent where a transaction repeats the participant.
	UserName             *string `json:"userName,omitempty"`
	ContactID            string  `json:"contactId"`
	DepartmentIdentifier string  `json:"departmentIdentifier"`
}

// ChatTransaction is one entry of the thread.
type ChatTransaction struct {
	GUID        string           `json:"guidTransactionId"`
	ID          uint64           `json:"id"`
	DateTime    string           `json:"dateTime"`
	Protocol    string           `json:"fromProtocolType"`
	Type        string           `json:"type"`
	Text        string           `json:"text"`
	HTML        string           `json:"html"`
	Status      string           `json:"status"`
	From        ChatParticipant  `json:"fromParticipant"`
	Attachments []ChatAttachment `json:"attachments"`
	Payload     json.RawMessage  `json:"payload"`
}

// ChatAttachment is a file with links that work for a while.
type ChatAttachment struct {
	ID                int      `json:"id"`
	Type              string   `json:"type"`
	FileIdentifier    string   `json:"fileIdentifier"`
	OriginalFileName  string   `json:"originalFileName"`
	Thumbnails        []string `json:"thumbnails"`
	ThumbnailFiles    []string `json:"thumbnailsFileIdentifiers"`
	URI               string   `json:"uri"`
	IsEmbedded        bool     `json:"isEmbedded"`
	SanitizationState string   `json:"sanitizationState"`
}

// ChatDynamic is a bot variable, in the older and the newer shape at once.
type ChatDynamic struct {
	ID          string          `json:"id"`
	FlowID      string          `json:"flowId"`
	Name        string          `json:"name"`
	Value       json.RawMessage `json:"value"`
	Type        string          `json:"type"`
	Created     string          `json:"creationDatetime"`
	Description string          `json:"description"`
	StrValue    *string         `json:"strValue"`
	BoolValue   *bool           `json:"boolValue"`
	NumValue    *float64        `json:"numValue"`
	IntValue    *int64          `json:"intValue"`
}

// ChatSummary is the agents' summary.
type ChatSummary struct {
	UserID  string  `json:"userId"`
	Updated *string `json:"lastUpdateTimestamp"`
	Value   string  `json:"value"`
}

// ChatView is what this form shows that the domain does not know.
type ChatView struct {
	// Owner shows a user.
	Owner func(u *User) ChatOwner
	// File shows an attachment, with links of now.
	File func(a *Attachment) ChatAttachment
}

// ChatTime writes an instant as the form does: UTC without a zone, the fraction
// as short as it can be.
func ChatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999") }

// ChatNever is how the form writes a time that has not come.
const ChatNever = "0001-01-01T00:00:00"

func chatTimeOf(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	v := ChatTime(t)
	return &v
}

func chatTimeOrNever(t time.Time) string {
	if t.IsZero() {
		return ChatNever
	}
	return ChatTime(t)
}

// ChatSpan writes a duration as [d.]hh:mm:ss[.fff].
func ChatSpan(d time.Duration) string {
	d = max(0, d).Truncate(time.Millisecond)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	out := fmt.Sprintf("%02d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	if ms := d % time.Second; ms > 0 {
		out += fmt.Sprintf(".%03d0000", ms.Milliseconds())
	}
	if days > 0 {
		out = fmt.Sprintf("%d.%s", days, out)
	}
	return out
}

// ChatTicket projects a ticket, without its thread.
func (s *State) ChatTicket(t *Ticket, v ChatView) ChatTicket {
	c, f := s.talkOf(t), &t.Private.Fields
	out := ChatTicket{
		ID: t.ID, DepartmentID: strings.ToLower(s.Location.GUID),
		Field1: f[0], Field2: f[1], Field3: f[2], Field4: f[3], Field5: f[4],
		Field6: f[5], Field7: f[6], Field8: f[7], Field9: f[8], Field10: f[9],
		Culture: c.Culture, TicketType: c.Type, Tags: append([]string{}, t.Labels...), State: c.State,
		Open: chatTimeOrNever(c.OpenedAt), Close: chatTimeOrNever(c.ClosedAt), LastActivity: chatTimeOrNever(c.LastActivity),
		UniqueArgument: t.Private.UniqueArgument, PrimaryProtocolType: c.Protocol,
		Participants: []ChatParticipant{}, DynamicParameters: []ChatDynamic{},
		MovedToDepartmentID: NoGUID, MovedFromDepartmentID: NoGUID, ChatFigures: s.figures(c),
		IsIncoming: c.Incoming, IsScrambled: t.Erased, WasClosedAutomatically: c.ClosedAuto,
		NestedTicketsIDs: []int{}, BotConversationID: NoGUID, BotConversations: []string{}, BotConversationSteps: []string{},
	}
	if t.Private.Details != nil {
		out.Details = *t.Private.Details
	}
	if u := s.Users[c.Owner]; u != nil {
		o := v.Owner(u)
		out.Owner = &o
		if o.Type == "BOT" {
			out.TicketType = "Bot"
		}
	}
	if m := c.MovedTo; m != nil {
		out.MovedToTicketID, out.MovedToDepartmentID = m.Ticket, m.Department
	}
	if m := c.MovedFrom; m != nil {
		out.MovedFromTicketID, out.MovedFromDepartmentID = m.Ticket, m.Department
	}
	for _, p := range c.Participants {
		name := t.Private.Names[p.ID]
		if u := s.Users[p.User]; u != nil && name == (ParticipantName{}) { // an erasure is not about colleagues
			name = ParticipantName{Name: u.Name(), DisplayName: u.FirstName, Identifier: u.GUID, UserName: u.Email}
		}
		out.Participants = append(out.Participants, chatParticipant(p, name, true))
	}
	for i := range t.Private.Dynamic {
		out.DynamicParameters = append(out.DynamicParameters, chatDynamic(&t.Private.Dynamic[i]))
	}
	if x := t.Private.Summary; x != nil {
		out.TicketSummary = &ChatSummary{UserID: NoGUID, Updated: chatTimeOf(x.At), Value: x.Text}
		if u := s.Users[x.User]; u != nil {
			out.TicketSummary.UserID = u.GUID
		}
	}
	return out
}

// talkOf is the ticket's conversation, or what stands for it until somebody
// writes: the visitor's place, told in this form's words.
func (s *State) talkOf(t *Ticket) *Conversation {
	if t.Conversation.State != "" {
		return &t.Conversation
	}
	c := t.Conversation
	p := &t.Place
	c.State, c.OpenedAt, c.Culture, c.Type, c.Protocol = ConversationOpen, p.CreatedAt, CultureOf(t.Language), "Regular", ProtocolWeb
	c.LastActivity = p.CreatedAt
	if p.Call != nil {
		c.LastActivity = p.Call.At
	}
	if p.Status.Final() {
		c.State, c.ClosedAt = ConversationClosed, c.LastActivity
		for _, end := range []time.Time{p.ServedAt, p.CancelledAt} {
			if !end.IsZero() {
				c.ClosedAt, c.LastActivity = end, end
			}
		}
	}
	return &c
}

func chatParticipant(p Participant, n ParticipantName, whole bool) ChatParticipant {
	out := ChatParticipant{
		ID: p.ID, Name: n.Name, ProtocolType: p.Protocol, SubProtocolType: p.SubProtocol, IsActive: p.Active,
		IsDeleted: p.Deleted, Identifier: n.Identifier, Type: p.Type, ContactID: n.Contact, DepartmentIdentifier: n.Department,
	}
	if out.SubProtocolType == "" {
		out.SubProtocolType = ProtocolUndefined
	}
	if out.ContactID == "" {
		out.ContactID = NoGUID
	}
	if p.Type == ParticipantSystem {
		out.Identifier = NoGUID
		return out
	}
	out.DisplayName = &n.DisplayName
	if whole {
		out.UserName = &n.UserName
	}
	return out
}

// ChatTransaction projects a thread entry.
func (t *Ticket) ChatTransaction(x *Transaction, v ChatView) ChatTransaction {
	out := ChatTransaction{
		GUID: x.GUID, ID: x.Seq, DateTime: ChatTime(x.At), Protocol: x.Protocol, Type: x.Type, Text: x.Text, HTML: x.HTML,
		Status: chatStatus(t.Conversation.StatusOf(x)), From: chatParticipant(x.From, x.FromName, false),
		Attachments: []ChatAttachment{}, Payload: x.Payload,
	}
	if x.From.Type == ParticipantUser { // colleagues write from here, whatever brings it to the customer
		out.Protocol = ProtocolWeb
	}
	for i := range x.Attachments {
		out.Attachments = append(out.Attachments, v.File(&x.Attachments[i]))
	}
	return out
}

// chatStatus is a text message's status in this form's words.
func chatStatus(status string) string {
	switch status {
	case TextNew:
		return "Pending"
	case TextSent:
		return "Sent"
	case TextDelivered:
		return StatusDelivered
	case TextInvalidNumber:
		return "Failed"
	}
	return status
}

func chatDynamic(d *DynamicParameter) ChatDynamic {
	out := ChatDynamic{
		ID: d.ID, FlowID: d.FlowID, Name: d.Name, Value: d.Value, Type: d.Type, Created: d.Created.UTC().Format("2006-01-02T15:04:05.999Z"),
	}
	var v any
	if json.Unmarshal(d.Value, &v) != nil {
		return out
	}
	switch v := v.(type) {
	case string:
		out.StrValue = &v
	case bool:
		out.BoolValue = &v
	case float64:
		out.NumValue = &v
		if n := int64(v); float64(n) == v {
			out.IntValue = &n
		}
	}
	return out
}
