package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/server/auth"
	"github.com/nowserving/nowserving/server/hubapi"
	"github.com/nowserving/nowserving/store"
)

// demoFile describes the demonstration branch to people, tools and tests.
const demoFile = "demo.json"

// Demo is the content of demo.json.
type Demo struct {
	URL           string            `json:"url"`
	Location      int               `json:"location"`
	DepartmentID  string            `json:"departmentId"`
	DepartmentID2 string            `json:"departmentId2"`
	Lines         []int             `json:"lines"`
	Desks         []int             `json:"desks"`
	Users         []DemoUser        `json:"users"`
	QueueAPIKey   string            `json:"queueApiKey"`
	ChatAPIKey    string            `json:"chatApiKey"`
	ChatAPISecret string            `json:"chatApiSecret"`
	ChatUserName  string            `json:"chatUserName"`
	DisplayToken  string            `json:"displayToken"`
	StaffToken    string            `json:"staffToken"`
	WidgetKey     string            `json:"widgetKey"`
	TVs           []int             `json:"tvs"`
	Pages         map[string]string `json:"pages"`
	VisitorTicket string            `json:"visitorTicket"`
}

// DemoUser can sign in.
type DemoUser struct {
	ID       int    `json:"id"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// demoMaker makes the demonstration branch step by step; the first error ends it.
type demoMaker struct {
	ctx    context.Context
	ledger *ledger.Ledger
	auth   *auth.Authenticator
	// visitTTL is how long a visitor's link works.
	visitTTL time.Duration
	err      error
}

func (m *demoMaker) do(location int, c ticket.Command, docs ...store.Doc) ledger.Result {
	if m.err != nil {
		return ledger.Result{}
	}
	res, err := m.ledger.Do(m.ctx, ledger.Request{
		Location: location, Command: c, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "demo"}, Docs: docs,
	})
	if err != nil {
		m.err = fmt.Errorf("make the demo: %s: %w", c.Name(), err)
	}
	return res
}

func (m *demoMaker) issue(s auth.Spec) string {
	if m.err != nil {
		return ""
	}
	token, _, err := m.auth.Issue(m.ctx, "demo", s)
	if err != nil {
		m.err = fmt.Errorf("make the demo: issue %s: %w", s.Type, err)
	}
	return token
}

// demo makes the demonstration branch in an empty folder and writes demo.json;
// in a folder that has one it only brings the addresses up to date.
func (n *Node) demo(ctx context.Context, base string) error {
	path := filepath.Join(n.o.Data, demoFile)
	d, err := readDemo(path)
	if errors.Is(err, fs.ErrNotExist) {
		if len(n.ledger.Locations()) > 0 {
			return fmt.Errorf("-demo needs an empty data folder or one that -demo made; %s has other data", n.o.Data)
		}
		d, err = n.makeDemo(ctx)
	}
	if err != nil {
		return err
	}
	visitor := ""
	if old := d.Pages["visitor"]; old != "" {
		visitor = filepath.Base(old)
	}
	d.URL = base
	d.Pages = map[string]string{
		"board":   base + "/board/" + strconv.Itoa(d.Location),
		"console": base + "/console",
		"widget":  base + "/widget-demo",
		"visitor": base + "/t/" + visitor,
	}
	out, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", demoFile, err)
	}
	if err := writeDemo(path, append(out, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", demoFile, err)
	}
	n.demoLocation, n.demoWidget = d.Location, d.WidgetKey
	return nil
}

// writeDemo writes aside, syncs and renames: a crash or a power cut must not leave
// half a file, or one of zeros.
func writeDemo(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func readDemo(path string) (Demo, error) {
	var d Demo
	b, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("read %s: %w", demoFile, err)
	}
	return d, nil
}

func (n *Node) makeDemo(ctx context.Context) (Demo, error) {
	m := &demoMaker{ctx: ctx, ledger: n.ledger, auth: n.auth, visitTTL: n.o.VisitorTTL}
	fields := func() []ticket.InputField {
		return ticket.DefaultFields(func(string) string { return uuid.NewString() })
	}
	d := Demo{DepartmentID: uuid.NewString(), DepartmentID2: uuid.NewString(), Pages: map[string]string{}}
	m.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{
		GUID: d.DepartmentID, Name: "City Hall", Timezone: "Europe/Tallinn", Languages: []string{"en", "es"},
		Fields: fields(), Address: "1 Main Street", Country: "EE", Latitude: 59.437, Longitude: 24.7535,
	}})
	m.do(ledger.Directory, ticket.PutLocation{Location: ticket.Location{
		GUID: d.DepartmentID2, Name: "Harbour Office", Timezone: "Europe/Tallinn", Languages: []string{"en"}, Country: "EE", Fields: fields(),
		Latitude: 59.444, Longitude: 24.759,
	}})
	d.Location = 1
	for _, name := range []string{"Passports", "Registry", "Payments"} {
		if r := m.do(1, ticket.PutLine{Line: ticket.Line{Name: name}}); m.err == nil {
			d.Lines = append(d.Lines, r.Events[0].Facts.LineDef.ID)
		}
	}
	m.do(2, ticket.PutLine{Line: ticket.Line{Name: "Service"}})
	for i := 1; i <= 4; i++ {
		if r := m.do(1, ticket.PutDesk{Desk: ticket.Desk{Name: strconv.Itoa(i)}}); m.err == nil {
			d.Desks = append(d.Desks, r.Events[0].Facts.DeskDef.ID)
		}
	}
	for i, first := range []string{"Ann", "Ben"} {
		d.Users = append(d.Users, m.user(i+1, first, []string{"Clerk", "Tamm"}[i]))
	}
	m.credentials(&d)
	m.chat(&d, n.outbox)
	m.replies(&d)
	m.visitors(&d)
	return d, m.err
}

// user makes a clerk with administrator rights and a password of its own.
func (m *demoMaker) user(n int, first, last string) DemoUser {
	u := DemoUser{Email: fmt.Sprintf("clerk%d", n) + "@demo.example", Password: "demo-" + rand.Text()[:12]}
	r := m.do(ledger.Directory, ticket.PutUser{User: ticket.User{
		GUID: uuid.NewString(), Email: u.Email, FirstName: first, LastName: last,
		Roles: []ticket.Role{{ID: n, Type: ticket.RoleAdmin}},
	}})
	if m.err != nil {
		return u
	}
	u.ID = r.Events[0].Facts.UserDef.ID
	if err := m.auth.SetPassword(m.ctx, "demo", u.ID, u.Password, ""); err != nil {
		m.err = fmt.Errorf("make the demo: password: %w", err)
	}
	return u
}

func (m *demoMaker) credentials(d *Demo) {
	if m.err != nil {
		return
	}
	d.QueueAPIKey = m.issue(auth.Spec{Type: auth.QueueKey, Name: "Demo queue API", User: d.Users[0].ID, Everywhere: true, Admin: true})
	d.ChatAPIKey, d.ChatUserName = d.DepartmentID, d.Users[0].Email
	d.ChatAPISecret = m.issue(auth.Spec{
		Type: auth.ChatSecret, Name: "Demo chat API", Department: d.DepartmentID, Locations: []int{d.Location}, Admin: true,
	})
	d.StaffToken = m.issue(auth.Spec{Type: auth.StaffToken, Name: "Demo tools", User: d.Users[0].ID})
	m.do(d.Location, ticket.Select{User: d.Users[0].ID, Desk: ticket.Some(d.Desks[0])}, m.people(d)...)
	for _, name := range []string{"Lobby TV", "Corridor TV"} {
		if m.err != nil {
			return
		}
		tv, err := hubapi.NewDisplay(m.ctx, m.ledger, m.auth, "demo", d.Location, name)
		if err != nil {
			m.err = err
			return
		}
		d.TVs = append(d.TVs, tv.Display)
		if d.DisplayToken == "" {
			d.DisplayToken = tv.Token
		}
	}
}

// visitors lets a few people wait, so that the first look is not at an empty room.
func (m *demoMaker) visitors(d *Demo) {
	for i, v := range []ticket.Create{
		{FirstName: "Ida", LastName: "Berg", PhoneNumber: "+37255512345", Language: "en"},
		{FirstName: "Omar", LastName: "Haddad", Language: "ar"},
		{FirstName: "Lucia", LastName: "Reyes", Language: "es"},
	} {
		if m.err != nil {
			return
		}
		v.Line, v.Source = d.Lines[i%len(d.Lines)], ticket.SourceName
		r := m.do(d.Location, v)
		if i == 0 && m.err == nil {
			d.VisitorTicket = strconv.FormatInt(r.Ticket.ID, 10)
			token := m.issue(auth.Spec{Type: auth.VisitorToken, Name: r.Ticket.Place.PublicID, Ticket: r.Ticket.ID, TTL: m.visitTTL})
			d.Pages["visitor"] = "/t/" + token
		}
	}
}

// autoClaim claims a new screen of the demonstration at once, when the request
// comes from this very machine.
func (n *Node) autoClaim(r *http.Request, location int) bool {
	if !n.o.Demo || location != n.demoLocation || r.Header.Get("X-Forwarded-For") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}
