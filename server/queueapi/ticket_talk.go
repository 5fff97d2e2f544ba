package queueapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const (
	// textStatus is a text message that no gateway has taken yet.
	textStatus = "NEW"
	// maxText bounds a text message: ten parts of the shortest kind.
	maxText = 1600
	// maxExternal bounds another system's data, in bytes.
	maxExternal = 32 << 10
	// unknownPace is what a visitor is taken to need before a line has any
	// history to estimate from.
	unknownPace = 5 * time.Minute
)

// getMessages is GET /v1/tickets/{id}/messages.
func getMessages(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	texts, err := c.texts(t)
	return struct {
		StatusCode int                `json:"statusCode"`
		Messages   []ticket.QueueText `json:"messages"`
	}{http.StatusOK, texts}, err
}

// sendMessage is POST /v1/tickets/{id}/messages. The message is in the thread
// with status NEW once this answers, and a gateway takes it from there.
func sendMessage(c *call) (any, error) {
	text := c.within("message", c.required("message"), 1, maxText)
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	user, err := c.acting(t.Location)
	if err := firstError(c.err, err); err != nil {
		return nil, err
	}
	if t.Private.PhoneNumber == "" {
		return nil, bad("phoneNumber", "the ticket has no phoneNumber to send a message to")
	}
	id := strconv.FormatInt(t.ID, 10)
	_, err = c.do(ledger.Request{
		Command: ticket.SendMessage{
			Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}, Text: text, Protocol: ticket.ProtocolSMS, Status: textStatus,
		},
		Actor: ticket.Actor{User: user},
		Docs:  []store.Doc{{Kind: OutboxDocs, Key: id, Value: []byte(`{"ticket":` + id + `}`)}},
	})
	if err != nil {
		return nil, renamed(err, "text", "message")
	}
	if c.Gateway != nil {
		c.Gateway.Wake(t.ID)
	}
	return success(), nil
}

// setExternal is POST or PUT /v1/tickets/{id}/external.
func setExternal(c *call) (any, error) {
	provider := c.within("provider", c.required("provider"), 1, 100)
	title := c.within("title", c.required("title"), 1, 100)
	c.required("data")
	data := c.raw("data")
	if c.err == nil {
		checkExternal(c.params, data)
	}
	return c.simple(func(r ticket.Ref) ticket.Command {
		return ticket.SetExternal{Ref: r, Provider: provider, Title: title, Data: data}
	})
}

// checkExternal checks the promised form of external data: fields of a known
// type, each with what that type needs.
func checkExternal(p *params, data json.RawMessage) {
	if len(data) > maxExternal {
		p.fail(badCode(codeSize, "data", fmt.Sprintf("data has at most %d bytes", maxExternal)))
		return
	}
	var in struct {
		Fields []struct {
			Type, Importance string
			Title, Value     looseText
			Content          *looseText
			Items            []struct{ Title looseText }
		}
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Fields == nil {
		p.fail(bad("data", `data must be {"fields":[...]}`))
		return
	}
	for _, f := range in.Fields {
		ok := false
		switch f.Type {
		case "message":
			ok = f.Content != nil && slices.Contains([]string{"info", "warning", "error"}, f.Importance)
		case "text", "email", "phoneNumber", "list":
			ok = f.Title != ""
		}
		if !ok {
			p.fail(bad("data", "data has a field of unknown type, or one that misses something"))
			return
		}
	}
}

// estimatedTime is GET /v1/tickets/{id}/estimated-time: one instant, because
// that is what this API has; our own screens show a range. It has no word for
// unknown either, so then a guess is made of what one visitor usually needs.
func estimatedTime(c *call) (any, error) {
	t, err := c.ticket()
	if err != nil {
		return nil, err
	}
	if t.Place.Status != ticket.New {
		return nil, wire.Errorf(wire.Conflict, "%s does not wait", t.Place.PublicID)
	}
	out := struct {
		StatusCode int   `json:"statusCode"`
		Estimated  int64 `json:"estimatedTimeOfService"`
	}{StatusCode: http.StatusOK}
	now := c.Clock()
	c.Ledger.View(t.Location, func(s *ticket.State) {
		position := max(1, s.Position(t))
		wait, known := s.Expect(t.Place.Line, position, now)
		if !known {
			wait = time.Duration(position) * unknownPace
		}
		out.Estimated = now.Add(wait).Unix()
	})
	return out, nil
}
