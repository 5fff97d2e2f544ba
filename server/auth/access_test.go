package auth

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// places: tickets 17 and 18 and displays 2 and 3 are in location 1, ticket 27
// and display 4 in location 2; nothing else exists.
type places struct{ err error }

func (p places) TicketLocation(ticket int64) (int, error) {
	return p.find(map[int64]int{17: 1, 18: 1, 27: 2}, ticket)
}

func (p places) DisplayLocation(display int) (int, error) {
	return p.find(map[int64]int{2: 1, 3: 1, 4: 2}, int64(display))
}

func (p places) find(where map[int64]int, id int64) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if l, ok := where[id]; ok {
		return l, nil
	}
	return 0, fmt.Errorf("look up %d: %w", id, store.ErrNotFound)
}

func callers() map[string]Identity {
	return map[string]Identity{
		"nobody":      {},
		"alien":       {Kind: "robot", Credential: "robot:1", Everywhere: true, Admin: true, Ticket: 17, Display: 2},
		"display":     {Kind: Display, Credential: "display:2", Display: 2, Locations: []int{1}},
		"visitor":     {Kind: Visitor, Credential: "ticket:17", Ticket: 17},
		"kiosk":       {Kind: Kiosk, Credential: "display:3", Display: 3, Locations: []int{1}},
		"clerk":       {Kind: Staff, Credential: "user:1", User: 1, Locations: []int{1}},
		"manager":     {Kind: Staff, Credential: "user:4", User: 4, Locations: []int{1}, Admin: true},
		"everywhere":  {Kind: Staff, Credential: "user:5", User: 5, Everywhere: true},
		"integrator":  {Kind: Integrator, Credential: "key:a", Locations: []int{1}},
		"account-key": {Kind: Integrator, Credential: "key:b", Everywhere: true, Admin: true},
	}
}

// anyTicketCommand is what staff and integrators may do with a ticket of theirs.
const anyTicketCommand = "ticket.call ticket.recall ticket.serve ticket.noShow ticket.cancel ticket.returnToQueue " +
	"ticket.forward ticket.reorder ticket.assign ticket.unassign ticket.edit ticket.label ticket.external ticket.field ticket.enqueue ticket.answer " +
	"message.send message.read note.add conversation.state conversation.owner conversation.tag conversation.participant"

// allowed is written by hand, apart from the table: a line says who, which
// verbs, on what. Everything else must be denied.
const allowed = `
display     | subscribe | board:1 display:2
display     | receipt   | board:1
visitor     | subscribe signal | ticket:17
visitor     | message.send message.read ticket.cancel ticket.enqueue ticket.answer | ticket:17
kiosk       | subscribe | board:1 display:3

clerk       | subscribe | board:1 console:1 ticket:17 ticket:18 display:2 display:3
clerk       | signal    | ticket:17 ticket:18 console:1
clerk       | *         | ticket:17 ticket:18
clerk       | ticket.create ticket.callNext user.select line.waitOverride | location:1

manager     | subscribe | board:1 console:1 ticket:17 ticket:18 display:2 display:3
manager     | signal    | ticket:17 ticket:18 console:1
manager     | * ticket.erase | ticket:17 ticket:18
manager     | ticket.create ticket.callNext user.select line.waitOverride | location:1

everywhere  | subscribe | board:1 board:2 board:9 console:1 console:2 console:9 ticket:17 ticket:18 ticket:27 display:2 display:3 display:4
everywhere  | signal    | ticket:17 ticket:18 ticket:27 console:1 console:2 console:9
everywhere  | *         | ticket:17 ticket:18 ticket:27
everywhere  | ticket.create ticket.callNext user.select line.waitOverride | location:1 location:2 location:9

integrator  | subscribe | board:1 console:1 ticket:17 ticket:18
integrator  | signal    | ticket:17 ticket:18 console:1
integrator  | * ticket.erase | ticket:17 ticket:18
integrator  | ticket.create ticket.callNext user.select line.waitOverride | location:1

account-key | subscribe | board:1 board:2 board:9 console:1 console:2 console:9 ticket:17 ticket:18 ticket:27
account-key | signal    | ticket:17 ticket:18 ticket:27 console:1 console:2 console:9
account-key | * ticket.erase | ticket:17 ticket:18 ticket:27
account-key | ticket.create ticket.callNext user.select line.waitOverride | location:1 location:2 location:9
`

