package ticket

// Name implements Command.
func (Create) Name() string { return "ticket.create" }

// Name implements Command.
func (CallTicket) Name() string { return "ticket.call" }

// Name implements Command.
func (CallNext) Name() string { return "ticket.callNext" }

// Name implements Command.
func (Recall) Name() string { return "ticket.recall" }

// Name implements Command.
func (Serve) Name() string { return "ticket.serve" }

// Name implements Command.
func (MarkNoShow) Name() string { return "ticket.noShow" }

// Name implements Command.
func (Cancel) Name() string { return "ticket.cancel" }

// Name implements Command.
func (ReturnToQueue) Name() string { return "ticket.returnToQueue" }

// Name implements Command.
func (Forward) Name() string { return "ticket.forward" }

// Name implements Command.
func (Reorder) Name() string { return "ticket.reorder" }

// Name implements Command.
func (Assign) Name() string { return "ticket.assign" }

// Name implements Command.
func (Unassign) Name() string { return "ticket.unassign" }

// Name implements Command.
func (Edit) Name() string { return "ticket.edit" }

// Name implements Command.
func (l Label) Name() string {
	if l.tag {
		return "conversation.tag"
	}
	return "ticket.label"
}

// Name implements Command.
func (SetExternal) Name() string { return "ticket.external" }

// Name implements Command.
func (SetField) Name() string { return "ticket.field" }

// Name implements Command.
func (SendMessage) Name() string { return "message.send" }

// Name implements Command.
func (AddNote) Name() string { return "note.add" }

// Name implements Command.
func (MarkRead) Name() string { return "message.read" }

// Name implements Command.
func (SetConversation) Name() string { return "conversation.state" }

// Name implements Command.
func (SetOwner) Name() string { return "conversation.owner" }

// Name implements Command.
func (AddParticipant) Name() string { return "conversation.participant" }

// Name implements Command.
func (Erase) Name() string { return "ticket.erase" }

// Name implements Command.
func (PutLocation) Name() string { return "location.put" }

// Name implements Command.
func (PutLine) Name() string { return "line.put" }

// Name implements Command.
func (PutDesk) Name() string { return "desk.put" }

// Name implements Command.
func (PutUser) Name() string { return "user.put" }

// Name implements Command.
func (Select) Name() string { return "user.select" }

// Name implements Command.
func (PutDisplay) Name() string { return "display.put" }
