//go:build unix

package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/client"
)

// A crowd is thousands of screens, each the Go client with all of its jitter, in a
// process of their own: one that can be stopped like a machine that hangs, and
// whose work is no part of what the test itself measures.

// crowdEnv tells a copy of this test binary to be a crowd until its input ends.
const crowdEnv = "NOWSERVINGTORTURECROWD"

// crowdCores is how many cores a crowd takes: it shares them with the node.
const crowdCores = 1

// wish is a line of what is asked of a crowd. Each is answered with a tale.
type wish struct {
	// Do is "join", "cut", "free", "await" or "tell".
	Do string
	// URL, Token, Channel and Clients say who joins.
	URL, Token, Channel string
	Clients             int
	// Jitter is how much of it they have: 1 is all.
	Jitter float64
	// Lost, At and Steady are what every client must have come through to be awaited:
	// so many links, an offset, and so long a time on its present link.
	Lost   int
	At     uint64
	Steady time.Duration
}

// tale is what a crowd has seen since the last one.
type tale struct {
	// Live are the clients that are current; Back is when the last one became so.
	Live int
	Back time.Time
	// Ends are the links that ended, by close code; 0 is a cut. Retries are the
	// shortest and the longest wait after a drain, Refused the attempts that failed.
	Ends              map[int]int
	Shortest, Longest time.Duration
	Refused           int
	// Snapshots and Pushes were taken. Fewest is what the client with the fewest
	// pushes got.
	Snapshots, Pushes, Fewest int
	// P50 and P99 are of the ways of pushes, from the commit.
	P50, P99 time.Duration
	// Wrong is what must never be.
	Wrong []string
}

// fans is the crowd inside its process.
type fans struct {
	http *http.Client
	all  []*fan
	gate sync.RWMutex // held while nobody may dial
	// hurry makes clients come at once; held are those that wait at the gate.
	hurry atomic.Bool
	held  atomic.Int64

	mu    sync.Mutex // protects the rest
	conns map[net.Conn]bool
	out   tale
	ways  []time.Duration
}

// serveCrowd is main of a crowd.
func serveCrowd() int {
	runtime.GOMAXPROCS(crowdCores)
	f := &fans{conns: map[net.Conn]bool{}}
	f.http = &http.Client{Transport: &http.Transport{DialContext: f.dial}}
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for {
		var w wish
		if err := in.Decode(&w); err != nil {
			if errors.Is(err, io.EOF) {
				return 0
			}
			return 1
		}
		if err := f.grant(w); err != nil {
			f.wrong("%v", err)
		}
		if out.Encode(f.tell()) != nil {
			return 1
		}
	}
}

// dial waits until somebody may, and comes from one of many addresses, so that no
// round runs out of ports.
func (f *fans) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	f.held.Add(1)
	f.gate.RLock()
	defer f.gate.RUnlock()
	f.held.Add(-1)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+rand.IntN(20)))}}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[conn] = true
	return &fanConn{conn, f}, nil
}

// fanConn is a connection that is forgotten when it is closed.
type fanConn struct {
	net.Conn
	of *fans
}

// Close implements net.Conn. It leaves no port waiting.
func (c *fanConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c.Conn)
	c.of.mu.Unlock()
	reset(c.Conn)
	return c.Conn.Close()
}

func (f *fans) grant(w wish) error {
	switch w.Do {
	case "join":
		for range w.Clients {
			if err := f.join(w); err != nil {
				return err
			}
			time.Sleep(200 * time.Microsecond) // screens that are switched on one by one
		}
	case "cut":
		return f.cut()
	case "free":
		f.hurry.Store(false)
		f.gate.Unlock()
	case "await":
		return f.await(w)
	}
	return nil
}

// cut breaks every link, and has all clients wait for being free to come again.
func (f *fans) cut() error {
	f.hurry.Store(true)
	f.gate.Lock()
	f.mu.Lock()
	for conn := range f.conns {
		reset(conn)
		conn.Close()
	}
	f.mu.Unlock()
	return f.until(func() int { return len(f.all) - int(f.held.Load()) })
}

