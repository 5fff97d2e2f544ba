// Package ledger is the path of one change: all doors meet in Do. A command is
// decided against its location's folded state, appended in a group with every
// other command that waits, made durable, folded into the view, answered, and
// published, in that order.
//
//	Do ──▶ queue ──▶ committer: Decide, Evolve(spec), store.Commit ──▶ publisher: Evolve(view), answer, hub.Publish
//
// Two folds of each journal are kept. spec belongs to the committer and may run
// ahead of the disk; view holds only what is durable, and is all that readers
// ever see. The commit point is store.Commit returning nil: nothing is published
// or answered before it, and nothing after it can fail the command. When its
// outcome is unknown, Run ends with an error and the process must stop: opening
// again finds out.
//
// Lock order: location.mu is taken alone; hub locks are never taken under it.
package ledger
