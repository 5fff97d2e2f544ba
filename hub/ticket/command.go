package ticket

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Command is something asked for. Decide says whether it may happen.
type Command interface {
	// Name is the command's name on the wire.
	Name() string
	decide(s *State, env Env) ([]Event, error)
}

// OnTicket is a command about one ticket, which must be in the State.
type OnTicket interface {
	Command
	TicketID() int64
}

// Env is what a decision needs from outside.
type Env struct {
	Now   time.Time
	Actor Actor
	// IDs are the next free ids; a decision uses them in order.
	IDs IDs
}

// IDs holds the next free id of each kind, unique in the deployment.
type IDs struct {
	Ticket   int64 `json:"ticket"`
	Location int   `json:"location"`
	Line     int   `json:"line"`
	Desk     int   `json:"desk"`
	User     int   `json:"user"`
	Display  int   `json:"display"`
}

// TicketID is a ticket's id as commands carry it: a string of digits on the wire,
// and numbers are taken too, because existing clients send them.
type TicketID int64

// UnmarshalJSON reads "17" or 17.
func (id *TicketID) UnmarshalJSON(b []byte) error {
	v := strings.Trim(string(b), `"`)
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 {
		return &json.UnmarshalTypeError{Value: "value", Type: reflect.TypeFor[TicketID]()}
	}
	*id = TicketID(n)
	return nil
}

// Ref names the ticket of a command; on the wire its id is a string.
type Ref struct {
	ID TicketID `json:"ticket"`
}

// TicketID is the ticket's id.
func (r Ref) TicketID() int64 { return int64(r.ID) }

// Create takes a place in a line.
type Create struct {
	Line        int      `json:"line"`
	FirstName   string   `json:"firstName"`
	LastName    string   `json:"lastName"`
	PhoneNumber string   `json:"phoneNumber"`
	Email       string   `json:"email"`
	Language    string   `json:"languageCode"`
	Source      string   `json:"source"`
	ShowName    bool     `json:"showName"`
	Extra       []Extra  `json:"extra"`
	Labels      []string `json:"labels"`
}

// CallTicket calls a waiting ticket to a desk. The caller's other called tickets
// become served first, unless KeepActive.
type CallTicket struct {
	Ref
	Desk       int  `json:"desk"` // 0: the caller's selected desk
	User       int  `json:"user"` // 0: the actor
	KeepActive bool `json:"keepActive"`
	// Reason says why it is called before others; see Overtake.
	Reason string `json:"reason"`
}

// CallNext calls the first waiting ticket of some lines; it passes over tickets
// that are assigned to somebody else.
type CallNext struct {
	Lines      []int `json:"lines"`
	Desk       int   `json:"desk"`
	User       int   `json:"user"`
	KeepActive bool  `json:"keepActive"`
}

// Recall announces a called ticket again.
type Recall struct{ Ref }

// Serve ends a service.
type Serve struct{ Ref }

// MarkNoShow says that the called visitor did not come.
type MarkNoShow struct{ Ref }

// Cancel takes a waiting ticket out of its line.
type Cancel struct {
	Ref
	User int `json:"user"` // 0: the actor
}

// The positions of ReturnToQueue.
const (
	PositionFirst  = "FIRST"
	PositionMiddle = "MIDDLE"
	PositionLast   = "LAST"
)

// ReturnToQueue puts a called ticket back into its line.
type ReturnToQueue struct {
	Ref
	Position string `json:"position"`
	User     int    `json:"user"`
	// Undo allows it from NOSHOW too.
	Undo bool `json:"-"`
}

// Forward puts a called ticket last into another line.
type Forward struct {
	Ref
	Line int `json:"line"`
	User int `json:"user"`
}

// Reorder moves a waiting ticket behind another of its line, or to the front.
type Reorder struct {
	Ref
	After TicketID `json:"after"` // 0: to the front
	// Reason says why it overtakes others; see Overtake.
	Reason string `json:"reason"`
}

// Assign gives a ticket to a user.
type Assign struct {
	Ref
	User     int `json:"user"`
	Assigner int `json:"assigner"` // 0: the actor
}

// Unassign takes the assignment away.
type Unassign struct{ Ref }

// Opt is a member that may be absent (leave as it is), null (clear) or given.
type Opt[T any] struct {
	Set   bool
	Value T
}

// UnmarshalJSON notes that the member was there; null gives the zero value.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	return json.Unmarshal(b, &o.Value)
}

// Some is a given value.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

// Edit changes what is known of the visitor, or the line of a waiting ticket.
type Edit struct {
	Ref
	FirstName   Opt[string]  `json:"firstName"`
	LastName    Opt[string]  `json:"lastName"`
	PhoneNumber Opt[string]  `json:"phoneNumber"`
	Email       Opt[string]  `json:"email"`
	Language    Opt[string]  `json:"languageCode"`
	ShowName    Opt[bool]    `json:"showName"`
	Extra       Opt[[]Extra] `json:"extra"`
	Line        Opt[int]     `json:"line"`
}

