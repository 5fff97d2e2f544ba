package store

import (
	"fmt"
	"math"
)

// The bounds of what a key can hold.
const (
	maxLocation = math.MaxUint32
	maxText     = 255      // a text with its length in one byte: type, status, kind
	maxRest     = 16 << 10 // a text at the end of a key
	maxValue    = 1<<20 - 1<<10
)

// Validate says whether every engine can hold these changes: ErrInvalid with
// the reason, or ErrTooBig for a single value over 1 MiB.
func Validate(changes []Change) error {
	for i := range changes {
		if err := validate(&changes[i]); err != nil {
			return err
		}
	}
	return nil
}

func validate(c *Change) error {
	for i := range c.Records {
		if err := validateRecord(&c.Records[i]); err != nil {
			return err
		}
	}
	for i := range c.Tickets {
		if err := validateTicket(&c.Tickets[i]); err != nil {
			return err
		}
	}
	for _, e := range c.Entries {
		if e.Ticket < 1 || e.Seq < 1 {
			return fmt.Errorf("%w: entry %d of ticket %d", ErrInvalid, e.Seq, e.Ticket)
		}
		if len(e.Doc) > maxValue {
			return fmt.Errorf("%w: entry of ticket %d has %d bytes", ErrTooBig, e.Ticket, len(e.Doc))
		}
	}
	for _, d := range c.Docs {
		if d.Kind == "" || len(d.Kind) > maxText || len(d.Key) > maxRest {
			return fmt.Errorf("%w: document of kind %.40q", ErrInvalid, d.Kind)
		}
		if len(d.Value) > maxValue {
			return fmt.Errorf("%w: document of kind %s has %d bytes", ErrTooBig, d.Kind, len(d.Value))
		}
	}
	for _, id := range c.Erase {
		if id < 1 {
			return fmt.Errorf("%w: erasure of ticket %d", ErrInvalid, id)
		}
	}
	if r := c.Result; r != nil {
		if r.Key == "" || len(r.Key) > maxRest || r.Ticket < 0 {
			return fmt.Errorf("%w: idempotency result", ErrInvalid)
		}
		if len(r.Value) > maxValue {
			return fmt.Errorf("%w: idempotency result has %d bytes", ErrTooBig, len(r.Value))
		}
	}
	return nil
}

func validateRecord(r *Record) error {
	switch {
	case r.Location < 0 || r.Location > maxLocation: // 0 is the journal of no branch
		return fmt.Errorf("%w: record of location %d", ErrInvalid, r.Location)
	case r.Ticket < 0 || len(r.Type) > maxText || r.Erased || !storable(r.Time):
		return fmt.Errorf("%w: record %d of location %d", ErrInvalid, r.Offset, r.Location)
	case len(r.Facts) > maxValue || len(r.Personal) > maxValue:
		return fmt.Errorf("%w: record %d of location %d", ErrTooBig, r.Offset, r.Location)
	}
	return nil
}

func validateTicket(v *TicketVersion) error {
	ix := &v.Index
	switch {
	case v.ID < 1 || v.Location < 1 || v.Location > maxLocation:
		return fmt.Errorf("%w: ticket %d of location %d", ErrInvalid, v.ID, v.Location)
	case len(ix.Status) > maxText || !storable(ix.Created) || !storable(ix.Called) || !storable(ix.Served):
		return fmt.Errorf("%w: index of ticket %d", ErrInvalid, v.ID)
	case len(v.Doc) > maxValue:
		return fmt.Errorf("%w: ticket %d has %d bytes", ErrTooBig, v.ID, len(v.Doc))
	}
	return nil
}

// The price of one key: its own bytes, and what the engine needs beside it.
const (
	keyCost    = 110
	indexCost  = 150
	recordCost = 2*keyCost + headerSize + 2*hashSize + saltSize
)

// Size is at least what a change takes of a commit's MaxCommit, not counting
// what an erasure finds.
func Size(c *Change) int {
	n := 2 * keyCost
	for i := range c.Records {
		r := &c.Records[i]
		n += recordCost + 2*keyCost + len(r.Type) + len(r.Facts) + len(r.Personal)
	}
	for i := range c.Tickets {
		v := &c.Tickets[i]
		n += 2*keyCost + 10*(indexCost+2*len(v.Index.Status)) + len(v.Doc)
	}
	for _, e := range c.Entries {
		n += keyCost + len(e.Doc)
	}
	for _, d := range c.Docs {
		n += keyCost + len(d.Kind) + len(d.Key) + len(d.Value)
	}
	if r := c.Result; r != nil {
		n += 2*keyCost + 2*len(r.Key) + len(r.Value)
	}
	return n
}

// Check says whether the query can be answered: nil, or ErrInvalid.
func (q Query) Check() error {
	if len(q.Locations) == 0 {
		return fmt.Errorf("%w: a query needs a location", ErrInvalid)
	}
	switch q.Order {
	case "", ByID, ByCreated, ByCalled, ByServed:
		return nil
	}
	return fmt.Errorf("%w: order %.40q", ErrInvalid, string(q.Order))
}
