package queuegraph

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/nowserving/nowserving/hub/ticket"
)

// accountNode is the deployment: it is one account.
type accountNode struct{ w *world }

func (a *accountNode) ID() graphql.ID                      { return "1" }
func (a *accountNode) Name() *string                       { return ptr("nowserving") }
func (a *accountNode) Created() date                       { return a.w.g.births.account() }
func (a *accountNode) Locations() ([]*locationNode, error) { return a.w.locationNodes() }
func (a *accountNode) Features() *[]string                 { return &[]string{} }
func (a *accountNode) TextMessagingAllowed() bool          { return true }

func (w *world) locationNodes() ([]*locationNode, error) {
	out := []*locationNode{}
	w.each(func(b *branch) bool {
		out = append(out, &locationNode{w, b})
		return false
	})
	return out, w.spend(len(out))
}

// locationNode is a location.
type locationNode struct {
	w *world
	*branch
}

func (l *locationNode) ID() graphql.ID                { return numberID(l.Location.ID) }
func (l *locationNode) Name() string                  { return l.Location.Name }
func (l *locationNode) Address() string               { return l.Location.Address }
func (l *locationNode) CountryCode() string           { return strings.ToLower(l.Location.Country) }
func (l *locationNode) Country() string               { return countryName(l.Location.Country) }
func (l *locationNode) Timezone() string              { return l.Location.Timezone }
func (l *locationNode) Created() date                 { return l.w.g.births.location(l.Location.ID) }
func (l *locationNode) Latitude() float64             { return l.Location.Latitude }
func (l *locationNode) Longitude() float64            { return l.Location.Longitude }
func (l *locationNode) Ipads() *[]*ipadNode           { return &[]*ipadNode{} }
func (l *locationNode) SelectingDeskMandatory() *bool { return &l.DeskMandatory }
func (l *locationNode) SmsEnabled() *bool             { return ptr(true) }
func (l *locationNode) DynamicLabels() *bool          { return ptr(true) }
func (l *locationNode) IsDemo() bool                  { return l.w.g.Demo != nil && l.w.g.Demo(l.Location.ID) }

// Lines are those that were not deleted; archived ones only when asked for.
func (l *locationNode) Lines(args struct{ Archived *bool }) ([]*lineNode, error) {
	wanted := args.Archived != nil && *args.Archived
	out := []*lineNode{}
	for _, id := range keys(l.lines) {
		if x := l.lines[id]; !x.Removed && x.Archived == wanted {
			out = append(out, &lineNode{l.w, l.branch, x})
		}
	}
	return out, l.w.spend(len(out))
}

// Users are all who have access to the location.
func (l *locationNode) Users() ([]*userNode, error) {
	out := []*userNode{}
	for _, id := range keys(l.users) {
		if u := l.users[id]; !u.Removed && u.WorksIn(l.Location.ID) {
			out = append(out, &userNode{l.w, u})
		}
	}
	return out, l.w.spend(len(out))
}

// TVs are the location's screens.
func (l *locationNode) TVs() (*[]*tvNode, error) {
	out := []*tvNode{}
	for _, id := range keys(l.displays) {
		if d := l.displays[id]; !d.Removed {
			out = append(out, &tvNode{l.w, l.branch, d})
		}
	}
	return &out, l.w.spend(len(out))
}

// Desks are those that were not deleted.
func (l *locationNode) Desks() (*[]*deskNode, error) {
	out := l.w.deskNodes(l.branch)
	return &out, l.w.spend(len(out))
}

func (w *world) deskNodes(b *branch) []*deskNode {
	out := []*deskNode{}
	for _, id := range keys(b.desks) {
		if d := b.desk(id); d != nil {
			out = append(out, &deskNode{w, b, d})
		}
	}
	return out
}

// Languages begin with the location's own.
func (l *locationNode) Languages() *[]*languageNode {
	out := []*languageNode{}
	for i, code := range l.Location.Languages {
		n := languageOf(code)
		n.Primary = i == 0
		out = append(out, n)
	}
	return &out
}

