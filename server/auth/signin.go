package auth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

// maxEmail is the longest address that mail can carry.
const maxEmail = 254

// normalEmail is the form e-mails are compared and counted in.
func normalEmail(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	return email[:min(len(email), maxEmail+1)]
}

func sameText(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(a)), []byte(strings.ToLower(b))) == 1
}

// SignIn opens a browser session for an e-mail and a password; WriteCookie puts
// its token into the answer. A wrong password, an unknown e-mail and a disabled
// user are one error and take one time. addr is where the request came from.
func (a *Authenticator) SignIn(ctx context.Context, email, password, addr string) (string, Identity, error) {
	email = normalEmail(email)
	emailKey, addrKey := email, limit.AddrKey(addr)
	for _, t := range []struct {
		buckets *limit.Buckets
		key     string
	}{{a.addrs, addrKey}, {a.emails, emailKey}} {
		if v := t.buckets.Take(t.key); !v.OK {
			a.audit(AuditSignIn, email, "", addr, string(wire.RateLimited))
			return "", Identity{}, &wire.Error{Code: wire.RateLimited,
				Message: "too many attempts, try again later", RetryAfter: v.Seconds()}
		}
	}
	user, known := a.opts.Directory.UserByEmail(email)
	stored := ""
	if known && !user.Disabled {
		stored = a.password(user.ID)
	}
	ok, err := a.hasher.check(ctx, password, stored)
	if err != nil {
		return "", Identity{}, err
	}
	if !ok {
		a.audit(AuditSignIn, email, "", addr, string(wire.Unauthenticated))
		return "", Identity{}, wire.Errorf(wire.Unauthenticated, "e-mail or password is wrong")
	}
	// Only failures count: a branch signs in at eight o'clock behind one address.
	a.addrs.Give(addrKey)
	a.emails.Give(emailKey)
	return a.openSession(ctx, user, addr, func() bool { return a.password(user.ID) == stored })
}

// password is a user's stored password; "" for none.
func (a *Authenticator) password(user int) string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.passwords[user]
}

func (a *Authenticator) setPassword(user int, stored string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if stored == "" {
		delete(a.passwords, user)
		return
	}
	a.passwords[user] = stored
}

// Redeem opens a browser session for a one-time sign-in link. The link is spent
// even when the session cannot be stored.
func (a *Authenticator) Redeem(ctx context.Context, invite, addr string) (string, Identity, error) {
	addrKey := limit.AddrKey(addr)
	if v := a.addrs.Take(addrKey); !v.OK {
		return "", Identity{}, &wire.Error{Code: wire.RateLimited,
			Message: "too many attempts, try again later", RetryAfter: v.Seconds()}
	}
	e, err := a.entry(invite, Invite)
	if err == nil && e.expired(a.opts.Now()) {
		err = ErrExpired
	}
	if err != nil {
		a.audit(AuditSignIn, "invite", "", addr, string(wire.Unauthenticated))
		return "", Identity{}, err
	}
	user, ok := a.opts.Directory.User(e.rec.User)
	if !ok || user.Disabled || !e.revoked.CompareAndSwap(false, true) {
		a.audit(AuditSignIn, "invite", "", addr, string(wire.Unauthenticated))
		return "", Identity{}, ErrUnknown
	}
	a.addrs.Give(addrKey)
	return a.openSession(ctx, user, addr, func() bool { return true }, e)
}

// openSession stores a session, and in the same write deletes the entries that
// it replaces: a spent invite, and sessions beyond the bound. still says whether
// the proof holds: hashing takes a while, and the password may have changed.
func (a *Authenticator) openSession(ctx context.Context, user User, addr string, still func() bool,
	spent ...*entry) (string, Identity, error) {
	token, e, err := a.draw(Spec{Type: Session, User: user.ID, TTL: a.opts.SessionMax})
	if err != nil {
		return "", Identity{}, err
	}
	doc, err := e.doc()
	if err != nil {
		return "", Identity{}, err
	}
	a.writes.Lock()
	defer a.writes.Unlock()
	if !still() {
		return "", Identity{}, wire.Errorf(wire.Unauthenticated, "e-mail or password is wrong")
	}
	surplus := a.surplus(user.ID)
	for _, old := range surplus {
		old.revoked.Store(true)
	}
	a.notify(surplus)
	if err := a.bury(ctx, append(surplus, spent...), doc); err != nil {
		return "", Identity{}, err
	}
	a.index.add(e)
	id, err := a.identity(e)
	if err != nil {
		return "", Identity{}, err
	}
	a.audit(AuditSignIn, id.Credential, id.Grant, addr, "ok")
	return token, id, nil
}

// surplus lists the sessions that must go before a user gets one more; writes
// is held, so that two sign-ins cannot both find room.
func (a *Authenticator) surplus(user int) []*entry {
	open := a.index.where(func(e *entry) bool {
		return e.rec.Type == Session && e.rec.User == user && !e.revoked.Load()
	})
	slices.SortFunc(open, func(x, y *entry) int { return cmp.Compare(x.used.Load(), y.used.Load()) })
	return open[:max(0, len(open)-SessionsPerUser+1)]
}

// SignOut ends the session whose cookie has this token; its sockets close. A
// token that names no session has nothing to end.
func (a *Authenticator) SignOut(ctx context.Context, token, addr string) error {
	e, err := a.entry(token, Session)
	if err != nil {
		return nil
	}
	a.audit(AuditSignOut, e.rec.Credential, e.rec.Grant, addr, "ok")
	return a.revoke(ctx, []*entry{e})
}

// SetPassword gives a user a password and ends the user's browser sessions and
// unused sign-in links, except the grant keep (the session that asked).
func (a *Authenticator) SetPassword(ctx context.Context, by string, user int, password, keep string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	if _, ok := a.opts.Directory.User(user); !ok {
		return wire.Errorf(wire.NotFound, "no such user")
	}
	stored, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := a.storePassword(ctx, user, stored); err != nil {
		return err
	}
	a.audit(AuditPassword, by, "user:"+strconv.Itoa(user), "", "ok")
	return a.revoke(ctx, a.index.where(func(e *entry) bool {
		return e.rec.User == user && (e.rec.Type == Session || e.rec.Type == Invite) && e.rec.Grant != keep
	}))
}

// storePassword writes a password, "" for none. Document and memory change in
// one step as seen by sign-ins, so that none ends with the password before it.
func (a *Authenticator) storePassword(ctx context.Context, user int, stored string) error {
	doc := store.Doc{Kind: passwordDocs, Key: strconv.Itoa(user)}
	if stored != "" {
		doc.Value = []byte(stored)
	}
	a.writes.Lock()
	defer a.writes.Unlock()
	if err := a.opts.Docs.PutDocs(ctx, doc); err != nil {
		return fmt.Errorf("auth: store password: %w", err)
	}
	a.setPassword(user, stored)
	return nil
}

// HasPassword reports whether a user can sign in with a password.
func (a *Authenticator) HasPassword(user int) bool {
	return a.password(user) != ""
}
