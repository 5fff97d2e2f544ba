// Package config is everything that can be set from outside, in one struct:
// flags win over NOWSERVING_... variables, those over the config file, that
// over the defaults. A name that nobody knows is an error, never ignored: a
// misspelt limit must not look as if it were set.
package config

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config is the settings of one node.
type Config struct {
	// Listen is the address of the HTTP server.
	Listen string
	// Data is the folder of the store.
	Data string
	// Demo fills an empty data folder with a branch to play with.
	Demo bool
	// Simulate lets simulated clerks and visitors work in the demo branch.
	Simulate bool

	LogLevel  string
	LogFormat string

	// PublicURL is how browsers reach the server, where that differs from what
	// requests say: links in messages begin with it.
	PublicURL string
	// TrustedProxies are the networks whose X-Forwarded-* headers are believed.
	TrustedProxies Prefixes
	// AllowPrivateWebhooks lets webhooks go to private addresses.
	AllowPrivateWebhooks bool

	// Speech is the program that renders spoken calls; "" is none.
	Speech string

	// Clamd is where the virus scanner listens; none by default.
	Clamd Peer

	// MetricsToken lets /metrics be read from other machines by who sends it;
	// without one only this machine may.
	MetricsToken string

	// TextAccount, TextToken, TextFrom and TextURL are the account of a
	// text-message provider; without them messages are kept and shown.
	TextAccount, TextToken, TextFrom, TextURL string

	// MinFree is the free space below which no command is taken any more: the
	// store must never meet a full disk.
	MinFree Bytes
	// GroupMax is how many commands share one synced transaction: more adds
	// latency, less adds syncs.
	GroupMax int
	// MaxBody bounds a request's body.
	MaxBody Bytes

	// RequestRate and RequestBurst limit one address over all doors. They only
	// stop floods: a branch with all its screens may be one address.
	RequestRate  float64
	RequestBurst int

	// QueueRate and QueueBurst limit each key of the queue API; the defaults are
	// what that API's description promises.
	QueueRate  float64
	QueueBurst int

	// ChatRate and ChatBurst limit each department in each group of operations of
	// the chat API; its tokens and its messages without a ticket have limits of
	// their own, which grow with ChatRate.
	ChatRate  float64
	ChatBurst int

	// PendingMax and PendingPerAddress bound the sockets that have not yet said
	// who they are.
	PendingMax        int
	PendingPerAddress int

	// SessionIdle and SessionMax end a browser's sign-in.
	SessionIdle time.Duration
	SessionMax  time.Duration
	// VisitorTTL is how long the link to a ticket works.
	VisitorTTL time.Duration

	// Drain is how long a stop may take before what is left is cut.
	Drain time.Duration
}

// Default is the configuration without any setting.
func Default() Config {
	return Config{
		Listen:            "127.0.0.1:8080", // not reachable from outside until somebody says so
		Data:              "./data",
		LogLevel:          "info",
		LogFormat:         "auto",
		Speech:            "espeak-ng",
		MinFree:           256 << 20, // room for a few compactions
		GroupMax:          256,
		MaxBody:           1 << 20,
		RequestRate:       200,
		RequestBurst:      1000,
		QueueRate:         10,
		QueueBurst:        40,
		ChatRate:          10,
		ChatBurst:         600,
		PendingMax:        1000,
		PendingPerAddress: 200, // a lobby's screens come back together after a power cut
		SessionIdle:       12 * time.Hour,
		SessionMax:        7 * 24 * time.Hour,
		VisitorTTL:        7 * 24 * time.Hour,
		Drain:             15 * time.Second,
	}
}

// Validate names the first setting that cannot work.
func (c *Config) Validate() error {
	for _, rule := range []struct {
		name string
		ok   bool
		want string
	}{
		{"listen", listens(c.Listen), "is host:port"},
		{"data", c.Data != "", "names a folder"},
		{"simulate", c.Demo || !c.Simulate, "works only together with demo"},
		{"log-level", oneOf(c.LogLevel, "trace", "debug", "info", "warn", "error"), "is trace, debug, info, warn or error"},
		{"log-format", oneOf(c.LogFormat, "auto", "json", "console"), "is auto, json or console"},
		{"public-url", c.PublicURL == "" || publicURL(c.PublicURL), "is http(s)://host without path, query or user"},
		{"metrics-token", c.MetricsToken == "" || isSecret(c.MetricsToken), "has 16 to 512 characters, none of them a space"},
		{"text-account", c.TextAccount == "" || c.TextToken != "" && c.TextFrom != "", "needs text-token and text-from"},
		{"text-token", (c.TextAccount == "") == (c.TextToken == ""), "goes with text-account"},
		{"text-from", (c.TextAccount == "") == (c.TextFrom == ""), "goes with text-account"},
		{"text-url", c.TextURL == "" || publicURL(c.TextURL), "is http(s)://host without path, query or user"},
		{"min-free", c.MinFree >= 16<<20, "is at least 16MiB"},
		{"group-max", between(c.GroupMax, 1, 4096), "is 1 to 4096"},
		{"max-body", c.MaxBody >= 64<<10 && c.MaxBody <= 64<<20, "is 64KiB to 64MiB"},
		{"request-rate", c.RequestRate >= 0 && c.RequestRate <= 1e6, "is 0 (no limit) to 1000000 a second"},
		{"request-burst", between(c.RequestBurst, 1, 1e6), "is 1 to 1000000"},
		{"queue-rate", c.QueueRate >= 0.1 && c.QueueRate <= 1e6, "is 0.1 to 1000000 a second"},
		{"queue-burst", between(c.QueueBurst, 1, 1e6), "is 1 to 1000000"},
		{"chat-rate", c.ChatRate >= 0.1 && c.ChatRate <= 1e6, "is 0.1 to 1000000 a second"},
		{"chat-burst", between(c.ChatBurst, 1, 1e6), "is 1 to 1000000"},
		{"pending-max", between(c.PendingMax, 1, 1e6), "is 1 to 1000000"},
		{"pending-per-address", between(c.PendingPerAddress, 1, c.PendingMax), "is 1 to pending-max"},
		{"session-max", within(c.SessionMax, time.Minute, 90*24*time.Hour), "is 1m to 2160h"},
		{"session-idle", within(c.SessionIdle, time.Minute, c.SessionMax), "is 1m to session-max"},
		{"visitor-ttl", within(c.VisitorTTL, time.Hour, 366*24*time.Hour), "is 1h to 8784h"},
		{"drain", within(c.Drain, time.Second, 10*time.Minute), "is 1s to 10m"},
	} {
		if !rule.ok {
			return fmt.Errorf("%s %s", rule.name, rule.want)
		}
	}
	return nil
}

func oneOf(s string, of ...string) bool {
	for _, o := range of {
		if s == o {
			return true
		}
	}
	return false
}

func between(n, low, high int) bool          { return low <= n && n <= high }
func within(d, low, high time.Duration) bool { return low <= d && d <= high }

func listens(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil && port != ""
}

// isSecret tells what is long enough not to be guessed, and can stand in a header.
func isSecret(s string) bool {
	return between(len(s), 16, 512) && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func publicURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil &&
		(u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}
