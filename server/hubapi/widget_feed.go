package hubapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
)

const (
	// feedEvery is how often sites that somebody looks at are looked at: opening
	// hours, statuses and waits change without any event of their own.
	feedEvery = time.Second
	// commentEvery keeps proxies from cutting a quiet stream.
	commentEvery = 15 * time.Second
	// streamWrite is how long one write may take before the reader counts as gone.
	streamWrite = 10 * time.Second
	// maxStreams bounds the open event streams of the node, maxStreamsAddr those
	// of one address.
	maxStreams     = 5000
	maxStreamsAddr = 200
)

// feed is one stream's mailbox: it holds the newest state and nothing older.
type feed struct{ box chan []byte }

// feeds tells the widgets that look at a site of its changes. It asks once a
// second per site, however many look.
type feeds struct {
	config func(key string) (SiteConfig, bool)
	done   chan struct{}
	once   sync.Once

	mu    sync.Mutex // protects the rest
	sites map[string]map[*feed]struct{}
	last  map[string][]byte
	addrs map[string]int
	count int
}

func newFeeds(config func(string) (SiteConfig, bool)) *feeds {
	return &feeds{
		config: config, done: make(chan struct{}),
		sites: map[string]map[*feed]struct{}{}, last: map[string][]byte{}, addrs: map[string]int{},
	}
}

func (f *feeds) close() { f.once.Do(func() { close(f.done) }) }

// join opens a mailbox.
func (f *feeds) join(key, addr string) (*feed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count >= maxStreams || f.addrs[addr] >= maxStreamsAddr {
		return nil, &wire.Error{Code: wire.RateLimited, Message: "too many streams are open", RetryAfter: 30}
	}
	x := &feed{box: make(chan []byte, 1)}
	if f.sites[key] == nil {
		f.sites[key] = map[*feed]struct{}{}
	}
	f.sites[key][x] = struct{}{}
	f.addrs[addr]++
	f.count++
	return x, nil
}

func (f *feeds) leave(key, addr string, x *feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sites[key], x)
	if len(f.sites[key]) == 0 {
		delete(f.sites, key)
		delete(f.last, key)
	}
	if f.addrs[addr]--; f.addrs[addr] == 0 {
		delete(f.addrs, addr)
	}
	f.count--
}

// run looks at the sites until ctx ends.
func (f *feeds) run(ctx context.Context) {
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.look()
		case <-ctx.Done():
			return
		}
	}
}

// look tells the streams of every site that has changed.
func (f *feeds) look() {
	f.mu.Lock()
	keys := make([]string, 0, len(f.sites))
	for key := range f.sites {
		keys = append(keys, key)
	}
	f.mu.Unlock()
	for _, key := range keys {
		c, ok := f.config(key)
		var now []byte // nil: the site is gone, and so are its streams
		if ok {
			now, _ = json.Marshal(c) // texts, numbers and flags: it never fails
		}
		f.tell(key, now)
	}
}

func (f *feeds) tell(key string, now []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, known := f.last[key]
	f.last[key] = now
	if known && bytes.Equal(old, now) {
		return
	}
	for x := range f.sites[key] {
		select { // what was not read yet is out of date
		case <-x.box:
		default:
		}
		x.box <- now
	}
}

// widgetEvents is GET /hub/v1/widget/{key}/events.
func (a *API) widgetEvents(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	addr := limit.AddrKey(a.o.ClientIP(r))
	s, err := p.site(r, ps.ByName("key"))
	if err == nil {
		err = pass(p.streams, addr)
	}
	var x *feed
	if err == nil {
		x, err = p.feeds.join(s.Key, addr)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	defer p.feeds.leave(s.Key, addr, x)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // or nginx keeps events until it has 4 KiB
	first, _ := p.siteConfig(s.Key)
	out := &eventWriter{w: w, rc: http.NewResponseController(w), now: p.o.Clock}
	out.site(first)
	out.follow(r.Context(), p.feeds.done, x)
}

// eventWriter writes one stream.
type eventWriter struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	now    func() time.Time
	failed bool
}

func (e *eventWriter) write(text []byte) {
	// A connection that cannot take deadlines (in a test) goes without.
	_ = e.rc.SetWriteDeadline(e.now().Add(streamWrite))
	_, err := e.w.Write(text)
	e.failed = err != nil || e.rc.Flush() != nil
}

func (e *eventWriter) site(c SiteConfig) {
	c.Time = wire.Time(e.now())
	body, err := json.Marshal(c)
	if err != nil {
		e.failed = true
		return
	}
	e.write(append(append([]byte("event: site\ndata: "), body...), "\n\n"...))
}

func (e *eventWriter) follow(ctx context.Context, done <-chan struct{}, x *feed) {
	quiet := time.NewTicker(commentEvery)
	defer quiet.Stop()
	for !e.failed {
		select {
		case body := <-x.box:
			if body == nil {
				return
			}
			var c SiteConfig
			if json.Unmarshal(body, &c) != nil {
				return
			}
			e.site(c)
		case <-quiet.C:
			e.write([]byte(":\n\n"))
		case <-ctx.Done():
			return
		case <-done:
			return
		}
	}
}
