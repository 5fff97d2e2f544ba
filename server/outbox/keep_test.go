package outbox

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox/sign"
)

func TestRedeliver(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		ctx := context.Background()
		r.world.set(fails(500))
		r.ticket("Ida")
		time.Sleep(time.Hour)
		r.world.set(nil)
		r.ticket("Omar")
		synctest.Wait()
		past, _ := r.Deliveries(target.ID)
		if len(past) != 2 || past[0].State != Delivered || past[1].State != Dropped {
			t.Fatalf("past is %+v", past)
		}
		if err := r.Redeliver(ctx, target.ID, past[0].ID); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("what arrived is sent again: %v", err)
		}
		r2 := r.again(nil)
		defer r2.stop()
		if err := r2.Redeliver(ctx, target.ID, past[1].ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := r2.world.at(hook)
		if last := got[len(got)-1]; last.body != got[0].body || last.head.Get(sign.HeaderID) != past[1].ID {
			t.Errorf("sent again: %+v", last)
		}
		if err := r2.Redeliver(ctx, target.ID, past[1].ID); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("sent again twice: %v", err)
		}
		if err := r2.Redeliver(ctx, target.ID, "nothing"); wire.CodeOf(err) != wire.NotFound {
			t.Errorf("unknown delivery: %v", err)
		}
	})
}

func TestPastIsBounded(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		for _, name := range names(keptPast + 20) {
			r.ticket(name)
		}
		synctest.Wait()
		past, _ := r.Deliveries(target.ID)
		if len(past) != keptPast || r.docs(pastDocs(target.ID)) != keptPast {
			t.Errorf("%d past deliveries listed, %d stored", len(past), r.docs(pastDocs(target.ID)))
		}
	})
}

func TestRemove(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		r.world.hold(hook, true)
		for _, name := range names(300) {
			r.ticket(name)
		}
		start := time.Now()
		if err := r.Remove(context.Background(), target.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if d := time.Since(start); d > time.Second {
			t.Errorf("removing waited %v for the receiver", d)
		}
		r.ticket("later")
		synctest.Wait()
		for _, kind := range []string{lineDocs(target.ID), asideDocs(target.ID), pastDocs(target.ID), targetDocs} {
			if n := r.docs(kind); n != 0 {
				t.Errorf("%d documents of kind %s are left", n, kind)
			}
		}
		if n := len(r.world.at(hook)); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// What was staged for a commit that surely failed is not delivered.
func TestAbandonedCommitsAreNotDelivered(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		s := ticket.NewState(1)
		s.Put(&ticket.Ticket{ID: 9, Location: 1, Place: ticket.Place{Status: ticket.New}, Private: ticket.Private{FirstName: "Nobody"}})
		synctest.Wait() // the committer is at rest, so this may stand in for it
		if docs := r.Effects(s, ticket.Event{Type: ticket.EventLabelled, Ticket: 9}); len(docs) < 1 {
			t.Fatalf("%d documents", len(docs))
		}
		r.Abandoned()
		r.ticket("Ida")
		synctest.Wait()
		if got := r.visitors(hook); got != "Ida" || r.Stats().Queued != 1 {
			t.Errorf("told of %s", got)
		}
		r2 := r.again(nil)
		defer r2.stop()
		r2.ticket("Omar")
		synctest.Wait()
		ids := map[string]bool{}
		for _, q := range r2.world.at(hook) {
			ids[q.head.Get(sign.HeaderID)] = true
		}
		if len(ids) != 2 {
			t.Errorf("an id was used twice: %v", ids)
		}
	})
}

// An erasure takes what waits and what was kept, wherever it is, and what is told
// afterwards holds nothing personal.
func TestErasureReachesWaitingDeliveries(t *testing.T) {
	for name, restart := range map[string]bool{"at once": false, "after a crash": true} {
		bubble(t, nil, func(r *rig) {
			target := r.queueHook(hook)
			r.world.set(fails(500))
			dropped := r.ticket("Zqdrop")
			time.Sleep(time.Hour)
			r.world.hold(hook, true)
			first := r.ticket("Ida")
			synctest.Wait()
			waiting := r.ticket("Zqwait")
			if restart {
				// The erasures are committed, and nothing follows them.
				r.keeper.mu.Lock()
				r.keeper.jobs = append(r.keeper.jobs, stuck{})
				r.keeper.mu.Unlock()
				r.do(1, ticket.Edit{Ref: first, LastName: ticket.Some("x")})
			}
			r.do(1, ticket.Erase{Ref: waiting})
			r.do(1, ticket.Erase{Ref: dropped})
			if restart {
				r = r.again(nil)
				defer r.stop()
			}
			synctest.Wait()
			for _, kind := range []string{lineDocs(target.ID), asideDocs(target.ID), pastDocs(target.ID)} {
				for d, err := range r.store.Docs(kind) {
					if err != nil || strings.Contains(string(d.Value), "Zq") {
						t.Errorf("%s: %s holds %s, %v", name, kind, d.Value, err)
					}
				}
			}
			if n := r.docs(eraseDocs); n != 0 {
				t.Errorf("%s: %d erasures are left to do", name, n)
			}
			r.world.hold(hook, false)
			r.world.set(nil)
			time.Sleep(time.Minute)
			var told []string
			for _, q := range r.world.at(hook) {
				typ, data := q.event(t)
				if data["id"] == "3" {
					told = append(told, typ)
					if data["firstName"] != nil {
						t.Errorf("%s: told of %v", name, data)
					}
				}
			}
			if strings.Join(told, " ") != queueTicketChanged || r.Stats().Waiting != 0 {
				t.Errorf("%s: told %v, figures %+v", name, told, r.Stats())
			}
			if past, _ := r.Deliveries(target.ID); slices.ContainsFunc(past, func(d Delivery) bool { return d.State == Dropped }) {
				t.Errorf("%s: the dropped one is still listed: %+v", name, past)
			}
		})
	}
}

// stuck is a job that never gets done.
type stuck struct{}

func (stuck) do(ctx context.Context, _ *Outbox) error { <-ctx.Done(); return ctx.Err() }
