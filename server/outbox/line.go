package outbox

import (
	"fmt"
	"slices"
	"time"
)

const (
	// readAhead is how many deliveries in line are in memory at most, per target,
	// and readAheadBytes how much of them: one is always taken.
	readAhead      = 32
	readAheadBytes = 256 << 10
	// maxAside bounds deliveries out of line, per target, and steppedAside those
	// that got there by failing.
	maxAside     = 64
	steppedAside = 16
	// keptPast is how many past deliveries are kept, per target.
	keptPast = 50
)

// lineState is what a target knows of its deliveries; target.mu protects it.
type lineState struct {
	ready []*item // the front of the line
	bytes int     // of ready's bodies
	high  string  // the highest key that was ever in ready
	// behind says that there may be more in the store after high, missed that
	// something was committed since the last read of it began.
	behind, missed bool

	aside []*item // without bodies, by key
	past  []*item // without bodies, oldest first

	// gone holds, by erased ticket, the key before which deliveries are erased.
	// Erasures are rare; a few bytes for each stay until the process ends.
	gone map[int64]string

	waiting int  // deliveries in line and aside
	failing bool // the last attempt failed
	lastOK  time.Time
	lastBad time.Time

	hidden map[string]time.Time // polling: until when a delivery is not shown again
	news   chan struct{}        // polling: closed when something arrives
}

func (l *lineState) init() {
	l.behind = true // whatever an earlier process left
	l.gone = map[int64]string{}
	l.hidden = map[string]time.Time{}
	l.news = make(chan struct{})
}

// load reads what an earlier process left.
func (t *target) load(r Reader) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, err := range r.Docs(lineDocs(t.ID)) {
		if err != nil {
			return fmt.Errorf("read line of target %s: %w", t.ID, err)
		}
		t.waiting++
	}
	for _, part := range []struct {
		kind string
		list *[]*item
	}{{asideDocs(t.ID), &t.aside}, {pastDocs(t.ID), &t.past}} {
		for d, err := range r.Docs(part.kind) {
			if err != nil {
				return fmt.Errorf("read deliveries of target %s: %w", t.ID, err)
			}
			it, err := decodeItem(d)
			if err != nil {
				return err
			}
			it.body, it.aside = nil, true
			*part.list = append(*part.list, it)
		}
	}
	t.waiting += len(t.aside)
	slices.SortStableFunc(t.past, func(a, b *item) int { return a.Done.Compare(b.Done) })
	return nil
}

// arrive takes a delivery that has become durable. It never waits.
func (t *target) arrive(it *item) {
	t.mu.Lock()
	t.waiting++
	size := t.bytes + len(it.body)
	switch {
	case t.Kind == ChatPoll:
		close(t.news)
		t.news = make(chan struct{})
	case it.key <= t.high: // the deliverer has read it from the store already
	case !t.behind && len(t.ready) < readAhead && (size <= readAheadBytes || len(t.ready) == 0):
		t.ready = append(t.ready, it)
		t.bytes, t.high = size, it.key
	default:
		t.behind, t.missed = true, true
	}
	t.mu.Unlock()
	t.stir()
}

// posted takes a durable delivery that is not in line.
func (t *target) posted(it *item) {
	if !it.aside {
		t.arrive(it)
		return
	}
	t.mu.Lock()
	t.waiting++
	t.putAside(it)
	t.mu.Unlock()
	t.stir()
}

// putAside keeps the list sorted and without bodies; mu is held.
func (t *target) putAside(it *item) {
	light := *it
	light.body, light.aside = nil, true
	i, _ := slices.BinarySearchFunc(t.aside, it.key, func(x *item, k string) int { return compare(x.key, k) })
	t.aside = slices.Insert(t.aside, i, &light)
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (t *target) roomAside() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.aside) < maxAside
}

// stir wakes the deliverer.
func (t *target) stir() {
	select {
	case t.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// hangUp wakes everybody who waits for this target.
func (t *target) hangUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.news)
	t.news = make(chan struct{})
}

// isGone reports whether a delivery was erased; mu is held.
func (t *target) isGone(it *item) bool {
	before, ok := t.gone[it.Ticket]
	return ok && it.Ticket != 0 && (it.key < before || it.key[:1] == postedPrefix)
}

// next is the delivery whose turn it is, or nil and how long to wait for one; 0
// means until something arrives. Those aside come first: they are older.
func (t *target) next(now time.Time) (it *item, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	candidates := t.aside
	if len(t.ready) > 0 {
		candidates = append(slices.Clip(candidates), t.ready[0])
	}
	for _, c := range candidates {
		d := c.Next.Sub(now)
		if d <= 0 {
			return c, 0
		}
		if wait == 0 || d < wait {
			wait = d
		}
	}
	return nil, wait
}

// refill reads the front of the line when all that was in memory is done.
func (o *Outbox) refill(t *target) error {
	for {
		t.mu.Lock()
		if !t.behind || len(t.ready) > 0 {
			t.mu.Unlock()
			return nil
		}
		t.missed = false
		after := t.high
		t.mu.Unlock()
		found, all, err := o.readLine(t.ID, after)
		if err != nil {
			return err
		}
		t.mu.Lock()
		for _, it := range found {
			t.high = it.key
			if !t.isGone(it) {
				t.ready = append(t.ready, it)
				t.bytes += len(it.body)
			}
		}
		t.behind = !all || t.missed
		t.mu.Unlock()
	}
}

// readLine reads the first deliveries after a key; all says that there are no more.
func (o *Outbox) readLine(target, after string) (found []*item, all bool, err error) {
	size := 0
	for d, err := range o.read.Docs(lineDocs(target)) {
		if err != nil {
			return nil, false, fmt.Errorf("read line of target %s: %w", target, err)
		}
		if d.Key <= after {
			continue
		}
		if len(found) == readAhead || size > readAheadBytes {
			return found, false, nil
		}
		it, err := decodeItem(d)
		if err != nil {
			return nil, false, err
		}
		size += len(it.body)
		found = append(found, it)
	}
	return found, true, nil
}

// leave takes a delivery out of memory; mu is held.
func (t *target) leave(it *item) {
	if it.aside {
		t.aside = slices.DeleteFunc(t.aside, func(x *item) bool { return x.key == it.key })
		return
	}
	if len(t.ready) > 0 && t.ready[0].key == it.key {
		t.bytes -= len(t.ready[0].body)
		t.ready[0] = nil
		t.ready = t.ready[1:]
	}
	if len(t.ready) == 0 {
		t.ready, t.bytes = nil, 0
	}
}
