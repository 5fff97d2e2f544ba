package chatapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestContacts(t *testing.T) {
	r := newRig(t)
	contactOf := func(protocol, identifier string) string {
		a := r.post("tickets/create", fmt.Sprintf(`{"participants":[{"protocolType":%q,"identifier":%q,"name":"Somebody with a very long name"}]}`, protocol, identifier))
		return a.at("participants", 0, "contactId").(string)
	}
	one, two := contactOf("SMS", "972521111111"), contactOf("Mail", "two@example.com")
	r.put("contacts/setname/"+one, `{"nextName":"Uno"}`)
	r.put("contacts/setuniqueargument/"+one, `{"nextUniqueArgument":"u"}`)
	add := `{"identifierType":"MailAddress","identifier":"TWO@example.com"`
	r.want(409, req{method: "POST", path: "contacts/addidentifier/" + one, body: add + `}`})
	if a := r.post("contacts/addidentifier/"+one, add+`,"forceMerge":true}`); a.at("Message") == nil {
		t.Errorf("%s", a.body)
	}
	for _, id := range []string{one, strings.ToUpper(two)} {
		a := r.get("contacts/get/" + id)
		if a.at("id") != one || a.at("name") != "Uno" || a.at("uniqueArgument") != "u" || len(a.at("identifiers").([]any)) != 2 {
			t.Errorf("%s: %s", id, a.body)
		}
	}
	if contactOf("Mail", "two@example.com") != one {
		t.Error("a merged contact is made again")
	}
	r.want(200, req{method: "DELETE", path: "contacts/deleteidentifier/" + one + "?contactIdentifierId=1"})
	if a := r.get("contacts/get/" + one); len(a.at("identifiers").([]any)) != 1 || a.at("identifiers", 0, "identifier") != "two@example.com" {
		t.Errorf("%s", a.body)
	}
	if contactOf("SMS", "972521111111") == one {
		t.Error("a deleted identifier still names its contact")
	}
	r.want(404, req{method: "GET", path: "contacts/get/" + one, as: cat})
}

func TestUsers(t *testing.T) {
	r := newRig(t)
	a := r.get("users/allusers")
	if len(a.at().([]any)) != 3 || a.at(0, "UserName") != ann || a.at(0, "status") != "Online" || a.at(0, "type") != "AGENT" {
		t.Errorf("%s", a.body)
	}
	r.post("users/add?userType=api&role=systemuser", `[{"userName":"New@example.com","uniqueArgument":"n1"},{"userName":"`+cat+`"}]`)
	if u := r.get("users/allusers"); len(u.at().([]any)) != 5 || u.at(4, "UserName") != "new@example.com" || u.at(4, "type") != "API" {
		t.Errorf("%s", u.body)
	}
	r.post("users/setroles?userName=new@example.com", `["webchat","PhoneCall"]`)
	if u := r.get("users/allusers"); fmt.Sprint(u.at(4, "roles")) != "[webChat PhoneCall]" {
		t.Errorf("%s", u.body)
	}
	id := r.open("x")
	r.put(fmt.Sprintf("tickets/setowner/%d?nextOwnerUserName=new@example.com", id), nil)
	out := r.want(200, req{method: "DELETE", path: "users/delete?UserName=new@example.com"})
	if fmt.Sprint(out.at("DeletedFromDepartments")) != "["+department+"]" {
		t.Errorf("%s", out.body)
	}
	if x := r.get(fmt.Sprint("tickets/get/", id)); x.at("owner") != nil {
		t.Errorf("a deleted user owns: %s", x.body)
	}
	r.post("users/update", `{"shortName":"A","jobTitle":null}`)
	r.put("users/setuniqueargument", `{"nextUniqueArgument":"ua"}`)
	if u := r.get("users/getbyuniqueargument?uniqueArgument=ua"); u.at("UserName") != ann || u.at("shortName") != "A" || u.at("fullName") != "Ann Smith" {
		t.Errorf("%s", u.body)
	}
	r.clock.Add(time.Hour)
	r.put("users/setstatus", `{"nextStatus":"break"}`)
	if s := r.get("users/getstatus"); s.at("Status") != "Break" || s.at("_Status") != 2.0 {
		t.Errorf("%s", s.body)
	}
	r.clock.Add(time.Hour)
	logs := r.get("users/statuslogs?since=01/03/2026&until=02/03/2026&userId=33333333-3333-4333-8333-333333333330")
	day := logs.at(0, "dates", 1).(map[string]any)
	if len(logs.at().([]any)) != 1 || !strings.HasPrefix(day["totalBreakTime"].(string), "01:00:00") || len(day["statusLogs"].([]any)) != 1 {
		t.Errorf("%s", logs.body)
	}
}

