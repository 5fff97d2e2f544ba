package auth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// The kinds of document that auth keeps.
const (
	credentialDocs = "credential" // key: hex SHA-256 of the token
	passwordDocs   = "password"   // key: the user's id
)

// markEvery is how exact the stored last use is. The idle time of a session is
// hours, so minutes are enough, and a busy key costs one write in ten minutes.
const markEvery = 10 * time.Minute

// Spec is what to issue.
type Spec struct {
	Type Type
	// Name is what people call it: "Lobby TV", "website".
	Name string
	// User is whom staff tokens, sessions and invites belong to; on keys, the
	// user on whose behalf they act (0 for none).
	User int
	// Display is the screen, for display tokens and for keys of a paired device.
	Display int
	// Ticket is the one ticket of a visitor's token.
	Ticket int64
	// Everywhere or Locations say where displays and keys may act. Users bring
	// their own from the directory.
	Everywhere bool
	Locations  []int
	// Admin lets a key change settings.
	Admin bool
	// Department is the GUID that goes with a chat secret.
	Department string
	// TTL is how long it lives; zero means until it is revoked.
	TTL time.Duration
}

// check refuses a spec that would give a credential of no or too much use.
func (s Spec) check() *wire.Error {
	needs := map[string]bool{
		"user":       slices.Contains([]Type{StaffToken, Session, Invite, ChatToken}, s.Type) && s.User <= 0,
		"display":    (s.Type == DisplayToken || s.Type == KioskToken) && s.Display <= 0,
		"ticket":     s.Type == VisitorToken && s.Ticket <= 0,
		"department": (s.Type == ChatSecret || s.Type == ChatToken) && s.Department == "",
		"ttl": s.TTL < 0 || s.TTL == 0 &&
			slices.Contains([]Type{Session, Invite, VisitorToken, Temporary, ChatToken}, s.Type),
		"locations": s.placed() && len(s.Locations) == 0 && !s.Everywhere ||
			slices.Contains([]Type{DisplayToken, KioskToken, ChatSecret, ChatToken}, s.Type) &&
				(len(s.Locations) != 1 || s.Everywhere),
	}
	for _, field := range []string{"user", "display", "ticket", "department", "ttl", "locations"} {
		if needs[field] {
			return wire.FieldError(field, "does not fit a credential of type %s", s.Type)
		}
	}
	return nil
}

// placed reports whether the credential itself says where it may act.
func (s Spec) placed() bool {
	return slices.Contains([]Type{DisplayToken, KioskToken, QueueKey, Temporary, ChatSecret, ChatToken}, s.Type)
}

// Info is what may be shown of a credential: everything but its secret.
type Info struct {
	Spec
	// Credential and Grant are as in Identity; either revokes it.
	Credential string
	Grant      string
	Issued     time.Time
	Expires    time.Time // zero: not by itself
	Used       time.Time // to the minute; zero: not yet
}

// record is the stored form. The JSON names are a contract with data folders.
type record struct {
	Type       Type      `json:"type"`
	Credential string    `json:"credential"`
	Grant      string    `json:"grant"`
	Name       string    `json:"name,omitempty"`
	User       int       `json:"user,omitempty"`
	Display    int       `json:"display,omitempty"`
	Ticket     int64     `json:"ticket,omitempty"`
	Everywhere bool      `json:"everywhere,omitempty"`
	Locations  []int     `json:"locations,omitempty"`
	Admin      bool      `json:"admin,omitempty"`
	Department string    `json:"department,omitempty"`
	Issued     time.Time `json:"issued"`
	Expires    time.Time `json:"expires,omitzero"`
	Used       time.Time `json:"used,omitzero"`
	// Sealed is a chat secret as the vault keeps it.
	Sealed []byte `json:"sealed,omitempty"`
}

