package auth

import (
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

func TestEveryTokenKindGivesItsIdentity(t *testing.T) {
	w := newWorld(t)
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		spec Spec
		want Identity
	}{
		{Spec{Type: StaffToken, User: 1}, Identity{Kind: Staff, Credential: "user:1", User: 1, Locations: []int{1}}},
		{Spec{Type: StaffToken, User: 2}, Identity{Kind: Staff, Credential: "user:2", User: 2, Everywhere: true, Admin: true}},
		{Spec{Type: DisplayToken, Display: 2, Locations: []int{1}}, Identity{Kind: Display, Credential: "display:2", Display: 2, Locations: []int{1}}},
		{Spec{Type: VisitorToken, Ticket: 17, TTL: year}, Identity{Kind: Visitor, Credential: "ticket:17", Ticket: 17, Expires: w.clock.Now().Add(year)}},
		{Spec{Type: QueueKey, Everywhere: true, Admin: true}, Identity{Kind: Integrator, Everywhere: true, Admin: true}},
		{Spec{Type: QueueKey, User: 1, Everywhere: true}, Identity{Kind: Integrator, User: 1, Everywhere: true}},
		{Spec{Type: QueueKey, Display: 2, Locations: []int{1}}, Identity{Kind: Integrator, Display: 2, Locations: []int{1}}},
	} {
		token, info := w.issue(c.spec)
		c.want.Grant = info.Grant
		if c.spec.Type == QueueKey {
			c.want.Credential = info.Grant
		}
		for _, when := range []string{"at once", "after a restart"} {
			got, err := w.Token(token)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s %s:\n got %+v, %v\nwant %+v", c.spec.Type, when, got, err, c.want)
			}
			w.open()
		}
	}
}

// Whoever reads the data folder must not be able to sign in with what is there.
func TestNoSecretIsStored(t *testing.T) {
	w := newWorld(t)
	session, _ := w.anna()
	key, _ := w.issue(Spec{Type: QueueKey, Everywhere: true})
	for id, value := range w.docs.docs {
		text := id[0] + id[1] + string(value)
		for _, secret := range []string{session, key, annaPassword} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a secret", id)
			}
		}
		if _, err := w.Token(id[1]); !errors.Is(err, ErrUnknown) {
			t.Errorf("a stored hash is a token: %v", err)
		}
	}
}

