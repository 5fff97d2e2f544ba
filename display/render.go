package main

import (
	"time"

	"github.com/nowserving/nowserving/display/board"
)

const (
	headRows = 3 // title and clock; the strip that says when it is not current; a gap
	footRows = 1
	margin   = 2
)

// render paints a moment. It is a pure function: the golden files are its
// contract, and every size down to one cell gives a frame.
func render(m model, w, h int) *frame {
	f := newFrame(w, h)
	drawHead(f, m)
	drawStrip(f, m)
	body := f.h - headRows
	switch {
	case !m.loaded:
		f.center(0, headRows+body/2, f.w, plain, m.words().say("connecting"))
	case m.desk != 0:
		drawHero(f, m, headRows, body)
	default:
		used := drawHero(f, m, headRows, heroRows(f.h))
		drawListing(f, m, headRows+used+1, f.h-footRows-1)
		drawFoot(f, m)
	}
	return f
}

// heroRows is how much height the latest call may take: it is what people look
// for from the far end of the room.
func heroRows(h int) int { return (h - headRows - footRows) * 11 / 20 }

func drawHead(f *frame, m model) {
	title := m.board.Location.Name
	if m.desk != 0 && m.loaded {
		title = m.words().desk(m.deskName(m.desk))
	}
	at := ""
	switch m.freshness() {
	case fresh, stale:
		at = m.clock(m.now, "15:04")
	case reconnecting:
		at = "○ " + m.clock(m.now, "15:04")
	case offline:
		// The hub's clock is not known any more, and a wrong clock is worse than none.
	}
	f.put(margin, 0, f.w-2*margin-textWidth(at)-1, bold, title)
	f.right(margin, 0, f.w-2*margin, bold, at)
}

// drawStrip says in words since when the board is not current.
func drawStrip(f *frame, m model) {
	since := m.clock(m.current, time.TimeOnly)
	text := ""
	switch f := m.freshness(); {
	case f == stale && !m.loaded:
		text = "! " + m.words().say("offline", "time", since)
	case f == stale:
		text = "! " + m.words().say("stale", "time", since)
	case f == offline:
		text = "! " + m.words().say("offline", "time", since)
	default:
		return
	}
	f.fill(0, 1, f.w, 1, inverse|bold)
	f.center(0, 1, f.w, inverse|bold, text)
}

// callStyle is how calls look: dimmed when nobody can vouch for them.
func callStyle(m model) style {
	if m.freshness() == offline {
		return dim
	}
	return inverse | bold
}

// drawHero paints the latest call as large as height rows allow, and returns
// the rows that it used.
func drawHero(f *frame, m model, top, height int) int {
	t, ok := m.heroTicket()
	if !ok {
		text := m.words().say("idle")
		if m.desk != 0 {
			text = m.words().say("next")
		}
		used := max(min(height, 5), 1)
		f.center(0, top+used/2, f.w, plain, text)
		return used
	}
	s := callStyle(m)
	text, under := heroText(f, m, t, height)
	scale := bigScale(text, f.w-2*margin, height-3)
	if scale == 0 {
		return plainHero(f, m, t, top, height)
	}
	used := glyphRows*scale + 3
	if m.desk != 0 {
		used = height
	}
	f.fill(0, top, f.w, used, s)
	w, _ := bigWidth(text, scale)
	y := top + (used-1-glyphRows*scale)/2
	f.big((f.w-w)/2, y, scale, s, text)
	f.center(0, top+used-1, f.w, s, under)
	return used
}

// heroText is what is drawn large, and the line under it. The desk is drawn
// large beside the number where there is room, and is never left out.
func heroText(f *frame, m model, t board.Ticket, height int) (large, under string) {
	under = t.Name
	if again := m.words().nth(t.Recalls); again != "" {
		under = joined(again, under)
	}
	desk := clean(m.deskName(t.Desk))
	if m.desk != 0 || desk == "" {
		return t.PublicID, under
	}
	large = t.PublicID + " → " + desk
	if bigScale(large, f.w-2*margin, height-3) > 0 {
		return large, under
	}
	return t.PublicID, joined(m.words().desk(desk), under)
}

// plainHero is the latest call where block letters do not fit.
func plainHero(f *frame, m model, t board.Ticket, top, height int) int {
	s := callStyle(m)
	used := max(min(height, 3), 1)
	f.fill(0, top, f.w, used, s)
	text := callText(m, t)
	if again := m.words().nth(t.Recalls); again != "" {
		text = joined(text, again)
	}
	f.center(0, top+used/2, f.w, s, joined(text, t.Name))
	return used
}

func callText(m model, t board.Ticket) string {
	desk := m.deskName(t.Desk)
	if desk == "" || m.desk != 0 {
		return t.PublicID
	}
	return t.PublicID + " → " + desk
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "  ·  " + b
}

func drawFoot(f *frame, m model) {
	if m.freshness() == offline {
		return
	}
	text := m.words().say("nobody")
	if n := m.waiting(); n > 0 {
		text = m.words().say("waiting", "n", n)
	}
	f.put(margin, f.h-1, f.w-2*margin, plain, text)
}
