package ticket

import (
	"encoding/json"
	"math"
	"time"
)

// ConversationState is where a conversation stands.
// Source: conversation ticket, "state".
type ConversationState string

// The states of the conversation facet; "" means that nobody has written yet.
const (
	ConversationOpen    ConversationState = "Open"
	ConversationClosed  ConversationState = "Closed"
	ConversationPending ConversationState = "Pending"
	ConversationSnoozed ConversationState = "Snoozed"
)

func (s ConversationState) valid() bool {
	switch s {
	case ConversationOpen, ConversationClosed, ConversationPending, ConversationSnoozed:
		return true
	}
	return false
}

// Protocols that this build knows by name; others pass as text.
// Source: conversation ticket, "primaryProtocolType", "protocolType".
const (
	ProtocolWeb       = "Web"
	ProtocolSMS       = "SMS"
	ProtocolWhatsApp  = "WhatsApp"
	ProtocolMail      = "Mail"
	ProtocolUndefined = "Undefined"
)

// Conversation is the facet that talks. Its transactions are stored beside the
// ticket, by sequence number, and never all in memory.
type Conversation struct {
	// State: see ConversationState.
	State ConversationState `json:"state,omitempty"`
	// OpenedAt, ClosedAt, LastActivity: conversation ticket, "open", "close", "lastActivity".
	// ClosedAt is zero while the conversation is not closed.
	OpenedAt     time.Time `json:"openedAt,omitzero"`
	ClosedAt     time.Time `json:"closedAt,omitzero"`
	LastActivity time.Time `json:"lastActivity,omitzero"`
	// Culture is "en-US" and the like. Source: conversation ticket, "culture".
	Culture string `json:"culture,omitempty"`
	// Type is Regular, Bot or GlassixBot. Source: conversation ticket, "ticketType".
	Type string `json:"type,omitempty"`
	// Owner is the user who answers, 0 for nobody. Source: conversation ticket, "owner".
	Owner int `json:"owner,omitempty"`
	// Protocol is the first client's. Source: conversation ticket, "primaryProtocolType".
	Protocol string `json:"protocol,omitempty"`
	// Participants are numbered from 1; 0 is the system. They are never removed.
	// Source: conversation ticket, "participants".
	Participants []Participant `json:"participants,omitempty"`
	// Seq is the newest transaction's number, 0 when there is none.
	Seq uint64 `json:"seq,omitempty"`
	// ClientMessages and StaffMessages count messages of either side.
	ClientMessages int `json:"clientMessages,omitempty"`
	StaffMessages  int `json:"staffMessages,omitempty"`
	// ClientFrom is the first of the visitor's messages since staff wrote last,
	// ClientSeq the newest; both are numbers of transactions.
	ClientFrom uint64 `json:"clientFrom,omitempty"`
	ClientSeq  uint64 `json:"clientSeq,omitempty"`
	// StaffSince: staff wrote after ClientSeq, so the next message begins a new run.
	StaffSince bool `json:"staffSince,omitempty"`
	// First and last messages of either side, zero when there is none.
	FirstClientAt time.Time `json:"firstClientAt,omitzero"`
	LastClientAt  time.Time `json:"lastClientAt,omitzero"`
	FirstStaffAt  time.Time `json:"firstStaffAt,omitzero"`
	LastStaffAt   time.Time `json:"lastStaffAt,omitzero"`
	FirstStaff    int       `json:"firstStaff,omitempty"`
	// StateAt is when State last changed; Alerted says that the customer was
	// reminded since, which happens once per pending.
	StateAt time.Time `json:"stateAt,omitzero"`
	Alerted bool      `json:"alerted,omitempty"`
	// Incoming: the customer wrote first. ClosedAuto: nobody wrote for too long.
	Incoming   bool `json:"incoming,omitempty"`
	ClosedAuto bool `json:"closedAuto,omitempty"`
	// FirstAllocatedAt and LastAllocatedAt are when an owner was set.
	FirstAllocatedAt time.Time `json:"firstAllocatedAt,omitzero"`
	LastAllocatedAt  time.Time `json:"lastAllocatedAt,omitzero"`
	// Responses counts answers to a waiting customer, ResponseNet is what they
	// took together within opening hours.
	Responses   int           `json:"responses,omitempty"`
	ResponseNet time.Duration `json:"responseNet,omitempty"`
	// Rated is the visitor's judgement, 1 to 5; 0 before there is one.
	Rated int `json:"rated,omitempty"`
	// Media and canned replies are counted by side.
	ClientMedia   int `json:"clientMedia,omitempty"`
	StaffMedia    int `json:"staffMedia,omitempty"`
	CannedReplies int `json:"cannedReplies,omitempty"`
	// MovedTo and MovedFrom link the two halves of a move between departments.
	MovedTo   *Moved `json:"movedTo,omitempty"`
	MovedFrom *Moved `json:"movedFrom,omitempty"`
}