func allowedSet(t *testing.T) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(allowed) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		parts := strings.Split(line, "|")
		if len(parts) != 3 {
			t.Fatalf("line %q", line)
		}
		verbs := strings.Fields(strings.Replace(parts[1], "*", anyTicketCommand, 1))
		for _, verb := range verbs {
			for _, target := range strings.Fields(parts[2]) {
				set[strings.TrimSpace(parts[0])+" "+verb+" "+target] = true
			}
		}
	}
	return set
}

func TestAccessMatrix(t *testing.T) {
	want := allowedSet(t)
	seen := map[string]bool{}
	access := NewAccess(places{}, nil, time.Now)
	check := func(who, verb, target string, err error) {
		key := who + " " + verb + " " + target
		seen[key] = true
		if want[key] && err != nil {
			t.Errorf("%s: denied: %v", key, err)
		}
		if !want[key] && err == nil {
			t.Errorf("%s: ALLOWED", key)
		}
		if err != nil && wire.CodeOf(err) == wire.Internal {
			t.Errorf("%s: %v", key, err)
		}
	}
	var channels []wire.Channel
	for kind, ids := range map[string][]int64{
		wire.BoardChannel:   {-1, 0, 1, 2, 9},
		wire.ConsoleChannel: {-1, 0, 1, 2, 9},
		wire.TicketChannel:  {-1, 0, 1, 17, 18, 27, 99},
		wire.DisplayChannel: {-1, 0, 1, 2, 3, 4, 9},
		"other":             {1, 2, 17},
		"":                  {1},
		"ticket.call":       {1, 17},
	} {
		for _, id := range ids {
			channels = append(channels, wire.Channel{Kind: kind, ID: id})
		}
	}
	commands := append(protocolCommands(t), "", "ticket.delete", "board", "ticket", "subscribe board", "TICKET.CALL")
	for name, id := range callers() {
		for _, ch := range channels {
			check(name, "subscribe", ch.String(), access.Channel(id, ch))
			check(name, "signal", ch.String(), access.Signal(id, ch))
			check(name, "receipt", ch.String(), access.Receipt(id, ch))
		}
		for _, command := range commands {
			for _, ticket := range []int64{17, 18, 27, 99} {
				if !withoutTicket(command) {
					// The location a caller claims must not matter where the ticket has its own.
					for _, location := range []int{0, 1, 2} {
						check(name, command, fmt.Sprintf("ticket:%d", ticket), access.Command(id, command, location, ticket))
					}
				}
			}
			for _, location := range []int{-1, 0, 1, 2, 9} {
				check(name, command, fmt.Sprintf("location:%d", location), access.Command(id, command, location, 0))
			}
		}
	}
	for key := range want {
		if !seen[key] {
			t.Errorf("%s is in the list but was never tried", key)
		}
	}
}

// protocolCommands reads the command table of PROTOCOL.md.
func protocolCommands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## Commands")
	if !ok {
		t.Fatal("PROTOCOL.md has no section Commands")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var out []string
	word := regexp.MustCompile(`[a-z]+\.[a-zA-Z]+`)
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			out = append(out, word.FindAllString(cells[1], -1)...)
		}
	}
	if len(out) < 20 {
		t.Fatalf("found only %v", out)
	}
	return out
}

func TestTableListsExactlyTheProtocol(t *testing.T) {
	want := protocolCommands(t)
	for r := range rules() {
		if r.verb == give && !slices.Contains(want, r.thing) {
			t.Errorf("%s is in the table, not in PROTOCOL.md", r.thing)
		}
	}
	for _, name := range want {
		if _, ok := rules()[right{give, name}]; !ok {
			t.Errorf("%s is in PROTOCOL.md, not in the table", name)
		}
	}
}

