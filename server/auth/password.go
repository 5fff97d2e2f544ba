package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// What OWASP asks of argon2id.
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32

	// hashesInFlight bounds the memory that sign-ins may take: without it, a
	// crowd at the sign-in page is 19 MiB each.
	hashesInFlight = 2

	// MinPassword and MaxPassword bound a password: in characters so that no
	// script is at a disadvantage, and in bytes so that hashing is bounded.
	MinPassword = 8
	MaxPassword = 512
)

// hasher makes and checks password hashes, few at a time.
type hasher struct {
	slots  chan struct{}
	random io.Reader
	// work stands in for argon2 in tests that look at the waiting only.
	work func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

func newHasher(random io.Reader) *hasher {
	return &hasher{slots: make(chan struct{}, hashesInFlight), random: random, work: argon2.IDKey}
}

func checkPassword(password string) *wire.Error {
	switch {
	case !utf8.ValidString(password):
		return wire.FieldError("password", "must be text")
	case utf8.RuneCountInString(password) < MinPassword:
		return wire.FieldError("password", "has at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return wire.FieldError("password", "has at most %d bytes", MaxPassword)
	}
	return nil
}

// derive hashes, after waiting for a free slot.
func (h *hasher) derive(ctx context.Context, password string, p phc) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, wire.Errorf(wire.Unavailable, "too many are signing in, try again")
	}
	defer func() { <-h.slots }()
	return h.work([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key))), nil
}

// hash makes the stored form of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	p := phc{memory: argonMemory, time: argonTime, threads: argonThreads,
		salt: make([]byte, argonSalt), key: make([]byte, argonKey)}
	if _, err := io.ReadFull(h.random, p.salt); err != nil {
		return "", fmt.Errorf("auth: draw salt: %w", err)
	}
	key, err := h.derive(ctx, password, p)
	if err != nil {
		return "", err
	}
	p.key = key
	return p.String(), nil
}

// check reports whether password is the one behind stored. An empty stored
// form is never right and takes just as long.
func (h *hasher) check(ctx context.Context, password, stored string) (bool, error) {
	p, known := nobody(), false
	if stored != "" {
		parsed, err := parsePHC(stored)
		if err != nil {
			return false, err
		}
		p, known = parsed, true
	}
	if len(password) > MaxPassword {
		// Nobody has such a password; hashing it would only cost more.
		password, known = "", false
	}
	key, err := h.derive(ctx, password, p)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known, nil
}

// phc is a parsed argon2id hash in the PHC string format.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// nobody is what an unknown e-mail's password is compared with.
func nobody() phc {
	return phc{memory: argonMemory, time: argonTime, threads: argonThreads,
		salt: make([]byte, argonSalt), key: make([]byte, argonKey)}
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.memory, p.time, p.threads, b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

var errPHC = errors.New("auth: stored password is not an argon2id hash")

// parsePHC reads what String wrote. The costs are bounded: a damaged record
// must not take all memory.
func parsePHC(s string) (phc, error) {
	var p phc
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" ||
		parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, fmt.Errorf("%w: %w", errPHC, err)
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, fmt.Errorf("%w: %w", errPHC, err)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, fmt.Errorf("%w: %w", errPHC, err)
	}
	const most = 256 << 10 // KiB
	if p.memory < 8 || p.memory > most || p.time < 1 || p.time > 16 || p.threads < 1 || p.threads > 8 ||
		len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64 ||
		p.String() != s {
		return p, errPHC
	}
	return p, nil
}
