package maintenance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/sim"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

func TestMain(m *testing.M) {
	// Badger leaves these two when it panics over damage while it opens.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"),
		goleak.IgnoreTopFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"))
}

const secret = "Xenophilius"

// folder is a data folder in which a branch worked for a day, and some tickets
// were erased.
func folder(t *testing.T, visitors float64) (dir string, c *testkit.Clock) {
	t.Helper()
	dir, c = t.TempDir(), testkit.NewClock(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), 0)
	st, err := store.Open(store.Options{
		Dir: filepath.Join(dir, StoreFolder), Clock: c.Now, Log: zerolog.Nop(), MinFree: 1, MemTableSize: 64 << 20, // one table: see store's TestFlippedBitInTable
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(st, testkit.Nobody{}, ledger.Options{Clock: c.Now, SnapshotEvery: 300, GroupBytes: 200 << 10})
	if err != nil {
		t.Fatal(err)
	}
	stop := testkit.Run(t, "ledger", l.Run)
	work(t, l, c, visitors)
	stop()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "files", "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"secret.key": "key", "files/ab/cd": "upload", "demo.json.new": "half"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, c
}

func work(t *testing.T, l *ledger.Ledger, c *testkit.Clock, visitors float64) {
	t.Helper()
	n := 0
	do := func(location int, cmd ticket.Command) ledger.Result {
		t.Helper()
		n++
		res, err := l.Do(t.Context(), ledger.Request{
			Location: location, Command: cmd, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "setup"}, Key: fmt.Sprint("k", n),
		})
		if err != nil {
			t.Fatalf("%s: %v", cmd.Name(), err)
		}
		return res
	}
	do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: "00000001-0000-4000-8000-000000000000", Name: "B", Timezone: "Europe/Tallinn"}})
	line := do(1, ticket.PutLine{Line: ticket.Line{Name: "L"}}).Events[0].Facts.LineDef.ID
	desk := do(1, ticket.PutDesk{Desk: ticket.Desk{Name: "1"}}).Events[0].Facts.DeskDef.ID
	user := do(ledger.Directory, ticket.PutUser{User: ticket.User{
		GUID: "u", Email: "u@example.com", FirstName: "U", Roles: []ticket.Role{{ID: 1, Type: ticket.RoleClerk, Location: 1}},
	}}).Events[0].Facts.UserDef.ID
	day := sim.BusyDay(visitors)
	wait := func(_ context.Context, d time.Duration) error { c.Add(d); return nil } // the simulated day drives the clock
	_, err := sim.Run(t.Context(), sim.On(l), sim.Options{
		Seed: 3, Clock: c.Now, Wait: wait, Location: 1, Chats: 0.5, Days: 1, Speed: 1, Day: &day,
		Lines: []sim.Share{{Line: line, Weight: 1}}, Clerks: []sim.Clerk{{User: user, Desk: desk}},
	})
	if err != nil {
		t.Fatal(err)
	}
	erased := do(1, ticket.Create{Line: line, FirstName: secret}).Ticket.ID
	do(1, ticket.SendMessage{Ref: ticket.Ref{ID: ticket.TicketID(erased)}, Text: "I am " + secret})
	do(0, ticket.Erase{Ref: ticket.Ref{ID: ticket.TicketID(erased)}})
	do(1, ticket.Create{Line: line, FirstName: "Stays"})
}

