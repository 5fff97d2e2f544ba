// Package node is one server process: it builds the parts, runs them, and takes
// them down in the order that loses nothing.
package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/server/outbox/egress"
	"github.com/nowserving/nowserving/server/outbox/seal"
	"github.com/nowserving/nowserving/server/outbox/sms"
	"github.com/nowserving/nowserving/server/queuegraph"
	"github.com/nowserving/nowserving/server/session"
	"github.com/nowserving/nowserving/store"
)

// Options are what a node is made of.
type Options struct {
	Listen string // address, "127.0.0.1:8080"
	Data   string // data folder
	// PublicURL is how clients reach the node; "" is http:// and the address.
	PublicURL string
	// Demo makes a demonstration branch in an empty folder; Simulate plays a
	// working day in it, Speed times as fast as life.
	Demo, Simulate bool
	Speed          float64
	MinFree        uint64 // free space below which no change is taken, in bytes
	GroupMax       int    // commands in one commit
	MaxBody        int    // of an HTTP request, in bytes
	// RequestRate and RequestBurst bound the requests of one address.
	RequestRate  float64
	RequestBurst int
	// PeopleRates limit visitors; nil: as documented, or not at all without RequestRate.
	PeopleRates *hubapi.Rates
	// QueueRate limits each key of the queue API; zero is its documented rate.
	QueueRate limit.Rate
	// ChatRate limits each department in each group of the chat API's operations;
	// zero is its documented rate.
	ChatRate limit.Rate
	// AllowPrivateWebhooks lets webhooks go to private addresses.
	AllowPrivateWebhooks bool
	// Texts is who sends text messages.
	Texts TextProvider
	// Drain is how long a stop may take.
	Drain   time.Duration
	Limits  session.Limits
	Proxies ops.Proxies
	// VisitorTTL is how long the link to a ticket works.
	VisitorTTL time.Duration
	// SessionIdle and SessionMax end a browser's sign-in.
	SessionIdle, SessionMax time.Duration
	// Speech is the program that speaks, or "".
	Speech string
	// Scanner looks at the files that people upload; nil: nobody does.
	Scanner chatapi.Scanner
	// MetricsToken lets /metrics be read from other machines; "": only this one may.
	MetricsToken string
	Clock        func() time.Time
	Log          zerolog.Logger
	// Fault is the store's test seam; nil except in tests.
	Fault *store.Fault
}

// Node is one server process. Build makes it, Run runs it, Close ends what Build
// opened.
type Node struct {
	o           Options
	store       *store.Badger
	hub         *hub.Hub
	ledger      *ledger.Ledger
	auth        *auth.Authenticator
	access      *auth.Access
	audits      *auth.Log
	sessions    *session.Server
	chat        *chatapi.API
	chatEffects *chatapi.Effects
	teller      *chatapi.Teller
	box         *seal.Box
	// graph is nil until it is made; the ledger publishes before that.
	graph     atomic.Pointer[queuegraph.Graph]
	pairings  *hubapi.Pairings
	people    *hubapi.People
	visits    *hubapi.VisitEffects
	positions *positions
	screens   *hubapi.Screens
	metrics   *ops.Metrics
	commands  atomic.Uint64
	outbox    *outbox.Outbox
	egress    egress.Policy
	texts     sms.Gateway
	kept      *sms.Kept    // texts, when nobody sends them
	sender    *sms.Sender  // texts, when somebody does
	textCalls http.Handler // what a provider calls; nil without one
	listener  net.Listener
	server    *http.Server
	base      string

	demoLocation int
	demoWidget   string // its site key
	running      *errgroup.Group
	stopLedger   context.CancelFunc
	draining     atomic.Bool
	failed       chan error // the ledger's end, when it comes by itself
}

