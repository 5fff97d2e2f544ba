package maintenance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// Report is what a check has found.
type Report struct {
	// Problems name what is wrong, one each; none when everything holds.
	Problems []error
	// Journals, Records and Tickets say how much was looked at.
	Journals, Records, Tickets int
}

// Verify checks every invariant of a data folder that no server has open: that
// offsets have no hole and hashes form a chain, that every checksum, index and
// idempotency record is in order, that tickets, threads and snapshots are what
// the journals fold to, and that erasures left nothing. The error says why it
// could not be checked.
func Verify(ctx context.Context, data string, clock func() time.Time, log zerolog.Logger) (Report, error) {
	var rep Report
	o := store.Options{Dir: filepath.Join(data, StoreFolder), Clock: clock, Log: log, MinFree: 1}
	problems, err := store.Inspect(ctx, o, func(st store.Store, problem func(error)) error {
		return rep.fold(ctx, st, problem)
	})
	rep.Problems = problems
	return rep, err
}

// fold folds all journals and compares what is stored beside them. What cannot be
// read was named already by the store's own part.
func (rep *Report) fold(ctx context.Context, st store.Store, problem func(error)) error {
	f := &folded{st: st, problem: problem, tickets: map[int64]*version{}}
	journals, err := st.Locations()
	if err != nil {
		return err
	}
	rep.Journals = len(journals)
	broken := false
	var locations []int
	for _, id := range journals {
		head, err := st.Head(id)
		if err == nil {
			err = f.journal(id)
		}
		switch {
		case errors.Is(err, store.ErrCorrupt):
			problem(err)
			broken = true
		case err != nil:
			return err
		}
		rep.Records += int(head.Offset)
		if id > 0 {
			locations = append(locations, id)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	rep.Tickets = len(f.tickets)
	if broken || len(locations) == 0 {
		return nil // a fold of half a journal tells nothing of tickets
	}
	if err := f.compare(locations); err != nil {
		return err
	}
	return f.ids()
}

// ids checks that no id would be given twice.
func (f *folded) ids() error {
	doc, err := f.st.Doc("meta", "ids")
	var ids ticket.IDs
	if err == nil {
		err = json.Unmarshal(doc, &ids)
	}
	if err != nil {
		return fmt.Errorf("%w: the next ids: %w", store.ErrCorrupt, err)
	}
	for id := range f.tickets {
		if id >= ids.Ticket {
			f.problem(damage("ticket %d exists, and %d would be given next", id, ids.Ticket))
			return nil
		}
	}
	return nil
}
