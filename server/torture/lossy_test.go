//go:build torture && linux

package torture

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

const pageSize = 4096

// lossy is a disk with a cache that a power cut empties. What was synced stays;
// of what was only written, each page may have reached the disk or not.
type lossy struct {
	lies bool // answers every sync without doing it

	mu    sync.Mutex // protects the rest
	off   bool       // the power
	names map[string]*blob
	// kept are the names that a sync made lasting, of the file or of its folder.
	kept  map[string]*blob
	dirs  map[string]bool
	syncs int
}

// blob is a file's content: as it is read, and as it is on the disk.
type blob struct {
	now, disk []byte
	size      int // of what is on the disk
	dirty     map[int]bool
}

func newLossy() *lossy {
	return &lossy{names: map[string]*blob{}, kept: map[string]*blob{}, dirs: map[string]bool{}}
}

// insert puts a folder's files on the disk.
func (l *lossy) insert(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			l.dirs[name] = true
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f := &blob{now: b, disk: append([]byte(nil), b...), size: len(b), dirty: map[int]bool{}}
		l.names[name], l.kept[name] = f, f
		return nil
	})
}

// mount serves the disk at a folder until the returned function is called.
func (l *lossy) mount(t *testing.T, at string) (unmount func()) {
	t.Helper()
	server, err := fs.Mount(at, &folder{disk: l}, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMount: true, FsName: "lossy", Name: "lossy", MaxWrite: 1 << 20},
	})
	if err != nil {
		t.Skipf("needs the right to mount FUSE: %v", err)
	}
	unmount = sync.OnceFunc(func() {
		_ = syscall.Unmount(at, syscall.MNT_DETACH)
		server.Wait()
	})
	t.Cleanup(unmount)
	return unmount
}

// cut turns the power off: from now on nothing reaches the disk. It writes what is
// on it then into a folder, the names as strictly as the seed says.
func (l *lossy) cut(seed uint64, to string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off = true
	rng := rand.New(rand.NewPCG(seed, 7))
	names := l.names
	if rng.IntN(2) == 0 {
		names = l.kept
	}
	for dir := range l.dirs {
		if err := os.MkdirAll(filepath.Join(to, dir), 0o700); err != nil {
			return err
		}
	}
	for name, f := range names {
		if err := os.WriteFile(filepath.Join(to, name), f.after(rng), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// after is what a power cut leaves of a file.
func (f *blob) after(rng *rand.Rand) []byte {
	out := append([]byte(nil), f.disk[:min(f.size, len(f.disk))]...)
	written := rng.IntN(4) // of 4 pages in the cache so many had been written back
	if len(f.now) > len(out) && rng.IntN(2) == 0 {
		out = append(out, make([]byte, len(f.now)-len(out))...) // the length came, the data did not
	}
	for p := range f.dirty {
		if at := p * pageSize; rng.IntN(4) < written && at < len(out) && at < len(f.now) {
			copy(out[at:], f.now[at:min(at+pageSize, len(f.now))])
		}
	}
	return out
}

func (f *blob) sync() {
	if len(f.disk) < len(f.now) {
		f.disk = append(f.disk, make([]byte, len(f.now)-len(f.disk))...)
	}
	for p := range f.dirty {
		if at := p * pageSize; at < len(f.now) {
			copy(f.disk[at:], f.now[at:min(at+pageSize, len(f.now))])
		}
	}
	clear(f.dirty)
	f.size = len(f.now)
}

func (f *blob) resize(n int) {
	for p := n / pageSize; p <= len(f.now)/pageSize; p++ {
		f.dirty[p] = true
	}
	if n <= len(f.now) {
		clear(f.now[n:])
		f.now = f.now[:n]
	} else {
		f.now = append(f.now, make([]byte, n-len(f.now))...)
	}
}

func (f *blob) write(p []byte, at int) {
	if end := at + len(p); end > len(f.now) {
		f.resize(end)
	}
	copy(f.now[at:], p)
	for n := at / pageSize; n <= (at+len(p)-1)/pageSize; n++ {
		f.dirty[n] = true
	}
}

// folder is a directory.
type folder struct {
	fs.Inode
	disk *lossy
}

func (d *folder) path(name string) string {
	return filepath.Join(strings.TrimPrefix(d.Path(nil), "/"), name)
}

// OnAdd makes the tree of what is there already.
func (d *folder) OnAdd(ctx context.Context) {
	if !d.IsRoot() {
		return
	}
	inner := func(path string) *fs.Inode {
		at := d.EmbeddedInode()
		for _, part := range strings.Split(path, string(filepath.Separator)) {
			if part == "." || part == "" {
				continue
			}
			next := at.GetChild(part)
			if next == nil {
				next = at.NewPersistentInode(ctx, &folder{disk: d.disk}, fs.StableAttr{Mode: syscall.S_IFDIR})
				at.AddChild(part, next, false)
			}
			at = next
		}
		return at
	}
	for dir := range d.disk.dirs {
		inner(dir)
	}
	for name, f := range d.disk.names {
		at := inner(filepath.Dir(name))
		at.AddChild(filepath.Base(name), at.NewPersistentInode(ctx, &file{disk: d.disk, blob: f}, fs.StableAttr{}), false)
	}
}

// Mkdir is lasting at once.
func (d *folder) Mkdir(ctx context.Context, name string, _ uint32, _ *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	if d.disk.off {
		return nil, syscall.EIO
	}
	d.disk.dirs[d.path(name)] = true
	return d.NewPersistentInode(ctx, &folder{disk: d.disk}, fs.StableAttr{Mode: syscall.S_IFDIR}), 0
}

// Create makes an empty file, whose name is not lasting yet.
func (d *folder) Create(ctx context.Context, name string, _, _ uint32, _ *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	if d.disk.off {
		return nil, nil, 0, syscall.EIO
	}
	f := &blob{dirty: map[int]bool{}}
	d.disk.names[d.path(name)] = f
	return d.NewPersistentInode(ctx, &file{disk: d.disk, blob: f}, fs.StableAttr{}), nil, 0, 0
}

// Unlink forgets a name.
func (d *folder) Unlink(_ context.Context, name string) syscall.Errno {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	if d.disk.off {
		return syscall.EIO
	}
	delete(d.disk.names, d.path(name))
	return 0
}

// Rename moves a file; folders stay where they are.
func (d *folder) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, _ uint32) syscall.Errno {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	target, ok := to.(*folder)
	f := d.disk.names[d.path(name)]
	if d.disk.off || !ok || f == nil {
		return syscall.EIO
	}
	delete(d.disk.names, d.path(name))
	d.disk.names[target.path(newName)] = f
	return 0
}

// Fsync makes the names in the folder lasting.
func (d *folder) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	l := d.disk
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return syscall.EIO
	}
	if l.lies {
		return 0
	}
	here := d.path("")
	in := func(name string) bool { return filepath.Dir(name) == filepath.Clean(here) || here == "" }
	for name := range l.kept {
		if in(name) && l.names[name] == nil {
			delete(l.kept, name)
		}
	}
	for name, f := range l.names {
		if in(name) {
			l.kept[name] = f
		}
	}
	return 0
}

