//go:build unix

package torture

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mutant is a one-line break of an invariant, and the tests that must notice.
type mutant struct {
	name, why, file, pkg, tests string
	old, broken                 string
}

func mutants(t *testing.T) (out []mutant) {
	t.Helper()
	files, err := filepath.Glob("mutants/*.mutant")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d mutants, %v", len(files), err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m := mutant{name: strings.TrimSuffix(filepath.Base(path), ".mutant")}
		head, rest, ok := strings.Cut(string(b), "--- as it is\n")
		old, broken, ok2 := strings.Cut(rest, "\n--- broken\n")
		if !ok || !ok2 {
			t.Fatalf("%s cannot be read", path)
		}
		m.old, m.broken = old, strings.TrimSuffix(broken, "\n")
		for line := range strings.Lines(head) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch name {
			case "why":
				m.why = value
			case "file":
				m.file = value
			case "package":
				m.pkg = value
			case "tests":
				m.tests = value
			}
		}
		out = append(out, m)
	}
	return out
}

// source is the broken file.
func (m mutant) source(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), m.old); n != 1 {
		t.Errorf("%s: %d places in %s, want one: bring the mutant up to date", m.name, n, m.file)
	}
	return strings.Replace(string(b), m.old, m.broken, 1)
}

// TestMutantsFit checks that every mutant still has its place in the code.
func TestMutantsFit(t *testing.T) {
	for _, m := range mutants(t) {
		if m.source(t); m.why == "" || m.tests == "" || m.pkg == "" || m.old == m.broken {
			t.Errorf("%s says too little", m.name)
		}
	}
}

// TestMutants breaks the program on purpose, one line at a time and in a build of
// its own, and demands that the named tests notice. It runs in make mutants.
func TestMutants(t *testing.T) {
	if os.Getenv("MUTANTS") == "" {
		t.Skip("make mutants runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	all, killed := 0, 0
	for _, m := range mutants(t) {
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			keepTidy(t, filepath.Join(root, m.pkg))
			broken := filepath.Join(dir, "broken.go")
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, m.file): broken}})
			if err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{broken: m.source(t), filepath.Join(dir, "overlay.json"): string(overlay)} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			run := func(args ...string) ([]byte, error) {
				cmd := exec.CommandContext(ctx, "go", args...)
				cmd.Dir = root
				return cmd.CombinedOutput()
			}
			flag := "-overlay=" + filepath.Join(dir, "overlay.json")
			if out, err := run("test", flag, "-run", "^$", "-vet=off", m.pkg); err != nil {
				t.Fatalf("it does not even build, so no test noticed: %s", out)
			}
			began := time.Now()
			all++
			out, err := run("test", flag, "-vet=off", "-short", "-timeout", "60s", "-failfast", "-run", m.tests, m.pkg)
			if err == nil {
				t.Errorf("SURVIVED. %s Tests %s of %s passed:\n%s", m.why, m.tests, m.pkg, out)
				return
			}
			killed++
			t.Logf("killed after %v: %s", time.Since(began).Round(time.Millisecond), m.why)
		})
	}
	proved(t, "%d of %d broken programs were noticed", killed, all)
}

// keepTidy takes away what a failing property test leaves in its package.
func keepTidy(t *testing.T, pkg string) {
	t.Helper()
	left := filepath.Join(pkg, "testdata", "rapid")
	if _, err := os.Stat(left); err == nil {
		return // somebody else's
	}
	t.Cleanup(func() { _ = os.RemoveAll(left) })
}
