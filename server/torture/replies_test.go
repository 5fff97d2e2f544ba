//go:build unix

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/nowserving/nowserving/hub/wire"
)

// TestLostReplies breaks the link when a command has been sent, before its reply or
// in the middle of it, and asks again elsewhere (F7): it happened once, and every
// further answer is the same, to the byte.
func TestLostReplies(t *testing.T) {
	data := t.TempDir()
	v := newVictim(t, order{Data: data})
	l := newLoad(t, v.URL, v.StaffToken, *seedFlag, 0)
	done := 0 // for certain, when it was asked again
	for n := range rounds(200, 5000) {
		key := fmt.Sprint("lost-", n)
		command := fmt.Sprintf(`"command":{"name":"ticket.create","key":%q,"params":{"line":1,"firstName":%q}}`, key, key)
		if loseReply(t, v, command, n) {
			done++
		}
		_ = v.good.conn.SetDeadline(time.Now().Add(socketLimit))
		first, second := v.good.ask(t, command), v.good.ask(t, command)
		if first.Error != nil || !bytes.Equal(first.Reply, second.Reply) {
			t.Fatalf("round %d: %v; %s, then %s", n, first.Error, first.Reply, second.Reply)
		}
		var reply struct {
			Offset uint64
			Ticket struct{ ID string }
		}
		if err := json.Unmarshal(first.Reply, &reply); err != nil || reply.Ticket.ID == "" {
			t.Fatalf("%s: %v", first.Reply, err)
		}
		l.answered(key, ack{name: "ticket.create", offset: reply.Offset, ticket: reply.Ticket.ID})
		if r := v.good.ask(t, `"command":{"name":"ticket.cancel","params":{"ticket":"`+reply.Ticket.ID+`"}}`); r.Error != nil {
			t.Fatal(r.Error)
		}
	}
	if done < rounds(200, 5000)/2 {
		t.Errorf("only %d commands had surely happened when they were asked again", done)
	}
	proved(t, "%d replies were lost, at least %d of them after it had happened", rounds(200, 5000), done)
	l.stop()
	v.stop(t)
	l.check(data, 0)
}

// loseReply sends a command and cuts the link: one time in four at once, otherwise
// after some bytes of the reply, which prove that it has happened.
func loseReply(t *testing.T, v *victim, command string, n int) (happened bool) {
	t.Helper()
	s, status, err := handshake(v.URL)
	if err != nil || status != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %d, %v", status, err)
	}
	defer s.conn.Close()
	if r := s.ask(t, `"connect":{"token":"`+v.StaffToken+`"}`); r.Error != nil {
		t.Fatal(r.Error)
	}
	s.send(t, `{"id":2,`+command+`}`)
	if n%4 > 0 {
		got, err := s.conn.Read(make([]byte, 1+n/4%300))
		if err != nil || len(s.buf) > 0 {
			t.Fatalf("the reply does not come: %v", err)
		}
		happened = got > 0
	}
	reset(s.conn)
	return happened
}

// TestOneCaller: 64 clerks press the button for one ticket at the same moment (F8):
// one gets it, the others are told so.
func TestOneCaller(t *testing.T) {
	v := newVictim(t, order{})
	var clerks []*socket
	for range 64 {
		clerks = append(clerks, dial(t, v.URL, v.StaffToken))
	}
	for round := range rounds(50, 2000) {
		_ = v.good.conn.SetDeadline(time.Now().Add(socketLimit))
		made := v.good.ask(t, `"command":{"name":"ticket.create","params":{"line":1}}`)
		var reply struct{ Ticket struct{ ID string } }
		if err := json.Unmarshal(made.Reply, &reply); err != nil || reply.Ticket.ID == "" {
			t.Fatalf("%v, %v", made.Error, err)
		}
		ticket := reply.Ticket.ID
		for _, c := range clerks {
			_ = c.conn.SetDeadline(time.Now().Add(socketLimit))
			c.next++
			c.send(t, fmt.Sprintf(`{"id":%d,"command":{"name":"ticket.call","params":{"ticket":%q,"keepActive":true}}}`, c.next, ticket))
		}
		var history []porcupine.Operation
		for by, c := range clerks { // all were sent before the first answer was read
			code := wire.Code("")
			if r := c.await(t, c.next); r.Error != nil {
				code = r.Error.Code
			}
			history = append(history, porcupine.Operation{
				ClientId: by, Input: asked{ticket: ticket, name: "ticket.call", by: by}, Call: 1, Output: told{code}, Return: int64(2 + by),
			})
		}
		if winners := countCalled(history); winners != 1 || !porcupine.CheckOperations(ticketModel(), history) {
			t.Fatalf("round %d: %d got the ticket: %v", round, winners, history)
		}
		if r := v.good.ask(t, `"command":{"name":"ticket.serve","params":{"ticket":"`+ticket+`"}}`); r.Error != nil {
			t.Fatal(r.Error)
		}
	}
	proved(t, "%d tickets, 64 clerks each", rounds(50, 2000))
}

func countCalled(history []porcupine.Operation) (n int) {
	for _, o := range history {
		if o.Output.(told).code == "" {
			n++
		}
	}
	return n
}
