package hub

import "sync/atomic"

// counters are bumped once per job, not once per delivery.
type counters struct {
	published, delivered, snapshots, slow atomic.Uint64
	subscribers, behind                   atomic.Int64
}

// Stats are the hub's numbers, for metrics.
type Stats struct {
	Channels    int
	Subscribers int
	// Behind is how many connections have a backlog now.
	Behind int
	// Published counts framed publications, Delivered what was written of them
	// to caught-up subscribers, Snapshots the folds asked of the Source, Slow
	// the sessions closed because they could not keep up.
	Published, Delivered, Snapshots, Slow uint64
}

// Stats reads the hub's counters.
func (h *Hub) Stats() Stats {
	h.mu.RLock()
	channels := len(h.channels)
	h.mu.RUnlock()
	return Stats{
		Channels:    channels,
		Subscribers: int(h.stats.subscribers.Load()),
		Behind:      int(h.stats.behind.Load()),
		Published:   h.stats.published.Load(),
		Delivered:   h.stats.delivered.Load(),
		Snapshots:   h.stats.snapshots.Load(),
		Slow:        h.stats.slow.Load(),
	}
}
