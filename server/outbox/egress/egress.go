// Package egress lets requests out to addresses that strangers chose, without
// letting them in: what a name resolves to is checked at the moment of
// connecting, so that a name that changes its mind gains nothing; redirects are
// not followed; proxies from the environment are not used, because they would
// connect for us without the check.
package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// MaxURL is the longest URL that can be registered, in bytes.
const MaxURL = 512

// MaxResponse is how much of an answer is read, in bytes.
const MaxResponse = 64 << 10

// ErrRefused says that an address is one that webhooks must not reach.
var ErrRefused = errors.New("egress: address is not public")

// Policy is where requests may go. The zero value is the open internet on the
// usual ports.
type Policy struct {
	// AllowPrivate lets requests go to any unicast address and port, and lets
	// hosts be of any form.
	AllowPrivate bool
	// AllowLoopback lets them go to this very machine, on any port.
	AllowLoopback bool
	// AnyPort lifts the restriction to ports 80 and 443.
	AnyPort bool
}

// closed are the networks that are not the open internet although the standard
// library has no word for them.
func closed() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8",       // this network
		"100.64.0.0/10",   // shared by carriers
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"240.0.0.0/4",     // reserved, and broadcast
		"2001::/23",       // protocol assignments, among them Teredo
		"2001:db8::/32",   // documentation
		"2002::/16",       // 6to4: holds an IPv4 address of any kind
		"3fff::/20",       // documentation
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// Check says whether a connection to an address is allowed: nil or ErrRefused.
// An IPv4 address that is dressed up as IPv6 is refused whatever it is: nothing
// that was resolved comes in that form.
func (p Policy) Check(a netip.Addr) error {
	switch {
	case !a.IsValid() || a.Is4In6() || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast():
		return ErrRefused
	case p.AllowPrivate:
		return nil
	case a.IsLoopback():
		if p.AllowLoopback {
			return nil
		}
		return ErrRefused
	case a.IsPrivate() || a.IsLinkLocalUnicast() || !a.IsGlobalUnicast():
		return ErrRefused
	case a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a):
		return ErrRefused // everything else of IPv6 is special or unassigned, NAT64 among it
	}
	for _, n := range closed() {
		if n.Contains(a) {
			return ErrRefused
		}
	}
	return nil
}

func (p Policy) checkPort(a netip.Addr, port uint16) error {
	if p.AllowPrivate || p.AnyPort || port == 80 || port == 443 || p.AllowLoopback && a.IsLoopback() {
		return nil
	}
	return ErrRefused
}

// CheckURL says whether a URL may be registered; errors are *wire.Error with the
// field "url". What its host resolves to is checked when it is used.
func (p Policy) CheckURL(text string) error {
	if len(text) > MaxURL {
		return wire.FieldError("url", "url has at most %d characters", MaxURL)
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https") || !strings.HasPrefix(text, u.Scheme+"://") {
		return wire.FieldError("url", "url begins with http:// or https://")
	}
	if u.User != nil || u.Fragment != "" {
		return wire.FieldError("url", "url has no user and no fragment")
	}
	host := u.Hostname()
	if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return wire.FieldError("url", "url needs a host")
	}
	if err := p.checkHost(host); err != nil {
		return err
	}
	if u.Port() == "" {
		return nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return wire.FieldError("url", "url has no such port")
	}
	a, _ := netip.ParseAddr(host)
	if strings.EqualFold(host, "localhost") {
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if p.checkPort(a, uint16(port)) != nil {
		return wire.FieldError("url", "url uses port 80 or 443")
	}
	return nil
}

func (p Policy) checkHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if p.Check(a) == nil && (p.AllowPrivate || a.IsLoopback()) {
			return nil
		}
		return wire.FieldError("url", "url names its host, with a domain and a subdomain")
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if p.AllowPrivate || p.AllowLoopback && (name == "localhost" || strings.HasSuffix(name, ".localhost")) {
		return nil
	}
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	// A name whose last label is a number would be read as an address by some.
	if len(labels) < 2 || strings.Contains(name, "..") || labels[0] == "" || strings.Trim(last, "0123456789") == "" ||
		strings.HasPrefix(last, "0x") || last == "localhost" || last == "local" || last == "internal" {
		return wire.FieldError("url", "url names a public host, with a domain and a subdomain")
	}
	return nil
}

// Lookup resolves a name.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// dialer connects to what a name resolves to, after the policy has seen it.
type dialer struct {
	policy Policy
	lookup Lookup
	net    net.Dialer
}

func newDialer(p Policy, lookup Lookup) *dialer {
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	d := &dialer{policy: p, lookup: lookup}
	// The last word: whatever happened before, this sees the address that the
	// socket is about to be connected to.
	d.net.Control = func(_, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return ErrRefused
		}
		return d.check(target)
	}
	return d
}

func (d *dialer) check(target netip.AddrPort) error {
	if err := d.policy.Check(target.Addr()); err != nil {
		return err
	}
	return d.policy.checkPort(target.Addr(), target.Port())
}

func (d *dialer) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		found = []netip.Addr{a}
	} else if found, err = d.lookup(ctx, host); err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	} else {
		for i := range found {
			found[i] = found[i].Unmap() // resolvers give IPv4 addresses in either form
		}
	}
	err = ErrRefused // for a name without any address
	for _, a := range found {
		target := netip.AddrPortFrom(a, uint16(port))
		// Control would see an address that was dressed up as IPv6 undressed.
		if err = d.check(target); err != nil {
			continue
		}
		var conn net.Conn
		if conn, err = d.net.DialContext(ctx, "tcp", target.String()); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// idle is how long a connection is kept for the next delivery.
const idle = 30 * time.Second

// Client is an HTTP client that keeps to a policy. lookup nil is the system's
// resolver. Its requests need a deadline of their own.
func Client(p Policy, lookup Lookup) *http.Client {
	d := newDialer(p, lookup)
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            d.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        idle,
			MaxResponseHeaderBytes: MaxResponse,
			DisableCompression:     true, // a small answer must not unfold into a large one
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
