package queueapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

// Ledger is what carries commands out and knows the durable state.
type Ledger interface {
	Do(ctx context.Context, r ledger.Request) (ledger.Result, error)
	View(location int, f func(*ticket.State)) bool
	Ticket(id int64) (*ticket.Ticket, error)
	Transactions(id int64, seq uint64, limit int, newestFirst bool) ([]ticket.Transaction, error)
	Search(q store.Query) ([]*ticket.Ticket, error)
	Count(q store.Query) (int, error)
	Locations() []int
}

// Keys says who holds a key. Only identities of kind integrator are let in.
type Keys interface {
	Token(key string) (auth.Identity, error)
}

// Access decides every command and every change of settings.
type Access interface {
	Command(id auth.Identity, name string, location int, ticket int64) error
	Admin(id auth.Identity, location int) error
}

// Gateway sends text messages. What is to be sent is in the tickets' threads
// with status NEW, and named by the documents of kind OutboxDocs, so nothing is
// lost when a gateway is away; Wake only says that there is something new.
type Gateway interface {
	// Wake must not block.
	Wake(ticket int64)
}

// Pairing gives screens their codes and, once a code was claimed, their key.
type Pairing interface {
	// Begin makes a code that people read off the screen, and its secret.
	Begin(ctx context.Context) (code, secret string, err error)
	// Poll asks whether a code was claimed; a wrong secret or an unknown code is
	// a not_found.
	Poll(ctx context.Context, code, secret string) (Paired, error)
}

// Paired is what a claimed code gives; the zero value means not yet.
type Paired struct {
	Display, Location int
	Key               string
}

// Screens is told what happens to paired screens beside their settings.
type Screens interface {
	// Heartbeat notes that a screen is there; meta is what it says of itself.
	Heartbeat(display int, meta json.RawMessage)
	// Revoke ends the keys of a removed screen.
	Revoke(ctx context.Context, by string, display int) error
}

// Webhooks keeps the registrations of section 6 of the API's description.
type Webhooks interface {
	// Create registers a URL that this package has only looked at the form of.
	Create(ctx context.Context, id auth.Identity, url string) (hook, secret string, err error)
	Delete(ctx context.Context, id auth.Identity, hook string) error
}

// Deps is everything an API works with. Ledger, Keys, Access and Clock are
// needed; an operation whose part is nil answers that it is not offered.
type Deps struct {
	Ledger   Ledger
	Keys     Keys
	Access   Access
	Clock    func() time.Time
	Log      zerolog.Logger
	Gateway  Gateway
	Pairing  Pairing
	Screens  Screens
	Webhooks Webhooks
	// UserChanged is told of users whose rights have changed or who are gone, so
	// that what outlives a request can ask again. May be nil.
	UserChanged func(user int)
	// Addr is who a request without a key comes from; nil looks at the connection.
	Addr func(*http.Request) string
	// Random draws GUIDs; nil is the system's source.
	Random io.Reader
	// Rate limits each key; the zero value is DefaultRate.
	Rate limit.Rate
}

// DefaultRate is what the API's description promises: 40 at once, 10 a second.
func DefaultRate() limit.Rate { return limit.Rate{PerSecond: 10, Burst: 40} }

const (
	limitedKeys = 1 << 16 // bounds the memory of the rate limits
	// MaxBody bounds a request's body in bytes: the largest promised value is a
	// ticket's external data, and a form triples some of its characters.
	MaxBody = 256 << 10
	// OutboxDocs is the kind of document that names tickets with unsent text
	// messages; the key is the ticket's id. It holds nothing personal.
	OutboxDocs = "outbox.sms"
)

// API is the queue API. It keeps nothing but rate limits.
type API struct {
	Deps
	router  http.Handler
	atlas   *atlas
	keys    *limit.Buckets
	strange *limit.Buckets // by address, for what needs no key
}

// New makes an API. It panics when a needed part is missing: that is a mistake
// in the wiring, not something to run with.
func New(d Deps) *API {
	if d.Ledger == nil || d.Keys == nil || d.Access == nil || d.Clock == nil {
		panic("queueapi: Ledger, Keys, Access and Clock are needed")
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.Rate == (limit.Rate{}) {
		d.Rate = DefaultRate()
	}
	if d.Addr == nil {
		d.Addr = func(r *http.Request) string {
			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				return r.RemoteAddr
			}
			return host
		}
	}
	a := &API{
		Deps:    d,
		atlas:   readAtlas(),
		keys:    limit.New(d.Rate, limitedKeys, d.Clock),
		strange: limit.New(d.Rate, limitedKeys, d.Clock),
	}
	a.router = a.routes()
	return a
}
