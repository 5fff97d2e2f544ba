package queueapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// displayRoutes are the operations of section 5.4, and of section 5.7.
func displayRoutes() []route {
	return []route{
		{method: "GET", path: "/v1/tv/:id", do: getDisplay},
		{method: "POST", path: "/v1/tv/:id", do: renameDisplay},
		{method: "DELETE", path: "/v1/tv/:id", do: removeDisplay},
		{method: "POST", path: "/v1/tv/:id/heartbeat", do: heartbeat},
		{method: "GET", path: "/v1/tv/:id/emptystate", do: emptyState},
		{method: "GET", path: "/code", do: beginPairing, open: true},
		{method: "GET", path: "/code/:code", do: pollPairing, open: true},
		{method: "GET", path: "/v1/code", do: beginPairing, open: true},
		{method: "GET", path: "/v1/code/:code", do: pollPairing, open: true},
		{method: "POST", path: "/v1/webhooks", do: createWebhook},
		{method: "DELETE", path: "/v1/webhooks/:id", do: deleteWebhook},
	}
}

// displayJSON is a screen, which this API calls a TV. Source: the API's
// description, section 5.4.
type displayJSON struct {
	StatusCode int              `json:"statusCode"`
	ID         int              `json:"id"`
	Name       string           `json:"name"`
	Theme      string           `json:"theme"`
	Layout     string           `json:"layout"`
	Settings   *displaySettings `json:"settings,omitempty"`
}

type displaySettings struct {
	Lines []int `json:"lines"`
}

// display is the screen of the path and its location, if the key may know of
// it. A screen's own key knows no other screen.
func (c *call) display() (id, location int, err error) {
	missing := notFound("id", "TV with id "+clip(c.path.ByName("id"))+" not found")
	id, ok := smallID(c.path.ByName("id"))
	if !ok || c.id.Display != 0 && c.id.Display != id {
		return 0, 0, missing
	}
	for _, at := range c.locations() {
		c.Ledger.View(at, func(s *ticket.State) {
			if d := s.Displays[id]; d != nil && !d.Removed && d.Kind == "" { // a kiosk is no TV
				location = at
			}
		})
	}
	if location == 0 {
		return 0, 0, missing
	}
	return id, location, nil
}

func (c *call) showDisplay(id, location int) displayJSON {
	out := displayJSON{StatusCode: http.StatusOK}
	c.Ledger.View(location, func(s *ticket.State) {
		d := s.Displays[id]
		out.ID, out.Name, out.Theme, out.Layout = d.ID, d.Name, d.Theme, d.Layout
		if out.Theme == "" {
			out.Theme = s.Location.Settings.Theme
		}
		if out.Layout == "" {
			out.Layout = s.Location.Settings.Layout
		}
		if len(d.Lines) > 0 {
			out.Settings = &displaySettings{Lines: d.Lines}
		}
	})
	return out
}

func getDisplay(c *call) (any, error) {
	id, location, err := c.display()
	if err != nil {
		return nil, err
	}
	return c.showDisplay(id, location), nil
}

func renameDisplay(c *call) (any, error) {
	id, location, err := c.display()
	if err != nil {
		return nil, err
	}
	name := c.within("name", c.required("name"), 1, 50)
	if c.err != nil {
		return nil, c.err
	}
	cmd := ticket.EditDisplay{Display: id, Rename: ticket.Some(name)}
	if _, err := c.settle(ledger.Request{Location: location, Command: cmd}); err != nil {
		return nil, err
	}
	return c.showDisplay(id, location), nil
}

func removeDisplay(c *call) (any, error) {
	id, location, err := c.display()
	if err != nil {
		return nil, err
	}
	cmd := ticket.EditDisplay{Display: id, Remove: true}
	if _, err := c.settle(ledger.Request{Location: location, Command: cmd}); err != nil {
		return nil, err
	}
	if c.Screens != nil {
		if err := c.Screens.Revoke(c.r.Context(), c.id.Credential, id); err != nil {
			return nil, err
		}
	}
	return done(), nil
}

// heartbeat is POST /v1/tv/{id}/heartbeat: whatever the screen says of itself.
func heartbeat(c *call) (any, error) {
	id, _, err := c.display()
	if err != nil {
		return nil, err
	}
	if c.Screens != nil {
		meta := c.body
		if meta == nil {
			meta = json.RawMessage("{}")
		}
		c.Screens.Heartbeat(id, meta)
	}
	return done(), nil
}

