package hubapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

// siteLook is of a site what everybody may see.
type siteLook struct {
	Name            string                       `json:"name"`
	Title           string                       `json:"title"`
	Color           string                       `json:"color"`
	Position        string                       `json:"position"`
	Language        string                       `json:"language"`
	Texts           map[string]string            `json:"texts"`
	Translations    map[string]map[string]string `json:"translations"`
	RequireIdentity bool                         `json:"requireIdentity"`
	Attachments     bool                         `json:"attachments"`
	Lines           []int                        `json:"lines"`
}

// SiteConfig is what a widget shows before anybody has written.
type SiteConfig struct {
	Site     siteLook             `json:"site"`
	Location ticket.BoardLocation `json:"location"`
	Open     bool                 `json:"open"`
	// Opens is when it opens next; absent while it is open or nobody knows.
	Opens string `json:"opens,omitempty"`
	// Available says that somebody is there to answer.
	Available bool       `json:"available"`
	Lines     []openLine `json:"lines"`
	Limits    limits     `json:"limits"`
	Time      string     `json:"time,omitempty"`
}

// openLine is a line as somebody sees it who may join it.
type openLine struct {
	ID      int               `json:"id"`
	Name    string            `json:"name"`
	Names   map[string]string `json:"names,omitempty"` // in other languages
	Color   string            `json:"color"`
	Waiting int               `json:"waiting"`
	Wait    *ticket.WaitRange `json:"wait,omitempty"`
	Open    bool              `json:"open"`
}

// limits are how much one message may hold.
type limits struct {
	Text int `json:"text"`
	File int `json:"file"`
}

func visitLimits() limits { return limits{Text: ticket.MaxMessage, File: chatapi.MaxFile} }

// siteConfig is a site as it is now, without the time; false when it is gone.
func (p *People) siteConfig(key string) (c SiteConfig, ok bool) {
	s := p.find(key)
	if s == nil {
		return c, false
	}
	ok = p.o.Ledger.View(s.Location, func(state *ticket.State) {
		c = SiteConfig{
			Site: siteLook{
				s.Name, s.Title, s.Color, s.Position, s.Language, s.Texts, s.Translations, s.RequireIdentity, s.Attachments, s.Lines,
			},
			Location: state.BoardLocation(), Limits: visitLimits(),
		}
		c.Open, c.Opens = p.hours(state)
		c.Lines = p.openLines(state, s.Lines)
	})
	if ok {
		c.Available = p.available(s.Location)
	}
	return c, ok
}

// hours says whether a location is open, and else from when on.
func (p *People) hours(s *ticket.State) (open bool, opens string) {
	now := p.o.Clock()
	if s.Location.OpenAt(now) {
		return true, ""
	}
	if at, ok := s.Location.NextOpening(now); ok {
		opens = wire.Time(at)
	}
	return false, opens
}

// openLines are the lines of a list, or all; an archived one is none's business.
func (p *People) openLines(s *ticket.State, only []int) []openLine {
	out := []openLine{}
	open := s.Location.OpenAt(p.o.Clock())
	for _, l := range s.SortedLines() {
		if l.Archived || len(only) > 0 && !slices.Contains(only, l.ID) {
			continue
		}
		b := s.BoardLine(l)
		out = append(out, openLine{
			ID: l.ID, Name: l.Name, Names: l.Translations, Color: l.Color, Waiting: b.Waiting, Wait: b.Wait, Open: open && l.Open(),
		})
	}
	return out
}

// available reports whether somebody of a location would answer now: a user whose
// chat status is Online, or who never set one and has a console open.
func (p *People) available(location int) bool {
	status := map[string]bool{}
	var users []int
	p.o.Ledger.View(location, func(s *ticket.State) {
		for _, u := range s.SortedUsers() {
			users = append(users, u.ID)
		}
	})
	for _, u := range users {
		status[p.o.Status(u)] = true
	}
	if status["Online"] {
		return true
	}
	return status[""] && slices.ContainsFunc(p.o.Present(int64(location)), isStaff)
}

