package queuegraph

import (
	"slices"
	"strconv"
	"strings"
	"time"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/nowserving/nowserving/hub/ticket"
)

// visitNode is one service of a visitor. The running one has no end.
type visitNode struct {
	n     *ticketNode
	i     int
	since time.Time // when the wait before it began
}

// Interactions are oldest first.
func (n *ticketNode) Interactions(args struct {
	Filter *struct{ OnlyLastService bool }
}) ([]*visitNode, error) {
	out := []*visitNode{}
	since := n.t.Place.CreatedAt
	for i, x := range n.t.Place.Interactions {
		out = append(out, &visitNode{n, i, since})
		since = x.End
	}
	if args.Filter != nil && args.Filter.OnlyLastService && len(out) > 0 {
		out = out[len(out)-1:]
	}
	return out, n.w.spend(len(out))
}

func (v *visitNode) visit() *ticket.Interaction { return &v.n.t.Place.Interactions[v.i] }

func (v *visitNode) ID() graphql.ID           { return v.n.ID() + "-" + graphql.ID(strconv.Itoa(v.i+1)) }
func (v *visitNode) Start() date              { return date{v.visit().Start} }
func (v *visitNode) End() *date               { return maybe(v.visit().End) }
func (v *visitNode) Line() (*lineNode, error) { return v.n.w.line(v.n.b, v.visit().Line) }
func (v *visitNode) User() *userNode          { return v.n.w.colleague(v.n.b, v.visit().User) }
func (v *visitNode) WaitTime() duration       { return duration(v.visit().Start.Sub(v.since)) }

// Desk is null for one that was deleted since.
func (v *visitNode) Desk() *deskNode {
	if d := v.n.b.desk(v.visit().Desk); d != nil {
		return &deskNode{v.n.w, v.n.b, d}
	}
	return nil
}

// ServiceTime is null while it runs.
func (v *visitNode) ServiceTime() *duration {
	x := v.visit()
	if x.End.IsZero() {
		return nil
	}
	return ptr(duration(x.End.Sub(x.Start)))
}

// messageNode is a text message.
type messageNode struct {
	n *ticketNode
	t ticket.Transaction
	q ticket.QueueText
}

// maxMessages bounds how much of a thread one answer shows.
const maxMessages = 1000

// Messages are the ticket's text messages up to this version of it, oldest first.
func (n *ticketNode) Messages() ([]*messageNode, error) {
	out := []*messageNode{}
	last := n.t.Conversation.Seq
	if last == 0 {
		return out, nil
	}
	thread, err := n.w.g.Ledger.Transactions(n.t.ID, 0, maxMessages, false)
	if err != nil {
		return nil, err
	}
	for i := range thread {
		if q, ok := ticket.QueueMessage(&thread[i]); ok && thread[i].Seq <= last {
			out = append(out, &messageNode{n, thread[i], q})
		}
	}
	return out, n.w.spend(len(out))
}

func (m *messageNode) ID() graphql.ID {
	return m.n.ID() + "-" + graphql.ID(strconv.FormatUint(m.t.Seq, 10))
}
func (m *messageNode) Created() date          { return date{m.t.At} }
func (m *messageNode) Status() string         { return m.q.Status }
func (m *messageNode) StatusSetAt() date      { return date{m.t.At} } // later changes keep no time
func (m *messageNode) Body() string           { return m.t.Text }
func (m *messageNode) User() *userNode        { return m.n.w.colleague(m.n.b, m.q.UserID) }
func (m *messageNode) Attachments() []*string { return []*string{} }
func (m *messageNode) ReadAt() *date          { return nil }
func (m *messageNode) Sentiment() string      { return "UNKNOWN" }

// Type tells what a rule has sent from what somebody wrote.
func (m *messageNode) Type() string {
	if m.q.Type == "OUTGOING" && m.t.From.Type == ticket.ParticipantSystem && m.q.UserID == 0 {
		return "OUTGOING_AUTOMATED"
	}
	return m.q.Type
}

// valueNode is an input field's value: a text, or what was chosen.
type valueNode struct {
	n       *ticketNode
	field   *ticket.InputField // nil when the value belongs to none
	entries []ticket.Extra
}

// Fields2 are the values, in the order they were given.
func (n *ticketNode) Fields2() ([]*valueNode, error) {
	out := []*valueNode{}
	for _, group := range valuesOf(n.t) {
		out = append(out, &valueNode{n, n.b.fieldOf(group[0]), group})
	}
	return out, n.w.spend(len(out))
}

