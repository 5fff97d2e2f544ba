package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/store"
)

const (
	// retentionActor is who erases what is old.
	retentionActor = "retention"
	// retentionDocs holds, by location, how far its retention has come.
	retentionDocs = "retention"
	// nightHour is when, local time, a location's old tickets are erased.
	nightHour = 3
	// retentionTick is how often the nights are looked at.
	retentionTick = time.Minute
	// retentionBatch bounds what is in memory, and retentionAtOnce what waits for
	// one commit: the clerks' commands must not wait behind a night's work.
	retentionBatch  = 500
	retentionAtOnce = 8
)

// retention erases ended tickets that are older than their location keeps them.
type retention struct {
	ledger interface {
		Locations() []int
		View(id int, f func(*ticket.State)) bool
		Do(ctx context.Context, r ledger.Request) (ledger.Result, error)
		PutDocs(ctx context.Context, docs ...store.Doc) error
		Doc(kind, key string) ([]byte, error)
	}
	store interface {
		Search(q store.Query) iter.Seq2[store.TicketVersion, error]
	}
	audit auth.Auditor
	clock func() time.Time
	log   zerolog.Logger
}

func newRetention(l *ledger.Ledger, s store.Store, audit auth.Auditor, clock func() time.Time, log zerolog.Logger) *retention {
	return &retention{ledger: l, store: s, audit: audit, clock: clock, log: log}
}

// progress is a location's document.
type progress struct {
	// Night is the last local date on which everything was done.
	Night string `json:"night"`
	// From is the creation time before which everything is erased.
	From time.Time `json:"from,omitzero"`
}

// run looks at the nights until ctx ends.
func (r *retention) run(ctx context.Context) error {
	tick := time.NewTicker(retentionTick)
	defer tick.Stop()
	for {
		for _, location := range r.ledger.Locations() {
			if err := r.night(ctx, location); err != nil && ctx.Err() == nil {
				r.log.Warn().Err(err).Int("location", location).Msg("old tickets not erased; trying again")
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// night does a location's work of one night, once. What an ended process has left
// is done by the next one: what is erased already is passed over.
func (r *retention) night(ctx context.Context, location int) error {
	days, zone := 0, time.UTC
	r.ledger.View(location, func(s *ticket.State) { days, zone = s.Location.Retention, s.Location.Zone() })
	now := r.clock().In(zone)
	tonight := now.Format(time.DateOnly)
	done, known, err := r.progress(location)
	switch {
	case err != nil:
		return err
	case now.Hour() < nightHour && days > 0 && !known:
		return r.note(ctx, location, progress{Night: now.AddDate(0, 0, -1).Format(time.DateOnly)})
	case now.Hour() < nightHour || done.Night == tonight:
		return nil
	case days == 0:
		if !known {
			return nil
		}
		// Whoever turns it on again has until the next night to think.
		return r.forget(ctx, location)
	case !known: // it was turned on today
		return r.note(ctx, location, progress{Night: tonight})
	}
	erased, from, err := r.erase(ctx, location, done.From, now.AddDate(0, 0, -days))
	if erased > 0 {
		r.audit.Audit(auth.Entry{
			Time: r.clock(), Action: auth.AuditErase, Who: retentionActor,
			On: fmt.Sprintf("location:%d, %d tickets", location, erased), Result: "ok",
		})
		r.log.Info().Int("location", location).Int("tickets", erased).Msg("old tickets erased")
	}
	if err != nil {
		return err
	}
	return r.note(ctx, location, progress{Night: tonight, From: from})
}

// erase takes what ended before cutoff, in batches, and says from where on the
// next night has to look.
func (r *retention) erase(ctx context.Context, location int, from, cutoff time.Time) (erased int, next time.Time, err error) {
	for {
		due, first, more, err := r.due(location, from, cutoff)
		if err != nil {
			return erased, from, err
		}
		done, err := r.eraseAll(ctx, location, due)
		erased += done
		if err != nil {
			return erased, from, err
		}
		if !more {
			return erased, first, nil
		}
	}
}

// due lists tickets to erase, oldest first. first is the creation time of the
// first one that stays for now: a later night has to look at it again.
func (r *retention) due(location int, from, cutoff time.Time) (due []int64, first time.Time, more bool, err error) {
	first = cutoff
	for v, err := range r.store.Search(store.Query{
		Locations: []int{location}, MinCreated: from, MaxCreated: cutoff, Order: store.ByCreated,
	}) {
		if err != nil {
			return nil, first, false, fmt.Errorf("find old tickets: %w", err)
		}
		var t ticket.Ticket
		if err := json.Unmarshal(v.Doc, &t); err != nil {
			return nil, first, false, fmt.Errorf("read ticket %d: %w", v.ID, err)
		}
		switch ended := t.EndedAt(); {
		case t.Erased:
		case ended.IsZero() || ended.After(cutoff):
			if v.Index.Created.Before(first) {
				first = v.Index.Created
			}
		case len(due) == retentionBatch:
			return due, first, true, nil
		default:
			due = append(due, v.ID)
		}
	}
	return due, first, false, nil
}

// eraseAll gives the commands, a few at a time.
func (r *retention) eraseAll(ctx context.Context, location int, due []int64) (int, error) {
	for done := 0; done < len(due); {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		some := due[done:min(done+retentionAtOnce, len(due))]
		var group errgroup.Group // ends with the commands
		for _, id := range some {
			group.Go(func() error {
				_, err := r.ledger.Do(ctx, ledger.Request{
					Location: location, Command: ticket.Erase{Ref: ticket.Ref{ID: ticket.TicketID(id)}},
					Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: retentionActor},
				})
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return done, fmt.Errorf("erase: %w", err)
		}
		done += len(some)
	}
	return len(due), nil
}

func (r *retention) progress(location int) (p progress, known bool, err error) {
	text, err := r.ledger.Doc(retentionDocs, strconv.Itoa(location))
	if errors.Is(err, store.ErrNotFound) {
		return p, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, false, fmt.Errorf("read retention of location %d: %w", location, err)
	}
	return p, true, nil
}

func (r *retention) note(ctx context.Context, location int, p progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("note retention: %w", err)
	}
	return r.ledger.PutDocs(ctx, store.Doc{Kind: retentionDocs, Key: strconv.Itoa(location), Value: text})
}

func (r *retention) forget(ctx context.Context, location int) error {
	return r.ledger.PutDocs(ctx, store.Doc{Kind: retentionDocs, Key: strconv.Itoa(location)})
}
