package queueapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nowserving/nowserving/hub/ticket"
)

// modelTicket is a ticket as the API's description has it. It knows nothing of
// instants: where a ticket stands is in its line's list.
type modelTicket struct {
	id, line                                    int
	publicID, status, source, language          string
	first, last, phone, email                   string
	extra, labels                               []string // an entry's title is "about"
	assigner, assignee, caller, desk, canceller int
	visits                                      []modelVisit
	messages                                    []modelMessage
	moved                                       bool // has an orderAfter for certain
	key                                         string
}

type modelVisit struct {
	line, user, desk int
	over             bool
}

type modelMessage struct {
	body string
	user int
}

// model is two branches as newRig makes them, in the simplest words.
type model struct {
	tickets            []*modelTicket // by id, from 1
	waiting            map[int][]int  // a line's waiting tickets in their order
	disabled, archived map[int]bool
	given              map[int]int // how many numbers a line has given out
}

func newModel() *model {
	return &model{waiting: map[int][]int{}, disabled: map[int]bool{}, archived: map[int]bool{}, given: map[int]int{}}
}

// locationOf is the branch of a line: line 4 is the other branch's only one.
func locationOf(line int) int {
	if line == 4 {
		return 2
	}
	return 1
}

// usersOf are those who work in a branch.
func usersOf(location int) []int {
	if location == 2 {
		return []int{1, 4}
	}
	return []int{1, 2, 3}
}

func (m *model) open(line int) bool { return !m.disabled[line] && !m.archived[line] }

// busy reports whether anybody of a line waits or is being served.
func (m *model) busy(line int) bool {
	return slices.ContainsFunc(m.tickets, func(t *modelTicket) bool {
		return t.line == line && (t.status == "NEW" || t.status == "CALLED")
	})
}

func (m *model) create(t *modelTicket) {
	t.id, t.status = len(m.tickets)+1, "NEW"
	m.given[t.line]++
	t.publicID = fmt.Sprintf("%c-%d", "ABCA"[t.line-1], m.given[t.line])
	m.tickets = append(m.tickets, t)
	m.waiting[t.line] = append(m.waiting[t.line], t.id)
}

// leave takes a ticket out of its line's list.
func (m *model) leave(t *modelTicket) {
	m.waiting[t.line] = slices.DeleteFunc(m.waiting[t.line], func(id int) bool { return id == t.id })
}

// enter puts a ticket at a place of a line's list.
func (m *model) enter(t *modelTicket, line, at int) {
	t.line, t.status, t.moved = line, "NEW", true
	m.waiting[line] = slices.Insert(m.waiting[line], at, t.id)
}

func (m *model) call(t *modelTicket, user, desk int, keep bool) {
	for _, other := range m.tickets {
		if !keep && user != 0 && other.status == "CALLED" && other.caller == user && locationOf(other.line) == locationOf(t.line) {
			other.end("SERVED")
		}
	}
	m.leave(t)
	t.status, t.caller, t.desk = "CALLED", user, desk
	t.visits = append(t.visits, modelVisit{line: t.line, user: user, desk: desk})
}

// end closes the running visit.
func (t *modelTicket) end(status string) {
	t.status = status
	t.visits[len(t.visits)-1].over = true
}

// next is who is called from some lines: the first in each, and of those the one
// with the earliest place as the API shows it.
func (m *model) next(lines []int, user int) *modelTicket {
	var first *modelTicket
	for _, line := range lines {
		for _, id := range m.waiting[line] {
			t := m.tickets[id-1]
			if t.assignee != 0 && t.assignee != user {
				continue
			}
			if first == nil || t.before(first) {
				first = t
			}
			break
		}
	}
	return first
}

func (t *modelTicket) before(other *modelTicket) bool {
	return t.key < other.key || t.key == other.key && t.id < other.id
}

