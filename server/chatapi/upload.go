package chatapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // pictures that a thumbnail can be made of
	"image/jpeg"
	_ "image/png"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"golang.org/x/image/draw"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// The states of a file, as the form calls them.
const (
	stateAllowed    = "Allowed"
	stateBlocked    = "Blocked"
	stateProcessing = "Processing"
)

const (
	maxParts = 20
	// maxPixels bounds what a picture may unfold to.
	maxPixels = 40 << 20
	thumbSize = 240
)

// Scanner says whether a file is harmless. ErrUnscanned means that nobody looked:
// the upload is refused. Any other error means that it is not known yet: the file
// waits, nobody gets it, and the scanner is asked again.
type Scanner interface {
	Scan(ctx context.Context, content io.Reader) (clean bool, err error)
}

// ErrUnscanned is the error of a Scanner that cannot look at a file.
var ErrUnscanned = errors.New("the file was not scanned")

// unscannedRetry is when an upload may be tried again, in seconds.
const unscannedRetry = 30

// Unscanned is how an upload is refused that nobody could look at.
func Unscanned() *wire.Error {
	return &wire.Error{
		Code: wire.Unavailable, Message: "files cannot be scanned for viruses now, so none are taken; please try again later", RetryAfter: unscannedRetry,
	}
}

// passAll is the scanner of a house that has none.
type passAll struct{}

func (passAll) Scan(context.Context, io.Reader) (bool, error) { return true, nil }

// upload is POST /files/upload: one part per file; it answers with their links.
func upload(c *call) (any, error) {
	if c.r.ContentLength > MaxUpload {
		c.w.Header().Set("Connection", "close") // we will not read it to find the next request
		return nil, wire.Errorf(wire.TooLarge, "an upload has at most %d bytes", MaxUpload)
	}
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, wire.FieldError("body", "the body is multipart/form-data, one part per file")
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, MaxUpload)
	parts, err := c.r.MultipartReader()
	if err != nil {
		return nil, wire.FieldError("body", "the body is multipart/form-data, one part per file")
	}
	links := []string{}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if n == maxParts {
			return nil, wire.FieldError("files", "files: at most %d at a time", maxParts)
		}
		if part.FileName() == "" {
			continue // a field of the form
		}
		content, err := io.ReadAll(io.LimitReader(part, MaxFile+1))
		if err != nil {
			return nil, unreadable(err)
		}
		id, err := c.keep(part.FileName(), content)
		if err != nil {
			return nil, err
		}
		links = append(links, c.signed(c.base(), id))
	}
	if len(links) == 0 {
		return nil, wire.FieldError("files", "files: there is no file in the body")
	}
	return links, nil
}

func unreadable(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return wire.Errorf(wire.TooLarge, "an upload has at most %d bytes", MaxUpload)
	}
	return wire.FieldError("body", "the body is not well-formed multipart/form-data")
}

// keep stores one file.
func (c *call) keep(name string, content []byte) (string, error) {
	switch {
	case len(content) > MaxFile:
		return "", wire.Errorf(wire.TooLarge, "files: a file has at most %d bytes", MaxFile)
	case len(content) == 0:
		return "", wire.FieldError("files", "files: %s is empty", clip(safeName(name)))
	}
	id, err := c.guidOf()
	if err != nil {
		return "", err
	}
	m := fileMeta{
		Name: safeName(name), Size: int64(len(content)), Department: c.guid, Uploaded: c.Clock().UTC(), ContentType: contentType(content),
	}
	id += extension(m.ContentType, m.Name)
	if m.State, err = c.scanned(c.r.Context(), id, content); err != nil {
		return "", err
	}
	if err := c.files.put(id, bytes.NewReader(content)); err != nil {
		return "", fmt.Errorf("store file: %w", err)
	}
	if small := thumbnail(content); small != nil {
		if err := c.files.put(id+thumbEnd, bytes.NewReader(small)); err != nil {
			return "", fmt.Errorf("store thumbnail: %w", err)
		}
		m.Thumb = true
	}
	doc, err := jsonDoc(fileDocs, id, m)
	if err != nil {
		return "", err
	}
	return id, c.Ledger.PutDocs(c.r.Context(), doc, looseDoc(id, m.Uploaded))
}

