// Package testkit holds what the tests of the server's packages need in the same
// form. Only tests import it; server/house_test.go checks that.
//
//   - ledger.go: a clock, a ledger that runs and that nobody listens to, and what
//     is asked of it
//   - process.go: what tests need that look at a node from outside
//   - watcher.go: what checks positions, and a console that checks what it is told
package testkit

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// Clock is a clock that moves when it is told to, and by a step at every look.
type Clock struct {
	step time.Duration
	mu   sync.Mutex // protects at
	at   time.Time
}

// NewClock is a clock that shows a time. With a step no two looks show the same.
func NewClock(at time.Time, step time.Duration) *Clock { return &Clock{at: at, step: step} }

// Now looks at the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(c.step)
	return c.at
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Nobody is a ledger's publisher when nobody listens.
type Nobody struct{}

// Wants implements ledger.Publisher.
func (Nobody) Wants(hub.Key) bool { return false }

// Publish implements ledger.Publisher.
func (Nobody) Publish(hub.Key, hub.Publication) {}

// Where tells the access table where tickets are.
type Where struct{ *ledger.Ledger }

// TicketLocation implements auth.Locator.
func (w Where) TicketLocation(id int64) (int, error) { return w.Locate(id) }

// Run runs something until stop, which waits for its end. How it ended is an error
// of the test if it is one.
func Run(t testing.TB, what string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	return sync.OnceFunc(func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s ended: %v", what, err)
		}
	})
}

// Doer carries commands out: a ledger, or what a test puts before it.
type Doer interface {
	Do(context.Context, ledger.Request) (ledger.Result, error)
}

// Must has a command carried out.
func Must(t testing.TB, l Doer, actor ticket.Actor, location int, c ticket.Command) ledger.Result {
	t.Helper()
	res, err := l.Do(context.Background(), ledger.Request{Location: location, Command: c, Actor: actor})
	if err != nil {
		t.Fatalf("%s: %v", c.Name(), err)
	}
	return res
}

// Staff are the people of two locations: user 1 owns both, 2 and 3 are clerks of
// the first, 4 of the second.
func Staff() []ticket.PutUser {
	var all []ticket.PutUser
	for i, role := range []ticket.Role{
		{Type: ticket.RoleOwner}, {Type: ticket.RoleClerk, Location: 1}, {Type: ticket.RoleClerk, Location: 1}, {Type: ticket.RoleClerk, Location: 2},
	} {
		role.ID = i + 1
		all = append(all, ticket.PutUser{User: ticket.User{
			GUID: fmt.Sprintf("33333333-3333-4333-8333-33333333333%d", i), Email: fmt.Sprintf("user%d@example.com", i+1),
			FirstName: "User", LastName: string(rune('A' + i)), Roles: []ticket.Role{role},
		}})
	}
	return all
}

var _ ledger.Publisher = Nobody{}