// Nobody may learn which tickets and screens exist elsewhere.
func TestForeignLooksLikeUnknown(t *testing.T) {
	access := NewAccess(places{}, nil, time.Now)
	for name, id := range callers() {
		for _, pair := range [][2]error{
			{access.Command(id, "message.send", 0, 27), access.Command(id, "message.send", 0, 99)},
			{access.Channel(id, wire.Channel{Kind: wire.TicketChannel, ID: 27}), access.Channel(id, wire.Channel{Kind: wire.TicketChannel, ID: 99})},
			{access.Channel(id, wire.Channel{Kind: wire.DisplayChannel, ID: 4}), access.Channel(id, wire.Channel{Kind: wire.DisplayChannel, ID: 9})},
			{access.Channel(id, wire.Channel{Kind: wire.BoardChannel, ID: 2}), access.Channel(id, wire.Channel{Kind: wire.BoardChannel, ID: 9})},
			{access.Command(id, "ticket.create", 2, 0), access.Command(id, "ticket.create", 9, 0)},
		} {
			if id.Everywhere && name != "alien" {
				continue
			}
			if pair[0] == nil || pair[1] == nil || pair[0].Error() != pair[1].Error() {
				t.Errorf("%s can tell foreign %q from unknown %q", name, pair[0], pair[1])
			}
		}
	}
	err := access.Command(callers()["clerk"], "ticket.call", 0, 27)
	wantCode(t, "a foreign ticket", err, wire.NotFound)
	err = access.Command(callers()["visitor"], "message.send", 0, 18)
	wantCode(t, "somebody else's ticket", err, wire.NotFound)
	err = access.Command(callers()["clerk"], "ticket.erase", 0, 17)
	wantCode(t, "erase by a clerk", err, wire.Forbidden)
	err = access.Command(callers()["clerk"], "ticket.call", 1, 0)
	if e := wire.AsError(err); e.Code != wire.BadRequest || e.Field != "ticket" {
		t.Errorf("call without a ticket: %v", err)
	}
}

// A failing look-up is a failure, neither a permission nor a not_found.
func TestLocatorFailureIsNotAnAnswer(t *testing.T) {
	broken := errors.New("disk on fire")
	access := NewAccess(places{err: broken}, nil, time.Now)
	id := callers()["account-key"]
	wantErr(t, "command", access.Command(id, "ticket.call", 1, 17), broken)
	wantErr(t, "channel", access.Channel(id, wire.Channel{Kind: wire.TicketChannel, ID: 17}), broken)
}

func TestAdmin(t *testing.T) {
	access := NewAccess(places{}, nil, time.Now)
	ids := callers()
	boss := Identity{Kind: Staff, Credential: "user:6", Admin: true, Everywhere: true}
	forged := Identity{Kind: Visitor, Ticket: 17, Admin: true, Everywhere: true}
	for _, c := range []struct {
		who      string
		id       Identity
		location int
		ok       bool
	}{
		{"manager here", ids["manager"], 1, true},
		{"manager elsewhere", ids["manager"], 2, false},
		{"manager on the account", ids["manager"], 0, false},
		{"boss here", boss, 1, true},
		{"boss on the account", boss, 0, true},
		{"clerk", ids["clerk"], 1, false},
		{"everywhere, no admin", ids["everywhere"], 1, false},
		{"account key", ids["account-key"], 0, true},
		{"integrator", ids["integrator"], 1, false},
		{"nobody", Identity{}, 0, false},
		{"display", ids["display"], 1, false},
		{"a visitor marked admin", forged, 1, false},
		{"alien", ids["alien"], 1, false},
	} {
		err := access.Admin(c.id, c.location)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.who, err)
		}
		if err != nil && wire.CodeOf(err) != wire.Forbidden {
			t.Errorf("%s: %v, want forbidden", c.who, err)
		}
	}
}

func TestDenialsAreAudited(t *testing.T) {
	var got []Entry
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	access := NewAccess(places{}, AuditorFunc(func(e Entry) { got = append(got, e) }), func() time.Time { return now })
	ids := callers()
	if err := access.Command(ids["clerk"], "ticket.call", 0, 17); err != nil || len(got) != 0 {
		t.Fatalf("an allowed command: %v, audits %v", err, got)
	}
	_ = access.Command(ids["clerk"], "ticket.erase", 0, 17)
	_ = access.Channel(ids["visitor"], wire.Channel{Kind: wire.ConsoleChannel, ID: 1})
	_ = access.Admin(Identity{}, 1)
	_ = access.Command(Identity{}, strings.Repeat("x", 1<<16), 1, 0)
	want := []Entry{
		{Time: now, Action: AuditDeny, Who: "user:1", On: "ticket.erase", Result: "forbidden"},
		{Time: now, Action: AuditDeny, Who: "ticket:17", On: "subscribe console:1", Result: "forbidden"},
		{Time: now, Action: AuditDeny, Who: "nobody", On: "admin", Result: "forbidden"},
		{Time: now, Action: AuditDeny, Who: "nobody", On: strings.Repeat("x", maxAudited), Result: "forbidden"},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("audited %+v", got)
	}
}
