package ticket

import (
	"bytes"
	"testing"
)

// FuzzDecodeState: whatever is read can be projected and written, and what was
// written is read as the same.
func FuzzDecodeState(f *testing.F) {
	w := subject(f, Called)
	f.Add([]byte(encoded(f, w.s)))
	w.must(Serve{ref(2)}, clerk(1))
	f.Add([]byte(encoded(f, w.s)))
	f.Add([]byte(`{"journal":0,"locations":{"1":{"id":1,"timezone":"UTC"}}}`))
	f.Add([]byte(`{"location":{"id":1},"tickets":{"1":{"id":1,"place":{"status":"CALLED"}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeState(b)
		if err != nil {
			return
		}
		first, err := s.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := DecodeState(first)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, first)
		}
		if second := encoded(t, again); second != string(first) {
			t.Fatalf("not the same again:\n%s\n%s", first, second)
		}
		if s.Location != nil {
			jsonOf(t, s.BoardSnapshot())
			jsonOf(t, s.ConsoleSnapshot())
		}
	})
}

// FuzzDecodeEvent: what was read is written and read as the same.
func FuzzDecodeEvent(f *testing.F) {
	w := subject(f, NoShow)
	w.must(Label{Ref: ref(2), Add: "VIP"}, nobody)
	for _, events := range w.log {
		for _, e := range events {
			facts, personal, err := e.Encode()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(facts, personal)
		}
	}
	f.Add([]byte(`null`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, facts, personal []byte) {
		e, err := DecodeEvent("ticket.changed", 1, noon, facts, personal)
		if err != nil {
			return
		}
		if (len(personal) > 0) != (e.Personal != nil) {
			t.Fatalf("personal %q was read as %v", personal, e.Personal)
		}
		x, y, err := e.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := DecodeEvent(string(e.Type), e.Ticket, e.Time, x, y)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		p, q, err := again.Encode()
		if err != nil || !bytes.Equal(x, p) || !bytes.Equal(y, q) {
			t.Fatalf("not the same again (%v):\n%s\n%s\n%s\n%s", err, x, p, y, q)
		}
	})
}