// Moved names the other ticket of a move. Source: conversation ticket,
// "movedToTicketId" and its kin.
type Moved struct {
	Ticket     int64  `json:"ticket"`
	Department string `json:"department"`
}

// The participant types. Source: conversation ticket, "participants[].type".
const (
	ParticipantClient = "Client"
	ParticipantUser   = "User"
	ParticipantSystem = "System"
)

// Participant is a member of a conversation, without what identifies them.
// Source: conversation ticket, "participants".
type Participant struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Protocol    string `json:"protocol"`
	SubProtocol string `json:"subProtocol,omitempty"`
	User        int    `json:"user,omitempty"` // for type User
	Active      bool   `json:"active,omitempty"`
	Deleted     bool   `json:"deleted,omitempty"`
	// ReadUpTo is the newest transaction this participant has read.
	ReadUpTo uint64 `json:"readUpTo,omitempty"`
}

// ParticipantName is what identifies a participant.
// Source: conversation ticket, "participants[].name", "displayName", "identifier", "userName".
type ParticipantName struct {
	Name        string `json:"name,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	Identifier  string `json:"identifier,omitempty"`
	UserName    string `json:"userName,omitempty"`
	// Contact is the person's GUID among the department's contacts.
	Contact string `json:"contactId,omitempty"`
	// Department is the department's own number or address on that channel.
	Department string `json:"departmentIdentifier,omitempty"`
}

// Transaction types. Source: conversation ticket, "transactions[].type".
const (
	TransactionMessage = "Message"
	TransactionIntro   = "IntroductionMessage"
	TransactionOpened  = "TicketOpened"
	TransactionClosed  = "TicketClosed"
	TransactionPending = "TicketPending"
	TransactionSnoozed = "TicketSnoozed"
	TransactionOwner   = "OwnerChanged"
	TransactionNote    = "Note" // staff only
	TransactionByeBye  = "ByeByeMessage"
	TransactionReopen  = "ReopenedMessage"
	TransactionAlert   = "PendingAlert"
	TransactionStarted = "PhoneCallStarted"
	TransactionEnded   = "PhoneCallEnded"
	TransactionAudio   = "PhoneCallRecording"
	TransactionSigned  = "DocumentSigned"
	TransactionSurvey  = "SurveyAnswered"
)

// Statuses of a transaction. Source: conversation ticket, "transactions[].status".
const (
	StatusDelivered = "Delivered"
	StatusRead      = "Read"
)

// Transaction is one entry of a conversation's thread.
// Source: conversation ticket, "transactions".
type Transaction struct {
	// Seq rises by one per ticket; it orders the thread for everybody.
	Seq uint64 `json:"seq"`
	// GUID: "guidTransactionId".
	GUID string `json:"guid"`
	// At: "dateTime".
	At time.Time `json:"at"`
	// Type: see above. Protocol: "fromProtocolType".
	Type     string `json:"type"`
	Protocol string `json:"protocol"`
	// Text and HTML are data, never markup of ours.
	Text string `json:"text,omitempty"`
	HTML string `json:"html,omitempty"`
	// Status is the gateway's word; Read is derived from the read cursors.
	Status string `json:"status"`
	// From is the participant as it was then; 0 is the system.
	From     Participant     `json:"from"`
	FromName ParticipantName `json:"fromName,omitzero"`
	// Attachments: "attachments".
	Attachments []Attachment `json:"attachments,omitempty"`
	// Payload holds quick replies and templates.
	Payload json.RawMessage `json:"payload,omitempty"`
	// ClientID is the sender's own id of the message; a resend carries it again.
	ClientID string `json:"clientId,omitempty"`
}

// StaffOnly reports whether the visitor must not see it.
func (t *Transaction) StaffOnly() bool { return t.Type == TransactionNote }

// Attachment is a file of a transaction. Links are made when it is read.
// Source: conversation ticket, "transactions[].attachments".
type Attachment struct {
	ID               int      `json:"id"`
	Type             string   `json:"type"`
	FileIdentifier   string   `json:"fileIdentifier"`
	OriginalFileName string   `json:"originalFileName"`
	Thumbnails       []string `json:"thumbnails,omitempty"`
	URI              string   `json:"uri,omitempty"`
	IsEmbedded       bool     `json:"isEmbedded,omitempty"`
	// Form is an interactive document's content.
	Form json.RawMessage `json:"form,omitempty"`
}

// Details tell where a conversation came from.
// Source: conversation ticket, "details".
type Details struct {
	UserAgent string   `json:"userAgent"`
	IPAddress string   `json:"iPAddress"`
	Location  string   `json:"location"`
	Source    Origin   `json:"source"`
	Referral  Referral `json:"referral"`
	// The rest is in newer forms only.
	CardsPath    string          `json:"cardsPath,omitempty"`
	ExternalLink string          `json:"externalLink,omitempty"`
	IsMobile     bool            `json:"isMobile,omitempty"`
	Claims       json.RawMessage `json:"identityTokenClaims,omitempty"`
}

// Origin is the page. Source: conversation ticket, "details.source".
type Origin struct {
	Title string `json:"title"`
	URI   string `json:"uri"`
}

// Referral is the advertisement. Source: conversation ticket, "details.referral".
type Referral struct {
	UTM         *UTM   `json:"utmParameters"`
	AdID        string `json:"adId"`
	AdTitle     string `json:"adTitle"`
	ProductID   string `json:"productId"`
	RefData     string `json:"refData"`
	FacebookPID string `json:"fbPostId"`
	// The rest is in newer forms only.
	InstagramStoryID   string `json:"instagramStoryId,omitempty"`
	InstagramStoryURI  string `json:"instagramStoryMediaUrl,omitempty"`
	AppleIntentID      string `json:"appleIntentId,omitempty"`
	AppleGroupID       string `json:"appleGroupId,omitempty"`
	TwitterRootTweetID string `json:"twitterRootTweetId,omitempty"`
	TikTokVideoID      string `json:"tikTokVideoId,omitempty"`
	TikTokCommentID    string `json:"tikTokCommentId,omitempty"`
	WhatsAppHeadline   string `json:"whatsappHeadline,omitempty"`
	WhatsAppBody       string `json:"whatsappBody,omitempty"`
	WhatsAppSourceType string `json:"whatsappSourceType,omitempty"`
	WhatsAppSourceID   string `json:"whatsappSourceId,omitempty"`
	WhatsAppSourceURI  string `json:"whatsappSourceUrl,omitempty"`
}

// UTM are campaign parameters. Source: conversation ticket, "details.referral.utmParameters".
type UTM struct {
	Source   string `json:"utm_source"`
	Medium   string `json:"utm_medium"`
	Campaign string `json:"utm_campaign"`
	Content  string `json:"utm_content"`
	Term     string `json:"utm_term"`
}

// DynamicParameter is a bot variable. Source: conversation ticket, "dynamicParameters".
type DynamicParameter struct {
	ID      string          `json:"id"`
	FlowID  string          `json:"flowId"`
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value"`
	Type    string          `json:"type"`
	Created time.Time       `json:"creationDatetime"`
}

