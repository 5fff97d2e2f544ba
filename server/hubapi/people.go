package hubapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/julienschmidt/httprouter"
	"golang.org/x/sync/errgroup"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

// The documents of the doors for visitors. None holds anything personal but the
// identity ones, whose keys are hashes, and which go with the ticket's erasure.
const (
	siteDocs     = "visit.site"     // key: the site's key
	visitorsDocs = "visit.location" // key: the location's id
	scrubDocs    = "visit.scrub"    // key: an erased ticket whose links have to go
)

// identityDocs are the tickets of one verified person, linkDocs the other way.
func identityDocs(hash string) string   { return "visit.identity:" + hash }
func linkDocs(ticket string) string     { return "visit.link:" + ticket }
func visitName(t *ticket.Ticket) string { return orElse(t.Place.PublicID, "conversation") }

func orElse(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// Files are what the conversations keep beside the journal: uploads and contacts.
type Files interface {
	// LinkVisitor finds or makes the contacts of who begins a conversation, and
	// calls do with the documents to be written with it.
	LinkVisitor(department string, newcomers []ticket.Newcomer, do func(docs []store.Doc) error) error
	// PutTicketFile keeps an upload for a ticket of a department.
	PutTicketFile(ctx context.Context, department string, ticket int64, name string, content io.Reader) (chatapi.TicketFile, error)
	// TicketFile describes an upload of a ticket, or gives store.ErrNotFound.
	TicketFile(ticket int64, id string) (chatapi.TicketFile, error)
	// ServeTicketFile answers with an upload that has passed, or its small picture.
	ServeTicketFile(w http.ResponseWriter, r *http.Request, f chatapi.TicketFile, thumb bool)
}

// Rates limit what strangers may do. The zero value limits nothing.
type Rates struct {
	// TicketsAddr and TicketsSite bound new conversations of an address and of a
	// site; JoinAddr and JoinLocation the same for the remote sign-in page.
	TicketsAddr, TicketsSite, JoinAddr, JoinLocation limit.Rate
	// Kiosk bounds the tickets of one kiosk, Uploads and Calls what one ticket's
	// visitor does: files, and everything else.
	Kiosk, Uploads, Calls limit.Rate
	// Streams bounds the event streams that one address opens.
	Streams limit.Rate
}

// DefaultRates let a family, an office behind one address and a busy lobby through.
func DefaultRates() Rates {
	return Rates{
		TicketsAddr: limit.Rate{PerSecond: 0.1, Burst: 20}, TicketsSite: limit.Rate{PerSecond: 5, Burst: 300},
		JoinAddr: limit.Rate{PerSecond: 0.1, Burst: 20}, JoinLocation: limit.Rate{PerSecond: 2, Burst: 200},
		Kiosk: limit.Rate{PerSecond: 1, Burst: 30}, Uploads: limit.Rate{PerSecond: 0.2, Burst: 20},
		Calls: limit.Rate{PerSecond: 5, Burst: 60}, Streams: limit.Rate{PerSecond: 1, Burst: 60},
	}
}

// PeopleOptions make a People. Ledger, Auth, Clock and VisitorTTL are needed.
type PeopleOptions struct {
	Ledger *ledger.Ledger
	Auth   *auth.Authenticator
	Clock  func() time.Time
	Files  Files
	// Status is a user's chat status, "" when none was ever set; nil: nobody has one.
	Status func(user int) string
	// Present lists who is at a location now; nil: nobody.
	Present func(location int64) []hub.Member
	// VisitorTTL is how long a link to a ticket works.
	VisitorTTL time.Duration
	// PublicURL begins links; "": the address that the request came to.
	PublicURL string
	Rates     Rates
	// Effects is the ledger's, which was made before it; it wakes the scrubbing.
	Effects *VisitEffects
	// Report gets errors of what runs by itself.
	Report func(error)
}

// People is what the doors for visitors need: widget sites, visits, kiosks and the
// remote sign-in page.
type People struct {
	o PeopleOptions

	ticketsAddr, ticketsSite, joinAddr, joinLocation *limit.Buckets
	kiosk, uploads, calls, streams                   *limit.Buckets

	mu       sync.RWMutex // protects sites and visitors
	sites    map[string]*Site
	visitors map[int]Visitors
	writing  sync.Mutex // one change of settings at a time

	// persons makes finding a person's conversation and beginning one a single step.
	persons [64]sync.Mutex
	feeds   *feeds
	// uploading bounds the files that are held in memory at a time.
	uploading chan struct{}
}

// maxUploading is how many uploads are under way at a time.
const maxUploading = 24

// limitedKeys bounds the memory of each limit.
const limitedKeys = 1 << 16

// NewPeople reads the settings. It starts nothing.
func NewPeople(o PeopleOptions) (*People, error) {
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Status == nil {
		o.Status = func(int) string { return "" }
	}
	if o.Present == nil {
		o.Present = func(int64) []hub.Member { return nil }
	}
	p := &People{o: o, sites: map[string]*Site{}, visitors: map[int]Visitors{}, uploading: make(chan struct{}, maxUploading)}
	for _, b := range []struct {
		to   **limit.Buckets
		rate limit.Rate
	}{
		{&p.ticketsAddr, o.Rates.TicketsAddr}, {&p.ticketsSite, o.Rates.TicketsSite}, {&p.joinAddr, o.Rates.JoinAddr},
		{&p.joinLocation, o.Rates.JoinLocation}, {&p.kiosk, o.Rates.Kiosk}, {&p.uploads, o.Rates.Uploads},
		{&p.calls, o.Rates.Calls}, {&p.streams, o.Rates.Streams},
	} {
		*b.to = limit.New(b.rate, limitedKeys, o.Clock)
	}
	p.feeds = newFeeds(p.siteConfig)
	return p, p.load()
}

func (p *People) load() error {
	for d, err := range p.o.Ledger.Docs(siteDocs) {
		s := &Site{}
		if err == nil {
			err = json.Unmarshal(d.Value, s)
		}
		if err != nil {
			return fmt.Errorf("read widget sites: %w", err)
		}
		p.sites[d.Key] = s
	}
	for d, err := range p.o.Ledger.Docs(visitorsDocs) {
		var v Visitors
		id := 0
		if err == nil {
			_, err = fmt.Sscan(d.Key, &id)
		}
		if err == nil {
			err = json.Unmarshal(d.Value, &v)
		}
		if err != nil {
			return fmt.Errorf("read visitors' settings: %w", err)
		}
		p.visitors[id] = v
	}
	return nil
}

// Run tells widgets of changes and takes away what erasures leave, until ctx ends.
func (p *People) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { p.feeds.run(ctx); return nil })
	g.Go(func() error { p.scrubbing(ctx); return nil })
	return g.Wait()
}

