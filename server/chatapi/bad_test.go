package chatapi

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"testing"
)

// Every wrong parameter has its status and a message that names it.
func TestBadInput(t *testing.T) {
	r := newRig(t)
	id := r.open("jack-1")
	contact := r.get(fmt.Sprint("tickets/get/", id)).at("participants", 0, "contactId").(string)
	person := func(kind, protocol, identifier string) string {
		return fmt.Sprintf(`{"participants":[{"type":%q,"protocolType":%q,"identifier":%q}]}`, kind, protocol, identifier)
	}
	good := `{"participants":[{"protocolType":"Web","identifier":"x"}]`
	day := "since=01/03/2026%2000:00:00:00&until=03/03/2026%2000:00:00:00"
	p := func(path string) string { return fmt.Sprintf(path, id) }
	for _, c := range []struct {
		method, path, body string
		code               int
		says               string
	}{
		{"POST", "token/get", ``, 400, "apiKey"},
		{"POST", "token/get", `{"apiKey":"` + department + `"}`, 400, "apiSecret"},
		{"POST", "token/get", `{"apiKey":"` + department + `","apiSecret":"secret"}`, 400, "userName"},
		{"POST", "token/get", `{"apiKey":"` + department + `","apiSecret":"wrong","userName":"` + ann + `"}`, 401, ""},
		{"POST", "token/get", `{"apiKey":7}`, 400, "apiKey"},
		{"POST", "token/get", `{`, 400, "body"},
		{"POST", "token/get", `{} {}`, 400, "body"},
		{"GET", "token/get", ``, 405, "method"},
		{"GET", "nothing/here", ``, 404, ""},
		{"GET", "tickets/get", ``, 400, "id"},
		{"GET", "tickets/get/0", ``, 400, "id"},
		{"GET", "tickets/get/x", ``, 400, "id"},
		{"GET", "tickets/get/4294967296", ``, 400, "id"},
		{"GET", "tickets/get/999", ``, 404, "999"},
		{"GET", p("tickets/get/%d/more"), ``, 404, ""},

		{"POST", "tickets/create", ``, 400, "participants"},
		{"POST", "tickets/create", `[]`, 400, "body"},
		{"POST", "tickets/create", `{"participants":[]}`, 400, "participants"},
		{"POST", "tickets/create", `{"participants":{}}`, 400, "participants"},
		{"POST", "tickets/create", person("Robot", "Web", "x"), 400, "participants.type"},
		{"POST", "tickets/create", person("Client", "Pigeon", "x"), 400, "participants.protocolType"},
		{"POST", "tickets/create", person("Client", "", "x"), 400, "participants.protocolType"},
		{"POST", "tickets/create", person("Client", "Web", ""), 400, "participants.identifier"},
		{"POST", "tickets/create", person("Client", "SMS", "12ab"), 400, "participants.identifier"},
		{"POST", "tickets/create", person("Client", "Mail", "no address"), 400, "participants.identifier"},
		{"POST", "tickets/create", person("User", "Web", "nobody@example.com"), 400, "participants.identifier"},
		{"POST", "tickets/create", good + `,"culture":"xx"}`, 400, "culture"},
		{"POST", "tickets/create", good + `,"state":"Sleeping"}`, 400, "state"},
		{"POST", "tickets/create", good + `,"open":"yesterday"}`, 400, "open"},
		{"POST", "tickets/create", good + `,"open":"2030-01-01T00:00:00"}`, 400, "open"},
		{"POST", "tickets/create", good + `,"close":"2020-01-01T00:00:00"}`, 400, "close"},
		{"POST", "tickets/create", good + `,"tags":["Nope"]}`, 400, "Nope"},
		{"POST", "tickets/create", good + `,"tags":["Gone"]}`, 400, "tags"},
		{"POST", "tickets/create", good + `,"tags":"Info"}`, 400, "tags"},
		{"POST", "tickets/create", good + `,"field1":7}`, 400, "field1"},
		{"POST", "tickets/create", good + `,"details":{"source":7}}`, 400, "details"},
		{"POST", "tickets/create", good + `,"field3":"` + strings.Repeat("x", 2001) + `"}`, 413, "field3"},
		{"POST", "tickets/create", good + `,"transactions":[{"type":"Message","text":""}]}`, 400, "transactions.text"},
		{"POST", "tickets/create", good + `,"transactions":[{"type":"Fax","text":"x"}]}`, 400, "transactions.type"},
		{"POST", "tickets/create", good + `,"transactions":[{"text":"x","fromParticipant":{"identifier":"y"}}]}`, 400, "fromParticipant"},

		{"GET", "tickets/list", ``, 400, "since"},
		{"GET", "tickets/list?since=01/03/2026%2000:00:00:00", ``, 400, "until"},
		{"GET", "tickets/list?since=2026-03-01&until=2026-03-02", ``, 400, "since"},
		{"GET", "tickets/list?since=32/03/2026%2000:00:00:00&until=33/03/2026%2000:00:00:00", ``, 400, "since"},
		{"GET", "tickets/list?since=03/03/2026%2000:00:00:00&until=01/03/2026%2000:00:00:00", ``, 400, "since"},
		{"GET", "tickets/list?since=01/01/2026%2000:00:00:00&until=02/02/2026%2000:00:00:00", ``, 400, "until"},
		{"GET", "tickets/list?" + day + "&ticketState=Open,Nope", ``, 400, "ticketState"},
		{"GET", "tickets/list?" + day + "&sortOrder=UP", ``, 400, "sortOrder"},
		{"GET", "tickets/list?page=abc", ``, 400, "page"},
		{"GET", "tickets/list?page=abc&" + day, ``, 400, "page"},
		{"GET", "tickets/list?since=a&Since=b", ``, 400, "since"},

		{"POST", p("tickets/send/%d"), `{}`, 400, "text"},
		{"POST", p("tickets/send/%d"), `{"text":"  "}`, 400, "text"},
		{"POST", p("tickets/send/%d"), `{"text":"` + strings.Repeat("x", 8<<10+1) + `"}`, 413, "text"},
		{"POST", p("tickets/send/%d"), `{"html":"<script>alert(1)</script>"}`, 400, "html"},
		{"POST", p("tickets/send/%d"), `{"text":"x","files":["javascript:alert(1)"]}`, 400, "files"},
		{"POST", p("tickets/send/%d"), `{"text":"x","quickReplies":[{"title":""}]}`, 400, "quickReplies.title"},
		{"POST", p("tickets/send/%d"), `{"templates":[{"title":"a","buttons":[{"title":"b","type":"web_url","uri":"javascript:x"}]}]}`, 400, "buttons.uri"},
		{"POST", p("tickets/send/%d"), `{"templates":[{"title":"a","buttons":[{"title":"b","type":"fly"}]}]}`, 400, "buttons.type"},
		{"POST", p("tickets/send/%d"), `{"text":"x","cannedReplyId":9}`, 404, "cannedReplyId"},
		{"PUT", p("tickets/setstate/%d"), ``, 400, "nextState"},
		{"PUT", p("tickets/setstate/%d?nextState=Gone"), ``, 400, "nextState"},
		{"PUT", p("tickets/setstate/%d?nextState=Open&getTicket=maybe"), ``, 400, "getTicket"},
		{"PUT", p("tickets/setstate/%d?nextState=Open"), `{"tags":["Nope"]}`, 400, "tags"},
		{"PUT", p("tickets/setfields/%d"), `{"field2":{}}`, 400, "field2"},
		{"PUT", p("tickets/setparticipantname/%d"), `{"name":"x"}`, 400, "id"},
		{"PUT", p("tickets/setparticipantname/%d"), `{"id":1}`, 400, "name"},
		{"PUT", p("tickets/setparticipantname/%d"), `{"id":99,"name":"x"}`, 404, "participant"},
		{"PUT", p("tickets/setowner/%d"), ``, 400, "nextOwnerUserName"},
		{"PUT", p("tickets/setowner/%d?nextOwnerUserName=") + cat, ``, 404, "nextOwnerUserName"},
		{"PUT", p("tickets/setdepartment/%d"), `{}`, 400, "departmentId"},
		{"PUT", p("tickets/setdepartment/%d"), `{"departmentId":"99999999-9999-4999-8999-999999999999"}`, 404, "departmentId"},
		{"PUT", p("tickets/setdepartment/%d"), `{"departmentId":"` + department + `"}`, 400, "departmentId"},
		{"POST", p("tickets/addtags/%d"), `{}`, 400, "tags"},
		{"POST", p("tickets/addtags/%d"), `["Nope"]`, 400, "Nope"},
		{"DELETE", p("tickets/removetag/%d"), ``, 400, "tag"},
		{"POST", p("tickets/addnote/%d"), `{}`, 400, "text"},
		{"POST", p("tickets/setsummary/%d"), `{}`, 400, "summary"},
		{"POST", p("tickets/pdf/%d"), `{"fontSizeInPixels":1000}`, 400, "fontSizeInPixels"},
		{"POST", p("tickets/html/%d"), `{"includeNotes":3}`, 400, "includeNotes"},
		{"POST", p("tickets/generatesurveylink/%d"), `{}`, 400, "surveyId"},
		{"POST", p("tickets/generatesurveylink/%d"), `{"surveyId":9}`, 404, "surveyId"},
		{"POST", p("tickets/generatesurveylink/%d"), `{"surveyId":1,"participantId":9}`, 404, "participantId"},

		{"PUT", "users/setstatus", `{}`, 400, "nextStatus"},
		{"PUT", "users/setstatus", `{"nextStatus":"Asleep"}`, 400, "nextStatus"},
		{"POST", "users/add", `[]`, 400, "userType"},
		{"POST", "users/add?userType=AGENT", `[]`, 400, "role"},
		{"POST", "users/add?userType=AGENT&role=King", `[]`, 400, "role"},
		{"POST", "users/add?userType=AGENT&role=ReadOnly", `{}`, 400, "userName"},
		{"POST", "users/add?userType=AGENT&role=ReadOnly", `[]`, 400, "userName"},
		{"POST", "users/add?userType=AGENT&role=ReadOnly", `[{"userName":"nope"}]`, 400, "userName"},
		{"DELETE", "users/delete", ``, 400, "userName"},
		{"DELETE", "users/delete?userName=nobody@example.com", ``, 404, "userName"},
		{"DELETE", "users/delete?userName=" + ann, ``, 409, "userName"},
		{"PUT", "users/setuniqueargument", `{}`, 400, "nextUniqueArgument"},
		{"GET", "users/getbyuniqueargument", ``, 400, "uniqueArgument"},
		{"GET", "users/getbyuniqueargument?uniqueArgument=zz", ``, 404, "uniqueArgument"},
		{"POST", "users/update", `{"shortName":"` + strings.Repeat("x", 101) + `"}`, 400, "shortName"},
		{"POST", "users/setroles", `["webChat"]`, 400, "userName"},
		{"POST", "users/setroles?userName=" + bob, `["Emperor"]`, 400, "roles"},
		{"POST", "users/setroles?userName=" + bob, `{}`, 400, "roles"},
		{"GET", "users/statuslogs", ``, 400, "since"},
		{"GET", "users/statuslogs?since=01/03/2026&until=x", ``, 400, "until"},
		{"GET", "users/statuslogs?since=02/03/2026&until=01/03/2026", ``, 400, "until"},
		{"GET", "users/statuslogs?since=01/03/2026&until=01/03/2026&userId=7", ``, 400, "userId"},

		{"GET", "tenants/isonline", ``, 400, "departmentId"},
		{"GET", "tenants/isonline?departmentId=7", ``, 400, "departmentId"},
		{"GET", "tenants/isonline?departmentId=99999999-9999-4999-8999-999999999999", ``, 404, "departmentId"},
		{"GET", "tenants/isonline?departmentId=" + department + "&protocolType=x", ``, 400, "protocolType"},
		{"GET", "contacts/get/7", ``, 400, "id"},
		{"GET", "contacts/get/99999999-9999-4999-8999-999999999999", ``, 404, "contact"},
		{"PUT", "contacts/setname/" + contact, `{}`, 400, "nextName"},
		{"PUT", "contacts/setname/" + contact, `{"nextName":"` + strings.Repeat("x", 26) + `"}`, 400, "nextName"},
		{"PUT", "contacts/setuniqueargument/" + contact, `{}`, 400, "nextUniqueArgument"},
		{"POST", "contacts/addidentifier/" + contact, `{"identifierType":"Web","identifier":"x"}`, 400, "identifierType"},
		{"POST", "contacts/addidentifier/" + contact, `{"identifierType":"PhoneNumber","identifier":"x"}`, 400, "identifier"},
		{"DELETE", "contacts/deleteidentifier/" + contact, ``, 400, "contactIdentifierId"},
		{"DELETE", "contacts/deleteidentifier/" + contact + "?contactIdentifierId=9", ``, 404, "contactIdentifierId"},
		{"POST", "cannedreplies/add", `{}`, 400, "title"},
		{"POST", "cannedreplies/add", `{"title":"x"}`, 400, "text"},
		{"DELETE", "cannedreplies/delete", ``, 400, "cannedReplyId"},
		{"DELETE", "cannedreplies/delete?cannedReplyId=9", ``, 404, "cannedReplyId"},
		{"POST", p("interactivedocuments/send/%d"), `{}`, 400, "baseTemplateId"},
		{"POST", p("interactivedocuments/send/%d"), `{"baseTemplateId":9}`, 404, "baseTemplateId"},
		{"POST", p("interactivedocuments/send/%d"), `{"baseTemplateId":20,"fields":[{"type":"Sound","name":"x"}]}`, 400, "fields.type"},
		{"POST", "protocols/send", `{"protocolType":"Mail","from":"1","to":"2","text":"x"}`, 400, "protocolType"},
		{"POST", "protocols/send", `{"protocolType":"SMS","from":"972526264195","to":"972500000000"}`, 400, "text"},
		{"POST", "protocols/send", `{"protocolType":"SMS","from":"1234567","to":"972500000000","text":"x"}`, 400, "from"},
		{"POST", "protocols/send", `{"protocolType":"SMS","from":"972526264195","to":"x","text":"x"}`, 400, "to"},
		{"POST", "protocols/send", `{"protocolType":"WhatsApp","from":"972524646214","to":"972500000000","text":"x"}`, 403, ""},
		{"POST", p("phonecalls/started/%d"), `{}`, 400, "dateTime"},
		{"POST", p("phonecalls/ended/%d"), `{"dateTime":"2026-03-02"}`, 400, "dateTime"},
		{"POST", p("phonecalls/audiolink/%d"), `{}`, 400, "audioUri"},
		{"POST", p("phonecalls/audiolink/%d"), `{"audioUri":"file:///etc/passwd"}`, 400, "audioUri"},
		{"POST", "files/upload", `x`, 400, "multipart"},
		{"GET", "webhooks/getevents?deleteEvents=x", ``, 400, "deleteEvents"},
		{"GET", "webhooks/getevents?waitSeconds=21", ``, 400, "waitSeconds"},
		{"POST", "webhooks/deleteevents", `{}`, 400, "events"},
		{"POST", "webhooks/deleteevents", `[{"queueMessageId":"x"}]`, 400, "queueReceiptHandle"},
		{"POST", "webhooks/deleteevents", `[{"queueReceiptHandle":"x"}]`, 400, "queueMessageId"},
	} {
		out := r.send(req{method: c.method, path: c.path, body: c.body})
		message, _ := out.at("message").(string)
		if out.code != c.code || !strings.Contains(strings.ToLower(message), strings.ToLower(c.says)) || message == "" {
			t.Errorf("%s %s %.80s: %d %s; want %d naming %q", c.method, c.path, c.body, out.code, out.body, c.code, c.says)
		}
	}
	if got := r.get(fmt.Sprint("tickets/get/", id)); len(got.at("transactions").([]any)) != 1 {
		t.Errorf("a refusal left something behind: %s", got.body)
	}
}

