package chatapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// ticket is the ticket of the path. One of another department is as unknown.
func (c *call) ticket() (*ticket.Ticket, error) {
	id, ok := parseID(c.arg)
	if !ok {
		return nil, wire.FieldError("id", "id is not a ticket's number")
	}
	return c.ticketOf(id)
}

func (c *call) ticketOf(id int64) (*ticket.Ticket, error) {
	t, err := c.Ledger.Ticket(id)
	if wire.CodeOf(err) == wire.NotFound || err == nil && t.Location != c.loc {
		return nil, wire.Errorf(wire.NotFound, "Ticket with id %d not found", id)
	}
	return t, err
}

// change carries out a command on the ticket of the path.
func (c *call) change(make func(ticket.Ref) ticket.Command) (ledger.Result, error) {
	t, err := c.ticket()
	if err == nil {
		err = c.err
	}
	if err != nil {
		return ledger.Result{}, err
	}
	return c.do(make(refOf(t)), ledger.Request{Location: c.loc})
}

func refOf(t *ticket.Ticket) ticket.Ref { return ticket.Ref{ID: ticket.TicketID(t.ID)} }

// done is change for operations that have nothing to show.
func (c *call) done(make func(ticket.Ref) ticket.Command) (any, error) {
	if _, err := c.change(make); err != nil {
		return nil, err
	}
	return success(), nil
}

// getTicket is GET /tickets/get/{id}.
func getTicket(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	return c.whole(t)
}

// setState is PUT /tickets/setstate/{id}.
func setState(c *call) (any, error) {
	var in struct {
		Tags    []string
		Summary *string
	}
	next, err := word("nextState", c.needed("nextState"), states()...)
	c.wrong(err)
	show, say, hook := c.flag("getTicket", false), c.flag("sendTicketStateChangedMessage", true), c.flag("enableWebhook", true)
	c.decode(&in)
	tags, err := c.tags("tags", in.Tags)
	c.wrong(err)
	s, err := c.settings(c.guid)
	c.wrong(err)
	cmd := ticket.ChangeConversation{
		State: ticket.ConversationState(next), Tags: tags, Summary: in.Summary, Silent: !hook,
	}
	if say && c.err == nil {
		if cmd.Say, err = c.said(&s, cmd.State); err != nil {
			return nil, err
		}
	}
	res, err := c.change(func(r ticket.Ref) ticket.Command { cmd.Ref = r; return cmd })
	switch {
	case err != nil:
		return nil, err
	case show:
		return c.whole(res.Ticket)
	}
	return success(), nil
}

// said is what the department says to the customer with a new state. A bot says
// what it has to say itself.
func (c *call) said(s *Settings, next ticket.ConversationState) (string, error) {
	t, err := c.ticket()
	if err != nil || c.botOwns(t) {
		return "", err
	}
	switch {
	case next == ticket.ConversationClosed:
		return s.Texts.ByeBye, nil
	case next == ticket.ConversationOpen && t.Conversation.State == ticket.ConversationClosed:
		return s.Texts.Reopened, nil
	}
	return "", nil
}

// botOwns reports whether a bot answers the ticket: then nothing is said by itself.
func (a *API) botOwns(t *ticket.Ticket) bool {
	return t.Conversation.Owner != 0 && a.profile(t.Conversation.Owner).Type == typeBot
}

// setFields is PUT /tickets/setfields/{id}: what is absent or null stays.
func setFields(c *call) (any, error) {
	var in fieldsIn
	c.decode(&in)
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	cmd := ticket.SetTalkFields{Ref: refOf(t), Fields: in.list(), UniqueArgument: in.UniqueArgument, Members: in.Details}
	if cmd.Dynamic, err = in.dynamic(); err != nil {
		return nil, err
	}
	if _, err := c.do(cmd, ledger.Request{Location: c.loc}); err != nil {
		return nil, err
	}
	return success(), nil
}

// setParticipantName is PUT /tickets/setparticipantname/{id}.
func setParticipantName(c *call) (any, error) {
	var in struct {
		ID   *int
		Name string
	}
	c.decode(&in)
	if in.ID == nil {
		c.wrong(wire.FieldError("id", "id of the participant is missing"))
		return nil, c.err
	}
	if strings.TrimSpace(in.Name) == "" {
		c.wrong(wire.FieldError("name", "name is missing"))
	}
	return c.done(func(r ticket.Ref) ticket.Command {
		return ticket.RenameParticipant{Ref: r, Participant: *in.ID, Rename: in.Name}
	})
}

