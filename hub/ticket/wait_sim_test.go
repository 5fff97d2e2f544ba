package ticket

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// shop is a line with some desks, visitors who come at random, and services of
// random length: what quotes are worth is measured on it.
type shop struct {
	*world
	rng     *rand.Rand
	service func(*rand.Rand) time.Duration
	every   time.Duration // mean time between visitors
	noShow  float64
	desks   int
	ends    map[int]time.Time // by desk: when its service is over; zero: nobody there
	here    map[int]*visit
	plain   []float64 // the waits of the last ones that were called, in seconds
	done    []visit
}

// visit is one visitor's quote, what a plain mean of the last waits would have
// said, and what came of it, in seconds.
type visit struct {
	quote          *Quote
	plain, waited  float64
	called, joined time.Time
}

const plainWindow = 30 // as the lists of the trade have it: the last 30 guests

func newShop(t tb, seed uint64, desks int) *shop {
	s := &shop{
		world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 1)), every: 2 * time.Minute, desks: desks,
		ends: map[int]time.Time{}, here: map[int]*visit{},
		service: func(r *rand.Rand) time.Duration {
			return time.Duration(r.ExpFloat64() * float64(time.Duration(desks)*110*time.Second))
		},
	}
	for desk := 1; desk <= desks; desk++ {
		s.must(Select{User: desk, Desk: Some(desk), Lines: Some([]int{1})}, clerk(desk))
	}
	return s
}

// run lets visitors come for a while.
func (s *shop) run(length time.Duration) {
	end := s.now.Add(length)
	next := s.now.Add(s.pause())
	for s.now.Before(end) {
		at, desk := next, 0
		for d, over := range s.ends {
			if over.Before(at) || over.Equal(at) && (desk == 0 || d < desk) {
				at, desk = over, d
			}
		}
		s.now = at
		if desk == 0 {
			s.join()
			next = s.now.Add(s.pause())
		} else {
			delete(s.ends, desk)
			if id := s.s.CalledTickets(); len(id) > 0 {
				s.finish(desk)
			}
		}
		s.call()
	}
}

func (s *shop) pause() time.Duration { return time.Duration(s.rng.ExpFloat64() * float64(s.every)) }

func (s *shop) join() {
	v := visit{plain: math.NaN(), joined: s.now}
	if n := len(s.plain); n > 0 {
		sum := 0.0
		for _, w := range s.plain {
			sum += w
		}
		v.plain = sum / float64(n)
	}
	e := s.must(Create{Line: 1}, nobody)[0]
	v.quote = e.Facts.Quote
	s.here[int(e.Ticket)] = &v
}

func (s *shop) finish(desk int) {
	for _, t := range s.s.CalledTickets() {
		if t.Place.Call.Desk == desk {
			s.must(Serve{ref(t.ID)}, clerk(desk))
		}
	}
}

// call lets every free desk take the next one.
func (s *shop) call() {
	for desk := 1; desk <= s.desks; desk++ {
		if _, busy := s.ends[desk]; busy || s.s.Waiting(1) == 0 {
			continue
		}
		e := s.must(CallNext{Lines: []int{1}}, clerk(desk))
		id := e[len(e)-1].Ticket
		v := s.here[int(id)]
		v.called, v.waited = s.now, s.now.Sub(v.joined).Seconds()
		delete(s.here, int(id))
		if s.plain = append(s.plain, v.waited); len(s.plain) > plainWindow {
			s.plain = s.plain[1:]
		}
		if s.rng.Float64() < s.noShow {
			s.ends[desk] = s.now.Add(90 * time.Second)
			s.must(MarkNoShow{ref(id)}, clerk(desk))
			continue
		}
		s.ends[desk] = s.now.Add(s.service(s.rng))
		s.done = append(s.done, *v)
	}
}

// figures is what a run came to.
type figures struct {
	quotes              int
	within, early, late float64
	plainLate, width    float64
}

func (s *shop) figures(warmup time.Duration) figures {
	var f figures
	start := noon.Add(warmup)
	for _, v := range s.done {
		if v.quote == nil || v.joined.Before(start) || math.IsNaN(v.plain) {
			continue
		}
		f.quotes++
		switch {
		case v.waited < float64(v.quote.Min)*60:
			f.early++
		case v.waited > float64(v.quote.Max)*60:
			f.late++
		default:
			f.within++
		}
		// The plain mean is rounded up just as a range's end is.
		if v.waited > float64(stepped(v.plain/60, math.Ceil))*60 {
			f.plainLate++
		}
		f.width += float64(v.quote.Max - v.quote.Min)
	}
	n := float64(max(1, f.quotes))
	f.within, f.early, f.late, f.plainLate, f.width = f.within/n, f.early/n, f.late/n, f.plainLate/n, f.width/n
	return f
}

func TestQuotesAreHonestInSteadyState(t *testing.T) {
	lognormal := func(median time.Duration, sigma float64) func(*rand.Rand) time.Duration {
		return func(r *rand.Rand) time.Duration {
			return time.Duration(float64(median) * math.Exp(sigma*r.NormFloat64()))
		}
	}
	for _, c := range []struct {
		name    string
		desks   int
		service func(*rand.Rand) time.Duration
		every   time.Duration
		noShow  float64
	}{
		{name: "M/M/1", desks: 1},
		{name: "M/M/2", desks: 2},
		{name: "M/M/3", desks: 3},
		{name: "long services", desks: 2, service: lognormal(10*time.Minute, 0.6), every: 6 * time.Minute},
		{name: "no-shows", desks: 3, noShow: 0.1},
		{name: "long waits", desks: 1, service: lognormal(7*time.Minute, 0.5), every: 8*time.Minute + 10*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []figures
			for seed := range uint64(3) {
				s := newShop(t, seed, c.desks)
				s.noShow = c.noShow
				if c.service != nil {
					s.service, s.every = c.service, c.every
				}
				s.run(72 * time.Hour)
				f := s.figures(4 * time.Hour)
				t.Logf("seed %d: %+v", seed, f)
				all = append(all, f)
			}
			slices.SortFunc(all, func(a, b figures) int { return cmp.Compare(a.within, b.within) })
			for _, f := range all {
				if f.quotes < 300 {
					t.Errorf("only %d quotes", f.quotes)
				}
				if f.within < 0.8 {
					t.Errorf("%.1f %% were called within the range", f.within*100)
				}
				if f.late >= f.plainLate {
					t.Errorf("%.1f %% waited longer than they were told, %.1f %% longer than a plain mean", f.late*100, f.plainLate*100)
				}
			}
		})
	}
}
