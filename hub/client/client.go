package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// maxOneWay bounds signals and receipts that wait to be sent: they tell of the
// moment, and a moment that has piled up is of no use to anybody.
const maxOneWay = 64

// ErrStopped answers a command that can no longer be sent: Run has ended.
var ErrStopped = errors.New("the client has stopped")

// Handler hears what the hub says. Run calls its methods one at a time; they
// must return soon, and must not wait for Do, whose answer comes the same way.
type Handler interface {
	// Snapshot replaces all that is known of a channel.
	Snapshot(channel string, at wire.Position, data json.RawMessage)
	// Push is the channel's next publication: none before it is missing and it
	// comes once. Ephemeral pushes (Offset 0) come as they happen.
	Push(p wire.Push)
	// Refused says that the hub does not let this client have a channel; the
	// subscription is gone.
	Refused(channel string, err *wire.Error)
	// Status says that the link changed.
	Status(s Status)
}

// State is what can be expected of the link.
type State string

// The states of a client.
const (
	Connecting State = "connecting" // no link
	CatchingUp State = "catchingUp" // a link, but a subscription is not current yet
	Live       State = "live"       // every subscription is current
	Stopped    State = "stopped"    // Run has ended
)

// Status describes the link.
type Status struct {
	State State
	// Since is when the client became live or, in any other state, since when
	// it has not been.
	Since time.Time
	// Err is why the last link ended. It is for logs, not for visitors.
	Err error
	// Retry is the wait before the next attempt, while connecting.
	Retry time.Duration
	// Session and Audience are what the hub calls this client.
	Session, Audience string
	// Skew is how far the hub's clock is ahead of ours.
	Skew time.Duration
}

// Config is what a client needs. URL, Handler, Now and Random are required.
type Config struct {
	// URL is the hub's address, http, https, ws or wss; the path is /ws unless
	// it names another.
	URL string
	// Name tells operators which program this is: "lobby-tv/1.0".
	Name string
	// Token is asked before every attempt, so that an expired credential can be
	// replaced; nil or "" leaves the proof to Header.
	Token func(context.Context) (string, error)
	// Header goes with the handshake, for example Authorization.
	Header http.Header
	// HTTPClient makes the handshake; nil means http.DefaultClient.
	HTTPClient *http.Client
	// Handler hears everything.
	Handler Handler
	// Now is the clock.
	Now func() time.Time
	// Random returns numbers in [0,1) for the jitter.
	Random func() float64
	// NewKey makes idempotency keys; nil means random ones.
	NewKey func() string
}

// Token is a Config.Token that never changes.
func Token(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// Client is one program's connection to the hub over any number of links.
type Client struct {
	cfg Config
	url string
	// wake tells Run's goroutine that there is something to send.
	wake chan struct{}

	mu       sync.Mutex // guards all below
	started  bool
	stopped  bool
	subs     map[string]*subscription
	leaving  []string       // channels to unsubscribe from on this link
	calls    []*call        // commands without an answer, oldest first
	oneWay   []wire.Request // signals and receipts, for this link only
	linked   bool           // there is a link that signals can go to
	heard    time.Time      // when the last frame came
	status   Status
	failures int
}

// call is a command that waits for its answer, over any number of links.
type call struct {
	cmd  wire.Command
	sent bool        // on the present link
	done chan result // has room for the one result
}

type result struct {
	reply wire.CommandReply
	err   error
}

// New checks cfg and makes a client. It starts nothing.
func New(cfg Config) (*Client, error) {
	switch {
	case cfg.Handler == nil:
		return nil, errors.New("client: Config.Handler is missing")
	case cfg.Now == nil:
		return nil, errors.New("client: Config.Now is missing")
	case cfg.Random == nil:
		return nil, errors.New("client: Config.Random is missing")
	}
	address, err := endpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.NewKey == nil {
		cfg.NewKey = rand.Text
	}
	c := &Client{
		cfg: cfg, url: address,
		wake: make(chan struct{}, 1),
		subs: make(map[string]*subscription),
	}
	c.status = Status{State: Connecting, Since: cfg.Now()}
	return c, nil
}

// endpoint is the socket's address. A token must not be in it, as addresses
// end up in logs.
func endpoint(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("client: read the URL: %w", err)
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return "", fmt.Errorf("client: the URL's scheme is %q, want http, https, ws or wss", u.Scheme)
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", errors.New("client: the URL has a host and neither a user nor a query")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/ws"
	}
	return u.String(), nil
}