// credentialName is the name that rate limits and idempotency keys go by.
func credentialName(s Spec, grant string) string {
	switch s.Type {
	case StaffToken, Session, Invite:
		return "user:" + strconv.Itoa(s.User)
	case DisplayToken, KioskToken:
		return "display:" + strconv.Itoa(s.Display)
	case VisitorToken:
		return "ticket:" + strconv.FormatInt(s.Ticket, 10)
	default:
		return grant
	}
}

// entry is a credential in memory. Everything but used and revoked is fixed.
type entry struct {
	digest digest
	rec    record
	// used is when it was last used, in Unix seconds; 0 for never.
	used atomic.Int64
	// written is the last use that its document tells.
	written atomic.Int64
	// revoked entries stay until their document is gone, so that a delete that
	// failed is tried again.
	revoked atomic.Bool
}

func newEntry(d digest, rec record) *entry {
	e := &entry{digest: d, rec: rec}
	if !rec.Used.IsZero() {
		e.used.Store(rec.Used.Unix())
		e.written.Store(rec.Used.Unix())
	}
	return e
}

// marked reports whether the last use is worth writing down.
func (e *entry) marked() bool {
	return e.used.Load()-e.written.Load() >= int64(markEvery/time.Second)
}

// touch notes a use. It never goes back, whatever the clock does.
func (e *entry) touch(now time.Time) {
	for {
		last := e.used.Load()
		if now.Unix() <= last || e.used.CompareAndSwap(last, now.Unix()) {
			return
		}
	}
}

// expires is when the entry runs out if it is not used again.
func (e *entry) expires(idle time.Duration) time.Time {
	at := e.rec.Expires
	if e.rec.Type == Session {
		if quiet := time.Unix(e.used.Load(), 0).Add(idle); at.IsZero() || quiet.Before(at) {
			return quiet
		}
	}
	return at
}

// expired reports whether the entry's own time is over.
func (e *entry) expired(now time.Time) bool {
	return !e.rec.Expires.IsZero() && !now.Before(e.rec.Expires)
}

// kept reports whether the entry has a document.
func (e *entry) kept() bool { return e.rec.Type != Temporary }

func (e *entry) info(idle time.Duration) Info {
	r := e.rec
	i := Info{
		Spec: Spec{Type: r.Type, Name: r.Name, User: r.User, Display: r.Display, Ticket: r.Ticket,
			Everywhere: r.Everywhere, Locations: slices.Clone(r.Locations), Admin: r.Admin, Department: r.Department},
		Credential: r.Credential, Grant: r.Grant, Issued: r.Issued, Expires: e.expires(idle),
	}
	if u := e.used.Load(); u > 0 {
		i.Used = time.Unix(u, 0).UTC()
	}
	return i
}

// doc is the entry as it is stored, with the use known now.
func (e *entry) doc() (store.Doc, error) {
	rec := e.rec
	if u := e.used.Load(); u > 0 {
		rec.Used = time.Unix(u, 0).UTC()
	}
	value, err := json.Marshal(rec)
	if err != nil {
		return store.Doc{}, fmt.Errorf("auth: write credential: %w", err)
	}
	return store.Doc{Kind: credentialDocs, Key: e.digest.String(), Value: value}, nil
}

// tombstone deletes the entry's document.
func (e *entry) tombstone() store.Doc {
	return store.Doc{Kind: credentialDocs, Key: e.digest.String()}
}

func readEntry(d store.Doc) (*entry, error) {
	key, err := parseDigest(d.Key)
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(d.Value, &rec); err != nil {
		return nil, fmt.Errorf("auth: read credential %.8s: %w", d.Key, err)
	}
	all := forms()
	known := slices.ContainsFunc(all[:], func(f form) bool { return f.typ == rec.Type })
	if !known || rec.Grant == "" || rec.Credential == "" {
		return nil, fmt.Errorf("auth: credential %.8s has an unknown form", d.Key)
	}
	return newEntry(key, rec), nil
}
