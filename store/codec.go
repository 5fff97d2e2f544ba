package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

var errValue = errors.New("value cannot be read")

// castagnoli is the CRC-32C table; the hardware computes this polynomial.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal ends a value with its checksum.
func seal(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unseal checks the checksum and takes it off.
func unseal(b []byte) ([]byte, error) {
	n := len(b) - 4
	if n < 0 || crc32.Checksum(b[:n], castagnoli) != binary.BigEndian.Uint32(b[n:]) {
		return nil, errValue
	}
	return b[:n:n], nil
}

const signBit = 1 << 63

// The instants that a 64-bit count of nanoseconds can hold, whole seconds.
const (
	minSecond = -9223372036
	maxSecond = 9223372035
)

// storable reports whether t survives stamp and unstamp.
func storable(t time.Time) bool {
	s := t.Unix()
	return t.IsZero() || (s > minSecond && s <= maxSecond)
}

// stamp is t as a number that sorts, 0 for the zero time. Instants out of range
// become the nearest one, which is what a search bound needs.
func stamp(t time.Time) uint64 {
	switch s := t.Unix(); {
	case t.IsZero():
		return 0
	case s <= minSecond:
		return 1
	case s > maxSecond:
		return 1<<64 - 1
	}
	return uint64(t.UnixNano()) ^ signBit
}

// unstamp is the time of a stamp, in UTC.
func unstamp(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n^signBit)).UTC()
}

// The flags of an encoded Index.
const (
	hasCreated = 1 << iota
	hasCalled
	hasServed
	isLive
)

// appendIndex writes what search looks at.
func appendIndex(b []byte, ix Index) []byte {
	var flags byte
	if ix.Live {
		flags |= isLive
	}
	times := [3]time.Time{ix.Created, ix.Called, ix.Served}
	for i, t := range times {
		if !t.IsZero() {
			flags |= hasCreated << i
		}
	}
	b = append(b, flags, byte(len(ix.Status)))
	b = append(b, ix.Status...)
	b = binary.AppendVarint(b, int64(ix.Line))
	b = binary.AppendVarint(b, int64(ix.Caller))
	for _, t := range times {
		if !t.IsZero() {
			b = binary.BigEndian.AppendUint64(b, stamp(t))
		}
	}
	return b
}

// readIndex reads what appendIndex wrote and returns what follows it.
func readIndex(b []byte) (Index, []byte, error) {
	if len(b) < 2 || len(b) < 2+int(b[1]) {
		return Index{}, nil, errValue
	}
	flags, n := b[0], 2+int(b[1])
	ix := Index{Live: flags&isLive != 0, Status: string(b[2:n])}
	b = b[n:]
	line, n := binary.Varint(b)
	if n <= 0 {
		return Index{}, nil, errValue
	}
	b = b[n:]
	caller, n := binary.Varint(b)
	if n <= 0 {
		return Index{}, nil, errValue
	}
	b = b[n:]
	ix.Line, ix.Caller = int(line), int(caller)
	for i, t := range [3]*time.Time{&ix.Created, &ix.Called, &ix.Served} {
		if flags&(hasCreated<<i) == 0 {
			continue
		}
		if len(b) < 8 {
			return Index{}, nil, errValue
		}
		*t = unstamp(binary.BigEndian.Uint64(b))
		b = b[8:]
	}
	return ix, b, nil
}

// appendTicket writes a ticket version.
func appendTicket(b []byte, v TicketVersion) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(v.Location))
	b = appendIndex(b, v.Index)
	b = append(b, v.Doc...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// readTicket reads what appendTicket wrote; Doc shares b's memory.
func readTicket(id int64, b []byte) (TicketVersion, error) {
	b, err := unseal(b)
	if err != nil || len(b) < 4 {
		return TicketVersion{}, errValue
	}
	v := TicketVersion{ID: id, Location: int(binary.BigEndian.Uint32(b))}
	v.Index, v.Doc, err = readIndex(b[4:])
	return v, err
}

// headState is what is stored of a location.
type headState struct {
	Head
	live  uint64 // live tickets, so that a lost index entry is noticed
	floor uint64 // head offset after the last erasure: older snapshots are stale
}

func appendHead(b []byte, h headState) []byte {
	b = binary.BigEndian.AppendUint64(b, h.Offset)
	b = append(b, h.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, h.live)
	b = binary.BigEndian.AppendUint64(b, h.floor)
	return seal(append(b, h.Epoch...))
}

func readHead(b []byte) (headState, error) {
	b, err := unseal(b)
	if err != nil || len(b) < 56 {
		return headState{}, errValue
	}
	var h headState
	h.Offset = binary.BigEndian.Uint64(b)
	copy(h.Hash[:], b[8:40])
	h.live = binary.BigEndian.Uint64(b[40:])
	h.floor = binary.BigEndian.Uint64(b[48:])
	h.Epoch = string(b[56:])
	return h, nil
}

// storedResult is an idempotency result and when it was stored.
type storedResult struct {
	at     time.Time
	ticket int64
	value  []byte
}

func appendResult(b []byte, r storedResult) []byte {
	b = binary.BigEndian.AppendUint64(b, stamp(r.at))
	b = binary.BigEndian.AppendUint64(b, uint64(r.ticket))
	return seal(append(b, r.value...))
}

// readResult reads what appendResult wrote; value shares b's memory.
func readResult(b []byte) (storedResult, error) {
	b, err := unseal(b)
	if err != nil || len(b) < 16 {
		return storedResult{}, errValue
	}
	return storedResult{
		at:     unstamp(binary.BigEndian.Uint64(b)),
		ticket: int64(binary.BigEndian.Uint64(b[8:])),
		value:  b[16:],
	}, nil
}

// snapshotMeta says which chunks make the current snapshot.
type snapshotMeta struct {
	offset, generation uint64
	chunks             uint32
	length             uint64
}

func appendSnapshot(b []byte, m snapshotMeta) []byte {
	b = binary.BigEndian.AppendUint64(b, m.offset)
	b = binary.BigEndian.AppendUint64(b, m.generation)
	b = binary.BigEndian.AppendUint32(b, m.chunks)
	return seal(binary.BigEndian.AppendUint64(b, m.length))
}

func readSnapshot(b []byte) (snapshotMeta, error) {
	b, err := unseal(b)
	if err != nil || len(b) != 28 {
		return snapshotMeta{}, errValue
	}
	return snapshotMeta{
		offset:     binary.BigEndian.Uint64(b),
		generation: binary.BigEndian.Uint64(b[8:]),
		chunks:     binary.BigEndian.Uint32(b[16:]),
		length:     binary.BigEndian.Uint64(b[20:]),
	}, nil
}
