package queuegraph

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden are queries that together ask for every field of every type.
func golden() [][2]string {
	const who = "{ id firstName }"
	return [][2]string{
		{"account", "{ account { id name created features textMessagingAllowed locations { id } } }"},
		{"locations", "{ locations { id name address countryCode country timezone created latitude longitude selectingDeskMandatory smsEnabled dynamicLabels isDemo } }"},
		{"location, house", `{ location(id: 1) { lines { id name } archived: lines(archived: true) { id } users { id } ipads { id name online charging batteryLevel }
			tvs { id } desks { id name user { id } } languages { code name nativeName primary } labels { id value color firstUsed lastUsed count } locationLabels } }`},
		{"location, hours", `{ location(id: "1") { openingHours2 { mon { businessHours { opens { hours minutes } closes { hours minutes } } closed } tue { closed } wed { closed } thu { closed } fri { closed } sat { closed } sun { businessHours { opens { hours } } closed } }
			openingHoursExceptions2 { date closed closedReason businessHours { opens { hours } } } } }`},
		{"input fields", `{ location(id: 1) { inputFields(includeDeleted: true) { id location { id } type isMandatoryBeforeAdded isMandatoryBeforeServed title multiSelect options { id title color } visibleForLines { id } deleted } }
			inputField(id: "AAAAAAAA-0000-4000-8000-000000000002") { title } }`},
		{"line", `{ line(id: 1) { id name color disabled archived location { id } hasActiveTickets hasScheduledTickets translations { languageCode name } appointmentSettings { enabled durationMinutes } }
			other: line(id: 4) { appointmentSettings { enabled durationMinutes } hasActiveTickets } }`},
		{"TV", "{ TV(id: 1) { id name theme layout online settings lines { id } clearTickets notificationViewLineVisible listViewLineVisible } other: TV(id: 2) { online } }"},
		{"users", `{ me { id } user(id: 2) { id email firstName lastName created selectedLocation { id } selectedDesk { id } selectedLines { id } roles { id type location { id } } lastLoggedIn deleted deletedAt }
			users(ids: [1, 99, "3", 5]) { id } every: users { id } allUsers { id } left: allUsers(includeDeletedFrom: "2026-01-01T00:00:00.000Z") { id deleted deletedAt } }`},
		{"ticket, called", `{ ticket(id: 1) { __typename id publicId status statusSetAt statusSetBy ` + who + ` line { id } firstName lastName phoneNumber email created { date user ` + who + ` } waitStartedAt cancelled { date }
			assignee ` + who + ` caller ` + who + ` labels { value color } language { code name nativeName primary } appointment { startTime } } }`},
		{"ticket, parts", `{ ticket(id: "1") { fields2 { id value options { id title color } inputField { id type } }
			interactions { id start end line { id } desk { id } user { id } waitTime serviceTime } last: interactions(filter: {onlyLastService: true}) { id }
			messages { id created type status statusSetAt body user { id } attachments readAt sentiment } external { created provider title data } connectedTickets { id } } }`},
		{"ticket, waiting", "{ ticket(id: 2) { status statusSetAt statusSetBy { id } phoneNumber email firstName lastName caller { id } assignee { id } fields2 { id } interactions { id } messages { id } external { provider } connectedTickets { id } waitStartedAt } }"},
		{"ticket, served", "{ ticket(id: 3) { status statusSetAt statusSetBy { id } caller { id } interactions { waitTime serviceTime } } }"},
		{"ticket, cancelled", "{ ticket(id: 4) { status statusSetAt statusSetBy { id } cancelled { date user { id } } } }"},
		{"ticket, scheduled", "{ ticket(id: 5) { status statusSetAt waitStartedAt appointment { startTime endTime assignee { id } } } }"},
		{"my called tickets", "{ myCalledTickets { id } }"},
		{"search", `{ all: ticketSearch(locationId: 1) { id } new: ticketSearch(locationId: 1, status: [NEW, CALLED], line: [1]) { id }
			last: ticketSearch(locationId: 1, order: {field: ID, direction: DESCENDING}, limit: 2, offset: 1) { id } made: ticketSearch(locationId: 1, order: {field: CREATED, direction: ASCENDING}, limit: 1) { id }
			ended: ticketSearch(locationId: 1, status: SERVED, order: {field: END_TIME, direction: DESCENDING}) { id }
			mine: ticketSearch(locationId: 1, creator: [2]) { id } others: ticketSearch(locationId: 1, creator: [3]) { id }
			early: ticketSearch(locationId: 1, maxCreated: "2026-03-02T08:15:18.000Z") { id } late: ticketSearch(locationId: 1, minCreated: "2026-03-02T09:00:00.000Z") { id }
			slots: ticketSearch(locationId: 1, appointment: {start: "2026-03-01T00:00:00.000Z", end: "2026-03-31T00:00:00.000Z", assignee: ["2"]}) { id }
			none: ticketSearch(locationId: 1, appointment: {start: "2026-03-01T00:00:00.000Z", end: "2026-03-31T00:00:00.000Z", assignee: ["3"]}) { id }
			waiting: ticketSearch(locationId: 1, minWaitStartedAt: "2026-03-02T08:15:22.000Z") { id } }`},
		{"introspection", `{ __schema { queryType { name } mutationType { name } subscriptionType { name } } __type(name: "Ticket") { fields { name type { kind name ofType { kind name } } } } }`},
		{"error, unknown", "{ ticket(id: 99) { id } }"},
		{"error, foreign field", "{ nothing }"},
		{"error, syntax", "{ me {"},
		{"error, argument", `{ ticketSearch(locationId: 1, minCreated: "yesterday") { id } }`},
		{"error, several", "{ line(id: 99) { id } TV(id: 98) { id } }"},
	}
}

