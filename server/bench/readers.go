//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// readers are the subscribers of one server, in a process of their own: one loop
// over an epoll set, so that they cost the machine as little as they can.

// readerOrder is what the readers are told, one line of JSON each.
type readerOrder struct {
	Do string // connect, begin, end, close
	// For connect: how many, where, and how. Socket i reads Channels[i % len].
	Count, Stalled           int
	Addr, Kind, Path, Marker string
	Tokens, Channels         []string
	Since                    string
	// For end: when each change of each channel was due.
	Due [][]int64
	// PerSocket is how many frames each socket gets in a round.
	PerSocket int
}

// readerReport is what they answer.
type readerReport struct {
	Error    string
	Millis   float64 // that connecting took
	Frames   int     // read since begin
	Size     int     // of the last one, in bytes
	Sample   string  // its text
	P50, P99 float64 // in milliseconds, from the due time
}

// tokenShare is how many sockets share one credential.
const tokenShare = 900

// reader is one subscriber.
type reader struct {
	fd      int
	channel int
	rest    []byte // of a frame that has not arrived whole
	at      []int64
}

type readers struct {
	epoll int

	mu      sync.Mutex // protects the rest
	byFD    map[int]*reader
	marker  []byte
	frames  int
	want    int
	sample  []byte
	reached chan struct{}
}

// readersMain answers orders until its input ends.
func readersMain(in io.Reader, out io.Writer) error {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	rs := &readers{epoll: ep, byFD: map[int]*reader{}, reached: make(chan struct{}, 1)}
	go rs.loop() // ends with the process
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o readerOrder
		if err := dec.Decode(&o); err != nil {
			return nil // the one who asks is gone
		}
		if err := enc.Encode(rs.obey(o)); err != nil {
			return err
		}
	}
}

func (rs *readers) obey(o readerOrder) (r readerReport) {
	switch o.Do {
	case "connect":
		began := time.Now()
		if err := rs.connect(o); err != nil {
			r.Error = err.Error()
		}
		r.Millis = time.Since(began).Seconds() * 1000
	case "begin":
		rs.begin(o.PerSocket)
	case "end":
		r = rs.end(o)
	case "close":
		rs.close()
	}
	return r
}

// connecting is how many sockets are opened at a time.
const connecting = 48

func (rs *readers) connect(o readerOrder) error {
	rs.mu.Lock()
	rs.marker = []byte(o.Marker)
	rs.mu.Unlock()
	sa, err := sockaddr(o.Addr)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	next := make(chan int)
	errs := make(chan error, connecting)
	for range connecting {
		wg.Go(func() {
			for i := range next {
				if err := rs.open(sa, o, i); err != nil {
					select {
					case errs <- fmt.Errorf("reader %d: %w", i, err):
					default:
					}
				}
			}
		})
	}
	for i := range o.Count {
		next <- i
	}
	close(next)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func (rs *readers) open(sa unix.Sockaddr, o readerOrder, i int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	tv := unix.Timeval{Sec: 60}
	if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err == nil {
		if i < o.Stalled { // little room, so that it is soon full
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
		}
		err = unix.Connect(fd, sa)
	}
	h := &handshake{fd: fd}
	if err == nil {
		err = h.subscribe(o, i)
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	rd := &reader{fd: fd, rest: h.buf}
	if n := len(o.Channels); n > 0 {
		rd.channel = i % n
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.byFD[fd] = rd
	if i < o.Stalled {
		return nil // it never reads
	}
	return unix.EpollCtl(rs.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (rs *readers) begin(perSocket int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.frames, rs.want = 0, 0
	for _, rd := range rs.byFD {
		rd.at = slices.Grow(rd.at[:0], perSocket)
	}
	select {
	case <-rs.reached:
	default:
	}
}

// end waits until everybody has every change, and says how long that took.
func (rs *readers) end(o readerOrder) (r readerReport) {
	rs.mu.Lock()
	rs.want = o.Count
	done := rs.frames >= rs.want
	rs.mu.Unlock()
	if !done {
		select {
		case <-rs.reached:
		case <-time.After(20 * time.Second):
			r.Error = "some changes did not arrive within 20 s"
		}
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var took []int64
	for _, rd := range rs.byFD {
		due := o.Due[rd.channel%len(o.Due)]
		for i, at := range rd.at {
			if i < len(due) {
				took = append(took, at-due[i])
			}
		}
	}
	r.Frames, r.Size, r.Sample = rs.frames, len(rs.sample), string(rs.sample)
	if len(took) > 0 {
		slices.Sort(took)
		r.P50, r.P99 = float64(took[len(took)/2])/1e6, float64(took[len(took)*99/100])/1e6
	}
	return r
}

func (rs *readers) close() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for fd := range rs.byFD {
		_ = unix.Close(fd)
	}
	clear(rs.byFD)
}

// loop reads whatever has arrived.
func (rs *readers) loop() {
	events := make([]unix.EpollEvent, 512)
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(rs.epoll, events, -1)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "readers:", err)
			os.Exit(1)
		}
		rs.mu.Lock()
		for _, e := range events[:n] {
			rd := rs.byFD[int(e.Fd)]
			if rd == nil {
				continue // closed meanwhile
			}
			if k, err := syscall.Read(rd.fd, buf); k > 0 {
				rs.take(rd, buf[:k])
			} else if err != syscall.EAGAIN && err != syscall.EINTR {
				delete(rs.byFD, rd.fd) // what it misses is told by end
				_ = unix.Close(rd.fd)
			}
		}
		rs.mu.Unlock()
	}
}

// take cuts what was read into frames.
func (rs *readers) take(rd *reader, data []byte) {
	now := time.Now().UnixNano()
	if len(rd.rest) > 0 {
		rd.rest = append(rd.rest, data...)
		data = rd.rest
	}
	for {
		op, payload, size := cut(data)
		if size == 0 {
			break
		}
		data = data[size:]
		switch {
		case op == 9:
			_, _ = syscall.Write(rd.fd, masked(10, ""))
		case op == 1 && string(payload) == "2": // Socket.IO's ping
			_, _ = syscall.Write(rd.fd, masked(1, "3"))
		case op == 1 && bytes.Contains(payload, rs.marker):
			rd.at = append(rd.at, now)
			if rs.frames++; rs.frames == rs.want {
				rs.reached <- struct{}{}
			}
			if rs.sample == nil || rs.frames%10000 == 1 {
				rs.sample = append(rs.sample[:0], payload...)
			}
		}
	}
	if len(data) == 0 {
		rd.rest = nil
	} else {
		rd.rest = append([]byte(nil), data...)
	}
}

// cut takes one whole unmasked frame off data; size is 0 when there is none.
func cut(data []byte) (op byte, payload []byte, size int) {
	if len(data) < 2 {
		return 0, nil, 0
	}
	head, n := 2, int(data[1])
	switch {
	case n == 126 && len(data) >= 4:
		head, n = 4, int(data[2])<<8|int(data[3])
	case n == 127 && len(data) >= 10:
		head, n = 10, int(data[6])<<24|int(data[7])<<16|int(data[8])<<8|int(data[9])
	case n >= 126:
		return 0, nil, 0
	}
	if len(data) < head+n {
		return 0, nil, 0
	}
	return data[0] & 0xf, data[head : head+n], head + n
}
