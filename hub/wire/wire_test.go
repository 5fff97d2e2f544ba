package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"pgregory.net/rapid"
)

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("x", wire.MaxKey+1)
	for _, c := range []struct {
		name, in string
		id       int64
		code     wire.Code
		field    string
	}{
		{"empty", "", 0, wire.BadRequest, "frame"},
		{"not JSON", "hello", 0, wire.BadRequest, "frame"},
		{"cut", `{"id":1,"ping":{}`, 0, wire.BadRequest, "frame"},
		{"array", `[1]`, 0, wire.BadRequest, "frame"},
		{"no id", `{"ping":{}}`, 0, wire.BadRequest, "id"},
		{"id zero", `{"id":0,"ping":{}}`, 0, wire.BadRequest, "id"},
		{"id negative", `{"id":-4,"ping":{}}`, 0, wire.BadRequest, "id"},
		{"id no number", `{"id":"1","ping":{}}`, 0, wire.BadRequest, "frame"},
		{"no verb", `{"id":1}`, 1, wire.BadRequest, "frame"},
		{"unknown verb", `{"id":1,"dance":{}}`, 1, wire.BadRequest, "frame"},
		{"two verbs", `{"id":1,"ping":{},"connect":{}}`, 1, wire.BadRequest, "frame"},
		{"null verb", `{"id":1,"ping":null}`, 1, wire.BadRequest, "frame"},
		{"wrong form", `{"id":1,"subscribe":"board:1"}`, 1, wire.BadRequest, "frame"},
		{"offset negative", `{"id":9,"subscribe":{"channel":"board:1","since":{"epoch":"a","offset":-1}}}`, 9, wire.BadRequest, "frame"},
		{"two values", `{"id":1,"ping":{}}{"id":2,"ping":{}}`, 1, wire.BadRequest, "frame"},
		{"trailing", `{"id":1,"ping":{}}x`, 1, wire.BadRequest, "frame"},
		{"key too long", `{"id":1,"command":{"name":"a","key":"` + long + `"}}`, 1, wire.BadRequest, "key"},
		{"not UTF-8", "{\"id\":1,\"command\":{\"name\":\"\xff\"}}", 0, wire.BadRequest, "frame"},
		{"too large", `{"id":1,"ping":{},"x":"` + strings.Repeat("x", wire.MaxFrame) + `"}`, 0, wire.TooLarge, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := wire.Decode([]byte(c.in))
			if err == nil {
				t.Fatalf("accepted as %+v", r)
			}
			if r.ID != c.id || err.Code != c.code || err.Field != c.field {
				t.Errorf("got id %d, %s, field %q; want id %d, %s, field %q", r.ID, err.Code, err.Field, c.id, c.code, c.field)
			}
			if r.Verb() != "" {
				t.Errorf("a refused frame kept its verb %s", r.Verb())
			}
		})
	}
}

func TestDecodeIgnoresUnknownMembers(t *testing.T) {
	r, err := wire.Decode([]byte(`{"id":1,"trace":"abc","ping":{"x":1}}`))
	if err != nil || r.Verb() != "ping" {
		t.Fatal(r, err)
	}
}

func TestDecodeTakesTheLargestFrame(t *testing.T) {
	head := `{"id":1,"ping":{},"x":"`
	frame := head + strings.Repeat("x", wire.MaxFrame-len(head)-2) + `"}`
	if _, err := wire.Decode([]byte(frame)); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.Decode([]byte(frame + " ")); err == nil || err.Code != wire.TooLarge {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range requests() {
		b, _ := json.Marshal(r)
		f.Add(b)
	}
	f.Add([]byte(`{"id":1,"dance":{}}`))
	f.Add([]byte("{\"id\":1,\"command\":{\"name\":\"\xff\"}}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, bad := wire.Decode(in)
		if bad != nil {
			if bad.Code != wire.BadRequest && bad.Code != wire.TooLarge {
				t.Fatalf("code %s", bad.Code)
			}
			if r.ID < 0 || r.Verb() != "" {
				t.Fatalf("refused, but %+v", r)
			}
			return
		}
		// What was accepted says the same when written and read again.
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("accepted what cannot be written: %v", err)
		}
		again, bad := wire.Decode(out)
		if bad != nil && len(out) <= wire.MaxFrame { // escaping may lengthen it
			t.Fatalf("%s became %s: %v", in, out, bad)
		}
		if bad == nil && (again.ID != r.ID || again.Verb() != r.Verb()) {
			t.Fatalf("%+v became %+v", r, again)
		}
	})
}

func TestParseChannelRefuses(t *testing.T) {
	for _, name := range []string{
		"", "board", "board:", ":1", "board:0", "board:01", "board:-1", "board:+1", "board: 1", "board:1 ", "Board:1",
		"room:1", "board:1:2", "board:1a", "board:9999999999999999999", "board:1234567890123456789", "board:１",
	} {
		if c, err := wire.ParseChannel(name); err == nil || err.Field != "channel" || c != (wire.Channel{}) {
			t.Errorf("%q became %v, %v", name, c, err)
		}
	}
}

