package sms

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

func TestMessageGoesOutAndArrives(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("5551 2345")
		r.text(id, "hello")
		if got := r.messages(id); got != "OUTGOING hello NEW" {
			t.Fatalf("before: %s", got)
		}
		r.Wake(id)
		synctest.Wait()
		form := r.stand.last()
		if form.Get("To") != "+37255512345" || form.Get("From") != from || form.Get("Body") != "hello" {
			t.Errorf("the provider got %v", form)
		}
		if got := r.messages(id); got != "OUTGOING hello SENT" {
			t.Errorf("after: %s", got)
		}
		if r.docs(Docs)+r.docs(workDocs) != 0 || r.docs(sentDocs) != 1 {
			t.Errorf("documents: %d, %d, %d", r.docs(Docs), r.docs(workDocs), r.docs(sentDocs))
		}
		at := form.Get("StatusCallback")
		for _, step := range []struct{ word, want string }{
			{"queued", "SENT"}, {"sent", "SENT"}, {"delivered", "DELIVERED"}, {"sent", "DELIVERED"}, {"failed", "DELIVERED"},
		} {
			code := r.call(callback(at, url.Values{"MessageStatus": {step.word}, "MessageSid": {"SM1"}}, token))
			if code != http.StatusNoContent || r.messages(id) != "OUTGOING hello "+step.want {
				t.Errorf("after %s: %d, %s", step.word, code, r.messages(id))
			}
		}
		if s := r.Stats(); s != (Stats{Sent: 1, Delivered: 1}) {
			t.Errorf("figures are %+v", s)
		}
		if l := r.log.String(); strings.Contains(l, "hello") || strings.Contains(l, "5551") || strings.Contains(l, token) || strings.Contains(l, account) {
			t.Errorf("the log tells too much: %s", l)
		}
	})
}

func TestNumbersThatCannotBe(t *testing.T) {
	bubble(t, func(r *rig) {
		bad, gone := r.ticket("12"), r.ticket("+37255512345")
		r.stand.set(func(url.Values, int) (int, string) {
			return 400, `{"code":21211,"message":"not a number","status":400}`
		})
		r.text(bad, "one")
		r.text(gone, "two")
		r.Wake(bad)
		r.Wake(gone)
		synctest.Wait()
		if r.messages(bad) != "OUTGOING one INVALID_NUMBER" || r.messages(gone) != "OUTGOING two INVALID_NUMBER" {
			t.Errorf("%s; %s", r.messages(bad), r.messages(gone))
		}
		if r.stand.bodies() != "two" || r.docs(workDocs) != 0 || r.Stats().Refused != 2 {
			t.Errorf("the provider got %q; %+v", r.stand.bodies(), r.Stats())
		}
	})
}

// While the provider is away messages stay NEW, and go out in order when it is back.
func TestProviderAway(t *testing.T) {
	for name, answer := range map[string]func(url.Values, int) (int, string){
		"down":           func(url.Values, int) (int, string) { return 503, `{}` },
		"busy":           func(url.Values, int) (int, string) { return 429, `{"code":20429}` },
		"wrong password": func(url.Values, int) (int, string) { return 401, `{"code":20003}` },
		"wrong sender":   func(url.Values, int) (int, string) { return 400, `{"code":21606}` },
		"not its form":   func(url.Values, int) (int, string) { return 400, `<html>` },
	} {
		bubble(t, func(r *rig) {
			id := r.ticket("+37255512345")
			r.stand.set(answer)
			r.text(id, "one")
			r.text(id, "two")
			r.Wake(id)
			time.Sleep(5 * time.Minute)
			if got := r.messages(id); got != "OUTGOING one NEW, OUTGOING two NEW" {
				t.Errorf("%s: %s", name, got)
			}
			at := r.stand.times()
			for i, want := range []time.Duration{5, 10, 20, 40, 80} {
				if got := at[i+1].Sub(at[i]); got != want*time.Second {
					t.Errorf("%s: pause %d is %v", name, i, got)
				}
			}
			r.stand.set(nil)
			before := len(at)
			time.Sleep(10 * time.Minute)
			if got := r.messages(id); got != "OUTGOING one SENT, OUTGOING two SENT" || len(r.stand.times()) != before+2 {
				t.Errorf("%s: then %s", name, got)
			}
		})
	}
}

