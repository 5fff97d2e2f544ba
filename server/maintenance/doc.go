// Package maintenance is what an operator does to a data folder beside running
// it: back it up, restore it, check it, and have erased bytes collected.
//
//   - command.go: the subcommands of the server's binary
//   - archive.go: the form of a backup file
//   - verify.go: every invariant of the journals, offline
//   - fold.go: tickets, threads and snapshots against a fold of the journals
package maintenance
