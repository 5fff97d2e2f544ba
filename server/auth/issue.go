package auth

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

// TemporaryTTL and ChatTokenTTL are how long exchanged credentials live; the
// APIs' clients count on them.
const (
	TemporaryTTL = 5 * time.Minute
	ChatTokenTTL = 3 * time.Hour
)

// grantBytes makes the names of grants: unique, not secret.
const grantBytes = 8

// Issue makes a credential and returns its token, which is not kept anywhere
// and cannot be shown again. by is the credential of whoever asked for it, for
// the audit. The token is good once Issue has returned.
func (a *Authenticator) Issue(ctx context.Context, by string, s Spec) (string, Info, error) {
	if err := s.check(); err != nil {
		return "", Info{}, err
	}
	if s.Type == ChatToken || s.Type == Temporary || s.Type == Session {
		return "", Info{}, wire.FieldError("type", "is only given in exchange")
	}
	if s.User != 0 {
		if _, ok := a.opts.Directory.User(s.User); !ok {
			return "", Info{}, wire.FieldError("user", "no such user")
		}
	}
	token, e, err := a.draw(s)
	if err != nil {
		return "", Info{}, err
	}
	if err := a.save(ctx, e); err != nil {
		return "", Info{}, err
	}
	a.audit(AuditIssue, by, string(s.Type)+" "+e.rec.Credential+" "+e.rec.Grant, "", "ok")
	return token, e.info(a.opts.SessionIdle), nil
}

// draw makes an entry that nobody knows of yet.
func (a *Authenticator) draw(s Spec) (string, *entry, error) {
	token, d, err := newToken(s.Type, a.opts.Random)
	if err != nil {
		return "", nil, err
	}
	raw := make([]byte, grantBytes)
	if _, err := io.ReadFull(a.opts.Random, raw); err != nil {
		return "", nil, fmt.Errorf("auth: draw grant: %w", err)
	}
	grant := "grant:" + hex.EncodeToString(raw)
	if s.Type == QueueKey || s.Type == ChatSecret {
		grant = "key:" + hex.EncodeToString(raw)
	}
	// Stored times are whole milliseconds, so that memory and disk agree.
	now := a.opts.Now().UTC().Truncate(time.Millisecond)
	rec := record{
		Type: s.Type, Credential: credentialName(s, grant), Grant: grant, Name: s.Name,
		User: s.User, Display: s.Display, Ticket: s.Ticket, Everywhere: s.Everywhere,
		Locations: slices.Clone(s.Locations), Admin: s.Admin, Department: s.Department, Issued: now,
	}
	if s.TTL > 0 {
		rec.Expires = now.Add(s.TTL)
	}
	if s.Type == Session {
		rec.Used = now
	}
	if s.Type == ChatSecret && a.opts.Vault != nil {
		if rec.Sealed, err = a.opts.Vault.Seal(grant, token); err != nil {
			return "", nil, fmt.Errorf("auth: keep chat secret: %w", err)
		}
	}
	return token, newEntry(d, rec), nil
}

// save makes an entry durable, and only then known.
func (a *Authenticator) save(ctx context.Context, e *entry) error {
	doc, err := e.doc()
	if err != nil {
		return err
	}
	if err := a.opts.Docs.PutDocs(ctx, doc); err != nil {
		return fmt.Errorf("auth: store credential: %w", err)
	}
	a.index.add(e)
	return nil
}

// Revoke ends a credential ("user:1": every session and token of that user) or
// one grant of it. It is refused everywhere from this instant; an error means
// only that its document could not be deleted yet, which Maintain tries again.
func (a *Authenticator) Revoke(ctx context.Context, by, name string) error {
	found := a.index.named(name)
	if len(found) == 0 {
		return wire.Errorf(wire.NotFound, "no such credential")
	}
	a.audit(AuditRevoke, by, name, "", "ok")
	return a.revoke(ctx, found)
}

// RevokeUser ends everything that acts on behalf of a user: the password,
// sessions, tokens, keys.
func (a *Authenticator) RevokeUser(ctx context.Context, by string, user int) error {
	a.audit(AuditRevoke, by, "user:"+strconv.Itoa(user), "", "ok")
	unset := a.storePassword(ctx, user, "")
	return errors.Join(unset, a.revoke(ctx, a.index.where(func(e *entry) bool { return e.rec.User == user })))
}

// UserChanged tells whatever outlives a request to ask again about a user: the
// user was disabled or moved to other locations.
func (a *Authenticator) UserChanged(user int) {
	a.notify(a.index.where(func(e *entry) bool { return e.rec.User == user }))
}

