// Package session is one socket's life: handshake, connect, requests, limits,
// and the many ways in which it ends. Everything that a session may do, and
// everything that it asks about, passes through a Gate; everything that it is
// sent passes through a hub.Outbox.
//
// coder/websocket does the handshake, reads, and answers control frames. It is
// given our own net.Conn (link), so that each of its writes is one control frame
// which takes its turn in the Outbox; data frames go out without the library,
// ready-made and shared between all subscribers.
//
// # Goroutines
//
// A WebSocket owns one goroutine, its reader, which ends when the connection
// does. It is not the http.Server's: that one has grown its stack in the
// handshake and is let go. For the same reason each request is answered on a
// short-lived goroutine that the reader waits for. Run owns the wheel, the only clock of all sessions.
// An event stream (SSE) owns the http.Server's goroutine.
//
// # Locks
//
// Server.mu and wheel.mu are never held while another lock is taken, and
// link.mu is taken last: hub.Outbox calls link.Close with its own mutex held.
package session
