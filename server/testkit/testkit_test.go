package testkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// listener is a test that keeps what it is blamed for.
type listener struct {
	testing.TB
	blamed []string
}

func (l *listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) {
	l.blamed = append(l.blamed, fmt.Sprintf(format, args...))
}

func (l *listener) Error(args ...any) { l.blamed = append(l.blamed, fmt.Sprint(args...)) }

// TestAWatcherSeesWhatIsWrong proves that what the crash tests rely on can fail.
func TestAWatcherSeesWhatIsWrong(t *testing.T) {
	snapshot := func(epoch string, offset uint64) func(*Watcher) {
		return func(w *Watcher) {
			w.Snapshot("console:1", wire.Position{Epoch: epoch, Offset: offset}, json.RawMessage(`{"tickets":[{"id":"7","status":"NEW"}]}`))
		}
	}
	push := func(prev, offset uint64) func(*Watcher) {
		return func(w *Watcher) {
			w.Push(wire.Push{Prev: prev, Offset: offset, Data: json.RawMessage(`{"ticket":{"id":"7","status":"CALLED"}}`)})
		}
	}
	for name, c := range map[string]struct {
		told  []func(*Watcher)
		wrong bool
	}{
		"in order":       {[]func(*Watcher){snapshot("e", 4), push(4, 5), push(0, 0), push(5, 6)}, false},
		"a new snapshot": {[]func(*Watcher){snapshot("e", 4), snapshot("e", 9), push(9, 10)}, false},
		"a gap":          {[]func(*Watcher){snapshot("e", 4), push(5, 6)}, true},
		"a leap":         {[]func(*Watcher){snapshot("e", 4), push(4, 6)}, true},
		"twice":          {[]func(*Watcher){snapshot("e", 4), push(4, 5), push(4, 5)}, true},
		"back":           {[]func(*Watcher){snapshot("e", 4), push(4, 5), snapshot("e", 4)}, true},
		"another life":   {[]func(*Watcher){snapshot("e", 4), snapshot("f", 9)}, true},
		"a refusal":      {[]func(*Watcher){func(w *Watcher) { w.Refused("console:1", &wire.Error{Code: wire.Forbidden}) }}, true},
	} {
		l := &listener{TB: t}
		w := NewWatcher(l)
		for _, tell := range c.told {
			tell(w)
		}
		if (len(l.blamed) > 0) != c.wrong {
			t.Errorf("%s: %q", name, l.blamed)
		}
		if name == "in order" && (w.At() != 6 || w.Saw("7") != "CALLED" || w.Saw("8") != "") {
			t.Errorf("%s: at %d, %q", name, w.At(), w.Saw("7"))
		}
	}
}

// TestATrackSeesWhatIsWrong: of a board's pushes some are not told, and nothing else.
func TestATrackSeesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		prev, offset uint64
		wrong        bool
	}{
		"the next": {4, 5, false}, "others' between": {4, 9, false},
		"a gap": {5, 6, true}, "twice": {3, 4, true}, "back": {4, 3, true}, "nowhere": {4, 4, true},
	} {
		var k Track
		if err := k.Snapshot(wire.Position{Epoch: "e", Offset: 4}); err != nil {
			t.Error(name, err)
		}
		if err := k.Push(wire.Push{Prev: c.prev, Offset: c.offset}); (err != nil) != c.wrong || k.At() != c.offset {
			t.Errorf("%s: %v, at %d", name, err, k.At())
		}
	}
}

func TestRunTellsHowItEnded(t *testing.T) {
	for _, end := range []error{nil, errors.New("fell over")} {
		l := &listener{TB: t}
		stop := Run(l, "it", func(ctx context.Context) error { <-ctx.Done(); return end })
		stop()
		stop()
		if want := end != nil; (len(l.blamed) == 1) != want {
			t.Errorf("%v: %q", end, l.blamed)
		}
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	still, ticking := NewClock(at, 0), NewClock(at, time.Second)
	still.Add(time.Hour)
	if got := still.Now(); !got.Equal(at.Add(time.Hour)) || !still.Now().Equal(got) {
		t.Error(got)
	}
	if first, second := ticking.Now(), ticking.Now(); !first.Equal(at.Add(time.Second)) || second.Sub(first) != time.Second {
		t.Error(first, second)
	}
}
