package node

import (
	"net/http"
	"strings"
	"time"

	"github.com/julienschmidt/httprouter"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/server/maintenance"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/server/outbox/sms"
	"github.com/nowserving/nowserving/server/queueapi"
	"github.com/nowserving/nowserving/server/queuegraph"
)

// httpServer puts the doors together.
func (n *Node) httpServer() *http.Server {
	sockets := func(h http.Handler) http.Handler { return n.metrics.Door("socket", n.o.Clock, h) }
	rate := limit.Rate{PerSecond: n.o.RequestRate, Burst: n.o.RequestBurst}
	short := func(door string, fail ops.Fail, h http.Handler) http.Handler {
		h = ops.Limits(int64(n.o.MaxBody), fail, n.o.Clock, h)
		return n.metrics.Door(door, n.o.Clock, ops.RateLimit(rate, n.o.Proxies, fail, n.o.Clock, h))
	}
	hub := httprouter.New()
	hub.NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.fail(w, r, wire.Errorf(wire.NotFound, "there is nothing at this address"))
	})
	hub.HandleMethodNotAllowed = false
	n.hubAPI().Register(hub)
	hub.POST("/hub/v1/tickets/:id/enqueue", n.enqueue)
	hub.HandlerFunc(http.MethodGet, maintenance.BackupPath, n.operator(n.backup))
	hub.HandlerFunc(http.MethodPost, maintenance.CollectPath, n.operator(n.collect))
	n.pages(hub)
	if n.textCalls != nil {
		hub.Handler(http.MethodPost, sms.StatusPath, n.textCalls)
		hub.Handler(http.MethodPost, sms.InboundPath, n.textCalls)
	}
	hub.Handler(http.MethodGet, "/metrics", n.metrics.Guarded(n.o.MetricsToken, n.fail))
	hub.HandlerFunc(http.MethodGet, "/healthz", ops.Healthz)
	hub.Handler(http.MethodGet, "/readyz", ops.Readyz(
		ops.Check{Reason: "store", Ready: n.store.Ready}, ops.Check{Reason: "draining", Ready: n.serving},
	))
	d := &doors{
		socket: sockets(n.sessions.WebSocket()), events: hubapi.CORS(sockets(n.sessions.EventStream())),
		hub: n.filesDoor(rate, hub, n.hubDoor(short, hub)), queue: short("queue", ops.WriteError, n.queueAPI()),
		about: short("about", ops.WriteError, queueapi.NewDescription()),
		graph: short("graphql", queuegraph.Fail, n.graph.Load()), graphSocket: sockets(n.graph.Load()),
	}
	limited := func(bytes int64) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			h = ops.Limits(bytes, chatFail, n.o.Clock, h)
			return n.metrics.Door("chat", n.o.Clock, ops.RateLimit(rate, n.o.Proxies, chatFail, n.o.Clock, h))
		}
	}
	d.chat = n.chatDoor(limited(chatapi.MaxBody), limited(chatapi.MaxUpload))
	var h http.Handler = d
	h = ops.SecureHeaders(h)
	h = ops.Recover(n.o.Log, ops.WriteError, n.metrics.Panicked, h)
	h = ops.Log(n.o.Log, n.o.Proxies, n.o.Clock, h)
	return ops.NewHTTPServer(h, n.o.Log)
}

// doors picks the door by the path. It is no ServeMux, because that redirects,
// and the vendors' clients turn a redirected POST into a GET.
type doors struct {
	socket, events, hub, queue, about, chat, graph, graphSocket http.Handler
}

// ServeHTTP implements http.Handler.
func (d *doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p := r.URL.Path; {
	case p == "/ws":
		d.socket.ServeHTTP(w, r)
	case p == "/sse":
		d.events.ServeHTTP(w, r)
	case chatapi.Owns(p):
		d.chat.ServeHTTP(w, r)
	case queuegraph.IsSocket(p):
		d.graphSocket.ServeHTTP(w, r)
	case queuegraph.Owns(p):
		d.graph.ServeHTTP(w, r)
	case p == "/", p == "/metrics", p == "/healthz", p == "/readyz", p == "/console", p == "/admin", isPeoplePage(p), isWidgetPage(p),
		strings.HasPrefix(p, "/texts/"), strings.HasPrefix(p, "/hub/"), strings.HasPrefix(p, "/board/"), strings.HasPrefix(p, "/assets/"):
		d.hub.ServeHTTP(w, r)
	case queueapi.DescribedAt(p):
		d.about.ServeHTTP(w, r)
	default:
		d.queue.ServeHTTP(w, r)
	}
}

