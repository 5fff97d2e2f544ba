package node

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// lobbyRig is one location with waiting tickets, and what visitors are told.
type lobbyRig struct {
	t   testing.TB
	mu  sync.Mutex
	s   *ticket.State
	ids ticket.IDs
	// away are visitors who have left; nobody reads their channels.
	away map[int64]bool
	told []string
}

func newLobbyRig(t testing.TB) *lobbyRig {
	r := &lobbyRig{t: t, s: ticket.NewState(1), ids: ticket.IDs{Ticket: 1, Location: 1, Line: 1, Desk: 1, User: 1, Display: 1}, away: map[int64]bool{}}
	r.do(ticket.PutLocation{Location: ticket.Location{ID: 1, GUID: "6f1f64cf-2f4c-4b0e-9a53-0a3c1e6a7b11", Name: "Main", Timezone: "UTC", Languages: []string{"en"}}})
	r.do(ticket.PutLine{Line: ticket.Line{Name: "Passports"}})
	r.do(ticket.PutDesk{Desk: ticket.Desk{Name: "1"}})
	return r
}

func (r *lobbyRig) do(c ticket.Command) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	events, err := ticket.Decide(r.s, c, ticket.Env{Now: time.Now(), IDs: r.ids})
	if err != nil {
		r.t.Fatalf("%s: %v", c.Name(), err)
	}
	r.ids = r.ids.Advance(events)
	ticket.EvolveCommand(r.s, events)
}

// View and Locate are the ledger's.
func (r *lobbyRig) View(_ int, f func(*ticket.State)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.s)
	return true
}

func (r *lobbyRig) Locate(int64) (int, error) { return 1, nil }

// Wants and Emit are the hub's.
func (r *lobbyRig) Wants(key hub.Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.away[key.Channel.ID]
}

func (r *lobbyRig) Emit(ch wire.Channel, typ string, data []byte, _ *hub.Outbox, to ...hub.Audience) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if typ != "position" || len(to) != 1 || to[0] != hub.Visitor {
		r.t.Errorf("%s to %v", typ, to)
	}
	r.told = append(r.told, fmt.Sprintf("%d %s", ch.ID, data))
}

// heard is what was told since it was asked last.
func (r *lobbyRig) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.told
	r.told = nil
	return out
}

// expect says what was told since the last time.
func (r *lobbyRig) expect(what string, want ...string) {
	r.t.Helper()
	synctest.Wait()
	got := r.heard()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: told %q, want %q", what, got, want)
	}
}

func (r *lobbyRig) positions() *positions {
	return &positions{hub: r, ledger: r, clock: time.Now, wake: make(chan struct{}, 1), locations: map[int]*lobby{}}
}

func watching(id int64) (auth.Identity, wire.Channel) {
	return auth.Identity{Kind: auth.Visitor, Ticket: id}, wire.Channel{Kind: wire.TicketChannel, ID: id}
}

func refTo(id int64) ticket.Ref { return ticket.Ref{ID: ticket.TicketID(id)} }

func TestPositionsAreToldOnceASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLobbyRig(t)
		for range 4 {
			r.do(ticket.Create{Line: 1})
		}
		p := r.positions()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go p.run(ctx)
		expect := r.expect
		expect("nobody watches")
		p.subscribed(watching(3))
		p.subscribed(auth.Identity{Kind: auth.Staff}, wire.Channel{Kind: wire.TicketChannel, ID: 2})
		expect("subscribed", `3 {"position":3}`)
		time.Sleep(time.Second)
		expect("once more", `3 {"position":3}`)
		time.Sleep(10 * time.Second)
		expect("nothing happens")
		p.published(ledger.Notice{Location: 1})
		expect("something that changes no place")
		time.Sleep(time.Second)
		r.do(ticket.Cancel{Ref: refTo(1)})
		p.published(ledger.Notice{Location: 1})
		expect("one less", `3 {"position":2}`)
		r.do(ticket.Reorder{Ref: refTo(4)})
		p.published(ledger.Notice{Location: 1})
		p.published(ledger.Notice{Location: 2})
		expect("within the second")
		time.Sleep(500 * time.Millisecond)
		r.do(ticket.Cancel{Ref: refTo(2)})
		p.published(ledger.Notice{Location: 1})
		expect("still within")
		time.Sleep(500 * time.Millisecond)
		expect("both changes leave the place as it was")
		r.do(ticket.CallTicket{Ref: refTo(3)})
		p.published(ledger.Notice{Location: 1})
		time.Sleep(time.Second)
		expect("called", `3 {}`)
		p.subscribed(watching(3))
		time.Sleep(3 * time.Second)
		expect("who does not wait is told nothing")
		r.mu.Lock()
		r.away[3] = true
		r.mu.Unlock()
		p.published(ledger.Notice{Location: 1})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(p.locations) != 0 {
			t.Error("who has left is remembered")
		}
	})
}

// A lobby of 2,000 with 500 phones: what one round costs.
func BenchmarkPositions(b *testing.B) {
	r := newLobbyRig(b)
	r.do(ticket.PutUser{User: ticket.User{ID: 1, GUID: "u1", Email: "a@b.example", FirstName: "Ann"}})
	r.do(ticket.Select{User: 1, Desk: ticket.Some(1), Lines: ticket.Some([]int{1})})
	for range 2000 {
		r.do(ticket.Create{Line: 1})
	}
	p := r.positions()
	for id := int64(4); id <= 2000; id += 4 {
		p.subscribed(watching(id))
	}
	b.ReportAllocs()
	for b.Loop() {
		p.tell(1)
	}
}
