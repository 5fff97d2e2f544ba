package chatapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/outbox"
	"github.com/nowserving/nowserving/store"
)

// What administrators do with a department. The REST form of this API has no
// operations for it, so these functions are called by another door, which has
// asked Access.Admin before. Errors that people can do something about are
// *wire.Error and name the field.

// department is a location's GUID as this API writes it.
func (a *API) department(location int) (string, error) {
	guid := ""
	a.Ledger.View(location, func(s *ticket.State) { guid = strings.ToLower(s.Location.GUID) })
	if guid == "" {
		return "", wire.Errorf(wire.NotFound, "Location with id %d not found", location)
	}
	return guid, nil
}

// DepartmentSettings are a location's settings in this API, with their version:
// give it back to PutDepartmentSettings, so that nobody's changes are overwritten
// unseen. Lists are never nil.
func (a *API) DepartmentSettings(location int) (Settings, string, error) {
	guid, err := a.department(location)
	if err != nil {
		return Settings{}, "", err
	}
	s, err := a.settings(guid)
	if err != nil {
		return s, "", err
	}
	version, err := s.version()
	return s.whole(), version, err
}

// PutDepartmentSettings replaces a location's settings; it is durable on return,
// and holds from then on. A version that is not that of the settings that are
// kept is a conflict; "" replaces whatever is there. It gives the new version.
func (a *API) PutDepartmentSettings(ctx context.Context, location int, version string, s Settings) (string, error) {
	guid, err := a.department(location)
	if err != nil {
		return "", err
	}
	if err := s.check(); err != nil {
		return "", err
	}
	a.settling.Lock()
	defer a.settling.Unlock()
	old, err := a.settings(guid)
	if err != nil {
		return "", err
	}
	current, err := old.version()
	if err != nil {
		return "", err
	}
	if version != "" && version != current {
		return "", &wire.Error{Code: wire.Conflict, Field: "version", Message: "somebody else has changed these settings meanwhile; load them again"}
	}
	doc, err := SettingsDoc(guid, s)
	if err != nil {
		return "", err
	}
	if err := a.Ledger.PutDocs(ctx, doc); err != nil {
		return "", err
	}
	return s.version()
}

// version tells settings from others.
func (s Settings) version() (string, error) {
	doc, err := SettingsDoc("", s)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(doc.Value)
	return hex.EncodeToString(sum[:8]), nil
}

// whole has an empty list in place of a missing one.
func (s Settings) whole() Settings {
	s.Tags, s.Surveys = append([]Tag{}, s.Tags...), append([]Survey{}, s.Surveys...)
	s.Templates, s.Senders = append([]Template{}, s.Templates...), append([]Sender{}, s.Senders...)
	for i := range s.Tags {
		s.Tags[i].ParentTags = append([]string{}, s.Tags[i].ParentTags...)
	}
	if s.Idle = maps.Clone(s.Idle); s.Idle == nil {
		s.Idle = map[string]Span{}
	}
	return s
}

// Channels are the channels that a department's settings may name, as they are
// written there.
func Channels() []string { return protocols() }

// ReplyDoc is a canned reply as it is stored; it is not checked.
func ReplyDoc(location int, r CannedReply) (store.Doc, error) {
	r.AutoTags, r.Attachments = append([]string{}, r.AutoTags...), []json.RawMessage{}
	return jsonDoc(replyDocs(location), replyKey(r.ID), r)
}

// CannedReplies lists a location's canned replies by id.
func (a *API) CannedReplies(location int) ([]CannedReply, error) {
	if _, err := a.department(location); err != nil {
		return nil, err
	}
	return a.replies(location)
}

// PutCannedReply adds a canned reply (ID 0) or replaces the one of its id.
func (a *API) PutCannedReply(ctx context.Context, location int, r CannedReply) (CannedReply, error) {
	guid, err := a.department(location)
	if err != nil {
		return r, err
	}
	return a.keepReply(ctx, location, guid, r)
}

// DeleteCannedReply takes a canned reply away.
func (a *API) DeleteCannedReply(ctx context.Context, location, id int) error {
	if _, err := a.department(location); err != nil {
		return err
	}
	return a.dropReply(ctx, location, id)
}

// Webhook is what a department's webhook is made of.
type Webhook struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Events limits it to some of WebhookEvents; none is all.
	Events []string `json:"events"`
	// Headers are sent with every call.
	Headers map[string]string `json:"headers,omitempty"`
	// Polling is no webhook: other systems fetch the events. It has no URL and no
	// headers, and a department has one at most.
	Polling bool `json:"polling,omitempty"`
}

