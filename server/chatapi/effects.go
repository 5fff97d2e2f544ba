package chatapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// Effects writes, in the commit of each event, what lists and erasures need to
// find later, whichever door the event came through.
type Effects struct {
	next ledger.Effects // may be nil
	wake chan struct{}  // something waits to be scrubbed
	// staged says that this commit has an erasure; the committer's alone.
	staged bool
}

// NewEffects makes Effects that pass everything on to next as well.
func NewEffects(next ledger.Effects) *Effects {
	return &Effects{next: next, wake: make(chan struct{}, 1)}
}

// The documents that Effects writes; see the package comment.
const scrubDocs = "chat.scrub"

func linkDocs(id int64) string { return "chat.link:" + strconv.FormatInt(id, 10) }

func actDocs(location int, day time.Time) string {
	return fmt.Sprintf("chat.act:%d:%s", location, day.UTC().Format("20060102"))
}

// actKey sorts the entries of a day by when their tickets were made.
func actKey(t *ticket.Ticket) string {
	return fmt.Sprintf("%016x.%016x", uint64(t.Place.CreatedAt.UnixMilli()), uint64(t.ID))
}

// Effects implements ledger.Effects.
func (f *Effects) Effects(s *ticket.State, e ticket.Event) []store.Doc {
	var docs []store.Doc
	if t := s.Tickets[e.Ticket]; t != nil && s.Location != nil {
		docs = f.ofTicket(docs, s, t, e)
	}
	if f.next != nil {
		docs = append(docs, f.next.Effects(s, e)...)
	}
	return docs
}

func (f *Effects) ofTicket(docs []store.Doc, s *ticket.State, t *ticket.Ticket, e ticket.Event) []store.Doc {
	id := strconv.FormatInt(t.ID, 10)
	switch e.Type {
	case ticket.EventErased:
		f.staged = true
		docs = append(docs, store.Doc{Kind: scrubDocs, Key: id, Value: []byte(id)})
	case ticket.EventCreated:
		if m := e.Facts.MovedFrom; m != nil { // so that an erasure of either reaches both
			docs = append(docs, store.Doc{Kind: linkDocs(m.Ticket), Key: "t:" + id, Value: []byte("1")})
		}
	case ticket.EventParticipant:
		if p := e.Personal; p != nil && p.Name != nil && p.Name.Contact != "" {
			docs = append(docs, store.Doc{Kind: linkDocs(t.ID), Key: "c:" + p.Name.Contact, Value: []byte("1")})
		}
	case ticket.EventMessage:
		if e.Personal != nil {
			for _, a := range e.Personal.Attachments {
				docs = append(docs, store.Doc{Kind: linkDocs(t.ID), Key: "f:" + a.FileIdentifier, Value: []byte("1")})
				if validFile(a.FileIdentifier) {
					docs = append(docs, store.Doc{Kind: looseDocs, Key: a.FileIdentifier}) // it is not loose any more
				}
			}
		}
	}
	if t.Conversation.State == "" {
		return docs
	}
	// A list finds tickets by when they were made; those that had activity on
	// another day are found by that day.
	for _, at := range []time.Time{e.Time, e.Facts.EntryAt} {
		if !at.IsZero() && !sameDay(at, t.Place.CreatedAt) {
			docs = append(docs, store.Doc{Kind: actDocs(s.Journal, at), Key: actKey(t), Value: []byte("1")})
		}
	}
	return docs
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Truncate(24 * time.Hour).Equal(b.UTC().Truncate(24 * time.Hour))
}

// Committed implements ledger.Effects.
func (f *Effects) Committed() {
	if f.staged {
		f.staged = false
		f.stir()
	}
	if f.next != nil {
		f.next.Committed()
	}
}

// Abandoned implements ledger.Effects.
func (f *Effects) Abandoned() {
	f.staged = false
	if f.next != nil {
		f.next.Abandoned()
	}
}

// stir wakes whoever scrubs.
func (f *Effects) stir() {
	select {
	case f.wake <- struct{}{}:
	default: // it will look anyway
	}
}

var _ ledger.Effects = (*Effects)(nil)
