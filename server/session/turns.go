package session

import (
	"sync"
	"time"
)

// maxResting is how many goroutines wait for a frame to answer when there is
// none. Each keeps the stack that it has grown, 8 or 16 KiB.
const maxResting = 64

// turns lends goroutines to readers. A reader spends its life in a read that needs
// less than 4 KiB of stack, and answering would grow its stack to 8 KiB for good; a
// new goroutine for each frame would grow one each time.
type turns struct {
	mu      sync.Mutex // protects resting
	resting []chan turn
}

// turn is one frame to be answered.
type turn struct {
	session *session
	frame   []byte
	now     time.Time
}

// take has a frame answered, and returns when it was.
func (t *turns) take(s *session, frame []byte, now time.Time) {
	s.turn.Add(1)
	next := turn{s, frame, now}
	t.mu.Lock()
	last := len(t.resting) - 1
	if last < 0 {
		t.mu.Unlock()
		go t.work(next)
	} else {
		rested := t.resting[last] // the one whose stack is still in the cache
		t.resting = t.resting[:last]
		t.mu.Unlock()
		rested <- next
	}
	s.turn.Wait()
}

// work answers frames until it is not needed.
func (t *turns) work(next turn) {
	again := make(chan turn, 1)
	for ok := true; ok; next, ok = <-again {
		rest := t.answer(next, again)
		next = turn{} // it holds a session
		if !rest {
			return
		}
	}
}

// answer answers one frame. It goes to rest before the reader is told, so that
// whoever sees the last session leave sees everybody who rests.
func (t *turns) answer(next turn, again chan turn) (rest bool) {
	defer next.session.turn.Done()
	next.session.handle(next.frame, next.now)
	t.mu.Lock()
	defer t.mu.Unlock()
	if rest = len(t.resting) < maxResting; rest {
		t.resting = append(t.resting, again)
	}
	return rest
}

// dismiss ends those who rest.
func (t *turns) dismiss() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.resting {
		close(c)
	}
	t.resting = nil
}
