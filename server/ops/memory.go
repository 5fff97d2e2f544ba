package ops

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Giver gives memory that nobody uses back to the system while little happens. By
// itself the runtime keeps what a storm of connections needed until it collects
// again, which a quiet server does every two minutes at best, and then gives it
// back only slowly: a tenth of what 10,000 idle sockets take.
type Giver struct {
	// Read and Free are those of the runtime unless a test sets them.
	Read func() Memory
	Free func()
}

// Memory is what the runtime says of itself, in bytes.
type Memory struct {
	Allocated uint64 // ever
	Live      uint64 // that the last collection found in use
	Objects   uint64 // in use, or not yet found to be garbage
	Free      uint64 // held for objects to come
}

// giveEvery is how often it is looked whether memory can be given back.
const giveEvery = 30 * time.Second

// Run looks and gives until ctx ends.
func (g Giver) Run(ctx context.Context) {
	if g.Read == nil {
		g.Read = readMemory
	}
	if g.Free == nil {
		g.Free = debug.FreeOSMemory
	}
	tick := time.NewTicker(giveEvery)
	defer tick.Stop()
	before := g.Read()
	for {
		select {
		case <-tick.C:
			now := g.Read()
			if worthGiving(before, now) {
				g.Free()
				now = g.Read()
			}
			before = now
		case <-ctx.Done():
			return
		}
	}
}

// worthGiving says whether a collection, which costs time for all that lives, is
// worth what it would free: not when so much is allocated that the runtime will
// soon collect by itself, and not for less than a sixteenth.
func worthGiving(before, now Memory) bool {
	const least = 1 << 20
	quiet := now.Allocated-before.Allocated < max(now.Live/4, 2*least)
	return quiet && now.Free+now.Objects-min(now.Live, now.Objects) > max(now.Live/16, least)
}

func readMemory() Memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	at := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return samples[i].Value.Uint64()
	}
	return Memory{Allocated: at(0), Live: at(1), Objects: at(2), Free: at(3)}
}
