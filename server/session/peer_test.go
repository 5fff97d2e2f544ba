package session

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/nowserving/nowserving/hub/wire"
)

// peer is a client that sends what it is told and keeps what it gets.
type peer struct {
	t    *testing.T
	conn net.Conn
	resp *http.Response

	mu     sync.Mutex
	got    []string // text frames
	pongs  int
	probes int            // pings of the node
	code   wire.CloseCode // of the close frame
	ended  bool           // the connection
	mute   bool           // does not answer a close frame
	paused chan struct{}  // while not nil, does not read
	next   int
}

func (p *peer) read(r *bufio.Reader) {
	defer func() {
		p.mu.Lock()
		p.ended = true
		p.mu.Unlock()
		_ = p.conn.Close()
	}()
	for {
		p.mu.Lock()
		paused := p.paused
		p.mu.Unlock()
		if paused != nil {
			<-paused
		}
		op, payload, err := readFrame(r)
		if err != nil {
			if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, io.ErrClosedPipe) {
				p.t.Error("not a frame:", err)
			}
			return
		}
		p.mu.Lock()
		closing := p.code != 0
		switch op {
		case 0x1:
			p.got = append(p.got, string(payload))
		case 0xa:
			p.pongs++
		case 0x9:
			p.probes++
		case 0x8:
			p.code = wire.CloseCode(binary.BigEndian.Uint16(payload))
			if !p.mute {
				go p.write(0x8, payload[:2])
			}
		}
		p.mu.Unlock()
		if closing {
			p.t.Errorf("frame %x after the close frame", op)
		}
	}
}

func readFrame(r *bufio.Reader) (byte, []byte, error) {
	b0, err := r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	b1, err := r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	if b0&0x70 != 0 || b0&0x80 == 0 || b1&0x80 != 0 {
		return 0, nil, fmt.Errorf("header %x %x", b0, b1)
	}
	size := uint64(b1)
	if b1 >= 126 {
		ext := make([]byte, 2)
		if b1 == 127 {
			ext = make([]byte, 8)
		}
		if _, err := io.ReadFull(r, ext); err != nil {
			return 0, nil, err
		}
		size = 0
		for _, c := range ext {
			size = size<<8 | uint64(c)
		}
	}
	if size > 1<<24 {
		return 0, nil, fmt.Errorf("a frame of %d bytes", size)
	}
	payload := make([]byte, size)
	_, err = io.ReadFull(r, payload)
	op := b0 & 0xf
	if err == nil && op == 1 && !json.Valid(payload) {
		err = fmt.Errorf("not JSON: %.100q", payload)
	}
	return op, payload, err
}

// clientFrame is a frame with a mask of zeros, which changes nothing.
func clientFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

func (p *peer) write(op byte, payload []byte) {
	_, _ = p.conn.Write(clientFrame(0x80|op, payload)) // the other end may have gone
}

func (p *peer) send(text string) { p.write(1, []byte(text)) }

// take waits for things to settle and returns the next text frame.
func (p *peer) take() string {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next >= len(p.got) {
		return fmt.Sprintf("nothing, closed with %d", p.code)
	}
	p.next++
	return p.got[p.next-1]
}

// ask sends a request and wants an answer that contains all of want.
func (p *peer) ask(text string, want ...string) {
	p.t.Helper()
	p.send(text)
	m := p.take()
	for _, w := range want {
		if !strings.Contains(m, w) {
			p.t.Errorf("%.200s\nwas answered %s\nwithout %s", text, m, w)
		}
	}
}

// closes wants the session to be closed with code, and the connection to end.
func (p *peer) closes(code wire.CloseCode) {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.code != code || !p.ended {
		p.t.Errorf("closed with %d, ended %v; want %d", p.code, p.ended, code)
	}
}

// probed reports whether the node has pinged since the last time.
func (p *peer) probed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.probes > 0
	p.probes = 0
	return was
}

func (p *peer) open() bool {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended && p.code == 0
}

// pause makes the client stop reading until the function it returns is called.
// A read that has begun still takes what comes first.
func (p *peer) pause() (resume func()) {
	ch := make(chan struct{})
	p.mu.Lock()
	p.paused = ch
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.paused = nil
		p.mu.Unlock()
		close(ch)
	}
}
