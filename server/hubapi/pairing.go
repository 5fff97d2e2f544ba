package hubapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

const (
	// codeLetters has no vowels (no words) and nothing that looks like another:
	// a code is read off a screen across a room.
	codeLetters = "BCDFGHJKLMNPQRTVWXYZ2346789"
	codeLength  = 6
	// codeTTL is how long a code may be claimed.
	codeTTL = 10 * time.Minute
	// maxCodes bounds the live codes, so that guessing one stays hopeless and a
	// flood of requests costs a bounded amount of memory.
	maxCodes = 500
	// pollEvery is what a screen is told to wait between two polls, in seconds.
	pollEvery = 3
)

// Asker is what asks to be paired, which decides what kind of token it gets.
type Asker string

// The askers. A program of the queue API needs a key of that API; our own screens
// get a token that reads their board and nothing else.
const (
	AskerScreen Asker = ""
	AskerApp    Asker = "app"
	AskerKiosk  Asker = ticket.KindKiosk
)

// Paired is what a claimed code gave.
type Paired struct {
	Token    string
	Display  int
	Location int
	Name     string
	Kind     string // of the screen: "" or kiosk
}

// pairing is a code that a screen shows.
type pairing struct {
	secret  [sha256.Size]byte
	expires time.Time
	asks    Asker
	paired  *Paired
}

// Pairings holds the codes that screens show until staff claims them. Codes live
// in memory only: after a restart a screen shows a new one.
type Pairings struct {
	clock func() time.Time

	mu   sync.Mutex // protects live
	live map[string]*pairing
}

// NewPairings makes an empty set.
func NewPairings(clock func() time.Time) *Pairings {
	return &Pairings{clock: clock, live: map[string]*pairing{}}
}

// Begin makes a code and the secret that its screen polls with.
func (p *Pairings) Begin(asks Asker) (code, secret string, err error) {
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return "", "", fmt.Errorf("draw secret: %w", err)
	}
	secret = hex.EncodeToString(raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	if len(p.live) >= maxCodes {
		return "", "", &wire.Error{Code: wire.RateLimited, Message: "too many screens are waiting to be paired", RetryAfter: 30}
	}
	for code == "" || p.live[code] != nil {
		if code, err = drawCode(); err != nil {
			return "", "", err
		}
	}
	p.live[code] = &pairing{secret: sha256.Sum256([]byte(secret)), expires: p.clock().Add(codeTTL), asks: asks}
	return code, secret, nil
}

func drawCode() (string, error) {
	var b strings.Builder
	for range codeLength {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeLetters))))
		if err != nil {
			return "", fmt.Errorf("draw code: %w", err)
		}
		b.WriteByte(codeLetters[i.Int64()])
	}
	return b.String(), nil
}

// sweep forgets what ran out; mu is held.
func (p *Pairings) sweep() {
	now := p.clock()
	for code, x := range p.live {
		if !now.Before(x.expires) {
			delete(p.live, code)
		}
	}
}

// unknownCode is the answer for a code that is not there and for a wrong secret:
// whoever guesses learns nothing.
func unknownCode() error { return wire.Errorf(wire.NotFound, "there is no such pairing code") }

// Poll says whether a code was claimed; nil means not yet. What it gave is
// handed out until the code runs out, because the answer may get lost.
func (p *Pairings) Poll(code, secret string) (*Paired, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	x := p.live[strings.ToUpper(code)]
	sum := sha256.Sum256([]byte(secret))
	if x == nil || subtle.ConstantTimeCompare(sum[:], x.secret[:]) != 1 {
		return nil, unknownCode()
	}
	return x.paired, nil
}

// Claim gives a code what make makes; it is called at most once per code.
func (p *Pairings) Claim(ctx context.Context, code string, make func(ctx context.Context, asks Asker) (Paired, error)) (Paired, error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	p.mu.Lock()
	p.sweep()
	x := p.live[code]
	if x == nil || x.paired != nil {
		p.mu.Unlock()
		if x != nil {
			return Paired{}, wire.Errorf(wire.Conflict, "this code was claimed already")
		}
		return Paired{}, unknownCode()
	}
	delete(p.live, code) // nobody else claims it while the screen is being made
	p.mu.Unlock()
	done, err := make(ctx, x.asks)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		x.paired = &done
	}
	p.live[code] = x
	return done, err
}
