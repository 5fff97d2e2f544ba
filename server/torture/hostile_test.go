//go:build unix

package torture

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// resident is the child's memory in bytes; 0 where it cannot be told.
func (c *child) resident() int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.Atoi(strings.Fields(text)[0])
			return n << 10
		}
	}
	return 0
}

// descriptors is how many files and sockets the child has open.
func (c *child) descriptors() int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	return len(all)
}

// victim is a node with somebody who works on it, whatever others do.
type victim struct {
	*child
	demo
	good *socket
}

func newVictim(t *testing.T, o order) *victim {
	o.Listen = freeAddr(t)
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	v := &victim{child: serve(t, o)}
	if !v.alive() {
		t.Fatal(v.said("error"))
	}
	v.demo = readDemo(t, o.Data)
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

// TestHostileFrames sends what no client sends (F21): each is closed with its code,
// and nobody else notices.
func TestHostileFrames(t *testing.T) {
	v := newVictim(t, order{})
	ping := []byte(`{"id":1,"ping":{}}`)
	for name, test := range map[string]struct {
		do   func(s *socket)
		want []int // 0 is a cut
	}{
		"a frame of 1 MB": {func(s *socket) { _ = s.raw(0x81, bytes.Repeat([]byte("x"), 1<<20)) }, []int{1009, 0}},
		"a length of exabytes": {func(s *socket) {
			_, _ = s.conn.Write([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}, []int{1002, 1009, 0}},
		"reserved bits":         {func(s *socket) { _ = s.raw(0x81|0x40, ping) }, []int{1002, 0}},
		"reserved bits 2 and 3": {func(s *socket) { _ = s.raw(0x81|0x30, ping) }, []int{1002, 0}},
		"an unknown opcode":     {func(s *socket) { _ = s.raw(0x83, ping) }, []int{1002, 0}},
		"a binary frame":        {func(s *socket) { _ = s.raw(0x82, ping) }, []int{int(wire.CloseBinary)}},
		"no mask":               {func(s *socket) { _, _ = s.conn.Write(append([]byte{0x81, byte(len(ping))}, ping...)) }, []int{1002, 0}},
		"a large ping":          {func(s *socket) { _ = s.raw(0x89, make([]byte, 126)) }, []int{1002, 0}},
		"a fragmented ping":     {func(s *socket) { _ = s.raw(0x09, nil) }, []int{1002, 0}},
		"a fragment of nothing": {func(s *socket) { _ = s.raw(0x80, ping) }, []int{1002, 0}},
		"bad UTF-8, again and again": {func(s *socket) {
			for range 20 {
				_ = s.raw(0x81, []byte("{\"id\":0,\"ping\":{\"\xff\xfe\":1}}"))
			}
			for range 20 {
				_ = s.raw(0x81, []byte("\xff\xfe"))
			}
		}, []int{int(wire.CloseNotJSON), int(wire.CloseRateLimited), 1007, 0}},
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

// TestPingFlood: pings are answered or the socket is ended; nothing piles up.
func TestPingFlood(t *testing.T) {
	v := newVictim(t, order{})
	before := v.resident()
	s := dial(t, v.URL, v.DisplayToken)
	for range rounds(20_000, 200_000) {
		if s.raw(0x89, []byte("0123456789")) != nil {
			break // it was ended: fine
		}
	}
	v.works(t)
	if grown := v.resident() - before; grown > 32<<20 {
		t.Errorf("a flood of pings took %d MiB", grown>>20)
	}
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
	before := v.resident()
	var all []*socket
	refused := 0
	for range many {
		s, status, err := handshake(v.URL)
		switch {
		case err == nil && status == http.StatusSwitchingProtocols:
			all = append(all, s)
		case err == nil && status == http.StatusTooManyRequests:
			refused++
		default:
			t.Fatalf("status %d, %v", status, err)
		}
	}
	if refused == 0 {
		t.Errorf("all of %d silent sockets were let in", many)
	}
	v.works(t)
	if grown := v.resident() - before; grown > 64<<20 {
		t.Errorf("%d silent sockets took %d MiB", many, grown>>20)
	}
	for _, s := range all {
		if got := s.code(); got != int(wire.CloseConnectLate) && got != 0 {
			t.Fatalf("a silent socket was closed with %d", got)
		}
		s.conn.Close()
	}
	if s := dial(t, v.URL, v.StaffToken); s == nil {
		t.Error("afterwards nobody gets in")
	}
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

// TestGuessedIDs: what is not there and what is somebody else's look the same to a
// visitor, whatever number is tried.
func TestGuessedIDs(t *testing.T) {
	v := newVictim(t, order{})
	visitor := filepath.Base(v.Pages["visitor"])
	s := dial(t, v.URL, visitor)
	want := ""
	seen := 0
	for id := 1; id < 40; id++ {
		r := s.ask(t, fmt.Sprintf(`"subscribe":{"channel":"ticket:%d"}`, id))
		if r.Error == nil {
			seen++
			continue
		}
		got := string(r.Error.Code) + r.Error.Message
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("ticket %d answers %q, another %q", id, got, want)
		}
	}
	if seen != 1 {
		t.Errorf("a visitor sees %d tickets", seen)
	}
	for _, channel := range []string{"board:1", "console:1", "display:1", "board:2"} {
		if r := s.ask(t, `"subscribe":{"channel":"`+channel+`"}`); r.Error == nil {
			t.Errorf("a visitor reads %s", channel)
		}
	}
}

// TestTokensOfOtherAudiences: each token at every door that is not its own.
func TestTokensOfOtherAudiences(t *testing.T) {
	v := newVictim(t, order{})
	visitor := filepath.Base(v.Pages["visitor"])
	get := func(path, header, token string) int {
		req, err := http.NewRequest(http.MethodGet, v.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if header == "Authorization" {
			token = "Bearer " + token
		}
		req.Header.Set(header, token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	for name, token := range map[string]string{"visitor": visitor, "display": v.DisplayToken, "nobody": "", "staff as a key": v.StaffToken} {
		for _, path := range []string{"/hub/v1/backup", "/hub/v1/locations", "/v1/locations", "/v1/tickets/search?location=1"} {
			header := "Authorization"
			if strings.HasPrefix(path, "/v1/") {
				header = "X-Qminder-REST-API-Key"
			} else if name == "staff as a key" {
				continue
			}
			if status := get(path, header, token); status < 400 || status >= 500 {
				t.Errorf("%s at %s: %d", name, path, status)
			}
		}
	}
	if status := get("/hub/v1/backup", "Authorization", v.StaffToken); status != http.StatusOK {
		t.Errorf("an administrator's backup: %d", status)
	}
	if status := get("/hub/v1/backup", "Cookie", "nowserving_session="+v.StaffToken); status < 400 {
		t.Errorf("a backup by cookie: %d", status)
	}
}

// TestCrossSiteSockets: another site's page gets no socket by its visitor's cookie,
// and no page signs anybody in from elsewhere.
func TestCrossSiteSockets(t *testing.T) {
	v := newVictim(t, order{})
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, v.Users[0].Email, v.Users[0].Password)
	post := func(origin string) *http.Response {
		req, err := http.NewRequest(http.MethodPost, v.URL+"/hub/v1/session", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", origin)
		req.Header.Set(auth.WriteHeader, "1")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	if res := post("https://evil.example"); res.StatusCode < 400 {
		t.Errorf("another site signs in: %s", res.Status)
	}
	res := post(v.URL)
	if res.StatusCode != http.StatusOK || len(res.Cookies()) == 0 {
		t.Fatalf("signing in: %s", res.Status)
	}
	cookie := "Cookie: " + res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	connects := func(header ...string) bool {
		s, status, err := handshake(v.URL, header...)
		if err != nil || status != http.StatusSwitchingProtocols {
			return false
		}
		defer s.conn.Close()
		return s.ask(t, `"connect":{}`).Error == nil
	}
	if !connects(cookie, "Origin: "+v.URL) {
		t.Error("the page's own socket is refused: nothing was tested")
	}
	for _, origin := range []string{"https://evil.example", "null", v.URL + ".evil.example", "http://evil.example/" + v.URL} {
		if connects(cookie, "Origin: "+origin) {
			t.Errorf("a page of %s gets a socket by the cookie", origin)
		}
	}
	if connects(cookie) {
		t.Error("a cookie without an Origin gets a socket")
	}
}

// TestLoginGuessing: after some wrong passwords even the right one has to wait.
func TestLoginGuessing(t *testing.T) {
	v := newVictim(t, order{})
	try := func(password string) int {
		req, err := http.NewRequest(http.MethodPost, v.URL+"/hub/v1/session", strings.NewReader(
			fmt.Sprintf(`{"email":%q,"password":%q}`, v.Users[0].Email, password)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", v.URL)
		req.Header.Set(auth.WriteHeader, "1")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for n := range 60 {
		if status := try(fmt.Sprint("guess", n)); status == http.StatusTooManyRequests {
			if got := try(v.Users[0].Password); got != http.StatusTooManyRequests {
				t.Errorf("while guessing is held up, the right password is answered %d: it can still be found", got)
			}
			return
		}
	}
	t.Error("60 wrong passwords were all looked at")
}

// TestPathTricks: no path leads to a file of the server.
func TestPathTricks(t *testing.T) {
	v := newVictim(t, order{})
	for _, path := range []string{
		"/../../../../etc/passwd", "/assets/../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/etc/passwd",
		"/assets/....//....//etc/passwd", "/assets/..\\..\\secret.key", "//etc/passwd", "/assets/\x00", "/secret.key", "/demo.json", "/store/MANIFEST",
		"/hub/v1/../../demo.json", "/t/../demo.json", "/assets/", "/assets", "/board/..%2f..%2fdemo.json", "/hub/v1/clips/..%2f..%2fsecret.key",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(v.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(socketLimit))
		_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		answer, _ := io.ReadAll(conn)
		conn.Close()
		for _, leak := range []string{"root:", v.StaffToken, v.QueueAPIKey, "Index of", `href="./`} {
			if bytes.Contains(answer, []byte(leak)) {
				t.Errorf("%q answers %.200q", path, answer)
			}
		}
		if bytes.HasPrefix(answer, []byte("HTTP/1.1 5")) {
			t.Errorf("%q answers %.60q", path, answer)
		}
	}
	v.works(t)

}
