package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/store"
)

// childDir tells a copy of this test binary to commit into a folder until it is
// killed.
const childDir = "NOWSERVING_STORE_TEST_DIR"

// childTickets tells it instead to write so many tickets and to be killed then.
const childTickets = "NOWSERVING_STORE_TEST_TICKETS"

func leaveBehind(dir string, tickets int) {
	s, err := store.Open(benchOptions(dir))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(0)
	}
	history(plain{}, s, tickets)
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}

// plain is a testing.TB without a test.
type plain struct{ testing.TB }

func (plain) Helper() {}

func (plain) Fatal(args ...any) {
	fmt.Println(args...)
	os.Exit(0)
}

// commitForEver commits groups to two locations and prints each head of location
// 1 once its commit has returned: what is printed was acknowledged.
func commitForEver(dir string) {
	s, err := store.Open(options(dir))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	a, _ := s.Head(1)
	b, _ := s.Head(2)
	for n := 1; ; n = n%40 + 1 {
		var group []store.Change
		for range n {
			a.Offset++
			c := change(1, a.Offset, int64(a.Offset))
			if a.Offset%3 == 0 {
				b.Offset++
				c.Records = append(c.Records, change(2, b.Offset, int64(a.Offset)).Records...)
			}
			if a.Offset%50 == 0 {
				c.Erase = []int64{int64(a.Offset) - 20}
			}
			group = append(group, c)
		}
		if err := s.Commit(group); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(a.Offset)
	}
}

// runAndKill starts the child, kills it after a while, and returns the last
// acknowledged offset.
func runAndKill(t *testing.T, dir string, after time.Duration) uint64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var last uint64
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Errorf("child: %s", lines.Text())
		} else {
			last = n
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("child ended by itself: %v", err)
	}
	return last
}

func TestKill(t *testing.T) {
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	total := uint64(0)
	for range rounds {
		acked := runAndKill(t, dir, time.Duration(100+rand.IntN(500))*time.Millisecond)
		s := open(t, options(dir))
		if err := s.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkWhole(t, s, max(acked, total))
		h, _ := s.Head(1)
		total = h.Offset
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if total < 100 {
		t.Errorf("only %d changes in all rounds: nothing was tested", total)
	}
}

// checkWhole checks that what was acknowledged is there, that changes are there
// wholly or not at all, and that there is no hole.
func checkWhole(t *testing.T, s *store.Badger, acked uint64) {
	t.Helper()
	h, err := s.Head(1)
	if err != nil || h.Offset < acked {
		t.Fatalf("head is %+v, %v, but %d was acknowledged", h, err, acked)
	}
	next := uint64(1)
	for r, err := range s.Records(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Offset != next {
			t.Fatalf("record %d comes where %d must", r.Offset, next)
		}
		next++
		_, err := s.Ticket(r.Ticket)
		if r.Erased != errors.Is(err, store.ErrNotFound) || r.Erased == (r.Personal != nil) {
			t.Fatalf("record %d: erased %v, its ticket: %v", r.Offset, r.Erased, err)
		}
		if res, err := s.Result(fmt.Sprintf("key-%d", r.Ticket)); err != nil || r.Erased != (len(res.Value) == 0) {
			t.Fatalf("record %d: erased %v, its result: %+v, %v", r.Offset, r.Erased, res, err)
		}
	}
	if next != h.Offset+1 {
		t.Fatalf("the records end at %d, the head is %d", next-1, h.Offset)
	}
	if b, err := s.Head(2); err != nil || b.Offset != h.Offset/3 {
		t.Fatalf("location 1 is at %d, location 2 at %d, %v", h.Offset, b.Offset, err)
	}
}

// files lists the non-empty files of a folder with an ending.
func files(t *testing.T, dir, ext string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"+ext))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// flip turns one bit over.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << rand.IntN(8)
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBitInLog damages the log that a killed process leaves: the engine
// would drop the rest of it without a word.
func TestFlippedBitInLog(t *testing.T) {
	dir, newest, last := longLog(t)
	for range 15 {
		damaged := copyDir(t, dir)
		at := 20 + rand.Int64N(last-20)
		flip(t, filepath.Join(damaged, filepath.Base(newest)), at)
		s, err := store.Open(options(damaged))
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), filepath.Base(newest)) {
			t.Errorf("bit flipped at %d of %d: error is %v", at, last, err)
		}
	}
	open(t, options(dir)) // undamaged it opens
}

