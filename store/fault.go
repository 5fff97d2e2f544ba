package store

import (
	"bytes"
	"errors"
	"sync"
)

// ErrInjected is what an injected fault fails with, whatever its mode: a caller
// must not be able to tell whether the commit happened.
var ErrInjected = errors.New("store: injected fault")

// FaultMode is what an injected fault does to a commit.
type FaultMode int

// The modes of a fault.
const (
	NoFault    FaultMode = iota
	FailBefore           // nothing is written, the commit fails
	FailAfter            // everything is written and durable, the commit fails
	FailEither           // one of the two, by the rule's Seed: the outcome is unknown
	StopBefore           // Fault.Stop is called before anything is written
	StopAfter            // Fault.Stop is called when everything is durable and nobody knows it
)

// Prefixes, of no key, that some commits touch too: those with an erasure, those
// that delete old results, and the first of a collection.
const (
	MarkErase   = "erase"
	MarkPurge   = "purge"
	MarkCollect = flushKey
)

// The points of a collection, as prefixes of rules: between its steps there is
// no commit.
const (
	PointCollectDropped   = "collect dropped"
	PointCollectFlattened = "collect flattened"
)

// FaultRule picks one commit: the Nth (from 1) that writes or deletes a key with
// the prefix.
type FaultRule struct {
	Prefix string
	Nth    int
	Mode   FaultMode
	Seed   uint64
}

func (r FaultRule) mode() FaultMode {
	switch {
	case r.Mode != FailEither:
		return r.Mode
	case r.Seed%2 == 0:
		return FailBefore
	}
	return FailAfter
}

// Fault is the test seam of a store: rules that each fire once.
type Fault struct {
	// Stop is called by rules that stop; a test ends its process in it.
	Stop func(r FaultRule)
	// Slow is called before every commit, if it is not nil: a slow disk.
	Slow func()

	mu    sync.Mutex // protects the rest
	rules []FaultRule
	seen  []int
	fired int
	last  FaultRule // written by whoever commits, and read by it
}

// NewFault makes a seam with rules.
func NewFault(rules ...FaultRule) *Fault {
	return &Fault{rules: rules, seen: make([]int, len(rules))}
}

// Fired counts the faults that happened: a test that injects one proves with it
// that the fault was met.
func (f *Fault) Fired() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// Next is called by an engine once per commit with the keys it touches, and
// says what to do to it. A nil Fault does nothing.
func (f *Fault) Next(keys [][]byte) FaultMode {
	if f == nil {
		return NoFault
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	mode := NoFault
	for i, r := range f.rules {
		if !touches(keys, r.Prefix) {
			continue
		}
		f.seen[i]++
		if f.seen[i] == r.Nth && mode == NoFault {
			mode = r.mode()
			f.fired++
			f.last = r
		}
	}
	return mode
}

// before does what a mode asks for before a commit, and says whether it fails.
func (f *Fault) before(mode FaultMode) bool {
	if f != nil && f.Slow != nil {
		f.Slow()
	}
	if mode == StopBefore {
		f.Stop(f.last)
	}
	return mode == FailBefore
}

// after is before's other side.
func (f *Fault) after(mode FaultMode) bool {
	if mode == StopAfter {
		f.Stop(f.last)
	}
	return mode == FailAfter
}

// at is a point that is no commit: a rule that stops there stops, whatever its side.
func (f *Fault) at(point string) {
	if mode := f.Next([][]byte{[]byte(point)}); mode == StopBefore || mode == StopAfter {
		f.Stop(f.last)
	}
}

func touches(keys [][]byte, prefix string) bool {
	for _, k := range keys {
		if bytes.HasPrefix(k, []byte(prefix)) {
			return true
		}
	}
	return false
}

// ChangeKeys lists the keys of what a change writes directly (no indexes), for
// engines without a keyspace of their own to feed a Fault.
func ChangeKeys(c *Change) [][]byte {
	var out [][]byte
	add := func(k key) { out = append(out, k.append(nil)) }
	for _, r := range c.Records {
		add(key{kind: 'r', location: r.Location, num: r.Offset})
		add(key{kind: 'h', location: r.Location})
	}
	for _, v := range c.Tickets {
		add(key{kind: 't', id: v.ID})
	}
	for _, e := range c.Entries {
		add(key{kind: 'e', id: e.Ticket, num: e.Seq})
	}
	for _, d := range c.Docs {
		add(key{kind: 'f', name: d.Kind, rest: d.Key})
	}
	if c.Result != nil {
		add(key{kind: 'i', rest: c.Result.Key})
	}
	return out
}

// SnapshotKeys is ChangeKeys for PutSnapshot.
func SnapshotKeys(location int) [][]byte {
	return [][]byte{key{kind: 's', location: location}.append(nil)}
}