// Every operation wants a token, and tells nothing to who has none.
func TestTokens(t *testing.T) {
	r := newRig(t)
	for name, op := range routes() {
		method, path, _ := strings.Cut(name, " ")
		if op.id {
			path += "/1"
		}
		for _, as := range []string{"none", "unknown"} {
			out := r.send(req{method: method, path: path, as: as})
			if op.open == (out.code == 401) {
				t.Errorf("%s as %s: %d %s", name, as, out.code, out.body)
			}
		}
	}
	out := r.post("token/get", map[string]string{"apiKey": strings.ToUpper(department), "apiSecret": "secret", "userName": ann})
	if out.at("access_token") != ann || out.at("token_type") != "bearer" || out.at("expires_in") != 10800.0 {
		t.Errorf("%s", out.body)
	}
}

// Who may only read writes nothing, and other departments' tickets do not exist.
func TestRights(t *testing.T) {
	r := newRig(t)
	id := r.open("jack-1")
	for name, op := range routes() {
		method, path, _ := strings.Cut(name, " ")
		if op.open {
			continue
		}
		if op.id {
			path += fmt.Sprint("/", id)
		}
		if out := r.send(req{method: method, path: path, as: bob}); !op.read && out.code != 403 {
			t.Errorf("%s by who may only read: %d %s", name, out.code, out.body)
		}
		if strings.Contains(name, "tickets/") && op.id {
			if out := r.send(req{method: method, path: path + "?nextState=Open&nextOwnerUserName=" + cat + "&tag=x", body: `{}`, as: cat}); out.code == 200 {
				t.Errorf("%s by another department: %s", name, out.body)
			}
		}
	}
	for _, q := range []req{
		{method: "POST", path: "users/setroles?userName=" + bob, body: `["webChat"]`, as: dan},
		{method: "DELETE", path: "users/delete?userName=" + bob, as: dan},
		{method: "POST", path: "users/add?userType=AGENT&role=ReadOnly", body: `[{"userName":"x@y.z"}]`, as: dan},
	} {
		r.want(403, q)
	}
}

