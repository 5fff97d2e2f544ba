package node

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unanswered is how long the kernel keeps a connection whose other end does not
// acknowledge what is sent: an event stream's reader never sends anything by
// which a dead one could be told from a quiet one.
const unanswered = 30 * time.Second

// control prepares the listening socket; accepted ones inherit it.
func control(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unanswered.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
