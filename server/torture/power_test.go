//go:build torture && linux

package torture

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/testkit"
)

// TestPowerCut cuts the power under a store whose tables rotate all the time
// (F2, F3): it opens again by itself, and nothing that was acknowledged is lost.
func TestPowerCut(t *testing.T) {
	dir := t.TempDir()
	total := uint64(0)
	began := time.Now()
	cuts := 300 * *timesFlag
	for round := range cuts {
		lost, acked, next, err := powerCut(t, dir, *seedFlag+uint64(round), false)
		if err != nil || lost > 0 {
			t.Fatalf("seed %d: %d of %d lost, %v", *seedFlag+uint64(round), lost, acked, err)
		}
		total = acked
		if dir = next; round%8 == 7 {
			dir = t.TempDir() // small again
		}
	}
	proved(t, "%d power cuts in %v, the last with %d changes", cuts, time.Since(began).Round(time.Second), total)
}

// TestPowerCutIsSeen is the control: on a disk that lies about syncing the same
// test must see a loss.
func TestPowerCutIsSeen(t *testing.T) {
	seen := 0
	for round := range 6 {
		lost, _, _, err := powerCut(t, t.TempDir(), *seedFlag+uint64(round), true)
		if lost > 0 || err != nil {
			seen++
		}
	}
	if seen < 3 {
		t.Errorf("only %d of 6 power cuts without syncing were noticed", seen)
	}
	proved(t, "%d of 6 power cuts without syncing were noticed", seen)
}

// powerCut runs a committer on a lossy disk and cuts its power; next is a folder
// with what was on the disk then.
func powerCut(t *testing.T, dir string, seed uint64, lies bool) (lost, acked uint64, next string, err error) {
	t.Helper()
	disk := newLossy()
	if disk.lies = lies; disk.insert(dir) != nil {
		t.Fatal("insert")
	}
	at := t.TempDir()
	unmount := disk.mount(t, at)
	c := startCommitter(t, at)
	until := 200 + int(seed*37%1200)
	n := 0
	c.await(t, func(string) bool { n++; return n >= until })
	if c.err != "" {
		t.Fatalf("seed %d: the committer ended: %s", seed, c.err)
	}
	next = t.TempDir()
	if err := disk.cut(seed, next); err != nil {
		t.Fatal(err)
	}
	c.kill() // what it says from here on is only what was acknowledged before
	if !lies && disk.syncs == 0 {
		t.Fatal("nothing was synced: the test proves nothing")
	}
	unmount()
	lost, err = checkCommitted(t, next, c.acked)
	return lost, c.acked, next, err
}

// TestPowerCutOfANode does the same to a whole node under load.
func TestPowerCutOfANode(t *testing.T) {
	for world := range 2 * *timesFlag {
		seed := *seedFlag + uint64(1000*world)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { powerCutsOfANode(t, seed, 50) })
	}
}

// powerCutsOfANode is one node's life with so many power cuts.
func powerCutsOfANode(t *testing.T, seed uint64, cuts int) {
	dir, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	node := serve(t, order{Listen: addr, Data: dir})
	d := readDemo(t, dir)
	node.stop(t)
	l := newLoad(t, d.URL, d.StaffToken, seed, 6)
	for round := range cuts {
		disk := newLossy()
		if err := disk.insert(dir); err != nil {
			t.Fatal(err)
		}
		at := t.TempDir()
		unmount := disk.mount(t, at)
		node := serve(t, order{Listen: addr, Data: at})
		if !node.alive() {
			t.Fatalf("round %d: %s", round, node.said("error"))
		}
		want := l.count() + 20 + 7*(round%12)
		testkit.Eventually(t, "the load goes on", time.Minute, func() bool { return l.count() >= want })
		dir = t.TempDir()
		if err := disk.cut(seed+uint64(round), dir); err != nil {
			t.Fatal(err)
		}
		node.kill()
		unmount()
		records := l.check(dir, 0)
		if t.Failed() {
			t.Fatalf("round %d, seed %d", round, seed)
		}
		if !strings.Contains(d.URL, addr) || records == 0 {
			t.Fatal("the load went elsewhere")
		}
	}
	proved(t, "%d answers over %d power cuts", l.count(), cuts)
}
