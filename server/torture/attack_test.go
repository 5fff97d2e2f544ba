//go:build unix

package torture

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/auth"
)

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
