package testkit

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
)

// Track checks the positions that one listener is told: each push follows what came
// before it, and no snapshot goes back. The zero value has heard nothing.
type Track struct{ at wire.Position }

// Snapshot takes a snapshot's position and says what is wrong with it.
func (k *Track) Snapshot(at wire.Position) (err error) {
	if k.at.Epoch != "" && (at.Epoch != k.at.Epoch || at.Offset < k.at.Offset) {
		err = fmt.Errorf("snapshot at %+v after %+v: history went back", at, k.at)
	}
	k.at = at
	return err
}

// Push takes a push's position and says what is wrong with it.
func (k *Track) Push(p wire.Push) (err error) {
	if p.Prev != k.at.Offset || p.Offset <= p.Prev {
		err = fmt.Errorf("push %d (prev %d) after %d", p.Offset, p.Prev, k.at.Offset)
	}
	k.at.Offset = p.Offset
	return err
}

// At is the offset of the last thing.
func (k *Track) At() uint64 { return k.at.Offset }

// Watcher follows one location's console over every kill and cut, and checks that
// what it is told is contiguous, or a snapshot that does not go back.
type Watcher struct {
	t     testing.TB
	mu    sync.Mutex // protects the rest
	track Track
	seen  map[string]string // status by ticket
}

// NewWatcher is a Watcher that has heard nothing yet.
func NewWatcher(t testing.TB) *Watcher { return &Watcher{t: t, seen: map[string]string{}} }

// Snapshot implements client.Handler.
func (w *Watcher) Snapshot(_ string, at wire.Position, data json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.track.Snapshot(at); err != nil {
		w.t.Error(err)
	}
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
	if err := w.track.Push(p); err != nil {
		w.t.Error(err)
	}
	if p.Offset != p.Prev+1 {
		w.t.Errorf("push %d after %d: a console is told of every event", p.Offset, p.Prev)
	}
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
	return w.track.At()
}

// Saw is the last status in which a ticket was shown, "" for one that never was.
func (w *Watcher) Saw(ticket string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[ticket]
}

var _ client.Handler = (*Watcher)(nil)
