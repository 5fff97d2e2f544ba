package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// notSettings are the doors that change something and no settings: people sign in,
// come and go, write and rate, and staff answer them.
func notSettings() []string {
	return []string{
		"POST /hub/v1/session", "DELETE /hub/v1/session", "PUT /hub/v1/password", "POST /hub/v1/texts/:ticket/:seq", "POST /hub/v1/pairings",
		"POST /hub/v1/widget/:key/tickets", "POST /hub/v1/widget/:key/resume", "POST /hub/v1/visit/files", "POST /hub/v1/visit/survey",
		"POST /hub/v1/join/:location/tickets", "POST /hub/v1/kiosk/tickets", "POST /hub/v1/tickets/:id/link", "POST /hub/v1/tickets/:id/files",
	}
}

// auditor goes through doors that change settings, and looks each time what the
// audit log tells of it.
type auditor struct {
	*world
	gone map[string]bool
}

// Every door that changes settings leaves a trace of who did it, and a new one
// cannot be forgotten: the doors are read where they are registered.
func TestEveryChangeIsAudited(t *testing.T) {
	a := &auditor{administrator(t), map[string]bool{}}
	for _, changes := range []func(){a.place, a.fields, a.screens, a.chat, a.media, a.sites, a.people, a.hooks} {
		changes()
	}
	doors := registeredDoors(t, "../hubapi")
	if len(doors) < 80 {
		t.Errorf("only %d doors were found", len(doors))
	}
	for _, door := range doors {
		if !a.gone[door] && !slices.Contains(notSettings(), door) && !strings.HasPrefix(door, "GET ") {
			t.Errorf("%s: go through it here, and see that the audit log tells of it", door)
		}
	}
	for door := range a.gone {
		if !slices.Contains(doors, door) {
			t.Errorf("%s is not registered like this", door)
		}
	}
}

// through goes through a door, "METHOD pattern"; the pattern's parameters are
// filled in order. The audit log must then tell of on.
func (a *auditor) through(on, door string, body any, params ...any) obj {
	a.t.Helper()
	before := a.newest()
	method, path := a.path(door, params)
	out := a.must(method, path, body)
	a.told(before, door, on)
	return out
}

func (a *auditor) path(door string, params []any) (method, path string) {
	a.gone[door] = true
	method, pattern, _ := strings.Cut(door, " ")
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i], params = fmt.Sprint(params[0]), params[1:]
		}
	}
	return method, strings.Join(parts, "/")
}

// newest marks where the log ends; the same act again counts up its last entry.
func (a *auditor) newest() [2]float64 {
	a.t.Helper()
	entries := list(a.must("GET", "/hub/v1/audit?limit=1", nil), "entries")
	if len(entries) == 0 {
		return [2]float64{}
	}
	return place(entries[0])
}

func place(e obj) [2]float64 {
	times, _ := e["times"].(float64)
	return [2]float64{e["seq"].(float64), times}
}

func (a *auditor) told(before [2]float64, door, on string) {
	a.t.Helper()
	who := fmt.Sprintf("user:%d", a.demo.Users[0].ID)
	for _, e := range list(a.must("GET", "/hub/v1/audit", nil), "entries") {
		at := place(e)
		fresh := at[0] > before[0] || at[0] == before[0] && at[1] > before[1]
		if fresh && e["who"] == who && e["result"] == "ok" && strings.Contains(fmt.Sprint(e["on"]), on) {
			return
		}
	}
	a.t.Errorf("%s: the audit log tells nothing of %q", door, on)
}

const inPlace = " /hub/v1/locations/:location/"

