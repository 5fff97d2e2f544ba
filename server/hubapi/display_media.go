package hubapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops"
)

const (
	// mediumIDLength is that of a Medium's id: half a SHA-256, in hex.
	mediumIDLength = 32
	// maxFiles bounds what one location keeps.
	maxFiles = 100
)

// Media keeps the images and videos that screens show, as files named by their
// content.
type Media struct {
	dir string
	mu  sync.Mutex // serialises Put: the limit is counted, then used
}

// NewMedia makes a Media over a folder, which need not exist yet.
func NewMedia(dir string) *Media { return &Media{dir: dir} }

func (m *Media) folder(location int) string { return filepath.Join(m.dir, strconv.Itoa(location)) }

// Put keeps a file and says its id and type. The type is what the content is,
// whatever anybody says that it is.
func (m *Media) Put(location int, content []byte) (ticket.Medium, error) {
	kind, _, _ := strings.Cut(http.DetectContentType(content), ";")
	if !slices.Contains(ticket.MediaTypes(), kind) {
		return ticket.Medium{}, wire.FieldError("body", "screens show %s", strings.Join(ticket.MediaTypes(), ", "))
	}
	sum := sha256.Sum256(content)
	out := ticket.Medium{ID: hex.EncodeToString(sum[:])[:mediumIDLength], Type: kind}
	m.mu.Lock()
	defer m.mu.Unlock()
	folder := m.folder(location)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return out, fmt.Errorf("make the folder of media: %w", err)
	}
	path := filepath.Join(folder, out.ID)
	if _, err := os.Stat(path); err == nil {
		return out, nil
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return out, fmt.Errorf("list media: %w", err)
	}
	if len(files) >= maxFiles {
		return out, wire.Errorf(wire.Conflict, "a location keeps at most %d files", maxFiles)
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return out, fmt.Errorf("write medium: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return out, fmt.Errorf("write medium: %w", err)
	}
	return out, nil
}

// open is a file by its id.
func (m *Media) open(location int, id string) (*os.File, error) {
	missing := wire.Errorf(wire.NotFound, "there is no such file")
	if len(id) != mediumIDLength || strings.Trim(id, "0123456789abcdef") != "" {
		return nil, missing
	}
	f, err := os.Open(filepath.Join(m.folder(location), id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, missing
	}
	return f, err
}

// upload is POST /hub/v1/locations/{location}/media; the body is the file.
func (a *API) upload(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	id, err := a.staff(r)
	location := number(p, "location")
	if err == nil {
		err = a.o.Access.Admin(id, location)
	}
	var content []byte
	if err == nil {
		content, err = io.ReadAll(r.Body) // bounded by ops.Limits
	}
	var medium ticket.Medium
	if err == nil {
		medium, err = a.o.Screens.Media.Put(location, content)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, medium)
}

// medium is GET /board/{location}/media/{id}.
func (a *API) medium(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	location := number(p, "location")
	_, err := a.screen(r, location)
	var f *os.File
	if err == nil {
		f, err = a.o.Screens.Media.open(location, p.ByName("id"))
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", forever)
	http.ServeContent(w, r, "", info.ModTime(), f)
}
