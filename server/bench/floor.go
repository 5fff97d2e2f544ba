//go:build linux

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// floor is the least that a fan-out can be: it takes connections, and writes
// what is posted to each of their channel with one system call, in one loop.
func floor(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	f := floorServer{fds: make(map[string][]int)}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go f.serve(conn) // subscribers leave it at once, publishers at their end
	}
}

type floorServer struct {
	mu    sync.Mutex       // protects the rest
	fds   map[string][]int // by channel, which is the query
	conns []net.Conn       // what is not held is closed
}

func (f *floorServer) serve(conn net.Conn) {
	r := bufio.NewReaderSize(conn, 1024)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			_ = conn.Close()
			return
		}
		if req.Method != http.MethodPost {
			f.subscribe(conn, req.URL.RawQuery)
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		f.write(req.URL.RawQuery, frameOf(body))
		if _, err := io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

func (f *floorServer) subscribe(conn net.Conn, channel string) {
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
		return
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.fds[channel], f.conns = append(f.fds[channel], int(fd)), append(f.conns, conn)
	})
}

func (f *floorServer) write(channel string, frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fd := range f.fds[channel] {
		// A reader that is gone or full is no concern of a floor.
		_, _ = syscall.Write(fd, frame)
	}
}

// frameOf is an unmasked text frame.
func frameOf(payload []byte) []byte {
	var b []byte
	if len(payload) < 126 {
		b = []byte{0x81, byte(len(payload))}
	} else {
		b = []byte{0x81, 126, byte(len(payload) >> 8), byte(len(payload))}
	}
	return append(b, payload...)
}
