package chatapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
)

// listening is a daemon that hands every connection to serve, until the test ends.
func listening(t *testing.T, network, addr string, serve func(net.Conn)) Clamd {
	t.Helper()
	at, _ := testkit.Serve(t, network, addr, serve)
	return Clamd{Network: network, Addr: at}
}

func TestClamdOnASocketFile(t *testing.T) {
	dir, err := os.MkdirTemp("", "ns") // a test's own folder may have too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	got := make(chan string, 1)
	s := listening(t, "unix", filepath.Join(dir, "s"), func(c net.Conn) { got <- clamdPeer(c, "stream: OK") })
	if clean, err := s.Scan(t.Context(), strings.NewReader("hello")); !clean || err != nil || <-got != "5" {
		t.Error(clean, err)
	}
}

// Whatever keeps a daemon from a verdict is no verdict: never "clean".
func TestClamdWithoutAVerdict(t *testing.T) {
	refused := listening(t, "tcp", "127.0.0.1:0", func(c net.Conn) { clamdPeer(c, "INSTREAM size limit exceeded. ERROR") })
	silent := listening(t, "tcp", "127.0.0.1:0", func(c net.Conn) { clamdPeer(c, "") })
	gone := listening(t, "tcp", "127.0.0.1:0", func(c net.Conn) { _ = c.Close() })
	for name, s := range map[string]Clamd{"refused": refused, "silent": silent, "gone": gone, "nowhere": {"unix", filepath.Join(t.TempDir(), "none"), 0}} {
		if clean, err := s.Scan(t.Context(), strings.NewReader("hello")); clean || !errors.Is(err, ErrUnscanned) {
			t.Errorf("%s: %v %v", name, clean, err)
		}
	}
	// It would call half a file clean.
	polite := listening(t, "tcp", "127.0.0.1:0", func(c net.Conn) { clamdPeer(c, "stream: OK") })
	half := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("bad disk")))
	if clean, err := polite.Scan(t.Context(), half); clean || !errors.Is(err, ErrUnscanned) {
		t.Errorf("half a file: %v %v", clean, err)
	}
}

// A daemon that hangs ends with the request that waits for it.
func TestClamdThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := listening(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		defer func() { _ = c.Close() }()
		cancel()
		_, _ = io.Copy(io.Discard, c) // until the other side has closed
	})
	if clean, err := s.Scan(ctx, strings.NewReader("hello")); clean || !errors.Is(err, ErrUnscanned) {
		t.Error(clean, err)
	}
}

// Without a verdict nothing is taken, at neither door, and nothing is left.
func TestUnscannedUploadsAreRefused(t *testing.T) {
	scan := &scanning{err: fmt.Errorf("%w: dial 10.0.0.9", ErrUnscanned)}
	r := newRig(t, func(d *Deps) { d.Scanner = scan })
	body, kind := form(t, "letter.txt", []byte("hello"))
	a := r.want(503, req{method: "POST", path: "files/upload", body: body, header: map[string]string{"Content-Type": kind}})
	if a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), "scanned") || strings.Contains(string(a.body), "10.0.0.9") {
		t.Errorf("%v %s", a.header, a.body)
	}
	id := int64(r.open("x"))
	if f, err := r.api.PutTicketFile(t.Context(), department, id, "letter.txt", strings.NewReader("hello")); wire.CodeOf(err) != wire.Unavailable || f.ID != "" {
		t.Errorf("%+v %v", f, err)
	}
	left, err := filepath.Glob(filepath.Join(r.api.Dir, "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left on disk: %v %v", left, err)
	}
	scan.clean, scan.err = true, nil
	if f, err := r.api.PutTicketFile(t.Context(), department, id, "letter.txt", strings.NewReader("hello")); err != nil || f.State != FilePassed {
		t.Errorf("%+v %v", f, err)
	}
}
