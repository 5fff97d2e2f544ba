package outbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestPolling(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		ctx := context.Background()
		if _, err := r.Poll(ctx, dept, PollQuery{}); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("polling that is off: %v", err)
		}
		target, _ := r.register(Registration{Kind: ChatPoll, Department: dept})
		poll := func(q PollQuery) []chatEvent {
			t.Helper()
			body, err := r.Poll(ctx, dept, q)
			if err != nil {
				t.Fatal(err)
			}
			return chatEventsOf(t, body)
		}
		all := names(130)
		for _, name := range all {
			r.ticket(name)
		}
		first := poll(PollQuery{})
		if whose(first) != strings.Join(all[:100], " ") {
			t.Errorf("first poll gives %s", whose(first))
		}
		second := poll(PollQuery{})
		if whose(second) != strings.Join(all[100:], " ") {
			t.Errorf("second poll gives %s", whose(second))
		}
		if got := poll(PollQuery{}); len(got) != 0 {
			t.Errorf("shown again before their time: %s", whose(got))
		}
		if err := r.Acknowledge(ctx, dept, receipts(target.ID, first)); err != nil {
			t.Fatal(err)
		}
		if err := r.Acknowledge(ctx, dept, []Receipt{{first[4].Handle, ""}}); wire.CodeOf(err) != wire.BadRequest {
			t.Errorf("a receipt without its id: %v", err)
		}
		if s := r.Stats(); s.Waiting != 128 || s.Delivered != 2 {
			t.Errorf("figures are %+v", s)
		}
		time.Sleep(Visibility)
		if got := poll(PollQuery{Delete: true, Max: 10}); whose(got) != strings.Join(all[2:12], " ") || got[0].MessageID != first[2].MessageID {
			t.Errorf("after their time: %s", whose(got))
		}
		r2 := r.again(withChat)
		defer r2.stop()
		body, err := r2.Poll(ctx, dept, PollQuery{Max: 3})
		if got := whose(chatEventsOf(t, body)); err != nil || got != strings.Join(all[12:15], " ") {
			t.Errorf("after a restart: %s, %v", got, err)
		}
		time.Sleep(4 * 24 * time.Hour)
		if s := r2.Stats(); s.Waiting != 0 || s.Dropped != 118 {
			t.Errorf("after three days: %+v", s)
		}
	})
}

// receipts are those of the first two events, with nonsense around them.
func receipts(target string, e []chatEvent) []Receipt {
	return []Receipt{
		{e[0].Handle, e[0].MessageID}, {e[1].Handle, e[1].MessageID}, {e[1].Handle, e[1].MessageID},
		{e[2].Handle, e[3].MessageID}, {handle("another", key(5)), messageID(target, key(5))}, {"nonsense", "x"},
		{handle(target, key(99999)), messageID(target, key(99999))},
	}
}

func TestPollingWaits(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		r.register(Registration{Kind: ChatPoll, Department: dept})
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		if body, err := r.Poll(ctx, dept, PollQuery{Wait: time.Hour}); err != nil || string(body) != "[]" || time.Since(start) != PollWait {
			t.Errorf("waited %v for %s, %v", time.Since(start), body, err)
		}
		start = time.Now()
		got := make(chan string)
		go func() {
			body, err := r.Poll(ctx, dept, PollQuery{Wait: PollWait, Delete: true})
			if err != nil {
				t.Error(err)
			}
			got <- whose(chatEventsOf(t, body))
		}()
		time.Sleep(7 * time.Second)
		r.ticket("Ida")
		if who := <-got; who != "Ida" || time.Since(start) != 7*time.Second {
			t.Errorf("got %s after %v", who, time.Since(start))
		}
		go func() {
			_, err := r.Poll(ctx, dept, PollQuery{Wait: PollWait})
			got <- fmt.Sprint(err)
		}()
		synctest.Wait()
		cancel()
		if err := <-got; err != context.Canceled.Error() {
			t.Errorf("a poll whose caller left gives %s", err)
		}
	})
}

// Two who poll at the same time never get the same event.
func TestPollingTogether(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		r.register(Registration{Kind: ChatPoll, Department: dept})
		for _, name := range names(60) {
			r.ticket(name)
		}
		got := make(chan []chatEvent)
		for range 6 {
			go func() {
				body, err := r.Poll(context.Background(), dept, PollQuery{Max: 10})
				if err != nil {
					t.Error(err)
				}
				got <- chatEventsOf(t, body)
			}()
		}
		seen := map[string]bool{}
		for range 6 {
			for _, e := range <-got {
				seen[e.MessageID] = true
			}
		}
		if len(seen) != 60 {
			t.Errorf("%d different events", len(seen))
		}
	})
}

func FuzzHandle(f *testing.F) {
	f.Add(handle("a-target", key(7)))
	f.Add("")
	f.Add("YS8")
	f.Add("L2I")
	f.Fuzz(func(t *testing.T, s string) {
		target, k, ok := parseHandle(s)
		if !ok {
			return
		}
		if handle(target, k) != s || target == "" || k == "" || len(s) > maxHandle {
			t.Fatalf("%q reads as %q, %q, which is written %q", s, target, k, handle(target, k))
		}
	})
}
