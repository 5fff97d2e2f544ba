package sim

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// The flags of the seeded tests: how many seeds, and one to look at again.
var (
	seedsFlag = flag.Int("sim.seeds", 60, "how many seeds the world test plays")
	seedFlag  = flag.Uint64("sim.seed", 0, "play only this seed")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seeds lists what a seeded test plays.
func seeds(n int) []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = uint64(i) + 1
	}
	return out
}
