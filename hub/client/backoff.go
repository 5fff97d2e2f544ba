package client

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	backoffBase = 500 * time.Millisecond
	backoffCap  = 30 * time.Second
	// drainSpread is over how long the clients of a stopping node return.
	drainSpread = 5 * time.Second
	// longestAdvice bounds what a hub may ask for with retryAfter: a screen
	// must never be sent away for a day by one wrong number.
	longestAdvice = 5 * time.Minute
)

// backoff is full jitter: a random time below a limit that doubles with each
// failure, so that a thousand screens do not come back as one wave.
func backoff(failures int, random float64) time.Duration {
	limit := backoffCap
	if failures < 6 { // 0.5 s * 2^6 is over the cap already
		limit = backoffBase << max(failures, 0)
	}
	return spread(limit, random)
}

func spread(limit time.Duration, random float64) time.Duration {
	if math.IsNaN(random) || random < 0 {
		random = 0
	}
	return time.Duration(min(random, 1) * float64(limit))
}

// FinalError ends Run: the hub said not to come back.
type FinalError struct {
	Code wire.CloseCode
	Err  error
}

func (e *FinalError) Error() string {
	return fmt.Sprintf("the hub does not want this client back (%d %s)", e.Code, wire.CloseReason(e.Code))
}

func (e *FinalError) Unwrap() error { return e.Err }

// connectError is the hub's refusal of the connect frame.
type connectError struct{ err *wire.Error }

func (e *connectError) Error() string { return "connect: " + e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

// handshakeError is an HTTP answer other than the upgrade.
type handshakeError struct {
	status     int
	retryAfter time.Duration
	err        error
}

func (e *handshakeError) Error() string { return "handshake: " + strconv.Itoa(e.status) }
func (e *handshakeError) Unwrap() error { return e.err }

func newHandshakeError(resp *http.Response, err error) error {
	seconds, convErr := strconv.Atoi(resp.Header.Get("Retry-After"))
	if convErr != nil {
		seconds = 0
	}
	return &handshakeError{resp.StatusCode, advice(seconds), err}
}

func advice(seconds int) time.Duration {
	return time.Duration(min(max(seconds, 0), int(longestAdvice/time.Second))) * time.Second
}

// verdict is what follows from the end of a link.
type verdict struct {
	final bool
	code  wire.CloseCode
	// fresh: positions are of no use any more, ask for snapshots.
	fresh bool
	// failed: the link counts as a failure even though it had been live.
	failed bool
	// within overrides back-off by a random part of this.
	within time.Duration
	// atLeast is what the hub asked for on top.
	atLeast time.Duration
}

func judge(err error) verdict {
	var refused *connectError
	var handshake *handshakeError
	code := wire.CloseCode(websocket.CloseStatus(err))
	switch {
	case errors.As(err, &refused):
		return judgeRefusal(refused.err)
	case errors.As(err, &handshake):
		return verdict{failed: true, atLeast: handshake.retryAfter}
	case errors.Is(err, errFrame):
		// What was sent cannot be read; the same run again would not help.
		return verdict{failed: true, fresh: true}
	case !wire.MayReturn(code):
		return verdict{final: true, code: code}
	}
	v := verdict{code: code, fresh: !wire.KeepsPosition(code)}
	switch code {
	case wire.CloseDrain:
		v.within = drainSpread
	case wire.CloseRateLimited, wire.CloseTooManyConns:
		v.failed = true
	}
	return v
}

func judgeRefusal(e *wire.Error) verdict {
	switch e.Code {
	case wire.Unauthenticated, wire.Forbidden:
		return verdict{final: true, code: wire.CloseBadToken}
	}
	return verdict{failed: true, atLeast: advice(e.RetryAfter)}
}