func (a *auditor) place() {
	line := a.through("line:", "POST"+inPlace+"lines", obj{"name": "Fines"}, 1)["id"]
	a.through(fmt.Sprintf("line:%v", line), "PATCH"+inPlace+"lines/:line", obj{"name": "Dues"}, 1, line)
	var order []any
	for _, l := range list(a.must("GET", "/hub/v1/locations/1/lines", nil), "lines") {
		order = append(order, l["id"])
	}
	slices.Reverse(order)
	a.through("line:", "PUT"+inPlace+"lines", obj{"order": order}, 1)
	a.through(fmt.Sprintf("line:%v", line), "DELETE"+inPlace+"lines/:line", nil, 1, line)
	desk := a.through("desk:", "POST"+inPlace+"desks", obj{"name": "Window"}, 1)["id"]
	a.through(fmt.Sprintf("desk:%v", desk), "PATCH"+inPlace+"desks/:desk", obj{"name": "Gate"}, 1, desk)
	a.through(fmt.Sprintf("desk:%v", desk), "DELETE"+inPlace+"desks/:desk", nil, 1, desk)
	settings := a.must("GET", "/hub/v1/locations/1/settings", nil)
	settings["name"] = "Town Hall"
	a.through("location:1", "PUT"+inPlace+"settings", settings, 1)
	hours := a.must("GET", "/hub/v1/locations/1/hours", nil)
	hours["exceptions"] = []obj{{"date": "2026-12-24", "reason": "Eve", "closed": true}}
	hours["always"] = false
	a.through("location:1", "PUT"+inPlace+"hours", hours, 1)
	for on, state := range map[bool]string{true: "on", false: "off"} {
		a.through("emergency of location 1 "+state, "PUT"+inPlace+"emergency", obj{"on": on, "cards": []obj{{"language": "en", "text": "Please leave"}}}, 1)
	}
	a.through("location:", "POST /hub/v1/locations", obj{"name": "New", "timezone": "UTC", "lines": []string{"A"}, "desks": 1})
}

func (a *auditor) fields() {
	const at = inPlace + "input-fields"
	id := a.through("location:1", "POST"+at, obj{"type": "TEXT", "title": "Case"}, 1)["id"]
	var order []any
	var field obj
	for _, f := range list(a.must("GET", "/hub/v1/locations/1/input-fields", nil), "fields") {
		order = append(order, f["id"])
		if f["id"] == id {
			field = f
		}
	}
	field["title"] = "Case number"
	a.through("location:1", "PUT"+at+"/:field", field, 1, id)
	slices.Reverse(order)
	a.through("location:1", "PUT"+at, obj{"order": order}, 1)
	a.through("location:1", "DELETE"+at+"/:field", nil, 1, id)
}

func (a *auditor) screens() {
	made := a.must("POST", "/hub/v1/pairings", obj{"name": "Door"})
	screen := a.through("display:", "POST /hub/v1/pairings/:code/claim", obj{"location": 2, "name": "Door"}, made["code"])["display"]
	a.through(fmt.Sprintf("display:%v", screen), "PATCH /hub/v1/displays/:display", obj{"name": "Hall"}, screen)
	a.through(fmt.Sprintf("display:%v", screen), "DELETE /hub/v1/displays/:display", nil, screen)
	board := a.must("GET", "/hub/v1/locations/1/board", nil)
	board["settings"].(obj)["voice"] = board["settings"].(obj)["voice"] != true
	a.through("location:1", "PUT"+inPlace+"board", board, 1)
}

func (a *auditor) chat() {
	department := a.must("GET", "/hub/v1/locations/1/department", nil)
	delete(department, "channels")
	a.through("department of location 1", "PUT"+inPlace+"department", department, 1)
	const at = inPlace + "canned-replies"
	replies := list(a.through("canned reply", "POST"+at, obj{"title": "Hours", "text": "At nine.", "isPublished": true}, 1), "replies")
	id := strconv.FormatFloat(replies[len(replies)-1]["id"].(float64), 'f', 0, 64)
	a.through("canned reply "+id+" of location 1", "PUT"+at+"/:reply", obj{"title": "Hours", "text": "At ten.", "isPublished": true}, 1, id)
	a.through("canned reply "+id+" of location 1 remove", "DELETE"+at+"/:reply", nil, 1, id)
}

func (a *auditor) media() {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		a.t.Fatal(err)
	}
	const door = "POST" + inPlace + "media"
	before := a.newest()
	_, path := a.path(door, []any{1})
	status, answer := a.post(path, &picture, "X-Nowserving", "1")
	var made struct{ ID string }
	if err := json.Unmarshal(answer, &made); err != nil || status != 201 {
		a.t.Fatalf("%d %s", status, answer)
	}
	a.told(before, door, "medium "+made.ID+" add")
	a.through("medium "+made.ID+" remove", "DELETE"+inPlace+"media/:id", nil, 1, made.ID)
}

