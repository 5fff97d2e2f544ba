package client

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestDecodeRefuses(t *testing.T) {
	for _, frame := range []string{
		``, `[]`, `{}`, `{"id":1}`, `{"id":-1,"reply":{}}`, `{"id":1,"reply":{},"error":{"code":"conflict"}}`,
		`{"id":1,"error":{}}`, `{"id":"1","reply":{}}`, `{"reply":{}}`,
		`{"push":"Ticket","channel":"board:1"}`, `{"push":"a","channel":"board:01"}`,
		`{"push":"a","channel":"board:1","offset":5,"prev":5}`, `{"push":"a","channel":"board:1","offset":-5}`,
		`{"push":"a","channel":"board:1","time":"yesterday"}`,
	} {
		if in, err := decode([]byte(frame)); !errors.Is(err, errFrame) {
			t.Errorf("%s: %+v, %v", frame, in, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":1,"reply":{"session":"s-81","audience":"display","ping":5,"time":"2026-11-21T10:42:05.120Z"}}`))
	f.Add([]byte(`{"id":4,"error":{"code":"conflict","message":"A-42 was already called to desk 2"}}`))
	f.Add([]byte(`{"push":"ticket.called","channel":"board:1","offset":106,"prev":105,"time":"2026-11-21T10:42:05.120Z","data":{"ticket":{}}}`))
	f.Add([]byte(`{"push":"signal","channel":"ticket:17","time":"2026-11-21T10:42:05.120Z","data":{"name":"typing"}}`))
	f.Add([]byte(`{"push":"a","channel":"board:1","time":"0000-01-01T00:00:00+23:59"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		in, err := decode(frame)
		if err != nil {
			return
		}
		if in.Push == nil {
			if (in.Reply == nil) == (in.Error == nil) || in.ID < 0 {
				t.Fatalf("%s: %+v", frame, in)
			}
			return
		}
		// What was taken can be written and read again, and means the same.
		again, err := decode(in.Push.AppendJSON(nil))
		if err != nil {
			t.Fatalf("%s: written again as %s: %v", frame, in.Push.AppendJSON(nil), err)
		}
		a, b := *in.Push, *again.Push
		if a.Type != b.Type || a.Channel != b.Channel || a.Offset != b.Offset || a.Prev != b.Prev {
			t.Fatalf("%s: %+v became %+v", frame, a, b)
		}
		if !a.Time.UTC().Truncate(time.Millisecond).Equal(b.Time) {
			t.Fatalf("%s: time %v became %v", frame, a.Time, b.Time)
		}
		if len(a.Data) > 0 && !bytes.Equal(a.Data, b.Data) {
			t.Fatalf("%s: data %s became %s", frame, a.Data, b.Data)
		}
	})
}

func TestBackoffIsFullJitter(t *testing.T) {
	for failures, limit := range []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second,
		8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second,
	} {
		for random, want := range map[float64]time.Duration{0: 0, 0.25: limit / 4, 1: limit, 7: limit, -1: 0} {
			if got := backoff(failures, random); got != want {
				t.Errorf("backoff(%d, %v) = %v, want %v", failures, random, got, want)
			}
		}
	}
	if got := backoff(math.MaxInt, 1); got != backoffCap {
		t.Errorf("backoff after endless failures is %v", got)
	}
	if got := backoff(1, math.NaN()); got != 0 {
		t.Errorf("backoff with NaN is %v", got)
	}
	if got := advice(math.MaxInt); got != longestAdvice {
		t.Errorf("advice is %v", got)
	}
}

func closed(code websocket.StatusCode) error {
	return fmt.Errorf("read: %w", websocket.CloseError{Code: code})
}

func TestFailuresAreForgottenOnlyAfterAGoodLink(t *testing.T) {
	for _, c := range []struct {
		name   string
		v      verdict
		steady bool
		want   time.Duration // after three failures, with random 1
	}{
		{"a good link broke", verdict{}, true, 500 * time.Millisecond},
		{"a short link broke", verdict{}, false, 4 * time.Second},
		{"rate limited after a good link", judge(closed(4004)), true, 4 * time.Second},
		{"the node stops", judge(closed(4000)), false, drainSpread},
		{"the hub asks for more", verdict{failed: true, atLeast: time.Minute}, false, 64 * time.Second},
	} {
		client := &Client{cfg: Config{Random: func() float64 { return 1 }}, failures: 3}
		if got := client.nextWait(c.v, c.steady); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestDecodeGolden reads one example of every frame that a hub sends.
func TestDecodeGolden(t *testing.T) {
	files, err := filepath.Glob("../wire/testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		kind, _, _ := strings.Cut(filepath.Base(file), "-")
		if kind != "push" && kind != "reply" && kind != "error" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, err := decode(text)
		if err != nil || (kind == "push") != (in.Push != nil) || (kind == "error") != (in.Error != nil) || (kind == "reply") != (in.Reply != nil) {
			t.Errorf("%s: %+v, %v", file, in, err)
		}
		read++
	}
	if read < 20 {
		t.Errorf("only %d frames found", read)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want verdict
	}{
		{"a broken link", errors.New("EOF"), verdict{code: math.MaxUint16}},
		{"no token", &connectError{wire.Errorf(wire.Unauthenticated, "")}, verdict{final: true, code: wire.CloseBadToken}},
		{"not allowed", &connectError{wire.Errorf(wire.Forbidden, "")}, verdict{final: true, code: wire.CloseBadToken}},
		{"draining", &connectError{&wire.Error{Code: wire.Unavailable, RetryAfter: 2}}, verdict{failed: true, atLeast: 2 * time.Second}},
		{"their defect", &connectError{wire.Errorf(wire.Internal, "")}, verdict{failed: true}},
		{"a frame", errFrame, verdict{failed: true, fresh: true}},
		{"the handshake", &handshakeError{status: 401}, verdict{failed: true}},
		{"4000", closed(4000), verdict{code: 4000, within: drainSpread}},
		{"4001", closed(4001), verdict{code: 4001}},
		{"4002", closed(4002), verdict{code: 4002}},
		{"4003", closed(4003), verdict{code: 4003}},
		{"4004", closed(4004), verdict{code: 4004, failed: true}},
		{"4005", closed(4005), verdict{code: 4005, failed: true}},
		{"4100", closed(4100), verdict{code: 4100, fresh: true}},
		{"4200", closed(4200), verdict{code: 4200, final: true}},
		{"4201", closed(4201), verdict{code: 4201, final: true}},
		{"4202", closed(4202), verdict{code: 4202, final: true}},
		{"4203", closed(4203), verdict{code: 4203, final: true}},
		{"4300", closed(4300), verdict{code: 4300}},
		{"1009", closed(1009), verdict{code: 1009}},
	} {
		got := judge(c.err)
		if c.want.code == math.MaxUint16 {
			c.want.code = -1 // no close frame was seen
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
