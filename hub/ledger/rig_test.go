package ledger

import (
	"context"
	"fmt"
	"slices"
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
