package wire

// CloseCode says why a socket ends and whether to come back:
// 4000-4099 at once with the position held, 4100-4199 without it (the client
// gets a snapshot), 4200-4299 not at all.
type CloseCode int

// The close codes.
const (
	CloseDrain        CloseCode = 4000 // the node stops; come back after a random part of 5 s
	CloseIdle         CloseCode = 4001 // nothing heard for two ping intervals
	CloseConnectLate  CloseCode = 4002 // no connect frame in time
	CloseExpired      CloseCode = 4003 // the session's credential ran out; sign in again, then come back
	CloseSlow         CloseCode = 4100 // could not keep up with replies
	CloseRevoked      CloseCode = 4200 // the credential was revoked
	CloseBadToken     CloseCode = 4201 // the credential is not known
	CloseNotJSON      CloseCode = 4202 // too many frames that are not of the protocol
	CloseBinary       CloseCode = 4203 // a binary frame; the protocol is text only
	CloseNotUTF8      CloseCode = 1007 // a text frame that is no UTF-8 (RFC 6455, section 8.1)
	CloseRateLimited  CloseCode = 4004 // far over the rate limit; come back with back-off
	CloseTooManyConns CloseCode = 4005 // too many sockets of this identity or address
	CloseChanged      CloseCode = 4006 // what the credential allows has changed; come back for the new rights
)

// CloseReason is the text sent with a close code.
func CloseReason(c CloseCode) string { return closeReasons[c] }

var closeReasons = map[CloseCode]string{
	CloseDrain:        "draining",
	CloseIdle:         "idle",
	CloseConnectLate:  "connect too late",
	CloseExpired:      "credential expired",
	CloseRateLimited:  "rate limited",
	CloseTooManyConns: "too many connections",
	CloseChanged:      "rights changed",
	CloseSlow:         "slow",
	CloseRevoked:      "credential revoked",
	CloseBadToken:     "unknown credential",
	CloseNotJSON:      "not the protocol",
	CloseBinary:       "text frames only",
	CloseNotUTF8:      "not UTF-8",
}

// MayReturn reports whether a client should connect again after c. Codes that
// are not ours (1001, 1006, 1012, ...) mean a broken link: come back.
func MayReturn(c CloseCode) bool { return c < 4200 || c > 4299 }

// KeepsPosition reports whether the client may resume with since after c.
func KeepsPosition(c CloseCode) bool { return c < 4100 || c > 4299 }
