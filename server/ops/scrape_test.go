package ops

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// The numbers are for this machine alone, or for whoever has the token.
func TestMetricsAreGuarded(t *testing.T) {
	const secret = "sixteen-letters!"
	local := []string{"127.0.0.1:5", "127.8.9.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"}
	foreign := []string{"192.0.2.1:5", "10.0.0.1:5", "[2001:db8::1]:5", "[::ffff:10.0.0.1]:5", "", "pipe", "@", "localhost:5"}
	for _, c := range []struct {
		name, token string
		peers       []string
		header      [2]string
		want        int
	}{
		{"here", "", local, [2]string{}, 200},
		{"elsewhere", "", foreign, [2]string{}, 403},
		{"elsewhere that claims to be here", "", foreign, [2]string{"X-Forwarded-For", "127.0.0.1"}, 403},
		{"through a proxy here", "", local, [2]string{"X-Forwarded-For", "127.0.0.1"}, 403},
		{"through one that says less", "", local, [2]string{"X-Forwarded-Proto", ""}, 403},
		{"through an nginx", "", local, [2]string{"X-Real-IP", "192.0.2.1"}, 403},
		{"in the standard's words", "", local, [2]string{"Forwarded", "for=192.0.2.1"}, 403},
		{"in those of HTTP", "", local, [2]string{"Via", "1.1 proxy"}, 403},
		{"a token that nobody set", "", foreign, [2]string{"Authorization", "Bearer "}, 403},
		{"with the token", secret, foreign, [2]string{"Authorization", "Bearer " + secret}, 200},
		{"with the token, in small letters", secret, local, [2]string{"Authorization", "bearer " + secret}, 200},
		{"without the token, though here", secret, local, [2]string{}, 401},
		{"half of it", secret, local, [2]string{"Authorization", "Bearer " + secret[:8]}, 401},
		{"more than it", secret, local, [2]string{"Authorization", "Bearer " + secret + "x"}, 401},
		{"nothing of it", secret, local, [2]string{"Authorization", "Bearer "}, 401},
		{"another scheme", secret, local, [2]string{"Authorization", "Basic " + secret}, 401},
		{"in the address", secret, local, [2]string{"Authorization", secret}, 401},
	} {
		h := NewMetrics().Guarded(c.token, WriteError)
		for _, peer := range c.peers {
			r := httptest.NewRequest("GET", "/metrics?token="+secret, nil)
			r.RemoteAddr = peer
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			if rec.Code != c.want || (rec.Code == 200) != strings.Contains(rec.Body.String(), "go_goroutines") {
				t.Errorf("%s (%s): %d %.80s", c.name, peer, rec.Code, rec.Body)
			}
			if (rec.Code == 401) != (rec.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("%s: %v", c.name, rec.Header())
			}
			if rec.Code == 403 && !strings.Contains(rec.Body.String(), `"code":"forbidden"`) || rec.Code == 403 && !strings.Contains(rec.Body.String(), "metrics-token") {
				t.Errorf("%s does not say how: %s", c.name, rec.Body)
			}
			if rec.Code != 200 && strings.Contains(rec.Body.String(), secret) {
				t.Errorf("%s tells the secret", c.name)
			}
		}
	}
}
