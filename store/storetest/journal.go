package storetest

import (
	"slices"
	"testing"

	"github.com/nowserving/nowserving/store"
)

func testEmpty(t *testing.T, e *env) {
	if h := wantHead(t, e, 1, 0); h.Epoch != "" {
		t.Errorf("an empty journal has epoch %q", h.Epoch)
	}
	if l, err := e.Locations(); err != nil || len(l) != 0 {
		t.Errorf("locations are %v, %v", l, err)
	}
	if got := gather(t, e.Records(1, 0)); len(got) != 0 {
		t.Errorf("records are %v", got)
	}
	if got := gather(t, e.Live(1)); len(got) != 0 {
		t.Errorf("live tickets are %v", got)
	}
	_, err := e.Ticket(1)
	wantErr(t, err, store.ErrNotFound)
	_, err = e.Result("k")
	wantErr(t, err, store.ErrNotFound)
	_, err = e.Doc("k", "v")
	wantErr(t, err, store.ErrNotFound)
	if n, state, err := e.Snapshot(1); n != 0 || len(state) != 0 || err != nil {
		t.Errorf("snapshot is %d, %q, %v", n, state, err)
	}
	if err := e.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
	e.commit(t)
	e.commit(t, store.Change{})
}

func testJournal(t *testing.T, e *env) {
	bare := store.Record{Location: 1, Offset: 3, Type: "line.changed"}
	all := []store.Record{record(1, 1, 7), record(1, 2, 0), bare, record(1, 4, 7)}
	e.commit(t, store.Change{Records: all[:1]})
	first := wantHead(t, e, 1, 1)
	if first.Epoch == "" || first.Hash == [32]byte{} {
		t.Errorf("head is %+v", first)
	}
	e.commit(t, store.Change{Records: all[1:3]}, store.Change{Records: all[3:]})
	last := wantHead(t, e, 1, 4)
	if last.Epoch != first.Epoch || last.Hash == first.Hash {
		t.Errorf("heads are %+v and %+v", first, last)
	}
	for from := range uint64(6) {
		wantRecords(t, gather(t, e.Records(1, from)), all[min(max(from, 1)-1, 4):])
	}
	for r, err := range e.Records(1, 2) { // stops in the middle, and reads meanwhile
		if err != nil || r.Offset != 2 {
			t.Errorf("record is %+v, %v", r, err)
		}
		wantHead(t, e, 1, 4)
		break
	}
}

func testOutOfOrder(t *testing.T, e *env) {
	e.commit(t, store.Change{Records: []store.Record{record(1, 1, 7)}})
	before := wantHead(t, e, 1, 1)
	for _, offsets := range [][]uint64{{0}, {1}, {3}, {2, 2}, {2, 4}, {3, 2}} {
		c := store.Change{
			Tickets: []store.TicketVersion{ticket(9, 1, store.Index{Live: true})},
			Docs:    []store.Doc{{Kind: "k", Key: "k", Value: []byte("v")}},
		}
		for _, n := range offsets {
			c.Records = append(c.Records, record(1, n, 7))
		}
		wantErr(t, e.Commit([]store.Change{{Entries: []store.Entry{{Ticket: 9, Seq: 1}}}, c}), store.ErrOutOfOrder)
	}
	if after := wantHead(t, e, 1, 1); after != before {
		t.Errorf("head moved from %+v to %+v", before, after)
	}
	_, err := e.Ticket(9)
	wantErr(t, err, store.ErrNotFound)
	_, err = e.Doc("k", "k")
	wantErr(t, err, store.ErrNotFound)
	if got := gather(t, e.Entries(9, 0, 0, false)); len(got) != 0 {
		t.Errorf("entries are %v", got)
	}
	e.commit(t, store.Change{Records: []store.Record{record(1, 2, 7)}}) // the store is well
}

func testLocations(t *testing.T, e *env) {
	e.commit(t, store.Change{Tickets: []store.TicketVersion{ticket(1, 5, store.Index{})}})
	for _, location := range []int{300, 0, 1, 2} {
		e.commit(t, store.Change{Records: []store.Record{record(location, 1, 1)}})
	}
	e.commit(t, store.Change{Records: []store.Record{record(2, 2, 1), record(1, 2, 1)}})
	got, err := e.Locations()
	if want := []int{0, 1, 2, 300}; err != nil || !slices.Equal(got, want) {
		t.Errorf("locations are %v, %v, want %v", got, err, want)
	}
	wantRecords(t, gather(t, e.Records(1, 1)), []store.Record{record(1, 1, 1), record(1, 2, 1)})
	wantRecords(t, gather(t, e.Records(300, 1)), []store.Record{record(300, 1, 1)})
	a, b := wantHead(t, e, 1, 2), wantHead(t, e, 2, 2)
	if a.Epoch == b.Epoch {
		t.Errorf("two journals have the epoch %q", a.Epoch)
	}
}

// testWholeCommits reads while commits happen: an iteration sees every record of
// a commit or none, and head and records agree.
func testWholeCommits(t *testing.T, e *env) {
	const commits, each = 60, 5
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c := range uint64(commits) {
			var change store.Change
			for i := range uint64(each) {
				change.Records = append(change.Records, record(1, c*each+i+1, 1))
				v := ticket(int64(i+1), 1, store.Index{Live: true, Status: "NEW", Line: int(c)})
				change.Tickets = append(change.Tickets, v)
			}
			if err := e.Commit([]store.Change{change}); err != nil {
				t.Errorf("commit: %v", err)
				return
			}
		}
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		if n := len(gather(t, e.Records(1, 1))); n%each != 0 {
			t.Fatalf("saw %d records", n)
		}
		live := gather(t, e.Live(1))
		if n := len(live); n != 0 && n != each {
			t.Fatalf("saw %d live tickets", n)
		}
		for _, v := range live {
			if v.Index.Line != live[0].Index.Line {
				t.Fatalf("saw tickets of commits %d and %d", v.Index.Line, live[0].Index.Line)
			}
		}
		found := gather(t, e.Search(store.Query{Locations: []int{1}, Statuses: []string{"NEW"}}))
		for _, v := range found {
			if v.Index.Line != found[0].Index.Line {
				t.Fatalf("found tickets of commits %d and %d", v.Index.Line, found[0].Index.Line)
			}
		}
	}
	<-done
	wantHead(t, e, 1, commits*each)
}

func testClose(t *testing.T, e *env) {
	e.commit(t, store.Change{Records: []store.Record{record(1, 1, 1)}})
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	wantErr(t, e.Commit([]store.Change{{}}), store.ErrClosed)
	wantErr(t, e.Ready(), store.ErrClosed)
	wantErr(t, e.PutSnapshot(1, 1, nil), store.ErrClosed)
	_, err := e.Head(1)
	wantErr(t, err, store.ErrClosed)
	for _, err := range e.Records(1, 1) {
		wantErr(t, err, store.ErrClosed)
	}
	for _, err := range e.Search(store.Query{Locations: []int{1}}) {
		wantErr(t, err, store.ErrClosed)
	}
}
