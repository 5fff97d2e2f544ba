package session

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// The clients of a benchmark are another process, this binary again, so that
// what the operating system says of ours is the server alone.
const (
	readerEnv  = "NOWSERVING_BENCH_SERVER"
	readersEnv = "NOWSERVING_BENCH_READERS"
)

// readers opens sockets, subscribes, and prints the number of bytes read
// whenever it has reached what standard input asked for.
func readers(addr string) int {
	n, _ := strconv.Atoi(os.Getenv(readersEnv))
	var total, target atomic.Int64
	reached := make(chan struct{}, 1)
	var ready sync.WaitGroup
	gate := make(chan struct{}, 16)
	for range n {
		ready.Add(1)
		go func() {
			gate <- struct{}{}
			conn, err := subscribeRaw(addr)
			<-gate
			ready.Done()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			buf := make([]byte, 2048)
			for {
				k, err := conn.Read(buf)
				if err != nil {
					return
				}
				if now := total.Add(int64(k)); now >= target.Load() && now-int64(k) < target.Load() {
					reached <- struct{}{}
				}
			}
		}()
	}
	ready.Wait()
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		want, _ := strconv.ParseInt(in.Text(), 10, 64)
		target.Store(want)
		if total.Load() < want {
			<-reached
		} else {
			select {
			case <-reached:
			default:
			}
		}
		fmt.Println("read")
	}
	return 0
}

// masked is a client's text frame; a mask of zeros changes nothing.
func masked(payload string) []byte {
	b := []byte{0x81, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	return append(b, payload...)
}

func subscribeRaw(addr string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != 101 {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	for _, f := range []string{`{"id":1,"connect":{"token":"display"}}`, `{"id":2,"subscribe":{"channel":"board:1"}}`} {
		if _, err := conn.Write(masked(f)); err != nil {
			return nil, err
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return nil, err
		}
		size := int(head[1])
		if size == 126 {
			if _, err := io.ReadFull(r, head[2:]); err != nil {
				return nil, err
			}
			size = int(head[2])<<8 | int(head[3])
		}
		if _, err := io.ReadFull(r, make([]byte, size)); err != nil {
			return nil, err
		}
	}
	return conn, nil
}

// openGate lets everybody in and shows one empty board.
type openGate struct{ Gate }

func (openGate) Handshake(*http.Request) (auth.Identity, bool, error) {
	return auth.Identity{}, false, nil
}

func (openGate) Token(context.Context, string, *http.Request) (auth.Identity, error) {
	return auth.Identity{Kind: auth.Display, Credential: "display:1", Display: 1}, nil
}

func (openGate) Channel(auth.Identity, wire.Channel) (hub.Audience, error) { return hub.Display, nil }

const benchStart = 1_000_000 // so that all offsets have the same width

type emptyBoard struct{}

func (emptyBoard) Snapshot(hub.Key) (hub.Snapshot, error) {
	return hub.Snapshot{Epoch: "e1", Offset: benchStart, Data: []byte(`{}`)}, nil
}

func (emptyBoard) Head(hub.Key) (wire.Position, error) {
	return wire.Position{Epoch: "e1", Offset: benchStart}, nil
}

var benchBoard = hub.Key{Channel: wire.Channel{Kind: wire.BoardChannel, ID: 1}, Audience: hub.Display}

// rig is a server with n subscribed sockets, in use by a benchmark.
type rig struct {
	b      *testing.B
	srv    *Server
	hub    *hub.Hub
	n      int
	offset uint64
	read   int64 // bytes that the readers should have had
	size   int64 // of one frame
	in     io.Writer
	out    *bufio.Scanner
}

const benchData = `{"ticket":{"key":"A-42.20261121","publicId":"A-42","status":"CALLED","line":1,"desk":3}}` // 200 bytes in all

func newRig(b *testing.B, n int) *rig {
	h := hub.New(emptyBoard{}, hub.Options{})
	limits := DefaultLimits()
	limits.PendingPerIP = limits.Pending
	limits.Sockets[auth.Display] = n
	limits.DisplayPing = time.Hour
	srv := New(Options{Hub: h, Gate: openGate{}, Limits: limits})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.Run(ctx) })
	wg.Go(func() { _ = srv.Run(ctx) })
	web := &http.Server{Handler: srv.WebSocket()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	wg.Go(func() { _ = web.Serve(l) })

	r := &rig{b: b, srv: srv, hub: h, n: n, offset: benchStart}
	frame := wire.Push{Type: "ticket.called", Channel: "board:1", Offset: benchStart, Prev: benchStart, Data: []byte(benchData)}
	r.size = int64(wire.NewFrame(frame.AppendJSON(nil)).Len())
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), readerEnv+"="+l.Addr().String(), readersEnv+"="+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	r.in, r.out = in, bufio.NewScanner(out)
	r.expect("ready")
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // first the clients, or ours keep TIME_WAIT
		ended, stop := context.WithTimeout(ctx, 10*time.Second)
		defer stop()
		_ = srv.Drain(ended, 0)
		_ = web.Close()
		cancel()
		wg.Wait()
	})
	return r
}