func TestWrongTokens(t *testing.T) {
	w := newWorld(t)
	good, _ := w.issue(Spec{Type: QueueKey, Everywhere: true})
	session, _ := w.anna()
	invite, _ := w.issue(Spec{Type: Invite, User: 1, TTL: time.Hour})
	secret, _ := w.issue(Spec{Type: ChatSecret, Department: "d", Locations: []int{1}})
	temporary, _, err := w.ExchangeKey(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty": "", "cut": good[:len(good)-1], "longer": good + "A", "other case": strings.ToUpper(good),
		"never issued": "ns_key_" + strings.Repeat("A", 43), "other prefix": "ns_stf_" + good[prefixLen:],
		"a cookie's session": session, "an invite": invite, "a chat secret": secret, "a temporary key": temporary,
	} {
		if id, err := w.Token(token); !errors.Is(err, ErrUnknown) || id.Kind != "" {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	if _, err := w.SocketKey(temporary); err != nil {
		t.Errorf("temporary key on the socket: %v", err)
	}
	staff, _ := w.issue(Spec{Type: StaffToken, User: 1})
	_, err = w.SocketKey(staff)
	wantErr(t, "staff token as a key in a URL", err, ErrUnknown)
}

func TestBearer(t *testing.T) {
	w := newWorld(t)
	key, info := w.issue(Spec{Type: QueueKey, Everywhere: true})
	for header, want := range map[string]struct {
		there bool
		err   error
	}{
		"":                     {false, nil},
		"Basic dTpw":           {false, nil},
		"Bearer " + key:        {true, nil},
		"bearer  " + key + " ": {true, nil},
		"Bearer":               {true, ErrUnknown},
		"Bearer nonsense":      {true, ErrUnknown},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		id, there, err := w.Bearer(r)
		if there != want.there || !errors.Is(err, want.err) || (there && err == nil) != (id.Grant == info.Grant) {
			t.Errorf("%q: %+v, %v, %v", header, id, there, err)
		}
	}
}

func TestIssueRefusesWhatDoesNotFit(t *testing.T) {
	w := newWorld(t)
	for field, specs := range map[string][]Spec{
		"user":       {{Type: StaffToken}, {Type: StaffToken, User: 99}, {Type: Invite, TTL: 1}},
		"display":    {{Type: DisplayToken, Locations: []int{1}}},
		"ticket":     {{Type: VisitorToken, TTL: 1}},
		"department": {{Type: ChatSecret, Locations: []int{1}}},
		"ttl":        {{Type: VisitorToken, Ticket: 1}, {Type: Invite, User: 1}, {Type: QueueKey, Everywhere: true, TTL: -1}},
		"locations": {{Type: QueueKey}, {Type: DisplayToken, Display: 1}, {Type: DisplayToken, Display: 1, Everywhere: true},
			{Type: DisplayToken, Display: 1, Locations: []int{1, 2}}, {Type: ChatSecret, Department: "d", Locations: []int{1, 2}}},
		"type": {{Type: Session, User: 1, TTL: 1}, {Type: Temporary, Everywhere: true, TTL: 1},
			{Type: ChatToken, User: 1, Department: "d", Locations: []int{1}, TTL: 1}},
	} {
		for _, s := range specs {
			_, _, err := w.Issue(t.Context(), "user:2", s)
			if e := wire.AsError(err); err == nil || e.Code != wire.BadRequest || e.Field != field {
				t.Errorf("%+v: %v, want field %s", s, err, field)
			}
		}
	}
	if n := w.docs.count(credentialDocs); n != 0 {
		t.Errorf("%d were stored", n)
	}
}

// A token must not be good before it is durable.
func TestIssueFailsWithTheStore(t *testing.T) {
	w := newWorld(t)
	w.docs.fail = store.ErrFull
	token, _, err := w.Issue(t.Context(), "user:2", Spec{Type: QueueKey, Everywhere: true})
	wantErr(t, "issue", err, store.ErrFull)
	if token != "" || len(w.List(QueueKey)) != 0 {
		t.Error("a token was given out that is not stored")
	}
	known := 1
	w.docs.onPut = func() { known = len(w.index.byDigest) }
	w.issue(Spec{Type: QueueKey, Everywhere: true})
	if known != 0 {
		t.Error("the token was known before it was stored")
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	key, info := w.issue(Spec{Type: QueueKey, Everywhere: true})
	other, _ := w.issue(Spec{Type: QueueKey, Everywhere: true})
	temporary, _, err := w.ExchangeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := w.Token(key)
	tmp, _ := w.SocketKey(temporary)
	if err := w.Revoke(t.Context(), "user:2", info.Credential); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"at once", "after a restart"} {
		_, err := w.Token(key)
		wantErr(t, "revoked key "+when, err, ErrUnknown)
		_, err = w.SocketKey(temporary)
		wantErr(t, "its temporary key "+when, err, ErrUnknown)
		_, err = w.Recheck(id)
		wantErr(t, "recheck "+when, err, ErrUnknown)
		if _, err := w.Token(other); err != nil {
			t.Errorf("another key %s: %v", when, err)
		}
		w.open()
	}
	if want := []string{id.Grant, tmp.Grant}; !sameStrings(w.told, want) {
		t.Errorf("told about %v, want %v", w.told, want)
	}
	err = w.Revoke(t.Context(), "user:2", info.Credential)
	wantCode(t, "revoke twice", err, wire.NotFound)
	last := w.audits[len(w.audits)-1]
	if last.Action != AuditRevoke || last.Who != "user:2" || last.On != info.Credential || last.Result != "ok" {
		t.Errorf("audited %+v", last)
	}
}

func sameStrings(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// A revocation holds even when its document cannot be deleted now; Maintain
// deletes it later.
func TestRevokeWithFailingStore(t *testing.T) {
	w := newWorld(t)
	key, info := w.issue(Spec{Type: QueueKey, Everywhere: true})
	w.docs.fail = store.ErrFull
	wantErr(t, "revoke", w.Revoke(t.Context(), "user:2", info.Grant), store.ErrFull)
	_, err := w.Token(key)
	wantErr(t, "token", err, ErrUnknown)
	if len(w.told) != 1 {
		t.Errorf("told %v", w.told)
	}
	if err := w.Maintain(t.Context()); err != nil || w.docs.count(credentialDocs) != 0 {
		t.Errorf("maintain: %v, %d left", err, w.docs.count(credentialDocs))
	}
}

// The last-used mark of a credential that is revoked meanwhile must not bring
// its document back.
func TestMarkDoesNotUndoRevoke(t *testing.T) {
	w := newWorld(t)
	key, info := w.issue(Spec{Type: QueueKey, Everywhere: true})
	if _, err := w.Token(key); err != nil {
		t.Fatal(err)
	}
	revoked, done := make(chan string, 1), make(chan error, 1)
	w.OnRevoke(func(grant string) { revoked <- grant })
	w.docs.onPut = func() {
		w.docs.onPut = nil // the revocation's own write goes through
		go func() { done <- w.Revoke(t.Context(), "user:2", info.Grant) }()
		<-revoked // from here on it is refused; its delete comes after this write
	}
	if err := w.Maintain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.docs.onPut = nil
	w.open()
	_, err := w.Token(key)
	wantErr(t, "after a restart", err, ErrUnknown)
}

func TestUsersComeFromTheDirectory(t *testing.T) {
	w := newWorld(t)
	token, _ := w.issue(Spec{Type: StaffToken, User: 1})
	key, _ := w.issue(Spec{Type: QueueKey, User: 1, Everywhere: true})
	id, _ := w.Token(token)
	w.people.change(1, func(u *User) { u.Locations = []int{2}; u.Admin = true })
	w.UserChanged(1)
	if len(w.told) != 2 {
		t.Errorf("told %v, want both grants of the user", w.told)
	}
	now, err := w.Recheck(id)
	if err != nil || now.In(1) || !now.In(2) || !now.Admin {
		t.Errorf("after the move: %+v, %v", now, err)
	}
	w.people.change(1, func(u *User) { u.Disabled = true })
	for name, token := range map[string]string{"token": token, "key": key} {
		_, err := w.Token(token)
		wantErr(t, name+" of a disabled user", err, ErrUnknown)
	}
	_, err = w.Recheck(id)
	wantErr(t, "socket of a disabled user", err, ErrUnknown)
}

func TestRevokeUser(t *testing.T) {
	w := newWorld(t)
	cookie, _ := w.anna()
	key, _ := w.issue(Spec{Type: QueueKey, User: 1, Everywhere: true})
	other, _ := w.issue(Spec{Type: StaffToken, User: 2})
	if err := w.RevokeUser(t.Context(), "user:2", 1); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"at once", "after a restart"} {
		_, err := w.Token(key)
		wantErr(t, "key "+when, err, ErrUnknown)
		_, err = w.check(cookie, Session)
		wantErr(t, "session "+when, err, ErrUnknown)
		_, _, err = w.SignIn(t.Context(), annaEmail, annaPassword, "192.0.2.1")
		wantCode(t, "sign in "+when, err, wire.Unauthenticated)
		if _, err := w.Token(other); err != nil {
			t.Errorf("another user %s: %v", when, err)
		}
		w.open()
	}
}

// What cannot be read must stop the start, not be skipped: a lost revocation
// or a lost restriction would be worse.
func TestOpenRefusesDamage(t *testing.T) {
	for name, d := range map[string]store.Doc{
		"key":      {Kind: credentialDocs, Key: "xyz", Value: []byte(`{}`)},
		"json":     {Kind: credentialDocs, Key: strings.Repeat("0", 64), Value: []byte(`{`)},
		"type":     {Kind: credentialDocs, Key: strings.Repeat("0", 64), Value: []byte(`{"type":"new","credential":"a","grant":"b"}`)},
		"grant":    {Kind: credentialDocs, Key: strings.Repeat("0", 64), Value: []byte(`{"type":"key","credential":"a"}`)},
		"password": {Kind: passwordDocs, Key: "1", Value: []byte("plain")},
		"user":     {Kind: passwordDocs, Key: "x", Value: []byte(nobody().String())},
	} {
		w := newWorld(t)
		if err := w.docs.PutDocs(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(w.opts); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestListHidesRevokedAndSecrets(t *testing.T) {
	w := newWorld(t)
	_, a := w.issue(Spec{Type: QueueKey, Name: "website", Everywhere: true})
	w.clock.Add(time.Second)
	_, b := w.issue(Spec{Type: QueueKey, Name: "kiosk", Everywhere: true})
	w.issue(Spec{Type: StaffToken, User: 1})
	got := w.List(QueueKey)
	if len(got) != 2 || got[0].Name != "website" || got[1].Name != "kiosk" {
		t.Fatalf("%+v", got)
	}
	if err := w.Revoke(t.Context(), "user:2", a.Grant); err != nil {
		t.Fatal(err)
	}
	if got := w.List(QueueKey); len(got) != 1 || got[0].Grant != b.Grant {
		t.Fatalf("%+v", got)
	}
}
