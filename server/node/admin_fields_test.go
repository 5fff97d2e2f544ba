package node

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const inputFields = "/hub/v1/locations/1/input-fields"

// fieldNamed is an input field of the location by its title, or by its type.
func (w *world) fieldNamed(name string) obj {
	w.t.Helper()
	all := list(w.must("GET", inputFields, nil), "fields")
	i := slices.IndexFunc(all, func(f map[string]any) bool { return f["title"] == name || f["type"] == name })
	if i < 0 {
		w.t.Fatalf("no input field %s in %v", name, all)
	}
	return all[i]
}

func TestInputFieldsAreAdministered(t *testing.T) {
	w := administrator(t)
	id := w.must("POST", inputFields, obj{
		"type": "SELECT", "title": " Topic ", "visitorTitle": "What is it about?", "lines": []int{1}, "inRemoteSignIn": true, "showInRemoteSignIn": true,
		"translations": []obj{{"language": "es", "title": "Tema"}, {"language": "de", "title": " "}},
		"options":      []obj{{"title": "Renewal", "color": "#112233", "translations": []obj{{"language": "es", "title": "Renovar"}}}, {"title": "Other"}},
	})["id"].(string)
	f := w.fieldNamed("Topic")
	options := f["options"].([]any)
	if f["id"] != id || len(f["translations"].([]any)) != 1 || len(options) != 2 || len(options[0].(obj)["id"].(string)) != 36 {
		t.Errorf("%v", f)
	}
	// It is what visitors are asked from now on, and the queue API's own.
	asked := fmt.Sprint(w.must("GET", "/hub/v1/join/1", nil)["fields"])
	if !strings.Contains(asked, "What is it about?") || !strings.Contains(asked, "Renovar") {
		t.Errorf("%s", asked)
	}
	one := inputFields + "/" + id
	if status, out := w.ask("PATCH", "/input-fields/"+id, obj{"title": "Matter"}, "X-Qminder-REST-API-Key", w.demo.QueueAPIKey, "X-Qminder-API-Version", "2020-09-01"); status != 200 {
		t.Fatalf("%d %v", status, out)
	}
	w.refused(409, "conflict version", "PUT", one, f)
	f = w.fieldNamed("Matter")
	f["options"], f["inRemoteSignIn"], f["multiSelect"] = []any{options[1], obj{"title": "New"}}, false, true
	w.must("PUT", one, f)
	f = w.fieldNamed("Matter")
	if o := f["options"].([]any); len(o) != 2 || o[0].(obj)["id"] != options[1].(obj)["id"] || f["inRemoteSignIn"] != nil || f["multiSelect"] != true {
		t.Errorf("%v", f)
	}
	w.refused(400, "bad_request type", "PUT", one, obj{"type": "TEXT", "title": "Matter"})
	var order []string
	for _, f := range list(w.must("GET", inputFields, nil), "fields") {
		order = append(order, f["id"].(string))
	}
	slices.Reverse(order)
	if first := list(w.must("PUT", inputFields, obj{"order": order}), "fields")[0]; first["id"] != id {
		t.Errorf("%v", first)
	}
	w.refused(400, "bad_request order", "PUT", inputFields, obj{"order": order[1:]})
	w.must("DELETE", one, nil)
	w.refused(404, "not_found", "DELETE", one, nil)
	w.refused(404, "not_found", "PUT", one, f)
	name := w.fieldNamed("FIRST_NAME")
	w.refused(409, "conflict", "DELETE", inputFields+"/"+name["id"].(string), nil)
	if e := fmt.Sprint(list(w.must("GET", "/hub/v1/audit", nil), "entries")[0]); !strings.Contains(e, "location:1") || !strings.Contains(e, "change") {
		t.Errorf("not in the audit log: %s", e)
	}
}

