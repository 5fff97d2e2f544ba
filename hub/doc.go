// Package hub hands publications to the subscribers of channels. It knows no
// domain: it gets ready JSON, frames it once per channel and audience, keeps a
// bounded history, and writes to whoever is there.
//
// A subscriber is a cursor, not a queue. The publisher appends to a channel's
// ring and leaves; fan-out workers give every shard of a channel's subscribers
// the frames that it has not had, in one write that never waits. A subscriber
// whose write would wait is behind: it reads on from the ring by itself, in a
// goroutine that lives only as long as its backlog. If the ring moves past it,
// its session is closed with wire.CloseSlow and returns for a snapshot.
//
// What makes this gapless without holding locks across a write: every
// subscriber knows the offset that it has had, and nothing at or below that
// offset is ever written to it. So a frame may be offered twice (by the reply
// to subscribe, by a worker, by the backlog reader) and is written once. A
// frame whose prev lies above that offset would be a gap, and closes the
// session instead.
//
// # Lock order
//
//	Hub.mu -> channel.mu
//	shard.mu -> Outbox.mu -> channel.mu
//	presence.mu, queue.mu: innermost, nothing is locked under them
//
// No lock is held while a Source is asked. Under Outbox.mu only writes that
// never wait are made; channel.mu is held for no I/O at all.
//
// # Goroutines
//
//	Run       Workers fan-out workers and one sweeper, stopped by its context
//	drain     one per Outbox that is behind; ends when the backlog is written,
//	          the write deadline passes, or the transport is closed
package hub