// longLog leaves a folder as a killed process does, with a log long enough to be
// damaged well before its end; last is where the damage must stop.
func longLog(t *testing.T) (dir, log string, last int64) {
	t.Helper()
	// The last transaction is as good as torn; all before it are not. A group of
	// 40 changes takes less than 150 KiB.
	const torn = 150 << 10
	for life := 300 * time.Millisecond; life < 20*time.Second; life *= 2 {
		dir = t.TempDir()
		runAndKill(t, dir, life)
		logs := files(t, dir, ".mem")
		slices.Reverse(logs)
		for _, log := range logs[:min(2, len(logs))] {
			if last := usedBytes(t, log) - torn; last > 100 {
				return dir, log, last
			}
		}
	}
	t.Fatal("no log grew long enough to be damaged")
	return "", "", 0
}

// usedBytes is the size of a file without the zeros at its end.
func usedBytes(t *testing.T, path string) int64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return int64(n)
}

func TestFlippedBitInTable(t *testing.T) {
	dir := t.TempDir()
	// One table: with several Badger closes, on the first that is damaged, what it
	// is still opening, which is a data race of its own.
	o := options(dir)
	o.MemTableSize = 64 << 20
	s := open(t, o)
	fill(t, s, 1, 2000)
	s.Close()
	tables := files(t, dir, ".sst")
	if len(tables) != 1 {
		t.Fatalf("%d tables", len(tables))
	}
	for range 25 {
		damaged := copyDir(t, dir)
		table := tables[rand.IntN(len(tables))]
		info, err := os.Stat(table)
		if err != nil {
			t.Fatal(err)
		}
		at := rand.Int64N(info.Size())
		flip(t, filepath.Join(damaged, filepath.Base(table)), at)
		s, err := store.Open(options(damaged))
		if err == nil {
			err = s.Verify(t.Context())
			s.Close()
			t.Errorf("bit flipped at %d of %s: it opened; Verify says %v", at, filepath.Base(table), err)
		}
	}
}

// TestDamageIsFound changes single values behind the store's back.
func TestDamageIsFound(t *testing.T) {
	flipLast := func(v []byte) []byte { v[len(v)-1] ^= 1; return v }
	gone := func([]byte) []byte { return nil }
	for name, c := range map[string]struct {
		prefix string
		nth    int
		change func([]byte) []byte
		opens  bool // only Verify looks there
	}{
		"facts":                 {store.PrefixRecord, 100, flipLast, false},
		"record missing":        {store.PrefixRecord, 100, gone, false},
		"last record missing":   {store.PrefixRecord, 398, gone, false},
		"first record missing":  {store.PrefixRecord, 0, gone, false},
		"personal":              {store.PrefixRecord, 101, flipLast, true},
		"personal missing":      {store.PrefixRecord, 101, gone, true},
		"head":                  {store.PrefixHead, 0, flipLast, false},
		"head missing":          {store.PrefixHead, 0, gone, false},
		"live missing":          {store.PrefixLive, 3, gone, false},
		"ticket":                {store.PrefixTicket, 4, flipLast, true},
		"live ticket":           {store.PrefixTicket, 9, flipLast, false},
		"live ticket missing":   {store.PrefixTicket, 9, gone, false},
		"index missing":         {store.PrefixCreated, 5, gone, true},
		"ticket missing":        {store.PrefixTicket, 4, gone, true},
		"result":                {store.PrefixResult, 4, flipLast, true},
		"snapshot chunk":        {store.PrefixChunk, 0, flipLast, true},
		"snapshot chunk misses": {store.PrefixChunk, 0, gone, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t.TempDir())
			s := open(t, o)
			fill(t, s, 1, 200)
			if err := s.PutSnapshot(1, 1, []byte("state")); err != nil {
				t.Fatal(err)
			}
			store.Overwrite(t, s, store.Keys(t, s, c.prefix)[c.nth], c.change)
			s.Close()
			s, err := store.Open(o)
			if c.opens {
				if err != nil {
					t.Fatal(err)
				}
				err = s.Verify(t.Context())
				if err := s.Commit(nil); !errors.Is(err, store.ErrCorrupt) {
					t.Errorf("a commit after damage was found gave %v", err)
				}
				s.Close()
			} else if err == nil {
				s.Close()
			}
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("error is %v", err)
			}
		})
	}
}
