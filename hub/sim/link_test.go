package sim

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/nowserving/nowserving/hub/wire"
)

// link is one connection of a screen.
type link struct {
	s    *screen
	gone chan struct{} // closed by Close

	mu     sync.Mutex // protects the rest, and the screen's feeds
	wake   *sync.Cond
	room   int // bytes that fit without waiting, -1 for any number
	raw    []byte
	closed bool
	code   wire.CloseCode
}

var errCut = errors.New("the link is cut")

func newLink(s *screen) *link {
	l := &link{s: s, room: -1, gone: make(chan struct{})}
	l.wake = sync.NewCond(&l.mu)
	return l
}

// TryWrite implements hub.Transport.
func (l *link) TryWrite(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(p)
}

func (l *link) take(p []byte) (int, error) {
	if l.closed {
		return 0, errCut
	}
	n := len(p)
	if l.room >= 0 {
		n = min(n, l.room)
		l.room -= n
	}
	l.raw = append(l.raw, p[:n]...)
	l.frames()
	return n, nil
}

// Write implements hub.Transport.
func (l *link) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for sent := 0; sent < len(p); {
		for l.room == 0 && !l.closed {
			l.wake.Wait()
		}
		n, err := l.take(p[sent:])
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

// Close implements hub.Transport.
func (l *link) Close(code wire.CloseCode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		l.s.w.fail("%s: closed twice", l.s.name)
		return
	}
	l.closed, l.code = true, code
	close(l.gone)
	l.wake.Broadcast()
}

// allow lets n more bytes through, or with -1 any number.
func (l *link) allow(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room = n
	l.wake.Broadcast()
}

// frames looks at the whole frames that have come.
func (l *link) frames() {
	for len(l.raw) >= 2 {
		size, head := int(l.raw[1]), 2
		switch {
		case size == 126 && len(l.raw) >= 4:
			size, head = int(binary.BigEndian.Uint16(l.raw[2:])), 4
		case size == 127 && len(l.raw) >= 10:
			size, head = int(binary.BigEndian.Uint64(l.raw[2:])), 10
		case size >= 126:
			return
		}
		if len(l.raw) < head+size {
			return
		}
		op, payload := l.raw[0], l.raw[head:head+size]
		switch op {
		case 0x81:
			l.s.frame(payload)
		case 0x88, 0x89:
		default:
			l.s.w.fail("%s: first byte %x: the bytes are not frames any more", l.s.name, op)
			l.raw = nil
			return
		}
		l.raw = l.raw[head+size:]
	}
}