// Build opens the data folder and the address, and gets everything ready. The
// ledger runs from here on, because a first start already makes changes.
func Build(ctx context.Context, o Options) (*Node, error) {
	n := &Node{o: o, failed: make(chan error, 1)}
	if err := n.build(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) build(ctx context.Context) error {
	o := &n.o
	if o.Clock == nil {
		o.Clock = time.Now
	}
	n.metrics = ops.NewMetrics()
	var err error
	lc := net.ListenConfig{Control: control}
	if n.listener, err = lc.Listen(ctx, "tcp", o.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	n.base = o.PublicURL
	if n.base == "" {
		n.base = "http://" + n.listener.Addr().String()
	}
	n.store, err = store.Open(store.Options{
		Dir: filepath.Join(o.Data, "store"), Clock: o.Clock, Log: o.Log, MinFree: o.MinFree, Fault: o.Fault,
	})
	if err != nil {
		return err
	}
	if err := n.buildOutbox(); err != nil {
		return err
	}
	n.hub = hub.New(nil, hub.Options{Clock: o.Clock, Log: o.Log, Meter: n.metrics})
	n.visits = hubapi.NewVisitEffects(n.chatEffects)
	n.ledger, err = ledger.Open(n.store, n.hub, ledger.Options{
		Clock: o.Clock, Log: o.Log, GroupMax: o.GroupMax, GroupBytes: n.store.MaxCommit() / 2, Observe: n.observe, Commanded: n.commanded, Effects: n.visits,
		Published: n.published,
	})
	if err != nil {
		return err
	}
	n.positions = newPositions(n.hub, n.ledger, o.Clock)
	n.outbox.Attach(n.ledger)
	if err := n.buildTexts(); err != nil {
		return err
	}
	if err := n.buildScreens(); err != nil {
		return err
	}
	n.hub.SetSource(source{n.ledger, n.hub, n.screens.Devices})
	n.start()
	return n.buildDoors(ctx)
}

// buildDoors gets ready what stands before the ledger, which runs by now.
func (n *Node) buildDoors(ctx context.Context) error {
	o := &n.o
	var err error
	if n.audits, err = auth.OpenLog(ctx, n.ledger); err != nil {
		return err
	}
	n.auth, err = auth.Open(auth.Options{
		Docs: n.ledger, Directory: directory{n.ledger}, Now: o.Clock, Audit: auth.AuditorFunc(n.audit),
		Secure: o.Proxies.Secure, SessionIdle: o.SessionIdle, SessionMax: o.SessionMax, Vault: n.box,
	})
	if err != nil {
		return err
	}
	n.access = auth.NewAccess(where{n.ledger}, auth.AuditorFunc(n.audit), o.Clock)
	n.sessions = session.New(session.Options{
		Hub: n.hub, Limits: o.Limits, Clock: o.Clock, Log: o.Log, ClientIP: n.clientIP,
		Gate: &gate{
			n.ledger, n.hub, n.auth, n.access, n.screens, func() *hubapi.People { return n.people },
			limit.New(visitorRate(), limitedVisitors, o.Clock), n.texts,
		},
		Subscribed: n.positions.subscribed,
	})
	n.auth.OnRevoke(n.disconnect)
	n.pairings = hubapi.NewPairings(o.Clock)
	if err := n.buildGraph(); err != nil {
		return err
	}
	if err := n.firstStart(ctx); err != nil {
		return err
	}
	if err := n.buildChat(ctx); err != nil {
		return err
	}
	if err := n.buildPeople(); err != nil {
		return err
	}
	n.gauges()
	n.server = n.httpServer()
	return nil
}

// disconnect ends the sockets of a grant that was revoked, or sends them away to
// come back with what it allows now.
func (n *Node) disconnect(grant string) {
	code := wire.CloseChanged
	_, err := n.auth.Recheck(auth.Identity{Grant: grant})
	switch {
	case errors.Is(err, auth.ErrExpired):
		code = wire.CloseExpired
	case err != nil:
		code = wire.CloseRevoked
	}
	n.sessions.Disconnect(grant, code)
}

// start runs the ledger and the hub's workers.
func (n *Node) start() {
	ctx, cancel := context.WithCancel(context.Background())
	n.stopLedger = cancel
	n.running = &errgroup.Group{}
	n.running.Go(func() error {
		err := n.ledger.Run(ctx)
		n.failed <- err
		return err
	})
	n.running.Go(func() error { return n.hub.Run(ctx) })
}

// firstStart makes the demonstration, or an administrator, in an empty folder.
func (n *Node) firstStart(ctx context.Context) error {
	if n.o.Demo {
		return n.demo(ctx, n.base)
	}
	return n.firstAdmin(ctx)
}

// serving is nil while the node takes requests.
func (n *Node) serving() error {
	if n.draining.Load() {
		return errors.New("draining")
	}
	return nil
}

// URL is how clients on this machine reach the node.
func (n *Node) URL() string { return n.base }

// Run serves until ctx ends, then drains. When the ledger fails it returns at once
// and leaves everything as it is: the process must end, so that it can be started
// again, and nothing more may reach a disk whose content is no longer certain.
func (n *Node) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- n.server.Serve(n.listener) }()
	aside, stopAside := context.WithCancel(context.Background())
	defer stopAside()
	var group errgroup.Group
	group.Go(func() error { return n.sessions.Run(aside) })
	group.Go(func() error {
		n.auth.Run(aside, func(err error) { n.o.Log.Warn().Err(err).Msg("credentials not maintained") })
		return nil
	})
	group.Go(func() error {
		n.audits.Run(aside, func(err error) { n.o.Log.Warn().Err(err).Msg("audit log not written; trying again") })
		return nil
	})
	group.Go(func() error { return newRetention(n.ledger, n.store, n.audits, n.o.Clock, n.o.Log).run(aside) })
	group.Go(func() error { return n.store.RunGC(aside) })
	group.Go(func() error { return n.people.Run(aside) })
	group.Go(func() error { n.positions.run(aside); return nil })
	group.Go(func() error { return n.chat.Run(aside) })
	group.Go(func() error { return n.outbox.Run(aside) })
	group.Go(func() error { return n.texts.Run(aside) })
	if n.o.Simulate {
		group.Go(func() error { return n.simulate(aside) })
	}
	n.o.Log.Info().Str("url", n.base).Str("data", n.o.Data).Bool("demo", n.o.Demo).Msg("serving")

	var err error
	select {
	case <-ctx.Done():
		n.o.Log.Info().Msg("draining")
	case err = <-n.failed:
		return err
	case err = <-served:
	}
	n.drain()
	stopAside()
	return errors.Join(err, group.Wait(), n.Close())
}

