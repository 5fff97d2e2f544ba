package ops

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/wire"
)

// listener gives one end of a pipe to the server.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { close(l.done); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// serve runs handler in the bubble and calls use with one connection to it.
func serve(t *testing.T, handler http.Handler, use func(net.Conn)) {
	t.Helper()
	srv := NewHTTPServer(handler, zerolog.Nop())
	l := &listener{make(chan net.Conn), make(chan struct{})}
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Serve(l) }()
	client, server := net.Pipe()
	l.conns <- server
	use(client)
	_ = client.Close()
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	<-stopped
}

// Who sends a byte now and then must not keep a connection.
func TestSlowClientsAreCut(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			WriteError(w, r, wire.Errorf(wire.Unavailable, "too slow"))
		}
	})
	for name, c := range map[string]struct {
		begin string
		most  time.Duration
	}{
		"headers": {"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", headerTimeout},
		"body":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", bodyTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				serve(t, Limits(DefaultMaxBody, WriteError, time.Now, read), func(conn net.Conn) {
					start := time.Now()
					go func() { _, _ = io.Copy(io.Discard, conn) }()
					_, err := io.WriteString(conn, c.begin)
					for err == nil && time.Since(start) < time.Hour {
						time.Sleep(time.Second)
						_, err = io.WriteString(conn, "a")
					}
					if took := time.Since(start); took > c.most+10*time.Second || took < c.most-time.Second {
						t.Errorf("held for %v, want about %v", took, c.most)
					}
				})
			})
		})
	}
}

// A stream outlives the deadlines, also on a connection that has had them; an
// answer that nobody reads does not.
func TestStreamsOutliveDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streamed, stuck := make(chan error, 1), make(chan error, 1)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/stream":
				var err error
				for range 10 {
					time.Sleep(time.Minute)
					_, wrote := io.WriteString(w, ": still here\n\n")
					err = errors.Join(err, wrote, http.NewResponseController(w).Flush())
				}
				streamed <- err
			case "/stuck":
				var err error
				for err == nil {
					_, err = w.Write(make([]byte, 1<<16))
				}
				stuck <- err
			default:
				WriteJSON(w, 200, "ok")
			}
		})
		chain := Log(zerolog.Nop(), Proxies{}, time.Now, Recover(zerolog.Nop(), WriteError, func() {},
			NewMetrics().Door("hub", time.Now, Limits(DefaultMaxBody, WriteError, time.Now, h))))
		serve(t, chain, func(conn net.Conn) {
			br := bufio.NewReader(conn)
			ask := func(path, accept string) *http.Response {
				fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAccept: %s\r\n\r\n", path, accept)
				resp, err := http.ReadResponse(br, nil)
				if err != nil {
					t.Fatal(err)
				}
				return resp
			}
			_, _ = io.Copy(io.Discard, ask("/", "*/*").Body)
			text, err := io.ReadAll(ask("/stream", "text/event-stream").Body)
			if wrote := <-streamed; err != nil || wrote != nil || strings.Count(string(text), "still here") != 10 {
				t.Errorf("stream: %v, %v, %q", err, wrote, text)
			}
			start := time.Now()
			ask("/stuck", "*/*") // its body is never read
			select {
			case <-stuck:
			case <-time.After(time.Hour):
			}
			if took := time.Since(start); took < answerTimeout-time.Second || took > answerTimeout+2*time.Second {
				t.Errorf("an unread answer was held for %v", took)
			}
		})
	})
}

// Sockets must get through all the middleware.
func TestHijackThroughTheChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(10 * time.Minute) // no deadline of ours may be left on it
			_, err = io.WriteString(conn, "hello\n")
			if err != nil {
				t.Error(err)
			}
			_ = conn.Close()
		})
		var log bytes.Buffer
		chain := Log(logger(t, &log), Proxies{}, time.Now, Recover(zerolog.Nop(), WriteError, func() {},
			SecureHeaders(NewMetrics().Door("socket", time.Now, Limits(DefaultMaxBody, WriteError, time.Now, h)))))
		serve(t, chain, func(conn net.Conn) {
			fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\r\n")
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || line != "hello\n" {
				t.Errorf("%q, %v", line, err)
			}
		})
	})
}
