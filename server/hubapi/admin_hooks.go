package hubapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/outbox"
)

// Hooks is the deliveries to other systems; *outbox.Outbox does.
type Hooks interface {
	List() []outbox.Listed
	Deliveries(id string) ([]outbox.Delivery, error)
	Register(ctx context.Context, r outbox.Registration) (outbox.Target, string, error)
	Remove(ctx context.Context, id string) error
	Enable(ctx context.Context, id string) error
	Disable(ctx context.Context, id, why string) error
	RetryNow(id string) error
	Redeliver(ctx context.Context, id, delivery string) error
}

func (a *API) registerHooks(r *httprouter.Router) {
	const at = "/hub/v1/webhooks"
	r.GET(at, a.admin(0, (*adminCall).webhooks))
	r.POST(at, a.admin(0, (*adminCall).addWebhook))
	r.DELETE(at+"/:hook", a.admin(0, onHook("remove", func(c *adminCall, id string) error {
		return c.o.Admin.Hooks.Remove(c.r.Context(), id)
	})))
	r.POST(at+"/:hook/enable", a.admin(0, onHook("enable", func(c *adminCall, id string) error {
		return c.o.Admin.Hooks.Enable(c.r.Context(), id)
	})))
	r.POST(at+"/:hook/disable", a.admin(0, onHook("disable", func(c *adminCall, id string) error {
		return c.o.Admin.Hooks.Disable(c.r.Context(), id, outbox.ByHand)
	})))
	r.POST(at+"/:hook/retry", a.admin(0, onHook("retry", func(c *adminCall, id string) error {
		return c.o.Admin.Hooks.RetryNow(id)
	})))
	r.GET(at+"/:hook/deliveries", a.admin(0, (*adminCall).deliveries))
	r.POST(at+"/:hook/deliveries/:delivery", a.admin(0, (*adminCall).redeliver))
}

// webhooks is GET webhooks: those of both APIs, and polling.
func (c *adminCall) webhooks() (any, error) {
	list := c.o.Admin.Hooks.List()
	if list == nil {
		list = []outbox.Listed{}
	}
	for i := range list { // an address may carry a key of the receiver
		list[i].URL = withoutQuery(list[i].URL)
	}
	return map[string]any{"webhooks": list, "events": chatapi.WebhookEvents()}, nil
}

// withoutQuery hides what may be a secret in an address.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.RawQuery == "" && u.User == nil {
		return address
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	u.User = nil
	return strings.Replace(u.String(), "%E2%80%A6", "…", 1)
}

// hookForm asks for a webhook.
type hookForm struct {
	API  string `json:"api"`
	Name string `json:"name"`
	URL  string `json:"url"`
	// Locations limits one of the queue API; none: all of them.
	Locations []int `json:"locations"`
	// Location is the department of one of the conversation API.
	Location int               `json:"location"`
	Events   []string          `json:"events"`
	Headers  map[string]string `json:"headers"`
	Polling  bool              `json:"polling"`
}

// addWebhook is POST webhooks. The secret of one of the queue API is in this
// answer and nowhere else; the conversation API signs with the department's.
func (c *adminCall) addWebhook() (any, error) {
	var f hookForm
	if err := c.read(&f); err != nil {
		return nil, err
	}
	name, err := adminLabel("name", f.Name)
	if err != nil {
		return nil, err
	}
	var t outbox.Target
	secret := ""
	switch {
	case f.API == "chat" && c.o.Admin.Departments != nil:
		if !c.there(f.Location) {
			return nil, wire.FieldError("location", "there is no such location")
		}
		t, err = c.o.Admin.Departments.AddWebhook(c.r.Context(), f.Location, chatapi.Webhook{
			Name: name, URL: f.URL, Events: f.Events, Headers: f.Headers, Polling: f.Polling,
		}, c.id.Credential)
	case f.API == "queue":
		if i := slices.IndexFunc(f.Locations, func(l int) bool { return !c.there(l) }); i >= 0 {
			return nil, wire.FieldError("locations", "there is no such location")
		}
		r := outbox.Registration{Kind: outbox.QueueHook, Name: name, URL: strings.TrimSpace(f.URL), Creator: c.id.Credential}
		if len(f.Locations) > 0 {
			r.Locations = f.Locations
		}
		t, secret, err = c.o.Admin.Hooks.Register(c.r.Context(), r)
	default:
		return nil, wire.FieldError("api", "api is queue or chat")
	}
	if err != nil {
		return nil, err
	}
	c.note("webhook " + t.ID + " add")
	c.status = http.StatusCreated
	return map[string]any{"id": t.ID, "secret": secret}, nil
}

// there says whether there is a location.
func (c *adminCall) there(location int) bool {
	return location > 0 && c.o.Ledger.View(location, func(*ticket.State) {})
}

// onHook makes a door of something that is done with one webhook.
func onHook(what string, do func(c *adminCall, id string) error) func(*adminCall) (any, error) {
	return func(c *adminCall) (any, error) {
		id := c.p.ByName("hook")
		if err := do(c, id); err != nil {
			return nil, err
		}
		c.note("webhook " + id + " " + what)
		return c.webhooks()
	}
}

// deliveries is GET webhooks/{hook}/deliveries.
func (c *adminCall) deliveries() (any, error) {
	list, err := c.o.Admin.Hooks.Deliveries(c.p.ByName("hook"))
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []outbox.Delivery{}
	}
	return map[string]any{"deliveries": list}, nil
}

// redeliver is POST webhooks/{hook}/deliveries/{delivery}: a dropped one goes out
// once more.
func (c *adminCall) redeliver() (any, error) {
	id := c.p.ByName("hook")
	if err := c.o.Admin.Hooks.Redeliver(c.r.Context(), id, c.p.ByName("delivery")); err != nil {
		return nil, err
	}
	c.note("webhook " + id + " redeliver")
	return c.deliveries()
}
