package chatapi

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-pdf/fpdf"
)

// pdfScale turns the asked size in pixels into points.
const pdfScale = 0.75

// exportPDF is POST /tickets/pdf/{id}. Existing clients read the answer as text,
// so every byte of it is ASCII: streams are written as hexadecimal digits.
func exportPDF(c *call) (any, error) {
	x, err := c.export()
	if err != nil {
		return nil, err
	}
	out, err := x.pdf()
	if err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return typed{"application/pdf", out}, nil
}

func (x *exported) pdf() ([]byte, error) {
	size := float64(x.Font) * pdfScale
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCompression(false)
	doc.SetTitle(ascii(x.Title), false)
	doc.SetCreator("nowserving", false)
	doc.SetMargins(18, 18, 18)
	doc.SetAutoPageBreak(true, 18)
	doc.AddPage()
	line := size * 0.5
	doc.SetFont("Helvetica", "B", size*1.4)
	doc.MultiCell(0, line*1.4, ascii(x.Title), "", "L", false)
	doc.Ln(line)
	for _, d := range x.Details {
		doc.SetFont("Helvetica", "B", size)
		doc.CellFormat(40, line, ascii(d.Label), "", 0, "L", false, 0, "")
		doc.SetFont("Helvetica", "", size)
		doc.MultiCell(0, line, ascii(d.Value), "", "L", false)
	}
	if x.Link != "" {
		doc.SetFont("Helvetica", "", size)
		doc.MultiCell(0, line, ascii(x.Link), "", "L", false)
	}
	for _, e := range x.Entries {
		doc.Ln(line / 2)
		doc.SetFont("Helvetica", "B", size*0.85)
		doc.MultiCell(0, line, ascii(e.When+" UTC - "+e.Who+" - "+e.Type), "T", "L", false)
		doc.SetFont("Helvetica", "", size)
		if e.Text != "" {
			doc.MultiCell(0, line, ascii(e.Text), "", "L", false)
		}
		for _, f := range e.Files {
			doc.MultiCell(0, line, ascii("["+f+"]"), "", "L", false)
		}
	}
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		return nil, err
	}
	return plainPDF(out.Bytes()), nil
}

// ascii writes a text with the letters that every reader of PDF has: what is none
// of them is named by its number.
func ascii(v string) string {
	var out strings.Builder
	for _, r := range v {
		switch {
		case r == '\n' || r >= ' ' && r < 0x7f:
			out.WriteRune(r)
		case r == '\t':
			out.WriteByte(' ')
		case r < ' ' || r == 0x7f:
		default:
			out.WriteString(transcribed(r))
		}
	}
	return out.String()
}

// transcribed is a character in ASCII.
func transcribed(r rune) string {
	for _, t := range [][2]string{
		{"–—‐‑", "-"}, {"‘’‚′", "'"}, {"“”„«»", `"`}, {"…", "..."}, {"\u00a0", " "}, {"•·", "*"}, {"€", "EUR"},
		{"àáâãåā", "a"}, {"äæ", "ae"}, {"çćč", "c"}, {"èéêëēė", "e"}, {"ìíîïī", "i"}, {"ñń", "n"}, {"òóôõøō", "o"}, {"öœ", "oe"},
		{"ùúûū", "u"}, {"ü", "ue"}, {"ýÿ", "y"}, {"ß", "ss"}, {"šś", "s"}, {"žźż", "z"}, {"ł", "l"},
		{"ÀÁÂÃÅ", "A"}, {"ÄÆ", "Ae"}, {"ÇĆČ", "C"}, {"ÈÉÊË", "E"}, {"ÌÍÎÏ", "I"}, {"Ñ", "N"}, {"ÒÓÔÕØ", "O"}, {"Ö", "Oe"},
		{"ÙÚÛ", "U"}, {"Ü", "Ue"}, {"Ý", "Y"}, {"Š", "S"}, {"Ž", "Z"},
	} {
		if strings.ContainsRune(t[0], r) {
			return t[1]
		}
	}
	return fmt.Sprintf("\\u%04x", r)
}

// plainPDF replaces the comment of four high bytes that the library puts into the
// second line; it only tells mail programs of old that the file is not text.
func plainPDF(b []byte) []byte {
	for i, c := range b {
		if c >= 0x80 {
			b[i] = '.'
		}
	}
	return b
}
