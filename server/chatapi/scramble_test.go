package chatapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

// An erasure leaves nothing personal anywhere.
func TestScramble(t *testing.T) {
	r := newRig(t)
	secret := "zqSECRETqz"
	a := r.post("tickets/create", map[string]any{
		"participants": []any{map[string]any{"protocolType": "Mail", "identifier": secret + "@x.example", "name": secret}},
		"field1":       secret, "details": map[string]any{"userAgent": secret}, "uniqueArgument": secret,
	})
	id := int(a.at("id").(float64))
	body, kind := form(t, secret+".txt", []byte(secret))
	up := r.want(200, req{method: "POST", path: "files/upload", body: body, header: map[string]string{"Content-Type": kind}})
	link := up.at(0).(string)
	r.want(200, req{method: "POST", path: fmt.Sprint("tickets/send/", id), header: map[string]string{"Idempotency-Key": "k"},
		body: map[string]any{"text": secret, "html": "<p>" + secret + "</p>", "files": []string{link}}})
	r.post(fmt.Sprint("tickets/addnote/", id), `{"text":"`+secret+`"}`)
	r.post(fmt.Sprint("tickets/setsummary/", id), `{"summary":"`+secret+`"}`)
	r.post(fmt.Sprint("tickets/generatesurveylink/", id), `{"surveyId":1}`)
	r.post(fmt.Sprint("interactivedocuments/send/", id), `{"baseTemplateId":20,"message":"`+secret+`","fields":[{"type":"Text","name":"Name","value":"`+secret+`"}]}`)
	r.get("webhooks/getevents?deleteEvents=true")
	if found := r.remains(secret); len(found) == 0 {
		t.Fatal("the search finds nothing before the erasure")
	}
	head, _ := r.store.Head(1)
	for range 2 { // repeating it is harmless
		r.want(200, req{method: "DELETE", path: fmt.Sprint("tickets/scramble/", id)})
	}
	if found := r.remains(secret); len(found) > 0 {
		t.Errorf("left over: %v", found)
	}
	after, _ := r.store.Head(1)
	if after.Offset != head.Offset+1 {
		t.Errorf("the journal went from %d to %d", head.Offset, after.Offset)
	}
	got := r.get(fmt.Sprint("tickets/get/", id))
	if got.at("isScrambled") != true || got.at("owner", "UserName") != ann || got.at("open") != a.at("open") || got.at("agentMessagesCount") == 0.0 {
		t.Errorf("%s", got.body)
	}
	contact := r.get("contacts/get/" + a.at("participants", 0, "contactId").(string))
	if contact.at("isScrambled") != true || contact.at("name") != "" {
		t.Errorf("%s", contact.body)
	}
	u, _ := url.Parse(link)
	r.want(404, req{method: "GET", path: u.RequestURI()})
	r.put(fmt.Sprintf("tickets/setstate/%d?nextState=Closed", id), nil)
	r.want(409, req{method: "PUT", path: fmt.Sprint("tickets/setfields/", id), body: `{"field1":"x"}`})
}

// remains lists where a text is still kept.
func (r *rig) remains(text string) []string {
	r.t.Helper()
	var out []string
	look := func(where string, b []byte) {
		if bytes.Contains(b, []byte(text)) {
			out = append(out, where)
		}
	}
	for _, journal := range []int{0, 1, 2} {
		for rec, err := range r.store.Records(journal, 1) {
			if err != nil {
				r.t.Fatal(err)
			}
			look("facts "+rec.Type, rec.Facts)
			look("personal "+rec.Type, rec.Personal)
		}
		_, snapshot, _ := r.store.Snapshot(journal)
		look("snapshot", snapshot)
		r.View(journal, func(s *ticket.State) {
			b, _ := s.Encode()
			look("state", b)
		})
	}
	for id := range int64(20) {
		for e := range r.store.Entries(id, 0, 0, false) {
			look("entry", e.Doc)
		}
		if v, err := r.store.Ticket(id); err == nil {
			look("ticket", v.Doc)
		}
		for d := range r.store.Docs(linkDocs(id)) {
			look("link", []byte(d.Key))
		}
	}
	for _, kind := range []string{contactDocs, identifierDocs, fileDocs, surveyDocs, formDocs, scrubDocs, messageDocs, sentDocs, looseDocs} {
		for d := range r.store.Docs(kind) {
			look(kind, append([]byte(d.Key), d.Value...))
		}
	}
	if res, err := r.store.Result("chat:key:chat:1:k"); err == nil {
		look("result", res.Value)
	}
	files, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(r.dir + "/" + f.Name())
		look("file", b)
	}
	return out
}

