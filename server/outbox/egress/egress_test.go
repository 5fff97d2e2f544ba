package egress

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAddresses(t *testing.T) {
	open, loop, private := Policy{}, Policy{AllowLoopback: true}, Policy{AllowPrivate: true}
	for _, c := range []struct {
		addr                string
		open, loop, private bool
	}{
		{"8.8.8.8", true, true, true},
		{"2606:4700::1111", true, true, true},
		{"127.0.0.1", false, true, true},
		{"127.8.9.1", false, true, true},
		{"::1", false, true, true},
		{"10.1.2.3", false, false, true},
		{"172.16.0.1", false, false, true},
		{"172.31.255.255", false, false, true},
		{"172.32.0.1", true, true, true},
		{"192.168.1.1", false, false, true},
		{"169.254.169.254", false, false, true}, // metadata
		{"fd00:ec2::254", false, false, true},   // metadata
		{"100.64.0.1", false, false, true},
		{"100.100.100.200", false, false, true}, // metadata
		{"192.0.0.192", false, false, true},     // metadata
		{"198.18.0.1", false, false, true},
		{"198.51.100.7", false, false, true},
		{"203.0.113.7", false, false, true},
		{"192.0.2.7", false, false, true},
		{"240.0.0.1", false, false, true},
		{"255.255.255.255", false, false, true},
		{"0.1.2.3", false, false, true},
		{"fe80::1", false, false, true},
		{"fec0::1", false, false, true},
		{"fc00::1", false, false, true},
		{"2001::1", false, false, true},
		{"2001:db8::1", false, false, true},
		{"2002:7f00:1::", false, false, true},
		{"64:ff9b::7f00:1", false, false, true},
		{"::7f00:1", false, false, true},
		{"0.0.0.0", false, false, false},
		{"::", false, false, false},
		{"224.0.0.1", false, false, false},
		{"ff02::1", false, false, false},
		{"::ffff:127.0.0.1", false, false, false},
		{"::ffff:10.0.0.1", false, false, false},
		{"::ffff:8.8.8.8", false, false, false},
		{"fe80::1%eth0", false, false, false},
	} {
		a := netip.MustParseAddr(c.addr)
		for name, p := range map[string]struct {
			policy Policy
			want   bool
		}{"open": {open, c.open}, "loopback": {loop, c.loop}, "private": {private, c.private}} {
			if got := p.policy.Check(a) == nil; got != p.want {
				t.Errorf("%s with policy %s: allowed is %v", c.addr, name, got)
			}
		}
	}
	if open.Check(netip.Addr{}) == nil {
		t.Error("no address is allowed")
	}
}

func TestURLs(t *testing.T) {
	open, loop := Policy{}, Policy{AllowLoopback: true}
	for _, c := range []struct {
		url        string
		open, loop bool
	}{
		{"https://hooks.example.com/q?x=1", true, true},
		{"http://example.com", true, true},
		{"HTTP://example.com", false, false},
		{"https://example.com:443/", true, true},
		{"https://example.com:8443/", false, false},
		{"https://example.com:0/", false, false},
		{"https://example.com:99999/", false, false},
		{"https://example", false, false},
		{"https://localhost/x", false, true},
		{"http://localhost:9000/x", false, true},
		{"http://127.0.0.1:9000/x", false, true},
		{"http://[::1]:9000/x", false, true},
		{"http://127.1/x", false, false},
		{"http://2130706433/x", false, false},
		{"http://0x7f.1/x", false, false},
		{"http://a.0x7f/x", false, false},
		{"http://10.0.0.1/x", false, false},
		{"http://8.8.8.8/x", false, false},
		{"http://[::ffff:127.0.0.1]/x", false, false},
		{"http://metadata.google.internal/x", false, false},
		{"http://printer.local/x", false, false},
		{"http://a..b/x", false, false},
		{"http://.com/x", false, false},
		{"ftp://example.com/x", false, false},
		{"file:///etc/passwd", false, false},
		{"https:example.com", false, false},
		{"//example.com/x", false, false},
		{"https://user:pass@example.com/x", false, false},
		{"https://example.com/#x", false, false},
		{"https:///x", false, false},
		{"https://exa mple.com/", false, false},
		{"", false, false},
		{"https://example.com/" + strings.Repeat("a", MaxURL-20), true, true},
		{"https://example.com/" + strings.Repeat("a", MaxURL-19), false, false},
	} {
		for name, p := range map[string]struct {
			policy Policy
			want   bool
		}{"open": {open, c.open}, "loopback": {loop, c.loop}} {
			err := p.policy.CheckURL(c.url)
			if (err == nil) != p.want {
				t.Errorf("%.60s with policy %s: %v", c.url, name, err)
			}
			var coded *wire.Error
			if err != nil && (!errors.As(err, &coded) || coded.Field != "url" || coded.Code != wire.BadRequest) {
				t.Errorf("%.60s: error is %v", c.url, err)
			}
		}
	}
	if err := (Policy{AllowPrivate: true}).CheckURL("http://10.0.0.1:1234/x"); err != nil {
		t.Errorf("private: %v", err)
	}
}

