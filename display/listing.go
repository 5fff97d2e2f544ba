package main

import (
	"strconv"

	"github.com/nowserving/nowserving/display/board"
)

const (
	// twoColumns is the width from which the lines have a column of their own.
	twoColumns = 60
	// bigListing is the height from which the list is in block letters, too.
	bigListing = 3*(glyphRows+1) + 2
)

// entry is one row of the list: a call, or one that ended.
type entry struct {
	ticket board.Ticket
	ended  bool
}

// entries lists everything called but the hero: it is on the screen already.
func entries(m model) []entry {
	hero, _ := m.heroTicket()
	var list []entry
	for _, t := range m.board.Serving {
		if t.Key != hero.Key && m.shows(t) {
			list = append(list, entry{t, false})
		}
	}
	for _, t := range m.board.Recent {
		if m.shows(t) {
			list = append(list, entry{t, true})
		}
	}
	return list
}

// drawListing fills the rows from top to before bottom.
func drawListing(f *frame, m model, top, bottom int) {
	if bottom-top < 2 {
		return
	}
	left := f.w
	if f.w >= twoColumns {
		left = f.w / 2
		drawLines(f, m, left+margin, top, bottom)
	}
	f.put(margin, top, left-2*margin, headingStyle(m), m.words().say("recent"))
	list := entries(m)
	if bottom-top >= bigListing {
		drawBigEntries(f, m, list, left, top+2, bottom)
		return
	}
	drawEntries(f, m, list, left, top+1, bottom)
}

func headingStyle(m model) style {
	if m.freshness() == offline {
		return dim
	}
	return bold
}

func entryStyle(m model, e entry) style {
	switch {
	case m.freshness() == offline:
		return dim
	case e.ended:
		return plain
	}
	return bold
}

// drawEntries lists one call per row. What does not fit is counted, so that
// nobody takes a short list for a complete one.
func drawEntries(f *frame, m model, list []entry, w, top, bottom int) {
	rows := bottom - top
	for i, e := range list {
		if hidden := openAfter(list, i); i == rows-1 && hidden > 1 {
			f.put(margin, top+i, w-2*margin, plain, m.words().say("more", "n", hidden))
			return
		}
		if i >= rows {
			return
		}
		x := f.put(margin, top+i, w-2*margin, entryStyle(m, e), mark(e)+callText(m, e.ticket))
		if again := m.words().nth(e.ticket.Recalls); again != "" && !e.ended {
			f.put(x+2, top+i, w-margin-x-2, plain, again)
		}
	}
}

// openAfter counts the calls from i on that are still being served.
func openAfter(list []entry, i int) int {
	n := 0
	for _, e := range list[i:] {
		if !e.ended {
			n++
		}
	}
	return n
}

func mark(e entry) string {
	if e.ended {
		return "  "
	}
	return "• "
}

// drawBigEntries lists calls in block letters, in as many columns as fit.
func drawBigEntries(f *frame, m model, list []entry, w, top, bottom int) {
	widest := 0
	for _, e := range list {
		n, ok := bigWidth(callText(m, e.ticket), 1)
		if !ok || n > w-2*margin {
			drawEntries(f, m, list, w, top, bottom)
			return
		}
		widest = max(widest, n)
	}
	if widest == 0 {
		return // nothing to list
	}
	columns := max(1, (w-margin)/(widest+3*margin))
	rows := (bottom - top) / (glyphRows + 1)
	if openAfter(list, 0) > rows*columns {
		drawEntries(f, m, list, w, top, bottom)
		return
	}
	for i, e := range list {
		if i >= rows*columns {
			return
		}
		x := margin + i/rows*(widest+3*margin)
		y := top + i%rows*(glyphRows+1)
		f.big(x, y, 1, entryStyle(m, e), callText(m, e.ticket))
	}
}

// drawLines shows each line's name, how many wait in it, and for how long.
func drawLines(f *frame, m model, x, top, bottom int) {
	w := f.w - x - margin
	off := m.freshness() == offline
	f.put(x, top, w, headingStyle(m), m.words().say("lines"))
	step := 1
	if bottom-top >= bigListing {
		step = 2
	}
	y := top + step
	for _, l := range m.board.Lines {
		if !m.showsLine(l.ID) {
			continue
		}
		if y >= bottom {
			return
		}
		const countW, waitW = 5, 12
		name := l.Name
		if l.Series != "" {
			name = l.Series + "  " + name
		}
		s := plain
		if off {
			s = dim
		}
		f.put(x, y, w-countW-waitW, s, name)
		if !off {
			f.right(x, y, w-waitW, bold, strconv.Itoa(l.Waiting))
			f.right(x, y, w, plain, waitText(m, l))
		}
		y += step
	}
}

func waitText(m model, l board.Line) string {
	switch w := l.Wait; {
	case w == nil || l.Waiting == 0 && w.Max == 0:
		return ""
	case w.Min == w.Max:
		return m.words().say("waitOne", "min", w.Max)
	default:
		return m.words().say("wait", "min", w.Min, "max", w.Max)
	}
}
