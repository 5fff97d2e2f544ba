package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// remembered is an idempotency key's stored result.
type remembered struct {
	Print    string `json:"print"`
	Location int    `json:"location"`
	Offset   uint64 `json:"offset"`
	// Unchanged is set when there was nothing to do.
	Unchanged bool           `json:"unchanged,omitempty"`
	Ticket    *ticket.Ticket `json:"ticket,omitempty"`
	// Refused is set when the command was refused.
	Refused *wire.Error `json:"refused,omitempty"`
}

// fingerprint tells one command from another, so that a key that is used again
// for something else is noticed.
func fingerprint(c ticket.Command) string {
	if c == nil {
		return ""
	}
	body, err := json.Marshal(c)
	if err != nil {
		return c.Name()
	}
	sum := sha256.Sum256(append([]byte(c.Name()+"\x00"), body...))
	return hex.EncodeToString(sum[:8])
}

// lasting reports whether a refusal belongs to its key: it told how things stood
// when the command was given. A malformed command may be given again, corrected,
// and what was refused for our own reasons may be tried again.
func lasting(err error) bool {
	switch wire.CodeOf(err) {
	case wire.Conflict, wire.Empty, wire.NotFound:
		return true
	}
	return false
}

// remembered looks whether the command's key was used before.
func (g *group) remembered(p *pending) (bool, error) {
	key := p.request.Key
	if key == "" {
		return false, nil
	}
	var past remembered
	if first := g.keys[key]; first != nil { // in this very group
		past = first.memory()
	} else {
		stored, err := g.l.store.Result(key)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look up key: %w", err)
		}
		if len(stored.Value) == 0 {
			return g.forgotten(p, stored.Ticket)
		}
		if err := json.Unmarshal(stored.Value, &past); err != nil {
			return false, fmt.Errorf("decode remembered result: %w", err)
		}
	}
	if past.Print != p.print {
		return false, &wire.Error{Code: wire.Conflict, Field: "key", Message: "this key was used for another command"}
	}
	if past.Refused != nil {
		return false, past.Refused
	}
	p.result = Result{Location: past.Location, Offset: past.Offset, Ticket: past.Ticket, Unchanged: past.Unchanged, Again: true}
	return true, nil
}

// forgotten answers a key whose result was erased together with its ticket: what
// it gave is gone, but it must not happen again.
func (g *group) forgotten(p *pending, id int64) (bool, error) {
	t := g.tickets[id]
	if t == nil {
		var err error
		if t, err = g.l.Ticket(id); err != nil {
			return false, err
		}
	}
	p.result = Result{Location: t.Location, Offset: t.Offset, Ticket: t, Again: true}
	return true, nil
}

// memory is what a key remembers of a decided command.
func (p *pending) memory() remembered {
	r := p.result
	m := remembered{Print: p.print, Location: r.Location, Offset: r.Offset, Ticket: r.Ticket, Unchanged: r.Unchanged}
	if p.err != nil {
		m.Refused = wire.AsError(p.err)
	}
	return m
}

func (g *group) remember(p *pending) error {
	m, doc := p.memory(), []byte(nil)
	if m.Ticket != nil && m.Refused == nil {
		// It was encoded for the store a moment ago, and is the largest part of it.
		if doc = g.docs[m.Ticket.ID]; g.tickets[m.Ticket.ID] != m.Ticket {
			doc = nil
		}
	}
	if doc != nil {
		m.Ticket = nil
	}
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if doc != nil {
		value = append(append(append(slices.Grow(value[:len(value)-1], len(doc)+12), `,"ticket":`...), doc...), '}')
	}
	p.change.Result = &store.Result{Key: p.request.Key, Value: value}
	if p.result.Ticket != nil {
		p.change.Result.Ticket = p.result.Ticket.ID
	}
	g.keys[p.request.Key] = p
	return nil
}