func (f *fans) join(w wish) error {
	one := &fan{of: f}
	c, err := client.New(client.Config{
		URL: w.URL, Header: http.Header{"Authorization": {"Bearer " + w.Token}}, Name: "crowd/1", HTTPClient: f.http, Handler: one, Now: time.Now,
		Random: func() float64 {
			if f.hurry.Load() {
				return 0
			}
			return rand.Float64() * w.Jitter
		},
	})
	if err == nil {
		err = c.Subscribe(w.Channel, nil)
	}
	if err != nil {
		return err
	}
	f.all = append(f.all, one)
	go func() { // ends with the process
		f.wrong("a client has ended: %v", c.Run(context.Background()))
	}()
	return nil
}

// await waits until every client is live again, and as far as was asked.
func (f *fans) await(w wish) error {
	return f.until(func() (missing int) {
		for _, one := range f.all {
			one.mu.Lock()
			if !one.live || one.lost < w.Lost || one.track.At() < w.At || time.Since(one.since) < w.Steady {
				missing++
			}
			one.mu.Unlock()
		}
		return missing
	})
}

// until waits until nobody is missing.
func (f *fans) until(missing func() int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(crowdLimit)
	for {
		n := missing()
		if n == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-end:
			return fmt.Errorf("%d of %d clients are missing after %v", n, len(f.all), crowdLimit)
		}
	}
}

// crowdLimit is what only a defect reaches.
const crowdLimit = 2 * time.Minute

// tell gives what was seen since the last time.
func (f *fans) tell() tale {
	fewest, live := 0, 0
	for n, one := range f.all {
		one.mu.Lock()
		if n == 0 || one.pushes < fewest {
			fewest = one.pushes
		}
		one.pushes = 0
		if one.live {
			live++
		}
		one.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.out
	out.Fewest, out.Live = fewest, live
	slices.Sort(f.ways)
	if n := len(f.ways); n > 0 {
		out.P50, out.P99 = f.ways[n/2], f.ways[n*99/100]
	}
	f.out, f.ways = tale{}, f.ways[:0]
	return out
}

func (f *fans) wrong(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.out.Wrong) < 10 {
		f.out.Wrong = append(f.out.Wrong, fmt.Sprintf(format, args...))
	}
}

// crowd is a test's end of such a process.
type crowd struct {
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder
}

func newCrowd(t testing.TB) *crowd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crowdEnv+"=1")
	cmd.SysProcAttr = ownGroup()
	cmd.Stderr = os.Stderr
	in, out := piped(t, cmd)
	c := &crowd{cmd: cmd, in: json.NewEncoder(in), out: json.NewDecoder(out)}
	t.Cleanup(c.kill)
	return c
}

// piped starts a process that is talked with.
func piped(t testing.TB, cmd *exec.Cmd) (in io.WriteCloser, out io.Reader) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err = cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return in, out
}

// ask has a wish granted. Whatever is wrong is an error of the test.
func (c *crowd) ask(t testing.TB, w wish) (said tale) {
	t.Helper()
	if err := errors.Join(c.in.Encode(w), c.out.Decode(&said)); err != nil {
		t.Fatalf("the crowd: %v", err)
	}
	for _, what := range said.Wrong {
		t.Errorf("the crowd: %s", what)
	}
	if t.Failed() {
		t.FailNow()
	}
	return said
}

// join adds clients and waits until they are current.
func (c *crowd) join(t testing.TB, url, token string, clients int) {
	t.Helper()
	c.ask(t, wish{Do: "join", URL: url, Token: token, Channel: "board:1", Clients: clients, Jitter: jitter()})
	c.ask(t, wish{Do: "await"})
}

func (c *crowd) signal(s syscall.Signal) { _ = syscall.Kill(-c.cmd.Process.Pid, s) }

func (c *crowd) kill() {
	if c.cmd.ProcessState == nil {
		c.signal(syscall.SIGKILL)
		_ = c.cmd.Wait()
	}
}

// jitter is how much of their jitter clients have: in CI there is no time for all.
func jitter() float64 {
	if long {
		return 1
	}
	return 0.05
}

// fits is how many clients the open files of one process allow, each of whom takes
// so many of them.
func fits(t *testing.T, clients, each int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return min(clients, (int(limit.Cur)-1000)/each)
}