// drainStep is how far apart sockets are sent away: about as fast as the next
// node can take them in.
const drainStep = 2 * time.Millisecond

// drain stops accepting, sends sockets away with a come-back code, and lets
// requests that are under way finish.
func (n *Node) drain() {
	n.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), n.o.Drain)
	defer cancel()
	// A third is left for those that are slow to go. Few sockets need no spreading.
	window := min(n.o.Drain*2/3, time.Duration(n.sessions.Stats().Sessions)*drainStep)
	// Sockets first: the http server knows nothing of them.
	n.people.Drain()
	drained := n.drainGraph(ctx)
	defer drained()
	if err := n.sessions.Drain(ctx, window); err != nil {
		n.o.Log.Warn().Err(err).Msg("some sockets were cut")
	}
	if err := n.server.Shutdown(ctx); err != nil {
		n.o.Log.Warn().Err(err).Msg("some requests were cut")
		_ = n.server.Close()
	}
}

// Close ends what Build opened, in the order that loses nothing: first no more
// commands, then what was accepted is finished, then the store.
func (n *Node) Close() error {
	var errs []error
	if n.listener != nil {
		if err := n.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if n.stopLedger != nil {
		n.stopLedger()
		errs = append(errs, n.running.Wait())
		n.stopLedger = nil
	}
	if n.chat != nil {
		errs = append(errs, n.chat.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}