// Subscribe asks for a channel, from since on where the hub can serve that, and
// keeps it over every link. A channel that is subscribed already stays as it is.
func (c *Client) Subscribe(channel string, since *wire.Position) error {
	if _, err := wire.ParseChannel(channel); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subs[channel] == nil {
		c.subs[channel] = newSubscription(channel, since)
		c.poke()
	}
	return nil
}

// Unsubscribe gives a channel up.
func (c *Client) Unsubscribe(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub := c.subs[channel]
	if sub == nil {
		return
	}
	delete(c.subs, channel)
	if sub.asked {
		c.leaving = append(c.leaving, channel)
	}
	c.poke()
}

// Refetch asks for a fresh snapshot of a subscribed channel: the caller could
// not make sense of what it got.
func (c *Client) Refetch(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sub := c.subs[channel]; sub != nil {
		sub.restart(nil)
		c.poke()
	}
}

// Position is how far a channel is known.
func (c *Client) Position(channel string) (wire.Position, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub := c.subs[channel]
	if sub == nil || sub.pos == nil {
		return wire.Position{}, false
	}
	return *sub.pos, true
}

// LastFrame is when the hub was heard last, by Config.Now; zero before that.
// Even an idle hub answers a ping in each interval.
func (c *Client) LastFrame() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

// Do sends a command and waits for its answer. A link that breaks meanwhile
// makes it send the command again with the same key, so that it happens once. A
// *wire.Error is the hub's answer. When ctx ends first the outcome is not known:
// the same key asks for it again.
func (c *Client) Do(ctx context.Context, cmd wire.Command) (wire.CommandReply, error) {
	if cmd.Key == "" {
		cmd.Key = c.cfg.NewKey()
	}
	// The hub would close the link over a frame that is not of the protocol.
	frame, err := json.Marshal(wire.Request{ID: 1 << 52, Command: &cmd})
	if err != nil {
		return wire.CommandReply{}, wire.FieldError("params", "not valid JSON")
	}
	if _, err := wire.Decode(frame); err != nil {
		return wire.CommandReply{}, err
	}
	k := &call{cmd: cmd, done: make(chan result, 1)}
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return wire.CommandReply{}, ErrStopped
	}
	c.calls = append(c.calls, k)
	c.poke()
	c.mu.Unlock()
	select {
	case r := <-k.done:
		return r.reply, r.err
	case <-ctx.Done():
		c.forget(k)
		return wire.CommandReply{}, ctx.Err()
	}
}

func (c *Client) forget(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = slices.DeleteFunc(c.calls, func(other *call) bool { return other == k })
}

// Signal tells the channel's other subscribers something of the moment. It
// reports whether it was handed to a link; nobody knows whether it arrived.
func (c *Client) Signal(channel, name string) bool {
	return c.tell(wire.Request{Signal: &wire.Signal{Channel: channel, Name: name}})
}

// Receipt tells the hub what a screen did with a publication, like Signal.
func (c *Client) Receipt(r wire.Receipt) bool {
	return c.tell(wire.Request{Receipt: &r})
}

func (c *Client) tell(r wire.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.linked || len(c.oneWay) >= maxOneWay {
		return false
	}
	c.oneWay = append(c.oneWay, r)
	c.poke()
	return true
}

// poke wakes Run's goroutine; a wake-up that is still unread is enough.
func (c *Client) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
