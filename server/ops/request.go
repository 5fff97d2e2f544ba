package ops

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// SafePath is a path as it may be logged: without the tokens and the e-mails
// that some paths hold.
func SafePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		afterT := i == 2 && segments[1] == "t" // /t/{visitor token}
		if s != "" && (afterT || strings.HasPrefix(s, "ns_") || strings.Contains(s, "@")) {
			segments[i] = "***"
		}
	}
	return strings.Join(segments, "/")
}

// safeQuery is the names of a query's parameters. Their values stay out of the
// log: keys, secrets, e-mails and phone numbers all come in queries of the APIs
// that we speak, and a list of the dangerous ones would never be complete.
func safeQuery(r *http.Request) []string {
	names := make([]string, 0, 4)
	for name := range r.URL.Query() {
		names = append(names, name[:min(len(name), 40)])
	}
	slices.Sort(names)
	return names[:min(len(names), 20)]
}

// Log writes one line per request, at debug, and puts the logger into the
// request's context. It logs no header and no query value.
func Log(log zerolog.Logger, proxies Proxies, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(log.WithContext(r.Context()))
		if log.GetLevel() > zerolog.DebugLevel {
			next.ServeHTTP(w, r)
			return
		}
		start := now()
		seen := &watched{ResponseWriter: w}
		defer func() {
			log.Debug().Str("method", r.Method).Str("path", SafePath(r.URL.Path)).Strs("query", safeQuery(r)).
				Int("status", seen.status).Int64("bytes", seen.bytes).
				Dur("took", now().Sub(start)).Stringer("from", proxies.Addr(r)).Msg("request")
		}()
		next.ServeHTTP(seen, r)
	})
}

// Recover turns a panic into a coded 500 in the door's envelope, and logs where
// it came from. A panic is a defect of ours; it must not take the others down.
func Recover(log zerolog.Logger, fail Fail, panics func(), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &watched{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // asked for: the server cuts the connection
			}
			panics()
			log.Error().Str("panic", fmt.Sprint(p)).Str("method", r.Method).Str("path", SafePath(r.URL.Path)).
				Bytes("stack", debug.Stack()).Msg("panic in a handler")
			if seen.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut it, so that nobody takes it for whole
			}
			fail(w, r, errPanic)
		}()
		next.ServeHTTP(seen, r)
	})
}

var errPanic = errors.New("ops: panic in a handler")

// watched notes what was answered. Unwrap lets sockets and streams reach the
// connection through it.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
