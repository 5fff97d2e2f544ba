package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

func testContext(t *testing.T) (context.Context, func()) { return context.WithCancel(t.Context()) }

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	w.anna()
	token, id, err := w.SignIn(t.Context(), " ANNA@example.com ", annaPassword, "192.0.2.1")
	if err != nil || id.Kind != Staff || id.Credential != "user:1" || !id.In(1) || id.In(2) || id.Admin {
		t.Fatalf("%+v, %v", id, err)
	}
	if !strings.HasPrefix(token, "ns_ses_") {
		t.Errorf("token %.7s...", token)
	}
	last := w.audits[len(w.audits)-1]
	if last.Action != AuditSignIn || last.Who != "user:1" || last.From != "192.0.2.1" || last.Result != "ok" {
		t.Errorf("audited %+v", last)
	}
	w.people.change(3, func(u *User) { u.Disabled = false })
	if err := w.SetPassword(t.Context(), "user:2", 3, annaPassword, ""); err != nil {
		t.Fatal(err)
	}
	w.people.change(3, func(u *User) { u.Disabled = true })
	var said []string
	for name, c := range map[string][2]string{
		"wrong password": {annaEmail, "wrong password"}, "unknown e-mail": {"x@example.com", annaPassword},
		"no password set": {"bo@example.com", ""}, "disabled": {"gone@example.com", annaPassword},
		"empty": {"", ""}, "huge": {strings.Repeat("a", 1<<16), strings.Repeat("b", 1<<16)},
	} {
		token, id, err := w.SignIn(t.Context(), c[0], c[1], "192.0.2.1")
		wantCode(t, name, err, wire.Unauthenticated)
		if token != "" || id.Kind != "" {
			t.Errorf("%s: %q %+v", name, token, id)
		}
		said = append(said, err.Error())
		last := w.audits[len(w.audits)-1]
		if last.Action != AuditSignIn || last.Result != "unauthenticated" || len(last.Who) > maxEmail+1 {
			t.Errorf("%s: audited %.99v", name, last)
		}
	}
	for _, s := range said {
		if s != said[0] {
			t.Errorf("refusals differ: %q and %q", s, said[0])
		}
	}
}

func TestSessionSlides(t *testing.T) {
	w := newWorld(t)
	token, id := w.anna()
	if want := w.clock.Now().Add(DefaultSessionIdle); !id.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", id.Expires, want)
	}
	for range 13 { // with a request every 11 hours it lives on, for 6 days less an hour
		w.clock.Add(11 * time.Hour)
		if _, err := w.check(token, Session); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Add(11 * time.Hour)
	w.Active(id) // a command on a socket counts as much as a request
	if err := w.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.clock.Add(11 * time.Hour)
	if got, err := w.check(token, Session); err != nil || got.Expires.Sub(w.clock.Now()) != 3*time.Hour {
		t.Fatalf("shortly before its last day ends: %+v, %v", got, err)
	}
	w.clock.Add(3 * time.Hour)
	_, err := w.check(token, Session)
	wantErr(t, "after seven days", err, ErrExpired)
	w.Active(id)
	_, err = w.check(token, Session)
	wantErr(t, "active after its end", err, ErrExpired)

	token, id = w.anna()
	w.clock.Add(DefaultSessionIdle - time.Second)
	if _, err := w.Recheck(id); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(time.Second) // looking is not working: Recheck moved nothing
	_, err = w.check(token, Session)
	wantErr(t, "after twelve idle hours", err, ErrExpired)
}

