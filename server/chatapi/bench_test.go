package chatapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
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

// sendRate is how many messages a second BenchmarkSend is given, whatever becomes
// of those before.
const sendRate = 500

// BenchmarkSend sends over HTTP, in 200 conversations, on a store on disk. Each
// message has its time, so one that waits makes those behind it late as well.
func BenchmarkSend(b *testing.B) {
	r := newDiskRig(b)
	server := httptest.NewServer(r.api)
	defer server.Close()
	var ids []int
	for i := range 200 {
		ids = append(ids, r.open(fmt.Sprint(i)))
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex // protects took
	var took []time.Duration
	var wg sync.WaitGroup
	start, n := time.Now(), 0
	for b.Loop() {
		due := start.Add(time.Duration(n) * time.Second / sendRate)
		time.Sleep(time.Until(due))
		to := fmt.Sprint(server.URL, Prefix, "tickets/send/", ids[n%len(ids)])
		n++
		wg.Go(func() {
			sendOne(b, client, to)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(due))
		})
	}
	wg.Wait()
	slices.Sort(took)
	for _, p := range []float64{50, 99} {
		at := took[min(len(took)-1, int(float64(len(took))*p/100))]
		b.ReportMetric(float64(at.Microseconds())/1000, fmt.Sprint("p", p, "-ms"))
	}
}

func sendOne(b *testing.B, client *http.Client, to string) {
	q, err := http.NewRequest("POST", to, strings.NewReader(`{"text":"hello, how are you?"}`))
	if err != nil {
		b.Error(err)
		return
	}
	q.Header.Set("Authorization", "Bearer "+ann)
	res, err := client.Do(q)
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.Errorf("%s: %s", to, res.Status)
	}
}

// BenchmarkGet10000 reads a conversation of 10,000 messages on a store on disk.
// Nothing of it is kept between two reads.
func BenchmarkGet10000(b *testing.B) {
	r := newDiskRig(b)
	id := r.open("x")
	var wg sync.WaitGroup
	for i := range 10000 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := r.Do(context.Background(), ledger.Request{
				Location: 1, Actor: ticket.Actor{Kind: "integrator", User: 1},
				Command: ticket.SendMessage{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Text: fmt.Sprint("message number ", i, "\nhow are you?")},
			})
			if err != nil {
				b.Error(err)
			}
		}()
		if i%200 == 199 {
			wg.Wait()
		}
	}
	wg.Wait()
	for b.Loop() {
		r.once(b, "GET", fmt.Sprint("tickets/get/", id), "")
	}
}

// listed is how many conversations BenchmarkList has in its store; it takes some
// minutes to make them.
const listed = 1_000_000

// fill puts conversations of two years into the rig's store, as the API would have
// left them: nearly all closed, one in ten still active days later.
func (r *rig) fill(b *testing.B, n int) (first time.Time) {
	const step = time.Minute
	first = morning.Add(-time.Duration(n) * step)
	shape := r.must(1, ticket.OpenConversation{
		Fields:       [10]string{"A subject of some words", "more"},
		Participants: []ticket.Newcomer{{Type: ticket.ParticipantClient, Protocol: "Web", ParticipantName: ticket.ParticipantName{Name: "Jack Bower", Identifier: "jack"}}},
	}).Ticket
	for i := 0; i < n; {
		var change store.Change
		for ; i < n && len(change.Tickets) < 200; i++ {
			t := *shape
			t.ID, t.Place.CreatedAt = int64(i+1000), first.Add(time.Duration(i)*step)
			c := &t.Conversation
			c.OpenedAt, c.StateAt, c.LastActivity = t.Place.CreatedAt, t.Place.CreatedAt, t.Place.CreatedAt.Add(time.Minute)
			c.State, c.ClosedAt, c.Seq = ticket.ConversationClosed, c.LastActivity, 12
			if i%10 == 0 {
				c.LastActivity = c.OpenedAt.AddDate(0, 0, i%40)
				change.Docs = append(change.Docs, store.Doc{Kind: actDocs(1, c.LastActivity), Key: actKey(&t), Value: []byte("1")})
			}
			doc, err := json.Marshal(&t)
			if err != nil {
				b.Fatal(err)
			}
			change.Tickets = append(change.Tickets, store.TicketVersion{ID: t.ID, Location: 1, Doc: doc, Index: store.Index{Created: t.Place.CreatedAt}})
		}
		if err := r.store.Commit([]store.Change{change}); err != nil {
			b.Fatal(err)
		}
	}
	return first
}

// BenchmarkList lists pages of 100 of 1,000,000 conversations, on a store on disk:
// the first page of a month and its last, in either order.
func BenchmarkList(b *testing.B) {
	r := newDiskRig(b)
	since := r.fill(b, listed).AddDate(1, 0, 0)
	for _, order := range []string{"ASC", "DESC"} {
		next := "tickets/list?" + url.Values{
			"since": {since.Format(listTime) + ":00"}, "until": {since.AddDate(0, 1, 0).Format(listTime) + ":00"}, "sortOrder": {order},
		}.Encode()
		for at := "first"; at != ""; {
			b.Run(order+"/"+at, func(b *testing.B) {
				for b.Loop() {
					r.once(b, "GET", next, "")
				}
			})
			if at == "last" {
				break
			}
			next, at = r.lastPage(next), "last"
		}
	}
}

// lastPage follows a list to its end.
func (r *rig) lastPage(at string) string {
	for {
		link, more := r.get(at).at("paging", "next").(string)
		if !more {
			return at
		}
		_, page, _ := strings.Cut(link, Prefix)
		at = page
	}
}
