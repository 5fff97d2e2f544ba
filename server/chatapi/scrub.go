package chatapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/store"
)

// scrub carries through what an erasure takes beside the journal: the files and
// the contacts of a ticket. Its document stays until everything is gone, so that
// a crash only delays it.
func (a *API) scrub(ctx context.Context, id int64) error {
	a.threads.drop(id)
	docs := []store.Doc{{Kind: scrubDocs, Key: strconv.FormatInt(id, 10)}}
	for d, err := range a.Ledger.Docs(linkDocs(id)) {
		if err != nil {
			return fmt.Errorf("read links of ticket %d: %w", id, err)
		}
		switch kind, name, _ := strings.Cut(d.Key, ":"); kind {
		case "c":
			err = a.scrambleContact(ctx, name)
		case "f":
			err = a.dropFile(ctx, name)
		}
		if err != nil {
			return fmt.Errorf("scrub ticket %d: %w", id, err)
		}
		docs = append(docs, store.Doc{Kind: d.Kind, Key: d.Key})
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
	var ids []int64
	for d, err := range a.Ledger.Docs(scrubDocs) {
		if err != nil {
			return fmt.Errorf("read erasures: %w", err)
		}
		id, err := strconv.ParseInt(d.Key, 10, 64)
		if err != nil {
			return fmt.Errorf("erasure of ticket %q: %w", d.Key, err)
		}
		ids = append(ids, id)
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, a.scrub(ctx, id))
	}
	return errors.Join(errs...)
}
