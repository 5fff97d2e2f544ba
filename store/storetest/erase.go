package storetest

import (
	"testing"

	"github.com/nowserving/nowserving/store"
)

// erased is the record without its payload.
func erased(r store.Record) store.Record {
	r.Personal, r.Erased = nil, true
	return r
}

func testErase(t *testing.T, e *env) {
	bare := store.Record{Location: 1, Offset: 3, Type: "ticket.recalled", Ticket: 7}
	e.commit(t, store.Change{
		Records: []store.Record{record(1, 1, 7), record(1, 2, 8), bare, record(2, 1, 7)},
		Tickets: []store.TicketVersion{
			ticket(7, 1, store.Index{Status: "SERVED", Created: e.now, Called: e.now, Served: e.now, Live: true}),
			ticket(8, 1, store.Index{Status: "NEW", Live: true}),
		},
		Entries: []store.Entry{{Ticket: 7, Seq: 1, Doc: []byte("hello")}, {Ticket: 8, Seq: 1, Doc: []byte("hello")}},
		Result:  &store.Result{Key: "k7", Ticket: 7, Value: []byte("v")},
	}, store.Change{Result: &store.Result{Key: "k8", Ticket: 8, Value: []byte("v")}})
	before := wantHead(t, e, 2, 1)

	after := ticket(7, 1, store.Index{Status: "SERVED", Created: e.now})
	last := record(1, 4, 7)
	e.commit(t, store.Change{
		Erase:   []int64{7},
		Records: []store.Record{last},
		Tickets: []store.TicketVersion{after},
		Entries: []store.Entry{{Ticket: 7, Seq: 2, Doc: []byte("erased")}},
		Result:  &store.Result{Key: "k7b", Ticket: 7, Value: []byte("v")},
	})
	wantRecords(t, gather(t, e.Records(1, 1)), []store.Record{erased(record(1, 1, 7)), record(1, 2, 8), bare, last})
	wantRecords(t, gather(t, e.Records(2, 1)), []store.Record{erased(record(2, 1, 7))})
	if h := wantHead(t, e, 2, 1); h != before {
		t.Errorf("head was %+v, is %+v", before, h)
	}
	wantTickets(t, gather(t, e.Live(1)), []store.TicketVersion{ticket(8, 1, store.Index{Status: "NEW", Live: true})})
	q := store.Query{Locations: []int{1}, Statuses: []string{"SERVED"}}
	for _, q.Order = range []store.Order{store.ByID, store.ByCreated, store.ByCalled, store.ByServed} {
		wantTickets(t, gather(t, e.Search(q)), []store.TicketVersion{after})
	}
	if got := gather(t, e.Entries(7, 0, 0, false)); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("entries are %+v", got)
	}
	if got := gather(t, e.Entries(8, 0, 0, false)); len(got) != 1 {
		t.Errorf("entries of the other ticket are %+v", got)
	}
	r, err := e.Result("k7")
	if err != nil || r.Ticket != 7 || len(r.Value) != 0 {
		t.Errorf("an erased result is %+v, %v", r, err)
	}
	for _, k := range []string{"k7b", "k8"} {
		if _, err := e.Result(k); err != nil {
			t.Errorf("result %s: %v", k, err)
		}
	}

	e.commit(t, store.Change{Erase: []int64{7, 99}}) // again, with nothing new, and of nobody
	wantRecords(t, gather(t, e.Records(1, 4)), []store.Record{erased(last)})
	_, err = e.Ticket(7)
	wantErr(t, err, store.ErrNotFound)
	wantTickets(t, gather(t, e.Search(q)), nil)
}

// testEraseWithin: an erasure meets what earlier changes of its own commit wrote.
func testEraseWithin(t *testing.T, e *env) {
	e.commit(t,
		store.Change{
			Records: []store.Record{record(1, 1, 7)},
			Tickets: []store.TicketVersion{ticket(7, 1, store.Index{Status: "NEW", Called: e.now, Live: true})},
			Entries: []store.Entry{{Ticket: 7, Seq: 1, Doc: []byte("hello")}},
			Result:  &store.Result{Key: "k7", Ticket: 7, Value: []byte("v")},
		},
		store.Change{Erase: []int64{7}, Records: []store.Record{record(1, 2, 7)}},
		store.Change{Records: []store.Record{record(1, 3, 7)}},
	)
	wantRecords(t, gather(t, e.Records(1, 1)), []store.Record{erased(record(1, 1, 7)), record(1, 2, 7), record(1, 3, 7)})
	if got := gather(t, e.Entries(7, 0, 0, false)); len(got) != 0 {
		t.Errorf("entries are %+v", got)
	}
	_, err := e.Ticket(7)
	wantErr(t, err, store.ErrNotFound)
	if r, err := e.Result("k7"); err != nil || len(r.Value) != 0 {
		t.Errorf("an erased result is %+v, %v", r, err)
	}
	wantTickets(t, gather(t, e.Live(1)), nil)
	for _, order := range []store.Order{store.ByID, store.ByCreated, store.ByCalled} {
		wantTickets(t, gather(t, e.Search(store.Query{Locations: []int{1}, Order: order})), nil)
	}
}

func testEraseSnapshot(t *testing.T, e *env) {
	for _, location := range []int{1, 2} {
		e.commit(t, store.Change{
			Records: []store.Record{record(location, 1, int64(location)), record(location, 2, 9)},
			Tickets: []store.TicketVersion{ticket(int64(location), location, store.Index{})},
		})
		if err := e.PutSnapshot(location, 2, []byte("Ida")); err != nil {
			t.Fatal(err)
		}
	}
	e.commit(t, store.Change{Erase: []int64{1}, Records: []store.Record{record(1, 3, 1)}})
	if n, state, err := e.Snapshot(1); n != 0 || len(state) != 0 || err != nil {
		t.Errorf("snapshot is %d, %q, %v", n, state, err)
	}
	if n, _, err := e.Snapshot(2); n != 2 || err != nil {
		t.Errorf("snapshot of the other location is %d, %v", n, err)
	}
	wantErr(t, e.PutSnapshot(1, 2, []byte("Ida")), store.ErrStale)
	if err := e.PutSnapshot(1, 3, []byte("-")); err != nil {
		t.Errorf("snapshot after the erasure: %v", err)
	}
	if n, state, err := e.Snapshot(1); n != 3 || string(state) != "-" || err != nil {
		t.Errorf("snapshot is %d, %q, %v", n, state, err)
	}
}
