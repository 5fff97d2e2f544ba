package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

func TestCallNextGivesEveryTicketOnce(t *testing.T) {
	r := newRig(t, mem(), Options{})
	for i := range 40 {
		r.create(1+i%2, "x")
	}
	var mu sync.Mutex
	called, empty := map[int64]int{}, 0
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			res, err := r.try(Request{
				Location: 1, Command: ticket.CallNext{Lines: []int{1, 2}, Desk: 1 + i%3, KeepActive: true},
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				called[res.Ticket.ID]++
			case wire.CodeOf(err) == wire.Empty:
				empty++
			default:
				t.Errorf("callNext: %v", err)
			}
		})
	}
	wg.Wait()
	if len(called) != 40 || empty != 10 {
		t.Fatalf("called %d different tickets, %d empty; want 40 and 10", len(called), empty)
	}
}

func TestOneTicketHasOneCaller(t *testing.T) {
	r := newRig(t, mem(), Options{})
	a := r.create(1, "x")
	var won, conflicts int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			_, err := r.try(Request{Location: 1, Command: ticket.CallTicket{Ref: ref(a.ID), Desk: 1 + i%3}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if wire.CodeOf(err) == wire.Conflict && strings.Contains(err.Error(), "A-1 was already called to desk") {
				conflicts++
			} else {
				t.Errorf("call: %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 || conflicts != 63 {
		t.Fatalf("%d won, %d conflicts", won, conflicts)
	}
}

func TestSameKeyHappensOnce(t *testing.T) {
	st := mem()
	r := newRig(t, st, Options{})
	var wg sync.WaitGroup
	ids := make([]int64, 20)
	for i := range ids {
		wg.Go(func() {
			res, err := r.try(Request{Location: 1, Key: "k", Command: ticket.Create{Line: 1, FirstName: "Ida"}})
			if err != nil {
				t.Errorf("create: %v", err)
				return
			}
			ids[i] = res.Ticket.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("ids %v", ids)
		}
	}
	if _, err := r.try(Request{Location: 1, Key: "k", Command: ticket.Create{Line: 2}}); wire.CodeOf(err) != wire.Conflict {
		t.Fatalf("the key used for another command: %v", err)
	}
	// A refusal is a result as well: what was empty stays empty for its key.
	next := Request{Location: 1, Key: "next", Command: ticket.CallNext{Lines: []int{2}}}
	for i := range 2 {
		if _, err := r.try(next); wire.CodeOf(err) != wire.Empty {
			t.Fatalf("callNext, try %d: %v", i, err)
		}
		r.create(2, "late")
	}
	r.do(1, ticket.Cancel{Ref: ref(ids[0] + 1)})
	r.do(1, ticket.Cancel{Ref: ref(ids[0] + 2)})
	// The result is that of the first time, even after the ticket went on and
	// the process was restarted.
	r.do(1, ticket.CallTicket{Ref: ref(ids[0])})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = open(t, st, Options{})
	res, err := r.try(Request{Location: 1, Key: "k", Command: ticket.Create{Line: 1, FirstName: "Ida"}})
	if err != nil || res.Ticket.ID != ids[0] || res.Ticket.Place.Status != ticket.New || !res.Again {
		t.Fatalf("again: %+v, %v", res.Ticket, err)
	}
	var waiting int
	r.View(1, func(s *ticket.State) { waiting = len(s.Tickets) })
	if waiting != 1 {
		t.Fatalf("%d tickets", waiting)
	}
}

func TestOffsetsOnTheWireHaveNoGap(t *testing.T) {
	r := newRig(t, mem(), Options{})
	a, b := r.create(1, "a"), r.create(1, "b")
	r.do(1, ticket.CallTicket{Ref: ref(a.ID), Desk: 1})
	r.do(1, ticket.Label{Ref: ref(b.ID), Add: "VIP"})
	res := r.do(1, ticket.CallTicket{Ref: ref(b.ID), Desk: 2}) // serves a, too
	r.do(1, ticket.SendMessage{Ref: ref(b.ID), Text: "hello"})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	console := r.tape.on(wire.ConsoleChannel, 1, hub.Staff)
	for i, p := range console {
		if p.Offset != uint64(i)+1 || p.Prev != uint64(i) {
			t.Fatalf("console push %d has offset %d, prev %d", i, p.Offset, p.Prev)
		}
	}
	for _, ch := range []struct {
		kind string
		id   int64
		a    hub.Audience
	}{{wire.BoardChannel, 1, hub.Display}, {wire.TicketChannel, b.ID, hub.Staff}, {wire.TicketChannel, b.ID, hub.Visitor}} {
		pubs := r.tape.on(ch.kind, ch.id, ch.a)
		last := pubs[0].Offset
		for _, p := range pubs[1:] {
			if p.Prev != last || p.Offset <= last {
				t.Fatalf("%s %s: push %d has prev %d, want %d", ch.kind, ch.a, p.Offset, p.Prev, last)
			}
			last = p.Offset
		}
	}
	board := r.tape.on(wire.BoardChannel, 1, hub.Display)
	n := len(board)
	if board[n-2].Type != "ticket.served" || board[n-1].Type != "ticket.called" || board[n-1].Offset != res.Offset {
		t.Fatalf("the board's last pushes: %s %s", board[n-2].Type, board[n-1].Type)
	}
	for _, p := range r.tape.on(wire.TicketChannel, b.ID, hub.Visitor) {
		if p.Type == "ticket.labelled" {
			t.Fatal("a visitor was told of a label")
		}
	}
}

func TestDirectoryReachesItsLocations(t *testing.T) {
	r := newRig(t, mem(), Options{})
	r.do(Directory, ticket.PutLocation{Location: ticket.Location{GUID: "g2", Name: "Second", Timezone: "Asia/Tokyo"}})
	r.do(Directory, ticket.PutUser{User: ticket.User{
		ID: 2, GUID: "user-2", Email: "u2@example.com", FirstName: "U", Roles: []ticket.Role{{ID: 9, Type: ticket.RoleAdmin}},
	}})
	has := func(location int) (ok bool) {
		r.View(location, func(s *ticket.State) { ok = s.Users[2] != nil && !s.Users[2].Removed })
		return ok
	}
	if !has(1) || !has(2) {
		t.Fatal("an administrator is missing somewhere")
	}
	r.do(Directory, ticket.PutUser{User: ticket.User{
		ID: 2, GUID: "user-2", Email: "u2@example.com", FirstName: "U", Roles: []ticket.Role{{ID: 9, Type: ticket.RoleClerk, Location: 2}},
	}})
	if has(1) || !has(2) {
		t.Fatal("a clerk of one location is in the wrong places")
	}
	if got := r.Locations(); !slices.Equal(got, []int{1, 2}) {
		t.Fatalf("locations %v", got)
	}
}

func TestSnapshotsOfChannels(t *testing.T) {
	r := newRig(t, mem(), Options{})
	a := r.create(1, "Ann")
	r.do(1, ticket.SendMessage{Ref: ref(a.ID), Text: "hello"})
	r.do(1, ticket.AddNote{Ref: ref(a.ID), Text: "between us"})
	key := func(kind string, id int64, aud hub.Audience) hub.Key {
		return hub.Key{Channel: wire.Channel{Kind: kind, ID: id}, Audience: aud}
	}
	for _, k := range []hub.Key{
		key(wire.BoardChannel, 1, hub.Display), key(wire.ConsoleChannel, 1, hub.Staff),
		key(wire.TicketChannel, a.ID, hub.Staff), key(wire.TicketChannel, a.ID, hub.Visitor),
	} {
		s, err := r.Snapshot(k)
		if err != nil || !json.Valid(s.Data) {
			t.Fatalf("%v: %v %s", k, err, s.Data)
		}
		head, err := r.Head(k)
		if err != nil || head.Offset != s.Offset || head.Epoch != s.Epoch || s.Epoch == "" {
			t.Fatalf("%v: head %+v, snapshot at %s/%d (%v)", k, head, s.Epoch, s.Offset, err)
		}
		if note := strings.Contains(string(s.Data), "between us"); note != (k.Channel.Kind == wire.TicketChannel && k.Audience == hub.Staff) {
			t.Fatalf("%v: note shown: %v", k, note)
		}
	}
	for _, k := range []hub.Key{key(wire.BoardChannel, 9, hub.Display), key(wire.TicketChannel, 99, hub.Staff), key(wire.DisplayChannel, 7, hub.Display)} {
		if _, err := r.Snapshot(k); wire.CodeOf(err) != wire.NotFound {
			t.Fatalf("%v: %v", k, err)
		}
		if _, err := r.Head(k); wire.CodeOf(err) != wire.NotFound {
			t.Fatalf("%v: %v", k, err)
		}
	}
}

func TestTooMuchDataIsRefusedWhole(t *testing.T) {
	r := newRig(t, mem(), Options{})
	a := r.create(1, "Ann")
	var extra []ticket.Extra
	for i := range 100 {
		extra = append(extra, ticket.Extra{Title: fmt.Sprint(i), Value: strings.Repeat("é", 2000)})
	}
	_, err := r.try(Request{Command: ticket.Edit{Ref: ref(a.ID), Extra: ticket.Some(extra)}})
	if wire.CodeOf(err) != wire.TooLarge {
		t.Fatalf("answered %v", err)
	}
	if got, _ := r.Ticket(a.ID); got.Offset != a.Offset {
		t.Fatal("a refused command changed the ticket")
	}
}

func TestAQueueThatIsFullSaysSo(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{Queue: 1})
	gate, entered := make(chan struct{}), make(chan struct{}, 1)
	st.onCommit = func([]store.Change) {
		entered <- struct{}{}
		<-gate
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = r.try(Request{Location: 1, Command: ticket.Create{Line: 1}}) })
	<-entered
	if err := r.enqueue(&pending{request: Request{}, done: make(chan struct{})}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.try(Request{Location: 1, Command: ticket.Create{Line: 1}}); wire.CodeOf(err) != wire.Unavailable {
		t.Fatalf("a full queue answered %v", err)
	}
	st.onCommit = nil
	close(gate)
	wg.Wait()
}

// Where live tickets are is remembered, and not for longer than they live.
func TestPlacesAreThoseOfLiveTickets(t *testing.T) {
	st := mem()
	r := newRig(t, st, Options{})
	a, b := r.create(1, "a"), r.create(1, "b")
	r.do(1, ticket.Serve{Ref: call(r, ref(a.ID))})
	if err := r.stop(); err != nil { // what is answered is not yet settled
		t.Fatal(err)
	}
	for when, l := range map[string]*Ledger{"at the end": r.Ledger, "opened again": open(t, st, Options{}).Ledger} {
		known := map[any]any{}
		l.places.Range(func(id, at any) bool { known[id] = at; return true })
		if len(known) != 1 || known[b.ID] != 1 {
			t.Errorf("%s: places are %v, only ticket %d lives", when, known, b.ID)
		}
		for _, id := range []int64{a.ID, b.ID} {
			if at, err := l.Locate(id); err != nil || at != 1 {
				t.Errorf("%s: ticket %d is at %d, %v", when, id, at, err)
			}
		}
	}
}
