//go:build unix

package torture

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

// socket is a WebSocket of our own making: the frames are written by hand, so that
// it can also do what no library does.
type socket struct {
	conn net.Conn
	buf  []byte
	next int64
}

// answer is one text frame from the hub.
type answer struct {
	ID     int64           `json:"id"`
	Reply  json.RawMessage `json:"reply"`
	Error  *wire.Error     `json:"error"`
	Push   string          `json:"push"`
	Offset uint64          `json:"offset"`
}

const socketLimit = 60 * time.Second

// open makes the handshake and nothing more.
func open(t testing.TB, url string, header ...string) *socket {
	t.Helper()
	s, status, err := handshake(url, header...)
	if err != nil || status != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %d, %v", status, err)
	}
	t.Cleanup(func() { s.conn.Close() })
	return s
}

func handshake(url string, header ...string) (*socket, int, error) {
	return handshakeBy(net.Dialer{}, url, header...)
}

func handshakeBy(d net.Dialer, url string, header ...string) (*socket, int, error) {
	host := strings.TrimPrefix(url, "http://")
	conn, err := d.DialContext(context.Background(), "tcp", host)
	if err != nil {
		return nil, 0, err
	}
	_ = conn.SetDeadline(time.Now().Add(socketLimit))
	ask := "GET /ws HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: " + wire.Subprotocol + "\r\n"
	for _, h := range header {
		ask += h + "\r\n"
	}
	if _, err := io.WriteString(conn, ask+"\r\n"); err != nil {
		conn.Close()
		return nil, 0, err
	}
	s := &socket{conn: conn}
	for !strings.Contains(string(s.buf), "\r\n\r\n") {
		if err := s.fill(); err != nil {
			conn.Close()
			return nil, 0, err
		}
	}
	head, rest, _ := strings.Cut(string(s.buf), "\r\n\r\n")
	s.buf = []byte(rest)
	status := 0
	for _, c := range strings.Fields(head)[1] {
		status = status*10 + int(c-'0')
	}
	if status != http.StatusSwitchingProtocols {
		conn.Close()
	}
	return s, status, nil
}

// dial makes the handshake and connects with a token.
func dial(t testing.TB, url, token string) *socket {
	t.Helper()
	s := open(t, url)
	if r := s.ask(t, `"connect":{"token":"`+token+`","name":"torture"}`); r.Error != nil {
		t.Fatalf("connect: %v", r.Error)
	}
	return s
}

func (s *socket) fill() error {
	p := make([]byte, 4096)
	n, err := s.conn.Read(p)
	s.buf = append(s.buf, p[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// raw writes one frame: first byte, payload, masked.
func (s *socket) raw(first byte, payload []byte) error {
	_, err := s.conn.Write(masked(first, payload))
	return err
}

// masked is one frame of a client.
func masked(first byte, payload []byte) []byte {
	head := []byte{first}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = append(head, 0x80|126, byte(n>>8), byte(n))
	default:
		head = append(head, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	head = append(head, 0, 0, 0, 0) // a mask of zeros changes nothing
	return append(head, payload...)
}

func (s *socket) send(t testing.TB, text string) {
	t.Helper()
	if err := s.raw(0x81, []byte(text)); err != nil {
		t.Errorf("send: %v", err)
	}
}

// closed is how the hub ended the socket.
type closed struct{ code int }

func (c closed) Error() string { return "closed" }

// frame reads the next text frame; pings are passed over.
func (s *socket) frame() ([]byte, error) {
	for {
		switch op, payload, err := s.any(); {
		case err != nil:
			return nil, err
		case op == 1:
			return payload, nil
		case op == 8:
			c := closed{}
			if len(payload) >= 2 {
				c.code = int(payload[0])<<8 | int(payload[1])
			}
			return nil, c
		}
	}
}

// any reads the next frame, whatever it is.
func (s *socket) any() (opcode byte, payload []byte, err error) {
	if err := s.have(2); err != nil {
		return 0, nil, err
	}
	n, at := int(s.buf[1]&0x7f), 2
	if n == 126 || n == 127 {
		at = map[int]int{126: 4, 127: 10}[n]
		if err := s.have(at); err != nil {
			return 0, nil, err
		}
		n = 0
		for _, b := range s.buf[2:at] {
			n = n<<8 | int(b)
		}
	}
	if err := s.have(at + n); err != nil {
		return 0, nil, err
	}
	opcode, payload = s.buf[0]&0xf, append([]byte(nil), s.buf[at:at+n]...)
	s.buf = s.buf[at+n:]
	return opcode, payload, nil
}

// have reads until so many bytes are there.
func (s *socket) have(n int) error {
	for len(s.buf) < n {
		if err := s.fill(); err != nil {
			return err
		}
	}
	return nil
}

// await reads until the answer to a request.
func (s *socket) await(t testing.TB, id int64) answer {
	t.Helper()
	for {
		p, err := s.frame()
		if err != nil {
			t.Errorf("waiting for an answer: %v", err)
			return answer{Error: wire.Errorf(wire.Unavailable, "%v", err)}
		}
		var a answer
		if err := json.Unmarshal(p, &a); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if a.ID == id {
			return a
		}
	}
}

func (s *socket) ask(t testing.TB, body string) answer {
	t.Helper()
	s.next++
	id, _ := json.Marshal(s.next)
	s.send(t, `{"id":`+string(id)+`,`+body+`}`)
	return s.await(t, s.next)
}

// note adds a note to the first ticket: only consoles are told of it.
func (s *socket) note(t testing.TB, text string) *wire.Error {
	t.Helper()
	_ = s.conn.SetDeadline(time.Now().Add(socketLimit))
	return s.ask(t, `"command":{"name":"note.add","params":{"ticket":"1","text":"`+text+`"}}`).Error
}

// code reads until the hub ends the socket: a close code, or 0 for a cut.
func (s *socket) code() int {
	for {
		if _, err := s.frame(); err != nil {
			var c closed
			errors.As(err, &c)
			return c.code
		}
	}
}

// decoded is the next frame, decoded.
func (s *socket) decoded() (a answer, err error) {
	p, err := s.frame()
	if err == nil {
		err = json.Unmarshal(p, &a)
	}
	return a, err
}

// metric reads one number of the node.
func metric(t testing.TB, url, name string) int {
	t.Helper()
	res, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
