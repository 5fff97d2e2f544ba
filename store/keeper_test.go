package store_test

import (
	"path/filepath"
	"testing"

	"github.com/nowserving/nowserving/store"
)

// TestWrittenOutLogsLeave: what the keeper refers to leaves soon after the last
// commit, and without one more of them.
func TestWrittenOutLogsLeave(t *testing.T) {
	o := options(t.TempDir())
	s := open(t, o)
	fill(t, s, 1, 3000) // some 7 MiB, through memory tables of 1 MiB
	logs := func() []string {
		found, err := filepath.Glob(filepath.Join(o.Dir, "*.mem"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	store.Eventually(t, "one log is left", func() bool { return len(logs()) == 1 })
	verify(t, s, 3000)
	fill(t, s, 3001, 3100) // and it goes on
	verify(t, s, 3100)
}
