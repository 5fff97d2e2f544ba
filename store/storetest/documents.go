package storetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/store"
)

func testTickets(t *testing.T, e *env) {
	created := e.now
	a := ticket(7, 1, store.Index{Line: 2, Status: "NEW", Created: created, Live: true})
	b := ticket(3, 1, store.Index{Line: 2, Status: "NEW", Created: created, Live: true})
	e.commit(t, store.Change{Tickets: []store.TicketVersion{a, b}})
	got, err := e.Ticket(7)
	if err != nil {
		t.Fatal(err)
	}
	wantTickets(t, []store.TicketVersion{got}, []store.TicketVersion{a})
	wantTickets(t, gather(t, e.Live(1)), []store.TicketVersion{b, a})

	a.Index.Status, a.Index.Called, a.Index.Caller = "CALLED", created.Add(time.Minute), 4
	a.Doc = []byte("second")
	e.commit(t, store.Change{Tickets: []store.TicketVersion{a}}, store.Change{Tickets: []store.TicketVersion{b}})
	a.Index.Status, a.Index.Served, a.Index.Live = "SERVED", created.Add(2*time.Minute), false
	e.commit(t, store.Change{Tickets: []store.TicketVersion{a}})
	got, err = e.Ticket(7)
	if err != nil {
		t.Fatal(err)
	}
	wantTickets(t, []store.TicketVersion{got}, []store.TicketVersion{a})
	wantTickets(t, gather(t, e.Live(1)), []store.TicketVersion{b})

	b.Location = 2 // a ticket may move
	e.commit(t, store.Change{Tickets: []store.TicketVersion{b}})
	wantTickets(t, gather(t, e.Live(1)), nil)
	wantTickets(t, gather(t, e.Live(2)), []store.TicketVersion{b})
	wantTickets(t, gather(t, e.Search(store.Query{Locations: []int{1}})), []store.TicketVersion{a})
}

func testEntries(t *testing.T, e *env) {
	var c store.Change
	for _, seq := range []uint64{1, 2, 3, 500, 1 << 40} {
		c.Entries = append(c.Entries, store.Entry{Ticket: 7, Seq: seq, Doc: []byte{byte(seq)}})
	}
	c.Entries = append(c.Entries, store.Entry{Ticket: 8, Seq: 1}, store.Entry{Ticket: 6, Seq: 9})
	e.commit(t, c)
	e.commit(t, store.Change{Entries: []store.Entry{{Ticket: 7, Seq: 2, Doc: []byte("again")}}})
	for _, w := range []struct {
		seq    uint64
		limit  int
		newest bool
		want   []uint64
	}{
		{0, 0, false, []uint64{1, 2, 3, 500, 1 << 40}},
		{2, 0, false, []uint64{2, 3, 500, 1 << 40}},
		{4, 1, false, []uint64{500}},
		{0, 0, true, []uint64{1 << 40, 500, 3, 2, 1}},
		{0, 2, true, []uint64{1 << 40, 500}},
		{500, 2, true, []uint64{500, 3}},
		{499, 9, true, []uint64{3, 2, 1}},
		{1<<40 + 1, 0, false, nil},
	} {
		var got []uint64
		for _, n := range gather(t, e.Entries(7, w.seq, w.limit, w.newest)) {
			got = append(got, n.Seq)
			if n.Ticket != 7 || (n.Seq == 2) != (string(n.Doc) == "again") {
				t.Errorf("entry is %+v", n)
			}
		}
		if len(got) != len(w.want) {
			t.Errorf("%+v: got %v", w, got)
			continue
		}
		for i := range got {
			if got[i] != w.want[i] {
				t.Errorf("%+v: got %v", w, got)
			}
		}
	}
}