// InputFields are what visitors are asked for; deleted ones are not kept.
func (l *locationNode) InputFields(struct{ IncludeDeleted *bool }) (*[]*fieldNode, error) {
	out := l.w.fieldNodes(l.branch)
	return &out, l.w.spend(len(out))
}

func (w *world) fieldNodes(b *branch) []*fieldNode {
	out := []*fieldNode{}
	for i := range b.Fields {
		out = append(out, &fieldNode{w, b, &b.Fields[i]})
	}
	return out
}

// labelCounts counts the labels of the tickets that are in the house now.
func (l *locationNode) labelCounts() map[string]int {
	count := map[string]int{}
	l.w.g.Ledger.View(l.Location.ID, func(s *ticket.State) {
		for _, t := range s.Tickets {
			for _, label := range t.Labels {
				count[label]++
			}
		}
	})
	return count
}

// Labels are those in use. When they were first used is not kept.
func (l *locationNode) Labels() ([]*labelType, error) {
	out := []*labelType{}
	count := l.labelCounts()
	for _, label := range keys(count) {
		out = append(out, &labelType{ID: label, Value: label, Color: ticket.LabelColor(label), Count: int32(count[label])})
	}
	return out, l.w.spend(len(out))
}

// LocationLabels are the texts of Labels.
func (l *locationNode) LocationLabels() []string {
	return append([]string{}, keys(l.labelCounts())...)
}

type labelType struct {
	ID, Value, Color    string
	FirstUsed, LastUsed *date
	Count               int32
}

// lineNode is a line.
type lineNode struct {
	w *world
	b *branch
	l *ticket.Line
}

func (n *lineNode) ID() graphql.ID            { return numberID(n.l.ID) }
func (n *lineNode) Name() string              { return n.l.Name }
func (n *lineNode) Color() string             { return n.l.Color }
func (n *lineNode) Disabled() bool            { return n.l.Disabled }
func (n *lineNode) Archived() bool            { return n.l.Archived }
func (n *lineNode) Location() *locationNode   { return &locationNode{n.w, n.b} }
func (n *lineNode) HasActiveTickets() bool    { return n.b.active[n.l.ID] }
func (n *lineNode) HasScheduledTickets() bool { return n.b.scheduled[n.l.ID] }

// Translations are the line's name in other languages.
func (n *lineNode) Translations() []*lineTranslation {
	out := []*lineTranslation{}
	for _, code := range keys(n.l.Translations) {
		out = append(out, &lineTranslation{code, text(n.l.Translations[code])})
	}
	return out
}

// AppointmentSettings are null where there are none.
func (n *lineNode) AppointmentSettings() *lineAppointments {
	if n.l.Appointment == 0 {
		return nil
	}
	return &lineAppointments{Enabled: true, DurationMinutes: ptr(int32(n.l.Appointment))}
}

type lineTranslation struct {
	LanguageCode string
	Name         *string
}

type lineAppointments struct {
	Enabled         bool
	DurationMinutes *int32
}

// line is a line by its id, deleted ones too.
func (w *world) line(b *branch, id int) (*lineNode, error) {
	l := b.lines[id]
	if l == nil {
		return nil, errors.New("line " + fmt.Sprint(id) + " is nowhere in location " + fmt.Sprint(b.ID))
	}
	return &lineNode{w, b, l}, nil
}

// linesOf are lines by their ids, without deleted ones.
func (w *world) linesOf(b *branch, ids []int) []*lineNode {
	out := []*lineNode{}
	for _, id := range ids {
		if l := b.lines[id]; l != nil && !l.Removed {
			out = append(out, &lineNode{w, b, l})
		}
	}
	return out
}

// languageNode is a language by its code.
type languageNode struct {
	Code, Name, NativeName string
	Primary                bool
}

func languageOf(code string) *languageNode {
	n := &languageNode{Code: code, Name: code, NativeName: code}
	tag, err := language.Parse(code)
	if err != nil {
		return n
	}
	n.Name = cmp.Or(display.English.Tags().Name(tag), code)
	n.NativeName = cmp.Or(display.Self.Name(tag), n.Name)
	return n
}

func countryName(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return cmp.Or(display.English.Regions().Name(region), code)
}

// keys lists a map's keys in order.
func keys[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
