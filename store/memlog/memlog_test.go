package memlog_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
	"github.com/nowserving/nowserving/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(_ testing.TB, clock func() time.Time) store.Store {
		return memlog.New(memlog.Options{Clock: clock})
	})
}

func TestFaults(t *testing.T) {
	for mode, written := range map[store.FaultMode]uint64{store.FailBefore: 0, store.FailAfter: 1} {
		fault := store.NewFault(store.FaultRule{Prefix: store.PrefixRecord, Nth: 1, Mode: mode})
		l := memlog.New(memlog.Options{Clock: time.Now, Fault: fault})
		c := []store.Change{{Records: []store.Record{{Location: 1, Offset: 1}}}}
		if err := l.Commit(c); !errors.Is(err, store.ErrInjected) || fault.Fired() != 1 {
			t.Errorf("mode %d: error is %v, fired %d", mode, err, fault.Fired())
		}
		if h, err := l.Head(1); err != nil || h.Offset != written {
			t.Errorf("mode %d: head is %+v, %v", mode, h, err)
		}
		if err := l.Commit(nil); !errors.Is(err, store.ErrInjected) {
			t.Errorf("mode %d: the next commit gave %v", mode, err)
		}
	}
}
