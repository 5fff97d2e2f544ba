//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that is measured.
type process struct {
	cmd  *exec.Cmd
	addr string
	done chan struct{}
	pids []int // itself and its workers, once it is ready
}

// start runs a program that will listen on addr.
func start(addr, logTo, name string, args ...string) (*process, error) {
	log, err := os.Create(logTo)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// It ends with us, however we end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "NOWSERVING_") { // the server refuses settings that it does not know
			cmd.Env = append(cmd.Env, e)
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, addr: addr, done: make(chan struct{})}
	go func() { defer close(p.done); _ = cmd.Wait() }() // ends with the process
	return p, nil
}

// ready waits until the server takes connections.
func (p *process) ready(limit time.Duration) error {
	for began := time.Now(); time.Since(began) < limit; {
		select {
		case <-p.done:
			return fmt.Errorf("it ended: %s", p.cmd.ProcessState)
		case <-time.After(5 * time.Millisecond):
		}
		if c, err := net.Dial("tcp", p.addr); err == nil {
			_ = c.Close()
			p.pids = family(p.cmd.Process.Pid)
			return nil
		}
	}
	return fmt.Errorf("it does not listen on %s", p.addr)
}

// stop ends it as an operator does, and harder when that takes too long.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.kill()
	}
}

// kill ends it without asking.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// family is a process and its children.
func family(pid int) []int {
	out := []int{pid}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range all {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		after := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(after) > 1 && after[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			out = append(out, child)
		}
	}
	return out
}

// cpu is the CPU time of all its threads so far. It is read from the scheduler,
// because what times(2) says comes in steps of 10 ms.
func (p *process) cpu() time.Duration {
	var sum int64
	for _, pid := range p.pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, name := range tasks {
			b, err := os.ReadFile(name)
			if err != nil {
				continue // the thread has ended
			}
			on, _ := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
			sum += on
		}
	}
	return time.Duration(sum)
}

// rss is its memory in bytes, without files that are mapped: those the kernel takes
// back when it needs to.
func (p *process) rss() int64 {
	var sum int64
	for _, pid := range p.pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(b))
		resident, _ := strconv.ParseInt(fields[1], 10, 64)
		shared, _ := strconv.ParseInt(fields[2], 10, 64)
		sum += (resident - shared) * int64(os.Getpagesize())
	}
	return sum
}

// watch tells the memory every second until the returned function is called.
func (p *process) watch(tell func(rss int64)) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			tell(p.rss())
			select {
			case <-tick.C:
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// freeAddr is an address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// machine says what was measured on, and what else it was doing.
func machine() string {
	load, _ := os.ReadFile("/proc/loadavg")
	var u syscall.Utsname
	_ = syscall.Uname(&u)
	release := make([]byte, 0, len(u.Release))
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		release = append(release, byte(c))
	}
	return fmt.Sprintf("%s, Linux %s, load %s", processor(), release, strings.Join(strings.Fields(string(load))[:3], " "))
}

func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	b, _ := io.ReadAll(f)
	name, count := "unknown", 0
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "processor":
			count++
		case "model name":
			name = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("%d x %s", count, name)
}
