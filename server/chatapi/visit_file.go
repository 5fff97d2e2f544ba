package chatapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/store"
)

// Uploads that come through other doors than this API: a visitor's own, and those
// of a console. They belong to one ticket from the beginning.

// TicketFile is an upload as its ticket's people know it.
type TicketFile struct {
	ID   string `json:"file"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Type string `json:"type"` // media type, by content
	// State is pending, passed or blocked.
	State string `json:"state"`
	// Thumb says that there is a small picture of it.
	Thumb bool `json:"thumb,omitempty"`
}

// The states of a TicketFile.
const (
	FilePending = "pending"
	FilePassed  = "passed"
	FileBlocked = "blocked"
)

func (m *fileMeta) ticketFile(id string) TicketFile {
	state := map[string]string{stateAllowed: FilePassed, stateBlocked: FileBlocked}[m.State]
	if state == "" {
		state = FilePending
	}
	return TicketFile{ID: id, Name: m.Name, Size: m.Size, Type: m.ContentType, State: state, Thumb: m.Thumb && state == FilePassed}
}

// Attachment is the file as the n-th of a message, from 1.
func (f TicketFile) Attachment(n int) ticket.Attachment {
	return ticket.Attachment{ID: n, Type: kindOf(f.Type), FileIdentifier: f.ID, OriginalFileName: f.Name}
}

// PutTicketFile keeps an upload for a ticket of a department.
func (a *API) PutTicketFile(ctx context.Context, department string, ticketID int64, name string, content io.Reader) (TicketFile, error) {
	body, err := io.ReadAll(io.LimitReader(content, MaxFile+1))
	if err != nil {
		return TicketFile{}, err
	}
	if len(body) > MaxFile {
		return TicketFile{}, &wire.Error{Code: wire.TooLarge, Field: "file", Message: fmt.Sprintf("a file has at most %d bytes", MaxFile)}
	}
	if len(body) == 0 {
		return TicketFile{}, wire.FieldError("file", "the file is empty")
	}
	raw, err := uuid.NewRandomFromReader(a.Random)
	if err != nil {
		return TicketFile{}, fmt.Errorf("draw file id: %w", err)
	}
	m := fileMeta{
		Name: safeName(name), Size: int64(len(body)), Department: department, Ticket: ticketID, Uploaded: a.Clock().UTC(),
		ContentType: contentType(body),
	}
	id := raw.String() + extension(m.ContentType, m.Name)
	if m.State, err = a.scanned(ctx, id, body); err != nil {
		return TicketFile{}, err
	}
	if err := a.files.put(id, bytes.NewReader(body)); err != nil {
		return TicketFile{}, fmt.Errorf("store file: %w", err)
	}
	if small := thumbnail(body); small != nil {
		if err := a.files.put(id+thumbEnd, bytes.NewReader(small)); err != nil {
			return TicketFile{}, fmt.Errorf("store thumbnail: %w", err)
		}
		m.Thumb = true
	}
	doc, err := jsonDoc(fileDocs, id, m)
	if err != nil {
		return TicketFile{}, err
	}
	// The second one lets an erasure find it, whether or not a message carries it.
	link := store.Doc{Kind: linkDocs(ticketID), Key: "f:" + id, Value: []byte("1")}
	if err := a.Ledger.PutDocs(ctx, doc, link, looseDoc(id, m.Uploaded)); err != nil {
		return TicketFile{}, err
	}
	// An erasure that came meanwhile has looked for its files before this one was there.
	if t, err := a.Ledger.Ticket(ticketID); err == nil && t.Erased {
		return TicketFile{}, errors.Join(wire.Errorf(wire.Conflict, "ticket %d was erased", ticketID), a.scrub(ctx, ticketID))
	}
	return m.ticketFile(id), nil
}

// TicketFile describes an upload of a ticket, or one that a message of it carries.
// What is not there and what is somebody else's is the same store.ErrNotFound.
func (a *API) TicketFile(ticketID int64, id string) (TicketFile, error) {
	m, err := a.fileOf(id)
	if err != nil {
		return TicketFile{}, err
	}
	if m.Ticket != ticketID {
		if _, err := a.Ledger.Doc(linkDocs(ticketID), "f:"+id); err != nil {
			return TicketFile{}, err
		}
	}
	return m.ticketFile(id), nil
}

// ServeTicketFile answers with a file that has passed, or its small picture: as
// something to save, never as a page of ours.
func (a *API) ServeTicketFile(w http.ResponseWriter, r *http.Request, f TicketFile, thumb bool) {
	missing := wire.Errorf(wire.NotFound, "there is no such file")
	name, kind := f.ID, f.Type
	if thumb {
		name, kind = f.ID+thumbEnd, "image/jpeg"
	}
	switch {
	case f.State == FilePending:
		ops.WriteError(w, r, &wire.Error{Code: wire.Unavailable, Message: "this file is still being looked at", RetryAfter: 5})
		return
	case f.State != FilePassed, thumb && !f.Thumb:
		ops.WriteError(w, r, missing)
		return
	}
	in, err := a.files.root.Open(name)
	if err != nil {
		ops.WriteError(w, r, missing)
		return
	}
	defer func() { _ = in.Close() }() // read only
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename*=UTF-8''`+url.PathEscape(f.Name))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, in)
}

// LinkVisitor finds or makes the contacts of who begins a conversation elsewhere,
// and calls do with the documents to be written with the ticket.
func (a *API) LinkVisitor(department string, newcomers []ticket.Newcomer, do func(docs []store.Doc) error) error {
	a.contacts.Lock()
	defer a.contacts.Unlock()
	docs, err := (&call{API: a, guid: department}).linkContacts(newcomers)
	if err != nil {
		return err
	}
	return do(docs)
}

// UserStatus is a user's chat status, "" when none was ever set. Who is no agent
// has none either.
func (a *API) UserStatus(user int) string {
	a.profilesMu.RLock()
	defer a.profilesMu.RUnlock()
	p := a.profiles[user]
	if p.Type != "" && p.Type != typeAgent {
		return "Offline"
	}
	return p.Status
}

// IsNoFile reports whether an error says that there is no such file.
func IsNoFile(err error) bool { return errors.Is(err, store.ErrNotFound) }
