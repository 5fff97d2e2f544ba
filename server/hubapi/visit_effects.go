package hubapi

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// VisitEffects writes, in the commit of each event, how a verified person finds
// their conversation again, and that an erased visit's links have to go.
type VisitEffects struct {
	next ledger.Effects // may be nil
	wake chan struct{}  // something waits to be scrubbed
	// staged says that this commit has an erasure; the committer's alone.
	staged bool
}

// NewVisitEffects makes VisitEffects that pass everything on to next as well.
func NewVisitEffects(next ledger.Effects) *VisitEffects {
	f := &VisitEffects{next: next, wake: make(chan struct{}, 1)}
	f.stir() // an earlier process may have left something
	return f
}

// Effects implements ledger.Effects.
func (f *VisitEffects) Effects(s *ticket.State, e ticket.Event) []store.Doc {
	var docs []store.Doc
	switch {
	case e.Type == ticket.EventErased:
		f.staged = true
		docs = append(docs, store.Doc{Kind: scrubDocs, Key: ticketID(e.Ticket), Value: []byte("1")})
	case e.Type == ticket.EventCreated && s.Location != nil && e.Personal != nil && e.Personal.Private != nil:
		// What other systems give as unique argument proves no identity.
		unique := e.Personal.Private.UniqueArgument
		if unique != "" && strings.HasPrefix(e.Facts.Actor.Credential, widgetCredential) {
			sum := personHash(s.Location.GUID, unique)
			hash := hex.EncodeToString(sum[:])
			docs = append(docs,
				store.Doc{Kind: identityDocs(hash), Key: fmt.Sprintf("%019d", e.Ticket), Value: []byte("1")},
				store.Doc{Kind: linkDocs(ticketID(e.Ticket)), Key: hash, Value: []byte("1")})
		}
	}
	if f.next != nil {
		docs = append(docs, f.next.Effects(s, e)...)
	}
	return docs
}

// Committed implements ledger.Effects.
func (f *VisitEffects) Committed() {
	if f.staged {
		f.staged = false
		f.stir()
	}
	if f.next != nil {
		f.next.Committed()
	}
}

// Abandoned implements ledger.Effects.
func (f *VisitEffects) Abandoned() {
	f.staged = false
	if f.next != nil {
		f.next.Abandoned()
	}
}

func (f *VisitEffects) stir() {
	select {
	case f.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// scrubAgain is how long a scrubbing that failed waits before it is tried again.
const scrubAgain = time.Minute

// scrubbing takes away what erasures leave beside the journal, until ctx ends.
func (p *People) scrubbing(ctx context.Context) {
	if p.o.Effects == nil {
		return
	}
	retry := time.NewTicker(scrubAgain)
	defer retry.Stop()
	failed := false
	for {
		select {
		case <-p.o.Effects.wake:
		case <-retry.C:
			if !failed {
				continue
			}
		case <-ctx.Done():
			return
		}
		err := p.scrub(ctx)
		if failed = err != nil; failed && ctx.Err() == nil {
			p.o.Report(err)
		}
	}
}

// scrub ends the links of erased visits and forgets whose they were. Its document
// stays until everything is gone, so that a crash only delays it.
func (p *People) scrub(ctx context.Context) error {
	ids, err := ledger.TicketKeys(p.o.Ledger.Docs(scrubDocs))
	if err != nil {
		return fmt.Errorf("erasures: %w", err)
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, p.forget(ctx, id))
	}
	return errors.Join(errs...)
}

func (p *People) forget(ctx context.Context, id int64) error {
	name := ticketID(id)
	// First the links: whoever holds one is sent away at once.
	if err := p.o.Auth.Revoke(ctx, "erasure", "ticket:"+name); err != nil && wire.CodeOf(err) != wire.NotFound {
		return fmt.Errorf("end the links of ticket %s: %w", name, err)
	}
	docs := []store.Doc{{Kind: scrubDocs, Key: name}}
	for d, err := range p.o.Ledger.Docs(linkDocs(name)) {
		if err != nil {
			return fmt.Errorf("forget whose ticket %s was: %w", name, err)
		}
		docs = append(docs, store.Doc{Kind: identityDocs(d.Key), Key: fmt.Sprintf("%019d", id)}, store.Doc{Kind: d.Kind, Key: d.Key})
	}
	return p.o.Ledger.PutDocs(ctx, docs...)
}

var _ ledger.Effects = (*VisitEffects)(nil)
