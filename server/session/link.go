package session

import (
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
)

// link is a WebSocket's raw connection, seen from two sides: as hub.Transport
// by the Outbox, and through libraryConn by the WebSocket library.
type link struct {
	conn   net.Conn
	out    *hub.Outbox
	limits *Limits
	clock  func() time.Time
	// ahead is what net/http had read beyond the handshake. Reader's own.
	ahead []byte

	// A write that never waits; owned by whoever holds the Outbox. attempt is
	// bound once, so that a write does not allocate.
	raw     syscall.RawConn
	attempt func(fd uintptr)
	data    []byte
	n       int
	err     error

	mu       sync.Mutex // protects the rest
	finished bool       // everything that will be sent was sent
	released bool       // the reader has ended
}

func newLink(conn net.Conn, ahead []byte, l *Limits, clock func() time.Time) *link {
	k := &link{conn: conn, limits: l, clock: clock}
	if len(ahead) > 0 {
		k.ahead = append([]byte(nil), ahead...)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(l.SendBuffer) // worse, but not wrong, without
	}
	// TLS and pipes have no descriptor to write to: then every write "would
	// wait", and goes through the backlog.
	if sc, ok := conn.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			k.raw = raw
			k.attempt = k.once
		}
	}
	return k
}

// once writes data to the descriptor and never asks to be called again.
func (k *link) once(fd uintptr) {
	for {
		k.n, k.err = writeNow(fd, k.data)
		if k.err != syscall.EINTR {
			return
		}
	}
}

// TryWrite implements hub.Transport.
func (k *link) TryWrite(p []byte) (int, error) {
	if k.raw == nil {
		return 0, nil
	}
	k.data = p
	// Not raw.Write: it takes the lock of those who wait, and nobody does.
	err := k.raw.Control(k.attempt)
	k.data = nil
	switch {
	case err != nil:
		return 0, err
	case k.err == syscall.EAGAIN:
		return 0, nil
	case k.err != nil:
		return 0, k.err
	}
	return k.n, nil
}

// Write implements hub.Transport.
func (k *link) Write(p []byte) (int, error) {
	if err := k.conn.SetWriteDeadline(k.clock().Add(k.limits.Write)); err != nil {
		return 0, err
	}
	n, err := k.conn.Write(p)
	if err != nil {
		return n, err
	}
	// A deadline left behind would be a timer, and fail whoever does not set one.
	return n, k.conn.SetWriteDeadline(time.Time{})
}

// Close implements hub.Transport: what had to be sent was sent. The client now
// has a moment to answer; closing at once, with its frames unread, would make
// the kernel throw away the close frame that is on its way.
func (k *link) Close(code wire.CloseCode) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.finished = true
	if code == 0 || k.released {
		_ = k.conn.Close()
		return
	}
	_ = k.conn.SetReadDeadline(k.clock().Add(k.limits.Linger))
}

// release is the reader's farewell. If the Outbox is still writing, it closes
// the connection when it is done.
func (k *link) release() error {
	writing := k.out.Writing()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.released = true
	if writing && !k.finished {
		return nil
	}
	return k.conn.Close()
}

// libraryConn is the connection as the WebSocket library sees it.
type libraryConn struct{ *link }

func (c libraryConn) Read(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.ahead = nil
		}
		return n, nil
	}
	return c.conn.Read(p)
}

// Write takes one control frame of the library.
func (c libraryConn) Write(p []byte) (int, error) {
	if !oneControlFrame(p) {
		// The library has never written data by itself. If it does, frames
		// would mix: rather no connection than a garbled one.
		c.out.Fail()
		return 0, net.ErrClosed
	}
	c.out.WriteControl(p)
	return len(p), nil
}

func (c libraryConn) Close() error { return c.release() }

func (c libraryConn) LocalAddr() net.Addr                { return c.conn.LocalAddr() }
func (c libraryConn) RemoteAddr() net.Addr               { return c.conn.RemoteAddr() }
func (c libraryConn) SetDeadline(t time.Time) error      { return c.conn.SetDeadline(t) }
func (c libraryConn) SetReadDeadline(t time.Time) error  { return c.conn.SetReadDeadline(t) }
func (c libraryConn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// oneControlFrame reports whether p is exactly one unmasked control frame.
func oneControlFrame(p []byte) bool {
	return len(p) >= 2 && p[0]&0x8 != 0 && p[1] < 126 && len(p) == 2+int(p[1])
}

var (
	_ hub.Transport = (*link)(nil)
	_ net.Conn      = libraryConn{}
)
