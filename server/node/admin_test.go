package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/server/hubapi"
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

func TestAdministrationIsForAdministrators(t *testing.T) {
	w := administrator(t)
	made := w.must("POST", "/hub/v1/users", obj{"email": "clerk@example.com", "work": []obj{{"location": 1, "type": "MANAGER"}}})
	token := made["link"].(string)[strings.Index(made["link"].(string), "#invite=")+len("#invite="):]
	clerk, stranger := w.other(), w.other()
	clerk.must("POST", "/hub/v1/session", obj{"invite": token})
	for _, door := range adminDoors() {
		stranger.refused(401, "unauthenticated", door[0], door[1], nil)
		clerk.refused(403, "forbidden", door[0], door[1], nil)
		// A key with all rights is no person: it must not make more keys.
		if status, out := stranger.ask(door[0], door[1], nil, "Authorization", "Bearer "+w.demo.QueueAPIKey); status != 403 {
			t.Errorf("a key at %v: %d %v", door, status, out)
		}
		// Another site's page cannot send the header.
		if door[0] != "GET" {
			if status, out := w.ask(door[0], door[1], nil, "X-Nowserving", ""); status != 403 {
				t.Errorf("without the header at %v: %d %v", door, status, out)
			}
		}
	}
	w.refused(404, "not_found", "GET", "/hub/v1/locations/99/lines", nil)
	w.refused(404, "not_found", "GET", "/hub/v1/locations/x/lines", nil)
}

func TestLinesAreAdministered(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/locations/1/lines"
	id := int(w.must("POST", at, obj{"name": " Permits ", "color": "#123456"})["id"].(float64))
	w.refused(409, "conflict name", "POST", at, obj{"name": "Permits"})
	w.refused(400, "bad_request name", "POST", at, obj{"name": ""})
	w.refused(400, "bad_request name", "POST", at, obj{"name": 5})
	lines := list(w.must("GET", at, nil), "lines")
	last := lines[len(lines)-1]
	if last["name"] != "Permits" || last["series"] != "D" || last["color"] != "#123456" {
		t.Errorf("%v", last)
	}
	one := at + "/" + strconv.Itoa(id)
	w.must("PATCH", one, obj{"name": "Visas", "series": "V", "translations": obj{"es": "Visados"}, "version": last["version"]})
	w.refused(409, "conflict version", "PATCH", one, obj{"name": "Late", "version": last["version"]})
	w.refused(400, "bad_request color", "PATCH", one, obj{"color": "red"})
	w.refused(400, "bad_request series", "PATCH", one, obj{"series": "A B"})
	// Demo visitors wait in the first line.
	w.refused(409, "conflict", "PATCH", at+"/1", obj{"disabled": true})
	w.refused(409, "conflict", "DELETE", at+"/1", nil)
	w.must("PATCH", one, obj{"disabled": true, "archived": true})
	order := []any{float64(id), 3.0, 1.0, 2.0}
	w.refused(400, "bad_request order", "PUT", at, obj{"order": []int{1, 2}})
	var got []any
	for _, l := range list(w.must("PUT", at, obj{"order": order}), "lines") {
		got = append(got, l["id"])
	}
	if fmt.Sprint(got) != fmt.Sprint(order) {
		t.Errorf("%v", got)
	}
	w.must("DELETE", one, nil)
	w.refused(404, "not_found line", "PATCH", one, obj{"name": "Gone"})
}

