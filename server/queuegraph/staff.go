package queuegraph

import (
	"slices"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"github.com/nowserving/nowserving/hub/ticket"
)

// userNode is a member of the staff.
type userNode struct {
	w *world
	u *ticket.User
}

func (n *userNode) ID() graphql.ID      { return numberID(n.u.ID) }
func (n *userNode) Email() *string      { return text(n.u.Email) }
func (n *userNode) FirstName() string   { return n.u.FirstName }
func (n *userNode) LastName() string    { return n.u.LastName }
func (n *userNode) Created() date       { return n.w.g.births.user(n.u.ID) }
func (n *userNode) LastLoggedIn() *date { return nil } // is not kept
func (n *userNode) Deleted() bool       { return n.u.Removed }

// DeletedAt is null for users who are there.
func (n *userNode) DeletedAt() *date {
	if !n.u.Removed {
		return nil
	}
	return maybe(n.w.g.births.left(n.u.ID))
}

// Roles are what the user may do where.
func (n *userNode) Roles() *[]*roleNode {
	out := []*roleNode{}
	for _, r := range n.u.Roles {
		out = append(out, &roleNode{n.w, r})
	}
	return &out
}

// chosen is where a user has chosen to work; nil when nowhere. There is one
// desk; a user without one is where their lines are, or where they only work.
func (n *userNode) chosen() (at *branch, desk *ticket.Desk) {
	var works []*branch
	n.w.each(func(b *branch) bool {
		u := b.users[n.u.ID]
		if u == nil || u.Removed {
			return false
		}
		works = append(works, b)
		if d := b.desk(u.Desk); d != nil {
			at, desk = b, d
			return true
		}
		if at == nil && len(u.Lines) > 0 {
			at = b
		}
		return false
	})
	if at == nil && len(works) == 1 && !n.u.Everywhere() {
		at = works[0]
	}
	return at, desk
}

// SelectedLocation is where the user works now.
func (n *userNode) SelectedLocation() *locationNode {
	if at, _ := n.chosen(); at != nil {
		return &locationNode{n.w, at}
	}
	return nil
}

// SelectedDesk is where the user serves now.
func (n *userNode) SelectedDesk() *deskNode {
	if at, d := n.chosen(); d != nil {
		return &deskNode{n.w, at, d}
	}
	return nil
}

// SelectedLines are what the user has chosen to serve, in all locations.
func (n *userNode) SelectedLines() (*[]*lineNode, error) {
	out := []*lineNode{}
	n.w.each(func(b *branch) bool {
		if u := b.users[n.u.ID]; u != nil && !u.Removed {
			out = append(out, n.w.linesOf(b, u.Lines)...)
		}
		return false
	})
	return &out, n.w.spend(len(out))
}

// roleNode is what a user may do where.
type roleNode struct {
	w *world
	r ticket.Role
}

func (n *roleNode) ID() graphql.ID { return numberID(n.r.ID) }
func (n *roleNode) Type() string   { return n.r.Type }

// Location is null for roles that hold everywhere, and for locations that are
// not the key's.
func (n *roleNode) Location() *locationNode {
	if b := n.w.branch(n.r.Location); b != nil {
		return &locationNode{n.w, b}
	}
	return nil
}

// deskNode is a desk.
type deskNode struct {
	w *world
	b *branch
	d *ticket.Desk
}

func (n *deskNode) ID() graphql.ID { return numberID(n.d.ID) }
func (n *deskNode) Name() string   { return n.d.Name }

// User is who has chosen the desk.
func (n *deskNode) User() *userNode {
	for _, id := range keys(n.b.users) {
		if u := n.b.users[id]; !u.Removed && u.Desk == n.d.ID {
			return &userNode{n.w, u}
		}
	}
	return nil
}

// tvNode is a screen.
type tvNode struct {
	w *world
	b *branch
	d *ticket.Display
}

func (n *tvNode) ID() graphql.ID                     { return numberID(n.d.ID) }
func (n *tvNode) Name() string                       { return n.d.Name }
func (n *tvNode) Settings() *string                  { return nil }
func (n *tvNode) ClearTickets() *string              { return nil }
func (n *tvNode) NotificationViewLineVisible() *bool { return ptr(true) }
func (n *tvNode) ListViewLineVisible() bool          { return true }

// Theme is the screen's, or else the location's.
func (n *tvNode) Theme() string {
	if n.d.Theme != "" {
		return n.d.Theme
	}
	return n.b.Settings.Theme
}

// Layout is the screen's, or else the location's.
func (n *tvNode) Layout() string {
	if n.d.Layout != "" {
		return n.d.Layout
	}
	return n.b.Settings.Layout
}

// Online reports whether the screen is connected now.
func (n *tvNode) Online() bool { return n.w.g.Online != nil && n.w.g.Online(n.b.ID, n.d.ID) }

// Lines are those that the screen shows; null for all.
func (n *tvNode) Lines() (*[]*lineNode, error) {
	if len(n.d.Lines) == 0 {
		return nil, nil
	}
	out := n.w.linesOf(n.b, n.d.Lines)
	return &out, n.w.spend(len(out))
}

// ipadNode is a device that this deployment does not have.
type ipadNode struct {
	ID           graphql.ID
	Name         string
	Online       bool
	Charging     *bool
	BatteryLevel *int32
}

// fieldNode is an input field.
type fieldNode struct {
	w *world
	b *branch
	f *ticket.InputField
}

func (n *fieldNode) ID() string                    { return n.f.ID }
func (n *fieldNode) Location() *locationNode       { return &locationNode{n.w, n.b} }
func (n *fieldNode) Type() string                  { return n.f.Type }
func (n *fieldNode) IsMandatoryBeforeAdded() bool  { return n.f.BeforeAdded }
func (n *fieldNode) IsMandatoryBeforeServed() bool { return n.f.BeforeServed }
func (n *fieldNode) Title() *string                { return text(n.f.Title) }
func (n *fieldNode) MultiSelect() bool             { return n.f.MultiSelect }
func (n *fieldNode) Deleted() bool                 { return false }

// Options are a SELECT's choices.
func (n *fieldNode) Options() ([]*optionNode, error) {
	out := []*optionNode{}
	for _, o := range n.f.Options {
		out = append(out, &optionNode{text(o.ID), text(o.Title), text(o.Color)})
	}
	return out, n.w.spend(len(out))
}

// VisibleForLines is empty for all lines.
func (n *fieldNode) VisibleForLines() ([]*lineNode, error) {
	out := n.w.linesOf(n.b, n.f.Lines)
	return out, n.w.spend(len(out))
}

// optionNode is a choice.
type optionNode struct{ ID, Title, Color *string }

// optionOf is a choice by its title: tickets keep what was chosen as text.
func optionOf(f *ticket.InputField, x ticket.Extra) *optionNode {
	out := &optionNode{Title: text(x.Value), Color: text(x.Color)}
	if f == nil {
		return out
	}
	i := slices.IndexFunc(f.Options, func(o ticket.FieldOption) bool { return strings.EqualFold(o.Title, x.Value) })
	if i >= 0 {
		out.ID = text(f.Options[i].ID)
	}
	return out
}
