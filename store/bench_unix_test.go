//go:build unix

package store_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/nowserving/nowserving/store"
)

// BenchmarkEvents commits events and nothing else: what the journal by itself costs.
func BenchmarkEvents(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, benchOptions(b.TempDir()))
			group := make([]store.Change, size)
			n := 0
			before := cpu(b)
			for b.Loop() {
				for i := range group {
					n++
					r := change(1, uint64(n), int64(n)).Records[0]
					r.Personal = nil
					group[i] = store.Change{Records: []store.Record{r}}
				}
				if err := s.Commit(group); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric((cpu(b)-before).Seconds()*1e6/float64(n), "cpu-s/M")
		})
	}
}

// cpu is what this process has used so far.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