// server is a receiver on loopback that counts.
func server(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	var hits atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s, &hits
}

func portOf(s *httptest.Server) string { return s.URL[strings.LastIndexByte(s.URL, ':'):] }

// A name that is public when it is looked at and private when it is used.
func TestRebindingGainsNothing(t *testing.T) {
	s, hits := server(t, func(http.ResponseWriter, *http.Request) {})
	asked := 0
	lookup := func(context.Context, string) ([]netip.Addr, error) {
		asked++
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	for name, c := range map[string]struct {
		policy Policy
		ok     bool
	}{
		"public only":  {Policy{AnyPort: true}, false},
		"loopback too": {Policy{AllowLoopback: true}, true},
	} {
		client := Client(c.policy, lookup)
		hits.Store(0)
		res, err := client.Get("http://rebind.example.com" + portOf(s))
		if res != nil {
			_ = res.Body.Close()
		}
		client.CloseIdleConnections()
		if c.ok != (err == nil) || c.ok != (hits.Load() == 1) {
			t.Errorf("%s: %v, %d requests arrived", name, err, hits.Load())
		}
		if !c.ok && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if asked != 2 {
		t.Errorf("the name was resolved %d times", asked)
	}
}

// One bad address among good ones is passed over, not connected to.
func TestEveryAddressIsChecked(t *testing.T) {
	s, hits := server(t, func(http.ResponseWriter, *http.Request) {})
	mapped := netip.MustParseAddr("::ffff:127.0.0.1")
	client := Client(Policy{AllowLoopback: true}, func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.255.255.1"), netip.MustParseAddr("169.254.169.254"), mapped}, nil
	})
	defer client.CloseIdleConnections()
	res, err := client.Get("http://several.example.com" + portOf(s))
	if err != nil || hits.Load() != 1 {
		t.Fatalf("%v, %d requests arrived", err, hits.Load())
	}
	_ = res.Body.Close()
	for _, host := range []string{"10.255.255.1", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0"} {
		if res, err := client.Get("http://" + host + portOf(s)); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", host, err)
			if res != nil {
				_ = res.Body.Close()
			}
		}
	}
	if _, err := client.Get("http://127.0.0.1:1/"); errors.Is(err, ErrRefused) {
		t.Error("loopback is refused although it is allowed")
	}
}

func TestPortsAreKeptTo(t *testing.T) {
	d := newDialer(Policy{}, nil)
	for port, ok := range map[uint16]bool{80: true, 443: true, 22: false, 8080: false} {
		if got := d.check(netip.AddrPortFrom(netip.MustParseAddr("8.8.8.8"), port)) == nil; got != ok {
			t.Errorf("port %d: allowed is %v", port, got)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	target, hits := server(t, func(http.ResponseWriter, *http.Request) {})
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	})
	client := Client(Policy{AllowLoopback: true}, nil)
	defer client.CloseIdleConnections()
	res, err := client.Post(s.URL, "application/json", strings.NewReader("{}"))
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect || hits.Load() != 0 {
		t.Fatalf("%v, %d requests at the target", err, hits.Load())
	}
	_ = res.Body.Close()
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://a.b/c", "http://[::1]:80/", "http://127.0.0.1", "https://a.b:443/?x#y", "http://①②⑦.0.0.1/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if (Policy{}).CheckURL(text) != nil {
			return
		}
		req, err := http.NewRequest(http.MethodPost, text, nil)
		if err != nil {
			t.Fatalf("%q was taken but makes no request: %v", text, err)
		}
		host := req.URL.Hostname()
		if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || len(text) > MaxURL {
			t.Fatalf("%q was taken", text)
		}
	})
}