func TestDesksHoursAndSettings(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/locations/1"
	desk := int(w.must("POST", at+"/desks", obj{"name": "Window"})["id"].(float64))
	w.refused(409, "conflict name", "POST", at+"/desks", obj{"name": "Window"})
	w.must("PATCH", at+"/desks/"+strconv.Itoa(desk), obj{"name": "Door"})
	w.must("DELETE", at+"/desks/"+strconv.Itoa(desk), nil)
	w.refused(404, "not_found desk", "DELETE", at+"/desks/"+strconv.Itoa(desk), nil)

	h := w.must("GET", at+"/hours", nil)
	if h["always"] != true || h["timezone"] != "Europe/Tallinn" {
		t.Errorf("%v", h)
	}
	day := obj{"spans": []obj{{"opens": 540, "closes": 1020}}}
	week := []obj{day, day, day, day, day, {"closed": true}, {"closed": true}}
	set := obj{"week": week, "exceptions": []obj{{"date": "2026-12-24", "reason": "Eve", "closed": true}}, "version": h["version"]}
	w.must("PUT", at+"/hours", set)
	w.refused(409, "conflict version", "PUT", at+"/hours", set)
	w.refused(400, "bad_request week", "PUT", at+"/hours", obj{"week": []obj{{"spans": []obj{{"opens": 5, "closes": 5}}}}})
	w.refused(400, "bad_request exceptions", "PUT", at+"/hours", obj{"week": week, "exceptions": []obj{{"date": "tomorrow"}}})

	s := w.must("GET", at+"/settings", nil)
	s["retention"], s["name"], s["timezone"] = 30, "Town Hall", "Europe/Helsinki"
	after := w.must("PUT", at+"/settings", s)
	if after["retention"] != 30.0 || after["name"] != "Town Hall" || after["version"] == s["version"] {
		t.Errorf("%v", after)
	}
	w.refused(409, "conflict version", "PUT", at+"/settings", s)
	for field, value := range map[string]any{"timezone": "Moon", "retention": -1, "dayStart": 2000, "name": "", "languages": []string{"english please"}} {
		bad := obj{}
		for k, v := range after {
			bad[k] = v
		}
		bad[field] = value
		if field == "languages" {
			w.refused(400, "bad_request languageCode", "PUT", at+"/settings", bad)
			continue
		}
		w.refused(400, "bad_request "+field, "PUT", at+"/settings", bad)
	}
}

func TestEmergencyStaysThroughASave(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/locations/1"
	board := w.must("GET", at+"/board", nil)
	w.refused(400, "bad_request cards", "PUT", at+"/emergency", obj{"on": true})
	w.must("PUT", at+"/emergency", obj{"on": true, "tone": true, "cards": []obj{{"language": "en", "text": "Please leave"}}})
	// Somebody who has had the form open since before saves it.
	w.must("PUT", at+"/board", board)
	settings := w.must("GET", at+"/board", nil)["settings"].(obj)
	if len(settings["emergency"].([]any)) != 1 || settings["tone"] != true {
		t.Errorf("%v", settings)
	}
	w.refused(409, "conflict version", "PUT", at+"/board", obj{"settings": obj{"layout": "focus"}, "version": "stale"})
	out := w.must("PUT", at+"/emergency", obj{"on": false, "cards": []obj{{"language": "en", "text": "Please leave"}}})
	if out["on"] != false || len(out["cards"].([]any)) != 1 {
		t.Errorf("%v", out)
	}
	if settings := w.must("GET", at+"/board", nil)["settings"].(obj); settings["emergency"] != nil {
		t.Errorf("%v", settings)
	}
}

