package chatapi

import (
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

// cannedReply is a text to answer with.
type cannedReply struct {
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
	maxReplies   = 1000
	maxReplyText = 8 << 10
)

func allReplies(c *call) (any, error) {
	out := []cannedReply{}
	for d, err := range c.Ledger.Docs(replyDocs(c.loc)) {
		if err != nil {
			return nil, fmt.Errorf("read canned replies: %w", err)
		}
		var r cannedReply
		if err := decodeDoc(d, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// addReply is POST /cannedreplies/add.
func addReply(c *call) (any, error) {
	in := cannedReply{IsPublished: true, Culture: "en-US"}
	c.decode(&in)
	in.Title = c.within("title", in.Title, 200)
	in.HTML = c.html.Sanitize(in.HTML)
	if in.Text == "" {
		in.Text = plainText(in.HTML)
	}
	in.Text = c.within("text", in.Text, maxReplyText)
	if in.Culture != "" {
		culture, err := word("culture", in.Culture, "en-US", "he-IL", "es-ES", "pt-PT")
		c.wrong(err)
		in.Culture = culture
	}
	if utf8.RuneCountInString(in.CategoryName) > 100 {
		c.wrong(wire.FieldError("categoryName", "categoryName has at most 100 characters"))
	}
	if c.err != nil {
		return nil, c.err
	}
	tags, err := c.tags("autoTags", in.AutoTags)
	if err != nil {
		return nil, err
	}
	in.AutoTags, in.Attachments = append([]string{}, tags...), []json.RawMessage{}
	c.profiling.Lock() // the next id must be nobody else's
	defer c.profiling.Unlock()
	known, err := allReplies(c)
	if err != nil {
		return nil, err
	}
	list := known.([]cannedReply)
	if len(list) >= maxReplies {
		return nil, wire.Errorf(wire.Conflict, "a department has at most %d canned replies", maxReplies)
	}
	in.ID = 1
	for _, r := range list {
		in.ID = max(in.ID, r.ID+1)
	}
	doc, err := jsonDoc(replyDocs(c.loc), replyKey(in.ID), in)
	if err != nil {
		return nil, err
	}
	return in, c.Ledger.PutDocs(c.r.Context(), doc)
}

func replyKey(id int) string { return fmt.Sprintf("%010d", id) }

func (c *call) reply(field string, id int) (r cannedReply, err error) {
	err = c.readDoc(replyDocs(c.loc), replyKey(id), &r)
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
	if _, err := c.reply("cannedReplyId", id); err != nil {
		return nil, err
	}
	return success(), c.Ledger.PutDocs(c.r.Context(), store.Doc{Kind: replyDocs(c.loc), Key: replyKey(id)})
}

// canned fills in what a canned reply says.
func (c *call) canned(in *sendIn, cmd *ticket.SendMessage) error {
	if in.CannedReplyID == 0 {
		return nil
	}
	r, err := c.reply("cannedReplyId", in.CannedReplyID)
	if err != nil {
		return err
	}
	cmd.Canned = true
	if strings.TrimSpace(cmd.Text) == "" && cmd.HTML == "" {
		cmd.Text, cmd.HTML = r.Text, r.HTML
	}
	return nil
}
