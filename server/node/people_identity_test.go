package node

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nowserving/nowserving/hub/wire"
)

func (w *world) signed(claims jwt.MapClaims, change ...func(*jwt.Token)) string {
	w.t.Helper()
	all := jwt.MapClaims{
		"iss": strings.ToLower(w.demo.DepartmentID), "sub": "", "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Hour).Unix(),
	}
	for k, v := range claims {
		if all[k] = v; v == nil {
			delete(all, k)
		}
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, all)
	for _, f := range change {
		f(t)
	}
	s, err := t.SignedString([]byte(w.demo.ChatAPISecret))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// After an erasure the link is dead everywhere, at once and after a restart.
func TestErasureEndsTheVisit(t *testing.T) {
	o := options(t, t.TempDir())
	w := start(t, o)
	person := w.signed(jwt.MapClaims{"aud": "6f1f64cf-2f4c-4b0e-9a53-0a3c1e6a7b11"})
	id, token := w.write(map[string]any{"text": "Hello", "identity": person})
	h := newEars()
	if err := w.dial(token, h).Subscribe("ticket:"+id, nil); err != nil {
		t.Fatal(err)
	}
	h.next(t)
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), wire.Command{Name: "ticket.erase", Params: json.RawMessage(`{"ticket":"` + id + `"}`)}); err != nil {
		t.Fatal(err)
	}
	if status, out := w.ask("GET", "/hub/v1/visit", nil, bearer(token)...); status != 401 {
		t.Errorf("the visit: %d %v", status, out)
	}
	gone := func() bool { _, err := w.node.auth.Token(token); return err != nil }
	for until := time.Now().Add(10 * time.Second); !gone(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the link still works")
		}
	}
	if status, out := w.ask("POST", w.widget()+"/resume", map[string]any{"identity": person}); status != 404 {
		t.Errorf("resume: %d %v", status, out)
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	late, _, err := w.node.auth.IssueVisit(t.Context(), number, "late", time.Hour) // as if the links had not ended yet
	if err != nil {
		t.Fatal(err)
	}
	if status, out := w.ask("GET", "/hub/v1/visit", nil, bearer(late)...); status != 401 {
		t.Errorf("a link that the erasure has not ended yet: %d %v", status, out)
	}
	if status, out := w.ask("POST", "/hub/v1/tickets/"+id+"/link", nil, bearer(w.demo.StaffToken)...); status != 409 {
		t.Errorf("a new link: %d %v", status, out)
	}
	w.nothingLeft("visit.link:" + id) // of whose it was
	w.nothingLeft("visit.scrub")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w = start(t, o)
	if status, _ := w.ask("GET", "/hub/v1/visit", nil, bearer(token)...); status != 401 {
		t.Errorf("after a restart: %d", status)
	}
}

// nothingLeft waits until there are no documents of a kind.
func (w *world) nothingLeft(kind string) {
	w.t.Helper()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		left := 0
		for range w.node.ledger.Docs(kind) {
			left++
		}
		if left == 0 {
			return
		}
		if time.Now().After(until) {
			w.t.Fatalf("%s is left", kind)
		}
	}
}

