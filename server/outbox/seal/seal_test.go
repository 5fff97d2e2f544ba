package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestKeyIsMadeOnceAndOpensItsSecrets(t *testing.T) {
	dir := t.TempDir()
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := a.Seal("owner", "a secret")
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("sealed is %q, %v", sealed, err)
	}
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, KeyFile+".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	b, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Open("owner", sealed); got != "a secret" || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	other, err := Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, open := range map[string]func() (string, error){
		"another key":   func() (string, error) { return other.Open("owner", sealed) },
		"another owner": func() (string, error) { return b.Open("else", sealed) },
		"damaged":       func() (string, error) { return b.Open("owner", damaged) },
		"too short":     func() (string, error) { return b.Open("owner", sealed[:5]) },
	} {
		if got, err := open(); !errors.Is(err, ErrKey) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestBadKeyFilesAreRefused(t *testing.T) {
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"readable by others": {"00", 0o644},
		"too short":          {"00ff", 0o600},
		"not hex":            {"zz", 0o600},
		"empty":              {"", 0o600},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, KeyFile), []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil {
			t.Errorf("%s: taken", name)
		}
		if b, _ := os.ReadFile(filepath.Join(dir, KeyFile)); string(b) != file.text {
			t.Errorf("%s: replaced", name)
		}
	}
}
