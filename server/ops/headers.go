package ops

import (
	"net/http"
	"strings"
)

// SecureHeaders sets, before a handler runs, the headers that keep pages from
// doing what ours never do: run inline code, load from elsewhere, be framed. A
// handler that must differ calls AllowFrames or Embeddable.
func SecureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'none'"))
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}

// policy is the Content-Security-Policy of every page; only who may frame it
// differs.
func policy(frameAncestors string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
		"connect-src 'self'; media-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'self'; " +
		"frame-ancestors " + frameAncestors
}

// AllowFrames lets a page be framed by the given origins ("https://shop.example").
// What is not an origin is left out: it must not change the rest of the policy.
func AllowFrames(h http.Header, origins ...string) {
	allowed := make([]string, 0, len(origins))
	for _, o := range origins {
		if isOrigin(o) {
			allowed = append(allowed, o)
		}
	}
	if len(allowed) == 0 {
		return
	}
	h.Set("Content-Security-Policy", policy(strings.Join(allowed, " ")))
	h.Del("X-Frame-Options") // it cannot name origins
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// AllowAllFrames lets a page be framed by whoever wants to.
func AllowAllFrames(h http.Header) {
	h.Set("Content-Security-Policy", policy("*"))
	h.Del("X-Frame-Options")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// Embeddable lets other sites load an answer, for the widget's loader script.
func Embeddable(h http.Header) { h.Set("Cross-Origin-Resource-Policy", "cross-origin") }

func isOrigin(o string) bool {
	host, ok := strings.CutPrefix(o, "https://")
	if !ok {
		host, ok = strings.CutPrefix(o, "http://")
	}
	host = strings.TrimSuffix(host, ":*") // any port of a host
	return ok && host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == "" &&
		!strings.ContainsAny(host, " ;,'\"*/")
}
