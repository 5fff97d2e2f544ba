package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

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
