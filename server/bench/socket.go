//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// masked is a client's frame; a mask of zeros changes nothing.
func masked(opcode byte, payload string) []byte {
	b := []byte{0x80 | opcode}
	if n := len(payload); n < 126 {
		b = append(b, 0x80|byte(n))
	} else {
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// upgrade asks for a WebSocket.
func upgrade(path, protocol string) string {
	s := "GET " + path + " HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	if protocol != "" {
		s += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	return s + "\r\n"
}

// socket is a client of our server with one request under way at a time. It costs
// little, since it shares the cores with the server.
type socket struct {
	conn net.Conn
	r    *bufio.Reader
	buf  []byte
	id   int

	mu sync.Mutex // one request at a time
}

// dialSocket connects with a token.
func dialSocket(addr, token string) (*socket, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, r: bufio.NewReaderSize(conn, 2048)}
	if _, err = io.WriteString(conn, upgrade("/ws", "nowserving.v1")); err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(s.r, nil); err == nil && res.StatusCode != http.StatusSwitchingProtocols {
			err = fmt.Errorf("the socket is refused: %s", res.Status)
		}
	}
	if err == nil {
		_, err = s.ask(`"connect":{"token":"` + token + `","name":"bench"}`)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	go s.stay() // ends when the connection is closed
	return s, nil
}

// stay sends something now and then: who is silent for long is sent away.
func (s *socket) stay() {
	for err := error(nil); err == nil; _, err = s.ask(`"ping":{}`) {
		time.Sleep(15 * time.Second) // the interval itself
	}
}

// ask sends a request and returns the text of its answer, which is valid until
// the next one.
func (s *socket) ask(request string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id++
	if _, err := s.conn.Write(masked(1, fmt.Sprintf(`{"id":%d,%s}`, s.id, request))); err != nil {
		return nil, err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	for {
		op, payload, err := s.frame()
		switch {
		case err != nil:
			return nil, err
		case op == 9:
			if _, err := s.conn.Write(masked(10, "")); err != nil {
				return nil, err
			}
		case op == 8:
			return nil, fmt.Errorf("the server closed: %q", payload)
		case op == 1:
			return payload, nil
		}
	}
}

func (s *socket) frame() (byte, []byte, error) {
	var head [10]byte
	if _, err := io.ReadFull(s.r, head[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(s.r, head[2:4]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(head[2:4]))
	case 127:
		if _, err := io.ReadFull(s.r, head[2:10]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(head[2:10])
	}
	if n > 64<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	if uint64(cap(s.buf)) < n {
		s.buf = make([]byte, n)
	}
	s.buf = s.buf[:n]
	_, err := io.ReadFull(s.r, s.buf)
	return head[0] & 0xf, s.buf, err
}
