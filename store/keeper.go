package store

import (
	"sync"
	"time"

	badger "github.com/dgraph-io/badger/v4"
)

// keepFor is how long a memory table that was written out stays at most.
const keepFor = time.Second

// keeper lets go of the engine's memory tables in the engine's place. The engine
// does it under the lock that every commit needs, and for 20 ms: a log of 16 MiB
// is cut to nothing first. So while there are commits, an iterator over no keys
// refers to all memory tables, and is replaced from time to time; those that it
// was the last to refer to go with it, on the keeper's own time.
type keeper struct {
	db    *badger.DB
	wrote chan struct{} // holds one when something was written
	stop  chan struct{}
	ended chan struct{}

	mu     sync.Mutex // protects the rest
	paused bool
	txn    *badger.Txn
	it     *badger.Iterator
}

// newKeeper starts one; it runs until close.
func newKeeper(db *badger.DB) *keeper {
	k := &keeper{db: db, wrote: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{})}
	go k.run()
	return k
}

// note is told of every commit.
func (k *keeper) note() {
	select {
	case k.wrote <- struct{}{}:
	default: // it knows
	}
}

func (k *keeper) run() {
	defer close(k.ended)
	defer k.replace(false)
	for {
		select {
		case <-k.wrote:
		case <-k.stop:
			return
		}
		k.replace(true)
		select {
		case <-time.After(keepFor):
		case <-k.stop:
			return
		}
		if len(k.wrote) == 0 {
			k.replace(false) // or 20 MiB would be kept for nothing
		}
	}
}

// replace refers to the memory tables of now, or to none.
func (k *keeper) replace(hold bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	txn, it := k.txn, k.it
	k.txn, k.it = nil, nil
	if hold && !k.paused {
		o := badger.IteratorOptions{Prefix: []byte(flushKey)} // which are no keys of ours
		k.txn = k.db.NewTransaction(false)
		k.it = k.txn.NewIterator(o)
	}
	if it != nil { // after the new one: in between the engine might let go
		it.Close()
		txn.Discard()
	}
}

// pause lets go of everything until resume: erased bytes must leave the disk. One
// at a time pauses.
func (k *keeper) pause() {
	k.mu.Lock()
	k.paused = true
	k.mu.Unlock()
	k.replace(false)
}

func (k *keeper) resume() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.paused = false
}

func (k *keeper) close() {
	close(k.stop)
	<-k.ended
}
