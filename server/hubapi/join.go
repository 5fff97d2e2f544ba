package hubapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

// Visitors is how people take a number without a clerk.
type Visitors struct {
	// Remote lets anybody take a number on the location's page.
	Remote bool `json:"remote"`
	// Fields are asked: firstName, lastName, phoneNumber, email. KioskFields are
	// the same at a kiosk; nil: as Fields.
	Fields      []string `json:"fields"`
	KioskFields []string `json:"kioskFields"`
	// KioskTimeout ends what somebody has left at a kiosk, in seconds.
	KioskTimeout int `json:"kioskTimeout"`
	// Print lets a kiosk print the number after it was given.
	Print bool `json:"print"`
	// TextCards are shown at a kiosk while nobody uses it.
	TextCards []ticket.Card `json:"textCards"`
}

// The seconds of KioskTimeout.
const (
	defaultTimeout = 25
	minTimeout     = 10
	maxTimeout     = 120
	maxTextCards   = 24
	maxCardText    = 140
)

func (v *Visitors) fill() {
	if v.KioskTimeout == 0 {
		v.KioskTimeout = defaultTimeout
	}
	if v.Fields == nil {
		v.Fields = []string{}
	}
	if v.TextCards == nil {
		v.TextCards = []ticket.Card{}
	}
}

func (v *Visitors) check() error {
	for name, fields := range map[string][]string{"fields": v.Fields, "kioskFields": v.KioskFields} {
		for i, f := range fields {
			if namedField(f) == "" || slices.Contains(fields[:i], f) {
				return wire.FieldError(name, "%s are firstName, lastName, phoneNumber and email, each once", name)
			}
		}
	}
	if v.KioskTimeout < minTimeout || v.KioskTimeout > maxTimeout {
		return wire.FieldError("kioskTimeout", "kioskTimeout is %d to %d seconds", minTimeout, maxTimeout)
	}
	if len(v.TextCards) > maxTextCards {
		return wire.FieldError("textCards", "at most %d cards", maxTextCards)
	}
	for i := range v.TextCards {
		c := &v.TextCards[i]
		text, err := oneLine("textCards", c.Text, maxCardText)
		if err != nil {
			return err
		}
		if c.Text = text; text == "" || !languages.MatchString(c.Language) {
			return wire.FieldError("textCards", "a card has a language and a text")
		}
	}
	return nil
}

// VisitorsDoc is a location's settings as they are stored.
func VisitorsDoc(location int, v Visitors) (store.Doc, error) {
	v.fill()
	b, err := json.Marshal(v)
	return store.Doc{Kind: visitorsDocs, Key: strconv.Itoa(location), Value: b}, err
}

func (p *People) visitorsOf(location int) Visitors {
	p.mu.RLock()
	defer p.mu.RUnlock()
	v := p.visitors[location]
	v.fill()
	return v
}

// visitorsSettings is GET /hub/v1/locations/{location}/visitors.
func (a *API) visitorsSettings(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	location := number(ps, "location")
	if _, err := a.siteAdmin(r, location); err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, a.o.People.visitorsOf(location))
}

