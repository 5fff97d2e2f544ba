package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nowserving/nowserving/store"
)

const (
	// maintainEvery is how often Run looks after the credentials.
	maintainEvery = time.Minute
	// maintainBatch bounds one write.
	maintainBatch = 500
)

// Run maintains until ctx ends, and once more then. report gets the errors; the
// next round tries again.
func (a *Authenticator) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := a.Maintain(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		case <-ctx.Done():
			if err := a.Maintain(context.WithoutCancel(ctx)); err != nil {
				report(err)
			}
			return
		}
	}
}

// Maintain writes the last-used marks that have changed, deletes what has run
// out, and tries deletes that failed again.
func (a *Authenticator) Maintain(ctx context.Context) error {
	now := a.opts.Now()
	var errs []error
	gone := a.index.where(func(e *entry) bool {
		at := e.expires(a.opts.SessionIdle)
		return e.revoked.Load() || !at.IsZero() && now.Sub(at) > expiredGrace
	})
	for len(gone) > 0 {
		n := min(len(gone), maintainBatch)
		if err := a.revoke(ctx, gone[:n]); err != nil {
			errs = append(errs, err)
		}
		gone = gone[n:]
	}
	marked := a.index.where(func(e *entry) bool { return e.kept() && e.marked() })
	for len(marked) > 0 {
		n := min(len(marked), maintainBatch)
		if err := a.writeMarks(ctx, marked[:n]); err != nil {
			errs = append(errs, err)
		}
		marked = marked[n:]
	}
	return errors.Join(errs...)
}

func (a *Authenticator) writeMarks(ctx context.Context, marked []*entry) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	docs := make([]store.Doc, 0, len(marked))
	used := make([]int64, 0, len(marked))
	live := make([]*entry, 0, len(marked))
	for _, e := range marked {
		if e.revoked.Load() {
			continue
		}
		at := e.used.Load()
		doc, err := e.doc()
		if err != nil {
			return err
		}
		docs, used, live = append(docs, doc), append(used, at), append(live, e)
	}
	if len(docs) == 0 {
		return nil
	}
	if err := a.opts.Docs.PutDocs(ctx, docs...); err != nil {
		return fmt.Errorf("auth: write last-used marks: %w", err)
	}
	for i, e := range live {
		e.written.Store(used[i])
	}
	return nil
}