// fill makes what the golden answers show.
func (r *rig) fill() {
	const order, topic = "aaaaaaaa-0000-4000-8000-000000000002", "aaaaaaaa-0000-4000-8000-000000000003"
	made := r.must(1, ticket.Create{
		Line: 1, FirstName: "Ida", LastName: "Berg", PhoneNumber: "+46701234567", Email: "ida@example.com", Language: "sv",
		Source: ticket.SourceName, Labels: []string{"VIP"}, Extra: []ticket.Extra{
			{Title: "Order", Value: "Z-19", Field: order}, {Title: "Topic", Value: "Loan", Color: "#112233", Field: topic}, {Title: "Free", Value: "<b>"},
		},
	}).Ticket.ID
	r.must(1, ticket.CallTicket{Ref: ref(made), Desk: 1})
	r.must(1, ticket.ReturnToQueue{Ref: ref(made), Position: "LAST"})
	r.must(1, ticket.Assign{Ref: ref(made), User: 3})
	r.must(1, ticket.SetExternal{Ref: ref(made), Provider: "crm", Title: "Customer", Data: json.RawMessage(`{"fields":[{"type":"text","title":"Tier","value":"Gold"}]}`)})
	r.must(1, ticket.SendMessage{Ref: ref(made), Text: "Your turn", Protocol: ticket.ProtocolSMS, Status: "DELIVERED"})
	r.must(1, ticket.CallTicket{Ref: ref(made), Desk: 2})
	r.must(1, ticket.Create{Line: 2, FirstName: "Omar", Email: "ida@example.com", Language: "ar"})
	served := r.called("Ada")
	r.must(1, ticket.Serve{Ref: ref(served)})
	cancelled := r.create("Eva")
	r.must(1, ticket.Cancel{Ref: ref(cancelled)})
	start := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	r.must(1, ticket.Schedule{Create: ticket.Create{Line: 3, FirstName: "Lea", Language: "en"}, Start: start, End: start.Add(time.Hour), Assignee: 2})
	r.must(1, ticket.Select{User: 2, Desk: ticket.Some(2), Lines: ticket.Some([]int{1, 3})})
	r.must(1, ticket.EditLine{Line: 3, Archived: ticket.Some(true)})
	five := r.must(0, ticket.PutUser{User: ticket.User{
		GUID: "33333333-3333-4333-8333-333333333339", Email: "gone@example.com", FirstName: "Gone", Roles: []ticket.Role{{ID: 9, Type: ticket.RoleClerk, Location: 1}},
	}}).Events[0].Facts.UserDef
	gone := *five
	gone.Removed = true
	r.must(0, ticket.PutUser{User: gone})
}

