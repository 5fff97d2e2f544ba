package hubapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/store"
)

const (
	// searchBack is how many of the newest tickets a console's search looks at:
	// some days of a busy branch, and a few tens of milliseconds.
	searchBack = 2000
	// foundDefault and foundMost bound the answer.
	foundDefault = 50
	foundMost    = 100
	// maxSearch bounds what is searched for, in bytes; maxWords in words.
	maxSearch = 200
	maxWords  = 8
	// fewestDigits is from where on digits are looked for in phone numbers: with
	// fewer, everybody would be found.
	fewestDigits = 3
)

// wanted is what a console asks for.
type wanted struct {
	words    []string
	statuses []string
	states   []string
	limit    int
}

// findTickets is GET /hub/v1/locations/{location}/tickets: live tickets and past
// ones, newest first, by number, name, phone, e-mail or label.
func (a *API) findTickets(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	location, err := a.console(r, p)
	var want wanted
	if err == nil {
		want, err = readWanted(r)
	}
	found := []ticket.StaffTicket{}
	if err == nil {
		found, err = a.find(location, want)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"tickets": found})
}

// console is the location of a request from somebody who may read its console.
func (a *API) console(r *http.Request, p httprouter.Params) (int, error) {
	id, err := a.staff(r)
	location := number(p, "location")
	if err == nil {
		err = a.o.Access.Channel(id, wire.Channel{Kind: wire.ConsoleChannel, ID: int64(location)})
	}
	if err == nil && !a.o.Ledger.View(location, func(*ticket.State) {}) {
		err = wire.Errorf(wire.NotFound, "Location with id %d not found", location)
	}
	return location, err
}

func readWanted(r *http.Request) (wanted, error) {
	q := r.URL.Query()
	text := q.Get("q")
	if len(text) > maxSearch {
		return wanted{}, wire.FieldError("q", "q has at most %d bytes", maxSearch)
	}
	want := wanted{words: strings.Fields(strings.ToLower(text)), limit: foundDefault}
	if len(want.words) > maxWords {
		return wanted{}, wire.FieldError("q", "q has at most %d words", maxWords)
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > foundMost {
			return wanted{}, wire.FieldError("limit", "limit is a number from 1 to %d", foundMost)
		}
		want.limit = n
	}
	var err error
	want.statuses, err = words(q.Get("status"), "status", string(ticket.New), string(ticket.Called), string(ticket.Served),
		string(ticket.NoShow), string(ticket.Cancelled), string(ticket.Scheduled))
	if err == nil {
		want.states, err = words(q.Get("state"), "state", string(ticket.ConversationOpen), string(ticket.ConversationClosed),
			string(ticket.ConversationPending), string(ticket.ConversationSnoozed))
	}
	return want, err
}

// words reads a list with commas, each of them one of known.
func words(list, field string, known ...string) ([]string, error) {
	var out []string
	for v := range strings.SplitSeq(list, ",") {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		if !slices.Contains(known, v) {
			return nil, wire.FieldError(field, "%s is a list of %s", field, strings.Join(known, ", "))
		}
		out = append(out, v)
	}
	return out, nil
}

// find looks through what is in memory, and then through the newest that is stored.
func (a *API) find(location int, want wanted) ([]ticket.StaffTicket, error) {
	stored, err := a.o.Ledger.Search(store.Query{
		Locations: []int{location}, Statuses: want.statuses, Order: store.ByCreated, Descending: true, Limit: searchBack,
	})
	if err != nil {
		return nil, err
	}
	found := []ticket.StaffTicket{}
	a.o.Ledger.View(location, func(s *ticket.State) {
		seen := map[int64]bool{}
		take := func(t *ticket.Ticket) {
			if !seen[t.ID] && len(found) < want.limit && want.matches(t) {
				found = append(found, s.StaffTicket(t))
			}
			seen[t.ID] = true
		}
		live := s.SortedTickets()
		slices.Reverse(live) // an old one that still waits is before all that is over
		for _, t := range live {
			take(t)
		}
		for _, t := range stored {
			take(t)
		}
	})
	return found, nil
}

func (w *wanted) matches(t *ticket.Ticket) bool {
	switch {
	case t.Erased,
		len(w.statuses) > 0 && !slices.Contains(w.statuses, string(t.Place.Status)),
		len(w.states) > 0 && !slices.Contains(w.states, string(t.Conversation.State)):
		return false
	}
	n := &t.Private
	text := []string{t.Place.PublicID, strings.ReplaceAll(t.Place.PublicID, "-", ""), n.FirstName, n.LastName, n.Email}
	text = append(text, t.Labels...)
	for _, member := range n.Names {
		text = append(text, member.Name, member.Identifier)
	}
	for i, v := range text {
		text[i] = strings.ToLower(v)
	}
	phone := digits(n.PhoneNumber)
	for _, word := range w.words {
		d := digits(word)
		if len(d) >= fewestDigits && strings.Contains(phone, d) {
			continue
		}
		if !slices.ContainsFunc(text, func(v string) bool { return strings.Contains(v, word) }) {
			return false
		}
	}
	return true
}

func digits(v string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, v)
}
