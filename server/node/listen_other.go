//go:build !linux

package node

import "syscall"

// control does nothing where there is no TCP_USER_TIMEOUT.
func control(_, _ string, _ syscall.RawConn) error { return nil }
