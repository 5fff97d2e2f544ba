package queueapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// operations are what a run draws from.
func (w *world) operations() map[string]func() {
	return map[string]func(){
		"create": w.create, "create2": w.createV2, "call": w.call, "call again": w.call, "call next": w.callNext,
		"recall":  func() { w.onCalled("recall", "") },
		"served":  func() { w.onCalled("markserved", "SERVED") },
		"no-show": func() { w.onCalled("marknoshow", "NOSHOW") },
		"cancel":  w.cancel, "return": w.giveBack, "forward": w.forward, "reorder": w.reorder, "assign": w.assign, "unassign": w.unassign,
		"edit": w.edit, "edit2": w.editV2, "label": w.label, "labels": w.setLabels, "line": w.line, "line again": w.line, "message": w.message,
		"search": w.search, "retry": w.retry, "foreign": w.foreign, "unknown": w.unknown,
	}
}

func (w *world) pick(name string, from ...int) int { return rapid.SampledFrom(from).Draw(w.rt, name) }

func (w *world) text(name string, from ...string) string {
	return rapid.SampledFrom(from).Draw(w.rt, name)
}

func (w *world) ticket() *modelTicket { return rapid.SampledFrom(w.m.tickets).Draw(w.rt, "ticket") }

// user is one who works where a ticket is.
func (w *world) user(t *modelTicket) int { return w.pick("user", usersOf(locationOf(t.line))...) }

func status(ok bool, otherwise int) int {
	if ok {
		return 200
	}
	return otherwise
}

func at(t *modelTicket, what string) string { return fmt.Sprintf("/v1/tickets/%d/%s", t.id, what) }

func success1() map[string]any { return map[string]any{"statusCode": 200.0, "result": "success"} }

func (w *world) create() { w.createIn(w.pick("line", 1, 2, 3, 4)) }

func (w *world) createIn(line int) {
	t := &modelTicket{
		line: line, first: w.text("first", "", "Ida", "Bo"), phone: w.text("phone", "", "+3725551234", "555 1234"),
		source: w.text("source", "", "NAME", "MICROSITE"), language: "en",
	}
	p := url.Values{}
	for name, v := range map[string]string{"firstName": t.first, "phoneNumber": t.phone, "source": t.source} {
		if v != "" {
			p.Set(name, v)
		}
	}
	if rapid.Bool().Draw(w.rt, "extra") {
		t.extra = []string{"a", "b"}
		p.Set("extra", `[{"title":"about","value":"a"},{"title":"about","value":"b"}]`)
	}
	if t.source == "" {
		t.source = "MANUAL"
	}
	got := w.act("create", status(w.m.open(line), 409), "POST", fmt.Sprintf("/v1/lines/%d/ticket", line), p, "")
	if got.code == 200 {
		w.m.create(t)
		w.same(got, ok(map[string]any{"id": strconv.Itoa(t.id)}))
	}
}

func (w *world) createV2() {
	line := w.pick("line", 1, 2, 3, 4)
	t := &modelTicket{line: line, first: "Eve", source: "MANUAL", language: w.text("language", "en", "et", "sv")}
	members := fmt.Sprintf(`"lineId":%d,"firstName":"Eve","languageCode":"%s"`, line, t.language)
	if rapid.Bool().Draw(w.rt, "more") {
		t.last, t.email, t.labels = "Berg", "eve@example.com", []string{"VIP", "b"}
		members += `,"lastName":"Berg","email":"eve@example.com","labels":[{"value":"VIP"},{"value":"b"},{"value":"VIP"}]`
	}
	code := 201
	if !w.m.open(line) {
		code = 409
	}
	got := w.act("created v2", code, "POST", "/tickets", nil, "{"+members+"}")
	if code == 201 {
		w.m.create(t)
		w.same(got, map[string]any{"id": strconv.Itoa(t.id), "publicId": t.publicID})
	}
}

// callParams draws who calls and where to.
func (w *world) callParams(location int) (user, desk int, keep bool, p url.Values) {
	p = url.Values{}
	user = w.pick("caller", append(usersOf(location), 0)...)
	desk = w.pick("desk", 0, map[int]int{1: 1, 2: 3}[location])
	keep = rapid.Bool().Draw(w.rt, "keep")
	if user != 0 {
		p.Set("user", strconv.Itoa(user))
	}
	if desk != 0 {
		p.Set("desk", strconv.Itoa(desk))
	}
	if keep || rapid.Bool().Draw(w.rt, "say false") {
		p.Set("keepActiveTicketsOpen", strconv.FormatBool(keep))
	}
	return user, desk, keep, p
}

