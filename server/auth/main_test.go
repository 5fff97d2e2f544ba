package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/testkit"
	"github.com/nowserving/nowserving/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memDocs keeps documents in memory and fails when told to.
type memDocs struct {
	mu    sync.Mutex
	docs  map[[2]string][]byte
	puts  int
	fail  error  // the next PutDocs fails with it, and does nothing
	onPut func() // runs in PutDocs, before anything is stored
}

func newDocs() *memDocs { return &memDocs{docs: make(map[[2]string][]byte)} }

func (m *memDocs) Doc(kind, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.docs[[2]string{kind, key}]
	if !ok {
		return nil, store.ErrNotFound
	}
	return v, nil
}

func (m *memDocs) Docs(kind string) iter.Seq2[store.Doc, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Doc
	for k, v := range m.docs {
		if k[0] == kind {
			out = append(out, store.Doc{Kind: kind, Key: k[1], Value: slices.Clone(v)})
		}
	}
	slices.SortFunc(out, func(a, b store.Doc) int { return cmp.Compare(a.Key, b.Key) })
	return func(yield func(store.Doc, error) bool) {
		for _, d := range out {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func (m *memDocs) PutDocs(_ context.Context, docs ...store.Doc) error {
	if m.onPut != nil {
		m.onPut()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	if err := m.fail; err != nil {
		m.fail = nil
		return err
	}
	for _, d := range docs {
		if d.Value == nil {
			delete(m.docs, [2]string{d.Kind, d.Key})
		} else {
			m.docs[[2]string{d.Kind, d.Key}] = slices.Clone(d.Value)
		}
	}
	return nil
}

func (m *memDocs) count(kind string) int {
	n := 0
	for range m.Docs(kind) {
		n++
	}
	return n
}

type people struct {
	mu     sync.Mutex
	users  map[int]User
	onUser func() // runs at every look-up by id
}

func (p *people) User(id int) (User, bool) {
	if p.onUser != nil {
		p.onUser()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.users[id]
	return u, ok
}

func (p *people) UserByEmail(email string) (User, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.users {
		if strings.EqualFold(u.Email, email) {
			return u, true
		}
	}
	return User{}, false
}

func (p *people) change(id int, f func(*User)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[id]
	f(&u)
	p.users[id] = u
}

// world is an Authenticator and everything around it.
type world struct {
	*Authenticator
	t      *testing.T
	docs   *memDocs
	people *people
	clock  *testkit.Clock
	mu     sync.Mutex
	audits []Entry
	told   []string // grants that OnRevoke told about
}

const (
	annaPassword = "correct horse"
	annaEmail    = "anna@example.com"
)

func newWorld(t *testing.T) *world {
	w := &world{
		t:    t,
		docs: newDocs(),
		people: &people{users: map[int]User{
			1: {ID: 1, Email: annaEmail, Locations: []int{1}},
			2: {ID: 2, Email: "bo@example.com", Admin: true, Everywhere: true},
			3: {ID: 3, Email: "gone@example.com", Disabled: true, Locations: []int{1}},
		}},
		clock: testkit.NewClock(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), 0),
	}
	w.open()
	return w
}

// open starts a new Authenticator over the same documents, as a restart does.
func (w *world) open() {
	a, err := Open(Options{
		Docs: w.docs, Directory: w.people, Now: w.clock.Now,
		Audit: AuditorFunc(func(e Entry) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.audits = append(w.audits, e)
		}),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	// Argon2 at full cost would make these tests slow under race; the real one
	// is tested in password_test.go.
	a.hasher.work = func(password, salt []byte, _, _ uint32, _ uint8, n uint32) []byte {
		return slices.Repeat([]byte(fmt.Sprintf("%x%x", password, salt)), int(n))[:n]
	}
	a.OnRevoke(func(grant string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, grant)
	})
	w.Authenticator = a
}

func (w *world) issue(s Spec) (string, Info) {
	w.t.Helper()
	token, info, err := w.Issue(w.t.Context(), "user:2", s)
	if err != nil {
		w.t.Fatalf("issue %+v: %v", s, err)
	}
	return token, info
}

func (w *world) anna() (token string, id Identity) {
	w.t.Helper()
	if !w.HasPassword(1) {
		if err := w.SetPassword(w.t.Context(), "user:2", 1, annaPassword, ""); err != nil {
			w.t.Fatal(err)
		}
	}
	token, id, err := w.SignIn(w.t.Context(), annaEmail, annaPassword, "192.0.2.1")
	if err != nil {
		w.t.Fatal(err)
	}
	return token, id
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func wantCode(t *testing.T, what string, err error, code wire.Code) {
	t.Helper()
	if err == nil || wire.CodeOf(err) != code {
		t.Fatalf("%s: got %v, want %s", what, err, code)
	}
}