// looseDocs name uploads that no message carries yet. The commit of a message takes
// those that it carries off the list; see Effects.
const looseDocs = "chat.loose"

// looseTTL is how long an upload may wait for its message: longer than a link to
// it works.
const looseTTL = 24 * time.Hour

func looseDoc(id string, at time.Time) store.Doc {
	return store.Doc{Kind: looseDocs, Key: id, Value: []byte(at.UTC().Format(time.RFC3339))}
}

// tidy takes away uploads that no message came for.
func (a *API) tidy(ctx context.Context) error {
	now := a.Clock()
	for d, err := range a.Ledger.Docs(looseDocs) {
		if err != nil {
			return fmt.Errorf("read uploads: %w", err)
		}
		at, err := time.Parse(time.RFC3339, string(d.Value))
		if err != nil {
			return fmt.Errorf("upload %.60q: %w", d.Key, err)
		}
		if now.Sub(at) < looseTTL {
			continue
		}
		if err := a.dropFile(ctx, d.Key); err != nil {
			return fmt.Errorf("upload %.60q: %w", d.Key, err)
		}
	}
	return nil
}

// scanned asks the scanner for a file's state. An error refuses the file.
func (a *API) scanned(ctx context.Context, id string, content []byte) (string, error) {
	clean, err := a.Scanner.Scan(ctx, bytes.NewReader(content))
	switch {
	case errors.Is(err, ErrUnscanned):
		a.Log.Warn().Err(err).Str("file", id).Msg("file not taken")
		return "", Unscanned()
	case err != nil:
		a.Log.Warn().Err(err).Str("file", id).Msg("file not scanned; trying again")
		return stateProcessing, nil
	case clean:
		return stateAllowed, nil
	}
	a.Log.Warn().Str("file", id).Msg("file is harmful and blocked")
	return stateBlocked, nil
}

// contentType is what the content says it is, not its name. What a browser would
// run is only ever bytes.
func contentType(content []byte) string {
	t := http.DetectContentType(content)
	if strings.HasPrefix(t, "text/html") || strings.HasPrefix(t, "text/xml") || strings.Contains(t, "svg") {
		return "application/octet-stream"
	}
	return t
}

// extension is the end of the stored name: what the content says, else a plain
// one of the given name.
func extension(contentType, name string) string {
	known := map[string]string{
		"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "application/pdf": ".pdf",
		"video/mp4": ".mp4", "video/webm": ".webm", "audio/mpeg": ".mp3", "audio/wave": ".wav", "application/zip": ".zip",
	}
	base, _, _ := strings.Cut(contentType, ";")
	if ext, ok := known[base]; ok {
		return ext
	}
	if strings.HasPrefix(base, "text/") {
		return ".txt"
	}
	if ext := strings.ToLower(path.Ext(name)); validFile("00000000-0000-0000-0000-000000000000"+ext) && ext != ".html" && ext != ".svg" {
		return ext
	}
	return ".bin"
}

// thumbnail is a small JPEG of a picture; nil for anything else.
func thumbnail(content []byte) []byte {
	conf, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || conf.Width < 1 || conf.Height < 1 || conf.Width*conf.Height > maxPixels {
		return nil
	}
	img, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	w, h := thumbSize, conf.Height*thumbSize/conf.Width
	if conf.Height > conf.Width {
		w, h = conf.Width*thumbSize/conf.Height, thumbSize
	}
	small := image.NewRGBA(image.Rect(0, 0, max(1, w), max(1, h)))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if jpeg.Encode(&out, small, &jpeg.Options{Quality: 80}) != nil {
		return nil
	}
	return out.Bytes()
}

// rescan asks again about files that could not be looked at.
func (a *API) rescan(ctx context.Context) error {
	for d, err := range a.Ledger.Docs(fileDocs) {
		if err != nil {
			return fmt.Errorf("read files: %w", err)
		}
		m, err := a.fileOf(d.Key)
		if err != nil || m.State != stateProcessing {
			continue
		}
		content, err := a.files.root.ReadFile(d.Key)
		if err != nil {
			continue
		}
		if m.State, err = a.scanned(ctx, d.Key, content); err != nil || m.State == stateProcessing {
			return nil // the scanner is still away
		}
		doc, err := jsonDoc(fileDocs, d.Key, m)
		if err == nil {
			err = a.Ledger.PutDocs(ctx, doc)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
