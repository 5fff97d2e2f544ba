package hubapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/julienschmidt/httprouter"

	"github.com/nowserving/nowserving/hub"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/ops"
)

// person is somebody whose identity the site's own backend has signed.
type person struct {
	id     string // UUID, lower case
	hash   [sha256.Size]byte
	fields map[string]string
	claims json.RawMessage
}

const (
	maxIdentityToken = 8 << 10
	maxClaims        = 500 // characters of what a token says beside the known claims
	// clockSkew is how far the site's clock may be off.
	clockSkew = time.Minute
)

func guid(field, v string) (string, error) {
	id, err := uuid.Parse(v)
	if err != nil || len(v) != 36 {
		return "", wire.FieldError(field, "%s is not a UUID", field)
	}
	return id.String(), nil
}

// notProved is the one answer for every token that is not right: whoever tries
// tokens out learns nothing.
func notProved() error {
	return &wire.Error{Code: wire.Unauthenticated, Field: "identity", Message: "the identity token is not valid"}
}

// identify reads a request's identity token, if it has one.
func (p *People) identify(b *beginning) error {
	if b.form.Identity == "" {
		if b.site.RequireIdentity {
			return wire.FieldError("identity", "this site takes signed identities only")
		}
		return nil
	}
	who, err := p.prove(b.form.Identity, b.department)
	if err != nil {
		return err
	}
	if b.form.UniqueIdentifier != "" && b.form.UniqueIdentifier != who.id {
		return wire.FieldError("uniqueIdentifier", "the identity token is of somebody else")
	}
	b.person = who
	return nil
}

// prove checks an identity token: HS256 and nothing else, signed with one of the
// department's secrets, for this department, and not run out.
func (p *People) prove(token, department string) (*person, error) {
	if len(token) > maxIdentityToken {
		return nil, notProved()
	}
	secrets, err := p.o.Auth.ChatSecrets(department)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(strings.ToLower(department)),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(p.o.Clock), jwt.WithStrictDecoding(),
	)
	for _, secret := range secrets {
		claims := jwt.MapClaims{}
		if _, err := parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil }); err == nil {
			return readPerson(claims, department)
		}
	}
	return nil, notProved()
}

// readPerson takes what a token that was checked says.
func readPerson(claims jwt.MapClaims, department string) (*person, error) {
	audience, _ := claims["aud"].(string)
	id, err := guid("identity", audience)
	subject, _ := claims["sub"].(string)
	if err != nil || id != audience || subject != "" || claims["iat"] == nil {
		return nil, notProved()
	}
	who := &person{id: id, fields: map[string]string{}}
	who.hash = personHash(department, id)
	rest := maps.Clone(claims)
	for _, known := range []string{"iss", "aud", "exp", "iat", "nbf", "sub", "jti"} {
		delete(rest, known)
	}
	for i := range 4 {
		name := "field" + strconv.Itoa(i+1)
		v, given := rest[name]
		if text, ok := v.(string); ok && utf8.RuneCountInString(text) <= maxField {
			who.fields[name] = text
		} else if given {
			return nil, wire.FieldError("identity", "%s of the identity token is a text of at most %d characters", name, maxField)
		}
		delete(rest, name)
	}
	if len(rest) > 0 {
		if who.claims, err = json.Marshal(rest); err != nil {
			return nil, err
		}
		if utf8.RuneCount(who.claims) > maxClaims {
			return nil, wire.FieldError("identity", "the further claims of the identity token have more than %d characters", maxClaims)
		}
	}
	return who, nil
}

// personHash names a person without writing their identifier anywhere.
func personHash(department, id string) [sha256.Size]byte {
	return sha256.Sum256([]byte("person\x00" + strings.ToLower(department) + "\x00" + id))
}

