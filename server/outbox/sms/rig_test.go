package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/outbox/sign"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
	"github.com/nowserving/nowserving/store/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "AC00000000000000000000000000000001"
	token   = "the provider's token"
	from    = "+37255500000"
	public  = "https://queue.example.com"
)

// bell is a hub that rings when a message got another status.
type bell chan struct{}

func (bell) Wants(hub.Key) bool { return true }

func (b bell) Publish(_ hub.Key, p hub.Publication) {
	if p.Type == string(ticket.EventMessageStatus) {
		select {
		case b <- struct{}{}:
		default:
		}
	}
}

// provider stands in for the real one: it keeps what it is given and answers as it
// is told.
type provider struct {
	mu     sync.Mutex
	got    []url.Values
	at     []time.Time
	answer func(form url.Values, n int) (status int, body string) // nil takes everything
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if r.Method != http.MethodPost || r.URL.Path != "/2010-04-01/Accounts/"+account+"/Messages.json" || !ok ||
		user != account || password != token || r.ParseForm() != nil {
		http.Error(w, `{"code":20003}`, http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	p.got, p.at = append(p.got, r.PostForm), append(p.at, time.Now())
	n, answer := len(p.got), p.answer
	p.mu.Unlock()
	status, body := http.StatusCreated, `{"sid":"SM`+string(rune('0'+n))+`","status":"queued"}`
	if answer != nil {
		status, body = answer(r.PostForm, n)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func (p *provider) set(answer func(url.Values, int) (int, string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// bodies is what the provider was given, in order.
func (p *provider) bodies() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, f := range p.got {
		out = append(out, f.Get("Body"))
	}
	return strings.Join(out, " ")
}

func (p *provider) last() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got[len(p.got)-1]
}

func (p *provider) times() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.at)
}

// inProcess carries requests to a handler without a network, for bubbles.
type inProcess struct{ h http.Handler }

func (c inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

// rig is a ledger with one branch in Estonia, a provider, and a Sender.
type rig struct {
	*Sender
	t      testing.TB
	store  *memlog.Log
	ledger *ledger.Ledger
	stand  *provider
	log    *bytes.Buffer
	full   *atomic.Bool
	bell   bell
	// number is the branch's on WhatsApp, "" for none.
	number atomic.Pointer[string]
	stop   func()
}

func open(t testing.TB, st *memlog.Log, stand *provider, full *atomic.Bool, p Provider) *rig {
	t.Helper()
	r := &rig{t: t, store: st, stand: stand, full: full, log: &bytes.Buffer{}, bell: make(bell, 1)}
	var err error
	if r.ledger, err = ledger.Open(st, r.bell, ledger.Options{Clock: time.Now}); err != nil {
		t.Fatal(err)
	}
	r.Sender, err = NewSender(SenderOptions{
		Ledger: r.ledger, Provider: p, PublicURL: public, Clock: time.Now, Log: zerolog.New(zerolog.SyncWriter(r.log)),
		File: func(a *ticket.Attachment) string {
			if a.FileIdentifier == "gone" {
				return ""
			}
			return public + "/files/" + a.FileIdentifier + a.URI
		},
		WhatsApp: func(int) string {
			if number := r.number.Load(); number != nil {
				return *number
			}
			return ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	stopLedger, stopSender := testkit.Run(t, "ledger", r.ledger.Run), testkit.Run(t, "sender", r.Run)
	r.stop = func() { stopSender(); stopLedger() }
	return r
}

func wholeProvider(stand *provider) Provider {
	return Provider{Account: account, Token: token, From: from, Client: &http.Client{Transport: inProcess{stand}}}
}

func newStore(full *atomic.Bool) *memlog.Log {
	return memlog.New(memlog.Options{Clock: time.Now, Ready: func() error {
		if full.Load() {
			return store.ErrFull
		}
		return nil
	}})
}

func (r *rig) furnish() {
	r.t.Helper()
	r.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{GUID: "g1", Name: "Main", Timezone: "Europe/Tallinn", Country: "EE"}})
	r.do(1, ticket.PutLine{Line: ticket.Line{Name: "Passports"}})
	r.do(ledger.Directory, ticket.PutUser{User: ticket.User{
		GUID: "u1", Email: "a@example.com", FirstName: "Ann", Roles: []ticket.Role{{ID: 1, Type: ticket.RoleAdmin}},
	}})
}

func bubble(t *testing.T, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		full, stand := &atomic.Bool{}, &provider{}
		r := open(t, newStore(full), stand, full, wholeProvider(stand))
		defer func() { r.stop() }()
		r.furnish()
		f(r)
	})
}

func (r *rig) again() *rig {
	r.t.Helper()
	r.stop()
	return open(r.t, r.store, r.stand, r.full, wholeProvider(r.stand))
}

func (r *rig) do(location int, c ticket.Command, docs ...store.Doc) ledger.Result {
	r.t.Helper()
	res, err := r.ledger.Do(context.Background(), ledger.Request{
		Location: location, Command: c, Actor: ticket.Actor{Kind: ticket.ActorStaff, User: 1}, Docs: docs,
	})
	if err != nil {
		r.t.Fatalf("%s: %v", c.Name(), err)
	}
	return res
}

func (r *rig) ticket(phone string) int64 {
	r.t.Helper()
	return r.do(1, ticket.Create{Line: 1, PhoneNumber: phone}).Ticket.ID
}

// text writes a message the way the queue API's door does, without waking anybody.
func (r *rig) text(id int64, body string) {
	r.t.Helper()
	r.do(1, ticket.SendMessage{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Text: body, Protocol: ticket.ProtocolSMS, Status: ticket.TextNew},
		store.Doc{Kind: Docs, Key: ticketKey(id), Value: []byte(`{"ticket":` + ticketKey(id) + `}`)})
}

// messages shows a ticket's texts in the queue form: type, body, status.
func (r *rig) messages(id int64) string {
	r.t.Helper()
	return r.shown(id, func(x *ticket.Transaction) (string, bool) {
		m, ok := ticket.QueueMessage(x)
		return m.Type + " " + m.Body + " " + m.Status, ok
	})
}

// shown is a ticket's thread in one line, without what show leaves out.
func (r *rig) shown(id int64, show func(*ticket.Transaction) (string, bool)) string {
	r.t.Helper()
	thread, err := r.ledger.Transactions(id, 0, 0, false)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for i := range thread {
		if text, ok := show(&thread[i]); ok {
			out = append(out, text)
		}
	}
	return strings.Join(out, ", ")
}

func (r *rig) docs(kind string) int {
	r.t.Helper()
	n := 0
	for _, err := range r.store.Docs(kind) {
		if err != nil {
			r.t.Fatal(err)
		}
		n++
	}
	return n
}

// callback is what the provider would send to an address, signed by it.
func callback(at string, form url.Values, key string) *http.Request {
	form.Set("AccountSid", account)
	req := httptest.NewRequest(http.MethodPost, strings.TrimPrefix(at, public), strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(sign.HeaderProvider, sign.Provider(key, at, form))
	return req
}

func (r *rig) call(req *http.Request) int {
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req)
	return w.Code
}

func jsonOf(t testing.TB, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
