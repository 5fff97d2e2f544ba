package ledger

import "time"

const (
	// apart is how far apart groups start while it pays: changes that come one by
	// one and often are then made durable, answered and shown a few at a time,
	// for two thirds of the work.
	apart = 2500 * time.Microsecond
	// often is how many commands a second there are at least.
	often = 1000
	// window is how long is counted before it is judged.
	window = 100 * time.Millisecond
	// trialEvery is how many windows it lasts until it is tried anew.
	trialEvery = 30
	// restFor is how long groups are not spaced after that made things slower; it
	// doubles up to restMost.
	restFor, restMost = 5 * time.Second, 2 * time.Minute
)

// pace says how long to wait for more commands before a group is decided. Whoever
// gives the next command when the last was answered would only be slowed down by
// it, which shows in the first window: fewer commands come. Who comes by himself
// comes all the same.
type pace struct {
	began    time.Time // of the window
	commands int       // in it
	last     time.Time // start of the last group

	spaced int     // for so many windows; 0 if it is not
	before float64 // commands a second when that began
	until  time.Time
	rest   time.Duration
}

// wait is how long to wait before the next group is taken.
func (p *pace) wait(now time.Time) time.Duration {
	if p.spaced == 0 {
		return 0
	}
	return max(0, apart-now.Sub(p.last))
}

// took notes that a group of so many commands starts.
func (p *pace) took(now time.Time, commands int) {
	p.last = now
	p.commands += commands
	took := now.Sub(p.began)
	if took < window {
		return
	}
	p.judge(now, float64(p.commands)/took.Seconds())
	p.began, p.commands = now, 0
}

func (p *pace) judge(now time.Time, rate float64) {
	switch {
	case p.spaced == 0:
		if rate >= often && !now.Before(p.until) {
			p.spaced, p.before = 1, rate
		}
	case p.spaced == 1 && rate < p.before*3/4:
		p.spaced = 0
		p.rest = min(max(2*p.rest, restFor), restMost)
		p.until = now.Add(p.rest)
	case rate < often || p.spaced == trialEvery:
		p.spaced, p.rest = 0, 0
	default:
		p.spaced++
	}
}
