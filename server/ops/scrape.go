package ops

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// Guarded is /metrics for those who may read it: whoever sends token as a bearer
// token or, where there is none, who asks on this machine itself. How busy a house
// is, and with what, is nobody else's business.
func (m *Metrics) Guarded(token string, fail Fail) http.Handler {
	numbers := m.Handler()
	want := sha256.Sum256([]byte(token)) // of one length, so that a comparison tells nothing of it
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := ownMachine(r)
		if token != "" {
			err = bears(r, want)
		}
		if err != nil {
			if err.Code == wire.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
			}
			fail(w, r, err)
			return
		}
		numbers.ServeHTTP(w, r)
	})
}

// bears refuses a request without the token that has this digest.
func bears(r *http.Request, want [sha256.Size]byte) *wire.Error {
	scheme, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got := sha256.Sum256([]byte(sent))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return wire.Errorf(wire.Unauthenticated, "/metrics wants the token that the setting metrics-token has, as Authorization: Bearer")
	}
	return nil
}

// ownMachine refuses a request that another machine sent. What counts is the peer
// of the connection: a header could say anything, and one that a proxy has set
// tells that somebody else asks, even when the proxy is on this machine.
func ownMachine(r *http.Request) *wire.Error {
	if !connection(r).IsLoopback() || forwarded(r.Header) {
		return wire.Errorf(wire.Forbidden, "/metrics answers only on the server's own machine; the setting metrics-token allows others with a token")
	}
	return nil
}

// forwarded tells whether a proxy has passed a request on.
func forwarded(h http.Header) bool {
	for name := range h { // their form is canonical
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}