// valuesOf groups a ticket's extra entries by field: a SELECT has one per choice.
func valuesOf(t *ticket.Ticket) [][]ticket.Extra {
	var out [][]ticket.Extra
	for _, x := range t.Private.Extra {
		i := slices.IndexFunc(out, func(g []ticket.Extra) bool { return valueKey(g[0]) == valueKey(x) })
		if i < 0 {
			out = append(out, nil)
			i = len(out) - 1
		}
		out[i] = append(out[i], x)
	}
	return out
}

// valueKey is the id of a value: its field's, or where it has none its title.
func valueKey(x ticket.Extra) string {
	if x.Field != "" {
		return strings.ToLower(x.Field)
	}
	return x.Title
}

// fieldOf is the input field that a value belongs to.
func (b *branch) fieldOf(x ticket.Extra) *ticket.InputField {
	if x.Field != "" {
		return b.Field(x.Field)
	}
	i := slices.IndexFunc(b.Fields, func(f ticket.InputField) bool { return f.Title == x.Title })
	if i < 0 {
		return nil
	}
	return &b.Fields[i]
}

func (v *valueNode) ID() graphql.ID { return graphql.ID(valueKey(v.entries[0])) }

func (v *valueNode) chosen() bool {
	return len(v.entries) > 1 || v.field != nil && v.field.Type == ticket.FieldSelect
}

// Value is null for what was chosen.
func (v *valueNode) Value() *string {
	if v.chosen() {
		return nil
	}
	return &v.entries[0].Value
}

// Options are null for what was written.
func (v *valueNode) Options() *[]*optionNode {
	if !v.chosen() {
		return nil
	}
	out := []*optionNode{}
	for _, x := range v.entries {
		out = append(out, optionOf(v.field, x))
	}
	return &out
}

// InputField is null for a value of another system, or when the field is gone.
func (v *valueNode) InputField() *fieldNode {
	if v.field == nil {
		return nil
	}
	return &fieldNode{v.n.w, v.n.b, v.field}
}

// changedValue is one input field's value that has changed; an empty one is gone.
type changedValue struct {
	ticket *ticketNode
	value  *valueNode
	gone   *ticket.Extra
}

func (c *changedValue) title() string {
	if c.gone != nil {
		return c.gone.Title
	}
	return c.value.entries[0].Title
}

func (c *changedValue) id() *string {
	if c.gone != nil {
		return text(valueKey(*c.gone))
	}
	return text(valueKey(c.value.entries[0]))
}

// ID, Ticket and Title are what both kinds have.
func (c *changedValue) ID() *string         { return c.id() }
func (c *changedValue) Ticket() *ticketNode { return c.ticket }
func (c *changedValue) Title() string       { return c.title() }

// ToChangedUniTicketField tells the kinds apart for the library.
func (c *changedValue) ToChangedUniTicketField() (*changedText, bool) {
	return &changedText{c}, c.gone != nil || !c.value.chosen()
}

// ToChangedMultiTicketField tells the kinds apart for the library.
func (c *changedValue) ToChangedMultiTicketField() (*changedChoice, bool) {
	return &changedChoice{c}, c.gone == nil && c.value.chosen()
}

type changedText struct{ *changedValue }

// Value is null when the value was removed.
func (c *changedText) Value() *string {
	if c.gone != nil {
		return nil
	}
	return c.value.Value()
}

type changedChoice struct{ *changedValue }

// Options are what is chosen now.
func (c *changedChoice) Options() *[]*optionNode { return c.value.Options() }

// changedValues compares a ticket's values with what they were.
func changedValues(n *ticketNode, was *ticket.Ticket) []*changedValue {
	var before [][]ticket.Extra
	if was != nil {
		before = valuesOf(was)
	}
	now := valuesOf(n.t)
	find := func(in [][]ticket.Extra, key string) int {
		return slices.IndexFunc(in, func(g []ticket.Extra) bool { return valueKey(g[0]) == key })
	}
	var out []*changedValue
	for _, group := range now {
		if i := find(before, valueKey(group[0])); i < 0 || !slices.Equal(before[i], group) {
			out = append(out, &changedValue{ticket: n, value: &valueNode{n, n.b.fieldOf(group[0]), group}})
		}
	}
	for _, group := range before {
		if find(now, valueKey(group[0])) < 0 {
			out = append(out, &changedValue{ticket: n, gone: &group[0]})
		}
	}
	return out
}
