package ops

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// memory is what the runtime says of itself, in bytes.
type memory struct {
	allocated uint64 // ever
	live      uint64 // that the last collection found in use
	objects   uint64 // in use, or not yet found to be garbage
	free      uint64 // held for objects to come
	roots     uint64 // stacks and globals, which a collection looks through too
}

// giveEvery is how often it is looked whether memory can be given back.
const giveEvery = 30 * time.Second

// GiveMemoryBack gives memory that nobody uses back to the system while little
// happens, until ctx ends. By itself the runtime keeps what a storm of connections
// needed until it collects again, which a quiet server does every two minutes at
// best, and then gives it back only slowly: a fifth of what 10,000 idle sockets take.
func GiveMemoryBack(ctx context.Context) { giveBack(ctx, readMemory, debug.FreeOSMemory) }

func giveBack(ctx context.Context, read func() memory, free func()) {
	tick := time.NewTicker(giveEvery)
	defer tick.Stop()
	before := read()
	for {
		select {
		case <-tick.C:
			now := read()
			if worthGiving(before, now) {
				free()
				now = read()
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
func worthGiving(before, now memory) bool {
	const least = 1 << 20
	quiet := now.allocated-before.allocated < max(now.live/4, 2*least)
	return quiet && now.free+now.objects-min(now.live, now.objects) > max(now.live/16, least)
}

func readMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/scan/stack:bytes"},
		{Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(samples)
	at := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return samples[i].Value.Uint64()
	}
	return memory{allocated: at(0), live: at(1), objects: at(2), free: at(3), roots: at(4) + at(5)}
}
