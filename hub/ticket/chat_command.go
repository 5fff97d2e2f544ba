package ticket

import (
	"encoding/json"
	"time"
)

// Commands of the conversation facet that only the conversation API gives. None
// of them has a form on the wire, so their members have no JSON names of note.

// Newcomer is somebody who takes part in a conversation from its beginning.
type Newcomer struct {
	Type, Protocol, SubProtocol string
	User                        int // for type User
	ParticipantName
}

// FirstMessage is one of the messages that a conversation begins with.
type FirstMessage struct {
	// From is the index of a Newcomer.
	From       int
	Text, HTML string
}

// OpenConversation begins a conversation that has no place in a line.
type OpenConversation struct {
	Participants   []Newcomer
	Fields         [10]string
	UniqueArgument string
	Details        *Details
	Culture        string
	// Language is the visitor's own, where Culture cannot say it; "" is Culture's.
	Language string
	// Email and PhoneNumber are the visitor's, where no participant's identifier is one.
	Email, PhoneNumber string
	Tags               []string
	State              ConversationState // "": Open
	// Opened and Closed are the times of a past conversation that is brought in.
	Opened, Closed time.Time
	// Owner answers; 0 leaves the conversation to whoever comes first.
	Owner int
	// Intro greets the customer, in the owner's name.
	Intro    string
	Messages []FirstMessage
	// Dynamic are bot variables.
	Dynamic []DynamicParameter
	// Silent tells no other system of it, MarkRead shows it to nobody as unread.
	Silent, MarkRead bool
}

// CloneConversation brings a conversation over from another department. Its
// thread comes with it, as it was.
type CloneConversation struct {
	From       *Ticket
	Department string // the other one's GUID
	Thread     []Transaction
}

// SetTalkFields changes what integrators keep with a conversation; nil leaves as
// it is.
type SetTalkFields struct {
	Ref
	Fields         [10]*string
	UniqueArgument *string
	Details        *Details
	// Members are laid over Details, or over what is known, member by member.
	Members map[string]json.RawMessage
	// Dynamic are bot variables, by name; those that are not named stay.
	Dynamic []DynamicParameter
}

// RenameParticipant changes how somebody is called in this conversation.
type RenameParticipant struct {
	Ref
	Participant int
	Rename      string
}

// SetSummary keeps the agents' summary.
type SetSummary struct {
	Ref
	Text string
}

// TagConversation adds and removes tags, which are the ticket's labels.
type TagConversation struct {
	Ref
	Add    []string
	Remove string
}

// AddEntry adds a thread entry of another kind than a message.
type AddEntry struct {
	Ref
	Kind, Text  string
	Attachments []Attachment
	Payload     json.RawMessage
	// At is when it happened, where that is not now.
	At time.Time
	// AsClient says that the customer did it.
	AsClient bool
}

// ChangeConversation changes a conversation's state with what belongs to that.
type ChangeConversation struct {
	Ref
	State   ConversationState
	Tags    []string
	Summary *string
	// Say is a text for the customer that goes with the change.
	Say    string
	Silent bool
	// Auto is a rule's doing: only if nothing was added since Seq.
	Auto bool
	Seq  uint64
	// MovedTo is where the conversation goes on.
	MovedTo *Moved
}

// Enqueue lets a conversation join a line; it keeps its thread.
type Enqueue struct {
	Ref
	Line int `json:"line"`
}

// Name implements Command.
func (OpenConversation) Name() string { return "conversation.create" }

// Name implements Command.
func (CloneConversation) Name() string { return "conversation.clone" }

// Name implements Command.
func (SetTalkFields) Name() string { return "conversation.fields" }

// Name implements Command.
func (RenameParticipant) Name() string { return "conversation.rename" }

// Name implements Command.
func (SetSummary) Name() string { return "conversation.summary" }

// Name implements Command.
func (TagConversation) Name() string { return "conversation.tag" }

// Name implements Command.
func (AddEntry) Name() string { return "conversation.entry" }

// Name implements Command.
func (ChangeConversation) Name() string { return "conversation.state" }

// Name implements Command.
func (Enqueue) Name() string { return "ticket.enqueue" }
