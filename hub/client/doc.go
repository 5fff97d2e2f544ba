// Package client is the Go client of the hub protocol (PROTOCOL.md, hub/wire):
// it dials, subscribes, keeps its positions, finds gaps and dead links, comes
// back with jitter and resumes where it was. Its user sees snapshots, a
// contiguous run of pushes after each, and whether the link is live.
//
// New starts nothing. Run blocks until its context ends or the hub says that
// there is no coming back, and leaves no goroutine behind. Every Handler
// method is called from Run's goroutine, one at a time.
//
//   - client.go: configuration and what a user calls, from any goroutine
//   - run.go: one link after another, and the wait between them
//   - dial.go: the handshake and the connect frame
//   - link.go: one link: who reads, who writes, when it counts as dead
//   - subscription.go: positions, gaps, duplicates
//   - backoff.go: which end of a link leads to which return
//   - frame.go: decoding what the hub sends
//
// One mutex (Client.mu) guards what is wanted: subscriptions, unanswered
// commands, frames that wait to be sent. It is never held while a Handler
// method or the network is waited for.
package client
