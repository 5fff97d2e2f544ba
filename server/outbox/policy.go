package outbox

import "time"

// policy is when and how a target is tried again.
type policy struct {
	// timeout bounds an attempt, by the number of attempts before it.
	timeout func(before int) time.Duration
	// delay is the pause after that many failed attempts; ok is false when there
	// is no further one. jitter is in [0,1).
	delay func(failed int, jitter float64) (pause time.Duration, ok bool)
	// window is how old a delivery may become while its target is failing. It
	// bounds the line of a dead target to what happened within it.
	window time.Duration
	// stepAside is after how many failed attempts a delivery lets those behind it
	// pass, so that one that its receiver cannot take does not hold up all; 0 for
	// never, where order is promised.
	stepAside int
}

// queueDelays are the pauses that the queue API's description names.
func queueDelays() [5]time.Duration {
	return [...]time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
}

func queuePolicy() policy {
	return policy{
		timeout: func(int) time.Duration { return 10 * time.Second },
		delay: func(failed int, _ float64) (time.Duration, bool) {
			delays := queueDelays()
			if failed > len(delays) {
				return 0, false
			}
			return delays[failed-1], true
		},
		// The pauses and six attempts that all time out, with something to spare.
		window: 15 * time.Minute,
	}
}

const (
	chatFirst  = 10 * time.Second // the pause after the first failure
	chatLast   = time.Hour        // and the longest one
	chatWindow = 3 * 24 * time.Hour
	// chatSpread is how far a pause may be from its mean, so that targets that
	// failed together do not come back together.
	chatSpread = 0.2
)

func chatPolicy() policy {
	return policy{
		timeout: func(before int) time.Duration {
			if before == 0 {
				return 20 * time.Second
			}
			return 5 * time.Second
		},
		delay: func(failed int, jitter float64) (time.Duration, bool) {
			d := chatLast
			if failed < 10 { // 10 s doubled nine times is over an hour
				d = min(chatFirst<<(failed-1), chatLast)
			}
			d = time.Duration(float64(d) * (1 - chatSpread + 2*chatSpread*jitter))
			return min(d, chatLast), true
		},
		window:    chatWindow,
		stepAside: 5, // after about five minutes
	}
}

func (k Kind) policy() policy {
	if k == QueueHook {
		return queuePolicy()
	}
	return chatPolicy()
}
