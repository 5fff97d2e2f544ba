package ticket

import (
	"testing"
	"time"
)

func TestWaitIsUnknownUntilEnoughHappened(t *testing.T) {
	w := newWorld(t)
	for range 8 {
		w.create(1)
	}
	for i := range paceKnown + 1 { // so many calls have one gap fewer between them
		if got := w.s.Wait(1, 1); got != nil {
			t.Errorf("after %d calls the wait is %v", i, got)
		}
		w.now = w.now.Add(10 * time.Minute)
		w.must(CallNext{Lines: []int{1}}, clerk(1))
	}
	for position, want := range map[int]WaitRange{1: {5, 20}, 2: {15, 35}, 4: {30, 75}, 12: {90, 195}} {
		if got := w.s.Wait(1, position); got == nil || *got != want {
			t.Errorf("wait at position %d: %v, want %v", position, got, want)
		}
	}
	if w.s.Wait(1, 0) != nil || w.s.Wait(2, 1) != nil {
		t.Error("a wait is known where nothing is")
	}
}

func TestPace(t *testing.T) {
	var p Pace
	for _, at := range []time.Duration{0, time.Minute, time.Minute, 30 * time.Second, 4 * time.Hour, 4*time.Hour + 2*time.Minute} {
		p = p.called(noon.Add(at)) // no gap: at once, back in time, after a long pause
	}
	if p.Gaps != 2 || p.Gap != 60+paceWeight*60 {
		t.Errorf("pace of calls %+v", p)
	}
	p = p.served(-time.Minute)
	if p.Services != 0 || p.Service != 0 {
		t.Errorf("a service of less than no time: %+v", p)
	}
	p = p.served(time.Minute).served(2 * time.Minute)
	if p.Services != 2 || p.Service != 60+paceWeight*60 {
		t.Errorf("pace of services %+v", p)
	}
}