// Drain ends the event streams; their clients come back.
func (p *People) Drain() { p.feeds.close() }

// registerPeople adds the routes of visitors and of who sets them up.
func (a *API) registerPeople(r *httprouter.Router) {
	if a.o.People == nil {
		return
	}
	r.GET("/hub/v1/widget/:key", a.widgetConfig)
	r.GET("/hub/v1/widget/:key/events", a.widgetEvents)
	r.POST("/hub/v1/widget/:key/tickets", a.widgetTicket)
	r.POST("/hub/v1/widget/:key/resume", a.widgetResume)
	r.GET("/hub/v1/visit", a.visit)
	r.GET("/hub/v1/visit/transactions", a.visitTransactions)
	r.POST("/hub/v1/visit/files", a.visitUpload)
	r.GET("/hub/v1/visit/files/:file", a.visitFile)
	r.POST("/hub/v1/visit/survey", a.visitSurvey)
	r.GET("/hub/v1/join/:location", a.joinConfig)
	r.POST("/hub/v1/join/:location/tickets", a.joinTicket)
	r.GET("/hub/v1/kiosk", a.kioskConfig)
	r.POST("/hub/v1/kiosk/tickets", a.kioskTicket)
	r.POST("/hub/v1/tickets/:id/link", a.ticketLink)
	r.POST("/hub/v1/tickets/:id/files", a.ticketUpload)
	r.GET("/hub/v1/tickets/:id/files/:file", a.ticketFile)
	r.GET("/hub/v1/tickets/:id/transactions", a.ticketTransactions)
	r.GET("/hub/v1/locations/:location/sites", a.sites)
	r.POST("/hub/v1/locations/:location/sites", a.createSite)
	r.PATCH("/hub/v1/sites/:key", a.editSite)
	r.DELETE("/hub/v1/sites/:key", a.deleteSite)
	r.GET("/hub/v1/locations/:location/visitors", a.visitorsSettings)
	r.PUT("/hub/v1/locations/:location/visitors", a.setVisitors)
}