func (w *world) call() {
	t := w.ticket()
	user, desk, keep, p := w.callParams(locationOf(t.line))
	got := w.act("call", status(t.status == "NEW", 409), "POST", at(t, "call"), p, "")
	if got.code == 200 {
		w.m.call(t, user, desk, keep)
		t.see(got.json)
		w.same(got, ok(t.json()))
	}
}

func (w *world) callNext() {
	lines := []int{4}
	if rapid.IntRange(0, 3).Draw(w.rt, "where") > 0 {
		lines = rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 1, 3, rapid.ID).Draw(w.rt, "lines")
	}
	user, desk, keep, p := w.callParams(locationOf(lines[0]))
	p.Set("lines", joinIDs(lines))
	got := w.act("callnext", 200, "POST", "/v1/tickets/call", p, "")
	t := w.m.next(lines, user)
	if t == nil {
		w.same(got, ok(nil))
		return
	}
	w.m.call(t, user, desk, keep)
	t.see(got.json)
	w.same(got, ok(t.json()))
}

func joinIDs(ids []int) string {
	var out []string
	for _, id := range ids {
		out = append(out, strconv.Itoa(id))
	}
	return strings.Join(out, ",")
}

// onCalled does what only a called ticket allows.
func (w *world) onCalled(what, becomes string) {
	t := w.ticket()
	got := w.act(what, status(t.status == "CALLED", 409), "POST", at(t, what), nil, "")
	if got.code == 200 {
		w.same(got, success1())
		if becomes != "" {
			t.end(becomes)
		}
	}
}

func (w *world) cancel() {
	t := w.ticket()
	user := w.user(t)
	got := w.act("cancel", status(t.status == "NEW", 409), "POST", at(t, "cancel"), url.Values{"user": {strconv.Itoa(user)}}, "")
	if got.code == 200 {
		w.same(got, success1())
		w.m.leave(t)
		t.status, t.canceller = "CANCELLED_BY_CLERK", user
	}
}

func (w *world) giveBack() {
	t := w.ticket()
	position := w.text("position", "FIRST", "MIDDLE", "LAST")
	p := url.Values{"user": {strconv.Itoa(w.user(t))}, "position": {position}}
	got := w.act("returntoqueue", status(t.status == "CALLED", 409), "POST", at(t, "returntoqueue"), p, "")
	if got.code != 200 {
		return
	}
	w.same(got, success1())
	t.end("NEW")
	n := len(w.m.waiting[t.line])
	w.m.enter(t, t.line, map[string]int{"FIRST": 0, "MIDDLE": (n + 1) / 2, "LAST": n}[position])
}

func (w *world) forward() {
	t := w.ticket()
	line := w.pick("to", 1, 2, 3)
	if locationOf(t.line) == 2 {
		line = 4
	}
	p := url.Values{"line": {strconv.Itoa(line)}}
	got := w.act("forward", status(t.status == "CALLED" && w.m.open(line), 409), "POST", at(t, "forward"), p, "")
	if got.code == 200 {
		w.same(got, ok(nil))
		t.end("NEW")
		w.m.enter(t, line, len(w.m.waiting[line]))
	}
}

func (w *world) reorder() {
	t, after := w.ticket(), w.ticket()
	p, code := url.Values{}, status(t.status == "NEW", 409)
	if rapid.IntRange(0, 3).Draw(w.rt, "front") > 0 {
		p.Set("after", strconv.Itoa(after.id))
		if locationOf(after.line) == locationOf(t.line) && code == 200 && (after == t || after.status != "NEW" || after.line != t.line) {
			code = 400
		} else if locationOf(after.line) != locationOf(t.line) && code == 200 {
			code = 400
		}
	}
	got := w.act("reorder", code, "POST", at(t, "reorder"), p, "")
	if code != 200 {
		return
	}
	w.same(got, success1())
	list := w.m.waiting[t.line]
	was := slices.Index(list, t.id)
	w.m.leave(t)
	to := 0
	if p.Has("after") {
		to = slices.Index(w.m.waiting[t.line], after.id) + 1
	}
	moved := t.moved || to != was // one that stands there already stays as it is
	w.m.enter(t, t.line, to)
	t.moved = moved
}

func (w *world) assign() {
	t := w.ticket()
	assigner, assignee := w.user(t), w.user(t)
	p := url.Values{"assigner": {strconv.Itoa(assigner)}, "assignee": {strconv.Itoa(assignee)}}
	got := w.act("assign", status(t.status == "NEW" || t.status == "CALLED", 409), "POST", at(t, "assign"), p, "")
	if got.code == 200 {
		w.same(got, success1())
		t.assigner, t.assignee = assigner, assignee
	}
}