func TestLargeBodies(t *testing.T) {
	r := newRig(t)
	id := r.open("jack-1")
	big := bytes.Repeat([]byte("x"), 20<<20)
	for _, path := range []string{fmt.Sprint("tickets/send/", id), "tickets/create", "files/upload", "token/get"} {
		h := httptest.NewRequest("POST", Prefix+path, neverRead{t})
		h.ContentLength = int64(len(big))
		h.Header.Set("Authorization", "Bearer "+ann)
		h.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, h)
		if w.Code != 413 || w.Header().Get("Connection") != "close" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		// Who does not say how much is coming is stopped on the way.
		h = httptest.NewRequest("POST", Prefix+path, bytes.NewReader(big))
		h.ContentLength = -1
		h.Header.Set("Authorization", "Bearer "+ann)
		w = httptest.NewRecorder()
		r.api.ServeHTTP(w, h)
		if path != "files/upload" && w.Code != 413 {
			t.Errorf("%s undeclared: %d %s", path, w.Code, w.Body)
		}
	}
	body, kind := form(t, "big.bin", bytes.Repeat([]byte("x"), MaxFile+1))
	out := r.send(req{method: "POST", path: "files/upload", body: body, header: map[string]string{"Content-Type": kind}})
	if out.code != 413 {
		t.Errorf("a file that is too large: %d %s", out.code, out.body)
	}
}