// widgetConfig is GET /hub/v1/widget/{key}.
func (a *API) widgetConfig(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	s, err := p.site(r, ps.ByName("key"))
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	c, _ := p.siteConfig(s.Key)
	c.Time = wire.Time(p.o.Clock())
	answer(w, http.StatusOK, c)
}

// widgetForm is what a widget sends of somebody who begins a conversation.
type widgetForm struct {
	Text             string            `json:"text"`
	Name             string            `json:"name"`
	Email            string            `json:"email"`
	PhoneNumber      string            `json:"phoneNumber"`
	LanguageCode     string            `json:"languageCode"`
	Fields           map[string]string `json:"fields"`
	Identity         string            `json:"identity"`
	UniqueIdentifier string            `json:"uniqueIdentifier"`
	Page             pageOf            `json:"page"`
	Line             int               `json:"line"`
}

const (
	maxVisitorName = 100
	maxField       = 2000
)

// check looks at what a person typed, and names the field that is wrong.
func (f *widgetForm) check(open bool) (err error) {
	switch {
	case !utf8.ValidString(f.Text) || strings.ContainsRune(f.Text, 0):
		return wire.FieldError("text", "text is not valid")
	case utf8.RuneCountInString(f.Text) > ticket.MaxMessage:
		return &wire.Error{Code: wire.TooLarge, Field: "text", Message: "a message has at most " + strconv.Itoa(ticket.MaxMessage) + " characters"}
	case strings.TrimSpace(f.Text) == "" && f.Line == 0:
		return wire.FieldError("text", "a message needs a text")
	}
	if f.Name, err = oneLine("name", f.Name, maxVisitorName); err != nil {
		return err
	}
	if f.Email, err = oneLine("email", f.Email, maxVisitorName); err != nil {
		return err
	}
	if !open && f.Email == "" {
		return wire.FieldError("email", "we are closed now; where may we answer?")
	}
	if f.LanguageCode != "" && !languages.MatchString(f.LanguageCode) {
		return wire.FieldError("languageCode", "a language code is like en or pt-PT")
	}
	for name, v := range f.Fields {
		n, ok := strings.CutPrefix(name, "field")
		i, bad := strconv.Atoi(n)
		if !ok || bad != nil || i < 1 || i > 10 || n != strconv.Itoa(i) {
			return wire.FieldError("fields", "fields are field1 to field10")
		}
		if utf8.RuneCountInString(v) > maxField {
			return wire.FieldError("fields", "%s has at most %d characters", name, maxField)
		}
	}
	if f.UniqueIdentifier != "" {
		if f.UniqueIdentifier, err = guid("uniqueIdentifier", f.UniqueIdentifier); err != nil {
			return err
		}
	}
	return nil
}

// widgetTicket is POST /hub/v1/widget/{key}/tickets.
func (a *API) widgetTicket(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	s, err := p.site(r, ps.ByName("key"))
	var body []byte
	var f widgetForm
	key := ""
	if err == nil {
		key, err = idempotency(r, "widget:"+ps.ByName("key"), minKey)
	}
	if err == nil {
		body, err = io.ReadAll(r.Body)
	}
	if err == nil {
		err = readInto(body, &f)
	}
	if err == nil {
		err = p.strangers(a.o.ClientIP(r), s.Key)
	}
	var e entry
	if err == nil {
		e, err = p.begin(r.Context(), &beginning{site: s, form: f, key: key, print: printOf(body), agent: r.UserAgent(), addr: a.o.ClientIP(r)})
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusCreated, e)
}

// strangers counts a new conversation.
func (p *People) strangers(addr, site string) error {
	return errors.Join(pass(p.ticketsAddr, limit.AddrKey(addr)), pass(p.ticketsSite, site))
}

// printOf tells one request's body from another's.
func printOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// readInto reads JSON that was taken in before.
func readInto(body []byte, to any) error {
	return ops.ReadJSON(&http.Request{Body: io.NopCloser(bytes.NewReader(body))}, to)
}

// beginning is one request to begin a conversation.
type beginning struct {
	site        *Site
	form        widgetForm
	key, print  string
	agent, addr string
	person      *person
	department  string
}

func (b *beginning) actor() ticket.Actor {
	return ticket.Actor{Kind: ticket.ActorVisitor, Credential: widgetCredential + b.site.Key}
}

