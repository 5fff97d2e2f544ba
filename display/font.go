package main

import (
	"strings"
	"unicode"
)

// glyphRows is the height of a block letter, in dots.
const glyphRows = 5

// dotWidth is how many cells make a dot: a cell is about twice as high as wide.
const dotWidth = 2

// glyphs are the block letters, row by row from the top. Those that a ticket
// number or the name of a desk needs are there; other text is shown plain.
var glyphs = map[rune]string{
	'0': ".##. #..# #..# #..# .##.",
	'1': ".#. ##. .#. .#. ###",
	'2': "###. ...# .##. #... ####",
	'3': "###. ...# .##. ...# ###.",
	'4': "#..# #..# #### ...# ...#",
	'5': "#### #... ###. ...# ###.",
	'6': ".##. #... ###. #..# .##.",
	'7': "#### ...# ..#. .#.. .#..",
	'8': ".##. #..# .##. #..# .##.",
	'9': ".##. #..# .### ...# .##.",
	'A': ".##. #..# #### #..# #..#",
	'B': "###. #..# ###. #..# ###.",
	'C': ".### #... #... #... .###",
	'D': "###. #..# #..# #..# ###.",
	'E': "#### #... ###. #... ####",
	'F': "#### #... ###. #... #...",
	'G': ".### #... #.## #..# .###",
	'H': "#..# #..# #### #..# #..#",
	'I': "### .#. .#. .#. ###",
	'J': "..## ...# ...# #..# .##.",
	'K': "#..# #.#. ##.. #.#. #..#",
	'L': "#... #... #... #... ####",
	'M': "#...# ##.## #.#.# #...# #...#",
	'N': "#...# ##..# #.#.# #..## #...#",
	'O': "#### #..# #..# #..# ####",
	'P': "###. #..# ###. #... #...",
	'Q': ".##. #..# #..# #.#. .#.#",
	'R': "###. #..# ###. #.#. #..#",
	'S': ".### #... .##. ...# ###.",
	'T': "##### ..#.. ..#.. ..#.. ..#..",
	'U': "#..# #..# #..# #..# .##.",
	'V': "#...# #...# #...# .#.#. ..#..",
	'W': "#...# #...# #.#.# ##.## #...#",
	'X': "#...# .#.#. ..#.. .#.#. #...#",
	'Y': "#...# .#.#. ..#.. ..#.. ..#..",
	'Z': "#### ..#. .#.. #... ####",
	'-': "... ... ### ... ...",
	'.': ". . . . #",
	'/': "..# ..# .#. #.. #..",
	'→': "..#.. ...#. ##### ...#. ..#..",
	' ': ". . . . .",
}

// blocks is text as dots, or false when a letter is missing.
func blocks(text string) ([glyphRows]string, bool) {
	var rows [glyphRows]string
	for i, r := range []rune(clean(text)) {
		g, ok := glyphs[unicode.ToUpper(r)]
		if !ok {
			return rows, false
		}
		for y, dots := range strings.Fields(g) {
			if i > 0 {
				rows[y] += "."
			}
			rows[y] += dots
		}
	}
	return rows, rows[0] != ""
}

// bigWidth is how many cells text takes as block letters of one dot per scale.
func bigWidth(text string, scale int) (int, bool) {
	rows, ok := blocks(text)
	return len(rows[0]) * dotWidth * scale, ok
}

// bigScale is the largest scale at which text fits into w by h cells, or 0.
func bigScale(text string, w, h int) int {
	one, ok := bigWidth(text, 1)
	if !ok {
		return 0
	}
	return min(w/one, h/glyphRows)
}

// big draws text as block letters with their upper left corner at x, y.
func (f *frame) big(x, y, scale int, s style, text string) {
	rows, _ := blocks(text)
	for j, dots := range rows {
		for i, dot := range dots {
			if dot != '#' {
				continue
			}
			for dy := range scale {
				f.put(x+i*dotWidth*scale, y+j*scale+dy, dotWidth*scale, s, strings.Repeat("█", dotWidth*scale))
			}
		}
	}
}
