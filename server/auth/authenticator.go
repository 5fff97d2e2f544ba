package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/store"
)

// Docs is where credentials are kept.
type Docs interface {
	// Doc is one document, or store.ErrNotFound.
	Doc(kind, key string) ([]byte, error)
	// Docs yields the documents of a kind.
	Docs(kind string) iter.Seq2[store.Doc, error]
	// PutDocs makes documents durable, all or none; a nil Value deletes.
	PutDocs(ctx context.Context, docs ...store.Doc) error
}

// User is what auth needs to know of a user.
type User struct {
	ID                         int
	Email, FirstName, LastName string
	Admin, Everywhere          bool
	Locations                  []int
	Disabled                   bool
}

func (u User) in(location int) bool {
	return Identity{Everywhere: u.Everywhere, Locations: u.Locations}.In(location)
}

// Directory knows the users. It is asked at every check, so a user who is
// disabled or moved is treated so from the next request on.
type Directory interface {
	// UserByEmail finds a user whatever the case of the e-mail.
	UserByEmail(email string) (User, bool)
	User(id int) (User, bool)
}

// The two ways a credential can be wrong; a session closes its socket
// differently for each.
var (
	// ErrUnknown: never issued, revoked, or its user is gone.
	ErrUnknown = wire.Errorf(wire.Unauthenticated, "the credential is not known")
	// ErrExpired: it was good once; sign in again.
	ErrExpired = wire.Errorf(wire.Unauthenticated, "the credential has run out")
)

// Limits of sign-in and sessions, where Options leaves them out.
const (
	// DefaultSessionIdle and DefaultSessionMax: a working day's pause, and a week.
	DefaultSessionIdle = 12 * time.Hour
	DefaultSessionMax  = 7 * 24 * time.Hour

	// SessionsPerUser bounds what one user's sign-ins leave behind; the session
	// that was quiet for longest makes room.
	SessionsPerUser = 20

	// limitedKeys bounds the memory of the throttles.
	limitedKeys = 1 << 16

	// expiredGrace is how long an expired credential is still told apart from
	// an unknown one.
	expiredGrace = 24 * time.Hour
)

// emailRate and addrRate throttle failed sign-ins. Ten wrong guesses are more
// than a person needs and far fewer than a guesser does; an address may be a
// whole office behind one router.
func emailRate() limit.Rate { return limit.Rate{PerSecond: 1.0 / 30, Burst: 10} }
func addrRate() limit.Rate  { return limit.Rate{PerSecond: 1.0 / 3, Burst: 30} }

// Vault encrypts what must be readable again; what is sealed for one owner does
// not open for another.
type Vault interface {
	Seal(owner, secret string) ([]byte, error)
	Open(owner string, sealed []byte) (string, error)
}

// Options are the parts an Authenticator is made of.
type Options struct {
	Docs      Docs
	Directory Directory
	Now       func() time.Time
	// Audit takes audit entries; nil drops them.
	Audit Auditor
	// Random draws secrets; nil is the system's source.
	Random io.Reader
	// Secure says whether a request came over TLS, perhaps by way of a trusted
	// proxy; nil looks at the connection only.
	Secure func(*http.Request) bool
	// Hosts are further hosts whose pages may use the session cookie, for a
	// proxy that changes the Host header.
	Hosts []string
	// Vault keeps chat secrets readable, because they sign; without one they
	// are only good for being exchanged.
	Vault Vault
	// SessionIdle and SessionMax end a browser session; 0 is the default.
	SessionIdle, SessionMax time.Duration
}

// Authenticator knows every credential and says who is asking. Its methods may
// be called from many goroutines.
type Authenticator struct {
	opts   Options
	index  *index
	hasher *hasher
	emails *limit.Buckets
	addrs  *limit.Buckets

	// writes makes "is it revoked?" and "write its document" one step, so that a
	// late last-used mark cannot bring a revoked credential back.
	writes sync.Mutex

	mu        sync.RWMutex // protects passwords and onRevoke
	passwords map[int]string
	onRevoke  []func(grant string)
}