func (w *world) unassign() {
	t := w.ticket()
	got := w.act("unassign", status(t.status == "NEW", 409), "POST", at(t, "unassign"), nil, "")
	if got.code == 200 {
		w.same(got, success1())
		t.assigner, t.assignee = 0, 0
	}
}

// relocate moves a ticket to another line: it keeps its key, and with it stands
// where the key says.
func (w *world) relocate(t *modelTicket, line int) {
	if line == 0 || line == t.line {
		return
	}
	w.m.leave(t)
	t.line = line
	n := 0
	for _, id := range w.m.waiting[line] {
		if w.m.tickets[id-1].before(t) {
			n++
		}
	}
	w.m.waiting[line] = slices.Insert(w.m.waiting[line], n, t.id)
}

// movable draws a line to edit a ticket into, 0 for none, and says whether the
// ticket may go there.
func (w *world) movable(t *modelTicket) (line int, may bool) {
	line = w.pick("line", 0, 0, 1, 2, 3)
	if line == 0 || locationOf(t.line) == 2 {
		return 0, true
	}
	return line, line == t.line || t.status == "NEW" && w.m.open(line)
}

func (w *world) edit() {
	t := w.ticket()
	line, may := w.movable(t)
	first, email := w.text("first", "Ida", "null", ""), w.text("email", "undefined", "a@b.ee", "null")
	p := url.Values{"firstName": {first}, "email": {email}}
	if line != 0 {
		p.Set("line", strconv.Itoa(line))
	}
	got := w.act("edit", status(may, 409), "POST", at(t, "edit"), p, "")
	if got.code != 200 {
		return
	}
	w.same(got, success1())
	t.first = strings.ReplaceAll(first, "null", "")
	if email != "undefined" {
		t.email = strings.ReplaceAll(email, "null", "")
	}
	w.relocate(t, line)
}

func (w *world) editV2() {
	t := w.ticket()
	line, may := w.movable(t)
	body := `{"lastName":null,"phoneNumber":"5551234","languageCode":"fi"`
	if line != 0 {
		body += fmt.Sprintf(`,"line":"%d"`, line)
	}
	got := w.act("edit v2", status(may, 409), "PATCH", fmt.Sprintf("/tickets/%d", t.id), nil, body+"}")
	if got.code == 200 {
		w.same(got, nil)
		t.last, t.phone, t.language = "", "5551234", "fi"
		w.relocate(t, line)
	}
}

func (w *world) label() {
	t := w.ticket()
	value := w.text("label", "VIP", "vip", "b", " b ", "c")
	kept := strings.TrimSpace(value)
	has := slices.Contains(t.labels, kept)
	if rapid.Bool().Draw(w.rt, "remove") {
		w.same(w.act("unlabel", 200, "POST", at(t, "labels/remove"), url.Values{"value": {kept}}, ""), success1())
		t.labels = slices.DeleteFunc(t.labels, func(l string) bool { return l == kept })
		return
	}
	got := w.act("label", 200, "POST", at(t, "labels/add"), url.Values{"value": {value}}, "")
	if has {
		w.same(got, ok(map[string]any{"result": "no action"}))
		return
	}
	w.same(got, success1())
	t.labels = append(t.labels, kept)
}

func (w *world) setLabels() {
	t := w.ticket()
	labels := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "VIP"}), 0, 3, rapid.ID).Draw(w.rt, "labels")
	quoted := make([]string, len(labels))
	for i, l := range labels {
		quoted[i] = strconv.Quote(l)
	}
	got := w.act("labels", 200, "PUT", at(t, "labels"), nil, `{"labels":[`+strings.Join(quoted, ",")+`]}`)
	w.same(got, success1())
	t.labels = labels
}

func (w *world) line() { w.change(w.pick("line", 1, 2, 3, 4)) }

func (w *world) change(line int) {
	what := w.text("change", "disable", "enable", "enable", "archive", "unarchive", "unarchive")
	code := 200
	if what == "disable" && !w.m.disabled[line] && w.m.busy(line) {
		code = 400
	}
	got := w.act(what, code, "POST", fmt.Sprintf("/v1/lines/%d/%s", line, what), nil, "")
	if code != 200 {
		return
	}
	w.same(got, ok(nil))
	switch what {
	case "disable", "enable":
		w.m.disabled[line] = what == "disable"
	default:
		w.m.archived[line] = what == "archive"
	}
}

func (w *world) message() {
	t := w.ticket()
	user := w.user(t)
	p := url.Values{"message": {"It is your turn"}, "user": {strconv.Itoa(user)}}
	got := w.act("messages", status(t.phone != "", 400), "POST", at(t, "messages"), p, "")
	if got.code == 200 {
		w.same(got, success1())
		t.messages = append(t.messages, modelMessage{"It is your turn", user})
	}
}