func FuzzParseChannel(f *testing.F) {
	for _, s := range []string{"board:1", "console:12", "ticket:999999999999999999", "display:1", "board:01", "x:1", "board:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c, err := wire.ParseChannel(name)
		if err != nil {
			return
		}
		// One channel, one name; and a name that needs no escaping in JSON.
		if c.String() != name || c.ID < 1 {
			t.Fatalf("%q is %v", name, c)
		}
		if b, _ := json.Marshal(name); string(b) != `"`+name+`"` {
			t.Fatalf("%q needs escaping", name)
		}
	})
}

func TestChannelRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := wire.Channel{
			Kind: rapid.SampledFrom([]string{wire.BoardChannel, wire.ConsoleChannel, wire.TicketChannel, wire.DisplayChannel}).Draw(t, "kind"),
			ID:   rapid.Int64Range(1, 999999999999999999).Draw(t, "id"),
		}
		if got, err := wire.ParseChannel(c.String()); err != nil || got != c {
			t.Fatalf("%v became %v, %v", c, got, err)
		}
	})
}

// A push that is put together by hand says what encoding/json would say.
func TestPushIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data, _ := json.Marshal(rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "data"))
		p := wire.Push{
			Type: "ticket.called", Channel: "board:1",
			Offset: rapid.Uint64().Draw(t, "offset"), Prev: rapid.Uint64().Draw(t, "prev"),
			Time: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")), Data: data,
		}
		var got struct {
			Push, Channel, Time string
			Offset, Prev        *uint64
			Data                json.RawMessage
		}
		if err := json.Unmarshal(p.AppendJSON(nil), &got); err != nil {
			t.Fatal(err)
		}
		if got.Push != p.Type || got.Channel != p.Channel || got.Time != wire.Time(p.Time) || !bytes.Equal(got.Data, p.Data) {
			t.Fatalf("%+v became %+v", p, got)
		}
		if p.Offset == 0 {
			if got.Offset != nil || got.Prev != nil {
				t.Fatal("an ephemeral push has an offset")
			}
		} else if *got.Offset != p.Offset || *got.Prev != p.Prev {
			t.Fatalf("%+v became %+v", p, got)
		}
	})
}

// The header is read back by the rules of RFC 6455, around every border.
func TestFrameHeader(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 255, 256, 65535, 65536, 100000} {
		payload := bytes.Repeat([]byte{'x'}, n)
		f := wire.NewFrame(payload)
		if !bytes.Equal(f.Payload(), payload) || f.Len() != len(f.Ready()) {
			t.Fatalf("%d bytes: payload of %d, length %d", n, len(f.Payload()), f.Len())
		}
		b := f.Ready()
		if b[0] != 0x81 {
			t.Fatalf("first byte %x is not a final text frame", b[0])
		}
		size, head := uint64(b[1]), 2
		switch {
		case size == 126:
			size, head = uint64(b[2])<<8|uint64(b[3]), 4
		case size == 127:
			size, head = 0, 10
			for _, c := range b[2:10] {
				size = size<<8 | uint64(c)
			}
		}
		shortest := n < 126 && head == 2 || n >= 126 && n < 65536 && head == 4 || n >= 65536 && head == 10
		if size != uint64(n) || head+n != len(b) || !shortest {
			t.Fatalf("%d bytes: header of %d says %d", n, head, size)
		}
		if n > 0 {
			payload[0] = 'y'
			if f.Payload()[0] != 'x' {
				t.Fatal("a frame shares memory with the caller's buffer")
			}
		}
	}
}

func TestInternalTextIsNotSent(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7: password wrong")
	b := wire.Failure(1, wire.AsError(fmt.Errorf("store: %w", secret)))
	if strings.Contains(string(b), "10.0.0.7") || !strings.Contains(string(b), `"internal"`) {
		t.Fatalf("sent %s", b)
	}
	e := wire.Errorf(wire.Conflict, "taken")
	if wire.AsError(fmt.Errorf("call: %w", e)) != e || wire.CodeOf(e) != wire.Conflict || wire.CodeOf(secret) != wire.Internal {
		t.Fatal("a coded error lost its code")
	}
}

func TestReplyThatCannotBeWritten(t *testing.T) {
	if b := wire.Reply(3, func() {}); !strings.Contains(string(b), `"id":3,"error":{"code":"internal"`) {
		t.Fatalf("%s", b)
	}
}

func TestCloseCodeRanges(t *testing.T) {
	for _, c := range []struct {
		code        wire.CloseCode
		back, keeps bool
	}{
		{1001, true, true}, {1006, true, true}, {4000, true, true}, {4099, true, true},
		{4100, true, false}, {4199, true, false}, {4200, false, false}, {4299, false, false}, {4300, true, true},
	} {
		if wire.MayReturn(c.code) != c.back || wire.KeepsPosition(c.code) != c.keeps {
			t.Errorf("%d: return %v, keeps %v", c.code, wire.MayReturn(c.code), wire.KeepsPosition(c.code))
		}
	}
}
