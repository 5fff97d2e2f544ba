//go:build unix

package torture

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/node"
	"github.com/nowserving/nowserving/server/testkit"
)

// victim is a node with somebody who works on it, whatever others do.
type victim struct {
	*child
	node.Demo
	good *socket
}

func newVictim(t *testing.T, o order) *victim {
	o.Listen = testkit.FreeAddr(t)
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	v := &victim{child: serve(t, o)}
	if !v.alive() {
		t.Fatal(v.said("error"))
	}
	v.Demo = readDemo(t, o.Data)
	v.good = dial(t, v.URL, v.StaffToken)
	return v
}

// works checks that the good client still works.
func (v *victim) works(t *testing.T) {
	t.Helper()
	_ = v.good.conn.SetDeadline(time.Now().Add(socketLimit))
	if r := v.good.ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`); r.Error != nil {
		t.Errorf("a good client beside it: %v", r.Error)
	}
}

// TestHostileFrames sends too much of something (F21): each is closed with its code,
// and nobody else notices. TestProtocolCases has what is against the protocol.
func TestHostileFrames(t *testing.T) {
	v := newVictim(t, order{})
	for name, test := range map[string]struct {
		do   func(s *socket)
		want []int // 0 is a cut
	}{
		"a frame of 1 MB": {func(s *socket) { _ = s.raw(0x81, bytes.Repeat([]byte("x"), 1<<20)) }, []int{1009, 0}},
		"a length of exabytes": {func(s *socket) {
			_, _ = s.conn.Write([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}, []int{1002, 1009, int(wire.CloseConnectLate), 0}},
		"deep nesting": {func(s *socket) {
			for range 20 {
				_ = s.raw(0x81, bytes.Repeat([]byte("["), 60_000))
			}
		}, []int{int(wire.CloseNotJSON), 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, v.URL)
			test.do(s)
			got := s.code()
			ok := false
			for _, want := range test.want {
				ok = ok || got == want
			}
			if !ok {
				t.Errorf("closed with %d, want one of %v", got, test.want)
			}
			v.works(t)
		})
	}
}

// TestPingFlood: pings are answered or the socket is ended; nothing piles up for
// who does not read the answers, however many there are.
func TestPingFlood(t *testing.T) {
	t.Run("answers that nobody reads", func(t *testing.T) {
		v := newVictim(t, order{Rate: 1e9}) // so that only what piles up can end it
		before := v.settled(t)
		s := dial(t, v.URL, v.DisplayToken)
		// The answers to each piece would take nearly 10 MiB, if they were kept.
		many := bytes.Repeat(masked(0x89, make([]byte, 125)), 65_536)
		for range rounds(4, 20) {
			_ = s.conn.SetDeadline(time.Now().Add(socketLimit))
			_, err := s.conn.Write(many)
			if grown := v.settled(t) - before; grown > 2<<20 {
				t.Fatalf("%d KiB are held for somebody who does not read", grown>>10)
			}
			if err != nil {
				break // it was ended: fine
			}
		}
		v.works(t)
	})
	t.Run("more than are allowed", func(t *testing.T) {
		v := newVictim(t, order{Rate: 100})
		s := dial(t, v.URL, v.DisplayToken)
		ended := make(chan int, 1)
		go func() { ended <- s.code() }()
		for range 100 {
			if _, err := s.conn.Write(bytes.Repeat(masked(0x89, nil), 1000)); err != nil {
				break
			}
		}
		got := <-ended
		if got != int(wire.CloseRateLimited) {
			t.Errorf("closed with %d", got)
		}
		v.works(t)
	})
	proved(t, "%d pings that nobody reads the answers of, and some too many that ended in a close", 65_536*rounds(4, 20))
}

// TestSlowLoris: headers, bodies and frames that come a byte at a time hold nobody
// up, and end.
func TestSlowLoris(t *testing.T) {
	v := newVictim(t, order{})
	host := strings.TrimPrefix(v.URL, "http://")
	var wg sync.WaitGroup
	began := time.Now()
	for n := range 100 {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		start := "GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: "
		if n%2 == 1 {
			start = "POST /hub/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
		}
		if _, err := io.WriteString(conn, start); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { // until it is cut
			defer conn.Close()
			tick := time.NewTicker(500 * time.Millisecond)
			defer tick.Stop()
			for time.Since(began) < 2*time.Minute {
				<-tick.C
				if _, err := io.WriteString(conn, "a"); err != nil {
					return
				}
			}
			t.Error("a slow request was never ended")
		})
	}
	v.works(t)
	if long {
		wg.Wait()
		v.works(t)
		proved(t, "100 slow requests were ended by the node")
	} else {
		v.kill() // which ends them; that they end by themselves is for the long run
		wg.Wait()
	}
}

// TestSlowFrame: half a frame before connecting counts as none: the socket is ended
// when its time is over.
func TestSlowFrame(t *testing.T) {
	v := newVictim(t, order{})
	s := open(t, v.URL)
	if _, err := s.conn.Write([]byte{0x81, 0x80 | 50, 0, 0, 0, 0, '{'}); err != nil {
		t.Fatal(err)
	}
	if got := s.code(); got != int(wire.CloseConnectLate) && got != 0 {
		t.Errorf("closed with %d", got)
	}
	v.works(t)
}

// TestTenThousandSilentSockets: sockets that never say who they are. They are few at
// a time, they end, and they cost little.
func TestTenThousandSilentSockets(t *testing.T) {
	many := rounds(1000, 10_000)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	many = min(many, int(limit.Cur)-1000)
	v := newVictim(t, order{Sockets: 200})
	before := v.live(t)
	all, refused := silent(t, v.URL, many)
	if refused == 0 {
		t.Errorf("all of %d silent sockets were let in", many)
	}
	v.works(t)
	if grown := v.live(t) - before; grown > 16<<20 {
		t.Errorf("%d silent sockets took %d MiB", many, grown>>20)
	}
	for _, s := range all {
		if got := s.code(); got != int(wire.CloseConnectLate) && got != 0 {
			t.Fatalf("a silent socket was closed with %d", got)
		}
		s.conn.Close()
	}
	proved(t, "%d silent sockets: %d were let in and ended, %d refused", many, len(all), refused)
	if s := dial(t, v.URL, v.StaffToken); s == nil {
		t.Error("afterwards nobody gets in")
	}
}

// silent opens so many sockets beside each other, and says how many of them were
// refused: some of them after they have waited to be let in.
func silent(t *testing.T, url string, many int) (all []*socket, refused int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	gate := make(chan struct{}, 1000)
	for range many {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			s, status, err := handshake(url)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && status == http.StatusSwitchingProtocols:
				all = append(all, s)
			case err == nil && status == http.StatusTooManyRequests:
				refused++
			default:
				t.Errorf("status %d, %v", status, err)
			}
		})
	}
	wg.Wait()
	return all, refused
}

// TestOversizedRequests: what is too large is refused before it is read.
func TestOversizedRequests(t *testing.T) {
	v := newVictim(t, order{})
	for name, ask := range map[string]string{
		"body":   "POST /hub/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n",
		"header": "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"path":   "GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"chunks": "POST /hub/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n", 40),
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(v.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(socketLimit))
		go func() { _, _ = io.WriteString(conn, ask) }() // ends with the connection
		head := make([]byte, 12)
		n, err := io.ReadFull(conn, head)
		if status := string(head[:n]); err == nil && !strings.HasPrefix(status, "HTTP/1.1 4") {
			t.Errorf("%s: %q", name, status)
		}
		conn.Close()
	}
	v.works(t)
}
