package testkit

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
)

// Watcher follows one location's console over every kill and cut, and checks that
// what it is told is contiguous, or a snapshot that does not go back.
type Watcher struct {
	t    testing.TB
	mu   sync.Mutex // protects the rest
	last wire.Position
	seen map[string]string // status by ticket
}

// NewWatcher is a Watcher that has heard nothing yet.
func NewWatcher(t testing.TB) *Watcher { return &Watcher{t: t, seen: map[string]string{}} }

// Snapshot implements client.Handler.
func (w *Watcher) Snapshot(_ string, at wire.Position, data json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.Epoch != "" && (at.Epoch != w.last.Epoch || at.Offset < w.last.Offset) {
		w.t.Errorf("snapshot at %+v after %+v: history went back", at, w.last)
	}
	w.last = at
	var s struct{ Tickets []struct{ ID, Status string } }
	if err := json.Unmarshal(data, &s); err != nil {
		w.t.Error(err)
	}
	for _, tk := range s.Tickets {
		w.seen[tk.ID] = tk.Status
	}
}

// Push implements client.Handler.
func (w *Watcher) Push(p wire.Push) {
	if p.Offset == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.Prev != w.last.Offset || p.Offset != p.Prev+1 { // a console is told of every event
		w.t.Errorf("push %d (prev %d) after %d", p.Offset, p.Prev, w.last.Offset)
	}
	w.last.Offset = p.Offset
	var d struct{ Ticket struct{ ID, Status string } }
	if err := json.Unmarshal(p.Data, &d); err != nil {
		w.t.Error(err)
	}
	w.seen[d.Ticket.ID] = d.Ticket.Status
}

// Refused implements client.Handler.
func (w *Watcher) Refused(channel string, err *wire.Error) {
	w.t.Errorf("%s refused: %v", channel, err)
}

// Status implements client.Handler.
func (*Watcher) Status(client.Status) {}

// At is the offset of the last thing that it was told of.
func (w *Watcher) At() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Offset
}

// Saw is the last status in which a ticket was shown, "" for one that never was.
func (w *Watcher) Saw(ticket string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[ticket]
}

var _ client.Handler = (*Watcher)(nil)
