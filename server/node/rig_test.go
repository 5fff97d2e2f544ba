package node

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a running node with the demonstration branch, and somebody with a
// browser's cookies.
type world struct {
	t    *testing.T
	node *Node
	demo Demo
	http *http.Client
	stop func() error
}

func options(t *testing.T, data string) Options {
	return Options{
		Listen: "127.0.0.1:0", Data: data, Demo: true, MinFree: 64 << 20, MaxBody: 1 << 20, Drain: 3 * time.Second,
		VisitorTTL: time.Hour, Limits: session.DefaultLimits(), Clock: time.Now,
		Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel),
	}
}

func start(t *testing.T, o Options) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n, err := Build(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, node: n, http: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	stopped := false
	w.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		w.http.CloseIdleConnections()
		return <-ended
	}
	t.Cleanup(func() { _ = w.stop() })
	if o.Demo {
		if w.demo, err = readDemo(filepath.Join(o.Data, demoFile)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// exchange sends a request and reads all of the answer. An empty header takes away
// one that stands before it.
func (w *world) exchange(method, path string, body io.Reader, headers ...string) (*http.Response, []byte) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.node.URL()+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, answer
}

// ask sends a request of the console's kind and decodes the answer.
func (w *world) ask(method, path string, body any, headers ...string) (int, map[string]any) {
	w.t.Helper()
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		sent = bytes.NewReader(b)
	}
	resp, text := w.exchange(method, path, sent, append([]string{"X-Nowserving", "1"}, headers...)...)
	out := map[string]any{}
	if len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &out); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return resp.StatusCode, out
}

// fault is the code and field of an error answer.
func fault(out map[string]any) string {
	e, _ := out["error"].(map[string]any)
	code, _ := e["code"].(string)
	if field, _ := e["field"].(string); field != "" {
		return code + " " + field
	}
	return code
}

// ears is a client.Handler that tells what it hears.
type ears struct {
	heard chan string
	// places is set by who wants to hear of positions, which come when they will.
	places bool
}

func newEars() *ears { return &ears{heard: make(chan string, 100)} }

func (e *ears) Snapshot(ch string, _ wire.Position, _ json.RawMessage) { e.heard <- "snapshot " + ch }
func (e *ears) Push(p wire.Push) {
	if p.Type != "position" || e.places {
		e.heard <- p.Type + " " + string(p.Data)
	}
}
func (e *ears) Refused(ch string, err *wire.Error) {
	e.heard <- "refused " + ch + " " + string(err.Code)
}
func (e *ears) Status(client.Status) {}

func (e *ears) next(t *testing.T) string {
	t.Helper()
	select {
	case s := <-e.heard:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is heard")
		return ""
	}
}

func (w *world) dial(token string, h client.Handler) *client.Client {
	w.t.Helper()
	c, err := client.New(client.Config{
		URL: w.node.URL(), Token: client.Token(token), Handler: h, Now: time.Now, Random: func() float64 { return 0 },
		HTTPClient: w.http,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	w.t.Cleanup(func() { cancel(); <-done })
	return c
}
