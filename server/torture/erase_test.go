//go:build unix

package torture

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/server/maintenance"
	"github.com/nowserving/nowserving/server/testkit"
)

const secret = "Zacharias-Quillfeather"

// TestErasedBytesAreGone looks into the raw files: what was erased is in none of them
// after a collection, and in no backup.
func TestErasedBytesAreGone(t *testing.T) {
	data := t.TempDir()
	v := newVictim(t, order{Data: data})
	l := newLoad(t, v.URL, v.StaffToken, *seedFlag, 2)
	c := l.connect(v.URL, v.StaffToken, testkit.Quiet{})
	var ids []string
	for n := range 5 {
		key := fmt.Sprint("secret-", n)
		id, ok := l.do(c, key, "ticket.create", `{"line":1,"firstName":"`+secret+`","email":"`+secret+`@example.com"}`)
		if !ok {
			t.Fatal("no ticket")
		}
		l.do(c, key+"-note", "note.add", `{"ticket":"`+id+`","text":"I am `+secret+`"}`)
		l.do(c, key+"-call", "ticket.call", `{"ticket":"`+id+`","keepActive":true}`)
		l.mu.Lock()
		l.erased[id] = true
		l.mu.Unlock()
		ids = append(ids, id)
	}
	want := l.count() + 50
	testkit.Eventually(t, "others go on", time.Minute, func() bool { return l.count() >= want })
	collect(t.Context(), v.Demo)
	if n := inFiles(t, data, secret); n == 0 {
		t.Fatal("the bytes are not found while they are there: nothing was tested")
	}
	for n, id := range ids {
		if _, ok := l.do(c, fmt.Sprint("secret-erase-", n), "ticket.erase", `{"ticket":"`+id+`"}`); !ok {
			t.Fatal("not erased")
		}
	}
	// What follows an erasure is in writing when another change has been made.
	testkit.Eventually(t, "nothing is left", time.Minute, func() bool {
		collect(t.Context(), v.Demo)
		return inFiles(t, data, secret) == 0
	})
	backup := filepath.Join(t.TempDir(), "backup")
	save(t, v, backup)
	if b, err := os.ReadFile(backup); err != nil || bytes.Contains(b, []byte(secret)) {
		t.Errorf("the backup holds what was erased (%v)", err)
	}
	l.rest()
	l.stop()
	v.stop(t)
	if n := inFiles(t, data, secret); n != 0 {
		t.Errorf("found %d times after the stop", n)
	}
	l.check(data, 0)
}

// inFiles counts a text in every file of a folder.
func inFiles(t *testing.T, dir, text string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a table that a merge has just removed
		}
		if b, err := os.ReadFile(path); err == nil {
			n += bytes.Count(b, []byte(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// save asks the running node for a backup.
func save(t *testing.T, v *victim, path string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.URL+maintenance.BackupPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+v.StaffToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", res.Status)
	}
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestBackupUnderLoad: a backup of a busy node, restored elsewhere, is in order and a
// node runs on it; all that was answered before it began is in it.
func TestBackupUnderLoad(t *testing.T) {
	data := t.TempDir()
	v := newVictim(t, order{Data: data})
	l := newLoad(t, v.URL, v.StaffToken, *seedFlag, 6)
	for round := range rounds(2, 20) {
		want := l.count() + 50
		testkit.Eventually(t, "the load goes on", time.Minute, func() bool { return l.count() >= want })
		before := l.newest()
		backup := filepath.Join(t.TempDir(), "backup")
		save(t, v, backup)
		f, err := os.Open(backup)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := filepath.Join(t.TempDir(), "data")
		if err := maintenance.Restore(f, elsewhere, time.Now, zerolog.Nop()); err != nil {
			t.Fatal(err)
		}
		f.Close()
		rep, err := maintenance.Verify(t.Context(), elsewhere, time.Now, zerolog.Nop())
		if err != nil || len(rep.Problems) > 0 || uint64(rep.Records) < before {
			t.Fatalf("round %d: %+v, %v; %d had been answered", round, rep, err, before)
		}
		if round == 0 {
			again := serve(t, order{Listen: testkit.FreeAddr(t), Data: elsewhere})
			d := readDemo(t, elsewhere)
			if r := dial(t, d.URL, d.StaffToken).ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`); r.Error != nil {
				t.Errorf("on the restored data: %v", r.Error)
			}
			again.stop(t)
		}
	}
	l.rest()
	l.stop()
	v.stop(t)
	l.check(data, 0)
	proved(t, "%d backups under load, each restored and verified", rounds(2, 20))
}