// Summary is the agents' summary.
type Summary struct {
	User int       `json:"user"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// participant finds a participant by id; nil when there is none.
func (c *Conversation) participant(id int) *Participant {
	for i := range c.Participants {
		if c.Participants[i].ID == id {
			return &c.Participants[i]
		}
	}
	return nil
}

// ofUser finds a user's participant; nil when the user never took part.
func (c *Conversation) ofUser(user int) *Participant {
	for i := range c.Participants {
		if c.Participants[i].Type == ParticipantUser && c.Participants[i].User == user {
			return &c.Participants[i]
		}
	}
	return nil
}

// client is the first client: the visitor. Nil when nobody of that kind is there.
func (c *Conversation) client() *Participant {
	for i := range c.Participants {
		if c.Participants[i].Type == ParticipantClient {
			return &c.Participants[i]
		}
	}
	return nil
}

// readByAll reports whether every other active participant has read seq.
func (c *Conversation) readByAll(seq uint64, from int) bool {
	others := 0
	for _, p := range c.Participants {
		if p.ID == from || !p.Active {
			continue
		}
		others++
		if p.ReadUpTo < seq {
			return false
		}
	}
	return others > 0
}

// seenByOthers is up to where every other active participant has read; 0 when
// there is none.
func (c *Conversation) seenByOthers(me int) uint64 {
	seen, others := uint64(math.MaxUint64), 0
	for _, p := range c.Participants {
		if p.ID != me && p.Active {
			seen, others = min(seen, p.ReadUpTo), others+1
		}
	}
	if others == 0 {
		return 0
	}
	return seen
}

// StatusOf is a transaction's status as served: Read once every other active
// participant has read it.
func (c *Conversation) StatusOf(t *Transaction) string {
	if t.From.Type == ParticipantSystem {
		return StatusRead
	}
	if t.Status == StatusDelivered && c.readByAll(t.Seq, t.From.ID) {
		return StatusRead
	}
	return t.Status
}
