//go:build unix

package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/nowserving/nowserving/server/node"
	"github.com/nowserving/nowserving/server/testkit"
)

// TestCrashPoints kills the node at every named point, again and again, on the
// same data and under load. After each crash every invariant is checked on the
// data as it lies there; all that was answered must be in it, once and whole.
func TestCrashPoints(t *testing.T) {
	for world := range rounds(1, 5**timesFlag) {
		seed := *seedFlag + uint64(world)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { crashPoints(t, seed, rounds(len(points())+1, 200)) })
	}
}

// crashPoints is one node's life with so many crashes.
func crashPoints(t *testing.T, seed uint64, n int) {
	all := points()
	rng := rand.New(rand.NewPCG(seed, 0))
	data, addr := filepath.Join(t.TempDir(), "data"), testkit.FreeAddr(t)
	node := serve(t, order{Listen: addr, Data: data})
	d := readDemo(t, data)
	hooks := newReceiver(t)
	hooks.register(t, d)
	l := newLoad(t, d.URL, d.StaffToken, seed, 6)
	watch := testkit.NewWatcher(t)
	console := l.connect(d.URL, d.StaffToken, watch)
	if err := console.Subscribe("console:1", nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the load begins", 30*time.Second, func() bool { return l.count() > 20 })
	node.kill()

	fired := map[string]int{}
	var ahead time.Duration
	records, at := 0, time.Now()
	for round := range n {
		p := all[round%len(all)]
		o := order{Listen: addr, Data: data, Rules: p.rules(rng)}
		if p.day {
			// A key is good for a day: nobody may be waiting for an answer over night.
			node = serve(t, order{Listen: addr, Data: data, Ahead: ahead})
			l.turn.Lock()
			node.kill()
			ahead += 25 * time.Hour
		}
		o.Ahead = ahead
		node = serve(t, o)
		if p.day {
			l.turn.Unlock()
		}
		if p.collect && node.alive() {
			go collect(t.Context(), d)
		}
		node.wait(t, p.name)
		if node.said("fired") == "" {
			t.Fatalf("round %d, seed %d: %q was not met; the node said %q", round, seed, p.name, node.said("error"))
		}
		fired[p.name]++
		records = l.check(data, ahead)
		if t.Failed() {
			t.Fatalf("round %d, seed %d: %s", round, seed, p.name)
		}
	}
	proved(t, "%d kills in %v: %d records, %d answers; %v", n, time.Since(at).Round(time.Second), records, l.count(), fired)
	allFired(t, fired)
	node = serve(t, order{Listen: addr, Data: data, Ahead: ahead})
	l.rest()
	testkit.Eventually(t, "the webhooks of all that was answered", time.Minute, func() bool { return len(hooks.missing(l)) == 0 })
	testkit.Eventually(t, "the console's catching up", time.Minute, func() bool { return watch.At() >= l.newest() })
	l.stop()
	node.stop(t)
	l.check(data, ahead)
}

// allFired checks that every named point was met.
func allFired(t *testing.T, fired map[string]int) {
	t.Helper()
	for _, p := range points() {
		if fired[p.name] == 0 {
			t.Errorf("%q was never met: the test proves less than it says", p.name)
		}
	}
}

// rules are the point's rule at some occurrence.
func (p point) rules(rng *rand.Rand) []rule {
	r := p.rule
	r.Nth = 1 + rng.IntN(p.most)
	return []rule{r}
}

func (l *load) newest() (offset uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for o := range l.taken {
		offset = max(offset, o)
	}
	return offset
}

// collect asks for a collection, in whose middle the node may die.
func collect(ctx context.Context, d node.Demo) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/hub/v1/collect", nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.StaffToken)
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
	}
}