func (n *Node) hubAPI() *hubapi.API {
	var texts hubapi.Texts
	if n.kept != nil { // a nil *Kept would not be a nil Texts
		texts = n.kept
	}
	return hubapi.New(hubapi.Options{
		Texts:  texts,
		Ledger: n.ledger, Auth: n.auth, Access: n.access, Pairings: n.pairings,
		ClientIP: n.clientIP, AutoClaim: n.autoClaim, Secure: n.o.Proxies.Secure, Screens: n.screens, People: n.people, Admin: n.administration(),
	})
}

func (n *Node) queueAPI() http.Handler {
	return queueapi.New(queueapi.Deps{
		Ledger: n.ledger, Keys: n.auth, Access: n.access, Clock: n.o.Clock, Log: n.o.Log,
		UserChanged: n.auth.UserChanged, Addr: n.clientIP, Rate: n.o.QueueRate,
		Gateway: n.texts, Pairing: appPairing{n.pairings}, Screens: appScreens{n.auth, n.screens.Devices, n.ledger},
		Webhooks: outbox.QueueWebhooks{Outbox: n.outbox},
	})
}

// clientIP is where a request comes from, as text.
func (n *Node) clientIP(r *http.Request) string { return n.o.Proxies.Addr(r).String() }

func (n *Node) fail(w http.ResponseWriter, r *http.Request, err error) { ops.WriteError(w, r, err) }

// observe counts a commit.
func (n *Node) observe(c ledger.Commit) {
	n.commands.Add(uint64(c.Commands))
	n.metrics.Committed(c.Took, c.Commands)
}

// Commands is how many commands have been made durable since the start.
func (n *Node) Commands() uint64 { return n.commands.Load() }

// commanded counts a command of any door.
func (n *Node) commanded(name string, err error, took time.Duration) {
	code := "ok"
	if err != nil {
		code = string(wire.CodeOf(err))
	}
	n.metrics.Command(name, code, took)
}

// audit logs what auth says happened; refusals are counted as well.
func (n *Node) audit(e auth.Entry) {
	if e.Result != "ok" {
		n.metrics.Denied(string(e.Action), e.Result)
	}
	if n.audits != nil && !passing(e) { // it is opened before anything is audited
		n.audits.Audit(e)
	}
	n.o.Log.Info().Str("audit", string(e.Action)).Str("who", e.Who).Str("on", e.On).Str("from", e.From).
		Str("result", e.Result).Msg("audit")
}

// gauges are the numbers that are read when somebody asks.
func (n *Node) gauges() {
	gauge := func(name, help string, read func() float64) {
		n.metrics.Registry().MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "nowserving", Name: name, Help: help,
		}, read))
	}
	gauge("sockets", "Open sockets and event streams.", func() float64 { return float64(n.sessions.Stats().Sessions) })
	gauge("graphql_sockets", "Open sockets of the queue API's GraphQL.", func() float64 { return float64(n.graph.Load().Sockets()) })
	gauge("sockets_pending", "Sockets that have not said who they are.", func() float64 { return float64(n.sessions.Stats().Strangers) })
	gauge("sockets_waiting", "Sockets that wait until fewer are pending.", func() float64 { return float64(n.sessions.Stats().Waiting) })
	n.metrics.Registry().MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "nowserving", Name: "sockets_refused_total", Help: "Sockets that were refused because too many were pending.",
	}, func() float64 { return float64(n.sessions.Stats().Refused) }))
	for _, kind := range []auth.Kind{auth.Display, auth.Kiosk, auth.Staff, auth.Visitor, auth.Integrator} {
		n.metrics.Sessions(string(kind), func() int { return n.sessions.Stats().Kinds[kind] })
	}
	gauge("hub_snapshots", "Snapshots that were folded and encoded; many readers share one.", func() float64 { return float64(n.hub.Stats().Snapshots) })
	gauge("hub_channels", "Channels that somebody reads or has read lately.", func() float64 { return float64(n.hub.Stats().Channels) })
	gauge("hub_behind", "Connections with a backlog.", func() float64 { return float64(n.hub.Stats().Behind) })
	gauge("outbox_waiting", "Deliveries to other systems that wait.", func() float64 { return float64(n.outbox.Stats().Waiting) })
	gauge("hub_subscribers", "Subscriptions.", func() float64 { return float64(n.hub.Stats().Subscribers) })
}
