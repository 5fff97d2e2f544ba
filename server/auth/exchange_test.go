package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestTemporaryKey(t *testing.T) {
	w := newWorld(t)
	key, info := w.issue(Spec{Type: QueueKey, User: 1, Locations: []int{1}, TTL: 7 * time.Minute})
	temporary, until, err := w.ExchangeKey(key)
	if err != nil || !until.Equal(w.clock.Now().Add(TemporaryTTL)) {
		t.Fatalf("%v, until %v", err, until)
	}
	id, err := w.SocketKey(temporary)
	if err != nil || id.Credential != info.Credential || id.User != 1 || !id.In(1) || id.In(2) {
		t.Fatalf("%+v, %v: want its parent's rights", id, err)
	}
	if _, _, err := w.ExchangeKey(temporary); !errors.Is(err, ErrUnknown) {
		t.Errorf("a temporary key gave another: %v", err)
	}
	w.clock.Add(4 * time.Minute)
	if _, until, _ := w.ExchangeKey(key); !until.Equal(w.clock.Now().Add(3 * time.Minute)) {
		t.Errorf("lives until %v, longer than its parent", until)
	}
	w.clock.Add(2 * time.Minute)
	_, err = w.SocketKey(temporary)
	wantErr(t, "after five minutes", err, ErrExpired)
	if n := w.docs.count(credentialDocs); n != 1 {
		t.Errorf("%d documents, want the key's only", n)
	}
	w.clock.Add(48 * time.Hour)
	if err := w.Maintain(t.Context()); err != nil || len(w.index.byDigest) != 0 {
		t.Errorf("maintain: %v, %d left", err, len(w.index.byDigest))
	}
}

func TestExchangeChat(t *testing.T) {
	w := newWorld(t)
	const department = "5D3C6E0A-0000-4000-8000-000000000001"
	secret, info := w.issue(Spec{Type: ChatSecret, Department: department, Locations: []int{1}})
	for name, c := range map[string]struct{ key, secret, email string }{
		"key":           {"5d3c6e0a-0000-4000-8000-000000000002", secret, annaEmail},
		"secret":        {department, secret[:len(secret)-1] + "_", annaEmail},
		"user":          {department, secret, "nobody@example.com"},
		"disabled user": {department, secret, "gone@example.com"},
		"empty":         {"", "", ""},
	} {
		_, _, err := w.ExchangeChat(t.Context(), c.key, c.secret, c.email)
		wantCode(t, "wrong "+name, err, wire.Unauthenticated)
	}
	first, until, err := w.ExchangeChat(t.Context(), strings.ToLower(department), secret, " Anna@Example.com")
	if err != nil || !until.Equal(w.clock.Now().Add(ChatTokenTTL)) {
		t.Fatalf("%v, until %v", err, until)
	}
	if _, _, err := w.ExchangeChat(t.Context(), department, secret, annaEmail); err != nil {
		t.Fatal(err)
	}
	w.open()
	id, err := w.Token(first)
	if err != nil || id.Kind != Integrator || id.User != 1 || !id.In(1) || id.In(2) || id.Admin || id.Credential != info.Credential {
		t.Fatalf("a second token ended the first, or a restart did: %+v, %v", id, err)
	}
	w.people.change(1, func(u *User) { u.Locations = []int{2} })
	_, err = w.Token(first)
	wantErr(t, "user left the department", err, ErrUnknown)
	w.people.change(1, func(u *User) { u.Locations = []int{1, 2} })
	if err := w.Revoke(t.Context(), "user:2", info.Grant); err != nil {
		t.Fatal(err)
	}
	_, err = w.Token(first)
	wantErr(t, "secret revoked", err, ErrUnknown)
}
