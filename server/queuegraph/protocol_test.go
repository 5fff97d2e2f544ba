package queuegraph

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// switchable is an access table that can be turned off.
type switchable struct {
	Access
	no atomic.Bool
}

func (s *switchable) Channel(id auth.Identity, ch wire.Channel) error {
	if s.no.Load() {
		return wire.Errorf(wire.Forbidden, "not any more")
	}
	return s.Access.Channel(id, ch)
}

// TestFrames says frame by frame what is answered; every case ends with a ping, so
// that it shows that nothing else was.
func TestFrames(t *testing.T) {
	const created = "subscription { createdTickets(locationId: 1) { id } }"
	long := strings.Repeat("9", maxID+1)
	for name, c := range map[string]struct {
		send []string
		want []string
	}{
		"init":              {[]string{`{"type":"connection_init","payload":null}`}, []string{`{"type":"connection_ack"}`}},
		"init, twice":       {[]string{`{"type":"connection_init"}`, `{"type":"connection_init"}`}, []string{`{"type":"connection_ack"}`, `{"type":"connection_ack"}`}},
		"unknown type":      {[]string{`{"type":"nonsense"}`, `{}`}, nil},
		"stray pong":        {[]string{`{"type":"pong"}`}, nil},
		"not JSON":          {[]string{`{"type":`, `[]`, `7`, `"x"`, ``, `null`, "\x00"}, nil},
		"stop, unknown":     {[]string{`{"id":"9","type":"stop","payload":null}`, `{"type":"stop"}`}, nil},
		"start, stop":       {[]string{startFrame("1", created), `{"id":"1","type":"stop","payload":null}`}, nil},
		"number for id":     {[]string{`{"id":1,"type":"start","payload":{"query":"subscription { createdTickets(locationId: 1) { id } }"}}`}, nil},
		"id too long":       {[]string{startFrame(long, created)}, nil},
		"id of wrong type":  {[]string{`{"id":"a\ud800","type":"stop"}`, `{"id":{},"type":"stop"}`}, nil},
		"query on a socket": {[]string{startFrame("1", "{ me { id } }")}, []string{`{"id":"1","type":"data","payload":{"data":{"me":{"id":"1"}}}}`, `{"id":"1","type":"complete"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := r.dial(r.admin)
			for _, f := range c.send {
				p.send(f)
			}
			p.want(c.want...)
			p.sync()
		})
	}
}

func TestStartWithoutQuery(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	for _, f := range []string{`{"id":"1","type":"start"}`, `{"id":"1","type":"start","payload":{}}`, `{"id":"1","type":"start","payload":[]}`, `{"type":"start","payload":{"query":"x"}}`} {
		p.send(f)
		if got := p.next(); strings.Count(got, `"errorType":"BAD_REQUEST"`) != 2 {
			t.Errorf("%s: %s", f, got)
		}
	}
}

// TestErrorFrame is the form of an error, which clients of two ages read.
func TestErrorFrame(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.send(startFrame("5", "subscription { createdTickets(locationId: 77) { id } }"))
	const err = `[{"message":"Location with id 77 not found","locations":[],"errorType":"NOT_FOUND","path":[],"extensions":{}}]`
	p.want(`{"id":"5","type":"error","payload":{"data":null,"errors":` + err + `},"errors":` + err + `}`)
}

// TestReplace: a second start for a live id replaces the first, without losing
// or doubling anything.
func TestReplace(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	const n = 50
	for i := range n {
		p.send(startFrame("1", about("createdTickets", "id")))
		if i%10 == 0 {
			r.create("Ida") // while starts are under way, once they have begun
		}
		if i == 0 {
			p.send(`{"type":"ping"}`)
		}
	}
	p.send(`{"type":"ping"}`)
	for pongs := 0; pongs < 2; {
		if p.next() == `{"type":"pong"}` {
			pongs++
		}
	}
	before := r.create("Ida") // one subscription is left of them all
	var got []string
	for f := p.next(); ; f = p.next() {
		if got = append(got, f); strings.Contains(f, fmt.Sprintf(`"%d"`, before)) {
			break
		}
	}
	if len(got) > 6 {
		t.Errorf("%d frames for at most 6 changes: %v", len(got), got)
	}
	p.sync()
	r.graph.feed.mu.RLock()
	defer r.graph.feed.mu.RUnlock()
	if n := len(r.graph.feed.listeners[topic{"createdTickets", 1}]); n != 1 {
		t.Errorf("%d listeners for one subscription", n)
	}
}

// TestReplacedByNonsense: what replaces a subscription and fails leaves none.
func TestReplacedByNonsense(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.start("1", about("createdTickets", "id"))
	p.send(startFrame("1", "subscription { createdTickets(locationId: 99) { id } }"))
	if f := p.next(); !strings.Contains(f, "NOT_FOUND") {
		t.Fatal(f)
	}
	r.create("Ida")
	p.sync()
}

func TestStopEnds(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.start("1", about("createdTickets", "id"))
	p.start("2", about("createdTickets", "firstName"))
	p.send(`{"id":"1","type":"stop","payload":null}`)
	p.sync()
	r.create("Ida")
	p.want(`{"id":"2","type":"data","payload":{"data":{"createdTickets":{"firstName":"Ida"}}}}`)
	p.sync()
}

func TestTooManySubscriptions(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	for i := range maxSubs {
		p.send(startFrame(fmt.Sprint(i), about("createdTickets", "id")))
	}
	p.sync()
	p.send(startFrame("one more", about("createdTickets", "id")))
	if f := p.next(); !strings.Contains(f, "too many subscriptions") || strings.Contains(f, "errorType") {
		t.Errorf("want an error that is tried again: %s", f)
	}
	p.send(startFrame("0", about("createdTickets", "id"))) // replaces, so it fits
	p.send(`{"id":"1","type":"stop"}`)
	p.send(startFrame("one more", about("createdTickets", "id")))
	p.sync()
}

func TestFrameTooLarge(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.send(`{"type":"ping","x":"` + strings.Repeat("x", maxFrame-len(`{"type":"ping","x":""}`)) + `"}`)
	p.want(`{"type":"pong"}`)
	p.send(strings.Repeat("x", maxFrame+1))
	if c := p.closed(); c != websocket.StatusMessageTooBig {
		t.Errorf("closed with %d", c)
	}
}

// TestRevoked: both a key's own socket and one that came with a temporary key end
// with it, even when the temporary one has run out long ago.
func TestRevoked(t *testing.T) {
	r := newRig(t)
	_, _, body := r.post(pathKey, r.clerk, "")
	temporary := strings.TrimSuffix(strings.TrimPrefix(body, `{"statusCode":200,"key":"`), `"}`)
	own, lent, other := r.dial(r.clerk), r.dial(temporary), r.dial(r.admin)
	lent.start("1", about("createdTickets", "id"))
	r.clock.Add(25 * time.Hour)
	r.check(r.auth.Maintain(context.Background())) // forgets the temporary key
	r.graph.Recheck(r.grants[r.clerk])             // as every 30 s
	lent.sync()
	id := r.create("Ida")
	lent.want(fmt.Sprintf(`{"id":"1","type":"data","payload":{"data":{"createdTickets":{"id":"%d"}}}}`, id))
	r.check(r.auth.Revoke(context.Background(), "test", r.grants[r.clerk]))
	for _, p := range []*peer{own, lent} {
		if c := p.closed(); c != websocket.StatusPolicyViolation {
			t.Errorf("closed with %d", c)
		}
	}
	other.sync()
}

func TestDrain(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.start("1", about("createdTickets", "id"))
	ended := make(chan error, 1)
	go func() { ended <- r.graph.Drain(context.Background()) }()
	if c := p.closed(); c != websocket.StatusGoingAway {
		t.Errorf("closed with %d: 1000 would end a client for good", c)
	}
	r.check(<-ended)
	_, resp, err := websocket.Dial(context.Background(), r.url+pathSocket+"?"+keyParam+"="+r.admin, nil)
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a draining node answered %v, %v", resp, err)
	}
	if n := r.graph.Sockets(); n != 0 {
		t.Errorf("%d sockets left", n)
	}
	r.create("Ida") // nobody is told, nothing breaks
}

// TestSlowSocket: a client that does not read never delays the ledger, and is
// closed to read again.
func TestSlowSocket(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.start("1", about("tvTickets", "id firstName line { location { lines { id name translations { name } } users { id email firstName lastName } } }"))
	id := r.create("Ida")
	name := strings.Repeat("x", 50)
	for i := range 20_000 {
		r.must(1, ticket.Edit{Ref: ref(id), FirstName: ticket.Some(fmt.Sprint(name[:40], i))})
		if i%100 == 0 && r.graph.Sockets() == 0 {
			break
		}
		select {
		case <-r.only().done:
			if c := p.closed(); c != websocket.StatusTryAgainLater && c != -1 {
				t.Errorf("closed with %d", c)
			}
			return
		default:
		}
	}
	t.Error("a client that reads nothing was kept")
}

// only is the one socket there is; a closed one when there is none.
func (r *rig) only() *socket {
	r.graph.mu.Lock()
	defer r.graph.mu.Unlock()
	for _, same := range r.graph.sockets {
		for s := range same {
			return s
		}
	}
	gone := &socket{done: make(chan struct{})}
	close(gone.done)
	return gone
}

// TestSlowIsToldSo is the code that a socket ends with when it is too far behind.
func TestSlowIsToldSo(t *testing.T) {
	r := newRig(t)
	p := r.dial(r.admin)
	p.sync()
	s := r.only()
	// As if the writer were stuck. It is not, and may be at its loop's end: so
	// there is far more than it can take before the push.
	s.mu.Lock()
	s.queue = append(s.queue, make([][]byte, 100*maxQueued)...)
	s.mu.Unlock()
	s.push([]byte("{}"))
	if c := p.closed(); c != websocket.StatusTryAgainLater {
		t.Errorf("closed with %d", c)
	}
}

func TestHandshake(t *testing.T) {
	r := newRig(t)
	dial := func(query string, header http.Header) (int, error) {
		ws, resp, err := websocket.Dial(context.Background(), r.url+pathSocket+query, &websocket.DialOptions{HTTPHeader: header})
		if err == nil {
			_ = ws.CloseNow()
		}
		return resp.StatusCode, err
	}
	for _, c := range []struct {
		query  string
		header http.Header
		want   int
	}{
		{"", nil, http.StatusUnauthorized},
		{"?rest-api-key=wrong", nil, http.StatusForbidden},
		{"?rest-api-key=" + r.admin, nil, http.StatusSwitchingProtocols},
		{"/?rest-api-key=" + r.admin, nil, http.StatusSwitchingProtocols},
		{"", http.Header{keyHeader: {r.admin}}, http.StatusSwitchingProtocols},
		{"?rest-api-key=" + r.admin, http.Header{"Origin": {"https://elsewhere.example"}}, http.StatusSwitchingProtocols},
	} {
		if got, err := dial(c.query, c.header); got != c.want {
			t.Errorf("%s %v: %d, want %d (%v)", strings.Split(c.query, "=")[0], c.header["Origin"], got, c.want, err)
		}
	}
}