// setOwner is PUT /tickets/setowner/{id}.
func setOwner(c *call) (any, error) {
	name, keep := c.needed("nextOwnerUserName"), c.flag("keepCurrentOwnerInConversation", false)
	user := 0
	c.Ledger.View(c.loc, func(s *ticket.State) {
		for _, u := range s.SortedUsers() {
			if strings.EqualFold(u.Email, name) {
				user = u.ID
			}
		}
	})
	if user == 0 {
		c.wrong(wire.Errorf(wire.NotFound, "nextOwnerUserName names no user of the department"))
	}
	return c.done(func(r ticket.Ref) ticket.Command { return ticket.SetOwner{Ref: r, User: user, Keep: keep} })
}

// assignAvailable is PUT /tickets/assignavailableuser/{id}. With nobody there the
// ticket waits for whoever comes.
func assignAvailable(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	channel := t.Conversation.Protocol
	if channel == "" {
		channel = ticket.ProtocolWeb
	}
	user := c.available(c.loc, channel)
	if user == 0 && t.Conversation.Owner != 0 {
		return success(), nil
	}
	return c.done(func(r ticket.Ref) ticket.Command { return ticket.SetOwner{Ref: r, User: user} })
}

// addTags is POST /tickets/addtags/{id}: the body is a JSON array.
func addTags(c *call) (any, error) {
	var in []string
	if len(c.body) == 0 || c.body[0] != '[' {
		c.wrong(wire.FieldError("tags", "tags: the body is a JSON array of texts"))
	}
	c.decode(&in)
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	tags, err := c.tags("tags", in)
	if err != nil {
		return nil, err
	}
	res, err := c.do(ticket.TagConversation{Ref: refOf(t), Add: tags}, ledger.Request{Location: c.loc})
	if err != nil {
		return nil, err
	}
	return labels(res.Ticket), nil
}

func labels(t *ticket.Ticket) []string { return append([]string{}, t.Labels...) }

// removeTag is DELETE /tickets/removetag/{id}?tag. An absent tag changes nothing.
func removeTag(c *call) (any, error) {
	tag := c.needed("tag")
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	for _, l := range t.Labels {
		if strings.EqualFold(l, tag) {
			tag = l
		}
	}
	res, err := c.do(ticket.TagConversation{Ref: refOf(t), Remove: tag}, ledger.Request{Location: c.loc})
	if err != nil {
		return nil, err
	}
	return labels(res.Ticket), nil
}

// addNote is POST /tickets/addnote/{id}.
func addNote(c *call) (any, error) {
	var in struct{ Text, HTML string }
	c.decode(&in)
	in.HTML = c.html.Sanitize(in.HTML)
	if strings.TrimSpace(in.Text) == "" {
		in.Text = plainText(in.HTML)
	}
	if strings.TrimSpace(in.Text) == "" {
		c.wrong(wire.FieldError("text", "text or html is missing"))
	}
	return c.done(func(r ticket.Ref) ticket.Command { return ticket.AddNote{Ref: r, Text: in.Text, HTML: in.HTML} })
}

// setSummary is POST /tickets/setsummary/{id}.
func setSummary(c *call) (any, error) {
	var in struct{ Summary *string }
	c.decode(&in)
	if in.Summary == nil {
		c.wrong(wire.FieldError("summary", "summary is missing"))
		return nil, c.err
	}
	return c.done(func(r ticket.Ref) ticket.Command { return ticket.SetSummary{Ref: r, Text: *in.Summary} })
}

