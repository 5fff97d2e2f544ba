package ops

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the node's numbers, in a registry of its own. Labels only take
// values from our own short lists, never from requests: names of commands and
// codes, kinds of channel, audiences, doors.
type Metrics struct {
	registry *prometheus.Registry

	publications  *prometheus.CounterVec
	deliveries    *prometheus.CounterVec
	subscriptions *prometheus.CounterVec
	disconnects   *prometheus.CounterVec
	commits       prometheus.Histogram
	group         prometheus.Histogram
	commands      *prometheus.HistogramVec
	requests      *prometheus.HistogramVec
	denied        *prometheus.CounterVec
	panics        prometheus.Counter
}

// latencies span a publish from memory to a synced write on a bad disk.
func latencies() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
}

// NewMetrics makes the registry and everything in it.
func NewMetrics() *Metrics {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "nowserving", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Namespace: "nowserving", Name: name, Help: help, Buckets: buckets}
	}
	return &Metrics{
		registry:      reg,
		publications:  counter("publications_total", "Publications put on channels.", "channel"),
		deliveries:    counter("deliveries_total", "Publications handed to subscribers.", "channel"),
		subscriptions: counter("subscriptions_total", "Subscriptions, by how they began: recovered, snapshot.", "channel", "start"),
		disconnects:   counter("disconnects_total", "Sessions that the node ended, by reason.", "reason"),
		commits:       f.NewHistogram(histogram("commit_seconds", "Duration of synced commits.", latencies())),
		group: f.NewHistogram(histogram("commit_commands", "Commands that shared a commit.",
			[]float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})),
		commands: f.NewHistogramVec(histogram("command_seconds", "Duration of commands until durable, by outcome.",
			latencies()), []string{"command", "code"}),
		requests: f.NewHistogramVec(histogram("request_seconds", "Duration of HTTP requests.",
			latencies()), []string{"door", "status"}),
		denied: counter("denied_total", "Refused sign-ins and refused requests.", "action", "code"),
		panics: f.NewCounter(prometheus.CounterOpts{Namespace: "nowserving", Name: "panics_total",
			Help: "Panics in handlers. Each is a defect."}),
	}
}

// Published counts a publication on a kind of channel.
func (m *Metrics) Published(channel string) { m.publications.WithLabelValues(channel).Inc() }

// Delivered counts publications that were handed to subscribers.
func (m *Metrics) Delivered(channel string, n int) {
	m.deliveries.WithLabelValues(channel).Add(float64(n))
}

// Subscribed counts a subscription, and whether it went on where it had been.
func (m *Metrics) Subscribed(channel string, recovered bool) {
	start := "snapshot"
	if recovered {
		start = "recovered"
	}
	m.subscriptions.WithLabelValues(channel, start).Inc()
}

// Sessions lets read tell how many sessions of an audience are open, whenever
// somebody asks.
func (m *Metrics) Sessions(audience string, read func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "nowserving", Name: "sessions", Help: "Open sessions.", ConstLabels: prometheus.Labels{"audience": audience},
	}, func() float64 { return float64(read()) }))
}

// Disconnected counts a session that the node ended, by wire.CloseReason.
func (m *Metrics) Disconnected(reason string) { m.disconnects.WithLabelValues(reason).Inc() }

// Committed observes one synced commit and how many commands shared it.
func (m *Metrics) Committed(took time.Duration, commands int) {
	m.commits.Observe(took.Seconds())
	m.group.Observe(float64(commands))
}

// Command observes one command; code is "ok" or a wire.Code. Only known names
// may come here: each is a series of its own.
func (m *Metrics) Command(name, code string, took time.Duration) {
	m.commands.WithLabelValues(name, code).Observe(took.Seconds())
}

// Denied counts a refusal, for whoever audits.
func (m *Metrics) Denied(action, code string) { m.denied.WithLabelValues(action, code).Inc() }

// Panicked counts a panic.
func (m *Metrics) Panicked() { m.panics.Inc() }

// Registry takes further collectors, such as a store's size.
func (m *Metrics) Registry() prometheus.Registerer { return m.registry }

// Handler is /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Door observes a door's requests by class of status. A socket counts as 1xx
// and with the time it was open, so it gets a door of its own.
func (m *Metrics) Door(door string, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := now(), &watched{ResponseWriter: w}
		defer func() {
			m.requests.WithLabelValues(door, class(seen.status)).Observe(now().Sub(start).Seconds())
		}()
		next.ServeHTTP(seen, r)
	})
}

func class(status int) string {
	switch {
	case status < 100: // hijacked, or a panic before any answer
		return "none"
	case status < 200:
		return "1xx"
	case status < 300:
		return "2xx"
	case status < 400:
		return "3xx"
	case status < 500:
		return "4xx"
	}
	return "5xx"
}
