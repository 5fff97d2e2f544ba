package sim

import (
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store/memlog"
)

// Quotes hold up in days that no formula was made for: rushes, breaks, visitors
// who leave, do not come, are sent on or taken out of turn.
func TestQuotesHoldUpInBusyDays(t *testing.T) {
	if testing.Short() {
		t.Skip("plays twelve days")
	}
	for seed := range uint64(2) {
		clock := &simClock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
		l, stop := start(t, memlog.New(memlog.Options{Clock: clock.now}), lonely{}, ledger.Options{Clock: clock.now})
		o := branch(build(t, l, 1, 3, 4, 4, 0), clock.now)
		o.Seed, o.Days, o.Speed, o.Wait = seed, 6, 1, clock.wait
		if _, err := Run(t.Context(), On(l), o); err != nil {
			t.Fatal(err)
		}
		quotes, within, late := 0, 0.0, 0.0
		l.View(1, func(s *ticket.State) {
			for _, a := range s.WaitAccuracy() {
				t.Logf("seed %d: %+v", seed, a.WaitAccuracy)
				quotes += a.Quotes
				within += a.Within * float64(a.Quotes)
				late += a.Late * float64(a.Quotes)
			}
		})
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if quotes < 400 || within < 0.75*float64(quotes) || late > 0.15*float64(quotes) {
			t.Errorf("seed %d: of %d quotes %.0f were kept, %.0f were too short", seed, quotes, within, late)
		}
	}
}
