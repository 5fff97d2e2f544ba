package store

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/rs/zerolog"
)

// engineLog is Badger's logger. Badger only logs some errors that lose data (a
// failed flush, a table that it leaves out), so an error line stops the store.
type engineLog struct {
	log     zerolog.Logger
	closing atomic.Bool
	first   atomic.Pointer[error]
	failed  atomic.Pointer[func(error) error] // set when the store is open
}

func (l *engineLog) Errorf(format string, args ...any) {
	err := fmt.Errorf("store: engine: %s", strings.TrimSpace(fmt.Sprintf(format, args...)))
	l.log.Error().Err(err).Msg("storage engine failed")
	if l.closing.Load() {
		return
	}
	l.first.CompareAndSwap(nil, &err)
	if f := l.failed.Load(); f != nil {
		(*f)(err)
	}
}

func (l *engineLog) Warningf(format string, args ...any) {
	l.log.Warn().Msg("storage engine: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Infof is about every table and level: detail for whoever turns it on.
func (l *engineLog) Infof(format string, args ...any) {
	if e := l.log.Trace(); e.Enabled() {
		e.Msg("storage engine: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

func (l *engineLog) Debugf(string, ...any) {}

// err is the first error line, or nil.
func (l *engineLog) err() error {
	if p := l.first.Load(); p != nil {
		return *p
	}
	return nil
}