// An erasure that came through another door is carried through as well.
func TestScrubFromElsewhere(t *testing.T) {
	r := newRig(t)
	a := r.post("tickets/create", `{"participants":[{"protocolType":"Mail","identifier":"zqSECRETqz@x.example","name":"zqSECRETqz"}]}`)
	id := int64(a.at("id").(float64))
	r.must(1, ticket.Erase{Ref: ticket.Ref{ID: ticket.TicketID(id)}})
	if len(r.remains("zqSECRETqz")) == 0 {
		t.Fatal("the contact is gone before anybody scrubbed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	fired := make(chan time.Time)
	r.api.Timer = func(d time.Duration) (<-chan time.Time, func() bool) {
		if d != sweepEvery { // another loop's
			return nil, func() bool { return true }
		}
		return fired, func() bool { return true }
	}
	go func() { done <- r.api.Run(ctx) }()
	fired <- time.Time{} // the second one is taken when the first round is over
	fired <- time.Time{}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if found := r.remains("zqSECRETqz"); len(found) > 0 {
		t.Errorf("left over: %v", found)
	}
}

func TestMove(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	r.post(fmt.Sprint("tickets/send/", id), `{"text":"first"}`)
	moved := int(r.put(fmt.Sprint("tickets/setdepartment/", id), map[string]string{"departmentId": elsewhere}).at("ticketId").(float64))
	old := r.get(fmt.Sprint("tickets/get/", id))
	if old.at("state") != "Closed" || old.at("movedToTicketId") != float64(moved) || old.at("movedToDepartmentId") != elsewhere {
		t.Errorf("%s", old.body)
	}
	r.want(404, req{method: "GET", path: fmt.Sprint("tickets/get/", moved)})
	fresh := r.want(200, req{method: "GET", path: fmt.Sprint("tickets/get/", moved), as: cat})
	if fresh.at("movedFromTicketId") != float64(id) || fresh.at("movedFromDepartmentId") != department || fresh.at("state") != "Open" ||
		fresh.at("transactions", 0, "text") != "first" || fresh.at("owner") != nil || fresh.at("open") != old.at("open") {
		t.Errorf("%s", fresh.body)
	}
	contact := fresh.at("participants", 0, "contactId").(string)
	if contact == old.at("participants", 0, "contactId") || r.send(req{method: "GET", path: "contacts/get/" + contact, as: cat}).code != 200 {
		t.Errorf("the customer is not known there: %s", fresh.body)
	}
	r.want(409, req{method: "PUT", path: fmt.Sprint("tickets/setdepartment/", id), body: map[string]string{"departmentId": elsewhere}})
}

// A walk-in can be written to, and a conversation can join a line: one ticket.
func TestTwoFacets(t *testing.T) {
	r := newRig(t)
	walkIn := r.must(1, ticket.Create{Line: 1, FirstName: "Ida", Language: "es"}).Ticket.ID
	a := r.get(fmt.Sprint("tickets/get/", walkIn))
	if a.at("state") != "Open" || a.at("culture") != "es-ES" || len(a.at("transactions").([]any)) != 0 {
		t.Errorf("%s", a.body)
	}
	r.post(fmt.Sprint("tickets/send/", walkIn), `{"text":"your turn soon"}`)
	if a = r.get(fmt.Sprint("tickets/get/", walkIn)); a.at("participants", 0, "name") != "Ida" || a.at("transactions", 0, "text") != "your turn soon" {
		t.Errorf("%s", a.body)
	}
	id := int64(r.open("x"))
	if n := r.count(); n != 1 {
		t.Errorf("%d tickets in lines, want the walk-in only", n)
	}
	res := r.must(1, ticket.Enqueue{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Line: 1})
	if res.Ticket.Place.Status != ticket.New || res.Ticket.Place.PublicID != "A-2" || res.Ticket.Private.FirstName != "Jack" || r.count() != 2 {
		t.Errorf("%+v", res.Ticket.Place)
	}
	if a = r.get(fmt.Sprint("tickets/get/", id)); a.at("state") != "Open" || len(a.at("transactions").([]any)) != 1 {
		t.Errorf("%s", a.body)
	}
	if _, err := r.Do(context.Background(), ledger.Request{Location: 1, Command: ticket.Enqueue{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Line: 1}}); err == nil {
		t.Error("it joined twice")
	}
}

// count is how many wait in lines.
func (r *rig) count() int {
	n := 0
	r.View(1, func(s *ticket.State) { n = s.Waiting(1) })
	return n
}

// down is a ledger that is gone after so many writes: as when the process is
// killed between two of them.
type down struct {
	Ledger
	left int
}

var errDown = errors.New("killed")

func (d *down) write() error {
	if d.left == 0 {
		return errDown
	}
	d.left--
	return nil
}

func (d *down) Do(ctx context.Context, q ledger.Request) (ledger.Result, error) {
	if err := d.write(); err != nil {
		return ledger.Result{}, err
	}
	return d.Ledger.Do(ctx, q)
}

func (d *down) PutDocs(ctx context.Context, docs ...store.Doc) error {
	if err := d.write(); err != nil {
		return err
	}
	return d.Ledger.PutDocs(ctx, docs...)
}

// An erasure that was killed at any point is carried through by the next process:
// of the ticket, and of those that it was moved to and from.
func TestScrubIsResumed(t *testing.T) {
	const secret = "zqSECRETqz"
	for killed, after := true, 0; killed; after++ {
		r := newRig(t)
		a := r.post("tickets/create", `{"participants":[{"protocolType":"Mail","identifier":"zqSECRETqz@x.example","name":"zqSECRETqz"}]}`)
		id := int(a.at("id").(float64))
		body, kind := form(t, secret+".txt", []byte(secret))
		link := r.want(200, req{method: "POST", path: "files/upload", body: body, header: map[string]string{"Content-Type": kind}}).at(0)
		r.post(fmt.Sprint("tickets/send/", id), map[string]any{"text": secret, "files": []any{link}})
		for _, to := range []string{elsewhere, department} { // there and back again
			who := map[string]string{elsewhere: ann, department: cat}[to]
			if to == department {
				r.must(1, ticket.PutUser{User: ticket.User{ID: 3, GUID: "33333333-3333-4333-8333-333333333332", Email: cat, FirstName: "Cat"}})
			}
			moved := r.want(200, req{method: "PUT", path: fmt.Sprint("tickets/setdepartment/", id), body: map[string]string{"departmentId": to}, as: who})
			id = int(moved.at("ticketId").(float64))
		}
		r.get("webhooks/getevents?deleteEvents=true")
		r.want(200, req{method: "GET", path: "webhooks/getevents?deleteEvents=true", as: cat})
		broken := &down{Ledger: r.api.Ledger, left: after}
		r.api.Ledger = broken
		answer := r.send(req{method: "DELETE", path: fmt.Sprint("tickets/scramble/", id-1), as: cat}) // the one in the middle
		killed = answer.code != 200
		r.api.Ledger = broken.Ledger
		if after == 0 { // not even the erasure itself was written
			continue
		}
		if err := r.api.scrubAll(context.Background()); err != nil {
			t.Fatal(err)
		}
		if found := r.remains(secret); len(found) > 0 {
			t.Errorf("killed after %d writes (%d): left over: %v", after, answer.code, found)
		}
		if after > 40 {
			t.Fatal("it never ends")
		}
	}
}

// An upload that no message came for goes after a day; one that a message carries
// stays.
func TestLooseUploads(t *testing.T) {
	r := newRig(t)
	id := r.open("x")
	var links []string
	for _, text := range []string{"kept", "loose"} {
		body, kind := form(t, text+".txt", []byte(text))
		links = append(links, r.want(200, req{method: "POST", path: "files/upload", body: body, header: map[string]string{"Content-Type": kind}}).at(0).(string))
	}
	r.post(fmt.Sprint("tickets/send/", id), map[string]any{"files": links[:1]})
	files := func() int {
		list, err := os.ReadDir(r.dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{looseTTL - time.Hour, 2}, {2 * time.Hour, 1}, {looseTTL, 1}} {
		r.clock.Add(step.after)
		if err := r.api.tidy(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := files(); n != step.want {
			t.Errorf("%d files, want %d", n, step.want)
		}
	}
	uri := r.get(fmt.Sprint("tickets/get/", id)).at("transactions", 0, "attachments", 0, "uri").(string)
	u, _ := url.Parse(uri)
	if a := r.want(200, req{method: "GET", path: u.RequestURI(), as: "none"}); string(a.body) != "kept" {
		t.Errorf("%q", a.body)
	}
}
