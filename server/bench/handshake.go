//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// What is said before a subscriber only listens. It is written to the bare
// descriptor: nothing of a net.Conn is needed afterwards.

func sockaddr(addr string) (unix.Sockaddr, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, nil
}

// handshake is the beginning of a subscriber's life.
type handshake struct {
	fd  int
	buf []byte // read and not used
}

func (h *handshake) write(b []byte) error {
	n, err := syscall.Write(h.fd, b)
	if err == nil && n < len(b) {
		err = fmt.Errorf("only %d of %d bytes written", n, len(b))
	}
	return err
}

func (h *handshake) more() error {
	var b [4096]byte
	for {
		n, err := syscall.Read(h.fd, b[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return fmt.Errorf("it ended in the handshake: %w", err)
		}
		h.buf = append(h.buf, b[:n]...)
		return nil
	}
}

// frame waits for a text frame that has text in it.
func (h *handshake) frame(text string) error {
	for {
		op, payload, size := cut(h.buf)
		if size == 0 {
			if err := h.more(); err != nil {
				return err
			}
			continue
		}
		h.buf = h.buf[size:]
		if bytes.Contains(payload, []byte(text)) {
			return nil
		}
		if op == 8 || bytes.Contains(payload, []byte(`"error":`)) {
			return fmt.Errorf("refused: %q", payload)
		}
	}
}

// subscribe says what the server wants to hear, until its stream begins.
func (h *handshake) subscribe(o readerOrder, i int) error {
	path, protocol := o.Path, ""
	if o.Kind == "hub" {
		protocol = "nowserving.v1"
	}
	if n := len(o.Channels); n > 0 {
		path = strings.ReplaceAll(path, "{channel}", o.Channels[i%n])
	}
	if err := h.write([]byte(upgrade(path, protocol))); err != nil {
		return err
	}
	for !bytes.Contains(h.buf, []byte("\r\n\r\n")) {
		if err := h.more(); err != nil {
			return err
		}
	}
	head, rest, _ := bytes.Cut(h.buf, []byte("\r\n\r\n"))
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return fmt.Errorf("refused: %s", line)
	}
	h.buf = append([]byte(nil), rest...)
	switch o.Kind {
	case "hub":
		return h.hub(o, i)
	case "socket.io":
		if err := h.frame("0{"); err != nil {
			return err
		}
		if err := h.write(masked(1, "40")); err != nil {
			return err
		}
		return h.frame("40{")
	}
	return nil
}

func (h *handshake) hub(o readerOrder, i int) error {
	token := o.Tokens[i/tokenShare%len(o.Tokens)]
	if err := h.write(masked(1, `{"id":1,"connect":{"token":"`+token+`"}}`)); err != nil {
		return err
	}
	if err := h.frame(`"session":`); err != nil {
		return err
	}
	since := ""
	if o.Since != "" {
		since = `,"since":` + o.Since
	}
	if err := h.write(masked(1, `{"id":2,"subscribe":{"channel":"`+o.Channels[i%len(o.Channels)]+`"`+since+`}}`)); err != nil {
		return err
	}
	return h.frame(`"reply":`)
}
