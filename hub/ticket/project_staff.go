package ticket

import (
	"encoding/json"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// StaffTicket is a ticket as clerks and integrators see it on a socket: the queue
// form, the conversation form, and what a console needs beside them.
type StaffTicket struct {
	QueueTicket
	Key      string          `json:"key"`
	Order    string          `json:"order"`
	Recalls  int             `json:"recalls"`
	ShowName bool            `json:"showName,omitempty"`
	External []StaffExternal `json:"external"`
	Wait     *WaitRange      `json:"wait,omitempty"`
	// Quoted is the wait that the visitor was told on joining the line.
	Quoted *WaitRange `json:"quoted,omitempty"`
	// Appointment stays after the check-in.
	Appointment *StaffAppointment `json:"appointment,omitempty"`
	Overtook    *StaffOvertake    `json:"overtook,omitempty"`
	// Answer is what the visitor has said to waiting or to the call.
	Answer *AnswerView `json:"answer,omitempty"`
	Erased bool        `json:"erased,omitempty"`
	Offset uint64      `json:"offset"`
	// Conversation is absent until somebody writes.
	Conversation *StaffConversation `json:"conversation,omitempty"`
}

// StaffAppointment is when and with whom.
type StaffAppointment struct {
	Start    string `json:"start"`
	End      string `json:"end"`
	Assignee int    `json:"assignee,omitempty"`
}

// StaffOvertake says why a ticket is before others who came earlier.
type StaffOvertake struct {
	Reason string `json:"reason"`
	User   int    `json:"user,omitempty"`
	At     string `json:"at"`
}

// StaffExternal is another system's data.
type StaffExternal struct {
	Provider string          `json:"provider"`
	Title    string          `json:"title"`
	Data     json.RawMessage `json:"data"`
	Created  string          `json:"created"`
}

// StaffConversation is the conversation facet. Source of every field that has no
// comment: conversation ticket.
type StaffConversation struct {
	DepartmentID        string             `json:"departmentId"`
	Field1              string             `json:"field1"`
	Field2              string             `json:"field2"`
	Field3              string             `json:"field3"`
	Field4              string             `json:"field4"`
	Field5              string             `json:"field5"`
	Field6              string             `json:"field6"`
	Field7              string             `json:"field7"`
	Field8              string             `json:"field8"`
	Field9              string             `json:"field9"`
	Field10             string             `json:"field10"`
	Culture             string             `json:"culture"`
	TicketType          string             `json:"ticketType"`
	Tags                []string           `json:"tags"`
	Owner               *StaffOwner        `json:"owner"`
	State               ConversationState  `json:"state"`
	Open                string             `json:"open"`
	Close               string             `json:"close,omitempty"`
	LastActivity        string             `json:"lastActivity"`
	UniqueArgument      string             `json:"uniqueArgument"`
	PrimaryProtocolType string             `json:"primaryProtocolType"`
	Details             *Details           `json:"details,omitempty"`
	Participants        []StaffParticipant `json:"participants"`
	DynamicParameters   []DynamicParameter `json:"dynamicParameters"`
	// Seq is the newest transaction's number; unread is what lies between a
	// participant's readUpTo and it.
	Seq uint64 `json:"seq"`
	// ClientFrom to ClientSeq are the visitor's messages that wait for an answer,
	// or the last ones that did; what of them lies behind a cursor is unread.
	ClientFrom uint64 `json:"clientFrom,omitempty"`
	ClientSeq  uint64 `json:"clientSeq,omitempty"`
}

// StaffOwner is who answers.
type StaffOwner struct {
	ID             string `json:"id"` // GUID
	User           int    `json:"user"`
	Gender         string `json:"gender"`
	UserName       string `json:"UserName"`
	Name           string `json:"name"`
	Culture        string `json:"culture"`
	IsAnonymous    bool   `json:"isAnonymous"`
	UniqueArgument string `json:"uniqueArgument"`
	Type           string `json:"type"`
}

// StaffParticipant is a member of the conversation.
type StaffParticipant struct {
	ID              int    `json:"id"`
	Name            string `json:"name"`
	DisplayName     string `json:"displayName"`
	ProtocolType    string `json:"protocolType"`
	SubProtocolType string `json:"subProtocolType"`
	IsActive        bool   `json:"isActive"`
	IsDeleted       bool   `json:"isDeleted"`
	Identifier      string `json:"identifier"`
	Type            string `json:"type"`
	UserName        string `json:"userName"`
	ReadUpTo        uint64 `json:"readUpTo"`
}

// TransactionView is one entry of the thread on a socket.
type TransactionView struct {
	Seq         uint64           `json:"seq"`
	GUID        string           `json:"guidTransactionId"`
	DateTime    string           `json:"dateTime"`
	Protocol    string           `json:"fromProtocolType"`
	Type        string           `json:"type"`
	Text        string           `json:"text"`
	HTML        string           `json:"html"`
	Status      string           `json:"status"`
	From        StaffParticipant `json:"fromParticipant"`
	Attachments []Attachment     `json:"attachments"`
	Payload     json.RawMessage  `json:"payload,omitempty"`
	ClientID    string           `json:"clientId,omitempty"`
}

// StaffUser is a colleague.
type StaffUser struct {
	ID        int    `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Desk      int    `json:"desk,omitempty"`
	Lines     []int  `json:"lines"`
}

// StaffLine is a line on a console.
type StaffLine struct {
	BoardLine
	Disabled bool `json:"disabled"`
	Archived bool `json:"archived,omitempty"`
	// WaitOverride is what a clerk has added to the estimated waits.
	WaitOverride *WaitOverride `json:"waitOverride,omitempty"`
}

// ConsoleSnapshot is everything a console shows of a location.
type ConsoleSnapshot struct {
	Location BoardLocation `json:"location"`
	Lines    []StaffLine   `json:"lines"`
	Desks    []BoardDesk   `json:"desks"`
	Users    []StaffUser   `json:"users"`
	Displays []Display     `json:"displays"`
	Tickets  []StaffTicket `json:"tickets"`
	Settings Board         `json:"settings"`
}

// StaffTicket projects a ticket for clerks and integrators.
func (s *State) StaffTicket(t *Ticket) StaffTicket { return s.staffTicket(t, s.Wait) }

func (s *State) staffTicket(t *Ticket, wait func(line, position int) *WaitRange) StaffTicket {
	q := t.QueueTicket()
	visits := t.Visits()
	q.Interactions = &visits
	st := StaffTicket{
		QueueTicket: q, Key: t.Key(), Order: t.SortKey(), ShowName: t.Private.ShowName,
		External: make([]StaffExternal, 0, len(t.Private.External)), Erased: t.Erased, Offset: t.Offset,
		Wait: wait(t.Place.Line, s.Position(t)), Answer: t.Place.answerView(),
	}
	if q := t.Place.Quote; q != nil {
		st.Quoted = &q.WaitRange
	}
	if a := t.Place.Appointment; a != nil {
		st.Appointment = &StaffAppointment{wire.Time(a.Start), wire.Time(a.End), a.Assignee}
	}
	if o := t.Place.Overtook; o != nil {
		st.Overtook = &StaffOvertake{o.Reason, o.User, wire.Time(o.At)}
	}
	if t.Place.Call != nil {
		st.Recalls = t.Place.Call.Recalls
	}
	for _, x := range t.Private.External {
		st.External = append(st.External, StaffExternal{x.Provider, x.Title, x.Data, wire.Time(x.At)})
	}
	if t.Conversation.State != "" {
		st.Conversation = s.staffConversation(t)
	}
	return st
}

func (s *State) staffConversation(t *Ticket) *StaffConversation {
	c, f := &t.Conversation, &t.Private.Fields
	v := &StaffConversation{
		DepartmentID: s.Location.GUID,
		Field1:       f[0], Field2: f[1], Field3: f[2], Field4: f[3], Field5: f[4],
		Field6: f[5], Field7: f[6], Field8: f[7], Field9: f[8], Field10: f[9],
		Culture: c.Culture, TicketType: c.Type, Tags: append([]string{}, t.Labels...), State: c.State,
		Open: stamp(c.OpenedAt), Close: stamp(c.ClosedAt), LastActivity: stamp(c.LastActivity),
		UniqueArgument: t.Private.UniqueArgument, PrimaryProtocolType: c.Protocol, Details: t.Private.Details,
		Participants:      make([]StaffParticipant, 0, len(c.Participants)),
		DynamicParameters: append([]DynamicParameter{}, t.Private.Dynamic...), Seq: c.Seq, ClientFrom: c.ClientFrom, ClientSeq: c.ClientSeq,
	}
	if u := s.Users[c.Owner]; u != nil {
		v.Owner = &StaffOwner{
			ID: u.GUID, User: u.ID, Gender: "Undefined", UserName: u.Email, Name: u.Name(), Culture: c.Culture, Type: "AGENT",
		}
	}
	for _, p := range c.Participants {
		v.Participants = append(v.Participants, participantView(p, t.Private.Names[p.ID]))
	}
	return v
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return wire.Time(t)
}

func participantView(p Participant, n ParticipantName) StaffParticipant {
	sub := p.SubProtocol
	if sub == "" {
		sub = ProtocolUndefined
	}
	return StaffParticipant{
		ID: p.ID, Name: n.Name, DisplayName: n.DisplayName, ProtocolType: p.Protocol, SubProtocolType: sub,
		IsActive: p.Active, IsDeleted: p.Deleted, Identifier: n.Identifier, Type: p.Type, UserName: n.UserName,
		ReadUpTo: p.ReadUpTo,
	}
}

// TransactionView projects a thread entry for clerks.
func (t *Ticket) TransactionView(x *Transaction) TransactionView {
	return TransactionView{
		Seq: x.Seq, GUID: x.GUID, DateTime: wire.Time(x.At), Protocol: x.Protocol, Type: x.Type, Text: x.Text,
		HTML: x.HTML, Status: t.Conversation.StatusOf(x), From: participantView(x.From, x.FromName),
		Attachments: append([]Attachment{}, x.Attachments...), Payload: x.Payload, ClientID: x.ClientID,
	}
}

// StaffUser projects a colleague.
func (u *User) StaffUser() StaffUser {
	return StaffUser{
		ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Desk: u.Desk,
		Lines: append([]int{}, u.Lines...),
	}
}

// StaffLine projects a line for consoles.
func (s *State) StaffLine(l *Line) StaffLine {
	return StaffLine{BoardLine: s.BoardLine(l), Disabled: l.Disabled, Archived: l.Archived, WaitOverride: l.Wait}
}

// ConsoleSnapshot projects everything a console shows.
func (s *State) ConsoleSnapshot() ConsoleSnapshot {
	c := ConsoleSnapshot{
		Location: s.BoardLocation(), Settings: s.Location.Settings,
		Lines: []StaffLine{}, Desks: []BoardDesk{}, Users: []StaffUser{}, Displays: []Display{}, Tickets: []StaffTicket{},
	}
	for _, l := range s.SortedLines() {
		c.Lines = append(c.Lines, s.StaffLine(l))
	}
	for _, d := range s.SortedDesks() {
		c.Desks = append(c.Desks, BoardDesk{ID: d.ID, Name: d.Name})
	}
	for _, u := range s.SortedUsers() {
		c.Users = append(c.Users, u.StaffUser())
	}
	for _, d := range s.SortedDisplays() {
		c.Displays = append(c.Displays, *d)
	}
	wait := s.waits()
	for _, t := range s.SortedTickets() {
		c.Tickets = append(c.Tickets, s.staffTicket(t, wait))
	}
	return c
}
