//go:build unix

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a client may send by RFC 6455, and what it may not, each on a socket of its
// own: the cases of the Autobahn test suite (its numbers are named), asked of a hub
// that answers requests instead of echoing frames.

const (
	text, bin, closing, pinging, ponging, more = 0x81, 0x82, 0x88, 0x89, 0x8a, 0x00

	whole = 0x80 // the bit that says: the last piece
)

// exchange is what is sent, and all that comes back. A socket that is not closed must
// still work afterwards, and close as asked.
type exchange struct {
	name  string
	send  []byte
	chop  int      // bytes at a time; 0 is all at once
	reply int      // so many requests are answered, ids from 1
	pongs []string // in this order
	code  []int    // how it is closed: one of these; 0 is a cut
}

// asks is a request as JSON of a size, by blanks.
func asks(id, size int) []byte {
	p := fmt.Appendf(nil, `{"id":%d,"ping":{}}`, id)
	return append(p, bytes.Repeat([]byte(" "), max(0, size-len(p)))...)
}

func frames(all ...[]byte) []byte { return slices.Concat(all...) }

// fragments cuts a message into pieces of a size, with something between them.
func fragments(message []byte, size int, between []byte) []byte {
	var out []byte
	first := byte(text &^ whole)
	for len(message) > size {
		out = append(append(out, masked(first, message[:size])...), between...)
		message, first = message[size:], more
	}
	return append(out, masked(first|whole, message)...)
}

// code is the payload of a close frame.
func code(n int, reason string) []byte { return append([]byte{byte(n >> 8), byte(n)}, reason...) }

var (
	violation = []int{1002}
	normal    = []int{1000}
)

func TestProtocolCases(t *testing.T) {
	v := newVictim(t, order{Rate: 1e9})
	all := slices.Concat(messageCases(), pingCases(), reservedCases(), fragmentCases(), utf8Cases(), closeCases(), limitCases())
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) { c.run(t, dial(t, v.URL, v.StaffToken)) })
	}
	v.works(t)
	proved(t, "%d cases of RFC 6455, each answered as it must be", len(all))
}

func (c *exchange) run(t *testing.T, s *socket) {
	defer s.conn.Close()
	_ = s.conn.SetDeadline(time.Now().Add(socketLimit))
	piece := c.chop
	if piece == 0 {
		piece = len(c.send)
	}
	if len(c.code) == 0 { // it must be alive afterwards
		c.send = frames(c.send, masked(text, asks(c.reply+1, 0)), masked(closing, code(1000, "")))
		c.reply++
		c.code = normal
	}
	go func() { // the hub may close before it has read all
		for part := range slices.Chunk(c.send, piece) {
			if _, err := s.conn.Write(part); err != nil {
				return
			}
		}
	}()
	var pongs []string
	got, replies := 0, 0
	for got == 0 {
		op, payload, err := s.any()
		switch {
		case err != nil:
			got = -1
		case op == closing&0xf && len(payload) >= 2:
			got = int(payload[0])<<8 | int(payload[1])
		case op == closing&0xf:
			got = 1005 // no code, as it may be
		case op == ponging&0xf:
			pongs = append(pongs, string(payload))
		case op == text&0xf:
			var a answer
			if err := json.Unmarshal(payload, &a); err != nil || a.Error != nil || a.ID != int64(replies+1) {
				t.Fatalf("answer %d: %s", replies+1, payload)
			}
			replies++
		}
	}
	if got = max(got, 0); !slices.Contains(c.code, got) || replies != c.reply || !slices.Equal(pongs, c.pongs) {
		t.Errorf("closed with %d, %d answers, pongs %q; want one of %d, %d, %q", got, replies, pongs, c.code, c.reply, c.pongs)
	}
}

// messageCases are 1.1, 9.1 and 10.1: text of every form of length, in pieces too.
func messageCases() (out []exchange) {
	for _, size := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		for _, chop := range []int{0, 1, 997} {
			if chop == 1 && size > 1000 {
				continue
			}
			out = append(out, exchange{name: fmt.Sprintf("1.1 text of %d bytes, %d at a time", size, chop),
				send: masked(text, asks(1, size)), chop: chop, reply: 1})
		}
	}
	for _, piece := range []int{64, 256, 1300, 4096, 16384, 65535} {
		out = append(out, exchange{name: fmt.Sprintf("9.3 10.1 64 KiB in fragments of %d", piece), send: fragments(asks(1, 65536), piece, nil), reply: 1})
	}
	return append(out,
		exchange{name: "1.2 binary", send: masked(bin, asks(1, 0)), code: []int{4203}},
		exchange{name: "1.2 nothing, binary", send: masked(bin, nil), code: []int{4203}})
}

