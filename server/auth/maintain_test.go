package auth

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	token, _ := w.issue(Spec{Type: VisitorToken, Ticket: 17, TTL: time.Hour})
	id, err := w.Token(token)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Add(time.Hour - time.Second)
	if _, err := w.Recheck(id); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(time.Second)
	_, err = w.Token(token)
	wantErr(t, "at its end", err, ErrExpired)
	_, err = w.Recheck(id)
	wantErr(t, "recheck at its end", err, ErrExpired)
	if err := w.Maintain(t.Context()); err != nil || w.docs.count(credentialDocs) != 1 {
		t.Errorf("within the grace: %v, %d documents", err, w.docs.count(credentialDocs))
	}
	w.clock.Add(expiredGrace + time.Second)
	if err := w.Maintain(t.Context()); err != nil || w.docs.count(credentialDocs) != 0 {
		t.Errorf("after the grace: %v, %d documents", err, w.docs.count(credentialDocs))
	}
	_, err = w.Token(token)
	wantErr(t, "after it was swept", err, ErrUnknown)
}

// A use must cost no write; the mark is written later, and not often.
func TestLastUsed(t *testing.T) {
	w := newWorld(t)
	key, _ := w.issue(Spec{Type: QueueKey, Everywhere: true})
	puts := w.docs.puts
	for range 100 {
		if _, err := w.Token(key); err != nil {
			t.Fatal(err)
		}
	}
	if w.docs.puts != puts {
		t.Error("a use was written at once")
	}
	first := w.clock.Now()
	for range 20 { // twenty busy minutes
		w.clock.Add(time.Minute)
		_, _ = w.Token(key)
		if err := w.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.docs.puts - puts; n < 2 || n > 3 {
		t.Errorf("%d writes in twenty minutes", n)
	}
	w.open()
	if used := w.List(QueueKey)[0].Used; used.Sub(first) < 10*time.Minute || used.After(w.clock.Now()) {
		t.Errorf("after a restart: used %v", used)
	}
}

// A mark that was about to be written when its credential went must not bring
// the document back either.
func TestMarkAfterRevoke(t *testing.T) {
	w := newWorld(t)
	_, info := w.issue(Spec{Type: QueueKey, Everywhere: true})
	e, _ := w.index.grant(info.Grant)
	e.touch(w.clock.Now())
	if err := w.Revoke(t.Context(), "user:2", info.Grant); err != nil {
		t.Fatal(err)
	}
	if err := w.writeMarks(t.Context(), []*entry{e}); err != nil || w.docs.count(credentialDocs) != 0 {
		t.Errorf("%v, %d documents", err, w.docs.count(credentialDocs))
	}
}

func TestRunMaintainsUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.Now = time.Now
		token, _ := w.issue(Spec{Type: VisitorToken, Ticket: 17, TTL: time.Hour})
		ctx, stop := testContext(t)
		done := make(chan struct{})
		var reported []error
		go func() {
			defer close(done)
			w.Run(ctx, func(err error) { reported = append(reported, err) })
		}()
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if n := w.docs.count(credentialDocs); n != 0 {
			t.Errorf("%d documents left of %s", n, token)
		}
		stop()
		<-done
		if len(reported) != 0 {
			t.Error(reported)
		}
	})
}
