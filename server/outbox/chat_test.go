package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox/sign"
)

const secret = "the department's api secret"

// script stands in for the chat API: it tells of created and labelled tickets.
type script struct{}

func (script) ChatEvents(s *ticket.State, e ticket.Event) []ChatEvent {
	name := map[ticket.Type]string{ticket.EventCreated: "NEW_TICKET", ticket.EventLabelled: "TICKET_STATE_CHANGE"}[e.Type]
	if name == "" {
		return nil
	}
	return []ChatEvent{{Name: name, Ticket: e.Ticket, Change: json.RawMessage(fmt.Sprintf(
		`{"_event":%q,"ticketId":%d,"who":"<%s>"}`, name, e.Ticket, s.Tickets[e.Ticket].Private.FirstName))}}
}

func withChat(o *Options) { o.Chat = script{} }

type chatEvent struct {
	Key       string
	DateTime  string
	Changes   []map[string]any
	Handle    string `json:"queueReceiptHandle"`
	MessageID string `json:"queueMessageId"`
}

func chatEventsOf(t testing.TB, body []byte) []chatEvent {
	t.Helper()
	var out []chatEvent
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return out
}

func whose(events []chatEvent) string {
	var out []string
	for _, e := range events {
		out = append(out, strings.Trim(e.Changes[0]["who"].(string), "<>"))
	}
	return strings.Join(out, " ")
}

func TestChatWebhook(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		target, _ := r.register(Registration{
			Kind: ChatHook, URL: hook, Department: dept, Secret: secret, Events: []string{"NEW_TICKET", "USER_STATUS_CHANGE"},
			Headers: map[string]string{"X-Tenant": "seven"},
		})
		r.register(Registration{Kind: ChatHook, URL: hook2, Department: "other", Secret: secret})
		one := r.ticket("Ida")
		r.do(1, ticket.Label{Ref: one, Add: "VIP"}) // not in the set
		synctest.Wait()
		got := r.world.at(hook)
		if len(got) != 1 || len(r.world.at(hook2)) != 0 {
			t.Fatalf("%d and %d deliveries", len(got), len(r.world.at(hook2)))
		}
		id := messageID(target.ID, key(1))
		want := `[{"key":"` + dept + `","dateTime":"` + wire.Time(got[0].at) + `","changes":[{"_event":"NEW_TICKET","ticketId":1,"who":"<Ida>"}],` +
			`"queueReceiptHandle":"` + handle(target.ID, key(1)) + `","queueMessageId":"` + id + `"}]`
		if got[0].body != want {
			t.Errorf("body is\n%s, want\n%s", got[0].body, want)
		}
		h := got[0].head
		for name, value := range map[string]string{
			sign.HeaderHub: sign.SHA1(secret, []byte(want)), sign.HeaderChatAuth: sign.SHA1(secret, []byte(h.Get(sign.HeaderChatDate))),
			sign.HeaderChatAuthDocs: h.Get(sign.HeaderChatAuth), sign.HeaderChatKey: dept, sign.HeaderChatCount: "1",
			sign.HeaderID: id, "X-Tenant": "seven", "Content-Type": "application/json",
		} {
			if h.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, h.Get(name), value)
			}
		}
		if err := sign.Verify(h, secret, []byte(want), time.Now()); err != nil {
			t.Errorf("standard signature: %v", err)
		}
		err := r.Post(context.Background(), dept, ChatEvent{Name: "USER_STATUS_CHANGE", Change: json.RawMessage(`{"_event":"USER_STATUS_CHANGE"}`)})
		synctest.Wait()
		if got = r.world.at(hook); err != nil || len(got) != 2 || !strings.Contains(got[1].body, "USER_STATUS_CHANGE") {
			t.Errorf("posted: %v, %+v", err, got[1:])
		}
		if l := r.List(); strings.Contains(fmt.Sprint(l), secret) || strings.Contains(fmt.Sprint(l), "seven") {
			t.Errorf("the list tells secrets: %+v", l)
		}
		for d, err := range r.store.Docs(targetDocs) {
			if err != nil || strings.Contains(string(d.Value), "secret\":\"the") || strings.Contains(string(d.Value), "seven") {
				t.Errorf("stored in the clear: %s, %v", d.Value, err)
			}
		}
	})
}

// A webhook without a secret of its own is signed with its department's, as that
// is at each attempt; while there is none, what waits keeps waiting.
func TestDepartmentSecret(t *testing.T) {
	var now atomic.Value // a string
	now.Store("")
	secrets := func(o *Options) {
		withChat(o)
		o.ChatSecret = func(department string) (string, error) {
			if department != dept {
				t.Errorf("asked for the secret of %q", department)
			}
			return now.Load().(string), nil
		}
	}
	bubble(t, secrets, func(r *rig) {
		if _, own := r.register(Registration{Kind: ChatHook, URL: hook, Department: dept}); own != "" {
			t.Errorf("it was given the secret %q", own)
		}
		r.ticket("Ida")
		synctest.Wait()
		if n := len(r.world.at(hook)); n != 0 {
			t.Fatalf("%d deliveries without a secret", n)
		}
		now.Store("first secret")
		time.Sleep(time.Minute)
		now.Store("second secret")
		r.ticket("Bob")
		synctest.Wait()
		got := r.world.at(hook)
		if len(got) != 2 || !strings.Contains(got[0].body, "Ida") || !strings.Contains(got[1].body, "Bob") {
			t.Fatalf("%d deliveries", len(got))
		}
		for i, s := range []string{"first secret", "second secret"} {
			if want := sign.SHA1(s, []byte(got[i].body)); got[i].head.Get(sign.HeaderHub) != want {
				t.Errorf("delivery %d is not signed with the %s", i, s)
			}
		}
	})
}

