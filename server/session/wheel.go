package session

import (
	"sync"
	"time"
)

const (
	// wheelTick is how late a deadline may be noticed.
	wheelTick = 500 * time.Millisecond
	// wheelSlots covers 64 s, more than any limit; what lies further off is
	// looked at once per lap.
	wheelSlots = 128
)

// wheel wakes sessions at their deadlines. A session sits in one slot, and is
// not moved when it is heard from: when its slot comes, it is asked again. So
// ten thousand idle sockets cost no timers, and a frame costs no lock.
type wheel struct {
	start time.Time

	mu    sync.Mutex // protects the rest, and session.slot
	slots [wheelSlots]map[*session]struct{}
	tick  int64 // the last one that was handled
}

func newWheel(start time.Time) *wheel { return &wheel{start: start} }

// add puts s into the slot of a deadline.
func (w *wheel) add(s *session, deadline time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ticks := int64((deadline.Sub(w.start) + wheelTick - 1) / wheelTick)
	ticks = min(max(ticks, w.tick+1), w.tick+wheelSlots-1)
	w.drop(s)
	slot := int(ticks % wheelSlots)
	if w.slots[slot] == nil {
		w.slots[slot] = make(map[*session]struct{})
	}
	w.slots[slot][s] = struct{}{}
	s.slot = slot + 1
}

func (w *wheel) remove(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(s)
}

func (w *wheel) drop(s *session) {
	if s.slot == 0 {
		return
	}
	delete(w.slots[s.slot-1], s)
	s.slot = 0
}

// due takes out the sessions whose slots have passed.
func (w *wheel) due(now time.Time) []*session {
	w.mu.Lock()
	defer w.mu.Unlock()
	target := int64(now.Sub(w.start) / wheelTick)
	// After a long sleep of the machine one lap is everything.
	w.tick = max(w.tick, target-wheelSlots)
	var out []*session
	for w.tick < target {
		w.tick++
		slot := w.tick % wheelSlots
		for s := range w.slots[slot] {
			s.slot = 0
			out = append(out, s)
		}
		w.slots[slot] = nil
	}
	return out
}
