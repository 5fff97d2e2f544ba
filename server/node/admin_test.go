package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/server/hubapi"
)

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
	if channels := after["channels"].([]any); len(channels) != 16 || channels[0] != "SMS" {
		t.Errorf("%v", channels)
	}
	w.refused(400, "bad_request senders[0].from", "PUT", at+"/department", obj{"senders": []obj{{"protocol": "SMS", "from": "12"}}})
	w.refused(400, "bad_request idle.SMS", "PUT", at+"/department", obj{"idle": obj{"SMS": "-1m"}})
	w.refused(400, "bad_request texts", "PUT", at+"/department", obj{"texts": 5})
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
