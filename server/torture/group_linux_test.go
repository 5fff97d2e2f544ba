package torture

import "syscall"

// ownGroup starts a child in a process group of its own, and ends it with the
// test, also when that panics.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
