package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/client"
	"github.com/nowserving/nowserving/hub/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a hub whose end the test plays by calling the app's handler.
type scripted struct {
	mu       sync.Mutex // guards all below
	heard    time.Time
	receipts []wire.Receipt
	refetch  int
	end      chan error
}

func (s *scripted) Subscribe(string, *wire.Position) error { return nil }
func (s *scripted) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.end:
		return err
	}
}
func (s *scripted) Refetch(string)                        { s.mu.Lock(); s.refetch++; s.mu.Unlock() }
func (s *scripted) Position(string) (wire.Position, bool) { return wire.Position{Epoch: "k1"}, true }
func (s *scripted) LastFrame() time.Time                  { s.mu.Lock(); defer s.mu.Unlock(); return s.heard }
func (s *scripted) Receipt(r wire.Receipt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receipts = append(s.receipts, r)
	return true
}
func (s *scripted) hear() { s.mu.Lock(); s.heard = time.Now(); s.mu.Unlock() }

// screen is a running app over a scripted hub, with its JSON lines.
type screen struct {
	*testing.T
	hub   *scripted
	a     *app
	mu    sync.Mutex // guards text
	text  strings.Builder
	ended chan error
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// told is what was printed since the last call: type, and what is special.
func (s *screen) told() string {
	s.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for in := bufio.NewScanner(strings.NewReader(s.text.String())); in.Scan(); {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			s.Fatalf("%s: %v", in.Text(), err)
		}
		word := l.Type
		switch {
		case l.State != "":
			word = string(l.State)
		case l.Ticket != nil:
			word += " " + l.Ticket.PublicID + " desk " + l.Desk
		}
		if l.Late {
			word += " late"
		}
		out = append(out, word)
	}
	s.text.Reset()
	return strings.Join(out, ", ")
}

func (s *screen) saw(want string) {
	s.Helper()
	if got := s.told(); got != want {
		s.Fatalf("printed %q, want %q", got, want)
	}
}

func inBubble(t *testing.T, cfg config, test func(*screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{T: t, hub: &scripted{end: make(chan error, 1)}, ended: make(chan error, 1)}
		cfg.location = 1
		s.a = newApp(cfg, time.Now, func(string) *time.Location { return nil }, zerolog.Nop(), &jsonLines{s})
		s.a.client = s.hub
		ctx, cancel := context.WithCancel(t.Context())
		go func() { s.ended <- s.a.run(ctx, nil) }()
		synctest.Wait()
		test(s)
		cancel()
		<-s.ended
	})
}

func (s *screen) snapshot(serving string) {
	s.hub.hear()
	s.a.Snapshot("board:1", wire.Position{Epoch: "k1", Offset: 105},
		json.RawMessage(`{"desks":[{"id":3,"name":"Window 3"}],"serving":[`+serving+`]}`))
	s.a.Status(client.Status{State: client.Live})
	synctest.Wait() // what comes later is told later
}

func (s *screen) push(kind string, offset uint64, at time.Time, data string) {
	s.hub.hear()
	s.a.Push(wire.Push{Type: kind, Channel: "board:1", Offset: offset, Time: at, Data: json.RawMessage(data)})
}

const a42 = `{"key":"A-42.1","publicId":"A-42","status":"CALLED","desk":3,"calledAt":"2000-01-01T00:00:00.000Z"}`

func TestSilenceIsShown(t *testing.T) {
	inBubble(t, config{}, func(s *screen) {
		s.saw("reconnecting")
		s.snapshot("")
		s.saw("snapshot, live")
		time.Sleep(14 * time.Second)
		s.saw("")
		time.Sleep(time.Second + time.Millisecond) // the socket still claims to be open
		s.saw("stale")
		time.Sleep(44 * time.Second)
		s.saw("")
		time.Sleep(time.Second)
		s.saw("offline")

		// A new link alone does not make the board current again.
		s.hub.hear()
		s.a.Status(client.Status{State: client.Connecting, Since: time.Now().Add(-time.Minute)})
		s.a.Status(client.Status{State: client.CatchingUp, Since: time.Now().Add(-time.Minute)})
		time.Sleep(2 * time.Second)
		s.saw("")
		s.hub.hear()
		s.a.Status(client.Status{State: client.Live})
		s.saw("live")
	})
}