// Open loads all credentials.
func Open(opts Options) (*Authenticator, error) {
	if opts.Docs == nil || opts.Directory == nil || opts.Now == nil {
		return nil, fmt.Errorf("auth: Docs, Directory and Now are needed")
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Audit == nil {
		opts.Audit = AuditorFunc(func(Entry) {})
	}
	if opts.Secure == nil {
		opts.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	if opts.SessionIdle == 0 {
		opts.SessionIdle = DefaultSessionIdle
	}
	if opts.SessionMax == 0 {
		opts.SessionMax = DefaultSessionMax
	}
	a := &Authenticator{
		opts:      opts,
		index:     newIndex(),
		hasher:    newHasher(opts.Random),
		emails:    limit.New(emailRate(), limitedKeys, opts.Now),
		addrs:     limit.New(addrRate(), limitedKeys, opts.Now),
		passwords: make(map[int]string),
	}
	for doc, err := range opts.Docs.Docs(credentialDocs) {
		if err != nil {
			return nil, fmt.Errorf("auth: load credentials: %w", err)
		}
		e, err := readEntry(doc)
		if err != nil {
			return nil, err
		}
		a.index.add(e)
	}
	return a, a.loadPasswords()
}

func (a *Authenticator) loadPasswords() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for doc, err := range a.opts.Docs.Docs(passwordDocs) {
		if err != nil {
			return fmt.Errorf("auth: load passwords: %w", err)
		}
		user, err := strconv.Atoi(doc.Key)
		if err != nil {
			return fmt.Errorf("auth: password of user %q: %w", doc.Key, err)
		}
		if _, err := parsePHC(string(doc.Value)); err != nil {
			return fmt.Errorf("auth: password of user %d: %w", user, err)
		}
		a.passwords[user] = string(doc.Value)
	}
	return nil
}

// Token says who holds a token. It takes every kind that may be sent as a
// bearer token; a cookie's session, an invite, a chat secret and a temporary
// key have their own doors.
func (a *Authenticator) Token(token string) (Identity, error) {
	return a.check(token, StaffToken, DisplayToken, KioskToken, VisitorToken, QueueKey, ChatToken)
}

// SocketKey is Token for the queue API's own socket, which has its key in the
// URL: there a temporary key will do as well, and nothing but a key.
func (a *Authenticator) SocketKey(token string) (Identity, error) {
	return a.check(token, QueueKey, Temporary)
}

// Bearer says who a request's Authorization header names. The bool says whether
// there is one at all.
func (a *Authenticator) Bearer(r *http.Request) (Identity, bool, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, false, nil
	}
	id, err := a.Token(strings.TrimSpace(token))
	return id, true, err
}

// Recheck asks again about an identity that was given out before, for whatever
// outlives a request: it is ErrUnknown once revoked, ErrExpired once run out,
// and otherwise what the identity may do now.
func (a *Authenticator) Recheck(id Identity) (Identity, error) {
	e, ok := a.index.grant(id.Grant)
	if !ok {
		return Identity{}, ErrUnknown
	}
	return a.identity(e)
}

// Active notes that somebody is at work behind an identity, which keeps a
// browser session from running out. A socket's pings are no such sign, its
// commands are. It costs a map look-up and writes nothing.
func (a *Authenticator) Active(id Identity) {
	if e, ok := a.index.grant(id.Grant); ok {
		if _, err := a.identity(e); err == nil {
			e.touch(a.opts.Now())
		}
	}
}

// check finds a token of one of the given types.
func (a *Authenticator) check(token string, types ...Type) (Identity, error) {
	e, err := a.entry(token, types...)
	if err != nil {
		return Identity{}, err
	}
	id, err := a.identity(e)
	if err != nil {
		return Identity{}, err
	}
	e.touch(a.opts.Now())
	id.Expires = e.expires(a.opts.SessionIdle) // this use has moved it
	return id, nil
}

func (a *Authenticator) entry(token string, types ...Type) (*entry, error) {
	typ, d, ok := parseToken(token)
	if !ok {
		return nil, ErrUnknown
	}
	for _, t := range types {
		if t == typ {
			if e, ok := a.index.find(d); ok && e.rec.Type == typ {
				return e, nil
			}
		}
	}
	return nil, ErrUnknown
}

// identity is what an entry allows at this moment.
func (a *Authenticator) identity(e *entry) (Identity, error) {
	r := e.rec
	id := Identity{
		Credential: r.Credential, Grant: r.Grant, User: r.User, Display: r.Display,
		Expires: e.expires(a.opts.SessionIdle),
	}
	if !id.Expires.IsZero() && !a.opts.Now().Before(id.Expires) {
		return Identity{}, ErrExpired
	}
	var user User
	if r.User != 0 {
		var ok bool
		if user, ok = a.opts.Directory.User(r.User); !ok || user.Disabled {
			return Identity{}, ErrUnknown
		}
	}
	switch r.Type {
	case StaffToken, Session:
		id.Kind = Staff
		id.Everywhere, id.Locations, id.Admin = user.Everywhere, user.Locations, user.Admin
	case DisplayToken:
		id.Kind, id.Locations = Display, r.Locations
	case KioskToken:
		id.Kind, id.Locations = Kiosk, r.Locations
	case VisitorToken:
		id.Kind, id.Ticket = Visitor, r.Ticket
	case QueueKey, Temporary:
		id.Kind = Integrator
		id.Everywhere, id.Locations, id.Admin = r.Everywhere, r.Locations, r.Admin
	case ChatToken:
		if !user.in(r.Locations[0]) {
			return Identity{}, ErrUnknown
		}
		id.Kind, id.Locations, id.Admin = Integrator, r.Locations, user.Admin
	default: // invites and chat secrets are exchanged, never used directly
		return Identity{}, ErrUnknown
	}
	return id, nil
}
