package session

import (
	"context"
	"slices"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// patience is how long a socket waits to be let in. A client that is sent away
// comes back after a second or more, and after twice that the next time; a place
// is free again as soon as somebody has said who he is, which takes milliseconds.
const patience = 3 * time.Second

// waitingRoom is how many wait for each that is let in.
const waitingRoom = 2

// strangers counts sockets without proof of who they are, and has some more wait
// for their places: a fleet that comes back at one instant is let in as fast as it
// says who it is.
type strangers struct {
	limit, perAddress int
	all               int
	from              map[string]int
	waiting           []*newcomer // first come, first let in
}

// newcomer waits for a place.
type newcomer struct {
	address string
	in      chan struct{} // closed when it has one
}

// enter takes a place if there is one.
func (s *strangers) enter(address string) bool {
	if s.all >= s.limit || s.from[address] >= s.perAddress {
		return false
	}
	s.all++
	s.from[address]++
	return true
}

// queue is nil if too many wait already.
func (s *strangers) queue(address string) *newcomer {
	same := 0
	for _, n := range s.waiting {
		if n.address == address {
			same++
		}
	}
	if len(s.waiting) >= waitingRoom*s.limit || same >= waitingRoom*s.perAddress {
		return nil
	}
	n := &newcomer{address: address, in: make(chan struct{})}
	s.waiting = append(s.waiting, n)
	return n
}

// leave gives a place back, to the first that may have it.
func (s *strangers) leave(address string) {
	s.all--
	if s.from[address]--; s.from[address] == 0 {
		delete(s.from, address)
	}
	for i, n := range s.waiting {
		if s.enter(n.address) {
			s.waiting = slices.Delete(s.waiting, i, i+1)
			close(n.in)
			return
		}
	}
}

// giveUp is false if n was let in meanwhile.
func (s *strangers) giveUp(n *newcomer) bool {
	i := slices.Index(s.waiting, n)
	if i < 0 {
		return false
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return true
}

// dismiss lets everybody in that waits, to be told that the node is stopping.
func (s *strangers) dismiss() {
	for _, n := range s.waiting {
		s.all++
		s.from[n.address]++
		close(n.in)
	}
	s.waiting = nil
}

// place gets a stranger a place, or says why not.
func (s *Server) place(ctx context.Context, address string) error {
	s.mu.Lock()
	if s.strangers.enter(address) {
		s.mu.Unlock()
		return nil
	}
	var n *newcomer
	if !s.draining {
		n = s.strangers.queue(address)
	}
	s.mu.Unlock()
	if n != nil {
		wait := time.NewTimer(patience)
		defer wait.Stop()
		select {
		case <-n.in:
			return nil
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n != nil && !s.strangers.giveUp(n) {
		return nil
	}
	s.refused++
	return &wire.Error{Code: wire.RateLimited, Message: "too many sockets that have not connected yet", RetryAfter: 1}
}
