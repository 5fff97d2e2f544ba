package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The prefixes of the keyspace (see the package comment), for fault rules and
// tools. The first byte is the keyspace version.
const (
	PrefixRecord       = "\x01r"
	PrefixHead         = "\x01h"
	PrefixPersonal     = "\x01o"
	PrefixTicket       = "\x01t"
	PrefixLive         = "\x01l"
	PrefixStatus       = "\x01n"
	PrefixCreated      = "\x01c"
	PrefixCalled       = "\x01d"
	PrefixServed       = "\x01v"
	PrefixEntry        = "\x01e"
	PrefixResult       = "\x01i"
	PrefixTicketResult = "\x01j"
	PrefixDoc          = "\x01f"
	PrefixSnapshot     = "\x01s"
	PrefixChunk        = "\x01S"
	PrefixErasing      = "\x01x"
)

// keyspace is the version byte every key starts with.
const keyspace = 1

// The parts of a record.
const (
	partFacts    = 0
	partPersonal = 1
)

// key is a decoded key; only the fields of its kind are set.
type key struct {
	kind     byte
	location int
	id       int64  // a ticket
	num      uint64 // an offset, seq, time or generation
	part     uint32 // a record's part, a snapshot's chunk
	name     string // a status, a document's kind
	rest     string // text up to the end of the key
}

// kindLayout names a kind and its fields: L location, I ticket, O number, W
// time, P part in one byte, N part in four, T text with its length, X the rest.
func kindLayout(kind byte) (name, layout string) {
	switch kind {
	case 'r':
		return "record", "LOP"
	case 'h':
		return "head", "L"
	case 'o':
		return "personal", "ILO"
	case 't':
		return "ticket", "I"
	case 'l':
		return "live", "LI"
	case 'n':
		return "status", "LTI"
	case 'c':
		return "created", "LWI"
	case 'd':
		return "called", "LWI"
	case 'v':
		return "served", "LWI"
	case 'e':
		return "entry", "IO"
	case 'i':
		return "result", "X"
	case 'j':
		return "ticketresult", "IX"
	case 'f':
		return "doc", "TX"
	case 's':
		return "snapshot", "L"
	case 'S':
		return "chunk", "LON"
	case 'x':
		return "erasing", "I"
	}
	return "", ""
}

// append writes the key's bytes.
func (k key) append(b []byte) []byte {
	_, layout := kindLayout(k.kind)
	return k.appendFields(append(b, keyspace, k.kind), layout)
}

// appendPrefix writes the bytes of the key's first fields: what all keys that
// agree in them start with.
func (k key) appendPrefix(b []byte, fields int) []byte {
	_, layout := kindLayout(k.kind)
	return k.appendFields(append(b, keyspace, k.kind), layout[:fields])
}

func (k key) appendFields(b []byte, layout string) []byte {
	for i := range len(layout) {
		switch layout[i] {
		case 'L':
			b = binary.BigEndian.AppendUint32(b, uint32(k.location))
		case 'I':
			b = binary.BigEndian.AppendUint64(b, uint64(k.id))
		case 'O', 'W':
			b = binary.BigEndian.AppendUint64(b, k.num)
		case 'P':
			b = append(b, byte(k.part))
		case 'N':
			b = binary.BigEndian.AppendUint32(b, k.part)
		case 'T':
			b = append(append(b, byte(len(k.name))), k.name...)
		case 'X':
			b = append(b, k.rest...)
		}
	}
	return b
}

var errKey = errors.New("not a key of this keyspace")

// parseKey reads what append wrote.
func parseKey(b []byte) (key, error) {
	if len(b) < 2 || b[0] != keyspace {
		return key{}, errKey
	}
	k := key{kind: b[1]}
	name, layout := kindLayout(k.kind)
	if name == "" {
		return key{}, errKey
	}
	b = b[2:]
	for i := range len(layout) {
		n := fieldLen(layout[i], b)
		if n < 0 || n > len(b) {
			return key{}, errKey
		}
		f := b[:n]
		b = b[n:]
		switch layout[i] {
		case 'L':
			k.location = int(binary.BigEndian.Uint32(f))
		case 'I':
			k.id = int64(binary.BigEndian.Uint64(f))
		case 'O', 'W':
			k.num = binary.BigEndian.Uint64(f)
		case 'P':
			k.part = uint32(f[0])
		case 'N':
			k.part = binary.BigEndian.Uint32(f)
		case 'T':
			k.name = string(f[1:])
		case 'X':
			k.rest = string(f)
		}
	}
	if len(b) != 0 {
		return key{}, errKey
	}
	return k, nil
}

// fieldLen is how many bytes of b the field takes, -1 when b is too short to say.
func fieldLen(field byte, b []byte) int {
	switch field {
	case 'L', 'N':
		return 4
	case 'I', 'O', 'W':
		return 8
	case 'P':
		return 1
	case 'T':
		if len(b) == 0 {
			return -1
		}
		return 1 + int(b[0])
	}
	return len(b)
}

// FormatKey writes a key of this store for people: "record location=1
// offset=105 part=0". What is no key comes out in hex.
func FormatKey(b []byte) string {
	k, err := parseKey(b)
	if err != nil {
		return fmt.Sprintf("%x", b)
	}
	name, layout := kindLayout(k.kind)
	var s strings.Builder
	s.WriteString(name)
	for i := range len(layout) {
		switch layout[i] {
		case 'L':
			fmt.Fprintf(&s, " location=%d", k.location)
		case 'I':
			fmt.Fprintf(&s, " ticket=%d", k.id)
		case 'O':
			fmt.Fprintf(&s, " number=%d", k.num)
		case 'W':
			if k.num == 0 {
				s.WriteString(" time=none")
			} else {
				fmt.Fprintf(&s, " time=%s", unstamp(k.num).Format("2006-01-02T15:04:05.999999999Z"))
			}
		case 'P', 'N':
			fmt.Fprintf(&s, " part=%d", k.part)
		case 'T':
			fmt.Fprintf(&s, " name=%q", k.name)
		case 'X':
			fmt.Fprintf(&s, " key=%q", k.rest)
		}
	}
	return s.String()
}