// widgetCredential begins the credential of whoever comes through a widget.
const widgetCredential = "widget:"

// begin opens a conversation, or goes on with the one that a verified person has.
func (p *People) begin(ctx context.Context, b *beginning) (entry, error) {
	open := false
	p.o.Ledger.View(b.site.Location, func(s *ticket.State) {
		open, b.department = s.Location.OpenAt(p.o.Clock()), s.Location.GUID
	})
	if err := b.form.check(open); err != nil {
		return entry{}, err
	}
	if err := p.identify(b); err != nil {
		return entry{}, err
	}
	if b.form.Line != 0 {
		if err := p.mayJoin(b.site, b.form.Line, open); err != nil {
			return entry{}, err
		}
	}
	res, resumed, err := p.open(ctx, b)
	if err != nil {
		return entry{}, err
	}
	if b.form.Line != 0 {
		if err := p.joinLine(ctx, b, res.Ticket.ID); err != nil {
			return entry{}, err
		}
	}
	e, err := p.admit(ctx, widgetCredential+b.site.Key, res.Ticket)
	e.Resumed = resumed
	return e, err
}

// open makes the ticket, or finds the person's own and writes there.
func (p *People) open(ctx context.Context, b *beginning) (res ledger.Result, resumed bool, err error) {
	request := ledger.Request{Location: b.site.Location, Actor: b.actor(), Key: b.key, Print: b.print}
	if b.person != nil {
		// Two tabs of one person must not begin two conversations.
		mu := &p.persons[b.person.hash[0]%byte(len(p.persons))]
		mu.Lock()
		defer mu.Unlock()
		own, err := p.conversationOf(b.person)
		if err != nil {
			return res, false, err
		}
		if own != nil {
			res, err = p.goOn(ctx, request, own, b.form.Text)
			return res, true, err
		}
	}
	c := b.command()
	request.Command = c
	if b.person == nil && b.form.UniqueIdentifier != "" { // said, not proved: it is nobody's contact
		res, err = p.o.Ledger.Do(ctx, request)
		return res, false, err
	}
	err = p.o.Files.LinkVisitor(b.department, c.Participants, func(docs []store.Doc) error {
		request.Docs = docs
		res, err = p.o.Ledger.Do(ctx, request)
		return err
	})
	return res, false, err
}

// goOn writes into a conversation that is there. The key is the one that would
// have made it, so that a request that comes again does nothing twice.
func (p *People) goOn(ctx context.Context, r ledger.Request, t *ticket.Ticket, text string) (ledger.Result, error) {
	if strings.TrimSpace(text) == "" {
		return ledger.Result{Location: t.Location, Ticket: t}, nil
	}
	r.Location, r.Command = t.Location, ticket.SendMessage{Ref: ticket.Ref{ID: ticket.TicketID(t.ID)}, Text: text}
	return p.o.Ledger.Do(ctx, r)
}

// mayJoin checks a line before anything is made.
func (p *People) mayJoin(s *Site, line int, open bool) error {
	found, able := false, false
	p.o.Ledger.View(s.Location, func(state *ticket.State) {
		if l := state.Lines[line]; l != nil && !l.Removed && !l.Archived {
			found, able = len(s.Lines) == 0 || slices.Contains(s.Lines, line), l.Open()
		}
	})
	switch {
	case !found:
		return wire.FieldError("line", "this line is not offered here")
	case !able:
		return &wire.Error{Code: wire.Conflict, Field: "line", Message: "this line takes nobody now"}
	case !open:
		return ticket.Closed()
	}
	return nil
}

func (p *People) joinLine(ctx context.Context, b *beginning, id int64) error {
	t, err := p.o.Ledger.Ticket(id)
	if err != nil || t.Place.Status != ticket.Unplaced {
		return err // a request that came again, or somebody who waits already
	}
	_, err = p.o.Ledger.Do(ctx, ledger.Request{
		Location: b.site.Location, Actor: b.actor(),
		Command: ticket.Enqueue{Ref: ticket.Ref{ID: ticket.TicketID(id)}, Line: b.form.Line},
	})
	return err
}
