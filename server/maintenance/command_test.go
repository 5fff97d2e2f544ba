package maintenance

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/server/testkit"
)

// invoke runs a command line as main does.
func invoke(t *testing.T, c *testkit.Clock, token string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), args, Env{
		Stdout: &stdout, Stderr: &stderr, Clock: c.Now, Log: zerolog.Nop(),
		Getenv: func(name string) string { return map[string]string{TokenVariable: token}[name] },
	})
	return code, stdout.String(), stderr.String()
}

func TestCommands(t *testing.T) {
	dir, c := folder(t, 10)
	file := filepath.Join(t.TempDir(), "b.tar")
	again := filepath.Join(t.TempDir(), "again")
	for _, step := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"verify", "-data", dir}, 0, "is in order: 2 journals"},
		{[]string{"backup", "-data", dir}, 2, "-out is needed"},
		{[]string{"backup", "-data", dir, "-out", file, "more"}, 2, "no argument"},
		{[]string{"backup", "-data", dir + "-none", "-out", file}, 1, "there is no data"},
		{[]string{"backup", "-data", dir, "-out", file}, 0, "backup written"},
		{[]string{"verify", "-backup", file}, 0, "is in order"},
		{[]string{"restore", "-data", again}, 2, "the backup file"},
		{[]string{"restore", "-data", again, file}, 0, "is in order"},
		{[]string{"restore", "-data", again, file}, 1, "is not empty"},
		{[]string{"collect", "-data", again}, 0, ""},
		{[]string{"verify", "-data", again}, 0, "is in order"},
		{[]string{"verify", "-data", again + "-none"}, 1, "there is no data"},
		{[]string{"verify", "-nonsense"}, 2, "nonsense"},
		{[]string{"backup", "-url", "http://127.0.0.1:1", "-out", file}, 2, TokenVariable},
	} {
		code, out, errs := invoke(t, c, "", step.args...)
		if code != step.code || !strings.Contains(out+errs, step.says) {
			t.Errorf("%v: code %d, %q %q; want %d, %q", step.args, code, out, errs, step.code, step.says)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.part")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestBackupOfARunningServer: what a server sends is kept whole or not at all.
func TestBackupOfARunningServer(t *testing.T) {
	_, c := folder(t, 1)
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := served.Add(1)
		switch {
		case r.Header.Get("Authorization") != "Bearer good" || r.URL.Path != BackupPath:
			http.Error(w, "no", http.StatusForbidden)
		case n == 1:
			fmt.Fprint(w, "a backup")
		default: // breaks in the middle
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	file := filepath.Join(t.TempDir(), "b")
	if code, _, errs := invoke(t, c, "good", "backup", "-url", server.URL, "-out", file); code != 0 {
		t.Fatal(errs)
	}
	for _, token := range []string{"good", "bad"} {
		if code, _, errs := invoke(t, c, token, "backup", "-url", server.URL, "-out", file+"2"); code != 1 {
			t.Errorf("%s: code %d, %s", token, code, errs)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "a backup" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Stat(file + "2"); err == nil {
		t.Error("half a backup was kept")
	}
}
