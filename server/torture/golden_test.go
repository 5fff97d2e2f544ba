//go:build unix

package torture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/maintenance"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

// updateFlag makes the golden data folder of the present format. Older ones are
// never made again: they are what users have.
var updateFlag = flag.Bool("update", false, "make the golden data folder of the present format")

const golden = "testdata/golden-2.tar.gz"

// TestGoldenFolders opens the data folders of earlier versions (F24): every invariant
// holds, what they show is what they showed, and a node runs on them.
func TestGoldenFolders(t *testing.T) {
	if *updateFlag {
		makeGolden(t)
	}
	all, err := filepath.Glob("testdata/golden-*.tar.gz")
	if err != nil || len(all) == 0 {
		t.Fatalf("no golden folders: %v", err)
	}
	for _, path := range all {
		data := filepath.Join(t.TempDir(), "data")
		unpack(t, path, data)
		rep, err := maintenance.Verify(t.Context(), data, time.Now, zerolog.Nop())
		if err != nil || len(rep.Problems) > 0 || rep.Records < 50 {
			t.Fatalf("%s: %+v, %v", path, rep, err)
		}
		got, text := shownBy(t, data), strings.TrimSuffix(path, ".tar.gz")+".txt"
		if *updateFlag {
			if err := os.WriteFile(text, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(text)
		if err != nil || got != string(want) {
			t.Errorf("%s shows\n%s\nit showed (%v)\n%s", path, got, err, want)
		}
		node := serve(t, order{Listen: testkit.FreeAddr(t), Data: data})
		d := readDemo(t, data)
		if r := dial(t, d.URL, d.StaffToken).ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`); r.Error != nil {
			t.Error(r.Error)
		}
		node.stop(t)
		proved(t, "%s: %d records, %d kinds of documents", filepath.Base(path), rep.Records, strings.Count(got, "\ndocuments "))
	}
}

// TestNewerFolder: a folder of a newer format is refused, the refusal says which format
// it has, and nothing in it is touched (F24).
func TestNewerFolder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	unpack(t, golden, data)
	format := filepath.Join(data, "store", "FORMAT")
	b, err := os.ReadFile(format)
	if err != nil || string(b) != "nowserving store 1\n" {
		t.Fatalf("%q, %v", b, err)
	}
	if err := os.WriteFile(format, []byte("nowserving store 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := contents(t, data)
	node := start(t, order{Listen: testkit.FreeAddr(t), Data: data})
	node.wait(t, "a newer folder")
	if said := node.said("error"); node.code != 1 || !strings.Contains(said, "format 2") || !strings.Contains(said, "up to 1") {
		t.Errorf("it ended with %d and said %q", node.code, said)
	}
	if contents(t, data) != before {
		t.Error("the folder was changed")
	}
	proved(t, "refused: %s", node.said("error"))
}

// contents is every file of a folder, but the lock, by name and hash.
func contents(t *testing.T, data string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "store.lock" {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(&out, "%s %x\n", path, sum(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// makeGolden lets a node work, kills it, and keeps what it leaves.
func makeGolden(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	v := newVictim(t, order{Data: data})
	l := newLoad(t, v.URL, v.StaffToken, 24, 2)
	testkit.Eventually(t, "some work", time.Minute, func() bool { return l.count() >= 60 })
	l.rest()
	l.stop()
	richDay(t, v)
	v.kill()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b))})
		}
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	if err = errors.Join(err, w.Close(), z.Close()); err == nil {
		err = os.MkdirAll("testdata", 0o755)
	}
	if err == nil {
		err = os.WriteFile(golden, out.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, path, data string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || !filepath.IsLocal(h.Name) {
			t.Fatalf("%s: %q, %v", path, h.Name, err)
		}
		to := filepath.Join(data, h.Name)
		b, err := io.ReadAll(r)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o700)
		}
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// shownBy is what a data folder shows, in words that no new field changes.
func shownBy(t *testing.T, data string) string {
	t.Helper()
	st, err := store.Open(store.Options{Dir: filepath.Join(data, "store"), Clock: time.Now, Log: zerolog.Nop(), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	l, err := ledger.Open(st, testkit.Nobody{}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	locations := l.Locations()
	for _, id := range locations {
		l.View(id, func(s *ticket.State) {
			fmt.Fprintf(&out, "location %d %q at %d, board at %d\n", id, s.Location.Name, s.Offset, s.BoardOffset)
			for _, x := range s.SortedLines() {
				fmt.Fprintf(&out, "  line %d %q, %d waiting\n", x.ID, x.Name, s.Waiting(x.ID))
			}
			for _, x := range s.SortedDesks() {
				fmt.Fprintf(&out, "  desk %d %q\n", x.ID, x.Name)
			}
		})
	}
	tickets, err := l.Search(store.Query{Locations: locations})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(tickets, func(a, b *ticket.Ticket) int { return int(a.ID - b.ID) })
	for _, x := range tickets {
		thread, err := l.Transactions(x.ID, 0, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "ticket %d %s %s line %d, %q, erased %v, at %d, created %s, %d in its thread\n", x.ID, x.Place.PublicID, x.Place.Status,
			x.Place.Line, x.Private.FirstName, x.Erased, x.Offset, x.Place.CreatedAt.Format(time.RFC3339Nano), len(thread))
		said, err := conversationOf(x, l)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(said)
	}
	return out.String() + keptBy(t, st)
}
