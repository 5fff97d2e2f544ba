package store

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

const (
	hashSize = sha256.Size
	saltSize = 16
	// headerSize is flags, time, ticket and the length of the type.
	headerSize = 1 + 8 + 8 + 1
)

// hasPersonal is the record flag for a personal payload, there or erased.
const hasPersonal = 1

// The first byte of a record's personal part.
const (
	personalErased = 0
	personalThere  = 1
)

// storedRecord is a record as it lies on disk, without its personal part.
type storedRecord struct {
	header []byte // flags, time, ticket, type
	digest []byte // of the personal payload; nil when there never was one
	hash   [hashSize]byte
	facts  []byte
}

// chain computes hashes with one reused hasher; one goroutine at a time.
type chain struct {
	h   hash.Hash
	buf [12]byte
}

func newChain() *chain { return &chain{h: sha256.New()} }

// next is the hash of the record at offset that follows one with hash prev.
func (c *chain) next(prev [hashSize]byte, location int, offset uint64, r storedRecord) [hashSize]byte {
	c.h.Reset()
	c.h.Write(prev[:])
	binary.BigEndian.PutUint32(c.buf[:], uint32(location))
	binary.BigEndian.PutUint64(c.buf[4:], offset)
	c.h.Write(c.buf[:])
	c.h.Write(r.header)
	c.h.Write(r.digest)
	c.h.Write(r.facts)
	var out [hashSize]byte
	c.h.Sum(out[:0])
	return out
}

// appendHeader writes a record's header.
func appendHeader(b []byte, r *Record) []byte {
	var flags byte
	if len(r.Personal) > 0 {
		flags = hasPersonal
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint64(b, stamp(r.Time))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Ticket))
	b = append(b, byte(len(r.Type)))
	return append(b, r.Type...)
}

func (r storedRecord) append(b []byte) []byte {
	b = append(b, r.header...)
	b = append(b, r.digest...)
	b = append(b, r.hash[:]...)
	return append(b, r.facts...)
}

// readRecord takes a stored record apart; the parts share b's memory.
func readRecord(b []byte) (storedRecord, error) {
	if len(b) < headerSize {
		return storedRecord{}, errValue
	}
	n := headerSize + int(b[headerSize-1])
	digest := 0
	if b[0]&hasPersonal != 0 {
		digest = hashSize
	}
	if len(b) < n+digest+hashSize {
		return storedRecord{}, errValue
	}
	r := storedRecord{header: b[:n:n]}
	b = b[n:]
	if digest > 0 {
		r.digest = b[:hashSize:hashSize]
		b = b[hashSize:]
	}
	copy(r.hash[:], b)
	r.facts = b[hashSize:]
	return r, nil
}

func (r storedRecord) ticket() int64 { return int64(binary.BigEndian.Uint64(r.header[9:])) }

// record is the Record of what is stored, without Personal. It shares no memory.
func (r storedRecord) record(location int, offset uint64) Record {
	h := r.header
	return Record{
		Location: location,
		Offset:   offset,
		Time:     unstamp(binary.BigEndian.Uint64(h[1:])),
		Ticket:   r.ticket(),
		Type:     string(h[headerSize:]),
		Facts:    bytes.Clone(r.facts),
	}
}

// appendPersonal writes a personal part with a fresh salt, and its digest.
func appendPersonal(b, personal []byte) (part []byte, digest [hashSize]byte) {
	b = append(b, personalThere)
	start := len(b)
	var salt [saltSize]byte
	rand.Read(salt[:]) // never fails: it ends the process instead
	b = append(b, salt[:]...)
	b = append(b, personal...)
	return b, sha256.Sum256(b[start:])
}

// readPersonal is the payload of a personal part if digest is its; erased says
// that it was there and is gone. The payload shares no memory.
func readPersonal(b, digest []byte) (personal []byte, erased bool, err error) {
	switch {
	case len(b) == 1 && b[0] == personalErased:
		return nil, true, nil
	case len(b) < 1+saltSize || b[0] != personalThere:
		return nil, false, errValue
	}
	if sum := sha256.Sum256(b[1:]); !bytes.Equal(sum[:], digest) {
		return nil, false, errValue
	}
	return bytes.Clone(b[1+saltSize:]), false, nil
}

// Hashes is the hash chain for engines that keep no stored form: the hash of r
// after one with hash prev, with no salt.
func Hashes(prev [32]byte, r Record) [32]byte {
	s := storedRecord{header: appendHeader(nil, &r), facts: r.Facts}
	if len(r.Personal) > 0 {
		d := sha256.Sum256(r.Personal)
		s.digest = d[:]
	}
	return newChain().next(prev, r.Location, r.Offset, s)
}
