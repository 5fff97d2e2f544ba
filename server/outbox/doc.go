// Package outbox brings events to other systems: webhooks of the queue API and
// of the chat API, and the chat API's polling.
//
// What is to be delivered is written in the same commit as the event itself
// (the Outbox is the ledger's Effects), so nothing is sent for what did not
// happen and nothing that happened is forgotten:
//
//	ledger commit ──▶ out:{target} ──▶ deliverer ──2xx──▶ past:{target}
//	                     │                 └─ fails ─▶ again later, in the end past:{target}, dropped
//	                     └─ polling targets: read and deleted by the other side
//
// Each target has one line and one deliverer: order is the journal's, and a dead
// target delays nobody else. Delivery is at least once: a crash between an
// answer and its note sends again, with the same id.
//
// # Documents
//
//	outbox.target {id}    a registration; its secret and headers are sealed
//	outbox.meta seq       sequence numbers below this may have been used
//	outbox.erase {ticket} an erased ticket whose waiting deliveries have to go
//	out:{id} {key}        a delivery in line: a line of JSON (head), then the body
//	aside:{id} {key}      a delivery that stepped out of line: it failed while those
//	                      behind it deserve a try, or it is sent again by hand
//	past:{id} {key}       what became of the last ones; only dropped ones keep their body
//
// A key is a sequence number of fixed width, so key order is commit order.
//
// # Goroutines and locks
//
// Run stops them all: one deliverer per target, and the keeper, which erases,
// purges what a removed target leaves, and lets polled events expire. Effects,
// Committed and Abandoned belong to the ledger's committer and never wait.
//
// Lock order: Outbox.registering, target.writing, Outbox.mu, target.mu; the last
// two are held for memory only. writing is held across a commit; it orders what
// the deliverer, the keeper and people write about one target.
//
// # Where to look
//
//	outbox.go     options, opening, running, figures
//	register.go   registrations; list.go what an administrator sees of them
//	effects.go    from an event to documents
//	queue.go      the queue API's events; chat.go the chat API's envelope
//	line.go       what a deliverer does next; deliver.go one attempt;
//	settle.go     its outcome; policy.go when to try again
//	poll.go       polling; keep.go the keeper
//	sign/ seal/ egress/   signatures, secrets at rest, where requests may go
//	sms/          text messages
package outbox
