package hub

import (
	"encoding/binary"

	"github.com/nowserving/nowserving/hub/wire"
)

// The WebSocket opcodes that an Outbox has to know.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	final   = 0x80
)

// appendHead appends the header of an unmasked text frame with n bytes, for a
// frame whose payload lies in two pieces and is never joined.
func appendHead(b []byte, n int) []byte {
	b = append(b, final|opText)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
}

// closeFrame is the close frame for a code.
func closeFrame(code wire.CloseCode) []byte {
	reason := wire.CloseReason(code)
	b := make([]byte, 0, 4+len(reason))
	b = append(b, final|opClose, byte(2+len(reason)))
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	return append(b, reason...)
}

// closeCode reads the code of a close frame made by the WebSocket library.
func closeCode(raw []byte) (wire.CloseCode, bool) {
	if len(raw) == 0 || raw[0]&0xf != opClose {
		return 0, false
	}
	if len(raw) < 4 {
		return 1005, true // a close frame without a code
	}
	return wire.CloseCode(binary.BigEndian.Uint16(raw[2:])), true
}

// heartbeat is an empty ping frame.
var heartbeat = [...]byte{final | opPing, 0}
