package chatapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const (
	pageSize = 100
	// cursorTTL is how long one can page on.
	cursorTTL = 24 * time.Hour
	maxCursor = 1024
)

// cursor is where a list goes on. It names the last ticket by when it was made
// and its number, which never change: so nothing comes twice, and nothing is
// passed over, whatever happens to the tickets meanwhile.
type cursor struct {
	Since  time.Time `json:"s"`
	Until  time.Time `json:"u"`
	States []string  `json:"f,omitempty"`
	// Oldest first: "DESC" in this API.
	Oldest bool `json:"o,omitempty"`
	// Asked is when the first page was; what was made later is not listed.
	Asked time.Time `json:"a"`
	// After is the last ticket that was listed.
	Made int64 `json:"m,omitempty"`
	ID   int64 `json:"i,omitempty"`
	// Department is whose list it is.
	Department string `json:"d"`
}

func (k *cursor) encode() (string, error) {
	b, err := json.Marshal(k)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// parseCursor reads what encode wrote; ok is false for anything that a list could
// not go on from.
func parseCursor(v string) (k cursor, ok bool) {
	if len(v) > maxCursor {
		return k, false
	}
	b, err := base64.RawURLEncoding.DecodeString(v)
	if err != nil || json.Unmarshal(b, &k) != nil {
		return k, false
	}
	for _, s := range k.States {
		if !slices.Contains(states(), s) {
			return k, false
		}
	}
	return k, k.ID > 0 && k.Since.Year() > 0 && k.Until.Year() < 10000 && !k.Until.Before(k.Since) &&
		!k.Until.After(k.Since.AddDate(0, 1, 0)) && len(k.States) <= len(states())
}

// listTickets is GET /tickets/list.
func listTickets(c *call) (any, error) {
	k, err := c.window()
	if err != nil {
		return nil, err
	}
	found, more, err := c.page(&k)
	if err != nil {
		return nil, err
	}
	out := struct {
		Tickets []ticket.ChatTicket `json:"tickets"`
		Paging  struct {
			Next string `json:"next,omitempty"`
		} `json:"paging"`
	}{Tickets: make([]ticket.ChatTicket, len(found))}
	view := c.view()
	c.Ledger.View(c.loc, func(s *ticket.State) {
		for i, t := range found {
			out.Tickets[i] = s.ChatTicket(t, view)
		}
	})
	if more {
		last := found[len(found)-1]
		k.Made, k.ID = madeAt(last), last.ID
		next, err := k.encode()
		if err != nil {
			return nil, err
		}
		out.Paging.Next = c.base() + Prefix + "tickets/list?page=" + next
	}
	return out, nil
}

// window reads what is to be listed.
func (c *call) window() (cursor, error) {
	now := c.Clock().UTC()
	if v := c.text("page"); v != "" {
		if len(c.q) > 1 {
			return cursor{}, wire.FieldError("page", "page goes without any other parameter")
		}
		k, ok := parseCursor(v)
		if !ok || k.Department != c.guid || now.Sub(k.Asked) > cursorTTL {
			return k, wire.FieldError("page", "page is unknown, or older than 24 hours")
		}
		return k, nil
	}
	k := cursor{Asked: now, Department: c.guid}
	for _, p := range []struct {
		name string
		to   *time.Time
	}{{"since", &k.Since}, {"until", &k.Until}} {
		v := c.needed(p.name)
		at, ok := parseListTime(v)
		if v != "" && !ok {
			c.wrong(wire.FieldError(p.name, "%s is a time as dd/MM/yyyy HH:mm:ss:ff", p.name))
		}
		*p.to = at
	}
	if c.err == nil && k.Until.Before(k.Since) {
		c.wrong(wire.FieldError("since", "since is after until"))
	}
	if c.err == nil && k.Until.After(k.Since.AddDate(0, 1, 0)) {
		c.wrong(wire.FieldError("until", "until is at most one month after since"))
	}
	for v := range strings.SplitSeq(c.text("ticketState"), ",") {
		if v = strings.TrimSpace(v); v != "" {
			state, err := word("ticketState", v, states()...)
			c.wrong(err)
			if !slices.Contains(k.States, state) {
				k.States = append(k.States, state)
			}
		}
	}
	// In this API ascending means newest first.
	if v := c.text("sortOrder"); v != "" {
		order, err := word("sortOrder", v, "ASC", "DESC", "Ascending", "Descending")
		c.wrong(err)
		k.Oldest = strings.HasPrefix(strings.ToUpper(order), "DESC")
	}
	return k, c.err
}

func madeAt(t *ticket.Ticket) int64 { return t.Place.CreatedAt.UnixMilli() }

// page finds the next tickets. Those made before the window but active in it are
// older than all others, so they are one end of the list.
func (c *call) page(k *cursor) (found []*ticket.Ticket, more bool, err error) {
	parts := []func(*cursor, []*ticket.Ticket) ([]*ticket.Ticket, error){c.madeWithin, c.activeWithin}
	if k.Oldest {
		slices.Reverse(parts)
	}
	for _, part := range parts {
		if found, err = part(k, found); err != nil {
			return nil, false, err
		}
		if len(found) > pageSize {
			return found[:pageSize], true, nil
		}
	}
	return found, false, nil
}

// after reports whether a ticket comes behind the cursor.
func (k *cursor) after(t *ticket.Ticket) bool { return k.behind(madeAt(t), t.ID) }

func (k *cursor) behind(made, id int64) bool {
	if k.ID == 0 {
		return true
	}
	order := cmp.Or(cmp.Compare(made, k.Made), cmp.Compare(id, k.ID))
	if k.Oldest {
		return order > 0
	}
	return order < 0
}

// match reports whether a ticket belongs to the list. One that has changed since
// the first page is listed as it is now: what it was then is not known any more.
func (k *cursor) match(t *ticket.Ticket) bool {
	c := &t.Conversation
	if c.State == "" || madeAt(t) > k.Asked.UnixMilli() && k.ID != 0 {
		return false
	}
	if k.ID != 0 && c.LastActivity.After(k.Asked) {
		return true
	}
	if len(k.States) > 0 && !slices.Contains(k.States, string(c.State)) {
		return false
	}
	for _, at := range []time.Time{c.OpenedAt, c.ClosedAt, c.LastActivity} {
		if !at.IsZero() && !at.Before(k.Since) && !at.After(k.Until) {
			return true
		}
	}
	return false
}

// madeWithin adds tickets that were made within the window.
func (c *call) madeWithin(k *cursor, found []*ticket.Ticket) ([]*ticket.Ticket, error) {
	q := store.Query{
		Locations: []int{c.loc}, MinCreated: k.Since, MaxCreated: k.Until.Add(time.Millisecond - 1), Order: store.ByCreated, Descending: !k.Oldest,
	}
	last := *k
	for limit := 2 * pageSize; ; {
		if last.ID != 0 {
			at := time.UnixMilli(last.Made)
			if k.Oldest && at.After(q.MinCreated) {
				q.MinCreated = at
			} else if upper := at.Add(time.Millisecond - 1); !k.Oldest && upper.Before(q.MaxCreated) {
				q.MaxCreated = upper
			}
		}
		if q.MaxCreated.Before(q.MinCreated) {
			return found, nil
		}
		q.Limit = limit
		list, err := c.Ledger.Search(q)
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, t := range list {
			if !last.after(t) {
				continue
			}
			fresh++
			if k.match(t) {
				if found = append(found, t); len(found) > pageSize {
					return found, nil
				}
			}
		}
		if len(list) < limit {
			return found, nil
		}
		if fresh == 0 { // more than that many were made in one instant
			limit *= 2
			continue
		}
		end := list[len(list)-1]
		last.Made, last.ID = madeAt(end), end.ID
	}
}

// activeWithin adds tickets that were made before the window and had activity in
// it.
func (c *call) activeWithin(k *cursor, found []*ticket.Ticket) ([]*ticket.Ticket, error) {
	var keys []string
	for day := k.Since.UTC().Truncate(24 * time.Hour); !day.After(k.Until); day = day.AddDate(0, 0, 1) {
		for d, err := range c.Ledger.Docs(actDocs(c.loc, day)) {
			if err != nil {
				return nil, fmt.Errorf("read activity: %w", err)
			}
			keys = append(keys, d.Key)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if !k.Oldest {
		slices.Reverse(keys)
	}
	for _, key := range keys {
		made, id, ok := parseActKey(key)
		if !ok || made >= k.Since.UnixMilli() && made <= k.Until.UnixMilli() || !k.behind(made, id) {
			continue
		}
		t, err := c.Ledger.Ticket(id)
		if err != nil {
			return nil, err
		}
		if k.match(t) {
			if found = append(found, t); len(found) > pageSize {
				return found, nil
			}
		}
	}
	return found, nil
}

func parseActKey(key string) (made, id int64, ok bool) {
	a, b, found := strings.Cut(key, ".")
	m, err := strconv.ParseUint(a, 16, 64)
	n, bad := strconv.ParseUint(b, 16, 64)
	return int64(m), int64(n), found && err == nil && bad == nil
}
