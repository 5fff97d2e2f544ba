package auth

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// CookieName is the session cookie of signed-in browsers.
	CookieName = "ns_session"
	// WriteHeader must be "1" on requests that change something with a cookie:
	// another site's page cannot send it without asking first.
	WriteHeader = "X-Nowserving"
)

// Cookie says whose session cookie a request carries. The bool says whether
// there is one at all; with it, the error says that it is no longer good.
func (a *Authenticator) Cookie(r *http.Request) (Identity, bool, error) {
	_, id, found, err := a.cookie(r)
	return id, found, err
}

// CookieToken is the good session token in a request's cookie, for SignOut.
func (a *Authenticator) CookieToken(r *http.Request) (string, bool) {
	token, _, found, err := a.cookie(r)
	return token, found && err == nil
}

// cookie tries every cookie of the name: a page on a neighbouring host name can
// plant another one in front of ours, which must not sign anybody out.
func (a *Authenticator) cookie(r *http.Request) (token string, id Identity, found bool, err error) {
	for _, c := range r.CookiesNamed(CookieName) {
		found = true
		if id, err = a.check(c.Value, Session); err == nil {
			return c.Value, id, true, nil
		}
	}
	return "", Identity{}, found, err
}

// WriteCookie hands a session token to the browser, out of reach of scripts and
// never sent along from other sites.
func (a *Authenticator) WriteCookie(w http.ResponseWriter, r *http.Request, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: CookieName, Value: token, Path: "/", MaxAge: int(a.opts.SessionMax.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: a.opts.Secure(r),
	})
}

// ClearCookie makes the browser forget its session token.
func (a *Authenticator) ClearCookie(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: CookieName, Path: "/", MaxAge: -1,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: a.opts.Secure(r),
	})
}

// CheckWrite refuses requests that another site's page could have made a
// signed-in browser send. It is for requests that are authenticated by cookie;
// those that only read pass.
func (a *Authenticator) CheckWrite(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if r.Header.Get(WriteHeader) != "1" {
		return wire.Errorf(wire.Forbidden, "needs the header %s: 1", WriteHeader)
	}
	if r.Header.Get("Origin") == "" {
		return nil // old browsers leave it out on their own site; the header above holds
	}
	return a.CheckOrigin(r)
}

// CheckOrigin refuses requests that do not say that they come from a page of
// this server. A socket's handshake with a cookie needs it: browsers always
// send an Origin there, so a missing one is refused too.
func (a *Authenticator) CheckOrigin(r *http.Request) error {
	refused := wire.Errorf(wire.Forbidden, "comes from another site")
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return refused
	}
	u, err := url.Parse(origins[0])
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return refused
	}
	from := hostKey(u.Host, u.Scheme)
	if from == hostKey(r.Host, u.Scheme) {
		return nil
	}
	if slices.ContainsFunc(a.opts.Hosts, func(h string) bool { return hostKey(h, u.Scheme) == from }) {
		return nil
	}
	return refused
}

// hostKey is host:port in one spelling.
func hostKey(host, scheme string) string {
	host = strings.ToLower(host)
	if name, port, err := net.SplitHostPort(host); err == nil {
		return net.JoinHostPort(name, port)
	}
	port := "443"
	if scheme == "http" {
		port = "80"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
