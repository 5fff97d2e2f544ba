package node

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store/memlog"
)

// keeping is a location in Tallinn on a ledger in memory, in a bubble.
type keeping struct {
	*ledger.Ledger
	t     *testing.T
	store *memlog.Log
	job   *retention
	// fail makes commands of the job fail after so many.
	mu    sync.Mutex
	left  int
	audit []auth.Entry
}

var errPulled = errors.New("the plug was pulled")

// Do implements retention's ledger, with a fault.
func (k *keeping) Do(ctx context.Context, r ledger.Request) (ledger.Result, error) {
	if r.Actor.Credential == retentionActor {
		k.mu.Lock()
		k.left--
		out := k.left < 0
		k.mu.Unlock()
		if out {
			return ledger.Result{}, errPulled
		}
	}
	return k.Ledger.Do(ctx, r)
}

func (k *keeping) give(location int, c ticket.Command) ledger.Result {
	k.t.Helper()
	res, err := k.Do(k.t.Context(), ledger.Request{Location: location, Command: c, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "test"}})
	if err != nil {
		k.t.Fatal(err)
	}
	return res
}

func newKeeping(t *testing.T, days int) *keeping {
	t.Helper()
	k := &keeping{t: t, store: memlog.New(memlog.Options{Clock: time.Now}), left: 1 << 30}
	var err error
	if k.Ledger, err = ledger.Open(k.store, testkit.Nobody{}, ledger.Options{Clock: time.Now, Log: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	k.give(ledger.Directory, ticket.PutLocation{Location: ticket.Location{
		GUID: "g", Name: "Main", Timezone: "Europe/Tallinn", Retention: days,
	}})
	k.give(1, ticket.PutLine{Line: ticket.Line{Name: "A"}})
	k.job = &retention{ledger: k, store: k.store, audit: auth.AuditorFunc(func(e auth.Entry) { k.audit = append(k.audit, e) }), clock: time.Now, log: zerolog.Nop()}
	return k
}

// visit is somebody who came and, if ended, has gone.
func (k *keeping) visit(ended bool) int64 {
	k.t.Helper()
	id := k.give(1, ticket.Create{Line: 1, FirstName: "Visitor"}).Ticket.ID
	if ended {
		k.give(1, ticket.Cancel{Ref: ticket.Ref{ID: ticket.TicketID(id)}})
	}
	return id
}

func (k *keeping) erased(id int64) bool {
	k.t.Helper()
	t, err := k.Ticket(id)
	if err != nil {
		k.t.Fatal(err)
	}
	if t.Erased != (t.Private.FirstName == "") {
		k.t.Errorf("ticket %d: erased %v, name %q", id, t.Erased, t.Private.FirstName)
	}
	return t.Erased
}

func (k *keeping) want(id int64, erased bool, when string) {
	k.t.Helper()
	if k.erased(id) != erased {
		k.t.Errorf("%s: erased is %v", when, !erased)
	}
}

// running runs the job until the test ends it.
func (k *keeping) running() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { _ = k.job.run(ctx); close(ended) }()
	return func() { cancel(); <-ended }
}

// until lets time pass to a local time of the location.
func until(t *testing.T, local string) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Tallinn")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", local, zone)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(at)) // the bubble's clock
	synctest.Wait()
}

// The bubble's clock begins at midnight UTC of 2000-01-01, 02:00 in Tallinn.
func TestOldTicketsGoInTheNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t, 2)
		defer k.running()()
		old, waits := k.visit(true), k.visit(false)
		until(t, "2000-01-03 02:59")
		late := k.visit(true)
		k.want(old, false, "before the second night is over")
		until(t, "2000-01-03 03:02")
		k.want(old, true, "in the night after two days")
		k.want(late, false, "what has just ended")
		k.want(waits, false, "who waits still")
		until(t, "2000-01-06 03:02")
		k.want(late, true, "three nights later")
		k.want(waits, false, "who waits still, days later")
		k.give(1, ticket.Cancel{Ref: ticket.Ref{ID: ticket.TicketID(waits)}})
		until(t, "2000-01-07 03:02")
		k.want(waits, false, "who came long ago and left yesterday")
		until(t, "2000-01-09 03:02")
		k.want(waits, true, "who waited long and then left")
		if len(k.audit) != 3 || k.audit[0].On != "location:1, 1 tickets" {
			t.Errorf("%+v", k.audit)
		}
	})
}

func TestTurnedOnByDayItWaitsForTheNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t, 0)
		defer k.running()()
		old := k.visit(true)
		until(t, "2000-02-01 12:00")
		k.want(old, false, "kept for ever")
		k.give(ledger.Directory, ticket.EditLocation{Location: 1, Retention: ticket.Some(5)})
		until(t, "2000-02-01 23:00")
		k.want(old, false, "turned on today")
		k.give(ledger.Directory, ticket.EditLocation{Location: 1, Retention: ticket.Some(0)})
		until(t, "2000-02-02 12:00")
		k.want(old, false, "turned off again before the night")
		k.give(ledger.Directory, ticket.EditLocation{Location: 1, Retention: ticket.Some(5)})
		until(t, "2000-02-03 03:02")
		k.want(old, true, "after the night")
	})
}

func TestRetentionResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t, 1)
		stop := k.running()
		var all []int64
		for range retentionBatch + 5 {
			all = append(all, k.visit(true))
		}
		k.mu.Lock()
		k.left = 100
		k.mu.Unlock()
		until(t, "2000-01-02 03:00")
		stop()
		n := 0
		for _, id := range all {
			if k.erased(id) {
				n++
			}
		}
		if n == 0 || n == len(all) {
			t.Fatalf("%d erased before the fault", n)
		}
		if p, _, err := k.job.progress(1); err != nil || p.Night == "2000-01-02" {
			t.Fatalf("the night was noted as done: %+v %v", p, err)
		}
		k.mu.Lock()
		k.left = 1 << 30
		k.mu.Unlock()
		// The next process, the same night.
		again := *k.job
		k.job = &again
		defer k.running()()
		until(t, "2000-01-02 03:30")
		for _, id := range all {
			k.want(id, true, "after the restart")
		}
		if p, _, err := k.job.progress(1); err != nil || p.Night != "2000-01-02" {
			t.Errorf("%+v %v", p, err)
		}
	})
}