func TestOldMessagesAreGivenUp(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.stand.set(func(url.Values, int) (int, string) { return 503, `{}` })
		r.text(id, "your turn")
		r.Wake(id)
		time.Sleep(25 * time.Hour)
		n := len(r.stand.times())
		r.stand.set(nil)
		time.Sleep(25 * time.Hour)
		if r.messages(id) != "OUTGOING your turn NEW" || r.docs(workDocs) != 0 || len(r.stand.times()) != n || r.Stats().Dropped != 1 {
			t.Errorf("%s, %d attempts, %+v", r.messages(id), len(r.stand.times()), r.Stats())
		}
	})
}

// Nobody was woken, or everything ended in the middle: what is NEW goes out, what
// was noted does not go out again.
func TestRestart(t *testing.T) {
	bubble(t, func(r *rig) {
		a, b := r.ticket("+37255512345"), r.ticket("+37255512346")
		r.text(a, "one") // and the process ends before the wake-up
		r = r.again()
		synctest.Wait()
		if r.messages(a) != "OUTGOING one SENT" {
			t.Errorf("after the first start: %s", r.messages(a))
		}
		r.stand.set(func(f url.Values, _ int) (int, string) {
			if f.Get("Body") == "three" {
				return 503, `{}`
			}
			return 201, `{"sid":"SMx"}`
		})
		r.text(b, "two")
		r.text(b, "three")
		r.Wake(b)
		synctest.Wait() // two went, three did not
		r.stand.set(nil)
		r = r.again()
		defer r.stop()
		synctest.Wait()
		if got := r.stand.bodies(); got != "one two three three" {
			t.Errorf("the provider got %s", got)
		}
		if got := r.messages(b); got != "OUTGOING two SENT, OUTGOING three SENT" {
			t.Errorf("after the last start: %s", got)
		}
	})
}

// A message that is written while another of its ticket is under way is not
// forgotten, although nobody wakes the gateway for it.
func TestWrittenWhileSending(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.stand.set(func(f url.Values, n int) (int, string) {
			if n == 1 {
				r.text(id, "two")
			}
			return 201, `{"sid":"SMx"}`
		})
		r.text(id, "one")
		r.Wake(id)
		synctest.Wait()
		if r.docs(Docs) != 1 || r.docs(workDocs) != 0 {
			t.Fatalf("documents: %d, %d", r.docs(Docs), r.docs(workDocs))
		}
		r = r.again()
		defer r.stop()
		synctest.Wait()
		if got := r.messages(id); got != "OUTGOING one SENT, OUTGOING two SENT" {
			t.Errorf("in the end: %s", got)
		}
	})
}

// A message that cannot be noted as sent must not be sent again and again.
func TestFullDisk(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.stand.set(func(url.Values, int) (int, string) {
			r.full.Store(true)
			return 201, `{"sid":"SMx"}`
		})
		r.text(id, "one")
		r.Wake(id)
		time.Sleep(10 * time.Minute)
		if n := len(r.stand.times()); n != 1 {
			t.Errorf("sent %d times", n)
		}
		r.full.Store(false)
		time.Sleep(time.Minute)
		if got := r.messages(id); got != "OUTGOING one SENT" {
			t.Errorf("in the end: %s", got)
		}
	})
}

func TestErasedTicketsGetNothing(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.text(id, "one")
		r.do(1, ticket.Erase{Ref: ticket.Ref{ID: ticket.TicketID(id)}})
		r.Wake(id)
		synctest.Wait()
		if r.stand.bodies() != "" || r.docs(Docs)+r.docs(workDocs) != 0 {
			t.Errorf("sent %q, documents %d", r.stand.bodies(), r.docs(workDocs))
		}
	})
}

func TestIDsAreKeptForAMonth(t *testing.T) {
	bubble(t, func(r *rig) {
		id := r.ticket("+37255512345")
		r.text(id, "one")
		r.Wake(id)
		time.Sleep(29 * 24 * time.Hour)
		if r.docs(sentDocs) != 1 {
			t.Error("gone too early")
		}
		time.Sleep(3 * 24 * time.Hour)
		if r.docs(sentDocs) != 0 {
			t.Error("still there")
		}
	})
}