// neverRead fails the test when a body is read that should have been refused.
type neverRead struct{ t *testing.T }

func (n neverRead) Read([]byte) (int, error) {
	n.t.Error("the body was read")
	return 0, bytes.ErrTooLarge
}

// form is an upload of one file.
func form(t testing.TB, name string, content []byte) ([]byte, string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	part, err := w.CreateFormFile("0", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}

// HTML of people's comes out without anything that runs, loads a page, looks like a
// form or hides: whatever way it is written.
func TestHTMLIsClean(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	for _, c := range []struct{ in, out string }{
		{`<p>Hi <b>you</b></p>`, `<p>Hi <b>you</b></p>`},
		{`<p>1<script>alert(1)</script>2</p>`, `<p>12</p>`},
		{`<scr<script>ipt>alert(1)</scr</script>ipt>x`, `ipt&gt;alert(1)ipt&gt;x`},
		{`<SCRIPT SRC=//x.example/x.js></SCRIPT>x`, `x`},
		{`<p onclick="alert(1)" onmouseover=alert(1)>x</p>`, `<p>x</p>`},
		{`<img src=x onerror=alert(1)>`, `<img src="x">`},
		{`<img/src="x"/onerror="alert(1)">`, `<img src="x">`},
		{`<a href="javascript:alert(1)">x</a>`, `x`},
		{`<a href="JaVaScRiPt:alert(1)">x</a>`, `x`},
		{`<a href=" javascript:alert(1)">x</a>`, `x`},
		{"<a href=\"java\nscript:alert(1)\">x</a>", `x`},
		{"<a href=\"\x01javascript:alert(1)\">x</a>", `x`},
		{`<a href="&#106;&#97;vascript:alert(1)">x</a>`, `x`},
		{`<a href="&#x6A;avascript&colon;alert(1)">x</a>`, `x`},
		{`<a href="vbscript:x">x</a>`, `x`},
		{`<a href="data:text/html,<script>alert(1)</script>">x</a>`, `x`},
		{`<img src="data:image/svg+xml;base64,PHN2Zz4=">`, ``},
		{`<svg onload=alert(1)><script>alert(1)</script></svg>x`, `x`},
		{`<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`, `x`},
		{`<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>`, ``},
		{`<style>body{background:url(//x.example)}</style>x`, `x`},
		{`<p style="position:fixed;background:url(javascript:alert(1))">x</p>`, `<p>x</p>`},
		{`<iframe src="//x.example"></iframe>x`, `x`},
		{`<object data=x></object><embed src=x>x`, `x`},
		{`<form action=//x.example><input name=p><button>go</button></form>`, `go`},
		{`<base href="//x.example/"><link rel=stylesheet href=x><meta http-equiv=refresh content="0;url=//x">x`, `x`},
		{`<noscript><p title="</noscript><img src=x onerror=alert(1)>">x`, `<img src="x">&#34;&gt;x`},
		{`<template><script>alert(1)</script></template>x`, `x`},
		{`<!--<script>alert(1)</script>-->x`, `x`},
		{`<p id="login" name="x" class="y">x</p>`, `<p>x</p>`}, // an id would be a name in the page that shows it
		{`&lt;script&gt;alert(1)&lt;/script&gt;`, `&lt;script&gt;alert(1)&lt;/script&gt;`},
		{`<a href="https://x.example/?a=1&amp;b=2">x</a>`, `<a href="https://x.example/?a=1&amp;b=2" rel="nofollow noopener" target="_blank">x</a>`},
		{`<a href="mailto:a@x.example">x</a>`, `<a href="mailto:a@x.example" rel="nofollow">x</a>`},
	} {
		a := r.post(fmt.Sprint("tickets/send/", id), map[string]string{"text": "t", "html": c.in})
		if got := a.at("html"); got != c.out {
			t.Errorf("%q\n  came out as %q\n  want        %q", c.in, got, c.out)
		}
	}
}
