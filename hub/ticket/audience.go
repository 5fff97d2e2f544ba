package ticket

// Which events reach whom. What of an event's objects they see is decided by the
// projection types: a field that a type does not have cannot be sent.

// Public reports whether boards are told of an event.
func Public(e Event) bool {
	if e.Facts.Appointment != nil { // who is not here yet is nobody's business
		return false
	}
	if e.Facts.Unplaced { // a conversation waits in no line that a board could show
		return false
	}
	switch e.Type {
	case EventCreated, EventCalled, EventRecalled, EventServed, EventNoShow, EventCancelled, EventReturned,
		EventForwarded, EventReordered, EventErased, EventLine, EventDesk, EventLocation:
		return true
	case EventChanged:
		return e.Facts.Public
	}
	return false
}

// VisitorSees reports whether the ticket's own visitor is told of an event.
func VisitorSees(e Event) bool {
	switch e.Type {
	case EventAssigned, EventLabelled, EventLine, EventDesk, EventUser, EventLocation, EventDisplay:
		return false
	case EventMessage:
		return e.Facts.Kind != TransactionNote
	case EventState:
		return e.Facts.Position != "owner"
	}
	return true
}
