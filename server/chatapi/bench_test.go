package chatapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

func (r *rig) once(b *testing.B, method, path, body string) {
	h := httptest.NewRequest(method, "http://"+host+Prefix+path, strings.NewReader(body))
	h.Header.Set("Authorization", "Bearer "+ann)
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, h)
	if w.Code != http.StatusOK {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

func BenchmarkSend(b *testing.B) {
	r := newRig(b)
	var ids []int
	for i := range 200 {
		ids = append(ids, r.open(fmt.Sprint(i)))
	}
	b.ResetTimer()
	for i := range b.N {
		r.once(b, "POST", fmt.Sprint("tickets/send/", ids[i%len(ids)]), `{"text":"hello, how are you?"}`)
	}
}

func BenchmarkGet10000(b *testing.B) {
	r := newRig(b)
	id := r.open("x")
	for i := range 10000 {
		_, err := r.Do(context.Background(), ledger.Request{
			Location: 1, Actor: ticket.Actor{Kind: "integrator", User: 1},
			Command: ticket.SendMessage{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Text: fmt.Sprint("message number ", i)},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		r.once(b, "GET", fmt.Sprint("tickets/get/", id), "")
	}
}

// many is a ledger whose search is that of a large department: it answers from
// the tickets that are asked for and counts them.
type many struct {
	Ledger
	n int
}

func (m many) Search(q store.Query) ([]*ticket.Ticket, error) {
	first := morning.Add(-time.Duration(m.n) * time.Second)
	var out []*ticket.Ticket
	for i := m.n; i > 0 && len(out) < q.Limit; i-- {
		made := first.Add(time.Duration(i) * time.Second)
		if made.After(q.MaxCreated) {
			i -= int(made.Sub(q.MaxCreated) / time.Second)
			continue
		}
		if made.Before(q.MinCreated) {
			break
		}
		out = append(out, &ticket.Ticket{ID: int64(i), Location: 1, Place: ticket.Place{CreatedAt: made}, Conversation: ticket.Conversation{
			State: ticket.ConversationOpen, OpenedAt: made, LastActivity: made,
		}})
	}
	return out, nil
}

// BenchmarkList measures the API's own part of a page of 100 among 1,000,000; the
// store's part is measured with the store.
func BenchmarkList(b *testing.B) {
	r := newRig(b, func(d *Deps) { d.Ledger = many{d.Ledger, 1000000} })
	for range b.N {
		r.once(b, "GET", "tickets/list?since=20/02/2026%2000:00:00:00&until=03/03/2026%2000:00:00:00", "")
	}
}
