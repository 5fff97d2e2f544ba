package ops

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies tells who a request really comes from. Only the networks in Trusted
// are believed; anybody else could write what they like into the headers.
type Proxies struct {
	Trusted []netip.Prefix
}

func (p Proxies) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(n netip.Prefix) bool { return n.Contains(a) })
}

// Addr is the client's address: that of the connection or, through trusted
// proxies, the last one in X-Forwarded-For that is not itself a trusted proxy.
// It is the zero Addr when the connection has none (a pipe in a test).
func (p Proxies) Addr(r *http.Request) netip.Addr {
	addr := connection(r)
	if !p.trusts(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // what stands before it was not written by a trusted proxy
		}
		addr = next.Unmap().WithZone("")
		if !p.trusts(addr) {
			break
		}
	}
	return addr
}

// Secure reports whether the client reached us over TLS.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return p.trusts(connection(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func connection(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
