package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
)

// The form of Badger's memtable log: a header, then entries of meta, user meta,
// three varints (key and value length, expiry), key, value, CRC-32C; a
// transaction's entries end with a mark whose value is its number in decimal.
const (
	walHeader   = 20
	walEntryTxn = 1 << 6
	walEntryFin = 1 << 7
	walMark     = "!badger!txn"
	walVersion  = 8 // every key ends with its version
)

// checkWAL finds damage that Badger would answer by dropping the rest of the
// log without a word. After a crash a log ends in zeros or in one torn
// transaction: every other one was synced before the next was begun. So the
// end marks of further transactions behind the first unreadable entry prove
// that the log was whole once. (Damage to the very last transaction looks like
// a torn one; nothing on this disk can tell them apart.)
func checkWAL(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(b) < walHeader {
		return nil
	}
	bad, torn := walEnd(b)
	marks := make(map[uint64]bool)
	for at := bad; ; {
		i := bytes.Index(b[at:], []byte(walMark))
		if i < 0 {
			break
		}
		if n, ok := walMarkAt(b, at+i); ok && n != torn {
			marks[n] = true
		}
		at += i + 1
	}
	allowed := 0
	if torn == 0 {
		allowed = 1 // the torn one's own mark
	}
	if len(marks) > allowed {
		return fmt.Errorf("%w: %s at byte %d, with %d transactions behind it",
			ErrCorrupt, filepath.Base(path), bad, len(marks))
	}
	return nil
}

// walEnd reads entries up to the first that cannot be read. torn is the number
// of the transaction that it is in the middle of, 0 when that is not known.
func walEnd(b []byte) (bad int, torn uint64) {
	at := walHeader
	for {
		key, meta, n := walEntry(b[at:])
		if n == 0 {
			return at, torn
		}
		switch {
		case meta&walEntryFin != 0:
			torn = 0
		case meta&walEntryTxn != 0 && len(key) >= walVersion:
			torn = ^binary.BigEndian.Uint64(key[len(key)-walVersion:])
		}
		at += n
	}
}

// walEntry reads one entry; n is 0 when there is none that can be read.
func walEntry(b []byte) (key []byte, meta byte, n int) {
	if len(b) < 2 {
		return nil, 0, 0
	}
	meta, at := b[0], 2
	var lens [3]uint64
	for i := range lens {
		v, w := binary.Uvarint(b[at:])
		if w <= 0 {
			return nil, 0, 0
		}
		lens[i] = v
		at += w
	}
	kl, vl := lens[0], lens[1]
	if kl == 0 || kl > 1<<16 || vl > uint64(len(b)) || uint64(at)+kl+vl+4 > uint64(len(b)) {
		return nil, 0, 0
	}
	end := at + int(kl+vl)
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return nil, 0, 0
	}
	return b[at : at+int(kl)], meta, end + 4
}

// walMarkAt reads the transaction end whose key starts at i.
func walMarkAt(b []byte, i int) (txn uint64, ok bool) {
	const head = 5 // meta, user meta, and three varints of one byte
	if i < head+walHeader {
		return 0, false
	}
	key, meta, n := walEntry(b[i-head:])
	if n == 0 || meta&walEntryFin == 0 {
		return 0, false
	}
	value := b[i+len(key) : i-head+n-4]
	txn, err := strconv.ParseUint(string(value), 10, 64)
	return txn, err == nil
}
