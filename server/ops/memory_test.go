package ops

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWorthGiving(t *testing.T) {
	const mib = 1 << 20
	for name, c := range map[string]struct {
		before, now Memory
		want        bool
	}{
		"nothing to give":          {Memory{}, Memory{Live: 64 * mib, Objects: 64 * mib}, false},
		"free after a storm":       {Memory{}, Memory{Live: 64 * mib, Objects: 64 * mib, Free: 20 * mib}, true},
		"garbage after a storm":    {Memory{}, Memory{Live: 64 * mib, Objects: 80 * mib}, true},
		"too little":               {Memory{}, Memory{Live: 64 * mib, Objects: 65 * mib, Free: 2 * mib}, false},
		"small, and too little":    {Memory{}, Memory{Live: mib, Objects: mib + mib/2}, false},
		"busy":                     {Memory{Allocated: 10 * mib}, Memory{Allocated: 42 * mib, Live: 64 * mib, Objects: 90 * mib, Free: 20 * mib}, false},
		"small and busy":           {Memory{}, Memory{Allocated: 3 * mib, Live: mib, Objects: 4 * mib}, false},
		"less than was live then":  {Memory{}, Memory{Live: 64 * mib, Objects: 60 * mib}, false},
		"before the first collect": {Memory{}, Memory{Objects: mib / 2, Allocated: mib / 2}, false},
	} {
		if got := worthGiving(c.before, c.now); got != c.want {
			t.Errorf("%s: worth giving is %v", name, got)
		}
	}
}

// After a storm memory is given back once, and not again while nothing happens.
func TestGivesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := Memory{Allocated: 100 << 20, Live: 20 << 20, Objects: 40 << 20, Free: 8 << 20}
		given := 0
		g := Giver{
			Read: func() Memory { return now },
			Free: func() {
				given++
				now.Objects, now.Free = now.Live, 0
			},
		}
		go g.Run(t.Context())
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
	if m.Allocated == 0 || m.Objects == 0 {
		t.Errorf("the runtime says nothing: %+v", m)
	}
}
