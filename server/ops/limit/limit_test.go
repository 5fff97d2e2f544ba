package limit_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/server/ops/limit"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestBurstThenRate(t *testing.T) {
	c := &clock{t: time.Unix(1e9, 0)}
	b := limit.New(limit.Rate{PerSecond: 10, Burst: 40}, 8, c.now)
	for i := range 40 {
		if v := b.Take("k"); !v.OK || v.Remaining != 39-i {
			t.Fatalf("take %d: %+v", i, v)
		}
	}
	v := b.Take("k")
	if v.OK || v.RetryAfter != 100*time.Millisecond || v.Seconds() != 1 {
		t.Fatalf("over the burst: %+v", v)
	}
	if !b.Take("other").OK {
		t.Fatal("another key was limited")
	}
	c.t = c.t.Add(100 * time.Millisecond)
	if !b.Take("k").OK || b.Take("k").OK {
		t.Fatal("want exactly one more after 100 ms")
	}
	b.Give("k")
	if !b.Take("k").OK {
		t.Fatal("a token given back was not there")
	}
}

func TestClockBackwards(t *testing.T) {
	c := &clock{t: time.Unix(1e9, 0)}
	b := limit.New(limit.Rate{PerSecond: 1, Burst: 1}, 8, c.now)
	b.Take("k")
	c.t = c.t.Add(-time.Hour)
	if b.Take("k").OK {
		t.Fatal("a clock going back made a token")
	}
	c.t = c.t.Add(time.Second)
	if !b.Take("k").OK {
		t.Fatal("the key stayed locked for the hour the clock went back")
	}
}

func TestOffLimitsNothing(t *testing.T) {
	b := limit.New(limit.Rate{}, 8, time.Now)
	for range 1000 {
		if !b.Take("k").OK {
			t.Fatal("limited")
		}
	}
	if b.Len() != 0 {
		t.Fatal("remembers keys although it limits nothing")
	}
}

// In any run of takes within any window, no more than burst + rate*time pass,
// and memory stays within the bound.
func TestNeverMoreThanTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := limit.Rate{
			PerSecond: float64(rapid.IntRange(1, 50).Draw(t, "rate")),
			Burst:     rapid.IntRange(1, 20).Draw(t, "burst"),
		}
		c := &clock{t: time.Unix(1e9, 0)}
		b := limit.New(rate, 4, c.now)
		start, passed := c.t, 0
		for range rapid.IntRange(1, 200).Draw(t, "takes") {
			c.t = c.t.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond)
			if b.Take("k").OK {
				passed++
			}
			most := float64(rate.Burst) + rate.PerSecond*c.t.Sub(start).Seconds() + 1e-6
			if float64(passed) > most {
				t.Fatalf("%d passed, at most %.2f may", passed, most)
			}
			if rapid.Bool().Draw(t, "stranger") {
				// Never so many that "k" is forgotten.
				b.Take(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "key")))
			}
		}
	})
}

func TestBoundedMemoryForgetsTheQuietest(t *testing.T) {
	c := &clock{t: time.Unix(1e9, 0)}
	b := limit.New(limit.Rate{PerSecond: 0.001, Burst: 1}, 3, c.now)
	for i := range 100 {
		if b.Take("busy").OK != (i == 0) {
			t.Fatalf("round %d: the busiest key was forgotten", i)
		}
		b.Take(fmt.Sprint(i))
	}
	if b.Len() != 3 {
		t.Fatalf("%d keys, want 3", b.Len())
	}
}

func TestConcurrentTakesPassOnce(t *testing.T) {
	c := &clock{t: time.Unix(1e9, 0)}
	b := limit.New(limit.Rate{PerSecond: 1, Burst: 10}, 8, c.now)
	var mu sync.Mutex
	var wg sync.WaitGroup
	passed := 0
	for range 64 {
		wg.Go(func() {
			if b.Take("k").OK {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if passed != 10 {
		t.Fatalf("%d passed, want 10", passed)
	}
}

func TestAddrKey(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":              "192.0.2.7",
		"::ffff:192.0.2.7":       "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1":   "2001:db8:1:2::/64",
		"fe80::1%eth0":           "fe80::/64",
		"":                       "",
		"not an address":         "not an address",
		"192.0.2.7:1234":         "192.0.2.7:1234",
		"2001:db8:1:3:ffff::1":   "2001:db8:1:3::/64",
		"::ffff:192.0.2.7%eth0x": "192.0.2.7",
	} {
		if got := limit.AddrKey(addr); got != want {
			t.Errorf("AddrKey(%q) = %q, want %q", addr, got, want)
		}
	}
}