func TestVerifiedPerson(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	const who = "6f1f64cf-2f4c-4b0e-9a53-0a3c1e6a7b11"
	good := w.signed(jwt.MapClaims{"aud": who, "field1": "Gold", "plan": "pro"})
	if status, out := w.ask("POST", w.widget()+"/resume", map[string]any{"identity": good}); status != 404 {
		t.Fatalf("nothing to resume: %d %v", status, out)
	}
	body := map[string]any{"text": "first", "identity": good, "fields": map[string]string{"field1": "mine", "field2": "two"}}
	id, _ := w.write(body, keyOf("one")...)
	if again, _ := w.write(body, keyOf("one")...); again != id {
		t.Errorf("the same request made %s and %s", id, again)
	}
	status, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "second", "identity": good}, keyOf("two")...)
	if status != 201 || text(out, "ticket") != id || text(out, "resumed") != "true" {
		t.Fatalf("goes on: %d %v", status, out)
	}
	w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "second", "identity": good}, keyOf("two")...)
	status, out = w.ask("POST", w.widget()+"/resume", map[string]any{"identity": good})
	if status != 200 || text(out, "ticket") != id {
		t.Fatalf("resume: %d %v", status, out)
	}
	_, out = w.ask("GET", "/hub/v1/visit", nil, bearer(text(out, "token"))...)
	var said []string
	for _, x := range out["transactions"].([]any) {
		if x.(map[string]any)["type"] == "Message" {
			said = append(said, x.(map[string]any)["text"].(string))
		}
	}
	if !slices.Equal(said, []string{"first", "second"}) {
		t.Errorf("the thread says %q", said)
	}
	staff := w.dial(w.demo.StaffToken, newEars())
	r, err := staff.Do(t.Context(), wire.Command{Name: "conversation.state", Params: json.RawMessage(`{"ticket":"` + id + `","state":"Closed"}`)})
	if err != nil || !strings.Contains(string(r.Ticket), `"field1":"Gold","field2":"two"`) || !strings.Contains(string(r.Ticket), `"identityTokenClaims":{"plan":"pro"}`) ||
		!strings.Contains(string(r.Ticket), `"uniqueArgument":"`+who+`"`) {
		t.Errorf("%v %s", err, r.Ticket)
	}
	if status, _ := w.ask("POST", w.widget()+"/resume", map[string]any{"identity": good}); status != 404 {
		t.Errorf("a closed one is resumed: %d", status)
	}
	if next, _ := w.write(body, keyOf("three")...); next == id {
		t.Error("a closed conversation was gone on with")
	}
	// Who only says who they are, without proof, gets nothing of that person.
	other, _ := w.write(map[string]any{"text": "it is me", "uniqueIdentifier": who})
	if _, out := w.ask("POST", w.widget()+"/resume", map[string]any{"identity": good}); text(out, "ticket") == other || text(out, "ticket") == id {
		t.Error("what somebody began in another's name is taken for the person's own")
	}
}

func TestIdentityTokensThatAreRefused(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	const who = "6f1f64cf-2f4c-4b0e-9a53-0a3c1e6a7b11"
	good := jwt.MapClaims{"aud": who}
	with := func(name string, v any) string { return w.signed(jwt.MapClaims{"aud": who, name: v}) }
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{
		"iss": strings.ToLower(w.demo.DepartmentID), "aud": who, "sub": "", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(w.signed(good), ".")
	for what, token := range map[string]string{
		"none":               none,
		"no signature":       parts[0] + "." + parts[1] + ".",
		"another algorithm":  w.signed(good, func(t *jwt.Token) { t.Method, t.Header["alg"] = jwt.SigningMethodHS512, "HS512" }),
		"a lying header":     w.signed(good, func(t *jwt.Token) { t.Header["alg"] = "RS256" }),
		"another issuer":     with("iss", strings.ToLower(w.demo.DepartmentID2)),
		"no issuer":          with("iss", nil),
		"run out":            with("exp", time.Now().Add(-time.Hour).Unix()),
		"without an end":     with("exp", nil),
		"of the future":      with("iat", time.Now().Add(time.Hour).Unix()),
		"without a time":     with("iat", nil),
		"no audience":        with("aud", nil),
		"an upper-case name": with("aud", strings.ToUpper(who)),
		"no UUID":            with("aud", "ida"),
		"two audiences":      with("aud", []string{who, who}),
		"a subject":          with("sub", "ida"),
		"no token":           "x.y.z",
		"too long":           with("x", strings.Repeat("x", 9000)),
	} {
		for _, door := range []string{"/tickets", "/resume"} {
			status, out := w.ask("POST", w.widget()+door, map[string]any{"text": "x", "identity": token})
			if status != 401 || fault(out) != "unauthenticated identity" {
				t.Errorf("%s at %s: %d %v", what, door, status, out)
			}
		}
	}
	for what, token := range map[string]string{"long claims": with("x", strings.Repeat("x", 600)), "a field that is no text": with("field1", 7)} {
		if status, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "x", "identity": token}); status != 400 || fault(out) != "bad_request identity" {
			t.Errorf("%s: %d %v", what, status, out)
		}
	}
	if _, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "x", "identity": w.signed(good), "uniqueIdentifier": w.demo.DepartmentID}); fault(out) != "bad_request uniqueIdentifier" {
		t.Errorf("of somebody else: %v", out)
	}
	w.ask("PATCH", "/hub/v1/sites/"+w.demo.WidgetKey, map[string]any{"requireIdentity": true}, bearer(w.demo.StaffToken)...)
	if _, out := w.ask("POST", w.widget()+"/tickets", map[string]any{"text": "x"}); fault(out) != "bad_request identity" {
		t.Errorf("without: %v", out)
	}
}
