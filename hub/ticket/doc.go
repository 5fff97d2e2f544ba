// Package ticket is the domain, pure: tickets with their two facets, the
// location they wait in, commands, events, Decide, Evolve, and one projection
// per audience. It sees no clock, no randomness and no I/O; time, actor and
// fresh ids come in through Env.
//
// Where to look:
//
//	ticket.go        the Ticket: place facet, and what is private
//	conversation.go  the conversation facet
//	location.go      locations, lines, desks, users, displays, hours
//	state.go         a location's folded state and its indexes
//	event.go         facts, and the personal part that an erasure removes
//	command*.go      what can be asked for; decide*.go whether it may happen
//	decide_status.go what became of a text message
//	evolve*.go       the fold
//	number.go        "A-42" and the business day; order.go the place in line
//	chat_*.go        the conversation facet: its commands, its fold, its figures
//	project_*.go     one projection per audience
//
// Tickets, lines, desks and the like are immutable once they are in a State:
// Evolve replaces them. So a pointer taken from a State stays true to its moment.
package ticket
