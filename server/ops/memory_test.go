package ops

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWorthGiving(t *testing.T) {
	const mib = 1 << 20
	for name, c := range map[string]struct {
		before, now memory
		want        bool
	}{
		"nothing to give":          {memory{}, memory{live: 64 * mib, objects: 64 * mib}, false},
		"free after a storm":       {memory{}, memory{live: 64 * mib, objects: 64 * mib, free: 20 * mib}, true},
		"garbage after a storm":    {memory{}, memory{live: 64 * mib, objects: 80 * mib}, true},
		"too little":               {memory{}, memory{live: 64 * mib, objects: 65 * mib, free: 2 * mib}, false},
		"small, and too little":    {memory{}, memory{live: mib, objects: mib + mib/2}, false},
		"busy":                     {memory{allocated: 10 * mib}, memory{allocated: 42 * mib, live: 64 * mib, objects: 90 * mib, free: 20 * mib}, false},
		"small and busy":           {memory{}, memory{allocated: 3 * mib, live: mib, objects: 4 * mib}, false},
		"less than was live then":  {memory{}, memory{live: 64 * mib, objects: 60 * mib}, false},
		"before the first collect": {memory{}, memory{objects: mib / 2, allocated: mib / 2}, false},
	} {
		if got := worthGiving(c.before, c.now); got != c.want {
			t.Errorf("%s: worth giving is %v", name, got)
		}
	}
}

// After a storm memory is given back once, and not again while nothing happens.
func TestGivesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := memory{allocated: 100 << 20, live: 20 << 20, objects: 40 << 20, free: 8 << 20}
		given := 0
		read := func() memory { return now }
		free := func() {
			given++
			now.objects, now.free = now.live, 0
		}
		go giveBack(t.Context(), read, free)
		for range 4 {
			time.Sleep(giveEvery)
			synctest.Wait()
		}
		if given != 1 {
			t.Errorf("given %d times", given)
		}
	})
}

func TestReadMemory(t *testing.T) {
	m := readMemory()
	if m.allocated == 0 || m.objects == 0 {
		t.Errorf("the runtime says nothing: %+v", m)
	}
}
