package hubapi

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

const (
	// displayCookie holds a paired screen's token, out of reach of scripts.
	displayCookie = "ns_display"
	// pairingCookie holds the code and the secret of a pairing under way.
	pairingCookie = "ns_pairing"
	// displayCookieAge is how long a screen may be switched off, in seconds.
	displayCookieAge = 400 * 24 * 60 * 60
	// cookiePath keeps both away from everything that is not a board.
	cookiePath = "/board"

	plainRefresh = 10 // seconds; slower than a board, quicker than anybody walks
	pairRefresh  = 5
	plainRows    = 6
)

// Plain is the board for engines without our script: a page that loads itself
// again and again.
type Plain struct {
	page  *template.Template
	words Words
	clock func() time.Time
}

// NewPlain reads the page's template from the built pages; nil without them.
func NewPlain(pages fs.FS, words Words, clock func() time.Time) (*Plain, error) {
	text, err := fs.ReadFile(pages, "plain.html")
	if err != nil {
		return nil, nil
	}
	page, err := template.New("plain").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("read the plain board: %w", err)
	}
	return &Plain{page: page, words: words, clock: clock}, nil
}

// plainCall is one call on the page.
type plainCall struct{ Number, Desk, Name, Label string }

// plainPage is what the template is filled with.
type plainPage struct {
	Words     Language
	Refresh   int
	Code      string // of a pairing under way
	Location  string
	Hero      *plainCall
	Rest      string // in the place of a call
	Rows      []plainCall
	Waiting   string
	AsOf      string
	Emergency []ticket.Card
}

func (p *Plain) write(w http.ResponseWriter, r *http.Request, page plainPage) {
	var out bytes.Buffer
	if err := p.page.Execute(&out, page); err != nil {
		ops.WriteError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(out.Bytes()) // who is gone needs no answer
}

// fill projects the board for one screen.
func (p *Plain) fill(s *ticket.State, d *ticket.Display) plainPage {
	b := s.BoardSnapshot()
	words := p.words.Of(b.Location.Languages)
	ours := func(t ticket.BoardTicket) bool {
		return d == nil || (len(d.Lines) == 0 || slices.Contains(d.Lines, t.Line)) && (d.Desk == 0 || d.Desk == t.Desk)
	}
	now := p.clock()
	page := plainPage{
		Words: words, Refresh: plainRefresh, Location: b.Location.Name, Emergency: b.Settings.Emergency, Rest: words.Say("idle"),
		AsOf: words.Say("asOf", "time", now.In(s.Location.Zone()).Format(time.TimeOnly)),
	}
	if !s.Location.OpenAt(now) {
		page.Rest = words.Say("closed")
	}
	waiting := 0
	for _, t := range b.Waiting {
		if d == nil || len(d.Lines) == 0 || slices.Contains(d.Lines, t.Line) {
			waiting++
		}
	}
	page.Waiting = words.Say("nobody")
	if waiting > 0 {
		page.Waiting = words.Say("waiting", "n", strconv.Itoa(waiting))
	}
	for _, t := range append(b.Serving, b.Recent...) {
		if !ours(t) || len(page.Rows) == plainRows {
			continue
		}
		c := plainCall{Number: t.PublicID, Desk: deskWords(words, b.Desks, t.Desk), Name: t.Name, Label: words.Say("called")}
		if page.Hero == nil && len(page.Rows) == 0 && t.Status == ticket.Called {
			c.Label = recallWords(words, t.Recalls)
			page.Hero = &c
			continue
		}
		page.Rows = append(page.Rows, c)
	}
	return page
}

func recallWords(words Language, recalls int) string {
	switch recalls {
	case 0:
		return words.Say("called")
	case 1:
		return words.Say("second")
	case 2:
		return words.Say("third")
	}
	return words.Say("nth", "n", strconv.Itoa(recalls+1))
}

// deskWords is "Desk 3", or a desk's own words.
func deskWords(words Language, desks []ticket.BoardDesk, id int) string {
	for _, d := range desks {
		if d.ID == id {
			if strings.Trim(d.Name, "0123456789") == "" {
				return words.Say("desk", "name", d.Name)
			}
			return d.Name
		}
	}
	return ""
}

// plain is GET /board/{location}/plain.
func (a *API) plain(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
	location := number(p, "location")
	if a.o.Screens.Plain == nil || location == 0 {
		ops.WriteError(w, r, wire.Errorf(wire.NotFound, "there is no such page"))
		return
	}
	id, err := a.screen(r, location)
	switch {
	case err == nil:
	case len(id.Locations) == 1 && id.Kind == auth.Display && id.Locations[0] != location:
		http.Redirect(w, r, "/board/"+strconv.Itoa(id.Locations[0])+"/plain", http.StatusSeeOther)
		return
	default:
		a.pairPlain(w, r, location)
		return
	}
	var page plainPage
	a.o.Ledger.View(location, func(s *ticket.State) { page = a.o.Screens.Plain.fill(s, s.Displays[id.Display]) })
	a.o.Screens.Plain.write(w, r, page)
}

// pairPlain shows a pairing code until staff claims it; the page's own refresh is
// the poll, and a cookie holds what a script would keep in its memory.
func (a *API) pairPlain(w http.ResponseWriter, r *http.Request, location int) {
	code, secret := "", ""
	if c, err := r.Cookie(pairingCookie); err == nil {
		code, secret, _ = strings.Cut(c.Value, ".")
	}
	paired, err := a.o.Pairings.Poll(code, secret)
	if err != nil { // none yet, or it ran out
		if code, secret, err = a.begin(r, location, "", AskerScreen); err == nil {
			a.setCookie(w, r, pairingCookie, code+"."+secret, int(codeTTL.Seconds()))
			paired, err = a.o.Pairings.Poll(code, secret)
		}
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	if paired != nil {
		a.setCookie(w, r, pairingCookie, "", -1)
		a.setCookie(w, r, displayCookie, paired.Token, displayCookieAge)
		http.Redirect(w, r, "/board/"+strconv.Itoa(paired.Location)+"/plain", http.StatusSeeOther)
		return
	}
	a.o.Screens.Plain.write(w, r, plainPage{Words: a.o.Screens.Plain.words.Of(nil), Refresh: pairRefresh, Code: code})
}

func (a *API) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: cookiePath, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: a.o.Secure != nil && a.o.Secure(r),
	})
}

// displayCookie says which screen's token the cookie holds. One that is no longer
// good counts as none: the screen is paired again.
func (a *API) displayCookie(r *http.Request) (auth.Identity, bool, error) {
	for _, c := range r.CookiesNamed(displayCookie) {
		if id, err := a.o.Auth.Token(c.Value); err == nil && id.Kind == auth.Display {
			return id, true, nil
		}
	}
	return auth.Identity{}, false, nil
}