func TestRepliesAndMessages(t *testing.T) {
	r := newRig(t)
	a := r.post("cannedreplies/add", `{"id":0,"title":"Hello","html":"<p onclick=x>Hi there</p>","autoTags":["vip"]}`)
	if a.at("id") != 1.0 || a.at("text") != "Hi there" || strings.Contains(string(a.body), "onclick") {
		t.Errorf("%s", a.body)
	}
	id := r.open("x")
	r.post(fmt.Sprint("tickets/send/", id), `{"cannedReplyId":1}`)
	if x := r.get(fmt.Sprint("tickets/get/", id)); x.at("agentCannedRepliesCount") != 1.0 || x.at("transactions", 0, "text") != "Hi there" {
		t.Errorf("%s", x.body)
	}
	r.want(200, req{method: "DELETE", path: "cannedreplies/delete?CANNEDREPLYID=1"})
	if x := r.get("cannedreplies/getall"); string(x.body) != "[]" {
		t.Errorf("%s", x.body)
	}
	m := r.post("protocols/send", `{"protocolType":"sms","from":"+972526264195","to":"+972 50 000 0000","text":"hi","dateTime":null,"serviceProvider":0}`)
	if m.at("status") != "Pending" || m.at("to") != "972500000000" || m.at("departmentId") != department || m.at("providerMessageId") == "" {
		t.Errorf("%s", m.body)
	}
	r.post(fmt.Sprint("phonecalls/started/", id), `{"dateTime":"02/03/2026 08:00:00:50"}`)
	r.post(fmt.Sprint("phonecalls/ended/", id), `{"dateTime":"02.03.2026 08:05:00:00"}`)
	r.post(fmt.Sprint("phonecalls/audiolink/", id), `{"audioUri":"https://pbx.example/1.mp3"}`)
	x := r.get(fmt.Sprint("tickets/get/", id))
	if x.at("transactions", 0, "attachments", 0, "type") != "Audio" || x.at("transactions", 0, "attachments", 0, "uri") != "https://pbx.example/1.mp3" ||
		x.at("transactions", 2, "type") != "PhoneCallStarted" || x.at("transactions", 2, "dateTime") != "2026-03-02T08:00:00.5" {
		t.Errorf("%s", x.body)
	}
}

// Each event is told once, with everything of it, in the order of the journal.
func TestEvents(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	r.post(fmt.Sprint("tickets/send/", id), `{"text":"hi"}`)
	r.post(fmt.Sprint("tickets/addnote/", id), `{"text":"note"}`)
	r.put(fmt.Sprintf("tickets/setstate/%d?nextState=Pending&enableWebhook=false", id), nil)
	r.put(fmt.Sprintf("tickets/setstate/%d?nextState=Closed", id), nil)
	r.put(fmt.Sprintf("tickets/setowner/%d?nextOwnerUserName=%s", id, url.QueryEscape(dan)), nil)
	r.put("users/setstatus", `{"nextStatus":"Offline"}`)
	a := r.get("webhooks/getevents?deleteEvents=false")
	var names []string
	for _, e := range a.at().([]any) {
		m := e.(map[string]any)
		if m["key"] != department || m["queueReceiptHandle"] == "" || m["queueMessageId"] == "" || !strings.HasSuffix(m["dateTime"].(string), "Z") {
			t.Errorf("%v", m)
		}
		names = append(names, m["changes"].([]any)[0].(map[string]any)["_event"].(string))
	}
	if got := strings.Join(names, " "); got != "NEW_TICKET NEW_MESSAGE TICKET_STATE_CHANGE TICKET_OWNER_CHANGE USER_STATUS_CHANGE" {
		t.Errorf("%s", got)
	}
	if a.at(0, "changes", 0, "ticket", "transactions", 0, "type") != "TicketOpened" || a.at(0, "changes", 0, "ticket", "owner", "UserName") != ann ||
		a.at(1, "changes", 0, "transaction", "text") != "hi" || a.at(2, "changes", 0, "ticketState") != "Closed" || a.at(3, "changes", 0, "ownerUserName") != dan {
		t.Errorf("%s", a.body)
	}
	r.post("webhooks/deleteevents", a.body)
	r.clock.Add(time.Minute)
	if a = r.get("webhooks/getevents"); string(a.body) != "[]" {
		t.Errorf("%s", a.body)
	}
}

// scanning is a Scanner that a test tells what to find.
type scanning struct {
	clean bool
	err   error
}

func (s *scanning) Scan(context.Context, io.Reader) (bool, error) { return s.clean, s.err }

