package outbox

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox/sign"
)

func fails(status int) func(request, int) (int, error) {
	return func(request, int) (int, error) { return status, nil }
}

// gaps are the pauses between what one URL got.
func gaps(got []request) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(got); i++ {
		out = append(out, got[i].at.Sub(got[i-1].at))
	}
	return out
}

func TestQueueRetriesToTheSecondAndThenDrops(t *testing.T) {
	for name, answer := range map[string]func(request, int) (int, error){
		"errors":    fails(500),
		"redirects": fails(302),
		"no answer": func(request, int) (int, error) { return 0, errCut },
	} {
		bubble(t, nil, func(r *rig) {
			target := r.queueHook(hook)
			r.world.set(answer)
			r.ticket("Ida")
			time.Sleep(time.Hour)
			got := r.world.at(hook)
			want := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
			if !slices.Equal(gaps(got), want) {
				t.Fatalf("%s: pauses are %v, want %v", name, gaps(got), want)
			}
			for _, q := range got {
				if q.body != got[0].body || q.head.Get(sign.HeaderQueue) != got[0].head.Get(sign.HeaderQueue) ||
					q.head.Get(sign.HeaderID) != got[0].head.Get(sign.HeaderID) {
					t.Errorf("%s: a retry differs", name)
				}
			}
			s := r.Stats()
			if s.Queued != 1 || s.Failed != 6 || s.Dropped != 1 || s.Delivered != 0 || s.Waiting != 0 || s.Failing != 1 {
				t.Errorf("%s: figures are %+v", name, s)
			}
			past, err := r.Deliveries(target.ID)
			if err != nil || len(past) != 1 || past[0].State != Dropped || past[0].Attempts != 6 || past[0].Reason == "" {
				t.Errorf("%s: past is %+v, %v", name, past, err)
			}
			if !strings.Contains(r.log.String(), past[0].ID) {
				t.Errorf("%s: the log does not name the dropped delivery", name)
			}
			// It is not held against the next one.
			r.world.set(nil)
			r.ticket("Omar")
			synctest.Wait()
			if got := r.visitors(hook); !strings.HasSuffix(got, " Omar") {
				t.Errorf("%s: told of %s", name, got)
			}
		})
	}
}

func TestQueueTimeout(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.hold(hook, true)
		r.ticket("Ida")
		time.Sleep(time.Hour)
		got := r.world.at(hook)
		if len(got) != 6 || gaps(got)[0] != 11*time.Second || gaps(got)[4] != 10*time.Minute+10*time.Second {
			t.Errorf("pauses are %v", gaps(got))
		}
	})
}

// An hour of events for a target that is away: each gets what its own time
// allows, the backlog stays bounded, and what is young arrives when it is back.
func TestDeadTargetKeepsABoundedBacklog(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.set(fails(503))
		one := r.ticket("Ida")
		most := 0
		for range 3600 / 10 {
			r.do(1, ticket.Label{Ref: one, Set: ticket.Some([]string{time.Now().Format("150405")})})
			time.Sleep(10 * time.Second)
			most = max(most, r.Stats().Waiting)
			target := r.target(r.List()[0].ID)
			target.mu.Lock()
			if len(target.ready) > readAhead {
				t.Errorf("%d deliveries in memory", len(target.ready))
			}
			target.mu.Unlock()
		}
		if limit := 15*6 + 2; most > limit {
			t.Errorf("%d deliveries waited, at most %d could", most, limit)
		}
		before := len(r.world.at(hook))
		r.world.set(nil)
		time.Sleep(15 * time.Minute)
		if n := len(r.world.at(hook)) - before; n < 60 || r.Stats().Waiting != 0 {
			t.Errorf("%d of the last quarter of an hour arrived, %d wait", n, r.Stats().Waiting)
		}
	})
}

func TestDeadTargetDelaysNobodyElse(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.queueHook(hook2)
		r.world.hold(hook, true)
		for _, name := range names(100) {
			r.ticket(name)
		}
		synctest.Wait()
		if got := r.visitors(hook2); got != strings.Join(names(100), " ") {
			t.Errorf("the healthy one was told of %s", got)
		}
		if n := len(r.world.at(hook)); n != 1 {
			t.Errorf("the dead one has %d requests under way", n)
		}
	})
}

// More events than fit into memory, in order and each once, although they come
// while the line is read.
func TestOrderThroughOverflow(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		var started atomic.Bool
		r.world.set(func(q request, n int) (int, error) {
			if !started.Load() {
				return 503, nil
			}
			if n%7 == 0 { // some come while others are delivered
				go func() { _, _ = r.try(1, ticket.PutLine{Line: ticket.Line{ID: 2, Name: "Registry"}}) }()
			}
			return 200, nil
		})
		for _, name := range names(150) {
			r.ticket(name)
		}
		synctest.Wait()
		started.Store(true)
		time.Sleep(time.Minute)
		var told []string
		for _, q := range r.world.at(hook)[1:] {
			if typ, data := q.event(t); typ == queueTicketCreated {
				told = append(told, data["firstName"].(string))
			}
		}
		if got, want := strings.Join(told, " "), strings.Join(names(150), " "); got != want {
			t.Errorf("told of\n%s, want\n%s", got, want)
		}
		if r.Stats().Waiting != 0 || r.docs(lineDocs(r.List()[0].ID)) != 0 {
			t.Errorf("figures are %+v", r.Stats())
		}
	})
}

