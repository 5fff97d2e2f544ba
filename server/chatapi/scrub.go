package chatapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// scrub carries through what an erasure takes beside the journal: the files and
// the contacts of a ticket, and what it was moved to or from. Its document stays
// until everything is gone, so that a crash only delays it.
func (a *API) scrub(ctx context.Context, id int64) error {
	docs := []store.Doc{{Kind: scrubDocs, Key: strconv.FormatInt(id, 10)}}
	moved, err := a.movedWith(id)
	if err != nil {
		return err
	}
	for d, err := range a.Ledger.Docs(linkDocs(id)) {
		if err != nil {
			return fmt.Errorf("read links of ticket %d: %w", id, err)
		}
		switch kind, name, _ := strings.Cut(d.Key, ":"); kind {
		case "c":
			err = a.scrambleContact(ctx, name)
		case "f":
			err = a.dropFile(ctx, name)
		case "t":
			n, bad := strconv.ParseInt(name, 10, 64)
			moved, err = append(moved, n), bad
		}
		if err != nil {
			return fmt.Errorf("scrub ticket %d: %w", id, err)
		}
		docs = append(docs, store.Doc{Kind: d.Kind, Key: d.Key})
	}
	for _, other := range moved {
		if err := a.eraseToo(ctx, other); err != nil {
			return fmt.Errorf("erase ticket %d with ticket %d: %w", other, id, err)
		}
	}
	for _, kind := range []string{surveyDocs, formDocs} {
		more, err := a.linksOf(kind, id)
		if err != nil {
			return err
		}
		docs = append(docs, more...)
	}
	return a.Ledger.PutDocs(ctx, docs...)
}

// movedWith are the tickets that a ticket was moved to and from.
func (a *API) movedWith(id int64) (out []int64, err error) {
	t, err := a.Ledger.Ticket(id)
	if err != nil {
		return nil, err
	}
	for _, m := range []*ticket.Moved{t.Conversation.MovedTo, t.Conversation.MovedFrom} {
		if m != nil {
			out = append(out, m.Ticket)
		}
	}
	return out, nil
}

// eraseToo erases another half of a conversation that was moved: it repeats what
// was said in this one.
func (a *API) eraseToo(ctx context.Context, id int64) error {
	t, err := a.Ledger.Ticket(id)
	if wire.CodeOf(err) == wire.NotFound && err != nil || err == nil && t.Erased {
		return nil // its own erasure looks after the rest
	}
	if err == nil {
		_, err = a.Ledger.Do(ctx, ledger.Request{
			Location: t.Location, Command: ticket.Erase{Ref: refOf(t)},
			Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "erasure"},
		})
	}
	if err != nil {
		return err
	}
	return a.scrub(ctx, id)
}

// linksOf lists the pages that were given out for a ticket, to be forgotten.
func (a *API) linksOf(kind string, id int64) ([]store.Doc, error) {
	var docs []store.Doc
	for d, err := range a.Ledger.Docs(kind) {
		if err != nil {
			return nil, fmt.Errorf("read links of ticket %d: %w", id, err)
		}
		if p, ok := parsePage(d.Value); ok && p.Ticket == id {
			docs = append(docs, store.Doc{Kind: kind, Key: d.Key})
		}
	}
	return docs, nil
}

// scrubAll does what waits to be scrubbed.
func (a *API) scrubAll(ctx context.Context) error {
	ids, err := ledger.TicketKeys(a.Ledger.Docs(scrubDocs))
	if err != nil {
		return fmt.Errorf("erasures: %w", err)
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, a.scrub(ctx, id))
	}
	return errors.Join(errs...)
}
