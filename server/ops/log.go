package ops

import (
	"fmt"
	"io"
	stdlog "log"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// NewLogger makes the logger: JSON lines, or a readable form when format is
// "console", or "auto" and w is a terminal.
func NewLogger(w io.Writer, level, format string, now func() time.Time) (zerolog.Logger, error) {
	lvl, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		return zerolog.Logger{}, fmt.Errorf("ops: unknown log level %q", level)
	}
	switch format {
	case "json":
	case "console":
		w = console(w)
	case "auto":
		if isTerminal(w) {
			w = console(w)
		}
	default:
		return zerolog.Logger{}, fmt.Errorf("ops: unknown log format %q", format)
	}
	return zerolog.New(w).Level(lvl).Hook(stamp{now}), nil
}

// stamp adds the time from the process's one clock, in UTC with milliseconds
// like every other time that leaves it.
type stamp struct{ now func() time.Time }

func (s stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, s.now().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}

func console(w io.Writer) io.Writer {
	return zerolog.ConsoleWriter{Out: w, TimeFormat: "15:04:05.000", NoColor: !isTerminal(w)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// errorLog hands what net/http itself has to say (bad handshakes, broken
// connections) to the log. It is at debug: strangers cause most of it.
func errorLog(log zerolog.Logger) *stdlog.Logger {
	return stdlog.New(lines{log}, "", 0)
}

type lines struct{ log zerolog.Logger }

func (l lines) Write(p []byte) (int, error) {
	l.log.Debug().Str("detail", strings.TrimSpace(string(p))).Msg("http server")
	return len(p), nil
}
