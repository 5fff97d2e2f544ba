package ticket

import (
	"slices"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// WaitOverride is what a clerk, who sees what the journal does not, adds to a
// line's waits. It holds for the rest of the business day: one that is forgotten
// must not be wrong for ever.
type WaitOverride struct {
	Minutes int    `json:"minutes"`
	Reason  string `json:"reason"`
	User    int    `json:"user,omitempty"`
	Day     string `json:"day"`
}

// OverrideWait adds minutes to the waits of a line, or takes some off; 0 ends it.
type OverrideWait struct {
	Line    int      `json:"line"`
	Minutes Opt[int] `json:"minutes"`
	Reason  string   `json:"reason"`
}

const maxOverride = 60 // minutes

// overrideReasons are words and no free text: a fact has no room for anything
// personal.
func overrideReasons() []string {
	return []string{"clerkAway", "clerkJoined", "longCases", "quickCases", "slowSystem", "crowd", "other"}
}

// Name implements Command.
func (OverrideWait) Name() string { return "line.waitOverride" }

func (c OverrideWait) decide(s *State, env Env) ([]Event, error) {
	old, err := s.line(c.Line)
	if err != nil {
		return nil, err
	}
	m := c.Minutes.Value
	if !c.Minutes.Set || m%shortStep != 0 || m < -maxOverride || m > maxOverride {
		return nil, wire.FieldError("minutes", "minutes is a multiple of %d from -%d to %d", shortStep, maxOverride, maxOverride)
	}
	l := *old
	l.Wait = nil
	if m != 0 {
		if !slices.Contains(overrideReasons(), c.Reason) {
			return nil, wire.FieldError("reason", "reason is one of %s", strings.Join(overrideReasons(), ", "))
		}
		l.Wait = &WaitOverride{Minutes: m, Reason: c.Reason, User: env.Actor.User, Day: s.Location.BusinessDay(env.Now)}
	}
	if l.Wait == nil && old.Wait == nil || l.Wait != nil && old.Wait != nil && *l.Wait == *old.Wait {
		return nil, nil
	}
	return []Event{{Type: EventLine, Facts: Facts{LineDef: &l}}}, nil
}

// seconds is what the override adds at an instant.
func (o *WaitOverride) seconds(l *Location, now time.Time) float64 {
	if o == nil || o.Day != l.BusinessDay(now) {
		return 0
	}
	return float64(o.Minutes) * 60
}
