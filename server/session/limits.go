package session

import (
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// Limits bound what one client, or many, can make the node hold or do.
type Limits struct {
	// Frame is the largest inbound frame, in bytes (close 1009): what a
	// stranger can make us hold.
	Frame int64
	// Connect is how long a socket may stay without proof of who it is (4002).
	Connect time.Duration
	// PendingPerIP and Pending bound sockets in that state; more have to wait,
	// and are refused before the upgrade with 429 in the end. A branch behind one address has a handful
	// of screens that connect within milliseconds.
	PendingPerIP, Pending int
	// Sockets bounds the open sockets of one credential, by kind (4005): a
	// visitor has a few tabs, a clerk a few more, an API key serves a whole
	// customer.
	Sockets map[auth.Kind]int
	// Subscriptions bounds one session's subscriptions.
	Subscriptions int
	// Rate and Burst bound requests per second and session; more are answered
	// rate_limited. A clerk works in bursts of clicks, not in streams.
	Rate, Burst float64
	// Abuse is how many requests over the rate a session may send before it is
	// closed (4004); it recovers with Rate.
	Abuse float64
	// Unreadable is how many frames may be no JSON of the protocol (4202).
	Unreadable int
	// Ping is how often a client must send something; DisplayPing the same for
	// displays, which must notice sooner that they show old numbers. Who is a
	// little late is pinged; after two intervals without a frame it counts as
	// gone (4001).
	Ping, DisplayPing time.Duration
	// Write is how long one write of at most 16 KiB may take before the client
	// counts as gone.
	Write time.Duration
	// Linger is how long a client has to answer a close frame.
	Linger time.Duration
	// Comment is how often an event stream gets a sign of life.
	Comment time.Duration
	// SendBuffer bounds what the kernel holds for a client that does not read,
	// in bytes. The default of the system may be megabytes per socket.
	SendBuffer int
}

// DefaultLimits are the limits of PROTOCOL.md, and start values for the rest.
func DefaultLimits() Limits {
	return Limits{
		Frame:        wire.MaxFrame,
		Connect:      5 * time.Second,
		PendingPerIP: 20,
		Pending:      1000,
		Sockets: map[auth.Kind]int{
			auth.Visitor: 5, auth.Staff: 20, auth.Display: 5, auth.Kiosk: 5, auth.Integrator: 1000,
		},
		Subscriptions: 100,
		Rate:          20,
		Burst:         40,
		Abuse:         100,
		Unreadable:    10,
		Ping:          25 * time.Second,
		DisplayPing:   5 * time.Second,
		Write:         10 * time.Second,
		Linger:        2 * time.Second,
		Comment:       5 * time.Second,
		SendBuffer:    64 << 10,
	}
}

func (l *Limits) ping(kind auth.Kind) time.Duration {
	if kind == auth.Display || kind == auth.Kiosk {
		return l.DisplayPing
	}
	return l.Ping
}

// silence is how long a session of this kind may say nothing, so that the wheel,
// which is up to one tick late, finds it out within two intervals.
func (l *Limits) silence(kind auth.Kind) time.Duration { return 2*l.ping(kind) - wheelTick }

// probe is the silence after which the node itself pings, of a session that may
// be silent for so long: an interval and a fifth.
func probe(silence int64) int64 { return (silence + int64(wheelTick)) * 3 / 5 }

// bucket is a token bucket on the caller's clock. The zero value is full.
type bucket struct {
	used float64
	last time.Time
}

// take spends one token, or says how long until there is one.
func (b *bucket) take(now time.Time, rate, burst float64) (wait time.Duration, ok bool) {
	if since := now.Sub(b.last); since > 0 {
		b.used = max(0, b.used-since.Seconds()*rate)
		b.last = now
	}
	if b.used+1 > burst {
		return time.Duration((b.used + 1 - burst) / rate * float64(time.Second)), false
	}
	b.used++
	return 0, true
}