// setDepartment is PUT /tickets/setdepartment/{id}. The move is two commits: the
// conversation goes on in the other department, then this one ends. Repeating it
// finishes what a crash in between left.
func setDepartment(c *call) (any, error) {
	var in struct{ DepartmentID string }
	c.decode(&in)
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	guid, ok := parseGUID(in.DepartmentID)
	if !ok {
		return nil, wire.FieldError("departmentId", "departmentId is not a GUID")
	}
	target := c.location(guid)
	switch {
	case target == 0 || !c.worksIn(target):
		return nil, wire.Errorf(wire.NotFound, "departmentId names no department that you work in")
	case target == c.loc:
		return nil, wire.FieldError("departmentId", "departmentId is the ticket's own department")
	case t.Erased:
		return nil, wire.Errorf(wire.Conflict, "ticket %d was scrambled and cannot be moved", t.ID)
	case t.Conversation.State == "":
		return nil, wire.Errorf(wire.Conflict, "ticket %d has no conversation that could be moved", t.ID)
	case t.Conversation.MovedTo != nil:
		return nil, wire.Errorf(wire.Conflict, "ticket %d was moved before, to ticket %d", t.ID, t.Conversation.MovedTo.Ticket)
	}
	fresh, err := c.clone(t, target)
	if err != nil {
		return nil, err
	}
	_, err = c.do(ticket.ChangeConversation{
		Ref: refOf(t), State: ticket.ConversationClosed, MovedTo: &ticket.Moved{Ticket: fresh, Department: guid},
	}, ledger.Request{Location: c.loc, Key: "/close"})
	return struct {
		ID int64 `json:"ticketId"`
	}{fresh}, err
}

// maxMoved bounds how much of a thread moves along, in entries and bytes.
const (
	maxMoved      = 500
	maxMovedBytes = 256 << 10
)

func (c *call) clone(t *ticket.Ticket, target int) (int64, error) {
	c.contacts.Lock()
	defer c.contacts.Unlock()
	thread, err := c.Ledger.Transactions(t.ID, 0, maxMoved, true)
	if err != nil {
		return 0, err
	}
	size := 0
	for i := range thread {
		b, _ := json.Marshal(&thread[i])
		if size += len(b); size > maxMovedBytes {
			thread = thread[:i]
			break
		}
	}
	for i, j := 0, len(thread)-1; i < j; i, j = i+1, j-1 {
		thread[i], thread[j] = thread[j], thread[i]
	}
	moved, docs, err := c.acquainted(t, target)
	if err != nil {
		return 0, err
	}
	cmd := ticket.CloneConversation{From: moved, Department: c.guid, Thread: thread}
	if err := c.Access.Command(c.elsewhere(target), rightOf(cmd), target, 0); err != nil {
		return 0, err
	}
	res, err := c.Ledger.Do(c.r.Context(), ledger.Request{
		Location: target, Command: cmd, Docs: docs, Key: fmt.Sprintf("chat:move:%d:%d", t.ID, t.Offset),
		Actor: ticket.Actor{Kind: string(c.id.Kind), User: c.id.User, Credential: c.id.Credential},
	})
	if err != nil {
		return 0, err
	}
	return res.Ticket.ID, nil
}

// acquainted is the ticket with its clients as contacts of another department.
// API.contacts is held.
func (c *call) acquainted(t *ticket.Ticket, target int) (*ticket.Ticket, []store.Doc, error) {
	there := *c
	c.Ledger.View(target, func(s *ticket.State) { there.guid = strings.ToLower(s.Location.GUID) })
	moved := *t
	moved.Private.Names = maps.Clone(t.Private.Names)
	var docs []store.Doc
	for _, p := range t.Conversation.Participants {
		name, known := moved.Private.Names[p.ID]
		if p.Type != ticket.ParticipantClient || !known || name.Contact == "" {
			continue
		}
		one := []ticket.Newcomer{{Type: p.Type, Protocol: p.Protocol, ParticipantName: name}}
		fresh, err := there.linkContacts(one)
		if err != nil {
			return nil, nil, err
		}
		docs = append(docs, fresh...)
		name.Contact = one[0].Contact
		moved.Private.Names[p.ID] = name
	}
	return &moved, docs, nil
}

func (c *call) worksIn(location int) bool {
	found := false
	c.Ledger.View(location, func(s *ticket.State) {
		u := s.Users[c.id.User]
		found = u != nil && !u.Removed
	})
	return found
}

// scramble is DELETE /tickets/scramble/{id}. It answers when nothing is left.
func scramble(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	if _, err := c.do(ticket.Erase{Ref: refOf(t)}, ledger.Request{Location: c.loc}); err != nil {
		return nil, err
	}
	return success(), c.scrub(c.r.Context(), t.ID)
}
