package maintenance

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/store"
)

// A backup is a tar file: a note of what it is, the store's own backup in parts
// of known size, the other files of the data folder, and a mark at the end. The
// key that seals secrets is among the files, so a backup is as secret as the folder.
const (
	noteName = "nowserving.json"
	partName = "store/"
	fileName = "files/"
	endName  = "end"
	// StoreFolder is the store's place in the data folder.
	StoreFolder = "store"

	partSize = 1 << 20
	// maxArchived bounds one file of a backup; uploads are far smaller.
	maxArchived = 1 << 30
)

// ErrArchive says that a backup file is not whole, or is none.
var ErrArchive = errors.New("the backup file is damaged")

// note is the first entry of a backup.
type note struct {
	Form int       `json:"nowservingBackup"`
	Made time.Time `json:"made"`
}

// Source is a store that can be backed up.
type Source interface {
	Backup(ctx context.Context, w io.Writer) error
}

// Write writes a backup of a data folder. The store is read first, in one moment;
// files are written before the store refers to them, and never changed, so those
// of that moment are still there, except what was erased since.
func Write(ctx context.Context, w io.Writer, st Source, data string, now time.Time) error {
	out := tar.NewWriter(w)
	text, err := json.Marshal(note{Form: 1, Made: now.UTC()})
	if err != nil {
		return err
	}
	add := func(name string, body []byte) error {
		err := out.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body)), ModTime: now})
		if err == nil {
			_, err = out.Write(body)
		}
		return err
	}
	if err := add(noteName, text); err != nil {
		return err
	}
	parts := 0
	cut := bufio.NewWriterSize(writerFunc(func(p []byte) (int, error) {
		parts++
		return len(p), add(fmt.Sprintf("%s%08d", partName, parts), p)
	}), partSize)
	if err := st.Backup(ctx, cut); err != nil {
		return err
	}
	if err := cut.Flush(); err != nil {
		return err
	}
	if err := addFiles(ctx, out, data); err != nil {
		return err
	}
	if err := add(endName, nil); err != nil {
		return err
	}
	return out.Close()
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// addFiles adds what lies beside the store. A file that goes away meanwhile was
// erased; it is not missed.
func addFiles(ctx context.Context, out *tar.Writer, data string) error {
	root, err := os.OpenRoot(data)
	if err != nil {
		return fmt.Errorf("back up files: %w", err)
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err == nil:
			err = context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist):
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() && name == StoreFolder {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || strings.HasSuffix(name, ".new") {
			return nil
		}
		return addFile(out, root, name)
	})
}

func addFile(out *tar.Writer, root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	err = out.WriteHeader(&tar.Header{
		Name: fileName + filepath.ToSlash(name), Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime(),
	})
	if err == nil {
		_, err = io.CopyN(out, f, info.Size())
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	return nil
}

// Restore makes a data folder of a backup. The folder must not be there, or be
// empty. It is put together beside its place and then renamed, so that a
// restoring that was cut off leaves nothing that looks like data.
func Restore(r io.Reader, data string, clock func() time.Time, log zerolog.Logger) error {
	data = filepath.Clean(data)
	if left, err := os.ReadDir(data); err == nil && len(left) > 0 {
		return fmt.Errorf("%s is not empty: a backup is restored into a folder of its own", data)
	}
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(data), filepath.Base(data)+".restoring-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // after the rename there is nothing there
	if err := unpack(r, tmp, clock, log); err != nil {
		return err
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(tmp, data)
}

// unpack writes a backup's files and feeds the store's parts to its own reader.
func unpack(r io.Reader, dir string, clock func() time.Time, log zerolog.Logger) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	pr, pw := io.Pipe()
	stored := make(chan error, 1)
	go func() { // ends when pw is closed, or with its own error
		err := store.Restore(pr, store.Options{Dir: filepath.Join(dir, StoreFolder), Clock: clock, Log: log})
		_ = pr.CloseWithError(err)
		stored <- err
	}()
	a := &archive{tar: tar.NewReader(r), root: root, parts: pw}
	err = a.read()
	_ = pw.CloseWithError(err)
	if inStore := <-stored; err == nil || errors.Is(err, inStore) {
		err = inStore
	}
	return err
}

type archive struct {
	tar   *tar.Reader
	root  *os.Root
	parts *io.PipeWriter
	seen  int // parts
}

func (a *archive) read() error {
	for first := true; ; first = false {
		h, err := a.tar.Next()
		if err != nil { // io.EOF too: the mark at the end must come
			return fmt.Errorf("%w: it ends too early (%w)", ErrArchive, err)
		}
		switch {
		case h.Typeflag != tar.TypeReg || h.Size > maxArchived:
			return fmt.Errorf("%w: %.80q is no file", ErrArchive, h.Name)
		case first:
			err = a.note(h.Name)
		case h.Name == endName:
			return a.parts.Close()
		case strings.HasPrefix(h.Name, partName):
			err = a.part(h.Name)
		case strings.HasPrefix(h.Name, fileName):
			err = a.file(strings.TrimPrefix(h.Name, fileName), h)
		default:
			err = fmt.Errorf("%w: unknown entry %.80q", ErrArchive, h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func (a *archive) note(name string) error {
	var n note
	err := json.NewDecoder(io.LimitReader(a.tar, 4096)).Decode(&n)
	if name != noteName || err != nil || n.Form < 1 {
		return fmt.Errorf("%w: it is no backup of nowserving", ErrArchive)
	}
	if n.Form > 1 {
		return fmt.Errorf("the backup has form %d, this program knows form 1", n.Form)
	}
	return nil
}

func (a *archive) part(name string) error {
	if a.seen++; name != fmt.Sprintf("%s%08d", partName, a.seen) {
		return fmt.Errorf("%w: %.80q comes as part %d", ErrArchive, name, a.seen)
	}
	if _, err := io.Copy(a.parts, a.tar); err != nil {
		return fmt.Errorf("part %d: %w", a.seen, err)
	}
	return nil
}

// file writes one file. Names from outside never lead out of the folder, nor into
// the store.
func (a *archive) file(name string, h *tar.Header) error {
	clean := path.Clean(name)
	if clean != name || !filepath.IsLocal(filepath.FromSlash(name)) || name == StoreFolder || strings.HasPrefix(name, StoreFolder+"/") {
		return fmt.Errorf("%w: a file named %.80q", ErrArchive, name)
	}
	if dir := path.Dir(name); dir != "." {
		if err := a.root.MkdirAll(filepath.FromSlash(dir), 0o700); err != nil {
			return err
		}
	}
	f, err := a.root.OpenFile(filepath.FromSlash(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(h.Mode)&0o700)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrArchive, err)
	}
	_, err = io.CopyN(f, a.tar, h.Size)
	return errors.Join(err, f.Sync(), f.Close())
}
