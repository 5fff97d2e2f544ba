package main

import (
	"encoding/json"
	"io"

	"github.com/nowserving/nowserving/display/board"
	"github.com/nowserving/nowserving/hub/wire"
)

// jsonLines prints one line per change, for hardware that paints by itself.
type jsonLines struct{ w io.Writer }

// line is one line of the output. Members are only ever added.
type line struct {
	Type string `json:"type"`
	Time string `json:"time"` // by the hub's clock
	// State and Since belong to a status; Since is when the board was last true.
	State freshness `json:"state,omitempty"`
	Since string    `json:"since,omitempty"`
	Epoch string    `json:"epoch,omitempty"`
	// Offset is the place in the location's journal.
	Offset uint64 `json:"offset,omitempty"`
	// Ticket and Desk belong to a call or a recall; Desk is what is written
	// above the desk.
	Ticket *board.Ticket `json:"ticket,omitempty"`
	Desk   string        `json:"desk,omitempty"`
	// Late says that the call should not be announced aloud any more.
	Late bool `json:"late,omitempty"`
	// Board is the whole board, in a snapshot.
	Board json.RawMessage `json:"board,omitempty"`
}

func (j *jsonLines) show(m model, all []news) error {
	for _, n := range all {
		if err := j.write(lineOf(m, n)); err != nil {
			return err
		}
	}
	return nil
}

func lineOf(m model, n news) line {
	l := line{Type: string(n.kind), Time: wire.Time(n.now.Add(m.skew)), Epoch: n.at.Epoch, Offset: n.at.Offset}
	switch n.kind {
	case newsSnapshot:
		l.Board = n.board
	case newsStatus:
		l.State = m.freshness()
		if l.State != fresh {
			l.Since = wire.Time(m.current.Add(m.skew))
		}
	default:
		t := n.call.Ticket
		l.Time = wire.Time(n.call.Time)
		l.Ticket, l.Desk, l.Late = &t, n.desk, n.late
	}
	return l
}

func (j *jsonLines) write(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(harmless(text), '\n'))
	return err
}

// harmless takes what JSON need not escape and a terminal would obey (DEL, C1)
// out of encoded JSON, in which such characters occur only inside strings.
func harmless(text []byte) []byte {
	out := make([]rune, 0, len(text))
	for _, r := range string(text) {
		if r < 0x7F || r > 0x9F {
			out = append(out, r)
		}
	}
	return []byte(string(out))
}

var _ output = (*jsonLines)(nil)
