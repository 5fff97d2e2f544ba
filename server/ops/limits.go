package ops

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops/limit"
)

const (
	// DefaultMaxBody is enough for every form and every JSON of the APIs.
	DefaultMaxBody = 1 << 20

	// headerTimeout and bodyTimeout are for people on bad lines, not for those
	// who send a byte a second to keep us busy.
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	// answerTimeout ends an answer that nobody reads.
	answerTimeout = 60 * time.Second
	// idleTimeout is longer than the clients' polls.
	idleTimeout = 120 * time.Second
	// maxHeader is what a signed-in browser behind two proxies needs, many times.
	maxHeader = 32 << 10

	// limitedAddrs bounds the memory of the rate limiter: about 10 MB.
	limitedAddrs = 1 << 16
)

// NewHTTPServer makes a server that cannot be held by slow clients before a
// handler runs; Limits does the rest. It sets no ReadTimeout and WriteTimeout,
// because those would end streams.
func NewHTTPServer(handler http.Handler, log zerolog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          errorLog(log),
	}
}

// Limits bounds a request's body in size and time, and the answer in time. A
// declared body that is too large is refused before a byte of it is read.
func Limits(maxBody int64, fail Fail, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxBody {
			w.Header().Set("Connection", "close") // we will not read it to find the next request
			fail(w, r, wire.Errorf(wire.TooLarge, "a request has at most %d bytes", maxBody))
			hearOut(w, r, r.Body, now)
			return
		}
		// A connection that cannot take deadlines (in a test) goes without.
		rc := http.NewResponseController(w)
		if r.ContentLength != 0 {
			_ = rc.SetReadDeadline(now().Add(bodyTimeout))
			all := r.Body
			most := http.MaxBytesReader(w, all, maxBody)
			r.Body = most
			defer func() {
				if _, err := most.Read(nil); isTooLarge(err) { // the reader remembers
					hearOut(w, r, all, now)
				}
			}()
		}
		// Deadlines stay with the connection, so a stream must take away the one
		// of the request before it.
		until := now().Add(answerTimeout)
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			until = time.Time{}
		}
		_ = rc.SetWriteDeadline(until)
		next.ServeHTTP(w, r)
	})
}

const (
	// hearTime and hearMost bound what is read only to be thrown away.
	hearTime = 5 * time.Second
	hearMost = 64 << 20
)

// hearOut answers at once and then lets a client finish what it is sending: one
// that is cut off while it sends sees a broken connection instead of the answer.
func hearOut(w http.ResponseWriter, r *http.Request, body io.Reader, now func() time.Time) {
	if strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		return // it waits to be asked
	}
	rc := http.NewResponseController(w)
	if rc.Flush() != nil || rc.SetReadDeadline(now().Add(hearTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, body, hearMost)
}

func isTooLarge(err error) bool {
	var big *http.MaxBytesError
	return errors.As(err, &big)
}

// RateLimit lets an address make so many requests. It is there against floods
// and counts in bounded memory; the doors have finer limits per credential.
func RateLimit(rate limit.Rate, proxies Proxies, fail Fail, now func() time.Time, next http.Handler) http.Handler {
	if rate.Off() {
		return next
	}
	buckets := limit.New(rate, limitedAddrs, now)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := buckets.Take(limit.AddrKey(proxies.Addr(r).String()))
		if !v.OK {
			fail(w, r, &wire.Error{Code: wire.RateLimited, Message: "too many requests", RetryAfter: v.Seconds()})
			return
		}
		next.ServeHTTP(w, r)
	})
}
