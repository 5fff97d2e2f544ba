//go:build unix

package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/testkit"
)

// soonDead is how long a process may live on after a sync has failed: no longer than
// the requirement says, and in CI, where a traced process may have to wait for its
// turn, what only a defect reaches.
func soonDead() time.Duration { return time.Duration(rounds(5, 1)) * time.Second }

// failSync is what makes the kernel refuse the nth sync of each thread of the process
// behind it; lived says, when that has ended, how long it went on after the first.
func failSync(t *testing.T, nth int) (wrap []string, lived func() time.Duration) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("SKIPPED, needs strace")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	return []string{strace, "-f", "-q", "-ttt", "-o", trace, "-e", "trace=msync", "-e", fmt.Sprintf("inject=msync:error=EIO:when=%d", nth)},
		func() time.Duration { t.Helper(); return livedOn(t, trace) }
}

// livedOn reads a trace: from the first sync that was refused to the process' end, by
// one clock.
func livedOn(t *testing.T, trace string) time.Duration {
	t.Helper()
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var failed, last time.Duration
	ended := false
	for line := range strings.Lines(string(b)) {
		_, rest, _ := strings.Cut(line, " ") // the thread
		second, what, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if last, err = time.ParseDuration(second + "s"); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if failed == 0 && strings.Contains(what, "(INJECTED)") {
			failed = last
		}
		ended = strings.HasPrefix(what, "+++ exited with ")
	}
	if failed == 0 || !ended {
		t.Fatalf("the trace does not tell of the fault (%v) or of the end (%t)", failed, ended)
	}
	return last - failed
}

// TestSyncFails makes the kernel refuse a sync (F5): the command fails, the process
// ends by itself and at once, no later command is acknowledged, and a restart finds
// everything.
func TestSyncFails(t *testing.T) {
	longest := time.Duration(0)
	for round := range rounds(2, 50) {
		dir := t.TempDir()
		wrap, lived := failSync(t, 5+17*round%200)
		c := startCommitter(t, dir, wrap...)
		c.await(t, func(string) bool { return false }) // until it ends by itself
		if !strings.Contains(c.err, "input/output error") || c.cmd.ProcessState.ExitCode() != 3 {
			t.Fatalf("round %d: it ended with %d, %q: the fault was not met", round, c.cmd.ProcessState.ExitCode(), c.err)
		}
		longest = max(longest, lived())
		if lost, err := checkCommitted(t, dir, c.acked); err != nil || lost > 0 {
			t.Errorf("round %d: %d of %d lost, %v", round, lost, c.acked, err)
		}
	}
	if longest > soonDead() {
		t.Errorf("a process lived on for %v after a failed sync", longest)
	}
	proved(t, "%d failed syncs, each the end of the process, after %v at most (goal 1 s)", rounds(2, 50), longest)
}

// TestSyncFailsUnderANode is the same for a whole node, which takes long where a
// traced process is slow.
func TestSyncFailsUnderANode(t *testing.T) {
	if !long {
		t.Skip("SKIPPED, runs with make torture")
	}
	data, addr := t.TempDir(), testkit.FreeAddr(t)
	serve(t, order{Listen: addr, Data: data}).stop(t)
	d := readDemo(t, data)
	l := newLoad(t, d.URL, d.StaffToken, *seedFlag, 4)
	longest := time.Duration(0)
	for round := range rounds(1, 10) {
		wrap, lived := failSync(t, 20+13*round)
		node := serve(t, order{Listen: addr, Data: data}, wrap...)
		node.wait(t, "a sync that fails")
		if node.code != 1 || !strings.Contains(node.said("error"), "input/output error") {
			t.Fatalf("round %d: it ended with %d, %q", round, node.code, node.said("error"))
		}
		longest = max(longest, lived())
		l.check(data, 0)
	}
	l.stop()
	if longest > soonDead() {
		t.Errorf("a node lived on for %v after a failed sync", longest)
	}
	proved(t, "%d failed syncs, each the end of the node, after %v at most (goal 1 s)", rounds(1, 10), longest)
}
