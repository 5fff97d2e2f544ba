package ticket

// QueueStatuses are the statuses of the queue form that a ticket in a line has.
// CANCELLED is never given here but may be asked for.
func QueueStatuses() []string {
	return []string{string(New), string(Called), string(Served), string(NoShow), "CANCELLED", string(Cancelled)}
}

// ScheduledStatuses are those of an appointment, which a search finds only when it
// asks for them.
func ScheduledStatuses() []string {
	return []string{string(Scheduled), string(Unbooked), "SCHEDULING_CANCELLED_BY_VISITOR", string(Missed)}
}

// PersonKeys say who the ticket belongs to, for finding other visits of the same
// person: phone number and e-mail, as far as they are known. They are personal data.
func (t *Ticket) PersonKeys() []string {
	var out []string
	if v := t.Private.PhoneNumber; v != "" {
		out = append(out, "phone:"+v)
	}
	if v := t.Private.Email; v != "" {
		out = append(out, "email:"+v)
	}
	return out
}