func TestChatRetriesForThreeDays(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		r.register(Registration{Kind: ChatHook, URL: hook, Department: dept, Secret: secret})
		r.world.hold(hook, true)
		start := time.Now()
		r.ticket("Ida")
		time.Sleep(4 * 24 * time.Hour)
		got := r.world.at(hook)
		// A pause follows a time-out: 20 s the first time, then 5 s.
		want := []time.Duration{30, 25, 45, 85, 165, 325, 645, 1285, 2565, 3605, 3605}
		for i, g := range gaps(got)[:len(want)] {
			if g != want[i]*time.Second {
				t.Errorf("pause %d is %v, want %v", i, g, want[i]*time.Second)
			}
		}
		for i, q := range got {
			if q.head.Get(sign.HeaderChatCount) != strconv.Itoa(i+1) || q.body != got[0].body {
				t.Fatalf("attempt %d says %s", i+1, q.head.Get(sign.HeaderChatCount))
			}
		}
		if last := got[len(got)-1].at.Sub(start); last > 72*time.Hour || last < 70*time.Hour {
			t.Errorf("the last attempt was after %v", last)
		}
		if s := r.Stats(); s.Dropped != 1 || s.Waiting != 0 {
			t.Errorf("figures are %+v", s)
		}
	})
}

func TestChatPauses(t *testing.T) {
	p := chatPolicy()
	for failed := 1; failed < 100; failed++ {
		low, _ := p.delay(failed, 0)
		high, ok := p.delay(failed, 0.999)
		if !ok || low < 8*time.Second || high > time.Hour || low >= high && failed < 10 || low <= 0 {
			t.Fatalf("after %d failures: %v to %v", failed, low, high)
		}
	}
}

// One event that the receiver cannot take does not hold up the others, and is
// still tried for three days, also over a restart.
func TestPoisonStepsAside(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		r.register(Registration{Kind: ChatHook, URL: hook, Department: dept, Secret: secret})
		r.world.set(func(q request, _ int) (int, error) {
			if strings.Contains(q.body, "<poison>") {
				return 500, nil
			}
			return 200, nil
		})
		for _, name := range []string{"a", "poison", "b", "c"} {
			r.ticket(name)
		}
		time.Sleep(time.Hour)
		told := func() string {
			var out []string
			for _, q := range r.world.at(hook) {
				out = append(out, whose(chatEventsOf(t, []byte(q.body))))
			}
			return strings.Join(out, " ")
		}
		if got := told(); !strings.HasPrefix(got, "a poison poison poison poison poison b c poison") {
			t.Errorf("told of %s", got)
		}
		r2 := r.again(withChat)
		defer r2.stop()
		before := len(r.world.at(hook))
		r2.world.set(nil)
		r2.ticket("d")
		time.Sleep(2 * time.Hour)
		rest := strings.Fields(told())[before:]
		if strings.Join(rest, " ") != "d poison" || r2.Stats().Waiting != 0 {
			t.Errorf("then of %v; %+v", rest, r2.Stats())
		}
	})
}

func TestRegistrationsAreChecked(t *testing.T) {
	bubble(t, withChat, func(r *rig) {
		ok := Registration{Kind: ChatHook, URL: hook, Department: dept, Secret: "s"}
		for name, change := range map[string]func(*Registration){
			"kind":             func(r *Registration) { r.Kind = "fax" },
			"url":              func(r *Registration) { r.URL = "https://10.0.0.1/" },
			"no department":    func(r *Registration) { r.Department = "" },
			"queue department": func(r *Registration) { r.Kind = QueueHook },
			"poll url":         func(r *Registration) { r.Kind = ChatPoll },
			"name":             func(r *Registration) { r.Name = strings.Repeat("x", 101) },
			"header":           func(r *Registration) { r.Headers = map[string]string{"Host": "x"} },
		} {
			bad := ok
			change(&bad)
			if _, _, err := r.Register(context.Background(), bad); wire.CodeOf(err) != wire.BadRequest {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range maxChatHooks {
			r.register(ok)
		}
		polling := Registration{Kind: ChatPoll, Department: dept}
		if _, secret := r.register(polling); secret != "" {
			t.Error("polling has a secret")
		}
		if _, _, err := r.Register(context.Background(), polling); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("polling twice: %v", err)
		}
		if _, _, err := r.Register(context.Background(), ok); wire.CodeOf(err) != wire.Conflict {
			t.Errorf("one too many: %v", err)
		}
	})
}
