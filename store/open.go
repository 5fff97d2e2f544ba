package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/y"
)

const (
	formatFile = "FORMAT"
	lockName   = "store.lock"
	// formatName and formatVersion make the FORMAT file's one line.
	formatName    = "nowserving store "
	formatVersion = 1
)

// Open opens the data folder, or makes it. It repairs what a power cut is known
// to leave, refuses what it cannot trust, and checks the end of every journal.
func Open(o Options) (*Badger, error) { return open(o, true) }

// open is Open; without audit the data is not looked at, only the engine's files.
func open(o Options, audit bool) (*Badger, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: make data folder: %w", err)
	}
	// Our own lock, before anything is looked at: the clean-up below must never
	// meet files that a running process is just making.
	lock, err := lockFile(filepath.Join(o.Dir, lockName))
	if errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, o.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("store: lock data folder: %w", err)
	}
	s, err := openLocked(o, audit)
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.lock = lock
	return s, nil
}

func openLocked(o Options, audit bool) (*Badger, error) {
	if err := checkFormat(o.Dir); err != nil {
		return nil, err
	}
	if err := cleanUp(o.Dir); err != nil {
		return nil, err
	}
	if err := checkManifest(o.Dir); err != nil {
		return nil, err
	}
	s := &Badger{
		opt:      o,
		inline:   o.inline(),
		log:      &engineLog{log: o.Log},
		gate:     newGate(),
		heads:    make(map[int]headState),
		tickets:  make(map[int64]ticketState),
		chain:    newChain(),
		erasures: make(map[int]uint64),
	}
	// A full disk kills the process already while the engine opens.
	if err := s.checkSpace(); err != nil {
		return nil, err
	}
	db, err := openEngine(o.engine(s.log))
	if err == nil && s.log.err() != nil {
		s.log.closing.Store(true)
		_ = db.Close() // what went wrong before is the news
		err = fmt.Errorf("%w: %w", ErrCorrupt, s.log.err())
	}
	if err != nil {
		return nil, err
	}
	s.db, s.keeper = db, newKeeper(db)
	if !audit {
		return s, nil
	}
	if err = s.audit(); err == nil {
		failed := s.fail
		s.log.failed.Store(&failed)
		err = s.log.err() // of the engine's background work, while nobody was told
	}
	if err == nil {
		err = s.resumeErasures()
	}
	if err != nil {
		_ = s.closeEngine()
		return nil, err
	}
	return s, nil
}

func (s *Badger) closeEngine() error {
	s.log.closing.Store(true)
	s.keeper.close()
	return s.db.Close()
}

// openEngine opens Badger and says of an error whether the data is to blame.
func openEngine(o badger.Options) (db *badger.DB, err error) {
	defer func() {
		// Badger panics on some damage, in tables above all.
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: opening: %v", ErrCorrupt, p)
		}
	}()
	db, err = badger.Open(o)
	var path *fs.PathError
	switch {
	case err == nil:
		return db, nil
	case errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("store: open: %w", err)
	case strings.Contains(err.Error(), "Cannot acquire directory lock"):
		return nil, fmt.Errorf("%w: %s", ErrLocked, o.Dir)
	case errors.Is(err, badger.ErrEncryptionKeyMismatch): // nothing of ours is encrypted
		return nil, fmt.Errorf("%w: %s: %v", ErrCorrupt, badger.KeyRegistryFileName, err)
	case strings.Contains(strings.ToLower(err.Error()), "manifest"), strings.Contains(err.Error(), "external magic"):
		return nil, fmt.Errorf("%w: %s: %v", ErrCorrupt, badger.ManifestFilename, err)
	case errors.Is(err, y.ErrChecksumMismatch), strings.Contains(strings.ToLower(err.Error()), "checksum"):
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	return nil, fmt.Errorf("store: open: %w", err)
}

// checkFormat refuses a folder of a newer program, and marks a new one.
func checkFormat(dir string) error {
	path := filepath.Join(dir, formatFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, badger.ManifestFilename)); err == nil {
			return fmt.Errorf("%w: %s has data but no %s", ErrCorrupt, dir, formatFile)
		}
		return writeFormat(dir, path)
	}
	if err != nil {
		return fmt.Errorf("store: read format: %w", err)
	}
	digits, ok := strings.CutPrefix(strings.TrimSpace(string(b)), formatName)
	version, err := strconv.Atoi(digits)
	switch {
	case !ok || err != nil || version < 1:
		return fmt.Errorf("%w: %s does not name a format", ErrCorrupt, path)
	case version > formatVersion:
		return fmt.Errorf("%w: %s has format %d, this program knows up to %d", ErrNewer, path, version, formatVersion)
	}
	return nil
}

// writeFormat puts the file in place whole: a power cut leaves it or does not.
func writeFormat(dir, path string) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("store: write format: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s%d\n", formatName, formatVersion)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("store: write format: %w", err)
	}
	return nil
}

// cleanUp removes the empty log files that a power cut can leave: Badger makes
// them without syncing the folder and then refuses to open. They hold nothing,
// since a commit's sync also makes the file's length durable. Logs that are not
// empty must be whole up to their end.
func cleanUp(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("store: clean up: %w", err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != ".mem" && ext != ".vlog" {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := e.Info()
		if err == nil && info.Size() == 0 {
			err = os.Remove(path)
		} else if err == nil && ext == ".mem" {
			err = checkWAL(path)
		}
		if err != nil {
			return fmt.Errorf("store: clean up: %w", err)
		}
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("store: clean up: %w", err)
	}
	return nil
}
