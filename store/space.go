package store

import (
	"fmt"
	"sync"
	"time"
)

// spaceEvery is how long a look at the free space holds: asking is cheap, but
// not so cheap as to be done for every commit.
const spaceEvery = 100 * time.Millisecond

// spaceGuard remembers the last look at the free space.
type spaceGuard struct {
	mu   sync.Mutex // protects the rest
	last time.Time
	err  error
}

// checkSpace is nil while there is room, or ErrFull.
func (s *Badger) checkSpace() error {
	g := &s.space
	g.mu.Lock()
	defer g.mu.Unlock()
	now := s.opt.Clock()
	if age := now.Sub(g.last); !g.last.IsZero() && age >= 0 && age < spaceEvery {
		return g.err
	}
	g.last = now
	free, err := s.opt.FreeSpace(s.opt.Dir)
	switch {
	case err != nil:
		g.err = fmt.Errorf("%w: the free space is not known: %v", ErrFull, err)
	case free < s.opt.MinFree:
		g.err = fmt.Errorf("%w: %d MiB left, needs %d", ErrFull, free>>20, s.opt.MinFree>>20)
	default:
		g.err = nil
	}
	return g.err
}
