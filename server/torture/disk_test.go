//go:build unix

package torture

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
)

// tmpfs mounts a file system of so many MiB, or skips where that is not allowed.
func tmpfs(t *testing.T, size int) string {
	t.Helper()
	at := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", size), "tmpfs", at).CombinedOutput()
	if err != nil {
		t.Skipf("SKIPPED, needs the right to mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", at).Run() })
	return at
}

// ballast fills a file system up to so many MiB.
func ballast(t *testing.T, at string, size int) string {
	t.Helper()
	path := filepath.Join(at, "ballast")
	if err := os.WriteFile(path, make([]byte, size<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDiskFull: on a full disk the store takes no more, and does not die of it; when
// there is room again it goes on (F6).
func TestDiskFull(t *testing.T) {
	for range rounds(1, 20) {
		at := tmpfs(t, 96)
		data := filepath.Join(at, "data")
		c := startCommitter(t, data)
		n := 0
		c.await(t, func(string) bool { n++; return n > 50 })
		filled := ballast(t, at, 60)
		c.await(t, func(line string) bool { return line == "full" })
		before := c.acked
		if before == 0 || c.err != "" {
			t.Fatalf("%d acknowledged, then %q", before, c.err)
		}
		n = 0
		c.await(t, func(line string) bool { n++; return n > 20 }) // it goes on saying so, alive
		if err := os.Remove(filled); err != nil {
			t.Fatal(err)
		}
		c.await(t, func(string) bool { return c.acked > before+100 })
		c.kill()
		if c.err != "" {
			t.Errorf("the store ended: %s", c.err)
		}
		if lost, err := checkCommitted(t, data, c.acked); err != nil || lost > 0 {
			t.Errorf("%d of %d lost, %v", lost, c.acked, err)
		}
	}
	proved(t, "%d full disks, each refused, recovered from and read again", rounds(1, 20))
}

// TestNodeOnAFullDisk: commands are refused with the reason, readiness says so, and
// screens are served on.
func TestNodeOnAFullDisk(t *testing.T) {
	at := tmpfs(t, 256)
	data := filepath.Join(at, "data")
	node := serve(t, order{Listen: testkit.FreeAddr(t), Data: data, MinFree: 64 << 20})
	if !node.alive() {
		t.Fatal(node.said("error"))
	}
	d := readDemo(t, data)
	s := dial(t, d.URL, d.StaffToken)
	if r := s.ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`); r.Error != nil {
		t.Fatal(r.Error)
	}
	filled := ballast(t, at, 205)
	testkit.Eventually(t, "readiness tells of the full disk", 10*time.Second, func() bool { return status(d.URL+"/readyz") == 503 })
	if r := s.ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`); r.Error == nil || r.Error.Code != wire.Unavailable || !strings.Contains(r.Error.Message, "disk") {
		t.Errorf("on a full disk: %+v", r.Error)
	}
	if r := s.ask(t, `"subscribe":{"channel":"board:1"}`); r.Error != nil {
		t.Errorf("a board on a full disk: %v", r.Error)
	}
	if err := os.Remove(filled); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "readiness comes back", 10*time.Second, func() bool { return status(d.URL+"/readyz") == 200 })
	if r := s.ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`); r.Error != nil {
		t.Error(r.Error)
	}
	node.stop(t)
}

func status(url string) int {
	res, err := http.Get(url)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// TestReadOnlyDisk: a start on a read-only disk ends at once and says why.
func TestReadOnlyDisk(t *testing.T) {
	at := tmpfs(t, 96)
	data := filepath.Join(at, "data")
	serve(t, order{Listen: testkit.FreeAddr(t), Data: data}).stop(t)
	if out, err := exec.Command("mount", "-o", "remount,ro", at).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, cannot mount again: %s", out)
	}
	node := start(t, order{Listen: testkit.FreeAddr(t), Data: data})
	node.wait(t, "a read-only disk")
	if node.code == 0 || !strings.Contains(node.said("error"), "read-only") {
		t.Errorf("it ended with %d and said %q", node.code, node.said("error"))
	}
}

// TestSlowDisk: while a commit takes seconds, whoever only reads is served.
func TestSlowDisk(t *testing.T) {
	data := t.TempDir()
	addr := testkit.FreeAddr(t)
	serve(t, order{Listen: addr, Data: data}).stop(t)
	d := readDemo(t, data)
	node := serve(t, order{Listen: addr, Data: data, Slow: 4 * time.Second})
	writer, reader := dial(t, d.URL, d.StaffToken), dial(t, d.URL, d.StaffToken)
	done := make(chan answer, 1)
	writer.send(t, `{"id":7,"command":{"name":"ticket.create","params":{"line":1}}}`)
	go func() { done <- writer.await(t, 7) }()
	for range 20 {
		if r := reader.ask(t, `"subscribe":{"channel":"board:1"}`); r.Error != nil {
			t.Error(r.Error)
		}
		if status(d.URL+"/healthz") != 200 {
			t.Error("no answer meanwhile")
		}
		reader.ask(t, `"unsubscribe":{"channel":"board:1"}`)
	}
	select {
	case <-done:
		t.Error("the slow commit was not slow: nothing was tested")
	default:
	}
	if r := <-done; r.Error != nil {
		t.Error(r.Error)
	}
	node.kill()
}

// aged is a data folder that a killed committer left, and what it had acknowledged.
func aged(t *testing.T, lines int) (dir string, acked uint64) {
	t.Helper()
	dir = t.TempDir()
	c := startCommitter(t, dir)
	n := 0
	c.await(t, func(string) bool { n++; return n > lines })
	c.kill()
	return dir, c.acked
}

const mostOfAGroup = 7

// TestTornLastWrite cuts the log anywhere in its last transaction: the store opens,
// with everything before it.
func TestTornLastWrite(t *testing.T) {
	dir, acked := aged(t, 300)
	written := writtenIn(t, dir, acked)
	rng := rand.New(rand.NewPCG(*seedFlag, 1))
	torn, tried := 0, 0
	for range rounds(10, 100) {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		logs, err := filepath.Glob(filepath.Join(copied, "*.mem"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("no log: %v", err)
		}
		newest := logs[len(logs)-1]
		b, err := os.ReadFile(newest)
		if err != nil {
			t.Fatal(err)
		}
		used := len(bytes.TrimRight(b, "\x00"))
		if used < 4000 {
			t.Skip("the log was just rotated")
		}
		clear(b[used-1-rng.IntN(1500):])
		if err := os.WriteFile(newest, b, 0o600); err != nil {
			t.Fatal(err)
		}
		lost, err := checkCommitted(t, copied, written)
		if err != nil || lost > mostOfAGroup {
			t.Errorf("seed %d: %d lost, %v", *seedFlag, lost, err)
		}
		if tried++; lost > 0 {
			torn++
		}
	}
	if torn == 0 {
		t.Error("no write was torn: nothing was tested")
	}
	proved(t, "%d of %d cuts in the last write tore it", torn, tried)
}

// writtenIn is how much is in a folder: the last of it may not have been acknowledged
// before the end.
func writtenIn(t *testing.T, dir string, acked uint64) uint64 {
	t.Helper()
	const more = 1 << 20
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	missing, err := checkCommitted(t, copied, acked+more)
	if err != nil || missing > more {
		t.Fatalf("%d of %d are missing, %v", missing, acked+more, err)
	}
	return acked + more - missing
}

// unread says of a byte that nobody reads it, or that it says the same when changed.
func unread(name string, at, used int) bool {
	const keyed, header = 8, 20 // the rest of a log's header is for encryption, which is off
	switch name {
	case "LOCK": // a process' number
		return true
	case "KEYREGISTRY": // before its mark: for encryption, too
		return at < 16
	case "FORMAT": // the end of its line
		return at == used-1
	}
	ext := filepath.Ext(name)
	return (ext == ".vlog" || ext == ".mem") && at >= keyed && at < header
}

// TestFlippedBits turns one bit of any file over (F4): it is found when the folder
// is opened or verified, and the file is named, or it was of no meaning. It is never
// taken for data.
func TestFlippedBits(t *testing.T) {
	dir, acked := aged(t, 600)
	rng := rand.New(rand.NewPCG(*seedFlag, 2))
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]int{}
	for range rounds(30, 500) {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		name := all[rng.IntN(len(all))].Name()
		if !long && filepath.Ext(name) == ".sst" {
			// Badger races with itself when one of several tables is damaged; the short
			// run looks for races. The store's own test does it with one table.
			continue
		}
		path := filepath.Join(copied, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		used := len(bytes.TrimRight(b, "\x00"))
		if used == 0 {
			continue
		}
		at := rng.IntN(used)
		b[at] ^= 1 << rng.IntN(8)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		lost, err := checkCommitted(t, copied, acked)
		ext := filepath.Ext(name)
		switch last := ext == ".mem" && at > used-64<<10; {
		case err != nil && strings.Contains(err.Error(), name):
			met["found in "+cmp.Or(ext, name)]++
		case err != nil:
			t.Errorf("seed %d: byte %d of %s: refused without its name: %v", *seedFlag, at, name, err)
		case lost == 0 && unread(name, at, used):
			met["of no meaning in "+cmp.Or(ext, name)]++
		case last && lost <= mostOfAGroup:
			met["as good as torn"]++ // damage to the very last write
		default:
			t.Errorf("seed %d: byte %d of %d of %s: taken for data, %d of %d are gone without a word", *seedFlag, at, used, name, lost, acked)
		}
		os.RemoveAll(copied)
	}
	proved(t, "%v", met)
	if len(met) == 0 || !slices.ContainsFunc(slices.Collect(maps.Keys(met)), func(k string) bool { return strings.HasPrefix(k, "found") }) {
		t.Error("no flipped bit was found: nothing was tested")
	}
}
