package chatapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/microcosm-cc/bluemonday"
	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/server/outbox/sms"
	"github.com/nowserving/nowserving/store"
)

// Ledger is what carries commands out and knows the durable state.
type Ledger interface {
	Do(ctx context.Context, r ledger.Request) (ledger.Result, error)
	View(location int, f func(*ticket.State)) bool
	Ticket(id int64) (*ticket.Ticket, error)
	Transactions(id int64, seq uint64, limit int, newestFirst bool) ([]ticket.Transaction, error)
	Entries(id int64, seq uint64, limit int, newestFirst bool) iter.Seq2[store.Entry, error]
	Search(q store.Query) ([]*ticket.Ticket, error)
	Locations() []int
	Doc(kind, key string) ([]byte, error)
	Docs(kind string) iter.Seq2[store.Doc, error]
	PutDocs(ctx context.Context, docs ...store.Doc) error
}

// Tokens gives out tokens and says who holds one.
type Tokens interface {
	Chat(token string) (auth.Identity, error)
	ExchangeChat(ctx context.Context, apiKey, secret, email string) (string, time.Time, error)
}

// Access decides every command and every change of settings.
type Access interface {
	Command(id auth.Identity, name string, location int, ticket int64) error
	Admin(id auth.Identity, location int) error
}

// Events is the queue of what other systems poll for.
type Events interface {
	Poll(ctx context.Context, department string, q outbox.PollQuery) (json.RawMessage, error)
	Acknowledge(ctx context.Context, department string, receipts []outbox.Receipt) error
	Post(ctx context.Context, department string, c outbox.ChatEvent) error
}

// Gateway is told that a ticket has a text message that waits to be sent.
type Gateway interface {
	// Wake must not block.
	Wake(ticket int64)
	sms.Carrying
}

// Deps is everything an API works with. Ledger, Tokens, Access, Clock, Effects,
// Dir and Key are needed.
type Deps struct {
	Ledger Ledger
	Tokens Tokens
	Access Access
	Clock  func() time.Time
	Log    zerolog.Logger
	// Effects is the ledger's, which was made before it.
	Effects *Effects
	// Timer gives a channel that is sent to after d, and a function that gives it
	// up; nil is a timer of package time.
	Timer func(d time.Duration) (<-chan time.Time, func() bool)
	// Dir is where uploaded files are kept.
	Dir string
	// Key signs links to files.
	Key []byte
	// Events may be nil: then there are none.
	Events  Events
	Gateway Gateway
	// Carrier brings messages without a ticket out; without one they are rejected.
	Carrier Carrier
	// Hooks is where webhooks are registered; nil where there are none.
	Hooks Hooks
	// Secrets are a department's API secrets that are good now; nil: not known here.
	Secrets func(department string) ([]string, error)
	// Scanner looks at uploads; nil passes all.
	Scanner Scanner
	// BaseURL is how events name files; answers go by the request's own host.
	BaseURL string
	// Secure says whether a request came over TLS; nil looks at the connection.
	Secure func(*http.Request) bool
	// UserChanged is told of users whose rights have changed or who are gone.
	UserChanged func(user int)
	// Addr is who a request without a token comes from; nil looks at the connection.
	Addr func(*http.Request) string
	// Random draws GUIDs; nil is the system's source.
	Random io.Reader
	// Rates limit a department per group; zero values are the defaults.
	Rates Rates
}

// Rates are how often a department may call each group of operations.
type Rates struct{ General, Token, Send limit.Rate }

// DefaultRates are 600 calls a minute, 60 tokens, 500 messages without a ticket.
func DefaultRates() Rates {
	return Rates{
		General: limit.Rate{PerSecond: 10, Burst: 600}, Token: limit.Rate{PerSecond: 1, Burst: 60},
		Send: limit.Rate{PerSecond: 500.0 / 60, Burst: 500},
	}
}

const (
	limitedKeys = 1 << 16 // bounds the memory of the rate limits
	// MaxBody bounds every body but an upload.
	MaxBody = 1 << 20
	// MaxUpload bounds an upload, MaxFile each file of it.
	MaxUpload = 16 << 20
	MaxFile   = 10 << 20
)

// API is the conversation API.
type API struct {
	Deps
	table   map[string]route
	general *limit.Buckets
	tokens  *limit.Buckets
	sends   *limit.Buckets
	html    *bluemonday.Policy
	page    *template.Template
	files   files

	messenger *messenger

	contacts sync.Mutex // one change of contacts at a time

	profilesMu sync.RWMutex // protects profiles
	profiles   map[int]Profile
	profiling  sync.Mutex // one change of profiles at a time
	settling   sync.Mutex // one change of settings and canned replies at a time
}

// New makes an API and reads what it keeps in memory. It starts nothing.
func New(d Deps) (*API, error) {
	if d.Ledger == nil || d.Tokens == nil || d.Access == nil || d.Clock == nil || d.Effects == nil || d.Dir == "" || len(d.Key) == 0 {
		return nil, errors.New("chatapi: Ledger, Tokens, Access, Clock, Effects, Dir and Key are needed")
	}
	d.defaults()
	a := &API{
		Deps: d, table: routes(), html: policy(), page: pageTemplate(), messenger: newMessenger(), profiles: map[int]Profile{},
		general: limit.New(d.Rates.General, limitedKeys, d.Clock),
		tokens:  limit.New(d.Rates.Token, limitedKeys, d.Clock),
		sends:   limit.New(d.Rates.Send, limitedKeys, d.Clock),
	}
	var err error
	if a.files, err = openFiles(d.Dir); err != nil {
		return nil, err
	}
	if err := a.loadProfiles(); err != nil {
		return nil, fmt.Errorf("chatapi: %w", err)
	}
	a.Effects.stir() // an earlier process may have left something
	return a, nil
}

func (d *Deps) defaults() {
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.Timer == nil {
		d.Timer = func(d time.Duration) (<-chan time.Time, func() bool) {
			t := time.NewTimer(d)
			return t.C, t.Stop
		}
	}
	if d.Scanner == nil {
		d.Scanner = passAll{}
	}
	if d.Secure == nil {
		d.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	all := DefaultRates()
	for _, r := range []struct{ to, from *limit.Rate }{
		{&d.Rates.General, &all.General}, {&d.Rates.Token, &all.Token}, {&d.Rates.Send, &all.Send},
	} {
		if *r.to == (limit.Rate{}) {
			*r.to = *r.from
		}
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
}

// policy is what of HTML may stay: text, links, pictures, lists and tables; nothing
// that runs, loads a page or looks like a form, and no names that a page showing it
// could take for its own.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowStandardURLs()
	p.AllowElements(
		"article", "aside", "section", "figure", "figcaption", "details", "summary", "h1", "h2", "h3", "h4", "h5", "h6",
		"br", "div", "hr", "p", "span", "wbr", "abbr", "cite", "code", "dfn", "em", "mark", "s", "samp", "strong", "sub", "sup", "var",
		"b", "i", "pre", "small", "strike", "tt", "u", "blockquote", "q", "del", "ins", "ruby", "rp", "rt", "kbd", "time",
	)
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("href").OnElements("a")
	p.AllowImages()
	p.AllowLists()
	p.AllowTables()
	p.RequireNoFollowOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
}

var _ Ledger = (*ledger.Ledger)(nil)
var _ Tokens = (*auth.Authenticator)(nil)
var _ Access = (*auth.Access)(nil)
var _ Events = (*outbox.Outbox)(nil)
