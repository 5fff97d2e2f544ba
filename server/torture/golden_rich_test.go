//go:build unix

package torture

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

// richDay is a day in which everything happens that leaves something in the folder:
// conversations of every sort, contacts, files, forms, appointments, people who are
// known, people who are forgotten, webhooks that arrive and webhooks that wait.
func richDay(t *testing.T, v *victim) {
	t.Helper()
	h := newReceiver(t)
	h.register(t, v.Demo)
	d := &day{t: t, v: v}
	queue := []string{"X-Qminder-REST-API-Key", v.QueueAPIKey, "Content-Type", "application/x-www-form-urlencoded"}
	d.do("POST", "/v1/webhooks", "url=http://"+testkit.FreeAddr(t)+"/nobody", queue...)
	staff := []string{"Authorization", "Bearer " + v.StaffToken, auth.WriteHeader, "1"}
	d.do("POST", "/hub/v1/webhooks", `{"api":"chat","location":1,"name":"CRM","url":"http://`+testkit.FreeAddr(t)+`/nobody"}`, staff...)
	d.do("PATCH", "/hub/v1/locations/1/lines/1", `{"name":"Passports and cards"}`, staff...)
	tomorrow := time.Now().Add(24 * time.Hour).UTC()
	d.do("POST", "/v1/appointments", fmt.Sprintf(`{"lineId":1,"firstName":"Maya","startTime":%q,"endTime":%q,"assigneeId":%d}`,
		tomorrow.Format(time.RFC3339), tomorrow.Add(time.Hour).Format(time.RFC3339), v.Users[0].ID),
		"X-Qminder-REST-API-Key", v.QueueAPIKey, "X-Qminder-API-Version", "2020-09-01")
	d.do("POST", "/v1/tickets/1/messages", "message=Soon", queue...)
	d.chats()
	d.visits()
	d.forget(4)
	testkit.Eventually(t, "a webhook that arrives", time.Minute, func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.heard) > 0 })
	testkit.Eventually(t, "webhooks that wait", time.Minute, func() bool { return metric(t, v.URL, "nowserving_outbox_waiting") > 0 })
}

// day asks one door after the other.
type day struct {
	t *testing.T
	v *victim
}

func (d *day) do(method, path, body string, header ...string) map[string]any {
	d.t.Helper()
	req, err := http.NewRequest(method, d.v.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		d.t.Fatalf("%s %s: %s, %s, %v", method, path, res.Status, b, err)
	}
	var out map[string]any
	if len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &out); err != nil {
			d.t.Fatal(err)
		}
	}
	return out
}

func (d *day) ask(command, params string) {
	d.t.Helper()
	_ = d.v.good.conn.SetDeadline(time.Now().Add(socketLimit))
	if r := d.v.good.ask(d.t, fmt.Sprintf(`"command":{"name":%q,"params":%s}`, command, params)); r.Error != nil {
		d.t.Fatalf("%s: %v", command, r.Error)
	}
}

// forget erases a ticket.
func (d *day) forget(id int) { d.ask("ticket.erase", fmt.Sprintf(`{"ticket":"%d"}`, id)) }

// chats goes through the conversation API.
func (d *day) chats() {
	const api = "/api/v1.2/"
	got := d.do("POST", api+"token/get", fmt.Sprintf(`{"apiKey":%q,"apiSecret":%q,"userName":%q}`, d.v.ChatAPIKey, d.v.ChatAPISecret, d.v.ChatUserName))
	as := []string{"Authorization", "Bearer " + got["access_token"].(string)}
	create := func(protocol, who string) (id, contact string) {
		made := d.do("POST", api+"tickets/create", fmt.Sprintf(`{"participants":[{"type":"Client","protocolType":%q,"name":"Noor","identifier":%q}],
			"field1":"A question","culture":"es-ES","tags":["Info"],"uniqueArgument":"crm-7","addIntroductionMessage":true,
			"transactions":[{"type":"Message","text":"Hello","fromParticipant":{"type":"Client","identifier":%q}}]}`, protocol, who, who), as...)
		for _, p := range made["participants"].([]any) {
			if p := p.(map[string]any); p["type"] == "Client" {
				contact = fmt.Sprint(p["contactId"])
			}
		}
		return fmt.Sprintf("%.0f", made["id"]), contact
	}
	mail, noor := create("Mail", "noor@example.com")
	phone, _ := create("SMS", "972500000001")
	lost, _ := create("Mail", "lost@example.com")
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	for _, name := range []string{"a.txt", "b.txt"} { // the second is never sent
		if w, err := parts.CreateFormFile("0", name); err != nil {
			d.t.Fatal(err)
		} else if _, err := io.WriteString(w, "kept in "+name); err != nil {
			d.t.Fatal(err)
		}
	}
	_ = parts.Close()
	d.do("POST", api+"files/upload", form.String(), append(as, "Content-Type", parts.FormDataContentType())...)
	d.do("POST", api+"tickets/send/"+mail, `{"text":"Hello Noor"}`, as...)
	d.do("POST", api+"tickets/send/"+phone, `{"text":"On its way"}`, as...)
	d.do("POST", api+"tickets/addnote/"+mail, `{"text":"regular"}`, as...)
	d.do("POST", api+"tickets/addtags/"+mail, `["VIP"]`, as...)
	d.do("POST", api+"tickets/setsummary/"+mail, `{"summary":"asked for a form"}`, as...)
	d.do("POST", api+"interactivedocuments/send/"+mail, `{"baseTemplateId":20,"message":"Please fill in","shouldLockDocument":true,"fields":[]}`, as...)
	d.do("POST", api+"tickets/generatesurveylink/"+mail, `{"surveyId":1,"participantId":0}`, as...)
	d.do("POST", api+"phonecalls/started/"+mail, `{"dateTime":"02/03/2026 08:00:00:50"}`, as...)
	d.do("PUT", api+"contacts/setname/"+noor, `{"nextName":"Noor A."}`, as...)
	d.do("POST", api+"cannedreplies/add", `{"id":0,"title":"Late","text":"We are late"}`, as...)
	d.do("PUT", api+"users/setstatus", `{"nextStatus":"Break"}`, as...)
	d.do("POST", api+"protocols/send", `{"protocolType":"SMS","from":"972526264195","to":"972500000002","text":"News"}`, as...)
	d.do("PUT", api+"tickets/setstate/"+phone+"?nextState=Closed", ``, as...)
	d.do("PUT", api+"tickets/setdepartment/"+phone, fmt.Sprintf(`{"departmentId":%q}`, d.v.DepartmentID2), as...)
	d.do("DELETE", api+"tickets/scramble/"+lost, ``, as...)
}

