package node

import (
	"context"
	"errors"
	"time"

	"github.com/nowserving/nowserving/hub/sim"
	"github.com/nowserving/nowserving/hub/ticket"
)

// demoSpeed is how much faster than life the demonstration's day goes: a call
// every few seconds is pleasant to watch.
const demoSpeed = 30

// simulate lets visitors and clerks work in the demonstration branch until ctx
// ends. It asks for changes like anybody else and gets no favours.
func (n *Node) simulate(ctx context.Context) error {
	o := sim.Options{
		Seed: uint64(n.o.Clock().UnixNano()), Speed: demoSpeed, Clock: n.o.Clock,
		Location: n.demoLocation, Chats: 0.2, Begin: simulateBegin,
	}
	n.ledger.View(n.demoLocation, func(s *ticket.State) {
		for i, l := range s.SortedLines() {
			o.Lines = append(o.Lines, sim.Share{Line: l.ID, Weight: float64(len(s.Lines) - i)})
		}
		desks := s.SortedDesks()
		for i, u := range s.SortedUsers() {
			o.Clerks = append(o.Clerks, sim.Clerk{User: u.ID, Desk: desks[i%len(desks)].ID})
		}
	})
	n.o.Log.Info().Uint64("seed", o.Seed).Msg("simulating a day")
	_, err := sim.Run(ctx, sim.On(n.ledger), o)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// simulateBegin skips the quiet morning: the room is full at once.
const simulateBegin = 90 * time.Minute
