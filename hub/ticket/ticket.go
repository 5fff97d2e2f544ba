package ticket

import (
	"encoding/json"
	"time"
)

// Status is where a ticket stands in its line.
// Source: queue ticket, "status".
type Status string

// The statuses of the place facet. A ticket without a place has "".
const (
	New       Status = "NEW"                  // waiting
	Called    Status = "CALLED"               // being served
	Served    Status = "SERVED"               // done
	NoShow    Status = "NOSHOW"               // called, did not come
	Cancelled Status = "CANCELLED_BY_CLERK"   // removed from the queue
	Scheduled Status = "SCHEDULED"            // an appointment that has not checked in
	Unbooked  Status = "SCHEDULING_CANCELLED" // an appointment that was cancelled
	Missed    Status = "SCHEDULING_NOSHOW"    // an appointment that nobody came to
	Unplaced  Status = ""                     // a conversation that has joined no line
)

// Final reports whether a place with this status is over.
func (s Status) Final() bool {
	return s == Served || s == NoShow || s == Cancelled || s == Unbooked || s == Missed
}

// The sources of a ticket. Source: queue ticket, "source".
const (
	SourceManual    = "MANUAL"    // created by a clerk
	SourceName      = "NAME"      // kiosk sign-in
	SourceMicrosite = "MICROSITE" // remote sign-in page
)

// Ticket is somebody who waits for an answer: a place in a line, a conversation,
// or both. Everything that may identify the person is in Private, so that one
// assignment erases it and a projection that never reads Private cannot leak.
type Ticket struct {
	// ID is unique in the deployment and never reused.
	// Source: queue ticket, "id" (a string there); conversation ticket, "id" (a number).
	ID       int64 `json:"id"`
	Location int   `json:"location"`
	// Created is the journal offset of the first event, Offset of the last one.
	Created uint64 `json:"createdAt"`
	Offset  uint64 `json:"offset"`
	// VisitorOffset is that of the last event the ticket's visitor is shown.
	VisitorOffset uint64 `json:"visitorOffset"`

	Place        Place        `json:"place"`
	Conversation Conversation `json:"conversation"`

	// Language is the visitor's, as a short code ("en").
	// Source: queue ticket, "languageCode"; the conversation's "culture" is its long form.
	Language string `json:"language"`
	// Labels are short texts in the order they were given.
	// Source: queue ticket, "labels[].value"; conversation ticket, "tags".
	Labels []string `json:"labels,omitempty"`

	Erased  bool    `json:"erased,omitempty"`
	Private Private `json:"private"`
}

// Place is the facet that waits in a line.
type Place struct {
	// Status: see Status.
	Status Status `json:"status,omitempty"`
	// PublicID is what is shown and called out, "A-42".
	// Source: queue ticket, "publicId".
	PublicID string `json:"publicId,omitempty"`
	// Day is the business day (yyyymmdd, local) that PublicID belongs to.
	Day string `json:"day,omitempty"`
	// Source says how the ticket came about. Source: queue ticket, "source".
	Source string `json:"source,omitempty"`
	// Line is the current line. Source: queue ticket, "line".
	Line int `json:"line,omitempty"`
	// Order is the key that the waiting list is sorted by, in Unix milliseconds;
	// ties go by ticket id.
	Order int64 `json:"order,omitempty"`
	// Moved says that Order differs from the creation time and is served.
	// Source: queue ticket, "orderAfter".
	Moved bool `json:"moved,omitempty"`
	// CreatedAt is when the place was taken, by CreatedBy (0: nobody known).
	// Source: queue ticket, "created.date".
	CreatedAt time.Time `json:"createdAt,omitzero"`
	CreatedBy int       `json:"createdBy,omitempty"`
	// Call is the running or last call. The queue form serves it only while
	// CALLED; searches by caller and call time use it afterwards too.
	// Source: queue ticket, "called.date", "called.caller", "called.desk".
	Call *Call `json:"call,omitempty"`
	// ServedAt is when service ended. Source: queue ticket, "served.date".
	ServedAt time.Time `json:"servedAt,omitzero"`
	// CancelledAt and CancelledBy tell of a cancellation.
	CancelledAt time.Time `json:"cancelledAt,omitzero"`
	CancelledBy int       `json:"cancelledBy,omitempty"`
	// Assigned is set while the ticket is assigned to a user.
	// Source: queue ticket, "assigned.assigner", "assigned.assignee".
	Assigned *Assignment `json:"assigned,omitempty"`
	// Interactions holds one entry per call; the running one has no End.
	// Source: queue ticket, "interactions".
	Interactions []Interaction `json:"interactions,omitempty"`
	// Answer is what the visitor has said to the clerk since the ticket got where it is.
	Answer *Reply `json:"answer,omitempty"`
	// Appointment is when and with whom; it stays after check-in.
	Appointment *Appointment `json:"appointment,omitempty"`
	// Quote is the wait that was shown on joining the line. It goes when the
	// ticket comes into the line in another way.
	Quote *Quote `json:"quote,omitempty"`
	// Overtook is set while the ticket is before others who came earlier.
	Overtook *Overtake `json:"overtook,omitempty"`
}