func (r *rig) expect(line string) {
	if !r.out.Scan() || r.out.Text() != line {
		r.b.Fatalf("readers said %q, not %q: %v", r.out.Text(), line, r.out.Err())
	}
}

// await returns when the readers have had bytes more per socket.
func (r *rig) await(bytes int64) {
	r.read += bytes * int64(r.n)
	fmt.Fprintln(r.in, r.read)
	r.expect("read")
}

// publish sends burst publications and waits until everybody has them.
func (r *rig) publish(burst int) {
	for range burst {
		r.offset++
		r.hub.Publish(benchBoard, hub.Publication{Type: "ticket.called", Offset: r.offset, Prev: r.offset - 1, Data: []byte(benchData)})
	}
	r.await(int64(burst) * r.size)
}

// fds are the descriptors of the server's sockets.
func (r *rig) fds() []int {
	var fds []int
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	for s := range r.srv.sessions {
		_ = s.link.raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) })
	}
	return fds
}

// bare writes one frame to every socket with nothing around it.
func (r *rig) bare(fds []int, frame []byte) {
	for _, fd := range fds {
		if n, err := syscall.Write(fd, frame); n != len(frame) {
			r.b.Fatal(n, err)
		}
	}
	r.await(r.size)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// BenchmarkFanout is one change to N subscribers, and again in bursts of 8,
// beside nothing but the system calls; the three alternate in one run.
func BenchmarkFanout(b *testing.B) {
	for _, n := range []int{100, 1000, 2000, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := newRig(b, n)
			fds := r.fds()
			frame := bytes.Repeat([]byte{'x'}, int(r.size))
			var single, burst, bare time.Duration
			rounds := 0
			for b.Loop() {
				began := cpu()
				r.publish(1)
				middle := cpu()
				r.bare(fds, frame)
				then := cpu()
				r.publish(8)
				single += middle - began
				bare += then - middle
				burst += cpu() - then
				rounds++
			}
			per := func(d time.Duration, frames int) float64 {
				return float64(d.Nanoseconds()) / float64(rounds) / float64(n) / float64(frames)
			}
			b.ReportMetric(per(single, 1), "cpu-ns/delivery")
			b.ReportMetric(per(bare, 1), "cpu-ns/bare-write")
			b.ReportMetric(per(burst, 8), "cpu-ns/burst-of-8")
			b.ReportMetric(per(single, 1)/per(bare, 1), "x-bare")
			if s := r.hub.Stats(); s.Slow > 0 || s.Subscribers != n {
				b.Fatalf("%+v", s)
			}
		})
	}
}

// BenchmarkIdle is what an idle, subscribed socket costs.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{2000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			newRig(b, 10)
			settleMemory()
			before, goroutines := rss(), runtime.NumGoroutine()
			newRig(b, n)
			settleMemory()
			for b.Loop() {
				b.ReportMetric(float64(rss()-before)/float64(n)/1024, "KiB/socket")
			}
			b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(n), "goroutines/socket")
		})
	}
}

// settleMemory gives back what is not in use; stacks shrink in one cycle and
// are freed in the next.
func settleMemory() {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
}
