package session

import (
	"syscall"
	"unsafe"
)

// writeNow writes to a descriptor that never blocks. The scheduler is not told
// of the call, as it is of one that may take long: that would cost a twentieth of
// a fan-out, and a processor taken away in the middle of it.
func writeNow(fd uintptr, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
