package chatapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/store"
)

const (
	fileDocs   = "chat.file"
	filePrefix = "/files/"
	// linkTTL is how long a link to a file works.
	linkTTL = 3 * time.Hour
	// phoneTTL is the same for links in text messages, which are read later.
	phoneTTL = 7 * 24 * time.Hour
	// linkStep makes links of the same file equal for a while, so that a page that
	// is drawn again does not load everything anew.
	linkStep = 10 * time.Minute
	thumbEnd = ".thumb.jpg"
)

// fileMeta describes an uploaded file.
type fileMeta struct {
	Name        string    `json:"name"`
	ContentType string    `json:"contentType"`
	Size        int64     `json:"size"`
	Department  string    `json:"department"`
	Ticket      int64     `json:"ticket,omitempty"` // whose it is, when it was uploaded for one
	State       string    `json:"state"`
	Thumb       bool      `json:"thumb,omitempty"`
	Uploaded    time.Time `json:"uploaded"`
}

// files are kept in a folder, by their id.
type files struct{ root *os.Root }

func openFiles(dir string) (files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return files{}, fmt.Errorf("chatapi: files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return files{}, fmt.Errorf("chatapi: files: %w", err)
	}
	return files{root}, nil
}

// Close lets go of the folder of files.
func (a *API) Close() error { return a.files.root.Close() }

// put writes a file aside, syncs it and renames it, so that a name is a whole file.
func (f files) put(name string, content io.Reader) error {
	aside := name + ".new"
	out, err := f.root.OpenFile(aside, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = f.root.Rename(aside, name)
	}
	if err != nil {
		_ = f.root.Remove(aside)
	}
	return err
}

