package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	// enterScreen: the alternate screen, no cursor, no automatic line break (the
	// last cell must not scroll), cleared.
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J"
	leaveScreen = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
	// repaintEvery heals what a line fault or another program left behind.
	repaintEvery = time.Minute
)

// terminal paints frames. It writes only rows that changed: a screen on a
// serial line must not flicker each second.
type terminal struct {
	w io.Writer
	// size asks how large the terminal is now.
	size    func() (w, h int)
	shown   []string
	shownW  int
	painted time.Time
}

func (t *terminal) enter() error {
	_, err := io.WriteString(t.w, enterScreen)
	return err
}

func (t *terminal) leave() error {
	_, err := io.WriteString(t.w, leaveScreen)
	return err
}

func (t *terminal) show(m model, all []news) error {
	w, h := t.size()
	f := render(m, w, h)
	var b bytes.Buffer
	if f.w != t.shownW || f.h != len(t.shown) || m.now.Sub(t.painted) >= repaintEvery {
		b.WriteString("\x1b[0m\x1b[2J")
		t.shown, t.shownW, t.painted = slices.Repeat([]string{strings.Repeat(" ", f.w)}, f.h), f.w, m.now
	}
	for y := range f.h {
		if row := f.row(y); row != t.shown[y] {
			fmt.Fprintf(&b, "\x1b[%d;1H%s", y+1, row)
			t.shown[y] = row
		}
	}
	for _, n := range all {
		if rings(m, n) {
			b.WriteString("\a")
			break // one bell for a burst: a terminal swallows the others anyway
		}
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := t.w.Write(b.Bytes())
	return err
}

// rings reports whether n is announced. What came late is only shown.
func rings(m model, n news) bool {
	return (n.kind == newsCall || n.kind == newsRecall) && !n.late && m.freshness() != offline
}

var _ output = (*terminal)(nil)