// Statfs says that there is room.
func (d *folder) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Blocks, out.Bfree, out.Bavail, out.NameLen = pageSize, 1<<24, 1<<23, 1<<23, 255
	return 0
}

// file is a file.
type file struct {
	fs.Inode
	disk *lossy
	blob *blob
}

func (f *file) attr(out *fuse.Attr) { out.Mode, out.Size = 0o600, uint64(len(f.blob.now)) }

// Getattr tells the size.
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.attr(&out.Attr)
	return 0
}

// Setattr changes the size.
func (f *file) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		if f.disk.off {
			return syscall.EIO
		}
		f.blob.resize(int(size))
	}
	f.attr(&out.Attr)
	return 0
}

// Open lets the kernel cache pages, so that files can be mapped.
func (f *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Read reads.
func (f *file) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	at := min(int(off), len(f.blob.now))
	return fuse.ReadResultData(dest[:copy(dest, f.blob.now[at:])]), 0
}

// Write writes into the cache.
func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return 0, syscall.EIO
	}
	f.blob.write(data, int(off))
	return uint32(len(data)), 0
}

// Fsync makes the content lasting, and with it the file's name, as file systems do.
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	l := f.disk
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return syscall.EIO
	}
	l.syncs++
	if l.lies {
		return 0
	}
	f.blob.sync()
	for name, b := range l.names {
		if b == f.blob {
			l.kept[name] = b
		}
	}
	return 0
}

// Flush has nothing to do: closing a file makes nothing lasting.
func (f *file) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

var (
	_ fs.NodeCreater   = (*folder)(nil)
	_ fs.NodeMkdirer   = (*folder)(nil)
	_ fs.NodeUnlinker  = (*folder)(nil)
	_ fs.NodeRenamer   = (*folder)(nil)
	_ fs.NodeFsyncer   = (*folder)(nil)
	_ fs.NodeStatfser  = (*folder)(nil)
	_ fs.NodeOnAdder   = (*folder)(nil)
	_ fs.NodeReader    = (*file)(nil)
	_ fs.NodeWriter    = (*file)(nil)
	_ fs.NodeOpener    = (*file)(nil)
	_ fs.NodeFsyncer   = (*file)(nil)
	_ fs.NodeFlusher   = (*file)(nil)
	_ fs.NodeSetattrer = (*file)(nil)
	_ fs.NodeGetattrer = (*file)(nil)
)
