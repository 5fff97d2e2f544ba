package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// tape is a Publisher that keeps what it is given.
type tape struct {
	mu   sync.Mutex
	pubs map[hub.Key][]hub.Publication
}

func (t *tape) Wants(hub.Key) bool { return true }

func (t *tape) Publish(k hub.Key, p hub.Publication) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pubs == nil {
		t.pubs = map[hub.Key][]hub.Publication{}
	}
	t.pubs[k] = append(t.pubs[k], p)
}

func (t *tape) on(kind string, id int64, a hub.Audience) []hub.Publication {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.pubs[hub.Key{Channel: wire.Channel{Kind: kind, ID: id}, Audience: a}])
}

// rig is a running ledger on a store in memory, with one branch: location 1,
// lines 1 and 2, desks 1 to 3, users 1 and 2.
type rig struct {
	*Ledger
	t     testing.TB
	store store.Store
	tape  *tape
	stop  func() error
}

func clock() func() time.Time {
	var mu sync.Mutex
	now := day
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Millisecond)
		return now
	}
}

func open(t testing.TB, st store.Store, o Options) *rig {
	t.Helper()
	if o.Clock == nil {
		o.Clock = clock()
	}
	r := &rig{t: t, store: st, tape: &tape{}}
	var err error
	if r.Ledger, err = Open(st, r.tape, o); err != nil {
		t.Fatalf("open: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = r.stop() })
	return r
}

func newRig(t testing.TB, st store.Store, o Options) *rig {
	t.Helper()
	r := open(t, st, o)
	r.do(Directory, ticket.PutLocation{Location: ticket.Location{GUID: "11111111-1111-4111-8111-111111111111", Name: "Main", Timezone: "UTC"}})
	for i := 1; i <= 2; i++ {
		r.do(1, ticket.PutLine{Line: ticket.Line{Name: fmt.Sprint("Line ", i)}})
		r.do(Directory, ticket.PutUser{User: ticket.User{
			GUID: fmt.Sprint("user-", i), Email: fmt.Sprint("u", i, "@example.com"), FirstName: "U", Roles: []ticket.Role{{ID: i, Type: ticket.RoleClerk, Location: 1}},
		}})
	}
	for i := 1; i <= 3; i++ {
		r.do(1, ticket.PutDesk{Desk: ticket.Desk{Name: fmt.Sprint(i)}})
	}
	return r
}

func (r *rig) do(location int, c ticket.Command) Result {
	r.t.Helper()
	res, err := r.try(Request{Location: location, Command: c})
	if err != nil {
		r.t.Fatalf("%s: %v", c.Name(), err)
	}
	return res
}

func (r *rig) try(q Request) (Result, error) {
	if q.Actor.Kind == "" {
		q.Actor = ticket.Actor{Kind: ticket.ActorStaff, User: 1}
	}
	if q.Actor.User == 1 && r.location(1) == nil {
		q.Actor.User = 0
	}
	return r.Do(context.Background(), q)
}

func (r *rig) create(line int, name string) *ticket.Ticket {
	r.t.Helper()
	return r.do(1, ticket.Create{Line: line, FirstName: name}).Ticket
}

func ref(id int64) ticket.Ref { return ticket.Ref{ID: ticket.TicketID(id)} }

func mem() *memlog.Log { return memlog.New(memlog.Options{Clock: clock()}) }

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

func TestNothingIsPublishedBeforeItIsDurable(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	seen := map[uint64]bool{}
	st.onCommit = func(changes []store.Change) {
		for _, p := range r.tape.on(wire.ConsoleChannel, 1, hub.Staff) {
			seen[p.Offset] = true
		}
		for _, c := range changes {
			for _, rec := range c.Records {
				if rec.Location == 1 && seen[rec.Offset] {
					t.Errorf("offset %d was published before its commit", rec.Offset)
				}
			}
		}
	}
	for range 20 {
		res := r.do(1, ticket.Create{Line: 1})
		if head, err := st.Head(1); err != nil || head.Offset < res.Offset {
			t.Fatalf("answered %d while the journal ends at %d (%v)", res.Offset, head.Offset, err)
		}
	}
}

// slowStore lets a test look in before every commit.
type slowStore struct {
	*memlog.Log
	onCommit func([]store.Change)
	fail     error
}

func (s *slowStore) Commit(c []store.Change) error {
	if s.onCommit != nil {
		s.onCommit(c)
	}
	if s.fail != nil {
		return s.fail
	}
	return s.Log.Commit(c)
}

func TestUnknownOutcomeStopsTheLedger(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	st.fail = errors.New("sync failed")
	before := len(r.tape.on(wire.ConsoleChannel, 1, hub.Staff))
	_, err := r.try(Request{Location: 1, Command: ticket.Create{Line: 1}})
	if wire.CodeOf(err) != wire.Unavailable {
		t.Fatalf("answered %v", err)
	}
	if err := r.stop(); !errors.Is(err, ErrUnknownOutcome) {
		t.Fatalf("run ended with %v", err)
	}
	if n := len(r.tape.on(wire.ConsoleChannel, 1, hub.Staff)); n != before {
		t.Fatal("something was published after a failed commit")
	}
	if _, err = r.try(Request{Location: 1, Command: ticket.Create{Line: 1}}); wire.CodeOf(err) != wire.Unavailable {
		t.Fatalf("a stopped ledger answered %v", err)
	}
}

func TestFullDiskRefusesAndRecovers(t *testing.T) {
	st := &slowStore{Log: mem()}
	r := newRig(t, st, Options{})
	a := r.create(1, "a")
	st.fail = store.ErrFull
	_, err := r.try(Request{Location: 1, Command: ticket.CallTicket{Ref: ref(a.ID)}})
	if e := wire.AsError(err); e.Code != wire.Unavailable || e.RetryAfter == 0 {
		t.Fatalf("answered %v", err)
	}
	st.fail = nil
	r.do(1, ticket.CallTicket{Ref: ref(a.ID)}) // was not called by the refused try
	b := r.create(1, "b")
	if b.Place.PublicID != "A-2" || b.ID != a.ID+1 {
		t.Fatalf("next ticket is %s with id %d", b.Place.PublicID, b.ID)
	}
}

func TestReopenFoldsTheSameState(t *testing.T) {
	for _, every := range []uint64{1 << 30, 3} {
		st := mem()
		r := newRig(t, st, Options{SnapshotEvery: every})
		a, b := r.create(1, "Ann"), r.create(2, "Bob")
		r.do(1, ticket.CallTicket{Ref: ref(a.ID), Desk: 1})
		r.do(1, ticket.Serve{Ref: ref(a.ID)})
		r.do(1, ticket.Label{Ref: ref(a.ID), Add: "late"})               // a is not live any more
		r.do(1, ticket.SendMessage{Ref: ref(a.ID), Text: "How was it?"}) // and lives again, as a conversation
		r.do(1, ticket.SetConversation{Ref: ref(a.ID), State: ticket.ConversationClosed})
		r.do(1, ticket.CallTicket{Ref: ref(b.ID), Desk: 2})
		r.do(1, ticket.MarkNoShow{Ref: ref(b.ID)})
		r.do(1, ticket.ReturnToQueue{Ref: ref(b.ID), Position: ticket.PositionFirst, Undo: true})
		var want []byte
		r.View(1, func(s *ticket.State) { want, _ = s.Encode() })
		// No orderly stop: the store is opened again as after a crash.
		again, err := Open(st, &tape{}, Options{Clock: clock()})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		again.View(1, func(s *ticket.State) { got, _ = s.Encode() })
		if string(got) != string(want) {
			t.Fatalf("every %d: state after reopening differs\n got %s\nwant %s", every, got, want)
		}
		if spec, _ := again.location(1).spec.Encode(); string(spec) != string(want) {
			t.Fatal("spec and view differ")
		}
		served, err := r.Ticket(a.ID)
		if err != nil || !slices.Equal(served.Labels, []string{"late"}) {
			t.Fatalf("served ticket: %+v, %v", served, err)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	const secret = "Xenophon-8391"
	st := mem()
	r := newRig(t, st, Options{SnapshotEvery: 2})
	a := r.do(1, ticket.Create{Line: 1, FirstName: secret, Email: secret + "@example.com"}).Ticket
	if _, err := r.try(Request{Location: 1, Key: "e", Command: ticket.Edit{Ref: ref(a.ID), LastName: ticket.Some(secret)}}); err != nil {
		t.Fatal(err)
	}
	r.do(1, ticket.SendMessage{Ref: ref(a.ID), Text: secret})
	r.do(1, ticket.AddNote{Ref: ref(a.ID), Text: secret})
	r.do(1, ticket.Cancel{Ref: ref(a.ID)})
	r.do(1, ticket.Erase{Ref: ref(a.ID)})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	for rec, err := range st.Records(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(rec.Facts)+string(rec.Personal), secret) {
			t.Fatalf("record %d (%s) still holds it", rec.Offset, rec.Type)
		}
	}
	if _, snap, _ := st.Snapshot(1); strings.Contains(string(snap), secret) {
		t.Fatal("the snapshot still holds it")
	}
	if v, _ := st.Ticket(a.ID); strings.Contains(string(v.Doc), secret) {
		t.Fatal("the ticket still holds it")
	}
	for e := range st.Entries(a.ID, 1, 0, false) {
		if strings.Contains(string(e.Doc), secret) {
			t.Fatal("the thread still holds it")
		}
	}
	if res, err := st.Result("e"); err == nil && strings.Contains(string(res.Value), secret) {
		t.Fatal("the remembered result still holds it")
	}
	r = open(t, st, Options{})
	// The key was used: a retry that comes after the erasure must not happen again.
	res, err := r.try(Request{Key: "e", Command: ticket.Edit{Ref: ref(a.ID), LastName: ticket.Some(secret)}})
	if err != nil || !res.Again || res.Ticket.ID != a.ID || res.Ticket.Private.LastName != "" {
		t.Fatalf("retry after the erasure: %+v, %v", res, err)
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