func TestUsersComeAndGo(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/users"
	person := obj{"email": "eve@example.com", "firstName": "Eve", "lastName": "Evans", "work": []obj{{"location": 1, "type": "CLERK"}}}
	made := w.must("POST", at, person)
	w.refused(409, "conflict email", "POST", at, person)
	w.refused(400, "bad_request email", "POST", at, obj{"email": "nobody", "admin": true})
	w.refused(400, "bad_request work", "POST", at, obj{"email": "x@example.com"})
	w.refused(400, "bad_request work", "POST", at, obj{"email": "x@example.com", "work": []obj{{"location": 1, "type": "KING"}}})
	one := fmt.Sprintf("%s/%.0f", at, made["id"])
	invite := func(link any) string { return link.(string)[strings.Index(link.(string), "ns_inv_"):] }
	again := w.must("POST", one+"/invite", nil)
	eve := w.other()
	eve.refused(401, "unauthenticated", "POST", "/hub/v1/session", obj{"invite": invite(made["link"])}) // replaced
	eve.must("POST", "/hub/v1/session", obj{"invite": invite(again["link"])})
	eve.refused(401, "unauthenticated", "POST", "/hub/v1/session", obj{"invite": invite(again["link"])}) // spent
	eve.must("PUT", "/hub/v1/password", obj{"password": "a long password"})

	find := func() obj {
		for _, u := range list(w.must("GET", at, nil), "users") {
			if u["email"] == "eve@example.com" {
				return u
			}
		}
		t.Fatal("Eve is gone")
		return nil
	}
	was := find()
	if was["password"] != true || was["active"] != true || was["admin"] != false {
		t.Errorf("%v", was)
	}
	w.must("PUT", one, obj{"email": "eve@example.com", "firstName": "Eva", "admin": true, "work": []obj{}, "version": was["version"]})
	w.refused(409, "conflict version", "PUT", one, obj{"email": "eve@example.com", "admin": true, "version": was["version"]})
	eve.must("GET", at, nil) // an administrator now, in the same session
	me := fmt.Sprintf("%s/%d", at, w.demo.Users[0].ID)
	w.refused(409, "conflict", "DELETE", me, nil)
	w.must("DELETE", one, nil)
	eve.refused(401, "unauthenticated", "GET", "/hub/v1/session", nil)
	eve.refused(401, "unauthenticated", "POST", "/hub/v1/session", obj{"email": "eve@example.com", "password": "a long password"})
	if gone := find(); gone["active"] != false || gone["password"] != false {
		t.Errorf("%v", gone)
	}
	w.refused(409, "conflict", "POST", one+"/invite", nil)
	back := w.must("POST", one+"/activate", nil)
	eve.must("POST", "/hub/v1/session", obj{"invite": invite(back["link"])})
	w.refused(404, "not_found", "PUT", at+"/999", person)
}

func TestKeysAreShownOnce(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/keys"
	made := w.must("POST", at, obj{"api": "queue", "name": "Reports", "locations": []int{1}})
	secret := made["secret"].(string)
	use := func(path string) int {
		req, _ := http.NewRequest("GET", w.node.URL()+path, nil)
		req.Header.Set("X-Qminder-REST-API-Key", secret)
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if status := use("/v1/locations/1"); status != 200 {
		t.Errorf("the new key: %d", status)
	}
	if status := use("/v1/locations/2"); status == 200 {
		t.Errorf("the new key elsewhere: %d", status)
	}
	text, _ := json.Marshal(w.must("GET", at, nil))
	if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(w.demo.QueueAPIKey)) || bytes.Contains(text, []byte("ns_")) {
		t.Errorf("a secret is told again: %s", text)
	}
	id := made["key"].(obj)["id"].(string)
	var used any
	for _, k := range list(w.must("GET", at, nil), "keys") {
		if k["id"] == id {
			used = k["used"]
		}
	}
	if used == nil || used == "" {
		t.Error("its use was not noted")
	}
	w.must("DELETE", at+"/"+id, nil)
	if status := use("/v1/locations/1"); status != 401 {
		t.Errorf("the revoked key: %d", status)
	}
	w.refused(404, "not_found", "DELETE", at+"/"+id, nil)
	// Sessions and screens are none of this door's business.
	w.refused(404, "not_found", "DELETE", at+fmt.Sprintf("/user:%d", w.demo.Users[0].ID), nil)
	w.refused(404, "not_found", "DELETE", at+fmt.Sprintf("/display:%d", w.demo.TVs[0]), nil)
	chat := w.must("POST", at, obj{"api": "chat", "name": "CRM", "location": 2})
	if chat["key"].(obj)["department"] != w.demo.DepartmentID2 || !strings.HasPrefix(chat["secret"].(string), "ns_sec_") {
		t.Errorf("%v", chat["key"])
	}
	w.refused(400, "bad_request api", "POST", at, obj{"api": "other", "name": "x"})
	w.refused(400, "bad_request name", "POST", at, obj{"api": "queue", "name": " "})
	w.refused(400, "bad_request locations", "POST", at, obj{"api": "queue", "name": "x", "locations": []int{9}})
	w.refused(400, "bad_request location", "POST", at, obj{"api": "chat", "name": "x"})
}

