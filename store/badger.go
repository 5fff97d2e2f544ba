package store

import (
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"
)

// Options of a Badger store. Only Dir and Clock are needed.
type Options struct {
	Dir   string           // data folder; made when it is not there
	Clock func() time.Time // tells the age of idempotency results
	Log   zerolog.Logger

	// MinFree is the free space below which no commit is taken; 0 means the
	// larger of 512 MiB and four times MemTableSize. The engine writes through
	// memory maps, and a full disk would kill the process (SIGBUS).
	MinFree uint64
	// FreeSpace tells the free space of a folder's file system; nil asks it.
	FreeSpace func(dir string) (uint64, error)
	// MemTableSize bounds a commit (15 % of it) and the engine's memory (up to
	// five of them); 0 means 16 MiB.
	MemTableSize int64
	// NewEpoch names a new journal; nil means a random short text.
	NewEpoch func() string
	// Fault is nil except in tests.
	Fault *Fault
}

const (
	defaultMemTable = 16 << 20
	defaultMinFree  = 512 << 20
	// maxInline is Badger's largest value that stays out of its value log, whose
	// failed syncs are only logged; nothing we store is larger.
	maxInline = 1 << 20
	// commitShare is the part of a memtable that one transaction may take, in percent.
	commitShare = 15
	// levelZero is how many tables lie side by side before they are merged into the
	// levels below, four times Badger's number: each merge writes most of the data
	// again, which under full load was a sixth of the CPU.
	levelZero = 20
)

func (o *Options) setDefaults() error {
	if o.Dir == "" || o.Clock == nil {
		return fmt.Errorf("store: Options need Dir and Clock")
	}
	if o.MemTableSize == 0 {
		o.MemTableSize = defaultMemTable
	}
	if o.MinFree == 0 {
		o.MinFree = max(defaultMinFree, 4*uint64(o.MemTableSize))
	}
	if o.FreeSpace == nil {
		o.FreeSpace = freeSpace
	}
	if o.NewEpoch == nil {
		o.NewEpoch = newEpoch
	}
	return nil
}

// newEpoch is long enough that two lives of a journal never share a name.
func newEpoch() string { return rand.Text()[:12] }

// inline is the size from which a value would go to the value log.
func (o *Options) inline() int64 { return min(maxInline, o.MemTableSize*commitShare/100) }

func (o *Options) engine(log badger.Logger) badger.Options {
	return badger.DefaultOptions(o.Dir).
		WithSyncWrites(true).
		WithDetectConflicts(false). // one committer
		WithNumVersionsToKeep(1).
		WithMetricsEnabled(false).
		WithLogger(log).
		WithMemTableSize(o.MemTableSize).
		WithNumMemtables(3).
		WithValueThreshold(o.inline()).
		WithValueLogFileSize(16 << 20).
		// Uncompressed tables are read from the map itself: no block cache, and
		// no CPU for packing small documents again at every level.
		WithCompression(0).
		WithBlockCacheSize(0).
		WithIndexCacheSize(32 << 20). // 0 would keep every table's index in memory
		WithNumCompactors(2).
		WithNumLevelZeroTables(levelZero).
		WithNumLevelZeroTablesStall(2 * levelZero)
}

// Badger is the Store on disk. Make one with Open.
type Badger struct {
	opt    Options
	db     *badger.DB
	lock   *os.File
	log    *engineLog
	keeper *keeper
	gate   gate
	space  spaceGuard
	inline int64 // see Options.inline

	// writeMu orders everything that writes; it protects the fields below.
	writeMu sync.Mutex
	heads   map[int]headState
	tickets map[int64]ticketState // live tickets written lately, to spare a read
	chain   *chain
	// erasures counts erasures per location, so that a snapshot under way
	// notices one.
	erasures map[int]uint64

	unchecked bool // opening left the checksums of the tables to RunGC; only RunGC changes it

	snapMu sync.Mutex            // one PutSnapshot at a time; taken before writeMu
	failed atomic.Pointer[error] // set once, by the first failure after which nothing may be written

	closeOnce sync.Once
	closeErr  error
}

// fail makes every later commit fail with err: after a failed sync the engine's
// memory and the disk may differ, and only opening again tells.
func (s *Badger) fail(err error) error {
	s.failed.CompareAndSwap(nil, &err)
	return err
}

// failure is the error that stops commits, or nil.
func (s *Badger) failure() error {
	if p := s.failed.Load(); p != nil {
		return fmt.Errorf("store: stopped by an earlier failure: %w", *p)
	}
	return nil
}

// MaxCommit is how much one Commit takes, in bytes as Size counts them.
func (s *Badger) MaxCommit() int {
	return int(s.opt.MemTableSize*commitShare/100) - 4<<10
}

// Ready says whether commits are taken now.
func (s *Badger) Ready() error {
	if !s.gate.enter() {
		return ErrClosed
	}
	defer s.gate.leave()
	if err := s.failure(); err != nil {
		return err
	}
	return s.checkSpace()
}

// Close waits for what is under way and closes the folder.
func (s *Badger) Close() error {
	s.closeOnce.Do(func() {
		s.gate.close()
		s.closeErr = s.closeEngine()
		if err := s.lock.Close(); s.closeErr == nil {
			s.closeErr = err
		}
	})
	return s.closeErr
}

// gate counts what is under way and lets nothing in once it is closed. A
// RWMutex would not do: a read inside an iteration would wait for a Close that
// waits for the iteration.
type gate struct {
	mu     sync.Mutex // protects the rest
	n      int
	closed bool
	idle   chan struct{} // closed when closed and n is 0
	stop   chan struct{} // closed when closed
}

func newGate() gate { return gate{idle: make(chan struct{}), stop: make(chan struct{})} }

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.n++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.closed && g.n == 0 {
		close(g.idle)
	}
}

func (g *gate) close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.stop)
		if g.n == 0 {
			close(g.idle)
		}
	}
	g.mu.Unlock()
	<-g.idle
}

var _ Store = (*Badger)(nil)
