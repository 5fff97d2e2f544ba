package session

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// listener is a client of an event stream.
type listener struct {
	conn net.Conn
	resp *http.Response
	mu   sync.Mutex
	text string
	done bool
}

func (w *world) listen(query, header string) *listener {
	client, server := net.Pipe()
	w.dial <- server
	go fmt.Fprintf(client, "GET /sse?%s HTTP/1.1\r\nHost: hub\r\n%s\r\n", query, header)
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	l := &listener{conn: client, resp: resp}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(buf)
			l.mu.Lock()
			l.text += string(buf[:n])
			l.done = err != nil
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

// take returns what came since it was last called.
func (l *listener) take() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.text
	l.text = ""
	return s
}

const bearer = "Authorization: Bearer display\r\n"

func TestEventStream(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		l := w.listen("channel=board:1", bearer)
		if l.resp.StatusCode != 200 || l.resp.Header.Get("Content-Type") != "text/event-stream" || l.resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", l.resp.StatusCode, l.resp.Header)
		}
		want := "event: snapshot\nid: e1/5\ndata: " +
			`{"channel":"board:1","epoch":"e1","offset":5,"recovered":false,"snapshot":{"n":5}}` + "\n\n"
		if got := l.take(); got != want {
			t.Errorf("got %q", got)
		}
		w.publish(6, "{\n\"n\":6}")
		want = `id: e1/6` + "\n" + `data: {"push":"ticket.called","channel":"board:1","offset":6,"prev":5,"time":"` +
			wire.Time(time.Now()) + `","data":{ "n":6}}` + "\n\n"
		if got := l.take(); got != want {
			t.Errorf("got %q", got)
		}
		w.hub.Emit(wire.Channel{Kind: wire.BoardChannel, ID: 1}, "signal", nil, nil)
		if got := l.take(); strings.Contains(got, "id:") || !strings.HasPrefix(got, `data: {"push":"signal"`) {
			t.Errorf("got %q", got)
		}
		time.Sleep(16 * time.Second)
		if got := l.take(); got != ":\n\n:\n\n:\n\n" {
			t.Errorf("in 16 seconds: %q", got)
		}
		time.Sleep(time.Hour)
		if n := strings.Count(l.take(), ":\n\n"); n < 600 {
			t.Errorf("%d comments in an hour", n)
		}

		back := w.listen("channel=board:1", bearer+"Last-Event-ID: e1/5\r\n")
		if got := back.take(); !strings.HasPrefix(got, "event: snapshot") { // older than the history
			t.Errorf("got %q", got)
		}
		w.publish(7, "{}")
		synctest.Wait()
		back = w.listen("channel=board:1", bearer+"Last-Event-ID: e1/6\r\n")
		if got := back.take(); !strings.HasPrefix(got, ":\n\nid: e1/7\n") || strings.Contains(got, "snapshot") {
			t.Errorf("got %q", got)
		}
		for _, id := range []string{"e1", "e1/x", "/7", "e0/7", "e1/-1", "e1/99"} {
			other := w.listen("channel=board:1", bearer+"Last-Event-ID: "+id+"\r\n")
			if got := other.take(); !strings.HasPrefix(got, "event: snapshot\n") {
				t.Errorf("%s: got %q", id, got)
			}
			_ = other.conn.Close()
			synctest.Wait()
		}
		if n := w.srv.Revoke("display:2"); n != 3 {
			t.Errorf("%d streams", n)
		}
		if got := l.take(); !strings.HasSuffix(got, "event: close\ndata: {\"code\":4200}\n\n") || !l.done {
			t.Errorf("got %q, ended %v", got, l.done)
		}
	})
}

