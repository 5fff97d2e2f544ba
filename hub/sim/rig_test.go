package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

// disk is a store in memory that takes time to sync and can fail. The memlog
// under it is what survives a restart.
type disk struct {
	*memlog.Log
	latency func() time.Duration // called by the committer only
	fault   *store.Fault
	full    func() bool
	met     func(store.FaultMode) // told of a fault that happened; may be nil

	mu   sync.Mutex // protects dead
	dead error
}

func (d *disk) kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead == nil {
		d.dead = store.ErrInjected
	}
}

func (d *disk) err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// Commit takes as long as a sync does, and then does what the fault leaves of it.
func (d *disk) Commit(changes []store.Change) error {
	if d.latency != nil {
		time.Sleep(d.latency()) // the sync itself, not a wait for anything
	}
	if err := d.err(); err != nil {
		return err
	}
	if d.full != nil && d.full() {
		return store.ErrFull
	}
	var keys [][]byte
	for i := range changes {
		keys = append(keys, store.ChangeKeys(&changes[i])...)
	}
	mode := d.fault.Next(keys)
	if mode != store.FailBefore {
		if err := d.Log.Commit(changes); err != nil {
			return err
		}
	}
	if mode != store.NoFault {
		d.kill()
		if d.met != nil {
			d.met(mode)
		}
		return store.ErrInjected
	}
	return nil
}

// PutSnapshot fails with the rest.
func (d *disk) PutSnapshot(location int, offset uint64, state []byte) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Log.PutSnapshot(location, offset, state)
}

// The house that every test has: locations 1 to n, each with its lines, desks
// and clerks. Ids are unique in the deployment.
type house struct {
	locations []place
}

type place struct {
	id    int
	lines []int
	desks []int
	users []int
}

const setup = "setup"

// build makes the house through the ledger. The boards of the first location
// show what of the names: 0 nothing, 1 the first, 2 an initial, too.
func build(t testing.TB, l *ledger.Ledger, locations, lines, desks, users, shown int) house {
	t.Helper()
	do := func(location int, c ticket.Command) ledger.Result {
		t.Helper()
		res, err := l.Do(t.Context(), ledger.Request{
			Location: location, Command: c, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: setup},
		})
		if err != nil {
			t.Fatalf("%s: %v", c.Name(), err)
		}
		return res
	}
	var h house
	names := []string{"none", "first", "initial"}
	for n := 1; n <= locations; n++ {
		res := do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{
			GUID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", n), Name: fmt.Sprint("Branch ", n), Timezone: "Europe/Tallinn",
			Settings: ticket.Board{Names: names[(n-1+shown)%3]},
		}})
		p := place{id: res.Events[0].Facts.LocationDef.ID}
		for i := range lines {
			res := do(p.id, ticket.PutLine{Line: ticket.Line{Name: fmt.Sprint("Line ", i)}})
			p.lines = append(p.lines, res.Events[0].Facts.LineDef.ID)
		}
		for i := range desks {
			res := do(p.id, ticket.PutDesk{Desk: ticket.Desk{Name: fmt.Sprint(i + 1)}})
			p.desks = append(p.desks, res.Events[0].Facts.DeskDef.ID)
		}
		for i := range users {
			res := do(ledger.Directory, ticket.PutUser{User: ticket.User{
				GUID: fmt.Sprint("user-", n, "-", i), Email: fmt.Sprint("u", n, ".", i, "@example.com"), FirstName: "U",
				Roles: []ticket.Role{{ID: n*1000 + i, Type: ticket.RoleClerk, Location: p.id}},
			}})
			p.users = append(p.users, res.Events[0].Facts.UserDef.ID)
		}
		h.locations = append(h.locations, p)
	}
	return h
}

// lonely is a ledger's publisher when nobody listens.
type lonely struct{}

func (lonely) Wants(hub.Key) bool               { return false }
func (lonely) Publish(hub.Key, hub.Publication) {}

// start opens a ledger and runs it until stop, which says how Run ended.
func start(t testing.TB, st store.Store, p ledger.Publisher, o ledger.Options) (l *ledger.Ledger, stop func() error) {
	t.Helper()
	l, err := ledger.Open(st, p, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return l, sync.OnceValue(func() error { cancel(); return <-ended })
}

func newRand(seed uint64, actor int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(actor))) }
