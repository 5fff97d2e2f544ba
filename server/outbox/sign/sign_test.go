package sign

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 11, 21, 10, 42, 5, 120e6, time.UTC)

// The wanted values were computed with the openssl command line, not with this
// package: printf '%s' MESSAGE | openssl dgst -sha256 -hmac KEY.
func TestGolden(t *testing.T) {
	body := []byte(`{"type":"ticket_called","data":{"id":"17"}}`)
	h := http.Header{}
	Chat(h, "s3cret", "AB12CD34-0000-4000-8000-000000000001", body, 3, at)
	Standard(h, "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMyISE=", "msg_1", body, at)
	for _, c := range []struct{ name, got, want string }{
		{"queue", Queue("whsec_abc", "https://hooks.example.com/q?x=1", body), "655d74b91518cbc9a8e610c2fe0d59a38ea28e2f557aff0fae9b363fb6f95d14"},
		{"hub", h.Get(HeaderHub), "sha1=6c56b206e6d353904cc24ebb2beb2f23f90a64c5"},
		{"date", h.Get(HeaderChatDate), "Sat, 21 Nov 2026 10:42:05 GMT"},
		{"auth", h.Get(HeaderChatAuth), "sha1=a0a00d2aa6817201c4fbd2e664514f15dacb667e"},
		{"auth as documented", h.Get(HeaderChatAuthDocs), "sha1=a0a00d2aa6817201c4fbd2e664514f15dacb667e"},
		{"key", h.Get(HeaderChatKey), "ab12cd34-0000-4000-8000-000000000001"},
		{"count", h.Get(HeaderChatCount), "3"},
		{"id", h.Get(HeaderID), "msg_1"},
		{"timestamp", h.Get(HeaderTimestamp), "1795257725"},
		{"standard", h.Get(HeaderSignature), "v1,zttvixGBvw98oEEhjkqip+/goM4l4O2SassOftMBmw4="},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.name, c.got, c.want)
		}
	}
}

// The example of the provider's own documentation.
func TestProviderGolden(t *testing.T) {
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"},
		"From": {"+12349013030"}, "To": {"+18005551212"},
	}
	const token, at, want = "12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
	if got := Provider(token, at, form); got != want {
		t.Errorf("signature is %q, want %q", got, want)
	}
	if !ProviderFits(token, at, form, want) {
		t.Error("the right signature does not fit")
	}
	form.Set("Digits", "1235")
	if ProviderFits(token, at, form, want) {
		t.Error("a changed form fits")
	}
	if ProviderFits("", at, form, Provider("", at, form)) {
		t.Error("without a token everything fits")
	}
}

func TestVerify(t *testing.T) {
	secret := NewSecret([SecretBytes]byte{1, 2, 3})
	body := []byte("{}")
	for _, c := range []struct {
		name   string
		change func(h http.Header)
		now    time.Time
		want   error
	}{
		{"as sent", func(http.Header) {}, at, nil},
		{"one of several", func(h http.Header) { h.Set(HeaderSignature, "v1,xx "+h.Get(HeaderSignature)) }, at, nil},
		{"other id", func(h http.Header) { h.Set(HeaderID, "msg_2") }, at, ErrSignature},
		{"old", func(http.Header) {}, at.Add(Tolerance + time.Second), ErrOld},
		{"from the future", func(http.Header) {}, at.Add(-Tolerance - time.Second), ErrOld},
		{"no time", func(h http.Header) { h.Del(HeaderTimestamp) }, at, ErrForm},
		{"no signature", func(h http.Header) { h.Del(HeaderSignature) }, at, ErrForm},
		{"far too many", func(h http.Header) { h.Set(HeaderSignature, strings.Repeat("v1,x ", 11)) }, at, ErrForm},
	} {
		h := http.Header{}
		Standard(h, secret, "msg_1", body, at)
		c.change(h)
		if err := Verify(h, secret, body, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// What was not signed with the secret never verifies, whatever the headers say.
func FuzzVerify(f *testing.F) {
	h := http.Header{}
	Standard(h, "other", "msg_1", []byte("{}"), at)
	f.Add("msg_1", "1795257725", h.Get(HeaderSignature), []byte("{}"))
	f.Add("", "", "", []byte(nil))
	f.Add("a", "-1", "v1, v1,", []byte("x"))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		h := http.Header{}
		h.Set(HeaderID, id)
		h.Set(HeaderTimestamp, stamp)
		h.Set(HeaderSignature, signature)
		if err := Verify(h, "a secret nobody knows", body, at); err == nil {
			t.Fatalf("%q %q %q verifies", id, stamp, signature)
		}
		Standard(h, "a secret nobody knows", "msg_1", body, at)
		if err := Verify(h, "a secret nobody knows", body, at); err != nil {
			t.Fatalf("our own does not verify: %v", err)
		}
	})
}
