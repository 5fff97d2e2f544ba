package ticket

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every JSON member that each audience can be sent, so that one more shows up in
// review as a line in a diff.
func TestAudiences(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Every JSON member per audience. A new line here is a decision about who may know.\n")
	for _, a := range []struct {
		audience string
		forms    []any
	}{
		{"board", []any{BoardSnapshot{}, BoardPush{}}},
		{"display", []any{DisplayPush{}}},
		{"visitor", []any{VisitorSnapshot{}, VisitorPush{}}},
		{"staff and integrators", []any{ConsoleSnapshot{}, ConsolePush{}, TicketSnapshot{}}},
		{"queue API", []any{QueueTicket{}, QueueText{}}},
	} {
		for _, form := range a.forms {
			typ := reflect.TypeOf(form)
			fmt.Fprintf(&b, "\n## %s: %s\n", a.audience, typ.Name())
			for _, m := range members(typ) {
				fmt.Fprintf(&b, "%s %s\n", m.path, m.kind)
			}
		}
	}
	const file = "testdata/audiences.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Split(string(want), "\n")
	for i, line := range strings.Split(b.String(), "\n") {
		if i >= len(old) || old[i] != line {
			t.Fatalf("%s differs at line %d: %q; when that is meant, run the test with -update", file, i+1, line)
		}
	}
	if got := b.String(); got != string(want) {
		t.Fatalf("%s holds more than there is", file)
	}
}

// member is one JSON member of a form: its path and its JSON type.
type member struct{ path, kind string }

func members(typ reflect.Type) []member {
	var out []member
	walk("", typ, nil, &out)
	return out
}

// walk follows the rules of encoding/json as far as the forms use them.
func walk(path string, typ reflect.Type, above []reflect.Type, out *[]member) {
	for _, a := range above {
		if a == typ { // a form within itself: connectedTickets
			return
		}
	}
	above = append(above[:len(above):len(above)], typ)
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() && !f.Anonymous, name == "-":
			continue
		case f.Anonymous && name == "":
			walk(path, f.Type, above, out)
			continue
		case name == "":
			name = f.Name
		}
		describe(path+name, f.Type, above, out)
	}
}

func describe(path string, typ reflect.Type, above []reflect.Type, out *[]member) {
	if typ == reflect.TypeFor[json.RawMessage]() {
		*out = append(*out, member{path, "any"})
		return
	}
	switch typ.Kind() {
	case reflect.Pointer:
		describe(path, typ.Elem(), above, out)
	case reflect.Slice, reflect.Array:
		*out = append(*out, member{path, "array"})
		describe(path+"[]", typ.Elem(), above, out)
	case reflect.Struct:
		if typ.String() == "time.Time" {
			*out = append(*out, member{path, "string"})
			return
		}
		*out = append(*out, member{path, "object"})
		walk(path+".", typ, above, out)
	case reflect.Map:
		*out = append(*out, member{path, "object"})
		describe(path+".*", typ.Elem(), above, out)
	case reflect.Interface:
		*out = append(*out, member{path, "any"})
	case reflect.String:
		*out = append(*out, member{path, "string"})
	case reflect.Bool:
		*out = append(*out, member{path, "boolean"})
	default:
		*out = append(*out, member{path, "number"})
	}
}
