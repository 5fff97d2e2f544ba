package hubapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/store"
)

// Site is a website that shows the widget. Its key is public.
type Site struct {
	Key      string `json:"key"`
	Location int    `json:"location"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Color    string `json:"color"`
	Position string `json:"position"` // right or left
	Language string `json:"language"` // "": the visitor's own
	// Origins may use the key, beside our own pages: "https://shop.example",
	// "http://127.0.0.1:*" for any port, or "*" for every page there is.
	Origins []string `json:"origins"`
	// Texts are the words of each state: online, busy, closed, offlineForm.
	// Translations have the same by language.
	Texts        map[string]string            `json:"texts"`
	Translations map[string]map[string]string `json:"translations"`
	// Lines may be joined; none: all that are open.
	Lines           []int `json:"lines"`
	RequireIdentity bool  `json:"requireIdentity"`
	Attachments     bool  `json:"attachments"`
}

// Bounds of what a site may say.
const (
	maxSites       = 50
	maxSiteName    = 60
	maxOrigins     = 50
	maxSiteText    = 500
	maxTranslation = 40
)

// NewSiteKey draws a site's key.
func NewSiteKey() string { return "ns_wid_" + rand.Text()[:22] }

// SiteDoc is a site as it is stored.
func SiteDoc(s Site) (store.Doc, error) {
	s.fill()
	v, err := json.Marshal(s)
	return store.Doc{Kind: siteDocs, Key: s.Key, Value: v}, err
}

// siteTexts are the keys of Texts.
func siteTexts() []string { return []string{"online", "busy", "closed", "offlineForm"} }

var (
	colorForm  = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	languages  = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})?$`)
	originForm = regexp.MustCompile(`^https?://(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)(:([0-9]{1,5}|\*))?$`)
)

// fill gives what was left out its default.
func (s *Site) fill() {
	s.Color, s.Position = orElse(s.Color, "#1C7ED6"), orElse(s.Position, "right")
	s.Title = orElse(s.Title, s.Name)
	if s.Origins == nil {
		s.Origins = []string{}
	}
	if s.Lines == nil {
		s.Lines = []int{}
	}
	if s.Texts == nil {
		s.Texts = map[string]string{}
	}
	if s.Translations == nil {
		s.Translations = map[string]map[string]string{}
	}
}

func (s *Site) check(state *ticket.State) error {
	for _, f := range []struct {
		name  string
		value *string
	}{{"name", &s.Name}, {"title", &s.Title}} {
		v, err := oneLine(f.name, *f.value, maxSiteName)
		if err != nil {
			return err
		}
		if *f.value = v; v == "" {
			return wire.FieldError(f.name, "%s must not be empty", f.name)
		}
	}
	switch {
	case !colorForm.MatchString(s.Color):
		return wire.FieldError("color", "color is like #1C7ED6")
	case s.Position != "right" && s.Position != "left":
		return wire.FieldError("position", "position is right or left")
	case s.Language != "" && !languages.MatchString(s.Language):
		return wire.FieldError("language", "a language code is like en or pt-PT")
	case len(s.Origins) > maxOrigins:
		return wire.FieldError("origins", "at most %d origins", maxOrigins)
	case len(s.Translations) > maxTranslation:
		return wire.FieldError("translations", "at most %d languages", maxTranslation)
	}
	for i, o := range s.Origins {
		if s.Origins[i] = strings.ToLower(o); o != "*" && !originForm.MatchString(o) {
			return wire.FieldError("origins", "an origin is like https://shop.example, http://127.0.0.1:* or *")
		}
	}
	for _, line := range s.Lines {
		if l := state.Lines[line]; l == nil || l.Removed {
			return wire.FieldError("lines", "there is no line %d here", line)
		}
	}
	if err := checkTexts("texts", s.Texts); err != nil {
		return err
	}
	for language, texts := range s.Translations {
		if !languages.MatchString(language) {
			return wire.FieldError("translations", "a language code is like en or pt-PT")
		}
		if err := checkTexts("translations", texts); err != nil {
			return err
		}
	}
	return nil
}

func checkTexts(field string, texts map[string]string) error {
	for name, text := range texts {
		if !slices.Contains(siteTexts(), name) {
			return wire.FieldError(field, "texts are %s", strings.Join(siteTexts(), ", "))
		}
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxSiteText || strings.ContainsRune(text, 0) {
			return wire.FieldError(field, "a text has at most %d characters", maxSiteText)
		}
	}
	return nil
}

// oneLine checks a text of one line and trims it.
func oneLine(field, v string, most int) (string, error) {
	v = strings.TrimSpace(v)
	if !utf8.ValidString(v) || utf8.RuneCountInString(v) > most || strings.ContainsFunc(v, unicode.IsControl) {
		return "", wire.FieldError(field, "%s is one line of at most %d characters", field, most)
	}
	return v, nil
}

