package main

import (
	"strings"
)

// style is how a cell looks. There are no colours on purpose: inversion is
// seen on every terminal and by everybody.
type style uint8

const (
	plain   style = 0
	bold    style = 1
	dim     style = 2
	inverse style = 4
)

// cell is one place on the terminal. A wide letter leaves the cell after it
// with an empty text.
type cell struct {
	text  string
	style style
}

// frame is everything on the screen at one moment.
type frame struct {
	w, h  int
	cells []cell
}

// The largest terminal that is believed; more is a defect of the terminal.
const (
	maxColumns = 1000
	maxRows    = 400
	// maxCell bounds the bytes of one letter with the marks that join it.
	maxCell = 16
)

func newFrame(w, h int) *frame {
	w, h = min(max(w, 1), maxColumns), min(max(h, 1), maxRows)
	f := &frame{w: w, h: h, cells: make([]cell, w*h)}
	for i := range f.cells {
		f.cells[i].text = " "
	}
	return f
}

func (f *frame) inside(x, y int) bool { return x >= 0 && x < f.w && y >= 0 && y < f.h }

// fill gives a rectangle of blanks a style.
func (f *frame) fill(x, y, w, h int, s style) {
	for j := y; j < y+h; j++ {
		for i := x; i < x+w; i++ {
			if f.inside(i, j) {
				f.cells[j*f.w+i] = cell{" ", s}
			}
		}
	}
}

// put writes one row of text, cleaned, from x on and cuts it at the right edge
// of w cells. It returns the x behind the text.
func (f *frame) put(x, y, w int, s style, text string) int {
	text = fit(clean(text), w)
	for _, r := range text {
		n := runeWidth(r)
		if n == 0 {
			if f.inside(x-1, y) && len(f.cells[y*f.w+x-1].text) < maxCell {
				f.cells[y*f.w+x-1].text += string(r)
			}
			continue
		}
		if x+n > f.w || !f.inside(x, y) {
			break
		}
		f.cells[y*f.w+x] = cell{string(r), s}
		if n == 2 {
			f.cells[y*f.w+x+1] = cell{"", s}
		}
		x += n
	}
	return x
}

// center and right write like put, aligned within w cells from x on.
func (f *frame) center(x, y, w int, s style, text string) {
	text = fit(clean(text), w)
	f.put(x+(w-textWidth(text))/2, y, w, s, text)
}

func (f *frame) right(x, y, w int, s style, text string) {
	text = fit(clean(text), w)
	f.put(x+w-textWidth(text), y, w, s, text)
}

// row is the terminal form of a row: text with the styles switched on and off.
func (f *frame) row(y int) string {
	var b strings.Builder
	now := plain
	for _, c := range f.cells[y*f.w : (y+1)*f.w] {
		if c.style != now {
			now = c.style
			b.WriteString("\x1b[0")
			for _, code := range []struct {
				s    style
				text string
			}{{bold, ";1"}, {dim, ";2"}, {inverse, ";7"}} {
				if now&code.s != 0 {
					b.WriteString(code.text)
				}
			}
			b.WriteString("m")
		}
		b.WriteString(c.text)
	}
	if now != plain {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}
