package auth

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestPasswordHash(t *testing.T) {
	h := newHasher(rand.Reader)
	stored, err := h.hash(t.Context(), annaPassword)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(stored, annaPassword) {
		t.Fatalf("stored as %q", stored)
	}
	if again, _ := h.hash(t.Context(), annaPassword); again == stored {
		t.Fatal("two hashes of one password are equal: no salt")
	}
	for password, want := range map[string]bool{
		annaPassword: true, annaPassword + " ": false, "": false, strings.Repeat("a", MaxPassword+1): false,
	} {
		if got, err := h.check(t.Context(), password, stored); err != nil || got != want {
			t.Errorf("check(%.20q) = %v, %v, want %v", password, got, err, want)
		}
	}
	if _, err := h.check(t.Context(), annaPassword, "$argon2id$v=19$m=1,t=1$x$y"); err == nil {
		t.Error("a damaged hash was not noticed")
	}
}

// An unknown e-mail must cost what a known one costs: one hash at full price.
func TestUnknownEmailCostsTheSame(t *testing.T) {
	h := newHasher(rand.Reader)
	type price struct {
		time, memory uint32
		threads      uint8
		key          uint32
	}
	var paid []price
	h.work = func(_, _ []byte, time, memory uint32, threads uint8, n uint32) []byte {
		paid = append(paid, price{time, memory, threads, n})
		return make([]byte, n) // what nobody's hash is compared with: still never right
	}
	stored, err := h.hash(t.Context(), annaPassword)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.check(t.Context(), "wrong", stored); err != nil {
		t.Fatal(err)
	}
	ok, err := h.check(t.Context(), "wrong", "")
	if ok || err != nil {
		t.Fatalf("no password at all was right: %v, %v", ok, err)
	}
	if len(paid) != 3 || paid[1] != paid[2] {
		t.Fatalf("paid %+v, want the same for known and unknown", paid)
	}
}

func TestAtMostTwoHashesInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(rand.Reader)
		var running, most atomic.Int32
		h.work = func(_, _ []byte, _, _ uint32, _ uint8, n uint32) []byte {
			if now := running.Add(1); now > most.Load() {
				most.Store(now)
			}
			time.Sleep(time.Second) // the bubble's clock: lets the others come
			running.Add(-1)
			return make([]byte, n)
		}
		var wg sync.WaitGroup
		start := time.Now()
		for range 8 {
			wg.Go(func() {
				if _, err := h.check(t.Context(), "x", ""); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most.Load() != hashesInFlight {
			t.Errorf("%d at once, want %d", most.Load(), hashesInFlight)
		}
		if d := time.Since(start); d != 4*time.Second {
			t.Errorf("eight took %v, want 4s", d)
		}
	})
}

func TestWaitingForAHashEndsWithTheRequest(t *testing.T) {
	h := newHasher(rand.Reader)
	for range hashesInFlight {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.check(ctx, "x", "")
	wantCode(t, "check without a slot", err, wire.Unavailable)
}

func TestPasswordRules(t *testing.T) {
	for password, ok := range map[string]bool{
		"1234567": false, "12345678": true, "пароль12": true, "密码密码密码密码": true,
		strings.Repeat("a", MaxPassword): true, strings.Repeat("a", MaxPassword+1): false,
		"bad\xffutf8": false, "": false,
	} {
		if err := checkPassword(password); (err == nil) != ok {
			t.Errorf("%.20q: %v", password, err)
		} else if err != nil && err.Field != "password" {
			t.Errorf("%.20q: names field %q", password, err.Field)
		}
	}
}