func testDocs(t *testing.T, e *env) {
	put := func(kind, key, value string) store.Doc {
		return store.Doc{Kind: kind, Key: key, Value: []byte(value)}
	}
	e.commit(t, store.Change{Docs: []store.Doc{
		put("user", "b", "2"), put("user", "a", "1"), put("user", "", "root"), put("user", "ab", ""), put("use", "r", "x"), put("users", "a", "y"),
	}})
	e.commit(t, store.Change{Docs: []store.Doc{put("user", "b", "3"), {Kind: "user", Key: "a"}, {Kind: "user", Key: "none"}}})
	got := gather(t, e.Docs("user"))
	want := []store.Doc{put("user", "", "root"), put("user", "ab", ""), put("user", "b", "3")}
	if len(got) != len(want) {
		t.Fatalf("documents are %+v", got)
	}
	for i := range got {
		if got[i].Kind != "user" || got[i].Key != want[i].Key || !bytes.Equal(got[i].Value, want[i].Value) {
			t.Errorf("document %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	if v, err := e.Doc("user", "b"); err != nil || string(v) != "3" {
		t.Errorf("document is %q, %v", v, err)
	}
	_, err := e.Doc("user", "a")
	wantErr(t, err, store.ErrNotFound)
}

func testResults(t *testing.T, e *env) {
	e.commit(t, store.Change{Result: &store.Result{Key: "k1", Ticket: 7, Value: []byte("v1")}})
	e.pass(store.ResultTTL)
	e.commit(t, store.Change{Result: &store.Result{Key: "k2", Value: []byte("v2")}})
	if r, err := e.Result("k1"); err != nil || r.Ticket != 7 || string(r.Value) != "v1" || r.Key != "k1" {
		t.Errorf("result is %+v, %v", r, err)
	}
	e.pass(time.Nanosecond)
	_, err := e.Result("k1")
	wantErr(t, err, store.ErrNotFound)
	if r, err := e.Result("k2"); err != nil || r.Ticket != 0 || string(r.Value) != "v2" {
		t.Errorf("result is %+v, %v", r, err)
	}
	// A key whose result ran out may be used again, for another ticket.
	e.commit(t, store.Change{Result: &store.Result{Key: "k1", Ticket: 8, Value: []byte("v3")}})
	e.commit(t, store.Change{Erase: []int64{7}})
	if r, err := e.Result("k1"); err != nil || r.Ticket != 8 || string(r.Value) != "v3" {
		t.Errorf("result is %+v, %v", r, err)
	}
}

func testSnapshots(t *testing.T, e *env) {
	e.commit(t, store.Change{Records: []store.Record{record(1, 1, 7), record(1, 2, 7), record(2, 1, 8)}})
	wantErr(t, e.PutSnapshot(1, 3, []byte("s")), store.ErrInvalid)
	for i, state := range []string{"one", "two", ""} {
		if err := e.PutSnapshot(1, uint64(i%2+1), []byte(state)); err != nil {
			t.Fatal(err)
		}
		n, got, err := e.Snapshot(1)
		if err != nil || n != uint64(i%2+1) || string(got) != state {
			t.Errorf("snapshot is %d, %q, %v, want %q", n, got, err, state)
		}
	}
	if n, _, err := e.Snapshot(2); n != 0 || err != nil {
		t.Errorf("snapshot is %d, %v", n, err)
	}
}

func testLargeSnapshot(t *testing.T, e *env) {
	e.commit(t, store.Change{Records: []store.Record{record(1, 1, 7)}})
	for _, size := range []int{3 << 20, 300 << 10, 1 << 20} {
		state := bytes.Repeat([]byte("state "), size/6)
		if err := e.PutSnapshot(1, 1, state); err != nil {
			t.Fatal(err)
		}
		if n, got, err := e.Snapshot(1); err != nil || n != 1 || !bytes.Equal(got, state) {
			t.Errorf("snapshot has %d bytes at %d, %v; want %d", len(got), n, err, len(state))
		}
	}
}

func testInvalid(t *testing.T, e *env) {
	long := strings.Repeat("x", 300)
	huge := make([]byte, 2<<20)
	for name, c := range map[string]store.Change{
		"location -1":     {Records: []store.Record{record(-1, 1, 7)}},
		"long type":       {Records: []store.Record{{Location: 1, Offset: 1, Type: long}}},
		"erased":          {Records: []store.Record{{Location: 1, Offset: 1, Erased: true}}},
		"far time":        {Records: []store.Record{{Location: 1, Offset: 1, Time: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}}},
		"ticket 0":        {Tickets: []store.TicketVersion{ticket(0, 1, store.Index{})}},
		"ticket nowhere":  {Tickets: []store.TicketVersion{ticket(1, 0, store.Index{})}},
		"long status":     {Tickets: []store.TicketVersion{ticket(1, 1, store.Index{Status: long})}},
		"far created":     {Tickets: []store.TicketVersion{ticket(1, 1, store.Index{Created: time.Unix(1<<40, 0)})}},
		"entry 0":         {Entries: []store.Entry{{Ticket: 1}}},
		"entry of nobody": {Entries: []store.Entry{{Seq: 1}}},
		"no kind":         {Docs: []store.Doc{{Key: "k"}}},
		"no key":          {Result: &store.Result{}},
		"erase 0":         {Erase: []int64{0}},
		"huge facts":      {Records: []store.Record{{Location: 1, Offset: 1, Facts: huge}}},
		"huge ticket":     {Tickets: []store.TicketVersion{{ID: 1, Location: 1, Doc: huge}}},
	} {
		err := e.Commit([]store.Change{{Docs: []store.Doc{{Kind: "k", Key: "k", Value: []byte{1}}}}, c})
		if !errors.Is(err, store.ErrInvalid) && !errors.Is(err, store.ErrTooBig) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	_, err := e.Doc("k", "k")
	wantErr(t, err, store.ErrNotFound)
	e.commit(t, store.Change{Records: []store.Record{record(1, 1, 7)}}) // the store is well
	for _, q := range []store.Query{{}, {Locations: []int{1}, Order: "name"}} {
		_, err := e.Count(q)
		wantErr(t, err, store.ErrInvalid)
		seen := 0
		for _, err := range e.Search(q) {
			wantErr(t, err, store.ErrInvalid)
			seen++
		}
		if seen != 1 {
			t.Errorf("search yielded %d times", seen)
		}
	}
}

// testOwnBytes: what a caller does with its slices afterwards changes nothing.
func testOwnBytes(t *testing.T, e *env) {
	r, v := record(1, 1, 7), ticket(7, 1, store.Index{Live: true})
	n := store.Entry{Ticket: 7, Seq: 1, Doc: []byte("entry")}
	d := store.Doc{Kind: "k", Key: "k", Value: []byte("doc")}
	res := store.Result{Key: "k", Value: []byte("result")}
	e.commit(t, store.Change{Records: []store.Record{r}, Tickets: []store.TicketVersion{v},
		Entries: []store.Entry{n}, Docs: []store.Doc{d}, Result: &res})
	for range 2 {
		for _, b := range [][]byte{r.Facts, r.Personal, v.Doc, n.Doc, d.Value, res.Value} {
			clear(b)
		}
		r, v = gather(t, e.Records(1, 1))[0], gather(t, e.Live(1))[0]
		n = gather(t, e.Entries(7, 0, 0, false))[0]
		var err error
		if d.Value, err = e.Doc("k", "k"); err != nil {
			t.Fatal(err)
		}
		if res, err = e.Result("k"); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{r.Facts, r.Personal, v.Doc, n.Doc, d.Value, res.Value} {
			if bytes.IndexByte(b, 0) >= 0 {
				t.Fatalf("%q was changed", b)
			}
		}
	}
}
