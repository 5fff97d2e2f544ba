package chatapi

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/nowserving/nowserving/hub/ticket"
)

// entryRoom is about how long an entry is in this form, in bytes.
const entryRoom = 640

// whole shows a ticket with its thread, newest first. Long threads are most of
// what is read here, so their entries go from the store into the answer without
// being decoded; see ticket.ChatSplicer.
func (c *call) whole(t *ticket.Ticket) (any, error) {
	view := c.view()
	var shown ticket.ChatTicket
	c.Ledger.View(t.Location, func(s *ticket.State) { shown = s.ChatTicket(t, view) })
	head, err := encodeJSON(shown)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(head)+int(min(t.Conversation.Seq, maxExport))*entryRoom)
	out = append(append(out, head[:len(head)-1]...), `,"transactions":[`...)
	splicer := ticket.NewChatSplicer(t, view)
	first := true
	for e, err := range c.Ledger.Entries(t.ID, 0, 0, true) {
		if err != nil {
			return nil, fmt.Errorf("read thread of ticket %d: %w", t.ID, err)
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		if out, err = splicer.Append(out, e.Doc); err != nil {
			return nil, fmt.Errorf("entry %d of ticket %d: %w", e.Seq, t.ID, err)
		}
	}
	return typed{jsonType, append(out, "]}"...)}, nil
}

// encodeJSON is JSON as this API writes it: people's text is not dressed up for
// being put into pages.
func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