func TestEventStreamRefusals(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for _, c := range []struct {
			query, header string
			status        int
		}{
			{"channel=board:1", "", 401},
			{"channel=board:1", "Authorization: Bearer foreign\r\n", 401},
			{"channel=board:1&token=display", "", 401},
			{"channel=room:1", bearer, 400},
			{"", bearer, 400},
			{"channel=ticket:404", bearer, 404},
			{"channel=ticket:18", "Authorization: Bearer visitor\r\n", 403},
			{"channel=board:1", "Cookie: session=staff\r\nOrigin: http://evil\r\n", 403},
			{"channel=board:1", "Cookie: session=staff\r\nSec-Fetch-Site: cross-site\r\n", 403},
			{"channel=board:1", "Cookie: session=staff\r\nSec-Fetch-Site: same-origin\r\n", 200},
			{"channel=board:1", bearer + "Origin: http://evil\r\n", 200},
		} {
			l := w.listen(c.query, c.header)
			if l.resp.StatusCode != c.status {
				t.Errorf("%s %q: %d, want %d", c.query, c.header, l.resp.StatusCode, c.status)
			}
			if got := l.take(); c.status != 200 && !strings.HasPrefix(got, `{"error":{"code":"`) {
				t.Errorf("%s: %q", c.query, got)
			}
			_ = l.conn.Close()
			synctest.Wait()
		}
		for range 5 {
			w.listen("channel=board:1", bearer)
		}
		l := w.listen("channel=board:1", bearer)
		if l.resp.StatusCode != 429 || l.resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%d %v", l.resp.StatusCode, l.resp.Header)
		}
		_ = l.conn.Close()
	})
}

func TestEventStreamEnds(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		gone := w.listen("channel=board:1", bearer)
		w.gate.began = time.Now()
		short := w.listen("channel=ticket:18", "Authorization: Bearer short\r\n")
		synctest.Wait()
		_ = gone.conn.Close()
		synctest.Wait()
		if n := w.srv.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions", n)
		}
		time.Sleep(91 * time.Second)
		if got := short.take(); !strings.Contains(got, `{"code":4003}`) || !short.done {
			t.Errorf("got %q", got)
		}
		drained := w.listen("channel=board:1", bearer)
		synctest.Wait()
		if err := w.srv.Drain(context.Background(), 0); err != nil {
			t.Error(err)
		}
		if got := drained.take(); !strings.Contains(got, `{"code":4000}`) {
			t.Errorf("got %q", got)
		}
		if l := w.listen("channel=board:1", bearer); l.resp.StatusCode != 503 {
			t.Errorf("status %d", l.resp.StatusCode)
		}
	})
}

// Frames may come cut anywhere; the events are the same.
func TestStreamTransportIsFrameAligned(t *testing.T) {
	for size, steps := range map[int][]int{130: {1, 2, 3, 7, 50}, 70000: {1000, 16384}} {
		var in []byte
		in = append(in, wire.NewFrame([]byte(`{"id":1,"reply":{"channel":"board:1","epoch":"e1","offset":5,"recovered":false,"snapshot":"`+
			strings.Repeat("x", size)+`"}}`)).Ready()...)
		for i := 6; i < 20; i++ {
			p := wire.Push{Type: "line.changed", Channel: "board:1", Offset: uint64(i), Data: []byte(`"` + strings.Repeat("y", i*20) + `"`)}
			in = append(in, wire.NewFrame(p.AppendJSON(nil)).Ready()...)
		}
		want := eventsOf(t, in, len(in))
		if strings.Count(want, "\n\n") != 15 || !strings.Contains(want, "\nid: e1/19\n") {
			t.Fatal(want)
		}
		for _, step := range steps {
			if eventsOf(t, in, step) != want {
				t.Errorf("in steps of %d the events differ", step)
			}
		}
	}
}

func eventsOf(t *testing.T, in []byte, step int) string {
	rec := &recorder{header: http.Header{}}
	tr := newStreamTransport(rec, time.Second, time.Now)
	for len(in) > 0 {
		n := min(step, len(in))
		if k, err := tr.Write(in[:n]); k != n || err != nil {
			t.Fatal(k, err)
		}
		in = in[n:]
	}
	return rec.String()
}

type recorder struct {
	strings.Builder
	header http.Header
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}
func (r *recorder) Flush()              {}
