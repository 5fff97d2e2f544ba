package node

import (
	"net/http"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
)

// buildPeople makes the doors of visitors. Where addresses are not limited, as in
// tests, strangers are not either.
func (n *Node) buildPeople() error {
	rates := hubapi.DefaultRates()
	if n.o.RequestRate <= 0 {
		rates = hubapi.Rates{}
	}
	if n.o.PeopleRates != nil {
		rates = *n.o.PeopleRates
	}
	var err error
	n.people, err = hubapi.NewPeople(hubapi.PeopleOptions{
		Ledger: n.ledger, Auth: n.auth, Clock: n.o.Clock, Files: n.chat, Status: n.chat.UserStatus,
		Present:    func(location int64) []hub.Member { return n.hub.Present(location) },
		VisitorTTL: n.o.VisitorTTL, PublicURL: n.o.PublicURL, Rates: rates, Effects: n.visits,
		Report: func(err error) { n.o.Log.Warn().Err(err).Msg("erased visits are not forgotten yet; trying again") },
	})
	return err
}

// filesDoor lets uploads of conversations be larger than anything else that comes
// in at the hub's door.
func (n *Node) filesDoor(rate limit.Rate, hub, small http.Handler) http.Handler {
	h := ops.Limits(chatapi.MaxFile+1, ops.WriteError, n.o.Clock, hub)
	large := n.metrics.Door("hub", n.o.Clock, ops.RateLimit(rate, n.o.Proxies, ops.WriteError, n.o.Clock, h))
	return hubapi.CORS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hubapi.IsFileUpload(r) {
			large.ServeHTTP(w, r)
			return
		}
		small.ServeHTTP(w, r)
	}))
}

// visitorRate is how many commands a visitor gives: a person types and taps. Each
// is in the journal for good.
func visitorRate() limit.Rate { return limit.Rate{PerSecond: 5, Burst: 60} }

// limitedVisitors bounds the memory of that limit.
const limitedVisitors = 1 << 16

// afford counts a visitor's command.
func (g *gate) afford(id auth.Identity) error {
	if id.Kind != auth.Visitor || g.visitors == nil {
		return nil
	}
	if v := g.visitors.Take(id.Credential); !v.OK {
		return &wire.Error{Code: wire.RateLimited, Message: "too many requests", RetryAfter: v.Seconds()}
	}
	return nil
}

// attach finds the files of a message.
func (g *gate) attach(c ticket.Command) (ticket.Command, error) {
	if g.people == nil || g.people() == nil {
		return c, nil
	}
	return g.people().Attach(c)
}