func TestWebhooksAndTheirDeliveries(t *testing.T) {
	w := administrator(t)
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	defer receiver.Close()
	const at = "/hub/v1/webhooks"
	made := w.must("POST", at, obj{"api": "queue", "name": "CRM", "url": receiver.URL + "/hook?token=hidden"})
	if made["secret"] == "" {
		t.Error("no secret")
	}
	one := at + "/" + made["id"].(string)
	w.must("PATCH", "/hub/v1/locations/1/lines/1", obj{"name": "Renamed"})
	if body := <-got; !strings.Contains(body, "line_changed") {
		t.Error(body)
	}
	var states []string
	for len(states) == 0 || states[0] != "delivered" { // the answer arrives before it is noted
		states = nil
		for _, d := range list(w.must("GET", one+"/deliveries", nil), "deliveries") {
			states = append(states, d["state"].(string))
		}
	}
	text, _ := json.Marshal(w.must("GET", at, nil))
	if bytes.Contains(text, []byte("hidden")) || bytes.Contains(text, []byte(made["secret"].(string))) {
		t.Errorf("%s", text)
	}
	w.must("POST", one+"/retry", nil)
	hooks := list(w.must("POST", one+"/disable", nil), "webhooks")
	if hook := hooks[len(hooks)-1]; hook["disabled"] != "by hand" {
		t.Errorf("%v", hook)
	}
	w.must("PATCH", "/hub/v1/locations/1/lines/1", obj{"name": "Unheard"})
	w.must("POST", one+"/enable", nil)
	w.must("PATCH", "/hub/v1/locations/1/lines/1", obj{"name": "Heard"})
	<-got
	if n := len(list(w.must("GET", one+"/deliveries", nil), "deliveries")); n != 2 {
		t.Errorf("%d deliveries, though one change fell into the pause", n)
	}
	w.refused(400, "bad_request name", "POST", at, obj{"api": "queue", "url": receiver.URL})
	w.refused(400, "bad_request url", "POST", at, obj{"api": "queue", "name": "x", "url": "ftp://x"})
	w.refused(400, "bad_request api", "POST", at, obj{"name": "x"})
	w.refused(400, "bad_request location", "POST", at, obj{"api": "chat", "name": "x", "url": receiver.URL})
	chat := w.must("POST", at, obj{"api": "chat", "name": "Desk", "url": receiver.URL, "location": 1, "events": []string{"NEW_MESSAGE"}})
	w.must("DELETE", at+"/"+chat["id"].(string), nil)
	w.must("DELETE", one, nil)
	w.refused(404, "not_found", "GET", one+"/deliveries", nil)
}

func TestDepartmentsAndReplies(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/locations/1"
	d := w.must("GET", at+"/department", nil)
	d["tags"] = append(d["tags"].([]any), obj{"name": "New", "color": "#112233"})
	d["idle"] = obj{"": "30m"}
	after := w.must("PUT", at+"/department", d)
	if len(after["tags"].([]any)) != 4 || after["version"] == d["version"] {
		t.Errorf("%v", after)
	}
	w.refused(409, "conflict version", "PUT", at+"/department", d)
	r := list(w.must("POST", at+"/canned-replies", obj{"title": "Hours", "text": "We open at nine.", "isPublished": true}), "replies")
	one := fmt.Sprintf("%s/canned-replies/%.0f", at, r[len(r)-1]["id"])
	w.must("PUT", one, obj{"title": "Hours", "text": "We open at ten.", "isPublished": true})
	w.must("DELETE", one, nil)
}

