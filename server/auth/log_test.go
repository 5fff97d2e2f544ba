package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

// logStore is a store that may refuse to write.
type logStore struct {
	*memlog.Log
	mu   sync.Mutex
	fail error
}

func (s *logStore) PutDocs(_ context.Context, docs ...store.Doc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	return s.Commit([]store.Change{{Docs: docs}})
}

func (s *logStore) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func openLog(t *testing.T, s *logStore) *Log {
	t.Helper()
	l, err := OpenLog(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newLogStore() *logStore { return &logStore{Log: memlog.New(memlog.Options{Clock: time.Now})} }

func page(t *testing.T, l *Log, before uint64, limit int) []Logged {
	t.Helper()
	out, err := l.Page(t.Context(), before, limit)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func deny(n int) Entry {
	return Entry{Time: time.Date(2026, 11, 22, 8, 0, n, 0, time.UTC), Action: AuditDeny, Who: "user:1", On: fmt.Sprint("thing ", n), Result: "forbidden"}
}

func TestLogKeepsNoAddress(t *testing.T) {
	s := newLogStore()
	l := openLog(t, s)
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for i, e := range []Entry{
		{Action: AuditSignIn, Who: "ann@example.com", From: "203.0.113.77", Result: "unauthenticated"},
		{Action: AuditSignIn, Who: " ANN@example.com", From: "2001:db8:1:2::5", Result: "unauthenticated"},
		{Action: AuditSignIn, Who: "bob@example.com", From: "not an address", Result: "unauthenticated"},
	} {
		e.Time = at.Add(time.Duration(i) * time.Second)
		l.Audit(e)
	}
	got := page(t, l, 0, 10)
	if len(got) != 3 || got[0].From != "" || got[1].From != "2001:db8:1::/48" || got[2].From != "203.0.113.0/24" {
		t.Fatalf("%+v", got)
	}
	if got[1].Who != got[2].Who || got[0].Who == got[1].Who || !strings.HasPrefix(got[0].Who, "email:") {
		t.Errorf("%+v", got)
	}
	for d, err := range s.Docs(auditDocs) {
		if err != nil || strings.Contains(string(d.Value), "example") || strings.Contains(string(d.Value), ".77") {
			t.Errorf("%s %v", d.Value, err)
		}
	}
	// The same hash after a restart: the salt is kept.
	again := openLog(t, s)
	again.Audit(Entry{Time: at.Add(time.Hour), Action: AuditSignIn, Who: "bob@example.com", Result: "ok"})
	if more := page(t, again, 0, 10); len(more) != 4 || more[0].Who != got[0].Who || more[0].Seq != 4 {
		t.Errorf("%+v", more)
	}
}

func TestLogPagesAndForgetsTheOldest(t *testing.T) {
	s := newLogStore()
	l := openLog(t, s)
	const all = LogEntries + 30
	for i := range all {
		l.Audit(deny(i))
		if i%500 == 0 {
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen, before := 0, uint64(0)
	for {
		got := page(t, l, before, maxPage)
		if len(got) == 0 {
			break
		}
		for i, e := range got {
			if want := uint64(all - seen - i); e.Seq != want {
				t.Fatalf("entry %d is %d", want, e.Seq)
			}
		}
		seen, before = seen+len(got), got[len(got)-1].Seq
	}
	if seen != LogEntries {
		t.Errorf("%d entries are kept", seen)
	}
}

func TestLogCountsTheSame(t *testing.T) {
	l := openLog(t, newLogStore())
	for i := range 50 {
		e := deny(1)
		l.Audit(e)
		if i == 20 { // written in between: it is counted on all the same
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	late := deny(1)
	late.Time = late.Time.Add(sameWithin)
	l.Audit(late)
	if got := page(t, l, 0, 10); len(got) != 2 || got[1].Times != 50 || got[0].Times != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLogLosesNothingWhileItWrites(t *testing.T) {
	l := openLog(t, newLogStore())
	const many, each = 4, 200
	var busy sync.WaitGroup
	for w := range many {
		busy.Go(func() {
			for i := range each {
				e := deny(1)
				e.On = fmt.Sprint(w, i/10) // ten in a row are the same
				l.Audit(e)
				if i%7 == 0 {
					if err := l.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	busy.Wait()
	total := 0
	for before := uint64(0); ; {
		got := page(t, l, before, maxPage)
		if len(got) == 0 {
			break
		}
		for _, e := range got {
			total += max(e.Times, 1)
		}
		before = got[len(got)-1].Seq
	}
	if total != many*each {
		t.Errorf("%d acts, %d are told", many*each, total)
	}
}

func TestLogTriesAgainAndSaysWhatItLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLogStore()
		l := openLog(t, s)
		s.refuse(errors.New("full"))
		ctx, cancel := context.WithCancel(t.Context())
		reported := 0
		ended := make(chan struct{})
		go func() { l.Run(ctx, func(error) { reported++ }); close(ended) }()
		for i := range maxUnwritten + 7 {
			l.Audit(deny(i))
		}
		synctest.Wait()
		s.refuse(nil)
		time.Sleep(2 * logRetry)
		synctest.Wait()
		got := page(t, l, 0, 3)
		if len(got) != 3 || got[0].Action != AuditLost || got[0].On != "7" || got[1].Seq != maxUnwritten {
			t.Errorf("%+v", got)
		}
		l.Audit(deny(5000)) // what comes last is written at the end
		cancel()
		<-ended
		if reported == 0 {
			t.Error("the refusal was not reported")
		}
		if last := page(t, openLog(t, s), 0, 1); len(last) != 1 || last[0].On != "thing 5000" {
			t.Errorf("%+v", last)
		}
	})
}
