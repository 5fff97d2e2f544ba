package store

import (
	"errors"
	"iter"
	"time"
)

// Errors of a store. Any other error of Commit means that the outcome is
// unknown: the caller must stop, and open again to find out.
var (
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("store: not found")
	// ErrFull: too little free space to take more; nothing was done.
	ErrFull = errors.New("store: not enough free space")
	// ErrLocked: another process has this data folder open.
	ErrLocked = errors.New("store: data folder is in use by another process")
	// ErrNewer: the folder was written by a newer program.
	ErrNewer = errors.New("store: data folder has a newer format")
	// ErrCorrupt: what is on disk contradicts itself. Never answered with a guess.
	ErrCorrupt = errors.New("store: data is damaged")
	// ErrOutOfOrder: a commit's records do not follow their journal's head; a
	// defect of the caller; nothing was done.
	ErrOutOfOrder = errors.New("store: records do not follow the head")
	// ErrClosed: the store was closed; nothing was done.
	ErrClosed = errors.New("store: closed")
	// ErrInvalid: a change or query that no store can hold or answer (see
	// Validate); a defect of the caller; nothing was done.
	ErrInvalid = errors.New("store: not well-formed")
	// ErrTooBig: the changes do not fit into one transaction; nothing was done.
	// Fewer changes in one commit may fit.
	ErrTooBig = errors.New("store: too big for one commit")
	// ErrStale: a snapshot from before an erasure, which would bring back what
	// was erased; nothing was done.
	ErrStale = errors.New("store: snapshot is older than an erasure")
)

// Record is one event in a location's journal. Facts stay for ever; Personal is
// what an erasure takes away without breaking the hash chain.
type Record struct {
	Location int    // 0 is the journal of what belongs to no single branch
	Offset   uint64 // from 1, without holes
	Time     time.Time
	Type     string
	Ticket   int64 // 0 when the event is about no ticket
	Facts    []byte
	Personal []byte // nil when there is none, or when it was erased
	Erased   bool   // Personal was there and is gone
}

// TicketVersion is a ticket as it is after a change, and what it is found by.
type TicketVersion struct {
	ID       int64
	Location int
	Doc      []byte
	Index    Index
}

// Index is what search looks at. Zero times and numbers mean "none".
type Index struct {
	Line    int
	Status  string // queue status; "" for a ticket without a place
	Created time.Time
	Called  time.Time // last call, kept after service
	Served  time.Time
	Caller  int  // user of the last interaction
	Live    bool // loaded into memory when the store is opened
}

// Entry is one transaction of a ticket's conversation. Writing a sequence
// number again replaces it (a status changed).
type Entry struct {
	Ticket int64
	Seq    uint64
	Doc    []byte
}

// Doc is a small named document: credentials, counters, settings. A nil Value
// deletes it.
type Doc struct {
	Kind, Key string
	Value     []byte
}

// Result is what an idempotency key gave.
type Result struct {
	Key    string
	Ticket int64  // whose erasure takes Value
	Value  []byte // empty when it was erased
}

// Change is everything one command does. A commit takes several, of any
// locations; all of them happen, or none.
type Change struct {
	Records []Record
	Tickets []TicketVersion
	Entries []Entry
	Docs    []Doc
	Result  *Result
	// Erase lists tickets whose personal payload goes: earlier records lose
	// Personal, entries are deleted, idempotency results lose their value (the
	// key stays used), older versions are forgotten (without a new version in
	// this Change the ticket is gone), and so are the snapshots of its locations.
	// What this same Change writes of the ticket stays.
	Erase []int64
}

// Head is where a location's journal ends.
type Head struct {
	Epoch  string // which life of the journal; made when its first record is written
	Offset uint64 // 0 when empty
	Hash   [32]byte
}

// Order is the key a search is sorted by.
type Order string

// The orders of a search. Tickets without the key come before all others; they
// and ties sort by id. Descending is exactly the reverse.
const (
	ByID      Order = "id"
	ByCreated Order = "created"
	ByCalled  Order = "called"
	ByServed  Order = "served"
)

// Query selects tickets. All given filters must hold; bounds are inclusive, and
// a ticket without the time never meets a bound on it.
type Query struct {
	Locations []int // at least one
	Lines     []int
	Statuses  []string
	Caller    int
	// Created and called bounds; the zero time means none.
	MinCreated, MaxCreated time.Time
	MinCalled, MaxCalled   time.Time
	Order                  Order // "" is ByID
	Descending             bool
	Limit                  int // 0: no limit
}

// Store is the contract every engine keeps; storetest checks it.
//
// Commit is called by one goroutine at a time; everything else may be called
// from many. Reads see whole commits only.
type Store interface {
	// Commit makes changes durable in one synced transaction: after it returns
	// nil they survive any crash. ErrFull, ErrOutOfOrder, ErrInvalid, ErrTooBig
	// and ErrClosed mean nothing was done; any other error means the outcome is
	// unknown, and no later Commit is taken.
	Commit(changes []Change) error
	// Head is a location's journal end; an empty journal has offset 0.
	Head(location int) (Head, error)
	// Locations lists the locations that have a journal, ascending.
	Locations() ([]int, error)
	// Records yields the journal from offset on (inclusive), in order.
	Records(location int, from uint64) iter.Seq2[Record, error]
	// Ticket is the newest version of a ticket, or ErrNotFound.
	Ticket(id int64) (TicketVersion, error)
	// Live yields the newest version of every live ticket of a location, by id.
	Live(location int) iter.Seq2[TicketVersion, error]
	// Search yields matching tickets in the query's order.
	Search(q Query) iter.Seq2[TicketVersion, error]
	// Count counts what Search would yield without its limit.
	Count(q Query) (int, error)
	// Entries yields up to limit entries (0: all) of a ticket: ascending from
	// seq on, or descending from seq down when newestFirst; seq 0 with
	// newestFirst starts at the newest.
	Entries(ticket int64, seq uint64, limit int, newestFirst bool) iter.Seq2[Entry, error]
	// Result is what an idempotency key gave within the last 24 hours, or ErrNotFound.
	Result(key string) (Result, error)
	// Doc is one document, or ErrNotFound.
	Doc(kind, key string) ([]byte, error)
	// Docs yields the documents of a kind, by key.
	Docs(kind string) iter.Seq2[Doc, error]
	// PutSnapshot stores a location's folded state at offset, replacing the last
	// one. ErrStale when a ticket was erased after offset.
	PutSnapshot(location int, offset uint64, state []byte) error
	// Snapshot is the last stored state; offset 0 when there is none.
	Snapshot(location int) (offset uint64, state []byte, err error)
	// Ready says whether commits are taken now: nil, or ErrFull and the like.
	Ready() error
	// Close is idempotent and waits for what is under way, so it must not be
	// called from inside one of the store's own iterations.
	Close() error
}

// ResultTTL is how long an idempotency key is remembered.
const ResultTTL = 24 * time.Hour
