package chatapi

import (
	"bytes"
	"html/template"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// exportIn is what an export is asked to hold; everything unless it is refused.
type exportIn struct {
	IncludeDetails, IncludeConversationLink, IncludeNotes *bool
	ReplaceContentID, ShowParticipantType                 *bool
	FontSizeInPixels                                      *int
}

func yes(p *bool) bool { return p == nil || *p }

const (
	defaultFont = 14
	minFont     = 6
	maxFont     = 72
	// maxExport bounds how many entries an export holds.
	maxExport = 20000
)

// exported is what both exports show.
type exported struct {
	ID       string
	Title    string
	Font     int
	Details  []labelled
	Link     string
	Entries  []exportedEntry
	withType bool
}

type labelled struct{ Label, Value string }

type exportedEntry struct {
	When, Who, Type, Text string
	Files                 []string
	Note                  bool
}

// export reads what was asked for, and the ticket with its thread.
func (c *call) export() (out exported, err error) {
	var in exportIn
	c.decode(&in)
	out.Font = defaultFont
	if in.FontSizeInPixels != nil {
		out.Font = *in.FontSizeInPixels
		if out.Font < minFont || out.Font > maxFont {
			c.wrong(wire.FieldError("fontSizeInPixels", "fontSizeInPixels is from %d to %d", minFont, maxFont))
		}
	}
	t, err := c.ticket()
	c.wrong(err)
	if c.err != nil {
		return out, c.err
	}
	thread, err := c.Ledger.Transactions(t.ID, 1, maxExport, false)
	if err != nil {
		return out, err
	}
	out.ID, out.withType = strconv.FormatInt(t.ID, 10), yes(in.ShowParticipantType)
	out.Title = "Ticket " + out.ID
	if s := t.Private.Fields[0]; s != "" && yes(in.IncludeDetails) {
		out.Title += ": " + s
	}
	if yes(in.IncludeConversationLink) {
		out.Link = c.base() + "/console#ticket=" + out.ID
	}
	c.Ledger.View(t.Location, func(s *ticket.State) {
		if yes(in.IncludeDetails) {
			out.describe(s.ChatTicket(t, c.view()))
		}
	})
	for i := range thread {
		if !thread[i].StaffOnly() || yes(in.IncludeNotes) {
			out.add(&thread[i])
		}
	}
	return out, nil
}

func (x *exported) describe(t ticket.ChatTicket) {
	add := func(label, value string) {
		if value != "" {
			x.Details = append(x.Details, labelled{label, value})
		}
	}
	add("Subject", t.Field1)
	for i, v := range []string{t.Field2, t.Field3, t.Field4, t.Field5, t.Field6, t.Field7, t.Field8, t.Field9, t.Field10} {
		add("Field "+strconv.Itoa(i+2), v)
	}
	for _, p := range t.Participants {
		if p.Type == ticket.ParticipantClient {
			add("Customer", strings.TrimSpace(p.Name+" "+p.Identifier))
		}
	}
	add("State", string(t.State))
	add("Opened", t.Open)
	if t.Close != ticket.ChatNever {
		add("Closed", t.Close)
	}
	if t.Owner != nil {
		add("Owner", t.Owner.UserName)
	}
	add("Tags", strings.Join(t.Tags, ", "))
}

func (x *exported) add(e *ticket.Transaction) {
	who := e.FromName.Name
	if who == "" {
		who = e.From.Type
	} else if x.withType {
		who += " (" + e.From.Type + ")"
	}
	out := exportedEntry{
		When: e.At.UTC().Format("2006-01-02 15:04:05"), Who: who, Type: e.Type, Text: e.Text, Note: e.StaffOnly(),
	}
	for _, a := range e.Attachments {
		out.Files = append(out.Files, a.OriginalFileName)
	}
	x.Entries = append(x.Entries, out)
}

// exportHTML is POST /tickets/html/{id}: one page without scripts, everything of
// people's as text.
func exportHTML(c *call) (any, error) {
	x, err := c.export()
	if err != nil {
		return nil, err
	}
	t, err := template.New("export").Parse(exportMarkup)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, x); err != nil {
		return nil, err
	}
	c.w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	return typed{"text/html; charset=utf-8", out.Bytes()}, nil
}

const exportMarkup = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font:{{.Font}}px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}dt{font-weight:bold}dd{margin:0 0 .5em}
.entry{border-top:1px solid #ccc;padding:.5em 0}.meta{color:#555}.note{background:#fff6d6}.text{white-space:pre-wrap;margin:.25em 0}</style>
</head><body><h1>{{.Title}}</h1>
{{if .Link}}<p><a href="{{.Link}}">Open this conversation</a></p>{{end}}
{{if .Details}}<dl>{{range .Details}}<dt>{{.Label}}</dt><dd>{{.Value}}</dd>{{end}}</dl>{{end}}
{{range .Entries}}<div class="entry{{if .Note}} note{{end}}"><div class="meta">{{.When}} UTC &middot; <b>{{.Who}}</b> &middot; {{.Type}}</div>
{{if .Text}}<p class="text">{{.Text}}</p>{{end}}{{range .Files}}<div>[{{.}}]</div>{{end}}</div>
{{end}}</body></html>
`