// emptyTexts are what a screen shows when nobody waits, by language and layout.
func emptyTexts() map[string]map[string]string {
	return map[string]map[string]string{
		"en": {"goodMorning": "Good morning", "signIn": "Please sign in", "closed": "We are closed"},
		"de": {"goodMorning": "Guten Morgen", "signIn": "Bitte melden Sie sich an", "closed": "Wir haben geschlossen"},
		"es": {"goodMorning": "Buenos días", "signIn": "Regístrese, por favor", "closed": "Estamos cerrados"},
		"et": {"goodMorning": "Tere hommikust", "signIn": "Palun registreeruge", "closed": "Oleme suletud"},
		"fi": {"goodMorning": "Hyvää huomenta", "signIn": "Ilmoittautukaa", "closed": "Olemme suljettu"},
		"fr": {"goodMorning": "Bonjour", "signIn": "Veuillez vous inscrire", "closed": "Nous sommes fermés"},
		"pl": {"goodMorning": "Dzień dobry", "signIn": "Prosimy się zarejestrować", "closed": "Zamknięte"},
		"sv": {"goodMorning": "God morgon", "signIn": "Anmäl dig, tack", "closed": "Vi har stängt"},
	}
}

// emptyState is GET /v1/tv/{id}/emptystate.
func emptyState(c *call) (any, error) {
	_, location, err := c.display()
	if err != nil {
		return nil, err
	}
	language := c.text("language")
	if c.err != nil {
		return nil, c.err
	}
	out := struct {
		StatusCode int    `json:"statusCode"`
		Layout     string `json:"layout"`
		Message    string `json:"message"`
	}{StatusCode: http.StatusOK, Layout: "signIn"}
	now := c.Clock()
	c.Ledger.View(location, func(s *ticket.State) {
		local := now.In(s.Location.Zone())
		switch {
		case !s.Location.OpenAt(now):
			out.Layout = "closed"
		case local.Hour() < 11:
			out.Layout = "goodMorning"
		}
		if language == "" {
			language = s.Location.Languages[0]
		}
	})
	base, _, _ := strings.Cut(language, "-")
	texts := emptyTexts()[strings.ToLower(base)]
	if texts == nil {
		texts = emptyTexts()["en"]
	}
	out.Message = texts[out.Layout]
	return out, nil
}

func notOffered() error {
	return &fault{status: http.StatusNotFound, code: codeMissing, message: "this server does not offer this"}
}

// beginPairing is GET /code.
func beginPairing(c *call) (any, error) {
	if c.Pairing == nil {
		return nil, notOffered()
	}
	code, secret, err := c.Pairing.Begin(c.r.Context())
	return struct {
		StatusCode int    `json:"statusCode"`
		Code       string `json:"code"`
		Secret     string `json:"secret"`
	}{http.StatusOK, code, secret}, err
}

// pollPairing is GET /code/{code}.
func pollPairing(c *call) (any, error) {
	if c.Pairing == nil {
		return nil, notOffered()
	}
	secret := c.required("secret")
	if c.err != nil {
		return nil, c.err
	}
	p, err := c.Pairing.Poll(c.r.Context(), c.path.ByName("code"), secret)
	out := struct {
		StatusCode int    `json:"statusCode"`
		Status     string `json:"status"`
		ID         int    `json:"id,omitempty"`
		Key        string `json:"apiKey,omitempty"`
		Location   int    `json:"location,omitempty"`
	}{http.StatusOK, "NOT_PAIRED", p.Display, p.Key, p.Location}
	if p.Display != 0 {
		out.Status = "PAIRED"
	}
	return out, err
}

// webhookAdmin checks who may say where events go: they tell all of everybody, so
// it takes an administrator of every location of the key.
func (c *call) webhookAdmin() error {
	if c.id.Display != 0 {
		return wire.Errorf(wire.Forbidden, "a screen's key registers no webhooks")
	}
	if c.id.Everywhere || len(c.id.Locations) == 0 {
		return c.Access.Admin(c.id, ledger.Directory)
	}
	for _, location := range c.id.Locations {
		if err := c.Access.Admin(c.id, location); err != nil {
			return err
		}
	}
	return nil
}

// createWebhook is POST /v1/webhooks. Only the form is looked at here; where a
// URL may lead is for the part that sends.
func createWebhook(c *call) (any, error) {
	if c.Webhooks == nil {
		return nil, notOffered()
	}
	url := c.within("url", c.required("url"), 1, 512)
	if c.err == nil && !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		c.params.fail(bad("url", "url begins with http:// or https://"))
	}
	if c.err != nil {
		return nil, c.err
	}
	if err := c.webhookAdmin(); err != nil {
		return nil, err
	}
	id, secret, err := c.Webhooks.Create(c.r.Context(), c.id, url)
	return struct {
		StatusCode int    `json:"statusCode"`
		ID         string `json:"id"`
		Secret     string `json:"secret"`
	}{http.StatusOK, id, secret}, err
}

// deleteWebhook is DELETE /v1/webhooks/{id}.
func deleteWebhook(c *call) (any, error) {
	if c.Webhooks == nil {
		return nil, notOffered()
	}
	if err := c.webhookAdmin(); err != nil {
		return nil, err
	}
	if err := c.Webhooks.Delete(c.r.Context(), c.id, c.path.ByName("id")); err != nil {
		if wire.CodeOf(err) == wire.NotFound {
			return nil, renamed(err, "", "id")
		}
		return nil, err
	}
	return done(), nil
}
