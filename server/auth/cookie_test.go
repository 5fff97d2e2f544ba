package auth

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

func request(method string, headers map[string]string) *http.Request {
	r := httptest.NewRequest(method, "http://queue.example.com/hub/v1/x", nil)
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	return r
}

func TestCookie(t *testing.T) {
	w := newWorld(t)
	token, id := w.anna()
	if _, there, err := w.Cookie(request("GET", nil)); there || err != nil {
		t.Errorf("without a cookie: %v, %v", there, err)
	}
	got, there, err := w.Cookie(request("GET", map[string]string{"Cookie": "a=b; ns_session=" + token}))
	if !there || err != nil || got.Grant != id.Grant {
		t.Errorf("with it: %+v, %v, %v", got, there, err)
	}
	planted := request("GET", map[string]string{"Cookie": "ns_session=planted; ns_session=" + token})
	if got, _, err := w.Cookie(planted); err != nil || got.Grant != id.Grant {
		t.Errorf("behind a planted one: %+v, %v", got, err)
	}
	if tok, ok := w.CookieToken(planted); !ok || tok != token {
		t.Errorf("token behind a planted one: %v", ok)
	}
	staff, _ := w.issue(Spec{Type: StaffToken, User: 1})
	_, there, err = w.Cookie(request("GET", map[string]string{"Cookie": "ns_session=" + staff}))
	if !there || !errors.Is(err, ErrUnknown) {
		t.Errorf("a program's token in the cookie: %v, %v", there, err)
	}
}

func TestCookieAttributes(t *testing.T) {
	w := newWorld(t)
	plain, secure := request("POST", nil), request("POST", nil)
	secure.TLS = &tls.ConnectionState{}
	for name, c := range map[string]struct {
		r    *http.Request
		want string
	}{
		"plain":  {plain, "ns_session=tok; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"},
		"secure": {secure, "ns_session=tok; Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Strict"},
	} {
		rec := httptest.NewRecorder()
		w.WriteCookie(rec, c.r, "tok")
		if got := rec.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
	rec := httptest.NewRecorder()
	w.ClearCookie(rec, plain)
	if got := rec.Header().Get("Set-Cookie"); got != "ns_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" {
		t.Errorf("clear: %s", got)
	}
}

func TestCheckWrite(t *testing.T) {
	w := newWorld(t)
	w.opts.Hosts = []string{"public.example.com"}
	const own, header = "http://queue.example.com", "1"
	for _, c := range []struct {
		method, header, origin string
		ok                     bool
	}{
		{"GET", "", "https://evil.example", true},
		{"HEAD", "", "", true},
		{"POST", header, own, true},
		{"POST", header, "", true},
		{"POST", header, "http://QUEUE.example.com:80", true},
		{"POST", header, "https://public.example.com", true},
		{"POST", "", own, false},
		{"POST", "0", own, false},
		{"POST", "", "", false},
		{"DELETE", "", own, false},
		{"PATCH", "", own, false},
		{"POST", header, "https://evil.example", false},
		{"POST", header, "http://queue.example.com:8080", false},
		{"POST", header, "http://queue.example.com.evil.example", false},
		{"POST", header, "http://queue.example.com@evil.example", false},
		{"POST", header, "null", false},
		{"POST", header, "file://queue.example.com", false},
		{"POST", header, "://", false},
	} {
		headers := map[string]string{}
		if c.header != "" {
			headers[WriteHeader] = c.header
		}
		if c.origin != "" {
			headers["Origin"] = c.origin
		}
		err := w.CheckWrite(request(c.method, headers))
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && wire.CodeOf(err) != wire.Forbidden {
			t.Errorf("%+v: %v, want forbidden", c, err)
		}
	}
	if err := w.CheckOrigin(request("GET", nil)); err == nil {
		t.Error("a handshake without Origin passed")
	}
	if err := w.CheckOrigin(request("GET", map[string]string{"Origin": own})); err != nil {
		t.Error(err)
	}
	two := request("GET", map[string]string{"Origin": own})
	two.Header.Add("Origin", "https://evil.example")
	if w.CheckOrigin(two) == nil {
		t.Error("two Origins passed")
	}
}