func TestSignOutEndsOneSession(t *testing.T) {
	w := newWorld(t)
	one, first := w.anna()
	two, _ := w.anna()
	if err := w.SignOut(t.Context(), one, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	if len(w.told) != 1 || w.told[0] != first.Grant {
		t.Errorf("told %v, want only %s", w.told, first.Grant)
	}
	_, err := w.check(one, Session)
	wantErr(t, "signed out", err, ErrUnknown)
	if _, err := w.check(two, Session); err != nil {
		t.Errorf("the other browser: %v", err)
	}
	if err := w.SignOut(t.Context(), one, ""); err != nil {
		t.Errorf("twice: %v", err)
	}
	if err := w.SignOut(t.Context(), "nonsense", ""); err != nil {
		t.Errorf("nonsense: %v", err)
	}
}

func TestSetPasswordEndsTheOtherSessions(t *testing.T) {
	w := newWorld(t)
	mine, id := w.anna()
	other, _ := w.anna()
	invite, _ := w.issue(Spec{Type: Invite, User: 1, TTL: time.Hour})
	token, _ := w.issue(Spec{Type: StaffToken, User: 1})
	if err := w.SetPassword(t.Context(), "user:1", 1, "another horse", id.Grant); err != nil {
		t.Fatal(err)
	}
	if _, err := w.check(mine, Session); err != nil {
		t.Errorf("the session that asked: %v", err)
	}
	_, err := w.check(other, Session)
	wantErr(t, "another session", err, ErrUnknown)
	_, _, err = w.Redeem(t.Context(), invite, "")
	wantErr(t, "an old link", err, ErrUnknown)
	if _, err := w.Token(token); err != nil {
		t.Errorf("a program's token: %v", err)
	}
	_, _, err = w.SignIn(t.Context(), annaEmail, annaPassword, "")
	wantCode(t, "old password", err, wire.Unauthenticated)
	if _, _, err := w.SignIn(t.Context(), annaEmail, "another horse", ""); err != nil {
		t.Errorf("new password: %v", err)
	}
	wantCode(t, "short", w.SetPassword(t.Context(), "user:2", 1, "short", ""), wire.BadRequest)
	wantCode(t, "unknown user", w.SetPassword(t.Context(), "user:2", 99, annaPassword, ""), wire.NotFound)
	w.docs.fail = store.ErrFull
	wantErr(t, "full disk", w.SetPassword(t.Context(), "user:2", 1, "third horse", ""), store.ErrFull)
	if _, _, err := w.SignIn(t.Context(), annaEmail, "another horse", ""); err != nil {
		t.Errorf("the password changed although it was not stored: %v", err)
	}
}

// A sign-in that was hashing while the password changed must not succeed.
func TestPasswordChangedDuringSignIn(t *testing.T) {
	w := newWorld(t)
	w.anna()
	work := w.hasher.work
	w.hasher.work = func(password, salt []byte, tm, m uint32, p uint8, n uint32) []byte {
		out := work(password, salt, tm, m, p, n)
		w.hasher.work = work // only the sign-in's own hash is overtaken
		if err := w.SetPassword(t.Context(), "user:2", 1, "another horse", ""); err != nil {
			t.Error(err)
		}
		return out
	}
	_, _, err := w.SignIn(t.Context(), annaEmail, annaPassword, "")
	wantCode(t, "with the old password", err, wire.Unauthenticated)
}

func TestInviteWorksOnce(t *testing.T) {
	w := newWorld(t)
	invite, _ := w.issue(Spec{Type: Invite, User: 2, TTL: time.Hour})
	var mu sync.Mutex
	var wg, arrived sync.WaitGroup
	var calls atomic.Int32
	const crowd = 16
	arrived.Add(crowd)
	// Redeem looks the user up when it has found the link good: there all wait
	// for one another, and only then go on.
	w.people.onUser = func() {
		if calls.Add(1) <= crowd {
			arrived.Done()
			arrived.Wait()
		}
	}
	won := 0
	for range crowd {
		wg.Go(func() {
			token, id, err := w.Redeem(t.Context(), invite, "192.0.2.1")
			if err != nil {
				if !errors.Is(err, ErrUnknown) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			won++
			if _, err := w.check(token, Session); err != nil || id.User != 2 {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Fatalf("one link opened %d sessions", won)
	}
	w.open()
	_, _, err := w.Redeem(t.Context(), invite, "192.0.2.1")
	wantErr(t, "after a restart", err, ErrUnknown)

	late, _ := w.issue(Spec{Type: Invite, User: 2, TTL: time.Hour})
	w.clock.Add(time.Hour)
	_, _, err = w.Redeem(t.Context(), late, "192.0.2.9")
	wantErr(t, "too late", err, ErrExpired)
}

func TestThrottlePerEmail(t *testing.T) {
	w := newWorld(t)
	w.anna()
	burst := emailRate().Burst
	for i := range burst {
		_, _, err := w.SignIn(t.Context(), annaEmail, "wrong", fmt.Sprintf("192.0.2.%d", i))
		wantCode(t, "a wrong password", err, wire.Unauthenticated)
	}
	_, _, err := w.SignIn(t.Context(), "ANNA@example.com", annaPassword, "198.51.100.1")
	wantCode(t, "over the limit, even when right", err, wire.RateLimited)
	if e := wire.AsError(err); e.RetryAfter < 1 || e.RetryAfter > 30 {
		t.Errorf("come back in %d s", e.RetryAfter)
	}
	w.clock.Add(time.Duration(wire.AsError(err).RetryAfter) * time.Second)
	if _, _, err := w.SignIn(t.Context(), annaEmail, annaPassword, "198.51.100.1"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestThrottlePerAddress(t *testing.T) {
	w := newWorld(t)
	w.anna()
	for i := range addrRate().Burst {
		_, _, err := w.SignIn(t.Context(), fmt.Sprintf("%d@example.com", i), "wrong", fmt.Sprintf("2001:db8::%x", i+1))
		wantCode(t, "a guess", err, wire.Unauthenticated)
	}
	_, _, err := w.SignIn(t.Context(), "new@example.com", "wrong", "2001:db8::ffff")
	wantCode(t, "from the same network", err, wire.RateLimited)
	_, _, err = w.Redeem(t.Context(), "ns_inv_"+strings.Repeat("A", 43), "2001:db8::fffe")
	wantCode(t, "links are counted with it", err, wire.RateLimited)
	if _, _, err := w.SignIn(t.Context(), annaEmail, annaPassword, "198.51.100.1"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

// A whole branch signs in at eight o'clock from one address, every day.
func TestGoodSignInsAreNotThrottled(t *testing.T) {
	w := newWorld(t)
	w.anna()
	for range 200 {
		if _, _, err := w.SignIn(t.Context(), annaEmail, annaPassword, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.List(Session)); n != SessionsPerUser {
		t.Errorf("%d sessions, want at most %d", n, SessionsPerUser)
	}
	if n := w.docs.count(credentialDocs); n != SessionsPerUser {
		t.Errorf("%d documents", n)
	}
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	w.anna()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				token, id, err := w.SignIn(t.Context(), annaEmail, annaPassword, "192.0.2.1")
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = w.check(token, Session)
				w.Active(id)
				_, _ = w.Recheck(id)
				_ = w.Maintain(t.Context())
				_ = w.List(Session)
				w.clock.Add(time.Minute)
				if i%2 == 0 {
					_ = w.SignOut(t.Context(), token, "")
				}
			}
		})
	}
	wg.Wait()
	for _, info := range w.List(Session) {
		if info.User != 1 {
			t.Errorf("%+v", info)
		}
	}
}
