package node

import (
	"context"
	"slices"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/server/queuegraph"
)

// buildGraph makes the queue API's GraphQL. It comes before the first start, so
// that it misses no change of the directory.
func (n *Node) buildGraph() error {
	g, err := queuegraph.New(queuegraph.Deps{
		Ledger: n.ledger, Records: n.store.Records, Keys: n.auth, Access: n.access, Clock: n.o.Clock, Log: n.o.Log,
		Online: n.online, Rate: n.o.QueueRate,
		Demo: func(location int) bool { return n.o.Demo && location == n.demoLocation },
	})
	if err != nil {
		return err
	}
	n.graph.Store(g)
	n.auth.OnRevoke(g.Recheck)
	return nil
}

// published hands the ledger's changes on, once there is somebody to take them.
func (n *Node) published(c ledger.Notice) {
	n.auditChange(c)
	if n.positions != nil {
		n.positions.published(c)
	}
	if g := n.graph.Load(); g != nil {
		g.Published(c)
	}
}

// online reports whether a screen has a session now.
func (n *Node) online(location, display int) bool {
	return slices.ContainsFunc(n.hub.Present(int64(location)), func(m hub.Member) bool { return m.Display == display })
}

// drainGraph sends the GraphQL sockets away while other things are drained, and
// gives the way to wait for that.
func (n *Node) drainGraph(ctx context.Context) (wait func()) {
	done := make(chan error, 1)
	go func() { done <- n.graph.Load().Drain(ctx) }() // ends with the last socket, or with ctx
	return func() {
		if err := <-done; err != nil {
			n.o.Log.Warn().Err(err).Msg("some GraphQL sockets were cut")
		}
	}
}
