package chatapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/store"
)

const profileDocs = "chat.user"

// The types of a user in this API.
const (
	typeAgent = "AGENT"
	typeBot   = "BOT"
	typeAPI   = "API"
)

// Profile is what this API keeps of a user beside the directory.
type Profile struct {
	Gender         string   `json:"gender,omitempty"`
	Culture        string   `json:"culture,omitempty"`
	UniqueArgument string   `json:"uniqueArgument,omitempty"`
	Type           string   `json:"type,omitempty"`
	Status         string   `json:"status,omitempty"`
	ShortName      string   `json:"shortName,omitempty"`
	FullName       string   `json:"fullName,omitempty"`
	JobTitle       string   `json:"jobTitle,omitempty"`
	Roles          []string `json:"roles,omitempty"`
}

// ProfileDoc is a profile as it is stored.
func ProfileDoc(user int, p Profile) (store.Doc, error) {
	return jsonDoc(profileDocs, strconv.Itoa(user), p)
}

func (a *API) loadProfiles() error {
	for d, err := range a.Ledger.Docs(profileDocs) {
		if err != nil {
			return fmt.Errorf("read profiles: %w", err)
		}
		id, err := strconv.Atoi(d.Key)
		if err != nil {
			return fmt.Errorf("profile of user %q: %w", d.Key, err)
		}
		var p Profile
		if err := json.Unmarshal(d.Value, &p); err != nil {
			return fmt.Errorf("profile of user %d: %w", id, err)
		}
		a.profiles[id] = p
	}
	return nil
}

// profile is a user's, with what goes without saying filled in.
func (a *API) profile(user int) Profile {
	a.profilesMu.RLock()
	p := a.profiles[user]
	a.profilesMu.RUnlock()
	for _, d := range []struct {
		to        *string
		otherwise string
	}{{&p.Gender, "Undefined"}, {&p.Culture, "en-US"}, {&p.Type, typeAgent}, {&p.Status, "Offline"}} {
		if *d.to == "" {
			*d.to = d.otherwise
		}
	}
	if p.Roles == nil {
		p.Roles = []string{"SystemUser", "EmailSession", "webChat", "SMSchat"}
	}
	return p
}

func (p Profile) readOnly() bool {
	return slices.Contains(p.Roles, "ReadOnly") &&
		!slices.ContainsFunc(p.Roles, func(r string) bool { return r == "SystemUser" || r == "DepartmentAdmin" || r == "MasterUser" })
}

// changeProfile changes one profile, durably.
func (a *API) changeProfile(ctx context.Context, user int, change func(p *Profile), more ...store.Doc) error {
	a.profiling.Lock()
	defer a.profiling.Unlock()
	p := a.profile(user)
	p.Roles = slices.Clone(p.Roles)
	change(&p)
	doc, err := ProfileDoc(user, p)
	if err != nil {
		return err
	}
	if err := a.Ledger.PutDocs(ctx, append(more, doc)...); err != nil {
		return err
	}
	a.profilesMu.Lock()
	a.profiles[user] = p
	a.profilesMu.Unlock()
	return nil
}

// owner shows who answers.
func (a *API) owner(u *ticket.User) ticket.ChatOwner {
	p := a.profile(u.ID)
	return ticket.ChatOwner{
		ID: u.GUID, Gender: p.Gender, UserName: u.Email, Culture: p.Culture, UniqueArgument: p.UniqueArgument, Type: p.Type,
	}
}

// channelRole is the role that lets somebody be given conversations of a channel.
func channelRole(protocol string) string {
	switch protocol {
	case "Mail":
		return "EmailSession"
	case "Web", "WebViaSMS":
		return "webChat"
	case "SMS":
		return "SMSchat"
	case "FBmessenger":
		return "FaceBookMessenger"
	case "FacebookFeed":
		return "FaceBookPosts"
	}
	return protocol // the others are called like their channel
}

// available chooses who gets a conversation: of those who are online and work on
// the channel, the one with the fewest open ones; 0 when there is nobody.
func (a *API) available(location int, protocol string) int {
	best, role := 0, channelRole(protocol)
	a.Ledger.View(location, func(s *ticket.State) {
		load := map[int]int{}
		for _, t := range s.Tickets {
			if t.Conversation.State == ticket.ConversationOpen {
				load[t.Conversation.Owner]++
			}
		}
		for _, u := range s.SortedUsers() { // by id, so the same one each time
			p := a.profile(u.ID)
			if p.Status != "Online" || p.Type != typeAgent || !slices.Contains(p.Roles, role) {
				continue
			}
			if best == 0 || load[u.ID] < load[best] {
				best = u.ID
			}
		}
	})
	return best
}
