//go:build linux

// Command bench is `make bench`: it starts the server, as it is shipped, and
// others beside it, gives all of them the same work in turn, and prints one table
// with what each cost, ours over theirs. What is compared was measured within the
// same minute on the same machine, in alternating rounds; the figures are medians.
//
// A server's cost is the CPU time of its processes, which is what the machine's
// other work disturbs least; the clients are processes of their own. Latencies
// count from the moment when a change was due, not from when it was sent.
package main
