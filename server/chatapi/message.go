package chatapi

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// messageJSON is a message without a ticket.
type messageJSON struct {
	Text              string   `json:"text"`
	HTML              string   `json:"html"`
	ProtocolType      string   `json:"protocolType"`
	AttachmentURIs    []string `json:"attachmentUris"`
	From              string   `json:"from"`
	To                string   `json:"to"`
	DateTime          string   `json:"dateTime"`
	ProviderMessageID string   `json:"providerMessageId"`
	DepartmentID      string   `json:"departmentId"`
	Status            string   `json:"status"`
	Files             []string `json:"files"`
	ServiceProvider   int      `json:"serviceProvider"`
}

const maxMessageText = 4096

// sendMessage is POST /protocols/send. It answers when the message is written
// down; messenger.go sends it.
func sendMessage(c *call) (any, error) {
	var in struct {
		ProtocolType, From, To, Text, HTML string
		Files                              []string
	}
	c.decode(&in)
	channel, err := word("protocolType", in.ProtocolType, "SMS", "WhatsApp", "AppleBusinessChat")
	c.wrong(err)
	in.HTML = c.html.Sanitize(in.HTML)
	if in.Text == "" {
		in.Text = plainText(in.HTML)
	}
	if strings.TrimSpace(in.Text) == "" && len(in.Files) == 0 {
		c.wrong(wire.FieldError("text", "text, html and files are all empty"))
	}
	if utf8.RuneCountInString(in.Text) > maxMessageText {
		c.wrong(wire.FieldError("text", "text has at most %d characters", maxMessageText))
	}
	from, err := recipient("from", channel, in.From, false)
	c.wrong(err)
	to, err := recipient("to", channel, in.To, true)
	c.wrong(err)
	c.wrong(webFiles(in.Files))
	if c.err != nil {
		return nil, c.err
	}
	if err := c.maySend(channel, from); err != nil {
		return nil, err
	}
	id, err := c.guidOf()
	if err != nil {
		return nil, err
	}
	now := c.Clock().UTC()
	m := messageJSON{
		Text: in.Text, HTML: in.HTML, ProtocolType: channel, AttachmentURIs: append([]string{}, in.Files...), From: from, To: to,
		DateTime: zoned(now), ProviderMessageID: id, DepartmentID: c.guid, Status: messagePending, Files: append([]string{}, in.Files...),
	}
	doc, err := jsonDoc(messageDocs, messageKey(now, id), storedMessage{m, now})
	if err != nil {
		return nil, err
	}
	if err := c.Ledger.PutDocs(c.r.Context(), doc); err != nil {
		return nil, err
	}
	c.messenger.stir()
	return m, nil
}

// recipient checks an address of a channel.
func recipient(field, channel, v string, customer bool) (string, error) {
	if channel == "AppleBusinessChat" {
		v = strings.TrimSpace(v)
		if v == "" || len(v) > 254 || customer && !strings.HasPrefix(v, "urn:mbid:") {
			return "", wire.FieldError(field, "%s is not an address of this channel (urn:mbid:…)", field)
		}
		return v, nil
	}
	return normalIdentifier(field, channel, v)
}

func webFiles(links []string) error {
	if len(links) > maxParts {
		return wire.FieldError("files", "files: at most %d", maxParts)
	}
	for _, l := range links {
		if u, err := url.Parse(l); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(l) > 2000 {
			return wire.FieldError("files", "files has what is not a URL: %s", clip(l))
		}
	}
	return nil
}

// maySend looks whether the department sends without a ticket from that address.
func (c *call) maySend(channel, from string) error {
	s, err := c.settings(c.guid)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.Senders, func(x Sender) bool { return x.Protocol == channel && x.From == from })
	switch {
	case i < 0:
		return wire.FieldError("from", "from is none of the department's addresses on %s", channel)
	case !s.Senders[i].Free:
		return wire.Errorf(wire.Forbidden, "the department does not send on %s without a ticket", channel)
	}
	return nil
}

// callStarted is POST /phonecalls/started/{id}.
func callStarted(c *call) (any, error) { return c.phone(ticket.TransactionStarted) }

// callEnded is POST /phonecalls/ended/{id}.
func callEnded(c *call) (any, error) { return c.phone(ticket.TransactionEnded) }

func (c *call) phone(kind string) (any, error) {
	var in struct{ DateTime string }
	c.decode(&in)
	at, ok := parseListTime(in.DateTime)
	switch {
	case in.DateTime == "":
		c.wrong(wire.FieldError("dateTime", "dateTime is missing"))
	case !ok:
		c.wrong(wire.FieldError("dateTime", "dateTime is a time as dd/MM/yyyy HH:mm:ss:ff"))
	}
	return c.done(func(r ticket.Ref) ticket.Command { return ticket.AddEntry{Ref: r, Kind: kind, At: at} })
}

// callRecorded is POST /phonecalls/audiolink/{id}.
func callRecorded(c *call) (any, error) {
	var in struct{ AudioURI string }
	c.decode(&in)
	if in.AudioURI == "" {
		c.wrong(wire.FieldError("audioUri", "audioUri is missing"))
	}
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return nil, c.err
	}
	a, err := c.attach("audioUri", in.AudioURI, 1)
	if err != nil {
		return nil, err
	}
	a.Type = "Audio"
	_, err = c.do(ticket.AddEntry{Ref: refOf(t), Kind: ticket.TransactionAudio, Attachments: []ticket.Attachment{a}},
		ledger.Request{Location: c.loc})
	return success(), err
}
