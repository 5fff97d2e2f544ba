package maintenance

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// digest stands for a document: a year of tickets must fit into memory.
type digest [16]byte

func digestOf(doc []byte) digest {
	sum := sha256.Sum256(doc)
	return digest(sum[:16])
}

// version is what the journals say of a ticket.
type version struct {
	location int
	doc      digest
	index    store.Index
	thread   map[uint64]digest
	personal uint64 // offset of the first record that holds personal data
}

// folded is the fold of all journals.
type folded struct {
	st      store.Store
	problem func(error)
	tickets map[int64]*version
}

// again is a document as this program writes it: fields that are newer than the
// document are no damage.
func again[T any](doc []byte) digest {
	v := new(T)
	if err := json.Unmarshal(doc, v); err != nil {
		return digest{}
	}
	out, err := json.Marshal(v)
	if err != nil {
		return digest{}
	}
	return digestOf(out)
}

func damage(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{store.ErrCorrupt}, args...)...)
}

// journal folds one journal from its beginning and compares its snapshot on the way.
func (f *folded) journal(id int) error {
	at, stored, err := f.st.Snapshot(id)
	if err != nil {
		f.problem(err)
		at = 0
	}
	state := ticket.NewState(id)
	var command []ticket.Event
	for r, err := range f.st.Records(id, 1) {
		if err != nil {
			return err
		}
		e, err := ticket.DecodeEvent(r.Type, r.Ticket, r.Time, r.Facts, r.Personal)
		if err != nil {
			return damage("journal %d, offset %d: %v", id, r.Offset, err)
		}
		f.personal(r)
		command = append(command, e)
		if e.Facts.More {
			continue
		}
		if err := f.command(state, command); err != nil {
			return damage("journal %d, offset %d: %v", id, r.Offset, err)
		}
		command = command[:0]
		if state.Offset == at && at > 0 {
			f.snapshot(state, stored)
		}
	}
	if len(command) > 0 {
		return damage("journal %d ends within a command", id)
	}
	return nil
}

// personal checks that an erasure left nothing of what was before it.
func (f *folded) personal(r store.Record) {
	if r.Ticket == 0 {
		return
	}
	v := f.of(r.Ticket)
	if r.Type == string(ticket.EventErased) && v.personal != 0 {
		f.problem(damage("journal %d, offset %d: personal data of ticket %d, which was erased at %d",
			r.Location, v.personal, r.Ticket, r.Offset))
	}
	if r.Personal != nil && v.personal == 0 {
		v.personal = r.Offset
	}
}

// command folds one command's events as the ledger does.
func (f *folded) command(s *ticket.State, events []ticket.Event) error {
	for _, e := range events {
		ticket.Evolve(s, e)
		if e.Ticket == 0 {
			continue
		}
		v := f.of(e.Ticket)
		if e.Type == ticket.EventErased {
			v.thread = map[uint64]digest{}
		}
		if e.InThread() {
			entry := e.Transaction()
			doc, err := json.Marshal(&entry)
			if err != nil {
				return err
			}
			v.thread[entry.Seq] = digestOf(doc)
		}
	}
	for _, e := range events {
		t := s.Tickets[e.Ticket]
		if e.Ticket == 0 || t == nil {
			continue
		}
		doc, err := json.Marshal(t)
		if err != nil {
			return err
		}
		v := f.of(e.Ticket)
		v.location, v.doc, v.index = t.Location, digestOf(doc), indexOf(t)
		s.Settle(e.Ticket)
	}
	return nil
}

func (f *folded) of(id int64) *version {
	v := f.tickets[id]
	if v == nil {
		v = &version{thread: map[uint64]digest{}}
		f.tickets[id] = v
	}
	return v
}

func (f *folded) snapshot(s *ticket.State, stored []byte) {
	want, err := s.Encode()
	if err != nil {
		f.problem(damage("journal %d: %v", s.Journal, err))
		return
	}
	state, err := ticket.DecodeState(stored)
	if err != nil {
		f.problem(damage("snapshot of journal %d: %v", s.Journal, err))
		return
	}
	got, err := state.Encode()
	if err != nil || !bytes.Equal(got, want) {
		f.problem(damage("snapshot of journal %d at %d is not what the journal folds to", s.Journal, s.Offset))
	}
}

// indexOf is what a ticket must be found by.
func indexOf(t *ticket.Ticket) store.Index {
	return store.Index{
		Line: t.Place.Line, Status: string(t.Place.Status), Created: t.Place.CreatedAt, Called: t.CalledAt(),
		Served: t.Place.ServedAt, Caller: t.Caller(), Live: t.Live(),
	}
}

func same(a, b store.Index) bool {
	return a.Line == b.Line && a.Status == b.Status && a.Caller == b.Caller && a.Live == b.Live &&
		a.Created.Equal(b.Created) && a.Called.Equal(b.Called) && a.Served.Equal(b.Served)
}

// compare checks every stored ticket and its thread against the fold, and the
// other way round.
func (f *folded) compare(locations []int) error {
	found := 0
	for v, err := range f.st.Search(store.Query{Locations: locations, Order: store.ByID}) {
		if err != nil {
			return err
		}
		want := f.tickets[v.ID]
		if want == nil {
			f.problem(damage("ticket %d is in no journal", v.ID))
			continue
		}
		found++
		if want.location != v.Location || want.doc != again[ticket.Ticket](v.Doc) || !same(want.index, v.Index) {
			f.problem(damage("ticket %d is not what its journal folds to", v.ID))
		}
		if err := f.thread(v.ID, want.thread); err != nil {
			return err
		}
		want.doc = digest{} // seen
	}
	if found < len(f.tickets) {
		for id, v := range f.tickets {
			if v.doc != (digest{}) {
				f.problem(damage("ticket %d of the journal is not stored", id))
			}
		}
	}
	return nil
}

func (f *folded) thread(id int64, want map[uint64]digest) error {
	n := 0
	for e, err := range f.st.Entries(id, 0, 0, false) {
		if err != nil {
			return err
		}
		n++
		if want[e.Seq] != again[ticket.Transaction](e.Doc) {
			f.problem(damage("message %d of ticket %d is not what its journal folds to", e.Seq, id))
		}
	}
	if n != len(want) {
		f.problem(damage("ticket %d has %d messages, its journal %d", id, n, len(want)))
	}
	return nil
}
