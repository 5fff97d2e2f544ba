package hubapi

import (
	"context"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/outbox"
)

// Departments is the conversation API's settings; *chatapi.API does.
type Departments interface {
	DepartmentSettings(location int) (chatapi.Settings, string, error)
	PutDepartmentSettings(ctx context.Context, location int, version string, s chatapi.Settings) (string, error)
	CannedReplies(location int) ([]chatapi.CannedReply, error)
	PutCannedReply(ctx context.Context, location int, r chatapi.CannedReply) (chatapi.CannedReply, error)
	DeleteCannedReply(ctx context.Context, location, id int) error
	AddWebhook(ctx context.Context, location int, w chatapi.Webhook, by string) (outbox.Target, error)
}

func (a *API) registerDepartments(r *httprouter.Router) {
	if a.o.Admin.Departments == nil {
		return
	}
	const at = "/hub/v1/locations/:location"
	r.GET(at+"/department", a.admin(inLocation, (*adminCall).department))
	r.PUT(at+"/department", a.admin(inLocation, (*adminCall).setDepartment))
	r.GET(at+"/canned-replies", a.admin(inLocation, (*adminCall).cannedReplies))
	r.POST(at+"/canned-replies", a.admin(inLocation, (*adminCall).putReply))
	r.PUT(at+"/canned-replies/:reply", a.admin(inLocation, (*adminCall).putReply))
	r.DELETE(at+"/canned-replies/:reply", a.admin(inLocation, (*adminCall).dropReply))
}

// departmentForm is a department's settings with their version.
type departmentForm struct {
	chatapi.Settings
	// Channels are those that there are; they are told only.
	Channels []string `json:"channels"`
	Version  string   `json:"version"`
}

// department is GET department.
func (c *adminCall) department() (any, error) {
	s, version, err := c.o.Admin.Departments.DepartmentSettings(c.location)
	if err != nil {
		return nil, err
	}
	return departmentForm{s, chatapi.Channels(), version}, nil
}

// setDepartment is PUT department: it replaces everything.
func (c *adminCall) setDepartment() (any, error) {
	var f departmentForm
	if err := c.read(&f); err != nil {
		return nil, err
	}
	if _, err := c.o.Admin.Departments.PutDepartmentSettings(c.r.Context(), c.location, f.Version, f.Settings); err != nil {
		return nil, err
	}
	c.note("department of location " + strconv.Itoa(c.location))
	return c.department()
}

// cannedReplies is GET canned-replies.
func (c *adminCall) cannedReplies() (any, error) {
	list, err := c.o.Admin.Departments.CannedReplies(c.location)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []chatapi.CannedReply{}
	}
	return map[string]any{"replies": list}, nil
}

// putReply is POST canned-replies and PUT canned-replies/{reply}.
func (c *adminCall) putReply() (any, error) {
	var f chatapi.CannedReply
	if err := c.read(&f); err != nil {
		return nil, err
	}
	f.ID = number(c.p, "reply")
	kept, err := c.o.Admin.Departments.PutCannedReply(c.r.Context(), c.location, f)
	if err != nil {
		return nil, err
	}
	c.note(c.reply(kept.ID))
	return c.cannedReplies()
}

// reply names a canned reply in the audit log.
func (c *adminCall) reply(id int) string {
	return "canned reply " + strconv.Itoa(id) + " of location " + strconv.Itoa(c.location)
}

func (c *adminCall) dropReply() (any, error) {
	id := number(c.p, "reply")
	if err := c.o.Admin.Departments.DeleteCannedReply(c.r.Context(), c.location, id); err != nil {
		return nil, err
	}
	c.note(c.reply(id) + " remove")
	return c.cannedReplies()
}