// WebhookEvents are the events that a department's systems can be told of.
func WebhookEvents() []string {
	return []string{
		"NEW_TICKET", "NEW_MESSAGE", "TICKET_STATE_CHANGE", "TICKET_OWNER_CHANGE", "USER_STATUS_CHANGE", "DOCUMENT_SIGNED",
		"NON_TICKET_MESSAGE_STATUS", "SURVEY_UPDATE",
	}
}

// Webhooks are a location's webhooks and its polling, oldest first. Deliveries of
// one are with the outbox: Deliveries, Redeliver and Enable by its id.
func (a *API) Webhooks(location int) ([]outbox.Listed, error) {
	guid, err := a.department(location)
	if err != nil {
		return nil, err
	}
	out := []outbox.Listed{}
	if a.Hooks == nil {
		return out, nil
	}
	for _, t := range a.Hooks.List() {
		if t.Kind != outbox.QueueHook && strings.EqualFold(t.Department, guid) {
			out = append(out, t)
		}
	}
	return out, nil
}

// AddWebhook makes a webhook of a location; by names who asked. Calls are signed
// with the department's API secret, as it is at the time of each call: a
// department without one is refused.
func (a *API) AddWebhook(ctx context.Context, location int, w Webhook, by string) (outbox.Target, error) {
	guid, err := a.department(location)
	if err != nil {
		return outbox.Target{}, err
	}
	if a.Hooks == nil {
		return outbox.Target{}, wire.Errorf(wire.Unavailable, "there are no webhooks here")
	}
	if w.Name, err = line("name", w.Name, 100, true); err != nil {
		return outbox.Target{}, err
	}
	w.Events = slices.Clone(w.Events)
	for i := range w.Events {
		if w.Events[i], err = word("events", w.Events[i], WebhookEvents()...); err != nil {
			return outbox.Target{}, err
		}
	}
	slices.Sort(w.Events)
	r := outbox.Registration{
		Kind: outbox.ChatHook, Name: w.Name, URL: strings.TrimSpace(w.URL), Department: guid, Events: slices.Compact(w.Events),
		Headers: w.Headers, Creator: by,
	}
	if w.Polling {
		r.Kind = outbox.ChatPoll
	} else if err := a.checkHook(guid, r.URL); err != nil {
		return outbox.Target{}, err
	}
	// The outbox tells departments apart as their location writes its GUID.
	a.Ledger.View(location, func(s *ticket.State) { r.Department = s.Location.GUID })
	t, _, err := a.Hooks.Register(ctx, r)
	return t, err
}

func (a *API) checkHook(department, target string) error {
	if u, err := url.Parse(target); err != nil || u.Host == "" {
		return wire.FieldError("url", "url is an address as https://example.com/hook")
	}
	if a.Secrets == nil {
		return nil // the outbox has been given one way or another
	}
	known, err := a.Secrets(department)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return wire.Errorf(wire.Conflict, "the department has no API secret to sign with; make one first")
	}
	return nil
}

// RemoveWebhook ends a webhook of a location; what waits for it is forgotten.
func (a *API) RemoveWebhook(ctx context.Context, location int, id string) error {
	list, err := a.Webhooks(location)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(t outbox.Listed) bool { return t.ID == id }) {
		return wire.Errorf(wire.NotFound, "Webhook with id %.40q not found", id)
	}
	return a.Hooks.Remove(ctx, id)
}

// Hooks is where webhooks are registered.
type Hooks interface {
	List() []outbox.Listed
	Register(ctx context.Context, r outbox.Registration) (outbox.Target, string, error)
	Remove(ctx context.Context, id string) error
}

// UserProfile is what this API keeps of a user beside the directory, with what
// goes without saying filled in.
func (a *API) UserProfile(user int) Profile { return a.profile(user) }

// PutUserProfile replaces it; the status stays.
func (a *API) PutUserProfile(ctx context.Context, user int, p Profile) error {
	var err error
	if p.Type != "" {
		if p.Type, err = word("type", p.Type, typeAgent, typeBot, typeAPI); err != nil {
			return err
		}
	}
	p.Roles = slices.Clone(p.Roles)
	for i := range p.Roles {
		if p.Roles[i], err = word("roles", p.Roles[i], roles()...); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name string
		v    *string
	}{
		{"gender", &p.Gender}, {"culture", &p.Culture}, {"uniqueArgument", &p.UniqueArgument}, {"shortName", &p.ShortName},
		{"fullName", &p.FullName}, {"jobTitle", &p.JobTitle},
	} {
		if *f.v, err = line(f.name, *f.v, 100, false); err != nil {
			return err
		}
	}
	return a.changeProfile(ctx, user, func(old *Profile) { status := old.Status; *old = p; old.Status = status })
}

var _ Hooks = (*outbox.Outbox)(nil)
