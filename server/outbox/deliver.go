package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/nowserving/nowserving/server/outbox/egress"
	"github.com/nowserving/nowserving/server/outbox/sign"
	"github.com/nowserving/nowserving/store"
)

// userAgent tells receivers who is calling.
const userAgent = "nowserving-webhook/1"

// deliver is a target's deliverer: one delivery after another until soft ends.
// What is under way then has until hard ends.
func (o *Outbox) deliver(soft, hard context.Context, t *target) {
	for soft.Err() == nil {
		if err := o.refill(t); err != nil {
			o.o.Log.Error().Err(err).Str("target", t.ID).Msg("deliveries not readable; trying again")
			if !o.sleep(soft, time.Minute) {
				return
			}
			continue
		}
		it, wait := t.next(o.o.Clock())
		if it == nil {
			o.pause(soft, t, wait)
			continue
		}
		if !o.turn(hard, t, it) {
			return
		}
	}
}

// pause waits for something to do; 0 is until something arrives.
func (o *Outbox) pause(ctx context.Context, t *target, wait time.Duration) {
	var due <-chan time.Time // nil never fires
	if wait > 0 {
		c, giveUp := o.o.Timer(wait)
		defer giveUp()
		due = c
	}
	select {
	case <-due:
	case <-t.wake:
	case <-ctx.Done():
	}
}

// outcome is what an attempt came to.
type outcome struct {
	ok     bool
	gone   bool // the receiver wants nothing any more
	reason string
	// skipped says that there was no attempt.
	skipped bool
	// stopped says that we broke it off ourselves: it does not count.
	stopped bool
}

// turn is one delivery's turn: an attempt and its note. It reports false when the
// deliverer has to end.
func (o *Outbox) turn(ctx context.Context, t *target, it *item) bool {
	body, err := o.body(t, it)
	if errors.Is(err, store.ErrNotFound) { // erased, or purged, while it waited
		t.mu.Lock()
		t.leave(it)
		t.mu.Unlock()
		return true
	}
	if err != nil {
		o.o.Log.Error().Err(err).Str("target", t.ID).Msg("delivery not readable; trying again")
		return o.sleep(ctx, time.Minute)
	}
	var out outcome
	if t.expired(it, o.o.Clock()) {
		out = outcome{skipped: true, reason: "too old"}
	} else {
		out = o.attempt(ctx, t, it, body)
	}
	if out.stopped {
		return false
	}
	if err := o.settle(ctx, t, it, body, out); err != nil {
		return false
	}
	if out.gone {
		o.disable(ctx, t, "410 Gone")
		return false
	}
	return true
}

// body is what is to be sent. Of those aside it is not kept in memory.
func (o *Outbox) body(t *target, it *item) ([]byte, error) {
	if !it.aside {
		return it.body, nil
	}
	value, err := o.read.Doc(asideDocs(t.ID), it.key)
	if err != nil {
		return nil, err
	}
	full, err := decodeItem(store.Doc{Kind: asideDocs(t.ID), Key: it.key, Value: value})
	if err != nil {
		return nil, err
	}
	return full.body, nil
}

// expired reports whether a delivery has waited so long for a failing target that
// its time is over without an attempt.
func (t *target) expired(it *item, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return (t.failing || it.Attempts > 0) && now.Sub(it.since()) > t.policy.window
}

// attempt sends one delivery once.
func (o *Outbox) attempt(ctx context.Context, t *target, it *item, body []byte) outcome {
	bounded, cancel := context.WithTimeout(ctx, t.policy.timeout(it.Attempts))
	defer cancel()
	req, err := http.NewRequestWithContext(bounded, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil { // unreachable: the URL was checked when it was registered
		return outcome{reason: "bad url"}
	}
	secret, err := o.secret(t)
	if err != nil {
		o.o.Log.Warn().Err(err).Str("target", t.ID).Msg("delivery not signed")
		return outcome{reason: "no secret to sign with"}
	}
	t.sign(req.Header, secret, it, body, o.o.Clock())
	res, err := o.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return outcome{stopped: true}
		}
		return outcome{reason: reasonOf(err)}
	}
	// The rest of the answer says nothing that counts; a little of it is read so
	// that the connection can serve the next delivery.
	_, _ = io.CopyN(io.Discard, res.Body, egress.MaxResponse)
	_ = res.Body.Close()
	switch {
	case res.StatusCode >= 200 && res.StatusCode <= 299:
		return outcome{ok: true, reason: statusOf(res)}
	case res.StatusCode == http.StatusGone:
		return outcome{gone: true, reason: statusOf(res)}
	}
	return outcome{reason: statusOf(res)}
}

func statusOf(res *http.Response) string { return "status " + strconv.Itoa(res.StatusCode) }

// reasonOf puts a failure into words that may be shown: they hold nothing of the
// address or of what is there.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, egress.ErrRefused):
		return "address not allowed"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	}
	return "no connection"
}

var errNoSecret = errors.New("outbox: the department has no secret")

// secret is what a target's deliveries are signed with now.
func (o *Outbox) secret(t *target) (string, error) {
	if t.Secret != "" || t.Kind != ChatHook || o.o.ChatSecret == nil {
		return t.Secret, nil
	}
	secret, err := o.o.ChatSecret(t.Department)
	if err == nil && secret == "" {
		err = errNoSecret
	}
	return secret, err
}

// sign sets a delivery's headers. What the registration asks for comes first, so
// that it cannot replace ours.
func (t *target) sign(h http.Header, secret string, it *item, body []byte, now time.Time) {
	for name, value := range t.Headers {
		h.Set(name, value)
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", userAgent)
	}
	h.Set("Content-Type", "application/json")
	sign.Standard(h, secret, messageID(t.ID, it.key), body, now)
	switch t.Kind {
	case QueueHook:
		h.Set(sign.HeaderQueue, sign.Queue(secret, t.URL, body))
	case ChatHook:
		sign.Chat(h, secret, t.Department, body, it.Attempts+1, now)
	}
}

// disable ends deliveries to a target that wants none any more.
func (o *Outbox) disable(ctx context.Context, t *target, why string) {
	if acquire(ctx, o.registering) != nil {
		return // it is being removed, or we stop: the next attempt will tell again
	}
	defer release(o.registering)
	o.mu.Lock()
	t.Disabled, t.DisabledAt = why, o.o.Clock().UTC()
	o.activate()
	o.mu.Unlock()
	o.o.Log.Warn().Str("target", t.ID).Str("reason", why).Msg("deliveries disabled")
	d, err := t.doc(false)
	if err == nil {
		err = o.put(ctx, d)
	}
	if err != nil {
		o.o.Log.Error().Err(fmt.Errorf("disable: %w", err)).Str("target", t.ID).Msg("target not disabled for good")
		return
	}
	o.keeper.add(purge{id: t.ID})
}
