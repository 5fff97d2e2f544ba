package wire

import "encoding/binary"

// Frame is one encoded server message: a complete WebSocket text frame whose
// payload can be cut out for transports that frame differently. It is built
// once per channel and change, shared by every subscriber, and never written to.
type Frame struct {
	ready []byte
	head  int
}

// maxHead is the longest header of an unmasked WebSocket frame.
const maxHead = 10

// NewFrame wraps payload; it copies, so the caller may reuse payload.
func NewFrame(payload []byte) Frame {
	ready := make([]byte, 0, maxHead+len(payload))
	ready = append(ready, 0x80|0x1) // FIN, text
	switch n := len(payload); {
	case n < 126:
		ready = append(ready, byte(n))
	case n < 1<<16:
		ready = append(ready, 126)
		ready = binary.BigEndian.AppendUint16(ready, uint16(n))
	default:
		ready = append(ready, 127)
		ready = binary.BigEndian.AppendUint64(ready, uint64(n))
	}
	head := len(ready)
	return Frame{ready: append(ready, payload...), head: head}
}

// Ready is the whole WebSocket frame. The caller must not change it.
func (f Frame) Ready() []byte { return f.ready }

// Payload is the JSON text. The caller must not change it.
func (f Frame) Payload() []byte { return f.ready[f.head:] }

// Len is the size in memory, in bytes.
func (f Frame) Len() int { return len(f.ready) }