// json is what the API answers for a ticket. Instants are the word "instant":
// their form is the document's matter, their order is that of the lists.
func (t *modelTicket) json(scopes ...string) map[string]any {
	at := map[string]any{"date": "instant"}
	out := map[string]any{
		"id": strconv.Itoa(t.id), "publicId": t.publicID, "status": t.status, "source": t.source, "line": float64(t.line),
		"languageCode": t.language, "created": at, "extra": entries(t.extra, "about"), "labels": []any{},
	}
	for name, v := range map[string]string{"firstName": t.first, "lastName": t.last, "phoneNumber": t.phone, "email": t.email} {
		if v != "" {
			out[name] = v
		}
	}
	for _, l := range t.labels {
		out["labels"] = append(out["labels"].([]any), map[string]any{"value": l, "color": ticket.LabelColor(l)})
	}
	if t.moved {
		out["orderAfter"] = "instant"
	}
	if t.assignee != 0 {
		out["assigned"] = map[string]any{"assigner": float64(t.assigner), "assignee": float64(t.assignee)}
	}
	switch t.status {
	case "CALLED":
		out["called"] = numbered(map[string]any{"date": "instant"}, "caller", t.caller, "desk", t.desk)
	case "SERVED":
		out["served"] = at
	case "CANCELLED_BY_CLERK":
		out["cancelled"] = numbered(map[string]any{"date": "instant"}, "canceller", t.canceller)
	}
	for _, s := range scopes {
		t.scope(out, s)
	}
	return out
}

func (t *modelTicket) scope(out map[string]any, scope string) {
	list := []any{}
	switch scope {
	case "INTERACTIONS":
		for _, v := range t.visits {
			visit := numbered(map[string]any{"start": "instant"}, "line", v.line, "user", v.user, "desk", v.desk)
			if v.over {
				visit["end"] = "instant"
			}
			list = append(list, visit)
		}
		out["interactions"] = list
	case "MESSAGES":
		for _, x := range t.messages {
			list = append(list, x.json())
		}
		out["messages"] = list
	}
}

func (x modelMessage) json() map[string]any {
	return numbered(map[string]any{
		"created": map[string]any{"date": "instant"}, "body": x.body, "type": "OUTGOING", "status": "NEW",
	}, "userId", x.user)
}

func entries(values []string, title string) []any {
	out := []any{}
	for _, v := range values {
		out = append(out, map[string]any{"title": title, "value": v})
	}
	return out
}

// numbered adds members that are numbers; 0 means absent. Arguments are pairs.
func numbered(o map[string]any, pairs ...any) map[string]any {
	for i := 0; i+1 < len(pairs); i += 2 {
		if n := pairs[i+1].(int); n != 0 {
			o[pairs[i].(string)] = float64(n)
		}
	}
	return o
}

var instantPattern = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)

// plainly is an answer with its instants as words.
func plainly(body []byte) any {
	var out any
	if len(body) > 0 && json.Unmarshal(instantPattern.ReplaceAll(body, []byte(`"instant"`)), &out) != nil {
		return string(body)
	}
	return out
}

// same compares an answer with what the model says.
func (w *world) same(got reply, want any) {
	if have := plainly(got.body); !reflect.DeepEqual(have, want) {
		a, _ := json.Marshal(have)
		b, _ := json.Marshal(want)
		w.rt.Fatalf("after %s\n got %s\nwant %s", w.last, a, b)
	}
}

func ok(members map[string]any) map[string]any {
	out := map[string]any{"statusCode": 200.0}
	maps.Copy(out, members)
	return out
}

// look compares everything that can be seen with the model.
func (w *world) look() {
	got := w.r.get("/v1/tickets/search?responseScope=INTERACTIONS,MESSAGES&limit=20000")
	data := got.json["data"].([]any)
	if len(data) != len(w.m.tickets) {
		w.rt.Fatalf("after %s: %d tickets, want %d", w.last, len(data), len(w.m.tickets))
	}
	want := []any{}
	for i, t := range w.m.tickets {
		t.see(data[i].(map[string]any))
		want = append(want, t.json("INTERACTIONS", "MESSAGES"))
	}
	w.same(got, ok(map[string]any{"data": want}))
	for line, ids := range w.m.waiting {
		shown := slices.Clone(ids)
		slices.SortFunc(shown, func(a, b int) int {
			if w.m.tickets[a-1].before(w.m.tickets[b-1]) {
				return -1
			}
			return 1
		})
		if !slices.Equal(shown, ids) {
			w.rt.Fatalf("after %s: line %d is %v, want %v", w.last, line, shown, ids)
		}
	}
	for line := 1; line <= 4; line++ {
		got := w.r.get(fmt.Sprintf("/v1/lines/%d", line))
		if got.json["disabled"] != w.m.disabled[line] || got.json["location"] != float64(locationOf(line)) {
			w.rt.Fatalf("after %s: line %d is %s", w.last, line, got.body)
		}
	}
}