// allows reports whether a page may use the site's key. Without an Origin it is a
// page of ours that reads, or no browser at all.
func (s *Site) allows(r *http.Request) bool {
	o := strings.ToLower(r.Header.Get("Origin"))
	if o == "" || slices.Contains(s.Origins, "*") {
		return true
	}
	u, err := url.Parse(o)
	if err != nil || u.Host == "" { // null: of a page without an origin
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	anyPort := u.Scheme + "://" + strings.TrimSuffix(u.Host, ":"+u.Port()) + ":*"
	return slices.Contains(s.Origins, o) || slices.Contains(s.Origins, anyPort)
}

// site is the site of a key, for a page that may use it.
func (p *People) site(r *http.Request, key string) (*Site, error) {
	s := p.find(key)
	if s == nil {
		return nil, wire.Errorf(wire.NotFound, "there is no such site")
	}
	if !s.allows(r) {
		return nil, wire.Errorf(wire.Forbidden, "this site's key is not for pages of this origin")
	}
	return s, nil
}

func (p *People) find(key string) *Site {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.sites[key]
}

// SiteOrigins are the origins that may show a site's widget; false when there is
// no such site.
func (p *People) SiteOrigins(key string) ([]string, bool) {
	s := p.find(key)
	if s == nil {
		return nil, false
	}
	return slices.Clone(s.Origins), true
}

// siteAdmin is who asks, an administrator of the path's location.
func (a *API) siteAdmin(r *http.Request, location int) (auth.Identity, error) {
	id, err := a.staff(r)
	if err == nil && location < 1 {
		err = wire.Errorf(wire.NotFound, "there is no such location")
	}
	if err == nil {
		err = a.o.Access.Admin(id, location)
	}
	return id, err
}

// sites is GET /hub/v1/locations/{location}/sites.
func (a *API) sites(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	location := number(ps, "location")
	if _, err := a.siteAdmin(r, location); err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"sites": a.o.People.sitesOf(location)})
}

func (p *People) sitesOf(location int) []*Site {
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := []*Site{}
	for _, s := range p.sites {
		if s.Location == location {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(x, y *Site) int { return strings.Compare(x.Name+"\x00"+x.Key, y.Name+"\x00"+y.Key) })
	return out
}

// createSite is POST /hub/v1/locations/{location}/sites.
func (a *API) createSite(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	location := number(ps, "location")
	s := &Site{Attachments: true}
	id, err := a.siteAdmin(r, location)
	if err == nil {
		err = ops.ReadJSON(r, s)
	}
	if err == nil && len(a.o.People.sitesOf(location)) >= maxSites {
		err = wire.Errorf(wire.Conflict, "a location has at most %d sites", maxSites)
	}
	if err == nil {
		s.Key, s.Location = NewSiteKey(), location
		err = a.o.People.putSite(r.Context(), s)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	a.note(r, id, "site "+s.Key+" add")
	answer(w, http.StatusCreated, map[string]any{"site": s})
}

// putSite checks and keeps a site.
func (p *People) putSite(ctx context.Context, s *Site) error {
	s.fill()
	err := error(wire.Errorf(wire.NotFound, "there is no such location"))
	p.o.Ledger.View(s.Location, func(state *ticket.State) { err = s.check(state) })
	if err != nil {
		return err
	}
	doc, err := SiteDoc(*s)
	if err == nil {
		err = p.o.Ledger.PutDocs(ctx, doc)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sites[s.Key] = s
	return nil
}

// editSite is PATCH /hub/v1/sites/{key}: what is given is changed.
func (a *API) editSite(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	p.writing.Lock()
	defer p.writing.Unlock()
	old, id, err := a.ownSite(r, ps)
	var s Site
	if err == nil {
		s, err = old.clone()
	}
	if err == nil {
		// A member that is given is given whole: maps would be merged.
		var given struct{ Texts, Translations json.RawMessage }
		var body json.RawMessage
		if err = ops.ReadJSON(r, &body); err == nil && len(body) > 0 {
			if json.Unmarshal(body, &given) == nil && given.Texts != nil {
				s.Texts = nil
			}
			if given.Translations != nil {
				s.Translations = nil
			}
			err = readInto(body, &s)
		}
	}
	if err == nil {
		s.Key, s.Location = old.Key, old.Location
		err = p.putSite(r.Context(), &s)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	a.note(r, id, "site "+s.Key)
	answer(w, http.StatusOK, map[string]any{"site": s})
}

func (s *Site) clone() (out Site, err error) {
	b, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

// ownSite is the site of the path, for administrators of its location, and who asks.
func (a *API) ownSite(r *http.Request, ps httprouter.Params) (*Site, auth.Identity, error) {
	id, err := a.staff(r)
	if err != nil {
		return nil, id, err
	}
	s := a.o.People.find(ps.ByName("key"))
	if s == nil || !id.In(s.Location) {
		return nil, id, wire.Errorf(wire.NotFound, "there is no such site")
	}
	return s, id, a.o.Access.Admin(id, s.Location)
}

// deleteSite is DELETE /hub/v1/sites/{key}: its widget is gone at once.
func (a *API) deleteSite(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	p.writing.Lock()
	defer p.writing.Unlock()
	s, id, err := a.ownSite(r, ps)
	if err == nil {
		err = p.o.Ledger.PutDocs(r.Context(), store.Doc{Kind: siteDocs, Key: s.Key})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	p.mu.Lock()
	delete(p.sites, s.Key)
	p.mu.Unlock()
	a.note(r, id, "site "+s.Key+" remove")
	answer(w, http.StatusOK, struct{}{})
}