func TestFiles(t *testing.T) {
	scan := &scanning{clean: true}
	r := newRig(t, func(d *Deps) { d.Scanner = scan })
	up := func(name string, content []byte) string {
		body, kind := form(t, name, content)
		return r.want(200, req{method: "POST", path: "files/upload", body: body, header: map[string]string{"Content-Type": kind}}).at(0).(string)
	}
	fetch := func(link string) answer {
		u, err := url.Parse(link)
		if err != nil || u.Host != host {
			t.Fatalf("link %s", link)
		}
		return r.send(req{method: "GET", path: u.RequestURI(), as: "none"})
	}
	link := up("../../evil.html", []byte("<html><script>alert(1)</script>"))
	a := fetch(link)
	if a.code != 200 || a.header.Get("Content-Type") != "application/octet-stream" || a.header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") || strings.Contains(a.header.Get("Content-Disposition"), "..") {
		t.Errorf("%d %v", a.code, a.header)
	}
	for _, wrong := range []string{strings.Replace(link, "&s=", "&s=x", 1), strings.Replace(link, "?e=", "?e=9", 1), strings.Split(link, "?")[0]} {
		if fetch(wrong).code != 403 {
			t.Errorf("%s is good", wrong)
		}
	}
	r.clock.Add(3*time.Hour + 11*time.Minute)
	if fetch(link).code != 403 {
		t.Error("the link works after three hours")
	}
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewRGBA(image.Rect(0, 0, 600, 300))); err != nil {
		t.Fatal(err)
	}
	id := r.open("x")
	x := r.post(fmt.Sprint("tickets/send/", id), map[string]any{"files": []string{up("Photo.txt", pic.Bytes())}})
	if x.at("attachments", 0, "type") != "Image" || x.at("attachments", 0, "originalFileName") != "Photo.txt" {
		t.Errorf("%s", x.body)
	}
	thumb := fetch(x.at("attachments", 0, "thumbnails", 0).(string))
	if conf, _, err := image.DecodeConfig(bytes.NewReader(thumb.body)); err != nil || conf.Width != thumbSize || conf.Height != thumbSize/2 {
		t.Errorf("thumbnail: %v %+v", err, conf)
	}
	scan.clean = false
	if a := fetch(up("virus", []byte("virus"))); a.code != 403 || !strings.Contains(string(a.body), "blocked") {
		t.Errorf("%d %s", a.code, a.body)
	}
	scan.err = errors.New("away")
	link = up("later", []byte("later"))
	if a := fetch(link); a.code != 503 {
		t.Errorf("%d %s", a.code, a.body)
	}
	scan.clean, scan.err = true, nil
	if err := r.api.rescan(context.Background()); err != nil || fetch(link).code != 200 {
		t.Errorf("%v %d", err, fetch(link).code)
	}
}

func TestClamd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answers := []string{"stream: OK", "stream: Eicar FOUND", "INSTREAM size limit exceeded. ERROR"}
	done := make(chan string, len(answers))
	go func() { // ends after the last answer
		for _, says := range answers {
			c, err := l.Accept()
			if err != nil {
				return
			}
			done <- clamdPeer(c, says)
		}
	}()
	for i, want := range []bool{true, false, false} {
		clean, err := Clamd{Network: "tcp", Addr: l.Addr().String()}.Scan(context.Background(), strings.NewReader(strings.Repeat("x", 100000)))
		if clean != want || (err != nil) != (i == 2) {
			t.Errorf("%s: %v %v", answers[i], clean, err)
		}
		if got := <-done; got != "100000" {
			t.Errorf("it got %s bytes", got)
		}
	}
	_ = l.Close()
	if _, err := (Clamd{Network: "tcp", Addr: l.Addr().String()}).Scan(context.Background(), strings.NewReader("x")); err == nil {
		t.Error("a daemon that is away found nothing")
	}
}

// clamdPeer reads one stream and says how long it was.
func clamdPeer(c net.Conn, says string) string {
	defer func() { _ = c.Close() }()
	head := make([]byte, len("zINSTREAM\x00"))
	if _, err := io.ReadFull(c, head); err != nil || string(head) != "zINSTREAM\x00" {
		return "no command"
	}
	for total := 0; ; {
		var n uint32
		if err := binary.Read(c, binary.BigEndian, &n); err != nil {
			return err.Error()
		}
		if n == 0 {
			_, _ = io.WriteString(c, says+"\x00")
			return fmt.Sprint(total)
		}
		k, _ := io.CopyN(io.Discard, c, int64(n))
		total += int(k)
	}
}

