// Package auth says who is asking and what they may do: credentials (hashed at
// rest), sessions, and the one table that every command and channel passes.
package auth

import "time"

// Kind is what sort of caller an identity is. It is also the audience whose
// projection the caller gets.
type Kind string

// The kinds of identity.
const (
	Staff      Kind = "staff"      // a signed-in user
	Display    Kind = "display"    // a paired screen: reads one board, nothing else
	Visitor    Kind = "visitor"    // the holder of one ticket
	Integrator Kind = "integrator" // an API key
	Kiosk      Kind = "kiosk"      // a paired screen that lets visitors take a ticket
)

// Identity is a caller whose credential was checked. The zero value may nothing.
type Identity struct {
	Kind Kind
	// Credential names the credential (never its secret): rate limits,
	// idempotency keys, revocation and logs go by it. "user:1", "display:2",
	// "ticket:17", "key:3f9a".
	Credential string
	// Grant names the one issued token or browser session behind this identity
	// ("grant:5f3a..."), where Credential may be shared by several: a user in two
	// browsers is one "user:1" with two grants. Signing out ends one grant.
	Grant string
	// User is the user on whose behalf commands are done; 0 for none.
	User int
	// Display is the screen's id, for displays and kiosks.
	Display int
	// Ticket is the only ticket a visitor may see.
	Ticket int64
	// Everywhere says that the identity may act in every location; otherwise
	// only in Locations.
	Everywhere bool
	Locations  []int
	// Admin may change settings: lines, desks, users, keys.
	Admin bool
	// Expires is when the credential runs out; zero means not by itself.
	Expires time.Time
}

// In reports whether the identity belongs to a location.
func (id Identity) In(location int) bool {
	if id.Everywhere {
		return true
	}
	for _, l := range id.Locations {
		if l == location {
			return true
		}
	}
	return false
}
