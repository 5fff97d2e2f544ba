package ledger

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store/memlog"
)

// driven is a committer in a time of its own: a group costs so much, and so much
// more for each of its commands.
type driven struct {
	pace     pace
	now      time.Time
	waits    bool // or it only counts
	groups   int
	commands int
}

const groupCost, commandCost = 300 * time.Microsecond, 40 * time.Microsecond

// turn commits what has come; due is when each command comes, ascending.
func (d *driven) turn(due []time.Time) (taken int) {
	if d.now.Before(due[0]) {
		d.now = due[0]
	}
	if d.waits {
		d.now = d.now.Add(d.pace.wait(d.now))
	}
	for taken < len(due) && !due[taken].After(d.now) {
		taken++
	}
	d.pace.took(d.now, taken)
	d.now = d.now.Add(groupCost + time.Duration(taken)*commandCost)
	d.groups++
	d.commands += taken
	return taken
}

// open has commands come by themselves.
func (d *driven) open(perSecond int, span time.Duration) {
	var due []time.Time
	for i := range int(span.Seconds() * float64(perSecond)) {
		due = append(due, d.now.Add(time.Duration(i)*time.Second/time.Duration(perSecond)))
	}
	for len(due) > 0 {
		due = due[d.turn(due):]
	}
}

// closed has each of so many clients give a command when its last was answered.
func (d *driven) closed(clients int, span time.Duration) {
	due := slices.Repeat([]time.Time{d.now}, clients)
	for end := d.now.Add(span); d.now.Before(end); {
		n := d.turn(due)
		due = append(due[n:], slices.Repeat([]time.Time{d.now.Add(20 * time.Microsecond)}, n)...)
	}
}

func (d *driven) group() float64 { return float64(d.commands) / float64(d.groups) }

func (d *driven) reset() { d.groups, d.commands = 0, 0 }

func TestCommandsThatComeByThemselvesShareACommit(t *testing.T) {
	d := &driven{now: day, waits: true}
	for range 3 {
		d.open(2000, time.Second)
		d.reset()
		d.open(2000, 20*time.Second)
		if got := d.group(); got < 4 {
			t.Errorf("%.1f commands in a group", got)
		}
		d.now = d.now.Add(time.Minute) // nothing happens, then it begins again
	}
}

func TestSeldomCommandsDoNotWait(t *testing.T) {
	d := &driven{now: day, waits: true}
	for _, rate := range []int{1, 200, often - 50, 4000, 200} {
		d.open(rate, 2*time.Second)
		if rate > often {
			continue // whatever it does then is over when it is
		}
		d.open(rate, time.Second)
		if d.pace.wait(d.now) != 0 {
			t.Errorf("%d a second are made to wait", rate)
		}
	}
}

// Who waits for each answer is not slowed down, but for the trials.
func TestCommandsThatWaitForTheLastAreNotSlowedDown(t *testing.T) {
	for clients, least := range map[int]float64{1: 0.98, 2: 0.98, 4: 0.98, 8: 0.98, 64: 1, 256: 1} {
		with, without := &driven{now: day, waits: true}, &driven{now: day}
		with.closed(clients, time.Minute)
		without.closed(clients, time.Minute)
		if got := float64(with.commands) / float64(without.commands); got < least {
			t.Errorf("%d clients: %.2f of what they reach otherwise", clients, got)
		}
	}
}

// What was found out about one load does not hold for the next.
func TestAnotherLoadIsTriedAnew(t *testing.T) {
	d, without := &driven{now: day, waits: true}, &driven{now: day}
	d.open(2000, 10*time.Second)
	d.reset()
	d.closed(4, time.Minute)
	without.closed(4, time.Minute)
	if got := float64(d.commands) / float64(without.commands); got < 0.9 {
		t.Errorf("%.2f of what they reach otherwise", got)
	}
	d.open(2000, restMost)
	d.reset()
	d.open(2000, 10*time.Second)
	if got := d.group(); got < 4 {
		t.Errorf("%.1f commands in a group", got)
	}
}

// The same through the door: a command every half millisecond.
func TestALedgerWaitsForMoreWhenItPays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		r := newRig(t, memlog.New(memlog.Options{Clock: time.Now}), Options{Clock: time.Now, Observe: func(c Commit) {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, c.Commands)
		}})
		id := r.do(1, ticket.Create{Line: 1}).Ticket.ID
		r.do(1, ticket.CallTicket{Ref: ticket.Ref{ID: ticket.TicketID(id)}, KeepActive: true})
		synctest.Wait()
		mu.Lock()
		alone := slices.Max(sizes)
		sizes = nil
		mu.Unlock()
		var wg sync.WaitGroup
		for range 2000 {
			wg.Go(func() { r.do(1, ticket.Recall{Ref: ticket.Ref{ID: ticket.TicketID(id)}}) })
			time.Sleep(500 * time.Microsecond)
		}
		wg.Wait()
		if got := sizes[len(sizes)/2]; alone != 1 || got < 4 {
			t.Errorf("%d commands in a group, %d before", got, alone)
		}
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
}