func (a *auditor) sites() {
	site := a.through("site ns_wid_", "POST"+inPlace+"sites", obj{"name": "Shop"}, 1)["site"].(obj)["key"].(string)
	a.through("site "+site, "PATCH /hub/v1/sites/:key", obj{"name": "Store"}, site)
	a.through("site "+site+" remove", "DELETE /hub/v1/sites/:key", nil, site)
	a.through("visitors of location 1", "PUT"+inPlace+"visitors", a.must("GET", "/hub/v1/locations/1/visitors", nil), 1)
}

func (a *auditor) people() {
	who := obj{"email": "eve@example.com", "firstName": "Eve", "lastName": "Stone", "work": []obj{{"location": 1, "type": "CLERK"}}}
	a.through("user:", "POST /hub/v1/users", who)
	var id string
	for _, u := range list(a.must("GET", "/hub/v1/users", nil), "users") {
		if u["email"] == who["email"] {
			id = fmt.Sprint(u["id"])
		}
	}
	who["firstName"] = "Eva"
	const door = " /hub/v1/users/:user"
	a.through("user:"+id, "PUT"+door, who, id)
	a.through("user:"+id, "POST"+door+"/invite", nil, id)
	a.through("user:"+id, "DELETE"+door, nil, id)
	a.through("user:"+id, "POST"+door+"/activate", nil, id)
	key := a.through("key:", "POST /hub/v1/keys", obj{"api": "queue", "name": "Reports"})["key"].(obj)["id"]
	a.through(fmt.Sprint(key), "DELETE /hub/v1/keys/:key", nil, key)
}

func (a *auditor) hooks() {
	var asked atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusGone) // what is given up can be delivered again
		}
	}))
	a.t.Cleanup(receiver.Close)
	id := a.through("webhook ", "POST /hub/v1/webhooks", obj{"api": "queue", "name": "CRM", "url": receiver.URL})["id"].(string)
	a.must("PATCH", "/hub/v1/locations/1/lines/1", obj{"name": "Heard"})
	var first any
	for until := time.Now().Add(10 * time.Second); first == nil; time.Sleep(time.Millisecond) {
		for _, d := range list(a.must("GET", "/hub/v1/webhooks/"+id+"/deliveries", nil), "deliveries") {
			if d["state"] == "dropped" {
				first = d["id"]
			}
		}
		if time.Now().After(until) {
			a.t.Fatal("nothing was given up")
		}
	}
	const door = "/hub/v1/webhooks/:hook"
	for _, what := range []string{"disable", "enable", "retry"} {
		a.through("webhook "+id+" "+what, "POST "+door+"/"+what, nil, id)
	}
	a.through("webhook "+id+" redeliver", "POST "+door+"/deliveries/:delivery", nil, id, first)
	a.through("webhook "+id+" remove", "DELETE "+door, nil, id)
}

// registeredDoors are a package's doors, "METHOD pattern", as its code registers
// them: r.POST(at+"/lines", …), with at a constant of the function.
func registeredDoors(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var doors []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]string{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				clear(known)
			case *ast.ValueSpec:
				if len(n.Names) == 1 && len(n.Values) == 1 {
					known[n.Names[0].Name], _ = constant(n.Values[0], known)
				}
			case *ast.CallExpr:
				if method, ok := registers(n); ok {
					path, ok := constant(n.Args[0], known)
					if !ok {
						t.Errorf("a door's address cannot be read: %v", n.Args[0])
					}
					doors = append(doors, method+" "+path)
				}
			}
			return true
		})
	}
	return doors
}

func registers(call *ast.CallExpr) (method string, ok bool) {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) != 2 {
		return "", false
	}
	x, ok := s.X.(*ast.Ident)
	return s.Sel.Name, ok && x.Name == "r" && slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, s.Sel.Name)
}

// constant is what a text of the code comes to.
func constant(e ast.Expr, known map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.Ident:
		text, ok := known[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		x, ok := constant(e.X, known)
		y, ok2 := constant(e.Y, known)
		return x + y, ok && ok2 && e.Op == token.ADD
	}
	return "", false
}
