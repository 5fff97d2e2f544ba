package chatapi

import (
	"container/list"
	"slices"
	"sync"

	"github.com/nowserving/nowserving/hub/ticket"
)

const (
	// longThread is from how many entries on a decoded thread is worth keeping.
	longThread = 200
	// keptEntries bounds all that are kept: some tens of megabytes.
	keptEntries = 50000
)

// threads keeps decoded threads of long conversations: reading one again costs
// what is new in it. Only what can never change is kept: a text message's entry
// is written again when its status changes, so threads with one are not.
type threads struct {
	mu     sync.Mutex // protects the rest
	kept   map[int64]*list.Element
	recent *list.List // of *keptThread, most recently used first
	total  int
}

// keptThread is a thread's beginning; its entries are never changed.
type keptThread struct {
	ticket  int64
	entries []ticket.Transaction // oldest first, numbered from 1 without holes
}

func newThreads() *threads { return &threads{kept: map[int64]*list.Element{}, recent: list.New()} }

func (h *threads) get(id int64) []ticket.Transaction {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.kept[id]
	if !ok {
		return nil
	}
	h.recent.MoveToFront(e)
	return e.Value.(*keptThread).entries
}

func (h *threads) put(id int64, entries []ticket.Transaction) {
	if len(entries) < longThread || len(entries) > keptEntries {
		return
	}
	for i := range entries {
		if entries[i].Seq != uint64(i+1) || entries[i].Protocol == ticket.ProtocolSMS {
			return
		}
	}
	h.drop(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[id] = h.recent.PushFront(&keptThread{id, slices.Clip(entries)})
	for h.total += len(entries); h.total > keptEntries; {
		h.forget(h.recent.Back())
	}
}

// drop forgets a thread: it was erased.
func (h *threads) drop(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.kept[id]; ok {
		h.forget(e)
	}
}

// forget takes a thread out; mu is held.
func (h *threads) forget(e *list.Element) {
	k := h.recent.Remove(e).(*keptThread)
	delete(h.kept, k.ticket)
	h.total -= len(k.entries)
}

// thread is a ticket's whole thread, oldest first. It must not be changed.
func (a *API) thread(t *ticket.Ticket) ([]ticket.Transaction, error) {
	if t.Erased {
		a.threads.drop(t.ID)
		return a.Ledger.Transactions(t.ID, 1, 0, false)
	}
	known := a.threads.get(t.ID)
	if len(known) > 0 && uint64(len(known)) >= t.Conversation.Seq {
		return known, nil
	}
	fresh, err := a.Ledger.Transactions(t.ID, uint64(len(known))+1, 0, false)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 { // known has no room left, so this copies it
		fresh = append(known, fresh...)
	}
	a.threads.put(t.ID, fresh)
	// An erasure that came meanwhile must find nothing kept.
	if now, err := a.Ledger.Ticket(t.ID); err != nil || now.Erased {
		a.threads.drop(t.ID)
	}
	return fresh, nil
}
