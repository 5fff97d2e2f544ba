package ops

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestProxies(t *testing.T) {
	p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, c := range []struct {
		remote string
		xff    []string
		proto  string
		addr   string
		secure bool
	}{
		{"192.0.2.1:5", nil, "", "192.0.2.1", false},
		{"192.0.2.1:5", []string{"198.51.100.9"}, "https", "192.0.2.1", false}, // a stranger lies
		{"10.0.0.1:5", []string{"198.51.100.9"}, "https", "198.51.100.9", true},
		{"10.0.0.1:5", []string{"1.2.3.4, 198.51.100.9"}, "HTTPS", "198.51.100.9", true}, // the client lies to the proxy
		{"10.0.0.1:5", []string{"1.2.3.4", "198.51.100.9, 10.0.0.2"}, "http", "198.51.100.9", false},
		{"10.0.0.1:5", []string{"junk"}, "", "10.0.0.1", false},
		{"10.0.0.1:5", []string{"198.51.100.9, junk, 10.0.0.2"}, "", "10.0.0.2", false},
		{"10.0.0.1:5", nil, "", "10.0.0.1", false},
		{"[::ffff:10.0.0.1]:5", []string{"2001:db8::1"}, "", "2001:db8::1", false},
		{"[fd00::1]:5", []string{"::ffff:198.51.100.9"}, "https", "198.51.100.9", true},
		{"pipe", []string{"198.51.100.9"}, "https", "invalid IP", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.xff
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if got := p.Addr(r).String(); got != c.addr {
			t.Errorf("%+v: %s", c, got)
		}
		if got := p.Secure(r); got != c.secure {
			t.Errorf("%+v: secure %v", c, got)
		}
	}
}
