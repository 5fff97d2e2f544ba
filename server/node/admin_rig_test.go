package node

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// administrator is a world whose browser is signed in as one.
func administrator(t *testing.T) *world {
	t.Helper()
	w := start(t, options(t, t.TempDir()))
	w.signIn(w.demo.Users[0].Email, w.demo.Users[0].Password)
	return w
}

func (w *world) signIn(email, password string) {
	w.t.Helper()
	if status, out := w.ask("POST", "/hub/v1/session", map[string]string{"email": email, "password": password}); status != 200 {
		w.t.Fatalf("sign in: %d %v", status, out)
	}
}

// other is the same server in another browser.
func (w *world) other() *world {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	o := *w
	transport := &http.Transport{}
	o.http = &http.Client{Jar: jar, Transport: transport}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &o
}

// must asks for something that works, and gives the answer.
func (w *world) must(method, path string, body any) map[string]any {
	w.t.Helper()
	status, out := w.ask(method, path, body)
	if status != 200 && status != 201 {
		w.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// refused asks for something that does not, and checks how it is refused.
func (w *world) refused(want int, fault_ string, method, path string, body any) {
	w.t.Helper()
	if status, out := w.ask(method, path, body); status != want || fault(out) != fault_ {
		w.t.Errorf("%s %s %v: %d %q, want %d %q", method, path, body, status, fault(out), want, fault_)
	}
}

func list(out map[string]any, name string) []map[string]any {
	var items []map[string]any
	for _, x := range out[name].([]any) {
		items = append(items, x.(map[string]any))
	}
	return items
}

type obj = map[string]any

// adminDoors are all of the administration's, as somebody might try them.
func adminDoors() [][2]string {
	var all [][2]string
	for path, methods := range map[string]string{
		"/hub/v1/locations/1/lines": "GET POST PUT", "/hub/v1/locations/1/lines/1": "PATCH DELETE",
		"/hub/v1/locations/1/desks": "GET POST", "/hub/v1/locations/1/desks/1": "PATCH DELETE",
		"/hub/v1/locations/1/settings": "GET PUT", "/hub/v1/locations/1/hours": "GET PUT", "/hub/v1/locations/1/emergency": "GET PUT",
		"/hub/v1/locations/1/input-fields": "GET POST PUT", "/hub/v1/locations/1/input-fields/x": "PUT DELETE",
		"/hub/v1/locations/1/department": "GET PUT", "/hub/v1/locations/1/canned-replies": "GET POST",
		"/hub/v1/locations/1/canned-replies/1": "PUT DELETE", "/hub/v1/locations/1/media": "GET POST",
		"/hub/v1/locations/1/media/" + strings.Repeat("a", 32): "DELETE",
		"/hub/v1/users": "GET POST", "/hub/v1/users/1": "PUT DELETE", "/hub/v1/users/1/invite": "POST", "/hub/v1/users/1/activate": "POST",
		"/hub/v1/keys": "GET POST", "/hub/v1/keys/key:00": "DELETE", "/hub/v1/webhooks": "GET POST", "/hub/v1/webhooks/x": "DELETE",
		"/hub/v1/webhooks/x/enable": "POST", "/hub/v1/webhooks/x/disable": "POST", "/hub/v1/webhooks/x/retry": "POST",
		"/hub/v1/webhooks/x/deliveries": "GET", "/hub/v1/webhooks/x/deliveries/y": "POST", "/hub/v1/audit": "GET",
	} {
		for _, m := range strings.Fields(methods) {
			all = append(all, [2]string{m, path})
		}
	}
	return all
}
