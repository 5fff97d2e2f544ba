package chatapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/html"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox/sms"
)

// sendIn is the body of tickets/send.
type sendIn struct {
	Text, HTML          string
	Files               []string
	QuickReplies        []quickReply
	Templates           []card
	EnableFreeTextInput bool
	CannedReplyID       int
}

type quickReply struct {
	Title    string `json:"title"`
	ImageURL string `json:"imageUrl,omitempty"`
}

type card struct {
	Title            string   `json:"title"`
	Subtitle         string   `json:"subtitle"`
	TitleHTML        string   `json:"titleHtml,omitempty"`
	SubtitleHTML     string   `json:"subtitleHtml,omitempty"`
	CoverImageURL    string   `json:"coverImageUrl,omitempty"`
	CoverImageHeight int      `json:"coverImageHeight,omitempty"`
	CoverImageWidth  int      `json:"coverImageWidth,omitempty"`
	Buttons          []button `json:"buttons"`
}

type button struct {
	Title string `json:"title"`
	Type  string `json:"type"`
	URI   string `json:"uri,omitempty"`
	Data  string `json:"data,omitempty"`
}

// The bounds of what goes with a message.
const (
	maxButtons   = 20
	maxTitleText = 500
)

// send is POST /tickets/send/{id}. It answers with the message once it is durable.
func send(c *call) (any, error) {
	var in sendIn
	c.decode(&in)
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	cmd, err := c.message(&in)
	if err != nil {
		return nil, err
	}
	cmd.Ref = refOf(t)
	if t.Conversation.State == ticket.ConversationClosed {
		return nil, closedTicket()
	}
	r := c.outgoing(t, &cmd)
	res, err := c.do(cmd, r)
	if err != nil {
		if wire.CodeOf(err) == wire.Conflict && !t.Erased { // it was closed just now
			return nil, closedTicket()
		}
		return nil, err
	}
	if len(r.Docs) > 0 && c.Gateway != nil {
		c.Gateway.Wake(t.ID)
	}
	return c.entry(res)
}

// statusFailed is a message's that never goes out.
const statusFailed = "Failed"

func closedTicket() error {
	return wire.Errorf(wire.BadRequest, "the ticket is Closed; open it before sending")
}

// entry shows the thread entry that a command has just made.
func (c *call) entry(res ledger.Result) (any, error) {
	for i := range res.Events {
		if e := &res.Events[i]; e.Type == ticket.EventMessage {
			x := e.Transaction()
			return res.Ticket.ChatTransaction(&x, c.view()), nil
		}
	}
	seq := res.Ticket.Conversation.Seq // of a try that came before this one
	thread, err := c.Ledger.Transactions(res.Ticket.ID, seq, 1, false)
	if err != nil {
		return nil, err
	}
	if len(thread) != 1 {
		return nil, fmt.Errorf("ticket %d has no entry %d", res.Ticket.ID, seq)
	}
	return res.Ticket.ChatTransaction(&thread[0], c.view()), nil
}

// outgoing says how the message reaches the customer: the web sees it at once, a
// text message waits for its gateway. On a channel that nothing here brings
// messages out on, it is kept in the thread and says that it has Failed.
func (c *call) outgoing(t *ticket.Ticket, cmd *ticket.SendMessage) ledger.Request {
	r := ledger.Request{Location: c.loc, Docs: sms.Outgoing(c.Gateway, t, cmd)}
	switch t.Conversation.Protocol {
	case "", ticket.ProtocolWeb:
	default:
		if len(r.Docs) == 0 {
			cmd.Status = statusFailed
		}
	}
	return r
}

// message checks what is to be sent.
func (c *call) message(in *sendIn) (cmd ticket.SendMessage, err error) {
	cmd.Text, cmd.HTML = in.Text, c.html.Sanitize(in.HTML)
	if err := c.canned(in, &cmd); err != nil {
		return cmd, err
	}
	if cmd.Text == "" {
		cmd.Text = plainText(cmd.HTML)
	}
	for i, u := range in.Files {
		a, err := c.attach("files", u, i+1)
		if err != nil {
			return cmd, err
		}
		cmd.Attachments = append(cmd.Attachments, a)
	}
	if strings.TrimSpace(cmd.Text) == "" && len(cmd.Attachments) == 0 && len(in.Templates) == 0 {
		return cmd, wire.FieldError("text", "text, html, files and templates are all empty")
	}
	if len(in.QuickReplies) == 0 && len(in.Templates) == 0 && !in.EnableFreeTextInput {
		return cmd, nil
	}
	if err := in.checkExtras(); err != nil {
		return cmd, err
	}
	for i := range in.Templates {
		in.Templates[i].TitleHTML = c.html.Sanitize(in.Templates[i].TitleHTML)
		in.Templates[i].SubtitleHTML = c.html.Sanitize(in.Templates[i].SubtitleHTML)
	}
	cmd.Payload, err = json.Marshal(struct {
		Templates    []card       `json:"templates"`
		QuickReplies []quickReply `json:"quickReplies"`
		Free         bool         `json:"enableFreeTextInput"`
	}{append([]card{}, in.Templates...), append([]quickReply{}, in.QuickReplies...), in.EnableFreeTextInput})
	return cmd, err
}

