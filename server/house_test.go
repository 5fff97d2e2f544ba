package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nowserving/nowserving"

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

func ours(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module+"/")] = p
	}
	return all
}

// allowed says what each part of the house may import of ours. A trailing /...
// stands for everything below.
var allowed = map[string][]string{
	"hub/wire":      {},
	"hub/ticket":    {"hub/wire"},
	"hub":           {"hub/wire"},
	"hub/ledger":    {"hub", "hub/ticket", "hub/wire", "store"},
	"hub/client":    {"hub/wire"},
	"hub/sim":       {"hub", "hub/ticket", "hub/wire", "hub/ledger", "store", "store/memlog"},
	"store":         {},
	"store/memlog":  {"store"},
	"display":       {"hub/client", "hub/wire", "display/board"},
	"display/board": {"hub/wire"},
	"web":           {},
	"server":        {"server/..."},
	"server/bench":  {"hub", "hub/ledger", "hub/ticket", "store"},

	"server/maintenance": {"hub/ticket", "store"},
	"server/torture":     {}, // tests only
	"server/testkit":     {"hub", "hub/client", "hub/ledger", "hub/ticket", "hub/wire"},
}

// pure packages do no I/O and see no clock and no randomness.
var pure = []string{"hub/ticket", "hub/wire", "display/board"}

// impure standard packages. fmt and encoding/json reach some of them inside the
// standard library; what counts is what our code can name.
var impure = []string{
	"os", "net", "net/http", "syscall", "io/fs", "log", "log/slog", "database/sql", "os/exec", "os/signal", "bufio",
	"math/rand", "math/rand/v2", "crypto/rand", "runtime", "unsafe", "embed", "sync", "sync/atomic", "context",
}

// fenced modules and packages appear only in these places.
var fenced = map[string][]string{
	"github.com/dgraph-io/badger":         {"store"},
	"github.com/nats-io":                  {"store/replica"},
	"github.com/coder/websocket":          {"server/session", "server/queuegraph", "hub/client"},
	"github.com/julienschmidt/httprouter": {"server", "server/..."},
	module + "/server/testkit":            {}, // go list tells of no test's imports: tests only
}

func within(name string, list []string) bool {
	return slices.ContainsFunc(list, func(a string) bool {
		below, ok := strings.CutSuffix(a, "/...")
		return name == a || ok && strings.HasPrefix(name, below+"/")
	})
}

func TestHouse(t *testing.T) {
	all := ours(t)
	for name := range allowed {
		if _, ok := all[name]; !ok {
			t.Errorf("the house has no %s any more", name)
		}
	}
	for name, p := range all {
		rule, known := allowed[name]
		for _, imp := range p.Imports {
			dep, mine := strings.CutPrefix(imp, module+"/")
			if mine && known && !within(dep, rule) {
				t.Errorf("%s must not import %s", name, dep)
			}
			if mine && strings.HasPrefix(dep, "server/") && !strings.HasPrefix(name, "server") {
				t.Errorf("%s must not import %s: nobody outside server does", name, dep)
			}
			for prefix, places := range fenced {
				if strings.HasPrefix(imp, prefix) && !within(name, places) {
					t.Errorf("%s must not import %s", name, imp)
				}
			}
		}
	}
}

func TestPurePackages(t *testing.T) {
	all := ours(t)
	for _, name := range pure {
		for _, dep := range append([]string{all[name].ImportPath}, all[name].Deps...) {
			short, mine := strings.CutPrefix(dep, module+"/")
			if !mine {
				if strings.Contains(strings.Split(dep, "/")[0], ".") && !strings.HasPrefix(dep, "golang.org/x/") {
					t.Errorf("%s depends on %s", name, dep)
				}
				continue
			}
			for _, imp := range all[short].Imports {
				if slices.Contains(impure, imp) {
					t.Errorf("%s is pure, but %s imports %s", name, short, imp)
				}
			}
			for _, file := range all[short].GoFiles {
				noClock(t, filepath.Join(all[short].Dir, file))
			}
		}
	}
}

// noClock refuses calls that read the clock or wait.
func noClock(t *testing.T, path string) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}, sel.Sel.Name) {
			t.Errorf("%s: time.%s in a pure package", set.Position(n.Pos()), sel.Sel.Name)
		}
		return true
	})
}
