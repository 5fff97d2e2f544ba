//go:build unix

package torture

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/store"
)

// TestFlippedBitsOfTheManifest turns each bit of the list of tables over, in a folder
// that was stopped in order: no table may be left out without a word, for the engine
// deletes what the list does not name (F4).
func TestFlippedBitsOfTheManifest(t *testing.T) {
	dir, at, list := listed(t)
	for bit := range 8 * len(list) {
		list[bit/8] ^= 1 << (bit % 8)
		lost, err := withList(t, dir, list, at)
		list[bit/8] ^= 1 << (bit % 8)
		if err == nil && lost > 0 {
			t.Errorf("bit %d of byte %d: %d of %d are gone without a word", bit%8, bit/8, lost, at)
		}
		if err != nil && !strings.Contains(err.Error(), "MANIFEST") {
			t.Errorf("bit %d of byte %d: refused without the file's name: %v", bit%8, bit/8, err)
		}
	}
	proved(t, "%d bits, each turned over alone", 8*len(list))
}

// TestTornManifest: what a crash leaves of a new entry is no damage.
func TestTornManifest(t *testing.T) {
	dir, at, list := listed(t)
	rng := rand.New(rand.NewPCG(*seedFlag, 3))
	entry := make([]byte, 60)
	for i := range entry {
		entry[i] = byte(rng.Uint32())
	}
	binary.BigEndian.PutUint32(entry, uint32(len(entry))) // eight more than there are
	for cut := 0; cut < len(entry); cut += rounds(7, 1) {
		if lost, err := withList(t, dir, slices.Concat(list, entry[:cut]), at); err != nil || lost > 0 {
			t.Errorf("%d bytes of an entry: %d of %d lost, %v", cut, lost, at, err)
		}
	}
	proved(t, "an entry torn at any of %d bytes, nothing lost", len(entry))
}

// listed is a folder that was stopped in order, how many commits it has, and its list
// of tables.
func listed(t *testing.T) (dir string, at uint64, list []byte) {
	t.Helper()
	dir = t.TempDir()
	st, err := store.Open(committerOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	for range 1500 {
		at++
		if err := st.Commit([]store.Change{committed(at)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if list, err = os.ReadFile(filepath.Join(dir, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	return dir, at, list
}

// withList checks a copy of a folder that has another list of tables.
func withList(t *testing.T, dir string, list []byte, at uint64) (lost uint64, err error) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copied")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(copied)
	if err := os.WriteFile(filepath.Join(copied, "MANIFEST"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	return checkCommitted(t, copied, at)
}
