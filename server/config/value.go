package config

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// Bytes is a size, written as 1048576, 64KiB, 256MiB or 2GiB.
type Bytes int64

// units are the suffixes, largest first.
func units() [3]struct {
	suffix string
	size   Bytes
} {
	return [...]struct {
		suffix string
		size   Bytes
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

func (b *Bytes) String() string {
	for _, u := range units() {
		if *b > 0 && *b%u.size == 0 {
			return fmt.Sprintf("%d%s", *b/u.size, u.suffix)
		}
	}
	return fmt.Sprint(int64(*b))
}

// Set reads what String writes.
func (b *Bytes) Set(s string) error {
	unit := Bytes(1)
	for _, u := range units() {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			s, unit = digits, u.size
			break
		}
	}
	n, err := parseSize(s)
	if err != nil || Bytes(n) > 1<<50/unit {
		return fmt.Errorf("want a size such as 1048576 or 256MiB")
	}
	*b = Bytes(n) * unit
	return nil
}

// Prefixes is a list of networks, written with commas; an address alone is a
// network of one.
type Prefixes []netip.Prefix

func (p *Prefixes) String() string {
	text := make([]string, len(*p))
	for i, n := range *p {
		text[i] = n.String()
	}
	return strings.Join(text, ",")
}

// Set reads what String writes; it replaces the list.
func (p *Prefixes) Set(s string) error {
	var out Prefixes
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if addr, err := netip.ParseAddr(part); err == nil {
			addr = addr.Unmap()
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		n, err := netip.ParsePrefix(part)
		if err != nil {
			return fmt.Errorf("want networks such as 10.0.0.0/8,192.0.2.7")
		}
		out = append(out, n.Masked())
	}
	*p = out
	return nil
}

// maxSocketPath is what every system takes as the path of a Unix socket.
const maxSocketPath = 103

// Peer is where another program listens, written unix:/path/to.sock or host:port.
// The zero value is nowhere.
type Peer struct {
	Network string // "unix" or "tcp"
	Addr    string // a path, or host:port
}

func (p *Peer) String() string {
	if p.Network == "unix" {
		return "unix:" + p.Addr
	}
	return p.Addr
}

// Set reads what String writes.
func (p *Peer) Set(s string) error {
	if s == "" {
		*p = Peer{}
		return nil
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !filepath.IsAbs(path) || len(path) > maxSocketPath {
			return fmt.Errorf("want unix: and a whole path of at most %d bytes, such as unix:/run/clamav/clamd.ctl", maxSocketPath)
		}
		*p = Peer{"unix", path}
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n == 0 || host == "" {
		return fmt.Errorf("want host:port or unix:/path, such as 127.0.0.1:3310")
	}
	*p = Peer{"tcp", s}
	return nil
}

var (
	_ flag.Value = (*Bytes)(nil)
	_ flag.Value = (*Prefixes)(nil)
	_ flag.Value = (*Peer)(nil)
)
