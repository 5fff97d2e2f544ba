package node

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/testkit"
)

// chat asks the conversation API of the first department.
func (w *world) chat(method, path string, body any) map[string]any {
	w.t.Helper()
	return w.chatIn(w.demo.ChatAPIKey, w.demo.ChatAPISecret, method, path, body)
}

// elsewhere makes a key for the other department.
func (w *world) elsewhere() (key, secret string) {
	w.t.Helper()
	w.signIn(w.demo.Users[0].Email, w.demo.Users[0].Password)
	made := w.must("POST", "/hub/v1/keys", obj{"api": "chat", "name": "There", "location": 2})
	return text(made, "key.department"), text(made, "secret")
}

// chatIn asks the conversation API as the demonstration's user there.
func (w *world) chatIn(key, secret, method, path string, body any) map[string]any {
	w.t.Helper()
	_, out := w.ask("POST", chatapi.Prefix+"token/get", map[string]string{"apiKey": key, "apiSecret": secret, "userName": w.demo.ChatUserName})
	token, _ := out["access_token"].(string)
	status, out := w.ask(method, chatapi.Prefix+path, body, bearer(token)...)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// move takes a conversation to the other department.
func (w *world) move(id string) string {
	w.t.Helper()
	return text(w.chat("PUT", "tickets/setdepartment/"+id, map[string]string{"departmentId": w.demo.DepartmentID2}), "ticketId")
}

// link is one more link to a ticket, from staff.
func (w *world) link(id string) string {
	w.t.Helper()
	status, out := w.ask("POST", "/hub/v1/tickets/"+id+"/link", nil, bearer(w.demo.StaffToken)...)
	if status != http.StatusCreated && status != http.StatusOK {
		w.t.Fatalf("link: %d %v", status, out)
	}
	return path.Base(text(out, "link"))
}

// visit is what a link leads to: which ticket, and what was said there.
func (w *world) visit(token string) (status int, id, said string) {
	w.t.Helper()
	status, out := w.ask("GET", "/hub/v1/visit", nil, bearer(token)...)
	var words []string
	all, _ := out["transactions"].([]any)
	for _, x := range all {
		if x := x.(map[string]any); x["type"] == "Message" {
			words = append(words, x["text"].(string))
		}
	}
	return status, text(out, "ticket.id"), strings.Join(words, ", ")
}

func command(name, params string) wire.Command {
	return wire.Command{Name: name, Params: json.RawMessage(params)}
}

// A conversation that is moved to another department takes its visitor along: the
// same link leads to the new ticket, with what was said, and to no other.
func TestVisitorFollowsTheConversation(t *testing.T) {
	o := options(t, t.TempDir())
	w := start(t, o)
	id, token := w.write(map[string]any{"text": "Hello"})
	_, stranger := w.write(map[string]any{"text": "Me too"})
	_, sent := w.put("/hub/v1/visit/files", token, "a.txt", "letter")
	old := newEars()
	visitor := w.dial(token, old)
	if err := visitor.Subscribe("ticket:"+id, nil); err != nil {
		t.Fatal(err)
	}
	old.next(t)
	if _, err := visitor.Do(t.Context(), command("message.send", `{"ticket":"`+id+`","text":"See this","files":["`+text(sent, "file")+`"]}`)); err != nil {
		t.Fatal(err)
	}
	late := w.link(id)
	moved := w.move(id)
	for _, link := range []string{token, late, token} {
		if status, now, said := w.visit(link); status != 200 || now != moved || said != "Hello, See this" {
			t.Errorf("the link leads to %d %s %q, the conversation is in %s", status, now, said, moved)
		}
	}
	if status, now, _ := w.visit(stranger); status != 200 || now == moved || now == id {
		t.Errorf("somebody else's link leads to %d %s", status, now)
	}
	if status, body, _ := w.get("/hub/v1/visit/files/"+text(sent, "file"), token); status != 200 || body != "letter" {
		t.Errorf("the file: %d %q", status, body)
	}
	fresh, other := newEars(), newEars()
	if err := w.dial(token, fresh).Subscribe("ticket:"+moved, nil); err != nil {
		t.Fatal(err)
	}
	if got := fresh.next(t); got != "snapshot ticket:"+moved {
		t.Fatal(got)
	}
	key, secret := w.elsewhere()
	w.chatIn(key, secret, "POST", "tickets/send/"+moved, map[string]string{"text": "How can we help?"})
	for got := ""; !strings.HasPrefix(got, "ticket.message") || !strings.Contains(got, "How can we help?"); {
		got = fresh.next(t) // who answers has joined first
	}
	for _, link := range []string{token, stranger} { // the old ticket is not this link's any more, the new one never was the stranger's
		channel := map[string]string{token: "ticket:" + id, stranger: "ticket:" + moved}[link]
		if err := w.dial(link, other).Subscribe(channel, nil); err != nil {
			t.Fatal(err)
		}
		if got := other.next(t); got != "refused "+channel+" not_found" {
			t.Error(got)
		}
	}
	again := w.chatIn(key, secret, "PUT", "tickets/setdepartment/"+moved, map[string]string{"departmentId": w.demo.DepartmentID})
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w = start(t, o)
	if status, now, said := w.visit(token); status != 200 || now != text(again, "ticketId") || said != "Hello, See this, How can we help?" {
		t.Errorf("moved on and after a restart: %d %s %q", status, now, said)
	}
}

// A moved conversation that is erased takes its links along, those too that were
// not used since.
func TestErasureReachesMovedLinks(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	id, used := w.write(map[string]any{"text": "Hello"})
	unused := w.link(id)
	moved := w.move(id)
	w.visit(used)
	key, secret := w.elsewhere()
	w.chatIn(key, secret, "DELETE", "tickets/scramble/"+moved, nil)
	for name, link := range map[string]string{"used": used, "unused": unused} {
		if status, now, _ := w.visit(link); status != 401 {
			t.Errorf("the %s link leads to %d %s", name, status, now)
		}
	}
}

// Who has proved who they are goes on where their conversation is, from any device.
func TestResumeAfterMove(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	person := w.signed(jwt.MapClaims{"aud": "6f1f64cf-2f4c-4b0e-9a53-0a3c1e6a7b11"})
	id, _ := w.write(map[string]any{"text": "Hello", "identity": person})
	moved := w.move(id)
	out := w.must("POST", w.widget()+"/resume", map[string]any{"identity": person})
	if text(out, "ticket") != moved {
		t.Errorf("%v, the conversation is in %s", out, moved)
	}
}

// Who waits in a line stays with their number; once that is over, the link leads
// to the conversation.
func TestWhoWaitsKeepsTheNumber(t *testing.T) {
	w := start(t, options(t, t.TempDir()))
	id, token := w.write(map[string]any{"text": "Hello", "line": 2})
	moved := w.move(id)
	if status, now, _ := w.visit(token); status != 200 || now != id {
		t.Errorf("while waiting: %d %s", status, now)
	}
	if _, err := w.dial(w.demo.StaffToken, newEars()).Do(t.Context(), command("ticket.cancel", `{"ticket":"`+id+`"}`)); err != nil {
		t.Fatal(err)
	}
	if status, now, _ := w.visit(token); status != 200 || now != moved {
		t.Errorf("after it: %d %s", status, now)
	}
}

// What staff writes to a customer on WhatsApp goes through the provider, whichever
// door it comes in by, and what became of it is told.
func TestWhatsAppThroughTheGateway(t *testing.T) {
	got := make(chan url.Values, 10)
	provider := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got <- r.PostForm
		rw.WriteHeader(http.StatusCreated)
		_, _ = rw.Write([]byte(`{"sid":"SM1"}`))
	}))
	t.Cleanup(provider.Close)
	o := options(t, t.TempDir())
	o.Texts = TextProvider{Base: provider.URL, Account: "AC1", Token: "secret", From: "+37255500000"}
	o.Listen = testkit.FreeAddr(t)
	o.PublicURL = "http://" + o.Listen
	w := start(t, o)
	made := w.chat("POST", "tickets/create", obj{"participants": []obj{{"protocolType": "WhatsApp", "identifier": "37255512345", "type": "Client"}}})
	id := text(made, "id")
	if status := text(w.chat("POST", "tickets/send/"+id, map[string]string{"text": "by the API"}), "status"); status != "Pending" {
		t.Errorf("it is %s", status)
	}
	staff := w.dial(w.demo.StaffToken, newEars())
	if _, err := staff.Do(t.Context(), command("message.send", `{"ticket":"`+id+`","text":"by the console"}`)); err != nil {
		t.Fatal(err)
	}
	_, file := w.put("/hub/v1/tickets/"+id+"/files", w.demo.StaffToken, "letter.txt", "Dear customer")
	if _, err := staff.Do(t.Context(), command("message.send", `{"ticket":"`+id+`","text":"with a file","files":["`+text(file, "file")+`"]}`)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"by the API", "by the console", "with a file"} {
		select {
		case f := <-got:
			if link := f.Get("MediaUrl"); want == "with a file" {
				path, ours := strings.CutPrefix(link, o.PublicURL)
				if res, body := w.exchange("GET", path, nil); !ours || res.StatusCode != 200 || string(body) != "Dear customer" {
					t.Errorf("%s leads to %s %q", link, res.Status, body)
				}
			}
			if f.Get("Body") != want || f.Get("To") != "whatsapp:+37255512345" || f.Get("From") != "whatsapp:+972524646214" {
				t.Errorf("the provider got %v", f)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not sent: %v", want, w.chat("GET", "tickets/get/"+id, nil)["transactions"])
		}
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		states := ""
		for _, x := range w.chat("GET", "tickets/get/"+id, nil)["transactions"].([]any) {
			if x := x.(map[string]any); x["type"] == "Message" {
				states += text(x, "status") + " "
			}
		}
		if states == "Sent Sent Sent " {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the messages are %s", states)
		}
	}
}
