package ticket

import "time"

// figures are a conversation's times and counts in the conversation form.
func (s *State) figures(c *Conversation) ChatFigures {
	f := ChatFigures{
		FirstCustomerMessage: chatTimeOf(c.FirstClientAt), FirstAgentMessage: chatTimeOf(c.FirstStaffAt),
		LastCustomerMessage: chatTimeOf(c.LastClientAt), LastAgentMessage: chatTimeOf(c.LastStaffAt),
		FirstAgentAllocation: chatTimeOf(c.FirstAllocatedAt), LastAgentAllocation: chatTimeOf(c.LastAllocatedAt),
		DurationGross: ChatSpan(0), DurationNet: ChatSpan(0),
		AgentMediaCount: c.StaffMedia, CustomerMediaCount: c.ClientMedia, AgentMessagesCount: c.StaffMessages,
		CustomerMessagesCount: c.ClientMessages, AgentCannedRepliesCount: c.CannedReplies, TransactionsCount: c.Seq,
	}
	if u := s.Users[c.FirstStaff]; u != nil {
		f.FirstAgentMessageUserID = &u.GUID
	}
	f.QueueTimeGross, f.QueueTimeNet = s.spans(c.OpenedAt, c.FirstAllocatedAt)
	asked := c.FirstClientAt
	if asked.IsZero() {
		asked = c.OpenedAt
	}
	f.FirstAgentResponseTimeGross, f.FirstAgentResponseTimeNet = s.spans(asked, c.FirstStaffAt)
	f.AgentAssignToResponseGross, f.AgentAssignToResponseNet = s.spans(c.FirstAllocatedAt, c.FirstStaffAt)
	if c.Responses > 0 {
		v := ChatSpan(c.ResponseNet / time.Duration(c.Responses))
		f.AgentResponseAverageTimeNet = &v
	}
	if first, last := c.spanned(); !first.IsZero() {
		_, f.TotalConversationTimeNet = s.spans(first, last)
	}
	if c.State == ConversationClosed && !c.ClosedAt.IsZero() {
		gross, net := s.spans(c.OpenedAt, c.ClosedAt)
		if gross != nil {
			f.DurationGross, f.DurationNet = *gross, *net
		}
	}
	return f
}

// spanned is from the first to the last message.
func (c *Conversation) spanned() (first, last time.Time) {
	first, last = c.FirstClientAt, c.LastClientAt
	if first.IsZero() || !c.FirstStaffAt.IsZero() && c.FirstStaffAt.Before(first) {
		first = c.FirstStaffAt
	}
	if c.LastStaffAt.After(last) {
		last = c.LastStaffAt
	}
	return first, last
}

// spans is the time between two instants, in all and within opening hours; nil
// while either has not come.
func (s *State) spans(from, to time.Time) (gross, net *string) {
	if from.IsZero() || to.IsZero() {
		return nil, nil
	}
	g, n := ChatSpan(to.Sub(from)), ChatSpan(s.Location.Working(from, to))
	return &g, &n
}
