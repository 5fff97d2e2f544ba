package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/store"
)

// TestBackupWhileCommitting: a backup is one moment between two commits, however
// many are made meanwhile.
func TestBackupWhileCommitting(t *testing.T) {
	s := open(t, options(t.TempDir()))
	fill(t, s, 1, 2000)
	stop, began := make(chan struct{}), make(chan struct{})
	ended := make(chan int, 1)
	go func() {
		n := 2001
		for ; ; n++ {
			select {
			case <-stop:
				ended <- n - 1
				return
			default:
			}
			if err := s.Commit([]store.Change{change(1, uint64(n), int64(n)), change(2, uint64(n-2000), int64(n+1_000_000))}); err != nil {
				t.Error(err)
			}
			if n == 2010 {
				close(began)
			}
		}
	}()
	<-began
	var b bytes.Buffer
	// The writer stops in the middle, so that commits happen while it goes on.
	gate := writerFunc(func(p []byte) (int, error) {
		if err := s.Ready(); err != nil {
			return 0, err
		}
		return b.Write(p)
	})
	if err := s.Backup(t.Context(), gate); err != nil {
		t.Fatal(err)
	}
	close(stop)
	last := <-ended
	restored := options(t.TempDir())
	if err := store.Restore(bytes.NewReader(b.Bytes()), restored); err != nil {
		t.Fatal(err)
	}
	r := open(t, restored)
	if err := r.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, _ := r.Head(1)
	two, _ := r.Head(2)
	if one.Offset < 2010 || one.Offset > uint64(last) || two.Offset != one.Offset-2000 {
		t.Errorf("location 1 is at %d, location 2 at %d: not one moment (the store went on to %d)", one.Offset, two.Offset, last)
	}
	fill(t, r, int(one.Offset)+1, int(one.Offset)+50) // it is a store like any other
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestBackupEqualsTheStore(t *testing.T) {
	s := open(t, options(t.TempDir()))
	fill(t, s, 1, 600)
	if err := s.PutSnapshot(1, 600, bytes.Repeat([]byte("s"), 700<<10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit([]store.Change{{Erase: []int64{17}}, {Docs: []store.Doc{{Kind: "k", Key: "", Value: []byte{}}}}}); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := s.Backup(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	o := options(t.TempDir())
	if err := store.Restore(&first, o); err != nil {
		t.Fatal(err)
	}
	r := open(t, o)
	first.Reset()
	if err := s.Backup(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	if err := r.Backup(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("the backup of what was restored differs (%d, %d bytes)", first.Len(), second.Len())
	}
	if found := regexp.MustCompile(`SECRET of 1[78][^0-9]`).FindAllString(second.String(), -1); len(found) != 1 {
		t.Errorf("what was erased is in the backup, or what was not is missing: %q", found)
	}
}

// TestDamagedBackup: no byte of a backup can be changed, or be missing, unnoticed.
func TestDamagedBackup(t *testing.T) {
	s := open(t, options(t.TempDir()))
	fill(t, s, 1, 300)
	var b bytes.Buffer
	if err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	read := func(p []byte) error {
		return store.ReadBackup(bytes.NewReader(p), func(k, v []byte) error { return nil })
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for range 300 {
		damaged := bytes.Clone(whole)
		at := rand.IntN(len(damaged))
		damaged[at] ^= 1 << rand.IntN(8)
		if err := read(damaged); !errors.Is(err, store.ErrBackup) {
			t.Errorf("bit flipped at %d of %d: error is %v", at, len(whole), err)
		}
		if err := read(whole[:rand.IntN(len(whole))]); !errors.Is(err, store.ErrBackup) {
			t.Errorf("cut short: error is %v", err)
		}
	}
	if err := store.Restore(bytes.NewReader(whole[:len(whole)-1]), options(t.TempDir())); !errors.Is(err, store.ErrBackup) {
		t.Errorf("restoring what is cut short: %v", err)
	}
	if err := store.Restore(bytes.NewReader(whole), s2(t)); err == nil {
		t.Error("restored over something else")
	}
}

func s2(t *testing.T) store.Options {
	o := options(t.TempDir())
	if err := os.WriteFile(filepath.Join(o.Dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestBackupEndsWithTheStore(t *testing.T) {
	s := open(t, options(t.TempDir()))
	fill(t, s, 1, 3000)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Backup(ctx, writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	broken := errors.New("pipe")
	if err := s.Backup(t.Context(), writerFunc(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	s.Close()
	if err := s.Backup(t.Context(), io.Discard); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error is %v", err)
	}
}

func FuzzBackup(f *testing.F) {
	s, err := store.Open(options(f.TempDir()))
	if err != nil {
		f.Fatal(err)
	}
	fill(f, s, 1, 3)
	var b bytes.Buffer
	if err := s.Backup(f.Context(), &b); err != nil {
		f.Fatal(err)
	}
	s.Close()
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:100])
	f.Add([]byte("nowserving backup 1\n\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, p []byte) {
		seen := 0
		err := store.ReadBackup(bytes.NewReader(p), func(k, v []byte) error { seen += len(k) + len(v); return nil })
		if seen > len(p) || err != nil && !errors.Is(err, store.ErrBackup) {
			t.Errorf("%d bytes of %d, %v", seen, len(p), err)
		}
	})
}

// TestInspectNamesEveryProblem damages several things at once, each of which
// must be named.
func TestInspectNamesEveryProblem(t *testing.T) {
	flipLast := func(v []byte) []byte { v[len(v)-1] ^= 1; return v }
	gone := func([]byte) []byte { return nil }
	o := options(t.TempDir())
	s := open(t, o)
	fill(t, s, 1, 200)
	if err := s.Commit([]store.Change{change(2, 1, 500), change(2, 2, 501)}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutSnapshot(1, 1, []byte("state")); err != nil {
		t.Fatal(err)
	}
	damage := []struct {
		prefix string
		nth    int
		change func([]byte) []byte
	}{
		{store.PrefixRecord, 400, flipLast}, // of location 2
		{store.PrefixTicket, 4, flipLast}, {store.PrefixCreated, 50, gone}, {store.PrefixStatus, 60, flipLast},
		{store.PrefixResult, 7, flipLast}, {store.PrefixChunk, 0, gone}, {store.PrefixPersonal, 20, gone}, {store.PrefixTicketResult, 30, gone},
	}
	var names []string
	for _, d := range damage {
		k := store.Keys(t, s, d.prefix)[d.nth]
		store.Overwrite(t, s, k, d.change)
		names = append(names, store.FormatKey(k))
	}
	s.Close()
	problems, err := store.Inspect(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprint(problems)
	for i, d := range damage {
		if d.prefix == store.PrefixPersonal || d.prefix == store.PrefixTicketResult {
			if !strings.Contains(all, "would survive") {
				t.Errorf("%s: not named", names[i])
			}
		} else if d.prefix != store.PrefixChunk && !strings.Contains(all, names[i]) {
			t.Errorf("%s: not named in %s", names[i], all)
		}
	}
	if len(problems) < len(damage) {
		t.Errorf("%d problems named, %d made: %s", len(problems), len(damage), all)
	}
	good := options(t.TempDir())
	g := open(t, good)
	fill(t, g, 1, 100)
	if err := g.Commit([]store.Change{{Erase: []int64{5, 50}}}); err != nil {
		t.Fatal(err)
	}
	g.Close()
	if problems, err := store.Inspect(t.Context(), good, nil); err != nil || len(problems) > 0 {
		t.Errorf("a good store: %v, %v", problems, err)
	}
}
