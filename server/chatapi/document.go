package chatapi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const (
	surveyDocs = "chat.survey"
	formDocs   = "chat.form"
	// pageTTL is how long a survey or a document waits for its answer.
	pageTTL   = 90 * 24 * time.Hour
	maxFields = 50
)

// page is a survey or a document that was given out by a link.
type page struct {
	Kind        string    `json:"kind"` // its kind of document
	Location    int       `json:"location"`
	Ticket      int64     `json:"ticket"`
	Participant int       `json:"participant,omitempty"`
	Title       string    `json:"title"`
	Message     string    `json:"message,omitempty"`
	Survey      int       `json:"survey,omitempty"`
	Questions   []asked   `json:"questions"`
	Lock        bool      `json:"lock,omitempty"` // what was answered stays
	Given       time.Time `json:"given"`
	Answered    time.Time `json:"answered,omitzero"`
}

// asked is one question of a page, with its answer.
type asked struct {
	ID        int    `json:"id"`
	Title     string `json:"title"`
	Type      string `json:"type"` // Rating, Text, Number, Date or Checkbox
	Mandatory bool   `json:"mandatory,omitempty"`
	Value     string `json:"value,omitempty"`
}

func parsePage(b []byte) (p page, ok bool) { return p, json.Unmarshal(b, &p) == nil }

// hand makes a page's document under a fresh secret name.
func (c *call) hand(p page) (id string, doc store.Doc, err error) {
	raw, err := c.guidOf()
	if err != nil {
		return "", doc, err
	}
	more, err := c.guidOf()
	if err != nil {
		return "", doc, err
	}
	id = secretPrefix + strings.ReplaceAll(raw+more[:8], "-", "")
	p.Given = c.Clock().UTC()
	doc, err = jsonDoc(p.Kind, id, p)
	return id, doc, err
}

// surveyLink is POST /tickets/generatesurveylink/{id}.
func surveyLink(c *call) (any, error) {
	var in struct {
		SurveyID      *int
		ParticipantID int
	}
	c.decode(&in)
	if c.err == nil && in.SurveyID == nil {
		c.wrong(wire.FieldError("surveyId", "surveyId is missing"))
	}
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	if t.Erased {
		return nil, wire.Errorf(wire.Conflict, "ticket %d was scrambled", t.ID)
	}
	who := 0
	for _, p := range t.Conversation.Participants {
		if p.Type == ticket.ParticipantClient && (p.ID == in.ParticipantID || in.ParticipantID == 0 && who == 0) {
			who = p.ID
		}
	}
	if who == 0 && (in.ParticipantID != 0 || t.Conversation.State != "") {
		return nil, wire.Errorf(wire.NotFound, "participantId names no client of the ticket")
	}
	s, err := c.settings(c.guid)
	if err != nil {
		return nil, err
	}
	for _, v := range s.Surveys {
		if v.ID != *in.SurveyID {
			continue
		}
		p := page{Kind: surveyDocs, Location: c.loc, Ticket: t.ID, Participant: who, Title: v.Title, Message: v.Header, Survey: v.ID}
		for _, q := range v.Questions {
			p.Questions = append(p.Questions, asked{ID: q.ID, Title: q.Title, Type: q.Type, Mandatory: q.Mandatory})
		}
		id, doc, err := c.hand(p)
		if err != nil {
			return nil, err
		}
		return struct {
			Link string `json:"surveyLink"`
		}{c.base() + pagePrefix + "survey/" + id}, c.Ledger.PutDocs(c.r.Context(), doc)
	}
	return nil, wire.Errorf(wire.NotFound, "surveyId names no survey of the department")
}