// conversationOf is the newest conversation of a person that still goes on; nil
// when there is none.
func (p *People) conversationOf(who *person) (*ticket.Ticket, error) {
	var found *ticket.Ticket
	for d, err := range p.o.Ledger.Docs(identityDocs(hex.EncodeToString(who.hash[:]))) {
		if err != nil {
			return nil, fmt.Errorf("find a person's conversation: %w", err)
		}
		id, err := strconv.ParseInt(strings.TrimLeft(d.Key, "0"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("find a person's conversation: %w", err)
		}
		t, err := p.o.Ledger.Ticket(id)
		if err == nil {
			t, err = p.successor(t)
		}
		if err != nil {
			return nil, err
		}
		if !t.Erased && t.Live() && t.Conversation.State != ticket.ConversationClosed {
			found = t // keys ascend, so the last one is the newest
		}
	}
	return found, nil
}

// widgetResume is POST /hub/v1/widget/{key}/resume: the conversation that a
// verified person has, on whatever device.
func (a *API) widgetResume(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	p := a.o.People
	var body struct {
		Identity string `json:"identity"`
	}
	s, err := p.site(r, ps.ByName("key"))
	if err == nil {
		err = ops.ReadJSON(r, &body)
	}
	if err == nil && body.Identity == "" {
		err = wire.FieldError("identity", "who is it?")
	}
	if err == nil {
		err = pass(p.calls, "resume "+a.o.ClientIP(r))
	}
	var e entry
	if err == nil {
		e, err = p.resume(r.Context(), s, body.Identity)
	}
	if err != nil {
		ops.WriteError(w, r, err)
		return
	}
	answer(w, http.StatusOK, e)
}

func (p *People) resume(ctx context.Context, s *Site, token string) (entry, error) {
	department := ""
	p.o.Ledger.View(s.Location, func(state *ticket.State) { department = state.Location.GUID })
	who, err := p.prove(token, department)
	if err != nil {
		return entry{}, err
	}
	t, err := p.conversationOf(who)
	if err == nil && t == nil {
		err = wire.Errorf(wire.NotFound, "there is no conversation to go on with")
	}
	if err != nil {
		return entry{}, err
	}
	e, err := p.admit(ctx, widgetCredential+s.Key, t)
	e.Resumed = true
	return e, err
}

// pageOf is the page that a conversation was begun on.
type pageOf struct {
	URL      string `json:"url"`
	Title    string `json:"title"`
	Referrer string `json:"referrer"`
}

// cut makes a text that nobody typed fit, rather than refuse what somebody did.
func cut(v string, most int) string {
	v = strings.ReplaceAll(strings.ToValidUTF8(v, ""), "\x00", "")
	if r := []rune(v); len(r) > most {
		return string(r[:most])
	}
	return v
}

func webPage(v string) *url.URL {
	u, err := url.Parse(cut(v, maxField))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	return u
}

// details tell where the conversation comes from. They are the visitor's, so they
// go with an erasure.
func (b *beginning) details() *ticket.Details {
	d := &ticket.Details{UserAgent: cut(b.agent, 500), IPAddress: b.addr}
	d.IsMobile = strings.Contains(b.agent, "Mobile")
	if u := webPage(b.form.Page.URL); u != nil {
		d.Source = ticket.Origin{Title: cut(b.form.Page.Title, 300), URI: u.String()}
		q := u.Query()
		utm := ticket.UTM{
			Source: cut(q.Get("utm_source"), 200), Medium: cut(q.Get("utm_medium"), 200), Campaign: cut(q.Get("utm_campaign"), 200),
			Content: cut(q.Get("utm_content"), 200), Term: cut(q.Get("utm_term"), 200),
		}
		if utm != (ticket.UTM{}) {
			d.Referral.UTM = &utm
		}
	}
	if u := webPage(b.form.Page.Referrer); u != nil {
		d.Referral.RefData = u.String()
	}
	if b.person != nil {
		d.Claims = b.person.claims
	}
	return d
}

// command opens the conversation.
func (b *beginning) command() ticket.OpenConversation {
	f := &b.form
	c := ticket.OpenConversation{
		Culture: ticket.CultureOf(f.LanguageCode), Language: f.LanguageCode, Details: b.details(), Email: f.Email, PhoneNumber: f.PhoneNumber,
		Participants: []ticket.Newcomer{{
			Type: ticket.ParticipantClient, Protocol: ticket.ProtocolWeb,
			ParticipantName: ticket.ParticipantName{Name: f.Name, Identifier: cmp.Or(f.UniqueIdentifier, randomGUID())},
		}},
	}
	fields := maps.Clone(f.Fields)
	if b.person != nil {
		c.UniqueArgument, c.Participants[0].Identifier = b.person.id, b.person.id
		if fields == nil {
			fields = map[string]string{}
		}
		maps.Copy(fields, b.person.fields) // what is signed wins
	}
	for i := range c.Fields {
		c.Fields[i] = fields["field"+strconv.Itoa(i+1)]
	}
	if strings.TrimSpace(f.Text) != "" {
		c.Messages = []ticket.FirstMessage{{Text: f.Text}}
	}
	return c
}

func isStaff(m hub.Member) bool { return string(m.Audience) == string(auth.Staff) }
