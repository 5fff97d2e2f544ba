package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/node"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

// TestMain lets the test binary be the server itself, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("SERVE_FOR_TEST") == "1" {
		os.Unsetenv("SERVE_FOR_TEST")
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// child is a server process.
type child struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// serve starts a server on an address and waits until it is ready.
func serve(t *testing.T, addr, data string) (*child, time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-demo", "-listen", addr, "-data", data, "-log-level", "warn",
		"-request-rate", "0", "-min-free", "64MiB")
	cmd.Env = append(os.Environ(), "SERVE_FOR_TEST=1")
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(c.done) }()
	t.Cleanup(func() { c.kill() })
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for {
		if resp, err := http.Get("http://" + addr + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return c, time.Since(began)
			}
		}
		select {
		case <-tick.C:
		case <-c.done:
			t.Fatal("the server ended by itself")
		case <-limit:
			t.Fatal("the server does not become ready")
		}
	}
}

func (c *child) kill() { _ = c.cmd.Process.Kill(); <-c.done }

// acks is what the server has acknowledged.
type acks struct {
	mu      sync.Mutex
	created map[string]bool
	called  map[string]bool
	offsets map[uint64]string
}

// worker creates and calls tickets until ctx ends, over every kill.
func (a *acks) worker(ctx context.Context, t *testing.T, c *client.Client, n int) {
	for i := 0; ctx.Err() == nil; i++ {
		create := wire.Command{Name: "ticket.create", Key: fmt.Sprintf("c-%d-%d", n, i), Params: json.RawMessage(`{"line":1,"firstName":"Load"}`)}
		id, ok := a.do(ctx, t, c, create)
		if !ok {
			continue
		}
		a.mu.Lock()
		if a.created[id] {
			t.Errorf("ticket %s was made twice", id)
		}
		a.created[id] = true
		a.mu.Unlock()
		call := wire.Command{Name: "ticket.call", Key: fmt.Sprintf("k-%d-%d", n, i), Params: json.RawMessage(`{"ticket":"` + id + `","keepActive":true}`)}
		if _, ok := a.do(ctx, t, c, call); ok {
			a.mu.Lock()
			a.called[id] = true
			a.mu.Unlock()
		}
	}
}

func (a *acks) do(ctx context.Context, t *testing.T, c *client.Client, cmd wire.Command) (string, bool) {
	reply, err := testkit.Ask(ctx, c, cmd, 50*time.Millisecond)
	if err != nil {
		if ctx.Err() == nil {
			t.Errorf("%s: %v", cmd.Key, err)
		}
		return "", false
	}
	var tk struct{ ID string }
	if err := json.Unmarshal(reply.Ticket, &tk); err != nil {
		t.Error(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if other := a.offsets[reply.Offset]; other != "" && other != cmd.Key {
		t.Errorf("offset %d was given to %s and to %s", reply.Offset, other, cmd.Key)
	}
	a.offsets[reply.Offset] = cmd.Key
	return tk.ID, true
}

// TestKilledTenTimes kills the server under load again and again. Whatever it
// had acknowledged is there, offsets have no hole, and a console that watched
// over all of it was never shown a gap.
func TestKilledTenTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	rounds, data, addr := 10, t.TempDir(), testkit.FreeAddr(t)
	server, _ := serve(t, addr, data)
	demo := testkit.ReadJSON[node.Demo](t, filepath.Join(data, "demo.json"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	a := &acks{created: map[string]bool{}, called: map[string]bool{}, offsets: map[uint64]string{}}
	watch := testkit.NewWatcher(t)
	connect := func(h client.Handler) *client.Client {
		c, err := client.New(client.Config{
			URL: demo.URL, Token: client.Token(demo.StaffToken), Handler: h, Now: time.Now, Random: func() float64 { return rand.Float64() / 20 },
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var clients, workers sync.WaitGroup
	watching := connect(watch)
	if err := watching.Subscribe("console:1", nil); err != nil {
		t.Fatal(err)
	}
	clients.Go(func() { _ = watching.Run(ctx) })
	load, stopLoad := context.WithCancel(ctx)
	for n := range 8 {
		c := connect(testkit.Quiet{})
		clients.Go(func() { _ = c.Run(ctx) })
		workers.Go(func() { a.worker(load, t, c, n) })
	}
	var slowest time.Duration
	for round := range rounds {
		enough := len(a.snapshot()) + 20 + rand.IntN(60) // so that every kill hits work
		testkit.Eventually(t, "the load gets on", time.Minute, func() bool { return len(a.snapshot()) >= enough })
		server.kill()
		var took time.Duration
		server, took = serve(t, addr, data)
		slowest = max(slowest, took)
		t.Logf("round %d: %d tickets acknowledged, ready again after %v", round, len(a.snapshot()), took)
	}
	stopLoad()
	workers.Wait()
	t.Logf("slowest start %v", slowest)
	check(t, demo.URL, demo.QueueAPIKey, a)
	testkit.Eventually(t, "the console is told of everything", time.Minute, func() bool { return watch.At() >= a.newest() })
	cancel()
	clients.Wait()
	server.kill()
	audit(t, data, a, watch)
}

func (a *acks) snapshot() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make(map[string]bool, len(a.created))
	for id := range a.created {
		out[id] = a.called[id]
	}
	return out
}

// newest is the highest offset that was acknowledged.
func (a *acks) newest() (offset uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for o := range a.offsets {
		offset = max(offset, o)
	}
	return offset
}

// check asks the running server for what it acknowledged.
func check(t *testing.T, url, key string, a *acks) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url+"/v1/tickets/search?location=1&limit=10000", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Qminder-REST-API-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var found struct {
		Data []struct{ ID, Status, PublicID string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&found); err != nil {
		t.Fatal(err)
	}
	status, numbers := map[string]string{}, map[string]string{}
	for _, tk := range found.Data {
		if other := numbers[tk.PublicID]; other != "" {
			t.Errorf("%s is the number of %s and of %s", tk.PublicID, other, tk.ID)
		}
		status[tk.ID], numbers[tk.PublicID] = tk.Status, tk.ID
	}
	for id, called := range a.snapshot() {
		if status[id] == "" || called && status[id] == "NEW" {
			t.Errorf("ticket %s (called %v) was acknowledged and is %q", id, called, status[id])
		}
	}
}

// audit opens the data folder and verifies the journal itself.
func audit(t *testing.T, data string, a *acks, watch *testkit.Watcher) {
	t.Helper()
	st, err := store.Open(store.Options{Dir: filepath.Join(data, "store"), Clock: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	var last uint64
	for r, err := range st.Records(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Offset != last+1 {
			t.Fatalf("offset %d follows %d", r.Offset, last)
		}
		last = r.Offset
	}
	for offset, key := range a.offsets {
		if offset > last {
			t.Errorf("offset %d of %s is not in the journal", offset, key)
		}
	}
	if watch.At() > last {
		t.Errorf("a console was shown offset %d, the journal ends at %d", watch.At(), last)
	}
	for id := range a.created {
		if strings.TrimSpace(watch.Saw(id)) == "" {
			t.Errorf("the console never saw ticket %s", id)
		}
	}
}
