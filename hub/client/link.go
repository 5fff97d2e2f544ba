package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// writeTimeout bounds one frame's way into the socket.
	writeTimeout = 10 * time.Second
	// deadAfter is after how many ping intervals without a frame a link counts
	// as dead, even though the socket claims to be open.
	deadAfter = 3
	// goodbyeTimeout bounds the closing handshake.
	goodbyeTimeout = time.Second
	// maxQueue bounds frames that wait for a socket that does not take them.
	maxQueue = 4096
)

var (
	errSilent = errors.New("the hub has been silent for three ping intervals")
	errStuck  = errors.New("the hub does not take what is sent")
)

// link is one socket from the answer to connect to its end. Run's goroutine
// owns it; a reader and a writer goroutine, which serve starts and waits for,
// touch only the socket and their channels.
type link struct {
	c        *Client
	conn     *websocket.Conn
	interval time.Duration
	// waiting holds what to do with the answer to each request.
	waiting map[int64]func(inbound) error
	lastID  int64
	queue   [][]byte
	// liveSince is when the link became live for the first time.
	liveSince time.Time
}

func newLink(c *Client, conn *websocket.Conn, hello wire.ConnectReply) *link {
	l := &link{
		c: c, conn: conn,
		interval: time.Duration(hello.Ping) * time.Second,
		waiting:  make(map[int64]func(inbound) error),
		lastID:   connectID,
	}
	now := c.cfg.Now()
	c.mu.Lock()
	c.linked, c.heard = true, now
	c.mu.Unlock()
	c.setStatus(func(s *Status) {
		skew := s.Skew
		if t, err := time.Parse(time.RFC3339, hello.Time); err == nil {
			skew = t.Sub(now)
		}
		*s = Status{State: CatchingUp, Since: s.Since, Session: hello.Session, Audience: hello.Audience, Skew: skew}
	})
	return l
}

// steady reports that the link was live for at least one ping interval.
func (l *link) steady() bool {
	return !l.liveSince.IsZero() && l.c.cfg.Now().Sub(l.liveSince) >= l.interval
}

// serve runs the link to its end and says why it ended.
func (l *link) serve(ctx context.Context) error {
	// Not ctx itself: its end is to close the socket in order, and cancelling a
	// read breaks the socket.
	io, cut := context.WithCancel(context.WithoutCancel(ctx))
	frames, ended, out := make(chan []byte), make(chan error, 1), make(chan []byte)
	var both sync.WaitGroup
	both.Go(func() { ended <- l.read(io, frames) })
	both.Go(func() { l.write(io, cut, out) })
	defer func() {
		cut()
		l.conn.CloseNow()
		both.Wait()
	}()
	return l.loop(ctx, cut, frames, ended, out)
}

func (l *link) loop(ctx context.Context, cut func(), frames <-chan []byte, ended <-chan error, out chan<- []byte) error {
	idle, dead := time.NewTimer(l.interval), time.NewTimer(deadAfter*l.interval)
	defer idle.Stop()
	defer dead.Stop()
	l.sync()
	for {
		if len(l.queue) > maxQueue {
			return errStuck
		}
		var send chan<- []byte // nil, and so never ready, with nothing to send
		var first []byte
		if len(l.queue) > 0 {
			send, first = out, l.queue[0]
		}
		select {
		case <-ctx.Done():
			stop := time.AfterFunc(goodbyeTimeout, cut)
			defer stop.Stop()
			l.conn.Close(websocket.StatusNormalClosure, "")
			return ctx.Err()
		case send <- first:
			l.queue = l.queue[1:]
			idle.Reset(l.interval)
		case frame := <-frames:
			dead.Reset(deadAfter * l.interval)
			if err := l.receive(frame); err != nil {
				return err
			}
		case err := <-ended:
			return fmt.Errorf("read: %w", err)
		case <-l.c.wake:
			l.sync()
		case <-idle.C:
			l.ask(wire.Request{Ping: &wire.Ping{}}, nil)
			idle.Reset(l.interval)
		case <-dead.C:
			return errSilent
		}
	}
}

func (l *link) read(ctx context.Context, frames chan<- []byte) error {
	for {
		kind, frame, err := l.conn.Read(ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageText {
			return fmt.Errorf("%w: a binary frame", errFrame)
		}
		select {
		case frames <- frame:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write sends until ctx ends. When sending fails it leaves the reader a moment
// to find the close code, which says why, and then ends the reader.
func (l *link) write(ctx context.Context, cut func(), out <-chan []byte) {
	for {
		select {
		case frame := <-out:
			if err := l.writeOne(ctx, frame); err != nil {
				time.AfterFunc(goodbyeTimeout, cut)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (l *link) writeOne(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, frame)
}

// ask queues a request; answer, unless nil, gets what the hub says to it.
func (l *link) ask(r wire.Request, answer func(inbound) error) int64 {
	l.lastID++
	r.ID = l.lastID
	frame, err := json.Marshal(r)
	if err != nil {
		return 0 // unreachable: params were checked in Do, the rest is ours
	}
	if answer != nil {
		l.waiting[r.ID] = answer
	}
	l.queue = append(l.queue, frame)
	return r.ID
}

// sync queues everything wanted that this link has not been asked for.
func (l *link) sync() {
	c := l.c
	c.mu.Lock()
	for _, channel := range c.leaving {
		// Subscribed anew meanwhile: that replaces the subscription by itself.
		if c.subs[channel] == nil {
			l.ask(wire.Request{Unsubscribe: &wire.Unsubscribe{Channel: channel}}, nil)
		}
	}
	c.leaving = nil
	for _, channel := range slices.Sorted(maps.Keys(c.subs)) {
		if sub := c.subs[channel]; !sub.asked && !sub.resting {
			l.subscribe(sub)
		}
	}
	for _, k := range c.calls {
		if !k.sent {
			k.sent = true
			l.ask(wire.Request{Command: &k.cmd}, func(in inbound) error { return l.answered(k, in) })
		}
	}
	for _, r := range c.oneWay {
		l.ask(r, nil)
	}
	c.oneWay = nil
	c.mu.Unlock()
	l.settle()
}

// subscribe asks for a channel. Client.mu is held.
func (l *link) subscribe(sub *subscription) {
	sub.asked, sub.answered = true, false
	r := wire.Subscribe{Channel: sub.channel}
	if sub.pos != nil {
		since := *sub.pos
		r.Since = &since
	}
	sub.request = l.ask(wire.Request{Subscribe: &r}, func(in inbound) error { return l.subscribed(sub.channel, in) })
}

// settle tells whether all that is wanted is current.
func (l *link) settle() {
	c := l.c
	want := Live
	c.mu.Lock()
	for _, sub := range c.subs {
		if !sub.current() {
			want = CatchingUp
		}
	}
	same := c.status.State == want
	c.mu.Unlock()
	if same {
		return
	}
	if want == Live && l.liveSince.IsZero() {
		l.liveSince = c.cfg.Now()
	}
	c.setStatus(func(s *Status) { s.State = want })
}
