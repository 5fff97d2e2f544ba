package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds a piece of foreign text, in runes: no screen shows more, and
// marks that pile up on one letter must not fill it.
const maxText = 512

// clean makes foreign text harmless for a terminal: control characters (and so
// every escape sequence) and invisible format marks are dropped, each kind of
// space becomes a plain one.
func clean(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) && r != '\u0085', unicode.In(r, unicode.Zl, unicode.Zp):
			r = ' '
		case r == utf8.RuneError, unicode.In(r, unicode.C):
			continue
		}
		if n++; n > maxText {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wide lists what takes two cells on a terminal.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115F, Stride: 1}, {Lo: 0x2E80, Hi: 0xA4CF, Stride: 1},
		{Lo: 0xAC00, Hi: 0xD7A3, Stride: 1}, {Lo: 0xF900, Hi: 0xFAFF, Stride: 1},
		{Lo: 0xFE30, Hi: 0xFE6F, Stride: 1}, {Lo: 0xFF00, Hi: 0xFF60, Stride: 1},
		{Lo: 0xFFE0, Hi: 0xFFE6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1F300, Hi: 0x1FAFF, Stride: 1}, {Lo: 0x20000, Hi: 0x3FFFD, Stride: 1},
	},
}

// runeWidth is how many cells r takes: 0 for marks that join the letter before.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// textWidth is how many cells clean text takes.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// fit shortens clean text to at most w cells and says so with an ellipsis.
func fit(s string, w int) string {
	if textWidth(s) <= w {
		return s
	}
	if w < 1 {
		return ""
	}
	n := 0
	for i, r := range s {
		if n+runeWidth(r) > w-1 {
			return s[:i] + "…"
		}
		n += runeWidth(r)
	}
	return s
}
