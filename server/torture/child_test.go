//go:build unix

package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/node"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/session"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

// childEnv tells a copy of this test binary to be a node until it is killed.
const childEnv = "NOWSERVINGTORTURECHILD"

// order is what a child is to be.
type order struct {
	Listen, Data string
	// Rules end the process with SIGKILL where they say.
	Rules []store.FaultRule
	// Ahead is how far the child's clock is ahead.
	Ahead time.Duration
	// Slow makes every commit take longer.
	Slow time.Duration
	// MinFree is the free space below which nothing is taken.
	MinFree uint64
	// Sockets is how many may wait to say who they are; 0 is the default.
	Sockets int
	// Rate is how many requests per second a socket may make; 0 is very many.
	Rate float64
	// Crowd is how many sockets a credential may have; 0 is some thousand.
	Crowd int
	// Ping and Write are how often displays say something, and how long a write
	// may take; 0 is the default.
	Ping, Write time.Duration
	// Memory is GOMEMLIMIT, "512MiB"; "" is none.
	Memory string
}

// limits are those of the child: a test is one address with few credentials.
func (o *order) limits() session.Limits {
	l := session.DefaultLimits()
	l.Rate, l.Burst = 10_000, 10_000
	if o.Rate > 0 {
		l.Rate, l.Burst = o.Rate, o.Rate
	}
	l.Sockets = map[auth.Kind]int{auth.Visitor: 5, auth.Staff: 6000, auth.Display: 2000, auth.Integrator: 2000}
	if o.Crowd > 0 {
		l.Sockets[auth.Staff], l.Sockets[auth.Display] = o.Crowd, o.Crowd
	}
	if l.PendingPerIP = 1000; o.Sockets > 0 {
		l.PendingPerIP, l.Pending = o.Sockets, o.Sockets
	}
	if o.Ping > 0 {
		l.DisplayPing = o.Ping
	}
	if o.Write > 0 {
		l.Write = o.Write
	}
	return l
}

// serveChild is main of the child. It says what happens on standard output.
func serveChild(text string) int {
	os.Unsetenv(childEnv)
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Println("error", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go tellLive(ctx) // ends with the process
	fault := store.NewFault(o.Rules...)
	fault.Stop = func(r store.FaultRule) {
		fmt.Printf("fired %q %d\n", r.Prefix, r.Mode)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	if o.Slow > 0 {
		fault.Slow = func() { time.Sleep(o.Slow) } // the disk itself, not a wait for anything
	}
	if o.MinFree == 0 {
		o.MinFree = 16 << 20
	}
	n, err := node.Build(ctx, node.Options{
		Listen: o.Listen, Data: o.Data, Demo: true, MinFree: o.MinFree, MaxBody: 1 << 20, GroupMax: 256,
		QueueRate: limit.Rate{PerSecond: 1e6, Burst: 1e6}, Drain: 5 * time.Second, Limits: o.limits(),
		VisitorTTL: 24 * 365 * time.Hour, SessionIdle: time.Hour, SessionMax: time.Hour,
		Clock: func() time.Time { return time.Now().Add(o.Ahead) },
		Log:   zerolog.New(os.Stderr).Level(zerolog.ErrorLevel), Fault: fault,
	})
	if err == nil {
		fmt.Println("ready")
		err = n.Run(ctx)
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

// child is a node in a process of its own.
type child struct {
	cmd  *exec.Cmd
	done chan struct{}
	code int // after done

	mu    sync.Mutex // protects the rest
	lines []string
	ready chan struct{}
}

// start runs a child and does not wait for it. wrap may put another command in
// front of it.
func start(t testing.TB, o order, wrap ...string) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrap, os.Args[0])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text), "GORACE=halt_on_error=1") // a race there fails the test here
	if o.Memory != "" {
		cmd.Env = append(cmd.Env, "GOMEMLIMIT="+o.Memory)
	}
	cmd.SysProcAttr = ownGroup() // what is in front of it ends with it
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, done: make(chan struct{}), ready: make(chan struct{})}
	go func() { // ends with the child
		defer close(c.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.mu.Lock()
			c.lines = append(c.lines, lines.Text())
			if lines.Text() == "ready" {
				close(c.ready)
			}
			c.mu.Unlock()
		}
		_ = cmd.Wait()
		c.code = cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(c.kill)
	return c
}

// serve runs a child and waits until it is ready, or has ended.
func serve(t testing.TB, o order, wrap ...string) *child {
	t.Helper()
	c := start(t, o, wrap...)
	select {
	case <-c.ready:
	case <-c.done:
	case <-time.After(60 * time.Second):
		t.Fatal("the node does not become ready")
	}
	return c
}

// alive reports whether the child is ready and has not ended.
func (c *child) alive() bool {
	select {
	case <-c.done:
		return false
	default:
	}
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// said is what the child said with a prefix.
func (c *child) said(prefix string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if rest, ok := strings.CutPrefix(l, prefix); ok {
			return rest
		}
	}
	return ""
}

func (c *child) kill() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL); <-c.done }

// stop ends the child as an operator does.
func (c *child) stop(t testing.TB) {
	t.Helper()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(60 * time.Second):
		t.Fatal("the node does not stop")
	}
	if c.code != 0 {
		t.Errorf("the node ended with %d: %s", c.code, c.said("error"))
	}
}

// wait waits for the child's own end.
func (c *child) wait(t testing.TB, why string) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(90 * time.Second):
		buf := make([]byte, 1<<16)
		t.Fatalf("%s: the node goes on\n%s", why, buf[:runtime.Stack(buf, false)])
	}
}

// readDemo reads what a node with a demonstration branch says of it.
func readDemo(t testing.TB, data string) node.Demo {
	t.Helper()
	return testkit.ReadJSON[node.Demo](t, filepath.Join(data, "demo.json"))
}
