// Package limit is a token bucket per key, in bounded memory and on the
// caller's clock. Doors, sign-in and sockets all count with it.
package limit

import (
	"container/list"
	"math"
	"net/netip"
	"sync"
	"time"
)

// Rate is how often something may happen: Burst at once, PerSecond over time.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Off reports whether the rate limits nothing.
func (r Rate) Off() bool { return r.PerSecond <= 0 || r.Burst <= 0 }

// Verdict is the answer to one Take.
type Verdict struct {
	OK bool
	// Remaining is how many more would be allowed at once.
	Remaining int
	// RetryAfter is how long until one more is allowed; zero when OK.
	RetryAfter time.Duration
}

// Seconds is RetryAfter in whole seconds, rounded up, at least 1: what a
// Retry-After header says.
func (v Verdict) Seconds() int {
	return max(1, int(math.Ceil(v.RetryAfter.Seconds())))
}

// Buckets holds one bucket per key. When it is full, the key that was quiet for
// longest is forgotten: strangers must not be able to fill the memory, and who
// comes with more addresses than fit is not stopped by counting addresses.
type Buckets struct {
	rate Rate
	size int
	now  func() time.Time

	mu     sync.Mutex // protects keys and recent
	keys   map[string]*list.Element
	recent *list.List // of *bucket, most recently used first
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time
}

// New makes buckets for at most size keys.
func New(rate Rate, size int, now func() time.Time) *Buckets {
	return &Buckets{
		rate: rate, size: max(1, size), now: now,
		keys: make(map[string]*list.Element), recent: list.New(),
	}
}

// Take takes one token of key's bucket, if there is one.
func (b *Buckets) Take(key string) Verdict {
	if b.rate.Off() {
		return Verdict{OK: true, Remaining: math.MaxInt32}
	}
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.fill(key, now)
	if k.tokens < 1 {
		wait := time.Duration((1 - k.tokens) / b.rate.PerSecond * float64(time.Second))
		return Verdict{RetryAfter: wait}
	}
	k.tokens--
	return Verdict{OK: true, Remaining: int(k.tokens)}
}

// Give puts a token back: what was taken turned out not to count.
func (b *Buckets) Give(key string) {
	if b.rate.Off() {
		return
	}
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.fill(key, now)
	k.tokens = math.Min(k.tokens+1, float64(b.rate.Burst))
}

// Len is how many keys are remembered.
func (b *Buckets) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recent.Len()
}

// fill finds or makes key's bucket and adds what has come in since; mu is held.
func (b *Buckets) fill(key string, now time.Time) *bucket {
	if e, ok := b.keys[key]; ok {
		b.recent.MoveToFront(e)
		k := e.Value.(*bucket)
		// A clock that went back adds nothing and takes nothing away.
		if gone := now.Sub(k.at).Seconds(); gone > 0 {
			k.tokens = math.Min(k.tokens+gone*b.rate.PerSecond, float64(b.rate.Burst))
		}
		k.at = now
		return k
	}
	if b.recent.Len() >= b.size {
		oldest := b.recent.Back()
		b.recent.Remove(oldest)
		delete(b.keys, oldest.Value.(*bucket).key)
	}
	k := &bucket{key: key, tokens: float64(b.rate.Burst), at: now}
	b.keys[key] = b.recent.PushFront(k)
	return k
}

// AddrKey is the key an address is counted under: an IPv6 customer has a whole
// /64 to choose from, so that is what counts. What is no address counts as itself.
func AddrKey(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
