// Package sign makes the signatures by which receivers know that a delivery is
// ours, and checks those of the text-message provider. It is pure: the time to
// sign is passed in.
package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers of a delivery.
const (
	HeaderQueue = "X-Qminder-Signature"

	HeaderHub          = "X-Hub-Signature"
	HeaderChatAuth     = "X-Glassix-Auth"
	HeaderChatAuthDocs = "X-Glassix-Auth-Signature" // what the vendor's pages call HeaderChatAuth
	HeaderChatDate     = "X-Glassix-Auth-Date"
	HeaderChatKey      = "X-Glassix-Api-Key"
	HeaderChatCount    = "X-Glassix-Request-Count"

	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"

	HeaderProvider = "X-Twilio-Signature"
)

// secretPrefix marks a secret in the form of Standard Webhooks.
const secretPrefix = "whsec_"

// SecretBytes is how many random bytes a secret of ours has.
const SecretBytes = 32

// NewSecret puts random bytes into the form that receivers are given.
func NewSecret(random [SecretBytes]byte) string {
	return secretPrefix + base64.StdEncoding.EncodeToString(random[:])
}

// Queue is the queue API's signature: over the registered URL immediately
// followed by the raw body, keyed with the secret's text.
func Queue(secret, url string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(url))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// SHA1 is the form of both chat signatures: "sha1=" and hex.
func SHA1(secret string, message []byte) string {
	m := hmac.New(sha1.New, []byte(secret))
	m.Write(message)
	return "sha1=" + hex.EncodeToString(m.Sum(nil))
}

// Chat sets the chat API's headers. department is the API key; count is the
// number of this attempt, from 1.
func Chat(h http.Header, secret, department string, body []byte, count int, at time.Time) {
	date := at.UTC().Format(http.TimeFormat)
	auth := SHA1(secret, []byte(date))
	h.Set(HeaderHub, SHA1(secret, body))
	h.Set(HeaderChatDate, date)
	h.Set(HeaderChatAuth, auth)
	h.Set(HeaderChatAuthDocs, auth)
	h.Set(HeaderChatKey, strings.ToLower(department))
	h.Set(HeaderChatCount, strconv.Itoa(count))
}

// Standard sets the headers of Standard Webhooks, which every delivery carries.
func Standard(h http.Header, secret, id string, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, "v1,"+standard(secret, id, stamp, body))
}

func standard(secret, id, stamp string, body []byte) string {
	m := hmac.New(sha256.New, key(secret))
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// key is a secret's bytes: decoded where it is in the standard's form, else its
// text, which is what other APIs' secrets are.
func key(secret string) []byte {
	if text, ok := strings.CutPrefix(secret, secretPrefix); ok {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) > 0 {
			return b
		}
	}
	return []byte(secret)
}

// Errors of Verify.
var (
	ErrForm      = errors.New("sign: headers are not of the form")
	ErrOld       = errors.New("sign: timestamp is too far from now")
	ErrSignature = errors.New("sign: no signature fits")
)

// Tolerance is how far a delivery's time may be from the receiver's.
const Tolerance = 5 * time.Minute

// maxSignatures bounds the work that one request may cause.
const maxSignatures = 10

// Verify checks the headers of Standard Webhooks the way receivers do; our own
// tests and tools use it.
func Verify(h http.Header, secret string, body []byte, now time.Time) error {
	id, stamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || strings.Contains(id, ".") || strconv.FormatInt(seconds, 10) != stamp {
		return ErrForm
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > Tolerance || d < -Tolerance {
		return ErrOld
	}
	given := strings.Fields(h.Get(HeaderSignature))
	if len(given) == 0 || len(given) > maxSignatures {
		return ErrForm
	}
	want := "v1," + standard(secret, id, stamp, body)
	for _, s := range given {
		if subtle.ConstantTimeCompare([]byte(s), []byte(want)) == 1 {
			return nil
		}
	}
	return ErrSignature
}

// Provider is the text-message provider's signature of a callback: over the full
// URL followed by every form parameter and its value, sorted by name.
func Provider(token, fullURL string, form url.Values) string {
	m := hmac.New(sha1.New, []byte(token))
	m.Write([]byte(fullURL))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			m.Write([]byte(name + v))
		}
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// ProviderFits compares a callback's signature in constant time.
func ProviderFits(token, fullURL string, form url.Values, given string) bool {
	return token != "" && hmac.Equal([]byte(Provider(token, fullURL, form)), []byte(given))
}
