package store

import (
	"errors"
	"fmt"
	"maps"

	badger "github.com/dgraph-io/badger/v4"
)

// maxTickets bounds the remembered tickets: more than one deployment's live
// ones, and a few MiB.
const maxTickets = 1 << 16

// ticketState is what is known of a ticket's newest version: where its index
// entries are.
type ticketState struct {
	there    bool
	location int
	index    Index
}

// batch is one transaction being put together.
type batch struct {
	s       *Badger
	txn     *badger.Txn
	heads   map[int]headState // staged, become the store's after the commit
	dirty   map[int]bool
	tickets map[int64]ticketState
	erased  map[int]bool // locations of tickets erased by the batch
	keys    [][]byte     // only with a fault seam
	writes  int
	// erasedKeys counts what erasures have taken, rest is what they leave to
	// transactions that follow; see finish.
	erasedKeys int
	rest       []remainder
}

func (s *Badger) newBatch() *batch {
	return &batch{
		s:       s,
		txn:     s.db.NewTransaction(true),
		heads:   make(map[int]headState),
		dirty:   make(map[int]bool),
		tickets: make(map[int64]ticketState),
		erased:  make(map[int]bool),
	}
}

func (b *batch) note(k []byte) {
	b.writes++
	if b.s.opt.Fault != nil {
		b.keys = append(b.keys, k)
	}
}

func (b *batch) set(k key, value []byte) error { return b.setBytes(k.append(newKey()), value) }

func (b *batch) setBytes(k, value []byte) error {
	b.note(k)
	if int64(len(value)) >= b.s.inline {
		return badger.ErrTxnTooBig // it would go to the value log
	}
	return b.txn.Set(k, value)
}

func (b *batch) delete(k key) error { return b.deleteBytes(k.append(newKey())) }

func (b *batch) deleteBytes(k []byte) error {
	b.note(k)
	return b.txn.Delete(k)
}

// newKey is room for a key and for the version that the engine adds.
func newKey() []byte { return make([]byte, 0, 48) }

// commit writes the batch and syncs it. Any error stops the store.
func (b *batch) commit() error {
	if b.writes == 0 {
		return nil
	}
	fault := b.s.opt.Fault
	mode := fault.Next(b.keys)
	if fault.before(mode) {
		return b.s.fail(ErrInjected)
	}
	if err := b.txn.Commit(); err != nil {
		return b.s.fail(fmt.Errorf("store: commit: %w", err))
	}
	b.s.keeper.note()
	if fault.after(mode) {
		return b.s.fail(ErrInjected)
	}
	return nil
}

// Commit makes changes durable in one synced transaction.
func (s *Badger) Commit(changes []Change) error {
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if err := s.failure(); err != nil {
		return err
	}
	if err := Validate(changes); err != nil {
		return err
	}
	if err := s.checkOrder(changes); err != nil {
		return err
	}
	if err := s.checkSpace(); err != nil {
		return err
	}
	b := s.newBatch()
	defer b.txn.Discard()
	for i := range changes {
		if err := b.apply(&changes[i]); err != nil {
			return s.notApplied(err)
		}
	}
	if err := b.putHeads(); err != nil {
		return s.notApplied(err)
	}
	if err := b.commit(); err != nil {
		return err
	}
	s.adopt(b)
	return s.finish(b, changes)
}

// notApplied is the error of a batch that was not begun to be written. Only
// being too big is harmless: anything else means that reading went wrong.
func (s *Badger) notApplied(err error) error {
	if errors.Is(err, badger.ErrTxnTooBig) {
		return fmt.Errorf("%w: over %d bytes", ErrTooBig, s.MaxCommit())
	}
	return s.fail(err)
}

// checkOrder says whether the records follow the heads, before anything is done.
func (s *Badger) checkOrder(changes []Change) error {
	next := make(map[int]uint64)
	for i := range changes {
		for j := range changes[i].Records {
			r := &changes[i].Records[j]
			head, ok := next[r.Location]
			if !ok {
				head = s.heads[r.Location].Offset
			}
			if r.Offset != head+1 {
				return fmt.Errorf("%w: location %d is at %d, record has %d",
					ErrOutOfOrder, r.Location, head, r.Offset)
			}
			next[r.Location] = r.Offset
		}
	}
	return nil
}

// adopt takes over what a commit staged.
func (s *Badger) adopt(b *batch) {
	maps.Copy(s.heads, b.heads)
	for location := range b.erased {
		s.erasures[location]++
	}
	for id, t := range b.tickets {
		if t.there && t.index.Live && len(s.tickets) < maxTickets {
			s.tickets[id] = t
		} else {
			delete(s.tickets, id)
		}
	}
}

func (b *batch) apply(c *Change) error {
	erased := make(map[int]bool)
	for _, id := range c.Erase {
		if err := b.erase(id, erased); err != nil {
			return err
		}
	}
	for i := range c.Records {
		if err := b.putRecord(&c.Records[i]); err != nil {
			return err
		}
	}
	for i := range c.Tickets {
		if err := b.putTicket(&c.Tickets[i]); err != nil {
			return err
		}
	}
	for _, e := range c.Entries {
		if err := b.set(key{kind: 'e', id: e.Ticket, num: e.Seq}, seal(fresh(e.Doc))); err != nil {
			return err
		}
	}
	for _, d := range c.Docs {
		if err := b.putDoc(d); err != nil {
			return err
		}
	}
	if c.Result != nil {
		if err := b.putResult(c.Result); err != nil {
			return err
		}
	}
	for location := range erased {
		h := b.head(location)
		h.floor = h.Offset
		b.stage(location, h)
		b.erased[location] = true
	}
	return nil
}

