package ops

import (
	"bytes"
	"context"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	// Garbage is how much may wait to be collected at least, as a share of what
	// lives, in percent. Half of the usual: with thousands of sockets it is a third of
	// the memory, and collecting more often costs nothing while little happens.
	Garbage = 50

	// perCommand is about what a command leaves behind, in bytes.
	perCommand = 48 << 10
	// collectEvery is about how often they may be collected: it means to look at all
	// that lives, and slows everybody down meanwhile.
	collectEvery = 3 * time.Second
	// gaugeEvery is how often it is looked how many there were.
	gaugeEvery = time.Second / 4
	// maxGarbage bounds what waits to be collected, in bytes; a small machine waits
	// for less.
	maxGarbage = 256 << 20
	// machineShare is the share of the machine's memory that garbage may take.
	machineShare = 16
)

// CollectByNeed lets more garbage wait than Garbage the more commands come, until ctx
// ends: while there are thousands a second, a heap that may only grow by half would be
// looked through many times a second. Not by what is allocated: a storm of connections
// would leave the heap full of holes that nobody fills. commands counts them.
func CollectByNeed(ctx context.Context, commands func() uint64) {
	most := uint64(maxGarbage)
	for _, path := range []string{"/proc/meminfo", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		most = min(most, fileLimit(path)/machineShare)
	}
	most = min(most, uint64(debug.SetMemoryLimit(-1))/machineShare)
	collectByNeed(ctx, most, commands, readMemory, func(percent int) { debug.SetGCPercent(percent) })
}

func collectByNeed(ctx context.Context, most uint64, commands func() uint64, read func() memory, set func(percent int)) {
	tick := time.NewTicker(gaugeEvery)
	defer tick.Stop()
	percent := Garbage
	before, wanted := commands(), uint64(0)
	for {
		select {
		case <-tick.C:
			now := commands()
			wanted = max((now-before)*perCommand*uint64(collectEvery/gaugeEvery), wanted-wanted/32)
			before = now
			m := read()
			next := percentOf(min(wanted, most), m.live+m.roots)
			// Setting it stops everybody for a moment: not for little.
			if next > percent+percent/4 || next < percent-percent/4 || next == Garbage && percent != Garbage {
				percent = next
				set(percent)
			}
		case <-ctx.Done():
			return
		}
	}
}

// percentOf is how many percent of what lives so many bytes are.
func percentOf(room, live uint64) int {
	return max(Garbage, int(room*100/max(live, 1<<20)))
}

// fileLimit is the number of bytes that a file of the system names: alone, or in KiB
// in its first line. Where there is none, there is no limit.
func fileLimit(path string) uint64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return math.MaxUint64
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	unit := uint64(1)
	if rest, ok := bytes.CutSuffix(line, []byte(" kB")); ok {
		_, line, _ = bytes.Cut(rest, []byte(":"))
		unit = 1 << 10
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 64)
	if err != nil { // "max"
		return math.MaxUint64
	}
	return n * unit
}