// setVisitors is PUT /hub/v1/locations/{location}/visitors.
func (a *API) setVisitors(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p, location := a.o.People, number(ps, "location")
	var v Visitors
	id, err := a.siteAdmin(r, location)
	if err == nil && !p.o.Ledger.View(location, func(*ticket.State) {}) {
		err = wire.Errorf(wire.NotFound, "there is no such location")
	}
	if err == nil {
		err = ops.ReadJSON(r, &v)
	}
	if err == nil {
		v.fill()
		err = v.check()
	}
	var doc store.Doc
	if err == nil {
		doc, err = VisitorsDoc(location, v)
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	if err == nil {
		err = p.o.Ledger.PutDocs(r.Context(), doc)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	p.mu.Lock()
	p.visitors[location] = v
	p.mu.Unlock()
	a.note(r, id, "visitors of location "+strconv.Itoa(location))
	answer(w, http.StatusOK, v)
}

// JoinConfig is what somebody sees who is about to take a number.
type JoinConfig struct {
	Location ticket.BoardLocation `json:"location"`
	Open     bool                 `json:"open"`
	Opens    string               `json:"opens,omitempty"`
	Lines    []openLine           `json:"lines"`
	Fields   []askedField         `json:"fields"`
	// Timeout, Print and TextCards are for kiosks.
	Timeout   int           `json:"timeout"`
	Print     bool          `json:"print"`
	TextCards []ticket.Card `json:"textCards"`
	Time      string        `json:"time"`
}

func (p *People) joinConfig(location int, kiosk bool) (c JoinConfig, ok bool) {
	v := p.visitorsOf(location)
	ok = p.o.Ledger.View(location, func(s *ticket.State) {
		c = JoinConfig{
			Location: s.BoardLocation(), Lines: p.openLines(s, nil), Fields: v.asked(s.Location, kiosk),
			Timeout: v.KioskTimeout, Print: v.Print, TextCards: v.TextCards, Time: wire.Time(p.o.Clock()),
		}
		c.Open, c.Opens = p.hours(s)
	})
	return c, ok
}

// remote is the location of the path, if numbers are given there from afar.
func (a *API) remote(ps httprouter.Params) (int, error) {
	location := number(ps, "location")
	if location < 1 || !a.o.People.visitorsOf(location).Remote {
		return 0, wire.Errorf(wire.NotFound, "no numbers are given here")
	}
	return location, nil
}

// joinConfig is GET /hub/v1/join/{location}.
func (a *API) joinConfig(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	location, err := a.remote(ps)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	c, ok := a.o.People.joinConfig(location, false)
	if !ok {
		ops.WriteError(w, r, wire.Errorf(wire.NotFound, "no numbers are given here"))
		return
	}
	answer(w, http.StatusOK, c)
}

// joinTicket is POST /hub/v1/join/{location}/tickets.
func (a *API) joinTicket(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	location, err := a.remote(ps)
	if err == nil {
		addr := limit.AddrKey(a.o.ClientIP(r))
		err = errors.Join(pass(p.joinAddr, addr), pass(p.joinLocation, strconv.Itoa(location)))
	}
	n := &newcomer{
		location: location, source: ticket.SourceMicrosite, least: minKey, scope: "join:" + strconv.Itoa(location),
		actor: ticket.Actor{Kind: ticket.ActorVisitor, Credential: "join:" + strconv.Itoa(location)},
	}
	e, view, err := a.take(r, n, err)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"ticket": view, "token": e.Token, "expires": e.Expires, "link": a.link(r, e.Token)})
}

// newcomer is how somebody comes to a number.
type newcomer struct {
	location      int
	kiosk         bool
	source, scope string
	least         int // of the idempotency key
	actor         ticket.Actor
}

// take gives somebody a number, unless err.
func (a *API) take(r *http.Request, n *newcomer, err error) (e entry, view ticket.VisitorTicket, _ error) {
	p := a.o.People
	var f joinForm
	key := ""
	if err == nil {
		key, err = idempotency(r, n.scope, n.least)
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(r.Body)
	}
	if err == nil && len(bytes.TrimSpace(body)) > 0 {
		err = readInto(body, &f)
	}
	var c ticket.Create
	if err == nil {
		c, err = p.create(n, &f)
	}
	var res ledger.Result
	if err == nil {
		res, err = p.o.Ledger.Do(r.Context(), ledger.Request{Location: n.location, Command: c, Actor: n.actor, Key: key, Print: printOf(body)})
	}
	if err == nil {
		e, err = p.admit(r.Context(), n.actor.Credential, res.Ticket)
	}
	if err != nil {
		return e, view, err
	}
	p.o.Ledger.View(n.location, func(s *ticket.State) {
		t := res.Ticket
		if live := s.Tickets[t.ID]; live != nil {
			t = live
		}
		view = s.VisitorTicket(t)
	})
	return e, view, nil
}

// kioskOf is the paired kiosk that asks.
func (a *API) kioskOf(r *http.Request) (auth.Identity, error) {
	id, found, err := a.o.Auth.Bearer(r)
	switch {
	case err != nil:
		return id, err
	case !found:
		return id, wire.Errorf(wire.Unauthenticated, "this is for paired kiosks")
	case id.Kind != auth.Kiosk || len(id.Locations) != 1:
		return id, wire.Errorf(wire.Forbidden, "this is for paired kiosks")
	}
	return id, nil
}

// kioskConfig is GET /hub/v1/kiosk.
func (a *API) kioskConfig(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.kioskOf(r)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	c, _ := a.o.People.joinConfig(id.Locations[0], true)
	answer(w, http.StatusOK, c)
}

// kioskTicket is POST /hub/v1/kiosk/tickets.
func (a *API) kioskTicket(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	id, err := a.kioskOf(r)
	n := &newcomer{kiosk: true, source: ticket.SourceName, least: 1, scope: id.Credential, actor: actor(id)}
	if err == nil {
		n.location = id.Locations[0]
		err = pass(a.o.People.kiosk, id.Credential)
	}
	e, view, err := a.take(r, n, err)
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"ticket": view, "link": a.link(r, e.Token)})
}