func TestGoneDisablesTheTarget(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		r.world.set(fails(http.StatusGone))
		for _, name := range names(5) {
			r.ticket(name)
		}
		time.Sleep(time.Hour)
		if n := len(r.world.at(hook)); n != 1 {
			t.Errorf("%d requests after 410", n)
		}
		r.ticket("later")
		if l := r.List(); l[0].Disabled == "" || r.docs(lineDocs(target.ID)) != 0 {
			t.Errorf("target is %+v, %d wait", l[0], r.docs(lineDocs(target.ID)))
		}
		r2 := r.again(nil)
		defer r2.stop()
		r2.world.set(nil)
		r2.ticket("even later")
		time.Sleep(time.Minute)
		if n := len(r.world.at(hook)); n != 1 || r2.List()[0].Disabled == "" {
			t.Errorf("%d requests after a restart", n)
		}
		if err := r2.Enable(context.Background(), target.ID); err != nil {
			t.Fatal(err)
		}
		r2.ticket("Omar")
		time.Sleep(time.Minute)
		if got := r2.visitors(hook); !strings.HasSuffix(got, " Omar") || strings.Contains(got, "later") {
			t.Errorf("told of %s", got)
		}
	})
}

// The process ends between any two steps: nothing is lost, order is kept, at most
// what was under way comes again, and attempts are not counted anew.
func TestRestartMidDelivery(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		all := names(60)
		arrived := 0
		r.world.set(func(q request, _ int) (int, error) {
			if arrived++; arrived == 20 {
				// It arrives, and then everything stops before anybody notes it.
				go r.stop()
				return 0, errCut
			}
			return 200, nil
		})
		for _, name := range all[:20] {
			r.ticket(name)
		}
		synctest.Wait()
		r.world.set(nil)
		r2 := r.again(nil)
		for _, name := range all[20:] {
			r2.ticket(name)
		}
		time.Sleep(time.Minute)
		got := strings.Fields(r2.visitors(hook))
		if n := len(got); n != 61 && n != 60 {
			t.Errorf("%d deliveries", n)
		}
		if got = slices.Compact(got); !slices.Equal(got, all) {
			t.Errorf("told of %v", got)
		}
		r2.stop()
		ids := map[string]bool{}
		for _, q := range r.world.at(hook) {
			ids[q.head.Get(sign.HeaderID)] = true
		}
		if len(ids) != 60 {
			t.Errorf("%d ids for 60 events", len(ids))
		}
	})
}

// The store is taken as it is at any moment, the way kill -9 leaves it: the old
// outbox never gets to note anything more.
func TestKilledWhileItNotes(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.ticket("Ida")
		synctest.Wait()
		r.full.Store(false)
		r.world.set(func(request, int) (int, error) {
			r.full.Store(true) // what follows cannot be noted
			return 200, nil
		})
		r.ticket("Omar")
		synctest.Wait()
		if r.docs(lineDocs(r.List()[0].ID)) != 1 {
			t.Fatal("the delivery was noted")
		}
		go r.stop()
		time.Sleep(time.Minute)
		r.full.Store(false)
		r.world.set(nil)
		r2 := open(t, r.store, r.world, r.full, nil)
		defer r2.stop()
		r2.ticket("Lu")
		time.Sleep(time.Minute)
		if got := r2.visitors(hook); got != "Ida Omar Omar Lu" {
			t.Errorf("told of %s", got)
		}
	})
}

func TestAttemptsSurviveARestart(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.set(fails(500))
		r.ticket("Ida")
		time.Sleep(40 * time.Second) // attempts at 0, 1, 6 and 36 s
		r2 := r.again(nil)
		defer r2.stop()
		time.Sleep(time.Hour)
		want := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
		if got := gaps(r.world.at(hook)); !slices.Equal(got, want) {
			t.Errorf("pauses are %v, want %v", got, want)
		}
	})
}

// While the disk is full nothing can be noted: what arrived must not be sent again
// and again.
func TestFullDiskSendsNothingTwice(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.set(func(request, int) (int, error) {
			r.full.Store(true)
			return 200, nil
		})
		r.ticket("Ida")
		time.Sleep(10 * time.Minute)
		if n := len(r.world.at(hook)); n != 1 {
			t.Errorf("sent %d times", n)
		}
		if _, err := r.try(1, ticket.Create{Line: 1}); wire.CodeOf(err) != wire.Unavailable {
			t.Errorf("a full disk takes changes: %v", err)
		}
		r.full.Store(false)
		r.world.set(nil)
		time.Sleep(time.Minute)
		r.ticket("Omar")
		synctest.Wait()
		if got := r.visitors(hook); got != "Ida Omar" || r.Stats().Delivered != 2 {
			t.Errorf("told of %s, %+v", got, r.Stats())
		}
	})
}

func TestStopLetsAttemptsFinishButNotForever(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.queueHook(hook)
		r.world.hold(hook, true)
		r.ticket("Ida")
		synctest.Wait()
		start := time.Now()
		r.stop()
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("stopping took %v", d)
		}
		r.world.hold(hook, false)
		r2 := r.again(nil)
		defer r2.stop()
		synctest.Wait()
		if got := r2.visitors(hook); got != "Ida Ida" || r2.Stats().Failed != 0 {
			t.Errorf("told of %s", got)
		}
	})
}

func TestOwnHeadersCannotBeReplaced(t *testing.T) {
	for name, ok := range map[string]bool{
		"Authorization": true, "X-Tenant": true, "user-agent": true, "x_custom": true, "Tea": true,
		"Host": false, "content-length": false, "Content-Type": false, "X-Hub-Signature": false, "x-glassix-auth": false,
		"Webhook-Id": false, "X-Qminder-Signature": false, "Transfer-Encoding": false, "TE": false, "a b": false, "": false, "a:b": false,
	} {
		if got := checkHeaders(map[string]string{name: "v"}) == nil; got != ok {
			t.Errorf("header %q: allowed is %v", name, got)
		}
	}
	if checkHeaders(map[string]string{"X-A": "a\r\nHost: b"}) == nil {
		t.Error("a value of two lines is allowed")
	}
}
