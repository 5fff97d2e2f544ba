package client

import (
	"context"
	"errors"
	"time"
)

// Run keeps the client connected until ctx ends, whose error it returns, or
// the hub does not want it back, which is a *FinalError. It runs once.
func (c *Client) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.started {
		c.mu.Unlock()
		return errors.New("client: Run was called twice")
	}
	c.started = true
	c.mu.Unlock()
	err := c.keep(ctx)
	c.stop(err)
	return err
}

func (c *Client) keep(ctx context.Context) error {
	for {
		steady, err := c.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		v := judge(err)
		if v.final {
			return &FinalError{Code: v.code, Err: err}
		}
		wait := c.nextWait(v, steady)
		c.disconnected(v, err, wait)
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// once makes one link and serves it to its end. steady says that it was good
// for long enough to forget the failures before it.
func (c *Client) once(ctx context.Context) (steady bool, err error) {
	conn, hello, err := c.dial(ctx)
	if err != nil {
		return false, err
	}
	l := newLink(c, conn, hello)
	err = l.serve(ctx)
	return l.steady(), err
}

// nextWait counts failures and says how long to stay away. A hub that closes
// every link at once after accepting it counts as failing, too.
func (c *Client) nextWait(v verdict, steady bool) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if steady && !v.failed {
		c.failures = 0
	}
	random := c.cfg.Random()
	if v.within > 0 {
		return spread(v.within, random)
	}
	wait := v.atLeast + backoff(c.failures, random)
	c.failures++
	return wait
}

// disconnected takes the link's state off everything wanted.
func (c *Client) disconnected(v verdict, err error, wait time.Duration) {
	c.mu.Lock()
	c.linked, c.oneWay, c.leaving = false, nil, nil
	for _, sub := range c.subs {
		since := sub.pos
		if v.fresh {
			since = nil
		}
		sub.restart(since)
	}
	for _, k := range c.calls {
		k.sent = false
	}
	c.mu.Unlock()
	c.setStatus(func(s *Status) {
		*s = Status{State: Connecting, Since: s.Since, Err: err, Retry: wait, Skew: s.Skew}
	})
}

func (c *Client) stop(err error) {
	c.mu.Lock()
	c.stopped, c.linked, c.oneWay = true, false, nil
	calls := c.calls
	c.calls = nil
	c.mu.Unlock()
	for _, k := range calls {
		k.done <- result{err: ErrStopped}
	}
	c.setStatus(func(s *Status) {
		*s = Status{State: Stopped, Since: s.Since, Err: err, Skew: s.Skew}
	})
}

// setStatus changes the status and tells the handler. Since follows from the
// state: it moves when the client becomes live and when it stops being so.
func (c *Client) setStatus(change func(*Status)) {
	c.mu.Lock()
	before := c.status.State
	change(&c.status)
	if (before == Live) != (c.status.State == Live) {
		c.status.Since = c.cfg.Now()
	}
	now := c.status
	c.mu.Unlock()
	c.cfg.Handler.Status(now)
}

// pause reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