// limitCases are what 9 asks of a hub with a limit: over it nothing is kept.
func limitCases() (out []exchange) {
	over := []int{1009}
	for _, piece := range []int{1000, 4096, 65536} {
		out = append(out, exchange{name: fmt.Sprintf("9 64 KiB and one byte in fragments of %d", piece), send: fragments(asks(1, 65537), piece, nil), code: over})
	}
	return append(out, exchange{name: "9 a frame of 64 KiB and one byte", send: masked(text, asks(1, 65537)), code: over})
}

// pingCases are 2: pings are answered with what they carry, in order.
func pingCases() []exchange {
	full, odd := strings.Repeat("\xfe", 125), "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	var ten []byte
	var tenth []string
	for n := range 10 {
		payload := fmt.Sprintf("payload-%d", n)
		ten, tenth = append(ten, masked(pinging, []byte(payload))...), append(tenth, payload)
	}
	return []exchange{
		{name: "2.1 empty", send: masked(pinging, nil), pongs: []string{""}},
		{name: "2.2 text", send: masked(pinging, []byte("Hello, world!")), pongs: []string{"Hello, world!"}},
		{name: "2.3 not UTF-8", send: masked(pinging, []byte(odd)), pongs: []string{odd}},
		{name: "2.4 125 bytes", send: masked(pinging, []byte(full)), pongs: []string{full}},
		{name: "2.5 126 bytes", send: masked(pinging, []byte(full+"x")), code: violation},
		{name: "2.6 a byte at a time", send: masked(pinging, []byte(full)), chop: 1, pongs: []string{full}},
		{name: "2.7 a pong that nobody asked for", send: masked(ponging, nil)},
		{name: "2.8 with a payload", send: masked(ponging, []byte("unsolicited"))},
		{name: "2.9 and a ping after it", send: frames(masked(ponging, []byte("unsolicited")), masked(pinging, []byte("ping"))), pongs: []string{"ping"}},
		{name: "2.10 ten", send: ten, pongs: tenth},
		{name: "2.11 ten, a byte at a time", send: ten, chop: 1, pongs: tenth},
	}
}

// reservedCases are 3 and 4: bits and opcodes that mean nothing yet, after a request
// that is still answered.
func reservedCases() (out []exchange) {
	first := masked(text, asks(1, 0))
	for bits := byte(1); bits < 8; bits++ {
		for _, op := range []byte{text, bin, pinging, closing} {
			for _, chop := range []int{0, 1} {
				out = append(out, exchange{name: fmt.Sprintf("3 reserved bits %03b on %x, %d at a time", bits, op, chop),
					send: frames(first, masked(op|bits<<4, asks(2, 0))), chop: chop, reply: 1, code: violation})
			}
		}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		for _, payload := range []string{"", "reserved opcode payload"} {
			out = append(out, exchange{name: fmt.Sprintf("4 opcode %d with %d bytes", op, len(payload)),
				send: frames(first, masked(whole|op, []byte(payload)), masked(pinging, nil)), chop: len(payload) % 2, reply: 1, code: violation})
		}
	}
	return out
}

// fragmentCases are 5.
func fragmentCases() []exchange {
	const open = text &^ whole
	m := asks(1, 0)
	a, b := m[:7], m[7:]
	ping, rest := masked(pinging, []byte("between")), masked(text, asks(1, 0))
	return []exchange{
		{name: "5.1 a ping in fragments", send: frames(masked(pinging&^whole, []byte("a")), masked(more|whole, []byte("b"))), code: violation},
		{name: "5.2 a pong in fragments", send: frames(masked(ponging&^whole, []byte("a")), masked(more|whole, []byte("b"))), code: violation},
		{name: "5.3 text in two", send: fragments(m, 7, nil), reply: 1},
		{name: "5.4 7 bytes at a time", send: fragments(m, 7, nil), chop: 7, reply: 1},
		{name: "5.5 a byte at a time", send: fragments(m, 7, nil), chop: 1, reply: 1},
		{name: "5.6 a ping between them", send: frames(masked(open, a), ping, masked(more|whole, b)), reply: 1, pongs: []string{"between"}},
		{name: "5.8 the same, a byte at a time", send: frames(masked(open, a), ping, masked(more|whole, b)), chop: 1, reply: 1, pongs: []string{"between"}},
		{name: "5.9 the end of nothing", send: frames(masked(more|whole, a), rest), code: violation},
		{name: "5.11 a byte at a time", send: frames(masked(more|whole, a), rest), chop: 1, code: violation},
		{name: "5.12 a piece of nothing", send: frames(masked(more, a), rest), code: violation},
		{name: "5.14 a byte at a time", send: frames(masked(more, a), rest), chop: 1, code: violation},
		{name: "5.15 text in two, then a piece of nothing", send: frames(fragments(m, 7, nil), masked(more, a), rest), reply: 1, code: violation},
		{name: "5.16 a piece of nothing, then text in two", send: frames(masked(more, a), fragments(m, 7, nil)), code: violation},
		{name: "5.17 the end of nothing, then text in two", send: frames(masked(more|whole, a), fragments(m, 7, nil)), code: violation},
		{name: "5.18 two beginnings", send: frames(masked(open, a), masked(text, b)), code: violation},
		{name: "5.19 pings between five", send: fragments(m, 4, ping), reply: 1, pongs: slices.Repeat([]string{"between"}, (len(m)-1)/4)},
		{name: "5.20 the same, a byte at a time", send: fragments(m, 4, ping), chop: 1, reply: 1, pongs: slices.Repeat([]string{"between"}, (len(m)-1)/4)},
		{name: "6.1 empty pieces", send: frames(masked(open, nil), masked(more, m), masked(more|whole, nil)), reply: 1},
		{name: "no mask", send: append([]byte{text, byte(len(m))}, m...), code: []int{1002, 0}},
	}
}