// TestGoldenAnswers is the contract: the answers as existing programs read them.
func TestGoldenAnswers(t *testing.T) {
	r := bareRig(t)
	r.fill()
	var out bytes.Buffer
	for _, c := range golden() {
		answer := r.ask(r.clerk, c[1])
		if strings.HasPrefix(c[0], "account") || strings.HasPrefix(c[0], "line") || c[0] == "locations" || c[0] == "users" {
			answer = r.ask(r.admin, c[1])
		}
		out.WriteString("## " + c[0] + "\n")
		if err := json.Indent(&out, []byte(answer), "", " "); err != nil {
			t.Fatal(err)
		}
		out.WriteString("\n")
		if strings.HasPrefix(c[0], "error") == strings.Contains(answer, `"data"`) || strings.HasPrefix(c[0], "error") != strings.Contains(answer, `"errors"`) {
			t.Errorf("%s: data and errors exclude each other: %s", c[0], answer)
		}
	}
	path := filepath.Join("testdata", "answers.golden")
	if *update {
		r.check(os.WriteFile(path, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	r.check(err)
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("answers differ from %s; look at the difference after -update", path)
	}
}

// TestGoldenAsksForEverything: no field of the schema is without an answer there.
func TestGoldenAsksForEverything(t *testing.T) {
	r := bareRig(t)
	var all strings.Builder
	for _, c := range golden() {
		all.WriteString(" " + c[1])
	}
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(all.String(), func(r rune) bool { return strings.ContainsRune(" \n\t(){}:,[]", r) }) {
		words[w] = true
	}
	for _, typ := range r.graph.schema.Inspect().Types() {
		name := typ.Name()
		if typ.Kind() != "OBJECT" || strings.HasPrefix(*name, "__") || *name == "Subscription" || strings.HasPrefix(*name, "Changed") {
			continue
		}
		for _, f := range *typ.Fields(&struct{ IncludeDeprecated bool }{true}) {
			if !words[f.Name()] && f.Name() != "iPad" {
				t.Errorf("%s.%s is asked for nowhere", *name, f.Name())
			}
		}
	}
}

// TestWhoMayAsk: what a key gets to see, and in which words it is refused.
func TestWhoMayAsk(t *testing.T) {
	r := bareRig(t)
	r.fill()
	for _, c := range []struct{ key, query, want string }{
		{r.clerk, "{ location(id: 2) { id } }", typeDenied},
		{r.clerk, "{ location(id: 99) { id } }", typeNotFound},
		{r.clerk, "{ location(id: 0) { id } }", typeArgument},
		{r.clerk, `{ location(id: "1x") { id } }`, typeArgument},
		{r.clerk, "{ location(id: 99999999999999999999) { id } }", typeValidation},
		{r.clerk, `{ location(id: "99999999999999999999") { id } }`, typeArgument},
		{r.clerk, `{ ticketSearch(locationId: 1, minCreated: "yesterday") { id } }`, typeArgument},
		{r.clerk, "{ ticketSearch(locationId: 2) { id } }", typeDenied},
		{r.clerk, "{ ticketSearch(locationId: 1, limit: 0) { id } }", typeArgument},
		{r.clerk, "{ ticketSearch(locationId: 1, limit: 20001) { id } }", typeArgument},
		{r.clerk, "{ ticketSearch(locationId: 1, offset: -1) { id } }", typeArgument},
		{r.clerk, "{ ticketSearch(locationId: 1, status: []) { id } }", typeArgument},
		{r.clerk, "{ ticketSearch(locationId: 1, status: [SOLD]) { id } }", typeValidation},
		{r.second, "{ ticket(id: 1) { id } }", typeNotFound},
		{r.second, "{ line(id: 1) { id } }", typeNotFound},
		{r.second, "{ TV(id: 1) { id } }", typeNotFound},
		{r.device, "{ TV(id: 2) { id } }", typeNotFound},
		{r.second, "{ user(id: 2) { id } }", typeNotFound},
		{r.admin, "{ user(id: 5) { id } }", typeNotFound},
		{r.clerk, "{ iPad(id: 1) { id } }", typeNotFound},
		{r.second, `{ inputField(id: "aaaaaaaa-0000-4000-8000-000000000002") { id } }`, typeNotFound},
		{r.clerk, "subscription { createdTickets { id } }", typeBad},
		{r.clerk, "mutation { nothing }", "errors"},
		{r.clerk, "{ locations { id } }", `{"statusCode":200,"data":{"locations":[{"id":"1"}]}}`},
		{r.second, "{ locations { id } }", `{"statusCode":200,"data":{"locations":[{"id":"2"}]}}`},
		{r.second, "{ me { id } myCalledTickets { id } }", `{"statusCode":200,"data":{"me":null,"myCalledTickets":[]}}`},
		{r.second, "{ allUsers { id } }", `{"statusCode":200,"data":{"allUsers":[{"id":"1"},{"id":"4"}]}}`},
		{r.device, "{ TV(id: 1) { id } }", `{"statusCode":200,"data":{"TV":{"id":"1"}}}`},
	} {
		if got := r.ask(c.key, c.query); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
	}
}

// TestVariables: ids come as numbers and as text.
func TestVariables(t *testing.T) {
	r := bareRig(t)
	r.fill()
	for _, vars := range []string{`{"id":1,"n":2}`, `{"id":"1","n":2}`} {
		_, _, out := r.post(pathQuery, r.clerk, `{"query":"query Q($id: ID!, $n: Int) { ticketSearch(locationId: $id, limit: $n) { id } }","variables":`+vars+`}`)
		if want := `{"statusCode":200,"data":{"ticketSearch":[{"id":"1"},{"id":"2"}]}}`; out != want {
			t.Errorf("%s: %s", vars, out)
		}
	}
	_, _, out := r.post(pathQuery, r.clerk, `{"query":"query Q($id: ID!) { ticket(id: $id) { id } }","variables":{"id":9007199254740993}}`)
	if !strings.Contains(out, "9007199254740993 not found") {
		t.Errorf("a long id lost digits: %s", out)
	}
}

// TestBounds: no query makes the node work without end.
func TestBounds(t *testing.T) {
	r := bareRig(t)
	deep := "{ locations { " + strings.Repeat("lines { location { ", 12) + "id" + strings.Repeat(" } }", 12) + " } }"
	wide := "{ " + strings.Repeat("me { id } ", 100)
	for i := range maxSelections {
		wide += fmt.Sprintf("a%d: me { id } ", i)
	}
	bomb := "query { ...f0 } "
	for i := range 20 {
		bomb += fmt.Sprintf("fragment f%d on Query { ...f%d ...f%d } ", i, i+1, i+1)
	}
	for name, c := range map[string]struct{ query, want string }{
		"depth":      {deep, typeValidation},
		"length":     {strings.Repeat(" ", maxQuery) + "{ me { id } }", typeBad},
		"selections": {wide + "}", typeBad},
		"fragments":  {bomb + "fragment f20 on Query { me { id } }", typeBad},
		"circle":     {"{ ...a } fragment a on Query { ...a }", typeValidation},
	} {
		began := time.Now()
		if got := r.ask(r.admin, c.query); !strings.Contains(got, `"errorType":"`+c.want) {
			t.Errorf("%s: %.300s", name, got)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	w := r.graph.newWorld(mustIdentity(r, r.admin))
	if err := w.spend(maxObjects); err != nil {
		t.Error(err)
	}
	if err := w.spend(1); !errors.Is(err, errTooComplex) {
		t.Errorf("the budget has no end: %v", err)
	}
}

// TestHTTP is the transport: statuses, envelopes, headers.
func TestHTTP(t *testing.T) {
	r := bareRig(t)
	const query = `{"query":"{ me { id } }"}`
	for _, c := range []struct {
		path, key, body string
		code            int
		want            string
	}{
		{pathQuery, "", query, 401, `"errorMessage":"Please authenticate"`},
		{pathQuery, "wrong", query, 401, `"errorMessage":"Please authenticate"`},
		{pathQuery, r.clerk, query, 200, `{"statusCode":200,"data":{"me":{"id":"2"}}}`},
		{pathQuery + "/", r.clerk, query, 200, `{"statusCode":200,"data":{"me":{"id":"2"}}}`},
		{pathQuery + "?rest-api-key=" + r.clerk, "", query, 200, `{"statusCode":200,"data":{"me":{"id":"2"}}}`},
		{pathQuery, r.clerk, `{`, 200, typeBad},
		{pathQuery, r.clerk, ``, 200, typeBad},
		{pathQuery, r.clerk, `{"query":""}`, 200, typeBad},
		{pathQuery, r.clerk, `{"query":"` + strings.Repeat("x", maxBody) + `"}`, 413, `"errorMessage"`},
		{pathKey, "", "", 401, `"statusCode":401`},
		{pathKey, "wrong", "", 403, `"statusCode":403`},
		{pathKey, r.clerk, "", 200, `"key":"ns_tmp_`},
		{pathSocket, r.clerk, "", 405, `"statusCode":405`},
		{pathQuery + "/else", r.clerk, "", 404, `"statusCode":404`},
	} {
		code, header, out := r.post(c.path, c.key, c.body)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %s, want %d %s", strings.Split(c.path, "?")[0], code, out, c.code, c.want)
		}
		if header.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %v", c.path, header)
		}
		if code == http.StatusOK && header.Get(leftHeader) == "" {
			t.Errorf("%s: no %s", c.path, leftHeader)
		}
	}
	_, _, out := r.post(pathKey, r.clerk, "")
	temporary := strings.TrimSuffix(strings.TrimPrefix(out, `{"statusCode":200,"key":"`), `"}`)
	if code, _, _ := r.post(pathQuery, temporary, query); code != http.StatusUnauthorized {
		t.Errorf("a temporary key is for the socket only: %d", code)
	}
}

// TestRateLimited: each key has its own, and the refusal is in this API's words.
func TestRateLimited(t *testing.T) {
	r := bareRig(t, func(d *Deps) { d.Rate = DefaultRate() })
	const query = `{"query":"{ me { id } }"}`
	for range DefaultRate().Burst {
		if code, _, _ := r.post(pathQuery, r.clerk, query); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	code, header, out := r.post(pathQuery, r.clerk, query)
	if code != http.StatusTooManyRequests || header.Get("Retry-After") != "1" || !strings.Contains(out, "errorMessage") {
		t.Errorf("%d %v %s", code, header, out)
	}
	if code, _, _ := r.post(pathQuery, r.admin, query); code != http.StatusOK {
		t.Errorf("another key: %d", code)
	}
	if code, _, _ := r.post(pathKey, r.clerk, ""); code != http.StatusOK {
		t.Errorf("a fleet comes back with one key: %d", code)
	}
}

// TestInternalTextStays: what went wrong inside is logged and not told.
func TestInternalTextStays(t *testing.T) {
	r := bareRig(t, func(d *Deps) { d.Ledger = failing{d.Ledger} })
	r.create("Ida")
	for _, query := range []string{"{ ticketSearch(locationId: 1) { id } }", "{ ticket(id: 1) { id } }"} {
		out := r.ask(r.admin, query)
		if strings.Contains(out, "disk") || strings.Contains(out, "errorType") || !strings.Contains(out, "something went wrong on our side") {
			t.Errorf("%s: %s", query, out)
		}
	}
	if log := r.log.String(); !strings.Contains(log, "disk is on fire") || !strings.Contains(log, "stack") {
		t.Errorf("the log says %s", log)
	}
}

// failing is a ledger whose disk is broken, and whose tickets are worse.
type failing struct{ Ledger }

func (failing) Search(store.Query) ([]*ticket.Ticket, error) {
	return nil, errors.New("the disk is on fire")
}

func (failing) Ticket(int64) (*ticket.Ticket, error) { panic("the disk is on fire") }

func mustIdentity(r *rig, key string) auth.Identity {
	r.t.Helper()
	id, err := r.auth.Token(key)
	r.check(err)
	return id
}
