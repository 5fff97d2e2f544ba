// Package sim plays a branch: visitors who come in waves, wait, lose patience or
// write, and clerks who call them, take breaks and sometimes collide. Everything
// random comes from a seed and all time from outside, so a run can be repeated.
//
// Where to look:
//
//	day.go      how many people come when
//	people.go   who they are and what they write
//	run.go      Run: the agenda, its clock, the day's beginning and end
//	visitor.go  what visitors do; clerk.go what clerks do
//
// A run drives any Driver: the ledger in tests and benchmarks, a running node in
// a demo. It asks for changes as people do and lives with the answer: somebody
// else may have called the ticket, served it, or taken the line away.
//
// The tests of this package are the system tests of ledger and hub together: a
// world of nodes that crash, screens whose links break, and a model that knows
// what should have happened (world_test.go), and histories of concurrent
// commands checked for linearizability (history_test.go).
//
// Run owns no goroutine.
package sim