func TestBadInputFieldsNameTheMember(t *testing.T) {
	w := administrator(t)
	long := strings.Repeat("x", 51)
	with := func(kind string, more obj) obj {
		f := obj{"type": kind, "title": "T"}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	option := func(more ...obj) obj { return obj{"options": more} }
	for _, c := range []struct {
		field string
		body  obj
	}{
		{"type", with("COLOUR", nil)}, {"type", obj{}},
		{"title", obj{"type": "TEXT"}}, {"title", with("TEXT", obj{"title": long})}, {"title", with("DATE", obj{"title": "a\nb"})},
		{"visitorTitle", with("TEXT", obj{"visitorTitle": strings.Repeat(long, 4)})},
		{"translations[0].language", with("TEXT", obj{"translations": []obj{{"language": "e s", "title": "x"}}})},
		{"translations[1].language", with("TEXT", obj{"translations": []obj{{"language": "es", "title": "x"}, {"language": "es", "title": "y"}}})},
		{"translations[0].title", with("TEXT", obj{"translations": []obj{{"language": "es", "title": long}}})},
		{"showInRemoteSignIn", with("URL", obj{"showInRemoteSignIn": true})},
		{"options", with("SELECT", nil)}, {"options[1].title", with("SELECT", option(obj{"title": "a"}, obj{"title": " "}))},
		{"options[1].title", with("SELECT", option(obj{"title": "a"}, obj{"title": "a "}))}, {"options[0].title", with("SELECT", option(obj{"title": long}))},
		{"options[0].id", with("SELECT", option(obj{"title": "a", "id": "7"}))},
		{"options[0].translations[0].title", with("SELECT", option(obj{"title": "a", "translations": []obj{{"language": "es", "title": long}}}))},
		{"range.max", with("NUMERIC", obj{"range": obj{"min": 5, "max": 4}})}, {"range.scale", with("NUMERIC", obj{"range": obj{"scale": 11}})},
		{"range.min", with("NUMERIC", obj{"range": obj{"min": "five"}})},
		{"files.most", with("ATTACHMENT", obj{"files": obj{"mode": "ALL"}})}, {"files.groups", with("ATTACHMENT", obj{"files": obj{"most": 1, "mode": "ONLY"}})},
		{"files.groups", with("ATTACHMENT", obj{"files": obj{"most": 1, "mode": "ONLY", "groups": []string{"MUSIC"}}})},
		{"lines", with("TEXT", obj{"lines": []int{99}})}, {"lines", with("TEXT", obj{"lines": []int{1, 1}})},
	} {
		w.refused(400, "bad_request "+c.field, "POST", inputFields, c.body)
	}
	w.refused(409, "conflict type", "POST", inputFields, obj{"type": "PHONE_NUMBER"})
	// What belongs to another type is not kept, and not complained of.
	w.must("POST", inputFields, with("DATE", obj{"options": []obj{{}}, "range": obj{"scale": 99}, "multiSelect": true, "inAppointments": true, "files": obj{}}))
	if f := w.fieldNamed("DATE"); len(f) != 4 { // id, type, title, version
		t.Errorf("%v", f)
	}
}

// A field for one line alone stays for that line when the line is gone: it must
// not be asked everywhere because somebody changed its title.
func TestAFieldOfALineThatIsGone(t *testing.T) {
	w := administrator(t)
	line := w.must("POST", "/hub/v1/locations/1/lines", obj{"name": "Brief"})["id"]
	id := w.must("POST", inputFields, obj{"type": "TEXT", "title": "Only there", "lines": []any{line}})["id"].(string)
	w.must("DELETE", fmt.Sprintf("/hub/v1/locations/1/lines/%v", line), nil)
	f := w.fieldNamed("Only there")
	f["title"] = "Still only there"
	w.must("PUT", inputFields+"/"+id, f)
	if got := fmt.Sprint(w.fieldNamed("Still only there")["lines"]); got != fmt.Sprint([]any{line}) {
		t.Errorf("%s", got)
	}
	w.refused(400, "bad_request lines", "POST", inputFields, obj{"type": "TEXT", "title": "Late", "lines": []any{line}})
}
