package hubapi

import (
	"bytes"
	"context"
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
	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/ops"
)

const (
	// mediumIDLength is that of a Medium's id: half a SHA-256, in hex.
	mediumIDLength = 32
	// maxFiles bounds what one location keeps.
	maxFiles = 100
	// sniffed is how much of a file tells what it is.
	sniffed = 512
)

// Media keeps the images and videos that screens show, as files named by their
// content.
type Media struct {
	dir     string
	scanner chatapi.Scanner // may be nil
	mu      sync.Mutex      // serialises Put: the limit is counted, then used
}

// NewMedia makes a Media over a folder, which need not exist yet. The scanner
// looks at what comes in; nil passes all.
func NewMedia(dir string, scanner chatapi.Scanner) *Media { return &Media{dir: dir, scanner: scanner} }

func (m *Media) folder(location int) string { return filepath.Join(m.dir, strconv.Itoa(location)) }

// Put keeps a file and says its id and type. The type is what the content is,
// whatever anybody says that it is. The file is never in memory as a whole.
func (m *Media) Put(ctx context.Context, location int, from io.Reader) (ticket.Medium, error) {
	head := make([]byte, sniffed)
	n, err := io.ReadFull(from, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return ticket.Medium{}, err
	}
	head = head[:n]
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if !slices.Contains(ticket.MediaTypes(), kind) {
		return ticket.Medium{}, wire.FieldError("body", "screens show %s", strings.Join(ticket.MediaTypes(), ", "))
	}
	folder := m.folder(location)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return ticket.Medium{}, fmt.Errorf("make the folder of media: %w", err)
	}
	aside, err := os.CreateTemp(folder, "*.new")
	if err != nil {
		return ticket.Medium{}, fmt.Errorf("write medium: %w", err)
	}
	defer func() { _ = os.Remove(aside.Name()) }() // gone already once it was renamed
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(aside, sum), io.MultiReader(bytes.NewReader(head), from))
	if err = errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return ticket.Medium{}, fmt.Errorf("write medium: %w", err)
	}
	if err := m.scan(ctx, aside.Name()); err != nil {
		return ticket.Medium{}, err
	}
	out := ticket.Medium{ID: hex.EncodeToString(sum.Sum(nil))[:mediumIDLength], Type: kind}
	return out, m.keep(folder, aside.Name(), out.ID)
}

// scan has a complete file looked at. What nobody could look at is not taken.
func (m *Media) scan(ctx context.Context, path string) error {
	if m.scanner == nil {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read medium: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	clean, err := m.scanner.Scan(ctx, f)
	switch {
	case err != nil:
		zerolog.Ctx(ctx).Warn().Err(err).Msg("medium not taken")
		return chatapi.Unscanned()
	case !clean:
		return wire.FieldError("body", "this file was found to be harmful")
	}
	return nil
}

// keep gives a complete file its name, if there is room.
func (m *Media) keep(folder, aside, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Join(folder, id)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("list media: %w", err)
	}
	files = slices.DeleteFunc(files, func(f os.DirEntry) bool { return !isMedium(f.Name()) })
	if len(files) >= maxFiles {
		return wire.Errorf(wire.Conflict, "a location keeps at most %d files", maxFiles)
	}
	if err := os.Rename(aside, path); err != nil {
		return fmt.Errorf("write medium: %w", err)
	}
	return nil
}

// Stored is a file that a location keeps.
type Stored struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	// Used says that the screens' settings name it.
	Used bool `json:"used"`
}

// List is what a location keeps.
func (m *Media) List(location int) ([]Stored, error) {
	files, err := os.ReadDir(m.folder(location))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list media: %w", err)
	}
	out := []Stored{}
	for _, entry := range files {
		if !isMedium(entry.Name()) {
			continue
		}
		one, err := m.about(location, entry.Name())
		if wire.CodeOf(err) == wire.NotFound { // somebody has just taken it away
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (m *Media) about(location int, id string) (Stored, error) {
	f, err := m.open(location, id)
	if err != nil {
		return Stored{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return Stored{}, fmt.Errorf("list media: %w", err)
	}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Stored{}, fmt.Errorf("list media: %w", err)
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head[:n]), ";")
	return Stored{ID: id, Type: kind, Size: info.Size()}, nil
}

// Remove takes a file away.
func (m *Media) Remove(location int, id string) error {
	f, err := m.open(location, id) // checks the id
	if err != nil {
		return err
	}
	_ = f.Close()
	if err := os.Remove(filepath.Join(m.folder(location), id)); err != nil {
		return fmt.Errorf("remove medium: %w", err)
	}
	return nil
}

func isMedium(id string) bool {
	return len(id) == mediumIDLength && strings.Trim(id, "0123456789abcdef") == ""
}

// open is a file by its id.
func (m *Media) open(location int, id string) (*os.File, error) {
	missing := wire.Errorf(wire.NotFound, "there is no such file")
	if !isMedium(id) {
		return nil, missing
	}
	f, err := os.Open(filepath.Join(m.folder(location), id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, missing
	}
	return f, err
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