func TestLosingTheLinkCountsFromTheLastFrame(t *testing.T) {
	inBubble(t, config{}, func(s *screen) {
		s.snapshot("")
		s.saw("reconnecting, snapshot, live")
		time.Sleep(10 * time.Second)
		s.a.Status(client.Status{State: client.Connecting, Since: time.Now()})
		s.saw("reconnecting")
		time.Sleep(5*time.Second + time.Millisecond)
		s.saw("stale")
	})
}

func TestCallsAndReceipts(t *testing.T) {
	inBubble(t, config{}, func(s *screen) {
		s.snapshot("")
		s.push("ticket.called", 106, time.Now(), `{"ticket":`+a42+`}`)
		s.saw("reconnecting, snapshot, live, call A-42 desk Window 3")
		s.push("ticket.recalled", 107, time.Now(), `{"ticket":`+a42+`}`)
		s.push("ticket.recalled", 108, time.Now().Add(-31*time.Second), `{"ticket":`+a42+`}`)
		s.push("desk.changed", 109, time.Now(), `{"desk":{"id":3,"name":"3"}}`)
		s.push("signal", 0, time.Now(), `{}`)
		s.saw("recall A-42 desk Window 3, recall A-42 desk Window 3 late")
		var offsets []uint64
		for _, r := range s.hub.receipts {
			if !r.Painted || r.Spoken || r.Channel != "board:1" {
				s.Errorf("receipt %+v", r)
			}
			offsets = append(offsets, r.Offset)
		}
		if len(offsets) < 2 || offsets[len(offsets)-1] != 108 {
			s.Errorf("receipts for %v, want the last for 108", offsets)
		}
	})
}

func TestMissedCallsAreTold(t *testing.T) {
	inBubble(t, config{}, func(s *screen) {
		s.snapshot("")
		s.snapshot(a42) // called at the very start of the bubble's time
		s.saw("reconnecting, snapshot, live, snapshot, call A-42 desk Window 3")
		time.Sleep(time.Minute)
		s.snapshot("")
		s.snapshot(a42)
		s.told()
		s.snapshot("")
		s.told()
		s.snapshot(a42)
		s.saw("snapshot, call A-42 desk Window 3 late")
	})
}

func TestDeskSignHearsOnlyItsDesk(t *testing.T) {
	inBubble(t, config{desk: 4}, func(s *screen) {
		s.snapshot("")
		s.push("ticket.called", 106, time.Now(), `{"ticket":`+a42+`}`)
		s.push("ticket.called", 107, time.Now(), `{"ticket":`+strings.Replace(a42, `"desk":3`, `"desk":4`, 1)+`}`)
		s.saw("reconnecting, snapshot, live, call A-42 desk 4")
	})
}

func TestUnreadableData(t *testing.T) {
	inBubble(t, config{}, func(s *screen) {
		s.snapshot("")
		s.push("ticket.called", 106, time.Now(), `{"ticket":{"key":1}}`)
		s.saw("reconnecting, snapshot, live")
		if s.hub.refetch != 1 {
			s.Errorf("asked for %d snapshots, want 1", s.hub.refetch)
		}
		s.a.Snapshot("board:1", wire.Position{}, json.RawMessage(`[]`))
		s.a.Status(client.Status{State: client.Live}) // the link is fine, the board is not
		s.saw("reconnecting")
		s.snapshot("")
		s.saw("snapshot, live")
	})
}

func TestEnds(t *testing.T) {
	inBubble(t, config{}, func(s *screen) {
		s.a.Refused("board:1", wire.Errorf(wire.Forbidden, "another location"))
		err := <-s.ended
		s.ended <- err
		if wire.CodeOf(err) != wire.Forbidden {
			s.Errorf("ended with %v", err)
		}
	})
	inBubble(t, config{}, func(s *screen) {
		s.hub.end <- &client.FinalError{Code: wire.CloseRevoked}
		err := <-s.ended
		s.ended <- err
		var final *client.FinalError
		if !errors.As(err, &final) {
			s.Errorf("ended with %v", err)
		}
	})
	inBubble(t, config{}, func(s *screen) {
		s.a.out = &jsonLines{brokenPipe{}}
		s.snapshot("")
		err := <-s.ended
		s.ended <- err
		if !errors.Is(err, io.ErrClosedPipe) {
			s.Errorf("ended with %v", err)
		}
	})
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