// Label adds, removes or replaces labels; exactly one is given.
type Label struct {
	Ref
	Add    string        `json:"add"`
	Remove string        `json:"remove"`
	Set    Opt[[]string] `json:"set"`
	// name is the command's name: a tag of the conversation form is a label.
	tag bool
}

// SetExternal attaches another system's data, one record per provider.
type SetExternal struct {
	Ref
	Provider string          `json:"provider"`
	Title    string          `json:"title"`
	Data     json.RawMessage `json:"data"`
}

// SetField sets an input field's values, or with none removes them.
type SetField struct {
	Ref
	Title string `json:"title"`
	// Value is the single value; nil with no Values removes the field.
	Value *string `json:"value"`
	// Values replaces Value where a field has several entries or extras.
	Values []Extra `json:"-"`
}

// SendMessage adds a message to the conversation, opening it if need be.
type SendMessage struct {
	Ref
	Text        string          `json:"text"`
	ClientID    string          `json:"clientId"`
	Files       []string        `json:"files"` // of the sender; the door makes Attachments of them
	HTML        string          `json:"-"`     // already sanitised
	Protocol    string          `json:"-"`
	Status      string          `json:"-"`
	Attachments []Attachment    `json:"-"`
	Payload     json.RawMessage `json:"-"`
	Canned      bool            `json:"-"` // from a canned reply
}

// AddNote adds a note that only staff see.
type AddNote struct {
	Ref
	Text string `json:"text"`
	HTML string `json:"-"`
}

// MarkRead moves the actor's read cursor.
type MarkRead struct {
	Ref
	UpTo uint64 `json:"upTo"`
}

// SetConversation changes the conversation's state.
type SetConversation struct {
	Ref
	State ConversationState `json:"state"`
}

// SetOwner gives the conversation to a user, 0 to nobody.
type SetOwner struct {
	Ref
	User int  `json:"user"`
	Keep bool `json:"keep"` // the old owner stays in the conversation
}

// AddParticipant adds a client to the conversation.
type AddParticipant struct {
	Ref
	Protocol    string `json:"protocolType"`
	SubProtocol string `json:"subProtocolType"`
	ParticipantName
}

// Erase removes everything personal. It cannot be undone.
type Erase struct{ Ref }

// PutLocation creates (ID 0) or replaces a location's settings.
type PutLocation struct{ Location Location }

// PutLine creates (ID 0) or replaces a line.
type PutLine struct{ Line Line }

// PutDesk creates (ID 0) or replaces a desk.
type PutDesk struct{ Desk Desk }

// PutUser creates (ID 0, directory only) or replaces a user.
type PutUser struct{ User User }

// Select is what a user works with in a location.
type Select struct {
	User  int        `json:"user"` // 0: the actor
	Desk  Opt[int]   `json:"desk"` // null or 0: none
	Lines Opt[[]int] `json:"lines"`
}

// PutDisplay creates (ID 0) or replaces a screen; Reload asks it to load anew.
type PutDisplay struct {
	Display Display
	Reload  bool
}

// Decide says what happens when c is asked for: events, or a coded error and
// nothing. It is pure: the same state, command and env give the same answer. No
// events and no error means that everything is already as asked.
//
// Instants are kept in UTC and whole milliseconds, as they are served: what sorts
// by a time here sorts the same for whoever reads it.
func Decide(s *State, c Command, env Env) ([]Event, error) {
	env.Now = env.Now.UTC().Truncate(time.Millisecond)
	events, err := c.decide(s, env)
	if err != nil {
		return nil, err
	}
	for i := range events {
		events[i].Time = env.Now
		events[i].Facts.Actor = env.Actor
		events[i].Facts.More = i+1 < len(events)
	}
	return events, nil
}

// Advance is the ids left after events took theirs.
func (ids IDs) Advance(events []Event) IDs {
	for i := range events {
		f := &events[i].Facts
		switch {
		case events[i].Type == EventCreated:
			ids.Ticket = max(ids.Ticket, events[i].Ticket+1)
		case f.LineDef != nil:
			ids.Line = max(ids.Line, f.LineDef.ID+1)
		case f.DeskDef != nil:
			ids.Desk = max(ids.Desk, f.DeskDef.ID+1)
		case f.UserDef != nil:
			ids.User = max(ids.User, f.UserDef.ID+1)
		case f.LocationDef != nil:
			ids.Location = max(ids.Location, f.LocationDef.ID+1)
		case f.DisplayDef != nil:
			ids.Display = max(ids.Display, f.DisplayDef.ID+1)
		}
	}
	return ids
}