func (f files) remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// validFile says whether a name is one that we give.
func validFile(id string) bool {
	base, ext, _ := strings.Cut(id, ".")
	_, ok := parseGUID(base)
	return ok && base == strings.ToLower(base) && len(ext) <= 8 && strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// ownFile tells the id of a file of ours from the path of its link.
func ownFile(p string) (string, bool) {
	id, ok := strings.CutPrefix(p, filePrefix)
	return id, ok && validFile(id)
}

func (a *API) fileOf(id string) (fileMeta, error) {
	var m fileMeta
	if !validFile(id) {
		return m, store.ErrNotFound
	}
	return m, a.readDoc(fileDocs, id, &m)
}

// dropFile takes a file away for good.
func (a *API) dropFile(ctx context.Context, id string) error {
	if !validFile(id) {
		return nil // a link to somewhere else
	}
	if err := errors.Join(a.files.remove(id), a.files.remove(id+thumbEnd)); err != nil {
		return err
	}
	return a.Ledger.PutDocs(ctx, store.Doc{Kind: fileDocs, Key: id}, store.Doc{Kind: looseDocs, Key: id})
}

// signed is the link to a file, good for linkTTL.
func (a *API) signed(base, name string) string { return a.signedFor(base, name, linkTTL) }

func (a *API) signedFor(base, name string, ttl time.Duration) string {
	until := a.Clock().Add(ttl).Truncate(linkStep).Add(linkStep).Unix()
	return base + filePrefix + name + "?e=" + strconv.FormatInt(until, 10) + "&s=" + a.signature(name, until)
}

func (a *API) signature(name string, until int64) string {
	mac := hmac.New(sha256.New, a.Key)
	_, _ = fmt.Fprintf(mac, "file\x00%s\x00%d", name, until)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// checkLink says whether a link is one that we gave and that still works.
func (a *API) checkLink(u *url.URL) bool {
	q := u.Query()
	until, err := strconv.ParseInt(q.Get("e"), 10, 64)
	name := strings.TrimPrefix(u.Path, filePrefix)
	return err == nil && hmac.Equal([]byte(q.Get("s")), []byte(a.signature(name, until))) && a.Clock().Unix() < until
}

// attachment shows a file of the thread, with links of now.
func (a *API) attachment(base string, x *ticket.Attachment) ticket.ChatAttachment {
	out := ticket.ChatAttachment{
		ID: x.ID, Type: x.Type, FileIdentifier: x.FileIdentifier, OriginalFileName: x.OriginalFileName,
		Thumbnails: []string{}, ThumbnailFiles: []string{}, URI: x.URI, IsEmbedded: x.IsEmbedded, SanitizationState: "Undefined",
	}
	if x.FileIdentifier == "" || x.URI != "" {
		if strings.HasPrefix(x.URI, "/") { // a page of ours
			out.URI = base + x.URI
		}
		return out
	}
	m, err := a.fileOf(x.FileIdentifier)
	if err != nil {
		return out // it is gone; so are its links
	}
	out.SanitizationState = m.State
	out.URI = a.signed(base, x.FileIdentifier)
	if m.Thumb && m.State == stateAllowed {
		out.Thumbnails = append(out.Thumbnails, a.signed(base, x.FileIdentifier+thumbEnd))
		out.ThumbnailFiles = append(out.ThumbnailFiles, x.FileIdentifier+thumbEnd)
	}
	return out
}

// FileLink is the link to a file of a message that goes to a phone, good for
// phoneTTL; "" when the file is gone. base is the node's address.
func (a *API) FileLink(base string, x *ticket.Attachment) string {
	link := a.attachment(base, x).URI
	if link != "" && x.URI == "" {
		link = a.signedFor(base, x.FileIdentifier, phoneTTL)
	}
	return link
}

// serveFile sends a file to whoever holds its link. It is never shown as a page
// of ours: it is always something to save.
func (a *API) serveFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, filePrefix)
	id := strings.TrimSuffix(name, thumbEnd)
	m, err := a.fileOf(id)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		err = wire.Errorf(wire.NotFound, "there is nothing at this address")
	case !a.checkLink(r.URL):
		err = wire.Errorf(wire.Forbidden, "this link has run out, or was never one")
	case errors.Is(err, store.ErrNotFound):
		err = wire.Errorf(wire.NotFound, "this file is not there any more")
	case err == nil && m.State == stateBlocked:
		err = wire.Errorf(wire.Forbidden, "this file is blocked: it was found to be harmful")
	case err == nil && m.State != stateAllowed:
		err = &wire.Error{Code: wire.Unavailable, Message: "this file is still being looked at", RetryAfter: 10}
	}
	if err != nil {
		(&call{API: a, w: w, r: r}).fail(err)
		return
	}
	f, err := a.files.root.Open(name)
	if err != nil {
		(&call{API: a, w: w, r: r}).fail(wire.Errorf(wire.NotFound, "this file is not there any more"))
		return
	}
	defer func() { _ = f.Close() }() // read only
	h := w.Header()
	h.Set("Content-Type", m.ContentType)
	if name != id {
		h.Set("Content-Type", "image/jpeg")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename*=UTF-8''`+url.PathEscape(m.Name))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=600")
	ops.Embeddable(h) // a widget on another site shows pictures of its conversation
	http.ServeContent(w, r, "", m.Uploaded, f)
}

// kindOf is what a content type is called in this API.
func kindOf(contentType string) string {
	switch {
	case strings.HasPrefix(contentType, "image/"):
		return "Image"
	case strings.HasPrefix(contentType, "video/"):
		return "Video"
	case strings.HasPrefix(contentType, "audio/"):
		return "Audio"
	case contentType == "application/pdf" || strings.HasPrefix(contentType, "text/"):
		return "Document"
	}
	return "File"
}

// kindByName guesses from a name, for files that we do not have.
func kindByName(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp":
		return "Image"
	case ".mp4", ".webm", ".mov":
		return "Video"
	case ".mp3", ".wav", ".ogg", ".m4a":
		return "Audio"
	case ".pdf", ".doc", ".docx", ".txt", ".odt":
		return "Document"
	}
	return "File"
}

// safeName is a file's name as people gave it, without any folder.
func safeName(v string) string {
	v = filepath.Base(strings.ReplaceAll(v, `\`, "/"))
	v = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '/' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(v, ""))
	if v == "" || v == "." || v == ".." {
		return "file"
	}
	return short(v, 120)
}
