//go:build unix

package torture

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// seedFlag starts the seeded tests elsewhere.
var seedFlag = flag.Uint64("torture.seed", 1, "the first seed of the seeded tests")

// timesFlag makes the longest tests longer.
var timesFlag = flag.Int("torture.times", 1, "how many times over the crashes and power cuts are done")

func TestMain(m *testing.M) {
	if dir := os.Getenv(committerEnv); dir != "" {
		os.Exit(commitForEver(dir))
	}
	if os.Getenv(crowdEnv) != "" {
		os.Exit(serveCrowd())
	}
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(serveChild(text))
	}
	goleak.VerifyTestMain(m,
		// What an opening that panicked over damage leaves of the engine.
		goleak.IgnoreTopFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"),
		goleak.IgnoreTopFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), // kept HTTP connections, which end by themselves
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

// proved says what has surely happened; make torture gathers these lines at its end.
func proved(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Logf("PROVED "+t.Name()+": "+format, args...)
}

// rounds picks how often something is tried.
func rounds(ci, torture int) int {
	if long {
		return torture
	}
	return ci
}