// checkExtras checks quick replies and templates, and writes their words in one way.
func (in *sendIn) checkExtras() error {
	if len(in.QuickReplies) > maxButtons || len(in.Templates) > maxButtons {
		return wire.FieldError("templates", "at most %d quickReplies and %d templates", maxButtons, maxButtons)
	}
	for _, q := range in.QuickReplies {
		if strings.TrimSpace(q.Title) == "" || len(q.Title) > maxTitleText {
			return wire.FieldError("quickReplies.title", "quickReplies.title has 1 to %d characters", maxTitleText)
		}
		if err := webLink("quickReplies.imageUrl", q.ImageURL, "https", "http"); err != nil {
			return err
		}
	}
	for i := range in.Templates {
		t := &in.Templates[i]
		if strings.TrimSpace(t.Title+t.TitleHTML) == "" || len(t.Title) > maxTitleText || len(t.Subtitle) > maxTitleText {
			return wire.FieldError("templates.title", "templates.title has 1 to %d characters", maxTitleText)
		}
		if err := webLink("templates.coverImageUrl", t.CoverImageURL, "https", "http"); err != nil {
			return err
		}
		if len(t.Buttons) > maxButtons {
			return wire.FieldError("templates.buttons", "templates.buttons: at most %d", maxButtons)
		}
		t.Buttons = append([]button{}, t.Buttons...)
		for j := range t.Buttons {
			if err := t.Buttons[j].check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *button) check() (err error) {
	if strings.TrimSpace(b.Title) == "" || len(b.Title) > maxTitleText {
		return wire.FieldError("templates.buttons.title", "templates.buttons.title has 1 to %d characters", maxTitleText)
	}
	if b.Type, err = word("templates.buttons.type", b.Type, "text", "web_url", "postback", "phone_number"); err != nil {
		return err
	}
	if b.Type == "web_url" && b.URI == "" {
		return wire.FieldError("templates.buttons.uri", "templates.buttons.uri is missing")
	}
	return webLink("templates.buttons.uri", b.URI, "https", "http", "tel", "mailto")
}

// webLink refuses a link that would do something else than open a page.
func webLink(field, v string, schemes ...string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err == nil {
		for _, s := range schemes {
			if strings.EqualFold(u.Scheme, s) {
				return nil
			}
		}
	}
	return wire.FieldError(field, "%s is not a link of the kind %s", field, strings.Join(schemes, ", "))
}

// attach makes an attachment of a URL: one of ours by what it is, another one by
// its name; a foreign file is linked to, never fetched.
func (c *call) attach(field, link string, n int) (ticket.Attachment, error) {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || len(link) > 2000 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ticket.Attachment{}, wire.FieldError(field, "%s has what is not a URL: %s", field, clip(link))
	}
	if id, ok := ownFile(u.Path); ok && c.checkLink(u) {
		m, err := c.fileOf(id)
		if err != nil {
			return ticket.Attachment{}, wire.FieldError(field, "%s names a file that is not there any more", field)
		}
		if m.Department != c.guid {
			return ticket.Attachment{}, wire.FieldError(field, "%s names a file of another department", field)
		}
		return ticket.Attachment{ID: n, Type: kindOf(m.ContentType), FileIdentifier: id, OriginalFileName: m.Name}, nil
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		name = u.Hostname()
	}
	return ticket.Attachment{
		ID: n, Type: kindByName(name), FileIdentifier: "", OriginalFileName: clip(name), URI: u.String(),
	}, nil
}

// plainText is what a piece of HTML says, a line per paragraph.
func plainText(markup string) string {
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(out.String())
		case html.TextToken:
			out.WriteString(z.Token().Data)
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote":
				if s := out.String(); s != "" && !strings.HasSuffix(s, "\n") {
					out.WriteByte('\n')
				}
			}
		}
	}
}