func TestKept(t *testing.T) {
	bubble(t, func(r *rig) {
		r.stop()
		r = open(t, r.store, r.stand, r.full, wholeProvider(r.stand)) // its ledger; nobody wakes its Sender
		defer r.stop()
		k, ctx := NewKept(r.ledger), context.Background()
		id := r.ticket("5551 2345")
		r.text(id, "one")
		r.text(id, "two")
		k.Wake(id)
		waiting, err := k.Waiting(10)
		if err != nil || len(waiting) != 2 || waiting[0].Body != "one" || waiting[0].To != "+37255512345" || waiting[0].PublicID != "A-1" {
			t.Fatalf("waiting: %s, %v", jsonOf(t, waiting), err)
		}
		if some, _ := k.Waiting(1); len(some) != 1 {
			t.Errorf("%d of at most one", len(some))
		}
		if err := k.HandOver(ctx, "user:1", id, waiting[0].Seq, ticket.TextSent); err != nil {
			t.Fatal(err)
		}
		if err := k.HandOver(ctx, "user:1", id, waiting[0].Seq, ticket.TextSent); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("handed over twice: %v", err)
		}
		if err := k.HandOver(ctx, "user:1", id, waiting[0].Seq, "NEW"); wire.CodeOf(err) != wire.BadRequest {
			t.Errorf("handed back: %v", err)
		}
		if left, _ := k.Waiting(10); len(left) != 1 || left[0].Body != "two" {
			t.Errorf("left: %s", jsonOf(t, left))
		}
		if err := k.HandOver(ctx, "user:1", id, waiting[1].Seq, ticket.TextDelivered); err != nil {
			t.Fatal(err)
		}
		if err := k.HandOver(ctx, "user:1", id, waiting[0].Seq, ticket.TextDelivered); err != nil {
			t.Errorf("SENT does not become DELIVERED: %v", err)
		}
		if r.messages(id) != "OUTGOING one DELIVERED, OUTGOING two DELIVERED" || r.docs(Docs)+r.docs(workDocs) != 0 {
			t.Errorf("in the end: %s", r.messages(id))
		}
		if s := k.Stats(); s.Sent != 1 || s.Delivered != 2 {
			t.Errorf("figures are %+v", s)
		}
	})
}

func TestNormalise(t *testing.T) {
	for _, c := range []struct{ number, country, want string }{
		{"+46701234567", "", "+46701234567"},
		{"+46 (70) 123-45 67", "EE", "+46701234567"},
		{"070-123 45 67", "SE", "+46701234567"},
		{"5551 2345", "ee", "+37255512345"},
		{"0037255512345", "EE", "+37255512345"},
		{"37255512345", "EE", "+37255512345"},
		{"46701234567", "", "+46701234567"}, // a number that lost its +
		{"5551 2345", "", ""},
		{"12", "EE", ""},
		{"", "EE", ""},
		{"+", "EE", ""},
		{"call me", "EE", ""},
		{strings.Repeat("1", 41), "EE", ""},
	} {
		got, ok := Normalise(c.number, c.country)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q in %q is %q, %v; want %q", c.number, c.country, got, ok, c.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add("+46701234567", "SE")
	f.Add("5551 2345", "EE")
	f.Add("１２３", "ZZ")
	f.Fuzz(func(t *testing.T, number, country string) {
		n, ok := Normalise(number, country)
		if !ok {
			return
		}
		if again, ok := Normalise(n, "ZZ"); !ok || again != n || n[0] != '+' || len(n) > 16 {
			t.Fatalf("%q in %q is %q, and that is %q", number, country, n, again)
		}
	})
}

// The whole way over real sockets: provider, callback, and back.
func TestOverSockets(t *testing.T) {
	stand, full := &provider{}, &atomic.Bool{}
	server := httptest.NewServer(stand)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	r := open(t, newStore(full), stand, full, Provider{Base: server.URL, Account: account, Token: token, From: from, Client: client})
	defer r.stop()
	r.furnish()
	id := r.ticket("+37255512345")
	r.text(id, "hello")
	r.Wake(id)
	<-r.bell
	if got := r.messages(id); got != "OUTGOING hello SENT" || stand.bodies() != "hello" {
		t.Errorf("message is %s, the provider got %s", got, stand.bodies())
	}
	callbacks := httptest.NewServer(r.Handler())
	defer callbacks.Close()
	req := callback(stand.last().Get("StatusCallback"), url.Values{"MessageStatus": {"delivered"}}, token)
	out, err := http.NewRequest(http.MethodPost, callbacks.URL+req.RequestURI, req.Body)
	if err != nil {
		t.Fatal(err)
	}
	out.Header = req.Header
	res, err := client.Do(out)
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("callback: %v, %v", res, err)
	}
	_ = res.Body.Close()
	if got := r.messages(id); got != "OUTGOING hello DELIVERED" {
		t.Errorf("message is %s", got)
	}
}