// sendDocument is POST /interactivedocuments/send/{id}: a form by link, in a message.
func sendDocument(c *call) (any, error) {
	var in struct {
		BaseTemplateID     *int
		Message            string
		ShouldLockDocument bool
		Fields             []Field
	}
	c.decode(&in)
	if c.err == nil && in.BaseTemplateID == nil {
		c.wrong(wire.FieldError("baseTemplateId", "baseTemplateId is missing"))
	}
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	if t.Conversation.State == ticket.ConversationClosed {
		return nil, closedTicket()
	}
	base, err := c.template(*in.BaseTemplateID)
	if err != nil {
		return nil, err
	}
	fields, err := filled(base.Fields, in.Fields)
	if err != nil {
		return nil, err
	}
	p := page{Kind: formDocs, Location: c.loc, Ticket: t.ID, Title: base.Title, Message: in.Message, Questions: fields, Lock: in.ShouldLockDocument}
	id, doc, err := c.hand(p)
	if err != nil {
		return nil, err
	}
	text := in.Message
	if strings.TrimSpace(text) == "" {
		text = base.Title
	}
	form, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	cmd := ticket.SendMessage{Ref: refOf(t), Text: text, Attachments: []ticket.Attachment{{
		ID: 1, Type: "InteractiveDocument", FileIdentifier: id, OriginalFileName: base.Title, URI: pagePrefix + "document/" + id, Form: form,
	}}}
	r := c.outgoing(t, &cmd)
	r.Docs = append(r.Docs, doc)
	res, err := c.do(cmd, r)
	if err != nil {
		return nil, err
	}
	return c.entry(res)
}

func (c *call) template(id int) (Template, error) {
	s, err := c.settings(c.guid)
	if err != nil {
		return Template{}, err
	}
	for _, t := range s.Templates {
		if t.ID == id {
			return t, nil
		}
	}
	return Template{}, wire.Errorf(wire.NotFound, "baseTemplateId names no template of the department")
}

// filled is a template's fields with what was given laid over them.
func filled(base, given []Field) ([]asked, error) {
	var out []asked
	all := append(append([]Field{}, base...), given...)
	if len(all) > maxFields {
		return nil, wire.FieldError("fields", "fields: at most %d", maxFields)
	}
	for _, f := range all {
		kind, err := word("fields.type", f.Type, "Text", "Number", "Date", "Checkbox")
		if err != nil {
			return nil, err
		}
		name := strings.TrimSpace(f.Name)
		if name == "" || len(name) > 200 || len(f.Value) > 2000 {
			return nil, wire.FieldError("fields.name", "fields.name has 1 to 200 characters, a value at most 2000")
		}
		known := false
		for i := range out {
			if strings.EqualFold(out[i].Title, name) {
				out[i].Value, known = f.Value, true
			}
		}
		if !known {
			out = append(out, asked{ID: len(out) + 1, Title: name, Type: kind, Value: f.Value})
		}
	}
	return out, nil
}

// answered brings a page's answers into the thread, where events are made of it.
func (a *API) answered(r pageAnswer) error {
	p := r.page
	p.Answered = a.Clock().UTC()
	payload, err := json.Marshal(struct {
		Participant int     `json:"participant,omitempty"`
		Survey      int     `json:"surveyId,omitempty"`
		Title       string  `json:"title"`
		Document    string  `json:"documentId,omitempty"`
		Answers     []asked `json:"answers"`
	}{p.Participant, p.Survey, p.Title, r.document(), p.Questions})
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, q := range p.Questions {
		fmt.Fprintf(&text, "%s: %s\n", q.Title, q.Value)
	}
	doc, err := jsonDoc(p.Kind, r.id, p)
	if err != nil {
		return err
	}
	kind := ticket.TransactionSurvey
	if p.Kind == formDocs {
		kind = ticket.TransactionSigned
	}
	_, err = a.Ledger.Do(r.ctx, ledger.Request{
		Location: p.Location, Docs: []store.Doc{doc},
		Actor: ticket.Actor{Kind: ticket.ActorVisitor, Credential: "ticket:" + strconv.FormatInt(p.Ticket, 10)},
		Command: ticket.AddEntry{
			Ref: ticket.Ref{ID: ticket.TicketID(p.Ticket)}, Kind: kind, Text: strings.TrimSpace(text.String()), Payload: payload, AsClient: true,
		},
	})
	return err
}
