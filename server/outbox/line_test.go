package outbox

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// slowRead is a store in which something is committed while it is read.
type slowRead struct {
	docs   []store.Doc
	during func()
}

func (s slowRead) Doc(string, string) ([]byte, error) { return nil, store.ErrNotFound }

func (s slowRead) Docs(string) iter.Seq2[store.Doc, error] {
	return func(yield func(store.Doc, error) bool) {
		for _, d := range s.docs {
			if !yield(d, nil) {
				return
			}
		}
		s.during()
	}
}

func lineItem(t *testing.T, seq uint64) (*item, store.Doc) {
	t.Helper()
	it := &item{key: key(seq), body: []byte("{}")}
	value, err := it.encode()
	if err != nil {
		t.Fatal(err)
	}
	return it, store.Doc{Key: it.key, Value: value}
}

// A commit and the read of a line may overtake each other in either way: each
// delivery is in line once.
func TestReadingWhileCommitting(t *testing.T) {
	target := newTarget(Target{ID: "x", Kind: QueueHook}, secrets{}, nil)
	_, one := lineItem(t, 1)
	two, twoDoc := lineItem(t, 2)
	three, threeDoc := lineItem(t, 3)
	o := &Outbox{read: slowRead{docs: []store.Doc{one, twoDoc}, during: func() {
		target.arrive(two)   // the read has seen it before its arrival is told
		target.arrive(three) // the read has not seen it
	}}}
	if err := o.refill(target); err != nil {
		t.Fatal(err)
	}
	var got []string
	take := func() {
		for len(target.ready) > 0 {
			got = append(got, target.ready[0].key)
			target.leave(target.ready[0])
		}
	}
	take()
	o.read = slowRead{docs: []store.Doc{threeDoc}, during: func() {}}
	if err := o.refill(target); err != nil {
		t.Fatal(err)
	}
	take()
	target.arrive(two) // told late
	four, _ := lineItem(t, 4)
	target.arrive(four)
	take()
	if want := []string{key(1), key(2), key(3), key(4)}; !slices.Equal(got, want) {
		t.Errorf("in line were %v, want %v", got, want)
	}
}

// The ticket is erased while its delivery is under way, and the attempt fails:
// noting that must not bring back what was erased.
func TestErasedWhileUnderWay(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		r.world.hold(hook, true)
		one := r.ticket("Zqflight")
		synctest.Wait()
		r.do(1, ticket.Erase{Ref: one})
		r.world.hold(hook, false)
		time.Sleep(time.Minute)
		for _, kind := range []string{lineDocs(target.ID), pastDocs(target.ID)} {
			for d, err := range r.store.Docs(kind) {
				if err != nil || strings.Contains(string(d.Value), "Zq") {
					t.Errorf("%s holds %s, %v", kind, d.Value, err)
				}
			}
		}
		if got := r.world.types(t, hook); got != "ticket_created ticket_changed" || r.Stats().Waiting != 0 {
			t.Errorf("told %s; %+v", got, r.Stats())
		}
	})
}

// An erasure that was not finished is in force as soon as the outbox is open.
func TestUnfinishedErasureIsInForceAtOnce(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		ctx := context.Background()
		if err := r.ledger.PutDocs(ctx, erasure{ticket: 7, before: key(9)}.doc()); err != nil {
			t.Fatal(err)
		}
		again, err := Open(r.store, Options{Clock: time.Now, Box: box(t)})
		if err != nil {
			t.Fatal(err)
		}
		found := again.target(target.ID)
		for k, want := range map[string]bool{key(8): true, key(9): false, postedPrefix + "x": true} {
			if got := found.isGone(&item{key: k, head: head{Ticket: 7}}); got != want {
				t.Errorf("delivery %s: erased is %v", k, got)
			}
		}
	})
}

// While we were away time has passed, but that is not the receiver's fault.
func TestOldEventsGetTheirAttemptAfterARestart(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.hold(hook, true)
		r.ticket("Ida")
		r.ticket("Omar")
		synctest.Wait()
		r.stop()
		time.Sleep(2 * time.Hour)
		r.world.hold(hook, false)
		r2 := r.again(nil)
		defer r2.stop()
		synctest.Wait()
		if got := r2.visitors(hook); got != "Ida Ida Omar" {
			t.Errorf("told of %s", got)
		}
	})
}

// A receiver that hangs takes ten seconds for each attempt, while an event comes
// every second: what is too old goes without one.
func TestHangingTargetKeepsABoundedBacklog(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.hold(hook, true)
		one := r.ticket("Ida")
		most := 0
		for range 2400 {
			r.do(1, ticket.Label{Ref: one, Set: ticket.Some([]string{time.Now().Format("150405")})})
			time.Sleep(time.Second)
			most = max(most, r.Stats().Waiting)
		}
		if most > 15*60+30 {
			t.Errorf("%d deliveries waited", most)
		}
	})
}

// Sent again by hand means all attempts again, however old the event is.
func TestRedeliveredGetsItsOwnTime(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		r.world.set(fails(500))
		r.ticket("Ida")
		time.Sleep(time.Hour)
		past, _ := r.Deliveries(target.ID)
		if err := r.Redeliver(context.Background(), target.ID, past[0].ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if n := len(r.world.at(hook)); n != 12 {
			t.Errorf("%d attempts in all", n)
		}
	})
}
