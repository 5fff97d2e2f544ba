package testkit

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
)

// FreeAddr is an address that nobody listens on.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ReadJSON reads a file that another process wrote.
func ReadJSON[T any](t testing.TB, path string) (v T) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Eventually polls, across processes, until ok or a limit that only a defect
// reaches.
func Eventually(t testing.TB, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// Ask asks until there is an answer: a node that is away or has too much to do is
// asked again, with the same key. After ctx it gives ctx's error.
func Ask(ctx context.Context, c *client.Client, cmd wire.Command, pause time.Duration) (wire.CommandReply, error) {
	for ctx.Err() == nil {
		reply, err := c.Do(ctx, cmd)
		if code := wire.CodeOf(err); err == nil || ctx.Err() == nil && code != wire.RateLimited && code != wire.Unavailable {
			return reply, err
		}
		select {
		case <-time.After(pause): // a client's manners, not a wait for a condition
		case <-ctx.Done():
		}
	}
	return wire.CommandReply{}, ctx.Err()
}

// Quiet hears nothing.
type Quiet struct{}

// Snapshot implements client.Handler.
func (Quiet) Snapshot(string, wire.Position, json.RawMessage) {}

// Push implements client.Handler.
func (Quiet) Push(wire.Push) {}

// Refused implements client.Handler.
func (Quiet) Refused(string, *wire.Error) {}

// Status implements client.Handler.
func (Quiet) Status(client.Status) {}

var _ client.Handler = Quiet{}

// Serve hands every connection to an address to serve, one after the other, until
// stop, which the test's end calls too.
func Serve(t testing.TB, network, addr string, serve func(net.Conn)) (at string, stop func()) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	stop = sync.OnceFunc(func() {
		_ = l.Close()
		<-done
	})
	t.Cleanup(stop)
	return l.Addr().String(), stop
}