// joined is when the wait in the line began.
func (p *Place) joined() time.Time {
	if p.Quote != nil {
		return p.Quote.At
	}
	return p.CreatedAt
}

// Appointment is a slot of somebody's day.
type Appointment struct {
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Assignee int       `json:"assignee"`
}

// Call is a ticket being called to a desk.
type Call struct {
	At     time.Time `json:"at"`
	Caller int       `json:"caller,omitempty"` // user id, 0 unknown
	Desk   int       `json:"desk,omitempty"`   // desk id, 0 none
	// Recalls counts how often the call was announced again.
	Recalls int `json:"recalls,omitempty"`
}

// Assignment names who gave the ticket to whom.
type Assignment struct {
	Assigner int `json:"assigner"`
	Assignee int `json:"assignee"`
}

// Interaction is one service of the visitor.
// Source: queue ticket, "interactions[].start", "end", "line", "user".
type Interaction struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end,omitzero"`
	Line  int       `json:"line"`
	User  int       `json:"user,omitempty"`
	Desk  int       `json:"desk,omitempty"`
}

// Private is everything about the person. An erasure empties it.
type Private struct {
	// FirstName to Email: queue ticket, fields of the same names.
	FirstName   string `json:"firstName,omitempty"`
	LastName    string `json:"lastName,omitempty"`
	PhoneNumber string `json:"phoneNumber,omitempty"` // as entered, optional +
	Email       string `json:"email,omitempty"`
	// ShowName is the visitor's consent to their name on a board.
	ShowName bool `json:"showName,omitempty"`
	// Extra holds input field values. Source: queue ticket, "extra".
	Extra []Extra `json:"extra,omitempty"`
	// External holds one record per provider.
	External []External `json:"external,omitempty"`

	// Fields are field1..field10; Fields[0] is the subject.
	// Source: conversation ticket, "field1".."field10".
	Fields [10]string `json:"fields,omitzero"`
	// UniqueArgument is the customer's own key. Source: conversation ticket, "uniqueArgument".
	UniqueArgument string `json:"uniqueArgument,omitempty"`
	// Details tell where the conversation came from. Source: conversation ticket, "details".
	Details *Details `json:"details,omitempty"`
	// Names holds what identifies each participant, by participant id.
	Names map[int]ParticipantName `json:"names,omitempty"`
	// Dynamic are bot variables. Source: conversation ticket, "dynamicParameters".
	Dynamic []DynamicParameter `json:"dynamic,omitempty"`
	// Summary is the agents' summary of the conversation.
	Summary *Summary `json:"summary,omitempty"`
}

// Extra is one input field's value. Source: queue ticket, "extra[].title", "value".
type Extra struct {
	Title string `json:"title"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`   // links
	Color string `json:"color,omitempty"` // chosen options
	// Field is the input field's UUID, when the value came from one.
	Field string `json:"field,omitempty"`
}

// External is data that another system attached.
type External struct {
	Provider string          `json:"provider"`
	Title    string          `json:"title"`
	Data     json.RawMessage `json:"data"`
	At       time.Time       `json:"at"`
}

// Live reports whether the ticket belongs in memory: somebody still waits, is
// being served, or talks.
func (t *Ticket) Live() bool {
	switch t.Place.Status {
	case New, Called, Scheduled:
		return true
	}
	return t.Conversation.State != "" && t.Conversation.State != ConversationClosed
}

// EndedAt is when the last thing about an ended ticket happened; zero while it is live.
func (t *Ticket) EndedAt() time.Time {
	if t.Live() {
		return time.Time{}
	}
	last := t.Place.CreatedAt
	for _, at := range []time.Time{
		t.Place.ServedAt, t.Place.CancelledAt, t.CalledAt(), t.Conversation.ClosedAt, t.Conversation.LastActivity,
	} {
		if at.After(last) {
			last = at
		}
	}
	if n := len(t.Place.Interactions); n > 0 && t.Place.Interactions[n-1].End.After(last) {
		last = t.Place.Interactions[n-1].End
	}
	return last
}

// Caller is the user of the last call, 0 when never called or unknown.
func (t *Ticket) Caller() int {
	if t.Place.Call == nil {
		return 0
	}
	return t.Place.Call.Caller
}

// CalledAt is the time of the last call, zero when never called.
func (t *Ticket) CalledAt() time.Time {
	if t.Place.Call == nil {
		return time.Time{}
	}
	return t.Place.Call.At
}
