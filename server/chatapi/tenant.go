package chatapi

import (
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox"
)

// isOnline is GET /tenants/isonline, which needs no token.
func isOnline(c *call) (any, error) {
	guid, ok := parseGUID(c.needed("departmentId"))
	if !ok {
		c.wrong(wire.FieldError("departmentId", "departmentId is not a GUID"))
	}
	if v := c.text("protocolType"); v != "" {
		_, err := protocol("protocolType", v)
		c.wrong(err)
	}
	if c.err != nil {
		return nil, c.err
	}
	loc := c.location(guid)
	if loc == 0 {
		return nil, wire.Errorf(wire.NotFound, "departmentId names no department")
	}
	open := false
	now := c.Clock()
	c.Ledger.View(loc, func(s *ticket.State) { open = s.Location.OpenAt(now) })
	return open, nil
}

// getTags is GET /tenants/gettags.
func getTags(c *call) (any, error) {
	s, err := c.settings(c.guid)
	out := []Tag{}
	for _, t := range s.Tags {
		t.ParentTags = append([]string{}, t.ParentTags...)
		out = append(out, t)
	}
	return out, err
}

const maxWait = 20

// getEvents is GET /webhooks/getevents. Without deleteEvents nothing is deleted,
// because then nothing can be lost.
func getEvents(c *call) (any, error) {
	q := outbox.PollQuery{Delete: c.flag("deleteEvents", false)}
	if v := c.text("waitSeconds"); v != "" {
		n, ok := parseID(v)
		if v == "0" {
			n, ok = 0, true
		}
		if !ok || n > maxWait {
			c.wrong(wire.FieldError("waitSeconds", "waitSeconds is a number from 0 to %d", maxWait))
		}
		q.Wait = time.Duration(n) * time.Second
	}
	if c.err != nil {
		return nil, c.err
	}
	if c.Events == nil {
		return []int{}, nil
	}
	return c.Events.Poll(c.r.Context(), c.guid, q)
}

// deleteEvents is POST /webhooks/deleteevents.
func deleteEvents(c *call) (any, error) {
	var in []outbox.Receipt
	if len(c.body) == 0 || c.body[0] != '[' {
		c.wrong(wire.FieldError("events", "events: the body is a JSON array of {queueReceiptHandle, queueMessageId}"))
	}
	c.decode(&in)
	for _, r := range in {
		if r.Handle == "" {
			c.wrong(wire.FieldError("queueReceiptHandle", "queueReceiptHandle is missing"))
		}
		if r.MessageID == "" {
			c.wrong(wire.FieldError("queueMessageId", "queueMessageId is missing"))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	if c.Events == nil {
		return success(), nil
	}
	return success(), c.Events.Acknowledge(c.r.Context(), c.guid, in)
}
