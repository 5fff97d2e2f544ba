package chatapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

func replyDocs(location int) string { return "chat.reply:" + strconv.Itoa(location) }

// CannedReply is a text to answer with.
type CannedReply struct {
	ID           int               `json:"id"`
	Title        string            `json:"title"`
	Text         string            `json:"text"`
	HTML         string            `json:"html"`
	Rank         int               `json:"rank"`
	AutoTags     []string          `json:"autoTags"`
	CategoryName string            `json:"categoryName"`
	Culture      string            `json:"culture"`
	IsPublished  bool              `json:"isPublished"`
	IsSuggested  bool              `json:"isSuggested"`
	Included     bool              `json:"isIncludedInAgentSuggestions"`
	Attachments  []json.RawMessage `json:"attachments"`
}

const (
	maxReplies    = 1000
	maxReplyTitle = 200
	maxReplyText  = 8 << 10
	maxReplyHTML  = 64 << 10
)

func allReplies(c *call) (any, error) { return c.replies(c.loc) }

// replies are a department's canned replies by id.
func (a *API) replies(location int) ([]CannedReply, error) {
	out := []CannedReply{}
	for d, err := range a.Ledger.Docs(replyDocs(location)) {
		if err != nil {
			return nil, fmt.Errorf("read canned replies: %w", err)
		}
		var r CannedReply
		if err := decodeDoc(d, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// addReply is POST /cannedreplies/add.
func addReply(c *call) (any, error) {
	in := CannedReply{IsPublished: true, Culture: "en-US"}
	c.decode(&in)
	if c.err != nil {
		return nil, c.err
	}
	in.ID = 0 // what is given is the zero value of a client's model
	return c.keepReply(c.r.Context(), c.loc, c.guid, in)
}

// check looks at a reply that somebody has made, and writes it in one way.
func (a *API) checkReply(department string, r *CannedReply) (err error) {
	r.HTML = a.html.Sanitize(r.HTML)
	if r.Text == "" {
		r.Text = plainText(r.HTML)
	}
	r.Text = strings.TrimSpace(r.Text)
	if r.Title, err = line("title", r.Title, maxReplyTitle, true); err != nil {
		return err
	}
	switch {
	case r.Text == "":
		return wire.FieldError("text", "text is missing")
	case !utf8.ValidString(r.Text) || utf8.RuneCountInString(r.Text) > maxReplyText:
		return wire.FieldError("text", "text has at most %d characters", maxReplyText)
	case utf8.RuneCountInString(r.HTML) > maxReplyHTML:
		return wire.FieldError("html", "html has at most %d characters", maxReplyHTML)
	}
	if r.Culture != "" {
		if r.Culture, err = word("culture", r.Culture, "en-US", "he-IL", "es-ES", "pt-PT"); err != nil {
			return err
		}
	}
	if r.CategoryName, err = line("categoryName", r.CategoryName, 100, false); err != nil {
		return err
	}
	tags, err := a.tagsOf(department, "autoTags", r.AutoTags)
	r.AutoTags, r.Attachments = append([]string{}, tags...), []json.RawMessage{}
	return err
}

// keepReply adds a reply, or replaces the one of its id.
func (a *API) keepReply(ctx context.Context, location int, department string, r CannedReply) (CannedReply, error) {
	if err := a.checkReply(department, &r); err != nil {
		return r, err
	}
	a.settling.Lock() // the next id must be nobody else's
	defer a.settling.Unlock()
	if r.ID != 0 {
		if _, err := a.reply(location, "id", r.ID); err != nil {
			return r, err
		}
	} else {
		list, err := a.replies(location)
		if err != nil {
			return r, err
		}
		if len(list) >= maxReplies {
			return r, wire.Errorf(wire.Conflict, "a department has at most %d canned replies", maxReplies)
		}
		r.ID = 1
		for _, x := range list {
			r.ID = max(r.ID, x.ID+1)
		}
	}
	doc, err := jsonDoc(replyDocs(location), replyKey(r.ID), r)
	if err != nil {
		return r, err
	}
	return r, a.Ledger.PutDocs(ctx, doc)
}

func replyKey(id int) string { return fmt.Sprintf("%010d", id) }

func (a *API) reply(location int, field string, id int) (r CannedReply, err error) {
	err = a.readDoc(replyDocs(location), replyKey(id), &r)
	if errors.Is(err, store.ErrNotFound) {
		err = wire.Errorf(wire.NotFound, "%s names no canned reply", field)
	}
	return r, err
}

// deleteReply is DELETE /cannedreplies/delete?cannedReplyId.
func deleteReply(c *call) (any, error) {
	id, err := strconv.Atoi(c.needed("cannedReplyId"))
	if err != nil || id < 1 {
		c.wrong(wire.FieldError("cannedReplyId", "cannedReplyId is a number"))
	}
	if c.err != nil {
		return nil, c.err
	}
	return success(), c.dropReply(c.r.Context(), c.loc, id)
}

// dropReply takes a reply away.
func (a *API) dropReply(ctx context.Context, location, id int) error {
	a.settling.Lock()
	defer a.settling.Unlock()
	if _, err := a.reply(location, "cannedReplyId", id); err != nil {
		return err
	}
	return a.Ledger.PutDocs(ctx, store.Doc{Kind: replyDocs(location), Key: replyKey(id)})
}

// canned fills in what a canned reply says.
func (c *call) canned(in *sendIn, cmd *ticket.SendMessage) error {
	if in.CannedReplyID == 0 {
		return nil
	}
	r, err := c.reply(c.loc, "cannedReplyId", in.CannedReplyID)
	if err != nil {
		return err
	}
	cmd.Canned = true
	if strings.TrimSpace(cmd.Text) == "" && cmd.HTML == "" {
		cmd.Text, cmd.HTML = r.Text, r.HTML
	}
	return nil
}