// utf8Cases are 6: what is UTF-8 is let through, wherever it is cut, and what is not
// ends the socket.
func utf8Cases() (out []exchange) {
	around := func(middle string) []byte { return []byte(`{"id":1,"ping":{"text":"` + middle + `"}}`) }
	in := func(name, middle string, end []int) {
		m, reply := around(middle), 1
		if end != nil {
			reply = 0
		}
		for _, way := range []exchange{
			{name: "whole", send: masked(text, m)},
			{name: "a byte at a time", send: masked(text, m), chop: 1},
			{name: "in fragments of a byte", send: fragments(m, 1, nil)},
		} {
			way.name, way.reply, way.code = fmt.Sprintf("%s % x, %s", name, middle, way.name), reply, end
			out = append(out, way)
		}
	}
	for _, s := range []string{
		"κόσμε", "Hello-µ@ßöäüàá", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\ufdd0",
		"\U00010000", "\U0001fffe", "\U000fffff", "\U0010ffff", "𝄞", "👩‍👧",
	} {
		in("6 valid", s, nil)
	}
	const kosme = "κόσμε" // 6.3: in the middle of good text
	for _, s := range []string{
		"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80\xbf\x80\xbf", // continuation of nothing
		"\xc0 \xc1 \xdf ", "\xe0 \xef ", "\xf0 \xf7 ", "\xf8 \xfb ", "\xfc \xfd ", // beginnings of nothing
		"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf", // cut off
		"\xfe", "\xff", "\xfe\xfe\xff\xff", // no bytes of UTF-8 at all
		"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf", // longer than needed
		"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", // over U+10FFFF
		"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf", // halves of pairs
		"\xed\xa0\x80\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf", // pairs
	} {
		in("6 invalid", kosme+s+"edited", []int{1007})
	}
	return out
}

// closeCases are 7.
func closeCases() (out []exchange) {
	bye, after := masked(closing, code(1000, "")), masked(text, asks(1, 0))
	out = []exchange{
		{name: "7.1.1 a message and a close", send: frames(after, bye), reply: 1, code: normal},
		{name: "7.1.2 two closes", send: frames(bye, bye), code: normal},
		{name: "7.1.3 a ping after it", send: frames(bye, masked(pinging, nil)), code: normal},
		{name: "7.1.4 text after it", send: frames(bye, after), code: normal},
		{name: "7.1.5 between fragments", send: frames(masked(text&^whole, []byte("{")), bye, masked(more|whole, []byte("}"))), code: normal},
		{name: "7.1.6 after 64 KiB, with a ping after it", send: frames(masked(text, asks(1, 65536)), bye, masked(pinging, nil)), reply: 1, code: normal},
		{name: "7.3.1 without a code", send: masked(closing, nil), code: []int{1005, 1000}},
		{name: "7.3.2 half a code", send: masked(closing, []byte{3}), code: violation},
		{name: "7.3.4 a reason", send: masked(closing, code(1000, "Hello World!")), code: normal},
		{name: "7.3.5 a long one", send: masked(closing, code(1000, strings.Repeat("*", 123))), code: normal},
		{name: "7.3.6 one byte more", send: masked(closing, code(1000, strings.Repeat("*", 124))), code: violation},
		{name: "7.5.1 a reason that is no UTF-8", send: masked(closing, code(1000, "\xce\xba\xed\xa0\x80")), code: []int{1000, 1002, 1007}},
	}
	for _, n := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		out = append(out, exchange{name: fmt.Sprintf("7.7 code %d", n), send: masked(closing, code(n, "")), code: []int{n}})
	}
	for _, n := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		out = append(out, exchange{name: fmt.Sprintf("7.9 7.13 code %d", n), send: masked(closing, code(n, "")), code: violation})
	}
	return out
}
