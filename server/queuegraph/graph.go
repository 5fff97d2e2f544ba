package queuegraph

import (
	"context"
	_ "embed"
	"fmt"
	"iter"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	graphql "github.com/graph-gophers/graphql-go"
	"github.com/graph-gophers/graphql-go/log"
	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

//go:embed schema.graphql
var schemaText string

// The paths.
const (
	pathQuery  = "/graphql"
	pathSocket = "/graphql/subscription"
	pathKey    = "/graphql/connection-key"
)

// The bounds of one query. Introspection as tools send it is 15 levels deep and
// has about 100 selections.
const (
	maxQuery      = 32 << 10 // bytes
	maxDepth      = 20
	maxSelections = 2000
	answerWithin  = 10 * time.Second
)

// Deps is everything a Graph works with. Ledger, Records, Keys, Access and Clock
// are needed.
type Deps struct {
	Ledger Ledger
	// Records reads a journal: when users and locations came to be is only there.
	Records func(location int, from uint64) iter.Seq2[store.Record, error]
	Keys    Keys
	Access  Access
	Clock   func() time.Time
	Log     zerolog.Logger
	// Online says whether a screen is connected; nil means that none is.
	Online func(location, display int) bool
	// Demo reports whether a location is the demonstration's; nil means that none is.
	Demo func(location int) bool
	// Rate limits each key's queries, as on the REST form; zero is DefaultRate.
	Rate limit.Rate
}

// DefaultRate is what the API's description promises: 40 at once, 10 a second.
func DefaultRate() limit.Rate { return limit.Rate{PerSecond: 10, Burst: 40} }

// keyRate limits how many temporary keys are made of one key. After a restart a
// whole fleet of screens comes within a second, all with the same key.
func keyRate() limit.Rate { return limit.Rate{PerSecond: 50, Burst: 2000} }

const limitedKeys = 1 << 14 // bounds the memory of the rate limits

// Graph is the queue API's GraphQL: queries over HTTP, subscriptions on sockets.
type Graph struct {
	Deps
	schema *graphql.Schema
	births *births
	feed   feed
	asked  *limit.Buckets
	minted *limit.Buckets

	mu       sync.Mutex                      // protects the rest
	sockets  map[string]map[*socket]struct{} // by credential
	open     int
	draining bool
	ended    sync.WaitGroup // of sockets; adding is under mu, and not when draining
}

// New makes a Graph. An error means that the directory's journal is not readable.
func New(d Deps) (*Graph, error) {
	if d.Ledger == nil || d.Records == nil || d.Keys == nil || d.Access == nil || d.Clock == nil {
		panic("queuegraph: Ledger, Records, Keys, Access and Clock are needed")
	}
	if d.Rate == (limit.Rate{}) {
		d.Rate = DefaultRate()
	}
	g := &Graph{
		Deps: d, feed: feed{listeners: map[topic]map[*listener]struct{}{}}, sockets: map[string]map[*socket]struct{}{},
		asked: limit.New(d.Rate, limitedKeys, d.Clock), minted: limit.New(keyRate(), limitedKeys, d.Clock),
	}
	var err error
	if g.births, err = readBirths(d.Records); err != nil {
		return nil, err
	}
	g.schema, err = graphql.ParseSchema(schemaText, &root{g}, graphql.UseFieldResolvers(), graphql.DisableFieldSelections(),
		graphql.MaxQueryLength(maxQuery), graphql.MaxDepth(maxDepth), graphql.MaxSelections(maxSelections),
		graphql.SubscribeResolverTimeout(answerWithin), graphql.PanicHandler(panics{}), graphql.Logger(log.LoggerFunc(g.panicked)))
	if err != nil { // the schema and the resolvers are both ours
		return nil, fmt.Errorf("queuegraph: schema: %w", err)
	}
	return g, nil
}

func (g *Graph) panicked(_ context.Context, value any) {
	g.Log.Error().Interface("panic", value).Bytes("stack", debug.Stack()).Msg("GraphQL resolver panicked")
}

// Published takes a change from the ledger: it is an Options.Published.
func (g *Graph) Published(n ledger.Notice) {
	if n.Location == ledger.Directory {
		g.births.note(n.Event)
	}
	g.feed.publish(n)
}

// Owns reports whether a path is one of this API's.
func Owns(path string) bool { return path == pathQuery || strings.HasPrefix(path, pathQuery+"/") }

// IsSocket reports whether a path is the socket's: such a request lives on after
// its handler, so limits of time do not fit it.
func IsSocket(path string) bool { return strings.TrimSuffix(path, "/") == pathSocket }

// ServeHTTP answers every path of the API, with and without a slash at the end.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cors(w.Header())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return
	}
	route, ok := map[string]struct {
		method string
		serve  http.HandlerFunc
	}{
		pathQuery: {http.MethodPost, g.query}, pathKey: {http.MethodPost, g.connectionKey}, pathSocket: {http.MethodGet, g.upgrade},
	}[strings.TrimSuffix(r.URL.Path, "/")]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "there is nothing at this path", "")
	case r.Method != route.method:
		w.Header().Set("Allow", route.method)
		refuse(w, http.StatusMethodNotAllowed, "this path does not take this method", "")
	default:
		route.serve(w, r)
	}
}