// see takes over what only the server knows: the key that a ticket waits by. A
// ticket that made room for another has an orderAfter from then on.
func (t *modelTicket) see(shown map[string]any) {
	t.key, _ = shown["orderAfter"].(string)
	if t.key != "" {
		t.moved = true
		return
	}
	t.key = shown["created"].(map[string]any)["date"].(string)
}

// world is one run: the API, the model, and what was done so far.
type world struct {
	r    *rig
	rt   *rapid.T
	m    *model
	last string
	keys int
	done []done1
	did  map[string]int
}

// done1 is a request that was carried out under an idempotency key.
type done1 struct {
	req  req
	body []byte
}

// Whatever is done in whatever order, every answer is the model's, a refusal
// changes nothing, and a retry does nothing twice.
func TestTheAPIAgreesWithTheModel(t *testing.T) {
	did := map[string]int{}
	// What is rare may not come in one round by chance; what never comes in
	// many is a generator that does not get there.
	for range 10 {
		rapid.Check(t, func(rt *rapid.T) {
			w := &world{r: newRig(t), rt: rt, m: newModel(), did: did}
			w.run()
		})
		if t.Failed() || len(unproved(did)) == 0 {
			return
		}
	}
	t.Errorf("nothing was proved of %v: %v", unproved(did), did)
}

// run does random things, and looks at everything after each.
func (w *world) run() {
	ops := w.operations()
	names := slices.Sorted(maps.Keys(ops))
	w.change(4) // it may be closed from the start
	w.createIn(1)
	for range 3 {
		w.create()
	}
	for range rapid.IntRange(1, 40).Draw(w.rt, "steps") {
		name := rapid.SampledFrom(names).Draw(w.rt, "do")
		ops[name]()
		w.look()
	}
}

// unproved lists what must have happened and has not.
func unproved(did map[string]int) []string {
	return slices.DeleteFunc([]string{"call 200", "call 409", "callnext 200", "recall 200", "markserved 200", "markserved 409", "cancel 200",
		"returntoqueue 200", "forward 200", "forward 409", "reorder 200", "assign 200", "unassign 409", "edit 200", "edit 409", "labels 200",
		"disable 400", "archive 200", "messages 200", "messages 400", "retry", "foreign", "create 409", "created v2 201"},
		func(name string) bool { return did[name] > 0 })
}

// act sends one request in one of the ways that clients do, wants a status, and
// wants nothing changed when it is refused.
func (w *world) act(what string, code int, method, path string, p url.Values, body string) reply {
	q := req{method: method, path: path, body: body, v2: body != "", header: map[string]string{}}
	if method == "PUT" { // labels: JSON without the version header
		q.v2 = false
	}
	if len(p) > 0 {
		switch rapid.IntRange(0, 2).Draw(w.rt, "encoding") {
		case 0:
			q.path += "?" + p.Encode()
		case 1:
			q.body = p.Encode()
		default:
			members := map[string]string{}
			for name := range p {
				members[name] = p.Get(name)
			}
			text, _ := json.Marshal(members)
			q.body = string(text)
		}
	}
	keyed := rapid.IntRange(0, 2).Draw(w.rt, "keyed") == 0
	if keyed {
		w.keys++
		q.header[onceHeader] = "key-" + strconv.Itoa(w.keys)
	}
	w.last = strings.TrimSpace(fmt.Sprintf("%s %s %s", q.method, q.path, q.body))
	before := w.r.offsets()
	got := w.r.send(q)
	w.did[fmt.Sprintf("%s %d", what, got.code)]++
	if got.code != code {
		w.rt.Fatalf("%s: %d, want %d: %s", w.last, got.code, code, got.body)
	}
	if code >= 400 && w.r.offsets() != before {
		w.rt.Fatalf("%s was refused and changed something: %s, before %s", w.last, w.r.offsets(), before)
	}
	if code < 400 && keyed {
		w.done = append(w.done, done1{q, got.body})
	}
	return got
}
