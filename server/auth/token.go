package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Type is what a credential was issued as. It is written into the stored
// record and never renamed.
type Type string

// The types of credential.
const (
	StaffToken   Type = "staff"     // a user's token for programs
	Session      Type = "session"   // a signed-in browser; only ever in the cookie
	Invite       Type = "invite"    // a one-time sign-in link
	DisplayToken Type = "display"   // a paired screen
	KioskToken   Type = "kiosk"     // a paired screen that lets visitors take a ticket
	VisitorToken Type = "visitor"   // the link to one ticket
	QueueKey     Type = "key"       // a key of the queue API
	Temporary    Type = "temporary" // stands for a queue key on one socket
	ChatSecret   Type = "chat"      // the secret of a chat API key
	ChatToken    Type = "chattoken" // what a chat key and secret are exchanged for
)

// form is how tokens of a type look: a prefix that secret scanners and people
// recognise, then random letters and digits. 22 of them hold 130 bits, 43 hold
// 256. Only visitors' tokens are short: they go out in text messages.
type form struct {
	typ    Type
	prefix string
	length int
}

// forms lists every type once; no prefix is the beginning of another.
func forms() [10]form {
	return [...]form{
		{StaffToken, "ns_stf_", 43},
		{Session, "ns_ses_", 43},
		{Invite, "ns_inv_", 43},
		{DisplayToken, "ns_dsp_", 43},
		{KioskToken, "ns_ksk_", 43},
		{VisitorToken, "ns_vis_", 22},
		{QueueKey, "ns_key_", 43},
		{Temporary, "ns_tmp_", 43},
		{ChatSecret, "ns_sec_", 43},
		{ChatToken, "ns_tok_", 43},
	}
}

const (
	prefixLen = len("ns_xxx_")
	alphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// digest is what is kept of a token: its SHA-256. The tokens are random and
// long, so no salt and no slow hash is needed to keep them from being guessed.
type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

func parseDigest(s string) (digest, error) {
	var d digest
	if len(s) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("auth: a digest has %d digits, not %d", hex.EncodedLen(len(d)), len(s))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return digest{}, fmt.Errorf("auth: read digest: %w", err)
	}
	return d, nil
}

// parseToken tells a token's type and digest. Anything that is not exactly of
// the form that newToken writes is refused before it is looked up.
func parseToken(token string) (Type, digest, bool) {
	if len(token) < prefixLen {
		return "", digest{}, false
	}
	for _, f := range forms() {
		if token[:prefixLen] != f.prefix {
			continue
		}
		body := token[prefixLen:]
		if len(body) != f.length {
			return "", digest{}, false
		}
		for i := range len(body) {
			if strings.IndexByte(alphabet, body[i]) < 0 {
				return "", digest{}, false
			}
		}
		return f.typ, sha256.Sum256([]byte(token)), true
	}
	return "", digest{}, false
}

// newToken draws a token of a type.
func newToken(typ Type, random io.Reader) (string, digest, error) {
	for _, f := range forms() {
		if f.typ != typ {
			continue
		}
		body, err := randomText(f.length, random)
		if err != nil {
			return "", digest{}, err
		}
		token := f.prefix + body
		return token, sha256.Sum256([]byte(token)), nil
	}
	return "", digest{}, fmt.Errorf("auth: no form for credential type %q", typ)
}

// randomText draws n characters of the alphabet, each equally likely.
func randomText(n int, random io.Reader) (string, error) {
	// The largest multiple of 62 in a byte: taking bytes above it modulo 62
	// would favour the first characters.
	const limit = 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(out) < n {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", fmt.Errorf("auth: draw random bytes: %w", err)
		}
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out), nil
}