func TestSurveyAndDocument(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	r.get("webhooks/getevents?deleteEvents=true")
	link := r.post(fmt.Sprint("tickets/generatesurveylink/", id), `{"surveyId":1,"participantId":0}`).at("surveyLink").(string)
	u, err := url.Parse(link)
	if err != nil || u.Host != host {
		t.Fatal(link)
	}
	page := r.send(req{method: "GET", path: u.Path, as: "none"})
	if page.code != 200 || !strings.Contains(string(page.body), "How was it?") || !strings.Contains(string(page.body), `value="5"`) {
		t.Errorf("%d %s", page.code, page.body)
	}
	answerIt := func(path, body string) answer {
		return r.send(req{method: "POST", path: path, body: body, as: "none", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	}
	for body, code := range map[string]int{"q2=x": 400, "q1=6": 400, "q1=a": 400} {
		if out := answerIt(u.Path, body); out.code != code {
			t.Errorf("%s: %d", body, out.code)
		}
	}
	if out := answerIt(u.Path, "q1=5&q2=%3Cscript%3E"); out.code != 200 || !strings.Contains(string(out.body), "Thank you") {
		t.Errorf("%d %s", out.code, out.body)
	}
	if out := answerIt(u.Path, "q1=1"); out.code != 409 {
		t.Errorf("answered twice: %d", out.code)
	}
	x := r.post(fmt.Sprint("interactivedocuments/send/", id), `{"baseTemplateId":20,"message":"please","shouldLockDocument":true,"fields":[{"type":"text","name":"IBAN"}]}`)
	if x.at("attachments", 0, "type") != "InteractiveDocument" {
		t.Errorf("%s", x.body)
	}
	d, _ := url.Parse(x.at("attachments", 0, "uri").(string))
	if out := answerIt(d.Path, "q1=Jack&q2=EE1"); out.code != 200 {
		t.Errorf("%d %s", out.code, out.body)
	}
	if out := answerIt(d.Path, "q1=Mallory&q2=EE2"); out.code != 409 {
		t.Errorf("a locked document changed: %d", out.code)
	}
	a := r.get("webhooks/getevents")
	if a.at(0, "changes", 0, "_event") != "SURVEY_UPDATE" || a.at(0, "changes", 0, "surveys", 0, "value") != "5" || a.at(0, "changes", 0, "participant", "id") != 1.0 ||
		a.at(2, "changes", 0, "_event") != "DOCUMENT_SIGNED" || a.at(2, "changes", 0, "document", "fields", 1, "value") != "EE1" {
		t.Errorf("%s", a.body)
	}
	if got := r.get(fmt.Sprint("tickets/get/", id)); got.at("transactions", 0, "type") != "DocumentSigned" || got.at("transactions", 0, "fromParticipant", "type") != "Client" {
		t.Errorf("%s", got.body)
	}
	if out := r.send(req{method: "GET", path: u.Path[:len(u.Path)-1] + "z", as: "none"}); out.code != 404 {
		t.Errorf("%d", out.code)
	}
}

func TestExports(t *testing.T) {
	r := newRig(t)
	a := r.post("tickets/create", `{"field1":"Tuscany <b>","participants":[{"protocolType":"Web","identifier":"x","name":"<script>Jöhn"}]}`)
	id := int(a.at("id").(float64))
	r.post(fmt.Sprint("tickets/send/", id), `{"text":"</div><script>alert(1)</script> ünï 漢"}`)
	r.post(fmt.Sprint("tickets/addnote/", id), `{"text":"secret note"}`)
	h := r.post(fmt.Sprint("tickets/html/", id), nil)
	if h.header.Get("Content-Type") != "text/html; charset=utf-8" || strings.Contains(string(h.body), "<script") || !strings.Contains(string(h.body), "Tuscany") ||
		!strings.Contains(string(h.body), "Jöhn") || !strings.Contains(string(h.body), "secret note") {
		t.Errorf("%s", h.body)
	}
	if h = r.post(fmt.Sprint("tickets/html/", id), `{"includeNotes":false,"includeDetails":false}`); strings.Contains(string(h.body), "secret note") || strings.Contains(string(h.body), "Tuscany") {
		t.Errorf("%s", h.body)
	}
	p := r.post(fmt.Sprint("tickets/pdf/", id), nil)
	if p.header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(p.body, []byte("%PDF")) || !bytes.Contains(p.body, []byte("Tuscany")) {
		t.Errorf("%s", p.body)
	}
	for i, b := range p.body {
		if b >= 0x80 {
			t.Fatalf("byte %d of the PDF is %x", i, b)
		}
	}
}
