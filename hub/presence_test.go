package hub

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAudiencesAreSeparate(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		staff, so := subscribe(t, h, ticket7s, nil)
		visitor, _ := subscribe(t, h, ticket7v, nil)
		j.add(h, ticket7s, 1)
		j.add(h, ticket7s, 2)
		j.add(h, ticket7v, 2)
		h.Emit(ticket7s.Channel, "signal", []byte(`{"name":"typing"}`), so)
		synctest.Wait()
		if fmt.Sprint(staff.seen["ticket:7"]) != "[1 2]" || fmt.Sprint(visitor.seen["ticket:7"]) != "[2]" {
			t.Errorf("staff %v, visitor %v", staff.seen, visitor.seen)
		}
		count := func(c *client) int {
			frames, _ := c.got()
			n := 0
			for _, f := range frames {
				if strings.Contains(string(f.payload), `"push":"signal"`) {
					n++
				}
			}
			return n
		}
		if count(staff) != 0 || count(visitor) != 1 {
			t.Errorf("the signal went to staff %d times, to the visitor %d times", count(staff), count(visitor))
		}
		h.Emit(ticket7s.Channel, "signal", nil, nil, Staff)
		synctest.Wait()
		if count(staff) != 1 || count(visitor) != 1 {
			t.Error("an audience was not respected")
		}
	})
}

func TestPresence(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		c, _ := subscribe(t, h, console1, nil)
		h.Join(1, Member{Session: "s-2", Name: "lobby-tv/1.0", Audience: Display, Display: 1})
		h.Join(1, Member{Session: "s-1", Name: "console", Audience: Staff})
		h.Join(2, Member{Session: "s-3"})
		h.Leave(1, "s-2")
		h.Leave(1, "s-2") // not there: no push
		synctest.Wait()
		if p := h.Present(1); len(p) != 1 || p[0].Session != "s-1" {
			t.Errorf("present: %v", p)
		}
		var got []string
		frames, _ := c.got()
		for _, f := range frames[1:] {
			got = append(got, string(f.payload[bytes.Index(f.payload, []byte(`"data":`)):]))
		}
		want := `"data":{"session":"s-2","name":"lobby-tv/1.0","audience":"display","display":1,"online":true}} ` +
			`"data":{"session":"s-1","name":"console","audience":"staff","online":true}} ` +
			`"data":{"session":"s-2","name":"lobby-tv/1.0","audience":"display","display":1,"online":false}}`
		if strings.Join(got, " ") != want {
			t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
		}
	})
}

// Presence that changes while a snapshot is folded is in the snapshot or comes
// after it.
func TestPresenceWhileSubscribing(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *Hub, j *journal) {
		once := false
		j.onFold = func() {
			if !once {
				once = true
				h.Join(1, Member{Session: "s-9"})
			}
		}
		subscribe(t, h, console1, nil)
		if j.folds != 2 {
			t.Errorf("folded %d times: the first snapshot lacks s-9", j.folds)
		}
		subscribe(t, h, console1, nil)
		if j.folds != 2 {
			t.Error("the second snapshot was good")
		}
	})
}