func TestMediaMayBeLarge(t *testing.T) {
	w := administrator(t)
	const at = "/hub/v1/locations/1/media"
	send := func(body io.Reader, size int64) (int, obj) {
		req, err := http.NewRequest("POST", w.node.URL()+at, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Nowserving", "1")
		req.ContentLength = size
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		out := obj{}
		_ = json.NewDecoder(resp.Body).Decode(&out)
		return resp.StatusCode, out
	}
	// What a WebM begins with; three times what a form may have.
	video := append([]byte{0x1A, 0x45, 0xDF, 0xA3}, make([]byte, 3<<20)...)
	status, out := send(bytes.NewReader(video), int64(len(video)))
	if status != 201 || out["type"] != "video/webm" {
		t.Fatalf("%d %v", status, out)
	}
	if status, out := send(strings.NewReader("<svg onload=alert(1)>"), -1); status != 400 || fault(out) != "bad_request body" {
		t.Errorf("%d %v", status, out)
	}
	if status, out := send(io.LimitReader(endless{}, hubapi.MaxMedium+1), hubapi.MaxMedium+1); status != 413 {
		t.Errorf("%d %v", status, out)
	}
	var logo bytes.Buffer
	_ = png.Encode(&logo, image.NewGray(image.Rect(0, 0, 2, 2)))
	_, image_ := send(&logo, -1)
	board := w.must("GET", "/hub/v1/locations/1/board", nil)
	board["settings"].(obj)["media"] = []obj{{"id": out["id"], "type": out["type"]}}
	board["settings"].(obj)["logo"] = image_["id"]
	w.must("PUT", "/hub/v1/locations/1/board", board)
	for _, m := range list(w.must("GET", at, nil), "media") {
		if m["used"] != true {
			t.Errorf("%v", m)
		}
		w.refused(409, "conflict", "DELETE", at+"/"+m["id"].(string), nil)
	}
	board = w.must("GET", "/hub/v1/locations/1/board", nil)
	board["settings"].(obj)["media"], board["settings"].(obj)["logo"] = []obj{}, ""
	w.must("PUT", "/hub/v1/locations/1/board", board)
	if left := list(w.must("DELETE", at+"/"+out["id"].(string), nil), "media"); len(left) != 1 {
		t.Errorf("%v", left)
	}
	w.refused(404, "not_found", "DELETE", at+"/"+out["id"].(string), nil)
}

// endless looks like a video and never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	clear(b)
	copy(b, []byte{0x1A, 0x45, 0xDF, 0xA3})
	return len(b), nil
}

func TestTheAuditLogTellsAndKeeps(t *testing.T) {
	data := t.TempDir()
	w := start(t, options(t, data))
	me := w.demo.Users[0]
	w.refused(401, "unauthenticated", "POST", "/hub/v1/session", obj{"email": "intruder@example.com", "password": "guess guess"})
	w.signIn(me.Email, me.Password)
	w.must("PATCH", "/hub/v1/locations/1/lines/1", obj{"name": "Noted"})
	key := w.must("POST", "/hub/v1/keys", obj{"api": "queue", "name": "Noted"})
	find := func(w *world, action, on string) obj {
		for _, e := range list(w.must("GET", "/hub/v1/audit?limit=200", nil), "entries") {
			if e["action"] == action && strings.Contains(fmt.Sprint(e["on"]), on) {
				return e
			}
		}
		return nil
	}
	who := fmt.Sprintf("user:%d", me.ID)
	if e := find(w, "change", "line:1"); e == nil || e["who"] != who {
		t.Errorf("%v", e)
	}
	if e := find(w, "issue", key["key"].(obj)["id"].(string)); e == nil || e["who"] != who {
		t.Errorf("%v", e)
	}
	text, _ := json.Marshal(w.must("GET", "/hub/v1/audit", nil))
	if !bytes.Contains(text, []byte(`"email:`)) || bytes.Contains(text, []byte("intruder")) || bytes.Contains(text, []byte("ns_")) ||
		bytes.Contains(text, []byte(me.Email)) {
		t.Errorf("%s", text)
	}
	w.refused(400, "bad_request limit", "GET", "/hub/v1/audit?limit=1000", nil)
	w.refused(400, "bad_request before", "GET", "/hub/v1/audit?before=x", nil)
	// A visitor's erasure, through the queue's own door.
	status, _ := w.ask("DELETE", "/hub/v1/session", nil)
	if status != 200 {
		t.Fatal(status)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, options(t, data))
	again.signIn(me.Email, me.Password)
	if e := find(again, "change", "line:1"); e == nil {
		t.Error("forgotten by a restart")
	}
	if e := find(again, "signout", ""); e == nil {
		t.Error("the last thing was not written")
	}
}