// CORS lets pages of other sites call the doors that know no cookie: whoever calls
// them has a key or a token in hand, so there is nothing to be misused.
func CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !crossOrigin(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Retry-After, Content-Disposition")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-File-Name, Last-Event-ID, Cache-Control")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func crossOrigin(path string) bool {
	return path == "/sse" || path == "/hub/v1/visit" || strings.HasPrefix(path, "/hub/v1/visit/") || strings.HasPrefix(path, "/hub/v1/widget/")
}

// IsFileUpload reports whether a request brings a file of a conversation.
func IsFileUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/hub/v1/") && strings.HasSuffix(r.URL.Path, "/files")
}

// link is the address of a visitor's page, good for whoever sees this answer.
func (a *API) link(r *http.Request, token string) string {
	base := strings.TrimSuffix(a.o.People.o.PublicURL, "/")
	if base == "" {
		base = "http://" + r.Host
		if a.o.Secure != nil && a.o.Secure(r) {
			base = "https://" + r.Host
		}
	}
	return base + "/t/" + token
}

// pass counts a request of somebody against a limit.
func pass(b *limit.Buckets, key string) error {
	if v := b.Take(key); !v.OK {
		return &wire.Error{Code: wire.RateLimited, Message: "too many requests; please try again a little later", RetryAfter: v.Seconds()}
	}
	return nil
}

// minKey is how long the idempotency key of a stranger is at least: whoever guesses
// one gets the link to the ticket that it made.
const minKey = 16

// idempotency is a request's key, scoped by whom it came through; "" when it has none.
func idempotency(r *http.Request, scope string, least int) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return "", nil
	}
	if len(key) < least || len(key) > wire.MaxKey {
		return "", wire.FieldError("Idempotency-Key", "Idempotency-Key has %d to %d characters", least, wire.MaxKey)
	}
	return scope + "\x00" + key, nil
}

// entry is the way into a ticket that a visitor is given.
type entry struct {
	Token   string `json:"token"`
	Ticket  string `json:"ticket"`
	Expires string `json:"expires"`
	Resumed bool   `json:"resumed"`
}

// admit gives the link to a ticket. A request that comes again gets another link to
// the same ticket: the first one is kept nowhere.
func (p *People) admit(ctx context.Context, by string, t *ticket.Ticket) (entry, error) {
	gone := wire.Errorf(wire.NotFound, "this visit is not there any more")
	if t == nil || t.Erased {
		return entry{}, gone
	}
	token, info, err := p.o.Auth.IssueVisit(ctx, t.ID, visitName(t), p.o.VisitorTTL)
	if err != nil {
		return entry{}, err
	}
	// An erasure that came in between has not seen this link.
	if now, err := p.o.Ledger.Ticket(t.ID); err != nil || now.Erased {
		return entry{}, errors.Join(gone, p.o.Auth.Revoke(ctx, by, info.Grant))
	}
	return entry{Token: token, Ticket: ticketID(t.ID), Expires: wire.Time(info.Expires)}, nil
}

func ticketID(id int64) string { return fmt.Sprint(id) }

// randomGUID names what has no name of its own.
func randomGUID() string { return uuid.NewString() }

var _ Files = (*chatapi.API)(nil)