// fresh copies p with room for a checksum: the caller keeps its own bytes.
func fresh(p []byte) []byte {
	return append(make([]byte, 0, len(p)+4), p...)
}

func (b *batch) head(location int) headState {
	if h, ok := b.heads[location]; ok {
		return h
	}
	return b.s.heads[location]
}

func (b *batch) stage(location int, h headState) {
	b.heads[location] = h
	b.dirty[location] = true
}

func (b *batch) putHeads() error {
	for location := range b.dirty {
		if err := b.set(key{kind: 'h', location: location}, appendHead(nil, b.heads[location])); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) putRecord(r *Record) error {
	h := b.head(r.Location)
	if h.Offset == 0 {
		h.Epoch = b.s.opt.NewEpoch()
	}
	st := storedRecord{
		header: appendHeader(make([]byte, 0, headerSize+len(r.Type)), r),
		facts:  r.Facts,
	}
	k := key{kind: 'r', location: r.Location, num: r.Offset, part: partPersonal}
	if len(r.Personal) > 0 {
		part, digest := appendPersonal(make([]byte, 0, 1+saltSize+len(r.Personal)), r.Personal)
		st.digest = digest[:]
		if err := b.set(k, part); err != nil {
			return err
		}
		if r.Ticket != 0 {
			if err := b.set(key{kind: 'o', id: r.Ticket, location: r.Location, num: r.Offset}, nil); err != nil {
				return err
			}
		}
	}
	st.hash = b.s.chain.next(h.Hash, r.Location, r.Offset, st)
	k.part = partFacts
	value := st.append(make([]byte, 0, len(st.header)+2*hashSize+len(r.Facts)))
	if err := b.set(k, value); err != nil {
		return err
	}
	h.Offset, h.Hash = r.Offset, st.hash
	b.stage(r.Location, h)
	return nil
}

// state is what is known of a ticket within the batch.
func (b *batch) state(id int64) (ticketState, error) {
	if t, ok := b.tickets[id]; ok {
		return t, nil
	}
	if t, ok := b.s.tickets[id]; ok {
		return t, nil
	}
	v, err := getTicket(b.txn, id)
	if errors.Is(err, ErrNotFound) {
		return ticketState{}, nil
	}
	return ticketState{there: true, location: v.Location, index: v.Index}, err
}

// indexKeys are the ticket's keys in the indexes, of kind 0 where it has none.
func (t ticketState) indexKeys(id int64) [5]key {
	var out [5]key
	if !t.there {
		return out
	}
	ix := &t.index
	out[0] = key{kind: 'n', location: t.location, name: ix.Status, id: id}
	out[1] = key{kind: 'c', location: t.location, num: stamp(ix.Created), id: id}
	if !ix.Called.IsZero() {
		out[2] = key{kind: 'd', location: t.location, num: stamp(ix.Called), id: id}
	}
	if !ix.Served.IsZero() {
		out[3] = key{kind: 'v', location: t.location, num: stamp(ix.Served), id: id}
	}
	if ix.Live {
		out[4] = key{kind: 'l', location: t.location, id: id}
	}
	return out
}

func (b *batch) putTicket(v *TicketVersion) error {
	old, err := b.state(v.ID)
	if err != nil {
		return err
	}
	now := ticketState{there: true, location: v.Location, index: v.Index}
	if err := b.moveIndex(v.ID, old, now); err != nil {
		return err
	}
	k := key{kind: 't', id: v.ID}
	return b.set(k, appendTicket(make([]byte, 0, 64+len(v.Doc)), *v))
}

// moveIndex writes what differs between the index entries of two versions.
func (b *batch) moveIndex(id int64, old, now ticketState) error {
	var value []byte
	same := old.there && now.there && old.location == now.location && sameIndex(old.index, now.index)
	if now.there && !same {
		value = appendIndex(make([]byte, 0, 64), now.index)
	}
	was, is := old.indexKeys(id), now.indexKeys(id)
	for i := range was {
		if was[i].kind != 0 && was[i] != is[i] {
			if err := b.delete(was[i]); err != nil {
				return err
			}
		}
		switch {
		case is[i].kind == 0 || (same && was[i] == is[i]):
		case is[i].kind == 'l' && was[i] == is[i]: // has no value that could have changed
		case is[i].kind == 'l':
			if err := b.set(is[i], nil); err != nil {
				return err
			}
		default:
			if err := b.set(is[i], value); err != nil {
				return err
			}
		}
	}
	b.tickets[id] = now
	b.countLive(old, -1)
	b.countLive(now, 1)
	return nil
}

func (b *batch) countLive(t ticketState, by int) {
	if t.there && t.index.Live {
		h := b.head(t.location)
		h.live += uint64(by)
		b.stage(t.location, h)
	}
}

func sameIndex(a, b Index) bool {
	return a.Line == b.Line && a.Status == b.Status && a.Caller == b.Caller && a.Live == b.Live &&
		a.Created.Equal(b.Created) && a.Called.Equal(b.Called) && a.Served.Equal(b.Served)
}

func (b *batch) putDoc(d Doc) error {
	k := key{kind: 'f', name: d.Kind, rest: d.Key}
	if d.Value == nil {
		return b.delete(k)
	}
	return b.set(k, seal(fresh(d.Value)))
}

func (b *batch) putResult(r *Result) error {
	at := b.s.opt.Clock()
	v := appendResult(make([]byte, 0, 20+len(r.Value)), storedResult{at: at, ticket: r.Ticket, value: r.Value})
	if err := b.set(key{kind: 'i', rest: r.Key}, v); err != nil || r.Ticket == 0 {
		return err
	}
	return b.set(key{kind: 'j', id: r.Ticket, rest: r.Key}, v[:8:8])
}