// visits are people on a website, one of them known to it.
func (d *day) visits() {
	known, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": strings.ToLower(d.v.DepartmentID), "sub": "", "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Hour).Unix(),
		"aud": "6f1f64cf-2f4c-4b0e-9a53-0a3c1e6a7b11",
	}).SignedString([]byte(d.v.ChatAPISecret))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, body := range []string{`{"text":"Hello","identity":"` + known + `"}`, `{"text":"¡Hola!","line":1}`} {
		made := d.do("POST", "/hub/v1/widget/"+d.v.WidgetKey+"/tickets", body)
		id, token := made["ticket"].(string), made["token"].(string)
		d.ask("message.send", `{"ticket":"`+id+`","text":"Good day"}`)
		d.do("POST", "/hub/v1/visit/files", "a picture in words", "Authorization", "Bearer "+token, "Content-Type", "text/plain",
			"X-Filename", "note.txt", "Content-Disposition", `attachment; filename="note.txt"`)
		d.ask("conversation.state", `{"ticket":"`+id+`","state":"Closed"}`)
		d.do("POST", "/hub/v1/visit/survey", `{"rating":4}`, "Authorization", "Bearer "+token)
	}
}

// conversationOf is what a ticket's conversation shows, in words that no new field changes.
func conversationOf(x *ticket.Ticket, l *ledger.Ledger) (string, error) {
	var out strings.Builder
	c := x.Conversation
	fmt.Fprintf(&out, "  conversation %q %q by %q, owner %d, %d from clients, %d from staff\n", c.State, c.Culture, c.Protocol, c.Owner, c.ClientMessages, c.StaffMessages)
	for _, p := range c.Participants {
		fmt.Fprintf(&out, "  participant %d %s %s\n", p.ID, p.Type, p.Protocol)
	}
	thread, err := l.Transactions(x.ID, 0, 0, false)
	for _, m := range thread {
		fmt.Fprintf(&out, "  %d %s %s from %d %q, %d attached, %q\n", m.Seq, m.At.Format(time.RFC3339Nano), m.Type, m.From.ID, m.FromName.Name, len(m.Attachments), m.Text)
	}
	return out.String(), err
}

// keptBy is what a store keeps beside journals and tickets: of each kind of document how
// many there are, and a hash of their keys and values.
func keptBy(t *testing.T, st *store.Badger) string {
	t.Helper()
	var b bytes.Buffer
	if err := st.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b.Bytes(), []byte("\n"))
	many, sums := map[string]int{}, map[string][]byte{}
	for len(rest) >= 8 {
		n := binary.BigEndian.Uint32(rest)
		if n == 0 {
			break
		}
		frame := rest[8 : 8+n]
		rest = rest[8+n:]
		for len(frame) > 0 {
			key, value := pair(&frame), pair(&frame)
			name, ok := bytes.CutPrefix(key, []byte(store.PrefixDoc))
			if !ok {
				continue
			}
			kind, _, _ := strings.Cut(string(name[1:1+name[0]]), ":")
			many[kind]++
			sums[kind] = sum(sums[kind], key, value)
		}
	}
	var out []string
	for kind, n := range many {
		out = append(out, fmt.Sprintf("documents %s: %d, %.8x\n", kind, n, sums[kind]))
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

// pair takes one length and as many bytes off.
func pair(frame *[]byte) []byte {
	n, used := binary.Uvarint(*frame)
	out := (*frame)[used : used+int(n)]
	*frame = (*frame)[used+int(n):]
	return out
}

func sum(parts ...[]byte) []byte {
	h := sha256.Sum256(bytes.Join(parts, []byte{0}))
	return h[:]
}