// OnRevoke registers f, which is called with Identity.Grant whenever a grant
// was revoked or what it allows has changed: Recheck tells which. f must not
// block; it may run on any goroutine.
func (a *Authenticator) OnRevoke(f func(grant string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.onRevoke = append(a.onRevoke, f)
}

func (a *Authenticator) notify(entries []*entry) {
	a.mu.RLock()
	fs := slices.Clone(a.onRevoke)
	a.mu.RUnlock()
	for _, e := range entries {
		for _, f := range fs {
			f(e.rec.Grant)
		}
	}
}

// revoke refuses entries at once, tells who holds a socket, then deletes the
// documents.
func (a *Authenticator) revoke(ctx context.Context, entries []*entry) error {
	for _, e := range entries {
		e.revoked.Store(true)
	}
	a.notify(entries)
	a.writes.Lock()
	defer a.writes.Unlock()
	return a.bury(ctx, entries)
}

// bury deletes the documents of revoked entries, writes more in the same
// instant, and forgets the entries; writes is held.
func (a *Authenticator) bury(ctx context.Context, entries []*entry, more ...store.Doc) error {
	docs := more
	for _, e := range entries {
		if e.kept() {
			docs = append(docs, e.tombstone())
		}
	}
	if len(docs) > 0 {
		if err := a.opts.Docs.PutDocs(ctx, docs...); err != nil {
			return fmt.Errorf("auth: delete credentials: %w", err)
		}
	}
	for _, e := range entries {
		a.index.remove(e)
	}
	return nil
}

// List shows the credentials of the given types, oldest first, without secrets.
func (a *Authenticator) List(types ...Type) []Info {
	found := a.index.where(func(e *entry) bool {
		return !e.revoked.Load() && slices.Contains(types, e.rec.Type)
	})
	out := make([]Info, 0, len(found))
	for _, e := range found {
		out = append(out, e.info(a.opts.SessionIdle))
	}
	slices.SortFunc(out, func(x, y Info) int {
		return cmp.Or(x.Issued.Compare(y.Issued), cmp.Compare(x.Grant, y.Grant))
	})
	return out
}

// ExchangeKey gives a temporary key for a queue key: good for five minutes, on
// the queue API's socket only, with the same rights. It is kept in memory only;
// clients fetch one before every socket.
func (a *Authenticator) ExchangeKey(key string) (string, time.Time, error) {
	parent, err := a.entry(key, QueueKey)
	if err != nil {
		return "", time.Time{}, err
	}
	if _, err := a.identity(parent); err != nil {
		return "", time.Time{}, err
	}
	s := parent.info(0).Spec
	s.Type, s.TTL = Temporary, TemporaryTTL
	token, e, err := a.draw(s)
	if err != nil {
		return "", time.Time{}, err
	}
	e.rec.Credential = parent.rec.Credential
	if p := parent.rec.Expires; !p.IsZero() && p.Before(e.rec.Expires) {
		e.rec.Expires = p
	}
	a.addChild(parent, e)
	return token, e.rec.Expires, nil
}

// addChild makes an exchanged credential known, unless its parent was revoked
// in between: what revokes the parent must not miss the child.
func (a *Authenticator) addChild(parent, child *entry) {
	a.index.add(child)
	if parent.revoked.Load() {
		child.revoked.Store(true)
	}
}

// ExchangeChat gives a chat token for an API key (the department's GUID), its
// secret and a user's e-mail. Every later call acts as that user there.
func (a *Authenticator) ExchangeChat(ctx context.Context, apiKey, secret, email string) (string, time.Time, error) {
	wrong := wire.Errorf(wire.Unauthenticated, "the API key, secret or user name is wrong")
	parent, err := a.entry(secret, ChatSecret)
	if err != nil || !sameText(parent.rec.Department, apiKey) || parent.expired(a.opts.Now()) {
		return "", time.Time{}, wrong
	}
	user, ok := a.opts.Directory.UserByEmail(normalEmail(email))
	if !ok || user.Disabled || !user.in(parent.rec.Locations[0]) {
		return "", time.Time{}, wrong
	}
	s := parent.info(0).Spec
	s.Type, s.User, s.TTL = ChatToken, user.ID, ChatTokenTTL
	token, e, err := a.draw(s)
	if err != nil {
		return "", time.Time{}, err
	}
	e.rec.Credential = parent.rec.Credential
	doc, err := e.doc()
	if err != nil {
		return "", time.Time{}, err
	}
	a.writes.Lock() // a revocation of the secret waits for the document, then deletes it
	defer a.writes.Unlock()
	a.addChild(parent, e)
	if err := a.opts.Docs.PutDocs(ctx, doc); err != nil {
		e.revoked.Store(true) // Maintain deletes the document, should it be there
		return "", time.Time{}, fmt.Errorf("auth: store chat token: %w", err)
	}
	return token, e.rec.Expires, nil
}

func (a *Authenticator) audit(action Action, who, on, from, result string) {
	a.opts.Audit.Audit(Entry{Time: a.opts.Now(), Action: action, Who: who, On: on, From: from, Result: result})
}
