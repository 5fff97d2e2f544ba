package session

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/wire"
)

// streamTransport is an event stream as a hub.Transport. It is given WebSocket
// frames, like every transport, cuts their payload out and writes it as events:
// the ready frames stay one and the same for everybody.
type streamTransport struct {
	w       http.ResponseWriter
	control *http.ResponseController
	clock   func() time.Time
	timeout time.Duration
	done    chan struct{} // closed by Close

	mu    sync.Mutex // protects the rest, and w while the handler runs
	ended bool
	epoch string
	part  []byte // a frame that is not whole yet
	event bytes.Buffer
}

func newStreamTransport(w http.ResponseWriter, timeout time.Duration, clock func() time.Time) *streamTransport {
	return &streamTransport{
		w: w, control: http.NewResponseController(w), timeout: timeout, clock: clock,
		done: make(chan struct{}),
	}
}

// TryWrite implements hub.Transport: a response can only be written waiting.
func (t *streamTransport) TryWrite([]byte) (int, error) { return 0, nil }

// Write implements hub.Transport.
func (t *streamTransport) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return 0, http.ErrServerClosed
	}
	t.part = append(t.part, p...)
	t.event.Reset()
	rest := t.part
	for {
		op, payload, n := cutFrame(rest)
		if n == 0 {
			break
		}
		t.write(op, payload)
		rest = rest[n:]
	}
	t.part = append(t.part[:0], rest...)
	if cap(t.part) > maxKeptBuffer && len(t.part) == 0 {
		t.part = nil
	}
	if t.event.Len() == 0 {
		return len(p), nil
	}
	// Not every server can set a deadline; then its own write timeout holds.
	_ = t.control.SetWriteDeadline(t.clock().Add(t.timeout))
	if _, err := t.w.Write(t.event.Bytes()); err != nil {
		return 0, err
	}
	if t.event.Cap() > maxKeptBuffer {
		t.event = bytes.Buffer{}
	}
	return len(p), t.control.Flush()
}

// Close implements hub.Transport.
func (t *streamTransport) Close(wire.CloseCode) { close(t.done) }

// end keeps the Outbox from w, which is not ours when the handler has returned.
func (t *streamTransport) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// cutFrame splits the first frame off b; n is its whole length, 0 when it is
// not all there.
func cutFrame(b []byte) (op byte, payload []byte, n int) {
	if len(b) < 2 {
		return 0, nil, 0
	}
	size, head := int(b[1]&0x7f), 2
	switch size {
	case 126:
		if len(b) < 4 {
			return 0, nil, 0
		}
		size, head = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return 0, nil, 0
		}
		size, head = int(binary.BigEndian.Uint64(b[2:])), 10
	}
	if len(b) < head+size {
		return 0, nil, 0
	}
	return b[0] & 0xf, b[head : head+size], head + size
}

// write puts one frame into event, in its form on a stream.
func (t *streamTransport) write(op byte, payload []byte) {
	const text, closing = 0x1, 0x8
	switch op {
	case closing:
		code := wire.CloseCode(0)
		if len(payload) >= 2 {
			code = wire.CloseCode(binary.BigEndian.Uint16(payload))
		}
		t.event.WriteString("event: close\ndata: {\"code\":" + strconv.Itoa(int(code)) + "}\n\n")
	case text:
		t.text(payload)
	default:
		t.event.WriteString(":\n\n")
	}
}

func (t *streamTransport) text(payload []byte) {
	var f struct {
		Offset uint64 `json:"offset"`
		Reply  json.RawMessage
	}
	if json.Unmarshal(payload, &f) != nil {
		return // unreachable: frames are made by us
	}
	if f.Reply == nil {
		if f.Offset > 0 { // an ephemeral push moves nothing
			t.id(f.Offset)
		}
		t.data(payload)
		return
	}
	var reply wire.SubscribeReply
	if json.Unmarshal(f.Reply, &reply) != nil {
		return
	}
	t.epoch = reply.Epoch
	if reply.Recovered {
		// Nothing to say but that the stream has begun: what was missed follows.
		t.event.WriteString(":\n\n")
		return
	}
	t.event.WriteString("event: snapshot\n")
	t.id(reply.Offset)
	t.data(f.Reply)
}

// id names an event by the position that the client has with it.
func (t *streamTransport) id(offset uint64) {
	t.event.WriteString("id: " + t.epoch + "/" + strconv.FormatUint(offset, 10) + "\n")
}

// data writes a payload; a line break in JSON is only white space.
func (t *streamTransport) data(payload []byte) {
	t.event.WriteString("data: ")
	if bytes.ContainsAny(payload, "\r\n") {
		payload = bytes.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, payload)
	}
	t.event.Write(payload)
	t.event.WriteString("\n\n")
}

var _ hub.Transport = (*streamTransport)(nil)