func verify(t *testing.T, dir string, c *testkit.Clock) Report {
	t.Helper()
	rep, err := Verify(t.Context(), dir, c.Now, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestVerifyAndBackup(t *testing.T) {
	dir, c := folder(t, 60)
	before := verify(t, dir, c)
	if len(before.Problems) > 0 {
		t.Fatalf("a day's work is not in order: %v", before.Problems)
	}
	if before.Journals != 2 || before.Records < 200 || before.Tickets < 40 {
		t.Errorf("only looked at %+v", before)
	}
	st, err := store.Open(store.Options{Dir: filepath.Join(dir, StoreFolder), Clock: c.Now, Log: zerolog.Nop(), MinFree: 1, MemTableSize: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, st, dir, c.Now()); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "a", "b")
	if err := Restore(bytes.NewReader(b.Bytes()), elsewhere, c.Now, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	if after := verify(t, elsewhere, c); len(after.Problems) > 0 || after.Records != before.Records || after.Tickets != before.Tickets {
		t.Errorf("restored: %+v, was %+v", after, before)
	}
	for name, want := range map[string]string{"secret.key": "key", "files/ab/cd": "upload"} {
		if got, err := os.ReadFile(filepath.Join(elsewhere, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(elsewhere, "demo.json.new")); err == nil {
		t.Error("half a file was backed up")
	}
	if err := Restore(bytes.NewReader(b.Bytes()), elsewhere, c.Now, zerolog.Nop()); err == nil {
		t.Error("restored over data")
	}
}

// TestDamagedArchive: what is cut off or changed is not restored, and leaves nothing.
func TestDamagedArchive(t *testing.T) {
	dir, c := folder(t, 5)
	st, err := store.Open(store.Options{Dir: filepath.Join(dir, StoreFolder), Clock: c.Now, Log: zerolog.Nop(), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, st, dir, c.Now()); err != nil {
		t.Fatal(err)
	}
	whole, parent := b.Bytes(), t.TempDir()
	try := func(p []byte) error {
		return Restore(bytes.NewReader(p), filepath.Join(parent, "x"), c.Now, zerolog.Nop())
	}
	stored := bytes.Index(whole, []byte("nowserving backup 1"))
	length := bytes.LastIndex(whole[:len(whole)-1536], []byte("upload"))
	for _, cut := range []int{0, 100, 600, stored + 50, stored + 2000, length} {
		if err := try(whole[:cut]); err == nil {
			t.Errorf("restored from %d of %d bytes", cut, len(whole))
		}
	}
	for range 10 {
		damaged := bytes.Clone(whole)
		damaged[stored+rand.IntN(4000)] ^= 4
		if err := try(damaged); !errors.Is(err, store.ErrBackup) {
			t.Errorf("damaged: %v", err)
		}
	}
	for _, name := range []string{"files/../../evil", "files//etc/passwd", "files/store/FORMAT", "other"} {
		at := bytes.Index(whole, []byte("files/files/ab/cd"))
		damaged := bytes.Clone(whole)
		header := damaged[at : at+512]
		clear(header[:100])
		copy(header, name)
		sum := 0
		copy(header[148:156], "        ")
		for _, c := range header {
			sum += int(c)
		}
		copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
		if err := try(damaged); !errors.Is(err, ErrArchive) {
			t.Errorf("an entry named %q: %v", name, err)
		}
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestVerifyNamesWhatIsWrong changes one thing at a time.
func TestVerifyNamesWhatIsWrong(t *testing.T) {
	dir, c := folder(t, 20)
	reopen := func(t *testing.T, dir string) *store.Badger {
		st, err := store.Open(store.Options{Dir: filepath.Join(dir, StoreFolder), Clock: c.Now, Log: zerolog.Nop(), MinFree: 1, MemTableSize: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	for name, test := range map[string]struct {
		spoil func(*store.Badger) store.Change
		want  string
	}{
		"ticket": {func(st *store.Badger) store.Change {
			v, _ := st.Ticket(3)
			v.Doc = bytes.Replace(v.Doc, []byte(`"line":`), []byte(`"line":1`), 1)
			return store.Change{Tickets: []store.TicketVersion{v}}
		}, "ticket 3 is not what its journal folds to"},
		"index": {func(st *store.Badger) store.Change {
			v, _ := st.Ticket(4)
			v.Index.Caller += 9
			return store.Change{Tickets: []store.TicketVersion{v}}
		}, "ticket 4 is not what its journal folds to"},
		"ticket of no journal": {func(st *store.Badger) store.Change {
			v, _ := st.Ticket(4)
			v.ID = 12345
			return store.Change{Tickets: []store.TicketVersion{v}}
		}, "ticket 12345 is in no journal"},
		"message": {func(st *store.Badger) store.Change {
			return store.Change{Entries: []store.Entry{{Ticket: 5, Seq: 77, Doc: []byte(`{}`)}}}
		}, "message 77 of ticket 5"},
		"ids": {func(st *store.Badger) store.Change {
			return store.Change{Docs: []store.Doc{{Kind: "meta", Key: "ids", Value: []byte(`{"ticket":2}`)}}}
		}, "would be given next"},
		"a record that is no event": {func(st *store.Badger) store.Change {
			h, _ := st.Head(1)
			return store.Change{Records: []store.Record{{Location: 1, Offset: h.Offset + 1, Type: "ticket.magic", Facts: []byte("{")}}}
		}, "journal 1, offset"},
		"half a command": {func(st *store.Badger) store.Change {
			h, _ := st.Head(1)
			return store.Change{Records: []store.Record{{Location: 1, Offset: h.Offset + 1, Type: "line.changed", Facts: []byte(`{"more":true}`)}}}
		}, "ends within a command"},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := t.TempDir()
			if err := os.CopyFS(spoilt, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			st := reopen(t, spoilt)
			err := st.Commit([]store.Change{test.spoil(st)})
			if err := errors.Join(err, st.Close()); err != nil {
				t.Fatal(err)
			}
			rep := verify(t, spoilt, c)
			if all := fmt.Sprint(rep.Problems); !strings.Contains(all, test.want) {
				t.Errorf("found %s, want %s", all, test.want)
			}
		})
	}
}

// TestFlippedBitIsFoundAndNamed turns bits of the files themselves over.
func TestFlippedBitIsFoundAndNamed(t *testing.T) {
	dir, c := folder(t, 60)
	tables, err := filepath.Glob(filepath.Join(dir, StoreFolder, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	for range 10 {
		spoilt := t.TempDir()
		if err := os.CopyFS(spoilt, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(tables[rand.IntN(len(tables))])
		path := filepath.Join(spoilt, StoreFolder, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := rand.IntN(len(b))
		b[at] ^= 1 << rand.IntN(8)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		rep, err := Verify(t.Context(), spoilt, c.Now, zerolog.Nop())
		if err == nil && len(rep.Problems) == 0 {
			t.Errorf("bit %d of %s flipped: nothing was found", at, name)
		}
		t.Logf("byte %d of %s: %v %v", at, name, rep.Problems, err)
	}
}
