package ops

import (
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// While many commands come much may wait, at most as much as is allowed; when it is
// quiet again, as little as before.
func TestCollectByNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		var commands atomic.Uint64
		var percent, sets atomic.Int64
		read := func() memory { return memory{live: 90 * mib, roots: 10 * mib} }
		go collectByNeed(t.Context(), 200*mib, commands.Load, read, func(p int) { percent.Store(int64(p)); sets.Add(1) })
		synctest.Wait()
		work := func(perSecond uint64, seconds int) {
			for range seconds * int(time.Second/gaugeEvery) {
				commands.Add(perSecond * uint64(gaugeEvery) / uint64(time.Second))
				time.Sleep(gaugeEvery)
				synctest.Wait()
			}
		}
		for _, step := range []struct {
			perSecond uint64
			seconds   int
			want      int64
		}{
			{20, 10, Garbage},
			{800, 10, 112}, // three seconds of 37.5 MiB
			{20_000, 10, 200},
			{20, 60, Garbage},
		} {
			work(step.perSecond, step.seconds)
			if got := max(percent.Load(), Garbage); got < step.want*3/4 || got > step.want*5/4 {
				t.Errorf("after %d s of %d a second: %d percent, want %d", step.seconds, step.perSecond, got, step.want)
			}
		}
		if got := percent.Load(); got != Garbage {
			t.Errorf("quiet again: %d percent", got)
		}
		if n := sets.Load(); n > 30 {
			t.Errorf("set %d times", n)
		}
	})
}

func TestPercentOf(t *testing.T) {
	for _, c := range []struct {
		room, live uint64
		want       int
	}{{0, 0, Garbage}, {0, 1 << 30, Garbage}, {3 << 20, 0, 300}, {256 << 20, 64 << 20, 400}, {10 << 20, 64 << 20, Garbage}} {
		if got := percentOf(c.room, c.live); got != c.want {
			t.Errorf("room for %d beside %d: %d percent, want %d", c.room, c.live, got, c.want)
		}
	}
}

func TestFileLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "limit")
	for text, want := range map[string]uint64{
		"MemTotal:       24689508 kB\nMemFree: 1 kB\n": 24689508 << 10,
		"536870912\n": 512 << 20,
		"max\n":       math.MaxUint64,
		"":            math.MaxUint64,
		"soon\n":      math.MaxUint64,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := fileLimit(path); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
	if got := fileLimit(path + ".not"); got != math.MaxUint64 {
		t.Errorf("no file: %d", got)
	}
}
