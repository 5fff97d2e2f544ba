//go:build unix

package torture

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
)

// fan is one client of a crowd.
type fan struct {
	of *fans

	mu           sync.Mutex // protects the rest
	track        testkit.Track
	live         bool
	since        time.Time // when it came to be so
	lost, pushes int
}

// Snapshot implements client.Handler.
func (o *fan) Snapshot(_ string, at wire.Position, _ json.RawMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.track.Snapshot(at); err != nil {
		o.of.wrong("%v", err)
	}
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.of.out.Snapshots++
}

// Push implements client.Handler.
func (o *fan) Push(p wire.Push) {
	if p.Offset == 0 {
		return
	}
	way := time.Since(p.Time)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.track.Push(p); err != nil {
		o.of.wrong("%v", err)
	}
	o.pushes++
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.of.out.Pushes++
	o.of.ways = append(o.of.ways, way)
}

// Refused implements client.Handler.
func (o *fan) Refused(channel string, err *wire.Error) { o.of.wrong("%s is refused: %v", channel, err) }

// Status implements client.Handler.
func (o *fan) Status(s client.Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.live
	o.live = s.State == client.Live
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	out := &o.of.out
	switch {
	case o.live && !was:
		o.since = time.Now()
		out.Back = o.since
	case s.State != client.Connecting:
	case !was:
		out.Refused++
	default:
		o.lost++
		code := max(0, int(websocket.CloseStatus(s.Err)))
		if out.Ends == nil {
			out.Ends = map[int]int{}
		}
		out.Ends[code]++
		if code == int(wire.CloseDrain) {
			if out.Ends[code] == 1 || s.Retry < out.Shortest {
				out.Shortest = s.Retry
			}
			out.Longest = max(out.Longest, s.Retry)
		}
	}
}

var _ client.Handler = (*fan)(nil)
